//! Output items of a stream in their order: one streams, those behind it wait.
//!
//! Invariant: blocks never overlap, and what waits is bounded.

use crate::dialect::openai_api::id::hashed;
use crate::dialect::responses::item::read::{Item, Said, Shape};
use crate::ir::error::Fault;
use crate::ir::event::{Block, Delta, Event};
use crate::wire::json::Text;
use std::collections::{BTreeSet, VecDeque};

/// Items beyond this in one reply are refused.
const MAX_ITEMS: usize = 4_096;
/// Bytes that wait behind an item that is not over.
const MAX_WAITING: usize = 32 << 20;

pub(super) type Sink<'s> = &'s mut dyn FnMut(Event<'_>);

/// What a delta belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    /// `output_text`, by its place in the message.
    Text(u64),
    /// `refusal`, by its place in the message.
    Refusal(u64),
    /// A paragraph of reasoning; the text itself counts on behind the summary.
    Thinking(u64),
    /// Arguments or input.
    Arguments,
}

/// One item.
#[derive(Debug)]
struct Lane {
    index: u64,
    shape: Shape,
    open: Option<Says>,
    /// Parts begun so far: the place of the next that has not.
    begun: u64,
    /// Whether something was said in it.
    said: bool,
    /// Whether its only part is whole, though the item was not called so yet.
    quiet: bool,
    over: bool,
    held: VecDeque<Event<'static>>,
}

/// All items that are not over, and which ones are.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    lanes: VecDeque<Lane>,
    over: BTreeSet<u64>,
    waiting: usize,
    /// Whether a tool is called.
    pub(super) calls: bool,
    /// Whether the model refused in words.
    pub(super) refused: bool,
    /// Whether anything was said.
    pub(super) answered: bool,
}

impl Lanes {
    /// The item that an event without `output_index` is about.
    pub(super) fn latest(&self) -> u64 {
        self.lanes.back().map_or(0, |lane| lane.index)
    }

    /// Whether an item is a message, as far as is known.
    pub(super) fn is_message(&self, index: u64) -> bool {
        self.find(index).and_then(|at| self.lanes.get(at)).is_none_or(|lane| lane.shape == Shape::Message)
    }

    /// An item begins.
    pub(super) fn added(
        &mut self,
        index: u64,
        item: &Item<'_>,
        reply_id: &str,
        sink: Sink<'_>,
    ) -> Result<(), Fault> {
        if self.is_over(index) || self.find(index).is_some() {
            return Ok(());
        }
        self.open(index, item.shape, sink)?;
        // A message without a word is an answer, too.
        self.answered |= item.shape == Shape::Message;
        if item.name.is_some() {
            self.name(index, item, reply_id, sink)?;
        }
        Ok(())
    }

    /// A piece of an item, which begins now if it has not.
    pub(super) fn say(
        &mut self,
        index: u64,
        says: Says,
        text: Text<'_>,
        sink: Sink<'_>,
    ) -> Result<(), Fault> {
        if text.is_empty() || self.is_over(index) {
            return Ok(());
        }
        if self.find(index).is_none() {
            self.open(index, shape(says), sink)?;
        }
        let Some(at) = self.find(index) else { return Ok(()) };
        if !self.fits(at, says) {
            return Ok(());
        }
        self.turn_to(at, says, sink)?;
        let delta = match says {
            Says::Text(_) | Says::Refusal(_) => Delta::Text(text),
            Says::Thinking(_) => Delta::Thinking(text),
            Says::Arguments => Delta::Arguments(text),
        };
        if let Some(lane) = self.lanes.get_mut(at) {
            lane.said = true;
        }
        self.emit(at, Event::Delta(delta), sink)
    }

    /// Of the open text's tokens.
    pub(super) fn logprobs(&mut self, index: u64, event: Event<'_>, sink: Sink<'_>) -> Result<(), Fault> {
        match self.find(index).filter(|_| !self.is_over(index)) {
            Some(at) if self.lanes.get(at).is_some_and(|lane| matches!(lane.open, Some(Says::Text(_)))) => {
                self.emit(at, event, sink)
            }
            _ => Ok(()),
        }
    }

