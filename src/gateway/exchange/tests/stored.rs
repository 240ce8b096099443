//! Replies that providers keep.

use super::*;
use crate::config::{Maker, StoredResponses, Usage};
use crate::gateway::kept::Keeper;
use crate::gateway::route::Stored;

const RESPONSE: &str = r#"{"id":"resp_1","object":"response","created_at":1,"status":"completed","model":"up","store":true,"output":[{"type":"message","id":"msg_1","role":"assistant","status":"completed","content":[{"type":"output_text","text":"yo","annotations":[]}]}],"usage":{"input_tokens":7,"output_tokens":2,"total_tokens":9}}"#;
const ASK: &str = r#"{"model":"both","input":"hi"}"#;
const BUILD: &str = r#"{"model":"both","input":"hi","previous_response_id":"resp_1"}"#;
/// The key of every session.
const KEY: &str = "abcdefghijkl";

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

fn building() -> Session {
    Session::asking(Dialect::Responses, Asked::of(Endpoint::Responses), "")
}

/// Where the settings let keys look for replies that nobody knows.
fn openly(mut session: Session) -> Session {
    let mut active = Active {
        settings: session.exchange.active.settings.clone(),
        signing_key: SigningKey::from_base64(&session.exchange.active.settings.signing_key).unwrap(),
    };
    active.settings.stored_responses = StoredResponses::Open;
    session.exchange.active = Rc::new(active);
    session
}

fn maker(provider: &str, key: &str) -> Maker {
    Maker { provider: provider.into(), key: key.into(), model: Some("both".into()) }
}

impl Session {
    /// Admits a request that the control plane is asked about, and gives its answer.
    fn sought(&mut self, state: &State, body: &str, makers: Option<&[Maker]>) -> Result<Admitted, Rejection> {
        let admitted = self.exchange.admit(state, body.as_bytes().to_vec(), 0);
        assert_eq!(admitted, Ok(Admitted::Seek("resp_1".into())));
        let json = makers.map(|makers| serde_json::to_vec(makers).unwrap());
        self.exchange.sought(state, json.as_deref(), 0)
    }
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
    assert_eq!(
        state.kept().find("resp_1", KEY),
        Keeper::Known(Maker { model: Some("both".into()), ..maker("q", KEY) })
    );
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
    assert_eq!((record.reply.as_deref(), record.background), (Some("resp_1"), false));
}

#[test]
fn a_client_s_query_repeats_nothing_of_the_provider_s_own() {
    let azure = r#"{"name":"p","dialect":"openai","also_speaks":["responses"],"base_url":"https://p.example",
        "vendor":{"kind":"azure","api_version":"2025-04-01-preview"}}"#;
    let keyed = r#"{"name":"p","dialect":"responses","base_url":"https://p.example",
        "auth":{"kind":"query","name":"token","secret":"s"}}"#;
    let disabled = r#"{"name":"c","dialect":"anthropic","base_url":"https://c.example","enabled":false}"#;
    for (provider, query, wanted) in [
        (
            azure,
            "api-version=2024-01-01&include[]=a",
            "/openai/responses/resp_1?api-version=2025-04-01-preview&include[]=a",
        ),
        (azure, "api-version=x", "/openai/responses/resp_1?api-version=2025-04-01-preview"),
        (keyed, "token=mine&limit=2&token", "/responses/resp_1?token=s&limit=2"),
    ] {
        let mut session = openly(about("GET", "", query));
        started(session.sought(&knowing(&[provider, disabled], &[]), "", Some(&[])));
        assert_eq!(header(&session.sent().headers, ":path"), wanted);
    }
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
    assert_eq!(state.kept().find("resp_2", KEY), Keeper::Known(maker("p", KEY)));
}

