//! Errors. <https://platform.claude.com/docs/en/api/errors>
//!
//! Invariant: an upstream's message is kept verbatim (cut at a sane length); a client's SDK finds the exception class it
//! knows from status and `type`.

use crate::dialect::members::Members;
use crate::ir::error::{ApiError, ErrorKind};
use crate::wire::json::{Object, Text};

/// What is kept of a body that is no error object.
const MAX_MESSAGE: usize = 500;

/// Reads an error reply.
pub(super) fn decode(status: u16, body: &[u8]) -> ApiError {
    let text = String::from_utf8_lossy(body);
    let told = Members::of(&text).ok().and_then(|mut members| {
        let mut error = members.take_members("error").unwrap_or(members);
        error.take_if_text("message").map(|message| (message, error))
    });
    let Some((message, error)) = told else {
        let mut message: String = text.trim().chars().take(MAX_MESSAGE).collect();
        if message.is_empty() {
            message = format!("the provider answered {status} without a message");
        }
        let kind = refine(ErrorKind::from_status(status), &message);
        return ApiError { status, kind, code: None, message, param: None };
    };
    read(Some(status), error, &message)
}

/// The error that a reply with status 200, or an event of a stream, turns out to be.
pub(super) fn in_reply(members: &mut Members<'_>) -> Option<ApiError> {
    let mut error = members.take_members("error")?;
    let message = error.take_if_text("message").unwrap_or_else(|| Text::from("unknown error"));
    Some(read(None, error, &message))
}

fn read(status: Option<u16>, mut error: Members<'_>, message: &Text<'_>) -> ApiError {
    let owned = |text: Text<'_>| text.plain().into_owned();
    let word = error.take_if_text("type").map(owned);
    let told = word.as_deref().and_then(kind_of);
    // A type says what the kind says; only what is finer is a code.
    let code =
        error.take_members("details").and_then(|mut details| details.take_if_text("error_code")).map(owned);
    let code = code.or(word.filter(|_| told.is_none()));
    let message = owned(message.clone());
    let kind = told.or(status.map(ErrorKind::from_status)).unwrap_or(ErrorKind::Server);
    let kind = refine(kind, &message);
    ApiError { status: status.unwrap_or(status_of(kind)), kind, code, message, param: None }
}

fn kind_of(word: &str) -> Option<ErrorKind> {
    Some(match word {
        "invalid_request_error" => ErrorKind::InvalidRequest,
        "authentication_error" => ErrorKind::Authentication,
        "billing_error" => ErrorKind::Billing,
        "permission_error" => ErrorKind::Permission,
        "not_found_error" => ErrorKind::NotFound,
        "request_too_large" => ErrorKind::TooLarge,
        "rate_limit_error" => ErrorKind::RateLimit,
        "timeout_error" => ErrorKind::Timeout,
        "api_error" => ErrorKind::Server,
        "overloaded_error" => ErrorKind::Overloaded,
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
        ErrorKind::Timeout => 504,
        ErrorKind::Overloaded => 529,
    }
}

/// Finer meanings that Anthropic tells in words only.
fn refine(kind: ErrorKind, message: &str) -> ErrorKind {
    let message = message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|words| message.contains(words));
    match kind {
        ErrorKind::InvalidRequest | ErrorKind::Permission | ErrorKind::RateLimit | ErrorKind::Server => {}
        _ => return kind,
    }
    if says(&[
        "prompt is too long",
        "exceed context limit",
        "maximum context length",
        "context window exceeds",
    ]) {
        ErrorKind::ContextLength
    } else if says(&["credit balance is too low"]) {
        ErrorKind::Billing
    } else if says(&["usage limits", "spend limit", "quota"]) {
        ErrorKind::Quota
    } else if says(&["content filtering policy", "content policy", "usage policy"]) {
        ErrorKind::ContentFilter
    } else {
        kind
    }
}

const fn word_of(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidRequest | ErrorKind::ContextLength | ErrorKind::ContentFilter => {
            "invalid_request_error"
        }
        ErrorKind::Authentication => "authentication_error",
        ErrorKind::Permission => "permission_error",
        ErrorKind::Billing => "billing_error",
        ErrorKind::NotFound => "not_found_error",
        ErrorKind::TooLarge => "request_too_large",
        ErrorKind::RateLimit | ErrorKind::Quota => "rate_limit_error",
        ErrorKind::Overloaded => "overloaded_error",
        ErrorKind::Server => "api_error",
        ErrorKind::Timeout => "timeout_error",
    }
}

