//! Whole replies.

use super::choice::{CallPiece, Envelope, Piece};
use super::echo::CustomTools;
use super::{finish, proofs, usage};
use crate::config::Dialect;
use crate::dialect::ReplyContext;
use crate::dialect::openai_api::logprobs;
use crate::dialect::tool_call::custom_input;
use crate::ir::chat::{Choice, Finish, FinishReason, Logprob, Part, Reply, ToolCall};
use crate::ir::error::Fault;
use crate::wire::json::{Object, Text};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Choices beyond this are refused: the API grants no more.
pub(super) const MAX_CHOICES: usize = 128;

/// A choice, while it is read.
#[derive(Debug, Default)]
struct Draft<'a> {
    thinking: Vec<Part<'a>>,
    said: Vec<Part<'a>>,
    calls: Vec<ToolCall<'a>>,
    refused: bool,
    finish: Option<(FinishReason, Text<'a>)>,
    logprobs: Vec<Logprob<'a>>,
    usage: Option<crate::config::Usage>,
}

/// Reads a reply with status 200.
pub(super) fn decode(body: &str) -> Result<Reply<'_>, Fault> {
    let envelope = Envelope::read(body)?;
    let mut drafts: BTreeMap<u64, Draft<'_>> = BTreeMap::new();
    envelope.pieces(&mut |index, piece| {
        if drafts.len() >= MAX_CHOICES && !drafts.contains_key(&index) {
            return Err(Fault::Invalid(format!("a reply has more than {MAX_CHOICES} choices")));
        }
        drafts.entry(index).or_default().take(piece, &envelope.id)
    })?;
    let mut usage = envelope.usage;
    let mut choices = Vec::with_capacity(drafts.len());
    for draft in drafts.into_values() {
        usage = draft.usage.or(usage);
        choices.push(draft.finish()?);
    }
    let mut choices = choices.into_iter();
    let choice = choices.next().ok_or(Fault::Empty)?;
    Ok(Reply { id: envelope.id, model: envelope.model, choice, more: choices.collect(), usage })
}

