//! One message: typed headers and a payload.
//!
//! Invariant: what is encoded is parsed back as it was.

use super::{Error, PRELUDE, SHORTEST};

/// A message.
#[derive(Debug, Clone, PartialEq)]
pub struct Message<'a> {
    /// Names and values, in order.
    pub headers: Vec<(&'a str, Value<'a>)>,
    /// The rest.
    pub payload: &'a [u8],
}

/// A header's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// Types 0 and 1.
    Bool(bool),
    /// Type 2.
    Byte(i8),
    /// Type 3.
    Short(i16),
    /// Type 4.
    Integer(i32),
    /// Type 5.
    Long(i64),
    /// Type 6.
    Bytes(&'a [u8]),
    /// Type 7.
    Text(&'a str),
    /// Type 8: milliseconds since 1970.
    Timestamp(i64),
    /// Type 9.
    Uuid([u8; 16]),
}

impl<'a> Message<'a> {
    /// Parses one whole message, whose prelude has been checked.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let (told, checksum) = bytes.split_last_chunk().ok_or(Error::Length)?;
        if crc32fast::hash(told) != u32::from_be_bytes(*checksum) {
            return Err(Error::Checksum);
        }
        let (prelude, content) = told.split_first_chunk::<PRELUDE>().ok_or(Error::Length)?;
        let [_, _, _, _, a, b, c, d, ..] = *prelude;
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).map_err(|_| Error::Length)?;
        let (headers, payload) = content.split_at_checked(length).ok_or(Error::Length)?;
        Ok(Self { headers: parse_headers(headers).ok_or(Error::Headers)?, payload })
    }

    /// The text of a header; empty if it is not there or of another type.
    #[must_use]
    pub fn text(&self, wanted: &str) -> &'a str {
        let found = self.headers.iter().find(|(name, _)| *name == wanted);
        match found {
            Some((_, Value::Text(text))) => text,
            _ => "",
        }
    }
}

fn parse_headers(bytes: &[u8]) -> Option<Vec<(&str, Value<'_>)>> {
    let mut rest = bytes;
    let mut headers = Vec::with_capacity(4);
    while let Some((length, after)) = rest.split_first() {
        let (name, after) = after.split_at_checked(usize::from(*length))?;
        let (kind, after) = after.split_first()?;
        let (value, after) = parse_value(*kind, after)?;
        headers.push((std::str::from_utf8(name).ok()?, value));
        rest = after;
    }
    Some(headers)
}

fn parse_value(kind: u8, bytes: &[u8]) -> Option<(Value<'_>, &[u8])> {
    Some(match kind {
        0 => (Value::Bool(true), bytes),
        1 => (Value::Bool(false), bytes),
        2 => bytes.split_first_chunk().map(|(value, rest)| (Value::Byte(i8::from_be_bytes(*value)), rest))?,
        3 => {
            bytes.split_first_chunk().map(|(value, rest)| (Value::Short(i16::from_be_bytes(*value)), rest))?
        }
        4 => bytes
            .split_first_chunk()
            .map(|(value, rest)| (Value::Integer(i32::from_be_bytes(*value)), rest))?,
        5 => {
            bytes.split_first_chunk().map(|(value, rest)| (Value::Long(i64::from_be_bytes(*value)), rest))?
        }
        6 => sized(bytes).map(|(value, rest)| (Value::Bytes(value), rest))?,
        7 => {
            let (value, rest) = sized(bytes)?;
            (Value::Text(std::str::from_utf8(value).ok()?), rest)
        }
        8 => bytes
            .split_first_chunk()
            .map(|(value, rest)| (Value::Timestamp(i64::from_be_bytes(*value)), rest))?,
        9 => bytes.split_first_chunk().map(|(value, rest)| (Value::Uuid(*value), rest))?,
        _ => return None,
    })
}

fn sized(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

/// Appends a message. `None`, and nothing appended, if a name is longer than 255 bytes, a value than 65535, or the whole
/// than its length can tell.
pub fn encode(headers: &[(&str, Value<'_>)], payload: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut block = Vec::with_capacity(96);
    for (name, value) in headers {
        block.push(u8::try_from(name.len()).ok()?);
        block.extend_from_slice(name.as_bytes());
        write_value(value, &mut block)?;
    }
    let total = u32::try_from(block.len() + payload.len() + SHORTEST).ok()?;
    let mut message = Vec::with_capacity(block.len() + payload.len() + SHORTEST);
    message.extend_from_slice(&total.to_be_bytes());
    message.extend_from_slice(&u32::try_from(block.len()).ok()?.to_be_bytes());
    message.extend_from_slice(&crc32fast::hash(&message).to_be_bytes());
    message.extend_from_slice(&block);
    message.extend_from_slice(payload);
    message.extend_from_slice(&crc32fast::hash(&message).to_be_bytes());
    out.append(&mut message);
    Some(())
}

fn write_value(value: &Value<'_>, out: &mut Vec<u8>) -> Option<()> {
    let mut put = |kind: u8, bytes: &[u8]| {
        out.push(kind);
        out.extend_from_slice(bytes);
    };
    let length = |bytes: &[u8]| u16::try_from(bytes.len()).ok().map(u16::to_be_bytes);
    match value {
        Value::Bool(true) => put(0, &[]),
        Value::Bool(false) => put(1, &[]),
        Value::Byte(value) => put(2, &value.to_be_bytes()),
        Value::Short(value) => put(3, &value.to_be_bytes()),
        Value::Integer(value) => put(4, &value.to_be_bytes()),
        Value::Long(value) => put(5, &value.to_be_bytes()),
        Value::Bytes(value) => {
            put(6, &length(value)?);
            out.extend_from_slice(value);
        }
        Value::Text(value) => {
            put(7, &length(value.as_bytes())?);
            out.extend_from_slice(value.as_bytes());
        }
        Value::Timestamp(value) => put(8, &value.to_be_bytes()),
        Value::Uuid(value) => put(9, value),
    }
    Some(())
}
