//! Taking out what Anthropic has not signed: thinking of other providers' models, which the gateway gave the client with an
//! empty signature or a sealed one. Anthropic refuses both.
//!
//! Invariant: a body without such thinking costs a few substring searches; a turn keeps at least one block.

use crate::dialect::{Edit, cut};
use crate::ir::proof::{SEAL, is_foreign};
use crate::wire::json::{Error, Kind, Reader, Text};
use memchr::memmem;

/// What a turn says of which nothing else is left.
const PLACEHOLDER: &str = r#"[{"type":"text","text":"(continued)"}]"#;

/// The edits, in order. The syntax of the body has been checked.
pub(super) fn edits(body: &str) -> Vec<Edit> {
    let mut edits = Vec::new();
    if may_hold_foreign(body.as_bytes()) && walk(body, &mut edits).is_err() {
        edits.clear();
    }
    edits
}

/// Whether the seal or an empty signature occurs, be it in a text.
fn may_hold_foreign(body: &[u8]) -> bool {
    const NAME: &[u8] = b"\"signature\"";
    let is_empty = |at: usize| {
        let rest = body.get(at + NAME.len()..).unwrap_or_default().trim_ascii_start();
        let rest = rest.strip_prefix(b":").unwrap_or_default().trim_ascii_start();
        rest.starts_with(b"\"\"")
    };
    memmem::find(body, SEAL.as_bytes()).is_some() || memmem::find_iter(body, NAME).any(is_empty)
}

fn walk(body: &str, edits: &mut Vec<Edit>) -> Result<(), Error> {
    let mut reader = Reader::new(body);
    cut::members(body, &mut reader, edits, &mut |name, reader, edits| {
        if *name != "messages" || reader.peek()? != Kind::Array {
            reader.skip()?;
            return Ok(false);
        }
        cut::elements(reader, edits, &mut |reader, edits| {
            if reader.peek()? == Kind::Object {
                message(body, reader, edits)?;
            } else {
                reader.skip()?;
            }
            Ok(false)
        })?;
        Ok(false)
    })
}

fn message<'a>(body: &'a str, reader: &mut Reader<'a>, edits: &mut Vec<Edit>) -> Result<(), Error> {
    cut::members(body, reader, edits, &mut |name, reader, edits| {
        if *name != "content" || reader.peek()? != Kind::Array {
            reader.skip()?;
            return Ok(false);
        }
        let start = reader.value_offset();
        let mut taken = Vec::new();
        let left = cut::elements(reader, &mut taken, &mut |reader, _| is_foreign_thinking(reader))?;
        if left || taken.is_empty() {
            edits.append(&mut taken);
        } else {
            let with = PLACEHOLDER.as_bytes().to_vec();
            edits.push(Edit { span: start..reader.offset(), with });
        }
        Ok(false)
    })
}

fn is_foreign_thinking(reader: &mut Reader<'_>) -> Result<bool, Error> {
    if reader.peek()? != Kind::Object {
        reader.skip()?;
        return Ok(false);
    }
    let (mut kind, mut signature, mut data) = (None, None, None);
    reader.object()?;
    while let Some(name) = reader.key()? {
        let slot = match &*name.plain() {
            "type" => &mut kind,
            "signature" => &mut signature,
            "data" => &mut data,
            _ => {
                reader.skip()?;
                continue;
            }
        };
        if reader.peek()? == Kind::String {
            *slot = Some(reader.string()?);
        } else {
            reader.skip()?;
        }
    }
    let foreign = |proof: Option<Text<'_>>| proof.is_some_and(|proof| is_foreign(&proof.plain()));
    Ok(match kind.as_ref().map(Text::plain).as_deref() {
        Some("thinking") => foreign(signature),
        Some("redacted_thinking") => foreign(data),
        _ => false,
    })
}
