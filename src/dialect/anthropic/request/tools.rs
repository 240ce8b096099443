//! Tools and the choice among them, for an Anthropic upstream.
//!
//! Invariant: there is never a choice without tools, nor a call in the history without its tool: both are refused.

use super::encode::write_cache;
use super::turns::Turn;
use crate::dialect::Target;
use crate::dialect::anthropic::generation::Generation;
use crate::ir::chat::{Part, Request, Tool, ToolChoice};
use crate::ir::loss::Loss;
use crate::wire::json::{Error, Object, Reader};

/// Writes `tools` and `tool_choice`.
pub(super) fn write(
    request: &Request<'_>,
    turns: &[Turn<'_>],
    target: &Target<'_>,
    body: &mut Object<'_>,
    loss: &mut Loss,
) {
    if request.tools.is_empty() {
        if matches!(request.tool_choice, Some(ToolChoice::Required | ToolChoice::Tool(_))) {
            loss.drop("tool_choice");
        }
        write_called_tools(turns, body);
        return;
    }
    let strict = Generation::of(target.model).has_schemas();
    body.array("tools", |tools| {
        for (at, tool) in request.tools.iter().enumerate() {
            tools.object(|object| write_tool(tool, strict, at, object, loss));
        }
    });
    let single = request.parallel_tool_calls == Some(false);
    let (kind, name) = match &request.tool_choice {
        None if !single => return,
        None | Some(ToolChoice::Auto) => ("auto", None),
        Some(ToolChoice::Required) => ("any", None),
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
    let pieces = turns.iter().flat_map(|turn| &turn.pieces);
    let mut names: Vec<_> = pieces
        .filter_map(|piece| match &*piece.part {
            Part::ToolCall(call) => Some(call.name.plain()),
            _ => None,
        })
        .collect();
    names.sort_unstable();
    names.dedup();
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

fn write_tool(tool: &Tool<'_>, strict: bool, at: usize, object: &mut Object<'_>, loss: &mut Loss) {
    object.text("name", &tool.name);
    if let Some(description) = &tool.description {
        object.text("description", description);
    }
    write_parameters(tool.parameters, object.member("input_schema"));
    if tool.strict == Some(true) {
        if strict {
            object.bool("strict", true);
        } else {
            loss.drop(format!("tools[{at}].function.strict"));
        }
    }
    write_cache(tool.cache, object);
}

/// Anthropic demands `"type":"object"`, which others leave out.
fn write_parameters(parameters: Option<&str>, out: &mut Vec<u8>) {
    let members = parameters.and_then(|json| json.trim().strip_prefix('{'));
    match (parameters, members) {
        (Some(json), Some(_)) if says_type(json) => out.extend_from_slice(json.as_bytes()),
        (_, Some(members)) if members.trim_start() != "}" => {
            out.extend_from_slice(br#"{"type":"object","#);
            out.extend_from_slice(members.as_bytes());
        }
        _ => out.extend_from_slice(br#"{"type":"object","properties":{}}"#),
    }
}

fn says_type(schema: &str) -> bool {
    let mut reader = Reader::new(schema);
    let mut found = false;
    let mut look = || {
        reader.object()?;
        while let Some(name) = reader.key()? {
            found |= name == "type";
            reader.skip()?;
        }
        Ok::<_, Error>(())
    };
    look().is_ok() && found
}
