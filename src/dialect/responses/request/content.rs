//! What an item holds: a string, or a list of parts.
//!
//! Invariant: paths are relative here and completed on the way out, so that a good request formats none.

use crate::config::Dialect;
use crate::dialect::marker;
use crate::dialect::openai_api::data_url;
use crate::dialect::value::{At, is_one_of, is_void, keep, optional_text, under};
use crate::ir::Proof;
use crate::ir::chat::{Part, Source};
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
use crate::ir::place::Content;
use crate::wire::json::{Kind, Reader, Text};
use std::borrow::Cow;

/// Reads `content` or `output`; `null` and an empty string are nothing. `item` is the item's place in `input`.
pub(super) fn decode<'a>(
    reader: &mut Reader<'a>,
    item: u32,
    member: &str,
    loss: &mut Loss,
) -> Result<Content<'a>, Malformed> {
    let mut content = Content::default();
    match reader.peek().at(member)? {
        Kind::Null => reader.skip().at(member)?,
        Kind::String => {
            let text = reader.string().at(member)?;
            if !text.is_empty() {
                content.push(0, Part::text(text));
            }
        }
        Kind::Array => {
            reader.array().at(member)?;
            let mut number = 0;
            while reader.element().at(member)? {
                let path = || format!("input[{item}].{member}[{number}]");
                let read = Raw::read(reader).and_then(|raw| raw.finish(&path, loss));
                let read = read.map_err(|inner| under(&format!("{member}[{number}]"), inner))?;
                if let Some(part) = read {
                    content.push(number, part);
                }
                number += 1;
            }
        }
        _ => return Err(Malformed::at(member, "expected a string or a list of parts")),
    }
    Ok(content)
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
                "input_audio" => part.audio = Some(audio(reader, &mut part.others)?),
                "prompt_cache_breakpoint" => {
                    let marker = reader.raw().at(&name)?;
                    part.cache = !is_void(marker);
                    let beyond = marker::beyond(marker);
                    beyond
                        .iter()
                        .for_each(|beyond| keep(&mut part.others, format!("{name}.{beyond}").into()));
                }
                // What the provider said of its own text; it means nothing to the next.
                "logprobs" => reader.skip().at("logprobs")?,
                _ => {
                    let value = reader.raw().at(&name)?;
                    if !is_void(value) {
                        keep(&mut part.others, name);
                    }
                }
            }
        }
        Ok(part)
    }

    /// The part, or none if the IR has no word for it.
    fn finish(mut self, path: &dyn Fn() -> String, loss: &mut Loss) -> Result<Option<Part<'a>>, Malformed> {
        let missing = |path: &str| Malformed::at(path, "expected a string, and it is missing");
        let kind = self.kind.take().ok_or_else(|| missing("type"))?;
        let cache = self.cache;
        let strange = self.strange(&kind.plain());
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
        if cache && matches!(part, Part::Refusal { .. } | Part::Audio { .. }) {
            loss.drop(format!("{}.prompt_cache_breakpoint", path()));
        }
        for name in strange.into_iter().map(Cow::Borrowed).chain(self.others) {
            loss.drop(format!("{}.{name}", path()));
        }
        Ok(Some(part))
    }

    /// Members of parts of other types, and what says the same as another member that is there.
    fn strange(&self, kind: &str) -> Vec<&'static str> {
        let (image, file) = (kind == "input_image", kind == "input_file");
        let says = !matches!(kind, "refusal" | "input_image" | "input_file" | "input_audio");
        let by_data = file && self.file_data.is_some();
        let held = [
            ("text", self.text.is_some() && !says),
            ("refusal", self.refusal.is_some() && kind != "refusal"),
            ("detail", self.detail.is_some() && !image && !file),
            ("image_url", self.image_url.is_some() && !image),
            ("file_data", self.file_data.is_some() && !file),
            ("file_url", self.file_url.is_some() && (!file || by_data)),
            (
                "file_id",
                self.file_id.is_some()
                    && match kind {
                        "input_image" => self.image_url.is_some(),
                        "input_file" => by_data || self.file_url.is_some(),
                        _ => true,
                    },
            ),
            ("filename", self.filename.is_some() && !file),
            ("input_audio", self.audio.is_some() && kind != "input_audio"),
        ];
        held.into_iter().filter(|(_, held)| *held).map(|(name, _)| name).collect()
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
fn audio<'a>(
    reader: &mut Reader<'a>,
    others: &mut Vec<Cow<'a, str>>,
) -> Result<(Text<'a>, Text<'a>), Malformed> {
    let (mut data, mut format) = (None, None);
    reader.object().at("input_audio")?;
    while let Some(key) = reader.key().at("input_audio")? {
        match &*key.plain() {
            "data" => data = Some(reader.string().at("input_audio.data")?),
            "format" => format = Some(reader.string().at("input_audio.format")?),
            other => {
                if !is_void(reader.raw().at("input_audio")?) {
                    keep(others, format!("input_audio.{other}").into());
                }
            }
        }
    }
    match (data, format) {
        (Some(data), Some(format)) if is_one_of(&format.plain(), &["wav", "mp3"]) => Ok((data, format)),
        (Some(_), _) => Err(Malformed::at("input_audio.format", "expected wav or mp3")),
        (None, _) => Err(Malformed::at("input_audio.data", "expected a string, and it is missing")),
    }
}
