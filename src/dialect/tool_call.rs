//! Tool calls as strict dialects want them: ids of few letters, arguments that are objects.
//!
//! Invariant: the same id is always written the same, in requests and in replies, so calls and results find each other
//! whichever provider a turn came from.

use crate::ir::chat::{Tool, ToolCall};
use crate::ir::error::Malformed;
use crate::wire::json::{Kind, Object, Reader, Text};
use std::borrow::Cow;

/// The id as `^[a-zA-Z0-9_-]+$`. Ids that differ stay different: one that had to change carries a hash of what it was.
pub(super) fn clean_id<'a>(id: &Text<'a>) -> Text<'a> {
    let plain = id.plain();
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    if !plain.is_empty() && plain.chars().all(allowed) {
        return id.clone();
    }
    let letters = plain.chars().map(|letter| if allowed(letter) { letter } else { '_' }).collect::<String>();
    Text::from(format!("{letters}_{:08x}", hash(&plain)))
}

/// The same within a length, which is at least 16.
pub(super) fn short_id<'a>(id: &Text<'a>, longest: usize) -> Text<'a> {
    let clean = clean_id(id);
    if clean.held_len() <= longest {
        return clean;
    }
    let plain = id.plain();
    let head: String = clean.plain().chars().take(longest.saturating_sub(9)).collect();
    Text::from(format!("{head}_{:08x}", hash(&plain)))
}

/// FNV-1a, 32 bits: needs to be stable and spread, not secret.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// Refuses tools whose names a provider refuses: it takes so many letters, digits, `_` and `-`. A name is the client's own
/// word, which comes back in calls, so that it cannot be changed on the way.
pub(super) fn check_names(tools: &[Tool<'_>], longest: usize) -> Result<(), Malformed> {
    let fits = |tool: &Tool<'_>| {
        let name = tool.name.plain();
        (1..=longest).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    };
    match tools.iter().find(|tool| !fits(tool)) {
        Some(tool) => Err(Malformed::at(
            tool.path("function.name"),
            format_args!(
                "expected 1 to {longest} letters, digits, '_' or '-', as the provider does: rename the tool"
            ),
        )),
        None => Ok(()),
    }
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

/// A call's arguments as JSON text: a custom tool's input as the one string of the function that stands for it
/// ([`crate::ir::chat::CUSTOM_SCHEMA`]).
pub(super) fn arguments<'c>(call: &'c ToolCall<'_>) -> Cow<'c, str> {
    if !call.custom {
        return Cow::Borrowed(&call.arguments);
    }
    let mut out = Vec::with_capacity(call.arguments.len() + 16);
    Object::new(&mut out).str("input", &call.arguments);
    Cow::Owned(String::from_utf8(out).unwrap_or_default())
}

/// The input in the arguments of the function that stands for a custom tool; the arguments themselves, if the model did not
/// do as told.
pub(super) fn custom_input(arguments: &str) -> Cow<'_, str> {
    let mut reader = Reader::new(arguments);
    let mut input = None;
    let mut read = || {
        reader.object()?;
        while let Some(name) = reader.key()? {
            if name == "input" && reader.peek()? == Kind::String {
                input = Some(reader.string()?.plain());
            } else {
                reader.skip()?;
            }
        }
        reader.end()
    };
    match read() {
        Ok(()) => input.unwrap_or(Cow::Borrowed(arguments)),
        Err(_) => Cow::Borrowed(arguments),
    }
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
    fn the_input_of_a_custom_tool_survives_the_function_that_stands_for_it() {
        let call =
            |arguments: &'static str| ToolCall { custom: true, ..ToolCall::function("c", "f", arguments) };
        for text in ["", "plain", "{\"input\":1}", "quote \" and \n line"] {
            assert_eq!(custom_input(&arguments(&call(text))), text);
        }
        assert_eq!(arguments(&ToolCall::function("c", "f", "{}")), "{}");
        assert_eq!(custom_input("not JSON"), "not JSON");
        assert_eq!(custom_input("{\"other\":\"x\"}"), "{\"other\":\"x\"}");
    }

    #[test]
    fn ids_are_cleaned_without_collisions() {
        assert_eq!(clean_id(&Text::from("call_1-A")), "call_1-A");
        let dotted = clean_id(&Text::from("functions.get:0")).plain().into_owned();
        assert!(dotted.starts_with("functions_get_0_"), "{dotted}");
        assert_ne!(dotted, clean_id(&Text::from("functions:get.0")).plain());
        assert!(!clean_id(&Text::from("")).is_empty());
    }

    #[test]
    fn long_ids_are_cut_without_collisions() {
        let long = |end: &str| Text::from(format!("{}{end}", "x".repeat(80)));
        let (one, two) = (short_id(&long("1"), 64), short_id(&long("2"), 64));
        assert_eq!((one.plain().len(), two.plain().len()), (64, 64));
        assert_ne!(one, two);
        assert_eq!(short_id(&Text::from("call_1"), 64), "call_1");
        assert_eq!(short_id(&Text::from(".".repeat(64)), 64).plain().len(), 64);
    }
}
