//! AWS Signature Version 4. <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>
//!
//! Invariant: pure, and for every service but S3: the path, percent-encoded as it is sent, is encoded once more for the
//! signature. Dot segments are not resolved: no path of ours has any.

use crate::config::token::hex;
use crate::config::{Auth, Invalid};
use crate::wire::calendar::Moment;
use crate::wire::percent;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::fmt;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What signs.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// `AKIA…` or `ASIA…`.
    pub access_key_id: String,
    /// The secret access key.
    pub secret: String,
    /// Of temporary credentials.
    pub session_token: Option<String>,
    /// `us-east-1`.
    pub region: String,
    /// The name that the service signs under.
    pub service: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

impl Credentials {
    /// Those of a provider.
    pub(super) fn of(auth: &Auth) -> Result<Self, Invalid> {
        let rule = Invalid::Rule { path: "auth.aws", expected: "access_key_id and region" };
        let aws = auth.aws.as_ref().ok_or(rule)?;
        Ok(Self {
            access_key_id: aws.access_key_id.clone(),
            secret: auth.secret.clone(),
            session_token: aws.session_token.clone(),
            region: aws.region.clone(),
            service: aws.service.clone(),
        })
    }

    /// The key of a day.
    fn key(&self, date: &str) -> [u8; 32] {
        let begun = hmac(format!("AWS4{}", self.secret).as_bytes(), date);
        [self.region.as_str(), self.service.as_str(), "aws4_request"]
            .into_iter()
            .fold(begun, |key, part| hmac(&key, part))
    }
}

/// What is signed.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// `POST`.
    pub method: &'a str,
    /// As in `:authority`.
    pub authority: &'a str,
    /// As it is sent, without the query.
    pub path: &'a str,
    /// As it is sent, without the question mark.
    pub query: &'a str,
    /// Lower-case names; `host` and what [`sign`] returns need not be here.
    pub headers: &'a [(&'a str, &'a str)],
    /// The whole body.
    pub body: &'a [u8],
}

/// The headers that make a request a signed one: `x-amz-date`, `x-amz-security-token` for temporary credentials, and
/// `authorization`.
#[must_use]
pub fn sign(request: &Signed<'_>, credentials: &Credentials, unix: u64) -> Vec<(&'static str, String)> {
    let time = Moment::of(unix).basic();
    let date = time.split('T').next().unwrap_or_default();
    let mut headers: Vec<(&str, String)> =
        request.headers.iter().map(|(name, value)| (*name, trimmed(value))).collect();
    headers.push(("host", trimmed(request.authority)));
    headers.push(("x-amz-date", time.clone()));
    if let Some(token) = &credentials.session_token {
        headers.push(("x-amz-security-token", token.clone()));
    }
    headers.sort_by_key(|(name, _)| *name);
    let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let canonical = format!(
        "{}\n{}\n{}\n{lines}\n{names}\n{}",
        request.method,
        canonical_path(request.path),
        canonical_query(request.query),
        hex(&Sha256::digest(request.body)),
    );
    let scope = format!("{date}/{}/{}/aws4_request", credentials.region, credentials.service);
    let told = format!("{ALGORITHM}\n{time}\n{scope}\n{}", hex(&Sha256::digest(canonical.as_bytes())));
    let signature = hex(&hmac(&credentials.key(date), &told));
    let id = &credentials.access_key_id;
    let authorization =
        format!("{ALGORITHM} Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}");
    let mut out = vec![("x-amz-date", time), ("authorization", authorization)];
    out.extend(credentials.session_token.clone().map(|token| ("x-amz-security-token", token)));
    out
}

/// Lower-case hex SHA-256, as `x-amz-content-sha256` carries it.
#[must_use]
pub fn content_hash(body: &[u8]) -> String {
    hex(&Sha256::digest(body))
}

fn hmac(key: &[u8], text: &str) -> [u8; 32] {
    // An HMAC key may have any length, so this cannot fail; a signature of zeros would be refused.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}

/// Without outer white space, inner runs of it as one space.
fn trimmed(value: &str) -> String {
    value.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

fn canonical_path(path: &str) -> String {
    if path.is_empty() {
        return "/".to_owned();
    }
    path.split('/').map(percent::encode).collect::<Vec<_>>().join("/")
}

/// Parameters in order; they are percent-encoded already.
fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<(&str, &str)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .collect();
    pairs.sort_unstable();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests;
