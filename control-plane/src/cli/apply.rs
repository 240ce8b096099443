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
    /// YAML file with `settings`, `providers`, `models` and `keys`; `-` is standard input. A credential may be `${NAME}`, from
    /// the environment, or `${file:PATH}`.
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
    let configuration = read(&text.with_context(|| name.to_string())?, &Sources::default());
    let mut call = Call::post(&["apply"], configuration.with_context(|| name.to_string())?);
    call.query.push(("dry_run", apply.dry_run.to_string()));
    let applied = Client::new(&apply.connection)?.json(call).await.with_context(|| name.to_string())?;
    print(&mut io::stdout().lock(), &applied, apply.json)
}

/// Where credentials may come from that a file only names.
pub(super) struct Sources {
    /// The environment.
    pub(super) variable: fn(&str) -> Option<String>,
    /// Files.
    pub(super) file: fn(&str) -> io::Result<String>,
}

impl Default for Sources {
    fn default() -> Self {
        Self { variable: |name| std::env::var(name).ok(), file: |path| std::fs::read_to_string(path) }
    }
}

/// The members of a provider that may name a credential in place of holding it.
const CREDENTIALS: [&str; 3] = ["auth.secret", "auth.aws.access_key_id", "auth.aws.session_token"];

/// YAML to the API's JSON. In the place of a credential `${NAME}` is the environment's variable, and `${file:PATH}` the
/// file's text.
pub(super) fn read(text: &str, sources: &Sources) -> anyhow::Result<Value> {
    // By way of YAML's own value: it refuses a member that is written twice, JSON's would take the last.
    let yaml: serde_yaml_ng::Value = serde_yaml_ng::from_str(text)?;
    let mut configuration = match serde_json::to_value(yaml)? {
        Value::Null => Value::Object(serde_json::Map::new()),
        object @ Value::Object(_) => object,
        _ => bail!("expected a mapping of settings, providers, models and keys"),
    };
    let providers = configuration.get_mut("providers").and_then(Value::as_array_mut);
    for (at, provider) in providers.into_iter().flatten().enumerate() {
        for member in CREDENTIALS {
            let pointer = format!("/{}", member.replace('.', "/"));
            let Some(Value::String(text)) = provider.pointer_mut(&pointer) else { continue };
            let Some(name) = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) else {
                continue;
            };
            let value = sources.fetch(name).with_context(|| format!("providers[{at}].{member}"))?;
            *text = value;
        }
    }
    Ok(configuration)
}

impl Sources {
    fn fetch(&self, name: &str) -> anyhow::Result<String> {
        let Some(path) = name.strip_prefix("file:") else {
            let value = (self.variable)(name).filter(|value| !value.is_empty());
            return value.with_context(|| format!("expected {name} in the environment"));
        };
        let text = (self.file)(path).with_context(|| path.to_owned())?;
        Ok(text.trim().to_owned())
    }
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
