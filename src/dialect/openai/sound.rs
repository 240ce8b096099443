//! Sound: Chat names it by a format, the IR by a media type.

use crate::wire::json::Text;

/// The media type of a format.
pub(super) fn media_type(format: &str) -> Text<'static> {
    match format {
        "mp3" => "audio/mpeg".into(),
        format => format!("audio/{format}").into(),
    }
}

/// The format of a media type; `None` for what the API does not take.
pub(super) fn format(media_type: &str) -> Option<&'static str> {
    match media_type {
        "audio/mpeg" | "audio/mp3" => Some("mp3"),
        "audio/wav" | "audio/x-wav" | "audio/wave" => Some("wav"),
        _ => None,
    }
}
