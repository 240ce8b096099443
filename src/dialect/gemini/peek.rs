//! The patch lane's look over a request: one pass that checks the whole syntax and notes the few members that policy
//! needs.
//!
//! Invariant: nothing is built per message; parts are taken apart only where a body holds a signature of ours. Whatever is
//! odd inside of a message is the upstream's to judge.

mod unsign;

use super::generation::Generation;
use super::names::canonical;
use super::proto::{Elements, count_or_skip};
use super::signature::{MARK, PLACEHOLDER};
use crate::config::{Endpoint, Operation};
use crate::dialect::cut::name_offset;
use crate::dialect::members::Path;
use crate::dialect::value::{At, object_or_skip, text_or_skip};
use crate::dialect::{Ask, Edit, Member, Needs, Peek, Target};
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
use crate::wire::json::{Error, Kind, Reader, Text, write_str};
use std::borrow::Cow;

/// What an image, a minute of sound or a page is counted as: their bytes say nothing of their tokens.
const MEDIA_TOKENS: u64 = 1_000;

/// Top-level members beyond this are refused: their names are held until all are known to differ.
const MAX_MEMBERS: usize = 1_024;

/// What the walk collects.
#[derive(Debug)]
struct Walk<'a> {
    body: &'a str,
    /// The model of the path.
    model: &'a str,
    /// The first request within the request that names another.
    strays: Option<Malformed>,
    signed: bool,
    max_tokens: Option<u64>,
    n: Option<u64>,
    native: Option<&'static str>,
    needs: Needs,
    media_bytes: usize,
    media: u64,
    models: Vec<Member>,
    taken: Taken,
}

/// What is taken out of the body.
#[derive(Debug, Default)]
struct Taken {
    edits: Vec<Edit>,
    /// Signatures of calls, in whose place some models demand another.
    calls: Vec<Member>,
    loss: Loss,
}

/// Checks a request body and notes what policy and the splice need.
pub(super) fn peek<'a>(ask: &Ask<'a>, body: &'a str) -> Result<Peek<'a>, Malformed> {
    let Some(model) = ask.model.filter(|model| !model.is_empty()) else {
        return Err(Malformed::at("model", "expected in the path, and it is missing"));
    };
    let mut walk = Walk {
        body,
        model,
        strays: None,
        signed: memchr::memmem::find(body.as_bytes(), MARK.as_bytes()).is_some(),
        max_tokens: None,
        n: None,
        native: None,
        needs: Needs::default(),
        media_bytes: 0,
        media: 0,
        models: Vec::new(),
        taken: Taken::default(),
    };
    let mut reader = Reader::new(body);
    let mut names: Vec<Cow<'_, str>> = Vec::with_capacity(8);
    reader.object().at("body")?;
    let mut before = reader.offset();
    while let Some(key) = reader.key().at("body")? {
        // Both forms of a name are the same member.
        let name = canonical(key.plain());
        if names.len() >= MAX_MEMBERS {
            return Err(Malformed::at("body", format_args!("expected at most {MAX_MEMBERS} members")));
        }
        walk.member(ask.endpoint, Path::root(&name), before, &mut reader).at(&name)?;
        before = reader.offset();
        names.push(name);
    }
    let end = reader.offset().saturating_sub(1);
    reader.end().at("body")?;
    refuse_doubles(names)?;
    if let Some(stray) = walk.strays {
        return Err(stray);
    }
    let text_bytes = body.len().saturating_sub(walk.media_bytes);
    Ok(Peek {
        model: Text::from(model),
        stream: ask.stream,
        repeated: walk.models,
        unproved: walk.taken.calls,
        edits: walk.taken.edits,
        loss: walk.taken.loss,
        max_tokens: walk.max_tokens,
        n: walk.n.unwrap_or(1),
        native: walk.native,
        end,
        needs: Needs {
            prompt_tokens: u64::try_from(text_bytes / 4)
                .unwrap_or(u64::MAX)
                .saturating_add(walk.media.saturating_mul(MEDIA_TOKENS)),
            ..walk.needs
        },
        ..Peek::default()
    })
}

