use super::{Decoder, Encoder};
use crate::dialect::anthropic::observe::Observer;
use crate::dialect::{DecodeStream, EncodeStream, Observe, Sight};
use crate::ir::error::{ErrorKind, Fault};
use crate::ir::event::Checker;
use crate::wire::json::Reader;
use crate::wire::sse::{self, Splitter};

/// Frames by their data alone: the decoder takes the kind from there.
fn stream(data: &[&str]) -> Vec<u8> {
    data.iter().flat_map(|data| format!("data: {data}\n\n").into_bytes()).collect()
}

/// Decodes, checks the grammar, encodes again; the encoded stream, or the fault and what came before it.
fn through(bytes: &[u8]) -> Result<String, (Fault, String)> {
    let (mut decoder, mut encoder, mut checker) =
        (Decoder::default(), Encoder::default(), Checker::default());
    let mut out = Vec::new();
    let mut sink = |event: crate::ir::event::Event<'_>| {
        checker.event(&event).unwrap();
        encoder.event(&event, &mut out);
    };
    let result = decoder.push(bytes, &mut sink).and_then(|()| decoder.finish(&mut sink));
    let text = String::from_utf8(out).unwrap();
    match result {
        Ok(()) => {
            assert!(checker.is_complete());
            Ok(text)
        }
        Err(fault) => Err((fault, text)),
    }
}

fn data(stream: &str) -> Vec<String> {
    stream
        .split("\n\n")
        .filter_map(|frame| frame.split_once("data: ").map(|(_, data)| data.to_owned()))
        .collect()
}

const START: &str = r#"{"type":"message_start","message":{"id":"msg_1","model":"claude-x","usage":{"input_tokens":3,"cache_read_input_tokens":7,"output_tokens":1}}}"#;
const TEXT: &str = r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#;
const HI: &str = r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"h\u00ed"}}"#;
const CLOSE: &str = r#"{"type":"content_block_stop","index":0}"#;
const DONE: &str = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":5}}"#;
const STOP: &str = r#"{"type":"message_stop"}"#;

