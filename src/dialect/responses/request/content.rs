//! What an item holds: a string, or a list of parts.
//!
//! Invariant: paths are relative here and completed on the way out, so that a good request formats none.

use crate::config::Dialect;
use crate::dialect::openai_api::data_url;
use crate::dialect::value::{At, is_one_of, is_void, optional_text, under};
use crate::ir::Proof;
use crate::ir::chat::{Part, Source};
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
use crate::wire::json::{Kind, Reader, Text};
use std::borrow::Cow;

/// Unknown members of one part that are told.
const MAX_OTHERS: usize = 16;

/// Reads `content` or `output`; `null` and an empty string are nothing. `item` is the item's place in `input`.
pub(super) fn decode<'a>(
    reader: &mut Reader<'a>,
    item: u32,
    member: &str,
    loss: &mut Loss,
) -> Result<Vec<Part<'a>>, Malformed> {
    let mut parts = Vec::new();
    match reader.peek().at(member)? {
        Kind::Null => reader.skip().at(member)?,
        Kind::String => {
            let text = reader.string().at(member)?;
            if !text.is_empty() {
                parts.push(Part::text(text));
            }
        }
        Kind::Array => {
            reader.array().at(member)?;
            let mut number = 0;
            while reader.element().at(member)? {
                let path = || format!("input[{item}].{member}[{number}]");
                let read = Raw::read(reader).and_then(|raw| raw.finish(&path, loss));
                parts.extend(read.map_err(|inner| under(&format!("{member}[{number}]"), inner))?);
                number += 1;
            }
        }
        _ => return Err(Malformed::at(member, "expected a string or a list of parts")),
    }
    Ok(parts)
}

/// A part's members, while its type may be still unknown.
#[derive(Default)]
struct Raw<'a> {
    kind: Option<Text<'a>>,
    text: Option<Text<'a>>,
    refusal: Option<Text<'a>>,
    detail: Option<Text<'a>>,
    image_url: Option<Text<'a>>,
    file_id: Option<Text<'a>>,
    file_data: Option<Text<'a>>,
    file_url: Option<Text<'a>>,
    filename: Option<Text<'a>>,
    audio: Option<(Text<'a>, Text<'a>)>,
    cache: bool,
    /// Members that no part of ours has.
    others: Vec<Cow<'a, str>>,
}

impl<'a> Raw<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        let mut part = Self::default();
        reader.object().at("")?;
        while let Some(key) = reader.key().at("")? {
            let name = key.plain();
            match &*name {
                "type" => part.kind = Some(reader.string().at("type")?),
                "text" => part.text = Some(reader.string().at("text")?),
                "refusal" => part.refusal = Some(reader.string().at("refusal")?),
                "detail" => part.detail = optional_text(reader, "detail")?,
                "image_url" => part.image_url = optional_text(reader, "image_url")?,
                "file_id" => part.file_id = optional_text(reader, "file_id")?,
                "file_data" => part.file_data = optional_text(reader, "file_data")?,
                "file_url" => part.file_url = optional_text(reader, "file_url")?,
                "filename" => part.filename = optional_text(reader, "filename")?,
                "input_audio" => part.audio = Some(audio(reader)?),
                "prompt_cache_breakpoint" => part.cache = !is_void(reader.raw().at(&name)?),
                // What the provider said of its own text; it means nothing to the next.
                "logprobs" => reader.skip().at("logprobs")?,
                _ => {
                    let value = reader.raw().at(&name)?;
                    if !is_void(value) && part.others.len() < MAX_OTHERS {
                        part.others.push(name);
                    }
                }
            }
        }
        Ok(part)
    }

    /// The part, or none if the IR has no word for it.
    fn finish(self, path: &dyn Fn() -> String, loss: &mut Loss) -> Result<Option<Part<'a>>, Malformed> {
        let missing = |path: &str| Malformed::at(path, "expected a string, and it is missing");
        let kind = self.kind.ok_or_else(|| missing("type"))?;
        let cache = self.cache;
        let part = match &*kind.plain() {
            "input_text" | "output_text" | "summary_text" | "reasoning_text" | "text" => {
                Part::Text { text: self.text.ok_or_else(|| missing("text"))?, cache }
            }
            "refusal" => Part::Refusal { text: self.refusal.ok_or_else(|| missing("refusal"))? },
            "input_image" => {
                let source = match (self.image_url, self.file_id) {
                    (Some(url), _) => data_url::read(url),
                    (None, Some(id)) => file(id),
                    (None, None) => return Err(Malformed::at("image_url", "expected image_url or file_id")),
                };
                Part::Image { source, detail: self.detail, cache }
            }
            "input_file" => {
                if self.detail.is_some_and(|detail| detail != "auto") {
                    loss.drop(format!("{}.detail", path()));
                }
                let source = match (self.file_data, self.file_url, self.file_id) {
                    (Some(data), ..) => bytes(data)?,
                    (None, Some(url), _) => Source::Url(url),
                    (None, None, Some(id)) => file(id),
                    (None, None, None) => {
                        return Err(Malformed::at("file_data", "expected file_data, file_url or file_id"));
                    }
                };
                Part::Document { source, name: self.filename, cache }
            }
            "input_audio" => {
                let (data, format) = self.audio.ok_or_else(|| missing("input_audio"))?;
                let media_type = format!("audio/{}", format.plain()).into();
                Part::Audio { source: Source::Base64 { media_type, data } }
            }
            // Screenshots, and what is still to be invented.
            _ => {
                loss.drop(path());
                return Ok(None);
            }
        };
        for name in self.others {
            loss.drop(format!("{}.{name}", path()));
        }
        Ok(Some(part))
    }
}

/// Files are OpenAI's, whichever of its dialects names them.
fn file(id: Text<'_>) -> Source<'_> {
    Source::File(Proof { home: Dialect::Openai, value: id })
}

fn bytes(data: Text<'_>) -> Result<Source<'_>, Malformed> {
    match data_url::read(data) {
        source @ Source::Base64 { .. } => Ok(source),
        _ => Err(Malformed::at("file_data", "expected a data: URI with base64")),
    }
}

/// Data and format.
fn audio<'a>(reader: &mut Reader<'a>) -> Result<(Text<'a>, Text<'a>), Malformed> {
    let (mut data, mut format) = (None, None);
    reader.object().at("input_audio")?;
    while let Some(key) = reader.key().at("input_audio")? {
        match &*key.plain() {
            "data" => data = Some(reader.string().at("input_audio.data")?),
            "format" => format = Some(reader.string().at("input_audio.format")?),
            _ => reader.skip().at("input_audio")?,
        }
    }
    match (data, format) {
        (Some(data), Some(format)) if is_one_of(&format.plain(), &["wav", "mp3"]) => Ok((data, format)),
        (Some(_), _) => Err(Malformed::at("input_audio.format", "expected wav or mp3")),
        (None, _) => Err(Malformed::at("input_audio.data", "expected a string, and it is missing")),
    }
}
