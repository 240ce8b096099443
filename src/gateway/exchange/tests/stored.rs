//! Replies that providers keep.

use super::*;
use crate::gateway::kept::Keeper;
use crate::gateway::route::Stored;

const RESPONSE: &str = r#"{"id":"resp_1","object":"response","created_at":1,"status":"completed","model":"up","store":true,"output":[{"type":"message","id":"msg_1","role":"assistant","status":"completed","content":[{"type":"output_text","text":"yo","annotations":[]}]}],"usage":{"input_tokens":7,"output_tokens":2,"total_tokens":9}}"#;
const ASK: &str = r#"{"model":"both","input":"hi"}"#;

/// `p` and `q` speak Responses, `c` does not; all serve `both`.
fn keepers() -> State {
    let speaks = |name: &str| {
        format!(
            r#"{{"name":"{name}","dialect":"openai","also_speaks":["responses"],"base_url":"https://{name}.example/v1"}}"#
        )
    };
    let (p, q) = (speaks("p"), speaks("q"));
    let model = r#"{"id":"both","channels":[{"provider":"c","upstream_id":"mc"},{"provider":"p","upstream_id":"mp"},{"provider":"q","upstream_id":"mq"}]}"#;
    knowing(&[&p, &q], &[model])
}

fn about(method: &'static str, part: &'static str, query: &str) -> Session {
    let stored = Stored { method, id: "resp_1".into(), part, query: query.into() };
    let asked = Asked { stored: Some(stored), ..Asked::of(Endpoint::StoredResponses) };
    Session::asking(Dialect::Responses, asked, "")
}

fn asking(body: &str, state: &State) -> Session {
    let mut session = Session::asking(Dialect::Responses, Asked::of(Endpoint::Responses), "");
    session.admit(state, body);
    session
}

/// Who is asked, and for what.
fn line(sent: &Outgoing) -> String {
    [":method", ":authority", ":path"].map(|name| header(&sent.headers, name)).join(" ")
}

#[test]
fn a_reply_is_remembered_with_its_keeper_and_its_key() {
    let state = keepers();
    let mut session = asking(&ASK.replace("both", "q/mq"), &state);
    session.sent();
    answer(session.reply(200, &[], RESPONSE));
    assert_eq!(state.kept().find("resp_1", "abcdefghijkl"), Keeper::Provider("q".into()));
    let mut session = about("GET", "", "include[]=a");
    session.admit(&state, "");
    let sent = session.sent();
    assert_eq!(line(&sent), "GET q.example /v1/responses/resp_1?include[]=a");
    assert_eq!((header(&sent.headers, "content-length").as_str(), sent.body), ("", None));
    let (status, headers, body) = answer(session.reply(200, &[], RESPONSE));
    assert_eq!((status.as_str(), body), ("200", None));
    assert_eq!(header(&headers, "x-sluice-provider"), "q");
    let record = session.record();
    assert_eq!((record.usage_source, record.usage.input), (UsageSource::None, 0), "it is paid for already");
    assert_eq!((record.model, record.requested_model), (None, None));
}

