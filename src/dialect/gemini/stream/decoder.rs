//! Chunks to events.
//!
//! Invariant: `Finish` is held back until the stream's end, because nothing else tells the end; a stream that ends
//! without a finish reason is never presented as whole. The first candidate is live, the others wait for its end.

use crate::config::{Dialect, Usage};
use crate::dialect::DecodeStream;
use crate::dialect::gemini::candidate::{Candidate, Chunk, Piece};
use crate::dialect::gemini::{call_id, error, finish};
use crate::ir::Proof;
use crate::ir::chat::{Finish, FinishReason};
use crate::ir::error::Fault;
use crate::ir::event::{Block, Delta, Event};
use crate::wire::json::Text;
use crate::wire::sse;
use std::collections::BTreeMap;

/// Bytes of candidates that may wait.
const MAX_HELD: usize = 32 << 20;

type Sink<'s> = &'s mut dyn FnMut(Event<'_>);

/// Reads one stream.
#[derive(Debug, Default)]
pub(in crate::dialect::gemini) struct Decoder {
    splitter: sse::Splitter,
    state: State,
}

#[derive(Debug, Default)]
struct State {
    started: bool,
    ended: bool,
    id: String,
    /// The index of the live candidate.
    live: Option<u64>,
    lane: Lane,
    /// The JSON of other candidates' pieces, by index.
    held: BTreeMap<u64, Vec<String>>,
    held_bytes: usize,
    calls: usize,
    usage: Option<Usage>,
}

/// One candidate on its way.
#[derive(Debug, Default)]
struct Lane {
    open: Option<Open>,
    /// Whether it must not spoil those before it.
    lenient: bool,
    spoke: bool,
    called: bool,
    finish: Option<String>,
    message: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Text,
    Thinking,
}

impl DecodeStream for Decoder {
    fn push(&mut self, chunk: &[u8], sink: &mut dyn FnMut(Event<'_>)) -> Result<(), Fault> {
        let Self { splitter, state } = self;
        let mut result = Ok(());
        splitter
            .push(chunk, |block| {
                if result.is_ok() {
                    result = state.block(block, sink);
                }
            })
            .map_err(|error| Fault::Invalid(error.to_string()))?;
        result
    }

    fn finish(&mut self, sink: &mut dyn FnMut(Event<'_>)) -> Result<(), Fault> {
        let rest = self.splitter.take_pending();
        let state = &mut self.state;
        match state.block(&rest, sink) {
            // A cut block is no news: what counts is whether the reply was whole before it.
            Ok(()) | Err(Fault::Invalid(_)) => {}
            Err(fault) => return Err(fault),
        }
        if state.ended {
            Ok(())
        } else if state.lane.finish.is_some() {
            state.end(sink)
        } else if state.started || !rest.trim_ascii().is_empty() {
            Err(Fault::Truncated)
        } else {
            Err(Fault::Empty)
        }
    }
}

impl State {
    fn block(&mut self, block: &[u8], sink: Sink<'_>) -> Result<(), Fault> {
        let event = sse::Event::parse(block);
        let Some(data) = event.data else {
            if let Some(error) = error::bare(block) {
                return Err(Fault::Error(error));
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
        let chunk = Chunk::read(data)?;
        self.usage = chunk.usage.or(self.usage);
        if (!chunk.candidates.is_empty() || chunk.blocked.is_some()) && !self.started {
            self.started = true;
            self.id = chunk.id.plain().into_owned();
            sink(Event::Start { id: chunk.id.clone(), model: chunk.model.clone(), usage: chunk.usage });
        }
        for json in &chunk.candidates {
            let candidate = Candidate::read(json)?;
            if *self.live.get_or_insert(candidate.index) == candidate.index {
                self.lane.candidate(candidate, &self.id, &mut self.calls, sink)?;
            } else {
                self.hold(candidate.index, json)?;
            }
        }
        if let (true, Some((reason, message))) = (self.live.is_none(), chunk.blocked) {
            self.lane.finish = Some(reason.plain().into_owned());
            self.lane.message = message.map(|message| message.plain().into_owned());
        }
        Ok(())
    }

    fn hold(&mut self, index: u64, json: &str) -> Result<(), Fault> {
        // A chunk's own size counts too: tiny chunks must not cost a multiple of theirs.
        self.held_bytes = self.held_bytes.saturating_add(json.len() + 64);
        if self.held_bytes > MAX_HELD {
            return Err(Fault::Invalid(format!("candidates of more than {MAX_HELD} bytes")));
        }
        self.held.entry(index).or_default().push(json.to_owned());
        Ok(())
    }

    fn end(&mut self, sink: Sink<'_>) -> Result<(), Fault> {
        let blocked = self.live.is_none();
        std::mem::take(&mut self.lane).end(blocked, sink)?;
        for pieces in std::mem::take(&mut self.held).into_values() {
            let mut lane = Lane { lenient: true, ..Lane::default() };
            sink(Event::NextCandidate);
            for json in &pieces {
                lane.candidate(Candidate::read(json)?, &self.id, &mut self.calls, sink)?;
            }
            lane.end(false, sink)?;
        }
        if let Some(usage) = self.usage {
            sink(Event::Usage(usage));
        }
        sink(Event::End);
        self.ended = true;
        Ok(())
    }
}

impl Lane {
    fn candidate(
        &mut self,
        candidate: Candidate<'_>,
        reply: &str,
        calls: &mut usize,
        sink: Sink<'_>,
    ) -> Result<(), Fault> {
        for piece in candidate.pieces {
            match piece {
                Piece::Text { text, thought, signature } => self.text(text, thought, signature, sink),
                Piece::Call { id, name, arguments, signature } => {
                    self.close(sink);
                    self.spoke = true;
                    self.called = true;
                    let id = id.unwrap_or_else(|| call_id::in_reply(reply, *calls, &name.plain()).into());
                    *calls += 1;
                    let proof = signature.map(proof);
                    sink(Event::BlockStart(Block::ToolCall { id, name, custom: false, proof }));
                    sink(Event::Delta(Delta::Arguments(Text::plain_from(arguments))));
                    sink(Event::BlockEnd);
                }
            }
        }
        if !candidate.logprobs.is_empty() && self.open == Some(Open::Text) {
            sink(Event::Delta(Delta::Logprobs(candidate.logprobs)));
        }
        if let Some(message) = candidate.message {
            self.message = Some(message.plain().into_owned());
        }
        if let Some(word) = candidate.finish {
            // A spoiled reply is known to be one at once, not only when the stream ends.
            self.finish = Some(word.plain().into_owned());
            self.settle()?;
        }
        Ok(())
    }

    fn text(&mut self, text: Text<'_>, thought: bool, signature: Option<Text<'_>>, sink: Sink<'_>) {
        let wanted = if thought { Open::Thinking } else { Open::Text };
        if !text.is_empty() {
            self.spoke |= !thought;
            self.open(wanted, sink);
            sink(Event::Delta(if thought { Delta::Thinking(text) } else { Delta::Text(text) }));
        }
        let Some(signature) = signature else { return };
        // What signs a text stands behind it, as a thought without words.
        if !thought {
            self.close(sink);
        }
        self.open(Open::Thinking, sink);
        sink(Event::Delta(Delta::Proof(proof(signature))));
        self.close(sink);
    }

    fn open(&mut self, wanted: Open, sink: Sink<'_>) {
        if self.open == Some(wanted) {
            return;
        }
        self.close(sink);
        self.open = Some(wanted);
        sink(Event::BlockStart(match wanted {
            Open::Text => Block::Text,
            Open::Thinking => Block::Thinking,
        }));
    }

    fn close(&mut self, sink: Sink<'_>) {
        if self.open.take().is_some() {
            sink(Event::BlockEnd);
        }
    }

    fn settle(&self) -> Result<Finish<'static>, Fault> {
        let word = self.finish.clone().map(Text::from);
        let message = self.message.as_deref().map(Text::from);
        match finish::settle(word.clone(), message.as_ref(), self.spoke, self.called) {
            Err(_) if self.lenient => {
                let word = word.unwrap_or_default();
                Ok(Finish { reason: FinishReason::Stop, word, stop_sequence: None })
            }
            settled => settled,
        }
    }

    fn end(mut self, blocked: bool, sink: Sink<'_>) -> Result<(), Fault> {
        self.close(sink);
        self.lenient |= blocked;
        let mut finish = self.settle()?;
        if blocked {
            finish.reason = FinishReason::Refusal;
        }
        let message = self.message.map(Text::from);
        if let (FinishReason::Refusal, Some(text)) = (finish.reason, message) {
            sink(Event::BlockStart(Block::Refusal));
            sink(Event::Delta(Delta::Text(text)));
            sink(Event::BlockEnd);
        }
        sink(Event::Finish(finish));
        Ok(())
    }
}

fn proof(value: Text<'_>) -> Proof<'_> {
    Proof { home: Dialect::Gemini, value }
}
