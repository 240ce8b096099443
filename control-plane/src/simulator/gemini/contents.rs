//! A conversation: who may speak when, what a turn may hold, and how function calls find their responses.
//!
//! Spec: <https://ai.google.dev/api/caching#Content>, <https://ai.google.dev/gemini-api/docs/function-calling>. Invariant:
//! what the model said in a row is one turn, as the vendor's own client sends back a stream; each function call turn is
//! followed by one content that answers all its calls.

use super::ability::Ability;
use super::error;
use super::parts::{self, Part, Told};
use super::schema::Flavour;
use crate::simulator::shape::{Checked, Node, Object, Violation};
use crate::simulator::tokens;

/// What a conversation comes to.
#[derive(Debug, Default)]
pub(crate) struct Conversation {
    /// The last user turn's text; empty if that turn is function responses.
    pub(crate) last_text: String,
    /// The function responses in it.
    pub(crate) results: Vec<String>,
    /// All of it, in tokens.
    pub(crate) tokens: u64,
    /// Of these, what came before the last turn.
    pub(crate) history: u64,
}

/// One content of the user's, or all of the model's in a row.
#[derive(Debug)]
struct Turn<'a> {
    model: bool,
    /// Which of the contents it ends with.
    index: usize,
    parts: Vec<Part<'a>>,
}

impl<'a> Turn<'a> {
    fn calls(&self) -> impl Iterator<Item = &Part<'a>> {
        self.parts.iter().filter(|part| matches!(part.told, Told::Call { .. }))
    }

    fn responses(&self) -> impl Iterator<Item = &Part<'a>> {
        self.parts.iter().filter(|part| matches!(part.told, Told::Response { .. }))
    }

    /// Whether it only brings what functions returned.
    fn returns(&self) -> bool {
        self.responses().next().is_some()
    }
}

/// Checks all turns.
pub(crate) fn read(root: &Object<'_>, flavour: Flavour, ability: Ability) -> Checked<Conversation> {
    let list = root.get("contents").map(|node| node.list()).transpose()?.unwrap_or_default();
    if list.is_empty() {
        return Err(match flavour {
            Flavour::Vertex => rule(error::vertex("at least one contents field is required")),
            Flavour::Stable | Flavour::Beta => {
                rule("* GenerateContentRequest.contents: contents is not specified\n")
            }
        });
    }
    let mut turns: Vec<Turn<'_>> = Vec::new();
    for (index, node) in list.iter().enumerate() {
        let turn = turn(node, index, flavour, ability)?;
        match turns.last_mut() {
            Some(last) if last.model && turn.model => {
                // The call is what a complaint is about.
                last.index = if turn.calls().next().is_some() { index } else { last.index };
                last.parts.extend(turn.parts);
            }
            _ => turns.push(turn),
        }
    }
    paired(&turns, ability)?;
    signed(&turns, flavour, ability)?;
    if turns.last().is_some_and(|turn| turn.model) && !ability.prefill {
        return Err(rule("Requests ending with a model turn are not supported."));
    }
    Ok(summary(&turns))
}

/// The text of an instruction, and its tokens.
pub(crate) fn instruction(node: &Node<'_>, flavour: Flavour, ability: Ability) -> Checked<u64> {
    let members = node.object()?;
    let mut cost = 0;
    for part in members.get("parts").map(|parts| parts.list()).transpose()?.unwrap_or_default() {
        let read = parts::read(&part, flavour, ability)?;
        if !matches!(read.told, Told::Text(_)) {
            return Err(rule("System instruction only supports text."));
        }
        cost += read.tokens;
    }
    Ok(cost)
}

fn rule(message: impl Into<String>) -> Violation {
    Violation::rule(message, None)
}

