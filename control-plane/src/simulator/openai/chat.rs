//! A Chat Completions reply: the turn as one document, or handed to the stream.
//!
//! Spec: <https://platform.openai.com/docs/api-reference/chat/object>

use super::validate::{self, Request};
use super::{error, stream};
use crate::simulator::answer::{Answer, Call, Content, Refusal};
use crate::simulator::turn::{self, Stop, Turn};
use crate::simulator::{directive, tokens};
use serde_json::{Value, json};
use sluice::config::Usage;

/// What every part of one reply says about itself.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    /// `chatcmpl-…`
    pub(crate) id: String,
    /// Unix seconds.
    pub(crate) created: u64,
    /// The model that answers.
    pub(crate) model: String,
    /// One for each call, in order.
    pub(crate) calls: Vec<String>,
    /// The service tier, where it is told.
    pub(crate) tier: Option<String>,
}

impl Identity {
    /// The members that a document and each chunk share.
    pub(crate) fn envelope(&self, object: &str) -> Value {
        let mut envelope = json!({
            "id": self.id, "object": object, "created": self.created, "model": self.model,
            "system_fingerprint": "fp_50cad350e4",
        });
        if let Some(tier) = &self.tier {
            put(&mut envelope, "service_tier", json!(tier));
        }
        envelope
    }
}

/// Answers a Chat Completions request.
pub(crate) fn answer(call: &Call<'_>, document: &Value) -> Result<Answer, Refusal> {
    let request = validate::request(call, document)?;
    if directive::parse(&request.prompt.text).block {
        return Err(error::blocked().into());
    }
    let turn = turn::compose(&request.prompt, call.bias);
    if turn.failed {
        return Err(error::broken().into());
    }
    let turns: Vec<Turn> = (0..request.choices).map(|index| turn.candidate(index)).collect();
    let usage = Usage {
        input: request.input,
        cached: request.cached,
        cache_write: 0,
        output: turns.iter().map(Turn::output).sum(),
        reasoning: turns.iter().map(Turn::reasoning).sum(),
        images: 0,
    };
    let identity = Identity {
        id: format!("chatcmpl-{}", call.id("completion", 29)),
        created: call.now,
        model: request.model.id.clone(),
        calls: (0..turn.calls.len())
            .map(|index| format!("call_{}", call.id(&format!("call {index}"), 24)))
            .collect(),
        tier: request.tier.clone(),
    };
    let reported = (!call.bias.no_usage).then_some(usage);
    let (content, usage_sent) = if request.stream {
        let sent = reported.filter(|_| request.include_usage);
        (Content::Stream(stream::events(&identity, &request, &turns, sent)), None)
    } else {
        (Content::Json(whole(&identity, &request, &turns, reported)), reported)
    };
    let (pace, split) = (turn.pace, turn.split);
    Ok(Answer { content, usage: usage_sent, consumed: Some(usage), pace, split, ..Answer::json(Value::Null) })
}

/// The cost of a reply, and how much of it the client foresaw.
pub(crate) fn cost(request: &Request<'_>, turns: &[Turn], usage: Usage) -> Value {
    let mut cost = report(usage);
    if let (Some(predicted), [turn, ..]) = (&request.predicted, turns) {
        let same =
            turn.text.bytes().zip(predicted.bytes()).take_while(|(said, expected)| said == expected).count();
        let accepted = (same / tokens::BYTES) as u64;
        let details = cost.get_mut("completion_tokens_details");
        if let Some(Value::Object(details)) = details {
            let rejected = tokens::count(predicted).saturating_sub(accepted);
            details.insert("accepted_prediction_tokens".to_owned(), json!(accepted));
            details.insert("rejected_prediction_tokens".to_owned(), json!(rejected));
        }
    }
    cost
}

/// A call as a message has it.
pub(crate) fn called(request: &Request<'_>, call: &turn::Call, id: &str) -> Value {
    if request.custom.contains(&call.name) {
        return json!({"id": id, "type": "custom", "custom": {"name": call.name, "input": call.arguments}});
    }
    json!({"id": id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}})
}

