//! Neutral messages as the turns that strict dialects accept (Anthropic's, Bedrock's): a system prompt apart, then user
//! and assistant in alternation, the user first, tool results at the head of the turn after their calls, no blank text.
//!
//! Invariant: nothing that was said disappears; what has no place is listed.

use crate::config::Dialect;
use crate::dialect::thoughts::Thoughts;
use crate::ir::chat::{Message, Part, Role, ToolCall};
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Stands where a user turn is demanded and the client gave none.
const PLACEHOLDER: &str = "(continued)";

/// A conversation in that shape.
pub(super) struct Turns<'r> {
    /// The system prompt's texts.
    pub(super) system: Vec<Piece<'r>>,
    /// At least one, the first a user's.
    pub(super) turns: Vec<Turn<'r>>,
}

/// A turn; never empty.
pub(super) struct Turn<'r> {
    /// Who speaks.
    pub(super) assistant: bool,
    /// What is said.
    pub(super) pieces: Vec<Piece<'r>>,
}

/// A block to be.
pub(super) struct Piece<'r> {
    /// The message it comes from and its position there, for the loss list; `None` for what we put in.
    pub(super) origin: Option<(&'r Message<'r>, usize)>,
    /// What it says.
    pub(super) part: Cow<'r, Part<'r>>,
}

impl Turn<'_> {
    pub(super) fn begins_with_thinking(&self) -> bool {
        self.pieces
            .first()
            .is_some_and(|piece| matches!(*piece.part, Part::Thinking { .. } | Part::RedactedThinking { .. }))
    }

    pub(super) fn has_tool_call(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(*piece.part, Part::ToolCall(_)))
    }
}

/// The names of all tools that were called, in order, each once.
pub(super) fn called<'t>(turns: &'t [Turn<'_>]) -> Vec<Cow<'t, str>> {
    let pieces = turns.iter().flat_map(|turn| &turn.pieces);
    let mut names: Vec<_> = pieces
        .filter_map(|piece| match &*piece.part {
            Part::ToolCall(call) => Some(call.name.plain()),
            _ => None,
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// What becomes of a part of a turn that is not the operator's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// It stays where it is.
    Kept,
    /// The dialect cannot say it there.
    Lost,
    /// Thinking that means nothing to this dialect: another has proved it, or nobody.
    Foreign,
}

/// Whether a part is thinking that means nothing at `home`: what nobody or another dialect has proved. The models that
/// strict dialects serve refuse it.
pub(super) fn is_foreign(part: &Part<'_>, home: Dialect) -> bool {
    let proved = match part {
        Part::RedactedThinking { data } => Some(data.home),
        Part::Thinking { proof, .. } => proof.as_ref().map(|proof| proof.home),
        _ => return false,
    };
    proved != Some(home)
}

/// Arranges a conversation. `place` is the dialect's word on user and assistant parts that are not blank.
pub(super) fn arrange<'r>(
    messages: &'r [Message<'r>],
    place: fn(Role, &Part<'_>) -> Place,
    loss: &mut Loss,
) -> Result<Turns<'r>, Malformed> {
    let leading =
        messages.iter().take_while(|message| matches!(message.role, Role::System | Role::Developer)).count();
    let (head, tail) = messages.split_at_checked(leading).unwrap_or((&[], messages));
    let mut system = Vec::new();
    for message in head {
        names(message, loss);
        for (index, part) in message.parts.iter().enumerate() {
            match part {
                Part::Text { text, .. } if text.is_blank() => {}
                Part::Text { .. } => system.push(Piece::of(message, index, part)),
                _ => loss.drop_in(message, index, ""),
            }
        }
    }
    let mut turns: Vec<Turn<'r>> = Vec::new();
    let thoughts = Thoughts::of(tail);
    for (position, message) in tail.iter().enumerate() {
        names(message, loss);
        let assistant = message.role == Role::Assistant;
        let mut pieces = Vec::with_capacity(message.parts.len());
        for (index, part) in message.parts.iter().enumerate() {
            if assistant && place(message.role, part) == Place::Foreign {
                thoughts.leave_out(message, position, index, loss);
            } else {
                pieces.extend(piece(message, index, part, place, loss));
            }
        }
        match turns.last_mut() {
            _ if pieces.is_empty() => {}
            Some(turn) if turn.assistant == assistant => turn.pieces.extend(pieces),
            _ => turns.push(Turn { assistant, pieces }),
        }
    }
    if turns.is_empty() {
        // Instructions alone are a request in other dialects; here somebody has to ask.
        let pieces = std::mem::take(&mut system);
        if pieces.is_empty() {
            return Err(Malformed::at("messages", "expected at least one message with content"));
        }
        turns.push(Turn { assistant: false, pieces });
    }
    ends(tail, &mut turns);
    results_first(&mut turns);
    distinct_calls(&mut turns);
    Ok(Turns { system, turns })
}

impl<'r> Piece<'r> {
    fn of(message: &'r Message<'r>, index: usize, part: &'r Part<'r>) -> Self {
        Self { origin: Some((message, index)), part: Cow::Borrowed(part) }
    }

    fn placeholder() -> Self {
        Self { origin: None, part: Cow::Owned(Part::text(PLACEHOLDER)) }
    }
}

/// There is no word for a participant's name.
fn names(message: &Message<'_>, loss: &mut Loss) {
    if let (Some(_), Some(at)) = (&message.name, message.at) {
        loss.drop(format!("messages[{at}].name"));
    }
}

/// What a part becomes in its turn; `None` if it says nothing or has no place there.
fn piece<'r>(
    message: &'r Message<'r>,
    index: usize,
    part: &'r Part<'r>,
    place: fn(Role, &Part<'_>) -> Place,
    loss: &mut Loss,
) -> Option<Piece<'r>> {
    match (message.role, part) {
        (_, Part::Text { text, .. } | Part::Refusal { text }) if text.is_blank() => return None,
        (Role::System | Role::Developer, Part::Text { text, cache }) => {
            // Instructions in the middle stay in their place, as a user's words marked as the operator's: moved to the
            // top they would come before what they speak about, and a conversation could end with the assistant.
            let text = format!("<system>\n{}\n</system>", text.plain()).into();
            let part = Cow::Owned(Part::Text { text, cache: *cache });
            return Some(Piece { origin: Some((message, index)), part });
        }
        (Role::System | Role::Developer, _) => loss.drop_in(message, index, ""),
        (role, part) => match place(role, part) {
            Place::Kept => return Some(Piece::of(message, index, part)),
            Place::Lost | Place::Foreign => loss.drop_in(message, index, ""),
        },
    }
    None
}

