//! A client's messages.
//!
//! Invariant: paths are relative here and completed on the way out, so that a good request formats none.

use super::decode_calls::calls;
use super::decode_parts::content;
use crate::dialect::marker;
use crate::dialect::openai::proofs;
use crate::dialect::openai::wire::{At, is_void, optional_text, under};
use crate::ir::chat::{Message, Part, Role};
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
use crate::ir::place::{CONTENT, Content, Place};
use crate::wire::json::{Reader, Text};

/// `messages`. Consecutive `tool` messages become one user turn.
pub(super) fn decode<'a>(reader: &mut Reader<'a>, loss: &mut Loss) -> Result<Vec<Message<'a>>, Malformed> {
    let mut messages: Vec<Message<'a>> = Vec::new();
    let mut after_tool = false;
    let mut at = 0;
    reader.array().at("messages")?;
    while reader.element().at("messages")? {
        let turn = Turn::read(reader, at, loss)
            .and_then(|turn| turn.finish(at, loss))
            .map_err(|inner| under(&format!("messages[{at}]"), inner))?;
        at += 1;
        match turn {
            Read::Turn(message) => {
                messages.push(message);
                after_tool = false;
            }
            Read::Result(message) => match messages.last_mut() {
                Some(last) if after_tool => last.join(message),
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
    content: Option<Content<'a>>,
    name: Option<Text<'a>>,
    calls: Vec<(u32, Part<'a>)>,
    call_id: Option<Text<'a>>,
    refusal: Option<Text<'a>>,
    thinking: Option<(&'static str, Text<'a>)>,
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
                "reasoning_content" => {
                    let text = optional_text(reader, "reasoning_content")?;
                    turn.thinking = text.map(|text| ("reasoning_content", text)).or(turn.thinking);
                }
                "reasoning" => {
                    let text = optional_text(reader, "reasoning")?;
                    turn.thinking = text.map(|text| ("reasoning", text)).or(turn.thinking);
                }
                "reasoning_details" => turn.proved = proofs::of_thinking(reader).at("reasoning_details")?,
                "cache_control" => {
                    let marker = reader.raw().at("cache_control")?;
                    turn.cache = !is_void(marker);
                    for beyond in marker::beyond(marker) {
                        loss.drop(format!("messages[{at}].cache_control.{beyond}"));
                    }
                }
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

    fn finish(mut self, at: u32, loss: &mut Loss) -> Result<Read<'a>, Malformed> {
        let Some(role) = self.role.take() else {
            return Err(Malformed::at("role", "expected a string, and it is missing"));
        };
        let role = match &*role.plain() {
            "user" => Role::User,
            "system" => Role::System,
            "developer" => Role::Developer,
            "assistant" => {
                self.strange(&["tool_call_id"], at, loss);
                return Ok(Read::Turn(self.assistant(at, loss)));
            }
            "tool" => {
                self.strange(&["name", "tool_calls", "refusal", "reasoning_content"], at, loss);
                return self.result(at).map(Read::Result);
            }
            "function" => {
                return Err(Malformed::at(
                    "role",
                    "the legacy role 'function' is not supported: use 'tool' with a tool_call_id",
                ));
            }
            _ => return Err(Malformed::at("role", "expected system, developer, user, assistant or tool")),
        };
        self.strange(&["tool_call_id", "tool_calls", "refusal", "reasoning_content"], at, loss);
        let content =
            self.content.ok_or_else(|| Malformed::at("content", "expected string or list of parts"))?;
        let (parts, places) = content.placed(Some(at), CONTENT);
        let mut message = Message { role, at: Some(at), parts, name: self.name, places };
        mark(self.cache, &mut message.parts, at, loss);
        Ok(Read::Turn(message))
    }

    /// Lists members that turns of other roles have.
    fn strange(&self, names: &[&str], at: u32, loss: &mut Loss) {
        for name in names {
            let held = match *name {
                "name" => self.name.is_some(),
                "tool_call_id" => self.call_id.is_some(),
                "tool_calls" => !self.calls.is_empty(),
                "refusal" => self.refusal.is_some(),
                _ => self.thinking.is_some(),
            };
            if held {
                loss.drop(format!("messages[{at}].{name}"));
            }
        }
    }

    fn assistant(self, at: u32, loss: &mut Loss) -> Message<'a> {
        let (mut parts, mut places) = (Vec::new(), Vec::new());
        let thinking = self.thinking.filter(|(_, text)| !text.is_empty() && self.proved.is_empty());
        if let Some((member, text)) = thinking {
            parts.push(Part::Thinking { text, proof: None });
            places.push(Place::member(at, member));
        }
        for (index, part) in (0..).zip(self.proved) {
            parts.push(part);
            places.push(Place::element(at, "reasoning_details", index));
        }
        let content = self.content.unwrap_or_default();
        let refusal = self.refusal.filter(|text| !text.is_empty());
        if parts.is_empty() && refusal.is_none() && self.calls.is_empty() {
            (parts, places) = content.placed(Some(at), CONTENT);
        } else {
            for (index, part) in content.parts.into_iter().enumerate() {
                parts.push(part);
                places.push(Place::element(at, CONTENT, content.kept.get(index)));
            }
            if let Some(text) = refusal {
                parts.push(Part::Refusal { text });
                places.push(Place::member(at, "refusal"));
            }
            for (index, call) in self.calls {
                parts.push(call);
                places.push(Place::element(at, "tool_calls", index));
            }
        }
        mark(self.cache, &mut parts, at, loss);
        Message { role: Role::Assistant, at: Some(at), parts, name: self.name, places }
    }

    fn result(self, at: u32) -> Result<Message<'a>, Malformed> {
        let id = self
            .call_id
            .ok_or_else(|| Malformed::at("tool_call_id", "expected a string, and it is missing"))?;
        let content = self.content.unwrap_or_default();
        let place = Place::member(at, "").holding(CONTENT, content.kept);
        let result = Part::ToolResult { id, content: content.parts, is_error: false, cache: self.cache };
        Ok(Message { places: vec![place], ..Message::new(Role::User, Some(at), vec![result]) })
    }
}

/// A marker on the whole message stands on its last part, if there is one that can be marked.
fn mark(cache: bool, parts: &mut [Part<'_>], at: u32, loss: &mut Loss) {
    if !cache {
        return;
    }
    let marked = parts.iter_mut().rev().find_map(|part| match part {
        Part::Text { cache, .. }
        | Part::Image { cache, .. }
        | Part::Document { cache, .. }
        | Part::ToolResult { cache, .. } => Some(cache),
        _ => None,
    });
    match marked {
        Some(cache) => *cache = true,
        None => loss.drop(format!("messages[{at}].cache_control")),
    }
}