#[test]
fn a_stream_is_written_as_the_official_clients_read_it() {
    let out = through(&stream(&[START, TEXT, r#"{"type":"ping"}"#, HI, CLOSE, DONE, STOP])).unwrap();
    let expected = concat!(
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",",
        "\"role\":\"assistant\",\"model\":\"claude-x\",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,",
        "\"usage\":{\"input_tokens\":3,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":7,\"output_tokens\":1}}}\n\n",
        "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
        "event: ping\ndata: {\"type\":\"ping\"}\n\n",
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"h\\u00ed\"}}\n\n",
        "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
        "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},",
        "\"usage\":{\"input_tokens\":3,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":7,\"output_tokens\":5}}\n\n",
        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
    );
    assert_eq!(out, expected);
}

#[test]
fn the_end_is_known_or_the_reply_is_truncated() {
    let fault = |data: &[&str]| through(&stream(data)).unwrap_err().0;
    assert_eq!(fault(&[]), Fault::Empty);
    assert_eq!(fault(&[r#"{"type":"ping"}"#]), Fault::Empty);
    assert_eq!(fault(&[START]), Fault::Truncated);
    assert_eq!(fault(&[START, TEXT, HI]), Fault::Truncated);
    assert_eq!(fault(&[START, TEXT, HI, CLOSE]), Fault::Truncated);
    assert_eq!(fault(&[START, STOP]), Fault::Empty);
    // A reason is as good as the last event; an open block is closed.
    assert!(through(&stream(&[START, TEXT, HI, DONE])).is_ok());
    assert!(through(&stream(&[START, DONE, STOP])).is_ok());
    assert!(through(&stream(&[START, TEXT, HI, CLOSE, STOP])).is_ok());
    let unended = [
        stream(&[START, TEXT, HI, CLOSE, DONE]),
        b"event: message_stop\ndata: {\"type\":\"message_stop\"}".to_vec(),
    ];
    assert!(through(&unended.concat()).is_ok());
    let cut = [stream(&[START, TEXT, HI]), b"data: {\"type\":\"message_de".to_vec()].concat();
    assert_eq!(through(&cut).unwrap_err().0, Fault::Truncated);
}

#[test]
fn errors_are_errors_wherever_they_stand() {
    let kind = |bytes: &[u8]| match through(bytes).unwrap_err().0 {
        Fault::Error(error) => (error.kind, error.status),
        other => panic!("{other:?}"),
    };
    let overloaded = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    assert_eq!(kind(&stream(&[START, TEXT, HI, overloaded])), (ErrorKind::Overloaded, 529));
    assert_eq!(kind(&stream(&[r#"{"error":{"message":"boom"}}"#])), (ErrorKind::Server, 500));
    // A plain JSON error where a stream was asked for, pretty-printed or not.
    assert_eq!(kind(overloaded.as_bytes()), (ErrorKind::Overloaded, 529));
    assert_eq!(
        kind(b"{\n \"error\": {\"type\": \"rate_limit_error\", \"message\": \"slow\"}\n}\n"),
        (ErrorKind::RateLimit, 429)
    );
}

#[test]
fn what_breaks_the_format_is_invalid() {
    let invalid = |data: &[&str]| matches!(through(&stream(data)), Err((Fault::Invalid(_), _)));
    assert!(invalid(&["{"]));
    assert!(invalid(&[TEXT]));
    assert!(invalid(&[HI]));
    assert!(invalid(&[START, START]));
    assert!(invalid(&[START, TEXT, &HI.replace("\"index\":0", "\"index\":1")]));
    assert!(invalid(&[
        START,
        TEXT,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{"}}"#
    ]));
    assert!(invalid(&[
        START,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","name":"f"}}"#
    ]));
}

#[test]
fn calls_keep_their_arguments_however_they_come() {
    let open = |input: &str| {
        format!(
            r#"{{"type":"content_block_start","index":0,"content_block":{{"type":"tool_use","id":"t","name":"f","input":{input}}}}}"#
        )
    };
    let delta = |json: &str| {
        format!(
            r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"input_json_delta","partial_json":"{json}"}}}}"#
        )
    };
    let arguments = |frames: &[&str]| {
        let mut all = vec![START];
        all.extend(frames);
        all.extend([CLOSE, r#"{"type":"message_delta","delta":{"stop_reason":"tool_use"}}"#, STOP]);
        let out = through(&stream(&all)).unwrap();
        let parts = data(&out).into_iter().filter_map(|data| {
            let value: serde_json::Value = serde_json::from_str(&data).unwrap();
            value["delta"]["partial_json"].as_str().map(str::to_owned)
        });
        assert!(out.contains(r#""stop_reason":"tool_use""#));
        parts.collect::<String>()
    };
    assert_eq!(arguments(&[&open("{}"), &delta(""), &delta(r#"{\"a\":"#), &delta("1}")]), r#"{"a":1}"#);
    assert_eq!(arguments(&[&open(r#"{"a":1}"#)]), r#"{"a":1}"#);
    assert_eq!(arguments(&[&open(r#"{"a":1}"#), &delta(r#"{\"a\":2}"#)]), r#"{"a":2}"#);
    assert_eq!(arguments(&[&open("{}"), &delta("")]), "{}");
    assert_eq!(arguments(&[&open("null")]), "{}");
}

#[test]
fn foreign_blocks_are_passed_over_and_missing_starts_forgiven() {
    let server = r#"{"type":"content_block_start","index":0,"content_block":{"type":"server_tool_use","id":"s","name":"web_search","input":{}}}"#;
    let query =
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{}"}}"#;
    let citation =
        r#"{"type":"content_block_delta","index":1,"delta":{"type":"citations_delta","citation":{}}}"#;
    let later = HI.replace("\"index\":0", "\"index\":1");
    let out = through(&stream(&[
        START,
        server,
        query,
        CLOSE,
        &later,
        citation,
        r#"{"type":"novelty"}"#,
        DONE,
        STOP,
    ]))
    .unwrap();
    let kinds: Vec<_> = out.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
    assert_eq!(
        kinds,
        [
            "message_start",
            "content_block_start",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop"
        ]
    );
    assert!(out.contains(r#""index":0,"delta":{"type":"text_delta""#));
}

#[test]
fn a_refusal_explains_itself() {
    let refusal = r#"{"type":"message_delta","delta":{"stop_reason":"refusal","stop_details":{"type":"refusal","explanation":"no"}},"usage":{"output_tokens":5}}"#;
    let out = through(&stream(&[START, refusal, STOP])).unwrap();
    assert!(out.contains(r#""text":"no""#), "{out}");
    assert!(out.contains(r#""stop_reason":"refusal""#));
}

#[test]
fn every_frame_is_json() {
    let out = through(&stream(&[START, TEXT, HI, CLOSE, DONE, STOP])).unwrap();
    for data in data(&out) {
        let mut reader = Reader::new(&data);
        reader.skip().and_then(|()| reader.end()).unwrap();
        assert!(sse::Event::parse(data.as_bytes()).data.is_none());
    }
}

fn observe(bytes: &[u8]) -> (Vec<Sight>, Observer, Option<Fault>) {
    let (mut splitter, mut observer) = (Splitter::default(), Observer::default());
    let (mut sights, mut fault) = (Vec::new(), None);
    let look = |block: &[u8]| match observer.block(block) {
        Ok(sight) => sights.push(sight),
        Err(error) => fault = Some(error),
    };
    splitter.push(bytes, look).unwrap();
    (sights, observer, fault)
}

#[test]
fn the_observer_sees_tokens_counts_and_the_end() {
    let named = through(&stream(&[START, TEXT, HI, HI, CLOSE, DONE, STOP])).unwrap();
    let (sights, observer, fault) = observe(named.as_bytes());
    use Sight::{Silent, Token};
    assert_eq!(sights, [Silent, Silent, Token, Token, Silent, Token, Silent]);
    assert_eq!(fault, None);
    assert!(observer.is_complete());
    let summary = observer.summary();
    let usage = summary.usage.unwrap();
    assert_eq!((usage.input, usage.cached, usage.output), (10, 7, 5));
    assert_eq!(summary.finish_reason.as_deref(), Some("end_turn"));
    assert_eq!(summary.output_bytes, 2 * r"h\u00ed".len() as u64);
    let (_, observer, _) = observe(&stream(&[START, TEXT, HI, CLOSE]));
    assert!(!observer.is_complete());
}

#[test]
fn the_observer_finds_faults_wherever_they_are() {
    let overloaded = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    assert!(matches!(observe(&stream(&[START, overloaded])).2, Some(Fault::Error(_))));
    assert!(matches!(observe(&stream(&[START, TEXT, HI, overloaded])).2, Some(Fault::Error(_))));
    assert!(matches!(observe(&stream(&[START, "{"])).2, Some(Fault::Invalid(_))));
    for broken in ["{", r#"{"type":"content_block_delta","delta":{"#] {
        let (_, observer, fault) = observe(&stream(&[START, TEXT, HI, broken]));
        assert!(matches!(fault, Some(Fault::Invalid(_))));
        assert!(!observer.is_complete());
    }
    let call = r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}"#;
    assert_eq!(observe(&stream(&[START, call])).0, [Sight::Silent, Sight::Token]);
    let refusal = DONE.replace("end_turn", "refusal");
    assert!(observe(&stream(&[START, &refusal])).1.summary().refused);
    assert_eq!(observe(b": hello\n\n").0, [Sight::Silent]);
    assert!(matches!(observe(b"{\"error\":{\"message\":\"x\"}}\n\n").2, Some(Fault::Error(_))));
}

#[test]
fn nothing_begins_before_the_message_does() {
    for first in [DONE, TEXT, HI, STOP] {
        let (fault, out) = through(&stream(&[first, STOP])).unwrap_err();
        assert!(matches!(fault, Fault::Invalid(_) | Fault::Empty), "{first}: {fault}");
        assert_eq!(out, "", "{first}");
    }
}
