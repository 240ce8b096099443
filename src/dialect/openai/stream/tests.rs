use super::{Decoder, Encoder};
use crate::config::Endpoint;
use crate::dialect::{DecodeStream, EncodeStream, ReplyContext};
use crate::ir::error::Fault;
use crate::ir::event::{Block, Checker, Delta, Event};

fn call(index: usize, rest: &str) -> String {
    format!(
        "data: {{\"id\":\"r\",\"choices\":[{{\"index\":0,\"delta\":{{\"tool_calls\":[{{\"index\":{index},{rest}}}]}}}}]}}\n\n"
    )
}

fn piece(index: usize, arguments: &str) -> String {
    call(index, &format!("\"function\":{{\"arguments\":{arguments:?}}}"))
}

fn begin(index: usize) -> String {
    call(index, &format!("\"id\":\"c{index}\",\"function\":{{\"name\":\"f\",\"arguments\":\"\"}}"))
}

/// The calls that come out, and how the stream ends.
fn decoded(stream: &str) -> (Vec<String>, Result<(), Fault>) {
    let mut checker = Checker::default();
    let mut calls = Vec::new();
    let mut sink = |event: Event<'_>| {
        checker.event(&event).unwrap();
        match event {
            Event::BlockStart(Block::ToolCall { id, .. }) => calls.push(format!("{}:", id.plain())),
            Event::Delta(Delta::Arguments(text)) => {
                if let Some(last) = calls.last_mut() {
                    last.push_str(&text.plain());
                }
            }
            _ => {}
        }
    };
    let mut decoder = Decoder::default();
    let result = decoder.push(stream.as_bytes(), &mut sink).and_then(|()| decoder.finish(&mut sink));
    (calls, result)
}

const DONE: &str = "data: [DONE]\n\n";

#[test]
fn calls_to_and_fro_come_out_in_a_row() {
    let stream = [
        begin(0),
        begin(1),
        begin(2),
        piece(2, "{\"z\":\"}\"}"),
        piece(0, "{\"a\":{}"),
        piece(1, "{}"),
        piece(0, "}"),
        piece(2, " "),
        DONE.to_owned(),
    ]
    .concat();
    let (calls, result) = decoded(&stream);
    assert_eq!(calls, ["c0:{\"a\":{}}", "c1:{}", "c2:{\"z\":\"}\"} "]);
    assert_eq!(result, Ok(()));
}

#[test]
fn a_call_that_never_ends_holds_the_others_back_but_loses_none() {
    let (calls, result) =
        decoded(&[begin(0), piece(0, "{"), begin(1), piece(1, "{}"), DONE.to_owned()].concat());
    assert_eq!(calls, ["c0:{", "c1:{}"]);
    assert_eq!(result, Ok(()));
}

#[test]
fn nothing_is_swallowed_behind_a_calls_end() {
    let head = [begin(0), piece(0, "{}"), begin(1)].concat();
    assert_eq!(decoded(&[head.clone(), piece(0, " \n"), DONE.to_owned()].concat()).1, Ok(()));
    assert!(matches!(decoded(&[head, piece(0, "{}")].concat()).1, Err(Fault::Invalid(_))));
}

#[test]
fn a_surrogate_pair_may_be_cut_between_deltas() {
    let half = |half: &str| call(1, &format!("\"function\":{{\"arguments\":\"{half}\"}}"));
    let stream = [
        begin(0),
        begin(1),
        half("{\\\"e\\\":\\\"\\ud83d"),
        half("\\ude00\\\"}"),
        piece(0, "{}"),
        DONE.to_owned(),
    ];
    assert_eq!(decoded(&stream.concat()).0, ["c0:{}", "c1:{\"e\":\"😀\"}"]);
}

#[test]
fn calls_are_bounded() {
    let stream: String = (0..2_000).map(begin).collect();
    assert!(matches!(decoded(&stream).1, Err(Fault::Invalid(_))));
}

#[test]
fn usage_is_written_only_if_asked_for() {
    let write = |include_usage| {
        let mut encoder =
            Encoder::new(&ReplyContext { include_usage, ..ReplyContext::new(Endpoint::ChatCompletions, 1) });
        let mut out = Vec::new();
        encoder.event(&Event::Start { id: "i".into(), model: "m".into(), usage: None }, &mut out);
        encoder.event(&Event::Usage(crate::config::Usage::default()), &mut out);
        encoder.event(&Event::End, &mut out);
        String::from_utf8(out).unwrap()
    };
    assert_eq!(
        write(false),
        "data: {\"id\":\"i\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null},\"logprobs\":null,\"finish_reason\":null}]}\n\ndata: [DONE]\n\n"
    );
    assert!(write(true).contains("\"choices\":[],\"usage\":{\"prompt_tokens\":0,"));
    assert!(write(true).contains("\"finish_reason\":null}],\"usage\":null}"));
}

