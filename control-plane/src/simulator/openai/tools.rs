//! A Chat Completions request's tools, and which of them the model may or must call.

use super::{at_most, messages, schema};
use crate::simulator::answer::Refusal;
use crate::simulator::shape::Object;
use crate::simulator::tokens;
use crate::simulator::turn::{Choice, Tool};
use serde_json::json;

/// The declared tools.
pub(crate) fn declared(root: &Object<'_>) -> Result<Vec<Tool>, Refusal> {
    let Some(node) = root.get("tools") else { return Ok(Vec::new()) };
    let list = node.list()?;
    if list.is_empty() {
        let text = "Invalid 'tools': empty array. Expected an array with minimum length 1, but got an empty array instead.";
        return Err(node.rule_code(text, "empty_array").into());
    }
    at_most(&node, list.len(), 128)?;
    let mut tools = Vec::new();
    for tool in list {
        let members = tool.lenient()?;
        members.only(&["type", "function"])?;
        members.need("type")?.choice(&["function"])?;
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
        tools.push(Tool { name: name.to_owned(), schema });
    }
    Ok(tools)
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
    members.only(&["type", "function"])?;
    members.need("type")?.choice(&["function"])?;
    let function = members.need("function")?.lenient()?;
    function.only(&["name"])?;
    let name = function.need("name")?.text()?;
    if !declared.iter().any(|tool| tool.name == name) {
        let text = format!("Tool choice 'function' not found in 'tools' parameter: '{name}'.");
        return Err(node.rule(text).into());
    }
    Ok(Choice::Named(name.to_owned()))
}

/// What a tool's declaration costs.
pub(crate) fn cost(tool: &Tool) -> u64 {
    tokens::count(&tool.name) + tokens::count(&tool.schema.to_string()) + tokens::PER_MESSAGE
}
