//! A client's request. <https://ai.google.dev/api/generate-content>, <https://ai.google.dev/api/tokens>
//!
//! Invariant: a wrong type is named with its path in the client's terms; a member that the IR cannot hold is listed.

use super::config;
use super::content::{Contents, system};
use super::tools;
use crate::config::Operation;
use crate::dialect::Ask;
use crate::dialect::gemini::names::canonical;
use crate::dialect::members::{Path, Value};
use crate::ir::chat::Request;
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
use crate::wire::json::Reader;

/// Reads a request to generate, or to count what one comes to.
pub(in crate::dialect::gemini) fn decode<'a>(
    ask: &Ask<'a>,
    body: &'a str,
    loss: &mut Loss,
) -> Result<Request<'a>, Malformed> {
    let mut reader = Reader::new(body);
    let counts = ask.endpoint.operation() == Operation::Count;
    let mut request = generate(&mut reader, None, counts, loss)?;
    reader.end().map_err(|error| Malformed::at("body", error))?;
    request.stream = ask.stream;
    Ok(request)
}

/// The member of a body, or of the request within it.
const fn child<'p>(parent: Option<&'p Path<'p>>, name: &'p str) -> Path<'p> {
    match parent {
        Some(parent) => parent.member(name),
        None => Path::root(name),
    }
}

fn generate<'a>(
    reader: &mut Reader<'a>,
    parent: Option<&Path<'_>>,
    counts: bool,
    loss: &mut Loss,
) -> Result<Request<'a>, Malformed> {
    let whole = Path::root("body");
    let own = |error| parent.unwrap_or(&whole).fail(&error);
    let mut request = Request::default();
    let mut contents = None;
    let mut system_turn = None;
    let mut tool_config = None;
    reader.object().map_err(own)?;
    while let Some(key) = reader.key().map_err(own)? {
        let name = canonical(key.plain());
        let path = child(parent, &name);
        let fail = |error| path.fail(&error);
        if reader.null().map_err(fail)? {
            continue;
        }
        match &*name {
            "contents" => contents = Some(Contents::default().read(reader, &path, loss)?),
            "systemInstruction" => system_turn = Some(system(reader, &path, loss)?),
            "generateContentRequest" if counts && parent.is_none() => {
                request = generate(reader, Some(&path), counts, loss)?;
            }
            "tools" => request.tools = tools::read(reader, &path, loss)?,
            "toolConfig" => tool_config = Value::read(reader).map_err(fail)?,
            "generationConfig" => {
                if let Some(value) = Value::read(reader).map_err(fail)? {
                    config::read(value, &path, &mut request, loss)?;
                }
            }
            // The path names it.
            "model" => reader.skip().map_err(fail)?,
            _ => {
                if Value::read(reader).map_err(fail)?.is_some_and(|value| !value.is_nothing()) {
                    loss.drop(path.to_string());
                }
            }
        }
    }
    if let Some(value) = tool_config {
        tools::choice(value, &child(parent, "toolConfig"), &mut request, loss)?;
    }
    match contents {
        Some(contents) if request.messages.is_empty() => request.messages = contents,
        Some(_) => return Err(child(parent, "contents").malformed("excludes generateContentRequest")),
        None if request.messages.is_empty() => {
            return Err(child(parent, "contents").malformed("missing"));
        }
        None => {}
    }
    if let Some(message) = system_turn {
        request.messages.insert(0, message);
    }
    Ok(request)
}
