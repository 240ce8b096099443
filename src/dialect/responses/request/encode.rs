//! The IR to an upstream's request.
//!
//! Invariant: reasoning can be sent back in the next turn: it is asked for encrypted, and the provider need keep nothing.

use super::{encode_items, encode_tools};
use crate::dialect::Target;
use crate::dialect::openai_api::effort;
use crate::dialect::openai_api::generation::Generation;
use crate::dialect::openai_api::id::{MAX_USER, shortened};
use crate::ir::chat::{Format, Reasoning, Request};
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
use crate::wire::json::Object;

/// The API refuses a lower limit.
const MIN_OUTPUT_TOKENS: u64 = 16;

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dialect::responses) enum Purpose {
    /// A reply.
    Reply,
    /// The size of its input.
    Count,
}

/// Appends a request.
pub(in crate::dialect::responses) fn encode(
    request: &Request<'_>,
    target: &Target<'_>,
    purpose: Purpose,
    loss: &mut Loss,
    out: &mut Vec<u8>,
) -> Result<(), Malformed> {
    if request.messages.is_empty() {
        return Err(Malformed::at("messages", "expected at least one message"));
    }
    let generation = Generation::of(target.model);
    let mut object = Object::new(out);
    if target.model_in_body {
        object.str("model", target.model);
    }
    for (name, json) in target.extra {
        object.raw(name, json);
    }
    encode_items::write(request, generation, &mut object, loss);
    encode_tools::write(request, generation, &mut object, loss);
    reasoning(request, generation, &mut object, loss);
    text(request, generation, &mut object, loss);
    if purpose == Purpose::Count {
        return Ok(());
    }
    limit(request, target, &mut object, loss);
    sampling(request, generation, &mut object, loss);
    include(request, generation, &mut object, loss);
    bookkeeping(request, generation, &mut object);
    if request.stream {
        object.bool("stream", true);
    }
    Ok(())
}

fn reasoning(request: &Request<'_>, generation: Generation, object: &mut Object<'_>, loss: &mut Loss) {
    let word = effort::encode(request.reasoning, generation, loss);
    let asked = !matches!(request.reasoning, None | Some(Reasoning::Off));
    let wanted = request.wants_thinking_shown() || (asked && request.show_reasoning != Some(false));
    let shown = wanted && generation.may_reason();
    if request.wants_thinking_shown() && !shown {
        loss.drop("reasoning_summary");
    }
    if word.is_none() && !shown {
        return;
    }
    object.object("reasoning", |object| {
        if let Some(word) = word {
            object.str("effort", word);
        }
        if shown {
            object.str("summary", "auto");
        }
    });
}

fn text(request: &Request<'_>, generation: Generation, object: &mut Object<'_>, loss: &mut Loss) {
    // The middle is what silence means, and all that models of the time before the word accept.
    let asked = request.verbosity.as_ref().filter(|verbosity| **verbosity != "medium");
    let verbosity =
        asked.filter(|_| !matches!(generation, Generation::Chat { new: false } | Generation::O { .. }));
    if asked.is_some() && verbosity.is_none() {
        loss.drop("verbosity");
    }
    if request.format.is_none() && verbosity.is_none() {
        return;
    }
    object.object("text", |text| {
        if let Some(wanted) = &request.format {
            text.object("format", |object| format(wanted, object));
        }
        if let Some(verbosity) = verbosity {
            text.text("verbosity", verbosity);
        }
    });
}

fn format(wanted: &Format<'_>, object: &mut Object<'_>) {
    match wanted {
        Format::JsonObject => {
            object.str("type", "json_object");
        }
        Format::JsonSchema { name, description, schema, strict } => {
            object.str("type", "json_schema");
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
        }
    }
}

fn limit(request: &Request<'_>, target: &Target<'_>, object: &mut Object<'_>, loss: &mut Loss) {
    let Some(asked) = request.sampling.max_tokens else { return };
    let limit = asked.min(target.max_output_tokens.unwrap_or(u64::MAX)).max(MIN_OUTPUT_TOKENS);
    if limit != asked {
        loss.drop("max_tokens");
    }
    object.int("max_output_tokens", limit);
}

fn sampling(request: &Request<'_>, generation: Generation, object: &mut Object<'_>, loss: &mut Loss) {
    let sampling = &request.sampling;
    let sampled = generation.may_be_sampled(request.reasoning);
    for (name, value) in [("temperature", sampling.temperature), ("top_p", sampling.top_p)] {
        match value {
            Some(number) if sampled => drop(object.raw(name, number)),
            Some(number) if number.parse() != Ok(1.0) => loss.drop(name),
            _ => {}
        }
    }
    for (name, value) in
        [("frequency_penalty", sampling.frequency_penalty), ("presence_penalty", sampling.presence_penalty)]
    {
        if value.is_some_and(|number| number.parse() != Ok(0.0)) {
            loss.drop(name);
        }
    }
    let lost = [
        ("top_k", sampling.top_k.is_some()),
        ("seed", sampling.seed.is_some()),
        ("stop", !sampling.stop.is_empty()),
        ("n", sampling.n.is_some_and(|n| n != 1)),
    ];
    for (name, _) in lost.into_iter().filter(|(_, lost)| *lost) {
        loss.drop(name);
    }
}

/// What is told besides the answer: encrypted reasoning of models that reason, log probabilities of those that do not.
fn include(request: &Request<'_>, generation: Generation, object: &mut Object<'_>, loss: &mut Loss) {
    let encrypted = match generation {
        Generation::O { .. } | Generation::Gpt(..) => true,
        Generation::Chat { .. } => false,
        Generation::Foreign => !matches!(request.reasoning, None | Some(Reasoning::Off)),
    };
    let wanted = request.sampling.logprobs;
    let logprobs = wanted.filter(|_| generation.may_be_sampled(request.reasoning));
    if wanted.is_some() && logprobs.is_none() {
        request.sampling.lose_logprobs(loss);
    }
    if !encrypted && logprobs.is_none() {
        return;
    }
    object.array("include", |list| {
        if encrypted {
            list.str("reasoning.encrypted_content");
        }
        if logprobs.is_some() {
            list.str("message.output_text.logprobs");
        }
    });
    if let Some(most) = logprobs.filter(|most| *most > 0) {
        object.int("top_logprobs", most);
    }
}

fn bookkeeping(request: &Request<'_>, generation: Generation, object: &mut Object<'_>) {
    if let Some(user) = &request.user {
        // The newer word, for whom it was made; imitators know the older one.
        let name = if generation == Generation::Foreign { "user" } else { "safety_identifier" };
        object.text(name, &shortened(user, MAX_USER, "user_"));
    }
    let mut kept = false;
    for (name, json) in &request.openai {
        if *name == "safety_identifier" && request.user.is_some() {
            continue;
        }
        kept |= *name == "store";
        object.raw(name, json);
    }
    if !kept {
        object.bool("store", false);
    }
}
