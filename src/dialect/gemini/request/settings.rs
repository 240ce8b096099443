//! `generationConfig` for a Gemini upstream, and what it has no word for.
//! <https://ai.google.dev/api/generate-content#generationconfig>
//!
//! Invariant: numbers are copied as text; a wish that the model cannot be asked for is listed.

use crate::dialect::Target;
use crate::dialect::gemini::generation::{Generation, Thinking};
use crate::dialect::gemini::schema;
use crate::ir::chat::{Format, Reasoning, Request};
use crate::ir::loss::Loss;
use crate::wire::json::Object;

/// Stop sequences that Google takes.
const MAX_STOP: usize = 5;

/// Writes it, unless there is nothing to say.
pub(super) fn write(
    request: &Request<'_>,
    target: &Target<'_>,
    generation: Generation,
    body: &mut Object<'_>,
    loss: &mut Loss,
) {
    let mut config = Vec::new();
    let mut object = Object::new(&mut config);
    if let Some(asked) = request.sampling.max_tokens {
        let most = asked.min(target.max_output_tokens.unwrap_or(u64::MAX));
        if most < asked {
            loss.drop("max_tokens");
        }
        object.int("maxOutputTokens", most);
    }
    sampling(request, generation, &mut object, loss);
    format(request, generation, &mut object, loss);
    thinking(request, generation, &mut object, loss);
    drop(object);
    if config != b"{}" {
        body.member("generationConfig").extend_from_slice(&config);
    }
    for (name, lost) in [
        ("parallel_tool_calls", request.parallel_tool_calls == Some(false)),
        ("verbosity", request.verbosity.is_some()),
        ("user", request.user.is_some()),
    ] {
        if lost {
            loss.drop(name);
        }
    }
    request.openai.iter().for_each(|(name, _)| loss.drop(*name));
}

fn sampling(request: &Request<'_>, generation: Generation, object: &mut Object<'_>, loss: &mut Loss) {
    let sampling = &request.sampling;
    for (name, number) in [
        ("temperature", sampling.temperature),
        ("topP", sampling.top_p),
        ("topK", sampling.top_k),
        ("frequencyPenalty", sampling.frequency_penalty),
        ("presencePenalty", sampling.presence_penalty),
    ] {
        if let Some(number) = number {
            object.raw(name, number);
        }
    }
    match sampling.seed {
        // 32 bits; a larger one would be refused.
        Some(seed) if seed.parse::<i32>().is_ok() => {
            object.raw("seed", seed);
        }
        Some(_) => loss.drop("seed"),
        None => {}
    }
    match sampling.n {
        None => {}
        Some(n) if n <= 1 || generation.has_candidates() => drop(object.int("candidateCount", n)),
        Some(_) => loss.drop("n"),
    }
    if !sampling.stop.is_empty() {
        object.array("stopSequences", |list| {
            sampling.stop.iter().take(MAX_STOP).for_each(|stop| {
                list.text(stop);
            });
        });
        (MAX_STOP..sampling.stop.len()).for_each(|at| loss.drop(format!("stop[{at}]")));
    }
    if let Some(top) = sampling.logprobs {
        object.bool("responseLogprobs", true);
        if top > 0 {
            object.int("logprobs", top);
        }
    }
}

fn format(request: &Request<'_>, generation: Generation, object: &mut Object<'_>, loss: &mut Loss) {
    let Some(format) = &request.format else { return };
    if !request.tools.is_empty() && !generation.formats_with_tools() {
        return loss.drop("response_format");
    }
    object.str("responseMimeType", "application/json");
    if let Format::JsonSchema { description, schema, .. } = format {
        if description.is_some() {
            loss.drop("response_format.json_schema.description");
        }
        let path = "response_format.json_schema.schema";
        schema::write(schema, path, loss, object.member("responseJsonSchema"));
    }
}

fn thinking(request: &Request<'_>, generation: Generation, object: &mut Object<'_>, loss: &mut Loss) {
    let off = request.reasoning == Some(Reasoning::Off);
    if !generation.thinks() {
        if request.reasoning.is_some() && !off {
            loss.drop("reasoning_effort");
        }
        if request.wants_thinking_shown() {
            loss.drop("reasoning_summary");
        }
        return;
    }
    let thinking = match request.reasoning {
        None => None,
        Some(Reasoning::Off) => {
            let (thinking, none) = generation.off();
            if !none {
                loss.drop("reasoning_effort");
            }
            Some(thinking)
        }
        Some(Reasoning::Effort(effort)) => {
            if !generation.has_effort(effort) {
                loss.drop("reasoning_effort");
            }
            Some(generation.effort(effort))
        }
        Some(Reasoning::Budget(tokens)) => {
            let thinking = generation.budget(tokens);
            if matches!(thinking, Thinking::Budget(granted) if granted != tokens) {
                loss.drop("reasoning_effort");
            }
            Some(thinking)
        }
        Some(Reasoning::Adaptive) => Some(generation.adaptive()),
    };
    let shown = request.show_reasoning.unwrap_or(thinking.is_some()) && !off;
    if thinking.is_none() && !shown {
        return;
    }
    object.object("thinkingConfig", |config| {
        if shown {
            config.bool("includeThoughts", true);
        }
        match thinking {
            Some(Thinking::Level(level)) => {
                config.str("thinkingLevel", level);
            }
            Some(Thinking::Budget(tokens)) => {
                config.int("thinkingBudget", tokens);
            }
            Some(Thinking::Dynamic) => {
                config.raw("thinkingBudget", "-1");
            }
            Some(Thinking::Default) | None => {}
        }
    });
}