/// Policy and upstream must read the same members, whichever of two an upstream's parser would take.
fn refuse_doubles(mut names: Vec<Cow<'_, str>>) -> Result<(), Malformed> {
    names.sort_unstable();
    match names.windows(2).find(|pair| matches!(pair, [first, second] if first == second)) {
        Some([name, ..]) => Err(Malformed::at(name.clone(), "occurs twice")),
        _ => Ok(()),
    }
}

impl Walk<'_> {
    fn member(
        &mut self,
        endpoint: Endpoint,
        path: Path<'_>,
        before: usize,
        reader: &mut Reader<'_>,
    ) -> Result<(), Error> {
        match path.name() {
            "model" => self.model(before, reader),
            "contents" => self.contents(&path, reader),
            "generationConfig" => self.config(reader),
            "tools" => self.tools(reader),
            "cachedContent" => {
                if text_or_skip(reader)?.is_some_and(|name| !name.is_empty()) {
                    self.native = Some("cachedContent");
                }
                Ok(())
            }
            "generateContentRequest" if endpoint.operation() == Operation::Count => {
                self.inner(endpoint, &path, reader)
            }
            "requests" if endpoint == Endpoint::BatchEmbedContents => {
                if let Some(mut requests) = Elements::or_skip(reader, Kind::Object)? {
                    let mut at = 0;
                    while requests.next(reader)? {
                        self.inner(endpoint, &requests.path(&path, at), reader)?;
                        at += 1;
                    }
                }
                Ok(())
            }
            _ => reader.skip(),
        }
    }

    /// A request within the request.
    fn inner(&mut self, endpoint: Endpoint, path: &Path<'_>, reader: &mut Reader<'_>) -> Result<(), Error> {
        if object_or_skip(reader)? {
            let mut before = reader.offset();
            while let Some(key) = reader.key()? {
                match &*canonical(key.plain()) {
                    "generateContentRequest" | "requests" => reader.skip()?,
                    name @ "model" => {
                        self.compare_model(&path.member(name), reader.clone())?;
                        self.model(before, reader)?;
                    }
                    name => self.member(endpoint, path.member(name), before, reader)?,
                }
                before = reader.offset();
            }
        }
        Ok(())
    }

    /// All requests are for the model that was allowed: another one's would be answered by this one in silence.
    fn compare_model(&mut self, path: &Path<'_>, mut reader: Reader<'_>) -> Result<(), Error> {
        let named = text_or_skip(&mut reader)?.unwrap_or_default().plain();
        if !named.is_empty() && bare(&named) != bare(self.model) && self.strays.is_none() {
            let expected = resource(self.model);
            self.strays =
                Some(path.malformed(format_args!("expected {expected}, as in the path, or nothing")));
        }
        Ok(())
    }

    /// The path names the model; where the body does too, the upstream's name takes its place, or it goes as a whole.
    fn model(&mut self, before: usize, reader: &mut Reader<'_>) -> Result<(), Error> {
        let whole = name_offset(self.body, before);
        let start = reader.value_offset();
        if text_or_skip(reader)?.is_some() {
            let end = reader.offset();
            self.models.push(Member { whole: whole..end, value: start..end });
        }
        Ok(())
    }

    fn config(&mut self, reader: &mut Reader<'_>) -> Result<(), Error> {
        if !object_or_skip(reader)? {
            return Ok(());
        }
        while let Some(key) = reader.key()? {
            match &*canonical(key.plain()) {
                "maxOutputTokens" => self.max_tokens = count_or_skip(reader)?,
                "candidateCount" => self.n = count_or_skip(reader)?,
                "responseSchema" | "responseJsonSchema" => {
                    self.needs.schema |= reader.peek()? == Kind::Object;
                    reader.skip()?;
                }
                _ => reader.skip()?,
            }
        }
        Ok(())
    }

    fn tools(&mut self, reader: &mut Reader<'_>) -> Result<(), Error> {
        let Some(mut tools) = Elements::or_skip(reader, Kind::Object)? else { return Ok(()) };
        while tools.next(reader)? {
            if !object_or_skip(reader)? {
                continue;
            }
            while let Some(key) = reader.key()? {
                if canonical(key.plain()) != "functionDeclarations" {
                    reader.skip()?;
                } else if let Some(mut functions) = Elements::or_skip(reader, Kind::Object)? {
                    while functions.next(reader)? {
                        self.needs.tools = true;
                        reader.skip()?;
                    }
                }
            }
        }
        Ok(())
    }

    fn contents(&mut self, path: &Path<'_>, reader: &mut Reader<'_>) -> Result<(), Error> {
        let Some(mut turns) = Elements::or_skip(reader, Kind::Object)? else { return Ok(()) };
        let mut at = 0;
        while turns.next(reader)? {
            let start = reader.value_offset();
            if !self.content(&turns.path(path, at), reader)? {
                self.taken.edits.push(turns.remove(start..reader.offset()));
            }
            at += 1;
        }
        Ok(())
    }

    /// Walks a turn. Says whether anything is left of it.
    fn content(&mut self, path: &Path<'_>, reader: &mut Reader<'_>) -> Result<bool, Error> {
        if !object_or_skip(reader)? {
            return Ok(true);
        }
        let (mut stays, mut emptied) = (false, false);
        while let Some(key) = reader.key()? {
            if key != "parts" {
                reader.skip()?;
                continue;
            }
            let mut next = reader.clone();
            let Some(mut parts) = Elements::or_skip(reader, Kind::Object)? else { continue };
            if self.signed {
                let left = unsign::parts(self.body, &path.member("parts"), &mut next, &mut self.taken)?;
                stays |= left;
                emptied |= !left;
            }
            while parts.next(reader)? {
                self.part(reader)?;
            }
        }
        Ok(stays || !emptied)
    }

    fn part(&mut self, reader: &mut Reader<'_>) -> Result<(), Error> {
        if !object_or_skip(reader)? {
            return Ok(());
        }
        while let Some(key) = reader.key()? {
            match &*canonical(key.plain()) {
                "inlineData" | "fileData" => {
                    let start = reader.value_offset();
                    self.media(reader)?;
                    self.media_bytes += reader.offset() - start;
                    self.media += 1;
                }
                _ => reader.skip()?,
            }
        }
        Ok(())
    }

    fn media(&mut self, reader: &mut Reader<'_>) -> Result<(), Error> {
        if !object_or_skip(reader)? {
            return Ok(());
        }
        while let Some(key) = reader.key()? {
            if canonical(key.plain()) != "mimeType" {
                reader.skip()?;
                continue;
            }
            let kind =
                text_or_skip(reader)?.map(|kind| kind.plain().to_ascii_lowercase()).unwrap_or_default();
            self.needs.images |= kind.starts_with("image/");
            self.needs.audio |= kind.starts_with("audio/");
            self.needs.documents |= kind == "application/pdf";
        }
        Ok(())
    }
}

