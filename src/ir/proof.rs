//! What only its own dialect can read: signatures of thinking, encrypted reasoning, redacted thoughts.
//!
//! Invariant: a proof goes home or nowhere. A client of another dialect keeps it in a field of its own dialect, sealed
//! with the name of where it came from, and sends it back in later turns; whoever is asked then opens it only if it is
//! at home.

use super::Text;
use crate::config::Dialect;

/// What a sealed proof begins with. No vendor's own proof does: they are base64 or tokens of it, without a full stop.
pub const SEAL: &str = "sluice.";

/// An opaque text of one dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof<'a> {
    /// Where it is understood: the dialect that it was made in, or that of the model's maker.
    pub home: Dialect,
    /// In whatever form its home likes; printable ASCII without `"` and `\`.
    pub value: Text<'a>,
}

impl<'a> Proof<'a> {
    /// As a client of a dialect keeps it: as it is at home, sealed elsewhere.
    #[must_use]
    pub fn seal(&self, client: Dialect) -> Text<'a> {
        if self.home == client {
            return self.value.clone();
        }
        Text::from(format!("{SEAL}{}.{}", self.home.name(), self.value.plain()))
    }

    /// Reads what a client of a dialect sent back. An empty text is no proof: some clients keep the field without it.
    #[must_use]
    pub fn open(client: Dialect, text: Text<'a>) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        let sealed = text.plain();
        let Some(rest) = sealed.strip_prefix(SEAL) else { return Some(Self { home: client, value: text }) };
        let (name, value) = rest.split_once('.')?;
        let home = Dialect::ALL.into_iter().find(|dialect| dialect.name() == name && !value.is_empty())?;
        Some(Self { home, value: Text::from(value.to_owned()) })
    }

    /// Without a borrow.
    #[must_use]
    pub fn into_owned(self) -> Proof<'static> {
        Proof { home: self.home, value: self.value.into_owned() }
    }

    /// The value, for the dialect that is at home; nothing for any other.
    #[must_use]
    pub fn at_home(&self, dialect: Dialect) -> Option<&Text<'a>> {
        (self.home == dialect).then_some(&self.value)
    }
}

/// Whether a text that a client sent is another dialect's proof, or none at all.
#[must_use]
pub fn is_foreign(text: &str) -> bool {
    text.is_empty() || text.starts_with(SEAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_comes_home_through_any_client() {
        for home in Dialect::ALL {
            let proof = Proof { home, value: Text::from("EqQBCgIYAhIM+/==") };
            for client in Dialect::ALL {
                let kept = proof.seal(client);
                assert_eq!(is_foreign(&kept.plain()), home != client);
                assert_eq!(Proof::open(client, kept), Some(proof.clone()));
            }
        }
    }

    #[test]
    fn what_is_no_proof_is_dropped() {
        for nothing in ["", "sluice.", "sluice.nobody.x", "sluice.gemini", "sluice.gemini."] {
            assert_eq!(Proof::open(Dialect::Anthropic, Text::from(nothing)), None, "{nothing}");
        }
    }
}
