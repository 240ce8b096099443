//! Content of a client's messages.
//!
//! Invariant: a part, or a member of one, that the IR cannot hold is listed by its path.

use crate::config::Dialect;
use crate::dialect::marker;
use crate::dialect::openai::sound;
use crate::dialect::openai::wire::{At, is_void, keep, optional_text, under};
use crate::dialect::openai_api::data_url;
use crate::ir::Proof;
use crate::ir::chat::{Part, Source};
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
use crate::ir::place::Content;
use crate::wire::json::{Kind, Reader, Text};
use std::borrow::Cow;

/// `null` is `None`; an empty string is no part.
pub(super) fn content<'a>(
    reader: &mut Reader<'a>,
    at: u32,
    loss: &mut Loss,
) -> Result<Option<Content<'a>>, Malformed> {
    let mut content = Content::default();
    match reader.peek().at("content")? {
        Kind::Null => reader.skip().at("content").map(|()| None),
        Kind::String => {
            let text = reader.string().at("content")?;
            if !text.is_empty() {
                content.push(0, Part::text(text));
            }
            Ok(Some(content))
        }
        Kind::Array => {
            reader.array().at("content")?;
            let mut number = 0;
            while reader.element().at("content")? {
                let read = RawPart::read(reader).and_then(|raw| raw.finish(at, number, loss));
                let read = read.map_err(|inner| under(&format!("content[{number}]"), inner))?;
                if let Some(part) = read {
                    content.push(number, part);
                }
                number += 1;
            }
            Ok(Some(content))
        }
        _ => Err(Malformed::at("content", "expected string or list of parts")),
    }
}

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
                    _ => members(
                        reader,
                        "image_url",
                        [("url", &mut part.url), ("detail", &mut part.detail)],
                        &mut part.others,
                    )?,
                },
                "file" => members(
                    reader,
                    "file",
                    [
                        ("file_data", &mut part.file_data),
                        ("file_id", &mut part.file_id),
                        ("filename", &mut part.filename),
                    ],
                    &mut part.others,
                )?,
                "input_audio" => members(
                    reader,
                    "input_audio",
                    [("data", &mut part.sound), ("format", &mut part.sound_format)],
                    &mut part.others,
                )?,
                // The gateway's clients may mark prefixes in Anthropic's way too.
                "cache_control" | "prompt_cache_breakpoint" => {
                    let marker = reader.raw().at(&name)?;
                    part.cache |= !is_void(marker);
                    marker::beyond(marker)
                        .into_iter()
                        .for_each(|beyond| keep(&mut part.others, Cow::Owned(format!("{name}.{beyond}"))));
                }
                _ => {
                    if !is_void(reader.raw().at(&name)?) {
                        keep(&mut part.others, name);
                    }
                }
            }
        }
        Ok(part)
    }

    /// The part, or none if the IR has no word for it.
    fn finish(mut self, at: u32, number: usize, loss: &mut Loss) -> Result<Option<Part<'a>>, Malformed> {
        let path = || format!("messages[{at}].content[{number}]");
        let Some(kind) = self.kind.take() else {
            return Err(Malformed::at("type", "expected a string, and it is missing"));
        };
        let missing = |path: &str| Malformed::at(path, "expected a string, and it is missing");
        let strange = self.strange(&kind.plain());
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
        for name in strange.into_iter().map(Cow::Borrowed).chain(self.others) {
            loss.drop(format!("{}.{name}", path()));
        }
        Ok(Some(part))
    }

    /// Members of parts of other types, and what says the same as another member that is there.
    fn strange(&self, kind: &str) -> Vec<&'static str> {
        let held = [
            ("text", "text", self.text.is_some()),
            ("refusal", "refusal", self.refusal.is_some()),
            ("image_url", "image_url", self.url.is_some() || self.detail.is_some()),
            ("file", "file", self.file_data.is_some() || self.file_id.is_some() || self.filename.is_some()),
            ("input_audio", "input_audio", self.sound.is_some() || self.sound_format.is_some()),
        ];
        let others = held.into_iter().filter(|(of, _, held)| *held && *of != kind).map(|(_, name, _)| name);
        let twice = kind == "file" && self.file_data.is_some() && self.file_id.is_some();
        others.chain(twice.then_some("file.file_id")).collect()
    }
}

/// The string members of an object: each has its slot, or is told.
fn members<'a, const N: usize>(
    reader: &mut Reader<'a>,
    path: &str,
    mut slots: [(&str, &mut Option<Text<'a>>); N],
    others: &mut Vec<Cow<'a, str>>,
) -> Result<(), Malformed> {
    reader.object().at(path)?;
    while let Some(key) = reader.key().at(path)? {
        let name = key.plain();
        match slots.iter_mut().find(|(known, _)| *known == name) {
            Some((_, slot)) => **slot = optional_text(reader, &name).map_err(|inner| under(path, inner))?,
            None if is_void(reader.raw().at(path)?) => {}
            None => keep(others, Cow::Owned(format!("{path}.{name}"))),
        }
    }
    Ok(())
}
