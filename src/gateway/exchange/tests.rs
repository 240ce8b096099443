//! Whole exchanges without Envoy: what the shell would call, in Envoy's order.

mod arrays;
mod capability;
mod endpoints;
mod lanes;
mod quoted;
mod stored;

use super::*;
use crate::config::token::SigningKey;
use crate::config::{Endpoint, Record, UsageSource, type_url};
use crate::gateway::state::Pushed;

const CHAT: &str = r#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#;
const CHAT_STREAM: &str = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}"#;
const REPLY: &str = r#"{"id":"c1","object":"chat.completion","created":1,"model":"up","choices":[{"index":0,"message":{"role":"assistant","content":"yo"},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}}"#;
const MESSAGE: &str = r#"{"id":"msg_1","type":"message","role":"assistant","model":"cl","content":[{"type":"text","text":"yo"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":7,"output_tokens":2}}"#;
const CHUNK: &str = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"up\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"yo\"},\"finish_reason\":null}]}\n\n";
const LAST: &str = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"up\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const USAGE: &str = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"up\",\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":2,\"total_tokens\":9}}\n\n";
const DONE: &str = "data: [DONE]\n\n";

/// Providers `a`, `b` (OpenAI) and `c` (Anthropic) serve `m`, in this order.
fn state() -> State {
    let settings = r#"{"key_prefix":"slc-","signing_key":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","first_token_deadline_ms":1000}"#;
    let model = r#"{"id":"m","channels":[{"provider":"a","upstream_id":"ma"},{"provider":"b","upstream_id":"mb"},{"provider":"c","upstream_id":"mc"}]}"#;
    let providers = [("a", "openai"), ("b", "openai"), ("c", "anthropic")].map(|(name, dialect)| {
        format!(r#"{{"name":"{name}","dialect":"{dialect}","base_url":"https://{name}.example/v1","auth":{{"kind":"bearer","secret":"s-{name}"}}}}"#)
    });
    let mut state = State::default();
    state.apply(type_url::SETTINGS, &[Pushed { name: "", json: settings.as_bytes() }], &[]).unwrap();
    state.apply(type_url::MODEL, &[Pushed { name: "", json: model.as_bytes() }], &[]).unwrap();
    let set: Vec<Pushed<'_>> =
        providers.iter().map(|json| Pushed { name: "", json: json.as_bytes() }).collect();
    state.apply(type_url::PROVIDER, &set, &[]).unwrap();
    state
}

fn started(admitted: Result<Admitted, Rejection>) -> Start {
    let Ok(Admitted::Start(start)) = admitted else { panic!("expected a start, got {admitted:?}") };
    start
}

/// Providers and models, each as JSON.
fn knowing(providers: &[&str], models: &[&str]) -> State {
    let mut state = state();
    for (url, items) in [(type_url::PROVIDER, providers), (type_url::MODEL, models)] {
        let set: Vec<Pushed<'_>> =
            items.iter().map(|json| Pushed { name: "", json: json.as_bytes() }).collect();
        state.apply(url, &set, &[]).unwrap();
    }
    state
}

/// Plays Envoy's part; every step takes a millisecond.
struct Session {
    exchange: Exchange,
    now: Now,
}

impl Session {
    fn admitted(body: &str) -> Self {
        let mut session = Self::arrived("");
        started(session.exchange.admit(&state(), body.as_bytes().to_vec(), 0));
        session
    }

    fn arrived(policy: &str) -> Self {
        Self::asking(Dialect::Openai, Asked::of(Endpoint::ChatCompletions), policy)
    }

    fn asking(dialect: Dialect, asked: Asked, policy: &str) -> Self {
        let hash = "0".repeat(64);
        let key = serde_json::from_str(&format!(r#"{{"id":"abcdefghijkl","secret_hash":"{hash}"{policy}}}"#))
            .unwrap();
        let now = Now { wall_us: 1_700_000_000_000_000, mono_us: 5_000 };
        let exchange = Exchange::new(Arrival {
            asked,
            dialect,
            content_type: "application/json".into(),
            key: Rc::new(key),
            active: Rc::clone(state().active().unwrap()),
            request_id: "req-1".into(),
            forward: vec![("user-agent".into(), b"sdk".to_vec())],
            now,
        });
        Self { exchange, now }
    }

    /// Admits a request that a provider is to be asked about.
    fn admit(&mut self, state: &State, body: &str) {
        started(self.exchange.admit(state, body.as_bytes().to_vec(), 0));
    }

    /// The status, code and parameter of a request that is refused.
    fn refused(&mut self, state: &State, body: &str) -> (u16, String, Option<String>, String) {
        let error = self.exchange.admit(state, body.as_bytes().to_vec(), 0).unwrap_err().error;
        (error.status, error.code.unwrap_or_default(), error.param, error.message)
    }

    /// The next attempt's request.
    fn sent(&mut self) -> Outgoing {
        self.wait(1);
        let Begin::Send { outgoing, .. } = self.exchange.begin(self.now, 0) else { panic!("a request") };
        outgoing
    }

    fn wait(&mut self, ms: u64) {
        self.now.mono_us += ms * 1_000;
        self.now.wall_us += ms * 1_000;
    }

    /// Begins the next attempt: whom it asks, with what body, after which pause.
    fn begin(&mut self) -> (String, Option<String>, u64) {
        self.wait(1);
        let Begin::Send { outgoing, wait_ms } = self.exchange.begin(self.now, 0) else { panic!("a request") };
        let value = |name: &str| {
            let (_, value) = outgoing.headers.iter().find(|(key, _)| key == name).unwrap();
            String::from_utf8(value.clone()).unwrap()
        };
        self.wait(wait_ms);
        (value(":authority"), outgoing.body.map(|body| String::from_utf8(body).unwrap()), wait_ms)
    }

    fn head(&mut self, status: u16, more: &[(&str, &str)]) -> Flow {
        self.wait(1);
        let mut headers = vec![(":status".to_owned(), status.to_string().into_bytes())];
        headers.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())));
        self.exchange.reply_head(headers, false, self.now)
    }

    fn body(&mut self, chunk: &str, ends: bool) -> Flow {
        self.wait(1);
        self.exchange.reply_body(chunk.as_bytes(), ends, self.now)
    }

    /// A whole reply.
    fn reply(&mut self, status: u16, more: &[(&str, &str)], body: &str) -> Flow {
        assert_eq!(self.head(status, more), Flow::Hold);
        self.body(body, true)
    }

    fn lost(&mut self, connected: bool) -> Option<String> {
        self.exchange.lost(Lost { connected }, self.now)
    }

    fn record(self) -> Record {
        self.exchange.record(Stamp { vm: "vm", seq: 1 }, End { status: 0, now: self.now })
    }
}

