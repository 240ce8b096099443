//! The patch lane decodes nothing, and the translate lane everything once.

use super::*;
use crate::dialect::tests::counted;

#[test]
fn the_patch_lane_decodes_nothing() {
    let message = CHAT.replace("\"m\"", "\"c/mc\"").replace("\"messages\"", "\"max_tokens\":9,\"messages\"");
    for (dialect, endpoint, body, reply) in [
        (Dialect::Openai, Endpoint::ChatCompletions, CHAT, REPLY),
        (Dialect::Anthropic, Endpoint::Messages, message.as_str(), MESSAGE),
    ] {
        let (flow, decoded, encoded) = counted(|| {
            let mut session = Session::asking(dialect, Asked::of(endpoint), "");
            session.admit(&state(), body);
            session.sent();
            session.reply(200, &[], reply)
        });
        assert_eq!(answer(flow).2, None, "the provider's own bytes");
        assert_eq!((decoded, encoded), (0, 0), "{dialect:?}");
    }
    let (_, decoded, encoded) = counted(|| {
        let mut session = Session::admitted(CHAT_STREAM);
        session.sent();
        session.head(200, &[SSE]);
        session.body(CHUNK, false);
        session.body(&format!("{LAST}{USAGE}{DONE}"), true);
        assert_eq!(classes(&session.record()), ["a:ok"]);
    });
    assert_eq!((decoded, encoded), (0, 0), "streamed");
}

#[test]
fn the_translate_lane_decodes_once_each_way() {
    let body = CHAT.replace("\"m\"", "\"c/mc\"");
    let (_, decoded, encoded) = counted(|| {
        let mut session = Session::admitted(&body);
        session.sent();
        answer(session.reply(200, &[], MESSAGE))
    });
    // The request, what the reply repeats of it, and the reply; the request and the reply.
    assert_eq!((decoded, encoded), (3, 2));
}

#[test]
fn a_stream_is_known_by_its_dialect_s_media_type() {
    let bedrock = r#"{"name":"d","dialect":"bedrock","base_url":"https://d.example"}"#;
    let state = knowing(&[bedrock], &[]);
    let mut session = Session::arrived("");
    session.admit(&state, &CHAT_STREAM.replace("\"m\"", "\"d/us.anthropic.claude\""));
    let sent = session.sent();
    assert_eq!(header(&sent.headers, "accept"), "application/vnd.amazon.eventstream");
    assert_eq!(session.head(200, &[("content-type", "application/vnd.amazon.eventstream")]), Flow::Hold);
    // What is no frame is a fault of a stream, before the first token.
    assert_eq!(session.body("data: {}\n\ndata: {}\n\n", true), retry("d", None));
}

#[test]
fn a_provider_without_names_for_its_replies_lends_ours() {
    let bedrock = r#"{"name":"d","dialect":"bedrock","base_url":"https://d.example"}"#;
    let state = knowing(
        &[bedrock],
        &[r#"{"id":"pub","channels":[{"provider":"d","upstream_id":"us.anthropic.claude"}]}"#],
    );
    let mut session = Session::arrived("");
    session.admit(&state, &CHAT.replace("\"m\"", "\"pub\""));
    session.sent();
    let reply = r#"{"output":{"message":{"role":"assistant","content":[{"text":"yo"}]}},"stopReason":"end_turn","usage":{"inputTokens":7,"outputTokens":2,"totalTokens":9}}"#;
    let (_, _, body) = answer(session.reply(200, &[], reply));
    let body: serde_json::Value = serde_json::from_str(&body.unwrap()).unwrap();
    assert_eq!(body["model"], "pub");
    assert!(body["id"].as_str().unwrap().contains("req-1"), "{body}");
}

#[test]
fn signatures_are_made_when_the_request_is_sent() {
    let bedrock = r#"{"name":"d","dialect":"bedrock","base_url":"https://d.example",
        "auth":{"kind":"aws_sigv4","secret":"s","aws":{"access_key_id":"AKIA","region":"us-east-1"}}}"#;
    let mut session = Session::arrived("");
    session.admit(&knowing(&[bedrock], &[]), &CHAT.replace("\"m\"", "\"d/us.anthropic.claude\""));
    let first = session.sent();
    assert_eq!(session.reply(500, &[], "{}"), retry("d", None));
    session.wait(60_000);
    let second = session.sent();
    let date = |sent: &Outgoing| header(&sent.headers, "x-amz-date");
    assert_eq!((date(&first).as_str(), date(&second).as_str()), ("20231114T221320Z", "20231114T221420Z"));
    assert!(header(&first.headers, "authorization").starts_with("AWS4-HMAC-SHA256 Credential=AKIA/"));
    assert_ne!(header(&first.headers, "authorization"), header(&second.headers, "authorization"));
}

