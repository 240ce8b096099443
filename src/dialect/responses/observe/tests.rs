use super::*;
use crate::ir::error::ErrorKind;

fn delta(number: u64, text: &str) -> String {
    format!(
        "event: response.output_text.delta\ndata: {{\"type\":\"response.output_text.delta\",\"item_id\":\"m\",\"output_index\":0,\"delta\":\"{text}\",\"sequence_number\":{number}}}\n\n"
    )
}

fn observer() -> Observer {
    Observer::new(Endpoint::Responses)
}

#[test]
fn an_unparsed_delta_counts_like_a_parsed_one() {
    let text = r#"a \"delta\":\"é\\"#;
    let mut parsed = observer();
    assert_eq!(parsed.block(delta(4, text).as_bytes()), Ok(Sight::Token));
    let once = parsed.summary().output_bytes;
    assert_eq!(parsed.block(delta(5, text).as_bytes()), Ok(Sight::Token));
    assert!(parsed.is_plain_delta(delta(6, text).as_bytes()));
    assert_eq!((once, parsed.summary().output_bytes), (text.len() as u64, 3 * text.len() as u64));
    assert_eq!(parsed.next, 7);
}

#[test]
fn an_error_takes_the_next_number_and_is_raised_by_the_clients() {
    let mut observer = observer();
    observer.block(delta(4, "a").as_bytes()).unwrap();
    observer.block(delta(5, "b").as_bytes()).unwrap();
    let error = ApiError {
        status: 504,
        kind: ErrorKind::Timeout,
        code: Some("upstream_timeout".to_owned()),
        message: "It took too long.".to_owned(),
        param: None,
    };
    let mut out = Vec::new();
    observer.error(&error, "req", &mut out);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "event: error\ndata: {\"type\":\"error\",\"sequence_number\":6,\"message\":\"It took too long.\",\"param\":null,\"code\":\"upstream_timeout\",\"error\":{\"message\":\"It took too long.\",\"type\":\"server_error\",\"param\":null,\"code\":\"upstream_timeout\"}}\n\n"
    );
}

#[test]
fn a_reply_is_kept_unless_the_provider_says_otherwise() {
    let stored = |members: &str| {
        let body =
            format!(r#"{{"id":"resp_1","status":"completed","output":[{{"type":"message"}}]{members}}}"#);
        peek_reply(Endpoint::Responses, &body).unwrap().stored.map(|stored| stored.id)
    };
    assert_eq!(stored(r#","store":true"#).as_deref(), Some("resp_1"));
    assert_eq!(stored("").as_deref(), Some("resp_1"));
    assert_eq!(stored(r#","store":false"#), None);
}

#[test]
fn a_broken_event_is_a_fault_only_before_the_first_token() {
    let mut observer = observer();
    assert!(observer.block(b"data: {\"type\":\n\n").is_err());
    observer.block(delta(1, "a").as_bytes()).unwrap();
    assert_eq!(observer.block(b"data: {\"type\":\n\n"), Ok(Sight::Silent));
}

#[test]
fn work_in_the_background_is_no_empty_reply() {
    let body = r#"{"id":"resp_1","status":"queued","background":true,"output":[],"store":true}"#;
    let summary = peek_reply(Endpoint::Responses, body).unwrap();
    let stored = StoredReply { id: "resp_1".to_owned(), background: Some(Progress::UnderWay), model: None };
    assert_eq!((summary.finish_reason.as_deref(), summary.stored), (Some("queued"), Some(stored)));
}