fn retry(cluster: &str, after_s: Option<u64>) -> Flow {
    Flow::Retry { cluster: format!("sluice-{cluster}"), after_s }
}

/// What the client gets: status, a header, the body (`None` for the upstream's own bytes).
fn answer(flow: Flow) -> (String, Headers, Option<String>) {
    let Flow::Answer { headers, body } = flow else { panic!("expected an answer, got {flow:?}") };
    let status = String::from_utf8(headers[0].1.clone()).unwrap();
    (status, headers, body.map(|body| String::from_utf8(body).unwrap()))
}

fn header(headers: &Headers, name: &str) -> String {
    crate::gateway::headers::get(headers, name).unwrap_or_default().to_owned()
}

fn classes(record: &Record) -> Vec<String> {
    record.attempts.iter().map(|attempt| format!("{}:{}", attempt.provider, attempt.class)).collect()
}

const SSE: (&str, &str) = ("content-type", "text/event-stream");

#[test]
fn a_whole_reply_passes_untouched_and_is_recorded() {
    let mut session = Session::admitted(CHAT);
    let (authority, body, wait) = session.begin();
    assert_eq!((authority.as_str(), wait), ("a.example", 0));
    assert_eq!(body.unwrap(), CHAT.replace("\"m\"", "\"ma\""));
    let (status, headers, body) =
        answer(session.reply(200, &[("x-upstream", "1"), ("set-cookie", "c")], REPLY));
    assert_eq!((status.as_str(), body), ("200", None));
    assert_eq!(header(&headers, "x-sluice-provider"), "a");
    assert_eq!(header(&headers, "x-sluice-attempts"), "1");
    assert_eq!(header(&headers, "x-upstream"), "1");
    assert_eq!(header(&headers, "set-cookie"), "");
    assert_eq!(header(&headers, "x-sluice-request-id"), "req-1");
    assert_eq!(header(&headers, "x-request-id"), "req-1", "the provider gave it no name");
    let record = session.record();
    assert_eq!((record.status, record.usage.input, record.usage.output), (200, 7, 2));
    assert_eq!((record.usage_source, record.finish_reason.as_deref()), (UsageSource::Provider, Some("stop")));
    assert_eq!(classes(&record), ["a:ok"]);
}

