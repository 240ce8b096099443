//! Images, sound, films and documents: bytes in the request (`inlineData`), or a URI (`fileData`).
//! <https://ai.google.dev/gemini-api/docs/file-input-methods>
//!
//! Invariant: a URI that anybody can fetch stays one; one that only Google knows is a proof of its own.

use crate::config::Dialect;
use crate::ir::Proof;
use crate::ir::chat::{Part, Source};
use crate::wire::json::{Object, Text};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A picture.
    Image,
    /// Sound.
    Audio,
    /// A film.
    Video,
    /// Anything else.
    Document,
}

/// Endings of addresses, for those who do not name a type.
const ENDINGS: [(&str, &str); 23] = [
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("webp", "image/webp"),
    ("gif", "image/gif"),
    ("heic", "image/heic"),
    ("heif", "image/heif"),
    ("mp3", "audio/mp3"),
    ("wav", "audio/wav"),
    ("ogg", "audio/ogg"),
    ("flac", "audio/flac"),
    ("aac", "audio/aac"),
    ("mp4", "video/mp4"),
    ("mov", "video/quicktime"),
    ("webm", "video/webm"),
    ("mpeg", "video/mpeg"),
    ("avi", "video/avi"),
    ("pdf", "application/pdf"),
    ("txt", "text/plain"),
    ("md", "text/markdown"),
    ("csv", "text/csv"),
    ("html", "text/html"),
    ("json", "application/json"),
];

impl Kind {
    /// By MIME type.
    pub(super) fn of(media_type: &str) -> Self {
        match media_type.split('/').next().unwrap_or_default() {
            "image" => Self::Image,
            "audio" => Self::Audio,
            "video" => Self::Video,
            _ => Self::Document,
        }
    }

    /// What it is most often.
    const fn usual(self) -> &'static str {
        match self {
            Self::Image => "image/jpeg",
            Self::Audio => "audio/mp3",
            Self::Video => "video/mp4",
            Self::Document => "application/pdf",
        }
    }

    /// A part of this kind.
    pub(super) fn part<'a>(self, source: Source<'a>, name: Option<Text<'a>>) -> Part<'a> {
        match self {
            Self::Image => Part::Image { source, detail: None, cache: false },
            Self::Audio => Part::Audio { source },
            Self::Video => Part::Video { source },
            Self::Document => Part::Document { source, name, cache: false },
        }
    }
}

/// The MIME type that an address ends in.
fn by_ending(url: &str) -> Option<&'static str> {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let ending = path.rsplit('/').next()?.rsplit_once('.')?.1;
    ENDINGS.iter().find(|(known, _)| known.eq_ignore_ascii_case(ending)).map(|(_, media_type)| *media_type)
}

/// Google's own player pages are read as films, and have no MIME type.
fn is_player(url: &str) -> bool {
    ["https://www.youtube.com/", "https://youtube.com/", "https://youtu.be/"]
        .iter()
        .any(|site| url.starts_with(site))
}

/// Bytes of a client's request. Some of Google's SDKs write the alphabet for URLs, which other vendors refuse.
pub(super) fn bytes<'a>(media_type: Text<'a>, data: Text<'a>) -> Source<'a> {
    let plain = data.plain();
    if memchr::memchr2(b'-', b'_', plain.as_bytes()).is_none() {
        return Source::Base64 { media_type, data };
    }
    Source::Base64 { media_type, data: Text::from(plain.replace('-', "+").replace('_', "/")) }
}

/// What a client's URI is.
pub(super) fn file<'a>(uri: Text<'a>, media_type: Option<Text<'a>>) -> (Kind, Source<'a>) {
    let (plain, named) = (uri.plain(), media_type.as_ref().map(Text::plain));
    let kind = match (&named, by_ending(&plain)) {
        (Some(named), _) => Kind::of(named),
        (None, _) if is_player(&plain) => Kind::Video,
        (None, ending) => ending.map_or(Kind::Document, Kind::of),
    };
    let fetched = ["https://", "http://"].iter().any(|scheme| plain.starts_with(scheme));
    let source = if fetched && !plain.contains("generativelanguage.googleapis.com/") {
        Source::Url(uri)
    } else {
        // The type belongs to the file: without it Google would not take the file back.
        let value = Text::from(format!("{} {plain}", named.unwrap_or_default()));
        Source::File(Proof { home: Dialect::Gemini, value })
    };
    (kind, source)
}

/// Writes the member of a part that holds a source; `false` if Google cannot get at it.
pub(super) fn write(kind: Kind, source: &Source<'_>, part: &mut Object<'_>) -> bool {
    match source {
        Source::Base64 { media_type, data } => {
            part.object("inlineData", |blob| {
                blob.text("mimeType", media_type).text("data", data);
            });
        }
        Source::Text(text) => {
            part.object("inlineData", |blob| {
                blob.str("mimeType", "text/plain").str("data", &STANDARD.encode(text.plain().as_bytes()));
            });
        }
        Source::Url(url) => {
            let plain = url.plain();
            part.object("fileData", |file| {
                if !is_player(&plain) {
                    file.str("mimeType", by_ending(&plain).unwrap_or(kind.usual()));
                }
                file.text("fileUri", url);
            });
        }
        Source::File(id) => {
            let Some(value) = id.at_home(Dialect::Gemini) else { return false };
            let value = value.plain();
            let (media_type, uri) = value.split_once(' ').unwrap_or(("", &value));
            part.object("fileData", |file| {
                if !media_type.is_empty() {
                    file.str("mimeType", media_type);
                }
                file.str("fileUri", uri);
            });
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(kind: Kind, source: &Source<'_>) -> String {
        let mut out = Vec::new();
        write(kind, source, &mut Object::new(&mut out));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_google_keeps_goes_home_with_its_type() {
        let uri = "https://generativelanguage.googleapis.com/v1beta/files/abc";
        let (kind, source) = file(Text::from(uri), Some(Text::from("video/mp4")));
        assert_eq!(kind, Kind::Video);
        let expected = format!(r#"{{"fileData":{{"mimeType":"video/mp4","fileUri":"{uri}"}}}}"#);
        assert_eq!(written(kind, &source), expected);
        let (kind, source) = file(Text::from("gs://bucket/x"), None);
        assert_eq!(written(kind, &source), r#"{"fileData":{"fileUri":"gs://bucket/x"}}"#);
    }

    #[test]
    fn types_are_told_by_endings() {
        let url = |url: &'static str| written(Kind::Image, &Source::Url(Text::from(url)));
        assert!(url("https://a.b/c.d/x.PNG?y=1.pdf").contains("image/png"));
        assert!(url("https://a.b/c.d/x").contains("image/jpeg"));
        assert!(!url("https://youtu.be/x").contains("mimeType"));
        assert_eq!(file(Text::from("https://youtu.be/x"), None).0, Kind::Video);
        assert_eq!(file(Text::from("https://a.b/x.wav"), None).0, Kind::Audio);
    }

    #[test]
    fn bytes_are_in_the_alphabet_that_everybody_reads() {
        let source = bytes(Text::from("image/png"), Text::from("a-_b"));
        assert_eq!(written(Kind::Image, &source), r#"{"inlineData":{"mimeType":"image/png","data":"a+/b"}}"#);
    }
}
