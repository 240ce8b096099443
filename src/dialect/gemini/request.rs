//! Requests, both ways.

mod config;
mod content;
mod decode;
mod encode;
mod outcome;
mod settings;
mod tools;
mod turns;
mod write_tools;

pub(super) use decode::decode;
pub(super) use encode::{encode, write_body};

#[cfg(test)]
mod tests;
