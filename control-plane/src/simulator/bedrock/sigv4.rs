//! Who sends a request: an AWS signature, version 4, verified to the last byte, or a Bedrock API key.
//!
//! Spec: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>.
//! Invariant: nothing of what the client says about its request is believed; it is computed again from what came.

use super::error::refuse;
use crate::simulator::answer::{Call, Refusal};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use time::{Date, Month, OffsetDateTime, Time, UtcOffset};

/// The access key that a provider without a credential of its own knows: the example of the vendor's documentation.
pub(crate) const ACCESS_KEY: &str = "AKIAIOSFODNN7EXAMPLE";
/// Its secret.
pub(crate) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
/// The access key of a session that such a provider knows; its secret is [`SECRET`].
pub(crate) const SESSION_KEY: &str = "ASIAIOSFODNN7EXAMPLE";
/// That session's token.
pub(crate) const SESSION_TOKEN: &str = "AQoDYXdzEJrEXAMPLEsessionTOKENofTHEsimulator";

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const SERVICE: &str = "bedrock";
/// How far a client's clock may be off, in seconds.
const SKEW: i64 = 300;

/// A key pair that is known.
#[derive(Debug, Clone, Copy)]
struct Pair<'a> {
    id: &'a str,
    secret: &'a str,
    token: Option<&'a str>,
}

/// `ID:SECRET`, `ID:SECRET:TOKEN`; anything else is an API key.
fn pair(credential: &str) -> Option<Pair<'_>> {
    let (id, rest) = credential.split_once(':')?;
    let (secret, token) = rest.split_once(':').map_or((rest, None), |(secret, token)| (secret, Some(token)));
    Some(Pair { id, secret, token })
}

fn signature_error(message: &str) -> Refusal {
    refuse(403, "InvalidSignatureException", message)
}

/// Refuses whom the provider does not know.
pub(crate) fn verify(call: &Call<'_>) -> Result<(), Refusal> {
    let given = call.header("authorization");
    if let Some(key) = given.strip_prefix("Bearer ") {
        return bearer(call.credential, key);
    }
    if given.is_empty() {
        return Err(refuse(403, "MissingAuthenticationTokenException", "Missing Authentication Token"));
    }
    let claim = Claim::read(given)?;
    let known = match call.credential {
        Some(credential) => pair(credential).into_iter().collect(),
        None => vec![
            Pair { id: ACCESS_KEY, secret: SECRET, token: None },
            Pair { id: SESSION_KEY, secret: SECRET, token: Some(SESSION_TOKEN) },
        ],
    };
    let unknown = || {
        refuse(403, "UnrecognizedClientException", "The security token included in the request is invalid.")
    };
    let pair = known.into_iter().find(|pair| pair.id == claim.id).ok_or_else(unknown)?;
    let token = Some(call.header("x-amz-security-token")).filter(|token| !token.is_empty());
    if token != pair.token {
        return Err(unknown());
    }
    let stamp = current(call, &claim)?;
    signed_headers(call, &claim)?;
    let canonical = canonical(call, &claim);
    let to_sign =
        format!("{ALGORITHM}\n{stamp}\n{}\n{}", claim.scope(), hex(&Sha256::digest(canonical.as_bytes())));
    let expected = hex(&mac(&key(pair.secret, &claim), &to_sign));
    if bool::from(expected.as_bytes().ct_eq(claim.signature.as_bytes())) {
        return Ok(());
    }
    Err(signature_error(&format!(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key \
         and signing method. Consult the service documentation for details.\n\nThe Canonical String for this request \
         should have been\n'{canonical}'\n\nThe String-to-Sign should have been\n'{to_sign}'\n"
    )))
}

fn bearer(credential: Option<&str>, key: &str) -> Result<(), Refusal> {
    let fits = credential.is_none_or(|known| pair(known).is_none() && known == key);
    if fits && !key.is_empty() {
        return Ok(());
    }
    let message = "Authentication failed: Please make sure your API Key is valid.";
    Err(refuse(403, "AccessDeniedException", message))
}

