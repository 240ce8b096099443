//! Content blocks of a client's request.
//!
//! Invariant: a block, or a member of one, that the IR cannot hold is listed by its path.

use crate::config::Dialect;
use crate::dialect::marker;
use crate::dialect::members::{Members, Path, Value};
use crate::ir::Proof;
use crate::ir::chat::{Part, Source, ToolCall};
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
use crate::ir::place::{Content, Kept};
use crate::wire::json::{Kind, Reader, Text};

/// How content nests in the format: a message's blocks, a tool result's, a document's. Whatever nests deeper is none of
/// Anthropic's, and reading on would cost a pass over the body for every level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Level {
    Message,
    ToolResult,
    Document,
}

/// Content of a turn: a string, or a list of blocks.
pub(super) fn content<'a>(
    reader: &mut Reader<'a>,
    path: &Path<'_>,
    loss: &mut Loss,
) -> Result<Content<'a>, Malformed> {
    blocks(reader, Level::Message, path, loss)
}

fn blocks<'a>(
    reader: &mut Reader<'a>,
    level: Level,
    path: &Path<'_>,
    loss: &mut Loss,
) -> Result<Content<'a>, Malformed> {
    let fail = |error| path.fail(&error);
    let mut content = Content::default();
    match reader.peek().map_err(fail)? {
        Kind::String => content.push(0, Part::text(reader.string().map_err(fail)?)),
        Kind::Array => {
            let mut at = 0;
            reader.array().map_err(fail)?;
            while reader.element().map_err(fail)? {
                let path = path.index(at);
                let members = Members::read(reader).map_err(|error| path.fail(&error))?;
                block(members, level, (at, &path), &mut content, loss)?;
                at += 1;
            }
        }
        _ => return Err(path.malformed("expected a string or a list of blocks")),
    }
    Ok(content)
}

fn block<'a>(
    mut members: Members<'a>,
    level: Level,
    (at, path): (usize, &Path<'_>),
    content: &mut Content<'a>,
    loss: &mut Loss,
) -> Result<(), Malformed> {
    let kind = members.demand_text("type", path)?;
    let cache = cache(&mut members, path, loss);
    let part = match &*kind.plain() {
        "text" => Some(Part::Text { text: members.demand_text("text", path)?, cache }),
        "image" => {
            source(&mut members, path, loss)?.map(|source| Part::Image { source, detail: None, cache })
        }
        "document" if level < Level::Document => document(&mut members, cache, (at, path), content, loss)?,
        "tool_use" => {
            // Says that the model itself made the call, which every call of another dialect is.
            members.take("caller");
            let input = members.demand("input", path)?.object(&path.member("input"))?;
            let id = members.demand_text("id", path)?;
            let name = members.demand_text("name", path)?;
            let proof = proof_of_call(content);
            Some(Part::ToolCall(ToolCall { proof, ..ToolCall::function(id, name, input) }))
        }
        "tool_result" if level == Level::Message => {
            let (result, inner) = tool_result(&mut members, cache, path, loss)?;
            rest(&members, path, loss);
            content.push_result(at, result, inner);
            return Ok(());
        }
        "thinking" => Some(Part::Thinking {
            text: members.demand_text("thinking", path)?,
            // The gateway itself writes an empty one where nothing proves the thinking.
            proof: members
                .take_text("signature", path)?
                .and_then(|signature| Proof::open(Dialect::Anthropic, signature)),
        }),
        "redacted_thinking" => Proof::open(Dialect::Anthropic, members.demand_text("data", path)?)
            .map(|data| Part::RedactedThinking { data }),
        _ => None,
    };
    let Some(part) = part else {
        loss.drop(path.to_string());
        return Ok(());
    };
    if cache && matches!(part, Part::ToolCall(_) | Part::Thinking { .. } | Part::RedactedThinking { .. }) {
        loss.drop(path.member("cache_control").to_string());
    }
    rest(&members, path, loss);
    content.push(at, part);
    Ok(())
}

/// Lists the members that nobody took.
fn rest(members: &Members<'_>, path: &Path<'_>, loss: &mut Loss) {
    members.rest().for_each(|name| loss.drop(path.member(&name).to_string()));
}

/// Whether there is a cache marker. What it says besides is listed.
pub(super) fn cache(members: &mut Members<'_>, path: &Path<'_>, loss: &mut Loss) -> bool {
    let Some(marker) = members.take("cache_control") else { return false };
    if let Value::Raw(json) = marker {
        let path = path.member("cache_control");
        marker::beyond(json).iter().for_each(|name| loss.drop(path.member(name).to_string()));
    }
    true
}

