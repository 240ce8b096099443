//! The patch lane's look over a request: one pass that checks the whole syntax and notes the few members that policy
//! needs.
//!
//! Invariant: nothing is built per message; parts are taken apart only where a body holds a signature of ours. Whatever is
//! odd inside of a message is the upstream's to judge.

mod unsign;

use super::generation::Generation;
use super::names::canonical;
use super::signature::{MARK, PLACEHOLDER};
use crate::config::{Endpoint, Operation};
use crate::dialect::cut;
use crate::dialect::value::{At, array_or_skip, count_or_skip, object_or_skip, text_or_skip};
use crate::dialect::{Ask, Edit, Needs, Peek, Target};
use crate::ir::error::Malformed;
use crate::wire::json::{Error, Kind, Reader, Text, write_str};
use std::borrow::Cow;
use std::ops::Range;

/// What an image, a minute of sound or a page is counted as: their bytes say nothing of their tokens.
const MEDIA_TOKENS: u64 = 1_000;

/// Top-level members beyond this are refused: their names are held until all are known to differ.
const MAX_MEMBERS: usize = 1_024;

/// Stands for the upstream's model until it is known.
const MODEL: &[u8] = b"models/*";

/// What the walk collects.
#[derive(Debug)]
struct Walk<'a> {
    body: &'a str,
    signed: bool,
    max_tokens: Option<u64>,
    n: Option<u64>,
    native: Option<&'static str>,
    needs: Needs,
    media_bytes: usize,
    media: u64,
    edits: Vec<Edit>,
}

/// Checks a request body and notes what policy and the splice need.
pub(super) fn peek<'a>(ask: &Ask<'a>, body: &'a str) -> Result<Peek<'a>, Malformed> {
    let Some(model) = ask.model.filter(|model| !model.is_empty()) else {
        return Err(Malformed::at("model", "expected in the path, and it is missing"));
    };
    let mut walk = Walk {
        body,
        signed: memchr::memmem::find(body.as_bytes(), MARK.as_bytes()).is_some(),
        max_tokens: None,
        n: None,
        native: None,
        needs: Needs::default(),
        media_bytes: 0,
        media: 0,
        edits: Vec::new(),
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
        walk.member(ask.endpoint, &name, before, &mut reader).at(&name)?;
        before = reader.offset();
        names.push(name);
    }
    let end = reader.offset().saturating_sub(1);
    reader.end().at("body")?;
    refuse_doubles(names)?;
    let text_bytes = body.len().saturating_sub(walk.media_bytes);
    Ok(Peek {
        model: Text::from(model),
        stream: ask.stream,
        edits: walk.edits,
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
        name: &str,
        before: usize,
        reader: &mut Reader<'_>,
    ) -> Result<(), Error> {
        match name {
            "model" => self.model(before, reader),
            "contents" => self.contents(reader),
            "generationConfig" => self.config(reader),
            "tools" => self.tools(reader),
            "cachedContent" => {
                if text_or_skip(reader)?.is_some_and(|name| !name.is_empty()) {
                    self.native = Some("cachedContent");
                }
                Ok(())
            }
            "generateContentRequest" if endpoint.operation() == Operation::Count => {
                self.inner(endpoint, reader)
            }
            "requests" if endpoint == Endpoint::BatchEmbedContents => {
                if array_or_skip(reader)? {
                    while reader.element()? {
                        self.inner(endpoint, reader)?;
                    }
                }
                Ok(())
            }
            _ => reader.skip(),
        }
    }

    /// A request within the request.
    fn inner(&mut self, endpoint: Endpoint, reader: &mut Reader<'_>) -> Result<(), Error> {
        if object_or_skip(reader)? {
            let mut before = reader.offset();
            while let Some(key) = reader.key()? {
                match &*canonical(key.plain()) {
                    "generateContentRequest" | "requests" => reader.skip()?,
                    name => self.member(endpoint, name, before, reader)?,
                }
                before = reader.offset();
            }
        }
        Ok(())
    }

    /// The path names the model; where the body does too, it must be the same one, or go as a whole.
    fn model(&mut self, before: usize, reader: &mut Reader<'_>) -> Result<(), Error> {
        let start = reader.value_offset();
        if text_or_skip(reader)?.is_some() {
            let span = cut::member(self.body, before, reader.offset()).gone;
            let kept = |span: Range<usize>| self.body.get(span).unwrap_or_default().as_bytes();
            let with = [kept(span.start..start), MODEL, kept(reader.offset()..span.end)].concat();
            self.edits.push(Edit { span, with });
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
        if !array_or_skip(reader)? {
            return Ok(());
        }
        while reader.element()? {
            if !object_or_skip(reader)? {
                continue;
            }
            while let Some(key) = reader.key()? {
                if canonical(key.plain()) == "functionDeclarations" && reader.peek()? == Kind::Array {
                    reader.array()?;
                    while reader.element()? {
                        self.needs.tools = true;
                        reader.skip()?;
                    }
                } else {
                    reader.skip()?;
                }
            }
        }
        Ok(())
    }

    fn contents(&mut self, reader: &mut Reader<'_>) -> Result<(), Error> {
        if reader.peek()? == Kind::Object {
            return self.content(reader);
        }
        if array_or_skip(reader)? {
            while reader.element()? {
                self.content(reader)?;
            }
        }
        Ok(())
    }

    fn content(&mut self, reader: &mut Reader<'_>) -> Result<(), Error> {
        if !object_or_skip(reader)? {
            return Ok(());
        }
        while let Some(key) = reader.key()? {
            if key != "parts" || reader.peek()? != Kind::Array {
                reader.skip()?;
                continue;
            }
            if self.signed {
                unsign::parts(reader.clone(), &mut self.edits)?;
            }
            reader.array()?;
            while reader.element()? {
                self.part(reader)?;
            }
        }
        Ok(())
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

/// How Google names a model in bodies.
pub(super) fn resource(model: &str) -> Cow<'_, str> {
    if model.starts_with("models/") || model.starts_with("tunedModels/") {
        Cow::Borrowed(model)
    } else {
        Cow::Owned(format!("models/{model}"))
    }
}

/// The edits: the upstream's model, where the body names one and may, and no signatures of ours.
pub(super) fn splice(peek: &Peek<'_>, target: &Target<'_>) -> Vec<Edit> {
    let demanded = Generation::of(target.model).is_third();
    let finished = |edit: &Edit| {
        let mut edit = edit.clone();
        if let Some(at) = memchr::memmem::find(&edit.with, MODEL) {
            let behind = edit.with.split_off(at);
            if target.model_in_body {
                write_str(&mut edit.with, &resource(target.model));
                edit.with.extend_from_slice(behind.get(MODEL.len()..).unwrap_or_default());
            } else {
                edit.with.clear();
            }
        } else if !demanded && memchr::memmem::find(&edit.with, PLACEHOLDER.as_bytes()).is_some() {
            edit.with.clear();
        }
        edit
    };
    peek.edits.iter().map(finished).collect()
}

#[cfg(test)]
mod tests;
