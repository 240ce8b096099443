//! Thought signatures. <https://ai.google.dev/gemini-api/docs/thought-signatures>
//!
//! Google's SDKs decode `thoughtSignature` as base64, so what another dialect has proved is sealed and put into base64
//! for a client to keep.
//!
//! Invariant: a signature of Google's is never changed; one of ours never reaches Google.

use crate::config::Dialect;
use crate::ir::Proof;
use crate::wire::json::Text;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

/// What every signature of ours begins with: `sluice` in base64.
pub(super) const MARK: &str = "c2x1aWNl";

/// Marks a call that no Gemini has signed: `sluice.` in base64.
pub(super) const UNPROVED: &str = "c2x1aWNlLg==";

/// Google's placeholder for calls that another model made: it is accepted where a signature is demanded.
pub(super) const PLACEHOLDER: &str = "skip_thought_signature_validator";

/// What sealed thinking that nobody can read begins with, where other proofs have `sluice.`.
const REDACTED: &str = "sluice:";

/// As a Gemini client keeps a proof.
pub(super) fn write<'a>(proof: &Proof<'a>) -> Text<'a> {
    if proof.home == Dialect::Gemini {
        return proof.value.clone();
    }
    Text::from(STANDARD.encode(proof.seal(Dialect::Gemini).plain().as_bytes()))
}

/// As a Gemini client keeps thinking that only its home can read.
pub(super) fn write_redacted(data: &Proof<'_>) -> Text<'static> {
    let sealed = data.seal(Dialect::Gemini);
    let sealed = sealed.plain();
    Text::from(STANDARD.encode(sealed.replacen("sluice.", REDACTED, 1).as_bytes()))
}

/// What a client sent back.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kept<'a> {
    /// No proof at all.
    Nothing,
    /// A signature, of thinking or of a call.
    Proof(Proof<'a>),
    /// Thinking that only its home can read.
    Redacted(Proof<'a>),
}

impl<'a> Kept<'a> {
    /// The signature, if it is one.
    pub(super) fn proof(self) -> Option<Proof<'a>> {
        match self {
            Self::Proof(proof) => Some(proof),
            Self::Nothing | Self::Redacted(_) => None,
        }
    }
}

/// Reads what a client sent back.
pub(super) fn read(text: Text<'_>) -> Kept<'_> {
    let plain = text.plain();
    if plain.is_empty() || plain == PLACEHOLDER {
        return Kept::Nothing;
    }
    if !plain.starts_with(MARK) {
        return Kept::Proof(Proof { home: Dialect::Gemini, value: text });
    }
    let Some(sealed) = unpacked(&plain) else { return Kept::Nothing };
    let opened = |sealed: String| Proof::open(Dialect::Gemini, Text::from(sealed));
    let kept = match sealed.strip_prefix(REDACTED) {
        Some(rest) => opened(format!("sluice.{rest}")).map(Kept::Redacted),
        None if sealed.starts_with("sluice.") => opened(sealed).map(Kept::Proof),
        None => None,
    };
    kept.unwrap_or(Kept::Nothing)
}

/// Base64 of either alphabet, padded or not: SDKs write it anew.
fn unpacked(text: &str) -> Option<String> {
    let standard: String = text
        .trim_end_matches('=')
        .chars()
        .map(|letter| match letter {
            '-' => '+',
            '_' => '/',
            other => other,
        })
        .collect();
    String::from_utf8(STANDARD_NO_PAD.decode(standard).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_proof_comes_back() {
        for home in Dialect::ALL {
            for value in ["EqQB/+==", "a", "ab", "abc?~"] {
                let proof = Proof { home, value: Text::from(value) };
                let kept = write(&proof);
                assert_eq!(kept.plain().starts_with(MARK), home != Dialect::Gemini);
                let urlsafe = kept.plain().replace('+', "-").replace('/', "_");
                assert_eq!(read(kept), Kept::Proof(proof.clone()));
                if home != Dialect::Gemini {
                    assert_eq!(read(Text::from(urlsafe)), Kept::Proof(proof.clone()));
                    assert_eq!(read(write_redacted(&proof)), Kept::Redacted(proof));
                }
            }
        }
    }

    #[test]
    fn what_proves_nothing_is_nothing() {
        for text in ["", PLACEHOLDER, UNPROVED, "c2x1aWNl", "c2x1aWNl!", "c2x1aWNl////"] {
            assert_eq!(read(Text::from(text)), Kept::Nothing, "{text}");
        }
        assert_eq!(unpacked(UNPROVED).as_deref(), Some("sluice."));
    }
}
