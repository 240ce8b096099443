//! Streams of providers that quote our credential where they complain.

use super::*;

/// What a client gets of a stream that comes in these pieces.
fn streamed(session: &mut Session, pieces: &[&str]) -> String {
    let mut got = String::new();
    for (at, piece) in pieces.iter().enumerate() {
        match session.body(piece, at + 1 == pieces.len()) {
            Flow::Hold => {}
            Flow::Pass => got.push_str(piece),
            Flow::Emit(bytes) => got.push_str(std::str::from_utf8(&bytes).unwrap()),
            Flow::Answer { body: Some(body), .. } => got.push_str(std::str::from_utf8(&body).unwrap()),
            Flow::Answer { body: None, .. } => got = pieces[..=at].concat(),
            flow => panic!("{flow:?}"),
        }
    }
    got
}

#[test]
fn a_stream_that_quotes_our_credential_tells_it_to_nobody() {
    const START: &str = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"model\":\"x\",\"usage\":{}}}\n\nevent: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\nevent: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"yo s-c s-a\"}}\n\n";
    let message =
        r#"{"model":"c/mc","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"hi"}]}"#;
    let openai = "data: {\"error\":{\"message\":\"key s-a\",\"code\":\"s-a\"}}\n\n";
    let anthropic = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"key s-c \\u0073-c\"}}\n\n";
    let chat = (Dialect::Openai, Endpoint::ChatCompletions);
    let chunk = CHUNK.replace("yo", "yo s-c s-a");
    for ((dialect, endpoint), body, said, complaint) in [
        (chat, CHAT_STREAM, chunk.as_str(), openai),
        (chat, &CHAT_STREAM.replace("\"m\"", "\"c/mc\""), START, anthropic),
        ((Dialect::Anthropic, Endpoint::Messages), message, START, anthropic),
    ] {
        for cut in 0..=complaint.len() {
            let mut session = Session::asking(dialect, Asked::of(endpoint), "");
            session.admit(&state(), body);
            session.begin();
            assert_eq!(session.head(200, &[SSE]), Flow::Hold);
            let (left, right) = complaint.split_at(cut);
            let got = streamed(&mut session, &[said, left, right]);
            assert!(got.contains("yo s-c s-a"), "what the model says is its own: {got}");
            let complaint = got.split_once("s-c s-a").unwrap().1;
            assert!(!complaint.contains("s-c") && !complaint.contains("s-a"), "{complaint}");
            assert_eq!(complaint.matches("key [redacted]").count(), 1, "{complaint}");
            assert_eq!(session.record().attempts[0].class, "partial");
        }
    }
}

#[test]
fn what_quotes_nothing_passes_as_it_came() {
    let complaint = "data: {\"error\":{\"message\":\"busy\", \"x\":1}}\n\n";
    let mut session = Session::admitted(CHAT_STREAM);
    session.begin();
    session.head(200, &[SSE]);
    assert_eq!(streamed(&mut session, &[CHUNK, complaint]), format!("{CHUNK}{complaint}"));
    // An event of a picture's size does not wait for its end, and ends as it was.
    let long = CHUNK.replace("yo", &"s".repeat(200_000));
    let (left, right) = long.split_at(150_000);
    let mut session = Session::arrived("");
    session.admit(
        &state(),
        &CHAT_STREAM.replace("\"messages\"", "\"stream_options\":{\"include_usage\":true},\"messages\""),
    );
    session.begin();
    session.head(200, &[SSE]);
    session.body(CHUNK, false);
    let Flow::Emit(first) = session.body(left, false) else { panic!("the beginning of it") };
    let Flow::Emit(second) = session.body(right, false) else { panic!("the rest of it") };
    assert!((140_000..150_000).contains(&first.len()), "{}", first.len());
    assert_eq!([first, second].concat(), long.as_bytes());
    assert_eq!(session.body(CHUNK, false), Flow::Pass, "whole events are not copied");
}
