//! Nothing is dropped in silence: of everything that a client's request can say, each member changes what is written for an
//! upstream or what the client is told; what nobody knows is told, at every depth; and what is told stands in the request.
//!
//! The requests are the fixtures `everything` in `tests/golden/requests/`: every member that the vendors document.

use super::asks::{UPSTREAMS, ask, target};
use super::endpoint::endpoint;
use super::fixtures::{CLIENTS, Fixture, all, chat};
use super::place::{Step, at, bare, members, objects, resolves, shown};
use super::told;
use serde_json::Value;
use sluice::config::{Dialect, Operation};
use sluice::dialect::{Target, inbound, outbound, patch};
use sluice::ir::loss::Loss;

/// What an upstream is sent, and what the client is told; or that it is refused.
type Written = Result<(Vec<u8>, Vec<String>), String>;

fn write(client: Dialect, upstream: Dialect, model: &str, body: &str) -> Written {
    let ask = ask(chat(client));
    let mut read = Loss::default();
    let request = patch(client)
        .peek(&ask, body)
        .and_then(|_| inbound(client).decode_request(&ask, body, &mut read))
        .map_err(|malformed| malformed.to_string())?;
    let (mut unsaid, mut out) = (Loss::default(), Vec::new());
    let target = Target { model, max_output_tokens: Some(64_000), ..target(upstream) };
    let encoded = outbound(upstream).encode_request(&request, &target, &mut unsaid, &mut out);
    encoded.map_err(|malformed| told::refusal(client, malformed).to_string())?;
    Ok((out, told::losses(client, &read, &unsaid)))
}

