//! Putting interleaved blocks into a row. OpenAI's chunks may go to and fro between parallel tool calls; events may not.
//!
//! Invariant: only the first lane is open. Another's pieces wait until the open one can be known to be over: text is
//! over when something else begins, a tool call when its arguments are a whole JSON object.

use crate::dialect::openai::choice::CallPiece;
use crate::ir::Proof;
use crate::ir::chat::Logprob;
use crate::ir::error::Fault;
use crate::ir::event::{Block, Delta, Event};
use crate::wire::json::{Kind, Reader, Text};
use std::collections::VecDeque;

/// Takes events.
pub(super) type Sink<'s> = &'s mut dyn FnMut(Event<'_>);

/// What a lane carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Says {
    Text,
    Thinking,
    Refusal,
    /// A tool call, by its place in the order of calls.
    Call(usize),
}

/// One block, open or waiting.
#[derive(Debug)]
struct Lane {
    says: Says,
    id: String,
    name: String,
    /// Whether a call is of a custom tool.
    custom: bool,
    /// A call's proof.
    proof: Option<Proof<'static>>,
    /// Whether its block has begun.
    begun: bool,
    /// A JSON string without its closing quote: of a call all arguments, of another lane what is not yet sent.
    held: Vec<u8>,
    /// How much was held when the arguments were last found to go on.
    checked: usize,
}

impl Lane {
    fn new(says: Says) -> Self {
        Self {
            says,
            id: String::new(),
            name: String::new(),
            custom: false,
            proof: None,
            begun: false,
            held: vec![b'"'],
            checked: 0,
        }
    }

    fn is_call(&self) -> bool {
        matches!(self.says, Says::Call(_))
    }

    fn is_nameless(&self) -> bool {
        self.is_call() && self.name.is_empty()
    }

    /// Gives what is held to `read`.
    fn with_held<T>(&mut self, read: impl FnOnce(&Text<'_>) -> T) -> Option<T> {
        self.held.push(b'"');
        // Joined contents of JSON strings are the content of a JSON string.
        let result = std::str::from_utf8(&self.held)
            .ok()
            .and_then(|json| Reader::new(json).string().ok())
            .map(|text| read(&text));
        self.held.pop();
        result
    }

    /// Whether another block may begin.
    fn is_over(&mut self) -> bool {
        if !self.is_call() {
            return true;
        }
        // Free text has no end of its own: only the reply's.
        if self.custom || self.name.is_empty() || !self.held.trim_ascii_end().ends_with(b"}") {
            return false;
        }
        if std::mem::replace(&mut self.checked, self.held.len()) == self.held.len() {
            return false;
        }
        let over = self.with_held(|arguments| {
            let arguments = arguments.plain();
            let mut reader = Reader::new(&arguments);
            reader.peek() == Ok(Kind::Object) && reader.skip().is_ok() && reader.end().is_ok()
        });
        if over == Some(true) {
            self.checked = 0;
        }
        over == Some(true)
    }

    fn begin(&mut self, sink: Sink<'_>) {
        if self.begun || self.is_nameless() {
            return;
        }
        self.begun = true;
        sink(Event::BlockStart(match self.says {
            Says::Text => Block::Text,
            Says::Thinking => Block::Thinking,
            Says::Refusal => Block::Refusal,
            Says::Call(_) => Block::ToolCall {
                id: self.id.as_str().into(),
                name: self.name.as_str().into(),
                custom: self.custom,
                proof: self.proof.clone(),
            },
        }));
        if self.held.len() > 1 {
            let says = self.says.clone();
            self.with_held(|text| sink(Event::Delta(delta(&says, text.clone()))));
        }
    }
}

fn delta<'a>(says: &Says, text: Text<'a>) -> Delta<'a> {
    match says {
        Says::Text | Says::Refusal => Delta::Text(text),
        Says::Thinking => Delta::Thinking(text),
        Says::Call(_) => Delta::Arguments(text),
    }
}

/// All blocks that are not over.
#[derive(Debug, Default)]
pub(super) struct Lanes(VecDeque<Lane>);

