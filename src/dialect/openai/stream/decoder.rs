//! Chunks to events.
//!
//! Invariant: `Finish` is held back until `[DONE]` or the stream's end, because deltas and counts may follow the finish
//! reason; a stream that ends without a finish reason and without `[DONE]` is never presented as whole.

use super::lanes::{Lanes, Says, Sink};
use super::{bare_error, made_up_id};
use crate::config::Usage;
use crate::dialect::DecodeStream;
use crate::dialect::openai::choice::{CallPiece, Envelope, Piece};
use crate::dialect::openai::finish;
use crate::ir::chat::{Finish, FinishReason};
use crate::ir::error::Fault;
use crate::ir::event::Event;
use crate::wire::sse;

/// Calls beyond this in one reply are refused: every piece is looked up among those before it.
const MAX_CALLS: usize = 1_024;

/// Reads one stream.
#[derive(Debug, Default)]
pub(in crate::dialect::openai) struct Decoder {
    splitter: sse::Splitter,
    state: State,
}

#[derive(Debug, Default)]
struct State {
    started: bool,
    ended: bool,
    id: String,
    lanes: Lanes,
    /// One per tool call, in order of appearance: its index and id on the wire.
    calls: Vec<(Option<u64>, String)>,
    refused: bool,
    finish: Option<(FinishReason, String)>,
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
        } else if state.finish.is_some() {
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
        // Only OpenAI's own clients can ask for more than one choice.
        envelope.pieces(&mut |index, piece| if index == 0 { self.piece(piece, sink) } else { Ok(()) })
    }

    fn piece(&mut self, piece: Piece<'_>, sink: Sink<'_>) -> Result<(), Fault> {
        match piece {
            Piece::Text(text) => self.lanes.say(&Says::Text, text, sink),
            Piece::Thinking(text) => self.lanes.say(&Says::Thinking, text, sink),
            Piece::Refusal(text) => {
                self.refused = true;
                self.lanes.say(&Says::Refusal, text, sink)
            }
            Piece::Call(call) => self.call(call, sink),
            Piece::Finish(word) => {
                let word = word.plain().into_owned();
                self.finish = Some((finish::decode(&word)?, word));
                Ok(())
            }
            Piece::Usage(usage) => {
                self.usage = Some(usage);
                Ok(())
            }
        }
    }

    fn call(&mut self, call: CallPiece<'_>, sink: Sink<'_>) -> Result<(), Fault> {
        let id = call.id.as_ref().map(|id| id.plain()).unwrap_or_default();
        let full = call.arguments.as_ref().is_some_and(|text| !text.is_empty());
        let known = self.number(call.index, &id, call.name.is_some());
        // A whole call behind a whole call, both under the same index and without ids.
        let again = known
            .filter(|number| !(call.name.is_some() && full && id.is_empty() && self.lanes.is_whole(*number)));
        if again.is_none() && self.calls.len() >= MAX_CALLS {
            return Err(Fault::Invalid(format!("a reply makes more than {MAX_CALLS} tool calls")));
        }
        let number = again.unwrap_or_else(|| {
            self.calls.push((call.index, id.clone().into_owned()));
            let number = self.calls.len() - 1;
            self.lanes.begin_call(number);
            number
        });
        // An id may come later than its call, but never after the name.
        let made_up =
            if id.is_empty() && call.name.is_some() { made_up_id(&self.id, number) } else { String::new() };
        let id = if made_up.is_empty() { &*id } else { &made_up };
        self.lanes.call(number, id, call.name.as_ref(), call.arguments, sink)
    }

    /// Which call a piece belongs to; `None` if it begins a new one. Vendors repeat ids and names, leave indices out,
    /// give every call index 0, or send whole calls.
    fn number(&self, index: Option<u64>, id: &str, named: bool) -> Option<usize> {
        let calls = || self.calls.iter().enumerate().rev();
        match index {
            Some(_) => calls()
                .find(|(_, call)| call.0 == index)
                .filter(|(_, call)| !named || id.is_empty() || call.1.is_empty() || call.1 == id)
                .map(|(number, _)| number),
            None if !id.is_empty() => calls().find(|(_, call)| call.1 == id).map(|(number, _)| number),
            None if named => None,
            None => calls().next().map(|(number, _)| number),
        }
    }

    fn end(&mut self, sink: Sink<'_>) -> Result<(), Fault> {
        self.lanes.finish(sink)?;
        // An explicit end without a reason is some vendors' way; the reply is whole all the same.
        let (reason, word) = self.finish.take().unwrap_or((FinishReason::Stop, String::new()));
        let reason = finish::settle(reason, !self.calls.is_empty(), self.refused);
        sink(Event::Finish(Finish { reason, word: word.into(), stop_sequence: None }));
        if let Some(usage) = self.usage {
            sink(Event::Usage(usage));
        }
        sink(Event::End);
        self.ended = true;
        Ok(())
    }
}
