//! Turns of a client's request and their parts. <https://ai.google.dev/api/caching#Content>
//!
//! Invariant: a part, or a member of one, that the IR cannot hold is listed by its path. Pieces of one thought or one
//! text, which clients that record streams send apart, are one part again: signatures are of the whole.

use super::outcome;
use crate::dialect::gemini::call_id::Calls;
use crate::dialect::gemini::media::{self, Kind};
use crate::dialect::gemini::names;
use crate::dialect::gemini::proto::Elements;
use crate::dialect::gemini::signature::{self, Kept as Signed};
use crate::dialect::members::{Members, Path, Value};
use crate::ir::chat::{Message, Part, Role, Source, ToolCall};
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
use crate::ir::place::{Content, Kept, Place};
use crate::wire::json::{Kind as Json, Reader, Text};

/// Where a result holds what is no JSON.
const RETURNED: &str = "functionResponse.parts";

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
    let Some(said) = turn.messages.pop() else { return Ok(Message::new(Role::System, None, Vec::new())) };
    let mut content = Content::default();
    for (index, part) in said.parts.iter().enumerate() {
        let position = said.place(index).position();
        if matches!(part, Part::Text { .. }) {
            content.push(position, part.clone());
        } else {
            loss.drop(path.member("parts").index(position).to_string());
        }
    }
    let (parts, places) = content.placed(None, RETURNED);
    Ok(Message { places, ..Message::new(Role::System, None, parts) })
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
        let mut turns = Elements::of(reader, Json::Object).map_err(fail)?;
        let mut at = 0;
        while turns.next(reader).map_err(fail)? {
            self.turn(reader, u32::try_from(at).ok(), &turns.path(path, at), loss)?;
            at += 1;
        }
        if self.messages.is_empty() {
            return Err(path.malformed("expected at least one"));
        }
        for message in &mut self.messages {
            if message.role == Role::Assistant {
                joined(message);
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
        let mut content = Content::default();
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
                    let mut parts = Elements::of(reader, Json::Object).map_err(fail)?;
                    while parts.next(reader).map_err(fail)? {
                        let path = parts.path(&path, number);
                        let part = names::read(reader).map_err(|error| path.fail(&error))?;
                        self.part(part, (number, &path), &mut content, loss)?;
                        number += 1;
                    }
                }
                _ => {
                    loss.drop(path.to_string());
                    reader.skip().map_err(fail)?;
                }
            }
        }
        let (parts, places) = content.placed(at, RETURNED);
        let message = Message { places, ..Message::new(role, at, parts) };
        match self.messages.last_mut() {
            Some(last) if role == Role::Assistant && last.role == role => last.join(message),
            _ => self.messages.push(message),
        }
        Ok(())
    }

    fn part(
        &mut self,
        mut members: Members<'a>,
        (at, path): (usize, &Path<'_>),
        content: &mut Content<'a>,
        loss: &mut Loss,
    ) -> Result<(), Malformed> {
        let thought = match members.take("thought") {
            Some(value) => value.boolean(&path.member("thought"))?,
            None => false,
        };
        let kept = members.take_text("thoughtSignature", path)?.map_or(Signed::Nothing, signature::read);
        if let Some(text) = members.take_text("text", path)? {
            said(at, text, thought, kept, content);
        } else if let Some(call) = members.take("functionCall") {
            let call = self.call(call, &path.member("functionCall"), kept, loss)?;
            content.push(at, Part::ToolCall(call));
        } else if let Some(result) = members.take("functionResponse") {
            let (result, inner) = self.result(result, &path.member("functionResponse"), loss)?;
            content.push_result(at, result, inner);
        } else if let Some(mut part) = media(&mut members, path, loss)? {
            resolution(&mut members, &mut part, path, loss);
            content.push(at, part);
        } else if kept != Signed::Nothing {
            said(at, Text::from(""), thought, kept, content);
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
        kept: Signed<'a>,
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

    fn result(
        &mut self,
        result: Value<'a>,
        path: &Path<'_>,
        loss: &mut Loss,
    ) -> Result<(Part<'a>, Kept), Malformed> {
        let mut result = names::of(result.object(path)?).map_err(|error| path.fail(&error))?;
        let name = result.demand_text("name", path)?;
        let id = result.take_text("id", path)?.filter(|id| !id.is_empty());
        let mut inner = Kept::default();
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
            let mut parts = Elements::of(&mut reader, Json::Object).map_err(fail)?;
            while parts.next(&mut reader).map_err(fail)? {
                let path = parts.path(&path, at);
                let mut members = names::read(&mut reader).map_err(|error| path.fail(&error))?;
                if let Some(part) = media(&mut members, &path, loss)? {
                    inner.keep(content.len(), at);
                    content.push(part);
                }
                rest(&members, &path, loss);
                at += 1;
            }
        }
        rest(&result, path, loss);
        let result = Part::ToolResult { id: self.calls.result(id, &name), content, is_error, cache: false };
        Ok((result, inner))
    }
}

/// Text or a thought, and what signs it. The signature of a text stands behind it as a thought without words.
fn said<'a>(at: usize, text: Text<'a>, thought: bool, kept: Signed<'a>, content: &mut Content<'a>) {
    match kept {
        Signed::Redacted(data) => {
            if !text.is_empty() {
                said(at, text, thought, Signed::Nothing, content);
            }
            content.push(at, Part::RedactedThinking { data });
        }
        kept if thought => content.push(at, Part::Thinking { text, proof: kept.proof() }),
        kept => {
            if !text.is_empty() {
                content.push(at, Part::text(text));
            }
            if let Some(proof) = kept.proof() {
                content.push(at, Part::Thinking { text: Text::from(""), proof: Some(proof) });
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
        return Ok(Some(named(kind, source, name, &path, loss)));
    }
    let Some(file) = members.take("fileData") else { return Ok(None) };
    let path = path.member("fileData");
    let mut file = names::of(file.object(&path)?).map_err(|error| path.fail(&error))?;
    let media_type = file.take_text("mimeType", &path)?;
    let (kind, source) = media::file(file.demand_text("fileUri", &path)?, media_type);
    let name = file.take_text("displayName", &path)?;
    rest(&file, &path, loss);
    Ok(Some(named(kind, source, name, &path, loss)))
}

/// Only documents have names elsewhere.
fn named<'a>(
    kind: Kind,
    source: Source<'a>,
    name: Option<Text<'a>>,
    path: &Path<'_>,
    loss: &mut Loss,
) -> Part<'a> {
    if name.is_some() && kind != Kind::Document {
        loss.drop(path.member("displayName").to_string());
    }
    kind.part(source, name)
}