/// The user speaks first, and a user who said nothing at last still has the last word.
fn ends<'r>(messages: &'r [Message<'r>], turns: &mut Vec<Turn<'r>>) {
    let placeholder = || Turn { assistant: false, pieces: vec![Piece::placeholder()] };
    if turns.first().is_some_and(|turn| turn.assistant) {
        turns.insert(0, placeholder());
    }
    let asked = messages.last().is_some_and(|message| message.role != Role::Assistant);
    match turns.last_mut() {
        Some(turn) if turn.assistant && asked => turns.push(placeholder()),
        Some(turn) if turn.assistant => trim_prefill(turn),
        _ => {}
    }
}

/// For models that refuse to go on with a begun reply: the user asks them to, which may come out otherwise.
pub(super) fn let_the_user_end(turns: &mut Vec<Turn<'_>>, loss: &mut Loss) {
    let Some(last) = turns.last().filter(|turn| turn.assistant) else { return };
    if let Some((message, index)) = last.pieces.last().and_then(|piece| piece.origin) {
        loss.drop_turn(message, index);
    }
    turns.push(Turn { assistant: false, pieces: vec![Piece::placeholder()] });
}

/// A reply that the client has begun must not end in white space.
fn trim_prefill(turn: &mut Turn<'_>) {
    if let Some(piece) = turn.pieces.last_mut()
        && let Part::Text { text, cache } = &*piece.part
    {
        let plain = text.plain();
        let trimmed = plain.trim_end();
        if trimmed.len() < plain.len() {
            piece.part = Cow::Owned(Part::Text { text: trimmed.to_owned().into(), cache: *cache });
        }
    }
}

/// Puts tool results before everything else in their turn, in the order of the calls.
fn results_first(turns: &mut [Turn<'_>]) {
    let mut order = BTreeMap::new();
    for turn in turns {
        if turn.assistant {
            let calls = turn.pieces.iter().filter_map(|piece| match &*piece.part {
                Part::ToolCall(call) => Some(call.id.plain().into_owned()),
                _ => None,
            });
            order = calls.enumerate().map(|(at, id)| (id, at)).collect();
        } else if turn.pieces.iter().any(|piece| matches!(*piece.part, Part::ToolResult { .. })) {
            turn.pieces.sort_by_cached_key(|piece| match &*piece.part {
                Part::ToolResult { id, .. } => {
                    (false, order.get(&*id.plain()).copied().unwrap_or(usize::MAX))
                }
                _ => (true, 0),
            });
        }
    }
}

/// Gives each call an id of its own: some models number their calls from the start again in every turn, and an id
/// is wanted once in a conversation. A turn's results are those of the calls before it, in order.
fn distinct_calls(turns: &mut [Turn<'_>]) {
    let mut seen = BTreeSet::new();
    let mut repeated: BTreeMap<String, u32> = BTreeMap::new();
    let mut open: BTreeMap<String, VecDeque<String>> = BTreeMap::new();
    for turn in turns {
        if turn.assistant {
            open.clear();
        }
        for piece in &mut turn.pieces {
            let (Part::ToolCall(ToolCall { id, .. }) | Part::ToolResult { id, .. }) = &*piece.part else {
                continue;
            };
            let said = id.plain().into_owned();
            let distinct = if turn.assistant {
                let mut distinct = said.clone();
                while !seen.insert(distinct.clone()) {
                    // The count is kept, so that many repetitions cost one step each.
                    let count = repeated.entry(said.clone()).or_insert(1);
                    *count += 1;
                    distinct = format!("{said}_{count}");
                }
                open.entry(said.clone()).or_default().push_back(distinct.clone());
                distinct
            } else {
                let next = open.get_mut(&said).and_then(VecDeque::pop_front);
                next.unwrap_or_else(|| said.clone())
            };
            if distinct != said
                && let Part::ToolCall(ToolCall { id, .. }) | Part::ToolResult { id, .. } = piece.part.to_mut()
            {
                *id = distinct.into();
            }
        }
    }
}
