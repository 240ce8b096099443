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
    assert_eq!(sent("a/ma")[..2], ["", ""], "no header of a dialect goes to another");
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