impl<'a> Draft<'a> {
    fn take(&mut self, piece: Piece<'a>, reply_id: &Text<'_>) -> Result<(), Fault> {
        match piece {
            Piece::Text(text) => self.said.push(Part::Text { text, cache: false }),
            Piece::Thinking(text) => self.thinking.push(Part::Thinking { text, proof: None }),
            Piece::Refusal(text) => {
                self.refused = true;
                self.said.push(Part::Refusal { text });
            }
            Piece::Call(piece) => {
                let number = self.calls.len();
                self.calls.push(call(piece, number, reply_id)?);
            }
            Piece::Logprobs(mut list) => self.logprobs.append(&mut list),
            Piece::Finish(word) => self.finish = Some((finish::decode(&word.plain())?, word)),
            Piece::Usage(usage) => self.usage = Some(usage),
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Choice<'a>, Fault> {
        let has_calls = !self.calls.is_empty();
        let mut parts = self.thinking;
        parts.append(&mut self.said);
        parts.extend(self.calls.into_iter().map(Part::ToolCall));
        let (reason, word) = match self.finish {
            Some(finish) => finish,
            // Some vendors leave the reason out; a reply without it and without content is none.
            None if !parts.is_empty() => (FinishReason::Stop, "".into()),
            None => return Err(Fault::Empty),
        };
        let reason = finish::settle(reason, has_calls, self.refused);
        let finish = Finish { reason, word, stop_sequence: None };
        Ok(Choice { parts, finish, logprobs: self.logprobs })
    }
}

fn call<'a>(piece: CallPiece<'a>, number: usize, reply_id: &Text<'_>) -> Result<ToolCall<'a>, Fault> {
    let name = piece.name.ok_or_else(|| Fault::Invalid("a tool call has no name".to_owned()))?;
    let id = piece.id.unwrap_or_else(|| super::stream::made_up_id(&reply_id.plain(), number).into());
    let arguments = piece.arguments.map_or(Cow::Borrowed(""), |text| text.plain());
    Ok(ToolCall { id, name, arguments, custom: piece.custom, proof: piece.proof })
}

/// Appends a reply as the official clients parse it.
pub(super) fn encode(reply: &Reply<'_>, context: &ReplyContext, out: &mut Vec<u8>) {
    let tools = CustomTools::of(context);
    let mut object = Object::new(out);
    object
        .text("id", &reply.id)
        .str("object", "chat.completion")
        .int("created", context.created)
        .text("model", &reply.model)
        .array("choices", |list| {
            for (index, choice) in (0..).zip(std::iter::once(&reply.choice).chain(&reply.more)) {
                list.object(|object| write_choice(index, choice, &tools, object));
            }
        });
    if let Some(counts) = &reply.usage {
        object.object("usage", |object| usage::encode(counts, object));
    }
}

fn write_choice(index: u64, choice: &Choice<'_>, tools: &CustomTools, object: &mut Object<'_>) {
    let refused = choice.parts.iter().any(|part| matches!(part, Part::Refusal { .. }));
    object.int("index", index).object("message", |object| message(choice, tools, object));
    write_logprobs(&choice.logprobs, refused, object.member("logprobs"));
    object.str("finish_reason", finish::encode(choice.finish.reason, refused));
}

/// Writes the value of `logprobs`: of a refusal in words they stand under its own name.
pub(super) fn write_logprobs(list: &[Logprob<'_>], refused: bool, out: &mut Vec<u8>) {
    if list.is_empty() {
        out.extend_from_slice(b"null");
        return;
    }
    let (name, other) = if refused { ("refusal", "content") } else { ("content", "refusal") };
    Object::new(out).array(name, |array| logprobs::write(array, list)).null(other);
}

/// The texts of one kind of part.
fn texts<'r, 'a>(
    choice: &'r Choice<'a>,
    kind: fn(&'r Part<'a>) -> Option<&'r Text<'a>>,
) -> impl Iterator<Item = &'r Text<'a>> {
    choice.parts.iter().filter_map(kind)
}

fn message(choice: &Choice<'_>, tools: &CustomTools, object: &mut Object<'_>) {
    let said = || {
        texts(choice, |part| match part {
            Part::Text { text, .. } => Some(text),
            _ => None,
        })
    };
    let refusals = || {
        texts(choice, |part| match part {
            Part::Refusal { text } => Some(text),
            _ => None,
        })
    };
    let thoughts = || {
        texts(choice, |part| match part {
            Part::Thinking { text, .. } if !text.is_empty() => Some(text),
            _ => None,
        })
    };
    let calls = || {
        choice.parts.iter().filter_map(|part| match part {
            Part::ToolCall(call) => Some(call),
            _ => None,
        })
    };
    object.str("role", "assistant");
    if said().next().is_none() && (calls().next().is_some() || refusals().next().is_some()) {
        object.null("content");
    } else {
        joined(said(), object.member("content"));
    }
    if refusals().next().is_some() {
        joined(refusals(), object.member("refusal"));
    } else {
        object.null("refusal");
    }
    if thoughts().next().is_some() {
        joined(thoughts(), object.member("reasoning_content"));
    }
    write_proved(&choice.parts, object);
    if calls().next().is_some() {
        object.array("tool_calls", |list| {
            for call in calls() {
                list.object(|object| write_call(call, tools, object));
            }
        });
    }
}

/// Writes thinking once more, with what proves it, if anything does.
fn write_proved(parts: &[Part<'_>], object: &mut Object<'_>) {
    let is_proved = |part: &Part<'_>| {
        matches!(part, Part::Thinking { proof: Some(_), .. } | Part::RedactedThinking { .. })
    };
    if !parts.iter().any(is_proved) {
        return;
    }
    object.array("reasoning_details", |list| {
        let thinking =
            parts.iter().filter(|part| matches!(part, Part::Thinking { .. } | Part::RedactedThinking { .. }));
        for (index, part) in (0..).zip(thinking) {
            match part {
                Part::Thinking { text, proof } => proofs::write_thinking(index, text, proof.as_ref(), list),
                Part::RedactedThinking { data } => proofs::write_redacted(index, data, list),
                _ => {}
            }
        }
    });
}

fn write_call(call: &ToolCall<'_>, tools: &CustomTools, object: &mut Object<'_>) {
    object.text("id", &call.id);
    if call.custom || tools.have(&call.name) {
        let input = if call.custom { Cow::Borrowed(&*call.arguments) } else { custom_input(&call.arguments) };
        object.str("type", "custom").object("custom", |custom| {
            custom.text("name", &call.name).str("input", &input);
        });
    } else {
        object.str("type", "function").object("function", |function| {
            function.text("name", &call.name).str("arguments", &call.arguments);
        });
    }
    if let Some(proof) = &call.proof {
        proofs::write_call(&proof.seal(Dialect::Openai), object);
    }
}

/// The blocks of one reply are one text that was cut by the provider: they join without a seam.
fn joined<'r, 'a: 'r>(texts: impl Iterator<Item = &'r Text<'a>>, out: &mut Vec<u8>) {
    out.push(b'"');
    for text in texts {
        text.write_content(out);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests;