#[test]
fn a_streamed_reply_is_remembered_too() {
    let state = keepers();
    let mut session = asking(r#"{"model":"p/mp","input":"hi","stream":true}"#, &state);
    session.sent();
    session.head(200, &[SSE]);
    let created = "event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":0,\"response\":{\"id\":\"resp_2\",\"object\":\"response\",\"status\":\"in_progress\",\"output\":[]}}\n\n";
    let delta = "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":1,\"item_id\":\"m\",\"output_index\":0,\"content_index\":0,\"delta\":\"yo\"}\n\n";
    session.body(created, false);
    answer(session.body(delta, false));
    assert_eq!(state.kept().find("resp_2", "abcdefghijkl"), Keeper::Provider("p".into()));
}

#[test]
fn everybody_who_could_keep_it_is_asked_in_turn() {
    let state = keepers();
    for (method, part, path) in [
        ("GET", "/input_items", "/v1/responses/resp_1/input_items"),
        ("DELETE", "", "/v1/responses/resp_1"),
        ("POST", "/cancel", "/v1/responses/resp_1/cancel"),
    ] {
        let mut session = about(method, part, "");
        session.admit(&state, "");
        assert_eq!(line(&session.sent()), format!("{method} p.example {path}"));
        let said = r#"{"error":{"message":"Response with id 'resp_1' not found.","type":"invalid_request_error","param":null,"code":null}}"#;
        assert_eq!(session.reply(404, &[], said), retry("q", None));
        assert_eq!(line(&session.sent()), format!("{method} q.example {path}"));
        let (status, _, body) = answer(session.reply(404, &[], said));
        assert_eq!((status.as_str(), body.as_deref()), ("404", Some(said)), "the provider's own words");
    }
}

#[test]
fn the_keeper_s_failure_says_more_than_another_s_ignorance() {
    let mut session = about("GET", "", "");
    session.admit(&keepers(), "");
    for _ in 0..2 {
        session.sent();
        session.reply(500, &[], r#"{"error":{"message":"broken"}}"#);
    }
    session.sent();
    let (status, _, body) = answer(session.reply(404, &[], r#"{"error":{"message":"not here"}}"#));
    assert_eq!(status, "502");
    assert!(body.unwrap().contains("broken"));
}

#[test]
fn the_report_of_a_failure_is_an_answer() {
    let mut session = about("GET", "", "");
    session.admit(&keepers(), "");
    session.sent();
    let failed = RESPONSE.replace(
        "\"completed\",\"model\"",
        "\"failed\",\"error\":{\"code\":\"server_error\",\"message\":\"x\"},\"model\"",
    );
    assert_eq!(answer(session.reply(200, &[], &failed)).0, "200");
}

#[test]
fn another_key_s_reply_is_not_there() {
    let state = keepers();
    state.kept().remember("resp_1", "p", "another-key");
    let (status, code, ..) = about("GET", "", "").refused(&state, "");
    assert_eq!((status, code.as_str()), (404, "not_found"));
    let body = r#"{"model":"both","input":"hi","previous_response_id":"resp_1"}"#;
    let mut session = Session::asking(Dialect::Responses, Asked::of(Endpoint::Responses), "");
    let (status, code, param, _) = session.refused(&state, body);
    assert_eq!((status, code.as_str()), (400, "previous_response_not_found"));
    assert_eq!(param.as_deref(), Some("previous_response_id"));
}

#[test]
fn what_builds_on_a_reply_goes_to_its_keeper_first() {
    let state = keepers();
    let body = r#"{"model":"both","input":"hi","previous_response_id":"resp_1"}"#;
    let mut session = asking(body, &state);
    assert_eq!(line(&session.sent()), "POST p.example /v1/responses", "nobody knows whose it is");
    let said = r#"{"error":{"message":"Previous response with id 'resp_1' not found.","type":"invalid_request_error","param":"previous_response_id","code":"previous_response_not_found"}}"#;
    assert_eq!(session.reply(400, &[], said), retry("q", None));
    session.sent();
    let (status, headers, body_sent) = answer(session.reply(400, &[], said));
    assert_eq!((status.as_str(), body_sent.as_deref()), ("400", Some(said)));
    assert_eq!(header(&headers, "x-sluice-passed-over"), "c/both previous_response_id");
    state.kept().remember("resp_1", "q", "abcdefghijkl");
    assert_eq!(line(&asking(body, &state).sent()), "POST q.example /v1/responses");
}

#[test]
fn what_only_responses_has_is_refused_where_nobody_speaks_it() {
    for member in [r#""previous_response_id":"r""#, r#""background":true"#, r#""conversation":"c""#] {
        let body = format!(r#"{{"model":"m","input":"hi",{member}}}"#);
        let mut session = Session::asking(Dialect::Responses, Asked::of(Endpoint::Responses), "");
        let (status, code, param, message) = session.refused(&state(), &body);
        assert_eq!((status, code.as_str()), (400, "unsupported_parameter"), "{message}");
        let param = param.unwrap();
        assert!(member.contains(&param) && message.contains("OpenAI Responses"), "{message}");
        let left = session.record().passed_over;
        assert!(left.is_empty(), "there was no plan: {left:?}");
    }
}
