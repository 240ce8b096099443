//! Tools of a client's request, and the choice among them. <https://ai.google.dev/api/caching#Tool>
//!
//! Invariant: tools that Google runs itself are listed as lost; nobody else has them.

use super::config::{json_schema, texts};
use super::content::rest;
use crate::dialect::gemini::names;
use crate::dialect::gemini::proto::Elements;
use crate::dialect::members::{Members, Path, Value};
use crate::ir::chat::{Request, Tool, ToolChoice, ToolKind};
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
use crate::wire::json::{Kind, Reader};
use std::borrow::Cow;

/// Reads `tools`.
pub(super) fn read<'a>(
    reader: &mut Reader<'a>,
    path: &Path<'_>,
    loss: &mut Loss,
) -> Result<Vec<Tool<'a>>, Malformed> {
    let fail = |error| path.fail(&error);
    let mut tools = Vec::new();
    let mut at = 0;
    let mut elements = Elements::of(reader, Kind::Object).map_err(fail)?;
    while elements.next(reader).map_err(fail)? {
        let path = elements.path(path, at);
        let number = u32::try_from(at).unwrap_or(u32::MAX);
        at += 1;
        let mut tool = names::read(reader).map_err(|error| path.fail(&error))?;
        if let Some(value) = tool.take("functionDeclarations") {
            functions(value, number, &path.member("functionDeclarations"), &mut tools, loss)?;
        }
        // An empty object is how most of Google's own tools are asked for.
        tool.names().for_each(|name| loss.drop(path.member(&name).to_string()));
    }
    Ok(tools)
}

fn functions<'a>(
    value: Value<'a>,
    of: u32,
    path: &Path<'_>,
    tools: &mut Vec<Tool<'a>>,
    loss: &mut Loss,
) -> Result<(), Malformed> {
    let fail = |error| path.fail(&error);
    let Value::Raw(json) = value else { return Err(path.malformed("expected an array")) };
    let mut reader = Reader::new(json);
    let mut at = 0;
    let mut elements = Elements::of(&mut reader, Kind::Object).map_err(fail)?;
    while elements.next(&mut reader).map_err(fail)? {
        let path = elements.path(path, at);
        let number = u32::try_from(at).ok();
        at += 1;
        let members = names::read(&mut reader).map_err(|error| path.fail(&error))?;
        tools.push(Tool { at: (of, number), ..function(members, &path, loss)? });
    }
    Ok(())
}

fn function<'a>(mut members: Members<'a>, path: &Path<'_>, loss: &mut Loss) -> Result<Tool<'a>, Malformed> {
    let schema = match (members.take("parametersJsonSchema"), members.take("parameters")) {
        (Some(_), Some(_)) => {
            return Err(path.member("parametersJsonSchema").malformed("excludes parameters"));
        }
        (Some(value), None) => Some(Cow::Borrowed(value.object(&path.member("parametersJsonSchema"))?)),
        (None, Some(value)) => Some(json_schema(value, &path.member("parameters"))?),
        (None, None) => None,
    };
    let name = members.demand_text("name", path)?;
    let description = members.take_text("description", path)?;
    // What a tool returns binds the client, not the model; Google's own client writes it unasked. It is no loss.
    for returned in ["response", "responseJsonSchema"] {
        members.take(returned);
    }
    rest(&members, path, loss);
    Ok(Tool {
        name,
        description,
        kind: ToolKind::Function(schema),
        strict: None,
        cache: false,
        at: (0, None),
    })
}

/// Reads `toolConfig`.
pub(super) fn choice<'a>(
    value: Value<'a>,
    path: &Path<'_>,
    request: &mut Request<'a>,
    loss: &mut Loss,
) -> Result<(), Malformed> {
    let mut config = names::of(value.object(path)?).map_err(|error| path.fail(&error))?;
    if let Some(value) = config.take("functionCallingConfig") {
        let path = path.member("functionCallingConfig");
        let mut calling = names::of(value.object(&path)?).map_err(|error| path.fail(&error))?;
        let mode = calling.take_text("mode", &path)?;
        let mode = mode.map(|mode| mode.plain().to_ascii_uppercase()).unwrap_or_default();
        let names = match calling.take("allowedFunctionNames") {
            Some(value) => texts(value, &path.member("allowedFunctionNames"))?,
            None => Vec::new(),
        };
        rest(&calling, &path, loss);
        request.tool_choice = match &*mode {
            "" | "MODE_UNSPECIFIED" | "AUTO" | "VALIDATED" => {
                if mode == "VALIDATED" {
                    loss.drop(path.member("mode").to_string());
                }
                match names.is_empty() {
                    true if mode == "AUTO" || mode == "VALIDATED" => Some(ToolChoice::Auto),
                    true => None,
                    false => Some(ToolChoice::Allowed { required: false, names }),
                }
            }
            "ANY" => Some(match <[_; 1]>::try_from(names) {
                Ok([name]) => ToolChoice::Tool(name),
                Err(names) if names.is_empty() => ToolChoice::Required,
                Err(names) => ToolChoice::Allowed { required: true, names },
            }),
            "NONE" => Some(ToolChoice::None),
            _ => return Err(path.member("mode").malformed("expected AUTO, ANY, NONE or VALIDATED")),
        };
    }
    rest(&config, path, loss);
    Ok(())
}
