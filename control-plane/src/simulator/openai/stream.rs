//! A Chat Completions reply as a stream of chunks.
//!
//! Spec: <https://platform.openai.com/docs/api-reference/chat-streaming>. Invariant: for each choice the role comes
//! first and the finish reason last; the usage chunk, if asked for, has no choices; then `[DONE]`.

use super::chat::{Identity, annotations, called, cost, finish, logprobs, put};
use super::validate::Request;
use crate::simulator::event::{Event, Mark};
use crate::simulator::turn::{self, Turn, pieces};
use serde_json::{Value, json};
use sluice::config::Usage;

/// All events of a reply.
pub(crate) fn events(
    identity: &Identity,
    request: &Request<'_>,
    turns: &[Turn],
    usage: Option<Usage>,
) -> Vec<Event> {
    let chunk = |mark, choices: Value| {
        let mut chunk = identity.envelope("chat.completion.chunk");
        put(&mut chunk, "choices", choices);
        if request.include_usage && usage.is_some() {
            put(&mut chunk, "usage", Value::Null);
        }
        Event::data(mark, &chunk)
    };
    let choice = |index: usize, delta: &Value, probabilities: Value, reason: Option<&str>| json!([{"index": index, "delta": delta, "logprobs": probabilities, "finish_reason": reason}]);
    let role = |turn: &Turn| json!({"role": "assistant", "content": if turn.calls.is_empty() { json!("") } else { Value::Null }, "refusal": null});
    let each = || turns.iter().enumerate();
    let mut events: Vec<Event> = each()
        .map(|(index, turn)| chunk(Mark::Open, choice(index, &role(turn), Value::Null, None)))
        .collect();
    let said: Vec<_> = turns.iter().map(|turn| deltas(identity, request, turn)).collect();
    // The choices take turns, as they do where several are made at once.
    for step in 0..said.iter().map(Vec::len).max().unwrap_or(0) {
        for (index, turn) in each() {
            let Some((delta, text)) = said.get(index).and_then(|deltas| deltas.get(step)) else { continue };
            let probabilities = match (request.logprobs, text) {
                (Some(top), Some(piece)) => logprobs(&[piece], top, turn.declined),
                _ => Value::Null,
            };
            events.push(chunk(Mark::Delta, choice(index, delta, probabilities, None)));
        }
    }
    for (index, turn) in each().filter(|(_, turn)| !turn.cites.is_empty()) {
        let delta = json!({"annotations": annotations(turn)});
        events.push(chunk(Mark::Frame, choice(index, &delta, Value::Null, None)));
    }
    for (index, turn) in each() {
        events.push(chunk(Mark::Finish, choice(index, &json!({}), Value::Null, Some(finish(&turn.stop)))));
    }
    if let Some(usage) = usage {
        let mut last = identity.envelope("chat.completion.chunk");
        put(&mut last, "choices", json!([]));
        put(&mut last, "usage", cost(request, turns, usage));
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
fn deltas<'a>(identity: &Identity, request: &Request<'_>, turn: &'a Turn) -> Vec<(Value, Option<&'a str>)> {
    let thinking = turn.thinking.as_deref().filter(|_| turn.dictated);
    let thinking = pieces(thinking.unwrap_or_default());
    let thinking = thinking.into_iter().map(|piece| (json!({"reasoning_content": piece}), None));
    let member = if turn.declined { "refusal" } else { "content" };
    let text = pieces(&turn.text).into_iter().map(|piece| (json!({member: piece}), Some(piece)));
    let mut deltas: Vec<_> = thinking.chain(text).collect();
    for (index, (call, id)) in turn.calls.iter().zip(&identity.calls).enumerate() {
        let custom = request.custom.contains(&call.name);
        let (kind, said) = if custom { ("custom", "input") } else { ("function", "arguments") };
        let mut first = called(request, &turn::Call { arguments: String::new(), ..call.clone() }, id);
        put(&mut first, "index", json!(index));
        deltas.push((json!({"tool_calls": [first]}), None));
        for piece in pieces(&call.arguments) {
            deltas.push((json!({"tool_calls": [{"index": index, kind: {said: piece}}]}), None));
        }
    }
    deltas
}
