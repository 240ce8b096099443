//! `multipart/form-data` (RFC 7578, RFC 2046): where the parts of a form stand.
//!
//! Invariants: nothing is copied; and nothing is found here that another parser could find elsewhere: what parsers are
//! known to read differently (bare line feeds before a delimiter, a preamble, encoded parts, `name*`) is refused.

use memchr::memmem;
use std::borrow::Cow;
use std::ops::Range;

/// The most parts of a form.
const MAX_PARTS: usize = 256;
/// The most bytes of one part's headers.
const MAX_HEADERS: usize = 8 << 10;
/// The longest delimiter, which RFC 2046 sets.
const MAX_BOUNDARY: usize = 70;

/// Why a body is not the form that its content type says. `at` is a byte offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("at byte {at}: expected {expected}")]
pub struct Broken {
    /// Byte offset.
    pub at: usize,
    /// What would have been valid there.
    pub expected: &'static str,
}

/// One part of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<'a> {
    /// The field's name.
    pub name: Cow<'a, str>,
    /// Whether it is a file.
    pub is_file: bool,
    /// Where its value stands in the body.
    pub value: Range<usize>,
}

/// Whether a content type is `multipart/form-data`.
#[must_use]
pub fn is_form(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("multipart/form-data")
}

/// The boundary of a form's content type.
#[must_use]
pub fn boundary(content_type: &str) -> Option<Cow<'_, str>> {
    let parameters = content_type.split_once(';').filter(|_| is_form(content_type))?.1;
    let mut found = None;
    for (name, value) in Parameters(parameters) {
        // Which of two would be taken is anyone's guess.
        if name.eq_ignore_ascii_case("boundary") && found.replace(value?).is_some() {
            return None;
        }
    }
    found.filter(|boundary| {
        (1..=MAX_BOUNDARY).contains(&boundary.len())
            && boundary.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
            && !boundary.ends_with(' ')
    })
}

/// The parts of a form, in order.
pub fn parts<'a>(body: &'a [u8], boundary: &str) -> Result<Vec<Part<'a>>, Broken> {
    let delimiter = format!("--{boundary}");
    let finder = memmem::Finder::new(delimiter.as_bytes());
    let mut found = Vec::new();
    let mut at = 0;
    // A line end before the first delimiter is what some clients write.
    if body.starts_with(b"\r\n") {
        at = 2;
    }
    if !rest(body, at).starts_with(delimiter.as_bytes()) {
        return Err(Broken { at, expected: "the boundary of the content type" });
    }
    at += delimiter.len();
    loop {
        if rest(body, at).starts_with(b"--") {
            let tail = rest(body, at + 2);
            return if tail.iter().all(u8::is_ascii_whitespace) {
                Ok(found)
            } else {
                Err(Broken { at: at + 2, expected: "nothing behind the last boundary" })
            };
        }
        if !rest(body, at).starts_with(b"\r\n") {
            return Err(Broken { at, expected: "a line end or '--' behind the boundary" });
        }
        if found.len() >= MAX_PARTS {
            return Err(Broken { at, expected: "at most 256 parts" });
        }
        let (mut part, start) = headers(body, at + 2)?;
        let Some(length) = finder.find(rest(body, start)) else {
            return Err(Broken { at: body.len(), expected: "the last boundary" });
        };
        let next = start + length;
        // An empty value has but the line end that belongs to the delimiter.
        let Some(end) =
            next.checked_sub(2).filter(|end| *end >= start && rest(body, *end).starts_with(b"\r\n"))
        else {
            return Err(Broken { at: next, expected: "a boundary at the beginning of a line" });
        };
        part.value = start..end;
        found.push(part);
        at = next + delimiter.len();
    }
}

fn rest(body: &[u8], at: usize) -> &[u8] {
    body.get(at..).unwrap_or_default()
}

/// Reads a part's headers; its value begins at the offset beside it.
fn headers(body: &[u8], start: usize) -> Result<(Part<'_>, usize), Broken> {
    let broken = |expected| Broken { at: start, expected };
    let window = rest(body, start);
    let window = window.get(..MAX_HEADERS.min(window.len())).unwrap_or_default();
    let length = memmem::find(window, b"\r\n\r\n").ok_or_else(|| broken("headers of at most 8 KiB"))?;
    let text = std::str::from_utf8(window.get(..length).unwrap_or_default())
        .map_err(|_| broken("headers in UTF-8"))?;
    let mut disposition = None;
    for line in text.split("\r\n") {
        let (name, value) = line.split_once(':').ok_or_else(|| broken("'name: value' in each header"))?;
        let is = |wanted: &str| name.eq_ignore_ascii_case(wanted);
        if line.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t') {
            return Err(broken("no control characters in headers"));
        }
        if is("content-disposition") && disposition.replace(value).is_some() {
            return Err(broken("one content-disposition"));
        }
        let plain = ["7bit", "8bit", "binary"].iter().any(|word| value.trim().eq_ignore_ascii_case(word));
        if is("content-transfer-encoding") && !plain {
            return Err(broken("parts without an encoding"));
        }
    }
    let disposition = disposition.ok_or_else(|| broken("a content-disposition"))?;
    let (kind, parameters) = disposition.split_once(';').unwrap_or((disposition, ""));
    if !kind.trim().eq_ignore_ascii_case("form-data") {
        return Err(broken("the content-disposition form-data"));
    }
    let (mut name, mut is_file) = (None, false);
    for (parameter, value) in Parameters(parameters) {
        let value = value.ok_or_else(|| broken("parameters that are whole"))?;
        let is = |wanted: &str| parameter.eq_ignore_ascii_case(wanted);
        if is("name*") || is("name") && name.replace(value).is_some() {
            return Err(broken("one plain name"));
        }
        is_file |= is("filename") || is("filename*");
    }
    let name = name.ok_or_else(|| broken("a name"))?;
    Ok((Part { name, is_file, value: 0..0 }, start + length + 4))
}

/// The parameters of a header, `; name=value` each; a value that is not whole is `None`.
struct Parameters<'a>(&'a str);

impl<'a> Iterator for Parameters<'a> {
    type Item = (&'a str, Option<Cow<'a, str>>);

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.0.trim_start_matches([';', ' ', '\t']);
        if text.is_empty() {
            return None;
        }
        let Some((name, value)) = text.split_once('=') else {
            self.0 = "";
            return Some((text.trim(), None));
        };
        let Some(quoted) = value.strip_prefix('"') else {
            let (value, rest) = value.split_once(';').unwrap_or((value, ""));
            self.0 = rest;
            let token = Some(value.trim()).filter(|value| !value.is_empty() && !value.contains('"'));
            return Some((name.trim(), token.map(Cow::Borrowed)));
        };
        let Some(end) = closing_quote(quoted) else {
            self.0 = "";
            return Some((name.trim(), None));
        };
        let (value, rest) = quoted.split_at_checked(end).unwrap_or((quoted, ""));
        let rest = rest.strip_prefix('"').unwrap_or(rest).trim_start();
        self.0 = rest;
        let separated = rest.is_empty() || rest.starts_with(';');
        Some((name.trim(), separated.then(|| unquote(value))))
    }
}

/// The offset of the quote that ends a quoted string.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })
}

fn unquote(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        // A backslash at the end has nothing to stand for.
        out.extend(if character == '\\' { characters.next() } else { Some(character) });
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests;
