//! The pull reader: one pass over validated UTF-8, borrowing every value it returns.

use super::Text;
use super::scan::{control_byte, special};

/// Strings up to here are searched for their end in one go.
const SHORT: usize = 32;

/// Nesting beyond this is refused, whatever the body's size: no request needs it, and recursion is bounded by it.
pub const MAX_DEPTH: u16 = 96;

/// Why a document is not the JSON that was expected. `at` is a byte offset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes are not JSON.
    #[error("invalid JSON at byte {at}: expected {expected}")]
    Syntax {
        /// Byte offset.
        at: usize,
        /// What would have been valid there.
        expected: &'static str,
    },
    /// Objects and arrays nest deeper than [`MAX_DEPTH`].
    #[error("JSON nests deeper than {MAX_DEPTH} levels at byte {at}")]
    TooDeep {
        /// Byte offset.
        at: usize,
    },
    /// Valid JSON of another type than the caller can use.
    #[error("expected {expected} at byte {at}")]
    Type {
        /// Byte offset.
        at: usize,
        /// The type that was asked for.
        expected: &'static str,
    },
}

/// What the next value is, by its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `{`
    Object,
    /// `[`
    Array,
    /// `"`
    String,
    /// A digit or `-`
    Number,
    /// `true` or `false`
    Bool,
    /// `null`
    Null,
}

/// A cursor over one JSON document.
///
/// ```
/// use sluice::wire::json::Reader;
/// let mut reader = Reader::new(r#"{"model":"m","n":1e3}"#);
/// reader.object()?;
/// while let Some(key) = reader.key()? {
///     match &*key.plain() {
///         "model" => assert_eq!(reader.string()?.plain(), "m"),
///         _ => assert_eq!(reader.raw()?, "1e3"),
///     }
/// }
/// reader.end()?;
/// # Ok::<(), sluice::wire::json::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: u16,
    /// True directly after `{` or `[`: the next member needs no comma.
    first: bool,
}

