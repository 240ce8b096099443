//! The patch lane's look over a request: one pass that checks the whole syntax and notes the few members that policy
//! needs.
//!
//! Invariant: nothing is built per item. What is looked at inside of an item is found while the walk passes it, and
//! whatever is odd there is the upstream's to judge; reasoning that another dialect's model proved goes out as a whole.

use crate::config::Endpoint;
use crate::dialect::value::{
    At, MAX_MEMBERS, array_or_skip, count_or_skip, is_void, object_or_skip, optional_bool, refuse_doubles,
    text_or_skip,
};
use crate::dialect::{Edit, Needs, Peek, Target};
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
use crate::ir::proof::is_foreign;
use crate::wire::json::{Error, Kind, Reader, Text, write_str};
use std::borrow::Cow;
use std::ops::Range;

/// What a picture is counted as: its bytes say nothing of its tokens.
const IMAGE_TOKENS: u64 = 1_000;

/// What the walk collects.
#[derive(Debug, Default)]
struct Walk<'a> {
    model: Option<(Text<'a>, Range<usize>)>,
    stream: bool,
    max_tokens: Option<u64>,
    builds_on: Option<Text<'a>>,
    native: Option<&'static str>,
    needs: Needs,
    edits: Vec<Edit>,
    loss: Loss,
    media_bytes: usize,
    media: u64,
}

/// Checks a request body and notes what policy and the splice need.
pub(super) fn peek(endpoint: Endpoint, body: &str) -> Result<Peek<'_>, Malformed> {
    if endpoint == Endpoint::StoredResponses && body.trim().is_empty() {
        return Ok(Peek { include_usage: true, n: 1, ..Peek::default() });
    }
    let mut reader = Reader::new(body);
    let mut walk = Walk::default();
    let mut names: Vec<Cow<'_, str>> = Vec::with_capacity(24);
    reader.object().at("body")?;
    while let Some(key) = reader.key().at("body")? {
        let name = key.plain();
        if names.len() >= MAX_MEMBERS {
            return Err(Malformed::at("body", format_args!("expected at most {MAX_MEMBERS} members")));
        }
        walk.member(&name, &mut reader)?;
        names.push(name);
    }
    let end = reader.offset().saturating_sub(1);
    reader.end().at("body")?;
    refuse_doubles(names)?;
    let Some((model, model_span)) = walk.model else {
        return Err(Malformed::at("model", "expected a string, and it is missing"));
    };
    let text_bytes = body.len().saturating_sub(walk.media_bytes);
    Ok(Peek {
        model,
        model_span: Some(model_span),
        stream: walk.stream,
        // Counts are part of every stream of this dialect.
        stream_options: None,
        include_usage: true,
        edits: walk.edits,
        loss: walk.loss,
        max_tokens: walk.max_tokens,
        n: 1,
        builds_on: walk.builds_on,
        native: walk.native,
        end,
        needs: Needs {
            prompt_tokens: u64::try_from(text_bytes / 4)
                .unwrap_or(u64::MAX)
                .saturating_add(walk.media.saturating_mul(IMAGE_TOKENS)),
            ..walk.needs
        },
        ..Peek::default()
    })
}

impl<'a> Walk<'a> {
    fn member(&mut self, name: &str, reader: &mut Reader<'a>) -> Result<(), Malformed> {
        match name {
            "model" => {
                let start = reader.value_offset();
                let model = reader.string().at("model")?;
                if model.is_empty() {
                    return Err(Malformed::at("model", "expected a string that is not empty"));
                }
                self.model = Some((model, start..reader.offset()));
            }
            "stream" => self.stream = optional_bool(reader, "stream")?.unwrap_or(false),
            "max_output_tokens" => self.max_tokens = count_or_skip(reader).at(name)?,
            "input" => self.input(reader).at("input")?,
            "tools" => {
                if array_or_skip(reader).at("tools")? {
                    while reader.element().at("tools")? {
                        self.needs.tools = true;
                        reader.skip().at("tools")?;
                    }
                }
            }
            "text" => self.text(reader).at("text")?,
            "previous_response_id" => self.builds_on = text_or_skip(reader).at(name)?,
            "conversation" => self.keep("conversation", reader).at(name)?,
            "prompt" => self.keep("prompt", reader).at(name)?,
            "background" => self.keep("background", reader).at(name)?,
            _ => reader.skip().at(name)?,
        }
        Ok(())
    }

