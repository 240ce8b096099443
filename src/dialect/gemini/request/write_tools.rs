//! Tools and the choice among them, for a Gemini upstream. <https://ai.google.dev/gemini-api/docs/function-calling>
//!
//! Invariant: schemas go out as JSON Schema, never in OpenAPI's terms, which lack half of its words.

use crate::dialect::gemini::generation::Generation;
use crate::dialect::gemini::schema;
use crate::ir::chat::{CUSTOM_SCHEMA, Request, Tool, ToolChoice, ToolKind};
use crate::ir::loss::Loss;
use crate::wire::json::{Object, Text};

/// Writes `tools` and `toolConfig`.
pub(super) fn write(request: &Request<'_>, generation: Generation, body: &mut Object<'_>, loss: &mut Loss) {
    if request.tools.is_empty() {
        if !matches!(request.tool_choice, None | Some(ToolChoice::Auto | ToolChoice::None)) {
            loss.drop("tool_choice");
        }
        return;
    }
    // There is no word for a choice among some without the duty to call one: only these are offered then.
    let among = matches!(request.tool_choice, Some(ToolChoice::Allowed { required: false, .. }));
    let tools: Vec<_> = request.tools.iter().filter(|tool| !among || request.offers(tool)).collect();
    if among && request.allows_none() {
        loss.drop("tool_choice");
    }
    let mode = mode(request, generation, &tools, loss);
    body.array("tools", |list| {
        list.object(|object| {
            object.array("functionDeclarations", |functions| {
                for tool in tools {
                    functions.object(|function| write_tool(tool, function, loss));
                }
            });
        });
    });
    let Some((mode, names)) = mode else { return };
    body.object("toolConfig", |config| {
        config.object("functionCallingConfig", |calling| {
            calling.str("mode", mode);
            if !names.is_empty() {
                calling.array("allowedFunctionNames", |list| {
                    names.iter().for_each(|name| {
                        list.text(name);
                    });
                });
            }
        });
    });
}

/// The mode, and whom it names. Arguments fit their schemas wherever a call is forced; where it is not, that can be asked
/// for only of all tools together.
fn mode<'r>(
    request: &'r Request<'_>,
    generation: Generation,
    tools: &[&Tool<'_>],
    loss: &mut Loss,
) -> Option<(&'static str, &'r [Text<'r>])> {
    let strict = |tool: &Tool<'_>| tool.strict == Some(true);
    let (mode, names): (_, &[_]) = match &request.tool_choice {
        Some(ToolChoice::None) => return Some(("NONE", &[])),
        Some(ToolChoice::Required) => return Some(("ANY", &[])),
        Some(ToolChoice::Tool(name)) => return Some(("ANY", std::slice::from_ref(name))),
        Some(ToolChoice::Allowed { required: true, names }) => return Some(("ANY", names)),
        Some(ToolChoice::Auto) => (Some("AUTO"), &[]),
        Some(ToolChoice::Allowed { .. }) | None => (None, &[]),
    };
    if generation.validates_calls() && tools.iter().all(|tool| strict(tool)) {
        return Some(("VALIDATED", names));
    }
    for tool in tools.iter().filter(|tool| strict(tool)) {
        loss.drop(tool.path("function.strict"));
    }
    mode.map(|mode| (mode, names))
}

fn write_tool(tool: &Tool<'_>, object: &mut Object<'_>, loss: &mut Loss) {
    object.text("name", &tool.name);
    if let Some(description) = &tool.description {
        object.text("description", description);
    }
    match &tool.kind {
        ToolKind::Function(None) => {}
        ToolKind::Function(Some(schema)) if schema::is_void(schema) => {}
        ToolKind::Function(Some(schema)) => {
            let path = tool.path("function.parameters");
            schema::write(schema, &path, loss, object.member("parametersJsonSchema"));
        }
        ToolKind::Custom(grammar) => {
            if grammar.is_some() {
                loss.drop(tool.path("custom.format"));
            }
            object.raw("parametersJsonSchema", CUSTOM_SCHEMA);
        }
    }
}
