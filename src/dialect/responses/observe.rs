//! The patch lane's look at replies, which pass through as they are.
//!
//! Invariant: a delta after the first token costs a few substring searches, not a parse; nothing is ever taken out.

use super::status::{Envelope, invalid};
use super::stream::{bare, encode_error};
use crate::config::Endpoint;
use crate::dialect::value::{count_or_skip, is_void, object_or_skip, text_or_skip};
use crate::dialect::{Observe, Progress, Sight, StoredReply, Summary};
use crate::ir::error::{ApiError, Fault};
use crate::wire::json::{Error, Kind, Reader, Text};
use crate::wire::sse;
use memchr::memmem::Finder;

/// Looks at a whole reply with status 200. What the provider keeps may be in any state, and its lists and deletions are no
/// responses at all.
pub(super) fn peek_reply(endpoint: Endpoint, body: &str) -> Result<Summary, Fault> {
    let mut reader = Reader::new(body);
    let envelope = Envelope::read(&mut reader)
        .and_then(|envelope| reader.end().map(|()| envelope))
        .map_err(|error| invalid(&error))?;
    let stored = endpoint == Endpoint::StoredResponses;
    if let Some(failure) = envelope.failure().filter(|_| !stored) {
        return Err(Fault::Error(failure));
    }
    let mut summary = Summary::default();
    let full = output(&envelope, &mut summary).map_err(|error| invalid(&error))?;
    note(&envelope, &mut summary);
    if stored {
        // Whether the model refused was told when it did.
        summary.refused = false;
        return Ok(summary);
    }
    // Work in the background has no output yet.
    let cut = envelope.reason.is_some();
    if full || envelope.is_under_way() || cut { Ok(summary) } else { Err(Fault::Empty) }
}

/// Notes what the envelope says.
fn note(envelope: &Envelope<'_>, summary: &mut Summary) {
    summary.usage = envelope.usage.or(summary.usage);
    let word = envelope.word();
    if !word.is_empty() {
        summary.refused |= word == "content_filter";
        summary.finish_reason = Some(word.plain().into_owned());
    }
    if envelope.store != Some(false)
        && let Some(id) = envelope.id.as_ref().filter(|id| !id.is_empty())
    {
        let progress = if envelope.is_under_way() { Progress::UnderWay } else { Progress::Over };
        let background = envelope.background.then_some(progress);
        let model = envelope.model.as_ref().filter(|model| !model.is_empty());
        let model = model.map(|model| model.plain().into_owned());
        summary.stored = Some(StoredReply { id: id.plain().into_owned(), background, model });
    }
}

/// Counts what the output says, and whether there is any.
fn output(envelope: &Envelope<'_>, summary: &mut Summary) -> Result<bool, Error> {
    let Some(mut reader) = envelope.output.clone() else { return Ok(false) };
    let mut full = false;
    reader.array()?;
    while reader.element()? {
        full = true;
        said(&mut reader, summary)?;
    }
    Ok(full)
}

/// Counts the texts of an item, its parts included.
fn said(reader: &mut Reader<'_>, summary: &mut Summary) -> Result<(), Error> {
    match reader.peek()? {
        Kind::Object => {
            reader.object()?;
            while let Some(key) = reader.key()? {
                match &*key.plain() {
                    name @ ("text" | "refusal" | "arguments" | "input") => {
                        if let Some(text) = text_or_skip(reader)? {
                            summary.refused |= name == "refusal";
                            heard(summary, text.held_len());
                        }
                    }
                    "content" | "summary" => said(reader, summary)?,
                    _ => reader.skip()?,
                }
            }
        }
        Kind::Array => {
            reader.array()?;
            while reader.element()? {
                said(reader, summary)?;
            }
        }
        _ => reader.skip()?,
    }
    Ok(())
}

fn heard(summary: &mut Summary, bytes: usize) {
    let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
    summary.output_bytes = summary.output_bytes.saturating_add(bytes);
}

/// Watches a stream.
#[derive(Debug)]
pub(super) struct Observer {
    summary: Summary,
    /// Whether it replays what is kept: then a failure or a refusal is what was asked for, and not the provider's.
    replay: bool,
    answered: bool,
    complete: bool,
    /// The number that the next event would have.
    next: u64,
    numbers: Finder<'static>,
    deltas: Finder<'static>,
}

impl Observer {
    pub(super) fn new(endpoint: Endpoint) -> Self {
        Self {
            summary: Summary::default(),
            replay: endpoint == Endpoint::StoredResponses,
            answered: false,
            complete: false,
            next: 0,
            numbers: Finder::new("\"sequence_number\":"),
            deltas: Finder::new("\"delta\":\""),
        }
    }

    /// Whether the block is surely nothing but a delta; if so its text is counted.
    fn is_plain_delta(&mut self, block: &[u8]) -> bool {
        if !self.answered || !block.starts_with(b"event: response.") {
            return false;
        }
        let line = block.get(..block.len().min(64)).unwrap_or_default();
        let name = line.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
        if !name.ends_with(b".delta") || name.ends_with(b"refusal.delta") {
            return false;
        }
        let Some(at) = self.deltas.find(block) else { return false };
        let text = block.get(at + self.deltas.needle().len()..).unwrap_or_default();
        let Some(length) = string_length(text) else { return false };
        heard(&mut self.summary, length);
        if let Some(number) = self.number(block) {
            self.next = number.saturating_add(1);
        }
        true
    }

