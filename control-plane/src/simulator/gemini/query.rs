//! The query of a request to Google: which parameters there are, and what they hold.
//!
//! Spec: <https://cloud.google.com/apis/docs/system-parameters>

use super::error;
use crate::simulator::answer::Refusal;

/// Parameters that every method of every API of the vendor takes.
const SYSTEM: &[&str] =
    &["$alt", "$.xgafv", "access_token", "alt", "callback", "fields", "prettyPrint", "quotaUser"];

fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// A parameter's value.
pub(crate) fn parameter(query: &str, name: &str) -> Option<String> {
    pairs(query).find(|(known, _)| *known == name).map(|(_, value)| decoded(value))
}

/// Refuses parameters that the vendor would try to bind to a field and cannot.
pub(crate) fn check(query: &str, known: &[&str]) -> Result<(), Refusal> {
    match pairs(query)
        .map(|(name, _)| decoded(name))
        .find(|name| !SYSTEM.contains(&name.as_str()) && !known.contains(&name.as_str()))
    {
        None => Ok(()),
        Some(name) => {
            let text = format!(
                "Invalid JSON payload received. Unknown name \"{name}\": Cannot bind query parameter. Field '{name}' could not be found \
                 in request message."
            );
            Err(error::unreadable(&[super::proto::Wrong { field: String::new(), description: text }]).into())
        }
    }
}

/// A text without its percent signs.
pub(crate) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = after.split_at_checked(2).and_then(|(digits, after)| {
            let digits = std::str::from_utf8(digits).ok()?;
            Some((u8::from_str_radix(digits, 16).ok()?, after))
        });
        match escaped.filter(|_| *first == b'%') {
            Some((byte, after)) => {
                bytes.push(byte);
                rest = after;
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_and_known() {
        assert_eq!(parameter("a=1&key=x%40y%2", "key").as_deref(), Some("x@y%2"));
        assert!(check("alt=sse&key=k", &["key"]).is_ok() && check("", &[]).is_ok());
        assert!(check("beta=true", &["key"]).is_err());
    }
}
