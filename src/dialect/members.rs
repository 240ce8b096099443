//! Objects whose members come in any order, and the JSON path that a complaint names.
//!
//! Invariant: a path costs nothing until somebody complains; a string is scanned once.

use crate::ir::error::Malformed;
use crate::wire::json::{Error, Kind, Reader, Text};
use std::borrow::Cow;
use std::fmt;

/// Where a value stands: `messages[3].content`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Path<'p> {
    parent: Option<&'p Path<'p>>,
    step: Step<'p>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'p> {
    Member(&'p str),
    Index(usize),
}

impl<'p> Path<'p> {
    /// A member of the body.
    pub(super) const fn root(name: &'p str) -> Self {
        Self { parent: None, step: Step::Member(name) }
    }

    /// A member of the object at this path.
    pub(super) const fn member(&'p self, name: &'p str) -> Self {
        Self { parent: Some(self), step: Step::Member(name) }
    }

    /// The last member's name; empty for an element.
    pub(super) const fn name(&self) -> &'p str {
        match self.step {
            Step::Member(name) => name,
            Step::Index(_) => "",
        }
    }

    /// An element of the array at this path.
    pub(super) const fn index(&'p self, at: usize) -> Self {
        Self { parent: Some(self), step: Step::Index(at) }
    }

    /// A complaint about this value.
    pub(super) fn malformed(&self, problem: impl fmt::Display) -> Malformed {
        Malformed::at(self.to_string(), problem)
    }

    /// A reader's complaint; a byte offset says nothing that the path does not.
    pub(super) fn fail(&self, error: &Error) -> Malformed {
        match error {
            Error::Type { expected, .. } => self.malformed(format_args!("expected {expected}")),
            Error::Syntax { .. } | Error::TooDeep { .. } => self.malformed(error),
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            fmt::Display::fmt(parent, out)?;
        }
        match self.step {
            Step::Member(name) if self.parent.is_some() => write!(out, ".{name}"),
            Step::Member(name) => out.write_str(name),
            Step::Index(at) => write!(out, "[{at}]"),
        }
    }
}

/// A value of a member: a string as it was scanned, or the exact text of anything else. Never `null`.
#[derive(Debug, Clone)]
pub(super) enum Value<'a> {
    /// A string.
    Text(Text<'a>),
    /// Another value.
    Raw(&'a str),
}

impl<'a> Value<'a> {
    /// The next value, or `None` for `null`.
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Option<Self>, Error> {
        match reader.peek()? {
            Kind::String => Ok(Some(Self::Text(reader.string()?))),
            Kind::Null => reader.null().map(|_| None),
            _ => Ok(Some(Self::Raw(reader.raw()?))),
        }
    }

    /// Whether dropping it changes nothing: an empty list or object, `false`.
    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Self::Raw("[]" | "{}" | "false"))
    }

    /// A string.
    pub(super) fn text(self, path: &Path<'_>) -> Result<Text<'a>, Malformed> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Raw(_) => Err(path.malformed("expected a string")),
        }
    }

    /// The text of an object.
    pub(super) fn object(self, path: &Path<'_>) -> Result<&'a str, Malformed> {
        match self {
            Self::Raw(json) if json.starts_with('{') => Ok(json),
            _ => Err(path.malformed("expected an object")),
        }
    }

    /// A boolean.
    pub(super) fn boolean(self, path: &Path<'_>) -> Result<bool, Malformed> {
        match self {
            Self::Raw("true") => Ok(true),
            Self::Raw("false") => Ok(false),
            _ => Err(path.malformed("expected a boolean")),
        }
    }

    /// A non-negative integer.
    pub(super) fn integer(self, path: &Path<'_>) -> Result<u64, Malformed> {
        match self {
            Self::Raw(json) => Reader::new(json).integer().map_err(|error| path.fail(&error)),
            Self::Text(_) => Err(path.malformed("expected a non-negative integer")),
        }
    }
}

/// Members that an object may have. None of the format's has a tenth of it, and a body full of tiny members must not
/// take ten times its size in memory.
const MAX_MEMBERS: usize = 256;

/// The members of an object, in order, without those that are `null`.
#[derive(Debug, Clone, Default)]
pub(super) struct Members<'a>(Vec<(Text<'a>, Value<'a>)>);

impl<'a> Members<'a> {
    /// The object that is next.
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let mut members = Vec::with_capacity(6);
        reader.object()?;
        while let Some(name) = reader.key()? {
            if members.len() >= MAX_MEMBERS {
                let at = reader.offset();
                return Err(Error::Type { at, expected: "an object of at most 256 members" });
            }
            if let Some(value) = Value::read(reader)? {
                members.push((name, value));
            }
        }
        Ok(Self(members))
    }

    /// The object that `json` is.
    pub(super) fn of(json: &'a str) -> Result<Self, Error> {
        let mut reader = Reader::new(json);
        let members = Self::read(&mut reader)?;
        reader.end()?;
        Ok(members)
    }

    /// The same members, some of them under another name.
    pub(super) fn renamed(mut self, rename: impl Fn(&str) -> Option<String>) -> Self {
        for (name, _) in &mut self.0 {
            if let Some(other) = rename(&name.plain()) {
                *name = Text::from(other);
            }
        }
        self
    }

    /// Removes a member. Of several with one name the last counts, as in every JSON library; the others stay, and are
    /// part of the rest.
    pub(super) fn take(&mut self, name: &str) -> Option<Value<'a>> {
        let at = self.0.iter().rposition(|(member, _)| *member == *name)?;
        Some(self.0.remove(at).1)
    }

    /// Removes a member that must be there.
    pub(super) fn demand(&mut self, name: &str, path: &Path<'_>) -> Result<Value<'a>, Malformed> {
        self.take(name).ok_or_else(|| path.member(name).malformed("missing"))
    }

    /// Removes a string that must be there.
    pub(super) fn demand_text(&mut self, name: &str, path: &Path<'_>) -> Result<Text<'a>, Malformed> {
        self.demand(name, path)?.text(&path.member(name))
    }

    /// Removes a string that may be there.
    pub(super) fn take_text(&mut self, name: &str, path: &Path<'_>) -> Result<Option<Text<'a>>, Malformed> {
        self.take(name).map(|value| value.text(&path.member(name))).transpose()
    }

    /// Removes a string that may be there, and minds no other type.
    pub(super) fn take_if_text(&mut self, name: &str) -> Option<Text<'a>> {
        match self.take(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Removes an object that may be there, and minds no other type: what it holds, or nothing.
    pub(super) fn take_members(&mut self, name: &str) -> Option<Self> {
        match self.take(name) {
            Some(Value::Raw(json)) => Self::of(json).ok(),
            _ => None,
        }
    }

    /// The names of members that nobody took.
    pub(super) fn names(&self) -> impl Iterator<Item = Cow<'a, str>> + '_ {
        self.0.iter().map(|(name, _)| name.plain())
    }

    /// The names of members that nobody took and that say something.
    pub(super) fn rest(&self) -> impl Iterator<Item = Cow<'a, str>> + '_ {
        self.0.iter().filter(|(_, value)| !value.is_nothing()).map(|(name, _)| name.plain())
    }
}
