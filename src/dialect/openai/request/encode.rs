//! The IR to an upstream's chat request.
//!
//! Invariant: only members that the imitators of this dialect accept too, in their oldest form, unless the model's name
//! says that it is one of OpenAI's own that insists on the newer form.

use super::encode_turns;
use crate::dialect::Target;
use crate::dialect::openai::generation::Generation;
use crate::dialect::openai::stream::hashed;
use crate::ir::chat::{Effort, Format, Reasoning, Request, Tool, ToolChoice};
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
use crate::wire::json::{Array, Object, Text};
use std::borrow::Cow;

/// Most stop sequences that the API takes.
const MAX_STOP: usize = 4;

/// Longest name of an end user that the API takes.
const MAX_USER: usize = 64;

/// Appends a request.
pub(in crate::dialect::openai) fn encode(
    request: &Request<'_>,
    target: &Target<'_>,
    loss: &mut Loss,
    out: &mut Vec<u8>,
) -> Result<(), Malformed> {
    if request.messages.is_empty() {
        return Err(Malformed::at("messages", "expected at least one message"));
    }
    let generation = Generation::of(target.model);
    let mut object = Object::new(out);
    object.str("model", target.model);
    object.array("messages", |list| {
        for message in &request.messages {
            encode_turns::write(list, message, generation.has_newer_words(), loss);
        }
    });
    tools(request, generation, &mut object, loss);
    limit(request, target, generation, &mut object, loss);
    sampling(request, generation, &mut object, loss);
    reasoning(request.reasoning, generation, &mut object, loss);
    if let Some(wanted) = &request.format {
        object.object("response_format", |object| format(wanted, object));
    }
    if let Some(user) = &request.user {
        object.text("user", &shortened(user, MAX_USER, "user_"));
    }
    if request.stream {
        object.bool("stream", true);
        if target.stream_usage {
            object.object("stream_options", |options| {
                options.bool("include_usage", true);
            });
        }
    }
    Ok(())
}

/// A name that stays the same from turn to turn, within the length that the API takes.
pub(super) fn shortened<'t>(text: &'t Text<'_>, longest: usize, prefix: &str) -> Cow<'t, Text<'t>> {
    if text.held_len() <= longest {
        return Cow::Borrowed(text);
    }
    let plain = text.plain();
    if plain.len() <= longest { Cow::Borrowed(text) } else { Cow::Owned(hashed(prefix, &plain).into()) }
}

fn tools(request: &Request<'_>, generation: Generation, object: &mut Object<'_>, loss: &mut Loss) {
    if request.tools.is_empty() {
        // The API refuses a choice among no tools; without tools only a demand for one says anything.
        if matches!(request.tool_choice, Some(ToolChoice::Required | ToolChoice::Tool(_))) {
            loss.drop("tool_choice");
        }
        return;
    }
    object.array("tools", |list| {
        for (at, tool) in request.tools.iter().enumerate() {
            if tool.cache {
                loss.drop(format!("tools[{at}].cache_control"));
            }
            write_tool(tool, list);
        }
    });
    match &request.tool_choice {
        None => {}
        Some(ToolChoice::Auto) => drop(object.str("tool_choice", "auto")),
        Some(ToolChoice::None) => drop(object.str("tool_choice", "none")),
        Some(ToolChoice::Required) => drop(object.str("tool_choice", "required")),
        Some(ToolChoice::Tool(name)) => {
            object.object("tool_choice", |choice| {
                choice.str("type", "function").object("function", |function| {
                    function.text("name", name);
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

fn write_tool(tool: &Tool<'_>, list: &mut Array<'_>) {
    list.object(|object| {
        object.str("type", "function").object("function", |function| {
            function.text("name", &tool.name);
            if let Some(description) = &tool.description {
                function.text("description", description);
            }
            if let Some(parameters) = tool.parameters {
                function.raw("parameters", parameters);
            }
            if let Some(strict) = tool.strict {
                function.bool("strict", strict);
            }
        });
    });
}

fn limit(
    request: &Request<'_>,
    target: &Target<'_>,
    generation: Generation,
    object: &mut Object<'_>,
    loss: &mut Loss,
) {
    let Some(asked) = request.sampling.max_tokens else { return };
    let limit = asked.min(target.max_output_tokens.unwrap_or(u64::MAX));
    if limit < asked {
        loss.drop("max_tokens");
    }
    object.int(if generation.has_newer_words() { "max_completion_tokens" } else { "max_tokens" }, limit);
}

fn sampling(request: &Request<'_>, generation: Generation, object: &mut Object<'_>, loss: &mut Loss) {
    let sampling = &request.sampling;
    let sampled = generation.may_be_sampled(request.reasoning);
    for (name, value, usual) in [
        ("temperature", sampling.temperature, 1.0),
        ("top_p", sampling.top_p, 1.0),
        ("frequency_penalty", sampling.frequency_penalty, 0.0),
        ("presence_penalty", sampling.presence_penalty, 0.0),
    ] {
        match value {
            Some(number) if sampled => drop(object.raw(name, number)),
            Some(number) if number.parse() != Ok(usual) => loss.drop(name),
            _ => {}
        }
    }
    if let Some(number) = sampling.seed {
        object.raw("seed", number);
    }
    if sampling.top_k.is_some() {
        loss.drop("top_k");
    }
    if !sampling.stop.is_empty() && !generation.may_be_stopped() {
        loss.drop("stop");
    } else if !sampling.stop.is_empty() {
        if sampling.stop.len() > MAX_STOP {
            loss.drop(format!("stop[{MAX_STOP}]"));
        }
        object.array("stop", |list| {
            for sequence in sampling.stop.iter().take(MAX_STOP) {
                list.text(sequence);
            }
        });
    }
    if let Some(n) = sampling.n.filter(|n| *n != 1) {
        object.int("n", n);
    }
}

/// A budget becomes the word nearest to it. The words `none` and `xhigh` are known to few models, and the others refuse
/// them: the request is served at the nearest word that all know, and the difference is said.
fn reasoning(reasoning: Option<Reasoning>, generation: Generation, object: &mut Object<'_>, loss: &mut Loss) {
    let effort = match reasoning {
        None | Some(Reasoning::Adaptive) => return,
        Some(Reasoning::Off) if generation.may_rest() => {
            object.str("reasoning_effort", "none");
            return;
        }
        Some(Reasoning::Off) if !generation.may_reason() => return,
        Some(_) if !generation.may_reason() => return loss.drop("reasoning_effort"),
        Some(Reasoning::Off) => return loss.drop("reasoning_effort"),
        Some(Reasoning::Effort(effort)) => effort,
        Some(Reasoning::Budget(tokens)) => Effort::for_budget(tokens),
    };
    if effort == Effort::Max {
        loss.drop("reasoning_effort");
    }
    let word = match effort {
        Effort::Minimal => "minimal",
        Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High | Effort::Max => "high",
    };
    object.str("reasoning_effort", word);
}

fn format(format: &Format<'_>, object: &mut Object<'_>) {
    match format {
        Format::JsonObject => {
            object.str("type", "json_object");
        }
        Format::JsonSchema { name, description, schema, strict } => {
            object.str("type", "json_schema").object("json_schema", |object| {
                match name {
                    Some(name) => object.text("name", name),
                    None => object.str("name", "reply"),
                };
                if let Some(description) = description {
                    object.text("description", description);
                }
                object.raw("schema", schema);
                if let Some(strict) = strict {
                    object.bool("strict", *strict);
                }
            });
        }
    }
}
