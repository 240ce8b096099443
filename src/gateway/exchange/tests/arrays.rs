//! Gemini's streams, as events and as one array.

use super::*;

const ASK: &str = r#"{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}"#;
const EVENT: &str = "data: {\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"text\":\"yo\"}]},\"index\":0}],\"responseId\":\"r\",\"modelVersion\":\"up\"}\r\n\r\n";
const END: &str = "data: {\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"text\":\"!\"}]},\"finishReason\":\"STOP\",\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":7,\"candidatesTokenCount\":2,\"totalTokenCount\":9},\"responseId\":\"r\",\"modelVersion\":\"up\"}\r\n\r\n";

fn streaming(model: &str, array: bool) -> Session {
    let google = r#"{"name":"g","dialect":"gemini","base_url":"https://g.example/v1beta"}"#;
    let asked =
        Asked { model: Some(model.to_owned()), stream: true, array, ..Asked::of(Endpoint::GenerateContent) };
    let mut session = Session::asking(Dialect::Gemini, asked, "");
    session.admit(&knowing(&[google], &[]), ASK);
    let sent = session.sent();
    if model.starts_with("g/") {
        assert_eq!(header(&sent.headers, ":path"), "/v1beta/models/x:streamGenerateContent?alt=sse");
        assert_eq!(sent.body, None);
    }
    assert_eq!(session.head(200, &[SSE]), Flow::Hold);
    session
}

fn text(flow: Flow) -> String {
    match flow {
        Flow::Emit(bytes) => String::from_utf8(bytes).unwrap(),
        Flow::Answer { headers, body: Some(body) } => {
            assert_eq!(header(&headers, "content-type"), "application/json");
            String::from_utf8(body).unwrap()
        }
        flow => panic!("expected bytes, got {flow:?}"),
    }
}

#[test]
fn an_array_is_made_of_events_in_the_patch_lane() {
    let mut session = streaming("g/x", true);
    let whole =
        [session.body(EVENT, false), session.body(EVENT, false), session.body(END, true)].map(text).concat();
    let data = |event: &str| event.trim_start_matches("data: ").trim_end().to_owned();
    assert_eq!(whole, format!("[{},\r\n{},\r\n{}\n]\n", data(EVENT), data(EVENT), data(END)));
    let record = session.record();
    assert_eq!((classes(&record), record.usage.input), (vec!["g:ok".to_owned()], 7));
}

#[test]
fn events_pass_untouched_where_they_are_asked_for() {
    let mut session = streaming("g/x", false);
    let (_, headers, body) = answer(session.body(EVENT, false));
    assert_eq!((body, header(&headers, "content-type").as_str()), (None, "text/event-stream"));
    assert_eq!(session.body(END, true), Flow::Pass);
}

#[test]
fn an_array_is_made_of_a_translation_too() {
    let mut session = streaming("a/ma", true);
    let first = text(session.body(CHUNK, false));
    assert!(first.starts_with("[{"), "{first}");
    let rest = text(session.body(&format!("{LAST}{USAGE}{DONE}"), true));
    let whole: serde_json::Value = serde_json::from_str(&(first + &rest)).unwrap();
    let events = whole.as_array().unwrap();
    assert_eq!(events[0]["candidates"][0]["content"]["parts"][0]["text"], "yo");
    assert_eq!(events.last().unwrap()["usageMetadata"]["promptTokenCount"], 7);
}

#[test]
fn a_failure_after_the_first_token_is_the_array_s_last_element() {
    for model in ["g/x", "a/ma"] {
        let mut session = streaming(model, true);
        let first = text(session.body(if model == "g/x" { EVENT } else { CHUNK }, false));
        let rest = text(session.body("", true));
        let whole: serde_json::Value = serde_json::from_str(&(first + &rest)).unwrap();
        assert_eq!(whole.as_array().unwrap().last().unwrap()["error"]["code"], 502, "{model}: {whole}");
        assert_eq!(session.record().usage_source, UsageSource::Partial);
    }
}

#[test]
fn a_failure_before_it_is_an_ordinary_one() {
    let mut session = streaming("g/x", true);
    let event =
        "data: {\"error\":{\"code\":503,\"message\":\"overloaded\",\"status\":\"UNAVAILABLE\"}}\r\n\r\n";
    assert_eq!(session.body(event, false), retry("g", None));
}

#[test]
fn google_s_own_error_at_the_end_reaches_the_client_whole() {
    let said =
        "{\n  \"error\": {\"code\": 503, \"message\": \"overloaded\", \"status\": \"UNAVAILABLE\"}\n}\r\n";
    let mut session = streaming("g/x", true);
    let first = text(session.body(EVENT, false));
    let rest = text(session.body(said, true));
    let whole: serde_json::Value = serde_json::from_str(&(first + &rest)).unwrap();
    assert_eq!(whole.as_array().unwrap().last().unwrap()["error"]["message"], "overloaded", "{whole}");
    let mut session = streaming("g/x", false);
    session.body(EVENT, false);
    match session.body(said, true) {
        Flow::Pass => {}
        Flow::Emit(bytes) => assert_eq!(String::from_utf8(bytes).unwrap(), said),
        flow => panic!("expected the provider's own words, got {flow:?}"),
    }
}

#[test]
fn google_s_wait_becomes_retry_after() {
    let asked = Asked { model: Some("g/x".to_owned()), ..Asked::of(Endpoint::GenerateContent) };
    let google = r#"{"name":"g","dialect":"gemini","base_url":"https://g.example/v1beta"}"#;
    let mut session = Session::asking(Dialect::Gemini, asked, "");
    session.admit(&knowing(&[google], &[]), ASK);
    session.sent();
    let said = |delay: &str| {
        format!(
            r#"{{"error":{{"code":429,"message":"slow","status":"RESOURCE_EXHAUSTED","details":[{{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"{delay}"}}]}}}}"#
        )
    };
    assert_eq!(session.reply(429, &[], &said("1.2s")), retry("g", Some(2)));
    session.sent();
    let (status, headers, _) = answer(session.reply(429, &[], &said("32s")));
    assert_eq!(
        (status.as_str(), header(&headers, "retry-after").as_str()),
        ("429", "2"),
        "the smallest seen"
    );
}