/// What proves a call stands before it, as thinking without words: the format has no place in the call itself.
fn proof_of_call<'a>(content: &mut Content<'a>) -> Option<Proof<'a>> {
    let is_proof = |part: &mut Part<'a>| {
        matches!(part, Part::Thinking { text, proof: Some(proof) }
            if text.is_empty() && proof.home != Dialect::Anthropic)
    };
    match content.pop_if(is_proof)? {
        Part::Thinking { proof, .. } => proof,
        _ => None,
    }
}

/// `None` for a source that is still to be invented.
fn source<'a>(
    members: &mut Members<'a>,
    path: &Path<'_>,
    loss: &mut Loss,
) -> Result<Option<Source<'a>>, Malformed> {
    let path = path.member("source");
    let source = members.take("source").ok_or_else(|| path.malformed("missing"))?;
    let mut source = Members::of(source.object(&path)?).map_err(|error| path.fail(&error))?;
    let found = match &*source.demand_text("type", &path)?.plain() {
        "base64" => Source::Base64 {
            media_type: source.demand_text("media_type", &path)?,
            data: source.demand_text("data", &path)?,
        },
        "url" => Source::Url(source.demand_text("url", &path)?),
        "file" => {
            let value = source.demand_text("file_id", &path)?;
            Source::File(Proof { home: Dialect::Anthropic, value })
        }
        "text" => {
            // There is only plain text.
            source.take("media_type");
            Source::Text(source.demand_text("data", &path)?)
        }
        _ => return Ok(None),
    };
    rest(&source, &path, loss);
    Ok(Some(found))
}

/// A document that is made of blocks is these blocks: no other dialect has such.
fn document<'a>(
    members: &mut Members<'a>,
    cache: bool,
    (position, path): (usize, &Path<'_>),
    content: &mut Content<'a>,
    loss: &mut Loss,
) -> Result<Option<Part<'a>>, Malformed> {
    if members.clone().take_members("citations").is_some_and(|citations| citations.rest().next().is_none()) {
        members.take("citations");
    }
    let at = path.member("source");
    let mut within =
        members.clone().take_members("source").ok_or_else(|| at.malformed("expected an object"))?;
    match &*within.demand_text("type", &at)?.plain() {
        "content" => {
            members.take("source");
            let at = at.member("content");
            match within.take("content") {
                Some(Value::Text(text)) => Ok(Some(Part::Text { text, cache })),
                Some(Value::Raw(json)) => {
                    let mut inner = blocks(&mut Reader::new(json), Level::Document, &at, loss)?;
                    rest(&within, &path.member("source"), loss);
                    let mut last = inner.parts.pop();
                    if let Some(Part::Text { cache: marked, .. } | Part::Image { cache: marked, .. }) =
                        &mut last
                    {
                        *marked |= cache;
                    }
                    inner.parts.into_iter().for_each(|part| content.push(position, part));
                    Ok(last)
                }
                None => Err(at.malformed("missing")),
            }
        }
        _ => {
            let source = source(members, path, loss)?;
            let name = members.take_text("title", path)?.filter(|_| source.is_some());
            Ok(source.map(|source| Part::Document { source, name, cache }))
        }
    }
}

fn tool_result<'a>(
    members: &mut Members<'a>,
    cache: bool,
    path: &Path<'_>,
    loss: &mut Loss,
) -> Result<(Part<'a>, Kept), Malformed> {
    let id: Text<'a> = members.demand_text("tool_use_id", path)?;
    let at = path.member("content");
    let read = match members.take("content") {
        None => Content::default(),
        Some(Value::Text(text)) => {
            let mut content = Content::default();
            content.push(0, Part::text(text));
            content
        }
        Some(Value::Raw(json)) => blocks(&mut Reader::new(json), Level::ToolResult, &at, loss)?,
    };
    // What a tool returns is text and files; the rest of the vocabulary makes no sense in there.
    let mut content = Content::default();
    for (index, part) in read.parts.into_iter().enumerate() {
        let position = usize::try_from(read.kept.get(index)).unwrap_or(usize::MAX);
        if matches!(part, Part::Text { .. } | Part::Image { .. } | Part::Document { .. }) {
            content.push(position, part);
        } else {
            loss.drop(at.index(position).to_string());
        }
    }
    let is_error =
        members.take("is_error").map(|value| value.boolean(&path.member("is_error"))).transpose()?;
    let is_error = is_error.unwrap_or(false);
    Ok((Part::ToolResult { id, content: content.parts, is_error, cache }, content.kept))
}
