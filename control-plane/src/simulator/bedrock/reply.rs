//! A reply of `Converse`: the turn as one document, or handed to the stream; and the count of a prompt's tokens.
//!
//! Spec: <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>

use super::blocks::text;
use super::error::{self, invalid, model_says};
use super::family::{self, Maker, Named};
use super::{conversation, model, parameters, schema, stream};
use crate::simulator::answer::{Answer, Call, Content, Refusal};
use crate::simulator::anthropic::messages::Meter;
use crate::simulator::anthropic::{signature, validate};
use crate::simulator::catalog::Traits;
use crate::simulator::turn::{self, Bias, Prompt, Stop, Turn};
use crate::simulator::{directive, tokens};
use serde_json::{Map, Value, json};
use sluice::config::Usage;

/// What a guardrail says in the model's place.
const BLOCKED: &str = "Sorry, the model cannot answer this question.";

/// What a reply says about itself.
#[derive(Debug)]
pub(crate) struct Frame {
    /// One for each call, in order.
    pub(crate) calls: Vec<String>,
    /// Why the model stopped, in the vendor's word.
    pub(crate) reason: &'static str,
    /// Whether Claude speaks, who signs what it thinks.
    pub(crate) signed: bool,
    /// What a redacted block holds.
    pub(crate) sealed: String,
    /// What the client asked for besides.
    pub(crate) additional: Option<Value>,
    /// `performanceConfig` and `serviceTier`, as they were asked for.
    pub(crate) echo: Map<String, Value>,
}

/// Answers `Converse` and `ConverseStream`.
pub(crate) fn answer(
    call: &Call<'_>,
    segment: &str,
    document: &Value,
    streamed: bool,
) -> Result<Answer, Refusal> {
    schema::check(&model::CONVERSE, document)?;
    let named = speaker(call, segment)?;
    named.on_demand()?;
    let (prompt, meter, hidden) = read(&named, document)?;
    // What the vendor's filter blocks is answered like what it cuts off.
    let blocked = directive::parse(&prompt.text).block;
    let mut turn = turn::compose(&prompt, Bias { refuse: call.bias.refuse || blocked, ..call.bias });
    if turn.failed && !streamed {
        return Err(error::broken());
    }
    let usage = Usage { output: turn.output(), reasoning: 0, ..validate::usage(&meter) };
    let guarded =
        turn.stop == Stop::Refused && !text(document, "/guardrailConfig/guardrailIdentifier").is_empty();
    if guarded {
        turn.text = BLOCKED.to_owned();
    }
    if hidden {
        // What is not shown is paid for, and signed.
        turn.thinking = turn.thinking.map(|_| String::new());
    }
    let frame = Frame {
        calls: (0..turn.calls.len())
            .map(|index| format!("tooluse_{}", call.id(&format!("call {index}"), 22)))
            .collect(),
        reason: if guarded { "guardrail_intervened" } else { reason(&turn.stop) },
        signed: named.maker == Maker::Claude,
        sealed: signature::seal(&call.id("sealed", 24)),
        additional: additional(document, &turn.stop),
        echo: echo(document),
    };
    let reported = (!call.bias.no_usage).then_some(usage);
    let (content, usage_sent) = if streamed {
        (Content::Stream(stream::events(&frame, &turn, reported)), None)
    } else {
        (Content::Json(whole(&frame, &turn, reported)), reported)
    };
    let (pace, split) = (turn.pace, turn.split);
    Ok(Answer { content, usage: usage_sent, consumed: Some(usage), pace, split, ..Answer::json(Value::Null) })
}

/// Answers `CountTokens`, which wants the model itself named and no profile.
pub(crate) fn count(call: &Call<'_>, segment: &str, document: &Value) -> Result<Answer, Refusal> {
    schema::check(&model::COUNT_TOKENS, document)?;
    let named = speaker(call, segment)?;
    if named.profile || named.maker != Maker::Claude {
        return Err(invalid("The provided model doesn't support counting tokens."));
    }
    let Some(conversation) = document.pointer("/input/converse").filter(|given| !given.is_null()) else {
        return Err(invalid("The simulator counts the tokens of input.converse only."));
    };
    let (_, meter, _) = read(&named, conversation)?;
    Ok(Answer::json(json!({"inputTokens": meter.tokens})))
}

fn speaker<'a>(call: &Call<'a>, segment: &str) -> Result<Named<'a>, Refusal> {
    let named = family::named(call.catalog, segment)?;
    if named.model.traits == Traits::Embedding {
        return Err(invalid(
            "This action doesn't support the model that you provided. Try again with a supported text or chat model.",
        ));
    }
    Ok(named)
}

