//! A client's `input`.
//!
//! Invariant: an item is carried, listed as a loss, or refused because only its provider knows what it stands for.

use super::content;
use crate::config::Dialect;
use crate::dialect::responses::proof::{self, Kept};
use crate::dialect::value::{At, is_void, keep, optional_text, under};
use crate::ir::Proof;
use crate::ir::chat::{Message, Part, Role, ToolCall};
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
use crate::ir::place::{CONTENT, Content, Place};
use crate::wire::json::{Kind, Reader, Text};
use std::borrow::Cow;

/// Reads `input` behind what stands in `messages` already.
pub(super) fn decode<'a>(
    reader: &mut Reader<'a>,
    messages: &mut Vec<Message<'a>>,
    loss: &mut Loss,
) -> Result<(), Malformed> {
    let mut turns = Turns { messages, open: Open::Closed };
    match reader.peek().at("input")? {
        Kind::String => {
            let text = reader.string().at("input")?;
            turns.push(Message::new(Role::User, Some(0), vec![Part::text(text)]));
        }
        Kind::Array => {
            reader.array().at("input")?;
            let mut at = 0;
            while reader.element().at("input")? {
                Item::read(reader, at, loss)
                    .and_then(|item| item.finish(at, &mut turns, loss))
                    .map_err(|inner| under(&format!("input[{at}]"), inner))?;
                at += 1;
            }
        }
        _ => return Err(Malformed::at("input", "expected a string or a list of items")),
    }
    Ok(())
}

/// What the next item may be added to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Closed,
    Assistant,
    Results,
}

struct Turns<'m, 'a> {
    messages: &'m mut Vec<Message<'a>>,
    open: Open,
}

impl<'a> Turns<'_, 'a> {
    fn push(&mut self, message: Message<'a>) {
        self.open = Open::Closed;
        self.messages.push(message);
    }

    /// Adds to the turn that is open, or opens one.
    fn add(&mut self, open: Open, parts: Vec<Part<'a>>, places: Vec<Place>, at: u32) {
        let role = if open == Open::Assistant { Role::Assistant } else { Role::User };
        let message = Message { places, ..Message::new(role, Some(at), parts) };
        match self.messages.last_mut() {
            Some(last) if self.open == open => last.join(message),
            _ if message.parts.is_empty() => {}
            _ => {
                self.push(message);
                self.open = open;
            }
        }
    }

    /// What proves a call stands before it, as reasoning without words: the format has no place in the call itself.
    fn proof_of_call(&mut self) -> Option<Proof<'a>> {
        let is_proof = |part: &mut Part<'a>| {
            matches!(part, Part::Thinking { text, proof: Some(proof) }
                if text.is_empty() && proof.home != Dialect::Responses)
        };
        let last = self.messages.last_mut().filter(|_| self.open == Open::Assistant)?;
        let proof = last.parts.pop_if(is_proof)?;
        last.places.truncate(last.parts.len());
        match proof {
            Part::Thinking { proof, .. } => proof,
            _ => None,
        }
    }
}

/// A list or string whose item may be still unknown.
enum Held<'a> {
    Raw(&'a str),
    Read(Content<'a>),
}

/// An item's members, while its type may be still unknown.
#[derive(Default)]
struct Item<'a> {
    kind: Option<Text<'a>>,
    role: Option<Text<'a>>,
    id: Option<Text<'a>>,
    content: Option<Held<'a>>,
    output: Option<Held<'a>>,
    summary: Option<Held<'a>>,
    encrypted: Option<Text<'a>>,
    call_id: Option<Text<'a>>,
    name: Option<Text<'a>>,
    arguments: Option<Text<'a>>,
    input: Option<Text<'a>>,
    others: Vec<Cow<'a, str>>,
}

