//! Neutral messages as the turns that Gemini accepts: instructions apart; then the user's, the model's and the tools'
//! turns, each merged with its like.
//!
//! Invariant: nothing that was said disappears; what has no place is listed. Results stand apart from words, directly
//! behind their calls and in their order.

use crate::config::Dialect;
use crate::dialect::gemini::generation::Generation;
use crate::dialect::thoughts::Thoughts;
use crate::ir::chat::{Message, Part, Role};
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
use crate::wire::json::Text;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Stands where a conversation begins with the model, or ends with it where that is refused.
const PLACEHOLDER: &str = "(continued)";

/// Whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Speaker {
    User,
    Model,
    /// What tools returned; on the wire a user's turn.
    Tools,
}

/// A part to be.
pub(super) struct Piece<'r> {
    /// The message it comes from and its position there, for the loss list; `None` for what we put in.
    pub(super) origin: Option<(&'r Message<'r>, usize)>,
    /// What it says.
    pub(super) part: Cow<'r, Part<'r>>,
}

/// A turn; never empty.
pub(super) struct Turn<'r> {
    pub(super) speaker: Speaker,
    pub(super) pieces: Vec<Piece<'r>>,
}

/// A conversation in Gemini's shape.
pub(super) struct Turns<'r> {
    /// The instructions' texts.
    pub(super) system: Vec<Piece<'r>>,
    /// At least one.
    pub(super) turns: Vec<Turn<'r>>,
    /// The tools by the ids of their calls.
    pub(super) tools: BTreeMap<String, Text<'r>>,
}

/// Arranges a conversation for a model.
pub(super) fn arrange<'r>(
    messages: &'r [Message<'r>],
    generation: Generation,
    loss: &mut Loss,
) -> Result<Turns<'r>, Malformed> {
    let leading =
        messages.iter().take_while(|message| matches!(message.role, Role::System | Role::Developer)).count();
    let (head, tail) = messages.split_at_checked(leading).unwrap_or((&[], messages));
    let mut system = Vec::new();
    for (index, message, part) in all(head) {
        match part {
            Part::Text { text, .. } if text.is_empty() => {}
            Part::Text { .. } => {
                system.push(Piece { origin: Some((message, index)), part: Cow::Borrowed(part) })
            }
            _ => loss.drop_in(message, index, ""),
        }
    }
    for message in messages {
        // There is no word for a participant's name.
        if let (Some(_), Some(at)) = (&message.name, message.at) {
            loss.drop(format!("messages[{at}].name"));
        }
    }
    let mut turns: Vec<Turn<'r>> = Vec::new();
    let mut tools = BTreeMap::new();
    let thoughts = Thoughts::of(tail);
    for (position, message) in tail.iter().enumerate() {
        for (index, part) in message.parts.iter().enumerate() {
            if let Part::ToolCall(call) = part {
                tools.insert(call.id.plain().into_owned(), call.name.clone());
            }
            if message.role == Role::Assistant && is_foreign(part) {
                thoughts.leave_out(message, position, index, loss);
                continue;
            }
            let Some((speaker, part)) = place(message, index, part, loss) else { continue };
            let piece = Piece { origin: Some((message, index)), part };
            take(&mut turns, speaker, piece);
        }
    }
    leave_out_lone_thoughts(&mut turns, loss);
    if turns.is_empty() {
        // Instructions alone are a request in other dialects; here somebody has to ask.
        let pieces = std::mem::take(&mut system);
        if pieces.is_empty() {
            return Err(Malformed::at("messages", "expected at least one message with content"));
        }
        turns.push(Turn { speaker: Speaker::User, pieces });
    }
    if turns.first().is_some_and(|turn| turn.speaker == Speaker::Model) {
        turns.insert(0, Turn::placeholder());
    }
    if !generation.goes_on() && turns.last().is_some_and(|turn| turn.speaker == Speaker::Model) {
        // The user asks for the rest of what the client has begun, which may come out otherwise.
        let last = turns.last().and_then(|turn| turn.pieces.last()?.origin);
        last.into_iter().for_each(|(message, index)| loss.drop_turn(message, index));
        turns.push(Turn::placeholder());
    }
    in_order(&mut turns);
    Ok(Turns { system, turns, tools })
}

/// Adds a piece to the last turn, if that is the speaker's. Results go before what the user has said since the calls:
/// Google wants them directly behind.
fn take<'r>(turns: &mut Vec<Turn<'r>>, speaker: Speaker, piece: Piece<'r>) {
    let overtakes = matches!(
        (speaker, turns.as_slice()),
        (Speaker::Tools, [.., before, last]) if last.speaker == Speaker::User && before.speaker != Speaker::User
    );
    let at = if overtakes { turns.len() - 1 } else { turns.len() };
    match at.checked_sub(1).and_then(|at| turns.get_mut(at)) {
        Some(turn) if turn.speaker == speaker => turn.pieces.push(piece),
        _ => turns.insert(at, Turn { speaker, pieces: vec![piece] }),
    }
}