    /// A member that only a provider of this dialect can serve, if it says anything.
    fn keep(&mut self, name: &'static str, reader: &mut Reader<'a>) -> Result<(), Error> {
        if !is_void(reader.raw()?) {
            self.native = Some(name);
        }
        Ok(())
    }

    fn text(&mut self, reader: &mut Reader<'a>) -> Result<(), Error> {
        if !object_or_skip(reader)? {
            return Ok(());
        }
        while let Some(key) = reader.key()? {
            if key != "format" || reader.peek()? != Kind::Object {
                reader.skip()?;
                continue;
            }
            reader.object()?;
            while let Some(key) = reader.key()? {
                if key == "type" {
                    self.needs.schema = text_or_skip(reader)?.is_some_and(|kind| kind == "json_schema");
                } else {
                    reader.skip()?;
                }
            }
        }
        Ok(())
    }

    fn input(&mut self, reader: &mut Reader<'a>) -> Result<(), Error> {
        if !array_or_skip(reader)? {
            return Ok(());
        }
        let mut at = 0;
        while reader.element()? {
            let start = reader.value_offset();
            if self.item(reader)? {
                self.edits.push(Edit::remove(start..reader.offset()));
                self.loss.drop(format!("input[{at}]"));
            }
            at += 1;
        }
        Ok(())
    }

    /// Looks at an item, and says whether it is reasoning of another dialect's model.
    fn item(&mut self, reader: &mut Reader<'a>) -> Result<bool, Error> {
        if !object_or_skip(reader)? {
            return Ok(false);
        }
        let (mut kind, mut role, mut id, mut foreign) = (None, false, false, false);
        while let Some(key) = reader.key()? {
            match &*key.plain() {
                "type" => kind = text_or_skip(reader)?,
                "role" => {
                    role = true;
                    reader.skip()?;
                }
                "id" => {
                    id = true;
                    reader.skip()?;
                }
                "encrypted_content" => {
                    foreign = text_or_skip(reader)?.is_some_and(|text| is_foreign(&text.plain()));
                }
                "content" | "output" if reader.peek()? == Kind::Array => {
                    reader.array()?;
                    while reader.element()? {
                        self.part(reader)?;
                    }
                }
                _ => reader.skip()?,
            }
        }
        match kind.as_ref().map(Text::plain).as_deref() {
            Some("item_reference") => self.native = Some("item_reference"),
            Some("compaction" | "compaction_trigger") => self.native = Some("compaction"),
            None if id && !role => self.native = Some("item_reference"),
            Some("reasoning") => return Ok(foreign),
            _ => {}
        }
        Ok(false)
    }

    fn part(&mut self, reader: &mut Reader<'a>) -> Result<(), Error> {
        let start = reader.value_offset();
        if !object_or_skip(reader)? {
            return Ok(());
        }
        let mut kind = None;
        while let Some(key) = reader.key()? {
            if key == "type" {
                kind = text_or_skip(reader)?;
            } else {
                reader.skip()?;
            }
        }
        match kind.as_ref().map(Text::plain).as_deref() {
            Some("input_image") => self.needs.images = true,
            Some("input_file") => self.needs.documents = true,
            Some("input_audio") => self.needs.audio = true,
            _ => return Ok(()),
        }
        self.media += 1;
        self.media_bytes += reader.offset() - start;
        Ok(())
    }
}

/// The edits: the upstream's model, and what goes out.
pub(super) fn splice(peek: &Peek<'_>, target: &Target<'_>, loss: &mut Loss) -> Vec<Edit> {
    let mut edits = peek.edits.clone();
    loss.add(&peek.loss);
    if let Some(span) = peek.model_span.clone().filter(|_| peek.model != *target.model) {
        let mut with = Vec::with_capacity(target.model.len() + 2);
        write_str(&mut with, target.model);
        edits.push(Edit::replace(span, with));
    }
    edits
}

#[cfg(test)]
mod tests;
