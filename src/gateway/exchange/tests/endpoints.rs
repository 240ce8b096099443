//! What is not a chat: counts, vectors, pictures.

use super::*;

const COUNT: &str = r#"{"model":"m","messages":[{"role":"user","content":"hi there"}]}"#;

fn counting(body: &str, state: &State) -> (Session, Result<Admitted, Rejection>) {
    let mut session = Session::asking(Dialect::Anthropic, Asked::of(Endpoint::CountMessages), "");
    let admitted = session.exchange.admit(state, body.as_bytes().to_vec(), 0);
    (session, admitted)
}

#[test]
fn a_count_nobody_can_make_is_our_own_estimate() {
    let body = COUNT.replace("\"m\"", "\"a/ma\"");
    let (session, admitted) = counting(&body, &state());
    let Ok(Admitted::Answer { headers, body: counted }) = admitted else { panic!("an answer") };
    assert_eq!(headers[0], (":status", "200".to_owned()));
    assert!(headers.contains(&("x-sluice-usage-source", "estimated".to_owned())));
    let counted: serde_json::Value = serde_json::from_slice(&counted).unwrap();
    assert_eq!(counted["input_tokens"], body.len() / 4, "about four bytes a token");
    let record = session.record();
    assert_eq!((record.status, record.error, record.attempts.len()), (200, None, 0));
    assert_eq!(record.usage_source, UsageSource::None);
}

#[test]
fn a_count_is_made_by_who_serves_the_model() {
    // `a` and `b` cannot count, `c` can.
    let (mut session, admitted) = counting(COUNT, &state());
    assert_eq!(started(admitted).cluster, "sluice-c");
    let sent = session.sent();
    assert_eq!(header(&sent.headers, ":path"), "/v1/v1/messages/count_tokens");
    let (_, headers, body) = answer(session.reply(200, &[], r#"{"input_tokens":11}"#));
    assert_eq!(body, None);
    assert_eq!(header(&headers, "x-sluice-passed-over"), "a/m endpoint, b/m endpoint");
    let record = session.record();
    assert_eq!((record.usage_source, record.usage.input), (UsageSource::None, 0), "counting is free");
}

#[test]
fn a_count_crosses_dialects() {
    let state = knowing(&[r#"{"name":"d","dialect":"bedrock","base_url":"https://d.example"}"#], &[]);
    let (mut session, admitted) = counting(&COUNT.replace("\"m\"", "\"d/anthropic.claude-x\""), &state);
    assert_eq!(started(admitted).cluster, "sluice-d");
    let sent = session.sent();
    assert!(header(&sent.headers, ":path").ends_with("/count-tokens"), "{:?}", sent.headers);
    let (_, _, body) = answer(session.reply(200, &[], r#"{"inputTokens":11}"#));
    assert_eq!(body.as_deref(), Some(r#"{"input_tokens":11}"#));
    assert_eq!(session.record().usage_source, UsageSource::None);
}

/// What is in a form, byte for byte.
fn form(model: &str) -> Vec<u8> {
    let mut body = b"--xyz\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n".to_vec();
    body.extend(0..=255);
    body.extend(format!("\r\n--xyz\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n{model}\r\n--xyz\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\n2\r\n--xyz--\r\n").bytes());
    body
}

fn editing() -> Session {
    let mut session = Session::asking(Dialect::Openai, Asked::of(Endpoint::ImageEdits), "");
    session.exchange.content_type = "multipart/form-data; boundary=xyz".into();
    session
}

#[test]
fn a_form_passes_but_for_its_model() {
    let mut session = editing();
    // `c` speaks another dialect, and so is no choice.
    let start = started(session.exchange.admit(&state(), form("m"), 0));
    assert_eq!((start.cluster.as_str(), start.max_retries), ("sluice-a", 3));
    let sent = session.sent();
    assert_eq!(sent.body.unwrap(), form("ma"));
    assert_eq!(header(&sent.headers, "content-type"), "multipart/form-data; boundary=xyz");
    assert_eq!(header(&sent.headers, "content-length"), form("ma").len().to_string());
    assert_eq!(header(&sent.headers, ":path"), "/v1/images/edits");
    let (_, headers, body) =
        answer(session.reply(200, &[], r#"{"created":1,"data":[{"b64_json":"AA=="},{"b64_json":"AA=="}]}"#));
    assert_eq!(body, None);
    assert_eq!(header(&headers, "x-sluice-passed-over"), "c/m endpoint");
    let record = session.record();
    assert_eq!((record.requested_model.as_deref(), record.usage.images), (Some("m"), 2));
    assert_eq!((record.usage.input, record.usage.output), (0, 0), "a picture's bytes are no tokens");

    let mut session = editing();
    started(session.exchange.admit(&state(), form("a/ma"), 0));
    assert_eq!(session.sent().body.unwrap(), form("ma"));
    let mut session = editing();
    let same = r#"{"id":"ma","channels":[{"provider":"a","upstream_id":"ma"}]}"#;
    started(session.exchange.admit(&knowing(&[], &[same]), form("ma"), 0));
    assert_eq!(session.sent().body, None, "the client's own bytes");
}

#[test]
fn bad_forms_are_refused_with_the_reason() {
    let twice = [form("m").strip_suffix(b"--xyz--\r\n").unwrap(), &form("x")].concat();
    for (kind, body, param) in [
        ("multipart/form-data", form("m"), "content-type"),
        ("multipart/form-data; boundary=abc", form("m"), "body"),
        ("multipart/form-data; boundary=xyz", form(""), "model"),
        ("multipart/form-data; boundary=xyz", twice, "model"),
        ("multipart/form-data; boundary=xyz", b"--xyz--".to_vec(), "model"),
    ] {
        let mut session = editing();
        session.exchange.content_type = kind.into();
        let error = session.exchange.admit(&state(), body, 0).unwrap_err().error;
        assert_eq!((error.status, error.param.as_deref()), (400, Some(param)), "{}", error.message);
    }
    let claude = form("c/mc");
    let error = editing().exchange.admit(&state(), claude, 0).unwrap_err().error;
    assert_eq!((error.status, error.code.as_deref()), (404, Some("model_not_found")));
    let text = Session::arrived("").exchange.admit(&state(), form("m"), 0).unwrap_err().error;
    assert!(text.message.contains("UTF-8"), "a chat is no form");
}
