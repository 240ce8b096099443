//! A reply of `ConverseStream`: its events, which the frame makes binary.
//!
//! Spec: <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html>. Invariant:
//! a block stops before the next one begins, indices count from 0 without gaps, and only tools' blocks have a start.

use super::reply::{Frame, metrics, report};
use super::{error, frame};
use crate::simulator::anthropic::signature;
use crate::simulator::event::{Event, Mark};
use crate::simulator::turn::{Turn, pieces};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use sluice::config::Usage;

/// Letters with which the vendor hides how long an event's text is.
const PADDING: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// All events of a reply.
pub(crate) fn events(frame: &Frame, turn: &Turn, usage: Option<Usage>) -> Vec<Event> {
    let mut stream = Stream { events: Vec::new(), index: 0 };
    stream.push(Mark::Open, "messageStart", json!({"role": "assistant"}));
    if let Some(thinking) = &turn.thinking {
        for piece in pieces(thinking) {
            stream.delta(Mark::Delta, &json!({"reasoningContent": {"text": piece}}));
        }
        if frame.signed {
            let signature = signature::sign(thinking);
            stream.delta(Mark::Frame, &json!({"reasoningContent": {"signature": signature}}));
        }
        stream.stop();
    }
    if turn.redacted {
        stream.delta(Mark::Frame, &json!({"reasoningContent": {"redactedContent": frame.sealed}}));
        stream.stop();
    }
    if !turn.text.is_empty() {
        for piece in pieces(&turn.text) {
            stream.delta(Mark::Delta, &json!({"text": piece}));
        }
        stream.stop();
    }
    for (call, id) in turn.calls.iter().zip(&frame.calls) {
        let start = json!({"start": {"toolUse": {"toolUseId": id, "name": call.name}}, "contentBlockIndex": stream.index});
        stream.push(Mark::Frame, "contentBlockStart", start);
        // The vendor begins with an empty piece; for a tool without arguments it is the only one.
        let arguments = if call.arguments == "{}" { "" } else { &call.arguments };
        for piece in std::iter::once("").chain(pieces(arguments)) {
            stream.delta(Mark::Delta, &json!({"toolUse": {"input": piece}}));
        }
        stream.stop();
    }
    if turn.failed {
        let exception = error::scripted(424, Some("ModelStreamErrorException"));
        let document = error::document(exception, None);
        stream.events.push(Event::named(Mark::Done, exception.event, &document));
        return stream.events;
    }
    let mut end = json!({"stopReason": frame.reason});
    if let (Some(additional), Value::Object(end)) = (&frame.additional, &mut end) {
        end.insert("additionalModelResponseFields".to_owned(), additional.clone());
    }
    stream.push(Mark::Finish, "messageStop", end);
    let mut metadata: Map<String, Value> = frame.echo.clone();
    metadata.insert("metrics".to_owned(), metrics(turn));
    if let Some(usage) = usage {
        metadata.insert("usage".to_owned(), report(usage));
    }
    stream.push(Mark::Done, "metadata", Value::Object(metadata));
    if let Some(last) = stream.events.last_mut() {
        last.usage = usage;
    }
    stream.events
}

struct Stream {
    events: Vec<Event>,
    index: usize,
}

impl Stream {
    fn push(&mut self, mark: Mark, name: &'static str, mut payload: Value) {
        let length = 1 + self.events.len() * 7 % PADDING.len();
        if let Value::Object(members) = &mut payload {
            members.insert("p".to_owned(), json!(PADDING.get(..length)));
        }
        self.events.push(Event::named(mark, name, &payload));
    }

    fn delta(&mut self, mark: Mark, delta: &Value) {
        self.push(mark, "contentBlockDelta", json!({"delta": delta, "contentBlockIndex": self.index}));
    }

    fn stop(&mut self) {
        self.push(Mark::Frame, "contentBlockStop", json!({"contentBlockIndex": self.index}));
        self.index += 1;
    }
}

/// An event as a message of the binary stream; what is named an exception is one.
pub(crate) fn render(event: &Event) -> Bytes {
    let name = event.name.unwrap_or("chunk");
    let content = (":content-type", "application/json");
    let headers = if name.ends_with("Exception") {
        [(":exception-type", name), content, (":message-type", "exception")]
    } else {
        [(":event-type", name), content, (":message-type", "event")]
    };
    frame::encode(&headers, event.data.as_bytes())
}
