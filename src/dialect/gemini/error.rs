//! Errors: `google.rpc.Status` as JSON. <https://ai.google.dev/gemini-api/docs/troubleshooting>,
//! <https://cloud.google.com/apis/design/errors>
//!
//! Invariant: an upstream's message is kept verbatim (cut at a sane length); what is encoded is decoded as the same.

use crate::dialect::members::{Members, Path, Value};
use crate::ir::error::{ApiError, ErrorKind};
use crate::wire::json::{Error, Object, Reader, Text};

/// What is kept of a body that is no error object.
const MAX_MESSAGE: usize = 500;

const ERROR_INFO: &str = "type.googleapis.com/google.rpc.ErrorInfo";
const BAD_REQUEST: &str = "type.googleapis.com/google.rpc.BadRequest";
const REQUEST_INFO: &str = "type.googleapis.com/google.rpc.RequestInfo";

/// Reads an error reply.
pub(super) fn decode(status: u16, body: &[u8]) -> ApiError {
    let text = String::from_utf8_lossy(body);
    if let Some(error) = found(&text).and_then(|error| read(Some(status), error)) {
        return error;
    }
    let mut message: String = text.trim().chars().take(MAX_MESSAGE).collect();
    if message.is_empty() {
        message = format!("the provider answered {status} without a message");
    }
    ApiError { status, kind: ErrorKind::from_status(status), code: None, message, param: None }
}

/// The error that a reply with status 200, or a chunk of a stream, turns out to be.
pub(super) fn in_reply(text: &str) -> Option<ApiError> {
    // Nearly everything that is read is no error: it is not parsed twice.
    memchr::memmem::find(text.as_bytes(), b"\"error\"")?;
    read(None, found(text)?)
}

/// The error in a block of a stream that is not framed as an event.
pub(super) fn bare(block: &[u8]) -> Option<ApiError> {
    in_reply(std::str::from_utf8(block).ok()?)
}

/// The members of `error`. Streams that are not framed wrap it into an array.
fn found(text: &str) -> Option<Members<'_>> {
    let text = text.trim();
    let mut reader = Reader::new(text);
    if text.starts_with('[') {
        reader.array().ok()?;
        reader.element().ok()?;
    }
    Members::read(&mut reader).ok()?.take_members("error")
}

/// What `details` add.
#[derive(Debug, Default)]
struct Details {
    reason: Option<String>,
    param: Option<String>,
    per_day: bool,
}

fn details(value: Option<Value<'_>>) -> Details {
    let mut found = Details::default();
    let Some(Value::Raw(json)) = value else { return found };
    let mut reader = Reader::new(json);
    let mut read = || {
        reader.array()?;
        while reader.element()? {
            let mut detail = Members::read(&mut reader)?;
            if let Some(reason) = detail.take_if_text("reason") {
                found.reason = Some(reason.plain().into_owned());
            }
            for member in ["violations", "fieldViolations"] {
                let Some(Value::Raw(json)) = detail.take(member) else { continue };
                let mut violations = Reader::new(json);
                violations.array()?;
                while violations.element()? {
                    let mut violation = Members::read(&mut violations)?;
                    let quota = violation.take_if_text("quotaId").map(|id| id.plain().into_owned());
                    found.per_day |= quota.is_some_and(|id| id.contains("PerDay"));
                    if found.param.is_none() {
                        let field = violation.take_if_text("field");
                        found.param = field.map(|field| field.plain().into_owned());
                    }
                }
            }
        }
        Ok::<_, Error>(())
    };
    // Details in another form than Google's add nothing.
    let _ = read();
    found
}

fn read(status: Option<u16>, mut error: Members<'_>) -> Option<ApiError> {
    let message = error.take_if_text("message");
    let word = error.take_if_text("status").map(|word| word.plain().into_owned());
    let code = error.take("code").and_then(|code| code.integer(&Path::root("code")).ok());
    let code = code.and_then(|code| u16::try_from(code).ok()).filter(|code| (400..600).contains(code));
    if message.is_none() && word.is_none() && code.is_none() {
        return None;
    }
    let details = details(error.take("details"));
    let message = message.unwrap_or_else(|| Text::from("unknown error")).plain().into_owned();
    let told = word.as_deref().and_then(kind_of);
    let known = status.or(code);
    let kind = told.or(known.map(ErrorKind::from_status)).unwrap_or(ErrorKind::Server);
    let kind = refine(kind, &message, &details);
    // A status says what the kind says; only what is finer is a code.
    let code = details.reason.or(word.filter(|_| told.is_none()));
    Some(ApiError { status: known.unwrap_or(status_of(kind)), kind, code, message, param: details.param })
}

