//! The IR's tools and tool choice.

use super::encode_items::knows_breakpoints;
use crate::dialect::openai_api::generation::Generation;
use crate::dialect::openai_api::grammar::Grammar;
use crate::ir::chat::{Request, Tool, ToolChoice, ToolKind};
use crate::ir::loss::Loss;
use crate::wire::json::{Array, Object, Text};

/// Writes `tools`, `tool_choice` and `parallel_tool_calls`.
pub(super) fn write(request: &Request<'_>, generation: Generation, object: &mut Object<'_>, loss: &mut Loss) {
    if request.tools.is_empty() {
        // The API refuses a choice among no tools; without tools only a demand for one says anything.
        if matches!(
            request.tool_choice,
            Some(ToolChoice::Required | ToolChoice::Tool(_) | ToolChoice::Allowed { required: true, .. })
        ) {
            loss.drop("tool_choice");
        }
        return;
    }
    if knows_breakpoints(generation) {
        let marked = request.tools.iter().filter(|tool| tool.cache);
        marked.for_each(|tool| loss.drop(tool.path("cache_control")));
    }
    object.array("tools", |list| {
        for tool in &request.tools {
            list.object(|object| write_tool(tool, object));
        }
    });
    let kind = |name: &Text<'_>| {
        let custom = |tool: &Tool<'_>| tool.name == *name && matches!(tool.kind, ToolKind::Custom(_));
        if request.tools.iter().any(custom) { "custom" } else { "function" }
    };
    match &request.tool_choice {
        None => {}
        Some(ToolChoice::Auto) => drop(object.str("tool_choice", "auto")),
        Some(ToolChoice::None) => drop(object.str("tool_choice", "none")),
        Some(ToolChoice::Required) => drop(object.str("tool_choice", "required")),
        Some(ToolChoice::Tool(name)) => {
            object.object("tool_choice", |choice| {
                choice.str("type", kind(name)).text("name", name);
            });
        }
        Some(ToolChoice::Allowed { required, names }) => {
            object.object("tool_choice", |choice| {
                choice.str("type", "allowed_tools").str("mode", if *required { "required" } else { "auto" });
                choice.array("tools", |list: &mut Array<'_>| {
                    for name in names {
                        list.object(|tool| {
                            tool.str("type", kind(name)).text("name", name);
                        });
                    }
                });
            });
        }
    }
    match request.parallel_tool_calls {
        Some(parallel) if generation.has_parallel_calls() => {
            object.bool("parallel_tool_calls", parallel);
        }
        Some(false) => loss.drop("parallel_tool_calls"),
        _ => {}
    }
}

fn write_tool(tool: &Tool<'_>, object: &mut Object<'_>) {
    let custom = matches!(tool.kind, ToolKind::Custom(_));
    object.str("type", if custom { "custom" } else { "function" }).text("name", &tool.name);
    if let Some(description) = &tool.description {
        object.text("description", description);
    }
    match &tool.kind {
        ToolKind::Custom(None) => {}
        // Chat's clients put the grammar into an object of its own, which is refused here.
        ToolKind::Custom(Some(format)) => match Grammar::nested(format) {
            Some(grammar) => {
                object.object("format", |format| grammar.write(format.str("type", "grammar")));
            }
            None => drop(object.raw("format", format)),
        },
        ToolKind::Function(schema) => {
            // Whoever says nothing of arguments means none; to be held to that, it must be said.
            const NOTHING: &str = r#"{"type":"object","properties":{},"additionalProperties":false}"#;
            object.raw("parameters", schema.as_deref().unwrap_or(NOTHING));
            // Here silence would mean yes, and nowhere else does it.
            object.bool("strict", tool.strict.unwrap_or(false));
        }
    }
}
