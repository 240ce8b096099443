//! What of a request or a reply is one feature, as comparable text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sluice::config::Dialect;
use sluice::ir::chat::{
    Choice, Effort, Format, Message, Part, Reasoning, Reply, Request, Role, Source, ToolChoice, ToolKind,
};
use sluice::ir::{Proof, Text};

fn plain(text: &Text<'_>) -> String {
    text.plain().into_owned()
}

fn proof(proof: &Proof<'_>) -> String {
    format!("{}:{}", proof.home.name(), proof.value.plain())
}

fn source(source: &Source<'_>) -> String {
    match source {
        Source::Url(url) => format!("url {}", url.plain()),
        Source::Base64 { media_type, data } => format!("{} {}", media_type.plain(), data.plain()),
        Source::File(id) => format!("file {}", proof(id)),
        Source::Text(text) => format!("text {}", text.plain()),
    }
}

/// A part without its cache marker.
fn part(part: &Part<'_>) -> String {
    match part {
        Part::Text { text, .. } => plain(text),
        Part::Refusal { text } => format!("refusal {}", text.plain()),
        Part::Image { source: from, .. } => format!("image {}", source(from)),
        Part::Document { source: from, name, .. } => {
            // Where a name is demanded, one that says nothing is given.
            let name = name.as_ref().map(plain).filter(|name| !name.starts_with("document"));
            format!("document {name:?} {}", source(from))
        }
        Part::Audio { source: from } => format!("audio {}", source(from)),
        Part::Video { source: from } => format!("video {}", source(from)),
        Part::ToolCall(call) => {
            // No arguments at all are an empty object to many.
            let arguments = if call.arguments.is_empty() { "{}" } else { &call.arguments };
            format!("call {} {} {arguments} custom:{}", call.id.plain(), call.name.plain(), call.custom)
        }
        Part::ToolResult { id, content, is_error, .. } => {
            let content: Vec<_> = content.iter().map(self::part).collect();
            format!("result {} {content:?} error:{is_error}", id.plain())
        }
        Part::Thinking { text, proof: made } => {
            format!("thinking {} {:?}", text.plain(), made.as_ref().map(proof))
        }
        Part::RedactedThinking { data } => format!("redacted {}", proof(data)),
    }
}

fn parts<'r>(
    messages: &'r [Message<'_>],
    is_one: fn(&Part<'_>) -> bool,
) -> impl Iterator<Item = String> + 'r {
    messages.iter().flat_map(|message| &message.parts).filter(move |part| is_one(part)).map(part)
}

const fn is_cached(part: &Part<'_>) -> bool {
    match part {
        Part::Text { cache, .. }
        | Part::Image { cache, .. }
        | Part::Document { cache, .. }
        | Part::ToolResult { cache, .. } => *cache,
        _ => false,
    }
}

fn choice(choice: &ToolChoice<'_>) -> String {
    match choice {
        ToolChoice::Tool(name) => format!("tool {}", name.plain()),
        ToolChoice::Allowed { required, names } => {
            format!("allowed {required} {:?}", names.iter().map(plain).collect::<Vec<_>>())
        }
        word => format!("{word:?}"),
    }
}

/// A budget is the effort that it stands for.
fn reasoning(reasoning: Reasoning) -> String {
    match reasoning {
        Reasoning::Budget(tokens) => format!("{:?}", Effort::for_budget(tokens)),
        Reasoning::Effort(effort) => format!("{effort:?}"),
        other => format!("{other:?}"),
    }
}