/// Every upstream, with models that accept most and models that accept little.
const MODELS: [(Dialect, &str); 16] = [
    (Dialect::Openai, "upstream-model"),
    (Dialect::Openai, "gpt-5.2"),
    (Dialect::Openai, "gpt-4o"),
    (Dialect::Responses, "upstream-model"),
    (Dialect::Responses, "gpt-5.6"),
    (Dialect::Responses, "gpt-4o"),
    (Dialect::Anthropic, "upstream-model"),
    (Dialect::Anthropic, "claude-sonnet-4-5"),
    (Dialect::Anthropic, "claude-opus-4-8"),
    (Dialect::Gemini, "gemini-3.8-flash"),
    (Dialect::Gemini, "gemini-2.5-pro"),
    (Dialect::Gemini, "gemini-2.0-flash"),
    (Dialect::Bedrock, "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
    (Dialect::Bedrock, "amazon.nova-2-lite-v1:0"),
    (Dialect::Bedrock, "openai.gpt-oss-120b-1:0"),
    (Dialect::Bedrock, "us.meta.llama4-scout-17b-instruct-v1:0"),
];

const PATH: &str = "some upstreams are asked for a stream by their path";
const OURS: &str = "speaks of the client's stream, which is the gateway's to write";
const SAID: &str = "other members, or silence, say the same";
const MARKS: &str = "caches that find their prompts themselves need no marker, and a marker needs no type";
const LABEL: &str = "a label that the client's own dialect demands";
const HELD: &str = "what has a schema is held to it there";
const SHOWN: &str = "thinking that is asked for is shown there";
const PROOF: &str = "a proof goes home or nowhere";
const OLD: &str = "vendors leave out the thoughts of turns that are over";

const UNASKED: &str = "vendors do the same unasked";
const LACKS: &str = "nothing without what the vendor demands of it";
const HOLLOW: &str = "wishes stand in it, and there is none";

/// Members whose absence changes nothing, by client and path without indices, and why that is no loss.
const SILENT: &[(Dialect, &str, &str)] = &[
    // Asked for elsewhere, or not of the provider.
    (Dialect::Openai, "stream", PATH),
    (Dialect::Responses, "stream", PATH),
    (Dialect::Anthropic, "stream", PATH),
    (Dialect::Openai, "stream_options", OURS),
    (Dialect::Responses, "stream_options", OURS),
    // Said already.
    (Dialect::Openai, "tools.type", SAID),
    (Dialect::Openai, "tools.custom.format.type", SAID),
    (Dialect::Openai, "messages.tool_calls.type", SAID),
    (Dialect::Openai, "tool_choice.allowed_tools.tools.type", SAID),
    (Dialect::Responses, "tools.format.type", SAID),
    (Dialect::Responses, "input.type", SAID),
    (Dialect::Responses, "input.id", SAID),
    (Dialect::Anthropic, "tools.type", SAID),
    (Dialect::Anthropic, "messages.content.source.media_type", SAID),
    (Dialect::Gemini, "contents.role", SAID),
    (Dialect::Gemini, "systemInstruction.role", SAID),
    (Dialect::Gemini, "contents.parts.fileData.mimeType", SAID),
    (Dialect::Gemini, "contents.parts.functionResponse.parts.fileData.mimeType", SAID),
    (Dialect::Gemini, "contents.parts.functionResponse.id", SAID),
    (Dialect::Gemini, "generationConfig.responseMimeType", SAID),
    // Nothing changes.
    (Dialect::Openai, "messages.content.cache_control.type", MARKS),
    (Dialect::Openai, "messages.content.prompt_cache_breakpoint", MARKS),
    (Dialect::Openai, "messages.content.prompt_cache_breakpoint.mode", MARKS),
    (Dialect::Openai, "messages.cache_control", MARKS),
    (Dialect::Openai, "messages.cache_control.type", MARKS),
    (Dialect::Openai, "tools.cache_control", MARKS),
    (Dialect::Openai, "tools.cache_control.type", MARKS),
    (Dialect::Responses, "input.content.prompt_cache_breakpoint", MARKS),
    (Dialect::Responses, "input.content.prompt_cache_breakpoint.mode", MARKS),
    (Dialect::Anthropic, "cache_control", MARKS),
    (Dialect::Anthropic, "cache_control.type", MARKS),
    (Dialect::Anthropic, "system.cache_control.type", MARKS),
    (Dialect::Anthropic, "messages.content.cache_control", MARKS),
    (Dialect::Anthropic, "messages.content.cache_control.type", MARKS),
    (Dialect::Anthropic, "messages.content.content.cache_control.type", MARKS),
    (Dialect::Anthropic, "tools.cache_control", MARKS),
    (Dialect::Anthropic, "tools.cache_control.type", MARKS),
    (Dialect::Openai, "response_format.json_schema.name", LABEL),
    (Dialect::Responses, "text.format.name", LABEL),
    (Dialect::Openai, "response_format.json_schema.strict", HELD),
    (Dialect::Responses, "text.format.strict", HELD),
    (Dialect::Openai, "tools.function.strict", HELD),
    (Dialect::Responses, "tools.strict", HELD),
    (Dialect::Anthropic, "thinking.display", SHOWN),
    (Dialect::Gemini, "generationConfig.thinkingConfig.includeThoughts", SHOWN),
    // Nobody else's.
    (Dialect::Gemini, "contents.parts.thoughtSignature", PROOF),
    (Dialect::Openai, "messages.reasoning_content", OLD),
];

/// Members that say nothing when they are empty, zero or `false`, by client and path without indices, and why.
const VOID: &[(Dialect, &str, &str)] = &[
    // Zero and `false`.
    (Dialect::Openai, "frequency_penalty", UNASKED),
    (Dialect::Openai, "n", UNASKED),
    (Dialect::Openai, "presence_penalty", UNASKED),
    (Dialect::Openai, "store", UNASKED),
    (Dialect::Openai, "top_logprobs", UNASKED),
    (Dialect::Responses, "store", UNASKED),
    (Dialect::Responses, "tools.defer_loading", UNASKED),
    (Dialect::Responses, "top_logprobs", UNASKED),
    (Dialect::Anthropic, "messages.content.citations.enabled", UNASKED),
    (Dialect::Anthropic, "messages.content.is_error", UNASKED),
    (Dialect::Anthropic, "tool_choice.disable_parallel_tool_use", UNASKED),
    (Dialect::Anthropic, "tools.defer_loading", UNASKED),
    (Dialect::Anthropic, "tools.strict", UNASKED),
    (Dialect::Gemini, "contents.parts.thought", UNASKED),
    (Dialect::Gemini, "contents.parts.functionResponse.willContinue", UNASKED),
    (Dialect::Gemini, "generationConfig.candidateCount", UNASKED),
    (Dialect::Gemini, "generationConfig.enableEnhancedCivicAnswers", UNASKED),
    (Dialect::Gemini, "generationConfig.frequencyPenalty", UNASKED),
    (Dialect::Gemini, "generationConfig.logprobs", UNASKED),
    (Dialect::Gemini, "generationConfig.presencePenalty", UNASKED),
    (Dialect::Gemini, "generationConfig.responseLogprobs", UNASKED),
    (Dialect::Gemini, "store", UNASKED),
    // Objects of which the vendor demands more.
    (Dialect::Openai, "audio", LACKS),
    (Dialect::Openai, "messages.content.cache_control", LACKS),
    (Dialect::Openai, "messages.audio", LACKS),
    (Dialect::Openai, "moderation", LACKS),
    (Dialect::Openai, "prediction", LACKS),
    (Dialect::Openai, "tools.custom.format", LACKS),
    (Dialect::Openai, "tools.custom.format.grammar", LACKS),
    (Dialect::Responses, "moderation", LACKS),
    (Dialect::Responses, "tools.format", LACKS),
    (Dialect::Anthropic, "messages.content.content.cache_control", LACKS),
    (Dialect::Anthropic, "output_config.task_budget", LACKS),
    (Dialect::Anthropic, "system.cache_control", LACKS),
    // Lists, and objects that hold wishes but are none.
    (Dialect::Openai, "logit_bias", HOLLOW),
    (Dialect::Openai, "messages.content", HOLLOW),
    (Dialect::Openai, "messages.tool_calls", HOLLOW),
    (Dialect::Openai, "metadata", HOLLOW),
    (Dialect::Openai, "modalities", HOLLOW),
    (Dialect::Openai, "prompt_cache_options", HOLLOW),
    (Dialect::Openai, "stop", HOLLOW),
    (Dialect::Openai, "tools", HOLLOW),
    (Dialect::Openai, "tools.function.parameters", HOLLOW),
    (Dialect::Responses, "client_metadata", HOLLOW),
    (Dialect::Responses, "context_management", HOLLOW),
    (Dialect::Responses, "include", HOLLOW),
    (Dialect::Responses, "input.summary", HOLLOW),
    (Dialect::Responses, "input.content.annotations", HOLLOW),
    (Dialect::Responses, "metadata", HOLLOW),
    (Dialect::Responses, "prompt_cache_options", HOLLOW),
    (Dialect::Responses, "reasoning", HOLLOW),
    (Dialect::Responses, "text", HOLLOW),
    (Dialect::Responses, "tool_choice.tools", HOLLOW),
    (Dialect::Responses, "tools", HOLLOW),
    (Dialect::Responses, "tools.parameters", HOLLOW),
    (Dialect::Anthropic, "context_management", HOLLOW),
    (Dialect::Anthropic, "mcp_servers", HOLLOW),
    (Dialect::Anthropic, "messages.content.citations", HOLLOW),
    (Dialect::Anthropic, "messages.content.content", HOLLOW),
    (Dialect::Anthropic, "metadata", HOLLOW),
    (Dialect::Anthropic, "output_config", HOLLOW),
    (Dialect::Anthropic, "stop_sequences", HOLLOW),
    (Dialect::Anthropic, "system", HOLLOW),
    (Dialect::Anthropic, "system.citations", HOLLOW),
    (Dialect::Anthropic, "tools", HOLLOW),
    (Dialect::Anthropic, "tools.allowed_callers", HOLLOW),
    (Dialect::Anthropic, "tools.input_examples", HOLLOW),
    (Dialect::Gemini, "contents.parts", HOLLOW),
    (Dialect::Gemini, "contents.parts.mediaResolution", HOLLOW),
    (Dialect::Gemini, "contents.parts.partMetadata", HOLLOW),
    (Dialect::Gemini, "contents.parts.videoMetadata", HOLLOW),
    (Dialect::Gemini, "contents.parts.functionCall.args", HOLLOW),
    (Dialect::Gemini, "contents.parts.functionResponse.parts", HOLLOW),
    (Dialect::Gemini, "contents.parts.functionResponse.response", HOLLOW),
    (Dialect::Gemini, "generationConfig", HOLLOW),
    (Dialect::Gemini, "generationConfig.imageConfig", HOLLOW),
    (Dialect::Gemini, "generationConfig.responseModalities", HOLLOW),
    (Dialect::Gemini, "generationConfig.speechConfig", HOLLOW),
    (Dialect::Gemini, "generationConfig.stopSequences", HOLLOW),
    (Dialect::Gemini, "generationConfig.thinkingConfig", HOLLOW),
    (Dialect::Gemini, "labels", HOLLOW),
    (Dialect::Gemini, "safetySettings", HOLLOW),
    (Dialect::Gemini, "systemInstruction", HOLLOW),
    (Dialect::Gemini, "systemInstruction.parts", HOLLOW),
    (Dialect::Gemini, "toolConfig", HOLLOW),
    (Dialect::Gemini, "toolConfig.functionCallingConfig", HOLLOW),
    (Dialect::Gemini, "toolConfig.functionCallingConfig.allowedFunctionNames", HOLLOW),
    (Dialect::Gemini, "toolConfig.retrievalConfig", HOLLOW),
    (Dialect::Gemini, "tools", HOLLOW),
    (Dialect::Gemini, "tools.functionDeclarations", HOLLOW),
    (Dialect::Gemini, "tools.functionDeclarations.parametersJsonSchema", HOLLOW),
    (Dialect::Gemini, "tools.functionDeclarations.parameters", HOLLOW),
];

fn everything(client: Dialect) -> Value {
    let fixture = all("requests", "json").into_iter().find(|fixture| {
        fixture.dialect == client && fixture.stem.file_name().is_some_and(|name| name == "everything")
    });
    let bytes = fixture.map(|fixture| fixture.bytes).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{}: {error}", client.name()))
}

/// Whether a member is told, or something that holds it.
fn is_told(lost: &[String], path: &[Step]) -> bool {
    (1..=path.len()).any(|end| path.get(..end).is_some_and(|path| lost.contains(&shown(path))))
}

fn pointed<'v>(value: &'v mut Value, path: &[Step]) -> &'v mut Value {
    at(value, path).unwrap_or_else(|| panic!("{} is not there", shown(path)))
}