/// Checks what is said and how, and what of it is shown.
fn read(named: &Named<'_>, document: &Value) -> Result<(Prompt, Meter, bool), Refusal> {
    let mut meter = Meter::default();
    meter.add(3, false);
    let parameters = parameters::read(named, document, &mut meter)?;
    system(named, document, &mut meter)?;
    let list = document.get("messages").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let tools = document.get("toolConfig").is_some_and(|config| !config.is_null());
    let conversation = conversation::read(named, list, meter, tools)?;
    if conversation.meter.markers > 4 {
        let found = conversation.meter.markers;
        return Err(model_says(format!(
            "A maximum of 4 blocks with cache_control may be provided. Found {found}."
        )));
    }
    if named.maker == Maker::Claude && parameters.reason && conversation.resumes_without_thinking {
        let last = list.len().saturating_sub(2);
        return Err(model_says(format!(
            "messages.{last}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`. When \
             `thinking` is enabled, a final `assistant` message must start with a thinking block (preceeding the lastmost \
             set of `tool_use` and `tool_result` blocks)."
        )));
    }
    parameters::fits(named, conversation.meter.tokens, parameters.limit)?;
    let prompt = Prompt {
        text: conversation.last_text,
        results: conversation.results,
        tools: parameters.tools,
        choice: parameters.choice,
        parallel: parameters.parallel,
        stops: parameters.stops,
        limit: parameters.limit,
        format: parameters.format,
        reason: parameters.reason,
    };
    Ok((prompt, conversation.meter, parameters.hidden))
}

fn system(named: &Named<'_>, document: &Value, meter: &mut Meter) -> Result<(), Refusal> {
    for block in document.get("system").and_then(Value::as_array).into_iter().flatten() {
        if block.get("cachePoint").is_some_and(|point| !point.is_null()) {
            named.caches()?;
            meter.add(0, true);
            continue;
        }
        meter.add(
            tokens::count(text(block, "/text")) + tokens::count(text(block, "/guardContent/text/text")),
            false,
        );
    }
    Ok(())
}

fn reason(stop: &Stop) -> &'static str {
    match stop {
        Stop::End => "end_turn",
        Stop::Length => "max_tokens",
        Stop::Sequence(_) => "stop_sequence",
        Stop::Tools => "tool_use",
        Stop::Refused => "content_filtered",
    }
}

/// The fields of the model's own reply that `additionalModelResponseFieldPaths` asks for.
fn additional(document: &Value, stop: &Stop) -> Option<Value> {
    let paths = document.get("additionalModelResponseFieldPaths")?.as_array()?;
    let sequence = if let Stop::Sequence(sequence) = stop { json!(sequence) } else { Value::Null };
    let own = json!({"stop_sequence": sequence});
    let found = paths
        .iter()
        .filter_map(Value::as_str)
        .filter_map(|path| Some((path.strip_prefix('/')?.to_owned(), own.pointer(path)?.clone())));
    let found: Map<String, Value> = found.collect();
    (!found.is_empty()).then_some(Value::Object(found))
}

fn echo(document: &Value) -> Map<String, Value> {
    let names = ["performanceConfig", "serviceTier"];
    names.iter().filter_map(|name| Some(((*name).to_owned(), document.get(name)?.clone()))).collect()
}

fn whole(frame: &Frame, turn: &Turn, usage: Option<Usage>) -> Value {
    let mut content = Vec::new();
    if let Some(thinking) = &turn.thinking {
        let mut reasoning = json!({"text": thinking});
        if let (true, Value::Object(members)) = (frame.signed, &mut reasoning) {
            members.insert("signature".to_owned(), json!(signature::sign(thinking)));
        }
        content.push(json!({"reasoningContent": {"reasoningText": reasoning}}));
    }
    if turn.redacted {
        content.push(json!({"reasoningContent": {"redactedContent": frame.sealed}}));
    }
    if !turn.text.is_empty() {
        content.push(json!({"text": turn.text}));
    }
    for (call, id) in turn.calls.iter().zip(&frame.calls) {
        // Arguments that a limit has cut are no JSON; the vendor then returns what it could read: nothing.
        let input: Value =
            serde_json::from_str(&call.arguments).ok().filter(Value::is_object).unwrap_or_else(|| json!({}));
        content.push(json!({"toolUse": {"toolUseId": id, "name": call.name, "input": input}}));
    }
    let mut reply = frame.echo.clone();
    reply.insert("output".to_owned(), json!({"message": {"role": "assistant", "content": content}}));
    reply.insert("stopReason".to_owned(), json!(frame.reason));
    reply.insert("metrics".to_owned(), metrics(turn));
    if let Some(usage) = usage {
        reply.insert("usage".to_owned(), report(usage));
    }
    if let Some(additional) = &frame.additional {
        reply.insert("additionalModelResponseFields".to_owned(), additional.clone());
    }
    Value::Object(reply)
}

/// How long the vendor says that it took; always the same for the same reply.
pub(crate) fn metrics(turn: &Turn) -> Value {
    json!({"latencyMs": 100 + 10 * turn.output()})
}

/// Usage as the vendor reports it: input without what the cache read or wrote, the total with it.
pub(crate) fn report(usage: Usage) -> Value {
    let details = if usage.cache_write > 0 {
        json!([{"ttl": "5m", "inputTokens": usage.cache_write}])
    } else {
        json!([])
    };
    json!({
        "inputTokens": usage.input - usage.cached - usage.cache_write,
        "outputTokens": usage.output,
        "totalTokens": usage.input + usage.output,
        "cacheReadInputTokens": usage.cached,
        "cacheWriteInputTokens": usage.cache_write,
        "cacheDetails": details,
    })
}
