//! Whole replies.

use super::choice::{CallPiece, Envelope, Piece};
use super::{finish, usage};
use crate::dialect::ReplyContext;
use crate::ir::chat::{Finish, FinishReason, Part, Reply, ToolCall};
use crate::ir::error::Fault;
use crate::wire::json::{Object, Text};
use std::borrow::Cow;

/// The first choice, while it is read.
#[derive(Debug, Default)]
struct Draft<'a> {
    thinking: Vec<Part<'a>>,
    said: Vec<Part<'a>>,
    calls: Vec<ToolCall<'a>>,
    refused: bool,
    finish: Option<(FinishReason, Text<'a>)>,
    usage: Option<crate::config::Usage>,
}

/// Reads a reply with status 200. Choices beyond the first are left out: only OpenAI's own clients can ask for them.
pub(super) fn decode(body: &str) -> Result<Reply<'_>, Fault> {
    let envelope = Envelope::read(body)?;
    if !envelope.has_choices {
        return Err(Fault::Empty);
    }
    let mut draft = Draft { usage: envelope.usage, ..Draft::default() };
    envelope.pieces(&mut |index, piece| if index == 0 { draft.take(piece, &envelope.id) } else { Ok(()) })?;
    let has_calls = !draft.calls.is_empty();
    let mut parts = draft.thinking;
    parts.append(&mut draft.said);
    parts.extend(draft.calls.into_iter().map(Part::ToolCall));
    let (reason, word) = match draft.finish {
        Some(finish) => finish,
        // Some vendors leave the reason out; a reply without it and without content is none.
        None if !parts.is_empty() => (FinishReason::Stop, "".into()),
        None => return Err(Fault::Empty),
    };
    let reason = finish::settle(reason, has_calls, draft.refused);
    let finish = Finish { reason, word, stop_sequence: None };
    Ok(Reply { id: envelope.id, model: envelope.model, parts, finish, usage: draft.usage })
}

impl<'a> Draft<'a> {
    fn take(&mut self, piece: Piece<'a>, reply_id: &Text<'_>) -> Result<(), Fault> {
        match piece {
            Piece::Text(text) => self.said.push(Part::Text { text, cache: false }),
            Piece::Thinking(text) => self.thinking.push(Part::Thinking { text, signature: None }),
            Piece::Refusal(text) => {
                self.refused = true;
                self.said.push(Part::Refusal { text });
            }
            Piece::Call(piece) => {
                let number = self.calls.len();
                self.calls.push(call(piece, number, reply_id)?);
            }
            Piece::Finish(word) => self.finish = Some((finish::decode(&word.plain())?, word)),
            Piece::Usage(usage) => self.usage = Some(usage),
        }
        Ok(())
    }
}

fn call<'a>(piece: CallPiece<'a>, number: usize, reply_id: &Text<'_>) -> Result<ToolCall<'a>, Fault> {
    let name = piece.name.ok_or_else(|| Fault::Invalid("a tool call has no name".to_owned()))?;
    let id = piece.id.unwrap_or_else(|| super::stream::made_up_id(&reply_id.plain(), number).into());
    let arguments = piece.arguments.map_or(Cow::Borrowed(""), |text| text.plain());
    Ok(ToolCall { id, name, arguments })
}

/// Appends a reply as the official clients parse it.
pub(super) fn encode(reply: &Reply<'_>, context: &ReplyContext, out: &mut Vec<u8>) {
    let mut object = Object::new(out);
    object
        .text("id", &reply.id)
        .str("object", "chat.completion")
        .int("created", context.created)
        .text("model", &reply.model)
        .array("choices", |choices| {
            choices.object(|choice| {
                choice
                    .int("index", 0)
                    .object("message", |object| message(reply, object))
                    .null("logprobs")
                    .str(
                        "finish_reason",
                        finish::encode(reply.finish.reason, refusals(reply).next().is_some()),
                    );
            });
        });
    if let Some(counts) = &reply.usage {
        object.object("usage", |object| usage::encode(counts, object));
    }
}

fn refusals<'r, 'a>(reply: &'r Reply<'a>) -> impl Iterator<Item = &'r Text<'a>> {
    reply.parts.iter().filter_map(|part| match part {
        Part::Refusal { text } => Some(text),
        _ => None,
    })
}

fn message(reply: &Reply<'_>, object: &mut Object<'_>) {
    let texts = || {
        reply.parts.iter().filter_map(|part| match part {
            Part::Text { text, .. } => Some(text),
            _ => None,
        })
    };
    let thoughts = || {
        reply.parts.iter().filter_map(|part| match part {
            Part::Thinking { text, .. } if !text.is_empty() => Some(text),
            _ => None,
        })
    };
    let calls = || {
        reply.parts.iter().filter_map(|part| match part {
            Part::ToolCall(call) => Some(call),
            _ => None,
        })
    };
    object.str("role", "assistant");
    if texts().next().is_none() && (calls().next().is_some() || refusals(reply).next().is_some()) {
        object.null("content");
    } else {
        joined(texts(), object.member("content"));
    }
    if refusals(reply).next().is_some() {
        joined(refusals(reply), object.member("refusal"));
    } else {
        object.null("refusal");
    }
    if thoughts().next().is_some() {
        joined(thoughts(), object.member("reasoning_content"));
    }
    if calls().next().is_some() {
        object.array("tool_calls", |list| {
            for call in calls() {
                list.object(|object| {
                    object.text("id", &call.id).str("type", "function").object("function", |function| {
                        function.text("name", &call.name).str("arguments", &call.arguments);
                    });
                });
            }
        });
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
