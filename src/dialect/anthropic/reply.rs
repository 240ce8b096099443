//! Whole replies. <https://platform.claude.com/docs/en/api/messages/create#returns>
//!
//! Invariant: what is decoded from Anthropic and encoded again means the same; blocks of server tools are left out.

use super::error;
use super::usage::{self, Counts};
use crate::config::Dialect;
use crate::dialect::Summary;
use crate::dialect::members::{Members, Path, Value};
use crate::dialect::tool_call::{arguments, clean_id, write_input};
use crate::ir::Proof;
use crate::ir::chat::{Choice, Finish, FinishReason, Part, Reply, ToolCall};
use crate::ir::error::{Fault, Malformed};
use crate::wire::json::{Array, Object, Reader, Text};

/// Reads a reply.
pub(super) fn decode(body: &str) -> Result<Reply<'_>, Fault> {
    let mut members = open(body)?;
    let content = members.take("content").ok_or_else(|| Fault::Invalid("content: missing".to_owned()))?;
    let mut parts = blocks(&content).map_err(|problem| Fault::Invalid(problem.to_string()))?;
    let mut finish = finish(&mut members);
    if finish.word.is_empty() && parts.iter().any(|part| matches!(part, Part::ToolCall(_))) {
        finish.reason = FinishReason::ToolCalls;
    }
    parts.extend(explanation(&mut members).map(|text| Part::Refusal { text }));
    let mut counts = Counts::default();
    if let Some(usage) = members.take_members("usage") {
        counts.merge(usage);
    }
    Ok(Reply {
        id: members.take_if_text("id").unwrap_or_else(|| Text::from("")),
        model: members.take_if_text("model").unwrap_or_else(|| Text::from("")),
        choice: Choice { parts, finish, logprobs: Vec::new() },
        more: Vec::new(),
        usage: counts.usage(),
    })
}

/// Looks at a reply that passes through.
pub(super) fn peek(body: &str) -> Result<Summary, Fault> {
    let reply = decode(body)?;
    let output_bytes = reply.choice.parts.iter().map(|part| match part {
        Part::Text { text, .. } | Part::Thinking { text, .. } | Part::Refusal { text } => text.held_len(),
        Part::ToolCall(call) => call.arguments.len(),
        _ => 0,
    });
    Ok(Summary {
        output_bytes: output_bytes.sum::<usize>() as u64,
        usage: reply.usage,
        refused: reply.choice.finish.reason == FinishReason::Refusal,
        stored: None,
        finish_reason: Some(reply.choice.finish.word.plain().into_owned()).filter(|word| !word.is_empty()),
    })
}

fn open(body: &str) -> Result<Members<'_>, Fault> {
    if body.trim().is_empty() {
        return Err(Fault::Empty);
    }
    let mut members = Members::of(body).map_err(|error| Fault::Invalid(error.to_string()))?;
    match error::in_reply(&mut members) {
        Some(error) => Err(Fault::Error(error)),
        None => Ok(members),
    }
}

fn blocks<'a>(content: &Value<'a>) -> Result<Vec<Part<'a>>, Malformed> {
    let path = Path::root("content");
    let Value::Raw(json) = content else { return Err(path.malformed("expected a list")) };
    let mut reader = Reader::new(json);
    let mut parts = Vec::new();
    let mut at = 0;
    reader.array().map_err(|error| path.fail(&error))?;
    while reader.element().map_err(|error| path.fail(&error))? {
        let path = path.index(at);
        at += 1;
        let mut block = Members::read(&mut reader).map_err(|error| path.fail(&error))?;
        match &*block.demand_text("type", &path)?.plain() {
            "text" => parts.push(Part::text(block.demand_text("text", &path)?)),
            "thinking" => parts.push(Part::Thinking {
                text: block.demand_text("thinking", &path)?,
                proof: block
                    .take_text("signature", &path)?
                    .and_then(|signature| Proof::open(Dialect::Anthropic, signature)),
            }),
            "redacted_thinking" => {
                let data = Proof { home: Dialect::Anthropic, value: block.demand_text("data", &path)? };
                parts.push(Part::RedactedThinking { data });
            }
            "tool_use" => parts.push(Part::ToolCall(ToolCall::function(
                block.demand_text("id", &path)?,
                block.demand_text("name", &path)?,
                block.demand("input", &path)?.object(&path.member("input"))?,
            ))),
            _ => {}
        }
    }
    Ok(parts)
}