/// A model's name without what it is filed under.
fn bare(model: &str) -> &str {
    let model = model.rsplit_once("publishers/google/").map_or(model, |(_, model)| model);
    model.strip_prefix("models/").unwrap_or(model)
}

/// How Google names a model in bodies.
pub(super) fn resource(model: &str) -> Cow<'_, str> {
    if model.starts_with("models/") || model.starts_with("tunedModels/") {
        Cow::Borrowed(model)
    } else {
        Cow::Owned(format!("models/{model}"))
    }
}

/// The edits: the upstream's model, where the body names one and may, and no signatures of ours.
pub(super) fn splice(peek: &Peek<'_>, target: &Target<'_>, loss: &mut Loss) -> Vec<Edit> {
    let mut edits = peek.edits.clone();
    loss.add(&peek.loss);
    let quoted = |text: &str| {
        let mut json = Vec::with_capacity(text.len() + 2);
        write_str(&mut json, text);
        json
    };
    // What takes the value's place, or the member goes.
    let mut settle = |members: &[Member], with: Option<Vec<u8>>| {
        edits.extend(members.iter().map(|member| match &with {
            Some(json) => Edit::replace(member.value.clone(), json.as_slice()),
            None => Edit::remove(member.whole.clone()),
        }));
    };
    settle(&peek.repeated, target.model_in_body.then(|| quoted(&resource(target.model))));
    settle(&peek.unproved, Generation::of(target.model).is_third().then(|| quoted(PLACEHOLDER)));
    edits
}

#[cfg(test)]
mod tests;