impl<'a> Item<'a> {
    fn read(reader: &mut Reader<'a>, at: u32, loss: &mut Loss) -> Result<Self, Malformed> {
        let mut item = Self::default();
        reader.object().at("")?;
        while let Some(key) = reader.key().at("")? {
            let name = key.plain();
            match &*name {
                "type" => item.kind = optional_text(reader, "type")?,
                "role" => item.role = Some(reader.string().at("role")?),
                "id" => item.id = optional_text(reader, "id")?,
                "content" => item.content = Some(item.held(reader, at, "content", loss)?),
                "output" => item.output = Some(item.held(reader, at, "output", loss)?),
                "summary" => item.summary = Some(item.held(reader, at, "summary", loss)?),
                // Hosted tools give these names to members of other types.
                "encrypted_content" => item.encrypted = text_if_ours(reader, &name)?,
                "call_id" => item.call_id = text_if_ours(reader, &name)?,
                "name" => item.name = text_if_ours(reader, &name)?,
                "arguments" => item.arguments = text_if_ours(reader, &name)?,
                "input" => item.input = text_if_ours(reader, &name)?,
                // The provider's own bookkeeping: it says nothing elsewhere.
                "status" | "caller" | "created_by" => reader.skip().at(&name)?,
                _ => {
                    let value = reader.raw().at(&name)?;
                    if !is_void(value) {
                        keep(&mut item.others, name);
                    }
                }
            }
        }
        Ok(item)
    }

    fn held(
        &self,
        reader: &mut Reader<'a>,
        at: u32,
        member: &str,
        loss: &mut Loss,
    ) -> Result<Held<'a>, Malformed> {
        let known = match &self.kind {
            Some(kind) => matches!(
                &*kind.plain(),
                "message" | "reasoning" | "function_call_output" | "custom_tool_call_output"
            ),
            None => self.role.is_some(),
        };
        if known {
            content::decode(reader, at, member, loss).map(Held::Read)
        } else {
            reader.raw().at(member).map(Held::Raw)
        }
    }

    fn finish(self, at: u32, turns: &mut Turns<'_, 'a>, loss: &mut Loss) -> Result<(), Malformed> {
        let kind = self.kind.as_ref().map(Text::plain);
        match kind.as_deref() {
            None if self.role.is_none() && self.id.is_some() => Err(reference()),
            None | Some("message") => self.message(at, turns, loss),
            Some("reasoning") => self.reasoning(at, turns, loss),
            Some("function_call") => self.call(at, turns, loss, false),
            Some("custom_tool_call") => self.call(at, turns, loss, true),
            Some("function_call_output" | "custom_tool_call_output") => self.result(at, turns, loss),
            Some("item_reference") => Err(reference()),
            Some("compaction" | "compaction_trigger") => Err(Malformed::at(
                "type",
                "a compaction can be read only by a provider that speaks Responses: ask such a one, or send the items \
                     that it stands for",
            )),
            // Hosted tools' calls, and what is still to be invented.
            Some(_) => {
                loss.drop(format!("input[{at}]"));
                Ok(())
            }
        }
    }

    fn message(self, at: u32, turns: &mut Turns<'_, 'a>, loss: &mut Loss) -> Result<(), Malformed> {
        let role = self.role.as_ref().map(Text::plain);
        let role = match role.as_deref() {
            Some("user") => Role::User,
            Some("system") => Role::System,
            Some("developer") => Role::Developer,
            Some("assistant") => Role::Assistant,
            _ => return Err(Malformed::at("role", "expected user, assistant, system or developer")),
        };
        let Some(held) = self.content else {
            return Err(Malformed::at("content", "expected a string or a list of parts, and it is missing"));
        };
        let content = content(Some(held), at, "content", loss)?;
        tell(&self.others, at, loss);
        let (parts, places) = content.placed(Some(at), CONTENT);
        match role {
            Role::Assistant => turns.add(Open::Assistant, parts, places, at),
            _ => turns.push(Message { places, ..Message::new(role, Some(at), parts) }),
        }
        Ok(())
    }

    fn reasoning(self, at: u32, turns: &mut Turns<'_, 'a>, loss: &mut Loss) -> Result<(), Malformed> {
        let mut texts = content(self.summary, at, "summary", loss)?.parts;
        texts.append(&mut content(self.content, at, "content", loss)?.parts);
        let text = joined(texts);
        let kept = self.encrypted.and_then(|encrypted| proof::open(self.id.as_ref(), encrypted));
        tell(&self.others, at, loss);
        let part = match kept {
            Some(Kept::Redacted(data)) => Part::RedactedThinking { data },
            Some(Kept::Proof(proof)) => Part::Thinking { text, proof: Some(proof) },
            None if text.is_empty() => return Ok(()),
            None => Part::Thinking { text, proof: None },
        };
        turns.add(Open::Assistant, vec![part], vec![Place::member(at, "")], at);
        Ok(())
    }

    fn call(
        self,
        at: u32,
        turns: &mut Turns<'_, 'a>,
        loss: &mut Loss,
        custom: bool,
    ) -> Result<(), Malformed> {
        let missing = |path: &str| Malformed::at(path, "expected a string, and it is missing");
        let id = self.call_id.ok_or_else(|| missing("call_id"))?;
        let name = self.name.ok_or_else(|| missing("name"))?;
        let said = match custom {
            true => self.input.ok_or_else(|| missing("input"))?,
            false => self.arguments.ok_or_else(|| missing("arguments"))?,
        };
        tell(&self.others, at, loss);
        let call = ToolCall { id, name, arguments: said.plain(), custom, proof: turns.proof_of_call() };
        turns.add(Open::Assistant, vec![Part::ToolCall(call)], vec![Place::member(at, "")], at);
        Ok(())
    }

    fn result(self, at: u32, turns: &mut Turns<'_, 'a>, loss: &mut Loss) -> Result<(), Malformed> {
        let missing = |path: &str| Malformed::at(path, "expected a string, and it is missing");
        let id = self.call_id.ok_or_else(|| missing("call_id"))?;
        let output = self.output.ok_or_else(|| missing("output"))?;
        let content = content(Some(output), at, "output", loss)?;
        tell(&self.others, at, loss);
        let place = Place::member(at, "").holding("output", content.kept);
        let result = Part::ToolResult { id, content: content.parts, is_error: false, cache: false };
        turns.add(Open::Results, vec![result], vec![place], at);
        Ok(())
    }
}

