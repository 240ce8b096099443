//! A client's messages.
//!
//! Invariant: paths are relative here and completed on the way out, so that a good request formats none.

use crate::dialect::openai::wire::{At, is_void, optional_text, under};
use crate::ir::chat::{Message, Part, Role, Source, ToolCall};
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
use crate::wire::json::{Kind, Reader, Text};
use std::borrow::Cow;

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
        let message = |role, parts, name| Message { role, at: Some(at), parts, name };
        let required = |content: Option<Vec<Part<'a>>>| {
            content.ok_or_else(|| Malformed::at("content", "expected string or list of parts"))
        };
        Ok(Read::Turn(match &*role.plain() {
            "user" => message(Role::User, required(self.content)?, self.name),
            "system" => message(Role::System, required(self.content)?, self.name),
            "developer" => message(Role::Developer, required(self.content)?, self.name),
            "assistant" => {
                let mut parts = Vec::new();
                let thinking = self.thinking.filter(|text| !text.is_empty());
                parts.extend(thinking.map(|text| Part::Thinking { text, signature: None }));
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
                let result = Part::ToolResult { id, content, is_error: false };
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

/// `null` is `None`; an empty string is no part.
fn content<'a>(
    reader: &mut Reader<'a>,
    at: u32,
    loss: &mut Loss,
) -> Result<Option<Vec<Part<'a>>>, Malformed> {
    match reader.peek().at("content")? {
        Kind::Null => reader.skip().at("content").map(|()| None),
        Kind::String => {
            let text = reader.string().at("content")?;
            Ok(Some(if text.is_empty() { Vec::new() } else { vec![Part::text(text)] }))
        }
        Kind::Array => {
            let mut parts = Vec::new();
            reader.array().at("content")?;
            let mut number = 0;
            while reader.element().at("content")? {
                let read = RawPart::read(reader).and_then(|raw| raw.finish(at, number, loss));
                parts.extend(read.map_err(|inner| under(&format!("content[{number}]"), inner))?);
                number += 1;
            }
            Ok(Some(parts))
        }
        _ => Err(Malformed::at("content", "expected string or list of parts")),
    }
}

/// Unknown members of one part that are told.
const MAX_OTHERS: usize = 16;

/// A part's members, while its type may be still unknown.
#[derive(Default)]
struct RawPart<'a> {
    kind: Option<Text<'a>>,
    text: Option<Text<'a>>,
    refusal: Option<Text<'a>>,
    url: Option<Text<'a>>,
    detail: Option<Text<'a>>,
    file_data: Option<Text<'a>>,
    filename: Option<Text<'a>>,
    cache: bool,
    /// Members that no part of ours has.
    others: Vec<Cow<'a, str>>,
}

impl<'a> RawPart<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        let mut part = Self::default();
        reader.object().at("")?;
        while let Some(key) = reader.key().at("")? {
            let name = key.plain();
            match &*name {
                "type" => part.kind = Some(reader.string().at("type")?),
                "text" => part.text = Some(reader.string().at("text")?),
                "refusal" => part.refusal = Some(reader.string().at("refusal")?),
                "image_url" => match reader.peek().at("image_url")? {
                    // Some clients leave the object out.
                    Kind::String => part.url = Some(reader.string().at("image_url")?),
                    _ => members(reader, "image_url", |name, value| match name {
                        "url" => part.url = Some(value),
                        "detail" => part.detail = Some(value),
                        _ => {}
                    })?,
                },
                "file" => members(reader, "file", |name, value| match name {
                    "file_data" => part.file_data = Some(value),
                    "filename" => part.filename = Some(value),
                    _ => {}
                })?,
                "cache_control" => part.cache = !is_void(reader.raw().at("cache_control")?),
                _ => {
                    if !is_void(reader.raw().at(&name)?) && part.others.len() < MAX_OTHERS {
                        part.others.push(name);
                    }
                }
            }
        }
        Ok(part)
    }

    /// The part, or none if the IR has no word for it.
    fn finish(self, at: u32, number: usize, loss: &mut Loss) -> Result<Option<Part<'a>>, Malformed> {
        let path = || format!("messages[{at}].content[{number}]");
        let Some(kind) = self.kind else {
            return Err(Malformed::at("type", "expected a string, and it is missing"));
        };
        let missing = |path: &str| Malformed::at(path, "expected a string, and it is missing");
        let part = match &*kind.plain() {
            "text" => Part::Text { text: self.text.ok_or_else(|| missing("text"))?, cache: self.cache },
            "refusal" => Part::Refusal { text: self.refusal.ok_or_else(|| missing("refusal"))? },
            "image_url" => {
                let url = self.url.ok_or_else(|| missing("image_url.url"))?;
                Part::Image { source: source(url), detail: self.detail }
            }
            "file" if self.file_data.is_some() => match source(self.file_data.unwrap_or_else(|| "".into())) {
                source @ Source::Base64 { .. } => Part::Document { source, name: self.filename },
                Source::Url(_) => {
                    return Err(Malformed::at("file.file_data", "expected a data: URI with base64"));
                }
            },
            // Files by id, audio, and what is still to be invented.
            _ => {
                loss.drop(path());
                return Ok(None);
            }
        };
        if self.cache && !matches!(part, Part::Text { .. }) {
            loss.drop(format!("{}.cache_control", path()));
        }
        for name in self.others {
            loss.drop(format!("{}.{name}", path()));
        }
        Ok(Some(part))
    }
}

