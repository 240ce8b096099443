use super::{Decoder, Encoder};
use crate::config::{Dialect, Endpoint, Usage};
use crate::dialect::{DecodeStream, EncodeStream, ReplyContext};
use crate::ir::Proof;
use crate::ir::chat::{Finish, FinishReason, Logprob};
use crate::ir::error::Fault;
use crate::ir::event::{Block, Checker, Delta, Event};
use crate::wire::json::Text;
use proptest::option;
use proptest::prelude::*;

fn encoder() -> Encoder {
    Encoder::new(&ReplyContext::new(Endpoint::GenerateContent, 1))
}

/// An event by its characters, not by the form they are held in.
fn said(event: &Event<'_>) -> String {
    let proved = |proof: &Option<Proof<'_>>| {
        proof.as_ref().map(|proof| (proof.home, proof.value.plain().into_owned()))
    };
    match event {
        Event::Start { id, model, usage } => format!("start {} {} {usage:?}", id.plain(), model.plain()),
        Event::BlockStart(Block::ToolCall { id, name, custom, proof }) => {
            format!("call {} {} {custom} {:?}", id.plain(), name.plain(), proved(proof))
        }
        Event::BlockStart(block) => format!("{block:?}"),
        Event::Delta(Delta::Text(text)) => format!("text {}", text.plain()),
        Event::Delta(Delta::Thinking(text)) => format!("thinking {}", text.plain()),
        Event::Delta(Delta::Arguments(text)) => format!("arguments {}", text.plain()),
        Event::Delta(Delta::Proof(proof)) => format!("proof {:?} {}", proof.home, proof.value.plain()),
        Event::Delta(Delta::Logprobs(logprobs)) => {
            let one = |text: &Text<'_>, logprob: &str| format!("{}={logprob}", text.plain());
            let all = logprobs.iter().map(|logprob| {
                let top: Vec<_> = logprob.top.iter().map(|(text, logprob)| one(text, logprob)).collect();
                format!("{} {top:?}", one(&logprob.token, &logprob.logprob))
            });
            format!("logprobs {:?}", all.collect::<Vec<_>>())
        }
        Event::Finish(finish) => format!("finish {:?} {}", finish.reason, finish.word.plain()),
        other => format!("{other:?}"),
    }
}

/// Decodes and checks the grammar; what came out, without borrows.
fn decoded(bytes: &[u8]) -> (Vec<String>, Result<(), Fault>) {
    let (mut decoder, mut checker, mut events) = (Decoder::default(), Checker::default(), Vec::new());
    let mut sink = |event: Event<'_>| {
        checker.event(&event).unwrap();
        events.push(said(&event));
    };
    let result = decoder.push(bytes, &mut sink).and_then(|()| decoder.finish(&mut sink));
    assert_eq!(checker.is_complete(), result.is_ok());
    (events, result)
}

#[test]
fn what_waits_to_be_whole_is_bounded() {
    let call = Block::ToolCall { id: "c".into(), name: "f".into(), custom: false, proof: None };
    let (mut encoder, mut out) = (encoder(), Vec::new());
    encoder.event(&Event::BlockStart(call), &mut out);
    let piece = "x".repeat(1 << 20);
    (0..40).for_each(|_| encoder.event(&Event::Delta(Delta::Arguments(piece.as_str().into())), &mut out));
    [Event::BlockEnd, finish(FinishReason::ToolCalls, "STOP"), Event::End]
        .iter()
        .for_each(|event| encoder.event(event, &mut out));
    assert!(out.len() < 1_000, "{} bytes", out.len());
    let (_, result) = decoded(&out);
    assert!(matches!(result, Err(Fault::Error(error)) if error.status == 502));
}

fn encoded(events: &[Event<'_>]) -> Vec<u8> {
    let (mut encoder, mut out) = (encoder(), Vec::new());
    events.iter().for_each(|event| encoder.event(event, &mut out));
    out
}

fn finish(reason: FinishReason, word: &str) -> Event<'static> {
    Event::Finish(Finish { reason, word: word.to_owned().into(), stop_sequence: None })
}

fn start() -> Event<'static> {
    Event::Start { id: "r".into(), model: "m".into(), usage: None }
}

fn data(out: &[u8]) -> Vec<serde_json::Value> {
    let text = std::str::from_utf8(out).unwrap();
    let blocks = text.split("\r\n\r\n").filter_map(|block| block.trim().strip_prefix("data: "));
    blocks.map(|json| serde_json::from_str(json).unwrap()).collect()
}

#[test]
fn a_call_comes_whole_whatever_its_pieces() {
    let call = Block::ToolCall { id: "c".into(), name: "f".into(), custom: false, proof: None };
    let piece = |text: &'static str| Event::Delta(Delta::Arguments(text.into()));
    let out = encoded(&[
        start(),
        Event::BlockStart(call.clone()),
        piece("{\"a\":\"\\u0"),
        piece("0e9\"}"),
        Event::BlockEnd,
        Event::BlockStart(call),
        piece("{\"a\":"),
        Event::BlockEnd,
        finish(FinishReason::ToolCalls, "tool_use"),
        Event::End,
    ]);
    let chunks = data(&out);
    let part = |at: usize| &chunks[at]["candidates"][0]["content"]["parts"][0];
    assert_eq!(part(0)["functionCall"]["args"]["a"], "é");
    assert_eq!(part(0)["thoughtSignature"], "c2x1aWNlLg==");
    assert_eq!(part(1)["functionCall"]["args"]["_raw"], "{\"a\":");
    assert!(part(1).get("thoughtSignature").is_none());
    assert_eq!(chunks[2]["candidates"][0]["finishReason"], "STOP");
    assert_eq!(chunks.len(), 3);
}