/// Appends an error body.
pub(super) fn encode(error: &ApiError, request_id: &str, out: &mut Vec<u8>) {
    let mut body = Object::new(out);
    body.str("type", "error").object("error", |object| {
        object.str("type", word_of(error.kind));
        // There is no member for the parameter: Anthropic begins its messages with it.
        match &error.param {
            Some(param) if !error.message.contains(param.as_str()) => {
                object.str("message", &format!("{param}: {}", error.message))
            }
            _ => object.str("message", &error.message),
        };
        // The type says only what sort of error it is; clients tell an expired key from a revoked one by this.
        if let Some(code) = error.code.as_deref().filter(|code| kind_of(code).is_none()) {
            object.object("details", |details| {
                details.str("error_code", code);
            });
        }
    });
    body.str("request_id", request_id);
}

/// Appends an error event.
pub(super) fn encode_event(error: &ApiError, request_id: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"event: error\ndata: ");
    encode(error, request_id, out);
    out.extend_from_slice(b"\n\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(status: u16, word: &str, message: &str) -> ErrorKind {
        let body = format!(r#"{{"type":"error","error":{{"type":"{word}","message":"{message}"}}}}"#);
        let error = decode(status, body.as_bytes());
        assert_eq!((error.status, error.message.as_str()), (status, message));
        error.kind
    }

    #[test]
    fn kinds_come_from_types_and_words() {
        for (status, word, message, expected) in [
            (400, "invalid_request_error", "max_tokens: Field required", ErrorKind::InvalidRequest),
            (
                400,
                "invalid_request_error",
                "prompt is too long: 210000 tokens > 200000",
                ErrorKind::ContextLength,
            ),
            (
                400,
                "invalid_request_error",
                "input length and `max_tokens` exceed context limit: 1 + 2 > 3",
                ErrorKind::ContextLength,
            ),
            (400, "invalid_request_error", "Your credit balance is too low to access", ErrorKind::Billing),
            (
                400,
                "invalid_request_error",
                "You have reached your specified API usage limits.",
                ErrorKind::Quota,
            ),
            (
                400,
                "invalid_request_error",
                "Output blocked by content filtering policy",
                ErrorKind::ContentFilter,
            ),
            (401, "authentication_error", "invalid x-api-key", ErrorKind::Authentication),
            (402, "billing_error", "pay", ErrorKind::Billing),
            (403, "permission_error", "no", ErrorKind::Permission),
            (404, "not_found_error", "model: x", ErrorKind::NotFound),
            (413, "request_too_large", "Request exceeds the maximum size", ErrorKind::TooLarge),
            (429, "rate_limit_error", "slow down", ErrorKind::RateLimit),
            (500, "api_error", "Internal server error", ErrorKind::Server),
            (504, "timeout_error", "late", ErrorKind::Timeout),
            (529, "overloaded_error", "Overloaded", ErrorKind::Overloaded),
            (418, "teapot_error", "short and stout", ErrorKind::InvalidRequest),
        ] {
            assert_eq!(kind(status, word, message), expected, "{message}");
        }
    }

    #[test]
    fn only_what_is_finer_than_a_kind_is_a_code() {
        let code = |body: &str| decode(400, body.as_bytes()).code;
        assert_eq!(code(r#"{"error":{"type":"api_error","message":"m"}}"#), None);
        assert_eq!(code(r#"{"error":{"type":"odd","message":"m"}}"#).as_deref(), Some("odd"));
        let detailed = r#"{"error":{"type":"api_error","message":"m","details":{"error_code":"x"}}}"#;
        assert_eq!(code(detailed).as_deref(), Some("x"));
    }

    #[test]
    fn a_code_is_written_where_it_is_read() {
        let code = Some("key_revoked".to_owned());
        let kind = ErrorKind::Authentication;
        let error = ApiError { status: 401, kind, code, message: "m".into(), param: None };
        let mut out = Vec::new();
        encode(&error, "r", &mut out);
        assert_eq!(decode(401, &out), error);
    }

    #[test]
    fn a_body_that_is_no_error_becomes_the_message() {
        let error = decode(502, b"<html>bad gateway</html>");
        assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Server, "<html>bad gateway</html>"));
        assert_eq!(decode(503, b"").message, "the provider answered 503 without a message");
        assert_eq!(decode(500, "é".repeat(9_999).as_bytes()).message.chars().count(), MAX_MESSAGE);
        assert_eq!(decode(400, br#"{"message":"flat"}"#).message, "flat");
    }

    #[test]
    fn the_parameter_is_named_once() {
        let mut error = ApiError {
            status: 400,
            kind: ErrorKind::InvalidRequest,
            code: None,
            message: "expected a string".into(),
            param: Some("model".into()),
        };
        let encoded = |error: &ApiError| {
            let mut out = Vec::new();
            encode(error, "req_1", &mut out);
            String::from_utf8(out).unwrap()
        };
        let expected = r#"{"type":"error","error":{"type":"invalid_request_error","message":"model: expected a string"},"request_id":"req_1"}"#;
        assert_eq!(encoded(&error), expected);
        error.message = "model: expected a string".into();
        assert_eq!(encoded(&error), expected);
        let mut out = Vec::new();
        encode_event(&error, "req_1", &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), format!("event: error\ndata: {expected}\n\n"));
    }
}
