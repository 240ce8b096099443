use super::{decode, encode, in_reply};
use crate::ir::error::{ApiError, ErrorKind};

fn kind(status: u16, body: &str) -> ErrorKind {
    decode(status, body.as_bytes()).kind
}

#[test]
fn openais_own_shape_is_read_whole() {
    let body = r#"{"error":{"message":"Unsupported value: 'temperature'","type":"invalid_request_error","param":"temperature","code":"unsupported_value"}}"#;
    assert_eq!(
        decode(400, body.as_bytes()),
        ApiError {
            status: 400,
            kind: ErrorKind::InvalidRequest,
            code: Some("unsupported_value".to_owned()),
            message: "Unsupported value: 'temperature'".to_owned(),
            param: Some("temperature".to_owned()),
        }
    );
}

#[test]
fn vendors_shapes_give_their_message() {
    for (body, message) in [
        (r#"{"error":"model is loading"}"#, "model is loading"),
        (r#"{"object":"error","message":"no","type":"BadRequestError","param":null,"code":400}"#, "no"),
        (r#"{"detail":"Not authenticated"}"#, "Not authenticated"),
        (r#"{"detail":[{"loc":["body","x"],"msg":"field required","type":"missing"}]}"#, "field required"),
        (r#"{"message":{"detail":[{"msg":"extra"}]}}"#, "extra"),
        (r#"[{"error":{"code":429,"message":"slow","status":"RESOURCE_EXHAUSTED"}}]"#, "slow"),
        ("upstream connect error", "upstream connect error"),
        ("", "the provider answered with status 400 and no message"),
    ] {
        assert_eq!(decode(400, body.as_bytes()).message, message, "{body}");
    }
}

#[test]
fn words_prose_and_status_decide_in_this_order() {
    use ErrorKind::*;
    for (status, body, want) in [
        (400, r#"{"error":{"message":"x","code":"context_length_exceeded"}}"#, ContextLength),
        (
            400,
            r#"{"error":{"message":"This model's maximum context length is 8192 tokens."}}"#,
            ContextLength,
        ),
        (
            400,
            r#"{"error":{"message":"Please reduce the length of the messages or completion."}}"#,
            ContextLength,
        ),
        (
            413,
            r#"{"error":{"message":"Request too large on tokens per minute","type":"tokens","code":"rate_limit_exceeded"}}"#,
            RateLimit,
        ),
        (
            429,
            r#"{"error":{"message":"You exceeded your current quota, please check your plan","type":"insufficient_quota","code":"insufficient_quota"}}"#,
            Quota,
        ),
        (
            429,
            r#"{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}"#,
            RateLimit,
        ),
        (429, r#"{"error":{"message":"x","code":"billing_hard_limit_reached"}}"#, Billing),
        (
            402,
            r#"{"error":{"message":"Insufficient Balance","type":"unknown_error","code":"invalid_request_error"}}"#,
            Billing,
        ),
        (
            401,
            r#"{"error":{"message":"Incorrect API key","type":"invalid_request_error","code":"invalid_api_key"}}"#,
            Authentication,
        ),
        (400, r#"{"error":{"message":"x","code":"content_filter"}}"#, ContentFilter),
        (400, r#"{"error":{"message":"x","code":"content_policy_violation"}}"#, ContentFilter),
        (404, r#"{"error":{"message":"x","code":"model_not_found"}}"#, NotFound),
        (400, r#"{"error":{"message":"Model Not Exist","type":"invalid_request_error"}}"#, NotFound),
        (503, r#"{"error":{"message":"x","code":"engine_overloaded"}}"#, Overloaded),
        (500, r#"{"error":{"message":"x","type":"server_error"}}"#, Server),
        (504, "", Timeout),
        (413, "", TooLarge),
    ] {
        assert_eq!(kind(status, body), want, "{status} {body}");
    }
}

#[test]
fn an_error_inside_a_200_never_keeps_that_status() {
    let told = in_reply(r#"{"error":{"message":"slow down","code":429}}"#);
    assert_eq!((told.status, told.kind), (429, ErrorKind::RateLimit));
    let untold = in_reply(r#"{"error":{"message":"x","type":"overloaded_error"}}"#);
    assert_eq!((untold.status, untold.kind), (503, ErrorKind::Overloaded));
    let bare = in_reply(r#"{"error":"boom"}"#);
    assert_eq!((bare.status, bare.kind, bare.message.as_str()), (502, ErrorKind::Server, "boom"));
    let minimax =
        in_reply(r#"{"choices":null,"base_resp":{"status_code":1008,"status_msg":"insufficient balance"}}"#);
    assert_eq!((minimax.status, minimax.kind), (402, ErrorKind::Billing));
}

#[test]
fn a_foreign_body_is_cut_between_characters() {
    let body = "é".repeat(5_000);
    let message = decode(502, body.as_bytes()).message;
    assert_eq!(message.len(), 1_000);
    assert!(decode(500, &[0xff, 0xfe]).message.contains('\u{fffd}'));
}

#[test]
fn every_member_is_written() {
    let error = ApiError {
        status: 429,
        kind: ErrorKind::RateLimit,
        code: None,
        message: "slow\n".to_owned(),
        param: None,
    };
    let mut out = Vec::new();
    encode(&error, &mut out);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        r#"{"error":{"message":"slow\n","type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"}}"#
    );
}
