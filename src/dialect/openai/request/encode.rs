//! The IR to an upstream's chat request.
//!
//! Invariant: only members that the imitators of this dialect accept too, in their oldest form, unless the model's name
//! says that it is one of OpenAI's own that insists on the newer form.

use super::encode_turns;
use crate::dialect::Target;
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
    let reasoner = is_openai_reasoner(target.model);
    let mut object = Object::new(out);
    object.str("model", target.model);
    object.array("messages", |list| {
        for message in &request.messages {
            encode_turns::write(list, message, reasoner, loss);
        }
    });
    tools(request, &mut object, loss);
    sampling(request, reasoner, &mut object, loss);
    reasoning(request.reasoning, &mut object, loss);
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

/// Whether a model is one of those for which OpenAI refuses `max_tokens` and renames the system role: the o series and
/// GPT from 5 on. No other vendor knows `max_completion_tokens` for certain, and all know `max_tokens`.
fn is_openai_reasoner(model: &str) -> bool {
    let name = model.rsplit('/').next().unwrap_or(model);
    if let Some(version) = name.strip_prefix("gpt-") {
        let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
        return digits.parse::<u32>().is_ok_and(|version| version >= 5);
    }
    let mut chars = name.chars();
    chars.next() == Some('o') && chars.next().is_some_and(|next| next.is_ascii_digit())
}

/// A name that stays the same from turn to turn, within the length that the API takes.
pub(super) fn shortened<'t>(text: &'t Text<'_>, longest: usize, prefix: &str) -> Cow<'t, Text<'t>> {
    if text.held_len() <= longest {
        return Cow::Borrowed(text);
    }
    let plain = text.plain();
    if plain.len() <= longest { Cow::Borrowed(text) } else { Cow::Owned(hashed(prefix, &plain).into()) }
}

fn tools(request: &Request<'_>, object: &mut Object<'_>, loss: &mut Loss) {
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
    if let Some(parallel) = request.parallel_tool_calls {
        object.bool("parallel_tool_calls", parallel);
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

fn sampling(request: &Request<'_>, reasoner: bool, object: &mut Object<'_>, loss: &mut Loss) {
    let sampling = &request.sampling;
    if let Some(limit) = sampling.max_tokens {
        object.int(if reasoner { "max_completion_tokens" } else { "max_tokens" }, limit);
    }
    for (name, value) in [
        ("temperature", sampling.temperature),
        ("top_p", sampling.top_p),
        ("frequency_penalty", sampling.frequency_penalty),
        ("presence_penalty", sampling.presence_penalty),
        ("seed", sampling.seed),
    ] {
        if let Some(number) = value {
            object.raw(name, number);
        }
    }
    if sampling.top_k.is_some() {
        loss.drop("top_k");
    }
    if !sampling.stop.is_empty() {
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
fn reasoning(reasoning: Option<Reasoning>, object: &mut Object<'_>, loss: &mut Loss) {
    let effort = match reasoning {
        None | Some(Reasoning::Adaptive) => return,
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
