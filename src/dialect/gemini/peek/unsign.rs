//! Taking signatures of ours out of a turn: Google would refuse what another dialect has proved.
//!
//! Invariant: what remains is a turn with at least one part that holds something, or no turn; a call that another model made keeps a place for the
//! placeholder that Google wants there.

use super::Taken;
use crate::dialect::cut::name_offset;
use crate::dialect::gemini::names::canonical;
use crate::dialect::gemini::proto::Elements;
use crate::dialect::gemini::signature::{MARK, UNPROVED};
use crate::dialect::members::Path;
use crate::dialect::value::object_or_skip;
use crate::dialect::{Edit, Member};
use crate::wire::json::{Error, Kind, Reader};
use std::ops::Range;

/// A part, as far as it matters.
#[derive(Debug)]
struct Part {
    span: Range<usize>,
    /// The signatures of ours: a part may have one in either spelling.
    sealed: Vec<Member>,
    /// Whether one of Google's is beside them.
    signed: bool,
    /// Whether one of ours is another dialect's, and not a mark of there being none.
    proves: bool,
    words: bool,
    /// Whether it is nothing without its signature: a thought, or no words at all.
    hollow: bool,
    call: bool,
    /// Whether it holds none of what Google takes for a part, not even empty words.
    bare: bool,
}

/// Notes what is taken out of the list of parts that is next. Says whether anything is left; if nothing is, the turn is to go.
pub(super) fn parts(
    body: &str,
    path: &Path<'_>,
    reader: &mut Reader<'_>,
    taken: &mut Taken,
) -> Result<bool, Error> {
    let mut parts = Vec::new();
    let mut elements = Elements::of(reader, Kind::Object)?;
    while elements.next(reader)? {
        parts.push(part(body, reader)?);
    }
    let leaves = |part: &Part| !part.sealed.is_empty() && part.hollow;
    let some_stay = !parts.iter().all(leaves);
    let stays = parts.is_empty() || some_stay || !parts.iter().all(|part| part.bare);
    for (at, part) in parts.iter().enumerate() {
        let Some((first, others)) = part.sealed.split_first() else { continue };
        let path = elements.path(path, at);
        // Where all would go, those stay that Google takes without their signatures.
        if part.bare || part.hollow && some_stay {
            taken.edits.push(elements.remove(part.span.clone()));
            if part.proves || part.words {
                taken.loss.drop(path.to_string());
            }
            continue;
        }
        if part.call && !part.signed {
            taken.calls.push(first.clone());
        } else {
            taken.edits.push(Edit::remove(first.whole.clone()));
        }
        taken.edits.extend(others.iter().map(|other| Edit::remove(other.whole.clone())));
        if part.proves {
            taken.loss.drop(path.member("thoughtSignature").to_string());
        }
    }
    Ok(stays)
}

fn part(body: &str, reader: &mut Reader<'_>) -> Result<Part, Error> {
    let start = reader.value_offset();
    let mut part = Part {
        span: start..start,
        sealed: Vec::new(),
        signed: false,
        proves: false,
        words: false,
        hollow: true,
        call: false,
        bare: true,
    };
    let (mut thought, mut text, mut other) = (false, false, false);
    if object_or_skip(reader)? {
        loop {
            let before = reader.offset();
            let Some(key) = reader.key()? else { break };
            match (&*canonical(key.plain()), reader.peek()?) {
                // As if it were not there.
                (_, Kind::Null) => reader.skip()?,
                ("thoughtSignature", Kind::String) => {
                    let value = reader.value_offset();
                    let signature = reader.string()?;
                    let signature = signature.plain();
                    if signature.starts_with(MARK) {
                        let end = reader.offset();
                        part.proves |= signature != UNPROVED;
                        part.sealed.push(Member { whole: name_offset(body, before)..end, value: value..end });
                    } else {
                        part.signed |= !signature.is_empty();
                    }
                }
                ("thought", Kind::Bool) => thought = reader.boolean()?,
                ("text", Kind::String) => {
                    text = true;
                    part.words = !reader.string()?.is_empty();
                }
                ("functionCall", _) => {
                    part.call = true;
                    reader.skip()?;
                }
                _ => {
                    other = true;
                    reader.skip()?;
                }
            }
        }
    }
    part.hollow = !part.call && !other && (thought || !part.words);
    part.bare = !part.call && !other && !text;
    part.span.end = reader.offset();
    Ok(part)
}