/// The sources of a text.
pub(crate) fn citations(turn: &Turn) -> Vec<Value> {
    let one = |url: &String| {
        let end = turn.text.chars().count();
        json!({"start_index": 0, "end_index": end, "title": "A source", "url": url})
    };
    turn.cites.iter().map(one).collect()
}

/// The sources as a message has them.
pub(crate) fn annotations(turn: &Turn) -> Vec<Value> {
    let wrapped = |citation| json!({"type": "url_citation", "url_citation": citation});
    citations(turn).into_iter().map(wrapped).collect()
}

fn message(identity: &Identity, request: &Request<'_>, turn: &Turn) -> Value {
    let mut message =
        json!({"role": "assistant", "content": turn.text, "refusal": null, "annotations": annotations(turn)});
    if turn.text.is_empty() && !turn.calls.is_empty() {
        put(&mut message, "content", Value::Null);
    }
    if turn.declined {
        put(&mut message, "content", Value::Null);
        put(&mut message, "refusal", json!(turn.text));
    }
    if let Some(thinking) = turn.thinking.as_ref().filter(|_| turn.dictated) {
        put(&mut message, "reasoning_content", json!(thinking));
    }
    if !turn.calls.is_empty() {
        let calls = turn.calls.iter().zip(&identity.calls).map(|(call, id)| called(request, call, id));
        put(&mut message, "tool_calls", Value::Array(calls.collect()));
    }
    message
}

fn whole(identity: &Identity, request: &Request<'_>, turns: &[Turn], usage: Option<Usage>) -> Value {
    let choice = |(index, turn): (usize, &Turn)| {
        let logprobs = request
            .logprobs
            .map_or(Value::Null, |top| logprobs(&turn::pieces(&turn.text), top, turn.declined));
        let message = message(identity, request, turn);
        json!({"index": index, "message": message, "logprobs": logprobs, "finish_reason": finish(&turn.stop)})
    };
    let mut document = identity.envelope("chat.completion");
    put(&mut document, "choices", turns.iter().enumerate().map(choice).collect());
    if let Some(usage) = usage {
        put(&mut document, "usage", cost(request, turns, usage));
    }
    document
}

/// Sets a member of an object.
pub(crate) fn put(document: &mut Value, name: &str, value: Value) {
    if let Value::Object(members) = document {
        members.insert(name.to_owned(), value);
    }
}

/// Why the model stopped, in the vendor's word.
pub(crate) const fn finish(stop: &Stop) -> &'static str {
    match stop {
        Stop::End | Stop::Sequence(_) => "stop",
        Stop::Length => "length",
        Stop::Tools => "tool_calls",
        Stop::Refused => "content_filter",
    }
}

/// Usage as the vendor reports it: inclusive of cached and reasoning tokens.
pub(crate) fn report(usage: Usage) -> Value {
    json!({
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cached, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning, "audio_tokens": 0,
            "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0,
        },
    })
}

/// The probabilities of some tokens, each with `top` alternatives.
pub(crate) fn logprobs(pieces: &[&str], top: usize, refusal: bool) -> Value {
    let (said, other) = if refusal { ("refusal", "content") } else { ("content", "refusal") };
    json!({said: probabilities(pieces, top), other: null})
}

/// The same as a list.
pub(crate) fn probabilities(pieces: &[&str], top: usize) -> Value {
    let token = |text: &str, rank: usize| json!({"token": text, "logprob": -0.125 - rank as f64, "bytes": text.as_bytes()});
    let content = pieces.iter().map(|piece| {
        let mut entry = token(piece, 0);
        let alternative = |rank| if rank == 0 { token(piece, 0) } else { token(&format!("alt{rank}"), rank) };
        put(&mut entry, "top_logprobs", (0..top).map(alternative).collect());
        entry
    });
    content.collect()
}
