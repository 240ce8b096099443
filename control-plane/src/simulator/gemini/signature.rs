//! Signs the parts that a model thought about, and recognises its own signatures when a conversation brings them back.
//!
//! Spec: <https://ai.google.dev/gemini-api/docs/thought-signatures>. Invariant: stateless, so that any instance takes what
//! another has signed.

use super::proto;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

const SALT: &str = "thoughts of the provider simulator";
const SEED: usize = 24;

/// What the vendor documents for calls that no model of its own has made.
const PLACEHOLDERS: &[&[u8]] =
    &[b"context_engineering_is_the_way_to_go", b"skip_thought_signature_validator"];

/// A signature; `seed`, of 24 letters, tells one from another.
pub(crate) fn sign(seed: &str) -> String {
    let mut bytes = seed.as_bytes().to_vec();
    bytes.extend(Sha256::new().chain_update(SALT).chain_update(seed).finalize());
    STANDARD.encode(bytes)
}

/// Whether a signature was given out here, or is one that the vendor documents.
pub(crate) fn is_known(signature: &str) -> bool {
    if PLACEHOLDERS.contains(&signature.as_bytes()) {
        return true;
    }
    let Some(bytes) = proto::decode(signature) else { return false };
    if PLACEHOLDERS.contains(&bytes.as_slice()) {
        return true;
    }
    let seed = bytes.split_at_checked(SEED).and_then(|(seed, _)| std::str::from_utf8(seed).ok());
    seed.is_some_and(|seed| proto::decode(&sign(seed)).is_some_and(|own| own == bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_and_documented_signatures_are_known() {
        let own = sign("abcdefghijklmnopqrstuvwx");
        assert!(is_known(&own) && is_known(&own.replace('+', "-").replace('/', "_").replace('=', "")));
        assert!(is_known("skip_thought_signature_validator"));
        assert!(is_known(&STANDARD.encode("context_engineering_is_the_way_to_go")));
        assert!(
            !is_known("abc=") && !is_known(&STANDARD.encode("abcdefghijklmnopqrstuvwxyz")) && !is_known("")
        );
    }
}