fn reference() -> Malformed {
    Malformed::at(
        "id",
        "an item reference can be served only by a provider that speaks Responses and keeps the item: ask such a one, or \
         send the item itself",
    )
}

fn text_if_ours<'a>(reader: &mut Reader<'a>, name: &str) -> Result<Option<Text<'a>>, Malformed> {
    crate::dialect::value::text_or_skip(reader).at(name)
}

fn tell(others: &[Cow<'_, str>], at: u32, loss: &mut Loss) {
    for name in others {
        loss.drop(format!("input[{at}].{name}"));
    }
}

fn content<'a>(
    held: Option<Held<'a>>,
    at: u32,
    member: &str,
    loss: &mut Loss,
) -> Result<Content<'a>, Malformed> {
    match held {
        None => Ok(Content::default()),
        Some(Held::Read(content)) => Ok(content),
        Some(Held::Raw(raw)) => content::decode(&mut Reader::new(raw), at, member, loss),
    }
}

/// The paragraphs of a summary.
fn joined(parts: Vec<Part<'_>>) -> Text<'_> {
    let mut texts = parts.into_iter().filter_map(|part| match part {
        Part::Text { text, .. } if !text.is_empty() => Some(text),
        _ => None,
    });
    let Some(first) = texts.next() else { return "".into() };
    let rest: Vec<_> = texts.collect();
    if rest.is_empty() {
        return first;
    }
    let mut all = first.plain().into_owned();
    for text in rest {
        all.push_str("\n\n");
        all.push_str(&text.plain());
    }
    all.into()
}
