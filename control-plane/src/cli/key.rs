//! `sluice key`: mint, list, show, rotate and revoke keys.

use super::client::{Call, Client, Connection};
use super::print_json;
use super::table::{Table, cell, time};
use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use std::io::{self, Write};

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Mint a key and show its token, this once.
    Create(Create),
    /// List keys, the newest first.
    List(List),
    /// Show one key.
    Show(One),
    /// Revoke a key, for ever.
    Revoke(One),
    /// Give a key a new secret and show its token, this once.
    Rotate(Rotate),
}

/// A new key.
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// What it is called.
    #[arg(long)]
    name: Option<String>,
    /// The organization that pays.
    #[arg(long)]
    organization: Option<String>,
    /// A step of its chain, `provider/model`; repeat it for the steps that follow.
    #[arg(long = "step", value_parser = step)]
    steps: Vec<Value>,
    /// A model it may use, `*` at the end matching the rest; repeatable. Without it, all.
    #[arg(long = "allow-model")]
    allow_models: Vec<String>,
    /// When it ends: RFC 3339 or Unix seconds.
    #[arg(long, value_parser = super::time)]
    expires_at: Option<String>,
    #[command(flatten)]
    output: Output,
}

/// A listing.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only keys of exactly this name.
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    output: Output,
}

/// One key.
#[derive(Debug, Args)]
pub(crate) struct One {
    /// Its id.
    id: String,
    #[command(flatten)]
    output: Output,
}

/// A rotation.
#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// Its id.
    id: String,
    /// How long the old secret is still honoured.
    #[arg(long, default_value_t = 0)]
    grace_seconds: u64,
    #[command(flatten)]
    output: Output,
}

/// From where, and how it is shown.
#[derive(Debug, Args)]
struct Output {
    #[command(flatten)]
    connection: Connection,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn step(text: &str) -> Result<Value, &'static str> {
    let (provider, model) = text.split_once('/').ok_or("expected provider/model")?;
    Ok(json!({"provider": provider, "model": model}))
}

/// Runs the command.
pub(crate) async fn run(command: Command) -> anyhow::Result<()> {
    let out = &mut io::stdout().lock();
    match command {
        Command::Create(create) => create.run(out).await,
        Command::List(list) => list.run(out).await,
        Command::Show(One { id, output }) => {
            let key = Client::new(&output.connection)?.json(Call::get(&["keys", &id])).await?;
            output.print(out, &key)
        }
        Command::Revoke(One { id, output }) => {
            let client = Client::new(&output.connection)?;
            let key = client.json(Call::post(&["keys", &id, "revoke"], json!({}))).await?;
            output.print(out, &key)
        }
        Command::Rotate(Rotate { id, grace_seconds, output }) => {
            let client = Client::new(&output.connection)?;
            let body = json!({"grace_seconds": grace_seconds});
            let key = client.json(Call::post(&["keys", &id, "rotate"], body)).await?;
            output.print(out, &key)
        }
    }
}

impl Create {
    async fn run(self, out: &mut impl Write) -> anyhow::Result<()> {
        let mut body = Map::new();
        body.extend(self.name.map(|name| ("name".to_owned(), name.into())));
        body.extend(self.organization.map(|name| ("organization".to_owned(), name.into())));
        body.insert("chain".into(), self.steps.into());
        body.insert("models".into(), json!({"allow": self.allow_models}));
        if let Some(text) = self.expires_at {
            let us = crate::ledger::time::parse(&text).context("--expires-at")?;
            body.insert("expires_at".into(), (us / 1_000_000).into());
        }
        let client = Client::new(&self.output.connection)?;
        let key = client.json(Call::post(&["keys"], body.into())).await?;
        self.output.print(out, &key)
    }
}

impl List {
    async fn run(self, out: &mut impl Write) -> anyhow::Result<()> {
        let query: Vec<(&str, String)> = self.name.map(|name| ("name", name)).into_iter().collect();
        let keys = Client::new(&self.output.connection)?.all(&["keys"], &query).await?;
        if self.output.json {
            return print_json(out, &keys.into());
        }
        let mut table = Table::new(&["ID", "NAME", "KEY", "STATUS", "CREATED", "EXPIRES"]);
        for key in &keys {
            let [id, name, display, status] =
                ["/id", "/name", "/display", "/status"].map(|member| cell(key, member));
            table.row([id, name, display, status, time(key, "/created_at"), time(key, "/expires_at")]);
        }
        Ok(table.print(out)?)
    }
}

impl Output {
    /// One key; its token, if it was minted just now, comes with a warning to people.
    fn print(&self, out: &mut impl Write, key: &Value) -> anyhow::Result<()> {
        if self.json {
            return print_json(out, key);
        }
        let mut table = Table::new(&["id", &cell(key, "/id")]);
        for (name, text) in [
            ("name", cell(key, "/name")),
            ("organization", cell(key, "/organization")),
            ("key", cell(key, "/display")),
            ("status", cell(key, "/status")),
            ("chain", chain(key)),
            ("models", access(key, "/models")),
            ("providers", access(key, "/providers")),
            ("endpoints", access(key, "/endpoints")),
            ("created", time(key, "/created_at")),
            ("expires", time(key, "/expires_at")),
            ("old until", time(key, "/previous_secret_until")),
            ("token", cell(key, "/token")),
        ] {
            if !text.is_empty() {
                table.row([name.to_owned(), text]);
            }
        }
        table.print(out)?;
        if key.get("token").is_some() {
            out.flush()?;
            writeln!(io::stderr(), "Keep the token: it cannot be shown again.")?;
        }
        Ok(())
    }
}

/// `a/m → b/m, c/m`: steps in order, the targets of one step beside each other.
fn chain(key: &Value) -> String {
    let list =
        |value: &Value, name: &str| value.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let target = |target: &Value| format!("{}/{}", cell(target, "/provider"), cell(target, "/model"));
    let step = |step: &Value| list(step, "targets").iter().map(target).collect::<Vec<_>>().join(", ");
    list(key, "chain").iter().map(step).collect::<Vec<_>>().join(" → ")
}

/// `gpt-*, -gpt-4*`: what is allowed, and what is not.
fn access(key: &Value, pointer: &str) -> String {
    let list = |name: &str, sign: &str| {
        let patterns = key.pointer(&format!("{pointer}/{name}")).and_then(Value::as_array);
        let sign = |pattern: &Value| format!("{sign}{}", cell(pattern, ""));
        patterns.map(|patterns| patterns.iter().map(sign).collect()).unwrap_or_default()
    };
    let patterns: [Vec<String>; 2] = [list("allow", ""), list("deny", "-")];
    patterns.concat().join(", ")
}