impl Lanes {
    /// A piece of text, thinking or a refusal.
    pub(super) fn say(&mut self, says: &Says, text: Text<'_>, sink: Sink<'_>) -> Result<(), Fault> {
        if self.0.len() == 1
            && let Some(open) = self.0.front()
            && open.says == *says
        {
            sink(Event::Delta(delta(says, text)));
            return Ok(());
        }
        if self.0.back().is_none_or(|last| last.says != *says) {
            self.0.push_back(Lane::new(says.clone()));
        }
        if let Some(last) = self.0.back_mut() {
            text.write_content(&mut last.held);
        }
        self.advance(sink)
    }

    /// Whether a call's arguments are whole.
    pub(super) fn is_whole(&mut self, number: usize) -> bool {
        self.0.iter_mut().find(|lane| lane.says == Says::Call(number)).is_none_or(Lane::is_over)
    }

    /// Opens a lane for a call.
    pub(super) fn begin_call(&mut self, number: usize) {
        self.0.push_back(Lane::new(Says::Call(number)));
    }

    /// A piece of a call. Its id, name and proof count only until its block begins.
    pub(super) fn call(
        &mut self,
        number: usize,
        id: &str,
        piece: CallPiece<'_>,
        sink: Sink<'_>,
    ) -> Result<(), Fault> {
        let Some((at, lane)) =
            self.0.iter_mut().enumerate().find(|(_, lane)| lane.says == Says::Call(number))
        else {
            // Its arguments were whole: only white space can follow.
            return match piece.arguments {
                Some(text) if !text.plain().trim().is_empty() => {
                    Err(Fault::Invalid("a tool call goes on behind its arguments' end".to_owned()))
                }
                _ => Ok(()),
            };
        };
        if !lane.begun {
            if lane.id.is_empty() {
                id.clone_into(&mut lane.id);
            }
            if let Some(name) = piece.name.filter(|_| lane.name.is_empty()) {
                lane.name = name.plain().into_owned();
            }
            lane.custom |= piece.custom;
            lane.proof = piece.proof.map(Proof::into_owned).or(lane.proof.take());
        }
        if let Some(text) = piece.arguments.filter(|text| !text.is_empty()) {
            text.write_content(&mut lane.held);
            if lane.begun {
                sink(Event::Delta(Delta::Arguments(text)));
            }
        }
        if at == 0 && self.0.len() == 1 {
            if let Some(open) = self.0.front_mut() {
                open.begin(sink);
            }
            return Ok(());
        }
        self.advance(sink)
    }

    /// Log probabilities of the text that is open. Those of anything else have no place.
    pub(super) fn logprobs(&mut self, list: Vec<Logprob<'_>>, sink: Sink<'_>) -> Result<(), Fault> {
        if self.0.is_empty() {
            self.say(&Says::Text, Text::default(), sink)?;
        }
        if self.0.len() == 1
            && let Some(open) = self.0.front()
            && matches!(open.says, Says::Text | Says::Refusal)
        {
            sink(Event::Delta(Delta::Logprobs(list)));
        }
        Ok(())
    }

    /// Closes every lane that is over while another waits.
    fn advance(&mut self, sink: Sink<'_>) -> Result<(), Fault> {
        loop {
            let waiting = self.0.len() > 1;
            let Some(open) = self.0.front_mut() else { return Ok(()) };
            open.begin(sink);
            if !open.is_call() {
                open.held.truncate(1);
            }
            if !waiting || !open.is_over() {
                return Ok(());
            }
            sink(Event::BlockEnd);
            self.0.pop_front();
        }
    }

    /// Closes every lane: no more pieces come.
    pub(super) fn finish(&mut self, sink: Sink<'_>) -> Result<(), Fault> {
        while let Some(mut lane) = self.0.pop_front() {
            if lane.is_nameless() {
                return Err(Fault::Invalid("a tool call has no name".to_owned()));
            }
            lane.begin(sink);
            sink(Event::BlockEnd);
        }
        Ok(())
    }
}
