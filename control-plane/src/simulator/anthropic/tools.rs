//! A Messages request's tools, and which of them the model may or must call.

use super::marker;
use super::messages::Meter;
use super::validate::closed;
use crate::simulator::shape::{Checked, Node, Object, is_identifier};
use crate::simulator::tokens;
use crate::simulator::turn::{Choice, Tool};

const CUSTOM: &[&str] = &[
    "type",
    "name",
    "description",
    "input_schema",
    "cache_control",
    "strict",
    "input_examples",
    "eager_input_streaming",
    "defer_loading",
    "allowed_callers",
];

/// The declared tools. Those that the vendor runs itself are known by name only, and never called.
pub(crate) fn declared(root: &Object<'_>, meter: &mut Meter) -> Checked<Vec<Tool>> {
    let Some(node) = root.get("tools") else { return Ok(Vec::new()) };
    let mut tools: Vec<Tool> = Vec::new();
    for tool in node.list()? {
        let members = tool.object()?;
        let kind = members.nullable("type").map(|node| node.text()).transpose()?.unwrap_or("custom");
        let name = members.need("name")?;
        if !is_identifier(name.text()?, 128) {
            return Err(name.rule("String should match pattern '^[a-zA-Z0-9_-]{1,128}$'"));
        }
        if tools.iter().any(|known| known.name == name.text().unwrap_or_default()) {
            return Err(node.rule("Tool names must be unique."));
        }
        let marked = members.get("cache_control").map_or(Ok(false), |node| marker(&node))?;
        let name = name.text()?.to_owned();
        if kind == "custom" {
            let schema = schema(&members)?;
            if members.flag("strict", false)? {
                closed(&tool, schema.value)?;
            }
            let described = members.text("description")?.unwrap_or_default();
            let cost =
                tokens::count(&name) + tokens::count(described) + tokens::count(&schema.value.to_string());
            meter.add(cost + tokens::PER_MESSAGE, marked);
            tools.push(Tool { name, schema: schema.value.clone() });
        } else if is_dated(kind) {
            meter.add(tokens::PER_IMAGE, marked);
        } else {
            let text =
                format!("Input tag '{kind}' found using 'type' does not match any of the expected tags");
            return Err(tool.rule(text));
        }
    }
    Ok(tools)
}

fn schema<'a>(members: &Object<'a>) -> Checked<Node<'a>> {
    members.only(CUSTOM)?;
    let schema = members.need("input_schema")?;
    let inside = schema.object()?;
    inside.need("type")?.choice(&["object"])?;
    if let Some(properties) = inside.nullable("properties") {
        properties.object()?;
    }
    if let Some(required) = inside.nullable("required") {
        for name in required.list()? {
            name.text()?;
        }
    }
    Ok(schema)
}

/// Tools of the vendor's own are versioned by date: `web_search_20250305`.
fn is_dated(kind: &str) -> bool {
    kind.rsplit_once('_').is_some_and(|(name, date)| {
        !name.is_empty() && date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// `tool_choice`: how tools may be called, and whether several at once.
pub(crate) fn choice(root: &Object<'_>, declared: &[Tool], thinking: bool) -> Checked<(Choice, bool)> {
    let Some(node) = root.get("tool_choice") else { return Ok((Choice::Auto, true)) };
    let members = node.object()?;
    let kind = members.need("type")?.choice(&["auto", "any", "tool", "none"])?;
    let known: &[&str] = match kind {
        "tool" => &["type", "name", "disable_parallel_tool_use"],
        "none" => &["type"],
        _ => &["type", "disable_parallel_tool_use"],
    };
    members.only(known)?;
    if root.get("tools").is_none() {
        return Err(node.rule("tool_choice may only be specified while providing tools."));
    }
    let parallel = !members.flag("disable_parallel_tool_use", false)?;
    let choice = match kind {
        "auto" => Choice::Auto,
        "none" => Choice::None,
        "any" => Choice::Any,
        _ => {
            let name = members.need("name")?.text()?;
            if !declared.iter().any(|tool| tool.name == name) {
                return Err(node.rule(format!("Tool '{name}' not found in provided tools")));
            }
            Choice::Named(name.to_owned())
        }
    };
    if thinking && matches!(choice, Choice::Any | Choice::Named(_)) {
        return Err(node.rule("Thinking may not be enabled when tool_choice forces tool use."));
    }
    Ok((choice, parallel))
}
