//! What a Google service account asks for a token with: an assertion that its private key has signed.
//!
//! Spec: <https://developers.google.com/identity/protocols/oauth2/service-account#httprest>. Invariant: the key file is
//! read where it is used and never kept; nothing of its private key is in an error.

use super::mint::{Failure, Request};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// How long an assertion is good, in seconds; the vendor takes no more.
const LIFETIME: u64 = 3600;

/// The members of a key file that matter here.
#[derive(Deserialize)]
struct KeyFile {
    client_email: String,
    private_key: String,
    #[serde(default)]
    private_key_id: Option<String>,
    #[serde(default = "token_uri")]
    token_uri: String,
}

fn token_uri() -> String {
    "https://oauth2.googleapis.com/token".to_owned()
}

/// The request for a token of this scope, asserted at `now`.
pub(super) fn request(key_file: &str, scope: Option<&str>, now: SystemTime) -> Result<Request, Failure> {
    let file: KeyFile = serde_json::from_str(key_file).map_err(|_| {
        Failure::Secret("the JSON key file of a service account, with client_email and private_key")
    })?;
    let key = PrivatePkcs8KeyDer::from_pem_slice(file.private_key.as_bytes())
        .ok()
        .and_then(|der| RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).ok())
        .ok_or(Failure::Secret("a key file whose private_key is an RSA key in PEM (PKCS #8)"))?;
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut header = json!({"alg": "RS256", "typ": "JWT"});
    if let (Some(id), Value::Object(header)) = (file.private_key_id, &mut header) {
        header.insert("kid".to_owned(), json!(id));
    }
    let claims = json!({
        "iss": file.client_email, "scope": scope.unwrap_or(SCOPE), "aud": file.token_uri, "iat": now, "exp": now + LIFETIME,
    });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&header), part(&claims));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
        .map_err(|_| Failure::Secret("a private key that can sign"))?;
    let assertion = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
    let form = vec![("grant_type", GRANT.to_owned()), ("assertion", assertion)];
    Request::new(file.token_uri, form)
}