/// Every event, as text.
fn told(stream: &str) -> (Vec<String>, Result<(), Fault>) {
    let mut checker = Checker::default();
    let mut told = Vec::new();
    let mut sink = |event: Event<'_>| {
        checker.event(&event).unwrap();
        told.push(match event {
            Event::Delta(Delta::Text(text)) => text.plain().into_owned(),
            Event::Finish(finish) => format!("{:?}", finish.reason),
            Event::NextCandidate => "next".to_owned(),
            _ => return,
        });
    };
    let mut decoder = Decoder::default();
    let result = decoder.push(stream.as_bytes(), &mut sink).and_then(|()| decoder.finish(&mut sink));
    (told, result)
}

fn said(index: u64, content: &str, finish: &str) -> String {
    format!(
        "data: {{\"choices\":[{{\"index\":{index},\"delta\":{{\"content\":\"{content}\"}},\"finish_reason\":{finish}}}]}}\n\n"
    )
}

#[test]
fn the_first_candidate_is_told_as_it_comes_and_the_others_in_order() {
    let begun = [said(2, "C", "null"), said(0, "A", "null"), said(1, "B", "null")].concat();
    assert_eq!(told(&begun), (vec!["A".to_owned()], Err(Fault::Truncated)));
    let ended = [said(1, "b", "\"length\""), said(0, "a", "\"stop\""), said(2, "c", "\"stop\"")].concat();
    let all = ["A", "a", "Stop", "next", "B", "b", "Length", "next", "C", "c", "Stop"].map(str::to_owned);
    assert_eq!(told(&format!("{begun}{ended}")), (all.to_vec(), Ok(())));
    // One of them does not say why it ended, and nobody says that all is over.
    let cut = [begun.as_str(), &said(0, "a", "\"stop\"")].concat();
    assert_eq!(told(&cut).1, Err(Fault::Truncated));
    assert_eq!(told(&format!("{cut}{DONE}")).1, Ok(()));
}

#[test]
fn what_waits_is_bounded() {
    let crowd: String = (0..200).map(|index| said(index, "x", "null")).collect();
    assert!(matches!(told(&crowd).1, Err(Fault::Invalid(problem)) if problem.contains("128 choices")));
    let long = said(1, &"x".repeat(1 << 20), "null");
    assert!(matches!(told(&long.repeat(17)).1, Err(Fault::Invalid(problem)) if problem.contains("bytes")));
}

#[test]
fn calls_of_a_stand_in_become_the_custom_tools_own() {
    let mut context = ReplyContext::new(Endpoint::ChatCompletions, 0);
    context.include_usage = false;
    context.echo = r#"["shell"]"#.into();
    let mut encoder = Encoder::new(&context);
    let mut out = Vec::new();
    for name in ["shell", "other"] {
        let block = Block::ToolCall { id: "c".into(), name: name.into(), custom: false, proof: None };
        for event in [
            Event::BlockStart(block),
            Event::Delta(Delta::Arguments(r#"{"input":"ls "#.into())),
            Event::Delta(Delta::Arguments(r#"\"a\""}"#.into())),
            Event::BlockEnd,
        ] {
            encoder.event(&event, &mut out);
        }
    }
    let text = String::from_utf8(out).unwrap();
    let calls: Vec<_> = text
        .lines()
        .filter_map(|line| line.split_once(r#""tool_calls":["#)?.1.split_once(r#"]},"logprobs""#))
        .map(|(call, _)| call)
        .collect();
    assert_eq!(
        calls,
        [
            r#"{"index":0,"id":"c","type":"custom","custom":{"name":"shell","input":""}}"#,
            r#"{"index":0,"custom":{"input":"ls \"a\""}}"#,
            r#"{"index":1,"id":"c","type":"function","function":{"name":"other","arguments":""}}"#,
            r#"{"index":1,"function":{"arguments":"{\"input\":\"ls "}}"#,
            r#"{"index":1,"function":{"arguments":"\\\"a\\\"\"}"}}"#,
        ]
    );
}
