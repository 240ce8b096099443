//! Streamed replies: `chat.completion.chunk` objects in server-sent events, ended by `[DONE]`.

mod candidate;
mod decoder;
mod encoder;
mod lanes;

pub(super) use decoder::Decoder;
pub(super) use encoder::Encoder;

use super::choice::Envelope;
use crate::dialect::openai_api::id::hashed;
use crate::ir::error::Fault;

/// An id for a tool call whose provider gives none: the same for the same place in the same reply.
pub(super) fn made_up_id(reply_id: &str, number: usize) -> String {
    hashed("call_", &format!("{reply_id}:{number}"))
}

/// Some vendors answer a wish for a stream with a plain error document.
pub(super) fn bare_error(block: &[u8]) -> Option<Fault> {
    let text = std::str::from_utf8(block).ok()?.trim();
    if !text.starts_with('{') {
        return None;
    }
    match Envelope::read(text) {
        Err(fault @ Fault::Error(_)) => Some(fault),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
