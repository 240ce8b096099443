//! Thinking that is asked for where Anthropic would refuse it: the assistant's last turn calls tools, and does not begin with
//! thinking that Anthropic has signed, because another provider gave it.
//! <https://platform.claude.com/docs/en/build-with-claude/extended-thinking#preserving-thinking-blocks>
//!
//! Invariant: thinking is switched off for such a request and no other; what edits thinking goes with it.

use crate::dialect::cut::{Cuts, Fate};
use crate::dialect::members::Path;
use crate::ir::proof::is_foreign;
use crate::wire::json::{Error, Kind, Reader, Text};

/// Says that the model is not to think.
const OFF: &[u8] = br#"{"type":"disabled"}"#;
/// The edits of a context that only a thinking model takes.
const EDITS_THINKING: &str = "clear_thinking_";

/// What of a block tells whether a turn thinks.
#[derive(Default)]
pub(super) struct Block<'a> {
    pub(super) kind: Option<Text<'a>>,
    /// A signature, or what a redacted block holds.
    pub(super) proof: Option<Text<'a>>,
}

/// What of a message tells whether thinking can be gone on with.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Turn {
    pub(super) assistant: bool,
    /// Whether its first block is thinking; none is found in an empty one.
    thinks: Option<bool>,
    calls: bool,
}

impl Turn {
    /// One more block. Thinking that will be taken out does not count.
    pub(super) fn add(&mut self, block: &Block<'_>) {
        let thinks = match block.kind.as_ref().map(Text::plain).as_deref() {
            Some("thinking" | "redacted_thinking") => {
                if block.proof.as_ref().is_some_and(|proof| is_foreign(&proof.plain())) {
                    return;
                }
                true
            }
            Some("tool_use") => {
                self.calls = true;
                false
            }
            _ => false,
        };
        self.thinks.get_or_insert(thinks);
    }
}

/// The conversation, as far as it matters.
#[derive(Default)]
pub(super) struct Turns {
    budgeted: bool,
    last: Turn,
    answered: bool,
}

impl Turns {
    /// Reads `thinking`. A model that decides itself how long it thinks takes any history.
    pub(super) fn asked(&mut self, reader: &mut Reader<'_>) -> Result<(), Error> {
        if reader.peek()? != Kind::Object {
            return reader.skip();
        }
        reader.object()?;
        while let Some(name) = reader.key()? {
            if name == "type" && reader.peek()? == Kind::String {
                self.budgeted = reader.string()? == "enabled";
            } else {
                reader.skip()?;
            }
        }
        Ok(())
    }

    /// One more message. Several of the assistant's in a row are one turn.
    pub(super) fn add(&mut self, turn: Turn) {
        if !turn.assistant {
            self.answered = true;
            return;
        }
        if self.answered || !self.last.assistant {
            self.last = turn;
        } else {
            self.last.thinks = self.last.thinks.or(turn.thinks);
            self.last.calls |= turn.calls;
        }
        self.answered = false;
    }

    /// Whether Anthropic would refuse to think.
    pub(super) fn refuse_thinking(&self) -> bool {
        self.budgeted && self.answered && self.last.calls && self.last.thinks != Some(true)
    }
}

/// Notes what switches thinking off. The syntax of the body has been checked.
pub(super) fn cut<'a>(body: &'a str, cuts: &mut Cuts<'a>) -> Result<(), Error> {
    cuts.members(None, &mut Reader::new(body), &mut |cuts, path, name, reader| {
        match name {
            "thinking" => {
                let start = reader.value_offset();
                reader.skip()?;
                cuts.replace(path, start..reader.offset(), OFF);
            }
            "context_management" if reader.peek()? == Kind::Object => return context(cuts, path, reader),
            _ => reader.skip()?,
        }
        Ok(Fate::Stays)
    })?;
    Ok(())
}

/// Takes out what edits thinking, and what holds nothing else.
fn context<'a>(cuts: &mut Cuts<'a>, path: &Path<'_>, reader: &mut Reader<'a>) -> Result<Fate, Error> {
    let before = cuts.edits.len();
    let left = cuts.members(Some(path), reader, &mut |cuts, path, name, reader| {
        if name != "edits" || reader.peek()? != Kind::Array {
            reader.skip()?;
            return Ok(Fate::Stays);
        }
        let before = cuts.edits.len();
        let left = cuts.elements(path, reader, &mut |_, _, reader| {
            Ok(if edits_thinking(reader)? { Fate::Goes } else { Fate::Stays })
        })?;
        Ok(if left || cuts.edits.len() == before { Fate::Stays } else { Fate::Emptied })
    })?;
    Ok(if left || cuts.edits.len() == before { Fate::Stays } else { Fate::Emptied })
}

fn edits_thinking(reader: &mut Reader<'_>) -> Result<bool, Error> {
    if reader.peek()? != Kind::Object {
        reader.skip()?;
        return Ok(false);
    }
    let mut found = false;
    reader.object()?;
    while let Some(name) = reader.key()? {
        if name == "type" && reader.peek()? == Kind::String {
            found = reader.string()?.plain().starts_with(EDITS_THINKING);
        } else {
            reader.skip()?;
        }
    }
    Ok(found)
}
