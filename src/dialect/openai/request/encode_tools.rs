//! Tools and the choice among them, for an upstream.
//!
//! Invariant: imitators know functions and three words of choice; the rest is for OpenAI's own models, and said otherwise to
//! the others.

use crate::dialect::openai::generation::Generation;
use crate::dialect::openai_api::grammar::Grammar;
use crate::ir::chat::{CUSTOM_SCHEMA, Request, Tool, ToolChoice, ToolKind};
use crate::ir::loss::Loss;
use crate::wire::json::{Array, Object, Text};

/// Longest name of a tool that OpenAI takes.
pub(super) const MAX_NAME: usize = 64;

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
    let native = generation.has_newer_words();
    object.array("tools", |list| {
        for tool in &request.tools {
            if native || request.offers(tool) {
                write_tool(tool, native, list, loss);
            }
        }
    });
    choice(request, native, object);
    if !native && request.allows_none() {
        loss.drop("tool_choice");
    }
    match request.parallel_tool_calls {
        Some(parallel) if generation.has_parallel_calls() => {
            object.bool("parallel_tool_calls", parallel);
        }
        Some(false) => loss.drop("parallel_tool_calls"),
        _ => {}
    }
}

fn choice(request: &Request<'_>, native: bool, object: &mut Object<'_>) {
    let kind = |name: &Text<'_>| {
        let custom = |tool: &Tool<'_>| tool.name == *name && matches!(tool.kind, ToolKind::Custom(_));
        if native && request.tools.iter().any(custom) { "custom" } else { "function" }
    };
    match &request.tool_choice {
        None => {}
        Some(ToolChoice::Auto | ToolChoice::Allowed { required: false, .. }) if !native => {
            object.str("tool_choice", "auto");
        }
        Some(ToolChoice::Allowed { required: true, .. }) if !native => {
            object.str("tool_choice", "required");
        }
        Some(ToolChoice::Auto) => drop(object.str("tool_choice", "auto")),
        Some(ToolChoice::None) => drop(object.str("tool_choice", "none")),
        Some(ToolChoice::Required) => drop(object.str("tool_choice", "required")),
        Some(ToolChoice::Allowed { required, names }) => {
            object.object("tool_choice", |choice| {
                choice.str("type", "allowed_tools").object("allowed_tools", |allowed| {
                    allowed.str("mode", if *required { "required" } else { "auto" });
                    allowed.array("tools", |list| {
                        for name in names {
                            list.object(|tool| named(kind(name), name, tool));
                        }
                    });
                });
            });
        }
        Some(ToolChoice::Tool(name)) => {
            object.object("tool_choice", |choice| named(kind(name), name, choice));
        }
    }
}

/// `{"type":"function","function":{"name":…}}`
fn named(kind: &str, name: &Text<'_>, object: &mut Object<'_>) {
    object.str("type", kind).object(kind, |tool| {
        tool.text("name", name);
    });
}

fn write_tool(tool: &Tool<'_>, native: bool, list: &mut Array<'_>, loss: &mut Loss) {
    let parameters = match &tool.kind {
        ToolKind::Custom(format) if native => {
            return list_custom(tool, *format, list);
        }
        ToolKind::Custom(format) => {
            if format.is_some() {
                loss.drop(tool.path("custom.format"));
            }
            Some(CUSTOM_SCHEMA)
        }
        ToolKind::Function(parameters) => parameters.as_deref(),
    };
    list.object(|object| {
        object.str("type", "function").object("function", |function| {
            describe(tool, function);
            if let Some(parameters) = parameters {
                function.raw("parameters", parameters);
            }
            if let Some(strict) = tool.strict {
                function.bool("strict", strict);
            }
        });
    });
}

fn list_custom(tool: &Tool<'_>, format: Option<&str>, list: &mut Array<'_>) {
    list.object(|object| {
        object.str("type", "custom").object("custom", |custom| {
            describe(tool, custom);
            if let Some(grammar) = format.and_then(Grammar::of) {
                custom.object("format", |format| {
                    format.str("type", "grammar").object("grammar", |object| grammar.write(object));
                });
            }
        });
    });
}

fn describe(tool: &Tool<'_>, object: &mut Object<'_>) {
    object.text("name", &tool.name);
    if let Some(description) = &tool.description {
        object.text("description", description);
    }
}
