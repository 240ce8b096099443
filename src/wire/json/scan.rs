//! Looking for bytes in JSON strings, eight at a time.

/// One bit in every byte of a word.
const ONES: u64 = 0x0101_0101_0101_0101;
/// The high bit of every byte of a word.
const HIGHS: u64 = ONES << 7;

/// Whether any of eight bytes is below 0x20. Only such a byte borrows into its own high bit without having had it.
const fn below_space(word: u64) -> u64 {
    word.wrapping_sub(ONES * 0x20) & !word & HIGHS
}

/// Whether any of eight bytes is `byte`.
const fn equals(word: u64, byte: u8) -> u64 {
    let zero = word ^ (ONES * byte as u64);
    zero.wrapping_sub(ONES) & !zero & HIGHS
}

/// The first byte that a JSON string cannot hold as it is: a quote, a backslash or a control character. Looks at eight
/// bytes at a time, which is the fastest for the short ones that most strings are.
pub(super) fn special(bytes: &[u8]) -> Option<usize> {
    let (words, rest) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let found = below_space(word) | equals(word, b'"') | equals(word, b'\\');
        if found != 0 {
            // The lowest bit is true: a borrow spoils only what lies above it.
            return usize::try_from(found.trailing_zeros() / 8).ok().map(|byte| at * 8 + byte);
        }
    }
    let is_special = |byte: &u8| *byte < 0x20 || matches!(byte, b'"' | b'\\');
    rest.iter().position(is_special).map(|byte| words.len() * 8 + byte)
}

/// The first byte below 0x20, which a JSON string may only hold escaped. This runs over every prompt, so it asks eight
/// bytes at a time and without a branch whether there is any, and where only if there is.
pub(super) fn control_byte(bytes: &[u8]) -> Option<usize> {
    let (words, rest) = bytes.as_chunks::<8>();
    let below = words.iter().fold(0, |below, word| below | below_space(u64::from_le_bytes(*word)));
    let is_control = |byte: &u8| *byte < 0x20;
    if below == 0 && !rest.iter().any(is_control) {
        return None;
    }
    bytes.iter().position(is_control)
}
