//! Taking signatures of ours out of a turn: Google would refuse what another dialect has proved.
//!
//! Invariant: what remains is a turn with at least one part; a call that another model made keeps a place for the
//! placeholder that Google wants there.

use crate::dialect::Edit;
use crate::dialect::gemini::names::canonical;
use crate::dialect::gemini::signature::{MARK, PLACEHOLDER};
use crate::dialect::value::{object_or_skip, text_or_skip};
use crate::wire::json::{Error, Kind, Reader};
use std::ops::Range;

/// A part, as far as it matters.
#[derive(Debug)]
struct Part {
    span: Range<usize>,
    /// The signature of ours, with the comma that goes with it.
    sealed: Option<Range<usize>>,
    /// Whether a comma stands before the signature, and whether one behind it, within the span.
    commas: (bool, bool),
    /// Whether it is nothing without its signature: a thought, or no words at all.
    hollow: bool,
    call: bool,
}

/// Collects the edits for the list of parts that is next.
pub(super) fn parts(mut reader: Reader<'_>, edits: &mut Vec<Edit>) -> Result<(), Error> {
    let mut parts = Vec::new();
    reader.array()?;
    while reader.element()? {
        parts.push(part(&mut reader)?);
    }
    let leaves = |part: &Part| part.sealed.is_some() && part.hollow;
    let first_kept = parts.iter().position(|part| !leaves(part));
    for (at, part) in parts.iter().enumerate() {
        let Some(sealed) = &part.sealed else { continue };
        let neighbour = |at: Option<usize>| at.and_then(|at| parts.get(at));
        let span = match first_kept {
            // With the comma behind it, or else with the one before it.
            Some(kept) if part.hollow && at < kept => {
                neighbour(Some(at + 1)).map(|next| part.span.start..next.span.start)
            }
            Some(_) if part.hollow => {
                neighbour(at.checked_sub(1)).map(|before| before.span.end..part.span.end)
            }
            _ => None,
        };
        edits.push(match span {
            Some(span) => Edit { span, with: Vec::new() },
            None => {
                Edit { span: sealed.clone(), with: if part.call { placeholder(part) } else { Vec::new() } }
            }
        });
    }
    Ok(())
}

fn placeholder(part: &Part) -> Vec<u8> {
    let (before, behind) = part.commas;
    let comma = |there: bool| if there { "," } else { "" };
    format!(r#"{}"thoughtSignature":"{PLACEHOLDER}"{}"#, comma(before), comma(behind)).into_bytes()
}

fn part(reader: &mut Reader<'_>) -> Result<Part, Error> {
    let start = reader.value_offset();
    let mut part =
        Part { span: start..start, sealed: None, commas: (false, false), hollow: true, call: false };
    let (mut thought, mut words, mut other) = (false, false, false);
    // Where the member before ends, and where the first one begins.
    let (mut before, inside) = (None, start + 1);
    if object_or_skip(reader)? {
        while let Some(key) = reader.key()? {
            match &*canonical(key.plain()) {
                "thoughtSignature" if reader.peek()? == Kind::String => {
                    let sealed = text_or_skip(reader)?.is_some_and(|text| text.plain().starts_with(MARK));
                    if sealed && part.sealed.is_none() {
                        let end = reader.offset();
                        // The next byte that counts is a comma or the brace.
                        let next = reader.value_offset();
                        let mut rest = reader.clone();
                        let more = rest.key().is_ok_and(|key| key.is_some());
                        part.sealed = Some(match before {
                            Some(before) => before..end,
                            None if more => inside..next + 1,
                            None => inside..end,
                        });
                        part.commas = (before.is_some(), before.is_none() && more);
                    }
                }
                "thought" if reader.peek()? == Kind::Bool => thought = reader.boolean()?,
                "text" => words = text_or_skip(reader)?.is_some_and(|text| !text.is_empty()),
                "functionCall" => {
                    part.call = true;
                    reader.skip()?;
                }
                _ => {
                    other = true;
                    reader.skip()?;
                }
            }
            before = Some(reader.offset());
        }
    }
    part.hollow = !part.call && !other && (thought || !words);
    part.span.end = reader.offset();
    Ok(part)
}
