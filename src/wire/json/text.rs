//! A JSON string, kept in the form it came in.

use std::borrow::Cow;

/// The content of a JSON string. Read from a document it borrows the escaped text between the quotes; made by us
/// it is plain. Two texts are equal if they mean the same characters.
#[derive(Debug, Clone)]
pub struct Text<'a>(Form<'a>);

#[derive(Debug, Clone)]
enum Form<'a> {
    /// Needs no escaping and holds no escape: the same bytes inside and outside quotes.
    Literal(&'a str),
    /// The bytes between the quotes, with at least one escape.
    Escaped(&'a str),
    /// Characters, to be escaped when written.
    Plain(Cow<'a, str>),
}

impl<'a> Text<'a> {
    /// Text that is the same escaped and plain. The caller knows that it holds no `"`, `\` or control character.
    pub(super) const fn literal(text: &'a str) -> Self {
        Self(Form::Literal(text))
    }

    /// The bytes between the quotes of a valid JSON string.
    pub(super) const fn escaped(text: &'a str) -> Self {
        Self(Form::Escaped(text))
    }

    /// Plain characters.
    pub fn plain_from(text: impl Into<Cow<'a, str>>) -> Self {
        Self(Form::Plain(text.into()))
    }

    /// The characters, unescaped. An unpaired surrogate escape becomes U+FFFD.
    #[must_use]
    pub fn plain(&self) -> Cow<'a, str> {
        match &self.0 {
            Form::Literal(text) => Cow::Borrowed(text),
            Form::Escaped(text) => Cow::Owned(unescape(text)),
            Form::Plain(text) => text.clone(),
        }
    }

    /// Whether there are no characters.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.held_len() == 0
    }

    /// Whether there is nothing but white space. Looks no further than the first other character.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        match &self.0 {
            Form::Literal(text) => text.trim_start().is_empty(),
            Form::Plain(text) => text.trim_start().is_empty(),
            Form::Escaped(text) => {
                let mut rest = text.trim_start();
                while let Some(after) = rest.strip_prefix('\\') {
                    let unit = if after.starts_with('u') { 5 } else { 1 };
                    let (escape, next) = (rest.get(..unit + 1), rest.get(unit + 1..));
                    if !escape.is_some_and(|escape| unescape(escape).trim().is_empty()) {
                        return false;
                    }
                    rest = next.unwrap_or_default().trim_start();
                }
                rest.is_empty()
            }
        }
    }

    /// The length in bytes of the form it is held in: a cheap upper bound, for token estimates only.
    #[must_use]
    pub fn held_len(&self) -> usize {
        match &self.0 {
            Form::Literal(text) | Form::Escaped(text) => text.len(),
            Form::Plain(text) => text.len(),
        }
    }

    /// The texts before and after the first `delimiter`, in the form this one is held in: what is copied needs no
    /// escaping anew. `delimiter` is an ASCII character that no escape is made of (`,` `:` `;`).
    #[must_use]
    pub fn split_once(&self, delimiter: char) -> Option<(Self, Self)> {
        match &self.0 {
            Form::Literal(text) => {
                text.split_once(delimiter).map(|(left, right)| (Self::literal(left), Self::literal(right)))
            }
            Form::Escaped(text) => {
                text.split_once(delimiter).map(|(left, right)| (Self::escaped(left), Self::escaped(right)))
            }
            Form::Plain(Cow::Borrowed(text)) => text
                .split_once(delimiter)
                .map(|(left, right)| (Self::plain_from(left), Self::plain_from(right))),
            Form::Plain(Cow::Owned(text)) => text
                .split_once(delimiter)
                .map(|(left, right)| (Self::plain_from(left.to_owned()), Self::plain_from(right.to_owned()))),
        }
    }

    /// Appends the string with its quotes.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.push(b'"');
        self.write_content(out);
        out.push(b'"');
    }

    /// Appends the escaped content without quotes, to join several texts into one string.
    pub fn write_content(&self, out: &mut Vec<u8>) {
        match &self.0 {
            Form::Literal(text) | Form::Escaped(text) => out.extend_from_slice(text.as_bytes()),
            Form::Plain(text) => escape_into(text, out),
        }
    }

    /// The same text without a borrow.
    #[must_use]
    pub fn into_owned(self) -> Text<'static> {
        Text(Form::Plain(Cow::Owned(self.plain().into_owned())))
    }
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.plain() == other.plain()
    }
}

impl Eq for Text<'_> {}

impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        self.plain() == other
    }
}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, other: &&str) -> bool {
        self.plain() == *other
    }
}

impl Default for Text<'_> {
    /// Nothing.
    fn default() -> Self {
        Self::literal("")
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self::plain_from(text)
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self::plain_from(text)
    }
}

/// Appends `text` with everything escaped that JSON demands, and nothing else.
pub fn escape_into(text: &str, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.reserve(text.len());
    let mut rest = text.as_bytes();
    while let Some((run, byte, after)) = split_special(rest) {
        out.extend_from_slice(run);
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => {
                out.extend_from_slice(b"\\u00");
                for nibble in [byte >> 4, byte & 15] {
                    out.push(HEX.get(usize::from(nibble)).copied().unwrap_or(b'0'));
                }
            }
        }
        rest = after;
    }
    out.extend_from_slice(rest);
}

/// The bytes before the first that a JSON string cannot hold as it is, that byte, and the rest.
fn split_special(bytes: &[u8]) -> Option<(&[u8], u8, &[u8])> {
    let (run, rest) = bytes.split_at_checked(super::scan::special(bytes)?)?;
    let (byte, after) = rest.split_first()?;
    Some((run, *byte, after))
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let mut chars = after.chars();
        match chars.next() {
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('u') => {
                let (decoded, used) = unicode_escape(after);
                out.push(decoded);
                rest = after.get(used..).unwrap_or_default();
                continue;
            }
            Some(other) => out.push(other),
            None => {}
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out
}

/// `after` begins with the `u` of an escape; returns its character and how many bytes it took, a second escape of
/// a surrogate pair included.
fn unicode_escape(after: &str) -> (char, usize) {
    let unit = |text: &str, at: usize| text.get(at..at + 4).and_then(|hex| u32::from_str_radix(hex, 16).ok());
    let Some(high) = unit(after, 1) else { return (char::REPLACEMENT_CHARACTER, after.len().min(5)) };
    if (0xD800..0xDC00).contains(&high)
        && after.get(5..7) == Some("\\u")
        && let Some(low) = unit(after, 7)
        && (0xDC00..0xE000).contains(&low)
    {
        let code = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
        return (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 11);
    }
    (char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER), 5)
}
