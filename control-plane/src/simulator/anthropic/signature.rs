//! Signs thinking, and recognises its own signatures when a conversation brings them back.
//!
//! Invariant: stateless, so that any instance takes what another has signed, as the vendor's accounts do.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

const SALT: &str = "thinking of the provider simulator";

fn digest(text: &str) -> Vec<u8> {
    Sha256::new().chain_update(SALT).chain_update(text).finalize().to_vec()
}

/// The signature of a thinking block.
pub(crate) fn sign(thinking: &str) -> String {
    STANDARD.encode(digest(thinking))
}

/// Whether a thinking block is one that was signed here.
pub(crate) fn verify(thinking: &str, signature: &str) -> bool {
    sign(thinking) == signature
}

/// The data of a redacted thinking block; `seed` tells one from another.
pub(crate) fn seal(seed: &str) -> String {
    STANDARD.encode(format!("{seed}.{}", sign(seed)))
}

/// Whether a redacted thinking block is one that was sealed here.
pub(crate) fn is_sealed(data: &str) -> bool {
    let text = STANDARD.decode(data).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.as_deref()
        .and_then(|text| text.split_once('.'))
        .is_some_and(|(seed, signature)| verify(seed, signature))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_signatures_are_known() {
        assert!(verify("hm", &sign("hm")));
        assert!(!verify("hm!", &sign("hm")));
        assert!(is_sealed(&seal("abc")));
        assert!(!is_sealed("abc"));
    }
}
