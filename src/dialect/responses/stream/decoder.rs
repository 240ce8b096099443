//! An upstream's events as the IR's.
//!
//! Invariant: unknown events are passed over; a stream that ends without its response is never presented as whole.

use super::lanes::{Lanes, Says, Sink};
use crate::dialect::DecodeStream;
use crate::dialect::openai_api::logprobs;
use crate::dialect::responses::item::read::{Item, Said, Shape, part};
use crate::dialect::responses::status::{Envelope, failure, invalid};
use crate::dialect::value::{count_or_skip, is_void, text_or_skip};
use crate::ir::chat::{FinishReason, Logprob};
use crate::ir::error::Fault;
use crate::ir::event::{Delta, Event};
use crate::wire::json::{Error, Kind, Reader, Text};
use crate::wire::sse;

/// Where the paragraphs of a reasoning text are counted on from: behind any summary.
const BEHIND_SUMMARY: u64 = 1 << 32;

/// Reads one stream.
#[derive(Debug, Default)]
pub(in crate::dialect::responses) struct Decoder {
    splitter: sse::Splitter,
    state: State,
}

#[derive(Debug, Default)]
struct State {
    started: bool,
    ended: bool,
    id: String,
    lanes: Lanes,
}

impl DecodeStream for Decoder {
    fn push(&mut self, chunk: &[u8], sink: Sink<'_>) -> Result<(), Fault> {
        let Self { splitter, state } = self;
        let mut result = Ok(());
        let pushed = splitter.push(chunk, |block| {
            if result.is_ok() {
                result = state.block(block, sink);
            }
        });
        result?;
        pushed.map_err(|error| Fault::Invalid(error.to_string()))
    }

    fn finish(&mut self, sink: Sink<'_>) -> Result<(), Fault> {
        let rest = self.splitter.take_pending();
        match self.state.block(&rest, sink) {
            // A cut block is no news: what counts is whether the reply was whole before it.
            Ok(()) | Err(Fault::Invalid(_)) => {}
            Err(fault) => return Err(fault),
        }
        if self.state.ended {
            Ok(())
        } else if self.state.started || !rest.trim_ascii().is_empty() {
            Err(Fault::Truncated)
        } else {
            Err(Fault::Empty)
        }
    }
}

/// An event's members, leniently read.
#[derive(Debug, Default)]
struct Found<'a> {
    kind: Option<Text<'a>>,
    output_index: Option<u64>,
    /// `content_index` or `summary_index`.
    place: u64,
    delta: Option<Text<'a>>,
    /// `text`, `refusal`, `arguments` or `input` of an event that tells the whole.
    whole: Option<Text<'a>>,
    logprobs: Vec<Logprob<'a>>,
    response: Option<Reader<'a>>,
    item: Option<Reader<'a>>,
    part: Option<Reader<'a>>,
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
                "output_index" => found.output_index = count_or_skip(&mut reader)?,
                "content_index" | "summary_index" => found.place = count_or_skip(&mut reader)?.unwrap_or(0),
                "delta" => found.delta = text_or_skip(&mut reader)?,
                "text" | "refusal" | "arguments" | "input" => found.whole = text_or_skip(&mut reader)?,
                "logprobs" => found.logprobs = logprobs::decode(&mut reader)?,
                "response" => found.response = object(&mut reader)?,
                "item" => found.item = object(&mut reader)?,
                "part" => found.part = object(&mut reader)?,
                "error" => found.error = Some(reader.raw()?).filter(|error| !is_void(error)),
                _ => reader.skip()?,
            }
        }
        reader.end()?;
        Ok(found)
    }
}

/// A cursor before an object; any other value is skipped.
fn object<'a>(reader: &mut Reader<'a>) -> Result<Option<Reader<'a>>, Error> {
    let at = (reader.peek()? == Kind::Object).then(|| reader.clone());
    reader.skip()?;
    Ok(at)
}

impl State {
    fn block(&mut self, block: &[u8], sink: Sink<'_>) -> Result<(), Fault> {
        if self.ended {
            return Ok(());
        }
        let event = sse::Event::parse(block);
        let Some(data) = event.data else {
            if let Some(fault) = super::bare(block) {
                return Err(fault);
            }
            if block.contains(&b':') {
                sink(Event::Ping);
            }
            return Ok(());
        };
        let data = data.trim();
        if data.is_empty() || data == "[DONE]" {
            return Ok(());
        }
        let found = Found::read(data).map_err(|error| invalid(&error))?;
        let name = found.kind.as_ref().map_or_else(|| event.name.into(), Text::plain);
        match &*name {
            "error" => Err(Fault::Error(failure(found.error.unwrap_or(data)))),
            "response.created" | "response.in_progress" | "response.queued" => self.start(&found, sink),
            "response.completed" | "response.incomplete" | "response.failed" | "response.cancelled" => {
                self.end(&found, sink)
            }
            name => match found.error {
                Some(error) if !name.starts_with("response.") => Err(Fault::Error(failure(error))),
                _ => self.said(name, found, sink),
            },
        }
    }

