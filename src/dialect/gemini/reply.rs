//! Whole replies. <https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse>
//!
//! Invariant: what is decoded from Gemini and encoded again means the same.

use super::candidate::{Candidate, Chunk, Piece};
use super::{call_id, finish, parts, usage};
use crate::config::Dialect;
use crate::dialect::{ReplyContext, Summary};
use crate::ir::Proof;
use crate::ir::chat::{Choice, Finish, FinishReason, Part, Reply, ToolCall};
use crate::ir::error::Fault;
use crate::wire::json::{Object, Text};

/// Reads a reply.
pub(super) fn decode(body: &str) -> Result<Reply<'_>, Fault> {
    if body.trim().is_empty() {
        return Err(Fault::Empty);
    }
    let chunk = Chunk::read(body)?;
    let mut calls = 0;
    let mut choices = Vec::with_capacity(chunk.candidates.len());
    for candidate in chunk.read_candidates() {
        let candidate = candidate?;
        choices.push((candidate.index, choice(candidate, &chunk.id.plain(), &mut calls)));
    }
    // Google numbers candidates, and may send them in any order.
    choices.sort_by_key(|(index, _)| *index);
    let mut choices = choices.into_iter().map(|(_, choice)| choice);
    let choice = match (choices.next(), chunk.blocked) {
        (Some(choice), _) => choice?,
        (None, Some((word, message))) => Choice {
            parts: message.map(|text| Part::Refusal { text }).into_iter().collect(),
            finish: Finish { reason: FinishReason::Refusal, word, stop_sequence: None },
            logprobs: Vec::new(),
        },
        (None, None) => return Err(Fault::Empty),
    };
    // One candidate that was spoiled does not spoil the others.
    let more = choices.filter_map(Result::ok).collect();
    Ok(Reply { id: chunk.id, model: chunk.model, choice, more, usage: chunk.usage })
}

fn choice<'a>(candidate: Candidate<'a>, reply: &str, calls: &mut usize) -> Result<Choice<'a>, Fault> {
    let first = *calls;
    let spoke = candidate.pieces.iter().any(Piece::speaks);
    let mut parts: Vec<Part<'a>> = Vec::with_capacity(candidate.pieces.len());
    for piece in candidate.pieces {
        match piece {
            Piece::Text { text, thought: true, signature } => {
                parts.push(Part::Thinking { text, proof: signature.map(proof) });
            }
            Piece::Text { text, thought: false, signature } => {
                if !text.is_empty() {
                    parts.push(Part::text(text));
                }
                if let Some(signature) = signature {
                    parts.push(Part::Thinking { text: Text::from(""), proof: Some(proof(signature)) });
                }
            }
            Piece::Call { id, name, arguments, signature } => {
                let id = id.unwrap_or_else(|| call_id::in_reply(reply, *calls, &name.plain()).into());
                *calls += 1;
                let call = ToolCall::function(id, name, arguments);
                parts.push(Part::ToolCall(ToolCall { proof: signature.map(proof), ..call }));
            }
        }
    }
    let message = candidate.message;
    let finish = finish::settle(candidate.finish, message.as_ref(), spoke, *calls > first)?;
    if finish.reason == FinishReason::Refusal {
        parts.extend(message.map(|text| Part::Refusal { text }));
    }
    Ok(Choice { parts, finish, logprobs: candidate.logprobs })
}

fn proof(value: Text<'_>) -> Proof<'_> {
    Proof { home: Dialect::Gemini, value }
}

/// Looks at a reply that passes through.
pub(super) fn peek(body: &str) -> Result<Summary, Fault> {
    if body.trim().is_empty() {
        return Err(Fault::Empty);
    }
    let chunk = Chunk::read(body)?;
    let mut summary = Summary { usage: chunk.usage, ..Summary::default() };
    let mut first: Option<Candidate<'_>> = None;
    for candidate in chunk.read_candidates() {
        let candidate = candidate?;
        summary.output_bytes += candidate.pieces.iter().map(Piece::size).sum::<usize>() as u64;
        if first.as_ref().is_none_or(|first| candidate.index < first.index) {
            first = Some(candidate);
        }
    }
    let word = match (first, chunk.blocked) {
        (Some(candidate), _) => {
            let spoke = candidate.pieces.iter().any(Piece::speaks);
            let word = candidate.finish.clone().unwrap_or_default();
            match finish::settle(candidate.finish, candidate.message.as_ref(), spoke, false) {
                // The client may have a use for what there is.
                Err(_) if spoke => Finish { reason: FinishReason::Stop, word, stop_sequence: None },
                settled => settled?,
            }
        }
        (None, Some((word, _))) => Finish { reason: FinishReason::Refusal, word, stop_sequence: None },
        (None, None) => return Err(Fault::Empty),
    };
    summary.refused = word.reason == FinishReason::Refusal;
    summary.finish_reason = Some(word.word.plain().into_owned()).filter(|word| !word.is_empty());
    Ok(summary)
}

/// Appends a reply.
pub(super) fn encode(reply: &Reply<'_>, context: &ReplyContext, out: &mut Vec<u8>) {
    let mut body = Object::new(out);
    body.array("candidates", |candidates| {
        for (index, choice) in std::iter::once(&reply.choice).chain(&reply.more).enumerate() {
            candidates.object(|candidate| write_choice(choice, index as u64, candidate));
        }
    });
    if let Some(usage) = &reply.usage {
        body.object("usageMetadata", |object| usage::write(usage, object));
    }
    write_names(&reply.id, &reply.model, context, &mut body);
}

/// Writes `modelVersion` and `responseId`.
pub(super) fn write_names(id: &Text<'_>, model: &Text<'_>, context: &ReplyContext, body: &mut Object<'_>) {
    match model.is_empty() {
        true => body.str("modelVersion", &context.model),
        false => body.text("modelVersion", model),
    };
    match id.is_empty() {
        true => body.str("responseId", &context.request_id),
        false => body.text("responseId", id),
    };
}

fn write_choice(choice: &Choice<'_>, index: u64, candidate: &mut Object<'_>) {
    candidate.object("content", |content| {
        content.array("parts", |list| {
            let mut first = true;
            for part in &choice.parts {
                match part {
                    Part::Text { text, .. } | Part::Refusal { text } => parts::text(text, list),
                    Part::Thinking { text, proof } => parts::thinking(text, proof.as_ref(), true, list),
                    Part::RedactedThinking { data } => parts::redacted(data, list),
                    Part::ToolCall(call) => {
                        parts::Call {
                            id: &call.id,
                            name: &call.name,
                            arguments: &call.arguments,
                            custom: call.custom,
                            proof: call.proof.as_ref(),
                            first: std::mem::take(&mut first),
                        }
                        .write(list);
                    }
                    // No dialect's reply has the other parts in a form that Gemini's could hold.
                    _ => {}
                }
            }
        });
        content.str("role", "model");
    });
    candidate.str("finishReason", &finish::word(&choice.finish)).int("index", index);
    parts::logprobs(&choice.logprobs, candidate);
}
