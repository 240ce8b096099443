//! Writing JSON straight into a byte buffer: commas and braces are kept right by the types.

use super::{Text, escape_into};

/// An object being written. Dropping it closes the brace.
///
/// ```
/// use sluice::wire::json::Object;
/// let mut out = Vec::new();
/// let mut object = Object::new(&mut out);
/// object.str("role", "user").raw("n", "1e3");
/// object.array("parts", |parts| {
///     parts.object(|part| { part.str("type", "text"); });
/// });
/// drop(object);
/// assert_eq!(out, br#"{"role":"user","n":1e3,"parts":[{"type":"text"}]}"#);
/// ```
#[derive(Debug)]
pub struct Object<'o> {
    out: &'o mut Vec<u8>,
    empty: bool,
}

/// An array being written. Dropping it closes the bracket.
#[derive(Debug)]
pub struct Array<'o> {
    out: &'o mut Vec<u8>,
    empty: bool,
}

impl<'o> Object<'o> {
    /// Opens an object at the end of `out`.
    pub fn new(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, empty: true }
    }

    /// Writes a member's name and returns the buffer, for the caller to append exactly one JSON value.
    pub fn member(&mut self, name: &str) -> &mut Vec<u8> {
        if !std::mem::replace(&mut self.empty, false) {
            self.out.push(b',');
        }
        self.out.push(b'"');
        escape_into(name, self.out);
        self.out.extend_from_slice(b"\":");
        self.out
    }

    /// A string member from plain characters.
    pub fn str(&mut self, name: &str, value: &str) -> &mut Self {
        write_str(self.member(name), value);
        self
    }

    /// A string member.
    pub fn text(&mut self, name: &str, value: &Text<'_>) -> &mut Self {
        value.write(self.member(name));
        self
    }

    /// An integer member.
    pub fn int(&mut self, name: &str, value: u64) -> &mut Self {
        write_int(self.member(name), value);
        self
    }

    /// A boolean member.
    pub fn bool(&mut self, name: &str, value: bool) -> &mut Self {
        self.raw(name, if value { "true" } else { "false" })
    }

    /// A `null` member.
    pub fn null(&mut self, name: &str) -> &mut Self {
        self.raw(name, "null")
    }

    /// A member whose value is already JSON.
    pub fn raw(&mut self, name: &str, json: &str) -> &mut Self {
        self.member(name).extend_from_slice(json.as_bytes());
        self
    }

    /// An object member.
    pub fn object(&mut self, name: &str, fill: impl FnOnce(&mut Object<'_>)) -> &mut Self {
        fill(&mut Object::new(self.member(name)));
        self
    }

    /// An array member.
    pub fn array(&mut self, name: &str, fill: impl FnOnce(&mut Array<'_>)) -> &mut Self {
        fill(&mut Array::new(self.member(name)));
        self
    }
}

impl Drop for Object<'_> {
    fn drop(&mut self) {
        self.out.push(b'}');
    }
}

impl<'o> Array<'o> {
    /// Opens an array at the end of `out`.
    pub fn new(out: &'o mut Vec<u8>) -> Self {
        out.push(b'[');
        Self { out, empty: true }
    }

    /// Begins an element and returns the buffer, for the caller to append exactly one JSON value.
    pub fn element(&mut self) -> &mut Vec<u8> {
        if !std::mem::replace(&mut self.empty, false) {
            self.out.push(b',');
        }
        self.out
    }

    /// An object element.
    pub fn object(&mut self, fill: impl FnOnce(&mut Object<'_>)) -> &mut Self {
        fill(&mut Object::new(self.element()));
        self
    }

    /// A string element.
    pub fn text(&mut self, value: &Text<'_>) -> &mut Self {
        value.write(self.element());
        self
    }

    /// A string element from plain characters.
    pub fn str(&mut self, value: &str) -> &mut Self {
        write_str(self.element(), value);
        self
    }

    /// An element that is already JSON.
    pub fn raw(&mut self, json: &str) -> &mut Self {
        self.element().extend_from_slice(json.as_bytes());
        self
    }
}

impl Drop for Array<'_> {
    fn drop(&mut self) {
        self.out.push(b']');
    }
}

/// Appends a JSON string made of plain characters.
pub fn write_str(out: &mut Vec<u8>, value: &str) {
    out.push(b'"');
    escape_into(value, out);
    out.push(b'"');
}

/// Appends an integer.
pub fn write_int(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}
