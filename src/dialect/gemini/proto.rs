//! What Google reads beside plain JSON, as protocol buffers' JSON allows it: one value for a list of one, and numbers in strings.
//! <https://protobuf.dev/programming-guides/json/>
//!
//! Invariant: what is read is what Google reads in the same place, in whatever lane the request goes.

use crate::dialect::members::{Path, Value};
use crate::dialect::{Edit, value};
use crate::ir::error::Malformed;
use crate::wire::json::{Error, Kind, Reader, Text};
use std::borrow::Cow;
use std::ops::Range;

/// The elements of a list, or the one value that stands for it.
#[derive(Debug)]
pub(super) enum Elements {
    /// A list that has been entered.
    List,
    /// One value, and whether it is still to be read.
    One(bool),
}

impl Elements {
    /// Begins with what is next. Elements are of the kind `one`.
    pub(super) fn of(reader: &mut Reader<'_>, one: Kind) -> Result<Self, Error> {
        if reader.peek()? == one {
            return Ok(Self::One(true));
        }
        reader.array()?;
        Ok(Self::List)
    }

    /// The same, but anything else is skipped.
    pub(super) fn or_skip(reader: &mut Reader<'_>, one: Kind) -> Result<Option<Self>, Error> {
        let kind = reader.peek()?;
        if kind == one || kind == Kind::Array {
            return Self::of(reader, one).map(Some);
        }
        reader.skip()?;
        Ok(None)
    }

    /// Whether another element is next.
    pub(super) fn next(&mut self, reader: &mut Reader<'_>) -> Result<bool, Error> {
        match self {
            Self::List => reader.element(),
            Self::One(waits) => Ok(std::mem::take(waits)),
        }
    }

    /// Takes one out of the body: where it stands for the list, an empty list remains.
    pub(super) fn remove(&self, span: Range<usize>) -> Edit {
        match self {
            Self::List => Edit::remove(span),
            Self::One(_) => Edit::replace(span, "[]"),
        }
    }

    /// Where an element stands: one that stands for the list has no number.
    pub(super) fn path<'p>(&self, list: &'p Path<'p>, at: usize) -> Path<'p> {
        match self {
            Self::List => list.index(at),
            Self::One(_) => *list,
        }
    }
}

/// A number, as its text.
pub(super) fn number<'a>(value: &Value<'a>, path: &Path<'_>) -> Result<&'a str, Malformed> {
    match value {
        Value::Raw(json) => Reader::new(json).number().map_err(|error| path.fail(&error)),
        Value::Text(text) => quoted(text).ok_or_else(|| path.malformed("expected a number")),
    }
}

/// A non-negative integer.
pub(super) fn integer(value: &Value<'_>, path: &Path<'_>) -> Result<u64, Malformed> {
    let json = match value {
        Value::Raw(json) => Some(*json),
        Value::Text(text) => quoted(text),
    };
    let json = json.ok_or_else(|| path.malformed("expected a non-negative integer"))?;
    Reader::new(json).integer().map_err(|error| path.fail(&error))
}

/// A count, or nothing for a value that is none.
pub(super) fn count_or_skip(reader: &mut Reader<'_>) -> Result<Option<u64>, Error> {
    if reader.peek()? != Kind::String {
        return value::count_or_skip(reader);
    }
    let text = reader.string()?;
    quoted(&text).map_or(Ok(None), |number| value::count_or_skip(&mut Reader::new(number)))
}

/// The number that a string is.
fn quoted<'a>(text: &Text<'a>) -> Option<&'a str> {
    // Nobody escapes a digit.
    let Cow::Borrowed(text) = text.plain() else { return None };
    let number = Reader::new(text).number().ok()?;
    (number.len() == text.len()).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(json: &str) -> Result<Vec<String>, Error> {
        let mut reader = Reader::new(json);
        let mut elements = Elements::of(&mut reader, Kind::String)?;
        let mut texts = Vec::new();
        while elements.next(&mut reader)? {
            texts.push(elements.path(&Path::root("x"), texts.len()).to_string() + &reader.string()?.plain());
        }
        reader.end()?;
        Ok(texts)
    }

    #[test]
    fn one_value_is_a_list_of_one() {
        assert_eq!(texts(r#""a""#).unwrap(), ["xa"]);
        assert_eq!(texts(r#"["a","b"]"#).unwrap(), ["x[0]a", "x[1]b"]);
        assert_eq!(texts("[]").unwrap(), <[String; 0]>::default());
        assert!(texts("{}").is_err() && texts("[{}]").is_err());
    }

    #[test]
    fn a_number_may_be_a_string() {
        let value = |json| Value::read(&mut Reader::new(json)).unwrap().unwrap();
        let path = Path::root("x");
        for (json, expected) in [("0.5", "0.5"), (r#""0.5""#, "0.5"), (r#""-1e3""#, "-1e3")] {
            assert_eq!(number(&value(json), &path).unwrap(), expected);
        }
        for json in [r#""""#, r#"" 1""#, r#""1 ""#, r#""1x""#, r#""NaN""#, "{}", "true"] {
            assert_eq!(number(&value(json), &path).unwrap_err().to_string(), "x: expected a number");
            assert!(integer(&value(json), &path).is_err());
        }
        assert_eq!((integer(&value("7"), &path), integer(&value(r#""7""#), &path)), (Ok(7), Ok(7)));
        assert!(integer(&value(r#""-7""#), &path).is_err());
        for (json, expected) in [("7", Some(7)), (r#""7""#, Some(7)), (r#""7.0""#, Some(7)), (r#""x""#, None)]
        {
            assert_eq!(count_or_skip(&mut Reader::new(json)).unwrap(), expected);
        }
    }
}
