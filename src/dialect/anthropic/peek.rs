//! The patch lane's look at a request.
//!
//! Invariant: one pass checks the whole document. What changes is `model`, what a vendor wants beside or instead of it,
//! thinking that Anthropic has not signed, and the wish to think where a turn without such is gone on with; every other byte
//! is the client's.

mod foreign;
mod thinking;

use crate::dialect::claude::Generation;
use crate::dialect::cut::{Cuts, name_offset};
use crate::dialect::members::Path;
use crate::dialect::{Edit, Needs, Peek, Target};
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
use crate::wire::json::{Error, Kind, Reader, Text, write_str};
use std::collections::BTreeSet;
use std::ops::Range;

/// Members that vendors of Anthropic's models want in the body, and that clients made for them write themselves.
const VENDORS: [&str; 2] = ["anthropic_version", "anthropic_beta"];

/// Top-level members that a request may have: every name is remembered until the end.
const MAX_MEMBERS: usize = 512;

/// What a picture or document in base64 is counted as.
const MEDIA_TOKENS: u64 = 1_000;

/// Checks a request and notes what policy needs.
pub(super) fn peek(body: &str) -> Result<Peek<'_>, Malformed> {
    let syntax = |error: Error| Path::root("body").fail(&error);
    let mut found = Found::default();
    let mut seen = BTreeSet::new();
    let mut reader = Reader::new(body);
    reader.object().map_err(syntax)?;
    let mut before = reader.offset();
    while let Some(name) = reader.key().map_err(syntax)? {
        let name = name.plain();
        let path = Path::root(&name);
        let value = reader.value_offset();
        found.member(&name, &path, &mut reader)?;
        let span = value..reader.offset();
        if name == "model" {
            found.model_member = Some(name_offset(body, before)..span.end);
        } else if let Some(extra) = VENDORS.into_iter().find(|extra| *extra == name) {
            found.extra.push((extra, span));
        }
        before = reader.offset();
        if seen.contains(&name) {
            return Err(path.malformed("occurs twice"));
        }
        if seen.len() >= MAX_MEMBERS {
            return Err(Path::root("body").malformed("expected an object of at most 512 members"));
        }
        seen.insert(name);
    }
    let end = reader.offset().saturating_sub(1);
    reader.end().map_err(syntax)?;
    let text_bytes = body.len().saturating_sub(found.media_bytes);
    found.needs.prompt_tokens = (text_bytes / 4) as u64 + found.media * MEDIA_TOKENS;
    let (model, model_span) = found.model.ok_or_else(|| Path::root("model").malformed("missing"))?;
    let mut cuts = Cuts::of(body);
    foreign::cut(body, &mut cuts).map_err(syntax)?;
    if found.turns.refuse_thinking() {
        thinking::cut(body, &mut cuts).map_err(syntax)?;
    }
    Ok(Peek {
        model,
        model_span: Some(model_span),
        model_member: found.model_member,
        extra: found.extra,
        edits: cuts.edits,
        loss: cuts.loss,
        stream: found.stream,
        // Counts are part of every stream of this dialect.
        include_usage: true,
        max_tokens: found.max_tokens,
        n: 1,
        end,
        needs: found.needs,
        ..Peek::default()
    })
}

/// What the provider wants otherwise: the model's id, or none but the vendor's own members, and no thinking that Anthropic has
/// not signed or would not go on with. Whoever imitates Anthropic checks no signatures, and some want their own unsigned thinking back.
pub(super) fn splice(peek: &Peek<'_>, target: &Target<'_>, loss: &mut Loss) -> Vec<Edit> {
    let mut edits = Vec::new();
    if Generation::of(target.model) != Generation::Foreign {
        edits.clone_from(&peek.edits);
        loss.add(&peek.loss);
    }
    let mut added = Vec::new();
    for (name, json) in target.extra {
        match peek.extra.iter().find(|(there, _)| there == name) {
            Some((_, span)) => edits.push(Edit::replace(span.clone(), *json)),
            None => added.push(format!("\"{name}\":{json}")),
        }
    }
    let added = added.join(",");
    if let Some(member) = peek.model_member.clone().filter(|_| !target.model_in_body) {
        // What is added takes the model's place.
        edits.push(if added.is_empty() { Edit::remove(member) } else { Edit::replace(member, added) });
        return edits;
    }
    if !added.is_empty() {
        edits.push(Edit::append(peek.end, added));
    }
    if let Some(span) = peek.model_span.clone().filter(|_| peek.model != *target.model) {
        let mut with = Vec::new();
        write_str(&mut with, target.model);
        edits.push(Edit::replace(span, with));
    }
    edits
}

