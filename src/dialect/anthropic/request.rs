//! Requests, read from a client and written to an upstream.

mod blocks;
mod decode;
mod encode;
mod options;
mod settings;
mod tools;
mod turns;

pub(super) use decode::decode;
pub(super) use encode::encode;

#[cfg(test)]
mod tests;