#[test]
fn everybody_who_could_keep_it_is_asked_in_turn() {
    let state = keepers();
    for (method, part, path) in [
        ("GET", "/input_items", "/v1/responses/resp_1/input_items"),
        ("DELETE", "", "/v1/responses/resp_1"),
        ("POST", "/cancel", "/v1/responses/resp_1/cancel"),
    ] {
        let mut session = openly(about(method, part, ""));
        started(session.sought(&state, "", Some(&[])));
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
    let mut session = openly(about("GET", "", ""));
    started(session.sought(&keepers(), "", Some(&[])));
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
    started(session.sought(&keepers(), "", Some(&[maker("p", KEY)])));
    session.sent();
    let failed = RESPONSE.replace(
        "\"completed\",\"model\"",
        "\"failed\",\"error\":{\"code\":\"server_error\",\"message\":\"x\"},\"model\"",
    );
    assert_eq!(answer(session.reply(200, &[], &failed)).0, "200");
}

/// A call and a request that builds on the reply are refused alike, in the API's words for each.
fn is_not_there(state: &State, open: bool) {
    for (session, body, said) in [
        (about("GET", "", ""), "", (404, "not_found", "response_id")),
        (building(), BUILD, (400, "previous_response_not_found", "previous_response_id")),
    ] {
        let mut session = if open { openly(session) } else { session };
        let (status, code, param, _) = session.refused(state, body);
        assert_eq!((status, code.as_str(), param.as_deref()), (said.0, said.1, Some(said.2)));
    }
}

#[test]
fn another_key_s_reply_is_not_there() {
    let state = keepers();
    state.kept().remember("resp_1", &maker("p", "another-key"));
    is_not_there(&state, false);
    is_not_there(&state, true);
}

#[test]
fn what_this_envoy_has_not_seen_made_is_asked_of_the_control_plane() {
    let state = keepers();
    for (session, body, sent) in [
        (about("GET", "", ""), "", "GET q.example /v1/responses/resp_1"),
        (building(), BUILD, "POST q.example /v1/responses"),
    ] {
        let (mut ours, state) = (session, keepers());
        let newest_first = [maker("q", KEY), maker("p", KEY), maker("p", "another-key")];
        started(ours.sought(&state, body, Some(&newest_first)));
        assert_eq!(line(&ours.sent()), sent);
        let mut again = if body.is_empty() { about("GET", "", "") } else { building() };
        again.admit(&state, body);
        assert_eq!(line(&again.sent()), sent, "it is not asked twice");
    }
    // Another key had it made.
    let rejection = about("GET", "", "").sought(&state, "", Some(&[maker("p", "another-key")])).unwrap_err();
    assert_eq!(rejection.error.status, 404);
    is_not_there(&state, true);
}

#[test]
fn what_nobody_knows_is_not_there() {
    let state = keepers();
    for (mut session, body, status) in [(about("GET", "", ""), "", 404), (building(), BUILD, 400)] {
        let rejection = session.sought(&state, body, Some(&[])).unwrap_err();
        assert_eq!(rejection.error.status, status);
        assert_eq!(session.record().status, status);
    }
    // An id that no provider makes is nobody's, and no message carries it.
    let mut session = building();
    let (status, code, ..) = session.refused(&state, &BUILD.replace("resp_1", &"r".repeat(300)));
    assert_eq!((status, code.as_str()), (400, "previous_response_not_found"));
}

#[test]
fn an_empty_id_is_nobody_s() {
    let state = keepers();
    for session in [building(), openly(building())] {
        let mut session = session;
        let (status, code, param, _) = session.refused(&state, &BUILD.replace("resp_1", ""));
        assert_eq!((status, code.as_str()), (400, "previous_response_not_found"));
        assert_eq!(param.as_deref(), Some("previous_response_id"));
    }
    let mut session = building();
    session.admit(&state, &BUILD.replace("\"resp_1\"", "null"));
    assert_eq!(header(&session.sent().headers, ":authority"), "c.example", "none is asked for");
}

#[test]
fn without_the_control_plane_s_word_nobody_reaches_what_is_unknown() {
    let state = keepers();
    for session in [about("GET", "", ""), openly(about("GET", "", ""))] {
        let mut session = session;
        let rejection = session.sought(&state, "", None).unwrap_err();
        assert_eq!((rejection.error.status, rejection.retry_after_s), (503, Some(1)));
    }
    let mut session = building();
    assert!(matches!(session.exchange.admit(&state, BUILD.as_bytes().to_vec(), 0), Ok(Admitted::Seek(_))));
    let rejection = session.exchange.sought(&state, Some(b"[{"), 0).unwrap_err();
    assert_eq!(rejection.error.status, 503);
}

#[test]
fn what_builds_on_a_reply_goes_to_its_keeper_alone() {
    let state = keepers();
    let mut session = openly(building());
    started(session.sought(&state, BUILD, Some(&[])));
    assert_eq!(line(&session.sent()), "POST p.example /v1/responses", "nobody knows whose it is");
    let said = r#"{"error":{"message":"Previous response with id 'resp_1' not found.","type":"invalid_request_error","param":"previous_response_id","code":"previous_response_not_found"}}"#;
    assert_eq!(session.reply(400, &[], said), retry("q", None));
    session.sent();
    let (status, headers, body_sent) = answer(session.reply(400, &[], said));
    assert_eq!((status.as_str(), body_sent.as_deref()), ("400", Some(said)));
    assert_eq!(header(&headers, "x-sluice-passed-over"), "c/both previous_response_id");
    state.kept().remember("resp_1", &maker("q", KEY));
    let mut session = asking(BUILD, &state);
    assert_eq!(line(&session.sent()), "POST q.example /v1/responses");
    let (status, headers, _) = answer(session.reply(400, &[], said));
    assert_eq!(status, "400", "nobody else could have it");
    let left_out = "c/both previous_response_id, p/both previous_response_id";
    assert_eq!(header(&headers, "x-sluice-passed-over"), left_out);
    assert_eq!(session.record().passed_over.len(), 2);
    let elsewhere = BUILD.replace("both", "p/mp");
    let (status, code, ..) = building().refused(&state, &elsewhere);
    assert_eq!((status, code.as_str()), (400, "previous_response_not_found"));
}

#[test]
fn what_a_key_has_found_it_finds_again() {
    for (session, body, reply) in [
        (about("GET", "", ""), "", RESPONSE),
        (about("GET", "/input_items", ""), "", r#"{"object":"list","data":[]}"#),
        (building(), BUILD, RESPONSE),
    ] {
        let (state, mut session) = (keepers(), openly(session));
        started(session.sought(&state, body, Some(&[])));
        session.sent();
        session.reply(if body.is_empty() { 404 } else { 400 }, &[], r#"{"error":{"message":"Previous response with id 'resp_1' not found.","code":"previous_response_not_found"}}"#);
        session.sent();
        answer(session.reply(200, &[], &reply.replace("resp_1", "resp_9")));
        assert_eq!(state.kept().find("resp_1", KEY), Keeper::Found(Maker { model: None, ..maker("q", KEY) }));
        // That it knows the id does not make it the owner.
        assert_eq!(state.kept().find("resp_1", "another-key"), Keeper::Unknown);
    }
    let (state, mut session) = (keepers(), openly(about("DELETE", "", "")));
    started(session.sought(&state, "", Some(&[])));
    session.sent();
    answer(session.reply(200, &[], r#"{"id":"resp_1","object":"response","deleted":true}"#));
    assert_eq!(state.kept().find("resp_1", KEY), Keeper::Unknown, "it is no longer there");
}

#[test]
fn what_a_key_has_found_ends_where_an_owner_turns_up() {
    let theirs = [maker("p", "another-key")];
    for (named, body, method) in [(about("GET", "", ""), "", "GET"), (building(), BUILD, "POST")] {
        let state = keepers();
        let found = || state.kept().found("resp_1", &Maker { model: None, ..maker("q", KEY) });
        let path = if body.is_empty() { "/v1/responses/resp_1" } else { "/v1/responses" };
        let again = || if body.is_empty() { about("GET", "", "") } else { building() };
        found();
        let mut session = openly(named);
        started(session.sought(&state, body, Some(&[])));
        assert_eq!(line(&session.sent()), format!("{method} q.example {path}"), "nobody's still");
        let mut session = openly(again());
        started(session.sought(&state, body, None));
        assert_eq!(line(&session.sent()), format!("{method} q.example {path}"), "nobody could say otherwise");
        // Where keys may not look for what nobody knows, they may not go on with what they found when they might.
        let rejection = again().sought(&state, body, Some(&[])).unwrap_err();
        assert_eq!(rejection.error.status, if body.is_empty() { 404 } else { 400 });
        assert_eq!(again().sought(&state, body, None).unwrap_err().error.status, 503);
        let rejection = openly(again()).sought(&state, body, Some(&theirs)).unwrap_err();
        assert_eq!(rejection.error.status, if body.is_empty() { 404 } else { 400 });
        is_not_there(&state, true);
        found();
        is_not_there(&state, true);
        // It was the key's own.
        let state = keepers();
        state.kept().found("resp_1", &Maker { model: None, ..maker("q", KEY) });
        let mut session = openly(again());
        started(session.sought(&state, body, Some(&[maker("q", KEY)])));
        assert_eq!(state.kept().find("resp_1", KEY), Keeper::Known(maker("q", KEY)));
        let mut session = openly(again());
        session.admit(&state, body);
        assert_eq!(line(&session.sent()), format!("{method} q.example {path}"), "it is not asked again");
    }
}

fn background(status: &str, members: &str) -> String {
    format!(
        r#"{{"id":"resp_1","object":"response","status":"{status}","background":true,"model":"up","store":true,"output":[]{members}}}"#
    )
}

const USED: &str = r#","usage":{"input_tokens":7,"output_tokens":2,"total_tokens":9}"#;

/// The record of a call after which the reply is `body`.
fn looked_at(state: &State, method: &'static str, part: &'static str, body: &str) -> Record {
    let mut session = about(method, part, "");
    session.admit(state, "");
    session.sent();
    answer(session.reply(200, &[], body));
    session.record()
}

#[test]
fn work_in_the_background_is_booked_when_it_is_seen_finished() {
    let state = keepers();
    let mut session = asking(r#"{"model":"both","input":"hi","background":true}"#, &state);
    session.sent();
    answer(session.reply(200, &[], &background("queued", "")));
    let record = session.record();
    assert_eq!((record.usage, record.usage_source), (Usage::default(), UsageSource::Deferred));
    assert_eq!((record.reply.as_deref(), record.background), (Some("resp_1"), true));
    let used = Usage { input: 7, output: 2, ..Usage::default() };
    let said = r#","output":[{"type":"message","content":[{"type":"output_text","text":"12345678"}]}]"#;
    let guessed = Usage { output: 2, ..Usage::default() };
    for (method, part, body, usage, source) in [
        ("GET", "", background("in_progress", ""), Usage::default(), UsageSource::None),
        ("GET", "", background("completed", USED), used, UsageSource::Provider),
        ("GET", "", background("failed", USED), used, UsageSource::Provider),
        ("POST", "/cancel", background("cancelled", USED), used, UsageSource::Provider),
        ("POST", "/cancel", background("cancelled", ""), Usage::default(), UsageSource::None),
        ("GET", "", background("completed", said), guessed, UsageSource::Estimated),
    ] {
        let record = looked_at(&state, method, part, &body);
        assert_eq!((record.usage, record.usage_source), (usage, source), "{body}");
        assert_eq!((record.reply.as_deref(), record.background), (Some("resp_1"), true), "{body}");
        let model = Some("both".to_owned()).filter(|_| source != UsageSource::None);
        assert_eq!((record.model, record.provider.as_deref()), (model, Some("p")), "{body}");
    }
}

#[test]
fn what_nobody_knows_names_its_own_model() {
    let state = keepers();
    let mut session = openly(about("GET", "", ""));
    started(session.sought(&state, "", Some(&[])));
    session.sent();
    answer(session.reply(200, &[], &background("completed", USED)));
    let record = session.record();
    assert_eq!((record.usage.input, record.usage_source), (7, UsageSource::Provider));
    assert_eq!(record.model.as_deref(), Some("up"), "as the provider calls it");
}

#[test]
fn what_was_not_made_in_the_background_was_booked_when_it_was_made() {
    let state = keepers();
    state.kept().remember("resp_1", &maker("p", KEY));
    let refused = RESPONSE.replace(r#""output_text","text""#, r#""refusal","refusal""#);
    for body in [RESPONSE, &refused, r#"{"object":"list","data":[]}"#, "no JSON at all"] {
        let record = looked_at(&state, "GET", "", body);
        assert_eq!((record.usage, record.usage_source), (Usage::default(), UsageSource::None), "{body}");
        assert_eq!((record.background, record.model.as_deref()), (false, None), "{body}");
        assert_eq!(classes(&record), ["p:ok"], "{body}");
        assert_eq!(record.finish_reason, None, "{body}");
    }
}

fn event(number: u64, kind: &str, members: &str) -> String {
    format!("event: {kind}\ndata: {{\"type\":\"{kind}\",\"sequence_number\":{number},{members}}}\n\n")
}

#[test]
fn a_stream_of_work_in_the_background_is_booked_as_far_as_it_was_seen() {
    let state = keepers();
    let created = event(0, "response.created", &format!("\"response\":{}", background("in_progress", "")));
    let delta =
        event(1, "response.output_text.delta", r#""item_id":"m","output_index":0,"delta":"12345678""#);
    let done = event(2, "response.completed", &format!("\"response\":{}", background("completed", USED)));
    let replay = || {
        let stored = Stored { method: "GET", id: "resp_1".into(), part: "", query: "stream=true".into() };
        let asked = Asked { stored: Some(stored), stream: true, ..Asked::of(Endpoint::StoredResponses) };
        (Session::asking(Dialect::Responses, asked, ""), "")
    };
    let make = || (building(), r#"{"model":"p/mp","input":"hi","stream":true,"background":true}"#);
    for (mut session, body, cut) in
        [(make(), false), (replay(), false), (make(), true), (replay(), true)].map(|((s, b), c)| (s, b, c))
    {
        session.admit(&state, body);
        session.sent();
        session.head(200, &[SSE]);
        session.body(&created, false);
        answer(session.body(&delta, false));
        if !cut {
            session.body(&done, true);
        }
        let record = session.record();
        let replays = body.is_empty();
        let input = if replays { 0 } else { body.len().div_ceil(4) as u64 };
        let (usage, source) = if cut {
            (Usage { input, output: 2, ..Usage::default() }, UsageSource::Partial)
        } else {
            (Usage { input: 7, output: 2, ..Usage::default() }, UsageSource::Provider)
        };
        assert_eq!((record.usage, record.usage_source), (usage, source), "cut {cut}, replays {replays}");
        assert_eq!((record.reply.as_deref(), record.background), (Some("resp_1"), true));
    }
}

#[test]
fn a_stream_that_starts_after_the_beginning_is_booked_as_far_as_it_was_seen() {
    let delta =
        |kind| event(2, kind, r#""item_id":"m","output_index":0,"content_index":0,"delta":"12345678""#);
    let text = delta("response.output_text.delta");
    let done = event(3, "response.completed", &format!("\"response\":{}", background("completed", USED)));
    let plain = event(3, "response.completed", &format!("\"response\":{RESPONSE}"));
    let seen = Usage { output: 2, ..Usage::default() };
    let whole = Usage { input: 7, output: 2, ..Usage::default() };
    for (events, ends, usage, source, background) in [
        (vec![&text], false, seen, UsageSource::Partial, true),
        // The upstream breaks it off.
        (vec![&text], true, seen, UsageSource::Partial, true),
        (vec![&text, &done], true, whole, UsageSource::Provider, true),
        // Says of itself that it was not made in the background: it was booked when it was made.
        (vec![&text, &plain], true, Usage::default(), UsageSource::None, false),
    ] {
        let state = keepers();
        state.kept().remember("resp_1", &maker("p", KEY));
        let query = "stream=true&starting_after=1".into();
        let stored = Stored { method: "GET", id: "resp_1".into(), part: "", query };
        let asked = Asked { stored: Some(stored), stream: true, ..Asked::of(Endpoint::StoredResponses) };
        let mut session = Session::asking(Dialect::Responses, asked, "");
        session.admit(&state, "");
        session.sent();
        session.head(200, &[SSE]);
        let last = events.len() - 1;
        for (at, event) in events.iter().enumerate() {
            session.body(event, ends && at == last);
        }
        let record = session.record();
        assert_eq!((record.usage, record.usage_source), (usage, source), "{events:?}");
        assert_eq!((record.background, record.reply.as_deref()), (background, Some("resp_1")), "{events:?}");
        let model = Some("both".to_owned()).filter(|_| background);
        assert_eq!((record.model, record.provider.as_deref()), (model, Some("p")), "{events:?}");
    }
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
