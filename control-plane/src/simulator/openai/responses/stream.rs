//! A response as a stream of events.
//!
//! Spec: <https://platform.openai.com/docs/api-reference/responses-streaming>. Invariant: sequence numbers count from 0
//! without gaps; an item is added, has its parts, and is done before the next is added; the last event has the whole.

use super::memory::unfinished;
use crate::simulator::event::{Event, Mark};
use crate::simulator::openai::chat;
use crate::simulator::turn::pieces;
use serde_json::{Map, Value, json};
use sluice::config::Usage;

/// How a stream is to be told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    /// Whether the run was queued first.
    pub(crate) background: bool,
    /// With how many alternatives each token comes, if with any probability.
    pub(crate) top: Option<usize>,
    /// Whether padding hides the length of each delta.
    pub(crate) obfuscated: bool,
}

/// Deltas shorter than this are padded to it.
const PADDED: usize = 16;

/// All events of a response.
pub(crate) fn events(document: &Value, manner: Manner, usage: Option<Usage>) -> Vec<Event> {
    let mut stream = Stream { events: Vec::new(), manner };
    let first = if manner.background { "queued" } else { "in_progress" };
    stream.push(Mark::Open, "response.created", json!({"response": unfinished(document, first)}));
    if manner.background {
        stream.push(Mark::Open, "response.queued", json!({"response": unfinished(document, "queued")}));
    }
    stream.push(Mark::Open, "response.in_progress", json!({"response": unfinished(document, "in_progress")}));
    let output = document.get("output").and_then(Value::as_array).into_iter().flatten();
    for (index, item) in output.enumerate() {
        stream.item(index, item);
    }
    let last = match document.get("status").and_then(Value::as_str) {
        Some("failed") => "response.failed",
        Some("incomplete") => "response.incomplete",
        _ => "response.completed",
    };
    stream.push(Mark::Done, last, json!({"response": document}));
    if let (Some(last), Some(usage)) = (stream.events.last_mut(), usage) {
        last.usage = Some(usage);
    }
    stream.events
}

/// The events after a sequence number.
pub(crate) fn after(events: &[Event], number: Option<usize>) -> Vec<Event> {
    events.iter().skip(number.map_or(0, |number| number + 1)).cloned().collect()
}

/// The error event.
pub(crate) fn error(sent: &[Event], error: &Value) -> Event {
    let get = |name: &str| error.pointer(&format!("/error/{name}")).cloned().unwrap_or_default();
    let event = json!({
        "type": "error", "sequence_number": sent.len(), "code": get("code"), "message": get("message"),
        "param": get("param"),
    });
    Event::named(Mark::Frame, "error", &event)
}

struct Stream {
    events: Vec<Event>,
    manner: Manner,
}

/// Where the deltas of one text go.
struct Place<'a> {
    item: &'a str,
    index: usize,
    part: Option<(&'static str, usize)>,
}

impl Place<'_> {
    fn with(&self, members: Value) -> Value {
        let mut all = json!({"item_id": self.item, "output_index": self.index});
        if let (Value::Object(all), Value::Object(members)) = (&mut all, members) {
            if let Some((name, index)) = self.part {
                all.insert(name.to_owned(), json!(index));
            }
            all.extend(members);
        }
        all
    }
}

impl Stream {
    fn push(&mut self, mark: Mark, name: &'static str, members: Value) {
        let mut all = Map::new();
        all.insert("type".to_owned(), json!(name));
        all.insert("sequence_number".to_owned(), json!(self.events.len()));
        if let Value::Object(members) = members {
            all.extend(members);
        }
        self.events.push(Event::named(mark, name, &Value::Object(all)));
    }

