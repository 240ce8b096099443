//! Images, documents, sounds and films: each by a format of Bedrock's own list, as bytes or from S3.
//!
//! Invariant: what has no format in the list, or would have to be fetched from the web, is not written.

use crate::config::Dialect;
use crate::ir::chat::{Part, Source};
use crate::wire::json::{Array, Object, Text};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Formats by media type and by file extension.
type Formats = [(&'static str, &'static str)];

const IMAGES: &Formats = &[
    ("image/png", "png"),
    ("image/jpeg", "jpeg"),
    ("image/jpg", "jpeg"),
    ("image/gif", "gif"),
    ("image/webp", "webp"),
    ("png", "png"),
    ("jpeg", "jpeg"),
    ("jpg", "jpeg"),
    ("gif", "gif"),
    ("webp", "webp"),
];

const DOCUMENTS: &Formats = &[
    ("application/pdf", "pdf"),
    ("text/csv", "csv"),
    ("application/msword", "doc"),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
    ("application/vnd.ms-excel", "xls"),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
    ("text/html", "html"),
    ("text/plain", "txt"),
    ("text/markdown", "md"),
    ("pdf", "pdf"),
    ("csv", "csv"),
    ("doc", "doc"),
    ("docx", "docx"),
    ("xls", "xls"),
    ("xlsx", "xlsx"),
    ("html", "html"),
    ("htm", "html"),
    ("txt", "txt"),
    ("md", "md"),
];

const VIDEOS: &Formats = &[
    ("video/x-matroska", "mkv"),
    ("video/quicktime", "mov"),
    ("video/mov", "mov"),
    ("video/mp4", "mp4"),
    ("video/webm", "webm"),
    ("video/x-flv", "flv"),
    ("video/mpeg", "mpeg"),
    ("video/mpg", "mpg"),
    ("video/x-ms-wmv", "wmv"),
    ("video/wmv", "wmv"),
    ("video/3gpp", "three_gp"),
    ("mkv", "mkv"),
    ("mov", "mov"),
    ("mp4", "mp4"),
    ("webm", "webm"),
    ("flv", "flv"),
    ("mpeg", "mpeg"),
    ("mpg", "mpg"),
    ("wmv", "wmv"),
    ("3gp", "three_gp"),
];

const SOUNDS: &Formats = &[
    ("audio/mpeg", "mp3"),
    ("audio/mp3", "mp3"),
    ("audio/wav", "wav"),
    ("audio/x-wav", "wav"),
    ("audio/wave", "wav"),
    ("audio/aac", "aac"),
    ("audio/flac", "flac"),
    ("audio/opus", "opus"),
    ("audio/ogg", "ogg"),
    ("audio/mp4", "mp4"),
    ("audio/m4a", "m4a"),
    ("audio/x-m4a", "m4a"),
    ("audio/webm", "webm"),
    ("audio/pcm", "pcm"),
    ("mp3", "mp3"),
    ("wav", "wav"),
    ("aac", "aac"),
    ("flac", "flac"),
    ("opus", "opus"),
    ("ogg", "ogg"),
    ("m4a", "m4a"),
];

/// Names that documents have in one request.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// A name that Bedrock takes and no other document has: letters and digits, single spaces, hyphens, round and square
    /// brackets; the extension is the format's to say.
    fn fit(&mut self, name: Option<&Text<'_>>) -> String {
        let plain = name.map(Text::plain).unwrap_or_default();
        let stem = plain.rsplit_once('.').map_or(&*plain, |(stem, _)| stem);
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || "-()[] ".contains(letter);
        let letters: String = stem.chars().map(|letter| if allowed(letter) { letter } else { ' ' }).collect();
        let mut fitting = letters.split_whitespace().collect::<Vec<_>>().join(" ");
        // Bytes are letters here. What is cut leaves room for a number.
        fitting.truncate(190);
        let fitting = if fitting.trim().is_empty() { "document" } else { fitting.trim() };
        let numbered = (2..).map(|number: u32| format!("{fitting} ({number})"));
        let mut candidates = std::iter::once(fitting.to_owned()).chain(numbered);
        let free = candidates.find(|candidate| !self.0.contains(candidate)).unwrap_or_default();
        self.0.insert(free.clone());
        free
    }
}

