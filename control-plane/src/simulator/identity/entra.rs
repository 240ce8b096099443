//! Microsoft Entra's token endpoint for applications: a client's id and secret for an access token.
//!
//! Spec: <https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-client-creds-grant-flow>

use super::token::{Issuer, issue};
use super::{Application, Form, LIFETIME};
use crate::simulator::answer::{Answer, Call};
use serde_json::{Value, json};
use time::OffsetDateTime;

/// An error by its number, the OAuth word for it, and its status.
const CODES: &[(u64, &str, u16, &str)] = &[
    (900_144, "invalid_request", 400, "The request body must contain the following parameter: '{}'."),
    (70_003, "unsupported_grant_type", 400, "The app requested an unsupported grant type '{}'."),
    (
        90_002,
        "invalid_request",
        400,
        "Tenant '{}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.",
    ),
    (
        700_016,
        "unauthorized_client",
        400,
        "Application with identifier '{}' was not found in the directory. This can happen if the application has not been \
         installed by the administrator of the tenant or consented to by any user in the tenant.",
    ),
    (
        7_000_215,
        "invalid_client",
        401,
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the \
         client secret ID, for a secret added to app '{}'.",
    ),
    (
        7_000_222,
        "invalid_client",
        401,
        "The provided client secret keys for app '{}' are expired. Visit the Azure portal to create new keys for your app.",
    ),
    (
        1_002_012,
        "invalid_scope",
        400,
        "The provided value for scope {} is not valid. Client credential flows must have a scope value with /.default \
         suffixed to the resource identifier (application ID URI).",
    ),
    (
        90_055,
        "temporarily_unavailable",
        429,
        "The server is terminating the request because it is rate limited.{}",
    ),
    (90_033, "temporarily_unavailable", 503, "A transient error has occurred. Please try again.{}"),
];

fn document(number: u64, about: &str, now: u64) -> (u16, Value) {
    let row = CODES.iter().find(|row| row.0 == number);
    let (_, word, status, text) =
        row.copied().unwrap_or((number, "server_error", 500, "An error occurred.{}"));
    let time = i64::try_from(now).ok().and_then(|now| OffsetDateTime::from_unix_timestamp(now).ok());
    let stamp = time.map_or_else(String::new, |time| {
        format!("{} {:02}:{:02}:{:02}Z", time.date(), time.hour(), time.minute(), time.second())
    });
    let (trace, correlation) =
        ("00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002");
    let text = text.replace("{}", about);
    let description =
        format!("AADSTS{number}: {text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {stamp}");
    let document = json!({
        "error": word, "error_description": description, "error_codes": [number], "timestamp": stamp, "trace_id": trace,
        "correlation_id": correlation, "error_uri": format!("https://login.microsoftonline.com/error?code={number}"),
    });
    (status, document)
}

fn refuse(number: u64, about: &str, now: u64) -> Answer {
    let (status, document) = document(number, about, now);
    Answer::refusal(status, document, format!("AADSTS{number}"))
}

/// The error that it sends with a status, for no fault of the request; a code may name it: `AADSTS7000222`.
pub(crate) fn of_status(status: u16, code: Option<&str>) -> Value {
    let named = code.and_then(|code| code.strip_prefix("AADSTS")).and_then(|number| number.parse().ok());
    let usual = || CODES.iter().rev().find(|row| row.2 == status).map(|row| row.0);
    document(named.or_else(usual).unwrap_or(90_033), "", 0).1
}

/// Answers one request for a tenant's token.
pub(crate) fn answer(call: &Call<'_>, tenant: &str, application: &Application, form: &Form) -> Answer {
    let missing = ["grant_type", "client_id"].into_iter().find(|name| form.get(name).is_none());
    if let Some(name) = missing {
        return refuse(900_144, name, call.now);
    }
    let field = |name: &str| form.get(name).unwrap_or_default();
    if field("grant_type") != "client_credentials" {
        return refuse(70_003, field("grant_type"), call.now);
    }
    if tenant != application.tenant {
        return refuse(90_002, tenant, call.now);
    }
    if field("client_id") != application.client_id {
        return refuse(700_016, field("client_id"), call.now);
    }
    if field("client_secret") != application.client_secret {
        return refuse(7_000_215, field("client_id"), call.now);
    }
    let Some(audience) = field("scope").strip_suffix("/.default").filter(|resource| !resource.is_empty())
    else {
        return refuse(1_002_012, field("scope"), call.now);
    };
    let life = call.bias.lifetime.unwrap_or(LIFETIME);
    let token = issue(Issuer::Entra, audience, call.now, call.now + life);
    Answer::json(
        json!({"token_type": "Bearer", "expires_in": life, "ext_expires_in": life, "access_token": token}),
    )
}
