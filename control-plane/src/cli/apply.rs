//! `sluice apply -f file.yaml`: make a configuration file true, all of it or nothing.

use super::client::{Call, Client, Connection};
use super::print_json;
use super::table::{Table, cell};
use anyhow::{Context as _, bail};
use clap::Args;
use serde_json::Value;
use std::io::{self, Read as _, Write};
use std::path::PathBuf;

/// A configuration file and how to apply it.
#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// YAML file with `settings`, `providers`, `models` and `keys`; `-` is standard input.
    #[arg(short, long)]
    file: PathBuf,
    /// Show what would change, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

/// Runs the command.
pub(crate) async fn run(apply: Apply) -> anyhow::Result<()> {
    let name = apply.file.display();
    let text = if apply.file.as_os_str() == "-" {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(&apply.file)
    };
    let configuration = read(&text.with_context(|| name.to_string())?, |name| std::env::var(name).ok());
    let mut call = Call::post(&["apply"], configuration.with_context(|| name.to_string())?);
    call.query.push(("dry_run", apply.dry_run.to_string()));
    let applied = Client::new(&apply.connection)?.json(call).await.with_context(|| name.to_string())?;
    print(&mut io::stdout().lock(), &applied, apply.json)
}

/// YAML to the API's JSON, with `${NAME}` in the place of a credential replaced by the environment's variable.
pub(super) fn read(text: &str, variable: impl Fn(&str) -> Option<String>) -> anyhow::Result<Value> {
    // By way of YAML's own value: it refuses a member that is written twice, JSON's would take the last.
    let yaml: serde_yaml_ng::Value = serde_yaml_ng::from_str(text)?;
    let mut configuration = match serde_json::to_value(yaml)? {
        Value::Null => Value::Object(serde_json::Map::new()),
        object @ Value::Object(_) => object,
        _ => bail!("expected a mapping of settings, providers, models and keys"),
    };
    let providers = configuration.get_mut("providers").and_then(Value::as_array_mut);
    for (at, provider) in providers.into_iter().flatten().enumerate() {
        let Some(Value::String(secret)) = provider.pointer_mut("/auth/secret") else { continue };
        let Some(name) = secret.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) else { continue };
        let value = variable(name).filter(|value| !value.is_empty());
        *secret = value
            .with_context(|| format!("providers[{at}].auth.secret: expected {name} in the environment"))?;
    }
    Ok(configuration)
}

fn print(out: &mut impl Write, applied: &Value, json: bool) -> anyhow::Result<()> {
    if json {
        return print_json(out, applied);
    }
    let changes = applied.get("changes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut table = Table::new(&["CHANGE", "KIND", "NAME", "ID", "TOKEN"]);
    for change in changes {
        table.row(["/outcome", "/kind", "/name", "/id", "/token"].map(|member| cell(change, member)));
    }
    table.print(out)?;
    out.flush()?;
    if changes.iter().any(|change| change.get("token").is_some()) {
        writeln!(io::stderr(), "Keep the tokens: they cannot be shown again.")?;
    }
    if applied.get("dry_run") == Some(&Value::Bool(true)) {
        writeln!(io::stderr(), "Nothing was changed: this was a dry run.")?;
    }
    Ok(())
}
