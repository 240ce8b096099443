//! A Messages reply as a stream.
//!
//! Spec: <https://docs.claude.com/en/docs/build-with-claude/streaming>. Invariant: every block starts, has its deltas and
//! stops before the next one starts; indices count from 0 without gaps.

use super::reply::{Identity, finish, report, total};
use super::signature;
use crate::simulator::event::{Event, Mark};
use crate::simulator::turn::{Turn, pieces};
use serde_json::{Value, json};
use sluice::config::Usage;

/// All events of a reply.
pub(crate) fn events(identity: &Identity, turn: &Turn, usage: Option<Usage>) -> Vec<Event> {
    let mut message = identity.message(json!([]));
    let early = usage.map(|usage| Usage { output: 1, ..usage });
    if let (Value::Object(members), Some(early)) = (&mut message, early) {
        members.insert("usage".to_owned(), report(early));
    }
    let mut start =
        Event::named(Mark::Open, "message_start", &json!({"type": "message_start", "message": message}));
    start.usage = early;
    let mut stream = Stream { events: vec![start], index: 0 };
    if let Some(thinking) = &turn.thinking {
        let deltas =
            pieces(thinking).into_iter().map(|piece| json!({"type": "thinking_delta", "thinking": piece}));
        let signature = json!({"type": "signature_delta", "signature": signature::sign(thinking)});
        stream.block(&json!({"type": "thinking", "thinking": "", "signature": ""}), deltas, Some(&signature));
    }
    if turn.redacted {
        let block = json!({"type": "redacted_thinking", "data": identity.sealed()});
        stream.block(&block, std::iter::empty(), None);
    }
    if !turn.text.is_empty() {
        let deltas = pieces(&turn.text).into_iter().map(|piece| json!({"type": "text_delta", "text": piece}));
        stream.block(&json!({"type": "text", "text": ""}), deltas, None);
    }
    for (call, id) in turn.calls.iter().zip(&identity.calls) {
        // The vendor begins with an empty piece; for a tool without arguments it is the only one.
        let arguments = if call.arguments == "{}" { "" } else { &call.arguments };
        let texts = std::iter::once("").chain(pieces(arguments));
        let deltas = texts.map(|piece| json!({"type": "input_json_delta", "partial_json": piece}));
        stream.block(&json!({"type": "tool_use", "id": id, "name": call.name, "input": {}}), deltas, None);
    }
    let (reason, sequence) = finish(&turn.stop);
    let delta = json!({"stop_reason": reason, "stop_sequence": sequence});
    let mut end = json!({"type": "message_delta", "delta": delta});
    if let (Value::Object(members), Some(usage)) = (&mut end, usage) {
        members.insert("usage".to_owned(), total(usage));
    }
    let mut end = Event::named(Mark::Finish, "message_delta", &end);
    end.usage = usage;
    stream.events.push(end);
    stream.events.push(Event::named(Mark::Done, "message_stop", &json!({"type": "message_stop"})));
    stream.events
}

/// A ping.
pub(crate) fn ping() -> Event {
    Event::named(Mark::Ping, "ping", &json!({"type": "ping"}))
}

struct Stream {
    events: Vec<Event>,
    index: usize,
}

impl Stream {
    fn block(&mut self, block: &Value, deltas: impl Iterator<Item = Value>, last: Option<&Value>) {
        let index = self.index;
        let start = json!({"type": "content_block_start", "index": index, "content_block": block});
        self.events.push(Event::named(Mark::Frame, "content_block_start", &start));
        if index == 0 {
            self.events.push(ping());
        }
        let delta = |mark, delta: &Value| {
            let event = json!({"type": "content_block_delta", "index": index, "delta": delta});
            Event::named(mark, "content_block_delta", &event)
        };
        self.events.extend(deltas.map(|piece| delta(Mark::Delta, &piece)));
        self.events.extend(last.map(|piece| delta(Mark::Frame, piece)));
        let stop = json!({"type": "content_block_stop", "index": index});
        self.events.push(Event::named(Mark::Frame, "content_block_stop", &stop));
        self.index += 1;
    }
}
