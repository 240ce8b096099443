//! Sluice's control plane: admin API, discovery, ledger, provider simulator and command line in one binary.

mod fleet;
mod snapshot;

fn main() {}
