//! What a tool returned. Gemini wants an object; every other dialect has text.
//!
//! Invariant: text that is written and read again is the same text.

use crate::ir::chat::Part;
use crate::wire::json::{Error, Kind, Object, Reader, Text};

/// Members that hold the whole of a result.
const WHOLE: [&str; 3] = ["result", "output", "error"];

/// The only member of an object, if it has one only.
fn only<'a>(json: &'a str) -> Result<Option<(Text<'a>, Reader<'a>)>, Error> {
    let mut reader = Reader::new(json);
    reader.object()?;
    let Some(name) = reader.key()? else { return Ok(None) };
    let value = reader.clone();
    reader.skip()?;
    Ok(if reader.key()?.is_some() { None } else { Some((name, value)) })
}

/// What the object says, and whether it says that the tool failed.
pub(super) fn read(response: &str) -> (Vec<Part<'_>>, bool) {
    let told = only(response).ok().flatten().filter(|(name, _)| WHOLE.iter().any(|whole| *name == **whole));
    let Some((name, mut value)) = told else {
        let empty = response.strip_prefix('{').is_some_and(|rest| rest.trim() == "}");
        return (if empty { Vec::new() } else { vec![Part::text(response)] }, false);
    };
    let text = match value.peek() {
        Ok(Kind::String) => value.string().unwrap_or_default(),
        _ => Text::from(value.raw().unwrap_or_default()),
    };
    (vec![Part::text(text)], name == "error")
}

/// Writes the object.
pub(super) fn write(text: Option<&str>, is_error: bool, out: &mut Vec<u8>) {
    let Some(text) = text else {
        if is_error {
            Object::new(out).str("error", "");
        } else {
            out.extend_from_slice(b"{}");
        }
        return;
    };
    let object = as_object(text);
    match object {
        Some(object) if is_error => {
            Object::new(out).raw("error", object);
        }
        Some(object) if stays(object) => out.extend_from_slice(object.as_bytes()),
        Some(object) => {
            Object::new(out).raw("result", object);
        }
        None => {
            Object::new(out).str(if is_error { "error" } else { "result" }, text);
        }
    }
}

fn as_object(text: &str) -> Option<&str> {
    if !text.starts_with('{') {
        return None;
    }
    let mut reader = Reader::new(text);
    let raw = reader.raw().ok()?;
    (raw.len() == text.len()).then_some(raw)
}

/// Whether an object is read as itself.
fn stays(object: &str) -> bool {
    let whole =
        only(object).ok().flatten().is_some_and(|(name, _)| WHOLE.iter().any(|whole| name == **whole));
    !whole && object.trim_start_matches(['{', ' ', '\n', '\r', '\t']) != "}"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: Option<&str>, is_error: bool) -> String {
        let mut out = Vec::new();
        write(text, is_error, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn texts_come_back_as_they_were() {
        for text in [
            "",
            "plain",
            "5",
            "[1]",
            r#"{"a":1}"#,
            r#"{ "a" : 1 }"#,
            r#"{"result":"x"}"#,
            "{}",
            "{ }",
            "{",
            "{} ",
        ] {
            for is_error in [false, true] {
                let json = written(Some(text), is_error);
                let (parts, failed) = read(&json);
                assert_eq!((parts, failed), (vec![Part::text(text)], is_error), "{json}");
            }
        }
        assert_eq!(written(Some(r#"{"a":1}"#), false), r#"{"a":1}"#);
        assert_eq!(read("{}"), (vec![], false));
        assert_eq!(read(&written(None, false)), (vec![], false));
    }

    #[test]
    fn objects_of_several_members_are_the_result() {
        let object = r#"{"result":1,"error":2}"#;
        assert_eq!(read(object), (vec![Part::text(object)], false));
        assert_eq!(read(r#"{"output":{"b":1}}"#), (vec![Part::text(r#"{"b":1}"#)], false));
    }
}