    fn start(&mut self, found: &Found<'_>, sink: Sink<'_>) -> Result<(), Fault> {
        let mut reader = found.response.clone();
        let envelope = reader.as_mut().map(Envelope::read).transpose().map_err(|error| invalid(&error))?;
        self.begin(&envelope.unwrap_or_default(), sink);
        Ok(())
    }

    fn begin(&mut self, envelope: &Envelope<'_>, sink: Sink<'_>) {
        if self.started {
            return;
        }
        self.started = true;
        let text = |text: &Option<Text<'_>>| {
            text.as_ref().map_or_else(String::new, |text| text.plain().into_owned())
        };
        self.id = text(&envelope.id);
        let model = text(&envelope.model);
        sink(Event::Start { id: self.id.as_str().into(), model: model.into(), usage: None });
    }

    /// What a piece of the answer says. Some servers leave the response's first events out.
    fn said(&mut self, name: &str, found: Found<'_>, sink: Sink<'_>) -> Result<(), Fault> {
        let Some(name) = name.strip_prefix("response.") else { return Ok(()) };
        self.begin(&Envelope::default(), sink);
        let index = found.output_index.unwrap_or_else(|| self.lanes.latest());
        let says = match name {
            "output_text.delta" | "output_text.done" => Says::Text(found.place),
            "refusal.delta" | "refusal.done" => Says::Refusal(found.place),
            "reasoning_summary_text.delta" | "reasoning_summary_text.done" => Says::Thinking(found.place),
            "reasoning_text.delta" | "reasoning_text.done" => {
                Says::Thinking(found.place.saturating_add(BEHIND_SUMMARY))
            }
            "function_call_arguments.delta" | "function_call_arguments.done" => Says::Arguments,
            "custom_tool_call_input.delta" | "custom_tool_call_input.done" => Says::Arguments,
            "output_item.added" | "output_item.done" => return self.item(name, index, found, sink),
            "content_part.done" => return self.part(index, found, sink),
            // Hosted tools' progress, parts that begin, and what is still to be invented.
            _ => return Ok(()),
        };
        if let Some(text) = found.delta {
            self.lanes.say(index, says, text, sink)?;
        }
        if let Some(text) = found.whole {
            // A whole repeats the tokens of its pieces.
            if !self.lanes.whole(index, says, text, sink)? {
                return Ok(());
            }
        }
        if !found.logprobs.is_empty() {
            self.lanes.logprobs(index, Event::Delta(Delta::Logprobs(found.logprobs)), sink)?;
        }
        Ok(())
    }

    fn item(&mut self, name: &str, index: u64, found: Found<'_>, sink: Sink<'_>) -> Result<(), Fault> {
        let Some(mut reader) = found.item else { return Ok(()) };
        let item = Item::read(&mut reader).map_err(|error| invalid(&error))?;
        if name == "output_item.added" {
            self.lanes.added(index, &item, &self.id, sink)
        } else {
            self.lanes.done(index, &item, &self.id, sink)
        }
    }

    fn part(&mut self, index: u64, found: Found<'_>, sink: Sink<'_>) -> Result<(), Fault> {
        let Some(mut reader) = found.part else { return Ok(()) };
        match part(&mut reader).map_err(|error| invalid(&error))? {
            Some(Said::Text(text, _)) if self.lanes.is_message(index) => {
                self.lanes.whole(index, Says::Text(found.place), text, sink)?;
            }
            Some(Said::Refusal(text)) => {
                self.lanes.whole(index, Says::Refusal(found.place), text, sink)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, found: &Found<'_>, sink: Sink<'_>) -> Result<(), Fault> {
        let Some(mut reader) = found.response.clone() else {
            return Err(Fault::Invalid("a last event without its response".to_owned()));
        };
        let envelope = Envelope::read(&mut reader).map_err(|error| invalid(&error))?;
        if let Some(failure) = envelope.failure() {
            return Err(Fault::Error(failure));
        }
        self.begin(&envelope, sink);
        if let Some(mut output) = envelope.output.clone() {
            self.rest(&mut output, sink)?;
        }
        self.lanes.finish(sink)?;
        let finish = envelope.finish(self.lanes.calls, self.lanes.refused);
        if !self.lanes.answered && finish.reason == FinishReason::Stop {
            return Err(Fault::Empty);
        }
        sink(Event::Finish(finish));
        if let Some(usage) = envelope.usage {
            sink(Event::Usage(usage));
        }
        sink(Event::End);
        self.ended = true;
        Ok(())
    }

    /// What the whole response holds beyond what was said in pieces.
    fn rest(&mut self, output: &mut Reader<'_>, sink: Sink<'_>) -> Result<(), Fault> {
        output.array().map_err(|error| invalid(&error))?;
        let mut index = 0;
        while output.element().map_err(|error| invalid(&error))? {
            let item = Item::read(output).map_err(|error| invalid(&error))?;
            if item.shape != Shape::Other {
                self.lanes.done(index, &item, &self.id, sink)?;
            }
            index += 1;
        }
        Ok(())
    }
}
