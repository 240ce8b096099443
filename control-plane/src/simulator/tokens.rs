//! How many tokens a text is: about four bytes each. Not a vendor's tokenizer, but the same for the same text always,
//! so that a ledger can be compared with what the simulator reported.

/// Bytes that make one token.
pub(crate) const BYTES: usize = 4;

/// What a message costs besides its text.
pub(crate) const PER_MESSAGE: u64 = 4;

/// What an image costs, whatever its size.
pub(crate) const PER_IMAGE: u64 = 85;

/// Prefixes shorter than this are never cached.
pub(crate) const CACHEABLE: u64 = 1024;

/// Of a prompt's tokens those that an automatic cache holds: a long prompt's part before the last turn, in steps of 128.
pub(crate) const fn cached(input: u64, prefix: u64) -> u64 {
    if input < CACHEABLE || prefix < CACHEABLE {
        return 0;
    }
    prefix / 128 * 128
}

/// The tokens of a text.
pub(crate) const fn count(text: &str) -> u64 {
    text.len().div_ceil(BYTES) as u64
}

/// Cuts a text to at most `tokens`, at a character's boundary; says whether it had to.
pub(crate) fn cut(text: &mut String, tokens: u64) -> bool {
    let limit = usize::try_from(tokens).unwrap_or(usize::MAX).saturating_mul(BYTES);
    if text.len() <= limit {
        return false;
    }
    text.truncate(text.floor_char_boundary(limit));
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_bytes_are_a_token() {
        assert_eq!([count(""), count("a"), count("abcd"), count("abcde")], [0, 1, 1, 2]);
    }

    #[test]
    fn a_cut_keeps_characters_whole() {
        let mut text = "ab語語".to_owned();
        assert!(cut(&mut text, 1));
        assert_eq!(text, "ab");
        assert!(!cut(&mut text, 1));
    }
}
