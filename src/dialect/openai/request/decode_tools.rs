//! A client's tools and tool choice.

use crate::dialect::marker;
use crate::dialect::openai::wire::{
    At, is_void, keep, object_or_skip, optional_bool, optional_text, text_or_skip, under,
};
use crate::dialect::openai_api::grammar::Grammar;
use crate::ir::chat::{Tool, ToolChoice, ToolKind};
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
use crate::wire::json::{Kind, Reader, Text};

/// `tools`: functions and custom tools; tools of another type are losses.
pub(super) fn tools<'a>(reader: &mut Reader<'a>, loss: &mut Loss) -> Result<Vec<Tool<'a>>, Malformed> {
    let mut tools = Vec::new();
    if reader.null().at("tools")? {
        return Ok(tools);
    }
    reader.array().at("tools")?;
    let mut at = 0;
    while reader.element().at("tools")? {
        let mut others = Others::default();
        let read = tool(reader, &mut others).map_err(|inner| under(&format!("tools[{at}]"), inner))?;
        match read {
            Some(tool) => {
                tools.push(Tool { at: (at, None), ..tool });
                others.tell(&format!("tools[{at}]"), loss);
            }
            None => loss.drop(format!("tools[{at}]")),
        }
        at += 1;
    }
    Ok(tools)
}

/// Members of one object that are not carried.
#[derive(Default)]
struct Others(Vec<String>);

impl Others {
    fn add(&mut self, owner: &str, name: &str) {
        keep(&mut self.0, format!("{owner}{name}"));
    }

    /// Passes over a member, and keeps its name if it says anything.
    fn skip(&mut self, reader: &mut Reader<'_>, owner: &str, name: &str) -> Result<(), Malformed> {
        if !is_void(reader.raw().at(name)?) {
            self.add(owner, name);
        }
        Ok(())
    }

    /// Reads a cache marker.
    fn marker(&mut self, reader: &mut Reader<'_>, owner: &str) -> Result<bool, Malformed> {
        let marker = reader.raw().at("cache_control")?;
        for beyond in marker::beyond(marker) {
            self.add(&format!("{owner}cache_control."), &beyond);
        }
        Ok(!is_void(marker))
    }

    fn tell(&self, path: &str, loss: &mut Loss) {
        self.0.iter().for_each(|name| loss.drop(format!("{path}.{name}")));
    }
}

fn tool<'a>(reader: &mut Reader<'a>, others: &mut Others) -> Result<Option<Tool<'a>>, Malformed> {
    let mut kind = None;
    let mut cache = false;
    let (mut tool, mut custom_tool) = (None, None);
    reader.object().at("")?;
    while let Some(key) = reader.key().at("")? {
        match &*key.plain() {
            "type" => kind = Some(reader.string().at("type")?),
            "function" if reader.peek().at("function")? == Kind::Object => {
                tool = Some(function(reader, others)?)
            }
            "custom" if reader.peek().at("custom")? == Kind::Object => {
                custom_tool = Some(custom(reader, others)?)
            }
            "cache_control" => cache = others.marker(reader, "")?,
            other => others.skip(reader, "", other)?,
        }
    }
    let member = match kind.as_ref().map(Text::plain).as_deref() {
        None | Some("function") => "function",
        Some("custom") => "custom",
        Some(_) => return Ok(None),
    };
    if tool.is_some() && custom_tool.is_some() {
        others.add("", if member == "custom" { "function" } else { "custom" });
    }
    let tool = if member == "custom" { custom_tool } else { tool };
    let mut tool = tool.ok_or_else(|| Malformed::at(member, "expected an object"))?;
    tool.cache |= cache;
    Ok(Some(tool))
}

fn custom<'a>(reader: &mut Reader<'a>, others: &mut Others) -> Result<Tool<'a>, Malformed> {
    let (mut name, mut description, mut format) = (None, None, None);
    reader.object().at("custom")?;
    while let Some(key) = reader.key().at("custom")? {
        match &*key.plain() {
            "name" => name = Some(reader.string().at("custom.name")?),
            "description" => description = optional_text(reader, "custom.description")?,
            "format" => match reader.peek().at("custom.format")? {
                Kind::Null => reader.skip().at("custom.format")?,
                Kind::Object => format = Some(reader.raw().at("custom.format")?),
                _ => return Err(Malformed::at("custom.format", "expected an object")),
            },
            other => others.skip(reader, "custom.", other)?,
        }
    }
    let name = name.ok_or_else(|| Malformed::at("custom.name", "expected a string, and it is missing"))?;
    // Any text is what a tool takes that says nothing.
    let format = format.filter(|format| Grammar::of(format).is_some());
    Ok(Tool { name, description, kind: ToolKind::Custom(format), strict: None, cache: false, at: (0, None) })
}

