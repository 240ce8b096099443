//! Thinking that is asked for where Anthropic would refuse it: the assistant's last turn calls tools, and does not begin with
//! thinking that Anthropic has signed, because another provider gave it.
//! <https://platform.claude.com/docs/en/build-with-claude/extended-thinking#preserving-thinking-blocks>
//!
//! Invariant: thinking is switched off for such a request and no other; what edits thinking goes with it.

use crate::dialect::{Edit, cut};
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

/// The edits that switch thinking off, in order. The syntax of the body has been checked.
pub(super) fn edits(body: &str) -> Vec<Edit> {
    let mut edits = Vec::new();
    if walk(body, &mut edits).is_err() {
        edits.clear();
    }
    edits
}

fn walk(body: &str, edits: &mut Vec<Edit>) -> Result<(), Error> {
    let mut reader = Reader::new(body);
    cut::members(body, &mut reader, edits, &mut |name, reader, edits| match &*name.plain() {
        "thinking" => {
            let start = reader.value_offset();
            reader.skip()?;
            edits.push(Edit { span: start..reader.offset(), with: OFF.to_vec() });
            Ok(false)
        }
        "context_management" if reader.peek()? == Kind::Object => context(body, reader, edits),
        _ => {
            reader.skip()?;
            Ok(false)
        }
    })
}

/// Takes what edits thinking out; says whether nothing is left then.
fn context<'a>(body: &'a str, reader: &mut Reader<'a>, edits: &mut Vec<Edit>) -> Result<bool, Error> {
    let mut taken = Vec::new();
    let mut left = true;
    cut::members(body, reader, &mut taken, &mut |name, reader, edits| {
        if *name != "edits" || reader.peek()? != Kind::Array {
            reader.skip()?;
            return Ok(false);
        }
        left = cut::elements(reader, edits, &mut |reader, _| edits_thinking(reader))? || edits.is_empty();
        Ok(false)
    })?;
    if left {
        edits.append(&mut taken);
    }
    Ok(!left)
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
