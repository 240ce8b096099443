//! JSON Schema as Google reads it: no keyword that it passes over or refuses.
//!
//! Invariant: a schema that fits is copied byte by byte; what is left out is listed, but for annotations that bind
//! nobody.

use super::{Fields, fields};
use crate::ir::loss::Loss;
use crate::wire::json::{Array, Error, Kind, MAX_DEPTH, Object, Reader, Text};

/// References within references that are followed.
const MAX_REFS: usize = 16;
/// Bytes that the references of a schema may be unfolded to.
const MAX_UNFOLDED: usize = 256 << 10;

/// Keywords that one schema may have; each is looked up among the others.
const MAX_KEYWORDS: usize = 1_024;

/// What becomes of a keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Copied as it is.
    Copy,
    /// A schema.
    Schema,
    /// A list of schemas.
    List,
    /// A map of schemas.
    Map,
    /// Binds nobody: left out without a word.
    Void,
    /// Written in another way.
    Special,
    /// Left out, and said.
    Lost,
}

fn fate(name: &str) -> Fate {
    match name {
        "$id" | "$anchor" | "type" | "title" | "description" | "enum" | "minItems" | "maxItems"
        | "minimum" | "maximum" | "required" | "propertyOrdering" | "nullable" | "default" | "pattern"
        | "minLength" | "maxLength" | "minProperties" | "maxProperties" => Fate::Copy,
        "items" | "additionalProperties" => Fate::Schema,
        "anyOf" | "oneOf" | "prefixItems" => Fate::List,
        "properties" | "$defs" => Fate::Map,
        "$schema" | "$comment" | "examples" | "deprecated" | "readOnly" | "writeOnly" => Fate::Void,
        "$ref" | "definitions" | "const" | "allOf" | "format" | "exclusiveMinimum" | "exclusiveMaximum" => {
            Fate::Special
        }
        _ if name.starts_with("x-") => Fate::Void,
        _ => Fate::Lost,
    }
}

/// Formats that Google knows.
fn is_known_format(format: &Text<'_>) -> bool {
    const KNOWN: [&str; 8] = ["date-time", "date", "time", "enum", "int32", "int64", "float", "double"];
    KNOWN.contains(&&*format.plain())
}

/// Whether a tool's schema allows no arguments at all; Google wants none then.
pub(in crate::dialect::gemini) fn is_void(schema: &str) -> bool {
    let mut reader = Reader::new(schema);
    let mut void = true;
    let mut look = || {
        reader.object()?;
        while let Some(name) = reader.key()? {
            let value = reader.raw()?;
            let empty = || value.strip_prefix(['{', '[']).is_some_and(|rest| rest.trim().len() == 1);
            void &= match &*name.plain() {
                "type" => value == "\"object\"",
                "properties" | "required" => empty(),
                "additionalProperties" => value == "false",
                "$schema" | "title" | "$comment" => true,
                _ => false,
            };
        }
        Ok::<_, Error>(())
    };
    look().is_ok() && void
}

/// Appends a schema; what is lost is listed under `path`.
pub(in crate::dialect::gemini) fn write(schema: &str, path: &str, loss: &mut Loss, out: &mut Vec<u8>) {
    if fits(&mut Reader::new(schema)) == Ok(true) {
        out.extend_from_slice(schema.as_bytes());
        return;
    }
    let start = out.len();
    let mut writer = Writer { root: schema, refs: Vec::new(), unfolded: 0, depth: 0, loss };
    if writer.node(&mut Reader::new(schema), path, out).is_err() {
        // The request's syntax is known to be good; only its size can have failed.
        out.truncate(start);
        out.extend_from_slice(b"{}");
        loss.drop(path);
    }
}

