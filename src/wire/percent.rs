//! Percent-encoding (RFC 3986, section 2.1).
//!
//! Invariant: what is encoded cannot change the path or the query that it stands in.

use std::borrow::Cow;

/// Everything but unreserved characters is encoded, a slash too.
#[must_use]
pub fn encode(text: &str) -> Cow<'_, str> {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    if text.bytes().all(unreserved) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for byte in text.bytes() {
        if unreserved(byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for nibble in [byte >> 4, byte & 15] {
                out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0').to_ascii_uppercase());
            }
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unreserved_characters_stay() {
        assert!(matches!(encode("a-Z_0.~"), Cow::Borrowed("a-Z_0.~")));
        assert_eq!(encode("arn:a/b?c=d&e%2f é"), "arn%3Aa%2Fb%3Fc%3Dd%26e%252f%20%C3%A9");
    }
}