#[test]
fn a_failing_provider_is_tried_again_and_then_left() {
    let mut session = Session::admitted(CHAT);
    session.begin();
    assert_eq!(session.reply(500, &[], "{}"), retry("a", None));
    let (authority, _, wait) = session.begin();
    assert_eq!((authority.as_str(), wait), ("a.example", 250), "the same one, after the back-off");
    assert_eq!(session.reply(500, &[], "{}"), retry("b", None));
    let (authority, body, wait) = session.begin();
    assert_eq!((authority.as_str(), wait), ("b.example", 0), "the next one, at once");
    assert!(body.unwrap().contains("\"mb\""), "each attempt is written from the client's own body");
    let (_, headers, _) = answer(session.reply(200, &[], REPLY));
    assert_eq!(header(&headers, "x-sluice-fallback-reason"), "server_error");
    assert_eq!(header(&headers, "x-sluice-attempts"), "3");
    assert_eq!(classes(&session.record()), ["a:server_error", "a:server_error", "b:ok"]);
}

#[test]
fn a_refused_connection_costs_no_pause() {
    let mut session = Session::admitted(CHAT);
    for (provider, next) in [("a", "sluice-a"), ("a", "sluice-b"), ("b", "sluice-b"), ("b", "sluice-c")] {
        let (authority, _, wait) = session.begin();
        assert_eq!((authority, wait), (format!("{provider}.example"), 0));
        assert_eq!(session.lost(false).as_deref(), Some(next));
    }
    session.begin();
    assert_eq!(session.lost(false).as_deref(), Some("sluice-c"));
    session.begin();
    assert_eq!(session.lost(false).as_deref(), None);
    let Begin::Exhausted(rejection) = session.exchange.begin(session.now, 0) else {
        panic!("nothing to send")
    };
    assert_eq!(rejection.error.code.as_deref(), Some("no_provider_available"));
    assert!(session.exchange.is_answered());
    let record = session.record();
    assert_eq!((record.status, record.attempts.len(), record.usage_source), (503, 6, UsageSource::None));
}

#[test]
fn a_silent_provider_stays_left_when_another_fails() {
    let chain = r#","chain":[{"targets":[{"provider":"a","model":"ma"}]},{"targets":[{"provider":"a","model":"other"}]},
        {"targets":[{"provider":"b","model":"mb"}]},{"targets":[{"provider":"a","model":"third"}]},
        {"targets":[{"provider":"c","model":"mc"}]}]"#;
    let mut session = Session::arrived(chain);
    session.exchange.admit(&state(), CHAT.replace("\"m\"", "\"auto\"").into_bytes(), 0).unwrap();
    session.begin();
    session.wait(1_000);
    assert_eq!(session.lost(true).as_deref(), Some("sluice-b"));
    session.begin();
    assert_eq!(session.reply(429, &[], "{}"), retry("c", None));
    session.begin();
    session.reply(200, &[], MESSAGE);
    assert_eq!(classes(&session.record()), ["a:silence", "b:rate_limit", "c:ok"]);
}