fn function<'a>(reader: &mut Reader<'a>, others: &mut Others) -> Result<Tool<'a>, Malformed> {
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
            "cache_control" => cache = others.marker(reader, "function.")?,
            other => others.skip(reader, "function.", other)?,
        }
    }
    let name = name.ok_or_else(|| Malformed::at("function.name", "expected a string, and it is missing"))?;
    let kind = ToolKind::Function(parameters.map(Into::into));
    Ok(Tool { name, description, kind, strict, cache, at: (0, None) })
}

/// `tool_choice`: a word, a tool, or the allowed ones; choices of other types are losses.
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
            let (mut kind, mut name, mut allowed_tools) = (None, None, None);
            let mut others = Others::default();
            reader.object().at(PATH)?;
            while let Some(key) = reader.key().at(PATH)? {
                match &*key.plain() {
                    "type" => kind = text_or_skip(reader).at(PATH)?,
                    "function" | "custom" if reader.peek().at(PATH)? == Kind::Object => {
                        name = chosen(reader, &format!("{}.", key.plain()), &mut others)?;
                    }
                    "allowed_tools" if reader.peek().at(PATH)? == Kind::Object => {
                        allowed_tools = Some(allowed(reader, loss)?);
                    }
                    other => others.skip(reader, "", other)?,
                }
            }
            others.tell(PATH, loss);
            match kind.as_ref().map(Text::plain).as_deref() {
                None | Some("function" | "custom") => {
                    let name =
                        name.ok_or_else(|| Malformed::at("tool_choice.function.name", "expected a string"))?;
                    Ok(Some(ToolChoice::Tool(name)))
                }
                Some("allowed_tools") if allowed_tools.as_ref().is_some_and(names_some) => Ok(allowed_tools),
                Some(_) => {
                    loss.drop(PATH);
                    Ok(None)
                }
            }
        }
        _ => Err(Malformed::at(PATH, "expected a string or an object")),
    }
}

/// The tools that may be called. Those that are hosted at OpenAI are losses.
fn allowed<'a>(reader: &mut Reader<'a>, loss: &mut Loss) -> Result<ToolChoice<'a>, Malformed> {
    const PATH: &str = "tool_choice.allowed_tools";
    let (mut required, mut names) = (false, Vec::new());
    reader.object().at(PATH)?;
    while let Some(key) = reader.key().at(PATH)? {
        match &*key.plain() {
            "mode" => required = reader.string().at("tool_choice.allowed_tools.mode")? == "required",
            "tools" => {
                let mut at = 0;
                reader.array().at("tool_choice.allowed_tools.tools")?;
                while reader.element().at(PATH)? {
                    let mut others = Others::default();
                    match named(reader, &mut others)? {
                        Some(name) => {
                            names.push(name);
                            others.tell(&format!("{PATH}.tools[{at}]"), loss);
                        }
                        None => loss.drop(format!("{PATH}.tools[{at}]")),
                    }
                    at += 1;
                }
            }
            other => {
                if !is_void(reader.raw().at(PATH)?) {
                    loss.drop(format!("{PATH}.{other}"));
                }
            }
        }
    }
    Ok(ToolChoice::Allowed { required, names })
}

/// A list of hosted tools alone leaves nothing that another dialect could allow.
fn names_some(choice: &ToolChoice<'_>) -> bool {
    matches!(choice, ToolChoice::Allowed { names, .. } if !names.is_empty())
}

/// The name of a function or custom tool.
fn named<'a>(reader: &mut Reader<'a>, others: &mut Others) -> Result<Option<Text<'a>>, Malformed> {
    const PATH: &str = "tool_choice.allowed_tools";
    let mut name = None;
    if object_or_skip(reader).at(PATH)? {
        while let Some(key) = reader.key().at(PATH)? {
            match &*key.plain() {
                "type" => reader.skip().at(PATH)?,
                "function" | "custom" if reader.peek().at(PATH)? == Kind::Object => {
                    name = chosen(reader, &format!("{}.", key.plain()), others)?;
                }
                other => others.skip(reader, "", other)?,
            }
        }
    }
    Ok(name)
}

fn chosen<'a>(
    reader: &mut Reader<'a>,
    owner: &str,
    others: &mut Others,
) -> Result<Option<Text<'a>>, Malformed> {
    const PATH: &str = "tool_choice.function";
    let mut name = None;
    reader.object().at(PATH)?;
    while let Some(key) = reader.key().at(PATH)? {
        if key == "name" {
            name = text_or_skip(reader).at(PATH)?;
        } else {
            others.skip(reader, owner, &key.plain())?;
        }
    }
    Ok(name)
}
