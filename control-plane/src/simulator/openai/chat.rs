//! A Chat Completions reply: the turn as one document, or handed to the stream.
//!
//! Spec: <https://platform.openai.com/docs/api-reference/chat/object>

use super::stream;
use super::validate::{self, Request};
use crate::simulator::answer::{Answer, Call, Content, Refusal};
use crate::simulator::turn::{self, Stop, Turn};
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
    /// Whether the service tier is told.
    pub(crate) tier: bool,
}

impl Identity {
    /// The members that a document and each chunk share.
    pub(crate) fn envelope(&self, object: &str) -> Value {
        let mut envelope = json!({
            "id": self.id, "object": object, "created": self.created, "model": self.model,
            "system_fingerprint": "fp_50cad350e4",
        });
        if let (true, Value::Object(members)) = (self.tier, &mut envelope) {
            members.insert("service_tier".to_owned(), json!("default"));
        }
        envelope
    }
}

/// Answers a Chat Completions request.
pub(crate) fn answer(call: &Call<'_>, document: &Value) -> Result<Answer, Refusal> {
    let request = validate::request(call, document)?;
    let turn = turn::compose(&request.prompt, call.bias);
    let copies = request.choices as u64;
    let usage = Usage {
        input: request.input,
        cached: request.cached,
        cache_write: 0,
        output: turn.output() * copies,
        reasoning: turn.reasoning() * copies,
    };
    let identity = Identity {
        id: format!("chatcmpl-{}", call.id("completion", 29)),
        created: call.now,
        model: request.model.id.clone(),
        calls: (0..turn.calls.len())
            .map(|index| format!("call_{}", call.id(&format!("call {index}"), 24)))
            .collect(),
        tier: request.tier,
    };
    let reported = (!call.bias.no_usage).then_some(usage);
    let (content, usage_sent) = if request.stream {
        let sent = reported.filter(|_| request.include_usage);
        (Content::Stream(stream::events(&identity, &request, &turn, sent)), None)
    } else {
        (Content::Json(whole(&identity, &request, &turn, reported)), reported)
    };
    let (pace, split) = (turn.pace, turn.split);
    Ok(Answer { content, usage: usage_sent, consumed: Some(usage), pace, split, ..Answer::json(Value::Null) })
}

fn whole(identity: &Identity, request: &Request<'_>, turn: &Turn, usage: Option<Usage>) -> Value {
    let mut message = json!({"role": "assistant", "content": turn.text, "refusal": null, "annotations": []});
    if turn.text.is_empty() && !turn.calls.is_empty() {
        put(&mut message, "content", Value::Null);
    }
    if let Some(thinking) = &turn.thinking {
        put(&mut message, "reasoning_content", json!(thinking));
    }
    if !turn.calls.is_empty() {
        let calls = turn.calls.iter().zip(&identity.calls).map(|(call, id)| {
            json!({"id": id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}})
        });
        put(&mut message, "tool_calls", Value::Array(calls.collect()));
    }
    let logprobs = request.logprobs.map_or(Value::Null, |top| logprobs(&turn::pieces(&turn.text), top));
    let choice = |index: usize| json!({"index": index, "message": message, "logprobs": logprobs, "finish_reason": finish(&turn.stop)});
    let mut document = identity.envelope("chat.completion");
    put(&mut document, "choices", (0..request.choices).map(choice).collect());
    if let Some(usage) = usage {
        put(&mut document, "usage", report(usage));
    }
    document
}

fn put(document: &mut Value, name: &str, value: Value) {
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
pub(crate) fn logprobs(pieces: &[&str], top: usize) -> Value {
    let token = |text: &str, rank: usize| json!({"token": text, "logprob": -0.125 - rank as f64, "bytes": text.as_bytes()});
    let content = pieces.iter().map(|piece| {
        let mut entry = token(piece, 0);
        let alternative = |rank| if rank == 0 { token(piece, 0) } else { token(&format!("alt{rank}"), rank) };
        put(&mut entry, "top_logprobs", (0..top).map(alternative).collect());
        entry
    });
    json!({"content": content.collect::<Vec<_>>(), "refusal": null})
}
