//! What the simulated model says: one turn, decided by the prompt alone and the same in every dialect.
//!
//! Invariant: no clock, no randomness; the same prompt gives the same turn.

use super::directive::{self, Directives};
use super::tokens;
use serde_json::{Value, json};
use std::time::Duration;

pub(crate) mod example;

/// Above this size a reply is streamed in large pieces, so that a big reply is not made of a million events.
const BIG: usize = 64 * 1024;
const BIG_PIECE: usize = 1024;
const PIECE: usize = 12;

/// How the model may use tools.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Choice {
    /// If the prompt says so.
    #[default]
    Auto,
    /// Not at all.
    None,
    /// At least one.
    Any,
    /// This one.
    Named(String),
    /// None but these, and at least one if it is required.
    Among {
        /// Their names.
        names: Vec<String>,
        /// Whether one must be called.
        required: bool,
    },
}

/// What form the reply must have.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum Format {
    /// Any text.
    #[default]
    Text,
    /// Some JSON object.
    Json,
    /// JSON of this schema.
    Schema(Value),
}

/// A tool that the request declares.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tool {
    /// Its name.
    pub(crate) name: String,
    /// Its arguments' JSON schema; one of a plain text takes any text in place of JSON.
    pub(crate) schema: Value,
}

/// What the model is asked, whatever the dialect.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Prompt {
    /// The text of the last user turn; empty if the conversation ends with tool results.
    pub(crate) text: String,
    /// The tool results that the conversation ends with.
    pub(crate) results: Vec<String>,
    /// What it may call.
    pub(crate) tools: Vec<Tool>,
    /// How.
    pub(crate) choice: Choice,
    /// Whether it may call several at once.
    pub(crate) parallel: bool,
    /// Texts before which it must stop.
    pub(crate) stops: Vec<String>,
    /// The most it may say, in tokens.
    pub(crate) limit: Option<u64>,
    /// The form of the reply.
    pub(crate) format: Format,
    /// Whether it was asked to reason.
    pub(crate) reason: bool,
}

/// What a script changes about the reply, before it is composed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Bias {
    /// Say this many bytes.
    pub(crate) big: Option<usize>,
    /// Refuse.
    pub(crate) refuse: bool,
    /// Report no usage.
    pub(crate) no_usage: bool,
    /// Wait this long before each delta.
    pub(crate) pace: Duration,
    /// For how many seconds a token is good.
    pub(crate) lifetime: Option<u64>,
}

/// A call to a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    /// Which.
    pub(crate) name: String,
    /// Its arguments as text; nearly always JSON.
    pub(crate) arguments: String,
}

/// Why the model stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It was done.
    End,
    /// It reached the limit.
    Length,
    /// It was about to say this.
    Sequence(String),
    /// It wants tools called.
    Tools,
    /// It refused.
    Refused,
}

/// What the model says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Turn {
    /// Its thinking, where it shows some.
    pub(crate) thinking: Option<String>,
    /// Whether it also shows thinking that only the vendor can read.
    pub(crate) redacted: bool,
    /// Whether the prompt dictated the thinking, so that it is shown even where the vendor would hide it.
    pub(crate) dictated: bool,
    /// Its text; may be empty.
    pub(crate) text: String,
    /// Whether the text is the model's own refusal.
    pub(crate) declined: bool,
    /// What other candidates say in place of the text.
    pub(crate) also: Vec<String>,
    /// The pages that it names as sources of its text.
    pub(crate) cites: Vec<String>,
    /// What it searches the web for.
    pub(crate) search: Option<String>,
    /// Whether it breaks down after all.
    pub(crate) failed: bool,
    /// What it calls.
    pub(crate) calls: Vec<Call>,
    /// Why it stopped.
    pub(crate) stop: Stop,
    /// How long it takes before each delta.
    pub(crate) pace: Duration,
    /// Into how many bytes the stream's writes are cut; 0: whole events.
    pub(crate) split: usize,
}

impl Turn {
    /// What was said, in tokens, thinking included.
    pub(crate) fn output(&self) -> u64 {
        let call =
            |call: &Call| tokens::count(&call.name) + tokens::count(&call.arguments) + tokens::PER_MESSAGE;
        (self.reasoning() + tokens::count(&self.text) + self.calls.iter().map(call).sum::<u64>()).max(1)
    }

    /// The candidate of that index: they differ in their text alone.
    pub(crate) fn candidate(&self, index: usize) -> Self {
        let other = index.checked_sub(1).and_then(|index| self.also.get(index));
        let text = other.filter(|_| self.calls.is_empty() && !self.declined);
        Self { text: text.unwrap_or(&self.text).clone(), ..self.clone() }
    }

    /// Of these, the thinking.
    pub(crate) fn reasoning(&self) -> u64 {
        self.thinking.as_deref().map_or(0, tokens::count) + if self.redacted { 16 } else { 0 }
    }
}

/// Decides what the model says.
pub(crate) fn compose(prompt: &Prompt, bias: Bias) -> Turn {
    let asked = directive::parse(&prompt.text);
    let calls = calls(prompt, &asked);
    let refused = asked.refuse || bias.refuse;
    let mut turn = Turn {
        thinking: thinking(prompt, &asked),
        dictated: asked.think.is_some(),
        redacted: asked.redacted,
        text: if refused { String::new() } else { text(prompt, &asked, &calls, bias) },
        declined: asked.decline.is_some() && !refused,
        also: asked.also.clone(),
        cites: asked.cite.clone(),
        search: asked.search.clone(),
        failed: asked.fail,
        stop: if calls.is_empty() { Stop::End } else { Stop::Tools },
        calls,
        pace: if bias.pace.is_zero() { asked.delay } else { bias.pace },
        split: if asked.unicode { 3 } else { 0 },
    };
    if asked.length {
        turn.stop = Stop::Length;
    }
    if refused {
        turn.calls.clear();
        turn.stop = Stop::Refused;
        return turn;
    }
    obey_stops(&mut turn, &prompt.stops);
    obey_limit(&mut turn, prompt.limit);
    turn
}