/// The string members of an object.
fn members<'a>(
    reader: &mut Reader<'a>,
    path: &str,
    mut take: impl FnMut(&str, Text<'a>),
) -> Result<(), Malformed> {
    reader.object().at(path)?;
    while let Some(key) = reader.key().at(path)? {
        let name = key.plain();
        if let Some(value) = optional_text(reader, &name).map_err(|inner| under(path, inner))? {
            take(&name, value);
        }
    }
    Ok(())
}

/// A `data:` URI with base64 is bytes, anything else is a URL.
fn source(url: Text<'_>) -> Source<'_> {
    let bytes = url.split_once(',').and_then(|(head, data)| {
        let media_type = media_type(head.plain())?;
        Some(Source::Base64 { media_type, data })
    });
    bytes.unwrap_or(Source::Url(url))
}

/// `data:image/png;charset=x;base64` gives `image/png`.
fn media_type(head: Cow<'_, str>) -> Option<Text<'_>> {
    let (_, encoding) = head.rsplit_once(';')?;
    let scheme = head.get(..5)?;
    if !encoding.eq_ignore_ascii_case("base64") || !scheme.eq_ignore_ascii_case("data:") {
        return None;
    }
    let end = head.find(';')?;
    Some(match head {
        Cow::Borrowed(head) => head.get(5..end)?.into(),
        Cow::Owned(head) => head.get(5..end)?.to_owned().into(),
    })
}

fn calls<'a>(reader: &mut Reader<'a>, at: u32, loss: &mut Loss) -> Result<Vec<Part<'a>>, Malformed> {
    let mut calls = Vec::new();
    if reader.null().at("tool_calls")? {
        return Ok(calls);
    }
    reader.array().at("tool_calls")?;
    let mut number = 0;
    while reader.element().at("tool_calls")? {
        match call(reader).map_err(|inner| under(&format!("tool_calls[{number}]"), inner))? {
            Some(call) => calls.push(Part::ToolCall(call)),
            None => loss.drop(format!("messages[{at}].tool_calls[{number}]")),
        }
        number += 1;
    }
    Ok(calls)
}

/// A call, or none if it is not of a function.
fn call<'a>(reader: &mut Reader<'a>) -> Result<Option<ToolCall<'a>>, Malformed> {
    let (mut id, mut kind, mut name, mut arguments) = (None, None, None, Cow::Borrowed(""));
    reader.object().at("")?;
    while let Some(key) = reader.key().at("")? {
        match &*key.plain() {
            "id" => id = Some(reader.string().at("id")?),
            "type" => kind = optional_text(reader, "type")?,
            "function" => {
                reader.object().at("function")?;
                while let Some(key) = reader.key().at("function")? {
                    match &*key.plain() {
                        "name" => name = Some(reader.string().at("function.name")?),
                        "arguments" if reader.peek().at("function.arguments")? == Kind::Object => {
                            arguments = reader.raw().at("function.arguments")?.into();
                        }
                        "arguments" => {
                            let text = optional_text(reader, "function.arguments")?;
                            arguments = text.map_or(Cow::Borrowed(""), |text| text.plain());
                        }
                        _ => reader.skip().at("function")?,
                    }
                }
            }
            _ => reader.skip().at("")?,
        }
    }
    if kind.is_some_and(|kind| kind != "function") {
        return Ok(None);
    }
    let missing = |path: &str| Malformed::at(path, "expected a string, and it is missing");
    let id = id.ok_or_else(|| missing("id"))?;
    let name = name.ok_or_else(|| missing("function.name"))?;
    Ok(Some(ToolCall { id, name, arguments }))
}
