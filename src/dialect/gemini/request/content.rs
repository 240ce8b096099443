//! Turns of a client's request and their parts. <https://ai.google.dev/api/caching#Content>
//!
//! Invariant: a part, or a member of one, that the IR cannot hold is listed by its path. Pieces of one thought or one
//! text, which clients that record streams send apart, are one part again: signatures are of the whole.

use super::outcome;
use crate::dialect::gemini::call_id::Calls;
use crate::dialect::gemini::media::{self, Kind};
use crate::dialect::gemini::names;
use crate::dialect::gemini::signature::{self, Kept};
use crate::dialect::members::{Members, Path, Value};
use crate::ir::chat::{Message, Part, Role, ToolCall};
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
use crate::wire::json::{Kind as Json, Reader, Text};

/// Reads the turns of one conversation.
#[derive(Debug, Default)]
pub(super) struct Contents<'a> {
    calls: Calls<'a>,
    messages: Vec<Message<'a>>,
}

/// The operator's instructions.
pub(super) fn system<'a>(
    reader: &mut Reader<'a>,
    path: &Path<'_>,
    loss: &mut Loss,
) -> Result<Message<'a>, Malformed> {
    let mut turn = Contents::default();
    turn.turn(reader, None, path, loss)?;
    let mut parts = turn.messages.pop().map(|message| message.parts).unwrap_or_default();
    let said = parts.len();
    parts.retain(|part| matches!(part, Part::Text { .. }));
    if parts.len() < said {
        loss.drop(path.member("parts").to_string());
    }
    Ok(Message { role: Role::System, at: None, parts, name: None })
}

impl<'a> Contents<'a> {
    /// Reads a list of turns, or a single one.
    pub(super) fn read(
        mut self,
        reader: &mut Reader<'a>,
        path: &Path<'_>,
        loss: &mut Loss,
    ) -> Result<Vec<Message<'a>>, Malformed> {
        let fail = |error| path.fail(&error);
        if reader.peek().map_err(fail)? == Json::Object {
            self.turn(reader, Some(0), path, loss)?;
        } else {
            reader.array().map_err(fail)?;
            let mut at = 0;
            while reader.element().map_err(fail)? {
                self.turn(reader, u32::try_from(at).ok(), &path.index(at), loss)?;
                at += 1;
            }
        }
        if self.messages.is_empty() {
            return Err(path.malformed("expected at least one"));
        }
        for message in &mut self.messages {
            if message.role == Role::Assistant {
                message.parts = joined(std::mem::take(&mut message.parts));
            }
        }
        Ok(self.messages)
    }

    fn turn(
        &mut self,
        reader: &mut Reader<'a>,
        at: Option<u32>,
        path: &Path<'_>,
        loss: &mut Loss,
    ) -> Result<(), Malformed> {
        let fail = |error| path.fail(&error);
        let mut role = Role::User;
        let mut parts = Vec::new();
        reader.object().map_err(fail)?;
        while let Some(key) = reader.key().map_err(fail)? {
            let name = names::canonical(key.plain());
            let path = path.member(&name);
            let fail = |error| path.fail(&error);
            if reader.null().map_err(fail)? {
                continue;
            }
            match &*name {
                "role" => {
                    role = match &*reader.string().map_err(fail)?.plain() {
                        "model" => Role::Assistant,
                        "user" | "function" | "" => Role::User,
                        // Where it stands among the instructions, the role says nothing.
                        _ if at.is_none() => Role::User,
                        _ => return Err(path.malformed("expected user, model or function")),
                    }
                }
                "parts" => {
                    let mut number = 0;
                    reader.array().map_err(fail)?;
                    while reader.element().map_err(fail)? {
                        let path = path.index(number);
                        let part = names::read(reader).map_err(|error| path.fail(&error))?;
                        self.part(part, &path, &mut parts, loss)?;
                        number += 1;
                    }
                }
                _ => {
                    loss.drop(path.to_string());
                    reader.skip().map_err(fail)?;
                }
            }
        }
        match self.messages.last_mut() {
            Some(last) if role == Role::Assistant && last.role == role => last.parts.extend(parts),
            _ => self.messages.push(Message { role, at, parts, name: None }),
        }
        Ok(())
    }

    fn part(
        &mut self,
        mut members: Members<'a>,
        path: &Path<'_>,
        parts: &mut Vec<Part<'a>>,
        loss: &mut Loss,
    ) -> Result<(), Malformed> {
        let thought = match members.take("thought") {
            Some(value) => value.boolean(&path.member("thought"))?,
            None => false,
        };
        let kept = members.take_text("thoughtSignature", path)?.map_or(Kept::Nothing, signature::read);
        if let Some(text) = members.take_text("text", path)? {
            said(text, thought, kept, parts);
        } else if let Some(call) = members.take("functionCall") {
            let call = self.call(call, &path.member("functionCall"), kept, loss)?;
            parts.push(Part::ToolCall(call));
        } else if let Some(result) = members.take("functionResponse") {
            parts.push(self.result(result, &path.member("functionResponse"), loss)?);
        } else if let Some(part) = media(&mut members, path, loss)? {
            parts.push(part);
        } else if kept != Kept::Nothing {
            said(Text::from(""), thought, kept, parts);
        } else if members.rest().next().is_none() && !thought {
            return Err(
                path.malformed("expected text, inlineData, fileData, functionCall or functionResponse")
            );
        }
        rest(&members, path, loss);
        Ok(())
    }

    fn call(
        &mut self,
        call: Value<'a>,
        path: &Path<'_>,
        kept: Kept<'a>,
        loss: &mut Loss,
    ) -> Result<ToolCall<'a>, Malformed> {
        let mut call = names::of(call.object(path)?).map_err(|error| path.fail(&error))?;
        let name = call.demand_text("name", path)?;
        let id = call.take_text("id", path)?.filter(|id| !id.is_empty());
        let arguments = match call.take("args") {
            Some(arguments) => arguments.object(&path.member("args"))?,
            None => "{}",
        };
        rest(&call, path, loss);
        let id = self.calls.call(id, &name);
        Ok(ToolCall { proof: kept.proof(), ..ToolCall::function(id, name, arguments) })
    }

    fn result(&mut self, result: Value<'a>, path: &Path<'_>, loss: &mut Loss) -> Result<Part<'a>, Malformed> {
        let mut result = names::of(result.object(path)?).map_err(|error| path.fail(&error))?;
        let name = result.demand_text("name", path)?;
        let id = result.take_text("id", path)?.filter(|id| !id.is_empty());
        let (mut content, is_error) = match result.take("response") {
            Some(response) => outcome::read(response.object(&path.member("response"))?),
            None => (Vec::new(), false),
        };
        if let Some(value) = result.take("parts") {
            let path = path.member("parts");
            let fail = |error| path.fail(&error);
            let Value::Raw(json) = value else { return Err(path.malformed("expected an array")) };
            let mut reader = Reader::new(json);
            let mut at = 0;
            reader.array().map_err(fail)?;
            while reader.element().map_err(fail)? {
                let path = path.index(at);
                let mut members = names::read(&mut reader).map_err(|error| path.fail(&error))?;
                content.extend(media(&mut members, &path, loss)?);
                rest(&members, &path, loss);
                at += 1;
            }
        }
        rest(&result, path, loss);
        Ok(Part::ToolResult { id: self.calls.result(id, &name), content, is_error, cache: false })
    }
}

