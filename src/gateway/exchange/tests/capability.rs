//! Steps that are left out, and how that is said.

use super::*;

/// `d` is Bedrock.
fn with_bedrock() -> State {
    knowing(&[r#"{"name":"d","dialect":"bedrock","base_url":"https://d.example"}"#], &[])
}

fn left(record: &Record) -> Vec<String> {
    record.passed_over.iter().map(|left| format!("{}/{}:{}", left.provider, left.model, left.lacks)).collect()
}

#[test]
fn a_step_that_cannot_do_it_is_named_in_reply_and_record() {
    let blind =
        r#"{"id":"blind","channels":[{"provider":"a","upstream_id":"x"}],"input_modalities":["text"]}"#;
    let seeing = r#"{"id":"seeing","channels":[{"provider":"b","upstream_id":"y"}],"input_modalities":["text","image"]}"#;
    let state = knowing(&[], &[blind, seeing]);
    let chain = r#","chain":[{"targets":[{"provider":"a","model":"blind"}]},{"targets":[{"provider":"b","model":"seeing"}]}]"#;
    let body = r#"{"model":"auto","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x/y.png"}}]}]}"#;
    let mut session = Session::arrived(chain);
    session.admit(&state, body);
    assert_eq!(session.begin().0, "b.example");
    let (_, headers, _) = answer(session.reply(200, &[], REPLY));
    assert_eq!(header(&headers, "x-sluice-passed-over"), "a/blind images");
    assert_eq!(left(&session.record()), ["a/blind:images"]);

    // What the client itself names is taken at its word.
    let mut session = Session::arrived(chain);
    session.admit(&state, &body.replace("auto", "blind"));
    assert_eq!(session.begin().0, "a.example");
    assert_eq!(left(&session.record()), Vec::<String>::new());
}

#[test]
fn a_strict_key_moves_past_steps_that_would_lose_something() {
    let chain = r#","loss":"strict","chain":[{"targets":[{"provider":"c","model":"mc"}]},{"targets":[{"provider":"a","model":"ma"}]}]"#;
    let body = CHAT.replace("\"m\"", "\"auto\"").replace("\"messages\"", "\"seed\":1,\"messages\"");
    let mut session = Session::arrived(chain);
    let start = started(session.exchange.admit(&state(), body.into_bytes(), 0));
    assert_eq!(start.cluster, "sluice-a");
    session.begin();
    let (_, headers, _) = answer(session.reply(200, &[], REPLY));
    assert_eq!(header(&headers, "x-sluice-passed-over"), "c/m seed");
    assert_eq!(header(&headers, "x-sluice-fallback-reason"), "", "nothing failed");
    assert_eq!(left(&session.record()), ["c/m:seed"]);
}

#[test]
fn where_no_step_can_say_it_the_first_reason_is_the_answer() {
    let state = with_bedrock();
    let chain = r#","loss":"strict","chain":[{"targets":[{"provider":"c","model":"mc"}]},{"targets":[{"provider":"d","model":"md"}]}]"#;
    let body = CHAT.replace("\"m\"", "\"auto\"").replace("\"messages\"", "\"seed\":1,\"messages\"");
    let mut session = Session::arrived(chain);
    let (status, code, param, message) = session.refused(&state, &body);
    assert_eq!((status, code.as_str(), param.as_deref()), (400, "unsupported_parameter", Some("seed")));
    assert!(message.contains("'c'"), "{message}");
    assert_eq!(left(&session.record()).len(), 2);
}

#[test]
fn a_request_that_its_own_dialect_cannot_read_stops_at_once() {
    let body = r#"{"model":"c/mc","messages":"no list"}"#;
    let chain = r#","chain":[{"targets":[{"provider":"a","model":"ma"}]}]"#;
    let (status, code, param, _) = Session::arrived(chain).refused(&state(), body);
    assert_eq!((status, code.as_str(), param.as_deref()), (400, "invalid_request", Some("messages")));
}

#[test]
fn a_step_without_a_larger_window_is_passed_over_for_context() {
    let small = r#"{"id":"small","channels":[{"provider":"a","upstream_id":"x"},{"provider":"b","upstream_id":"y"}],"context_window":1000}"#;
    let large = r#"{"id":"large","channels":[{"provider":"c","upstream_id":"z"}],"context_window":9000}"#;
    let chain = r#","chain":[{"targets":[{"provider":"c","model":"large"}]}]"#;
    let mut session = Session::arrived(chain);
    session.admit(&knowing(&[], &[small, large]), &CHAT.replace("\"m\"", "\"small\""));
    session.begin();
    let long =
        r#"{"error":{"message":"too long","type":"invalid_request_error","code":"context_length_exceeded"}}"#;
    assert_eq!(session.reply(400, &[], long), retry("c", None));
    session.begin();
    session.reply(200, &[], MESSAGE);
    assert_eq!(left(&session.record()), ["b/small:context"]);
}