#[test]
fn envoys_timer_may_be_early_and_counts_pauses() {
    let mut session = Session::admitted(CHAT);
    session.begin();
    assert_eq!(session.reply(500, &[], "{}"), retry("a", None));
    let (_, _, pause) = session.begin();
    // The deadline is a second, and Envoy's clock is a few milliseconds ahead.
    session.wait(1_000 - pause - 5);
    assert_eq!(session.lost(true).as_deref(), Some("sluice-b"));
    session.begin();
    session.wait(900);
    assert_eq!(session.lost(true).as_deref(), Some("sluice-b"), "a break long before it is one");
    session.begin();
    session.reply(200, &[], REPLY);
    assert_eq!(classes(&session.record()), ["a:server_error", "a:silence", "b:reset", "b:ok"]);
}

#[test]
fn a_silent_provider_is_left_for_good() {
    let mut session = Session::admitted(CHAT_STREAM);
    session.begin();
    assert_eq!(session.head(200, &[SSE]), Flow::Hold);
    assert_eq!(session.body(": ping\n\n", false), Flow::Hold, "a ping is no token");
    session.wait(1_000);
    assert_eq!(session.lost(true).as_deref(), Some("sluice-b"));
    session.begin();
    session.wait(1_000);
    assert_eq!(session.lost(true).as_deref(), Some("sluice-c"));
    session.begin();
    session.wait(1_000);
    assert_eq!(session.lost(true).as_deref(), None);
    assert_eq!(session.exchange.local_reply(504).error.code.as_deref(), Some("upstream_timeout"));
    assert_eq!(classes(&session.record()), ["a:silence", "b:silence", "c:silence"]);
}

#[test]
fn rate_limits_wait_as_told_or_move_on() {
    let mut session = Session::admitted(CHAT);
    session.begin();
    assert_eq!(session.reply(429, &[("retry-after", "2")], "{}"), retry("a", Some(2)));
    let (_, _, wait) = session.begin();
    assert_eq!(wait, 0, "Envoy waits, so that the deadline does not run meanwhile");
    assert_eq!(session.reply(429, &[("retry-after", "60")], "{}"), retry("b", None));
    session.begin();
    assert_eq!(session.reply(429, &[("retry-after", "9")], "{}"), retry("c", None));
    session.begin();
    let last = session.reply(
        429,
        &[],
        r#"{"type":"error","error":{"type":"rate_limit_error","message":"slow down"}}"#,
    );
    let (status, headers, body) = answer(last);
    assert_eq!(
        (status.as_str(), header(&headers, "retry-after").as_str()),
        ("429", "2"),
        "the smallest that was seen"
    );
    assert!(body.unwrap().contains("slow down"), "the last upstream's words");
}

#[test]
fn the_provider_s_refusal_of_our_credential_is_not_the_client_s() {
    let mut session = Session::admitted(CHAT);
    for (status, next) in [(401, "b"), (403, "c")] {
        session.begin();
        assert_eq!(session.reply(status, &[], "{}"), retry(next, None));
    }
    session.begin();
    let (status, _, body) = answer(session.reply(401, &[], "{}"));
    assert_eq!(status, "502");
    assert!(body.unwrap().contains("upstream_auth"));
}

#[test]
fn the_client_s_own_error_stops_and_keeps_the_provider_s_words() {
    let mut session = Session::admitted(CHAT);
    session.begin();
    let said = r#"{"error":{"message":"bad temperature","type":"invalid_request_error","param":"temperature","code":null,"x":1}}"#;
    let (status, _, body) = answer(session.reply(400, &[], said));
    assert_eq!((status.as_str(), body.as_deref()), ("400", Some(said)));
    assert_eq!(classes(&session.record()), ["a:client_error"]);
}

