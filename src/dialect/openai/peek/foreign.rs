//! Taking out what another dialect has proved: providers of this one refuse members that they do not know.
//!
//! Invariant: only what the gateway itself wrote for the client is taken out, and nothing is looked for where the seal does
//! not occur.

use crate::dialect::{Edit, cut};
use crate::ir::proof::SEAL;
use crate::wire::json::{Error, Kind, Reader};
use memchr::memmem;

/// The edits, in order. The syntax of the body has been checked.
pub(super) fn edits(body: &str) -> Vec<Edit> {
    let mut edits = Vec::new();
    if memmem::find(body.as_bytes(), SEAL.as_bytes()).is_some() && messages(body, &mut edits).is_err() {
        edits.clear();
    }
    edits
}

fn messages(body: &str, edits: &mut Vec<Edit>) -> Result<(), Error> {
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
    cut::members(body, reader, edits, &mut |name, reader, edits| match &*name.plain() {
        "reasoning_details" => is_sealed(reader),
        "tool_calls" if reader.peek()? == Kind::Array => {
            cut::elements(reader, edits, &mut |reader, edits| {
                if reader.peek()? != Kind::Object {
                    reader.skip()?;
                    return Ok(false);
                }
                cut::members(body, reader, edits, &mut |name, reader, _| {
                    if *name == "extra_content" {
                        return is_sealed(reader);
                    }
                    reader.skip()?;
                    Ok(false)
                })?;
                Ok(false)
            })?;
            Ok(false)
        }
        _ => {
            reader.skip()?;
            Ok(false)
        }
    })
}

/// Whether a value holds something sealed.
fn is_sealed(reader: &mut Reader<'_>) -> Result<bool, Error> {
    Ok(memmem::find(reader.raw()?.as_bytes(), SEAL.as_bytes()).is_some())
}