fn kind_of(word: &str) -> Option<ErrorKind> {
    Some(match word {
        "INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "OUT_OF_RANGE" => ErrorKind::InvalidRequest,
        "UNAUTHENTICATED" => ErrorKind::Authentication,
        "PERMISSION_DENIED" => ErrorKind::Permission,
        "NOT_FOUND" => ErrorKind::NotFound,
        "RESOURCE_EXHAUSTED" => ErrorKind::RateLimit,
        "UNAVAILABLE" => ErrorKind::Overloaded,
        "DEADLINE_EXCEEDED" => ErrorKind::Timeout,
        "INTERNAL" | "UNKNOWN" | "DATA_LOSS" => ErrorKind::Server,
        _ => return None,
    })
}

/// The status that goes with a kind, where an error came without one.
const fn status_of(kind: ErrorKind) -> u16 {
    match kind {
        ErrorKind::InvalidRequest | ErrorKind::ContextLength | ErrorKind::ContentFilter => 400,
        ErrorKind::Authentication => 401,
        ErrorKind::Billing => 402,
        ErrorKind::Permission => 403,
        ErrorKind::NotFound => 404,
        ErrorKind::TooLarge => 413,
        ErrorKind::RateLimit | ErrorKind::Quota => 429,
        ErrorKind::Server => 500,
        ErrorKind::Overloaded => 503,
        ErrorKind::Timeout => 504,
    }
}

/// Finer meanings that Google tells in details or in words.
fn refine(kind: ErrorKind, message: &str, details: &Details) -> ErrorKind {
    let message = message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|words| message.contains(words));
    let reason = details.reason.as_deref().unwrap_or_default();
    match kind {
        ErrorKind::InvalidRequest | ErrorKind::Permission | ErrorKind::Authentication
            if reason == "BILLING_DISABLED" || says(&["billing account", "requires billing"]) =>
        {
            ErrorKind::Billing
        }
        ErrorKind::InvalidRequest
            if reason.starts_with("API_KEY_") || says(&["api key not valid", "api key expired"]) =>
        {
            ErrorKind::Authentication
        }
        ErrorKind::InvalidRequest if says(&["user location is not supported"]) => ErrorKind::Permission,
        ErrorKind::InvalidRequest
            if says(&[
                "exceeds the maximum number of tokens",
                "input token count",
                "context length",
                "context window",
            ]) =>
        {
            ErrorKind::ContextLength
        }
        ErrorKind::RateLimit if details.per_day => ErrorKind::Quota,
        kind => kind,
    }
}

fn word_of(error: &ApiError) -> &'static str {
    match error.kind {
        ErrorKind::InvalidRequest | ErrorKind::ContextLength | ErrorKind::TooLarge => "INVALID_ARGUMENT",
        ErrorKind::ContentFilter | ErrorKind::Billing => "FAILED_PRECONDITION",
        ErrorKind::Authentication => "UNAUTHENTICATED",
        ErrorKind::Permission => "PERMISSION_DENIED",
        ErrorKind::NotFound => "NOT_FOUND",
        ErrorKind::RateLimit | ErrorKind::Quota => "RESOURCE_EXHAUSTED",
        ErrorKind::Overloaded => "UNAVAILABLE",
        ErrorKind::Server => "INTERNAL",
        ErrorKind::Timeout => "DEADLINE_EXCEEDED",
    }
}

/// Appends an error body.
pub(super) fn encode(error: &ApiError, request_id: &str, out: &mut Vec<u8>) {
    let mut body = Object::new(out);
    body.object("error", |object| {
        object
            .int("code", u64::from(error.status))
            .str("message", &error.message)
            .str("status", word_of(error));
        object.array("details", |details| {
            if let Some(code) = &error.code {
                details.object(|detail| {
                    detail.str("@type", ERROR_INFO).str("reason", code).str("domain", "sluice");
                });
            }
            if let Some(param) = &error.param {
                details.object(|detail| {
                    detail.str("@type", BAD_REQUEST).array("fieldViolations", |list| {
                        list.object(|violation| {
                            violation.str("field", param).str("description", &error.message);
                        });
                    });
                });
            }
            details.object(|detail| {
                detail.str("@type", REQUEST_INFO).str("requestId", request_id);
            });
        });
    });
}

/// Appends an error as a block of a stream. Google's clients know it by its first member.
pub(super) fn encode_event(error: &ApiError, request_id: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"data: ");
    encode(error, request_id, out);
    out.extend_from_slice(b"\r\n\r\n");
}

#[cfg(test)]
mod tests;