#[test]
fn flags_and_versions_go_on_only_where_they_are_for() {
    let picky = r#"{"name":"c","dialect":"anthropic","base_url":"https://c.example",
        "anthropic_betas":{"deny":["context-1m*"]}}"#;
    let vertex = r#"{"name":"v","dialect":"anthropic","base_url":"https://v.example/v1/projects/p/locations/l","vendor":{"kind":"vertex"}}"#;
    let body = CHAT.replace("\"messages\"", "\"max_tokens\":9,\"messages\"");
    let sent = |model: &str| {
        let asked = Asked { beta: true, ..Asked::of(Endpoint::Messages) };
        let mut session = Session::asking(Dialect::Anthropic, asked, "");
        for (name, value) in [("anthropic-beta", "context-1m-x, other"), ("anthropic-version", "2099-01-01")]
        {
            session.exchange.forward.push((name.into(), value.into()));
        }
        session.admit(&knowing(&[picky, vertex], &[]), &body.replace("\"m\"", &format!("\"{model}\"")));
        let sent = session.sent();
        ["anthropic-beta", "anthropic-version", ":path"].map(|name| header(&sent.headers, name))
    };
    assert_eq!(sent("c/mc"), ["other", "2099-01-01", "/v1/messages?beta=true"]);
    let [flags, version, path] = sent("v/mv");
    assert_eq!((flags.as_str(), version.as_str()), ("context-1m-x, other", ""));
    assert!(path.ends_with("/mv:rawPredict"), "{path}");
    let other = sent("a/ma");
    assert_eq!(other, ["", "", "/v1/chat/completions"], "no header or query of a dialect goes to another");
}

#[test]
fn a_reply_is_no_longer_than_the_model_s_longest() {
    let short = r#"{"id":"short","channels":[{"provider":"c","upstream_id":"x"}],"max_output_tokens":100}"#;
    for (asked, sent, dropped) in [(99, 99, false), (100, 100, false), (32_000, 100, true)] {
        let body = CHAT.replace("\"m\"", &format!("\"short\",\"max_tokens\":{asked}"));
        let mut session = Session::arrived("");
        session.admit(&knowing(&[], &[short]), &body);
        let out = String::from_utf8(session.sent().body.unwrap()).unwrap();
        assert!(out.contains(&format!("\"max_tokens\":{sent}")), "{out}");
        let (_, headers, _) = answer(session.reply(200, &[], MESSAGE));
        let said =
            headers.iter().any(|(name, value)| name == "x-sluice-dropped-params" && value == b"max_tokens");
        assert_eq!(said, dropped, "{asked}");
    }
}

#[test]
fn what_a_flag_adds_to_the_body_stays_behind_with_it() {
    let picky = r#"{"name":"c","dialect":"anthropic","base_url":"https://c.example",
        "anthropic_betas":{"allow":["claude-code-*"]}}"#;
    let open = r#"{"name":"o","dialect":"anthropic","base_url":"https://o.example"}"#;
    let body = CHAT.replace(
        "\"messages\"",
        r#""max_tokens":9,"context_management":{"edits":[]},"speed" : "fast","messages""#,
    );
    let sent = |model: &str| {
        let mut session = Session::asking(Dialect::Anthropic, Asked::of(Endpoint::Messages), "");
        let flags = "claude-code-20250219,context-management-2025-06-27";
        session.exchange.forward.push(("anthropic-beta".into(), flags.into()));
        session.admit(&knowing(&[picky, open], &[]), &body.replace("\"m\"", &format!("\"{model}\"")));
        String::from_utf8(session.sent().body.unwrap()).unwrap()
    };
    let named = |model: &str| body.replace("\"m\"", &format!("\"{model}\""));
    let without = named("mc").replace(r#","context_management":{"edits":[]}"#, "");
    assert_eq!(sent("c/mc"), without, "without its flag the other is the upstream's to refuse");
    assert_eq!(sent("o/mo"), named("mo"));
}

