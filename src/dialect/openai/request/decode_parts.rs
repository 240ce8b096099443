//! Content of a client's messages.
//!
//! Invariant: a part, or a member of one, that the IR cannot hold is listed by its path.

use crate::config::Dialect;
use crate::dialect::openai::sound;
use crate::dialect::openai::wire::{At, is_void, optional_text, under};
use crate::dialect::openai_api::data_url;
use crate::ir::Proof;
use crate::ir::chat::{Part, Source};
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
use crate::wire::json::{Kind, Reader, Text};
use std::borrow::Cow;

/// `null` is `None`; an empty string is no part.
pub(super) fn content<'a>(
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
    file_id: Option<Text<'a>>,
    filename: Option<Text<'a>>,
    sound: Option<Text<'a>>,
    sound_format: Option<Text<'a>>,
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
                    "file_id" => part.file_id = Some(value),
                    "filename" => part.filename = Some(value),
                    _ => {}
                })?,
                "input_audio" => members(reader, "input_audio", |name, value| match name {
                    "data" => part.sound = Some(value),
                    "format" => part.sound_format = Some(value),
                    _ => {}
                })?,
                // The gateway's clients may mark prefixes in Anthropic's way too.
                "cache_control" | "prompt_cache_breakpoint" => {
                    part.cache |= !is_void(reader.raw().at(&name)?)
                }
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
                Part::Image { source: data_url::read(url), detail: self.detail, cache: self.cache }
            }
            "file" => {
                let source = match (self.file_data, self.file_id) {
                    (Some(data), _) => match data_url::read(data) {
                        source @ Source::Base64 { .. } => source,
                        _ => return Err(Malformed::at("file.file_data", "expected a data: URI with base64")),
                    },
                    (None, Some(id)) => Source::File(Proof { home: Dialect::Openai, value: id }),
                    (None, None) => return Err(missing("file.file_data")),
                };
                Part::Document { source, name: self.filename, cache: self.cache }
            }
            "input_audio" => {
                let format = self.sound_format.ok_or_else(|| missing("input_audio.format"))?;
                let media_type = sound::media_type(&format.plain());
                let data = self.sound.ok_or_else(|| missing("input_audio.data"))?;
                Part::Audio { source: Source::Base64 { media_type, data } }
            }
            // What is still to be invented.
            _ => {
                loss.drop(path());
                return Ok(None);
            }
        };
        if self.cache && matches!(part, Part::Audio { .. }) {
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
