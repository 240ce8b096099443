//! `sluice usage`: export what was used, or sum it up.

use super::client::{Call, Client, Connection};
use super::print_json;
use super::table::{Table, cell, dollars};
use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

/// What to show of usage.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Export one line per exchange.
    Export(Export),
    /// Sum up by key, model or provider.
    Summary(Summary),
}

/// An export.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// As CSV; the default.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// As a JSON list, with every attempt.
    #[arg(long)]
    json: bool,
    /// A file to write; standard output if absent.
    #[arg(long, short)]
    output: Option<PathBuf>,
    #[command(flatten)]
    which: Which,
}

/// A summary.
#[derive(Debug, Args)]
pub(crate) struct Summary {
    /// What is summed by.
    #[arg(long, value_enum, default_value = "key")]
    by: By,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    which: Which,
}

/// What is summed by.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum By {
    /// The key.
    Key,
    /// The model that served.
    Model,
    /// The provider that served.
    Provider,
}

/// Which exchanges.
#[derive(Debug, Args)]
struct Which {
    /// From this time on: RFC 3339 or Unix seconds.
    #[arg(long, value_parser = super::time)]
    since: Option<String>,
    /// Before this time.
    #[arg(long, value_parser = super::time)]
    until: Option<String>,
    /// Only this key's, by id.
    #[arg(long)]
    key: Option<String>,
    #[command(flatten)]
    connection: Connection,
}

impl Which {
    fn query(&self) -> Vec<(&'static str, String)> {
        let members = [("since", &self.since), ("until", &self.until), ("key", &self.key)];
        members.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).collect()
    }
}

/// Runs the command.
pub(crate) async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Export(export) => match &export.output {
            None => export.write(&mut io::stdout().lock()).await,
            Some(path) => export.write_file(path).await,
        },
        Command::Summary(summary) => summary.run(&mut io::stdout().lock()).await,
    }
}

impl Export {
    async fn write(&self, out: &mut impl Write) -> anyhow::Result<()> {
        let client = Client::new(&self.which.connection)?;
        if self.json {
            let rows = client.all(&["usage"], &self.which.query()).await?;
            return print_json(out, &rows.into());
        }
        let mut call = Call::get(&["usage.csv"]);
        call.query = self.which.query();
        let mut response = client.open(call).await?;
        while let Some(chunk) = response.chunk().await.context("the export was cut")? {
            out.write_all(&chunk)?;
        }
        Ok(out.flush()?)
    }

    /// The file appears under its name once it is whole.
    async fn write_file(&self, path: &PathBuf) -> anyhow::Result<()> {
        let mut part = OsString::from(path);
        part.push(".part");
        let named = || part.to_string_lossy().into_owned();
        // Who used what is its owner's business; what an interrupted export left may have been readable by others.
        match std::fs::remove_file(&part) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error).with_context(named),
            _ => {}
        }
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part);
        let mut out = BufWriter::new(file.with_context(named)?);
        self.write(&mut out).await?;
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        std::fs::rename(&part, path).with_context(|| path.to_string_lossy().into_owned())
    }
}

impl Summary {
    async fn run(&self, out: &mut impl Write) -> anyhow::Result<()> {
        let mut call = Call::get(&["usage", "summary"]);
        let (by, head) = match self.by {
            By::Key => ("key", "KEY"),
            By::Model => ("model", "MODEL"),
            By::Provider => ("provider", "PROVIDER"),
        };
        call.query = self.which.query();
        call.query.push(("by", by.to_owned()));
        let sums = Client::new(&self.which.connection)?.json(call).await?;
        let Some(rows) = sums.get("data") else { return print_json(out, &sums) };
        if self.json {
            return print_json(out, rows);
        }
        let mut table =
            Table::new(&[head, "EXCHANGES", "FAILED", "INPUT", "OUTPUT", "COST (USD)", "UNPRICED"]);
        for row in rows.as_array().into_iter().flatten() {
            let [group, all, failed, input, output, unpriced] =
                ["/group", "/exchanges", "/failed", "/usage/input", "/usage/output", "/unpriced"]
                    .map(|member| cell(row, member));
            table.row([group, all, failed, input, output, dollars(row, "/cost_micro_usd"), unpriced]);
        }
        Ok(table.print(out)?)
    }
}
