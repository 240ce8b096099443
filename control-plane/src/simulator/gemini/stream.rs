//! A reply as a stream: server-sent events, or the elements of one JSON array.
//!
//! Spec: <https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent>. Invariant: function calls come
//! whole and together, usage comes with every element and grows, and only a candidate's last element says why it stopped.

use super::error;
use super::reply::{Identity, Said, logprobs, put};
use super::schema::Flavour;
use crate::simulator::event::{self, Event, Mark, Style};
use crate::simulator::tokens;
use crate::simulator::turn::pieces;
use crate::simulator::vendor::{Complaint, Site};
use bytes::Bytes;
use serde_json::{Value, json};
use sluice::config::Usage;

/// How the elements of a stream are held together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// As server-sent events, whose lines end in CR LF.
    Events,
    /// As an array, printed for people.
    Array,
}

impl Framing {
    /// How a stream is framed there: an array, unless the query asks for events.
    pub(crate) fn at(query: &str) -> Self {
        if query.split('&').any(|pair| pair == "alt=sse") { Self::Events } else { Self::Array }
    }

    /// The content type.
    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::Events => "text/event-stream",
            Self::Array => "application/json; charset=UTF-8",
        }
    }

    /// An element; `first` if none came before it.
    fn element(self, mark: Mark, document: &Value, first: bool) -> Event {
        match self {
            Self::Events => Event::data(mark, document),
            Self::Array => {
                let opening = if first { "[" } else { ",\r\n" };
                Event { data: format!("{opening}{document:#}"), ..Event::data(mark, &Value::Null) }
            }
        }
    }

    /// What closes the stream.
    fn close(self, events: &mut Vec<Event>) {
        if self == Self::Array {
            events.push(Event { data: "]".to_owned(), ..Event::data(Mark::Done, &Value::Null) });
        }
    }

    /// An event as bytes. What has several lines is an error, which the vendor writes bare into a stream of events.
    pub(crate) fn render(self, event: &Event, style: Style) -> Bytes {
        match self {
            Self::Events if event.data.contains('\n') => Bytes::from(format!("{}\r\n", event.data)),
            Self::Events => event::render(event, Style { crlf: true, ..style }),
            Self::Array => Bytes::from(format!("{}\n", event.data)),
        }
    }

    /// What may come between elements and says nothing.
    pub(crate) const fn ping(self) -> Bytes {
        match self {
            Self::Events => Bytes::from_static(b": keep-alive\r\n\r\n"),
            Self::Array => Bytes::from_static(b"\r\n"),
        }
    }
}

/// The event of an error. A text of a script's is sent as an event's data, as it is.
pub(crate) fn error_event(
    flavour: Flavour,
    site: Site<'_>,
    sent: &[Event],
    complaint: Complaint<'_>,
) -> Event {
    let framing = Framing::at(site.query);
    let document = match complaint.body {
        Some(Value::String(text)) => {
            return Event { data: text.clone(), ..Event::data(Mark::Frame, &Value::Null) };
        }
        Some(document) => document.clone(),
        None => error::of_status(flavour, 503, complaint.code),
    };
    match framing {
        Framing::Events => Event { data: format!("{document:#}"), ..Event::data(Mark::Frame, &Value::Null) },
        Framing::Array => {
            let mut event = framing.element(Mark::Frame, &document, sent.is_empty());
            event.data.push_str("\n]");
            event
        }
    }
}

/// The stream of one element.
pub(crate) fn only(reply: &Value, usage: Option<Usage>, framing: Framing) -> Vec<Event> {
    let mut events = vec![Event { usage, ..framing.element(Mark::Finish, reply, true) }];
    framing.close(&mut events);
    events
}

/// All events of a reply: the candidates take turns.
pub(crate) fn events(
    identity: &Identity,
    said: &[Said],
    usage: Option<Usage>,
    framing: Framing,
) -> Vec<Event> {
    let mut events = Vec::new();
    let mut push = |mark, candidate: Value, usage: Option<Usage>| {
        let document = identity.envelope(json!([candidate]), usage);
        let event = framing.element(mark, &document, events.is_empty());
        events.push(Event { usage, ..event });
    };
    // Thoughts come first, and are paid for whether they are shown or not.
    let mut so_far = usage.map(|usage| Usage { output: usage.reasoning, ..usage });
    let mut left: Vec<_> = said.iter().map(|said| deltas(said).into_iter()).collect();
    loop {
        let mut is_over = true;
        for (index, deltas) in left.iter_mut().enumerate() {
            let Some(delta) = deltas.next() else { continue };
            is_over = false;
            if let (Some(now), Some(usage)) = (&mut so_far, usage) {
                now.output = usage.output.min(now.output + delta.tokens);
            }
            let mut candidate = identity.candidate(index, &delta.parts);
            if let (Some(top), Some(piece)) = (identity.logprobs, delta.piece) {
                put(&mut candidate, "logprobsResult", logprobs(&[piece], top));
            }
            push(Mark::Delta, candidate, so_far);
        }
        if is_over {
            break;
        }
    }
    for (index, said) in said.iter().enumerate() {
        let mut part = json!({"text": ""});
        if let Some(signature) = &said.signature {
            put(&mut part, "thoughtSignature", json!(signature));
        }
        let is_silent = matches!(said.finish, "SAFETY" | "MALFORMED_FUNCTION_CALL");
        let parts = if is_silent { Vec::new() } else { vec![part] };
        let mut candidate = identity.candidate(index, &parts);
        said.end(&mut candidate);
        push(Mark::Done, candidate, usage);
    }
    framing.close(&mut events);
    events
}

/// What one element adds to a candidate.
struct Delta<'a> {
    parts: Vec<Value>,
    /// The text of it, unless it is a thought.
    piece: Option<&'a str>,
    tokens: u64,
}

fn deltas(said: &Said) -> Vec<Delta<'_>> {
    let thoughts = pieces(&said.thoughts).into_iter().map(|piece| Delta {
        parts: vec![json!({"text": piece, "thought": true})],
        piece: None,
        tokens: 0,
    });
    let text = pieces(&said.text).into_iter().map(|piece| Delta {
        parts: vec![json!({"text": piece})],
        piece: Some(piece),
        tokens: tokens::count(piece),
    });
    // All calls of a turn come at once.
    let calls = (!said.calls.is_empty()).then(|| Delta {
        parts: said.calls.clone(),
        piece: None,
        tokens: said.calls.iter().map(|part| tokens::count(&part.to_string())).sum(),
    });
    thoughts.chain(text).chain(calls).collect()
}
