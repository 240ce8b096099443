//! A Chat Completions request's tools, and which of them the model may or must call.

use super::{at_most, messages, schema};
use crate::simulator::answer::Refusal;
use crate::simulator::shape::{Checked, Node, Object};
use crate::simulator::tokens;
use crate::simulator::turn::{Choice, Tool};
use serde_json::json;

/// The tools of a request.
#[derive(Debug, Default)]
pub(crate) struct Declared {
    /// What the model may call.
    pub(crate) tools: Vec<Tool>,
    /// Of these, the names of the ones that take plain text.
    pub(crate) custom: Vec<String>,
}

/// The declared tools.
pub(crate) fn declared(root: &Object<'_>) -> Result<Declared, Refusal> {
    let mut declared = Declared::default();
    let Some(node) = root.get("tools") else { return Ok(declared) };
    let list = node.list()?;
    if list.is_empty() {
        let text = "Invalid 'tools': empty array. Expected an array with minimum length 1, but got an empty array instead.";
        return Err(node.rule_code(text, "empty_array").into());
    }
    at_most(&node, list.len(), 128)?;
    for tool in list {
        let members = tool.lenient()?;
        if members.need("type")?.choice(&["function", "custom"])? == "custom" {
            members.only(&["type", "custom"])?;
            let name = custom(&members.need("custom")?.lenient()?)?;
            declared.custom.push(name.to_owned());
            declared.tools.push(Tool { name: name.to_owned(), schema: json!({"type": "string"}) });
            continue;
        }
        members.only(&["type", "function"])?;
        let function = members.need("function")?.lenient()?;
        function.only(&["name", "description", "parameters", "strict"])?;
        let name = messages::function_name(&function.need("name")?)?;
        function.text("description")?;
        let strict = function.flag("strict", false)?;
        let parameters = function.get("parameters");
        if let Some(parameters) = &parameters {
            schema::function(parameters, name, strict)?;
        }
        let schema =
            parameters.map_or_else(|| json!({"type": "object"}), |parameters| parameters.value.clone());
        declared.tools.push(Tool { name: name.to_owned(), schema });
    }
    Ok(declared)
}

/// A tool that takes plain text, and may say of which form.
fn custom<'a>(members: &Object<'a>) -> Checked<&'a str> {
    members.only(&["name", "description", "format"])?;
    let name = messages::function_name(&members.need("name")?)?;
    members.text("description")?;
    if let Some(format) = members.get("format") {
        let format = format.lenient()?;
        if format.need("type")?.choice(&["text", "grammar"])? == "grammar" {
            format.only(&["type", "grammar"])?;
            let grammar = format.need("grammar")?.lenient()?;
            grammar.only(&["definition", "syntax"])?;
            grammar.need("definition")?.text()?;
            grammar.need("syntax")?.choice(&["lark", "regex"])?;
        } else {
            format.only(&["type"])?;
        }
    }
    Ok(name)
}

/// `tool_choice`.
pub(crate) fn choice(root: &Object<'_>, declared: &[Tool]) -> Result<Choice, Refusal> {
    let Some(node) = root.get("tool_choice") else { return Ok(Choice::Auto) };
    if declared.is_empty() {
        let text =
            "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.";
        return Err(node.rule(text).into());
    }
    if node.value.is_string() {
        return Ok(match node.choice(&["none", "auto", "required"])? {
            "none" => Choice::None,
            "required" => Choice::Any,
            _ => Choice::Auto,
        });
    }
    let members = node.lenient()?;
    match members.need("type")?.choice(&["function", "custom", "allowed_tools"])? {
        "allowed_tools" => {
            members.only(&["type", "allowed_tools"])?;
            let allowed = members.need("allowed_tools")?.lenient()?;
            allowed.only(&["mode", "tools"])?;
            let required = allowed.need("mode")?.choice(&["auto", "required"])? == "required";
            let list = allowed.need("tools")?.list()?;
            let names = list.iter().map(|tool| named(tool, declared)).collect::<Result<_, _>>()?;
            Ok(Choice::Among { names, required })
        }
        _ => Ok(Choice::Named(named(&node, declared)?)),
    }
}

/// The declared tool that a choice names.
fn named(node: &Node<'_>, declared: &[Tool]) -> Result<String, Refusal> {
    let members = node.lenient()?;
    let kind = members.need("type")?.choice(&["function", "custom"])?;
    members.only(&["type", kind])?;
    let tool = members.need(kind)?.lenient()?;
    tool.only(&["name"])?;
    let name = tool.need("name")?.text()?;
    if !declared.iter().any(|tool| tool.name == name) {
        let text = format!("Tool choice '{kind}' not found in 'tools' parameter: '{name}'.");
        return Err(node.rule(text).into());
    }
    Ok(name.to_owned())
}

/// What a tool's declaration costs.
pub(crate) fn cost(tool: &Tool) -> u64 {
    tokens::count(&tool.name) + tokens::count(&tool.schema.to_string()) + tokens::PER_MESSAGE
}
