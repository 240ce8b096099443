//! Chunks to events.
//!
//! Invariant: the first candidate is told as it comes, the others when it is whole; `Finish` is held back until `[DONE]` or the stream's end, because deltas and counts may follow the finish
//! reason; a stream that ends without a finish reason and without `[DONE]` is never presented as whole.

use super::bare_error;
use super::candidate::Candidate;
use super::lanes::Sink;
use crate::config::Usage;
use crate::dialect::DecodeStream;
use crate::dialect::openai::choice::{Envelope, Piece};
use crate::dialect::openai::reply::MAX_CHOICES;
use crate::ir::error::Fault;
use crate::ir::event::Event;
use crate::wire::sse;
use std::collections::BTreeMap;

/// What candidates beyond the first may say until it is whole.
const MAX_HELD: usize = 16 << 20;

/// Reads one stream.
#[derive(Debug, Default)]
pub(in crate::dialect::openai) struct Decoder {
    splitter: sse::Splitter,
    state: State,
}

/// A candidate that has to wait.
#[derive(Debug, Default)]
struct Held {
    candidate: Candidate,
    events: Vec<Event<'static>>,
}

/// What a piece takes while it is held: its text, and what surrounds it.
fn size(piece: &Piece<'_>) -> usize {
    let said = match piece {
        Piece::Text(text) | Piece::Thinking(text) | Piece::Refusal(text) => text.held_len(),
        Piece::Call(call) => call.arguments.as_ref().map_or(0, |text| text.held_len()),
        Piece::Logprobs(list) => list.iter().map(|logprob| 128 * (1 + logprob.top.len())).sum(),
        Piece::Finish(_) | Piece::Usage(_) => 0,
    };
    said.saturating_add(128)
}

#[derive(Debug, Default)]
struct State {
    started: bool,
    ended: bool,
    id: String,
    /// The first candidate, which is told as it comes.
    live: Candidate,
    /// The others, by index.
    held: BTreeMap<u64, Held>,
    /// How much the others have said.
    held_bytes: usize,
    usage: Option<Usage>,
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
        } else if state.is_finished() {
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
        if self.ended {
            return Ok(());
        }
        let event = sse::Event::parse(block);
        let Some(data) = event.data else {
            if let Some(fault) = bare_error(block) {
                return Err(fault);
            }
            if block.contains(&b':') {
                sink(Event::Ping);
            }
            return Ok(());
        };
        let data = data.trim();
        if data == "[DONE]" {
            return if self.started { self.end(sink) } else { Err(Fault::Empty) };
        }
        if data.is_empty() {
            return Ok(());
        }
        let envelope = Envelope::read(data)?;
        self.usage = envelope.usage.or(self.usage);
        if envelope.has_choices && !self.started {
            self.started = true;
            self.id = envelope.id.plain().into_owned();
            sink(Event::Start { id: envelope.id.clone(), model: envelope.model.clone(), usage: None });
        }
        envelope.pieces(&mut |index, piece| self.piece(index, piece, sink))
    }

    fn piece(&mut self, index: u64, piece: Piece<'_>, sink: Sink<'_>) -> Result<(), Fault> {
        if let Piece::Usage(usage) = piece {
            self.usage = Some(usage);
            return Ok(());
        }
        if index == 0 {
            return self.live.piece(piece, &self.id, sink);
        }
        if self.held.len() >= MAX_CHOICES && !self.held.contains_key(&index) {
            return Err(Fault::Invalid(format!("a reply has more than {MAX_CHOICES} choices")));
        }
        self.held_bytes = self.held_bytes.saturating_add(size(&piece));
        if self.held_bytes > MAX_HELD {
            return Err(Fault::Invalid(format!("choices beyond the first hold more than {MAX_HELD} bytes")));
        }
        let held = self.held.entry(index).or_default();
        let events = &mut held.events;
        let id = format!("{}:{index}", self.id);
        held.candidate.piece(piece, &id, &mut |event| events.push(event.into_owned()))
    }

    /// Whether every candidate has said why it ended.
    fn is_finished(&self) -> bool {
        self.live.finish.is_some() && self.held.values().all(|held| held.candidate.finish.is_some())
    }

    fn end(&mut self, sink: Sink<'_>) -> Result<(), Fault> {
        self.live.end(sink)?;
        for mut held in std::mem::take(&mut self.held).into_values() {
            sink(Event::NextCandidate);
            held.events.into_iter().for_each(&mut *sink);
            held.candidate.end(sink)?;
        }
        if let Some(usage) = self.usage {
            sink(Event::Usage(usage));
        }
        sink(Event::End);
        self.ended = true;
        Ok(())
    }
}
