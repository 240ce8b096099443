//! A Messages reply: the turn as one document, or handed to the stream; and the count of a prompt's tokens.
//!
//! Spec: <https://docs.claude.com/en/api/messages>

use super::{signature, stream, validate};
use crate::simulator::answer::{Answer, Call, Content, Refusal};
use crate::simulator::turn::{self, Stop, Turn};
use serde_json::{Value, json};
use sluice::config::Usage;

/// What a reply says about itself.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    /// `msg_…`
    pub(crate) id: String,
    /// The model that answers.
    pub(crate) model: String,
    /// One for each call, in order.
    pub(crate) calls: Vec<String>,
}

impl Identity {
    /// A message with this content and no end yet.
    pub(crate) fn message(&self, content: Value) -> Value {
        json!({
            "id": self.id, "type": "message", "role": "assistant", "model": self.model, "content": content,
            "stop_reason": null, "stop_sequence": null,
        })
    }

    /// What a redacted thinking block holds.
    pub(crate) fn sealed(&self) -> String {
        signature::seal(&self.id)
    }
}

/// Answers a Messages request.
pub(crate) fn answer(call: &Call<'_>, document: &Value, id: &str) -> Result<Answer, Refusal> {
    let request = validate::request(call, document, id)?;
    let mut turn = turn::compose(&request.prompt, call.bias);
    let usage = Usage { output: turn.output(), reasoning: 0, ..request.usage };
    if request.hidden {
        // What is not shown is paid for, and signed.
        turn.thinking = turn.thinking.map(|_| String::new());
    }
    let identity = Identity {
        id: format!("msg_{}", call.id("message", 24)),
        model: request.model.id.clone(),
        calls: (0..turn.calls.len())
            .map(|index| format!("toolu_{}", call.id(&format!("call {index}"), 24)))
            .collect(),
    };
    let reported = (!call.bias.no_usage).then_some(usage);
    let (content, usage_sent) = if request.stream {
        (Content::Stream(stream::events(&identity, &turn, reported)), None)
    } else {
        (Content::Json(whole(&identity, &turn, reported)), reported)
    };
    let (pace, split) = (turn.pace, turn.split);
    Ok(Answer { content, usage: usage_sent, consumed: Some(usage), pace, split, ..Answer::json(Value::Null) })
}

/// Answers a request for token counting.
pub(crate) fn count(call: &Call<'_>, document: &Value, id: &str) -> Result<Answer, Refusal> {
    Ok(Answer::json(json!({"input_tokens": validate::count(call, document, id)?})))
}

fn whole(identity: &Identity, turn: &Turn, usage: Option<Usage>) -> Value {
    let mut content = Vec::new();
    if let Some(thinking) = &turn.thinking {
        content
            .push(json!({"type": "thinking", "thinking": thinking, "signature": signature::sign(thinking)}));
    }
    if turn.redacted {
        content.push(json!({"type": "redacted_thinking", "data": identity.sealed()}));
    }
    if !turn.text.is_empty() {
        content.push(json!({"type": "text", "text": turn.text}));
    }
    for (call, id) in turn.calls.iter().zip(&identity.calls) {
        // Arguments that a limit has cut are no JSON; the vendor then returns what it could read: nothing.
        let input: Value =
            serde_json::from_str(&call.arguments).ok().filter(Value::is_object).unwrap_or_else(|| json!({}));
        content.push(json!({"type": "tool_use", "id": id, "name": call.name, "input": input}));
    }
    let mut message = identity.message(Value::Array(content));
    if let Value::Object(members) = &mut message {
        let (reason, sequence) = finish(&turn.stop);
        members.insert("stop_reason".to_owned(), json!(reason));
        members.insert("stop_sequence".to_owned(), json!(sequence));
        if let Some(usage) = usage {
            members.insert("usage".to_owned(), report(usage));
        }
    }
    message
}

/// Why the model stopped, in the vendor's word, and at which sequence.
pub(crate) fn finish(stop: &Stop) -> (&'static str, Option<&str>) {
    match stop {
        Stop::End => ("end_turn", None),
        Stop::Length => ("max_tokens", None),
        Stop::Sequence(sequence) => ("stop_sequence", Some(sequence)),
        Stop::Tools => ("tool_use", None),
        Stop::Refused => ("refusal", None),
    }
}

/// Usage as the vendor reports it: input without what the cache read or wrote.
pub(crate) fn report(usage: Usage) -> Value {
    json!({
        "input_tokens": usage.input - usage.cached - usage.cache_write,
        "cache_creation_input_tokens": usage.cache_write,
        "cache_read_input_tokens": usage.cached,
        "cache_creation": {"ephemeral_5m_input_tokens": usage.cache_write, "ephemeral_1h_input_tokens": 0},
        "output_tokens": usage.output,
        "service_tier": "standard",
    })
}

/// Usage as the vendor sums it up at the end of a stream. <https://docs.claude.com/en/docs/build-with-claude/streaming>
pub(crate) fn total(usage: Usage) -> Value {
    let mut total = report(usage);
    if let Value::Object(members) = &mut total {
        members.retain(|name, _| name.ends_with("_tokens"));
    }
    total
}
