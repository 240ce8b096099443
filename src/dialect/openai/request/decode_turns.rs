//! A client's messages.
//!
//! Invariant: paths are relative here and completed on the way out, so that a good request formats none.

use super::decode_calls::calls;
use super::decode_parts::content;
use crate::dialect::openai::proofs;
use crate::dialect::openai::wire::{At, is_void, optional_text, under};
use crate::ir::chat::{Message, Part, Role};
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
use crate::wire::json::{Reader, Text};

/// `messages`. Consecutive `tool` messages become one user turn.
pub(super) fn decode<'a>(reader: &mut Reader<'a>, loss: &mut Loss) -> Result<Vec<Message<'a>>, Malformed> {
    let mut messages: Vec<Message<'a>> = Vec::new();
    let mut after_tool = false;
    let mut at = 0;
    reader.array().at("messages")?;
    while reader.element().at("messages")? {
        let turn = Turn::read(reader, at, loss)
            .and_then(|turn| turn.finish(at))
            .map_err(|inner| under(&format!("messages[{at}]"), inner))?;
        at += 1;
        match turn {
            Read::Turn(message) => {
                messages.push(message);
                after_tool = false;
            }
            Read::Result(mut message) => match messages.last_mut() {
                Some(last) if after_tool => last.parts.append(&mut message.parts),
                _ => {
                    messages.push(message);
                    after_tool = true;
                }
            },
        }
    }
    Ok(messages)
}

/// A message as it stands in the IR.
enum Read<'a> {
    Turn(Message<'a>),
    /// A `tool` message.
    Result(Message<'a>),
}

/// A message's members, while its role may be still unknown.
#[derive(Default)]
struct Turn<'a> {
    role: Option<Text<'a>>,
    content: Option<Vec<Part<'a>>>,
    name: Option<Text<'a>>,
    calls: Vec<Part<'a>>,
    call_id: Option<Text<'a>>,
    refusal: Option<Text<'a>>,
    thinking: Option<Text<'a>>,
    /// Thinking with what proves it. The text above only repeats it.
    proved: Vec<Part<'a>>,
    cache: bool,
}

impl<'a> Turn<'a> {
    fn read(reader: &mut Reader<'a>, at: u32, loss: &mut Loss) -> Result<Self, Malformed> {
        let mut turn = Self::default();
        reader.object().at("")?;
        while let Some(key) = reader.key().at("")? {
            match &*key.plain() {
                "role" => turn.role = Some(reader.string().at("role")?),
                "content" => turn.content = content(reader, at, loss)?,
                "name" => turn.name = optional_text(reader, "name")?,
                "tool_calls" => turn.calls = calls(reader, at, loss)?,
                "tool_call_id" => turn.call_id = optional_text(reader, "tool_call_id")?,
                "refusal" => turn.refusal = optional_text(reader, "refusal")?,
                "reasoning_content" | "reasoning" => {
                    turn.thinking = optional_text(reader, "reasoning_content")?.or(turn.thinking);
                }
                "reasoning_details" => turn.proved = proofs::of_thinking(reader).at("reasoning_details")?,
                "cache_control" => turn.cache = !is_void(reader.raw().at("cache_control")?),
                "function_call" => {
                    if !is_void(reader.raw().at("function_call")?) {
                        return Err(Malformed::at(
                            "function_call",
                            "the legacy member is not supported: use tool_calls",
                        ));
                    }
                }
                // What a reply of ours or another's carries beside its content, sent back.
                "annotations" => reader.skip().at("annotations")?,
                other => {
                    if !is_void(reader.raw().at(other)?) {
                        loss.drop(format!("messages[{at}].{other}"));
                    }
                }
            }
        }
        Ok(turn)
    }

    fn finish(self, at: u32) -> Result<Read<'a>, Malformed> {
        let Some(role) = self.role else {
            return Err(Malformed::at("role", "expected a string, and it is missing"));
        };
        let cache = self.cache;
        let message = |role, mut parts: Vec<Part<'a>>, name| {
            if cache {
                mark(&mut parts);
            }
            Message { role, at: Some(at), parts, name }
        };
        let required = |content: Option<Vec<Part<'a>>>| {
            content.ok_or_else(|| Malformed::at("content", "expected string or list of parts"))
        };
        Ok(Read::Turn(match &*role.plain() {
            "user" => message(Role::User, required(self.content)?, self.name),
            "system" => message(Role::System, required(self.content)?, self.name),
            "developer" => message(Role::Developer, required(self.content)?, self.name),
            "assistant" => {
                let mut parts = Vec::new();
                let thinking = self.thinking.filter(|text| !text.is_empty() && self.proved.is_empty());
                parts.extend(thinking.map(|text| Part::Thinking { text, proof: None }));
                parts.extend(self.proved);
                parts.extend(self.content.unwrap_or_default());
                parts.extend(self.refusal.filter(|text| !text.is_empty()).map(|text| Part::Refusal { text }));
                parts.extend(self.calls);
                message(Role::Assistant, parts, self.name)
            }
            "tool" => {
                let id = self
                    .call_id
                    .ok_or_else(|| Malformed::at("tool_call_id", "expected a string, and it is missing"))?;
                let content = self.content.unwrap_or_default();
                let result = Part::ToolResult { id, content, is_error: false, cache };
                return Ok(Read::Result(message(Role::User, vec![result], None)));
            }
            "function" => {
                return Err(Malformed::at(
                    "role",
                    "the legacy role 'function' is not supported: use 'tool' with a tool_call_id",
                ));
            }
            _ => return Err(Malformed::at("role", "expected system, developer, user, assistant or tool")),
        }))
    }
}

/// A marker on the whole message stands on its last part.
fn mark(parts: &mut [Part<'_>]) {
    let marked = parts.iter_mut().rev().find_map(|part| match part {
        Part::Text { cache, .. }
        | Part::Image { cache, .. }
        | Part::Document { cache, .. }
        | Part::ToolResult { cache, .. } => Some(cache),
        _ => None,
    });
    if let Some(cache) = marked {
        *cache = true;
    }
}