#[test]
fn what_a_request_says_is_written_or_told() {
    let mut problems = Vec::new();
    let mut used = Vec::new();
    for client in CLIENTS {
        let body = everything(client);
        for (upstream, model) in MODELS {
            let whole = write(client, upstream, model, &body.to_string());
            assert!(whole.is_ok(), "{} to {model}: {whole:?}", client.name());
            for path in members(client, &body) {
                let Some((Step::Member(name), owner)) = path.split_last() else { continue };
                let mut without = body.clone();
                if let Value::Object(object) = pointed(&mut without, owner) {
                    object.remove(name);
                }
                // What holds it may be told as a whole.
                let told = whole.as_ref().is_ok_and(|(_, lost)| is_told(lost, &path));
                if told || write(client, upstream, model, &without.to_string()) != whole {
                    continue;
                }
                let silent = bare(&path);
                match SILENT.iter().find(|(of, named, _)| *of == client && *named == silent) {
                    Some(silent) => used.push(silent),
                    None => problems.push(format!("{} to {model}: {}", client.name(), shown(&path))),
                }
            }
        }
    }
    for silent in SILENT.iter().filter(|silent| !used.contains(silent)) {
        problems.push(format!("{} is silent nowhere", silent.1));
    }
    assert!(problems.is_empty(), "neither written nor told:\n{}", problems.join("\n"));
}

