//! A Chat Completions reply as a stream of chunks.
//!
//! Spec: <https://platform.openai.com/docs/api-reference/chat-streaming>. Invariant: for each choice the role comes
//! first and the finish reason last; the usage chunk, if asked for, has no choices; then `[DONE]`.

use super::chat::{Identity, finish, logprobs, report};
use super::validate::Request;
use crate::simulator::event::{Event, Mark};
use crate::simulator::turn::{Turn, pieces};
use serde_json::{Value, json};
use sluice::config::Usage;

/// All events of a reply.
pub(crate) fn events(
    identity: &Identity,
    request: &Request<'_>,
    turn: &Turn,
    usage: Option<Usage>,
) -> Vec<Event> {
    let chunk = |mark, choices: Value| {
        let mut chunk = identity.envelope("chat.completion.chunk");
        if let Value::Object(members) = &mut chunk {
            members.insert("choices".to_owned(), choices);
            if request.include_usage && usage.is_some() {
                members.insert("usage".to_owned(), Value::Null);
            }
        }
        Event::data(mark, &chunk)
    };
    let choice = |index: usize, delta: &Value, probabilities: Value, reason: Option<&str>| json!([{"index": index, "delta": delta, "logprobs": probabilities, "finish_reason": reason}]);
    let everyone = 0..request.choices;
    let role = json!({"role": "assistant", "content": if turn.calls.is_empty() { json!("") } else { Value::Null }, "refusal": null});
    let mut events: Vec<Event> =
        everyone.clone().map(|index| chunk(Mark::Open, choice(index, &role, Value::Null, None))).collect();
    for (delta, text) in deltas(identity, turn) {
        let probabilities = match (request.logprobs, text) {
            (Some(top), Some(piece)) => logprobs(&[piece], top),
            _ => Value::Null,
        };
        for index in everyone.clone() {
            events.push(chunk(Mark::Delta, choice(index, &delta, probabilities.clone(), None)));
        }
    }
    for index in everyone {
        events.push(chunk(Mark::Finish, choice(index, &json!({}), Value::Null, Some(finish(&turn.stop)))));
    }
    if let Some(usage) = usage {
        let mut last = identity.envelope("chat.completion.chunk");
        if let Value::Object(members) = &mut last {
            members.insert("choices".to_owned(), json!([]));
            members.insert("usage".to_owned(), report(usage));
        }
        events.push(Event::data(Mark::Finish, &last).reporting(usage));
    }
    events.push(done());
    events
}

/// The terminator.
pub(crate) fn done() -> Event {
    Event { name: None, data: "[DONE]".to_owned(), mark: Mark::Done, usage: None }
}

/// The deltas of one choice; with the text that a delta of content carries.
fn deltas<'a>(identity: &Identity, turn: &'a Turn) -> Vec<(Value, Option<&'a str>)> {
    let thinking = pieces(turn.thinking.as_deref().unwrap_or_default());
    let thinking = thinking.into_iter().map(|piece| (json!({"reasoning_content": piece}), None));
    let text = pieces(&turn.text).into_iter().map(|piece| (json!({"content": piece}), Some(piece)));
    let mut deltas: Vec<_> = thinking.chain(text).collect();
    for (index, (call, id)) in turn.calls.iter().zip(&identity.calls).enumerate() {
        let function = json!({"name": call.name, "arguments": ""});
        let first =
            json!({"tool_calls": [{"index": index, "id": id, "type": "function", "function": function}]});
        deltas.push((first, None));
        for piece in pieces(&call.arguments) {
            deltas.push((json!({"tool_calls": [{"index": index, "function": {"arguments": piece}}]}), None));
        }
    }
    deltas
}
