//! Sluice's control plane: admin API, discovery, ledger, provider simulator and command line in one binary.

mod cli;
mod fleet;
mod simulator;
mod snapshot;

use clap::Parser;

/// Sluice's control plane.
#[derive(Debug, Parser)]
#[command(name = "sluice", version)]
enum Command {
    /// Run the provider simulator.
    Simulate(cli::simulate::Simulate),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Simulate(simulate) => simulate.run().await,
    }
}