/// Whether Google reads all of it.
fn fits(reader: &mut Reader<'_>) -> Result<bool, Error> {
    if reader.peek()? != Kind::Object {
        reader.skip()?;
        return Ok(true);
    }
    let (mut good, mut count, mut refers) = (true, 0, false);
    reader.object()?;
    while let Some(name) = reader.key()? {
        let name = name.plain();
        count += u32::from(!name.starts_with('$'));
        match fate(&name) {
            Fate::Copy => reader.skip()?,
            Fate::Schema => good &= fits(reader)?,
            Fate::List if reader.peek()? == Kind::Array => {
                reader.array()?;
                while reader.element()? {
                    good &= fits(reader)?;
                }
            }
            Fate::Map if reader.peek()? == Kind::Object => {
                reader.object()?;
                while reader.key()?.is_some() {
                    good &= fits(reader)?;
                }
            }
            Fate::Special if name == "$ref" => {
                refers = true;
                good &= reader.raw()?.starts_with("\"#/$defs/");
            }
            Fate::Special if name == "format" => {
                good &= reader.peek()? == Kind::String && is_known_format(&reader.string()?);
            }
            _ => {
                good = false;
                reader.skip()?;
            }
        }
    }
    Ok(good && !(refers && count > 0))
}

struct Writer<'s, 'l> {
    root: &'s str,
    /// References that are being followed.
    refs: Vec<String>,
    unfolded: usize,
    depth: u16,
    loss: &'l mut Loss,
}

