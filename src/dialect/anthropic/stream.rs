//! Streamed replies. <https://platform.claude.com/docs/en/build-with-claude/streaming>

mod decoder;
mod encoder;

pub(super) use decoder::Decoder;
pub(super) use encoder::Encoder;

#[cfg(test)]
mod tests;