fn calls(prompt: &Prompt, asked: &Directives) -> Vec<Call> {
    if prompt.choice == Choice::None || prompt.tools.is_empty() || asked.decline.is_some() {
        return Vec::new();
    }
    let wanted = |name: &str| match &prompt.choice {
        Choice::Named(only) => only == name,
        Choice::Among { names, .. } => names.iter().any(|known| known == name),
        Choice::Auto | Choice::Any | Choice::None => true,
    };
    let mut calls: Vec<Call> = asked
        .tools
        .iter()
        .filter(|(name, _)| wanted(name))
        .map(|(name, arguments)| Call { name: name.clone(), arguments: arguments.clone() })
        .collect();
    let forced =
        matches!(prompt.choice, Choice::Any | Choice::Named(_) | Choice::Among { required: true, .. });
    if calls.is_empty()
        && forced
        && let Some(tool) = prompt.tools.iter().find(|tool| wanted(&tool.name))
    {
        let arguments = match example::of(&tool.schema) {
            Value::String(text) => text,
            arguments => arguments.to_string(),
        };
        calls.push(Call { name: tool.name.clone(), arguments });
    }
    if !prompt.parallel {
        calls.truncate(1);
    }
    calls
}

fn thinking(prompt: &Prompt, asked: &Directives) -> Option<String> {
    let natural = || format!("The user wants an answer to: {}", excerpt(&prompt.text, 60));
    asked.think.clone().or_else(|| prompt.reason.then(natural))
}

fn text(prompt: &Prompt, asked: &Directives, calls: &[Call], bias: Bias) -> String {
    if let Some(bytes) = bias.big.or(asked.big) {
        return filler(bytes);
    }
    if let Some(said) = &asked.decline {
        return said.clone();
    }
    if let Some(words) = asked.words {
        let words = (1..=words).map(|index| format!("word{index}"));
        return words.collect::<Vec<_>>().join(" ");
    }
    if let Some(said) = &asked.say {
        return said.clone();
    }
    if asked.unicode {
        return "Grüße 👩\u{200d}🚀 from 東京: naïve café, 한국어, 🇸🇪🎉 и конец.".to_owned();
    }
    match &prompt.format {
        Format::Schema(schema) if calls.is_empty() => return example::of(schema).to_string(),
        Format::Json if calls.is_empty() => {
            return json!({"reply": excerpt(&prompt.text, 60)}).to_string();
        }
        Format::Text | Format::Json | Format::Schema(_) => {}
    }
    if !calls.is_empty() {
        return String::new();
    }
    if !prompt.results.is_empty() {
        let results: Vec<_> = prompt.results.iter().map(|result| excerpt(result, 200)).collect();
        return format!("The tool returned: {}", results.join("; "));
    }
    format!("You said: {}", excerpt(&prompt.text, 80))
}

fn filler(bytes: usize) -> String {
    const LINE: &str = "All work and no play makes the simulator a dull provider. ";
    let mut text = LINE.repeat(bytes.div_ceil(LINE.len()));
    text.truncate(bytes);
    text
}

fn excerpt(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

fn obey_stops(turn: &mut Turn, stops: &[String]) {
    let first = stops.iter().filter_map(|stop| turn.text.find(stop.as_str()).map(|at| (at, stop))).min();
    if let Some((at, stop)) = first {
        turn.text.truncate(at);
        turn.calls.clear();
        turn.stop = Stop::Sequence(stop.clone());
    }
}

/// Thinking is spent first, then the text, then the calls; a call that is cut is malformed JSON, as in life.
fn obey_limit(turn: &mut Turn, limit: Option<u64>) {
    let Some(mut left) = limit else { return };
    let mut was_cut = false;
    if let Some(thinking) = &mut turn.thinking {
        was_cut |= tokens::cut(thinking, left);
        left = left.saturating_sub(tokens::count(thinking));
    }
    was_cut |= tokens::cut(&mut turn.text, left);
    left = left.saturating_sub(tokens::count(&turn.text));
    let mut kept = Vec::new();
    for mut call in turn.calls.drain(..) {
        let head = tokens::count(&call.name) + tokens::PER_MESSAGE;
        if left < head {
            was_cut = true;
            break;
        }
        left -= head;
        was_cut |= tokens::cut(&mut call.arguments, left);
        left = left.saturating_sub(tokens::count(&call.arguments));
        kept.push(call);
    }
    turn.calls = kept;
    if was_cut {
        turn.stop = Stop::Length;
    }
}

/// A text in the pieces in which it is streamed: words with the space before them, at most a dozen bytes each.
pub(crate) fn pieces(text: &str) -> Vec<&str> {
    let limit = if text.len() > BIG { BIG_PIECE } else { PIECE };
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let mut end = rest.floor_char_boundary(limit).max(rest.chars().next().map_or(1, char::len_utf8));
        let space = rest.bytes().take(end).skip(1).position(|byte| byte == b' ');
        if limit == PIECE
            && let Some(before) = space
        {
            end = before + 1;
        }
        let (piece, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

#[cfg(test)]
mod tests;