fn turn<'a>(node: &Node<'a>, index: usize, flavour: Flavour, ability: Ability) -> Checked<Turn<'a>> {
    let members = node.object()?;
    let role = members.text("role")?.unwrap_or_default();
    if !["", "user", "model", "function"].contains(&role) {
        return Err(rule("Please use a valid role: user, model."));
    }
    let list = members.get("parts").map(|parts| parts.list()).transpose()?.unwrap_or_default();
    if list.is_empty() {
        return Err(match flavour {
            Flavour::Vertex => rule(error::vertex(
                "it must include at least one parts field, which describes the prompt input",
            )),
            Flavour::Stable | Flavour::Beta => {
                let mut violation = error::at(node, "contents.parts must not be empty.");
                violation.path.push(crate::simulator::shape::Segment::Key("parts".to_owned()));
                violation
            }
        });
    }
    let parts: Vec<Part<'_>> =
        list.iter().map(|part| parts::read(part, flavour, ability)).collect::<Checked<_>>()?;
    let is_blank = |part: &Part<'_>| matches!(part.told, Told::Text(text) if text.is_empty());
    if flavour == Flavour::Vertex && role != "model" && parts.iter().all(is_blank) {
        return Err(rule(error::vertex("Model input cannot be empty.")));
    }
    Ok(Turn { model: role == "model", index, parts })
}

/// A call comes after the user, and all that was called is answered by the turn after it.
fn paired(turns: &[Turn<'_>], ability: Ability) -> Checked<()> {
    let mut before: Option<&Turn<'_>> = None;
    for turn in turns {
        let asked = before.map_or(0, |before| before.calls().count());
        let answered = turn.responses().count();
        if answered > 0 && asked == 0 {
            return Err(rule(
                "Please ensure that function response turn comes immediately after a function call turn.",
            ));
        }
        let mixed = ability.strict_calls && answered > 0 && turn.parts.len() != answered;
        if asked != answered || mixed {
            return Err(rule(
                "Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.",
            ));
        }
        if let (true, Some(before)) = (asked > 0 && ability.strict_calls, before) {
            ids(before, turn)?;
        }
        if turn.calls().next().is_some() && before.is_none_or(|before| before.model) {
            return Err(rule(
                "Please ensure that function call turn comes immediately after a user turn or after a function response turn.",
            ));
        }
        before = Some(turn);
    }
    Ok(())
}

/// An id that comes back is one of a call, once; the vendor's own client brings none back.
fn ids(asking: &Turn<'_>, answering: &Turn<'_>) -> Checked<()> {
    let id = |part: &Part<'_>| match part.told {
        Told::Call { id, .. } | Told::Response { id, .. } => id.to_owned(),
        _ => String::new(),
    };
    let mut asked: Vec<String> = asking.calls().map(id).collect();
    for answered in answering.responses().map(id).filter(|id| !id.is_empty()) {
        let Some(index) = asked.iter().position(|known| *known == answered) else {
            return Err(rule("functionResponse.id does not match functionCall.id"));
        };
        asked.remove(index);
    }
    Ok(())
}

/// In the current turn, which begins after what the user said last, the first call of each step is signed.
fn signed(turns: &[Turn<'_>], flavour: Flavour, ability: Ability) -> Checked<()> {
    if !ability.signs {
        return Ok(());
    }
    let said = turns.iter().rposition(|turn| !turn.model && !turn.returns());
    for turn in turns.iter().skip(said.map_or(0, |said| said + 1)) {
        let Some(call) = turn.calls().next() else { continue };
        let Told::Call { name, .. } = call.told else { continue };
        if turn.model && !call.signed {
            let place = turn.index + 1;
            return Err(rule(match flavour {
                Flavour::Vertex => format!(
                    "Unable to submit request because function call `default_api:{name}` in the {place}. content block is missing a \
                     `thought_signature`. Learn more: https://docs.cloud.google.com/vertex-ai/generative-ai/docs/thought-signatures"
                ),
                Flavour::Stable | Flavour::Beta => format!(
                    "Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, \
                     and missing thought_signature may lead to degraded model performance. Additional data, function call \
                     `default_api:{name}` , position {place}. Please refer to https://ai.google.dev/gemini-api/docs/thought-signatures \
                     for more details."
                ),
            }));
        }
    }
    Ok(())
}

fn summary(turns: &[Turn<'_>]) -> Conversation {
    let mut conversation = Conversation::default();
    for turn in turns {
        conversation.history = conversation.tokens;
        conversation.tokens += tokens::PER_MESSAGE + turn.parts.iter().map(|part| part.tokens).sum::<u64>();
        if turn.model {
            continue;
        }
        conversation.last_text.clear();
        conversation.results.clear();
        for part in &turn.parts {
            match &part.told {
                Told::Text(text) => conversation.last_text.push_str(text),
                Told::Response { said, .. } => conversation.results.push(said.clone()),
                Told::Call { .. } | Told::Thought | Told::Other => {}
            }
        }
    }
    conversation
}
