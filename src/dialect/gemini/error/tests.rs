use super::{decode, encode, encode_event, in_reply};
use crate::ir::error::{ApiError, ErrorKind};

fn body(code: u16, word: &str, message: &str, details: &str) -> String {
    format!(r#"{{"error":{{"code":{code},"message":"{message}","status":"{word}","details":{details}}}}}"#)
}

#[test]
fn kinds_come_from_status_words_details_and_messages() {
    let per_day = r#"[{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}]"#;
    let per_minute = r#"[{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"GenerateRequestsPerMinutePerProjectPerModel"}]}]"#;
    let key = r#"[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]"#;
    for (status, word, message, details, expected) in [
        (400, "INVALID_ARGUMENT", "Invalid value", "[]", ErrorKind::InvalidRequest),
        (
            400,
            "INVALID_ARGUMENT",
            "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
            "[]",
            ErrorKind::ContextLength,
        ),
        (
            400,
            "INVALID_ARGUMENT",
            "API key not valid. Please pass a valid API key.",
            "[]",
            ErrorKind::Authentication,
        ),
        (400, "INVALID_ARGUMENT", "bad", key, ErrorKind::Authentication),
        (
            400,
            "FAILED_PRECONDITION",
            "User location is not supported for the API use.",
            "[]",
            ErrorKind::Permission,
        ),
        (
            403,
            "PERMISSION_DENIED",
            "This API method requires billing to be enabled.",
            "[]",
            ErrorKind::Billing,
        ),
        (401, "UNAUTHENTICATED", "no", "[]", ErrorKind::Authentication),
        (403, "PERMISSION_DENIED", "no", "[]", ErrorKind::Permission),
        (404, "NOT_FOUND", "models/x is not found", "[]", ErrorKind::NotFound),
        (429, "RESOURCE_EXHAUSTED", "quota", per_day, ErrorKind::Quota),
        (429, "RESOURCE_EXHAUSTED", "quota", per_minute, ErrorKind::RateLimit),
        (500, "INTERNAL", "boom", "[]", ErrorKind::Server),
        (503, "UNAVAILABLE", "The model is overloaded.", "[]", ErrorKind::Overloaded),
        (504, "DEADLINE_EXCEEDED", "late", "[]", ErrorKind::Timeout),
        (418, "TEAPOT", "short and stout", "{}", ErrorKind::InvalidRequest),
    ] {
        let error = decode(status, body(status, word, message, details).as_bytes());
        assert_eq!((error.kind, error.status, error.message.as_str()), (expected, status, message));
    }
    assert_eq!(
        decode(400, body(400, "INVALID_ARGUMENT", "m", key).as_bytes()).code.as_deref(),
        Some("API_KEY_INVALID")
    );
    assert_eq!(decode(418, body(418, "TEAPOT", "m", "[]").as_bytes()).code.as_deref(), Some("TEAPOT"));
}

#[test]
fn errors_hide_in_replies_and_arrays() {
    let error = body(503, "UNAVAILABLE", "m", "[]");
    for text in [error.clone(), format!("[{error}]"), format!(" [ {error}\n]")] {
        let found = in_reply(&text).unwrap();
        assert_eq!((found.status, found.kind), (503, ErrorKind::Overloaded));
        assert_eq!(decode(503, text.as_bytes()), found);
    }
    for text in [
        r#"{"candidates":[{"content":{"parts":[{"text":"\"error\""}]}}]}"#,
        "{\"error\":{}}",
        "[\"error\"]",
        "\"error\"",
    ] {
        assert_eq!(in_reply(text), None, "{text}");
    }
}

#[test]
fn what_is_written_is_read() {
    for (status, kind) in [
        (400, ErrorKind::InvalidRequest),
        (401, ErrorKind::Authentication),
        (403, ErrorKind::Permission),
        (404, ErrorKind::NotFound),
        (429, ErrorKind::RateLimit),
        (500, ErrorKind::Server),
        (503, ErrorKind::Overloaded),
        (504, ErrorKind::Timeout),
    ] {
        let (code, param) = (Some("some_code".to_owned()), Some("contents[0]".to_owned()));
        let error = ApiError { status, kind, code, message: "m \"quoted\"".into(), param };
        let mut out = Vec::new();
        encode(&error, "r", &mut out);
        assert_eq!(decode(status, &out), error);
        let mut event = Vec::new();
        encode_event(&error, "r", &mut event);
        assert_eq!(event, [b"data: ", out.as_slice(), b"\r\n\r\n"].concat());
        assert!(out.starts_with(br#"{"error":{"code":"#));
    }
}

#[test]
fn a_body_that_is_no_error_becomes_the_message() {
    let error = decode(502, b"<html>bad gateway</html>");
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Server, "<html>bad gateway</html>"));
    assert_eq!(decode(503, b"").message, "the provider answered 503 without a message");
    assert_eq!(decode(500, "é".repeat(9_999).as_bytes()).message.chars().count(), super::MAX_MESSAGE);
}
