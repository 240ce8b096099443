//! An upstream's stream as events.
//!
//! Invariant: the event grammar holds whatever the upstream sends; a reply is whole only if the upstream said why it
//! ended.

use crate::config::Dialect;
use crate::dialect::DecodeStream;
use crate::dialect::anthropic::usage::Counts;
use crate::dialect::anthropic::{error, reply};
use crate::dialect::members::{Members, Path, Value};
use crate::ir::Proof;
use crate::ir::chat::{Finish, FinishReason};
use crate::ir::error::Fault;
use crate::ir::event::{Block, Delta, Event};
use crate::wire::json::Text;
use crate::wire::sse;

/// The decoder.
#[derive(Debug, Default)]
pub(in crate::dialect::anthropic) struct Decoder {
    splitter: sse::Splitter,
    state: State,
}

#[derive(Debug, Default)]
struct State {
    started: bool,
    ended: bool,
    /// A block was opened.
    answered: bool,
    calls_tools: bool,
    open: Open,
    /// The open block's index, if the upstream numbers its blocks.
    index: Option<u64>,
    /// A tool call's input that came whole with its block, `{}` as a rule: used if no deltas follow, since no arguments
    /// at all are no JSON for the other dialects' clients.
    input: Option<String>,
    counts: Counts,
    finish: Option<Finish<'static>>,
    explanation: Option<Text<'static>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Open {
    #[default]
    None,
    Text,
    Thinking,
    ToolCall,
    Redacted,
    /// A block that no other dialect has, such as a server tool's.
    Skipped,
}

type Sink<'s> = &'s mut dyn FnMut(Event<'_>);

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
        let state = &mut self.state;
        if !rest.is_empty() && !state.ended {
            // Without its blank line the last event may be cut, too: then it says nothing.
            match state.block(&rest, sink) {
                Err(Fault::Invalid(_)) | Ok(()) => {}
                Err(fault) => return Err(fault),
            }
        }
        if state.ended {
            Ok(())
        } else if state.finish.is_some() {
            state.end(sink);
            Ok(())
        } else if state.started {
            Err(Fault::Truncated)
        } else {
            Err(Fault::Empty)
        }
    }
}

impl State {
    fn block(&mut self, block: &[u8], sink: Sink<'_>) -> Result<(), Fault> {
        if self.ended {
            return Ok(());
        }
        let event = sse::Event::parse(block);
        let Some(data) = event.data else { return bare(block) };
        if data.trim().is_empty() {
            return Ok(());
        }
        let invalid = |error: crate::wire::json::Error| Fault::Invalid(format!("an event's data: {error}"));
        let mut members = Members::of(&data).map_err(invalid)?;
        let name = members.take_if_text("type").map_or_else(|| event.name.into(), |kind| kind.plain());
        match &*name {
            "ping" => sink(Event::Ping),
            "message_start" => self.start(members, sink)?,
            "content_block_start" => self.open(members, sink)?,
            "content_block_delta" => self.delta(members, sink)?,
            "content_block_stop" => self.close(sink),
            "message_delta" => self.message_delta(members)?,
            "message_stop" => self.stop(sink)?,
            _ => {
                if let Some(error) = error::in_reply(&mut members) {
                    return Err(Fault::Error(error));
                }
            }
        }
        Ok(())
    }

    fn start(&mut self, mut members: Members<'_>, sink: Sink<'_>) -> Result<(), Fault> {
        if self.started {
            return Err(Fault::Invalid("a second message_start".to_owned()));
        }
        let mut message = members.take_members("message").unwrap_or_default();
        if let Some(usage) = message.take_members("usage") {
            self.counts.merge(usage);
        }
        self.started = true;
        sink(Event::Start {
            id: message.take_if_text("id").unwrap_or_else(|| Text::from("")),
            model: message.take_if_text("model").unwrap_or_else(|| Text::from("")),
            usage: self.counts.usage(),
        });
        Ok(())
    }

    fn open(&mut self, mut members: Members<'_>, sink: Sink<'_>) -> Result<(), Fault> {
        self.expect_message()?;
        self.close(sink);
        self.index = members.take("index").and_then(|index| index.integer(&Path::root("index")).ok());
        let mut block = members.take_members("content_block").unwrap_or_default();
        let kind = block.take_if_text("type").unwrap_or_else(|| Text::from(""));
        let lacks = |name: &str| Fault::Invalid(format!("content_block.{name}: missing"));
        match &*kind.plain() {
            "text" => {
                self.begin(Open::Text, Block::Text, sink);
                if let Some(text) = block.take_if_text("text").filter(|text| !text.is_empty()) {
                    sink(Event::Delta(Delta::Text(text)));
                }
            }
            "thinking" => {
                self.begin(Open::Thinking, Block::Thinking, sink);
                if let Some(text) = block.take_if_text("thinking").filter(|text| !text.is_empty()) {
                    sink(Event::Delta(Delta::Thinking(text)));
                }
                if let Some(text) = block.take_if_text("signature").filter(|text| !text.is_empty()) {
                    sink(Event::Delta(Delta::Proof(Proof { home: Dialect::Anthropic, value: text })));
                }
            }
            "redacted_thinking" => {
                let data = block.take_if_text("data").ok_or_else(|| lacks("data"))?;
                let data = Proof { home: Dialect::Anthropic, value: data };
                self.begin(Open::Redacted, Block::RedactedThinking { data }, sink);
            }
            "tool_use" => {
                let id = block.take_if_text("id").ok_or_else(|| lacks("id"))?;
                let name = block.take_if_text("name").ok_or_else(|| lacks("name"))?;
                self.calls_tools = true;
                self.begin(Open::ToolCall, Block::ToolCall { id, name, custom: false, proof: None }, sink);
                self.input = Some(match block.take("input") {
                    Some(Value::Raw(json)) if json.starts_with('{') => json.to_owned(),
                    _ => "{}".to_owned(),
                });
            }
            _ => self.open = Open::Skipped,
        }
        Ok(())
    }

