//! The tokens that the simulated token endpoints issue, and what a room that is shown one may know of it.
//!
//! Invariant: stateless, so that any virtual provider takes what any other has issued, as the vendors' services do.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use subtle::ConstantTimeEq;

const SALT: &[u8] = b"tokens of the provider simulator";
/// What a Google access token begins with.
const GOOGLE: &str = "ya29.c.";

/// Who issues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Issuer {
    /// Google's OAuth 2.0 server.
    Google,
    /// Microsoft Entra.
    Entra,
}

/// What a token is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It was issued here for this scope (Google) or audience (Entra), and is good.
    Valid(String),
    /// It was issued here, and its time is over.
    Expired,
    /// It was not issued here, or not by that issuer.
    Unknown,
}

fn mac(text: &str) -> String {
    // A key of any length is taken.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(SALT) else { return String::new() };
    mac.update(text.as_bytes());
    URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
}

fn prefix(issuer: Issuer) -> String {
    match issuer {
        Issuer::Google => GOOGLE.to_owned(),
        // A client may look into an Entra token; it is a JWT.
        Issuer::Entra => {
            format!("{}.", URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"RS256","kid":"simulated"}"#))
        }
    }
}

/// A token for this purpose, issued at `now` and good until `expires`, in Unix seconds.
pub(crate) fn issue(issuer: Issuer, purpose: &str, now: u64, expires: u64) -> String {
    let claims = json!({"aud": purpose, "iat": now, "nbf": now, "exp": expires});
    let signed = format!("{}{}", prefix(issuer), URL_SAFE_NO_PAD.encode(claims.to_string()));
    format!("{signed}.{}", mac(&signed))
}

/// What a token is worth to a service that trusts this issuer.
pub(crate) fn standing(issuer: Issuer, token: &str, now: u64) -> Standing {
    let known = |token: &str| -> Option<Value> {
        let (signed, signature) = token.rsplit_once('.')?;
        let claims = signed.strip_prefix(&prefix(issuer))?;
        bool::from(mac(signed).as_bytes().ct_eq(signature.as_bytes())).then_some(())?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
    };
    let Some(claims) = known(token) else { return Standing::Unknown };
    match claims.get("exp").and_then(Value::as_u64) {
        Some(expires) if expires > now => {
            Standing::Valid(claims.get("aud").and_then(Value::as_str).unwrap_or_default().to_owned())
        }
        _ => Standing::Expired,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_tokens_are_known_and_only_for_their_time() {
        for issuer in [Issuer::Google, Issuer::Entra] {
            let token = issue(issuer, "all", 100, 200);
            assert_eq!(standing(issuer, &token, 199), Standing::Valid("all".into()));
            assert_eq!(standing(issuer, &token, 200), Standing::Expired);
            let other = if issuer == Issuer::Google { Issuer::Entra } else { Issuer::Google };
            assert_eq!(standing(other, &token, 199), Standing::Unknown);
            assert_eq!(standing(issuer, &token.replace('.', ".A"), 199), Standing::Unknown);
        }
        assert_eq!(standing(Issuer::Google, "ya29.c.x", 0), Standing::Unknown);
        assert_eq!(issue(Issuer::Entra, "a", 0, 1).split('.').count(), 3, "a JWT");
    }
}