impl Turn<'_> {
    fn placeholder() -> Self {
        let part = Cow::Owned(Part::text(PLACEHOLDER));
        Self { speaker: Speaker::User, pieces: vec![Piece { origin: None, part }] }
    }
}

fn all<'r>(messages: &'r [Message<'r>]) -> impl Iterator<Item = (usize, &'r Message<'r>, &'r Part<'r>)> {
    messages
        .iter()
        .flat_map(|message| message.parts.iter().enumerate().map(move |(index, part)| (index, message, part)))
}

/// Whether a part is thinking that means nothing here: another's proof, and no words. Google signs hardly any of its own
/// thoughts, so what nobody has proved may be one.
fn is_foreign(part: &Part<'_>) -> bool {
    match part {
        Part::Thinking { text, proof: None } => text.is_empty(),
        Part::Thinking { proof: Some(proof), .. } => proof.home != Dialect::Gemini,
        Part::RedactedThinking { .. } => true,
        _ => false,
    }
}

/// A turn of nothing but thoughts that nobody has signed is none: the model would have to go on with it.
fn leave_out_lone_thoughts(turns: &mut Vec<Turn<'_>>, loss: &mut Loss) {
    let says_nothing = |turn: &Turn<'_>| {
        let bare = |piece: &Piece<'_>| matches!(*piece.part, Part::Thinking { proof: None, .. });
        turn.speaker == Speaker::Model && turn.pieces.iter().all(bare)
    };
    if !turns.iter().any(says_nothing) {
        return;
    }
    let asked = turns.iter().rposition(|turn| turn.speaker == Speaker::User);
    for (position, turn) in std::mem::take(turns).into_iter().enumerate() {
        if says_nothing(&turn) {
            let current = asked.is_none_or(|asked| position > asked);
            let origins = turn.pieces.iter().filter_map(|piece| piece.origin).filter(|_| current);
            origins.for_each(|(message, index)| loss.drop_in(message, index, ""));
            continue;
        }
        match turns.last_mut() {
            Some(last) if last.speaker == turn.speaker => last.pieces.extend(turn.pieces),
            _ => turns.push(turn),
        }
    }
}

/// Whose turn a part belongs to, and what it becomes there; `None` if it says nothing or has no place.
fn place<'r>(
    message: &'r Message<'r>,
    index: usize,
    part: &'r Part<'r>,
    loss: &mut Loss,
) -> Option<(Speaker, Cow<'r, Part<'r>>)> {
    let speaker = match (message.role, part) {
        (_, Part::Text { text, .. } | Part::Refusal { text }) if text.is_empty() => return None,
        (Role::System | Role::Developer, Part::Text { text, cache }) => {
            // Instructions in the middle stay in their place, as a user's words marked as the operator's.
            let text = format!("<system>\n{}\n</system>", text.plain()).into();
            return Some((Speaker::User, Cow::Owned(Part::Text { text, cache: *cache })));
        }
        (Role::User, Part::ToolResult { .. }) => Speaker::Tools,
        (Role::User, Part::Text { .. } | Part::Image { .. } | Part::Document { .. }) => Speaker::User,
        (Role::User, Part::Audio { .. } | Part::Video { .. }) => Speaker::User,
        (Role::Assistant, Part::Text { .. } | Part::Refusal { .. } | Part::ToolCall(_)) => Speaker::Model,
        (Role::Assistant, Part::Thinking { .. }) => Speaker::Model,
        _ => {
            loss.drop_in(message, index, "");
            return None;
        }
    };
    Some((speaker, Cow::Borrowed(part)))
}

/// Results without ids are told apart by their order alone.
fn in_order(turns: &mut [Turn<'_>]) {
    let mut order = BTreeMap::new();
    for turn in turns {
        match turn.speaker {
            Speaker::User => {}
            Speaker::Model => {
                let calls = turn.pieces.iter().filter_map(|piece| match &*piece.part {
                    Part::ToolCall(call) => Some(call.id.plain().into_owned()),
                    _ => None,
                });
                order = calls.enumerate().map(|(at, id)| (id, at)).collect();
            }
            Speaker::Tools => turn.pieces.sort_by_cached_key(|piece| match &*piece.part {
                Part::ToolResult { id, .. } => order.get(&*id.plain()).copied().unwrap_or(usize::MAX),
                _ => usize::MAX,
            }),
        }
    }
}