impl<'s> Writer<'s, '_> {
    fn node(&mut self, reader: &mut Reader<'s>, path: &str, out: &mut Vec<u8>) -> Result<(), Error> {
        if reader.peek()? != Kind::Object {
            out.extend_from_slice(reader.raw()?.as_bytes());
            return Ok(());
        }
        // References make a schema deeper than its text.
        if self.depth >= MAX_DEPTH {
            return Err(Error::TooDeep { at: reader.offset() });
        }
        self.depth += 1;
        let followed = self.refs.len();
        let fields = self.unfold(fields(reader)?, path)?;
        if fields.len() > MAX_KEYWORDS {
            return Err(Error::Type { at: reader.offset(), expected: "a schema of fewer keywords" });
        }
        let mut object = Object::new(out);
        for (name, value) in &fields {
            self.field(name, value.clone(), &fields, path, &mut object)?;
        }
        drop(object);
        self.refs.truncate(followed);
        self.depth -= 1;
        Ok(())
    }

    /// Puts what a reference (or the only one of `allOf`) stands for in its place, where more stands beside it.
    fn unfold(&mut self, mut fields: Fields<'s>, path: &str) -> Result<Fields<'s>, Error> {
        while let Some((at, target)) = self.joined(&fields)? {
            let (name, _) = fields.remove(at);
            let Some(mut target) = target else {
                self.loss.drop(format!("{path}.{name}"));
                continue;
            };
            let joined = super::fields(&mut target)?;
            if fields.len().saturating_add(joined.len()) > MAX_KEYWORDS {
                self.loss.drop(format!("{path}.{name}"));
                continue;
            }
            for (name, value) in joined {
                // What stands beside a reference says it more closely.
                if !fields.iter().any(|(known, _)| *known == name) {
                    fields.push((name, value));
                }
            }
        }
        Ok(fields)
    }

    /// The next member to be unfolded: its place, and what it stands for; `None` where that cannot be written.
    fn joined(&mut self, fields: &Fields<'s>) -> Result<Option<(usize, Option<Reader<'s>>)>, Error> {
        let bare = fields.iter().all(|(name, _)| name.starts_with('$'));
        for (at, (name, value)) in fields.iter().enumerate() {
            let mut value = value.clone();
            match &**name {
                "$ref" if value.peek()? == Kind::String => {
                    let pointer = value.string()?.plain().into_owned();
                    if !(bare && is_definition(&pointer)) {
                        return Ok(Some((at, self.follow(&pointer))));
                    }
                }
                "allOf" if value.peek()? == Kind::Array => {
                    value.array()?;
                    let first = value.element()?.then(|| value.clone());
                    if first.is_some() {
                        value.skip()?;
                    }
                    let single = first.is_some() && !value.element()?;
                    let first = first.filter(|first| single && first.clone().object().is_ok());
                    return Ok(Some((at, first)));
                }
                _ => {}
            }
        }
        Ok(None)
    }

    /// What a pointer points to; `None` for a circle, a pointer into nothing, or a schema that grows without end.
    fn follow(&mut self, pointer: &str) -> Option<Reader<'s>> {
        let circles = self.refs.iter().any(|known| known == pointer);
        if circles || self.refs.len() >= MAX_REFS || self.unfolded > MAX_UNFOLDED {
            return None;
        }
        let mut reader = Reader::new(self.root);
        for step in pointer.strip_prefix('#')?.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            reader.object().ok()?;
            loop {
                if reader.key().ok()?? == *step {
                    break;
                }
                reader.skip().ok()?;
            }
        }
        let size = reader.clone().raw().ok()?.len();
        self.unfolded = self.unfolded.saturating_add(size);
        if self.unfolded > MAX_UNFOLDED || reader.peek() != Ok(Kind::Object) {
            return None;
        }
        self.refs.push(pointer.to_owned());
        Some(reader)
    }

    fn field(
        &mut self,
        name: &str,
        mut value: Reader<'s>,
        fields: &Fields<'s>,
        path: &str,
        object: &mut Object<'_>,
    ) -> Result<(), Error> {
        let path = format!("{path}.{name}");
        match fate(name) {
            Fate::Copy => {
                object.raw(name, value.raw()?);
            }
            Fate::Schema => self.node(&mut value, &path, object.member(name))?,
            Fate::List if value.peek()? == Kind::Array => {
                let mut list = Array::new(object.member(name));
                let mut at = 0;
                value.array()?;
                while value.element()? {
                    self.node(&mut value, &format!("{path}[{at}]"), list.element())?;
                    at += 1;
                }
            }
            Fate::Map if value.peek()? == Kind::Object => self.map(name, &mut value, &path, object)?,
            Fate::Special => self.special(name, value, fields, &path, object)?,
            Fate::Void => {}
            Fate::List | Fate::Map | Fate::Lost => self.loss.drop(path),
        }
        Ok(())
    }

    fn map(
        &mut self,
        name: &str,
        value: &mut Reader<'s>,
        path: &str,
        object: &mut Object<'_>,
    ) -> Result<(), Error> {
        let mut map = Object::new(object.member(name));
        value.object()?;
        while let Some(name) = value.key()? {
            let name = name.plain();
            self.node(value, &format!("{path}.{name}"), map.member(&name))?;
        }
        Ok(())
    }

    fn special(
        &mut self,
        name: &str,
        mut value: Reader<'s>,
        fields: &Fields<'s>,
        path: &str,
        object: &mut Object<'_>,
    ) -> Result<(), Error> {
        let has = |name: &str| fields.iter().any(|(known, _)| known == name);
        match name {
            "$ref" if value.peek()? == Kind::String => {
                let pointer = value.string()?;
                let pointer = pointer.plain();
                object.str("$ref", &pointer.replacen("#/definitions/", "#/$defs/", 1));
            }
            "definitions" if value.peek()? == Kind::Object && !has("$defs") => {
                self.map("$defs", &mut value, path, object)?;
            }
            "const" if !has("enum") => {
                let only = value.raw()?;
                object.array("enum", |list| {
                    list.raw(only);
                });
            }
            "format" if value.clone().string().is_ok_and(|format| is_known_format(&format)) => {
                object.raw("format", value.raw()?);
            }
            "exclusiveMinimum" | "exclusiveMaximum" => {
                let bound = if is_integer(fields) {
                    value.number().ok().and_then(|bound| bound.parse::<i64>().ok())
                } else {
                    None
                };
                let (inclusive, step) =
                    if name == "exclusiveMinimum" { ("minimum", 1) } else { ("maximum", -1) };
                match bound.and_then(|bound| bound.checked_add(step)).filter(|_| !has(inclusive)) {
                    Some(bound) => object.raw(inclusive, &bound.to_string()),
                    None => {
                        self.loss.drop(path);
                        object
                    }
                };
            }
            _ => self.loss.drop(path),
        }
        Ok(())
    }
}

fn is_integer(fields: &Fields<'_>) -> bool {
    let kind = fields.iter().find(|(name, _)| name == "type");
    kind.is_some_and(|(_, value)| value.clone().string().is_ok_and(|kind| kind == "integer"))
}

/// Whether a pointer leads to a definition, which Google follows itself, circles included.
fn is_definition(pointer: &str) -> bool {
    let name = pointer.strip_prefix("#/$defs/").or_else(|| pointer.strip_prefix("#/definitions/"));
    name.is_some_and(|name| !name.contains('/'))
}
