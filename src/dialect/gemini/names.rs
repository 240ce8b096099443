//! Member names. Google's JSON is that of protocol buffers: every name may be written `thoughtSignature` or
//! `thought_signature`.
//!
//! Invariant: the room knows the first form only; names that belong to the client (arguments, schema properties) are
//! never touched.

use crate::dialect::members::Members;
use crate::wire::json::{Error, Reader};
use std::borrow::Cow;

/// The form with capitals, if the name has the other.
fn renamed(name: &str) -> Option<String> {
    if !name.trim_start_matches('_').contains('_') {
        return None;
    }
    let mut out = String::with_capacity(name.len());
    let mut up = false;
    for letter in name.chars() {
        if letter == '_' && !out.is_empty() {
            up = true;
        } else {
            out.push(if std::mem::take(&mut up) { letter.to_ascii_uppercase() } else { letter });
        }
    }
    Some(out)
}

/// The form with capitals.
pub(super) fn canonical(name: Cow<'_, str>) -> Cow<'_, str> {
    match renamed(&name) {
        Some(other) => Cow::Owned(other),
        None => name,
    }
}

/// The object that is next.
pub(super) fn read<'a>(reader: &mut Reader<'a>) -> Result<Members<'a>, Error> {
    Members::read(reader).map(|members| members.renamed(renamed))
}

/// The object that `json` is.
pub(super) fn of(json: &str) -> Result<Members<'_>, Error> {
    Members::of(json).map(|members| members.renamed(renamed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_one_name() {
        for (name, expected) in [
            ("thought_signature", "thoughtSignature"),
            ("thoughtSignature", "thoughtSignature"),
            ("any_of", "anyOf"),
            ("text", "text"),
            ("_private", "_private"),
            ("", ""),
        ] {
            assert_eq!(canonical(name.into()), expected);
        }
    }
}
