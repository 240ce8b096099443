//! Tools and the choice among them.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolConfiguration.html>
//!
//! Invariant: there is never a choice without tools, nor a call or a result in the history without tools: both are refused.

use super::blocks::CACHE_POINT;
use crate::dialect::bedrock::family::Family;
use crate::dialect::claude::schema::write_strict;
use crate::dialect::schema::write_parameters;
use crate::dialect::turns::{Turn, called};
use crate::ir::chat::{CUSTOM_SCHEMA, Part, Request, Tool, ToolChoice, ToolKind};
use crate::ir::loss::Loss;
use crate::wire::json::{Array, Object, Text};

/// Writes `toolConfig`.
pub(super) fn write(
    request: &Request<'_>,
    turns: &[Turn<'_>],
    family: Family,
    body: &mut Object<'_>,
    loss: &mut Loss,
) {
    let choice = request.tool_choice.as_ref();
    let has_history = turns
        .iter()
        .flat_map(|turn| &turn.pieces)
        .any(|piece| matches!(*piece.part, Part::ToolCall(_) | Part::ToolResult { .. }));
    if request.tools.is_empty() {
        if matches!(
            choice,
            Some(ToolChoice::Required | ToolChoice::Tool(_) | ToolChoice::Allowed { required: true, .. })
        ) {
            loss.drop("tool_choice");
        }
        if has_history {
            write_called(turns, body);
        }
        return;
    }
    if choice == Some(&ToolChoice::None) {
        if !has_history {
            // Nothing can be called that is not offered, and that is how the word is said here.
            return;
        }
        loss.drop("tool_choice");
    }
    let offered = |tool: &Tool<'_>| match choice {
        // Leaving the others out is what the word means.
        Some(ToolChoice::Allowed { names, .. }) => names.contains(&tool.name),
        Some(ToolChoice::Tool(name)) if !family.forces_by_name() => tool.name == *name,
        _ => true,
    };
    let offered: Vec<_> = request.tools.iter().filter(|tool| offered(tool)).collect();
    if offered.is_empty() {
        // An empty list is refused, and the choice is among tools that there are not.
        loss.drop("tool_choice");
        if has_history {
            write_called(turns, body);
        }
        return;
    }
    let single = single_choice(request, family);
    if request.parallel_tool_calls == Some(false) && single.is_none() {
        loss.drop("parallel_tool_calls");
    }
    body.object("toolConfig", |config| {
        config.array("tools", |tools| {
            for tool in offered {
                write_tool(tool, family, tools, loss);
            }
        });
        // Said twice, it is refused.
        if single.is_none() {
            write_choice(choice, family, config, loss);
        }
    });
}

/// The choice as Claude itself has it, where several calls at once are not wanted: Converse has no word for that.
pub(super) fn single_choice<'r>(
    request: &'r Request<'_>,
    family: Family,
) -> Option<(&'static str, Option<&'r Text<'r>>)> {
    if request.parallel_tool_calls != Some(false) || request.tools.is_empty() || !family.calls_singly() {
        return None;
    }
    match &request.tool_choice {
        Some(ToolChoice::None) => None,
        None | Some(ToolChoice::Auto | ToolChoice::Allowed { required: false, .. }) => Some(("auto", None)),
        Some(ToolChoice::Required | ToolChoice::Allowed { .. }) => Some(("any", None)),
        Some(ToolChoice::Tool(name)) => Some(("tool", Some(name))),
    }
}

fn write_choice(choice: Option<&ToolChoice<'_>>, family: Family, config: &mut Object<'_>, loss: &mut Loss) {
    match choice {
        // `auto` is the default.
        None | Some(ToolChoice::Auto | ToolChoice::None | ToolChoice::Allowed { required: false, .. }) => {}
        Some(ToolChoice::Tool(name)) if family.forces_by_name() => {
            config.object("toolChoice", |choice| {
                choice.object("tool", |tool| {
                    tool.text("name", name);
                });
            });
        }
        Some(_) if !family.forces() => loss.drop("tool_choice"),
        Some(ToolChoice::Required | ToolChoice::Tool(_) | ToolChoice::Allowed { .. }) => {
            config.raw("toolChoice", r#"{"any":{}}"#);
        }
    }
}

/// A history with calls or results is refused without definitions of tools: it gets bare ones of what was called.
fn write_called(turns: &[Turn<'_>], body: &mut Object<'_>) {
    let mut names = called(turns);
    if names.is_empty() {
        names.push("tool".into());
    }
    body.object("toolConfig", |config| {
        config.array("tools", |tools| {
            for name in &names {
                tools.object(|tool| {
                    tool.object("toolSpec", |spec| {
                        spec.str("name", name).raw("inputSchema", r#"{"json":{"type":"object"}}"#);
                    });
                });
            }
        });
    });
}

fn write_tool(tool: &Tool<'_>, family: Family, tools: &mut Array<'_>, loss: &mut Loss) {
    tools.object(|element| {
        element.object("toolSpec", |spec| {
            spec.text("name", &tool.name);
            if let Some(description) = tool.description.as_ref().filter(|text| !text.is_blank()) {
                spec.text("description", description);
            }
            let schema = match &tool.kind {
                ToolKind::Function(schema) => schema.as_deref(),
                ToolKind::Custom(grammar) => {
                    if grammar.is_some() {
                        loss.drop(tool.path("custom.format"));
                    }
                    Some(CUSTOM_SCHEMA)
                }
            };
            let asked = tool.strict == Some(true);
            let mut held = asked && family.has_schemas();
            spec.object("inputSchema", |object| {
                let out = object.member("json");
                if held && matches!(family, Family::Claude(_)) {
                    held = write_strict(schema, out);
                } else {
                    write_parameters(schema, out);
                }
            });
            if held {
                spec.bool("strict", true);
            } else if asked {
                loss.drop(tool.path("function.strict"));
            }
        });
    });
    if tool.cache && family.caches_tools() {
        tools.raw(CACHE_POINT);
    } else if tool.cache && family.caches() {
        loss.drop(tool.path("cache_control"));
    }
}
