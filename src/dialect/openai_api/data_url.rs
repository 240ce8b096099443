//! Bytes as `data:` URLs with base64 (RFC 2397), OpenAI's form of them.

use crate::ir::chat::Source;
use crate::wire::json::Text;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

/// A `data:` URI with base64 is bytes, anything else is a URL.
pub(in crate::dialect) fn read(url: Text<'_>) -> Source<'_> {
    let bytes = url.split_once(',').and_then(|(head, data)| {
        let media_type = media_type(head.plain())?;
        Some(Source::Base64 { media_type, data })
    });
    bytes.unwrap_or(Source::Url(url))
}

/// `data:image/png;charset=x;base64` gives `image/png`.
fn media_type(head: Cow<'_, str>) -> Option<Text<'_>> {
    let (_, encoding) = head.rsplit_once(';')?;
    let scheme = head.get(..5)?;
    if !encoding.eq_ignore_ascii_case("base64") || !scheme.eq_ignore_ascii_case("data:") {
        return None;
    }
    let end = head.find(';')?;
    Some(match head {
        Cow::Borrowed(head) => head.get(5..end)?.into(),
        Cow::Owned(head) => head.get(5..end)?.to_owned().into(),
    })
}

/// Appends a source as a JSON string: a URL of either kind, or the id of a file.
pub(in crate::dialect) fn write(source: &Source<'_>, out: &mut Vec<u8>) {
    match source {
        Source::Url(url) => url.write(out),
        Source::Base64 { media_type, data } => {
            out.extend_from_slice(b"\"data:");
            media_type.write_content(out);
            out.extend_from_slice(b";base64,");
            data.write_content(out);
            out.push(b'"');
        }
        Source::File(id) => id.value.write(out),
        Source::Text(text) => {
            out.extend_from_slice(b"\"data:text/plain;base64,");
            out.extend_from_slice(STANDARD.encode(text.plain().as_bytes()).as_bytes());
            out.push(b'"');
        }
    }
}