/// What a custom tool takes. Chat puts a grammar into an object of its own.
fn grammar(format: &str) -> String {
    let format: String = format.split_whitespace().collect();
    format.replace(r#""grammar":{"#, "").trim_end_matches('}').to_owned()
}

/// What of a request is a feature. Nothing is shown by a request that has it not.
pub(crate) fn request(feature: &str, request: &Request<'_>) -> Vec<String> {
    let messages = &request.messages;
    let sampling = &request.sampling;
    let number = |number: Option<&str>| number.map(str::to_owned).into_iter().collect::<Vec<_>>();
    let spoken = |operator: bool| {
        let said = messages
            .iter()
            .filter(|message| matches!(message.role, Role::System | Role::Developer) == operator);
        // Dialects without a word for the developer take him for the operator.
        let role = |message: &Message<'_>| if operator { Role::System } else { message.role };
        said.flat_map(|message| {
            message.parts.iter().map(move |said| format!("{:?}: {}", role(message), part(said)))
        })
        .collect()
    };
    match feature {
        "text" | "multi_turn" => spoken(false),
        "system" => spoken(true),
        "image_base64" | "image_url" => parts(messages, |part| matches!(part, Part::Image { .. })).collect(),
        "pdf" => parts(messages, |part| matches!(part, Part::Document { .. })).collect(),
        "audio" => parts(messages, |part| matches!(part, Part::Audio { .. })).collect(),
        "tools" | "custom_tool" => {
            let calls = parts(messages, |part| matches!(part, Part::ToolCall(_)));
            let tools = request.tools.iter().map(|tool| match &tool.kind {
                ToolKind::Function(schema) => format!(
                    "function {} {:?} {schema:?}",
                    tool.name.plain(),
                    tool.description.as_ref().map(plain)
                ),
                ToolKind::Custom(format) => {
                    format!("custom {} {:?}", tool.name.plain(), format.map(grammar))
                }
            });
            tools.chain(calls).collect()
        }
        "tool_choice_auto"
        | "tool_choice_none"
        | "tool_choice_required"
        | "tool_choice_named"
        | "tool_choice_allowed" => request.tool_choice.iter().map(choice).collect(),
        "parallel_tools_off" => {
            request.parallel_tool_calls.filter(|parallel| !parallel).iter().map(bool::to_string).collect()
        }
        "tool_result" | "tool_result_image" | "tool_result_error" => {
            parts(messages, |part| matches!(part, Part::ToolCall(_) | Part::ToolResult { .. })).collect()
        }
        "json_mode" | "json_schema" => request
            .format
            .iter()
            .map(|format| match format {
                Format::JsonObject => "any object".to_owned(),
                Format::JsonSchema { schema, .. } => schema.to_string(),
            })
            .collect(),
        "reasoning_effort" | "reasoning_budget" | "reasoning_off" => {
            request.reasoning.map(reasoning).into_iter().collect()
        }
        "thinking_replay" | "thinking_earlier" => {
            parts(messages, |part| matches!(part, Part::Thinking { .. } | Part::RedactedThinking { .. }))
                .collect()
        }
        "max_tokens" => sampling.max_tokens.iter().map(u64::to_string).collect(),
        "temperature" => number(sampling.temperature),
        "top_p" => number(sampling.top_p),
        "top_k" => number(sampling.top_k),
        "stop" => sampling.stop.iter().map(plain).collect(),
        "penalties" => [number(sampling.frequency_penalty), number(sampling.presence_penalty)].concat(),
        "seed" => number(sampling.seed),
        "logprobs" => sampling.logprobs.iter().map(u64::to_string).collect(),
        "n" => sampling.n.iter().map(u64::to_string).collect(),
        "user" => request.user.iter().map(plain).collect(),
        "metadata" | "service_tier" => {
            let named = request.openai.iter().filter(|(name, _)| *name == feature);
            named.map(|(_, json)| (*json).split_whitespace().collect()).collect()
        }
        "cache_marker" => parts(messages, is_cached).collect(),
        "verbosity" => request.verbosity.iter().map(plain).collect(),
        _ => Vec::new(),
    }
}

fn texts(choice: &Choice<'_>) -> String {
    let said = choice.parts.iter().filter_map(|part| match part {
        Part::Text { text, .. } | Part::Refusal { text } => Some(plain(text)),
        _ => None,
    });
    said.collect()
}

/// What of a reply is a feature. Where text is cut into blocks says nothing.
pub(crate) fn reply(feature: &str, reply: &Reply<'_>) -> Vec<String> {
    let choice = &reply.choice;
    let reason = format!("{:?}", choice.finish.reason);
    match feature {
        "text" => vec![texts(choice)],
        "reasoning" => {
            let thoughts = choice.parts.iter().filter_map(|part| match part {
                Part::Thinking { text, .. } => Some(plain(text)),
                _ => None,
            });
            vec![thoughts.collect(), texts(choice)]
        }
        "tool_call" | "tool_calls_parallel" | "tool_call_empty_arguments" => {
            let calls = choice.parts.iter().filter(|part| matches!(part, Part::ToolCall(_)));
            calls.map(part).chain([reason]).collect()
        }
        "refusal" | "safety_stop" | "length" => vec![texts(choice), reason],
        "stop_sequence" => vec![reason, format!("{:?}", choice.finish.stop_sequence.as_ref().map(plain))],
        "logprobs" => choice
            .logprobs
            .iter()
            .map(|logprob| {
                let top: Vec<_> =
                    logprob.top.iter().map(|(token, logprob)| (plain(token), logprob)).collect();
                format!("{} {} {top:?}", logprob.token.plain(), logprob.logprob)
            })
            .collect(),
        "n" => {
            let all = std::iter::once(choice).chain(&reply.more);
            all.map(|choice| format!("{} {:?}", texts(choice), choice.finish.reason)).collect()
        }
        "usage_cached" | "usage_reasoning" => reply.usage.iter().map(|usage| format!("{usage:?}")).collect(),
        _ => Vec::new(),
    }
}

/// What proves a reply's thinking and calls, each in the forms in which a client may keep it.
pub(crate) fn sealed(reply: &Reply<'_>, client: Dialect) -> Vec<Vec<String>> {
    let proofs = reply.choice.parts.iter().filter_map(|part| match part {
        Part::Thinking { proof, .. } => proof.as_ref(),
        Part::RedactedThinking { data } => Some(data),
        Part::ToolCall(call) => call.proof.as_ref(),
        _ => None,
    });
    proofs.map(|proof| forms(proof, client)).collect()
}

fn forms(proof: &Proof<'_>, client: Dialect) -> Vec<String> {
    let sealed = plain(&proof.seal(client));
    match client {
        // Beside the item's id, or with a word that says that there is no text.
        Dialect::Responses => {
            let at_home = sealed.split_once(':').map(|(_, encrypted)| encrypted.to_owned());
            let value = plain(&proof.value);
            vec![sealed.replace(&value, &format!("redacted:{value}")), at_home.unwrap_or(sealed)]
        }
        // Its SDKs decode base64; the colon says that there is no text.
        Dialect::Gemini if proof.home != client => {
            [sealed.replacen('.', ":", 1), sealed].map(|sealed| STANDARD.encode(sealed)).to_vec()
        }
        _ => vec![sealed],
    }
}
