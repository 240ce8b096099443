//! Calls of tools in a client's messages.

use crate::dialect::openai::proofs;
use crate::dialect::openai::wire::{At, is_void, keep, optional_text, under};
use crate::ir::chat::{Part, ToolCall};
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
use crate::wire::json::{Kind, Reader, Text};
use std::borrow::Cow;

/// Reads `tool_calls`: those that are carried, each with its index.
pub(super) fn calls<'a>(
    reader: &mut Reader<'a>,
    at: u32,
    loss: &mut Loss,
) -> Result<Vec<(u32, Part<'a>)>, Malformed> {
    let mut calls = Vec::new();
    if reader.null().at("tool_calls")? {
        return Ok(calls);
    }
    reader.array().at("tool_calls")?;
    let mut number = 0;
    while reader.element().at("tool_calls")? {
        let mut others = Vec::new();
        let path = || format!("messages[{at}].tool_calls[{number}]");
        match call(reader, &mut others).map_err(|inner| under(&format!("tool_calls[{number}]"), inner))? {
            Some(call) => {
                calls.push((number, Part::ToolCall(call)));
                others.iter().for_each(|name| loss.drop(format!("{}.{name}", path())));
            }
            None => loss.drop(path()),
        }
        number += 1;
    }
    Ok(calls)
}

/// Passes over a member, and tells of it if it says anything.
fn skip(reader: &mut Reader<'_>, owner: &str, name: &str, others: &mut Vec<String>) -> Result<(), Malformed> {
    if !is_void(reader.raw().at(name)?) {
        keep(others, format!("{owner}{name}"));
    }
    Ok(())
}

/// A call, or none if it is neither of a function nor of a custom tool.
fn call<'a>(reader: &mut Reader<'a>, others: &mut Vec<String>) -> Result<Option<ToolCall<'a>>, Malformed> {
    let (mut id, mut kind, mut name, mut arguments) = (None, None, None, Cow::Borrowed(""));
    let mut proof = None;
    reader.object().at("")?;
    while let Some(key) = reader.key().at("")? {
        match &*key.plain() {
            "id" => id = Some(reader.string().at("id")?),
            "type" => kind = optional_text(reader, "type")?,
            "function" => {
                reader.object().at("function")?;
                while let Some(key) = reader.key().at("function")? {
                    match &*key.plain() {
                        "name" => name = Some(reader.string().at("function.name")?),
                        "arguments" if reader.peek().at("function.arguments")? == Kind::Object => {
                            arguments = reader.raw().at("function.arguments")?.into();
                        }
                        "arguments" => {
                            let text = optional_text(reader, "function.arguments")?;
                            arguments = text.map_or(Cow::Borrowed(""), |text| text.plain());
                        }
                        other => skip(reader, "function.", other, others)?,
                    }
                }
            }
            "custom" => {
                reader.object().at("custom")?;
                while let Some(key) = reader.key().at("custom")? {
                    match &*key.plain() {
                        "name" => name = Some(reader.string().at("custom.name")?),
                        "input" => arguments = reader.string().at("custom.input")?.plain(),
                        other => skip(reader, "custom.", other, others)?,
                    }
                }
            }
            "extra_content" => proof = proofs::of_call(reader).at("extra_content")?,
            // Clients that collect streams keep what orders the pieces.
            "index" => reader.skip().at("index")?,
            other => skip(reader, "", other, others)?,
        }
    }
    let custom = match kind.as_ref().map(Text::plain).as_deref() {
        None | Some("function") => false,
        Some("custom") => true,
        Some(_) => return Ok(None),
    };
    let missing = |path: &str| Malformed::at(path, "expected a string, and it is missing");
    let id = id.ok_or_else(|| missing("id"))?;
    let name = name.ok_or_else(|| missing(if custom { "custom.name" } else { "function.name" }))?;
    Ok(Some(ToolCall { id, name, arguments, custom, proof }))
}