impl<'a> Reader<'a> {
    /// Reads `text` from its beginning.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0, first: false }
    }

    /// The byte offset of the cursor.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.at
    }

    /// The kind of the next value, without consuming it.
    pub fn peek(&mut self) -> Result<Kind, Error> {
        match self.next_byte() {
            Some(b'{') => Ok(Kind::Object),
            Some(b'[') => Ok(Kind::Array),
            Some(b'"') => Ok(Kind::String),
            Some(b'-' | b'0'..=b'9') => Ok(Kind::Number),
            Some(b't' | b'f') => Ok(Kind::Bool),
            Some(b'n') => Ok(Kind::Null),
            _ => Err(self.syntax("a value")),
        }
    }

    /// Enters an object; read its members with [`Reader::key`] until that gives `None`.
    pub fn object(&mut self) -> Result<(), Error> {
        self.enter(b'{', "an object")
    }

    /// The next member's name, or `None` at the closing brace (which is consumed). The member's value must be
    /// read next.
    pub fn key(&mut self) -> Result<Option<Text<'a>>, Error> {
        if !self.member(b'}', "',' or '}'")? {
            return Ok(None);
        }
        if self.next_byte() != Some(b'"') {
            return Err(self.syntax("a member name"));
        }
        let name = self.string_token()?;
        if self.next_byte() != Some(b':') {
            return Err(self.syntax("':'"));
        }
        self.at += 1;
        Ok(Some(name))
    }

    /// Enters an array; read its elements while [`Reader::element`] gives `true`.
    pub fn array(&mut self) -> Result<(), Error> {
        self.enter(b'[', "an array")
    }

    /// Whether another element follows; `false` at the closing bracket (which is consumed).
    pub fn element(&mut self) -> Result<bool, Error> {
        self.member(b']', "',' or ']'")
    }

    /// A string.
    pub fn string(&mut self) -> Result<Text<'a>, Error> {
        if self.peek()? == Kind::String { self.string_token() } else { Err(self.mismatch("a string")) }
    }

    /// A number, as its text.
    pub fn number(&mut self) -> Result<&'a str, Error> {
        if self.peek()? == Kind::Number { self.number_token() } else { Err(self.mismatch("a number")) }
    }

    /// A non-negative integer that fits 64 bits. `3.0` and `3e0` are not integers here.
    pub fn integer(&mut self) -> Result<u64, Error> {
        let at = self.value_offset();
        self.number()?.parse().map_err(|_| Error::Type { at, expected: "a non-negative integer" })
    }

    /// A boolean.
    pub fn boolean(&mut self) -> Result<bool, Error> {
        match self.peek()? {
            Kind::Bool if self.literal("true") => Ok(true),
            Kind::Bool if self.literal("false") => Ok(false),
            Kind::Bool => Err(self.syntax("true or false")),
            _ => Err(self.mismatch("a boolean")),
        }
    }

    /// Consumes `null` if it is next, and says whether it was.
    pub fn null(&mut self) -> Result<bool, Error> {
        match self.peek()? {
            Kind::Null if self.literal("null") => Ok(true),
            Kind::Null => Err(self.syntax("null")),
            _ => Ok(false),
        }
    }

    /// Skips one value of any kind, checking its syntax, and returns its exact text.
    pub fn raw(&mut self) -> Result<&'a str, Error> {
        let start = self.value_offset();
        self.skip()?;
        Ok(self.slice(start, self.at))
    }

    /// Skips one value of any kind, checking its syntax.
    pub fn skip(&mut self) -> Result<(), Error> {
        match self.peek()? {
            Kind::Object => {
                self.object()?;
                while self.key()?.is_some() {
                    self.skip()?;
                }
            }
            Kind::Array => {
                self.array()?;
                while self.element()? {
                    self.skip()?;
                }
            }
            Kind::String => drop(self.string_token()?),
            Kind::Number => {
                self.number_token()?;
            }
            Kind::Bool => {
                self.boolean()?;
            }
            Kind::Null => {
                self.null()?;
            }
        }
        Ok(())
    }

    /// Succeeds if only white space is left.
    pub fn end(&mut self) -> Result<(), Error> {
        if self.next_byte().is_none() { Ok(()) } else { Err(self.syntax("the end of the document")) }
    }

    /// The byte offset of the next value's first byte.
    pub fn value_offset(&mut self) -> usize {
        self.next_byte();
        self.at
    }

    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    /// Callers pass offsets of ASCII delimiters, so both ends are character boundaries.
    fn slice(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or_default()
    }

    fn syntax(&self, expected: &'static str) -> Error {
        Error::Syntax { at: self.at, expected }
    }

    fn mismatch(&self, expected: &'static str) -> Error {
        Error::Type { at: self.at, expected }
    }

    /// Skips white space and looks at the byte after it.
    fn next_byte(&mut self) -> Option<u8> {
        let bytes = self.bytes();
        while let Some(byte) = bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(*byte);
            }
            self.at += 1;
        }
        None
    }

    fn enter(&mut self, open: u8, expected: &'static str) -> Result<(), Error> {
        self.peek()?;
        if self.next_byte() != Some(open) {
            return Err(self.mismatch(expected));
        }
        if self.depth >= MAX_DEPTH {
            return Err(Error::TooDeep { at: self.at });
        }
        self.at += 1;
        self.depth += 1;
        self.first = true;
        Ok(())
    }

    fn member(&mut self, close: u8, expected: &'static str) -> Result<bool, Error> {
        let first = std::mem::replace(&mut self.first, false);
        match self.next_byte() {
            Some(byte) if byte == close => {
                self.at += 1;
                self.depth = self.depth.saturating_sub(1);
                Ok(false)
            }
            Some(b',') if !first => {
                self.at += 1;
                // A comma promises a value: `[1,]` and `{"a":1,}` are not JSON.
                if self.next_byte() == Some(close) { Err(self.syntax("a value after ','")) } else { Ok(true) }
            }
            Some(_) if first => Ok(true),
            _ => Err(self.syntax(expected)),
        }
    }

    fn literal(&mut self, word: &str) -> bool {
        let found = self.bytes().get(self.at..).is_some_and(|rest| rest.starts_with(word.as_bytes()));
        if found {
            self.at += word.len();
        }
        found
    }

    /// The cursor stands on the opening quote.
    fn string_token(&mut self) -> Result<Text<'a>, Error> {
        let start = self.at + 1;
        let bytes = self.bytes();
        let mut at = start;
        let mut escaped = false;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            // Most strings are short, and not worth the two searches that are the fastest in long ones.
            match special(rest.get(..SHORT).unwrap_or(rest)) {
                Some(found) if rest.get(found) == Some(&b'"') => {
                    at += found;
                    break;
                }
                _ => {}
            }
            let Some(found) = memchr::memchr2(b'"', b'\\', rest) else {
                self.at = bytes.len();
                return Err(self.syntax("a closing '\"'"));
            };
            if let Some(bad) = control_byte(rest.get(..found).unwrap_or_default()) {
                self.at = at + bad;
                return Err(self.syntax("an escaped control character"));
            }
            at += found;
            if bytes.get(at) == Some(&b'"') {
                break;
            }
            escaped = true;
            at = self.escape(at)?;
        }
        self.at = at + 1;
        let body = self.slice(start, at);
        Ok(if escaped { Text::escaped(body) } else { Text::literal(body) })
    }

    /// `at` is a backslash; returns the offset behind its escape.
    fn escape(&mut self, at: usize) -> Result<usize, Error> {
        let bytes = self.bytes();
        match bytes.get(at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
            Some(b'u')
                if bytes.get(at + 2..at + 6).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)) =>
            {
                Ok(at + 6)
            }
            _ => {
                self.at = at;
                Err(self.syntax("a valid escape"))
            }
        }
    }

    fn number_token(&mut self) -> Result<&'a str, Error> {
        let start = self.at;
        if self.bytes().get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        match self.bytes().get(self.at) {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.bytes().get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.bytes().get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.bytes().get(self.at), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(self.slice(start, self.at))
    }

    fn digits(&mut self) -> Result<(), Error> {
        let rest = self.bytes().get(self.at..).unwrap_or_default();
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if count == 0 {
            return Err(self.syntax("a digit"));
        }
        self.at += count;
        Ok(())
    }
}