    /// The number of a block that is not parsed.
    fn number(&self, block: &[u8]) -> Option<u64> {
        let at = self.numbers.find(block)?;
        let digits = block.get(at + self.numbers.needle().len()..)?.trim_ascii_start();
        let end = digits.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
        std::str::from_utf8(digits.get(..end)?).ok()?.parse().ok()
    }

    fn data(&mut self, name: &str, data: &str) -> Result<Sight, Fault> {
        let found = match Found::read(data) {
            Ok(found) => found,
            // Once the client reads along, its own parser is the judge.
            Err(_) if self.answered => return Ok(Sight::Silent),
            Err(error) => return Err(invalid(&error)),
        };
        self.next = found.number.map_or(self.next, |number| number.saturating_add(1));
        let kind = found.kind.as_ref().map_or_else(|| name.into(), Text::plain);
        if kind == "error" || (found.error.is_some() && !kind.starts_with("response.")) {
            return Err(Fault::Error(super::status::failure(found.error.unwrap_or(data))));
        }
        let mut token = false;
        if let Some(mut reader) = found.response {
            let envelope = Envelope::read(&mut reader).map_err(|error| invalid(&error))?;
            token = self.response(&kind, &envelope)?;
        }
        if let Some(delta) = found.delta.filter(|delta| !delta.is_empty()) {
            self.summary.refused |= kind == "response.refusal.delta" && !self.replay;
            heard(&mut self.summary, delta.held_len());
            token = true;
        }
        // A call is an answer at once; text and thinking are when there is some.
        let begins = kind == "response.output_item.added";
        token |= begins && found.item.is_some_and(|kind| kind != "message" && kind != "reasoning");
        self.answered |= token;
        Ok(if token { Sight::Token } else { Sight::Silent })
    }

    /// An event with the whole response. Says whether it is the last.
    fn response(&mut self, kind: &str, envelope: &Envelope<'_>) -> Result<bool, Fault> {
        let last = matches!(
            kind,
            "response.completed" | "response.incomplete" | "response.failed" | "response.cancelled"
        );
        note(envelope, &mut self.summary);
        self.summary.refused &= !self.replay;
        if !last {
            self.summary.finish_reason = None;
            return Ok(false);
        }
        if let Some(failure) = envelope.failure().filter(|_| !self.replay) {
            return Err(Fault::Error(failure));
        }
        if !self.answered && kind == "response.completed" {
            let full = output(envelope, &mut self.summary).map_err(|error| invalid(&error))?;
            self.summary.refused &= !self.replay;
            if !full && !self.replay {
                return Err(Fault::Empty);
            }
        }
        self.complete = true;
        Ok(true)
    }
}

/// The length of a JSON string whose opening quote is passed.
fn string_length(text: &[u8]) -> Option<usize> {
    let mut length = 0;
    while let Some(at) = memchr::memchr2(b'"', b'\\', text.get(length..).unwrap_or_default()) {
        length += at;
        if text.get(length) == Some(&b'"') {
            return Some(length);
        }
        length += 2;
    }
    None
}

/// An event's members, as far as they matter here.
#[derive(Debug, Default)]
struct Found<'a> {
    kind: Option<Text<'a>>,
    number: Option<u64>,
    delta: Option<Text<'a>>,
    response: Option<Reader<'a>>,
    /// The type of an item.
    item: Option<Text<'a>>,
    error: Option<&'a str>,
}

impl<'a> Found<'a> {
    fn read(data: &'a str) -> Result<Self, Error> {
        let mut found = Self::default();
        let mut reader = Reader::new(data);
        reader.object()?;
        while let Some(key) = reader.key()? {
            match &*key.plain() {
                "type" => found.kind = text_or_skip(&mut reader)?,
                "sequence_number" => found.number = count_or_skip(&mut reader)?,
                "delta" => found.delta = text_or_skip(&mut reader)?,
                "response" => {
                    found.response = (reader.peek()? == Kind::Object).then(|| reader.clone());
                    reader.skip()?;
                }
                "item" => {
                    if object_or_skip(&mut reader)? {
                        while let Some(key) = reader.key()? {
                            if key == "type" {
                                found.item = text_or_skip(&mut reader)?;
                            } else {
                                reader.skip()?;
                            }
                        }
                    }
                }
                "error" => found.error = Some(reader.raw()?).filter(|error| !is_void(error)),
                _ => reader.skip()?,
            }
        }
        reader.end()?;
        Ok(found)
    }
}

impl Observe for Observer {
    fn block(&mut self, block: &[u8]) -> Result<Sight, Fault> {
        if self.complete {
            return Ok(Sight::Silent);
        }
        if self.is_plain_delta(block) {
            return Ok(Sight::Token);
        }
        let event = sse::Event::parse(block);
        match event.data.as_deref().map(str::trim) {
            None => bare(block).map_or(Ok(Sight::Silent), Err),
            Some("" | "[DONE]") => Ok(Sight::Silent),
            Some(data) => self.data(event.name, data),
        }
    }

    fn summary(&self) -> &Summary {
        &self.summary
    }

    fn is_complete(&self) -> bool {
        self.complete
    }

    fn error(&mut self, error: &ApiError, _request_id: &str, out: &mut Vec<u8>) {
        encode_error(error, self.next, out);
        self.next = self.next.saturating_add(1);
    }
}

#[cfg(test)]
mod tests;