/// The value of its kind that says least.
fn emptied(value: &Value) -> Option<Value> {
    match value {
        Value::Object(_) => Some(Value::from(serde_json::Map::new())),
        Value::Array(_) => Some(Value::from(Vec::<Value>::new())),
        Value::Bool(_) => Some(Value::from(false)),
        Value::Number(_) => Some(Value::from(0)),
        Value::String(_) | Value::Null => None,
    }
}

#[test]
fn what_is_empty_is_written_or_told_or_says_nothing() {
    let mut problems = Vec::new();
    let mut used = Vec::new();
    for client in CLIENTS {
        let body = everything(client);
        for path in members(client, &body) {
            let Some((Step::Member(name), owner)) = path.split_last() else { continue };
            let (mut empty, mut without) = (body.clone(), body.clone());
            let Some(least) = emptied(pointed(&mut empty, &path)) else { continue };
            *pointed(&mut empty, &path) = least;
            if let Value::Object(object) = pointed(&mut without, owner) {
                object.remove(name);
            }
            for (upstream, model) in MODELS {
                let said = write(client, upstream, model, &empty.to_string());
                // Who is refused is told.
                let told = said.as_ref().map_or(true, |(_, lost)| is_told(lost, &path));
                if told || write(client, upstream, model, &without.to_string()) != said {
                    continue;
                }
                let bare = bare(&path);
                let nothing = VOID.iter().find(|(of, named, _)| *of == client && *named == bare);
                let silent = SILENT.iter().any(|(of, named, _)| *of == client && *named == bare);
                match nothing {
                    Some(nothing) => used.push(nothing),
                    None if silent => {}
                    None => problems.push(format!("{} to {model}: {}", client.name(), shown(&path))),
                }
            }
        }
    }
    for void in VOID.iter().filter(|void| !used.contains(void)) {
        problems.push(format!("{} says something everywhere", void.1));
    }
    assert!(problems.is_empty(), "neither written nor told, though empty:\n{}", problems.join("\n"));
}

