//! Requests: `input` items to turns and back.
//!
//! Invariant: consecutive items of the model are one turn, consecutive results another.

mod content;
mod decode;
mod echo;
mod encode;
mod encode_items;
mod encode_tools;
mod items;
mod options;
mod tools;

pub(super) use decode::decode;
pub(super) use echo::{DEFAULT_ECHO, echo};
pub(super) use encode::{Purpose, encode};

#[cfg(test)]
mod tests;