    fn item(&mut self, index: usize, item: &Value) {
        let text = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default();
        let kind = text("type");
        let id = text("id");
        let place = |part| Place { item: id, index, part };
        self.push(
            Mark::Frame,
            "response.output_item.added",
            json!({"output_index": index, "item": begun(item)}),
        );
        let parts = |name: &str| item.get(name).and_then(Value::as_array).into_iter().flatten();
        match kind {
            "reasoning" => {
                for (part, summary) in parts("summary").enumerate() {
                    self.summary(&place(Some(("summary_index", part))), summary);
                }
            }
            "message" => {
                for (part, content) in parts("content").enumerate() {
                    self.content(&place(Some(("content_index", part))), content);
                }
            }
            "function_call" => self.said(
                &place(None),
                ["response.function_call_arguments.delta", "response.function_call_arguments.done"],
                ("arguments", text("arguments")),
                &[],
            ),
            "custom_tool_call" => self.said(
                &place(None),
                ["response.custom_tool_call_input.delta", "response.custom_tool_call_input.done"],
                ("input", text("input")),
                &[],
            ),
            "web_search_call" => {
                for name in [
                    "response.web_search_call.in_progress",
                    "response.web_search_call.searching",
                    "response.web_search_call.completed",
                ] {
                    self.push(Mark::Frame, name, place(None).with(json!({})));
                }
            }
            _ => {}
        }
        self.push(Mark::Frame, "response.output_item.done", json!({"output_index": index, "item": item}));
    }

    /// The deltas of a text, its sources, and the whole.
    fn said(
        &mut self,
        place: &Place<'_>,
        names: [&'static str; 2],
        (member, text): (&str, &str),
        sources: &[Value],
    ) {
        let [delta, done] = names;
        for piece in pieces(text) {
            let mut members = json!({"delta": piece});
            if let Some(probabilities) = self.probabilities(delta, &[piece]) {
                chat::put(&mut members, "logprobs", probabilities);
            }
            if self.manner.obfuscated {
                let padding = "x".repeat(PADDED.saturating_sub(piece.len()));
                chat::put(&mut members, "obfuscation", json!(padding));
            }
            self.push(Mark::Delta, delta, place.with(members));
        }
        for (index, source) in sources.iter().enumerate() {
            let members = json!({"annotation_index": index, "annotation": source});
            self.push(Mark::Frame, "response.output_text.annotation.added", place.with(members));
        }
        let mut members = json!({member: text});
        if let Some(probabilities) = self.probabilities(delta, &pieces(text)) {
            chat::put(&mut members, "logprobs", probabilities);
        }
        self.push(Mark::Frame, done, place.with(members));
    }

    /// Only texts have them, and these always, if only an empty list.
    fn probabilities(&self, name: &str, pieces: &[&str]) -> Option<Value> {
        (name == "response.output_text.delta")
            .then(|| self.manner.top.map_or_else(|| json!([]), |top| chat::probabilities(pieces, top)))
    }

    fn summary(&mut self, place: &Place<'_>, part: &Value) {
        let empty = json!({"type": "summary_text", "text": ""});
        self.push(Mark::Frame, "response.reasoning_summary_part.added", place.with(json!({"part": empty})));
        let names = ["response.reasoning_summary_text.delta", "response.reasoning_summary_text.done"];
        self.said(place, names, ("text", part.get("text").and_then(Value::as_str).unwrap_or_default()), &[]);
        self.push(Mark::Frame, "response.reasoning_summary_part.done", place.with(json!({"part": part})));
    }

    fn content(&mut self, place: &Place<'_>, part: &Value) {
        let refusal = part.get("type").and_then(Value::as_str) == Some("refusal");
        let (empty, names, member) = if refusal {
            let names = ["response.refusal.delta", "response.refusal.done"];
            (json!({"type": "refusal", "refusal": ""}), names, "refusal")
        } else {
            let names = ["response.output_text.delta", "response.output_text.done"];
            (json!({"type": "output_text", "annotations": [], "logprobs": [], "text": ""}), names, "text")
        };
        self.push(Mark::Frame, "response.content_part.added", place.with(json!({"part": empty})));
        let sources = part.get("annotations").and_then(Value::as_array).map(Vec::as_slice);
        let text = part.get(member).and_then(Value::as_str).unwrap_or_default();
        self.said(place, names, (member, text), sources.unwrap_or_default());
        self.push(Mark::Frame, "response.content_part.done", place.with(json!({"part": part})));
    }
}

/// An item before it says anything.
fn begun(item: &Value) -> Value {
    let mut item = item.clone();
    if let Value::Object(members) = &mut item {
        for (name, value) in members.iter_mut() {
            match name.as_str() {
                "status" => *value = json!("in_progress"),
                "content" | "summary" => *value = json!([]),
                "arguments" | "input" => *value = json!(""),
                _ => {}
            }
        }
    }
    item
}