#[test]
fn what_nobody_knows_is_told_at_every_depth() {
    let mut problems = Vec::new();
    for client in CLIENTS {
        let body = everything(client);
        for path in objects(client, &body) {
            let mut strange = body.clone();
            if let Value::Object(object) = pointed(&mut strange, &path) {
                object.insert("xUnheard".to_owned(), Value::from("of"));
            }
            let named = [path.as_slice(), &[Step::Member("xUnheard".to_owned())]].concat();
            let said = write(client, Dialect::Openai, "upstream-model", &strange.to_string());
            if !said.as_ref().is_ok_and(|(_, lost)| is_told(lost, &named)) {
                problems.push(format!("{}: {}", client.name(), shown(&named)));
            }
        }
    }
    assert!(problems.is_empty(), "not told:\n{}", problems.join("\n"));
}

#[test]
fn what_is_told_stands_in_the_request() {
    let mut problems = Vec::new();
    let is_chat = |fixture: &Fixture| endpoint(fixture).operation() == Operation::Chat;
    for fixture in all("requests", "json").into_iter().filter(is_chat) {
        let text = String::from_utf8_lossy(&fixture.bytes);
        let Ok(body) = serde_json::from_str::<Value>(&text) else { continue };
        for (upstream, model) in MODELS {
            let Ok((_, lost)) = write(fixture.dialect, upstream, model, &text) else { continue };
            // A marker on the whole message stands on its last part.
            let stands = |path: &str| {
                resolves(fixture.dialect, &body, path)
                    || path.split_once(".content[").is_some_and(|(message, rest)| {
                        let whole = format!("{message}.cache_control");
                        rest.ends_with("].cache_control") && resolves(fixture.dialect, &body, &whole)
                    })
            };
            for path in lost.iter().filter(|path| !stands(path)) {
                problems.push(format!("{} to {model}: {path}", fixture.name()));
            }
        }
    }
    problems.sort();
    problems.dedup();
    assert!(problems.is_empty(), "no such place:\n{}", problems.join("\n"));
}

#[test]
fn every_upstream_is_asked() {
    for upstream in UPSTREAMS {
        assert!(MODELS.iter().any(|(dialect, _)| *dialect == upstream), "{}", upstream.name());
    }
}