#[derive(Default)]
struct Found<'a> {
    model: Option<(Text<'a>, Range<usize>)>,
    model_member: Option<Range<usize>>,
    extra: Vec<(&'static str, Range<usize>)>,
    stream: bool,
    max_tokens: Option<u64>,
    needs: Needs,
    /// Pictures and documents in base64, and their bytes.
    media: u64,
    media_bytes: usize,
    turns: thinking::Turns,
}

impl<'a> Found<'a> {
    fn member(&mut self, name: &str, path: &Path<'_>, reader: &mut Reader<'a>) -> Result<(), Malformed> {
        let fail = |error: Error| match error {
            Error::Type { .. } => path.fail(&error),
            Error::Syntax { .. } | Error::TooDeep { .. } => Path::root("body").fail(&error),
        };
        match name {
            "model" => {
                let start = reader.value_offset();
                let model = reader.string().map_err(fail)?;
                if model.is_empty() {
                    return Err(path.malformed("expected a model's id"));
                }
                self.model = Some((model, start..reader.offset()));
            }
            "stream" if !reader.null().map_err(fail)? => self.stream = reader.boolean().map_err(fail)?,
            "max_tokens" if !reader.null().map_err(fail)? => {
                self.max_tokens = Some(reader.integer().map_err(fail)?);
            }
            "messages" => self.messages(reader).map_err(fail)?,
            "tools" if reader.peek().map_err(fail)? == Kind::Array => {
                reader.array().map_err(fail)?;
                while reader.element().map_err(fail)? {
                    self.needs.tools = true;
                    reader.skip().map_err(fail)?;
                }
            }
            "thinking" => self.turns.asked(reader).map_err(fail)?,
            "output_config" => self.output_config(reader).map_err(fail)?,
            "output_format" => self.needs.schema |= said(reader).map_err(fail)?,
            "stream" | "max_tokens" => {}
            _ => reader.skip().map_err(fail)?,
        }
        Ok(())
    }

    /// A list of objects is expected; anything else is the upstream's to refuse.
    fn messages(&mut self, reader: &mut Reader<'a>) -> Result<(), Error> {
        each(reader, &mut |reader| {
            let mut turn = thinking::Turn::default();
            members(reader, &mut |name, reader| match &*name.plain() {
                "role" if reader.peek()? == Kind::String => {
                    turn.assistant = reader.string()? == "assistant";
                    Ok(())
                }
                "content" => self.content(&mut turn, reader),
                _ => reader.skip(),
            })?;
            self.turns.add(turn);
            Ok(())
        })
    }

    /// Content of a message.
    fn content(&mut self, turn: &mut thinking::Turn, reader: &mut Reader<'a>) -> Result<(), Error> {
        each(reader, &mut |reader| {
            let mut block = thinking::Block::default();
            members(reader, &mut |name, reader| match &*name.plain() {
                "type" if reader.peek()? == Kind::String => {
                    let kind = reader.string()?;
                    self.needs(&kind);
                    block.kind = Some(kind);
                    Ok(())
                }
                "signature" | "data" if reader.peek()? == Kind::String => {
                    block.proof = Some(reader.string()?);
                    Ok(())
                }
                "content" => self.result(reader),
                "source" => self.source(reader),
                _ => reader.skip(),
            })?;
            turn.add(&block);
            Ok(())
        })
    }

    /// Content of a tool's result.
    fn result(&mut self, reader: &mut Reader<'a>) -> Result<(), Error> {
        each(reader, &mut |reader| {
            members(reader, &mut |name, reader| {
                if *name == "type" && reader.peek()? == Kind::String {
                    let kind = reader.string()?;
                    self.needs(&kind);
                    return Ok(());
                }
                match &*name.plain() {
                    "content" => self.result(reader),
                    "source" => self.source(reader),
                    _ => reader.skip(),
                }
            })
        })
    }

    /// Where a picture or document is. Its bytes say nothing of its tokens.
    fn source(&mut self, reader: &mut Reader<'a>) -> Result<(), Error> {
        let start = reader.value_offset();
        let mut inline = false;
        members(reader, &mut |name, reader| {
            if *name == "type" && reader.peek()? == Kind::String {
                inline = reader.string()? == "base64";
                return Ok(());
            }
            reader.skip()
        })?;
        if inline {
            self.media += 1;
            self.media_bytes += reader.offset() - start;
        }
        Ok(())
    }

    fn needs(&mut self, kind: &Text<'_>) {
        self.needs.images |= *kind == "image";
        self.needs.documents |= *kind == "document";
    }

    fn output_config(&mut self, reader: &mut Reader<'a>) -> Result<(), Error> {
        members(reader, &mut |name, reader| {
            if *name == "format" {
                self.needs.schema |= said(reader)?;
                return Ok(());
            }
            reader.skip()
        })
    }
}

/// Reads the elements of what is next if it is a list, and skips it otherwise.
fn each<'a>(
    reader: &mut Reader<'a>,
    read: &mut dyn FnMut(&mut Reader<'a>) -> Result<(), Error>,
) -> Result<(), Error> {
    if reader.peek()? != Kind::Array {
        return reader.skip();
    }
    reader.array()?;
    while reader.element()? {
        read(reader)?;
    }
    Ok(())
}

/// Reads the members of what is next if it is an object, and skips it otherwise.
fn members<'a>(
    reader: &mut Reader<'a>,
    read: &mut dyn FnMut(&Text<'a>, &mut Reader<'a>) -> Result<(), Error>,
) -> Result<(), Error> {
    if reader.peek()? != Kind::Object {
        return reader.skip();
    }
    reader.object()?;
    while let Some(name) = reader.key()? {
        read(&name, reader)?;
    }
    Ok(())
}

/// Skips a value and says whether it was something.
fn said(reader: &mut Reader<'_>) -> Result<bool, Error> {
    Ok(reader.raw()? != "null")
}

#[cfg(test)]
mod tests;