/// Text or a thought, and what signs it. The signature of a text stands behind it as a thought without words.
fn said<'a>(text: Text<'a>, thought: bool, kept: Kept<'a>, parts: &mut Vec<Part<'a>>) {
    match kept {
        Kept::Redacted(data) => {
            if !text.is_empty() {
                said(text, thought, Kept::Nothing, parts);
            }
            parts.push(Part::RedactedThinking { data });
        }
        kept if thought => parts.push(Part::Thinking { text, proof: kept.proof() }),
        kept => {
            if !text.is_empty() {
                parts.push(Part::text(text));
            }
            if let Some(proof) = kept.proof() {
                parts.push(Part::Thinking { text: Text::from(""), proof: Some(proof) });
            }
        }
    }
}

fn media<'a>(
    members: &mut Members<'a>,
    path: &Path<'_>,
    loss: &mut Loss,
) -> Result<Option<Part<'a>>, Malformed> {
    if let Some(blob) = members.take("inlineData") {
        let path = path.member("inlineData");
        let mut blob = names::of(blob.object(&path)?).map_err(|error| path.fail(&error))?;
        let media_type = blob.demand_text("mimeType", &path)?;
        let kind = Kind::of(&media_type.plain());
        let source = media::bytes(media_type, blob.demand_text("data", &path)?);
        let name = blob.take_text("displayName", &path)?;
        rest(&blob, &path, loss);
        return Ok(Some(kind.part(source, name)));
    }
    let Some(file) = members.take("fileData") else { return Ok(None) };
    let path = path.member("fileData");
    let mut file = names::of(file.object(&path)?).map_err(|error| path.fail(&error))?;
    let media_type = file.take_text("mimeType", &path)?;
    let (kind, source) = media::file(file.demand_text("fileUri", &path)?, media_type);
    let name = file.take_text("displayName", &path)?;
    rest(&file, &path, loss);
    Ok(Some(kind.part(source, name)))
}

/// Lists the members that nobody took.
pub(super) fn rest(members: &Members<'_>, path: &Path<'_>, loss: &mut Loss) {
    members.rest().for_each(|name| loss.drop(path.member(&name).to_string()));
}

/// A text that grows.
enum Run {
    Text(String),
    Thinking(String),
}

impl Run {
    fn close<'a>(self) -> Part<'a> {
        match self {
            Self::Text(text) => Part::text(text),
            Self::Thinking(text) => Part::Thinking { text: Text::from(text), proof: None },
        }
    }
}

/// Whether the second goes on where the first ends.
fn goes_on(first: &Part<'_>, second: &Part<'_>) -> bool {
    matches!(
        (first, second),
        (Part::Text { .. }, Part::Text { .. }) | (Part::Thinking { proof: None, .. }, Part::Thinking { .. })
    )
}

/// Puts the pieces of texts and thoughts together.
fn joined(parts: Vec<Part<'_>>) -> Vec<Part<'_>> {
    if !parts.windows(2).any(|pair| matches!(pair, [first, second] if goes_on(first, second))) {
        return parts;
    }
    let mut out = Vec::with_capacity(parts.len());
    let mut run: Option<Run> = None;
    for part in parts {
        match (&mut run, part) {
            (Some(Run::Text(run)), Part::Text { text, .. }) => run.push_str(&text.plain()),
            (Some(Run::Thinking(whole)), Part::Thinking { text, proof }) => {
                whole.push_str(&text.plain());
                if proof.is_some() {
                    out.push(Part::Thinking { text: Text::from(std::mem::take(whole)), proof });
                    run = None;
                }
            }
            (_, part) => {
                out.extend(run.take().map(Run::close));
                match part {
                    Part::Text { text, .. } => run = Some(Run::Text(text.plain().into_owned())),
                    Part::Thinking { text, proof: None } => {
                        run = Some(Run::Thinking(text.plain().into_owned()));
                    }
                    other => out.push(other),
                }
            }
        }
    }
    out.extend(run.map(Run::close));
    out
}
