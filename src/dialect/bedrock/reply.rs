//! Whole replies. <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>
//!
//! Invariant: a reply has neither id nor model here; blocks that no other dialect has are left out.

use super::usage;
use crate::config::Dialect;
use crate::dialect::members::{Members, Path, Value};
use crate::ir::Proof;
use crate::ir::chat::{Choice, Finish, FinishReason, Part, Reply, ToolCall};
use crate::ir::error::{Fault, Malformed};
use crate::wire::json::{Reader, Text};

/// Reads a reply.
pub(super) fn decode(body: &str) -> Result<Reply<'_>, Fault> {
    let mut members = open(body)?;
    let lacks = |what: &str| Fault::Invalid(format!("{what}: missing"));
    let mut output = members.take_members("output").ok_or_else(|| lacks("output"))?;
    let mut message = output.take_members("message").ok_or_else(|| lacks("output.message"))?;
    let content = message.take("content").ok_or_else(|| lacks("output.message.content"))?;
    let parts = blocks(&content).map_err(|problem| Fault::Invalid(problem.to_string()))?;
    let mut finish = finish(&mut members)?;
    if finish.reason == FinishReason::Stop && parts.iter().any(|part| matches!(part, Part::ToolCall(_))) {
        // Some models call a turn that asks for tools an ordinary stop.
        finish.reason = FinishReason::ToolCalls;
    }
    Ok(Reply {
        id: Text::from(""),
        model: Text::from(""),
        choice: Choice { parts, finish, logprobs: Vec::new() },
        more: Vec::new(),
        usage: members.take_members("usage").and_then(usage::read),
    })
}

/// Reads a count.
pub(super) fn decode_count(body: &str) -> Result<u64, Fault> {
    let mut members = open(body)?;
    let count =
        members.take("inputTokens").ok_or_else(|| Fault::Invalid("inputTokens: missing".to_owned()))?;
    count.integer(&Path::root("inputTokens")).map_err(|problem| Fault::Invalid(problem.to_string()))
}

/// The members of a reply that is not empty.
pub(super) fn open(body: &str) -> Result<Members<'_>, Fault> {
    if body.trim().is_empty() {
        return Err(Fault::Empty);
    }
    Members::of(body).map_err(|error| Fault::Invalid(error.to_string()))
}

/// Why a reply ended, from `stopReason` and, where it was asked for, `additionalModelResponseFields.stop_sequence`. A
/// reply that Bedrock itself calls malformed is none.
pub(super) fn finish<'a>(members: &mut Members<'a>) -> Result<Finish<'a>, Fault> {
    let word = members.take_if_text("stopReason").unwrap_or_else(|| Text::from(""));
    let reason = match &*word.plain() {
        "tool_use" => FinishReason::ToolCalls,
        "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
        "stop_sequence" => FinishReason::StopSequence,
        "guardrail_intervened" | "content_filtered" | "refusal" => FinishReason::Refusal,
        "pause_turn" => FinishReason::Pause,
        malformed if malformed.starts_with("malformed_") => {
            return Err(Fault::Invalid(format!("stopReason: {malformed}")));
        }
        _ => FinishReason::Stop,
    };
    let told = members.take_members("additionalModelResponseFields");
    let stop_sequence = told.and_then(|mut fields| fields.take_if_text("stop_sequence"));
    Ok(Finish { reason, word, stop_sequence })
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
        let block = Members::read(&mut reader).map_err(|error| path.fail(&error))?;
        parts.extend(part(block, &path)?);
    }
    Ok(parts)
}

fn part<'a>(mut block: Members<'a>, path: &Path<'_>) -> Result<Option<Part<'a>>, Malformed> {
    if let Some(text) = block.take_if_text("text") {
        return Ok(Some(Part::text(text)));
    }
    if let Some(mut call) = block.take_members("toolUse") {
        // A call that Bedrock answers itself is not the client's.
        if call.take("type").is_some() {
            return Ok(None);
        }
        let input = call.demand("input", path)?.object(&path.member("input"))?;
        let id = call.demand_text("toolUseId", path)?;
        return Ok(Some(Part::ToolCall(ToolCall::function(id, call.demand_text("name", path)?, input))));
    }
    if let Some(mut reasoning) = block.take_members("reasoningContent") {
        let proof = |value| Proof { home: Dialect::Bedrock, value };
        if let Some(mut thought) = reasoning.take_members("reasoningText") {
            let text = thought.take_if_text("text").unwrap_or_else(|| Text::from(""));
            let signature = thought.take_if_text("signature").filter(|signature| !signature.is_empty());
            return Ok(Some(Part::Thinking { text, proof: signature.map(proof) }));
        }
        let redacted = reasoning.take_if_text("redactedContent");
        return Ok(redacted.map(|data| Part::RedactedThinking { data: proof(data) }));
    }
    if let Some(mut cited) = block.take_members("citationsContent") {
        return Ok(Some(Part::text(joined(cited.take("content"), path)?)));
    }
    Ok(None)
}

/// The texts of a cited passage, as one.
fn joined<'a>(content: Option<Value<'a>>, path: &Path<'_>) -> Result<Text<'a>, Malformed> {
    let mut text = String::new();
    if let Some(Value::Raw(json)) = content {
        let mut reader = Reader::new(json);
        reader.array().map_err(|error| path.fail(&error))?;
        while reader.element().map_err(|error| path.fail(&error))? {
            let mut piece = Members::read(&mut reader).map_err(|error| path.fail(&error))?;
            text.extend(piece.take_if_text("text").iter().map(Text::plain));
        }
    }
    Ok(Text::from(text))
}
