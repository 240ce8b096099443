//! Who asks, and may they.

use super::Now;
use super::headers::get;
use super::reject::Rejection;
use super::route;
use super::state::State;
use crate::config::token::Token;
use crate::config::{Endpoint, Key, KeyStatus};
use crate::ir::error::ErrorKind;
use std::rc::Rc;

/// What authentication came to.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// The key, and it may be used.
    Known(Rc<Key>),
    /// Minted by us, but this VM has not met it: ask the control plane for this id.
    Lookup(String),
}

/// The credential that a request presents: any of the vendors' headers, or Gemini's query parameter. Where several are
/// sent, the one with our prefix counts, since SDKs send placeholders in the others.
#[must_use]
pub fn presented(headers: &[(String, Vec<u8>)], path: &str, prefix: &str) -> Option<String> {
    let bearer = get(headers, "authorization").map(|value| match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => value.trim(),
    });
    let named = ["x-api-key", "api-key", "x-goog-api-key"].map(|name| get(headers, name).map(str::trim));
    let candidates = || [bearer].into_iter().chain(named).flatten().filter(|value| !value.is_empty());
    let ours = candidates().find(|value| value.starts_with(prefix));
    ours.or_else(|| candidates().next()).map(str::to_owned).or_else(|| route::query(path, "key"))
}

/// Decides about a presented credential.
pub fn authenticate(state: &State, presented: Option<&str>, now: Now) -> Result<Verdict, Rejection> {
    let Some(active) = state.active() else { return Err(starting()) };
    let Some(presented) = presented else {
        return Err(invalid_key(
            "No API key was sent. Send it as 'Authorization: Bearer <key>' or 'x-api-key: <key>'.",
        ));
    };
    let Some(token) = Token::parse(presented, &active.settings.key_prefix) else {
        return Err(invalid_key("The API key is malformed. Check that it was copied whole."));
    };
    let Some(key) = state.key(token.id) else {
        // The check spares the control plane forged and mistyped keys.
        return if !token.is_ours(&active.signing_key) {
            Err(not_ours())
        } else if state.is_unknown_key(token.id, now.mono_us) {
            Err(unknown_key())
        } else {
            Ok(Verdict::Lookup(token.id.to_owned()))
        };
    };
    verify(key, &token, now)?;
    // With the secret right, only a slip in the last characters is left to find; found once, it is remembered.
    if !state.is_checked(&token) {
        if !token.is_ours(&active.signing_key) {
            return Err(not_ours());
        }
        state.remember_checked(&token);
    }
    Ok(Verdict::Known(Rc::clone(key)))
}

fn not_ours() -> Rejection {
    invalid_key("The API key is not valid here. Check that it was copied whole.")
}

fn verify(key: &Key, token: &Token<'_>, now: Now) -> Result<(), Rejection> {
    let rotated = key.previous_secret.as_ref();
    let grace = rotated.is_some_and(|previous| now.unix() < previous.until && token.matches(&previous.hash));
    if !token.matches(&key.secret_hash) && !grace {
        return Err(invalid_key("The API key's secret is wrong or was rotated. Use the newest one."));
    }
    match key.status {
        KeyStatus::Active => {}
        KeyStatus::Disabled => {
            return Err(refused("key_disabled", "The API key is disabled. Ask its owner to enable it."));
        }
        KeyStatus::Revoked => {
            return Err(refused("key_revoked", "The API key was revoked. Use another one."));
        }
    }
    if key.expires_at.is_some_and(|expires| now.unix() >= expires) {
        return Err(refused("key_expired", "The API key has expired. Use another one, or have it extended."));
    }
    Ok(())
}

/// Whether the key may call this endpoint.
pub fn check_endpoint(key: &Key, endpoint: Endpoint) -> Result<(), Rejection> {
    if key.endpoints.permits(endpoint.name()) {
        return Ok(());
    }
    let message =
        format!("This key may not call {}. Use a key that may, or have it allowed.", endpoint.name());
    Err(Rejection::new(403, "endpoint_not_allowed", message))
}

/// The control plane answered that it does not know the key.
#[must_use]
pub fn unknown_key() -> Rejection {
    invalid_key("The API key is unknown. It may have been deleted; use another one.")
}

/// The control plane could not be asked.
#[must_use]
pub fn cannot_verify() -> Rejection {
    let message = "The API key cannot be verified just now. Try again shortly.";
    Rejection::of(503, ErrorKind::Overloaded, "key_lookup_unavailable", message).after(1)
}

fn starting() -> Rejection {
    let message = "The gateway has not received its configuration yet. Try again shortly.";
    Rejection::of(503, ErrorKind::Overloaded, "starting", message).after(1)
}

fn invalid_key(message: &str) -> Rejection {
    refused("invalid_api_key", message)
}

fn refused(code: &str, message: &str) -> Rejection {
    Rejection::new(401, code, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::token::{ID_LEN, SECRET_LEN, mint};
    use crate::config::type_url;
    use crate::gateway::state::Pushed;

    fn headers(list: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
        list.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect()
    }

    #[test]
    fn every_vendor_s_way_of_sending_a_key_works() {
        for (name, value) in [
            ("authorization", "Bearer slc-x"),
            ("authorization", "bearer  slc-x"),
            ("authorization", "slc-x"),
            ("x-api-key", "slc-x"),
            ("api-key", "slc-x"),
            ("x-goog-api-key", " slc-x "),
        ] {
            assert_eq!(
                presented(&headers(&[(name, value)]), "/", "slc-").as_deref(),
                Some("slc-x"),
                "{name}: {value}"
            );
        }
        assert_eq!(presented(&[], "/v1/x?alt=sse&key=slc-x", "slc-").as_deref(), Some("slc-x"));
    }

    #[test]
    fn placeholders_do_not_hide_the_key() {
        let both = headers(&[("authorization", "Bearer dummy"), ("x-api-key", "slc-x")]);
        assert_eq!(presented(&both, "/", "slc-").as_deref(), Some("slc-x"));
        assert_eq!(presented(&headers(&[("authorization", "Bearer ")]), "/", "slc-"), None);
    }

    #[test]
    fn a_slip_anywhere_is_noticed_also_in_the_check() {
        let signing_key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        let signing = crate::config::token::SigningKey::from_base64(signing_key).unwrap();
        let minted = mint("slc-", &signing, &[7; ID_LEN + SECRET_LEN], None);
        let settings = format!(r#"{{"key_prefix":"slc-","signing_key":"{signing_key}"}}"#);
        let key = format!(r#"{{"id":"{}","secret_hash":"{}"}}"#, minted.id, minted.secret_hash);
        let mut state = State::default();
        for (url, json) in [(type_url::SETTINGS, &settings), (type_url::KEY, &key)] {
            state.apply(url, &[Pushed { name: "", json: json.as_bytes() }], &[]).unwrap();
        }
        let ask = |token: &str| authenticate(&state, Some(token), Now::default());
        for _ in 0..2 {
            assert!(matches!(ask(&minted.token), Ok(Verdict::Known(_))));
            for at in 4..minted.token.len() {
                let mut slipped = minted.token.clone().into_bytes();
                slipped[at] = if slipped[at] == b'x' { b'y' } else { b'x' };
                let slipped = String::from_utf8(slipped).unwrap();
                assert_eq!(ask(&slipped).unwrap_err().error.status, 401, "character {at}");
            }
        }
    }
}
