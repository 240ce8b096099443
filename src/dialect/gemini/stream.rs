//! Streamed replies: `GenerateContentResponse`s in server-sent events, ended by the end of the stream.

mod decoder;
mod encoder;

pub(super) use decoder::Decoder;
pub(super) use encoder::Encoder;

#[cfg(test)]
mod tests;