    /// The whole of a part: said now if no piece of it was. Says whether it was news.
    pub(super) fn whole(
        &mut self,
        index: u64,
        says: Says,
        text: Text<'_>,
        sink: Sink<'_>,
    ) -> Result<bool, Fault> {
        let place = match says {
            Says::Text(place) | Says::Refusal(place) | Says::Thinking(place) => Some(place),
            Says::Arguments => None,
        };
        let known = self.find(index).and_then(|at| self.lanes.get(at));
        let is_news = known.is_none_or(|lane| place.map_or(!lane.said, |place| place >= lane.begun));
        if is_news {
            self.say(index, says, text, sink)?;
        }
        if let Some(lane) = self.find(index).and_then(|at| self.lanes.get_mut(at)) {
            lane.quiet = true;
        }
        Ok(is_news)
    }

    /// An item is whole. What was not said of it in pieces is said now.
    pub(super) fn done(
        &mut self,
        index: u64,
        item: &Item<'_>,
        reply_id: &str,
        sink: Sink<'_>,
    ) -> Result<(), Fault> {
        if self.is_over(index) {
            return Ok(());
        }
        self.added(index, item, reply_id, sink)?;
        match item.shape {
            Shape::Other => {}
            Shape::Message => self.message(index, item, sink)?,
            Shape::Reasoning => self.reasoning(index, item, sink)?,
            Shape::Function | Shape::Custom => {
                self.name(index, item, reply_id, sink)?;
                if let Some(text) = &item.arguments {
                    self.whole(index, Says::Arguments, text.clone(), sink)?;
                }
            }
        }
        self.close(index, sink)
    }