/// Whether a part can be written.
pub(super) fn is_sayable(part: &Part<'_>) -> bool {
    describe(part).is_some()
}

/// The member, the format and the bytes of a part.
fn describe<'p>(part: &'p Part<'_>) -> Option<(&'static str, &'static str, Bytes<'p>)> {
    let (member, formats, source, name) = match part {
        Part::Image { source, .. } => ("image", IMAGES, source, None),
        Part::Document { source, name, .. } => ("document", DOCUMENTS, source, name.as_ref()),
        Part::Audio { source } => ("audio", SOUNDS, source, None),
        Part::Video { source } => ("video", VIDEOS, source, None),
        _ => return None,
    };
    let bytes = Bytes::of(source)?;
    let said = match source {
        Source::Base64 { media_type, .. } => by_media_type(formats, &media_type.plain()),
        Source::Text(_) => by_media_type(formats, "text/plain"),
        Source::Url(_) | Source::File(_) => None,
    };
    let named = || name.and_then(|name| by_extension(formats, &name.plain()));
    let located = || match &bytes {
        Bytes::S3(uri) => by_extension(formats, uri),
        Bytes::Encoded(_) | Bytes::Plain(_) => None,
    };
    Some((member, said.or_else(named).or_else(located)?, bytes))
}

fn by_media_type(formats: &Formats, said: &str) -> Option<&'static str> {
    let said = said.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    formats.iter().find(|(known, _)| known.contains('/') && *known == said).map(|(_, format)| *format)
}

fn by_extension(formats: &Formats, name: &str) -> Option<&'static str> {
    let extension = name.rsplit_once('.')?.1.to_ascii_lowercase();
    formats.iter().find(|(known, _)| *known == extension).map(|(_, format)| *format)
}

/// Where bytes are.
enum Bytes<'p> {
    /// In the request, in base64.
    Encoded(&'p Text<'p>),
    /// In the request, as they are.
    Plain(&'p Text<'p>),
    /// In S3.
    S3(Cow<'p, str>),
}

impl<'p> Bytes<'p> {
    fn of(source: &'p Source<'_>) -> Option<Self> {
        match source {
            Source::Base64 { data, .. } if !data.is_empty() => Some(Self::Encoded(data)),
            Source::Text(text) if !text.is_empty() => Some(Self::Plain(text)),
            Source::Url(url) => Self::in_s3(url),
            Source::File(id) if id.home == Dialect::Bedrock => Self::in_s3(&id.value),
            Source::Base64 { .. } | Source::Text(_) | Source::File(_) => None,
        }
    }

    /// Nothing else is fetched by Bedrock.
    fn in_s3(address: &Text<'p>) -> Option<Self> {
        let address = address.plain();
        address.starts_with("s3://").then_some(Self::S3(address))
    }

    fn write(&self, source: &mut Object<'_>) {
        match self {
            Self::Encoded(data) => source.text("bytes", data),
            Self::Plain(text) => source.str("bytes", &STANDARD.encode(text.plain().as_bytes())),
            Self::S3(uri) => source.object("s3Location", |location| {
                location.str("uri", uri);
            }),
        };
    }
}

/// Appends the block of a part; `false`, and nothing appended, if it cannot be said.
pub(super) fn write(part: &Part<'_>, names: &mut Names, content: &mut Array<'_>) -> bool {
    let Some((member, format, bytes)) = describe(part) else { return false };
    content.object(|block| {
        block.object(member, |object| {
            object.str("format", format);
            if let Part::Document { name, .. } = part {
                object.str("name", &names.fit(name.as_ref()));
            }
            object.object("source", |source| bytes.write(source));
        });
    });
    true
}
