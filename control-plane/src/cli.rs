//! The commands that talk to the admin API, and the simulator's.
//!
//! Invariant: the former know the API only by its JSON over HTTP; what programs read goes to standard output, what only
//! people read to standard error.

pub(crate) mod apply;
mod client;
pub(crate) mod key;
pub(crate) mod simulate;
mod table;
#[cfg(test)]
mod tests;
pub(crate) mod usage;

use std::io::{self, Write};

/// Whether a command failed only because its output is no longer read (`sluice key list | head`).
pub(crate) fn reader_left(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

/// Writes a value as indented JSON.
fn print_json(out: &mut impl Write, value: &serde_json::Value) -> anyhow::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value).map_err(io::Error::from)?;
    writeln!(out)?;
    Ok(())
}

/// A time of the command line as the API takes it; refused here, so that the message names the flag.
fn time(text: &str) -> Result<String, &'static str> {
    crate::ledger::time::parse(text).map(|_| text.to_owned()).ok_or("expected RFC 3339 or Unix seconds")
}
