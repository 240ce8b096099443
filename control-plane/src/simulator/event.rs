//! One server-sent event of a reply, and the ways in which a vendor may write it down.
//!
//! Invariant: the style changes bytes only; a correct reader sees the same events in every style.

use bytes::{BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sluice::config::Usage;

/// What an event means to a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// Comes before the first token.
    Open,
    /// Carries a token: text, thinking, or a piece of a tool call.
    Delta,
    /// Structure between tokens.
    Frame,
    /// Keeps the connection alive, says nothing.
    Ping,
    /// Says why the model stopped, or what it used.
    Finish,
    /// The very last: `[DONE]`, `message_stop`.
    Done,
}

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    /// The `event:` line, where the dialect has one.
    pub(crate) name: Option<&'static str>,
    /// The `data:` line.
    pub(crate) data: String,
    /// What it means.
    pub(crate) mark: Mark,
    /// The usage it reports.
    pub(crate) usage: Option<Usage>,
}

impl Event {
    /// An event without a name.
    pub(crate) fn data(mark: Mark, data: &Value) -> Self {
        Self { name: None, data: data.to_string(), mark, usage: None }
    }

    /// An event with a name, which is also its `type`.
    pub(crate) fn named(mark: Mark, name: &'static str, data: &Value) -> Self {
        Self { name: Some(name), ..Self::data(mark, data) }
    }

    /// The same event, which reports `usage`.
    #[must_use]
    pub(crate) fn reporting(self, usage: Usage) -> Self {
        Self { usage: Some(usage), ..self }
    }
}

/// How events are written down.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Style {
    /// `data:x` in place of `data: x`.
    pub(crate) no_space: bool,
    /// Lines end in CR LF.
    pub(crate) crlf: bool,
    /// A comment goes before each event.
    pub(crate) comments: bool,
    /// Each event is written in pieces of this many bytes; 0: whole.
    pub(crate) split: usize,
}

/// An event as bytes.
pub(crate) fn render(event: &Event, style: Style) -> Bytes {
    let newline: &[u8] = if style.crlf { b"\r\n" } else { b"\n" };
    let space: &[u8] = if style.no_space { b"" } else { b" " };
    let mut out = BytesMut::with_capacity(event.data.len() + 64);
    let mut line = |field: &[u8], value: &[u8]| {
        out.put(field);
        out.put(&b":"[..]);
        out.put(space);
        out.put(value);
        out.put(newline);
    };
    if style.comments {
        line(b"", b"keep-alive");
    }
    if let Some(name) = event.name {
        line(b"event", name.as_bytes());
    }
    line(b"data", event.data.as_bytes());
    out.put(newline);
    out.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn styles_change_only_the_bytes() {
        let event = Event::named(Mark::Ping, "ping", &json!({"a": 1}));
        assert_eq!(render(&event, Style::default()), "event: ping\ndata: {\"a\":1}\n\n");
        let style = Style { no_space: true, crlf: true, comments: true, split: 0 };
        assert_eq!(render(&event, style), ":keep-alive\r\nevent:ping\r\ndata:{\"a\":1}\r\n\r\n");
    }
}
