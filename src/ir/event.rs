//! A streamed reply as events, and the grammar that every decoder keeps:
//! `Start Candidate (NextCandidate Candidate)* Usage? End` with `Candidate = (BlockStart Delta* BlockEnd)* Finish`, and
//! pings anywhere.

use super::chat::{Finish, Logprob};
use super::{Proof, Text, Usage};

/// One step of a streamed reply. Blocks do not overlap, nor do candidates: a decoder whose dialect interleaves them
/// orders them, and holds the later ones back.
#[derive(Debug, Clone, PartialEq)]
pub enum Event<'a> {
    /// The reply begins.
    Start {
        /// The provider's id for it.
        id: Text<'a>,
        /// The model as the provider names it.
        model: Text<'a>,
        /// Counts that are known already: Anthropic tells the prompt's at the start. Not final.
        usage: Option<Usage>,
    },
    /// A block begins.
    BlockStart(Block<'a>),
    /// The open block goes on.
    Delta(Delta<'a>),
    /// The open block ends.
    BlockEnd,
    /// The candidate is whole.
    Finish(Finish<'a>),
    /// Another candidate begins, where several were asked for.
    NextCandidate,
    /// Final counts.
    Usage(Usage),
    /// Nothing follows.
    End,
    /// The provider is alive. Not a token.
    Ping,
}

/// What kind of block begins.
#[derive(Debug, Clone, PartialEq)]
pub enum Block<'a> {
    /// Text.
    Text,
    /// Thinking.
    Thinking,
    /// Thinking that only its home can read, whole.
    RedactedThinking {
        /// Opaque.
        data: Proof<'a>,
    },
    /// A tool call.
    ToolCall {
        /// Its id.
        id: Text<'a>,
        /// The tool.
        name: Text<'a>,
        /// Whether it is a custom one: its arguments are text, not JSON.
        custom: bool,
        /// By which its home accepts it back.
        proof: Option<Proof<'a>>,
    },
    /// A refusal.
    Refusal,
}

/// A piece of the open block.
#[derive(Debug, Clone, PartialEq)]
pub enum Delta<'a> {
    /// Of a text or refusal block.
    Text(Text<'a>),
    /// Of a thinking block.
    Thinking(Text<'a>),
    /// The proof of a thinking block, whole; its last delta.
    Proof(Proof<'a>),
    /// Of a tool call's arguments: JSON text, so doubly escaped where it stands in JSON.
    Arguments(Text<'a>),
    /// Of a text block's tokens, where they were asked for.
    Logprobs(Vec<Logprob<'a>>),
}

impl Block<'_> {
    /// Without a borrow.
    #[must_use]
    pub fn into_owned(self) -> Block<'static> {
        match self {
            Self::Text => Block::Text,
            Self::Thinking => Block::Thinking,
            Self::Refusal => Block::Refusal,
            Self::RedactedThinking { data } => Block::RedactedThinking { data: data.into_owned() },
            Self::ToolCall { id, name, custom, proof } => Block::ToolCall {
                id: id.into_owned(),
                name: name.into_owned(),
                custom,
                proof: proof.map(Proof::into_owned),
            },
        }
    }
}

impl Delta<'_> {
    /// Without a borrow.
    #[must_use]
    pub fn into_owned(self) -> Delta<'static> {
        match self {
            Self::Text(text) => Delta::Text(text.into_owned()),
            Self::Thinking(text) => Delta::Thinking(text.into_owned()),
            Self::Proof(proof) => Delta::Proof(proof.into_owned()),
            Self::Arguments(text) => Delta::Arguments(text.into_owned()),
            Self::Logprobs(list) => Delta::Logprobs(list.into_iter().map(Logprob::into_owned).collect()),
        }
    }
}

impl Event<'_> {
    /// Without a borrow: what a decoder holds back.
    #[must_use]
    pub fn into_owned(self) -> Event<'static> {
        match self {
            Self::Start { id, model, usage } => {
                Event::Start { id: id.into_owned(), model: model.into_owned(), usage }
            }
            Self::BlockStart(block) => Event::BlockStart(block.into_owned()),
            Self::Delta(delta) => Event::Delta(delta.into_owned()),
            Self::BlockEnd => Event::BlockEnd,
            Self::Finish(finish) => Event::Finish(finish.into_owned()),
            Self::NextCandidate => Event::NextCandidate,
            Self::Usage(usage) => Event::Usage(usage),
            Self::End => Event::End,
            Self::Ping => Event::Ping,
        }
    }

    /// Whether this is the first sign of an answer: until then everything can still be tried elsewhere.
    #[must_use]
    pub fn is_token(&self) -> bool {
        match self {
            Self::Delta(Delta::Text(text) | Delta::Thinking(text) | Delta::Arguments(text)) => {
                !text.is_empty()
            }
            Self::BlockStart(Block::ToolCall { .. } | Block::RedactedThinking { .. }) | Self::Finish(_) => {
                true
            }
            _ => false,
        }
    }
}

/// A breach of the event grammar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{event} in state {state:?}")]
pub struct Breach {
    event: String,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Before,
    Between,
    Text,
    Thinking,
    ToolCall,
    Closed,
    Finished,
    Counted,
    Ended,
}

/// Checks the grammar; runs in every test and fuzz target.
#[derive(Debug)]
pub struct Checker(State);

impl Default for Checker {
    fn default() -> Self {
        Self(State::Before)
    }
}

impl Checker {
    /// Takes the next event.
    pub fn event(&mut self, event: &Event<'_>) -> Result<(), Breach> {
        let next = match (self.0, event) {
            (State::Ended, _) => None,
            (state, Event::Ping) => Some(state),
            (State::Before, Event::Start { .. }) => Some(State::Between),
            (State::Between, Event::BlockStart(block)) => Some(match block {
                Block::Text | Block::Refusal => State::Text,
                Block::Thinking => State::Thinking,
                Block::ToolCall { .. } => State::ToolCall,
                Block::RedactedThinking { .. } => State::Closed,
            }),
            (State::Text, Event::Delta(Delta::Text(_) | Delta::Logprobs(_)))
            | (State::Thinking, Event::Delta(Delta::Thinking(_) | Delta::Proof(_)))
            | (State::ToolCall, Event::Delta(Delta::Arguments(_))) => Some(self.0),
            (State::Text | State::Thinking | State::ToolCall | State::Closed, Event::BlockEnd) => {
                Some(State::Between)
            }
            (State::Between, Event::Finish(_)) => Some(State::Finished),
            (State::Finished, Event::NextCandidate) => Some(State::Between),
            (State::Finished, Event::Usage(_)) => Some(State::Counted),
            (State::Finished | State::Counted, Event::End) => Some(State::Ended),
            _ => None,
        };
        self.0 = next.ok_or_else(|| Breach { event: format!("{event:?}"), state: self.0 })?;
        Ok(())
    }

    /// Whether the reply is whole.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.0 == State::Ended
    }
}
