//! Reading single values: strictly for a client's request, leniently for an upstream's reply.
//!
//! Invariant: a strict reader names the JSON path of what it refuses; a lenient one never refuses valid JSON.

use crate::ir::error::Malformed;
use crate::ir::loss::MAX_NAMES;
use crate::wire::json::{Error, Kind, Reader, Text};
use std::borrow::Cow;

/// Top-level members beyond this are refused: their names are held until all are known to differ.
pub(super) const MAX_MEMBERS: usize = 1_024;

/// Refuses a member that occurs twice. Policy and upstream must read the same members, whichever of two an upstream's parser
/// would take.
pub(super) fn refuse_doubles(mut names: Vec<Cow<'_, str>>) -> Result<(), Malformed> {
    names.sort_unstable();
    match names.windows(2).find(|pair| matches!(pair, [one, other] if one == other)) {
        Some([name, ..]) => Err(Malformed::at(name.as_ref(), "occurs twice")),
        _ => Ok(()),
    }
}

/// Tells where in the request a value of the wrong type stands.
pub(super) trait At<T> {
    /// Names the path; bytes that are not JSON are the whole body's fault.
    fn at(self, path: &str) -> Result<T, Malformed>;
}

impl<T> At<T> for Result<T, Error> {
    fn at(self, path: &str) -> Result<T, Malformed> {
        self.map_err(|error| match error {
            Error::Type { expected, .. } => Malformed::at(path, format_args!("expected {expected}")),
            other => Malformed::at("body", other),
        })
    }
}

/// Puts the path of a refusal under `prefix`.
pub(super) fn under(prefix: &str, inner: Malformed) -> Malformed {
    let path = match inner.path.as_str() {
        "body" => return inner,
        "" => prefix.to_owned(),
        path if path.starts_with('[') => format!("{prefix}{path}"),
        path => format!("{prefix}.{path}"),
    };
    Malformed { path, ..inner }
}

/// A value that says nothing more than its absence would.
pub(super) fn is_void(raw: &str) -> bool {
    is_one_of(raw, &["null", "false", "{}", "[]", "\"\""])
}

/// Keeps the name of a member that is not carried, until it is known how what holds it is told.
pub(super) fn keep<N: PartialEq>(others: &mut Vec<N>, name: N) {
    if others.len() < MAX_NAMES && !others.contains(&name) {
        others.push(name);
    }
}

/// Whether a value is one of some short ones, however it is spaced.
pub(super) fn is_one_of(raw: &str, short: &[&str]) -> bool {
    // Anything longer is not looked at closely: this runs over prompts too.
    raw.len() <= 64
        && short.iter().any(|value| raw.split_ascii_whitespace().flat_map(str::bytes).eq(value.bytes()))
}

/// A string or `null`.
pub(super) fn optional_text<'a>(reader: &mut Reader<'a>, path: &str) -> Result<Option<Text<'a>>, Malformed> {
    if reader.null().at(path)? { Ok(None) } else { reader.string().at(path).map(Some) }
}

/// A boolean or `null`.
pub(super) fn optional_bool(reader: &mut Reader<'_>, path: &str) -> Result<Option<bool>, Malformed> {
    if reader.null().at(path)? { Ok(None) } else { reader.boolean().at(path).map(Some) }
}

/// A non-negative integer or `null`.
pub(super) fn optional_integer(reader: &mut Reader<'_>, path: &str) -> Result<Option<u64>, Malformed> {
    if reader.null().at(path)? { Ok(None) } else { reader.integer().at(path).map(Some) }
}

/// A number, as its text, or `null`.
pub(super) fn optional_number<'a>(reader: &mut Reader<'a>, path: &str) -> Result<Option<&'a str>, Malformed> {
    if reader.null().at(path)? { Ok(None) } else { reader.number().at(path).map(Some) }
}

/// A string, or nothing for a value of any other kind.
pub(super) fn text_or_skip<'a>(reader: &mut Reader<'a>) -> Result<Option<Text<'a>>, Error> {
    if reader.peek()? == Kind::String {
        reader.string().map(Some)
    } else {
        reader.skip()?;
        Ok(None)
    }
}

/// A count, or nothing for a value that is none. Some vendors write `12.0`.
pub(super) fn count_or_skip(reader: &mut Reader<'_>) -> Result<Option<u64>, Error> {
    if reader.peek()? != Kind::Number {
        reader.skip()?;
        return Ok(None);
    }
    let number = reader.number()?;
    Ok(number.parse().ok().or_else(|| {
        let whole: f64 = number.parse().ok()?;
        // Float to integer saturates: nothing overflows, and a negative count becomes zero.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
        Some(whole as u64)
    }))
}

/// Enters an object and says so, or skips a value of any other kind.
pub(super) fn object_or_skip(reader: &mut Reader<'_>) -> Result<bool, Error> {
    enter_or_skip(reader, Kind::Object)
}

/// Enters an array and says so, or skips a value of any other kind.
pub(super) fn array_or_skip(reader: &mut Reader<'_>) -> Result<bool, Error> {
    enter_or_skip(reader, Kind::Array)
}

fn enter_or_skip(reader: &mut Reader<'_>, kind: Kind) -> Result<bool, Error> {
    if reader.peek()? != kind {
        reader.skip()?;
        return Ok(false);
    }
    if kind == Kind::Array {
        reader.array()?
    } else {
        reader.object()?
    }
    Ok(true)
}