/// What an `Authorization` header claims.
#[derive(Debug)]
struct Claim<'a> {
    id: &'a str,
    day: &'a str,
    region: &'a str,
    headers: Vec<&'a str>,
    signature: &'a str,
}

impl<'a> Claim<'a> {
    fn read(text: &'a str) -> Result<Self, Refusal> {
        let incomplete = |message: String| refuse(403, "IncompleteSignatureException", &message);
        let parts = text.strip_prefix(ALGORITHM).ok_or_else(|| {
            incomplete(format!(
                "Unsupported AWS 'algorithm': '{}'.",
                text.split(' ').next().unwrap_or_default()
            ))
        })?;
        let part = |name: &str| {
            let mut values = parts.split(',').filter_map(|part| part.trim().split_once('='));
            values.find(|(known, _)| *known == name).map(|(_, value)| value).ok_or_else(|| {
                incomplete(format!("Authorization header requires '{name}' parameter. (Hashed with SHA-256 and encoded with Base64)"))
            })
        };
        let credential = part("Credential")?;
        let headers = part("SignedHeaders")?.split(';').collect();
        let signature = part("Signature")?;
        let scope: Vec<&str> = credential.split('/').collect();
        let [id, day, region, service, end] = scope.as_slice() else {
            return Err(incomplete(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{credential}'"
            )));
        };
        if region.is_empty() {
            return Err(signature_error("Credential should be scoped to a valid region."));
        }
        if *service != SERVICE {
            return Err(signature_error(&format!(
                "Credential should be scoped to correct service: '{SERVICE}'."
            )));
        }
        if *end != "aws4_request" {
            return Err(signature_error(&format!(
                "Credential should be scoped with a valid terminator: 'aws4_request', not '{end}'."
            )));
        }
        Ok(Self { id, day, region, headers, signature })
    }

    fn scope(&self) -> String {
        format!("{}/{}/{SERVICE}/aws4_request", self.day, self.region)
    }
}

/// The time of signing, if it is near enough and fits the credential's day.
fn current<'a>(call: &Call<'a>, claim: &Claim<'_>) -> Result<&'a str, Refusal> {
    let stamp = call.headers.get("x-amz-date").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let missing = || {
        let message = "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.";
        refuse(403, "IncompleteSignatureException", message)
    };
    let signed = seconds(stamp).ok_or_else(missing)?;
    let now = i64::try_from(call.now).unwrap_or(i64::MAX);
    if !stamp.starts_with(claim.day) {
        let message = format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != '{stamp}'.",
            claim.day
        );
        return Err(signature_error(&message));
    }
    let (least, most) = (written(now - SKEW), written(now + SKEW));
    let now_text = written(now);
    if signed < now - SKEW {
        let message = format!("Signature expired: {stamp} is now earlier than {least} ({now_text} - 5 min.)");
        return Err(signature_error(&message));
    }
    if signed > now + SKEW {
        let message =
            format!("Signature not yet current: {stamp} is still later than {most} ({now_text} + 5 min.)");
        return Err(signature_error(&message));
    }
    Ok(stamp)
}

/// The host and every header of the vendor's own must be signed.
fn signed_headers(call: &Call<'_>, claim: &Claim<'_>) -> Result<(), Refusal> {
    if !claim.headers.contains(&"host") {
        return Err(signature_error(
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
        ));
    }
    let mut own = call.headers.keys().map(http::HeaderName::as_str).filter(|name| name.starts_with("x-amz-"));
    if let Some(name) = own.find(|name| !claim.headers.contains(name)) {
        return Err(signature_error(&format!("'{name}' must be a 'SignedHeader' in the AWS Authorization.")));
    }
    Ok(())
}