/// How closely a picture is to be looked at, in the two words that others have for it.
fn resolution<'a>(members: &mut Members<'a>, part: &mut Part<'a>, path: &Path<'_>, loss: &mut Loss) {
    let Some(mut wanted) = members.take_members("mediaResolution") else { return };
    let word = wanted.take_if_text("level");
    let word = word.as_ref().map(Text::plain);
    let known = match (word.as_deref(), part) {
        (Some("MEDIA_RESOLUTION_LOW"), Part::Image { detail, .. }) => {
            *detail = Some(Text::from("low"));
            true
        }
        (Some("MEDIA_RESOLUTION_HIGH"), Part::Image { detail, .. }) => {
            *detail = Some(Text::from("high"));
            true
        }
        (word, _) => word.is_none_or(|word| word == "MEDIA_RESOLUTION_UNSPECIFIED"),
    };
    let path = path.member("mediaResolution");
    if !known {
        loss.drop(path.to_string());
    }
    rest(&wanted, &path, loss);
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

/// Puts the pieces of texts and thoughts together. One that is whole again stands where its first piece stood.
fn joined(message: &mut Message<'_>) {
    let goes_on = |pair: &[Part<'_>]| matches!(pair, [first, second] if goes_on(first, second));
    if !message.parts.windows(2).any(goes_on) {
        return;
    }
    let places: Vec<Place> = (0..message.parts.len()).map(|index| message.place(index)).collect();
    let parts = std::mem::take(&mut message.parts);
    let mut out = Vec::with_capacity(parts.len());
    let mut run: Option<(Run, Place)> = None;
    for (part, place) in parts.into_iter().zip(places) {
        match (&mut run, part) {
            (Some((Run::Text(run), _)), Part::Text { text, .. }) => run.push_str(&text.plain()),
            (Some((Run::Thinking(whole), first)), Part::Thinking { text, proof }) => {
                whole.push_str(&text.plain());
                if proof.is_some() {
                    let text = Text::from(std::mem::take(whole));
                    out.push((Part::Thinking { text, proof }, first.clone()));
                    run = None;
                }
            }
            (_, part) => {
                out.extend(run.take().map(|(run, first)| (run.close(), first)));
                match part {
                    Part::Text { text, .. } => run = Some((Run::Text(text.plain().into_owned()), place)),
                    Part::Thinking { text, proof: None } => {
                        run = Some((Run::Thinking(text.plain().into_owned()), place));
                    }
                    other => out.push((other, place)),
                }
            }
        }
    }
    out.extend(run.map(|(run, first)| (run.close(), first)));
    (message.parts, message.places) = out.into_iter().unzip();
}
