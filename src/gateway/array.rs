//! Gemini's streams without `alt=sse`: one JSON array whose elements are the events' data.
//! <https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent>
//!
//! Invariant: what comes out is a whole JSON array once the stream is over, however it ended and however it was cut.

use crate::wire::json::Reader;
use crate::wire::sse::{Event, Splitter, TooLong};
use std::borrow::Cow;

/// Turns server-sent events into an array.
#[derive(Debug, Default)]
pub struct Array {
    splitter: Splitter,
    begun: bool,
}

impl Array {
    /// Takes the next bytes of the events and appends the elements that are whole.
    pub fn push(&mut self, events: &[u8], out: &mut Vec<u8>) -> Result<(), TooLong> {
        let begun = &mut self.begun;
        self.splitter.push(events, |block| element(block, begun, out))
    }

    /// The stream is over: the array ends. An event without its blank line is an element if its data is whole.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        let rest = self.splitter.take_pending();
        if Event::parse(&rest).data.is_none_or(|data| is_json(&data)) {
            element(&rest, &mut self.begun, out);
        }
        out.extend_from_slice(if self.begun { b"\n]\n" } else { b"[]\n" });
    }
}

fn is_json(text: &str) -> bool {
    let mut reader = Reader::new(text);
    reader.skip().and_then(|()| reader.end()).is_ok()
}

fn element(block: &[u8], begun: &mut bool, out: &mut Vec<u8>) {
    let data = Event::parse(block).data.filter(|data| !data.is_empty());
    let Some(data) = data.or_else(|| unframed(block).map(Cow::Borrowed)) else { return };
    out.extend_from_slice(if std::mem::replace(begun, true) { b",\r\n" } else { b"[" });
    out.extend_from_slice(data.as_bytes());
}

/// Google writes errors between the events without a frame: one document, or an array of it.
fn unframed(block: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(block).ok()?.trim();
    let inner = text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
    let text = inner.unwrap_or(text).trim();
    (text.starts_with('{') && is_json(text)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(chunks: &[&[u8]]) -> String {
        let mut array = Array::default();
        let mut out = Vec::new();
        chunks.iter().for_each(|chunk| array.push(chunk, &mut out).unwrap());
        array.finish(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn events_become_elements_however_they_are_cut() {
        let events =
            ": ping\r\n\r\ndata: {\"a\":\"é\"}\r\n\r\ndata: {\ndata: \"b\":1}\n\ndata: {\"c\":2}".as_bytes();
        let wanted = "[{\"a\":\"é\"},\r\n{\n\"b\":1},\r\n{\"c\":2}\n]\n";
        assert_eq!(array(&[events]), wanted);
        for at in 0..=events.len() {
            let (left, right) = events.split_at(at);
            assert_eq!(array(&[left, right]), wanted, "split at {at}");
        }
        serde_json::from_str::<serde_json::Value>(wanted).unwrap();
    }

    #[test]
    fn an_error_without_a_frame_is_an_element() {
        for error in ["{\n  \"error\": {}\n}", "[{\n  \"error\": {}\n}\n]"] {
            let found = array(&[format!("data: {{}}\n\n{error}\n\n").as_bytes()]);
            assert_eq!(found, "[{},\r\n{\n  \"error\": {}\n}\n]\n");
            assert_eq!(array(&[format!("data: {{}}\n\n{error}").as_bytes()]), found);
        }
        assert_eq!(array(&[b"event: x\n\n{\n\n{} {}\n\n"]), "[]\n");
    }

    #[test]
    fn what_the_stream_left_unfinished_is_no_element() {
        let event = "data: {\"a\":{\"b\":1}}";
        let unfinished = "data: {\"c\":\ndata: {\"d\":2}}";
        for at in 0..unfinished.len() {
            let (left, _) = unfinished.split_at(at);
            let found = array(&[format!("{event}\n\n{left}").as_bytes()]);
            assert_eq!(found, "[{\"a\":{\"b\":1}}\n]\n", "cut at {at}");
        }
    }

    #[test]
    fn no_events_are_an_empty_array() {
        assert_eq!(array(&[]), "[]\n");
        assert_eq!(array(&[b": ping\n\n"]), "[]\n");
    }
}
