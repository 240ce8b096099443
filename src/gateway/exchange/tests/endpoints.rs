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

#[test]
fn a_count_is_asked_in_whichever_spoken_dialect_counts() {
    let count_path = "/v1/responses/input_tokens";
    for (dialect, also, path) in [
        ("openai", r#""responses""#, count_path),
        ("openai", r#""gemini","responses""#, "/v1/models/gpt:countTokens"),
        // The client's own comes first, whatever the order.
        ("openai", r#""responses","anthropic""#, "/v1/v1/messages/count_tokens"),
        ("responses", r#""openai""#, count_path),
    ] {
        let provider = format!(
            r#"{{"name":"d","dialect":"{dialect}","also_speaks":[{also}],"base_url":"https://d.example/v1"}}"#
        );
        let (mut session, admitted) =
            counting(&COUNT.replace("\"m\"", "\"d/gpt\""), &knowing(&[&provider], &[]));
        assert_eq!(started(admitted).cluster, "sluice-d");
        let sent = session.sent();
        assert_eq!(header(&sent.headers, ":path"), path, "{dialect} and {also}");
        if path == count_path {
            let (_, _, body) =
                answer(session.reply(200, &[], r#"{"object":"response.input_tokens","input_tokens":9}"#));
            assert_eq!(body.as_deref(), Some(r#"{"input_tokens":9}"#));
        }
    }
}

#[test]
fn vectors_are_asked_in_whichever_spoken_dialect_has_them() {
    let provider = r#"{"name":"e","dialect":"anthropic","also_speaks":["gemini"],"base_url":"https://e.example/v1beta"}"#;
    let model = r#"{"id":"v","channels":[{"provider":"e","upstream_id":"embed"}]}"#;
    let mut session = Session::asking(Dialect::Openai, Asked::of(Endpoint::Embeddings), "");
    session.admit(&knowing(&[provider], &[model]), EMBED);
    assert!(header(&session.sent().headers, ":path").ends_with("/models/embed:batchEmbedContents"));
}

/// Only `e`, a provider of Anthropic's dialect, and what it says to a count.
fn failing_count(more: &[&str], model: &str) -> Session {
    let mut providers = vec![r#"{"name":"e","dialect":"anthropic","base_url":"https://e.example"}"#];
    providers.extend(more);
    let state = knowing(&providers, &[model]);
    let (session, admitted) = counting(&COUNT.replace("\"m\"", "\"n\""), &state);
    assert_eq!(started(admitted).cluster, "sluice-e");
    session
}

const ALONE: &str = r#"{"id":"n","channels":[{"provider":"e","upstream_id":"ne"}]}"#;

#[test]
fn a_provider_without_counts_leaves_them_to_the_estimate() {
    for (status, body) in [
        (404, r#"{"detail":"Not Found"}"#),
        (404, r#"{"type":"error","error":{"type":"not_found_error","message":"no such path"}}"#),
        (405, r#"{"detail":"Method Not Allowed"}"#),
        (501, "not implemented"),
    ] {
        let mut session = failing_count(&[], ALONE);
        session.sent();
        let (answered, headers, counted) = answer(session.reply(status, &[], body));
        assert_eq!(answered, "200", "{body}");
        assert_eq!(header(&headers, "x-sluice-usage-source"), "estimated");
        assert_eq!(header(&headers, "content-type"), "application/json");
        assert_eq!(header(&headers, "request-id"), "req-1");
        let counted: serde_json::Value = serde_json::from_str(&counted.unwrap()).unwrap();
        assert_eq!(counted["input_tokens"], COUNT.len() / 4);
        let record = session.record();
        assert_eq!((record.status, record.error.as_deref(), record.provider.as_deref()), (200, None, None));
        assert_eq!((record.usage_source, record.attempts.len()), (UsageSource::None, 1));
        assert_eq!(record.attempts[0].class, "not_found", "{status}");
    }
}

/// What each dialect's providers say of a model that they do not have.
const NO_MODEL: [(&str, u16, &str); 8] = [
    (
        "anthropic",
        404,
        r#"{"type":"error","error":{"type":"not_found_error","message":"model: gone-1"},"request_id":"r"}"#,
    ),
    (
        "responses",
        404,
        r#"{"error":{"message":"The model `gone-1` does not exist or you do not have access to it.","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#,
    ),
    (
        "responses",
        404,
        r#"{"error":{"message":"No such thing.","type":"invalid_request_error","code":"model_not_found"}}"#,
    ),
    ("responses", 404, r#"{"object":"error","message":"The model `gone-1` does not exist.","code":404}"#),
    (
        "gemini",
        404,
        r#"{"error":{"code":404,"message":"models/gone-1 is not found for API version v1beta, or is not supported for countTokens.","status":"NOT_FOUND"}}"#,
    ),
    (
        "responses",
        404,
        r#"{"error":{"code":"DeploymentNotFound","message":"The API deployment for this resource does not exist."}}"#,
    ),
    ("bedrock", 400, r#"{"message":"The provided model identifier is invalid."}"#),
    ("bedrock", 404, r#"{"message":"Could not find model gone-1."}"#),
];

/// A count of `gone-1`, asked of a provider of a dialect.
fn counting_at(dialect: &str, status: u16, body: &str) -> (Session, Flow) {
    let provider = format!(r#"{{"name":"d","dialect":"{dialect}","base_url":"https://d.example/v1"}}"#);
    let model = r#"{"id":"n","channels":[{"provider":"d","upstream_id":"gone-1"}]}"#;
    let asked = COUNT.replace("\"m\"", "\"n\"");
    let (mut session, admitted) = counting(&asked, &knowing(&[&provider], &[model]));
    started(admitted);
    session.sent();
    let flow = session.reply(status, &[], body);
    (session, flow)
}

#[test]
fn a_count_for_a_model_that_is_not_there_is_no_estimate() {
    for (dialect, status, body) in NO_MODEL {
        let (session, flow) = counting_at(dialect, status, body);
        let (answered, headers, said) = answer(flow);
        assert_eq!(
            (answered.as_str(), header(&headers, "x-sluice-usage-source")),
            ("404", "".into()),
            "{body}"
        );
        let said: serde_json::Value = serde_json::from_str(&said.unwrap()).unwrap();
        assert_eq!(said["error"]["type"], "not_found_error", "{body}");
        let record = session.record();
        assert_eq!((record.status, record.attempts[0].class.as_str()), (404, "not_found"), "{body}");
        assert_eq!(record.error.as_deref(), Some("model_not_found"), "{body}");
    }
    // A path holds the model's name as well.
    for (dialect, body) in [
        ("gemini", r#"{"error":{"code":404,"message":"POST /v1/models/gone-1:countTokens does not exist"}}"#),
        ("gemini", "<p>/v1/models/gone-1:countTokens was not found on this server: no gone-1</p>"),
        ("bedrock", r#"{"message":"Unable to find /model/gone-1/count-tokens"}"#),
        (
            "responses",
            r#"{"error":{"message":"Invalid URL (POST /v1/responses/input_tokens)","type":"invalid_request_error"}}"#,
        ),
        ("anthropic", r#"["gone-1"]"#),
        ("responses", r#"{"error":{"message":"there is no gone-10 here"}}"#),
    ] {
        let (_, flow) = counting_at(dialect, 404, body);
        let (answered, headers, _) = answer(flow);
        assert_eq!(
            (answered.as_str(), header(&headers, "x-sluice-usage-source").as_str()),
            ("200", "estimated"),
            "{body}"
        );
    }
}

#[test]
fn a_model_that_one_provider_lacks_is_counted_by_another_or_not_at_all() {
    let both =
        r#"{"id":"n","channels":[{"provider":"e","upstream_id":"ne"},{"provider":"c","upstream_id":"nc"}]}"#;
    let gone = |model: &str| {
        format!(r#"{{"type":"error","error":{{"type":"not_found_error","message":"model: {model}"}}}}"#)
    };
    let mute = || r#"{"detail":"Not Found"}"#.to_owned();
    for (first, second, status) in [
        (gone("ne"), (200, r#"{"input_tokens":11}"#.to_owned()), "200"),
        (gone("ne"), (404, gone("nc")), "404"),
        (gone("ne"), (404, mute()), "404"),
        (mute(), (404, gone("nc")), "404"),
        (mute(), (404, mute()), "200"),
    ] {
        let mut session = failing_count(&[], both);
        session.sent();
        let flow = session.reply(404, &[], &first);
        assert!(matches!(&flow, Flow::Retry { cluster, .. } if cluster == "sluice-c"), "{flow:?}");
        session.sent();
        let (answered, ..) = answer(session.reply(second.0, &[], &second.1));
        assert_eq!(answered, status, "{first}, then {}", second.1);
    }
}

#[test]
fn a_count_goes_on_to_who_can() {
    let both =
        r#"{"id":"n","channels":[{"provider":"e","upstream_id":"ne"},{"provider":"c","upstream_id":"nc"}]}"#;
    let mut session = failing_count(&[], both);
    session.sent();
    let Flow::Retry { cluster, after_s } = session.reply(404, &[], r#"{"detail":"Not Found"}"#) else {
        panic!("another try")
    };
    assert_eq!((cluster.as_str(), after_s), ("sluice-c", None));
    session.sent();
    let (_, headers, body) = answer(session.reply(200, &[], r#"{"input_tokens":11}"#));
    assert_eq!((body, header(&headers, "x-sluice-provider")), (None, "c".into()));
}

#[test]
fn who_could_have_counted_and_failed_is_the_answer() {
    let both = |first, second| {
        let channel = |name| format!(r#"{{"provider":"{name}","upstream_id":"n"}}"#);
        format!(r#"{{"id":"n","channels":[{},{}]}}"#, channel(first), channel(second))
    };
    let body = COUNT.replace("\"m\"", "\"n\"");
    let provider = r#"{"name":"e","dialect":"anthropic","base_url":"https://e.example"}"#;
    for (first, second) in [("e", "c"), ("c", "e")] {
        let state = knowing(&[provider], &[&both(first, second)]);
        let (mut session, admitted) = counting(&body, &state);
        started(admitted);
        let mut last = None;
        // `e` cannot count, and `c` cannot be reached, which is tried twice.
        for _ in 0..3 {
            let sent = session.sent();
            last = Some(if header(&sent.headers, ":authority") == "e.example" {
                session.reply(404, &[], r#"{"detail":"Not Found"}"#)
            } else {
                session.lost(false);
                Flow::Pass
            });
        }
        let status = match last {
            Some(Flow::Answer { headers, .. }) => header(&headers, ":status"),
            _ => session.exchange.local_reply(503).error.status.to_string(),
        };
        assert_eq!(status, "503", "{first} before {second}");
        assert_eq!(session.record().error.as_deref(), Some("no_provider_available"));
    }
}

#[test]
fn a_count_that_is_refused_for_another_reason_is_no_estimate() {
    let refused = r#"{"type":"error","error":{"type":"invalid_request_error","message":"messages: empty"}}"#;
    let mut session = failing_count(&[], ALONE);
    session.sent();
    let (status, _, body) = answer(session.reply(400, &[], refused));
    assert_eq!((status.as_str(), body.as_deref()), ("400", Some(refused)));
}

const EMBED: &str = r#"{"model":"v","input":["one two three four","five"]}"#;

/// A client's vectors by the one channel of `v`.
fn embedding(provider: &str, upstream_id: &str) -> Session {
    let model = format!(r#"{{"id":"v","channels":[{{"provider":"e","upstream_id":"{upstream_id}"}}]}}"#);
    let state = knowing(&[provider], &[&model]);
    let mut session = Session::asking(Dialect::Openai, Asked::of(Endpoint::Embeddings), "");
    session.admit(&state, EMBED);
    session.sent();
    session
}

#[test]
fn bedrock_says_in_a_header_what_vectors_used() {
    let bedrock = r#"{"name":"e","dialect":"bedrock","base_url":"https://e.example"}"#;
    let reply = r#"{"id":"x","texts":[],"response_type":"embeddings_floats","embeddings":[[0.5],[1]]}"#;
    for (headers, usage, told) in [
        (&[("x-amzn-bedrock-input-token-count", "7")][..], (7, UsageSource::Provider), 7),
        (
            &[("x-amzn-bedrock-input-token-count", "many")],
            (EMBED.len().div_ceil(4), UsageSource::Estimated),
            0,
        ),
        (&[], (EMBED.len().div_ceil(4), UsageSource::Estimated), 0),
    ] {
        let mut session = embedding(bedrock, "cohere.embed-english-v3");
        let (_, _, body) = answer(session.reply(200, headers, reply));
        let body: serde_json::Value = serde_json::from_str(&body.unwrap()).unwrap();
        assert_eq!(body["usage"]["prompt_tokens"], told, "the client is told no estimates");
        let record = session.record();
        assert_eq!((record.usage.input as usize, record.usage_source), usage);
        assert_eq!(record.usage.output, 0);
    }
    // A body that counts is believed.
    let mut session = embedding(bedrock, "cohere.embed-english-v3");
    let counted = r#"{"embedding":[0.5],"inputTextTokenCount":3}"#;
    session.reply(200, &[("x-amzn-bedrock-input-token-count", "7")], counted);
    assert_eq!(session.record().usage.input, 3);
}

const PREDICTED: &str = r#"{"predictions":[{"embeddings":{"values":[0.5],"statistics":{"token_count":4,"truncated":false}}},{"embeddings":{"values":[1],"statistics":{"token_count":1,"truncated":false}}}]}"#;

/// Vertex AI's provider `e`, which serves `v`.
fn vertex() -> State {
    let vertex = r#"{"name":"e","dialect":"gemini","base_url":"https://v.example/v1/projects/p/locations/l","vendor":{"kind":"vertex"}}"#;
    let model = r#"{"id":"v","channels":[{"provider":"e","upstream_id":"text-embedding-005"}]}"#;
    knowing(&[vertex], &[model])
}

#[test]
fn vertex_predicts_the_vectors_of_its_older_models() {
    let mut session = Session::asking(Dialect::Openai, Asked::of(Endpoint::Embeddings), "");
    session.admit(&vertex(), EMBED);
    let sent = session.sent();
    let path = "/v1/projects/p/locations/l/publishers/google/models/text-embedding-005:predict";
    assert_eq!(header(&sent.headers, ":path"), path);
    let body = String::from_utf8(sent.body.unwrap()).unwrap();
    assert_eq!(body, r#"{"instances":[{"content":"one two three four"},{"content":"five"}]}"#);
    let (_, _, body) = answer(session.reply(200, &[], PREDICTED));
    let body: serde_json::Value = serde_json::from_str(&body.unwrap()).unwrap();
    assert_eq!((&body["data"][1]["embedding"][0], &body["usage"]["prompt_tokens"]), (&1.into(), &5.into()));
    let record = session.record();
    assert_eq!((record.usage.input, record.usage_source), (5, UsageSource::Provider));
}

#[test]
fn a_gemini_client_s_vectors_are_rewritten_for_models_that_predict() {
    let gemini = |endpoint, body: &str| {
        let asked = Asked { model: Some("v".into()), ..Asked::of(endpoint) };
        let mut session = Session::asking(Dialect::Gemini, asked, "");
        session.admit(&vertex(), body);
        let sent = String::from_utf8(session.sent().body.unwrap()).unwrap();
        let (_, headers, body) = answer(session.reply(200, &[], PREDICTED));
        assert_eq!(header(&headers, "content-type"), "application/json");
        assert_eq!(session.record().usage.input, 5);
        (sent, body.unwrap())
    };
    let one = r#"{"content":{"parts":[{"text":"a"}]},"taskType":"CLUSTERING","outputDimensionality":1}"#;
    let (sent, body) = gemini(Endpoint::EmbedContent, one);
    let wanted =
        r#"{"instances":[{"task_type":"CLUSTERING","content":"a"}],"parameters":{"outputDimensionality":1}}"#;
    assert_eq!(sent, wanted);
    assert!(body.starts_with(r#"{"embedding":{"values":[0.5]}"#), "{body}");
    let two = r#"{"requests":[{"content":{"parts":[{"text":"a"}]}},{"content":{"parts":[{"text":"b"}]}}]}"#;
    let (sent, body) = gemini(Endpoint::BatchEmbedContents, two);
    assert_eq!(sent, r#"{"instances":[{"content":"a"},{"content":"b"}]}"#);
    assert!(body.starts_with(r#"{"embeddings":[{"values":[0.5]},{"values":[1]}]"#), "{body}");
}

#[test]
fn what_vectors_lose_is_named_where_the_client_said_it() {
    const OPENAI: &str = r#"{"name":"e","dialect":"openai","base_url":"https://e.example"}"#;
    const BEDROCK: &str = r#"{"name":"e","dialect":"bedrock","base_url":"https://e.example"}"#;
    let asking = |(provider, upstream): (&str, &str), endpoint, body: &str| {
        let model = format!(r#"{{"id":"v","channels":[{{"provider":"e","upstream_id":"{upstream}"}}]}}"#);
        let asked = Asked { model: Some("v".into()), ..Asked::of(endpoint) };
        let mut session = Session::asking(Dialect::Gemini, asked, "");
        let admitted = session.exchange.admit(&knowing(&[provider], &[&model]), body.as_bytes().to_vec(), 0);
        match admitted {
            Ok(_) => {
                session.sent();
                let mut headers = Vec::new();
                session.exchange.describe(&mut headers);
                header(&headers, "x-sluice-dropped-params")
            }
            Err(rejection) => rejection.error.message,
        }
    };
    let (openai, titan, cohere) =
        ((OPENAI, "e5"), (BEDROCK, "amazon.titan-embed-text-v1"), (BEDROCK, "cohere.embed-english-v3"));
    let one = r#"{"content":{"parts":[{"text":"a"}]},"taskType":"SEMANTIC_SIMILARITY","title":"t","embedContentConfig":{"outputDimensionality":8}}"#;
    let ask = |to, body| asking(to, Endpoint::EmbedContent, body);
    assert_eq!(ask(openai, one), "taskType, title");
    assert_eq!(ask(titan, one), "title, taskType, embedContentConfig.outputDimensionality");
    let two_places = one.replace("{\"output", "{\"taskType\":\"CLUSTERING\",\"output");
    assert_eq!(ask(openai, &two_places), "taskType, embedContentConfig.taskType, title");
    let two = r#"{"requests":[{"content":{"parts":[{"text":"a"}]},"taskType":"SEMANTIC_SIMILARITY"},
        {"content":{"parts":[{"text":"b"}]},"embedContentConfig":{"taskType":"SEMANTIC_SIMILARITY","title":"t"}}]}"#;
    let ask = |to, body| asking(to, Endpoint::BatchEmbedContents, body);
    let lost =
        "requests[1].embedContentConfig.title, requests[0].taskType, requests[1].embedContentConfig.taskType";
    assert_eq!(ask(openai, two), lost);
    assert_eq!(ask(cohere, two), lost);
    assert!(ask(titan, two).starts_with("requests: expected one text"), "{}", ask(titan, two));
}

#[test]
fn what_vertex_refuses_to_predict_is_said_in_its_own_words() {
    let asked = Asked { model: Some("v".into()), ..Asked::of(Endpoint::EmbedContent) };
    let mut session = Session::asking(Dialect::Gemini, asked, "");
    session.admit(&vertex(), r#"{"content":{"parts":[{"text":"a"}]}}"#);
    session.sent();
    let refused = r#"{"error":{"code":400,"message":"no such task","status":"INVALID_ARGUMENT"}}"#;
    assert_eq!(answer(session.reply(400, &[], refused)).2.as_deref(), Some(refused));
}

#[test]
fn vectors_without_a_count_are_estimated() {
    let openai = r#"{"name":"e","dialect":"openai","base_url":"https://e.example"}"#;
    for usage in
        ["", r#","usage":null"#, r#","usage":{}"#, r#","usage":{"prompt_tokens":0,"total_tokens":0}"#]
    {
        let mut session = embedding(openai, "e5");
        let reply = format!(r#"{{"object":"list","data":[{{"index":0,"embedding":[0.5]}}]{usage}}}"#);
        answer(session.reply(200, &[], &reply));
        let record = session.record();
        assert_eq!((record.usage_source, record.usage.output), (UsageSource::Estimated, 0), "{usage}");
        assert_eq!(record.usage.input as usize, EMBED.len().div_ceil(4), "{usage}");
    }
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

#[test]
fn a_batch_for_another_model_than_the_path_s_is_refused_in_both_lanes() {
    let google = r#"{"name":"g","dialect":"gemini","base_url":"https://g.example/v1beta"}"#;
    let state = knowing(&[google], &[]);
    let text = r#""content":{"parts":[{"text":"a"}]}"#;
    for model in ["g/x", "a/ma"] {
        let asked = Asked { model: Some(model.to_owned()), ..Asked::of(Endpoint::BatchEmbedContents) };
        let body = |other: &str| {
            format!(
                r#"{{"requests":[{{"model":"models/{model}",{text}}},{{"model":"models/{other}",{text}}}]}}"#
            )
        };
        let refused = Session::asking(Dialect::Gemini, asked.clone(), "").refused(&state, &body("other"));
        assert_eq!((refused.0, refused.2.as_deref()), (400, Some("requests[1].model")), "{model}");
        Session::asking(Dialect::Gemini, asked, "").admit(&state, &body(model));
    }
}