    fn delta(&mut self, mut members: Members<'_>, sink: Sink<'_>) -> Result<(), Fault> {
        self.expect_message()?;
        let index = members.take("index").and_then(|index| index.integer(&Path::root("index")).ok());
        if self.open == Open::Skipped {
            return Ok(());
        }
        if self.open != Open::None && self.index.is_some() && index.is_some() && self.index != index {
            return Err(Fault::Invalid("a delta of a block that is not open".to_owned()));
        }
        let mut delta = members.take_members("delta").unwrap_or_default();
        let kind = delta.take_if_text("type").unwrap_or_else(|| Text::from(""));
        match &*kind.plain() {
            "text_delta" => {
                if let Some(text) = delta.take_if_text("text") {
                    self.ensure(Open::Text, Block::Text, index, sink);
                    sink(Event::Delta(Delta::Text(text)));
                }
            }
            "thinking_delta" => {
                if let Some(text) = delta.take_if_text("thinking") {
                    self.ensure(Open::Thinking, Block::Thinking, index, sink);
                    sink(Event::Delta(Delta::Thinking(text)));
                }
            }
            "signature_delta" => {
                if let Some(text) = delta.take_if_text("signature") {
                    self.ensure(Open::Thinking, Block::Thinking, index, sink);
                    sink(Event::Delta(Delta::Proof(Proof { home: Dialect::Anthropic, value: text })));
                }
            }
            "input_json_delta" => {
                if self.open != Open::ToolCall {
                    return Err(Fault::Invalid("arguments outside of a tool call".to_owned()));
                }
                if let Some(text) = delta.take_if_text("partial_json").filter(|text| !text.is_empty()) {
                    self.input = None;
                    sink(Event::Delta(Delta::Arguments(text)));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn message_delta(&mut self, mut members: Members<'_>) -> Result<(), Fault> {
        self.expect_message()?;
        if let Some(usage) = members.take_members("usage") {
            self.counts.merge(usage);
        }
        let mut delta = members.take_members("delta").unwrap_or_default();
        if let Some(text) = reply::explanation(&mut delta) {
            self.explanation = Some(text.into_owned());
        }
        let finish = reply::finish(&mut delta);
        if !finish.word.is_empty() {
            self.finish = Some(Finish {
                reason: finish.reason,
                word: finish.word.into_owned(),
                stop_sequence: finish.stop_sequence.map(Text::into_owned),
            });
        }
        Ok(())
    }

    /// `message_stop`: the upstream says itself that nothing is missing.
    fn stop(&mut self, sink: Sink<'_>) -> Result<(), Fault> {
        if self.finish.is_none() && !self.answered {
            return Err(Fault::Empty);
        }
        self.end(sink);
        Ok(())
    }

    fn end(&mut self, sink: Sink<'_>) {
        self.close(sink);
        if let Some(text) = self.explanation.take() {
            sink(Event::BlockStart(Block::Refusal));
            sink(Event::Delta(Delta::Text(text)));
            sink(Event::BlockEnd);
        }
        let reason = if self.calls_tools { FinishReason::ToolCalls } else { FinishReason::Stop };
        sink(Event::Finish(self.finish.take().unwrap_or_else(|| Finish {
            reason,
            word: Text::from(""),
            stop_sequence: None,
        })));
        if let Some(usage) = self.counts.usage() {
            sink(Event::Usage(usage));
        }
        sink(Event::End);
        self.ended = true;
    }

    fn expect_message(&self) -> Result<(), Fault> {
        if self.started { Ok(()) } else { Err(Fault::Invalid("content before message_start".to_owned())) }
    }

    fn begin(&mut self, open: Open, block: Block<'_>, sink: Sink<'_>) {
        self.open = open;
        self.answered = true;
        sink(Event::BlockStart(block));
    }

    /// Some servers leave `content_block_start` out.
    fn ensure(&mut self, open: Open, block: Block<'_>, index: Option<u64>, sink: Sink<'_>) {
        if self.open != open {
            self.close(sink);
            self.index = index;
            self.begin(open, block, sink);
        }
    }

    fn close(&mut self, sink: Sink<'_>) {
        if let Some(input) = self.input.take() {
            sink(Event::Delta(Delta::Arguments(Text::from(input))));
        }
        if !matches!(std::mem::take(&mut self.open), Open::None | Open::Skipped) {
            sink(Event::BlockEnd);
        }
    }
}

/// A block without data is a comment, unless the upstream answered a request for a stream with a plain JSON error.
fn bare(block: &[u8]) -> Result<(), Fault> {
    let text = String::from_utf8_lossy(block);
    if !text.trim_start().starts_with('{') {
        return Ok(());
    }
    let error = Members::of(&text).ok().and_then(|mut members| error::in_reply(&mut members));
    Err(error.map_or_else(|| Fault::Invalid("not an event stream".to_owned()), Fault::Error))
}
