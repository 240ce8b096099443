//! What `sluice up` prints once everything serves.

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
    /// What is configured.
    pub(super) snapshot: Arc<Snapshot>,
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
        let providers = names(enabled.map(|(name, _)| name).collect());
        let models = names(self.snapshot.models.keys().collect());
        let note = if self.simulated {
            "\n  No provider's key is in the environment (OPENAI_API_KEY, ANTHROPIC_API_KEY, GROQ_API_KEY,\n  \
             MISTRAL_API_KEY, DEEPSEEK_API_KEY), so a simulator answers.\n"
        } else {
            ""
        };
        let ask = |curl: &str, stream: &str| {
            format!(
                "  {curl} http://{gateway}/v1/chat/completions \\\n    -H 'Authorization: Bearer {key}' \\\n    \
                 -H 'Content-Type: application/json' \\\n    -d '{{\"model\":\"auto\",{stream}\"messages\":\
                 [{{\"role\":\"user\",\"content\":\"Hello\"}}]}}'\n"
            )
        };
        format!(
            "\nSluice is up.\n\n  Base URL   http://{gateway}/v1 (Anthropic SDKs: http://{gateway})\n  Key        \
             {key}\n  Admin      http://{admin} ({token})\n  Providers  {providers}\n  Models     {models}\n  \
             Envoy log  {log}\n{note}\n{buffered}\n{streamed}\nCtrl-C ends it.\n",
            token = self.admin_token.as_ref().map_or_else(
                || "with the token you gave".to_owned(),
                |path| format!("token in {}", path.display()),
            ),
            log = self.envoy_log.display(),
            buffered = ask("curl", ""),
            streamed = ask("curl -N", "\"stream\":true,"),
        )
    }
}
