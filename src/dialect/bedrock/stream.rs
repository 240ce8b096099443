//! `ConverseStream` as events. <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html>
//!
//! Invariant: the event grammar holds whatever the upstream sends; a reply is whole only if the upstream said why it
//! ended. Blocks come one after the other; only tool calls say that they begin.

use super::{error, reply, usage};
use crate::config::Dialect;
use crate::dialect::DecodeStream;
use crate::dialect::members::{Members, Path};
use crate::ir::Proof;
use crate::ir::chat::{Finish, FinishReason};
use crate::ir::error::Fault;
use crate::ir::event::{Block, Delta, Event};
use crate::wire::eventstream::{Message, Splitter};
use crate::wire::json::Text;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Longest proof of a block that is held until it is whole.
const MAX_PROOF: usize = 4 << 20;

type Sink<'s> = &'s mut dyn FnMut(Event<'_>);

/// The decoder.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    splitter: Splitter,
    state: State,
}

#[derive(Debug, Default)]
struct State {
    started: bool,
    ended: bool,
    calls_tools: bool,
    open: Open,
    /// The open block's index, or the last one's.
    index: Option<u64>,
    /// Whether the open tool call has had arguments.
    argued: bool,
    /// The open block's signature.
    signature: String,
    /// The open block's redacted thinking, decoded: its pieces are each base64 of their own.
    redacted: Vec<u8>,
    /// Bedrock has said why the reply ended; its counts may follow.
    finished: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Open {
    #[default]
    None,
    Text,
    Thinking,
    /// Its block begins when it is whole.
    Redacted,
    ToolCall,
    /// A block that no other dialect has, such as a server tool's.
    Skipped,
}

impl DecodeStream for Decoder {
    fn push(&mut self, chunk: &[u8], sink: Sink<'_>) -> Result<(), Fault> {
        let Self { splitter, state } = self;
        let mut result = Ok(());
        let pushed = splitter.push(chunk, |message| {
            if result.is_ok() {
                result = state.message(message, sink);
            }
        });
        result?;
        // What follows the end of a reply cannot harm it any more.
        if state.ended { Ok(()) } else { pushed.map_err(|error| Fault::Invalid(error.to_string())) }
    }

    fn finish(&mut self, sink: Sink<'_>) -> Result<(), Fault> {
        let state = &mut self.state;
        if state.ended {
            Ok(())
        } else if state.finished {
            state.end(sink);
            Ok(())
        } else if state.started || !self.splitter.is_between() {
            Err(Fault::Truncated)
        } else {
            Err(Fault::Empty)
        }
    }
}

impl State {
    fn message(&mut self, message: &Message<'_>, sink: Sink<'_>) -> Result<(), Fault> {
        if self.ended {
            return Ok(());
        }
        match message.text(":message-type") {
            "exception" => {
                let exception = message.text(":exception-type");
                return Err(Fault::Error(error::in_stream(exception, message.payload)));
            }
            "error" => {
                let mut error = error::in_stream(message.text(":error-code"), message.payload);
                let told = message.text(":error-message");
                if !told.is_empty() {
                    told.clone_into(&mut error.message);
                }
                return Err(Fault::Error(error));
            }
            _ => {}
        }
        let kind = message.text(":event-type");
        let text =
            std::str::from_utf8(message.payload).map_err(|_| Fault::Invalid(format!("{kind}: not UTF-8")))?;
        let members = || Members::of(text).map_err(|error| Fault::Invalid(format!("{kind}: {error}")));
        match kind {
            "messageStart" => self.start(sink),
            "contentBlockStart" => self.begin(members()?, sink),
            "contentBlockDelta" => self.delta(members()?, sink),
            "contentBlockStop" => {
                self.expect_message()?;
                self.close(sink);
                Ok(())
            }
            "messageStop" => self.stop(members()?, sink),
            "metadata" => self.metadata(members()?, sink),
            _ => Ok(()),
        }
    }

    fn start(&mut self, sink: Sink<'_>) -> Result<(), Fault> {
        if self.started {
            return Err(Fault::Invalid("a second messageStart".to_owned()));
        }
        self.started = true;
        sink(Event::Start { id: Text::from(""), model: Text::from(""), usage: None });
        Ok(())
    }

    fn begin(&mut self, mut members: Members<'_>, sink: Sink<'_>) -> Result<(), Fault> {
        self.expect_message()?;
        let index = index(&mut members);
        let mut start = members.take_members("start").unwrap_or_default();
        self.close(sink);
        self.index = index;
        let Some(mut call) = start.take_members("toolUse") else {
            // Blocks of text begin at their first delta; what is no tool call is none of any other dialect's.
            let known = start.rest().next().is_none();
            self.open = if known { Open::None } else { Open::Skipped };
            return Ok(());
        };
        // A call that Bedrock answers itself is not the client's.
        if call.take("type").is_some() {
            self.open = Open::Skipped;
            return Ok(());
        }
        let lacks = |name: &str| Fault::Invalid(format!("contentBlockStart.start.toolUse.{name}: missing"));
        let id = call.take_if_text("toolUseId").ok_or_else(|| lacks("toolUseId"))?;
        let name = call.take_if_text("name").ok_or_else(|| lacks("name"))?;
        self.calls_tools = true;
        self.argued = false;
        self.open = Open::ToolCall;
        sink(Event::BlockStart(Block::ToolCall { id, name, custom: false, proof: None }));
        Ok(())
    }

