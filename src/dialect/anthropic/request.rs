//! Requests, read from a client and written to an upstream.

mod blocks;
mod decode;
mod encode;
mod options;
mod places;
mod tools;

pub(super) use decode::decode;
pub(super) use encode::encode;

#[cfg(test)]
mod tests;
