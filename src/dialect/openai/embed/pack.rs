//! Vectors as little-endian 32-bit floats in base64, and back. The only place where a number is read as a float.

use crate::wire::json::Reader;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Packs the JSON text of an array; `None` if an element is no number that 32 bits can hold.
pub(super) fn pack(json: &str) -> Option<String> {
    let mut reader = Reader::new(json);
    let mut bytes = Vec::with_capacity(json.len() / 2);
    reader.array().ok()?;
    while reader.element().ok()? {
        let number: f32 = reader.number().ok()?.parse().ok()?;
        if !number.is_finite() {
            return None;
        }
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    Some(STANDARD.encode(bytes))
}

/// Unpacks into the JSON text of an array; `None` if it is not packed so.
pub(super) fn unpack(base64: &str) -> Option<String> {
    use std::fmt::Write as _;
    let bytes = STANDARD.decode(base64).ok()?;
    let (numbers, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return None;
    }
    let mut json = String::with_capacity(bytes.len() * 3);
    for (at, number) in numbers.iter().enumerate() {
        let number = f32::from_le_bytes(*number);
        if !number.is_finite() {
            return None;
        }
        // The shortest text that reads back as the same number.
        let comma = if at == 0 { '[' } else { ',' };
        write!(json, "{comma}{number}").ok()?;
    }
    if json.is_empty() {
        json.push('[');
    }
    json.push(']');
    Some(json)
}
