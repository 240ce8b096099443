//! Sluice's control plane: admin API, discovery, ledger, provider simulator and command line in one binary.
//!
//! Rooms: plain types ← [`store`], [`snapshot`] ← [`credentials`] ← {[`api`], [`ledger`], [`discovery`], [`access_log`]} ← [`serve`] ←
//! [`up`]. The commands in [`cli`] know only the admin API. SQL is only in [`store`].

mod access_log;
mod api;
mod cli;
mod credentials;
mod discovery;
mod fleet;
mod grpc;
mod ledger;
mod lookup;
mod node_token;
mod serve;
mod settings;
mod simulator;
mod snapshot;
mod store;
#[cfg(test)]
mod test_app;
mod up;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// An LLM gateway that lives inside Envoy: the control plane and its command line.
#[derive(Debug, Parser)]
#[command(name = "sluice", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the control plane.
    Serve(settings::Serve),
    /// Run everything on this machine: control plane, Envoy, and a simulator where no provider's key is known.
    Up(up::Up),
    /// Run the provider simulator on its own.
    Simulate(cli::simulate::Simulate),
    /// Mint, list, show, rotate and revoke keys.
    #[command(subcommand)]
    Key(cli::key::Command),
    /// Make a configuration file true.
    Apply(cli::apply::Apply),
    /// Show and export what was used.
    #[command(subcommand)]
    Usage(cli::usage::Command),
}

#[tokio::main]
async fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Serve(settings) => serve(settings).await,
        Command::Up(settings) => up(settings).await,
        Command::Simulate(simulate) => simulate.run().await,
        Command::Key(command) => cli::key::run(command).await,
        Command::Apply(apply) => cli::apply::run(apply).await,
        Command::Usage(command) => cli::usage::run(command).await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read the output has seen enough.
        Err(error) if cli::reader_left(&error) => ExitCode::SUCCESS,
        Err(error) => {
            use std::io::Write as _;
            // Nothing is left to tell that standard error is gone.
            let _ = writeln!(std::io::stderr(), "sluice: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(settings: settings::Serve) -> anyhow::Result<()> {
    log(settings.log_format)?;
    serve::run(settings, serve::signalled()).await
}

async fn up(settings: up::Up) -> anyhow::Result<()> {
    log(settings.log_format)?;
    // Heard from the start on, so that nothing is left behind by a signal that comes early.
    let signalled = tokio::spawn(serve::signalled());
    up::run(settings, async { signalled.await.unwrap_or_default() }).await
}

/// Logs go to standard error; `SLUICE_LOG` filters them (`info`, `sluice=debug,sqlx=warn`).
fn log(format: settings::LogFormat) -> anyhow::Result<()> {
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .with_env_var("SLUICE_LOG")
        .from_env()
        .context("SLUICE_LOG")?;
    let colour = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colour);
    match format {
        settings::LogFormat::Text => builder.init(),
        settings::LogFormat::Json => builder.json().init(),
    }
    Ok(())
}
