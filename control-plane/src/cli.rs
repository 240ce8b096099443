//! The command line: one room for each subcommand.

pub(crate) mod simulate;