fn canonical(call: &Call<'_>, claim: &Claim<'_>) -> String {
    let mut query: Vec<(String, String)> = call
        .query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (encoded(&decoded(name), false), encoded(&decoded(value), false)))
        .collect();
    query.sort();
    let query: Vec<String> = query.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let header = |name: &&str| {
        let values = call.headers.get_all(*name).iter().map(|value| {
            let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
            text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
        });
        format!("{name}:{}\n", values.collect::<Vec<_>>().join(","))
    };
    let headers: String = claim.headers.iter().map(header).collect();
    format!(
        "{}\n{}\n{}\n{headers}\n{}\n{}",
        call.method,
        encoded(call.path.as_bytes(), true),
        query.join("&"),
        claim.headers.join(";"),
        hex(&Sha256::digest(call.body))
    )
}

/// Every byte that RFC 3986 does not call unreserved, as `%XX`; a path keeps its slashes. What came encoded is encoded
/// once more, which is what all services but S3 want.
fn encoded(bytes: &[u8], path: bool) -> String {
    let one = |byte: &u8| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) || (path && *byte == b'/') {
            char::from(*byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    bytes.iter().map(one).collect()
}

/// Undoes `%XX`.
pub(crate) fn decoded(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits =
            after.get(..2).filter(|_| *first == b'%').and_then(|pair| std::str::from_utf8(pair).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                out.push(*first);
                rest = after;
            }
        }
    }
    out
}

fn key(secret: &str, claim: &Claim<'_>) -> Vec<u8> {
    let parts = [claim.day, claim.region, SERVICE, "aws4_request"];
    parts.iter().fold(format!("AWS4{secret}").into_bytes(), |key, part| mac(&key, part))
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    // A key of any length is taken.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `20260102T030405Z` as Unix seconds.
fn seconds(stamp: &str) -> Option<i64> {
    let (day, clock) = stamp.strip_suffix('Z')?.split_once('T')?;
    let digits = |text: &str| text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_digit());
    if day.len() != 8 || clock.len() != 6 || !digits(day) || !digits(clock) {
        return None;
    }
    let number = |text: &str, from: usize, to: usize| text.get(from..to)?.parse::<u8>().ok();
    let month = Month::try_from(number(day, 4, 6)?).ok()?;
    let date = Date::from_calendar_date(day.get(..4)?.parse().ok()?, month, number(day, 6, 8)?).ok()?;
    let time = Time::from_hms(number(clock, 0, 2)?, number(clock, 2, 4)?, number(clock, 4, 6)?).ok()?;
    Some(OffsetDateTime::new_in_offset(date, time, UtcOffset::UTC).unix_timestamp())
}

/// Unix seconds as `20260102T030405Z`.
fn written(seconds: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
        time.year(),
        u8::from(time.month()),
        time.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

/// Signs a request as a client does, for tests.
#[cfg(test)]
pub(crate) mod client {
    use super::*;

    /// The `Authorization` header of a request with these headers, all of them signed.
    pub(crate) fn sign(call: &Call<'_>, id: &str, secret: &str, region: &str) -> String {
        let mut headers: Vec<&str> = call.headers.keys().map(http::HeaderName::as_str).collect();
        headers.sort_unstable();
        let stamp = call.header("x-amz-date");
        let claim = Claim { id, day: stamp.get(..8).unwrap_or_default(), region, headers, signature: "" };
        let canonical = canonical(call, &claim);
        let to_sign = format!(
            "{ALGORITHM}\n{stamp}\n{}\n{}",
            claim.scope(),
            hex(&Sha256::digest(canonical.as_bytes()))
        );
        let signature = hex(&mac(&key(secret, &claim), &to_sign));
        let names = claim.headers.join(";");
        format!("{ALGORITHM} Credential={id}/{}, SignedHeaders={names}, Signature={signature}", claim.scope())
    }

    /// The time of signing, as the header has it.
    pub(crate) fn stamp(now: i64) -> String {
        written(now)
    }
}
