//! Tool calls as Anthropic wants them: ids of few letters, arguments that are objects.
//!
//! Invariant: the same id is always written the same, in requests and in replies, so calls and results find each other
//! whichever provider a turn came from.

use crate::wire::json::{Kind, Object, Reader, Text};

/// The id as `^[a-zA-Z0-9_-]+$`. Ids that differ stay different: one that had to change carries a hash of what it was.
pub(super) fn clean_id<'a>(id: &Text<'a>) -> Text<'a> {
    let plain = id.plain();
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    if !plain.is_empty() && plain.chars().all(allowed) {
        return id.clone();
    }
    // FNV-1a, 32 bits: needs to be stable and spread, not secret.
    let hash =
        plain.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let letters = plain.chars().map(|letter| if allowed(letter) { letter } else { '_' }).collect::<String>();
    Text::from(format!("{letters}_{hash:08x}"))
}

/// What became of arguments that had to be an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carried {
    /// As they were, or nothing as `{}`.
    Whole,
    /// Not an object: wrapped as `{"_raw": "…"}`.
    Wrapped,
}

/// Appends arguments as the object that `input` must be.
pub(super) fn write_input(arguments: &str, out: &mut Vec<u8>) -> Carried {
    if arguments.trim().is_empty() {
        out.extend_from_slice(b"{}");
        return Carried::Whole;
    }
    let mut reader = Reader::new(arguments);
    if reader.peek() == Ok(Kind::Object)
        && let Ok(json) = reader.raw()
        && reader.end().is_ok()
    {
        out.extend_from_slice(json.as_bytes());
        return Carried::Whole;
    }
    Object::new(out).str("_raw", arguments);
    Carried::Wrapped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(arguments: &str) -> (String, Carried) {
        let mut out = Vec::new();
        let carried = write_input(arguments, &mut out);
        (String::from_utf8(out).unwrap(), carried)
    }

    #[test]
    fn arguments_become_objects_without_being_rounded() {
        assert_eq!(input(r#" {"n":12345678901234567890} "#).0, r#"{"n":12345678901234567890}"#);
        assert_eq!(input(""), ("{}".into(), Carried::Whole));
        assert_eq!(input(" \n"), ("{}".into(), Carried::Whole));
        assert_eq!(input("[1]"), (r#"{"_raw":"[1]"}"#.into(), Carried::Wrapped));
        assert_eq!(input(r#"{"a":"#), (r#"{"_raw":"{\"a\":"}"#.into(), Carried::Wrapped));
        assert_eq!(input("{} {}"), (r#"{"_raw":"{} {}"}"#.into(), Carried::Wrapped));
    }

    #[test]
    fn ids_are_cleaned_without_collisions() {
        assert_eq!(clean_id(&Text::from("call_1-A")), "call_1-A");
        let dotted = clean_id(&Text::from("functions.get:0")).plain().into_owned();
        assert!(dotted.starts_with("functions_get_0_"), "{dotted}");
        assert_ne!(dotted, clean_id(&Text::from("functions:get.0")).plain());
        assert!(!clean_id(&Text::from("")).is_empty());
    }
}
