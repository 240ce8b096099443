//! Output items: read from an upstream, written for a client.

pub(super) mod read;
pub(super) mod write;
