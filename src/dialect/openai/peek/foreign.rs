//! Taking out what another dialect has proved: providers of this one refuse members that they do not know.
//!
//! Invariant: only what the gateway itself wrote for the client is taken out, and nothing is looked for where the seal does
//! not occur.

use crate::dialect::cut::{Cuts, Fate, JudgeMember};
use crate::dialect::members::Path;
use crate::ir::proof::SEAL;
use crate::wire::json::{Error, Kind, Reader};
use memchr::memmem;

/// The cuts. The syntax of the body has been checked.
pub(super) fn cuts(body: &str) -> Result<Cuts<'_>, Error> {
    let mut cuts = Cuts::of(body);
    if memmem::find(body.as_bytes(), SEAL.as_bytes()).is_some() {
        cuts.members(None, &mut Reader::new(body), &mut |cuts, path, name, reader| {
            if name == "messages" { each(cuts, path, reader, &mut message) } else { stays(reader) }
        })?;
    }
    Ok(cuts)
}

/// A member of a message.
fn message<'a>(
    cuts: &mut Cuts<'a>,
    path: &Path<'_>,
    name: &str,
    reader: &mut Reader<'a>,
) -> Result<Fate, Error> {
    match name {
        "reasoning_details" if reader.peek()? == Kind::Array => details(cuts, path, reader),
        "tool_calls" => each(cuts, path, reader, &mut |cuts, path, name, reader| {
            if name == "extra_content" { extra(cuts, path, reader) } else { stays(reader) }
        }),
        _ => stays(reader),
    }
}

/// The elements of a list, of which those of the gateway go.
fn details<'a>(cuts: &mut Cuts<'a>, path: &Path<'_>, reader: &mut Reader<'a>) -> Result<Fate, Error> {
    let before = cuts.edits.len();
    let left = cuts.elements(path, reader, &mut |_, _, reader| {
        if reader.peek()? != Kind::Object {
            return stays(reader);
        }
        let mut sealed = false;
        reader.object()?;
        while let Some(name) = reader.key()? {
            match &*name.plain() {
                "signature" | "data" => sealed |= is_sealed(reader)?,
                _ => reader.skip()?,
            }
        }
        Ok(if sealed { Fate::Goes } else { Fate::Stays })
    })?;
    Ok(if left || cuts.edits.len() == before { Fate::Stays } else { Fate::Emptied })
}

/// What Google's own Chat layer keeps with a call: the signature goes if it is sealed, and what it leaves empty.
fn extra<'a>(cuts: &mut Cuts<'a>, path: &Path<'_>, reader: &mut Reader<'a>) -> Result<Fate, Error> {
    within(cuts, path, reader, &mut |cuts, path, name, reader| {
        if name != "google" {
            return stays(reader);
        }
        within(cuts, path, reader, &mut |_, _, name, reader| {
            if name != "thought_signature" {
                return stays(reader);
            }
            Ok(if is_sealed(reader)? { Fate::Goes } else { Fate::Stays })
        })
    })
}

/// The members of an object, which goes if nothing is left of it.
fn within<'a>(
    cuts: &mut Cuts<'a>,
    path: &Path<'_>,
    reader: &mut Reader<'a>,
    judge: JudgeMember<'_, 'a>,
) -> Result<Fate, Error> {
    if reader.peek()? != Kind::Object {
        return stays(reader);
    }
    let before = cuts.edits.len();
    let left = cuts.members(Some(path), reader, judge)?;
    Ok(if left || cuts.edits.len() == before { Fate::Stays } else { Fate::Emptied })
}

/// The members of every object in a list, if it is one.
fn each<'a>(
    cuts: &mut Cuts<'a>,
    path: &Path<'_>,
    reader: &mut Reader<'a>,
    judge: JudgeMember<'_, 'a>,
) -> Result<Fate, Error> {
    if reader.peek()? != Kind::Array {
        return stays(reader);
    }
    cuts.elements(path, reader, &mut |cuts, path, reader| {
        if reader.peek()? == Kind::Object {
            cuts.members(Some(path), reader, judge)?;
            return Ok(Fate::Stays);
        }
        stays(reader)
    })?;
    Ok(Fate::Stays)
}

fn stays(reader: &mut Reader<'_>) -> Result<Fate, Error> {
    reader.skip()?;
    Ok(Fate::Stays)
}

/// Whether a value is something sealed.
fn is_sealed(reader: &mut Reader<'_>) -> Result<bool, Error> {
    if reader.peek()? == Kind::String {
        return Ok(reader.string()?.plain().starts_with(SEAL));
    }
    reader.skip()?;
    Ok(false)
}