#[test]
fn a_stream_is_committed_at_its_first_token_and_its_usage_is_kept_back() {
    let mut session = Session::admitted(CHAT_STREAM);
    let (_, body, _) = session.begin();
    assert!(body.unwrap().contains(r#""include_usage":true"#));
    assert_eq!(session.head(200, &[SSE]), Flow::Hold);
    assert_eq!(session.body(": ping\n\n", false), Flow::Hold);
    let (_, _, body) = answer(session.body(CHUNK, false));
    assert_eq!(body, None, "what was held is what came");
    assert_eq!(session.body(CHUNK, false), Flow::Pass);
    assert_eq!(
        session.body(&format!("{LAST}{USAGE}{DONE}"), true),
        Flow::Emit(format!("{LAST}{DONE}").into_bytes())
    );
    let record = session.record();
    assert_eq!((record.usage.input, record.usage.output, record.usage_source), (7, 2, UsageSource::Provider));
    assert_eq!(classes(&record), ["a:ok"]);
}

#[test]
fn an_error_event_before_the_first_token_is_an_ordinary_failure() {
    let mut session = Session::admitted(CHAT_STREAM);
    session.begin();
    assert_eq!(session.head(200, &[SSE]), Flow::Hold);
    let event = "data: {\"error\":{\"message\":\"overloaded\",\"type\":\"server_error\"}}\n\n";
    assert_eq!(session.body(event, false), retry("a", None));
    session.begin();
    session.head(200, &[SSE]);
    assert_eq!(session.body("", true), retry("b", None), "an empty stream is none");
    assert_eq!(classes(&session.record())[..2], ["a:bad_reply", "a:bad_reply"]);
}

#[test]
fn a_stream_that_ends_without_its_end_is_never_presented_as_whole() {
    let mut session = Session::admitted(CHAT_STREAM);
    session.begin();
    session.head(200, &[SSE]);
    answer(session.body(CHUNK, false));
    let Flow::Emit(tail) = session.body("", true) else { panic!("an error event") };
    assert!(String::from_utf8(tail).unwrap().contains("\"error\""));
    let record = session.record();
    assert_eq!((classes(&record), record.usage_source), (vec!["a:partial".to_owned()], UsageSource::Partial));
    assert!(record.usage.output > 0 && record.usage.input > 0, "{:?}", record.usage);
}

#[test]
fn a_client_that_leaves_is_recorded_as_it_left() {
    let mut session = Session::admitted(CHAT_STREAM);
    session.begin();
    session.head(200, &[SSE]);
    answer(session.body(CHUNK, false));
    let record = session.record();
    assert_eq!((classes(&record), record.status), (vec!["a:partial".to_owned()], 200));

    let mut session = Session::admitted(CHAT);
    session.begin();
    session.lost(true);
    assert_eq!(
        classes(&session.record()),
        ["a:canceled"],
        "nobody was answered and nothing was tried after it"
    );
}

#[test]
fn the_chain_crosses_dialects() {
    let mut session = Session::admitted(CHAT);
    for next in ["b", "c"] {
        session.begin();
        assert_eq!(session.reply(404, &[], "{}"), retry(next, None));
    }
    let (authority, body, _) = session.begin();
    assert_eq!(authority, "c.example");
    assert!(body.unwrap().contains("\"max_tokens\""), "Anthropic's dialect");
    let (_, headers, body) = answer(session.reply(200, &[("request-id", "req_up")], MESSAGE));
    assert!(body.unwrap().contains("\"chat.completion\""), "the client's dialect");
    assert_eq!(header(&headers, "x-request-id"), "req-1");
    assert_eq!(header(&headers, "request-id"), "req_up");
    assert_eq!(header(&headers, "x-sluice-model"), "m");
    assert_eq!(session.record().usage.input, 7);
}

#[test]
fn a_lossy_step_is_reported_or_refused() {
    let body = CHAT.replace("\"m\"", "\"c/mc\"").replace("\"messages\"", "\"seed\":1,\"messages\"");
    let mut session = Session::admitted(&body);
    session.begin();
    let (_, headers, _) = answer(session.reply(200, &[], MESSAGE));
    assert_eq!(header(&headers, "x-sluice-dropped-params"), "seed");
    let mut strict = Session::arrived(r#","loss":"strict""#);
    let rejection = strict.exchange.admit(&state(), body.into_bytes(), 0).unwrap_err();
    assert_eq!((rejection.error.status, rejection.error.param.as_deref()), (400, Some("seed")));
    assert_eq!(strict.record().error.as_deref(), Some("unsupported_parameter"));
}

#[test]
fn what_providers_write_is_cut_before_it_is_recorded() {
    let mut session = Session::admitted(CHAT);
    session.begin();
    answer(session.reply(200, &[], &REPLY.replace("\"stop\"", &format!("\"{}\"", "é".repeat(1_000)))));
    assert_eq!(session.record().finish_reason, Some("é".repeat(256)));
}

#[test]
fn a_credential_that_a_provider_quotes_anywhere_stays_here() {
    let mut session = Session::admitted(CHAT);
    session.begin();
    let quoted =
        r#"{"error":{"message":"bad s-a","type":"invalid_request_error","param":"s-a","code":"s-a"}}"#;
    let (_, _, body) = answer(session.reply(400, &[], quoted));
    assert!(!body.unwrap().contains("s-a"));
    assert_eq!(session.record().error.as_deref(), Some("[redacted]"));
}

#[test]
fn a_client_that_wants_a_stream_gets_no_whole_reply() {
    let mut session = Session::admitted(CHAT_STREAM);
    session.begin();
    assert_eq!(session.reply(200, &[("content-type", "application/json")], REPLY), retry("a", None));
}

#[test]
fn bad_bodies_are_refused_before_anything_is_tried() {
    for (body, code) in [
        ("", "invalid_request"),
        ("{", "invalid_request"),
        (r#"{"model":"m","model":"x","messages":[]}"#, "invalid_request"),
        (r#"{"model":"../m","messages":[]}"#, "invalid_request"),
        (r#"{"model":"nope","messages":[]}"#, "model_not_found"),
    ] {
        let mut session = Session::arrived("");
        let rejection = session.exchange.admit(&state(), body.as_bytes().to_vec(), 0).unwrap_err();
        assert_eq!(rejection.error.code.as_deref(), Some(code), "{body}");
        let record = session.record();
        assert_eq!((record.error.as_deref(), record.attempts.len()), (Some(code), 0));
    }
    let mut session = Session::arrived("");
    assert_eq!(session.exchange.admit(&state(), vec![0xff], 0).unwrap_err().error.status, 400);
}

#[test]
fn a_provider_that_quotes_our_credential_tells_it_to_nobody() {
    let only = r#"{"model":"a/ma","messages":[{"role":"user","content":"hi"}]}"#;
    let said = r#"{"error":{"message":"Incorrect API key provided: s-a","type":"invalid_request_error","code":"invalid_api_key"}}"#;
    for status in [401, 400, 422] {
        let mut session = Session::admitted(only);
        session.begin();
        let (_, _, body) = answer(session.reply(status, &[], said));
        let body = body.unwrap();
        assert!(!body.contains("s-a") && body.contains("error"), "{status}: {body}");
    }
}

#[test]
fn an_error_that_is_no_document_is_put_into_the_client_s_shape() {
    let only = r#"{"model":"a/ma","messages":[{"role":"user","content":"hi"}]}"#;
    let long = format!("{{\"error\":{{\"message\":\"{}\"}}}}", "x".repeat(100_000));
    let gzip = ("content-encoding", "gzip");
    for (headers, said) in
        [(&[][..], "<html>x</html>"), (&[], "oops"), (&[], &long), (&[gzip], r#"{"error":{}}"#)]
    {
        let mut session = Session::admitted(only);
        session.begin();
        let (status, headers, body) = answer(session.reply(422, headers, said));
        let body = body.unwrap();
        let document: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert!(document["error"]["message"].is_string(), "{body}");
        assert_eq!((status.as_str(), header(&headers, "content-type").as_str()), ("422", "application/json"));
    }
}

#[test]
fn an_error_in_another_shape_than_the_dialect_s_is_put_into_it() {
    let body = CHAT.replace("\"m\"", "\"c/mc\"").replace("\"messages\"", "\"max_tokens\":9,\"messages\"");
    let google =
        r#"{"error":{"code":400,"message":"Invalid resource field value","status":"INVALID_ARGUMENT"}}"#;
    let own = r#"{"type":"error","error":{"type":"invalid_request_error","message":"x"},"request_id":"r","more":1}"#;
    for (said, kept) in [(google, false), (own, true)] {
        let mut session = Session::asking(Dialect::Anthropic, Asked::of(Endpoint::Messages), "");
        session.admit(&state(), &body);
        session.sent();
        let body = answer(session.reply(400, &[], said)).2.unwrap();
        assert_eq!(body == said, kept, "{body}");
        let document: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(document["type"], "error", "{body}");
    }
}