    fn message(&mut self, index: u64, item: &Item<'_>, sink: Sink<'_>) -> Result<(), Fault> {
        for (place, said) in (0..).zip(&item.said) {
            let begun = self.find(index).and_then(|at| self.lanes.get(at)).map_or(0, |lane| lane.begun);
            if place < begun {
                continue;
            }
            match said {
                Said::Refusal(text) => self.say(index, Says::Refusal(place), text.clone(), sink)?,
                Said::Text(text, logprobs) => {
                    self.say(index, Says::Text(place), text.clone(), sink)?;
                    if !logprobs.is_empty() {
                        self.logprobs(index, Event::Delta(Delta::Logprobs(logprobs.clone())), sink)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn reasoning(&mut self, index: u64, item: &Item<'_>, sink: Sink<'_>) -> Result<(), Fault> {
        let said = self.find(index).and_then(|at| self.lanes.get(at)).is_some_and(|lane| lane.said);
        if !said {
            self.say(index, Says::Thinking(0), item.thoughts(), sink)?;
        }
        let Some(proof) = item.proof() else { return Ok(()) };
        let Some(at) = self.find(index).filter(|at| self.fits(*at, Says::Thinking(0))) else { return Ok(()) };
        if self.lanes.get(at).is_some_and(|lane| lane.open.is_none()) {
            self.turn_to(at, Says::Thinking(0), sink)?;
        }
        self.emit(at, Event::Delta(Delta::Proof(proof)), sink)
    }

    /// Begins a call's block, once its name is known.
    fn name(&mut self, index: u64, item: &Item<'_>, reply_id: &str, sink: Sink<'_>) -> Result<(), Fault> {
        let Some(at) = self.find(index) else { return Ok(()) };
        let Some(lane) = self.lanes.get_mut(at) else { return Ok(()) };
        if !matches!(item.shape, Shape::Function | Shape::Custom) || lane.open.is_some() {
            return Ok(());
        }
        let Some(name) = item.name.clone() else {
            return Err(Fault::Invalid("a tool call has no name".to_owned()));
        };
        lane.shape = item.shape;
        lane.open = Some(Says::Arguments);
        // Arguments that came before the name wait here.
        let early = std::mem::take(&mut lane.held);
        let made_up = || hashed("call_", &format!("{reply_id}:{index}")).into();
        let id = item.call_id.clone().or_else(|| item.id.clone()).unwrap_or_else(made_up);
        let custom = item.shape == Shape::Custom;
        self.calls = true;
        self.answered = true;
        self.emit(at, Event::BlockStart(Block::ToolCall { id, name, custom, proof: None }), sink)?;
        for event in early {
            self.waiting = self.waiting.saturating_sub(size(&event));
            self.emit(at, event, sink)?;
        }
        Ok(())
    }

    /// The reply is whole: every item is.
    pub(super) fn finish(&mut self, sink: Sink<'_>) -> Result<(), Fault> {
        while let Some(index) = self.lanes.front().map(|lane| lane.index) {
            self.close(index, sink)?;
        }
        Ok(())
    }

    /// Whether an item is whole, though it may wait still.
    fn is_over(&self, index: u64) -> bool {
        self.over.contains(&index) || self.lanes.iter().any(|lane| lane.index == index && lane.over)
    }

    fn find(&self, index: u64) -> Option<usize> {
        self.lanes.iter().position(|lane| lane.index == index)
    }

    fn open(&mut self, index: u64, shape: Shape, sink: Sink<'_>) -> Result<(), Fault> {
        if self.lanes.len() + self.over.len() >= MAX_ITEMS {
            return Err(Fault::Invalid(format!("a reply has more than {MAX_ITEMS} output items")));
        }
        // Some servers never say that an item is whole.
        let quiet: Vec<u64> = self.lanes.iter().filter(|lane| lane.quiet).map(|lane| lane.index).collect();
        for index in quiet {
            self.close(index, sink)?;
        }
        self.lanes.push_back(Lane {
            index,
            shape,
            open: None,
            begun: 0,
            said: false,
            quiet: false,
            over: false,
            held: VecDeque::new(),
        });
        Ok(())
    }

    /// Whether an item of this shape can say it.
    fn fits(&self, at: usize, says: Says) -> bool {
        let Some(lane) = self.lanes.get(at) else { return false };
        match says {
            Says::Text(_) | Says::Refusal(_) => lane.shape == Shape::Message,
            Says::Thinking(_) => lane.shape == Shape::Reasoning,
            Says::Arguments => matches!(lane.shape, Shape::Function | Shape::Custom),
        }
    }

    /// Opens the block that says it, unless it is open.
    fn turn_to(&mut self, at: usize, says: Says, sink: Sink<'_>) -> Result<(), Fault> {
        let Some(lane) = self.lanes.get_mut(at) else { return Ok(()) };
        if lane.open == Some(says) || says == Says::Arguments {
            return Ok(());
        }
        let before = lane.open.replace(says);
        lane.quiet = false;
        let (Says::Text(place) | Says::Refusal(place) | Says::Thinking(place)) = says else { return Ok(()) };
        lane.begun = lane.begun.max(place.saturating_add(1));
        let block = match says {
            Says::Thinking(_) if before.is_some() => {
                // Paragraphs are one block.
                return self.emit(at, Event::Delta(Delta::Thinking("\n\n".into())), sink);
            }
            Says::Thinking(_) => Block::Thinking,
            Says::Refusal(_) => Block::Refusal,
            _ => Block::Text,
        };
        self.refused |= block == Block::Refusal;
        self.answered = true;
        if before.is_some() {
            self.emit(at, Event::BlockEnd, sink)?;
        }
        self.emit(at, Event::BlockStart(block), sink)
    }

    /// Says it, or lets it wait.
    fn emit(&mut self, at: usize, event: Event<'_>, sink: Sink<'_>) -> Result<(), Fault> {
        let Some(lane) = self.lanes.get_mut(at) else { return Ok(()) };
        if at == 0 && lane.open.is_some() {
            sink(event);
            return Ok(());
        }
        self.waiting += size(&event);
        lane.held.push_back(owned(event));
        if self.waiting > MAX_WAITING {
            return Err(Fault::Invalid(format!(
                "more than {MAX_WAITING} bytes wait behind an item that does not end"
            )));
        }
        Ok(())
    }

    fn close(&mut self, index: u64, sink: Sink<'_>) -> Result<(), Fault> {
        let Some(at) = self.find(index) else { return Ok(()) };
        if self.lanes.get(at).is_some_and(|lane| lane.open.is_some() && !lane.over) {
            self.emit(at, Event::BlockEnd, sink)?;
        }
        let Some(lane) = self.lanes.get_mut(at) else { return Ok(()) };
        if lane.open.is_none() && lane.said {
            return Err(Fault::Invalid("a tool call has no name".to_owned()));
        }
        lane.over = true;
        // Those that waited for this one.
        while let Some(lane) = self.lanes.front_mut() {
            for event in std::mem::take(&mut lane.held) {
                if lane.open.is_none() {
                    lane.held.push_back(event);
                    continue;
                }
                self.waiting = self.waiting.saturating_sub(size(&event));
                sink(event);
            }
            if !lane.over {
                break;
            }
            let index = lane.index;
            self.over.insert(index);
            self.lanes.pop_front();
        }
        Ok(())
    }
}

const fn shape(says: Says) -> Shape {
    match says {
        Says::Text(_) | Says::Refusal(_) => Shape::Message,
        Says::Thinking(_) => Shape::Reasoning,
        Says::Arguments => Shape::Function,
    }
}

/// How much an event holds, roughly.
fn size(event: &Event<'_>) -> usize {
    64 + match event {
        Event::Delta(Delta::Text(text) | Delta::Thinking(text) | Delta::Arguments(text)) => text.held_len(),
        Event::Delta(Delta::Proof(proof)) => proof.value.held_len(),
        Event::Delta(Delta::Logprobs(list)) => list.iter().map(|logprob| 64 * (1 + logprob.top.len())).sum(),
        _ => 0,
    }
}

/// The same event without a borrow. Only what a block is made of ever waits.
fn owned(event: Event<'_>) -> Event<'static> {
    match event {
        Event::BlockStart(Block::ToolCall { id, name, custom, proof: _ }) => {
            Event::BlockStart(Block::ToolCall {
                id: id.into_owned(),
                name: name.into_owned(),
                custom,
                proof: None,
            })
        }
        Event::BlockStart(Block::Thinking) => Event::BlockStart(Block::Thinking),
        Event::BlockStart(Block::Refusal) => Event::BlockStart(Block::Refusal),
        Event::BlockStart(_) => Event::BlockStart(Block::Text),
        Event::Delta(Delta::Text(text)) => Event::Delta(Delta::Text(text.into_owned())),
        Event::Delta(Delta::Thinking(text)) => Event::Delta(Delta::Thinking(text.into_owned())),
        Event::Delta(Delta::Arguments(text)) => Event::Delta(Delta::Arguments(text.into_owned())),
        Event::Delta(Delta::Proof(proof)) => {
            Event::Delta(Delta::Proof(crate::ir::Proof { home: proof.home, value: proof.value.into_owned() }))
        }
        Event::Delta(Delta::Logprobs(list)) => {
            let owned = list.into_iter().map(|logprob| crate::ir::chat::Logprob {
                token: logprob.token.into_owned(),
                logprob: logprob.logprob.into_owned().into(),
                top: logprob
                    .top
                    .into_iter()
                    .map(|(token, logprob)| (token.into_owned(), logprob.into_owned().into()))
                    .collect(),
            });
            Event::Delta(Delta::Logprobs(owned.collect()))
        }
        Event::BlockEnd => Event::BlockEnd,
        _ => Event::Ping,
    }
}
