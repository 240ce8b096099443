//! The IR to an upstream's chat request.
//!
//! Invariant: only members that the imitators of this dialect accept too, in their oldest form, unless the model's name
//! says that it is one of OpenAI's own that insists on the newer form.

use super::encode_tools;
use super::encode_turns::{self, Reader};
use crate::dialect::Target;
use crate::dialect::openai::generation::Generation;
use crate::dialect::openai_api::effort;
use crate::dialect::openai_api::id::{MAX_USER, shortened};
use crate::dialect::openai_api::json_mode;
use crate::dialect::thoughts::Thoughts;
use crate::dialect::tool_call::check_names;
use crate::ir::chat::{Format, Request};
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
use crate::wire::json::Object;

/// Most stop sequences that the API takes.
const MAX_STOP: usize = 4;

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
    if generation != Generation::Foreign {
        check_names(&request.tools, encode_tools::MAX_NAME)?;
    }
    let mut object = Object::new(out);
    if target.model_in_body {
        object.str("model", target.model);
    }
    for (name, json) in target.extra {
        object.raw(name, json);
    }
    let reader = Reader::of(target.model);
    let thoughts = Thoughts::of(&request.messages);
    let mut said = false;
    object.array("messages", |list| {
        if json_mode::must_be_noted(request.format.as_ref(), &request.messages) {
            list.object(|note| {
                note.str("role", "system").str("content", json_mode::NOTE);
            });
        }
        for (position, message) in request.messages.iter().enumerate() {
            let mut leave_out =
                |part: usize, loss: &mut Loss| thoughts.leave_out(message, position, part, loss);
            said |= encode_turns::write(list, message, reader, &mut leave_out, loss);
        }
    });
    if !said {
        return Err(Malformed::at("messages", "expected at least one message with content"));
    }
    encode_tools::write(request, generation, &mut object, loss);
    limit(request, target, generation, &mut object, loss);
    sampling(request, generation, &mut object, loss);
    if let Some(word) = effort::encode(request.reasoning, generation, loss) {
        object.str("reasoning_effort", word);
    }
    if let Some(wanted) = &request.format {
        object.object("response_format", |object| format(wanted, object));
    }
    if let Some(user) = &request.user {
        object.text("user", &shortened(user, MAX_USER, "user_"));
    }
    others(request, generation, &mut object, loss);
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
        (MAX_STOP..sampling.stop.len()).for_each(|at| loss.drop(format!("stop[{at}]")));
        object.array("stop", |list| {
            for sequence in sampling.stop.iter().take(MAX_STOP) {
                list.text(sequence);
            }
        });
    }
    if let Some(n) = sampling.n.filter(|n| *n != 1) {
        object.int("n", n);
    }
    match sampling.logprobs {
        Some(most) if sampled => {
            object.bool("logprobs", true);
            if most > 0 {
                object.int("top_logprobs", most);
            }
        }
        Some(_) => sampling.lose_logprobs(loss),
        None => {}
    }
}

/// What only OpenAI's own models know.
fn others(request: &Request<'_>, generation: Generation, object: &mut Object<'_>, loss: &mut Loss) {
    match &request.verbosity {
        Some(word) if matches!(generation, Generation::Gpt(..)) => drop(object.text("verbosity", word)),
        Some(_) => loss.drop("verbosity"),
        None => {}
    }
    for (name, json) in &request.openai {
        // Only replies that the provider keeps may be labelled here, and it is asked to keep none.
        if *name == "metadata" {
            loss.drop(*name);
        } else if generation != Generation::Foreign {
            object.raw(name, json);
        } else {
            loss.drop(*name);
        }
    }
    // What the makers of some models show, they show unasked: there is no word for it.
    if request.wants_thinking_shown() {
        loss.drop("reasoning_summary");
    }
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
