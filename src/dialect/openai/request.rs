//! Chat requests.

mod decode;
mod decode_calls;
mod decode_parts;
mod decode_tools;
mod decode_turns;
mod encode;
mod encode_tools;
mod encode_turns;

pub(super) use decode::decode;
pub(super) use encode::encode;

#[cfg(test)]
mod tests;
