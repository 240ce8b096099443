//! The shape of client keys: `<prefix><id><secret><check>`, base62.
//!
//! `check` is a truncated HMAC-SHA-256 of everything before it, under a signing key that only the control plane and
//! the module hold: a mistyped or invented key is refused without a look-up.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Characters of a key's id.
pub const ID_LEN: usize = 12;
/// Characters of its secret: 190 bits.
pub const SECRET_LEN: usize = 32;
/// Characters of its check: 47 bits.
pub const CHECK_LEN: usize = 8;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The key under which checks are computed.
#[derive(Clone)]
pub struct SigningKey([u8; 32]);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey")
    }
}

impl SigningKey {
    /// Reads [`super::Settings::signing_key`].
    #[must_use]
    pub fn from_base64(text: &str) -> Option<Self> {
        STANDARD.decode(text).ok()?.try_into().ok().map(Self)
    }

    fn check(&self, body: &str) -> [u8; CHECK_LEN] {
        let mut out = [0; CHECK_LEN];
        // An HMAC key may have any length, so this cannot fail; an all-zero check would match no base62 text.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return out };
        mac.update(body.as_bytes());
        for (slot, byte) in out.iter_mut().zip(mac.finalize().into_bytes()) {
            *slot = base62(byte);
        }
        out
    }
}

/// 256 is not a multiple of 62: eight characters lose about half a bit, which is of no use to a forger.
fn base62(byte: u8) -> u8 {
    ALPHABET.get(usize::from(byte) % ALPHABET.len()).copied().unwrap_or(b'0')
}

/// A key taken apart. Nothing about it is verified yet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    body: &'a str,
    /// [`super::Key::id`].
    pub id: &'a str,
    secret: &'a str,
    /// What it claims as its check; see [`Token::is_ours`].
    pub check: &'a str,
}

impl std::fmt::Debug for Token<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token").field("id", &self.id).finish_non_exhaustive()
    }
}

impl<'a> Token<'a> {
    /// Takes a presented key apart; `None` if it does not have the shape.
    #[must_use]
    pub fn parse(text: &'a str, prefix: &str) -> Option<Self> {
        let rest = text.strip_prefix(prefix)?;
        if rest.len() != ID_LEN + SECRET_LEN + CHECK_LEN || !rest.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return None;
        }
        Some(Self {
            body: text.get(..text.len() - CHECK_LEN)?,
            id: rest.get(..ID_LEN)?,
            secret: rest.get(ID_LEN..ID_LEN + SECRET_LEN)?,
            check: rest.get(ID_LEN + SECRET_LEN..)?,
        })
    }

    /// Whether the check was made under `key`: the token was minted here.
    #[must_use]
    pub fn is_ours(&self, key: &SigningKey) -> bool {
        key.check(self.body).ct_eq(self.check.as_bytes()).into()
    }

    /// Whether its secret has this hash (lower-case hex SHA-256), compared in constant time.
    #[must_use]
    pub fn matches(&self, secret_hash: &str) -> bool {
        let digest: [u8; 32] = Sha256::digest(self.secret.as_bytes()).into();
        let mut digits = [0; 64];
        for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(digest) {
            *pair = [hex_digit(byte >> 4), hex_digit(byte)];
        }
        digits.ct_eq(secret_hash.as_bytes()).into()
    }
}

/// What is stored of a secret: lower-case hex SHA-256.
fn secret_digest(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}

/// Lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, *byte]).map(|nibble| char::from(hex_digit(nibble))).collect()
}

/// The digit of the lower half of a byte.
const fn hex_digit(byte: u8) -> u8 {
    let nibble = byte & 15;
    if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 }
}

/// A freshly minted key. `token` is shown to its owner once and stored nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Minted {
    /// The whole key.
    pub token: String,
    /// [`super::Key::id`].
    pub id: String,
    /// [`super::Key::secret_hash`].
    pub secret_hash: String,
    /// What listings show: prefix, first and last four characters.
    pub display: String,
}

/// Mints a key from randomness: [`ID_LEN`] + [`SECRET_LEN`] random bytes, of which each gives one character
/// (5.95 bits; bytes of 248 and above are folded, a bias of 1/31 on eight characters). With `id`, an existing key
/// gets a new secret.
#[must_use]
pub fn mint(
    prefix: &str,
    signing_key: &SigningKey,
    random: &[u8; ID_LEN + SECRET_LEN],
    id: Option<&str>,
) -> Minted {
    let characters: String = random.iter().map(|byte| char::from(base62(*byte))).collect();
    let (fresh_id, secret) = characters.split_at(ID_LEN);
    let id = id.unwrap_or(fresh_id);
    let body = format!("{prefix}{id}{secret}");
    let check = signing_key.check(&body);
    let token: String = body.chars().chain(check.iter().map(|byte| char::from(*byte))).collect();
    let tail: String = check.iter().skip(CHECK_LEN - 4).map(|byte| char::from(*byte)).collect();
    let head: String = id.chars().take(4).collect();
    Minted {
        display: format!("{prefix}{head}…{tail}"),
        id: id.to_owned(),
        secret_hash: secret_digest(secret),
        token,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signing_key() -> SigningKey {
        SigningKey([7; 32])
    }

    fn minted() -> Minted {
        let random: [u8; ID_LEN + SECRET_LEN] = std::array::from_fn(|at| u8::try_from(at * 5).unwrap());
        mint("slc-", &signing_key(), &random, None)
    }

    #[test]
    fn a_minted_key_verifies() {
        let minted = minted();
        let token = Token::parse(&minted.token, "slc-").unwrap();
        assert_eq!(token.id, minted.id);
        assert!(token.is_ours(&signing_key()) && token.matches(&minted.secret_hash));
        assert!(!token.is_ours(&SigningKey([8; 32])));
    }

    #[test]
    fn every_changed_character_is_noticed() {
        let minted = minted();
        for at in 4..minted.token.len() {
            let mut bytes = minted.token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
            let forged = String::from_utf8(bytes).unwrap();
            assert!(!Token::parse(&forged, "slc-").unwrap().is_ours(&signing_key()), "position {at}");
        }
    }

    #[test]
    fn other_shapes_are_not_tokens() {
        let good = minted().token;
        let cut = good.split_at(good.len() - 1).0;
        for bad in ["", "slc-", "sk-abc", cut, &format!("{good}x"), &good.replace("slc-", "xyz-")] {
            assert_eq!(Token::parse(bad, "slc-"), None, "{bad}");
        }
        assert_eq!(Token::parse(&format!("slc-{}", "é".repeat(26)), "slc-"), None);
    }

    #[test]
    fn a_rotated_key_keeps_its_id() {
        let rotated = mint("slc-", &signing_key(), &[9; ID_LEN + SECRET_LEN], Some(&minted().id));
        assert_eq!(rotated.id, minted().id);
        assert_ne!(rotated.secret_hash, minted().secret_hash);
    }
}
