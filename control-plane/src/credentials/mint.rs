//! Asks a token endpoint for one token.
//!
//! Invariants: a long-lived secret goes nowhere but to its token endpoint, over TLS unless that is this machine, and
//! follows no redirect; neither a secret nor a token is in an error or in a log.

use super::{entra, google};
use reqwest::header::RETRY_AFTER;
use serde::Deserialize;
use serde_json::Value;
use sluice::config::{Auth, AuthKind, BaseUrl};
use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

/// How long a token endpoint may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// No token is longer.
const LONGEST_REPLY: usize = 64 << 10;
/// How much of a vendor's words is kept.
const LONGEST_MESSAGE: usize = 400;

/// A short-lived token.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// What requests carry.
    pub(crate) secret: String,
    /// How long it is good, from when it was asked for.
    pub(crate) lifetime: Duration,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("lifetime", &self.lifetime).finish_non_exhaustive()
    }
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// The stored secret cannot be used: what was expected.
    #[error("the stored secret: expected {0}")]
    Secret(&'static str),
    /// The endpoint's URL is not one that a secret may be sent to.
    #[error("the token endpoint: expected an https:// URL, or http:// on this machine")]
    Url,
    /// No reply came, or none that is whole.
    #[error("the token endpoint cannot be reached: {0}")]
    Unreachable(String),
    /// The endpoint refused.
    #[error("the token endpoint answered {status}: {message}")]
    Refused {
        /// The status.
        status: u16,
        /// Its own words.
        message: String,
        /// When it wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// A 200 without a token.
    #[error("the token endpoint answered without a token that can be used")]
    Unreadable,
}

impl Failure {
    /// Whether asking again will hardly help before somebody changes something.
    pub(crate) fn is_lasting(&self) -> bool {
        match self {
            Self::Secret(_) | Self::Url => true,
            Self::Refused { status, .. } => (400..500).contains(status) && ![408, 429].contains(status),
            Self::Unreachable(_) | Self::Unreadable => false,
        }
    }

    /// When the endpoint wants to be asked again.
    pub(crate) const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// A request for a token.
#[derive(Clone)]
pub(super) struct Request {
    url: String,
    form: Vec<(&'static str, String)>,
}

impl Request {
    /// A form for that endpoint, if it is one that a secret may be sent to.
    pub(super) fn new(url: String, form: Vec<(&'static str, String)>) -> Result<Self, Failure> {
        let taken_apart = BaseUrl::parse(&url).ok_or(Failure::Url)?;
        let host = taken_apart.host.as_str();
        let local = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        if taken_apart.tls || local { Ok(Self { url, form }) } else { Err(Failure::Url) }
    }
}

fn request(auth: &Auth, now: SystemTime) -> Result<Request, Failure> {
    let scope = auth.scope.as_deref();
    match (auth.kind, &auth.entra) {
        (AuthKind::GoogleServiceAccount, _) => google::request(&auth.secret, scope, now),
        (AuthKind::EntraClientCredentials, Some(entra)) => entra::request(entra, &auth.secret, scope),
        _ => Err(Failure::Secret("a credential that tokens are minted from")),
    }
}

/// Whether tokens can be asked for with this credential, as far as can be told without asking.
pub(crate) fn check(auth: &Auth) -> Result<(), Failure> {
    request(auth, SystemTime::UNIX_EPOCH).map(drop)
}

/// Makes tokens.
pub(crate) trait Mint: Send + Sync + 'static {
    /// Asks for a token; `now` is what the wall clock says.
    fn mint(&self, auth: Auth, now: SystemTime) -> impl Future<Output = Result<Token, Failure>> + Send;
}

/// Asks the vendors' token endpoints.
#[derive(Debug, Clone)]
pub(crate) struct Vendors(reqwest::Client);

/// What both vendors answer.
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    /// A number, or one as text.
    expires_in: Value,
}

impl Vendors {
    /// With the system's certificate authorities and those that come with this program.
    pub(crate) fn new() -> reqwest::Result<Self> {
        let redirect = reqwest::redirect::Policy::none();
        Ok(Self(reqwest::Client::builder().redirect(redirect).timeout(PATIENCE).build()?))
    }
}

impl Mint for Vendors {
    async fn mint(&self, auth: Auth, now: SystemTime) -> Result<Token, Failure> {
        let Request { url, form } = request(&auth, now)?;
        let unreachable = |error: reqwest::Error| Failure::Unreachable(chain(&error.without_url()));
        let mut response = self.0.post(url).form(&form).send().await.map_err(unreachable)?;
        let status = response.status();
        let after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > LONGEST_REPLY {
                return Err(Failure::Unreadable);
            }
            body.extend_from_slice(&chunk);
        }
        if !status.is_success() {
            let message = message(&body, &form);
            let retry_after = after.map(Duration::from_secs);
            return Err(Failure::Refused { status: status.as_u16(), message, retry_after });
        }
        granted(&body).ok_or(Failure::Unreadable)
    }
}

/// An error and its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn granted(body: &[u8]) -> Option<Token> {
    let Granted { access_token, expires_in } = serde_json::from_slice(body).ok()?;
    let seconds =
        expires_in.as_u64().or_else(|| expires_in.as_str()?.parse().ok()).filter(|seconds| *seconds > 0)?;
    let usable = !access_token.is_empty() && access_token.bytes().all(|byte| byte.is_ascii_graphic());
    // More than a day is no short-lived token, whatever the endpoint says.
    let lifetime = Duration::from_secs(seconds.min(86_400));
    usable.then_some(Token { secret: access_token, lifetime })
}

