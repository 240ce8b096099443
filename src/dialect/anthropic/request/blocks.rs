//! Content blocks of a client's request.
//!
//! Invariant: a block, or a member of one, that the IR cannot hold is listed by its path.

use crate::config::Dialect;
use crate::dialect::members::{Members, Path, Value};
use crate::ir::Proof;
use crate::ir::chat::{Part, Source, ToolCall};
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
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
) -> Result<Vec<Part<'a>>, Malformed> {
    blocks(reader, Level::Message, path, loss)
}

fn blocks<'a>(
    reader: &mut Reader<'a>,
    level: Level,
    path: &Path<'_>,
    loss: &mut Loss,
) -> Result<Vec<Part<'a>>, Malformed> {
    let fail = |error| path.fail(&error);
    let mut parts = Vec::new();
    match reader.peek().map_err(fail)? {
        Kind::String => parts.push(Part::text(reader.string().map_err(fail)?)),
        Kind::Array => {
            let mut at = 0;
            reader.array().map_err(fail)?;
            while reader.element().map_err(fail)? {
                let path = path.index(at);
                let members = Members::read(reader).map_err(|error| path.fail(&error))?;
                block(members, level, &path, &mut parts, loss)?;
                at += 1;
            }
        }
        _ => return Err(path.malformed("expected a string or a list of blocks")),
    }
    Ok(parts)
}

fn block<'a>(
    mut members: Members<'a>,
    level: Level,
    path: &Path<'_>,
    parts: &mut Vec<Part<'a>>,
    loss: &mut Loss,
) -> Result<(), Malformed> {
    let kind = members.demand_text("type", path)?;
    let cache = members.take("cache_control").is_some();
    let part = match &*kind.plain() {
        "text" => Some(Part::Text { text: members.demand_text("text", path)?, cache }),
        "image" => source(&mut members, path)?.map(|source| Part::Image { source, detail: None, cache }),
        "document" if level < Level::Document => document(&mut members, cache, path, parts, loss)?,
        "tool_use" => {
            // Says that the model itself made the call, which every call of another dialect is.
            members.take("caller");
            let input = members.demand("input", path)?.object(&path.member("input"))?;
            let id = members.demand_text("id", path)?;
            let name = members.demand_text("name", path)?;
            let proof = proof_of_call(parts);
            Some(Part::ToolCall(ToolCall { proof, ..ToolCall::function(id, name, input) }))
        }
        "tool_result" if level == Level::Message => Some(tool_result(&mut members, cache, path, loss)?),
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
    members.rest().for_each(|name| loss.drop(path.member(&name).to_string()));
    parts.push(part);
    Ok(())
}

/// What proves a call stands before it, as thinking without words: the format has no place in the call itself.
fn proof_of_call<'a>(parts: &mut Vec<Part<'a>>) -> Option<Proof<'a>> {
    let is_proof = |part: &mut Part<'a>| {
        matches!(part, Part::Thinking { text, proof: Some(proof) }
            if text.is_empty() && proof.home != Dialect::Anthropic)
    };
    match parts.pop_if(is_proof)? {
        Part::Thinking { proof, .. } => proof,
        _ => None,
    }
}

/// `None` for a source that is still to be invented.
fn source<'a>(members: &mut Members<'a>, path: &Path<'_>) -> Result<Option<Source<'a>>, Malformed> {
    let path = path.member("source");
    let source = members.take("source").ok_or_else(|| path.malformed("missing"))?;
    let mut source = Members::of(source.object(&path)?).map_err(|error| path.fail(&error))?;
    match &*source.demand_text("type", &path)?.plain() {
        "base64" => Ok(Some(Source::Base64 {
            media_type: source.demand_text("media_type", &path)?,
            data: source.demand_text("data", &path)?,
        })),
        "url" => Ok(Some(Source::Url(source.demand_text("url", &path)?))),
        "file" => {
            let value = source.demand_text("file_id", &path)?;
            Ok(Some(Source::File(Proof { home: Dialect::Anthropic, value })))
        }
        "text" => Ok(Some(Source::Text(source.demand_text("data", &path)?))),
        _ => Ok(None),
    }
}

/// A document that is made of blocks is these blocks: no other dialect has such.
fn document<'a>(
    members: &mut Members<'a>,
    cache: bool,
    path: &Path<'_>,
    parts: &mut Vec<Part<'a>>,
    loss: &mut Loss,
) -> Result<Option<Part<'a>>, Malformed> {
    if members.clone().take_members("citations").is_some_and(|citations| citations.rest().next().is_none()) {
        members.take("citations");
    }
    let at = path.member("source");
    let mut inner =
        members.clone().take_members("source").ok_or_else(|| at.malformed("expected an object"))?;
    match &*inner.demand_text("type", &at)?.plain() {
        "content" => {
            members.take("source");
            let at = at.member("content");
            match inner.take("content") {
                Some(Value::Text(text)) => Ok(Some(Part::Text { text, cache })),
                Some(Value::Raw(json)) => {
                    let mut inner = blocks(&mut Reader::new(json), Level::Document, &at, loss)?;
                    let mut last = inner.pop();
                    if let Some(Part::Text { cache: marked, .. } | Part::Image { cache: marked, .. }) =
                        &mut last
                    {
                        *marked |= cache;
                    }
                    parts.append(&mut inner);
                    Ok(last)
                }
                None => Err(at.malformed("missing")),
            }
        }
        _ => {
            let source = source(members, path)?;
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
) -> Result<Part<'a>, Malformed> {
    let id: Text<'a> = members.demand_text("tool_use_id", path)?;
    let at = path.member("content");
    let mut parts = match members.take("content") {
        None => Vec::new(),
        Some(Value::Text(text)) => vec![Part::text(text)],
        Some(Value::Raw(json)) => blocks(&mut Reader::new(json), Level::ToolResult, &at, loss)?,
    };
    // What a tool returns is text and files; the rest of the vocabulary makes no sense in there.
    let mut position = 0;
    parts.retain(|part| {
        let fits = matches!(part, Part::Text { .. } | Part::Image { .. } | Part::Document { .. });
        if !fits {
            loss.drop(at.index(position).to_string());
        }
        position += 1;
        fits
    });
    let is_error =
        members.take("is_error").map(|value| value.boolean(&path.member("is_error"))).transpose()?;
    Ok(Part::ToolResult { id, content: parts, is_error: is_error.unwrap_or(false), cache })
}
