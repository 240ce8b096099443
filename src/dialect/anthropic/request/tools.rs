//! Tools and the choice among them, for an Anthropic upstream.
//!
//! Invariant: there is never a choice without tools, nor a call in the history without its tool: both are refused.

use super::encode::write_cache;
use crate::dialect::Target;
use crate::dialect::claude::Generation;
use crate::dialect::claude::schema::write_strict;
use crate::dialect::schema::write_parameters;
use crate::dialect::turns::{Turn, called};
use crate::ir::chat::{CUSTOM_SCHEMA, Request, Tool, ToolChoice, ToolKind};
use crate::ir::loss::Loss;
use crate::wire::json::Object;

/// Longest name of a tool.
pub(super) const MAX_NAME: usize = 128;

/// Writes `tools` and `tool_choice`.
pub(super) fn write(
    request: &Request<'_>,
    turns: &[Turn<'_>],
    target: &Target<'_>,
    body: &mut Object<'_>,
    loss: &mut Loss,
) {
    if request.tools.is_empty() {
        if matches!(
            request.tool_choice,
            Some(ToolChoice::Required | ToolChoice::Tool(_) | ToolChoice::Allowed { required: true, .. })
        ) {
            loss.drop("tool_choice");
        }
        write_called_tools(turns, body);
        return;
    }
    let strict = Generation::of(target.model).has_schemas();
    body.array("tools", |tools| {
        for tool in request.tools.iter().filter(|tool| request.offers(tool)) {
            tools.object(|object| write_tool(tool, strict, object, loss));
        }
    });
    if request.allows_none() {
        loss.drop("tool_choice");
    }
    let single = request.parallel_tool_calls == Some(false);
    let (kind, name) = match &request.tool_choice {
        None if !single => return,
        None | Some(ToolChoice::Auto) => ("auto", None),
        Some(ToolChoice::Required | ToolChoice::Allowed { required: true, .. }) => ("any", None),
        Some(ToolChoice::Allowed { .. }) => ("auto", None),
        Some(ToolChoice::Tool(name)) => ("tool", Some(name)),
        Some(ToolChoice::None) => ("none", None),
    };
    body.object("tool_choice", |choice| {
        choice.str("type", kind);
        if let Some(name) = name {
            choice.text("name", name);
        }
        if single && kind != "none" {
            choice.bool("disable_parallel_tool_use", true);
        }
    });
}

/// A history with calls is refused without definitions of what was called: it gets bare ones, and no leave to call.
fn write_called_tools(turns: &[Turn<'_>], body: &mut Object<'_>) {
    let names = called(turns);
    if names.is_empty() {
        return;
    }
    body.array("tools", |tools| {
        for name in &names {
            tools.object(|tool| {
                tool.str("name", name).raw("input_schema", r#"{"type":"object"}"#);
            });
        }
    });
    body.raw("tool_choice", r#"{"type":"none"}"#);
}

fn write_tool(tool: &Tool<'_>, strict: bool, object: &mut Object<'_>, loss: &mut Loss) {
    object.text("name", &tool.name);
    if let Some(description) = &tool.description {
        object.text("description", description);
    }
    let schema = match &tool.kind {
        ToolKind::Function(schema) => schema.as_deref(),
        ToolKind::Custom(format) => {
            if format.is_some() {
                loss.drop(tool.path("custom.format"));
            }
            Some(CUSTOM_SCHEMA)
        }
    };
    let out = object.member("input_schema");
    let asked = tool.strict == Some(true);
    let held = if asked && strict {
        write_strict(schema, out)
    } else {
        write_parameters(schema, out);
        false
    };
    if held {
        object.bool("strict", true);
    } else if asked {
        loss.drop(tool.path("function.strict"));
    }
    write_cache(tool.cache, object);
}
