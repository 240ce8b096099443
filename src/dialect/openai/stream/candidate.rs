//! One candidate of a streamed reply: its pieces as blocks.
//!
//! Invariant: which call a piece belongs to is decided here, however a vendor numbers them; the order of blocks is the lanes'.

use super::lanes::{Lanes, Says, Sink};
use super::made_up_id;
use crate::dialect::openai::choice::{CallPiece, Piece};
use crate::dialect::openai::finish;
use crate::ir::chat::{Finish, FinishReason};
use crate::ir::error::Fault;
use crate::ir::event::Event;

/// Calls beyond this in one reply are refused: every piece is looked up among those before it.
const MAX_CALLS: usize = 1_024;

/// What is known of it.
#[derive(Debug, Default)]
pub(super) struct Candidate {
    lanes: Lanes,
    /// One per tool call, in order of appearance: its index and id on the wire.
    calls: Vec<(Option<u64>, String)>,
    refused: bool,
    /// Why it ended, once that is said.
    pub(super) finish: Option<(FinishReason, String)>,
}

impl Candidate {
    /// Takes a piece. `reply_id` is what ids are made from that the provider does not give.
    pub(super) fn piece(&mut self, piece: Piece<'_>, reply_id: &str, sink: Sink<'_>) -> Result<(), Fault> {
        match piece {
            Piece::Text(text) => self.lanes.say(&Says::Text, text, sink),
            Piece::Thinking(text) => self.lanes.say(&Says::Thinking, text, sink),
            Piece::Refusal(text) => {
                self.refused = true;
                self.lanes.say(&Says::Refusal, text, sink)
            }
            Piece::Call(call) => self.call(call, reply_id, sink),
            Piece::Logprobs(list) => self.lanes.logprobs(list, sink),
            Piece::Finish(word) => {
                let word = word.plain().into_owned();
                self.finish = Some((finish::decode(&word)?, word));
                Ok(())
            }
            // Counts are the whole reply's.
            Piece::Usage(_) => Ok(()),
        }
    }

    fn call(&mut self, call: CallPiece<'_>, reply_id: &str, sink: Sink<'_>) -> Result<(), Fault> {
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
            if id.is_empty() && call.name.is_some() { made_up_id(reply_id, number) } else { String::new() };
        let id = if made_up.is_empty() { id } else { made_up.into() };
        self.lanes.call(number, &id, call, sink)
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

    /// Closes everything and says why it ended.
    pub(super) fn end(&mut self, sink: Sink<'_>) -> Result<(), Fault> {
        self.lanes.finish(sink)?;
        // An explicit end without a reason is some vendors' way; the reply is whole all the same.
        let (reason, word) = self.finish.take().unwrap_or((FinishReason::Stop, String::new()));
        let reason = finish::settle(reason, !self.calls.is_empty(), self.refused);
        sink(Event::Finish(Finish { reason, word: word.into(), stop_sequence: None }));
        Ok(())
    }
}
