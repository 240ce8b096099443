//! Names within the lengths that the API takes: the same text always becomes the same name.

use crate::wire::json::Text;
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// Longest name of an end user that the API takes.
pub(in crate::dialect) const MAX_USER: usize = 64;

/// `prefix` and 32 hex digits that stand for `text`.
pub(in crate::dialect) fn hashed(prefix: &str, text: &str) -> String {
    use std::fmt::Write as _;
    let mut id = prefix.to_owned();
    for byte in Sha256::digest(text.as_bytes()).iter().take(16) {
        // Writing to a string cannot fail.
        let _ = write!(id, "{byte:02x}");
    }
    id
}

/// A name that stays the same from turn to turn, within the length that the API takes.
pub(in crate::dialect) fn shortened<'t, 'a>(
    text: &'t Text<'a>,
    longest: usize,
    prefix: &str,
) -> Cow<'t, Text<'a>> {
    if text.held_len() <= longest {
        return Cow::Borrowed(text);
    }
    let plain = text.plain();
    if plain.len() <= longest { Cow::Borrowed(text) } else { Cow::Owned(hashed(prefix, &plain).into()) }
}