    fn delta(&mut self, mut members: Members<'_>, sink: Sink<'_>) -> Result<(), Fault> {
        self.expect_message()?;
        let index = index(&mut members);
        if self.open != Open::None && index.is_some() && index != self.index {
            if index < self.index {
                return Err(Fault::Invalid("a delta of a block that is not open".to_owned()));
            }
            // The next block has begun, and nobody has said that this one ended.
            self.close(sink);
        }
        if self.open == Open::Skipped {
            return Ok(());
        }
        self.index = index.or(self.index);
        let mut delta = members.take_members("delta").unwrap_or_default();
        if let Some(text) = delta.take_if_text("text") {
            self.ensure(Open::Text, Some(Block::Text), sink)?;
            sink(Event::Delta(Delta::Text(text)));
        } else if let Some(mut call) = delta.take_members("toolUse") {
            if self.open != Open::ToolCall {
                return Err(Fault::Invalid("arguments outside of a tool call".to_owned()));
            }
            if let Some(text) = call.take_if_text("input").filter(|text| !text.is_empty()) {
                self.argued = true;
                sink(Event::Delta(Delta::Arguments(text)));
            }
        } else if let Some(reasoning) = delta.take_members("reasoningContent") {
            self.reasoning(reasoning, sink)?;
        }
        Ok(())
    }

    fn reasoning(&mut self, mut reasoning: Members<'_>, sink: Sink<'_>) -> Result<(), Fault> {
        if let Some(text) = reasoning.take_if_text("text") {
            self.ensure(Open::Thinking, Some(Block::Thinking), sink)?;
            sink(Event::Delta(Delta::Thinking(text)));
        } else if let Some(piece) = reasoning.take_if_text("signature") {
            self.ensure(Open::Thinking, Some(Block::Thinking), sink)?;
            self.signature.push_str(&piece.plain());
        } else if let Some(piece) = reasoning.take_if_text("redactedContent") {
            self.ensure(Open::Redacted, None, sink)?;
            let bytes = STANDARD.decode(piece.plain().as_bytes());
            let bytes = bytes.map_err(|_| Fault::Invalid("redactedContent: not base64".to_owned()))?;
            self.redacted.extend_from_slice(&bytes);
        }
        if self.signature.len().max(self.redacted.len()) > MAX_PROOF {
            return Err(Fault::Invalid("a proof of thinking is too long".to_owned()));
        }
        Ok(())
    }

    fn stop(&mut self, mut members: Members<'_>, sink: Sink<'_>) -> Result<(), Fault> {
        self.expect_message()?;
        self.close(sink);
        let Finish { mut reason, word, stop_sequence } = reply::finish(&mut members)?;
        if reason == FinishReason::Stop && self.calls_tools {
            reason = FinishReason::ToolCalls;
        }
        self.finished = true;
        sink(Event::Finish(Finish { reason, word, stop_sequence }));
        Ok(())
    }

    fn metadata(&mut self, mut members: Members<'_>, sink: Sink<'_>) -> Result<(), Fault> {
        if !self.finished {
            return Err(Fault::Invalid("metadata before messageStop".to_owned()));
        }
        if let Some(usage) = members.take_members("usage").and_then(usage::read) {
            sink(Event::Usage(usage));
        }
        self.end(sink);
        Ok(())
    }

    fn end(&mut self, sink: Sink<'_>) {
        self.ended = true;
        sink(Event::End);
    }

    fn expect_message(&self) -> Result<(), Fault> {
        if self.finished {
            Err(Fault::Invalid("content after messageStop".to_owned()))
        } else if self.started {
            Ok(())
        } else {
            Err(Fault::Invalid("content before messageStart".to_owned()))
        }
    }

    /// Makes a delta's block the open one.
    fn ensure(&mut self, open: Open, block: Option<Block<'_>>, sink: Sink<'_>) -> Result<(), Fault> {
        if self.open == open {
            return Ok(());
        }
        if self.open != Open::None {
            return Err(Fault::Invalid("a delta of another kind than its block".to_owned()));
        }
        self.open = open;
        if let Some(block) = block {
            sink(Event::BlockStart(block));
        }
        Ok(())
    }

    fn close(&mut self, sink: Sink<'_>) {
        let proof = |value: String| Proof { home: Dialect::Bedrock, value: Text::from(value) };
        match std::mem::take(&mut self.open) {
            Open::None | Open::Skipped => return,
            Open::Text => {}
            Open::Thinking => {
                let signature = std::mem::take(&mut self.signature);
                if !signature.is_empty() {
                    sink(Event::Delta(Delta::Proof(proof(signature))));
                }
            }
            Open::Redacted => {
                let data = proof(STANDARD.encode(std::mem::take(&mut self.redacted)));
                sink(Event::BlockStart(Block::RedactedThinking { data }));
            }
            // No arguments at all are no JSON for the other dialects' clients.
            Open::ToolCall if !self.argued => sink(Event::Delta(Delta::Arguments(Text::from("{}")))),
            Open::ToolCall => {}
        }
        sink(Event::BlockEnd);
    }
}

fn index(members: &mut Members<'_>) -> Option<u64> {
    let path = Path::root("contentBlockIndex");
    members.take("contentBlockIndex").and_then(|index| index.integer(&path).ok())
}

#[cfg(test)]
mod tests;
