//! A client's tools and tool choice.

use crate::dialect::value::{
    At, is_one_of, is_void, keep, optional_bool, optional_text, text_or_skip, under,
};
use crate::ir::chat::{Tool, ToolChoice, ToolKind};
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
use crate::wire::json::{Kind, Reader, Text};
use std::borrow::Cow;

/// `tools`: functions and custom tools; hosted ones are losses.
pub(super) fn decode<'a>(reader: &mut Reader<'a>, loss: &mut Loss) -> Result<Vec<Tool<'a>>, Malformed> {
    let mut tools = Vec::new();
    if reader.null().at("tools")? {
        return Ok(tools);
    }
    reader.array().at("tools")?;
    let mut at = 0;
    while reader.element().at("tools")? {
        let read = tool(reader, at, loss).map_err(|inner| under(&format!("tools[{at}]"), inner))?;
        match read {
            Some(tool) => tools.push(tool),
            None => loss.drop(format!("tools[{at}]")),
        }
        at += 1;
    }
    Ok(tools)
}

/// A tool's members, while its type may be still unknown.
#[derive(Default)]
struct Raw<'a> {
    kind: Option<Text<'a>>,
    name: Option<Text<'a>>,
    description: Option<Text<'a>>,
    parameters: Option<&'a str>,
    strict: Option<&'a str>,
    format: Option<&'a str>,
    others: Vec<Cow<'a, str>>,
}

fn tool<'a>(reader: &mut Reader<'a>, at: u32, loss: &mut Loss) -> Result<Option<Tool<'a>>, Malformed> {
    let mut raw = Raw::default();
    reader.object().at("")?;
    while let Some(key) = reader.key().at("")? {
        let name = key.plain();
        match &*name {
            "type" => raw.kind = Some(reader.string().at("type")?),
            "name" => raw.name = text_or_skip(reader).at("name")?,
            "description" => raw.description = text_or_skip(reader).at("description")?,
            "parameters" => raw.parameters = Some(reader.raw().at("parameters")?),
            "strict" => raw.strict = Some(reader.raw().at("strict")?),
            "format" => raw.format = Some(reader.raw().at("format")?),
            _ => {
                let value = reader.raw().at(&name)?;
                let usual = name == "allowed_callers" && is_one_of(value, &["[\"direct\"]"]);
                if !is_void(value) && !usual {
                    keep(&mut raw.others, name);
                }
            }
        }
    }
    let kind = raw.kind.as_ref().map(Text::plain);
    let kind = match kind.as_deref() {
        Some("function") => ToolKind::Function(object(raw.parameters, "parameters")?.map(Into::into)),
        Some("custom") => ToolKind::Custom(
            object(raw.format, "format")?.filter(|format| !is_one_of(format, &["{\"type\":\"text\"}"])),
        ),
        Some(_) => return Ok(None),
        None => return Err(Malformed::at("type", "expected a string, and it is missing")),
    };
    let strict = match raw.strict {
        Some(json) => optional_bool(&mut Reader::new(json), "strict")?,
        None => None,
    };
    let name = raw.name.ok_or_else(|| Malformed::at("name", "expected a string, and it is missing"))?;
    // Members of tools of the other type.
    let custom = matches!(kind, ToolKind::Custom(_));
    let strange = [
        ("parameters", custom && raw.parameters.is_some_and(|json| !is_void(json))),
        ("strict", custom && strict == Some(true)),
        ("format", !custom && raw.format.is_some_and(|json| !is_void(json))),
    ];
    let strange = strange.into_iter().filter(|(_, held)| *held).map(|(name, _)| Cow::Borrowed(name));
    for other in strange.chain(raw.others) {
        loss.drop(format!("tools[{at}].{other}"));
    }
    Ok(Some(Tool { name, description: raw.description, kind, strict, cache: false, at: (at, None) }))
}

/// An object or `null`.
fn object<'a>(json: Option<&'a str>, path: &str) -> Result<Option<&'a str>, Malformed> {
    match json {
        None | Some("null") => Ok(None),
        Some(json) if json.starts_with('{') => Ok(Some(json)),
        Some(_) => Err(Malformed::at(path, "expected an object")),
    }
}

/// `tool_choice`: a word, a tool, or the allowed ones; hosted tools are losses.
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
            "required" => Ok(Some(ToolChoice::Required)),
            _ => Err(Malformed::at(PATH, "expected none, auto, required or an object")),
        },
        Kind::Object => {
            let (mut kind, mut name, mut mode, mut names) = (None, None, None, Vec::new());
            reader.object().at(PATH)?;
            while let Some(key) = reader.key().at(PATH)? {
                match &*key.plain() {
                    "type" => kind = Some(reader.string().at("tool_choice.type")?),
                    "name" => name = optional_text(reader, "tool_choice.name")?,
                    "mode" => mode = optional_text(reader, "tool_choice.mode")?,
                    "tools" => names = allowed(reader, loss)?,
                    other => {
                        if !is_void(reader.raw().at(PATH)?) {
                            loss.drop(format!("{PATH}.{other}"));
                        }
                    }
                }
            }
            match kind.as_ref().map(Text::plain).as_deref() {
                Some("function" | "custom") => match name {
                    Some(name) => Ok(Some(ToolChoice::Tool(name))),
                    None => Err(Malformed::at("tool_choice.name", "expected a string, and it is missing")),
                },
                Some("allowed_tools") => {
                    let required = mode.is_some_and(|mode| mode == "required");
                    Ok(Some(ToolChoice::Allowed { required, names }))
                }
                Some(_) => {
                    loss.drop(PATH);
                    Ok(None)
                }
                None => Err(Malformed::at("tool_choice.type", "expected a string, and it is missing")),
            }
        }
        _ => Err(Malformed::at(PATH, "expected a string or an object")),
    }
}

fn allowed<'a>(reader: &mut Reader<'a>, loss: &mut Loss) -> Result<Vec<Text<'a>>, Malformed> {
    const PATH: &str = "tool_choice.tools";
    let mut names = Vec::new();
    reader.array().at(PATH)?;
    let mut at = 0;
    while reader.element().at(PATH)? {
        let (mut kind, mut name, mut others) = (None, None, Vec::new());
        reader.object().at(PATH)?;
        while let Some(key) = reader.key().at(PATH)? {
            match &*key.plain() {
                "type" => kind = text_or_skip(reader).at(PATH)?,
                "name" => name = text_or_skip(reader).at(PATH)?,
                other => {
                    if !is_void(reader.raw().at(PATH)?) {
                        keep(&mut others, other.to_owned());
                    }
                }
            }
        }
        let ours = kind.is_some_and(|kind| kind == "function" || kind == "custom");
        match name {
            Some(name) if ours => {
                names.push(name);
                others.iter().for_each(|other| loss.drop(format!("{PATH}[{at}].{other}")));
            }
            _ => loss.drop(format!("{PATH}[{at}]")),
        }
        at += 1;
    }
    Ok(names)
}
