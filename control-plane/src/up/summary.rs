//! What `sluice up` prints once everything serves.
//!
//! Invariant: every command works as it is printed.

use super::offer::LeftOut;
use crate::snapshot::Snapshot;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// What there is to tell.
pub(super) struct Summary {
    /// Where clients go.
    pub(super) gateway: SocketAddr,
    /// Where the admin API is.
    pub(super) admin: SocketAddr,
    /// The file that holds its token, if the token was not given.
    pub(super) admin_token: Option<PathBuf>,
    /// A key that works.
    pub(super) key: String,
    /// Envoy's log.
    pub(super) envoy_log: PathBuf,
    /// Whether the answers are made up.
    pub(super) simulated: bool,
    /// What of the environment could not be used.
    pub(super) left_out: Vec<LeftOut>,
    /// What is configured.
    pub(super) snapshot: Arc<Snapshot>,
}

/// A first request in a client's dialect.
struct Ask {
    dialect: &'static str,
    curl: &'static str,
    path: &'static str,
    /// Everything before the key.
    header: &'static str,
    body: &'static str,
}

const ASKS: [Ask; 4] = [
    Ask {
        dialect: "OpenAI Chat, streamed",
        curl: "curl -N",
        path: "/v1/chat/completions",
        header: "Authorization: Bearer ",
        body: r#"{"model":"auto","stream":true,"messages":[{"role":"user","content":"Hello"}]}"#,
    },
    Ask {
        dialect: "OpenAI Responses",
        curl: "curl",
        path: "/v1/responses",
        header: "Authorization: Bearer ",
        body: r#"{"model":"auto","input":"Hello"}"#,
    },
    Ask {
        dialect: "Anthropic Messages",
        curl: "curl",
        path: "/v1/messages",
        header: "x-api-key: ",
        body: r#"{"model":"auto","max_tokens":1000,"messages":[{"role":"user","content":"Hello"}]}"#,
    },
    Ask {
        dialect: "Gemini",
        curl: "curl",
        path: "/v1beta/models/auto:generateContent",
        header: "x-goog-api-key: ",
        body: r#"{"contents":[{"parts":[{"text":"Hello"}]}]}"#,
    },
];

impl Ask {
    fn command(&self, gateway: SocketAddr, key: &str) -> String {
        let Self { dialect, curl, path, header, body } = self;
        format!(
            "  {dialect}\n  {curl} http://{gateway}{path} \\\n    -H '{header}{key}' -H 'Content-Type: application/json' \
             \\\n    -d '{body}'\n"
        )
    }
}

impl Summary {
    /// Prints it to standard output.
    pub(super) fn print(&self) -> std::io::Result<()> {
        let mut out = std::io::stdout().lock();
        out.write_all(self.text().as_bytes())?;
        out.flush()
    }

    fn text(&self) -> String {
        let Self { gateway, admin, key, .. } = self;
        let names = |values: Vec<&String>| {
            let names: Vec<&str> = values.into_iter().map(String::as_str).collect();
            names.join(", ")
        };
        let enabled = self.snapshot.providers.iter().filter(|(_, provider)| provider.value.enabled);
        let commands = ASKS.map(|ask| ask.command(*gateway, key)).join("\n");
        format!(
            "\nSluice is up.\n\n  Base URL   http://{gateway}/v1 (Anthropic's and Google's SDKs: http://{gateway})\n  \
             Key        {key}\n  Admin      http://{admin} ({token})\n  Providers  {providers}\n  Models     {models}\n  \
             Envoy log  {log}\n{notes}\n{commands}\nCtrl-C ends it.\n",
            token = self.admin_token.as_ref().map_or_else(
                || "with the token you gave".to_owned(),
                |path| format!("token in {}", path.display()),
            ),
            providers = names(enabled.map(|(name, _)| name).collect()),
            models = names(self.snapshot.models.keys().collect()),
            log = self.envoy_log.display(),
            notes = self.notes(),
        )
    }

    fn notes(&self) -> String {
        let mut notes = String::new();
        if self.simulated {
            notes.push_str(
                "\n  No vendor's credential is in the environment (OPENAI_API_KEY and others, see README.md), so a\n  \
                 simulator answers.\n",
            );
        }
        for left_out in &self.left_out {
            notes.push_str(&format!("\n  Not used: {left_out}\n"));
        }
        notes
    }
}
