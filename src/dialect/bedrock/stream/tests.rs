use super::*;
use crate::ir::event::Checker;
use crate::wire::eventstream::{Value, encode};

/// The debug forms of the events of a stream, and how it ends.
fn decoded(messages: &[(&str, &str)]) -> (Vec<String>, Result<(), Fault>) {
    let mut bytes = Vec::new();
    for (name, payload) in messages {
        let headers = [(":event-type", Value::Text(name)), (":message-type", Value::Text("event"))];
        encode(&headers, payload.as_bytes(), &mut bytes).unwrap();
    }
    run(&bytes)
}

fn run(bytes: &[u8]) -> (Vec<String>, Result<(), Fault>) {
    let (mut events, mut checker) = (Vec::new(), Checker::default());
    let mut sink = |event: Event<'_>| {
        checker.event(&event).unwrap();
        events.push(format!("{event:?}"));
    };
    let mut decoder = Decoder::default();
    let result = decoder.push(bytes, &mut sink).and_then(|()| decoder.finish(&mut sink));
    assert_eq!(checker.is_complete(), result.is_ok());
    (events, result)
}

const START: (&str, &str) = ("messageStart", r#"{"role":"assistant"}"#);

fn fault(messages: &[(&str, &str)]) -> String {
    decoded(messages).1.unwrap_err().to_string()
}

#[test]
fn what_comes_out_of_order_is_refused() {
    let text = ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"text":"a"}}"#);
    let stop = ("messageStop", r#"{"stopReason":"end_turn"}"#);
    let call =
        ("contentBlockStart", r#"{"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"t","name":"f"}}}"#);
    let arguments = ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"toolUse":{"input":"{}"}}}"#);
    for (messages, expected) in [
        (&[text][..], "content before messageStart"),
        (&[START, START], "a second messageStart"),
        (&[START, ("metadata", "{}")], "metadata before messageStop"),
        (&[START, stop, text], "content after messageStop"),
        (&[START, call, text], "a delta of another kind than its block"),
        (&[START, arguments], "arguments outside of a tool call"),
        (&[START, ("contentBlockStart", r#"{"start":{"toolUse":{"name":"f"}}}"#)], "toolUseId: missing"),
        (&[START, ("contentBlockDelta", "{")], "contentBlockDelta: "),
    ] {
        let fault = fault(messages);
        assert!(fault.contains(expected), "{fault}");
    }
}

#[test]
fn a_stream_without_messages_is_empty() {
    assert_eq!(decoded(&[]).1, Err(Fault::Empty));
    assert_eq!(run(b"\x00\x00").1, Err(Fault::Truncated));
}

#[test]
fn proofs_are_bounded() {
    let piece =
        format!(r#"{{"delta":{{"reasoningContent":{{"signature":"{}"}}}}}}"#, "a".repeat(MAX_PROOF / 2 + 1));
    let delta = ("contentBlockDelta", piece.as_str());
    assert!(fault(&[START, delta, delta]).contains("a proof of thinking is too long"));
    let piece = r#"{"delta":{"reasoningContent":{"redactedContent":"%%"}}}"#;
    assert!(fault(&[START, ("contentBlockDelta", piece)]).contains("not base64"));
}

#[test]
fn errors_outside_of_the_vocabulary_are_told() {
    let mut bytes = Vec::new();
    let headers = [
        (":message-type", Value::Text("error")),
        (":error-code", Value::Text("InternalFailure")),
        (":error-message", Value::Text("it broke")),
    ];
    encode(&headers, b"", &mut bytes).unwrap();
    let fault = run(&bytes).1.unwrap_err();
    assert!(
        matches!(&fault, Fault::Error(error) if error.status == 500 && error.message == "it broke"),
        "{fault:?}"
    );
}

#[test]
fn what_follows_the_end_is_ignored() {
    let end = ("metadata", r#"{"usage":{"inputTokens":1,"outputTokens":2}}"#);
    let stop = ("messageStop", r#"{"stopReason":"end_turn"}"#);
    let (events, result) = decoded(&[START, stop, end, START, ("throttlingException", "{}")]);
    assert_eq!((events.len(), result), (4, Ok(())));
}
