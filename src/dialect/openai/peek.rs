//! The patch lane's look over a request: one pass that checks the whole syntax and notes the few members that policy
//! needs.
//!
//! Invariant: nothing is built per message. What is looked at inside of a message (is a part an image?) is found while
//! the walk passes it, and whatever is odd there is the upstream's to judge.

mod foreign;

use super::wire::{
    At, MAX_MEMBERS, array_or_skip, count_or_skip, object_or_skip, optional_bool, refuse_doubles,
    text_or_skip,
};
use crate::config::Endpoint;
use crate::dialect::{Edit, Needs, Peek, Target};
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
use crate::wire::json::{Error, Kind, Reader, Text, write_str};
use std::borrow::Cow;
use std::ops::Range;

/// What an image, a sound or a file is counted as: its bytes say nothing of its tokens.
const IMAGE_TOKENS: u64 = 1_000;

/// What the walk collects.
#[derive(Debug, Default)]
struct Walk<'a> {
    model: Option<(Text<'a>, Range<usize>)>,
    stream: bool,
    options: Options,
    include_usage: bool,
    max_tokens: Option<u64>,
    max_completion_tokens: Option<u64>,
    n: Option<u64>,
    needs: Needs,
    image_bytes: usize,
    images: u64,
}

/// Where the wish for usage can be put.
#[derive(Debug, Default)]
enum Options {
    /// Behind the last member: there are no `stream_options`.
    #[default]
    Absent,
    /// Over a value that does not ask: `null` options, `"include_usage": false`.
    Replace(Range<usize>, &'static str),
    /// Behind the opening brace of options that hold something, or nothing, else.
    Inside(usize, &'static str),
}

/// Checks a request body and notes what policy and the splice need.
pub(super) fn peek(endpoint: Endpoint, body: &str) -> Result<Peek<'_>, Malformed> {
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
    let has_options = matches!(endpoint, Endpoint::ChatCompletions | Endpoint::Completions);
    let asks = walk.stream && !walk.include_usage && has_options;
    let cuts = foreign::cuts(body).at("body")?;
    let text_bytes = body.len().saturating_sub(walk.image_bytes);
    Ok(Peek {
        model,
        model_span: Some(model_span),
        stream: walk.stream,
        stream_options: asks.then(|| walk.options.edit(end)),
        edits: cuts.edits,
        loss: cuts.loss,
        include_usage: walk.include_usage,
        max_tokens: walk.max_completion_tokens.or(walk.max_tokens),
        n: walk.n.unwrap_or(1),
        end,
        needs: Needs {
            prompt_tokens: u64::try_from(text_bytes / 4)
                .unwrap_or(u64::MAX)
                .saturating_add(walk.images.saturating_mul(IMAGE_TOKENS)),
            ..walk.needs
        },
        ..Peek::default()
    })
}

impl Options {
    fn edit(self, end: usize) -> Edit {
        match self {
            Self::Absent => Edit::append(end, br#""stream_options":{"include_usage":true}"#),
            Self::Replace(span, with) => Edit::replace(span, with),
            Self::Inside(at, with) => Edit::replace(at..at, with),
        }
    }
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
            "stream_options" => self.stream_options(reader)?,
            "messages" => self.messages(reader).at("messages")?,
            "tools" => {
                if array_or_skip(reader).at("tools")? {
                    while reader.element().at("tools")? {
                        self.needs.tools = true;
                        reader.skip().at("tools")?;
                    }
                }
            }
            "response_format" => self.format(reader).at("response_format")?,
            "max_tokens" => self.max_tokens = count_or_skip(reader).at(name)?,
            "max_completion_tokens" => {
                self.max_completion_tokens = count_or_skip(reader).at(name)?;
            }
            "n" => self.n = count_or_skip(reader).at(name)?,
            _ => reader.skip().at(name)?,
        }
        Ok(())
    }

    fn stream_options(&mut self, reader: &mut Reader<'a>) -> Result<(), Malformed> {
        const PATH: &str = "stream_options";
        let start = reader.value_offset();
        if reader.null().at(PATH)? {
            self.options = Options::Replace(start..reader.offset(), r#"{"include_usage":true}"#);
            return Ok(());
        }
        reader.object().at(PATH)?;
        let inside = reader.offset();
        self.options = Options::Inside(inside, r#""include_usage":true"#);
        while let Some(key) = reader.key().at(PATH)? {
            if key == "include_usage" {
                let start = reader.value_offset();
                self.include_usage = optional_bool(reader, "stream_options.include_usage")?.unwrap_or(false);
                self.options = Options::Replace(start..reader.offset(), "true");
            } else {
                reader.skip().at(PATH)?;
                if let Options::Inside(_, with) = &mut self.options {
                    *with = r#""include_usage":true,"#;
                }
            }
        }
        Ok(())
    }

    fn format(&mut self, reader: &mut Reader<'a>) -> Result<(), Error> {
        if object_or_skip(reader)? {
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

    fn messages(&mut self, reader: &mut Reader<'a>) -> Result<(), Error> {
        if !array_or_skip(reader)? {
            return Ok(());
        }
        while reader.element()? {
            if !object_or_skip(reader)? {
                continue;
            }
            while let Some(key) = reader.key()? {
                if key == "content" && reader.peek()? == Kind::Array {
                    reader.array()?;
                    while reader.element()? {
                        self.part(reader)?;
                    }
                } else {
                    reader.skip()?;
                }
            }
        }
        Ok(())
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
        // The bytes of all these say nothing of their tokens.
        let bytes = match kind.as_ref().map(Text::plain).as_deref() {
            Some("image_url") => {
                self.needs.images = true;
                true
            }
            Some("input_audio") => {
                self.needs.audio = true;
                true
            }
            Some("file") => {
                self.needs.documents = true;
                true
            }
            _ => false,
        };
        if bytes {
            self.images += 1;
            self.image_bytes += reader.offset() - start;
        }
        Ok(())
    }
}

/// The edits: the upstream's model, without what others proved, and the wish for usage if it may be uttered.
pub(super) fn splice(peek: &Peek<'_>, target: &Target<'_>, loss: &mut Loss) -> Vec<Edit> {
    let mut edits = peek.edits.clone();
    loss.add(&peek.loss);
    if let Some(span) = peek.model_span.clone().filter(|_| peek.model != target.model) {
        let mut with = Vec::with_capacity(target.model.len() + 2);
        write_str(&mut with, target.model);
        edits.push(Edit::replace(span, with));
    }
    if target.stream_usage {
        edits.extend(peek.stream_options.clone());
    }
    edits
}

#[cfg(test)]
mod tests;
