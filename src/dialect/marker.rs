//! Markers of what is to be cached: `{"type":"ephemeral","ttl":"1h"}`, `{"mode":"explicit"}`.
//!
//! Invariant: that there is one is carried, and what it says besides is listed.

use super::value::{is_one_of, is_void, object_or_skip};
use crate::wire::json::{Error, Reader};
use std::borrow::Cow;

/// The members of a marker that say more than that it is one. Five minutes are what every marker without a word means.
pub(super) fn beyond(json: &str) -> Vec<Cow<'_, str>> {
    let mut names = Vec::new();
    let mut reader = Reader::new(json);
    let mut read = || {
        if !object_or_skip(&mut reader)? {
            return Ok(());
        }
        while let Some(name) = reader.key()? {
            let value = reader.raw()?;
            let usual: &[&str] = match &*name.plain() {
                "type" => &["\"ephemeral\""],
                "mode" => &["\"explicit\""],
                "ttl" => &["\"5m\""],
                _ => &[],
            };
            if !is_void(value) && !is_one_of(value, usual) {
                names.push(name.plain());
            }
        }
        Ok::<_, Error>(())
    };
    // Its syntax has been checked with that of the whole body.
    if read().is_err() {
        names.clear();
    }
    names
}

#[cfg(test)]
mod tests {
    use super::beyond;

    #[test]
    fn only_what_is_unusual_is_told() {
        assert_eq!(beyond(r#"{"type":"ephemeral"}"#), Vec::<String>::new());
        assert_eq!(beyond(r#"{"type":"ephemeral","ttl":"5m"}"#), Vec::<String>::new());
        assert_eq!(beyond(r#"{"mode":"explicit"}"#), Vec::<String>::new());
        assert_eq!(beyond(r#"{"ttl":"1h","scope":"x"}"#), ["ttl", "scope"]);
        assert_eq!(beyond("true"), Vec::<String>::new());
    }
}
