//! Google's token endpoint for service accounts: a signed assertion for an access token.
//!
//! Spec: <https://developers.google.com/identity/protocols/oauth2/service-account#authorizingrequests>

use super::assertion::{self, Wrong};
use super::token::{Issuer, Standing, issue, standing};
use super::{Account, Form, LIFETIME};
use crate::simulator::answer::{Answer, Call};
use serde_json::{Value, json};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const AUDIENCE: &str = "https://oauth2.googleapis.com/token";
/// The longest life of an assertion, and how far a client's clock may be off, in seconds.
const LONGEST: u64 = 3600;
const SKEW: u64 = 300;

fn refuse(status: u16, error: &str, description: &str) -> Answer {
    Answer::refusal(status, json!({"error": error, "error_description": description}), description)
}

/// The error that it sends with a status, for no fault of the request.
pub(crate) fn of_status(status: u16, code: Option<&str>) -> Value {
    let (error, description) = match status {
        400..500 => (code.unwrap_or("invalid_grant"), "Invalid grant: account not found"),
        _ => (code.unwrap_or("internal_failure"), "Backend Error"),
    };
    json!({"error": error, "error_description": description})
}

/// Answers one request.
pub(crate) fn answer(call: &Call<'_>, account: &Account, form: &Form) -> Answer {
    match form.get("grant_type") {
        None => return refuse(400, "invalid_request", "Required parameter is missing: grant_type"),
        Some(GRANT) => {}
        Some(other) => {
            return refuse(400, "unsupported_grant_type", &format!("Invalid grant_type: {other}"));
        }
    }
    let Some(assertion) = form.get("assertion") else {
        return refuse(400, "invalid_request", "Required parameter is missing: assertion");
    };
    let key = assertion::public_key(&account.public_key).unwrap_or_default();
    let claims = match assertion::read(assertion, &key) {
        Ok(claims) => claims,
        Err(Wrong::Form) => {
            return refuse(400, "invalid_grant", "Invalid JWT: the assertion is not a JWT signed by RS256.");
        }
        Err(Wrong::Signature) => return refuse(400, "invalid_grant", "Invalid JWT Signature."),
    };
    if claims.iss != account.client_email {
        return refuse(400, "invalid_grant", "Invalid grant: account not found");
    }
    if claims.aud != AUDIENCE && claims.aud != format!("http://{}/token", call.header("host")) {
        let text = format!("Invalid JWT: Failed audience check. The right audience is {AUDIENCE}");
        return refuse(400, "invalid_grant", &text);
    }
    let early = claims.iat > call.now + SKEW;
    let over = claims.exp + SKEW < call.now;
    if early || over || claims.exp <= claims.iat || claims.exp - claims.iat > LONGEST {
        return refuse(
            400,
            "invalid_grant",
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp \
             values in the JWT claim.",
        );
    }
    let known = |scope: &str| scope.starts_with("https://www.googleapis.com/auth/");
    if claims.scope.is_empty() || !claims.scope.split(' ').all(known) {
        return refuse(400, "invalid_scope", "Invalid OAuth scope or ID token audience provided.");
    }
    let life = call.bias.lifetime.unwrap_or(LIFETIME);
    let token = issue(Issuer::Google, &claims.scope, call.now, call.now + life);
    Answer::json(json!({"access_token": token, "expires_in": life, "token_type": "Bearer"}))
}

/// Says what a token is worth, to whoever holds it.
pub(crate) fn info(call: &Call<'_>) -> Answer {
    let token = form_urlencoded::parse(call.query.as_bytes()).find(|(name, _)| name == "access_token");
    let token = token.map(|(_, token)| token.into_owned()).unwrap_or_default();
    match standing(Issuer::Google, &token, call.now) {
        Standing::Valid(scope) => Answer::json(json!({"scope": scope, "access_type": "online"})),
        Standing::Expired | Standing::Unknown => refuse(400, "invalid_token", "Invalid Value"),
    }
}
