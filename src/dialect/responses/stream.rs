//! Streamed replies: typed events with running numbers, ended by the response as a whole.

mod decoder;
mod encoder;
mod lanes;

pub(super) use decoder::Decoder;
pub(super) use encoder::{Encoder, encode_error};

use super::status::failure;
use crate::dialect::value::is_void;
use crate::ir::error::Fault;
use crate::wire::json::{Error, Reader};

/// Some servers answer a wish for a stream with a plain error document.
pub(super) fn bare(block: &[u8]) -> Option<Fault> {
    let text = std::str::from_utf8(block).ok()?.trim();
    if !text.starts_with('{') {
        return None;
    }
    match has_error(text) {
        Ok(true) => Some(Fault::Error(failure(text))),
        Ok(false) => Some(Fault::Invalid("not an event stream".to_owned())),
        Err(error) => Some(Fault::Invalid(error.to_string())),
    }
}

fn has_error(text: &str) -> Result<bool, Error> {
    let mut reader = Reader::new(text);
    let mut found = false;
    reader.object()?;
    while let Some(key) = reader.key()? {
        let value = reader.raw()?;
        found |= key == "error" && !is_void(value);
    }
    reader.end()?;
    Ok(found)
}

#[cfg(test)]
mod tests;