/// The vendor's own words, without what was sent.
fn message(body: &[u8], form: &[(&str, String)]) -> String {
    let document: Value = serde_json::from_slice(body).unwrap_or_default();
    let member = |name: &str| document.get(name).and_then(Value::as_str).unwrap_or_default();
    let mut said = match (member("error"), member("error_description")) {
        ("", "") => "no reason given".to_owned(),
        (error, "") => error.to_owned(),
        (error, description) => format!("{error}: {description}"),
    };
    for (name, value) in form {
        if ["client_secret", "assertion"].contains(name) {
            said = said.replace(value.as_str(), "…");
        }
    }
    said.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(LONGEST_MESSAGE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_to_safe_places_only() {
        let fine = |url: &str| Request::new(url.to_owned(), Vec::new()).is_ok();
        assert!(fine("https://oauth2.googleapis.com/token") && fine("http://127.0.0.1:1/token"));
        assert!(fine("http://[::1]:1/token") && fine("http://localhost/token"));
        assert!(!fine("http://oauth2.googleapis.com/token") && !fine("ftp://x") && !fine(""));
    }

    #[test]
    fn only_whole_tokens_are_taken() {
        let read = |text: &str| granted(text.as_bytes()).map(|token| token.lifetime.as_secs());
        assert_eq!(read(r#"{"access_token": "a", "expires_in": 3599}"#), Some(3599));
        assert_eq!(read(r#"{"access_token": "a", "expires_in": "60"}"#), Some(60));
        assert_eq!(read(r#"{"access_token": "a", "expires_in": 99999999}"#), Some(86_400));
        for bad in [
            "{}",
            "",
            r#"{"access_token": "a"}"#,
            r#"{"access_token": "a b", "expires_in": 1}"#,
            r#"{"access_token": "a", "expires_in": 0}"#,
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_vendors_words_never_repeat_the_secret() {
        let form = [("client_secret", "s3cret".to_owned())];
        let said =
            message(br#"{"error": "invalid_client", "error_description": "bad s3cret\r\nTrace"}"#, &form);
        assert_eq!(said, "invalid_client: bad …  Trace");
        assert_eq!(message(b"<html>", &form), "no reason given");
    }

    #[test]
    fn what_cannot_help_itself_lasts() {
        let refused = |status| Failure::Refused { status, message: String::new(), retry_after: None };
        assert!(refused(401).is_lasting() && refused(400).is_lasting() && Failure::Url.is_lasting());
        assert!(
            !refused(429).is_lasting() && !refused(503).is_lasting() && !Failure::Unreadable.is_lasting()
        );
    }
}