#[test]
fn pings_are_blank_lines_and_errors_come_first_in_their_chunk() {
    let mut out = Vec::new();
    let mut encoder = encoder();
    encoder.event(&Event::Ping, &mut out);
    assert_eq!(out, b"\r\n");
    let error = crate::dialect::gemini::error::decode(503, b"x");
    encoder.error(&error, "r", &mut out);
    assert!(out.starts_with(b"\r\ndata: {\"error\":{\"code\":503,"));
}

#[test]
fn held_candidates_are_bounded() {
    let big = "x".repeat(1 << 20);
    let chunk = format!(r#"{{"candidates":[{{"index":1,"content":{{"parts":[{{"text":"{big}"}}]}}}}]}}"#);
    let mut stream = b"data: {\"candidates\":[{\"index\":0}]}\n\n".to_vec();
    for _ in 0..40 {
        stream.extend_from_slice(format!("data: {chunk}\n\n").as_bytes());
    }
    assert!(matches!(decoded(&stream).1, Err(Fault::Invalid(_))));
}

#[test]
fn a_spoiled_candidate_spoils_only_itself() {
    let stream = concat!(
        r#"data: {"candidates":[{"index":0,"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"},"#,
        r#"{"index":1,"finishReason":"MALFORMED_FUNCTION_CALL"}],"responseId":"r"}"#,
        "\n\n"
    );
    let (events, result) = decoded(stream.as_bytes());
    assert_eq!(result, Ok(()));
    assert!(events.iter().any(|event| event.contains("NextCandidate")));
}

fn text() -> impl Strategy<Value = Text<'static>> {
    "[ -~é😀\n]{1,8}".prop_map(Text::from)
}

fn proof() -> impl Strategy<Value = Proof<'static>> {
    "[A-Za-b]{4}".prop_map(|value| Proof { home: Dialect::Gemini, value: value.into() })
}

fn block() -> impl Strategy<Value = Vec<Event<'static>>> {
    let framed = |block, deltas: Vec<Delta<'static>>| {
        let mut events = vec![Event::BlockStart(block)];
        events.extend(deltas.into_iter().map(Event::Delta));
        events.push(Event::BlockEnd);
        events
    };
    let logprob =
        Logprob { token: "t".into(), logprob: "-0.5".into(), top: vec![("u".into(), "-1e-3".into())] };
    let said = (prop::collection::vec(text(), 1..3), any::<bool>()).prop_map(move |(texts, told)| {
        let mut deltas: Vec<_> = texts.into_iter().map(Delta::Text).collect();
        if told {
            deltas.push(Delta::Logprobs(vec![logprob.clone()]));
        }
        framed(Block::Text, deltas)
    });
    let thought = (prop::collection::vec(text(), 0..3), proof()).prop_map(move |(texts, proof)| {
        let deltas = texts.into_iter().map(Delta::Thinking).chain([Delta::Proof(proof)]);
        framed(Block::Thinking, deltas.collect())
    });
    let call = ("[a-z]{1,6}", proof()).prop_map(move |(name, proof)| {
        let block = Block::ToolCall {
            id: format!("id_{name}").into(),
            name: name.into(),
            custom: false,
            proof: Some(proof),
        };
        framed(block, vec![Delta::Arguments(r#"{"a":[1e3]}"#.into())])
    });
    prop_oneof![said, thought, call]
}

fn candidate() -> impl Strategy<Value = Vec<Event<'static>>> {
    let word =
        prop::sample::select(vec![(FinishReason::Length, "MAX_TOKENS"), (FinishReason::Refusal, "SPII")]);
    (prop::collection::vec(block(), 1..4), word).prop_map(|(blocks, (reason, word))| {
        let mut events: Vec<Event<'static>> = Vec::new();
        for block in blocks {
            // Two texts in a row are one on the wire.
            let twice = matches!(block.first(), Some(Event::BlockStart(Block::Text)))
                && matches!(
                    events.last_chunk::<2>(),
                    Some([Event::Delta(Delta::Text(_) | Delta::Logprobs(_)), _])
                );
            if !twice {
                events.extend(block);
            }
        }
        events.push(finish(reason, word));
        events
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_stream_is_read_back_as_it_was_written(
        first in candidate(),
        second in option::of(candidate()),
        usage in option::of((0u64..99, 0u64..99)),
    ) {
        let mut events = vec![start()];
        events.extend(first);
        if let Some(second) = second {
            events.push(Event::NextCandidate);
            events.extend(second);
        }
        if let Some((input, output)) = usage {
            events.push(Event::Usage(Usage { input, output, ..Usage::default() }));
        }
        events.push(Event::End);
        let (back, result) = decoded(&encoded(&events));
        prop_assert_eq!(result, Ok(()));
        let written: Vec<_> = events.iter().map(said).collect();
        prop_assert_eq!(back, written);
    }
}