/// Why a reply ended, from `stop_reason` and `stop_sequence`. An absent reason counts as an ordinary stop.
pub(super) fn finish<'a>(members: &mut Members<'a>) -> Finish<'a> {
    let word = members.take_if_text("stop_reason").unwrap_or_else(|| Text::from(""));
    let reason = match &*word.plain() {
        "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
        "stop_sequence" => FinishReason::StopSequence,
        "tool_use" => FinishReason::ToolCalls,
        "pause_turn" => FinishReason::Pause,
        "refusal" => FinishReason::Refusal,
        _ => FinishReason::Stop,
    };
    Finish { reason, word, stop_sequence: members.take_if_text("stop_sequence") }
}

/// What a refusal says about itself, if anything.
pub(super) fn explanation<'a>(members: &mut Members<'a>) -> Option<Text<'a>> {
    let text = members.take_members("stop_details")?.take_if_text("explanation");
    text.filter(|text| !text.is_blank())
}

/// Anthropic's word for a reason. Some providers call a turn that asks for tools an ordinary stop.
pub(super) const fn stop_reason(reason: FinishReason, calls_tools: bool) -> &'static str {
    match reason {
        FinishReason::Stop if calls_tools => "tool_use",
        FinishReason::Stop => "end_turn",
        FinishReason::StopSequence => "stop_sequence",
        FinishReason::Length => "max_tokens",
        FinishReason::ToolCalls => "tool_use",
        FinishReason::Refusal => "refusal",
        FinishReason::Pause => "pause_turn",
    }
}

/// Writes `stop_reason` and `stop_sequence`.
pub(super) fn write_finish(finish: &Finish<'_>, calls_tools: bool, object: &mut Object<'_>) {
    object.str("stop_reason", stop_reason(finish.reason, calls_tools));
    match &finish.stop_sequence {
        Some(text) => object.text("stop_sequence", text),
        None => object.null("stop_sequence"),
    };
}

/// Appends a reply.
pub(super) fn encode(reply: &Reply<'_>, out: &mut Vec<u8>) {
    let calls_tools = reply.choice.parts.iter().any(|part| matches!(part, Part::ToolCall(_)));
    let mut body = Object::new(out);
    body.text("id", &reply.id).str("type", "message").str("role", "assistant").text("model", &reply.model);
    body.array("content", |content| reply.choice.parts.iter().for_each(|part| write_part(part, content)));
    write_finish(&reply.choice.finish, calls_tools, &mut body);
    body.object("usage", |object| usage::write(&reply.usage.unwrap_or_default(), object));
}

fn write_part(part: &Part<'_>, content: &mut Array<'_>) {
    match part {
        Part::Text { text, .. } | Part::Refusal { text } if !text.is_empty() => {
            content.object(|block| {
                block.str("type", "text").text("text", text);
            });
        }
        Part::Thinking { text, proof } => {
            content.object(|block| {
                block.str("type", "thinking").text("thinking", text);
                // Clients demand the member; empty says that it is not Anthropic's thinking.
                let signature = proof.as_ref().map(|proof| proof.seal(Dialect::Anthropic));
                block.text("signature", &signature.unwrap_or_else(|| Text::from("")));
            });
        }
        Part::RedactedThinking { data } => {
            content.object(|block| {
                block.str("type", "redacted_thinking").text("data", &data.seal(Dialect::Anthropic));
            });
        }
        Part::ToolCall(call) => {
            // A call has no place for what proves it: that comes before it, as thinking without words.
            if let Some(proof) = &call.proof {
                content.object(|block| {
                    block.str("type", "thinking").str("thinking", "");
                    block.text("signature", &proof.seal(Dialect::Anthropic));
                });
            }
            content.object(|block| {
                block.str("type", "tool_use").text("id", &clean_id(&call.id)).text("name", &call.name);
                write_input(&arguments(call), block.member("input"));
            });
        }
        // No dialect's reply has the other parts in a form that Anthropic's could hold.
        _ => {}
    }
}
