//! A client's tools and tool choice.

use crate::dialect::openai::wire::{At, is_void, optional_bool, optional_text, text_or_skip, under};
use crate::ir::chat::{Tool, ToolChoice};
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
use crate::wire::json::{Kind, Reader, Text};

/// `tools`: functions; tools of another type are losses.
pub(super) fn tools<'a>(reader: &mut Reader<'a>, loss: &mut Loss) -> Result<Vec<Tool<'a>>, Malformed> {
    let mut tools = Vec::new();
    if reader.null().at("tools")? {
        return Ok(tools);
    }
    reader.array().at("tools")?;
    let mut at = 0;
    while reader.element().at("tools")? {
        let read = tool(reader).map_err(|inner| under(&format!("tools[{at}]"), inner))?;
        match read {
            Some(tool) => tools.push(tool),
            None => loss.drop(format!("tools[{at}]")),
        }
        at += 1;
    }
    Ok(tools)
}

fn tool<'a>(reader: &mut Reader<'a>) -> Result<Option<Tool<'a>>, Malformed> {
    let mut kind = None;
    let mut cache = false;
    let mut tool = None;
    reader.object().at("")?;
    while let Some(key) = reader.key().at("")? {
        match &*key.plain() {
            "type" => kind = Some(reader.string().at("type")?),
            "function" if reader.peek().at("function")? == Kind::Object => tool = Some(function(reader)?),
            "cache_control" => cache = !is_void(reader.raw().at("cache_control")?),
            _ => reader.skip().at("")?,
        }
    }
    if kind.is_some_and(|kind| kind != "function") {
        return Ok(None);
    }
    let mut tool = tool.ok_or_else(|| Malformed::at("function", "expected an object"))?;
    tool.cache |= cache;
    Ok(Some(tool))
}

fn function<'a>(reader: &mut Reader<'a>) -> Result<Tool<'a>, Malformed> {
    let mut name = None;
    let (mut description, mut parameters, mut strict, mut cache) = (None, None, None, false);
    reader.object().at("function")?;
    while let Some(key) = reader.key().at("function")? {
        match &*key.plain() {
            "name" => name = Some(reader.string().at("function.name")?),
            "description" => description = optional_text(reader, "function.description")?,
            "parameters" => match reader.peek().at("function.parameters")? {
                Kind::Null => reader.skip().at("function.parameters")?,
                Kind::Object => parameters = Some(reader.raw().at("function.parameters")?),
                _ => return Err(Malformed::at("function.parameters", "expected an object")),
            },
            "strict" => strict = optional_bool(reader, "function.strict")?,
            "cache_control" => cache = !is_void(reader.raw().at("function.cache_control")?),
            _ => reader.skip().at("function")?,
        }
    }
    let name = name.ok_or_else(|| Malformed::at("function.name", "expected a string, and it is missing"))?;
    Ok(Tool { name, description, parameters, strict, cache })
}

/// `tool_choice`: a word or a function; lists of allowed tools and choices of other types are losses.
pub(super) fn choice<'a>(
    reader: &mut Reader<'a>,
    loss: &mut Loss,
) -> Result<Option<ToolChoice<'a>>, Malformed> {
    const PATH: &str = "tool_choice";
    match reader.peek().at(PATH)? {
        Kind::Null => reader.skip().at(PATH).map(|()| None),
        Kind::String => match &*reader.string().at(PATH)?.plain() {
            "auto" => Ok(Some(ToolChoice::Auto)),
            "none" => Ok(Some(ToolChoice::None)),
            // `any` is Mistral's word.
            "required" | "any" => Ok(Some(ToolChoice::Required)),
            _ => Err(Malformed::at(PATH, "expected none, auto, required or an object")),
        },
        Kind::Object => {
            let mut kind = None;
            let mut name = None;
            reader.object().at(PATH)?;
            while let Some(key) = reader.key().at(PATH)? {
                match &*key.plain() {
                    "type" => kind = text_or_skip(reader).at(PATH)?,
                    "function" if reader.peek().at(PATH)? == Kind::Object => name = chosen(reader)?,
                    _ => reader.skip().at(PATH)?,
                }
            }
            if kind.is_some_and(|kind| kind != "function") {
                loss.drop(PATH);
                return Ok(None);
            }
            let name = name.ok_or_else(|| Malformed::at("tool_choice.function.name", "expected a string"))?;
            Ok(Some(ToolChoice::Tool(name)))
        }
        _ => Err(Malformed::at(PATH, "expected a string or an object")),
    }
}

fn chosen<'a>(reader: &mut Reader<'a>) -> Result<Option<Text<'a>>, Malformed> {
    const PATH: &str = "tool_choice.function";
    let mut name = None;
    reader.object().at(PATH)?;
    while let Some(key) = reader.key().at(PATH)? {
        if key == "name" {
            name = text_or_skip(reader).at(PATH)?;
        } else {
            reader.skip().at(PATH)?;
        }
    }
    Ok(name)
}
