//! Reads and verifies the signed assertion with which a service account asks for a token: a JWT by RS256.
//!
//! Spec: <https://developers.google.com/identity/protocols/oauth2/service-account#jwt-auth>, RFC 7519.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The algorithm identifier `rsaEncryption` of a public key, in DER.
const RSA: &[u8] =
    &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// What is wrong with an assertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// It is no JWT, or one of another kind.
    Form,
    /// It was signed by another key, or changed.
    Signature,
}

/// What an assertion claims.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Claims {
    /// Who asks.
    #[serde(default)]
    pub(crate) iss: String,
    /// For what.
    #[serde(default)]
    pub(crate) scope: String,
    /// Whom.
    #[serde(default)]
    pub(crate) aud: String,
    /// When, in Unix seconds.
    #[serde(default)]
    pub(crate) iat: u64,
    /// Until when.
    #[serde(default)]
    pub(crate) exp: u64,
}

#[derive(Debug, Deserialize)]
struct Header {
    alg: String,
}

/// The PKCS #1 public key inside a PEM `PUBLIC KEY`.
pub(crate) fn public_key(pem: &str) -> Option<Vec<u8>> {
    let key = SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes()).ok()?;
    let at = key.windows(RSA.len()).position(|window| window == RSA)?;
    // Behind the algorithm is a bit string: its tag, its length, and that no bit of it is unused.
    let (tag, rest) = key.get(at + RSA.len()..)?.split_first()?;
    let (length, rest) = rest.split_first()?;
    let more = if *length > 0x80 { usize::from(length - 0x80) } else { 0 };
    let (unused, bits) = rest.get(more..)?.split_first()?;
    (*tag == 0x03 && *unused == 0).then(|| bits.to_vec())
}

/// The claims of an assertion that this key has signed.
pub(crate) fn read(assertion: &str, key: &[u8]) -> Result<Claims, Wrong> {
    let (signed, signature) = assertion.rsplit_once('.').ok_or(Wrong::Form)?;
    let (header, claims) = signed.split_once('.').ok_or(Wrong::Form)?;
    let header: Header = part(header)?;
    let claims: Claims = part(claims)?;
    if header.alg != "RS256" {
        return Err(Wrong::Form);
    }
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Wrong::Form)?;
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key);
    key.verify(signed.as_bytes(), &signature).map_err(|_| Wrong::Signature)?;
    Ok(claims)
}

fn part<T: DeserializeOwned>(text: &str) -> Result<T, Wrong> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Wrong::Form)?;
    serde_json::from_slice(&bytes).map_err(|_| Wrong::Form)
}
