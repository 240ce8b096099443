//! Taking out what Anthropic has not signed: thinking of other providers' models, which the gateway gave the client with an
//! empty signature or a sealed one. Anthropic refuses both.
//!
//! Invariant: a body without such thinking costs a few substring searches; a turn keeps at least one block.

use crate::dialect::cut::{Cuts, Fate};
use crate::dialect::edit::Edit;
use crate::dialect::members::Path;
use crate::ir::proof::{SEAL, is_foreign};
use crate::wire::json::{Error, Kind, Reader, Text};
use memchr::memmem;

/// What a turn says of which nothing else is left.
const PLACEHOLDER: &str = r#"[{"type":"text","text":"(continued)"}]"#;

/// Notes the cuts. The syntax of the body has been checked.
pub(super) fn cut<'a>(body: &'a str, cuts: &mut Cuts<'a>) -> Result<(), Error> {
    if !may_hold_foreign(body.as_bytes()) {
        return Ok(());
    }
    let messages = &mut |cuts: &mut Cuts<'a>, path: &Path<'_>, name: &str, reader: &mut Reader<'a>| {
        if name != "messages" || reader.peek()? != Kind::Array {
            reader.skip()?;
            return Ok(Fate::Stays);
        }
        cuts.elements(path, reader, &mut |cuts, path, reader| {
            if reader.peek()? == Kind::Object {
                cuts.members(Some(path), reader, &mut content)?;
            } else {
                reader.skip()?;
            }
            Ok(Fate::Stays)
        })?;
        Ok(Fate::Stays)
    };
    cuts.members(None, &mut Reader::new(body), messages)?;
    Ok(())
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

/// A member of a message.
fn content<'a>(
    cuts: &mut Cuts<'a>,
    path: &Path<'_>,
    name: &str,
    reader: &mut Reader<'a>,
) -> Result<Fate, Error> {
    if name != "content" || reader.peek()? != Kind::Array {
        reader.skip()?;
        return Ok(Fate::Stays);
    }
    let (start, before) = (reader.value_offset(), cuts.edits.len());
    let left = cuts.elements(path, reader, &mut |_, _, reader| {
        Ok(if is_foreign_thinking(reader)? { Fate::Goes } else { Fate::Stays })
    })?;
    if !left && cuts.edits.len() > before {
        // What was taken out of it has been said.
        cuts.edits.push(Edit::replace(start..reader.offset(), PLACEHOLDER));
    }
    Ok(Fate::Stays)
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