#[test]
fn what_the_patch_lane_takes_out_is_told_or_refused() {
    let claude = r#"{"id":"cl","channels":[{"provider":"c","upstream_id":"claude-sonnet-4-5"}]}"#;
    let state = knowing(&[], &[claude]);
    let block = r#"{"type":"thinking","thinking":"t","signature":"sluice.gemini.x"}"#;
    let call = r#"{"type":"tool_use","id":"t","name":"f","input":{}}"#;
    let body = format!(
        r#"{{"model":"cl","max_tokens":9,"thinking":{{"type":"enabled","budget_tokens":2000}},"messages":[{{"role":"user","content":"q"}},{{"role":"assistant","content":[{block},{call}]}},{{"role":"user","content":[{{"type":"tool_result","tool_use_id":"t"}}]}}]}}"#
    );
    let asking = |policy: &str| Session::asking(Dialect::Anthropic, Asked::of(Endpoint::Messages), policy);
    let mut session = asking("");
    session.admit(&state, &body);
    assert!(!String::from_utf8(session.sent().body.unwrap()).unwrap().contains("sluice."));
    let (_, headers, _) = answer(session.reply(200, &[], MESSAGE));
    assert_eq!(header(&headers, "x-sluice-dropped-params"), "messages[1].content[0], thinking");
    assert_eq!(session.record().dropped_params, ["messages[1].content[0]", "thinking"]);
    let (status, code, param, message) = asking(r#","loss":"strict""#).refused(&state, &body);
    assert_eq!((status, code.as_str()), (400, "unsupported_parameter"));
    assert_eq!(param.as_deref(), Some("messages[1].content[0]"));
    assert!(message.contains("messages[1].content[0], thinking"), "{message}");
    // To call the model by another name, and to ask for usage, loses nothing.
    let mut strict = Session::arrived(r#","loss":"strict""#);
    strict.admit(&self::state(), CHAT_STREAM);
    assert!(String::from_utf8(strict.sent().body.unwrap()).unwrap().contains("include_usage"));
}

#[test]
fn a_claude_s_signature_is_at_home_wherever_it_is_served() {
    let bedrock = r#"{"name":"d","dialect":"bedrock","base_url":"https://d.example"}"#;
    let reply = r#"{"output":{"message":{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"hm","signature":"EqQ="}}},{"text":"yo"}]}},"stopReason":"end_turn","usage":{"inputTokens":7,"outputTokens":2,"totalTokens":9}}"#;
    for (model, signature) in [
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "EqQ="),
        ("arn:aws:bedrock:us-east-1:1:application-inference-profile/x", "sluice.bedrock.EqQ="),
        ("us.amazon.nova-2-lite-v1:0", "sluice.bedrock.EqQ="),
    ] {
        let served = format!(
            r#"{{"id":"pub","channels":[{{"provider":"d","upstream_id":"{model}"}},{{"provider":"c","upstream_id":"claude-sonnet-4-5"}}]}}"#
        );
        let state = knowing(&[bedrock], &[&served]);
        let asking = || Session::asking(Dialect::Anthropic, Asked::of(Endpoint::Messages), "");
        let turn = r#"{"role":"user","content":"q"}"#;
        let mut session = asking();
        session.admit(&state, &format!(r#"{{"model":"d/pub","max_tokens":9,"messages":[{turn}]}}"#));
        session.sent();
        let body = answer(session.reply(200, &[], reply)).2.unwrap();
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["content"][0]["signature"], signature, "{model}");
        // What the client keeps goes on at either vendor of a Claude, and home otherwise.
        let said = &body["content"];
        let again = |provider: &str| {
            let mut session = asking();
            let turns = format!(r#"{turn},{{"role":"assistant","content":{said}}},{turn}"#);
            session.admit(
                &state,
                &format!(r#"{{"model":"{provider}/pub","max_tokens":9,"messages":[{turns}]}}"#),
            );
            String::from_utf8(session.sent().body.unwrap()).unwrap().contains("EqQ=")
        };
        assert!(again("d"), "{model}");
        assert_eq!(again("c"), signature == "EqQ=", "{model}");
    }
}

#[test]
fn a_stream_s_signature_is_at_home_where_its_model_s_maker_is() {
    use crate::wire::eventstream::{Value, encode};
    let bedrock = r#"{"name":"d","dialect":"bedrock","base_url":"https://d.example"}"#;
    let mut session = Session::asking(Dialect::Anthropic, Asked::of(Endpoint::Messages), "");
    let body = r#"{"model":"d/us.anthropic.claude-sonnet-4-5","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"q"}]}"#;
    session.admit(&knowing(&[bedrock], &[]), body);
    session.sent();
    session.head(200, &[("content-type", "application/vnd.amazon.eventstream")]);
    let mut frames = Vec::new();
    for (event, payload) in [
        ("messageStart", r#"{"role":"assistant"}"#),
        ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"hm"}}}"#),
        ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"EqQ="}}}"#),
        ("contentBlockStop", r#"{"contentBlockIndex":0}"#),
    ] {
        let headers = [(":message-type", Value::Text("event")), (":event-type", Value::Text(event))];
        encode(&headers, payload.as_bytes(), &mut frames).unwrap();
    }
    session.wait(1);
    let flow = session.exchange.reply_body(&frames, false, session.now);
    let told = answer(flow).2.unwrap();
    assert!(told.contains(r#""signature":"EqQ=""#), "{told}");
}

#[test]
fn a_long_event_that_never_ends_does_not_swallow_the_report() {
    let ask = CHAT_STREAM.replace("\"messages\"", "\"stream_options\":{\"include_usage\":true},\"messages\"");
    let long = CHUNK.replace("yo", &"s".repeat(200_000));
    let mut session = Session::arrived("");
    session.admit(&state(), &ask);
    session.begin();
    session.head(200, &[SSE]);
    session.body(CHUNK, false);
    let (left, _) = long.split_at(150_000);
    let Flow::Emit(begun) = session.body(left, false) else { panic!("the beginning of it") };
    assert!(long.as_bytes().starts_with(&begun));
    let Flow::Emit(end) = session.body("", true) else { panic!("a report") };
    let end = String::from_utf8(end).unwrap();
    assert!(end.starts_with("\n\ndata: {\"error\":") && end.ends_with("}\n\n"), "{end}");
    assert_eq!(session.record().attempts[0].class, "partial");
}

#[test]
fn a_reply_claims_nothing_that_was_lost() {
    let ask = |members: &str| {
        let body = format!(r#"{{"model":"c/mc","input":"hi"{members}}}"#);
        let mut session = Session::asking(Dialect::Responses, Asked::of(Endpoint::Responses), "");
        session.admit(&state(), &body);
        session.sent();
        let (_, headers, body) = answer(session.reply(200, &[], MESSAGE));
        let body: serde_json::Value = serde_json::from_str(&body.unwrap()).unwrap();
        (header(&headers, "x-sluice-dropped-params"), body)
    };
    let (lost, reply) = ask("");
    assert_eq!((lost.as_str(), &reply["store"]), ("", &false.into()), "nobody has kept it");
    let (lost, reply) = ask(
        r#","store":true,"truncation":"auto","include":["message.output_text.logprobs"],"top_logprobs":3,"temperature":0.5,"metadata":{"a":"b"},"text":{"verbosity":"low","format":{"type":"text"}}"#,
    );
    for name in ["store", "truncation", "top_logprobs", "metadata", "text.verbosity"] {
        assert!(lost.split(", ").any(|path| path == name), "{name}: {lost}");
    }
    assert_eq!(reply["store"], false);
    assert_eq!(reply["truncation"], "disabled");
    assert_eq!(reply["top_logprobs"], 0);
    assert_eq!(reply["metadata"], serde_json::json!({}));
    assert_eq!(reply["text"], serde_json::json!({"verbosity": "medium", "format": {"type": "text"}}));
    assert_eq!(reply["temperature"], 0.5, "what was carried is repeated");
}
