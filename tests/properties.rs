//! What holds for every input: a splice touches nothing else, no decoder panics or swells, and what the OpenAI room
//! writes it reads back.

#[path = "golden/fixtures.rs"]
mod fixtures;
#[path = "properties/requests.rs"]
mod requests;

use fixtures::{DIALECTS, Fixture, all};
use proptest::prelude::*;
use sluice::config::{Dialect, Endpoint};
use sluice::dialect::{ReplyContext, Target, inbound, outbound, patch, splice};
use sluice::ir::event::{Checker, Event};
use sluice::ir::loss::Loss;
use sluice::wire::sse::Splitter;
use std::sync::OnceLock;

const ENDPOINTS: [(Dialect, Endpoint); 4] = [
    (Dialect::Openai, Endpoint::ChatCompletions),
    (Dialect::Openai, Endpoint::Completions),
    (Dialect::Openai, Endpoint::Embeddings),
    (Dialect::Anthropic, Endpoint::Messages),
];

const TARGET: Target<'_> = Target { model: "up/stream", max_output_tokens: Some(4096), stream_usage: true };

/// Runs everything that reads bytes from outside over `bytes`, however little they make sense.
fn read_everything(bytes: &[u8], cut: usize) {
    let text = String::from_utf8_lossy(bytes);
    let bound = 64 * bytes.len() + 8_192;
    for (dialect, endpoint) in ENDPOINTS {
        if let Ok(peek) = patch(dialect).peek(endpoint, &text) {
            let edits = patch(dialect).splice(&peek, &TARGET);
            let patched = splice(text.as_bytes(), &edits);
            assert!(std::str::from_utf8(&patched).is_ok(), "a splice cuts a character");
            let again = String::from_utf8_lossy(&patched).into_owned();
            assert!(patch(dialect).peek(endpoint, &again).is_ok_and(|peek| peek.model == TARGET.model));
        }
        let _ = patch(dialect).peek_reply(endpoint, &text);
        let mut observer = patch(dialect).observer(endpoint, false);
        let mut splitter = Splitter::default();
        let _ = splitter.push(bytes, |block| drop(observer.block(block)));
        let _ = observer.block(splitter.pending());
    }
    for dialect in DIALECTS {
        read_request(dialect, &text, bound);
        read_reply(dialect, &text, bound);
        read_stream(dialect, bytes, cut, bound);
        let error = outbound(dialect).decode_error(500, bytes);
        let mut out = Vec::new();
        inbound(dialect).encode_error(&error, "req", &mut out);
        assert!(out.len() <= bound);
    }
}

fn read_request(dialect: Dialect, text: &str, bound: usize) {
    let mut loss = Loss::default();
    if let Ok(request) = inbound(dialect).decode_request(text, &mut loss) {
        for upstream in DIALECTS {
            let mut out = Vec::new();
            let _ = outbound(upstream).encode_request(&request, &TARGET, &mut loss, &mut out);
            assert!(out.len() <= bound, "{} bytes of {}", out.len(), text.len());
        }
    }
}

fn read_reply(dialect: Dialect, text: &str, bound: usize) {
    if let Ok(reply) = outbound(dialect).decode_reply(text) {
        for client in DIALECTS {
            let mut out = Vec::new();
            inbound(client).encode_reply(&reply, &ReplyContext { created: 1, include_usage: true }, &mut out);
            assert!(out.len() <= bound, "{} bytes of {}", out.len(), text.len());
        }
    }
}

fn read_stream(dialect: Dialect, bytes: &[u8], cut: usize, bound: usize) {
    let mut encoders = DIALECTS
        .map(|client| inbound(client).stream_encoder(&ReplyContext { created: 1, include_usage: true }));
    let mut out = Vec::new();
    let mut checker = Checker::default();
    let mut breach = Ok(());
    let mut sink = |event: Event<'_>| {
        if breach.is_ok() {
            breach = checker.event(&event);
        }
        for encoder in &mut encoders {
            encoder.event(&event, &mut out);
        }
    };
    let (left, right) = bytes.split_at(cut.min(bytes.len()));
    let mut decoder = outbound(dialect).stream_decoder();
    let result = decoder
        .push(left, &mut sink)
        .and_then(|()| decoder.push(right, &mut sink))
        .and_then(|()| decoder.finish(&mut sink));
    assert_eq!(breach, Ok(()));
    assert_eq!(checker.is_complete(), result.is_ok(), "{result:?}");
    assert!(out.len() <= 4 * bound, "{} bytes of {}", out.len(), bytes.len());
}

fn fixtures() -> &'static [Fixture] {
    static FIXTURES: OnceLock<Vec<Fixture>> = OnceLock::new();
    FIXTURES.get_or_init(|| {
        [("requests", "json"), ("replies", "json"), ("replies", "sse"), ("errors", "json"), ("patch", "json")]
            .into_iter()
            .flat_map(|(kind, extension)| all(kind, extension))
            .collect()
    })
}

/// A change of a fixture: cut, doubled, overwritten or dropped somewhere.
fn mutate(mut bytes: Vec<u8>, (kind, at, length, byte): (u8, usize, usize, u8)) -> Vec<u8> {
    let start = at.min(bytes.len());
    let end = start.saturating_add(length).min(bytes.len());
    match kind {
        0 => bytes.truncate(start),
        1 => drop(bytes.drain(start..end)),
        2 => bytes.insert(start, byte),
        3 => {
            let copy: Vec<u8> = bytes.iter().skip(start).take(end - start).copied().collect();
            drop(bytes.splice(end..end, copy));
        }
        _ => bytes.iter_mut().skip(start).take(1).for_each(|old| *old = byte),
    }
    bytes
}

/// JSON values as a client may write them, white space and all.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("12345678901234567890123".to_owned()),
        Just("1e3".to_owned()),
        Just("-0.10000000000000000555".to_owned()),
        Just(r#""\u00e9\/ é \"model\":""#.to_owned()),
        Just(r#"{ "b":1 , "model":"x","stream_options":{}, "a":[ ]}"#.to_owned()),
        Just("[ 1,\n{} ]".to_owned()),
        Just("null".to_owned()),
        "[a-z ]{0,12}".prop_map(|text| format!("\"{text}\"")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_splice_touches_nothing_else(
        before in prop::collection::btree_map("p_[a-z]{1,6}", value(), 0..5),
        after in prop::collection::btree_map("q_[a-z]{1,6}", value(), 0..5),
        space in "[ \n\t]{0,3}",
        stream in any::<bool>(),
    ) {
        let members = |members: &std::collections::BTreeMap<String, String>, tail: &str| -> String {
            members.iter().map(|(name, value)| format!("{space}\"{name}\"{space}:{space}{value}{tail}")).collect()
        };
        let head = format!("{{{}\"stream\":{stream},\"model\":{space}", members(&before, ","));
        let tail: String = after.iter().map(|(name, value)| format!(",{space}\"{name}\":{value}{space}")).collect();
        let body = format!("{head}\"m\"{tail}}}{space}");
        let asked = if stream { r#","stream_options":{"include_usage":true}"# } else { "" };
        let found = patch(Dialect::Openai).peek(Endpoint::ChatCompletions, &body).unwrap();
        let patched = splice(body.as_bytes(), &patch(Dialect::Openai).splice(&found, &TARGET));
        prop_assert_eq!(String::from_utf8(patched).unwrap(), format!("{head}\"up/stream\"{tail}{asked}}}{space}"));
        let found = patch(Dialect::Anthropic).peek(Endpoint::Messages, &body).unwrap();
        let patched = splice(body.as_bytes(), &patch(Dialect::Anthropic).splice(&found, &TARGET));
        prop_assert_eq!(String::from_utf8(patched).unwrap(), format!("{head}\"up/stream\"{tail}}}{space}"));
    }

    #[test]
    fn arbitrary_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..300), cut in 0usize..300) {
        read_everything(&bytes, cut);
    }

    #[test]
    fn mutated_fixtures_are_survived(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((0u8..5, 0usize..3_000, 0usize..200, any::<u8>()), 1..4),
        cut in 0usize..3_000,
    ) {
        let fixture = which.get(fixtures());
        let bytes = changes.into_iter().fold(fixture.bytes.clone(), mutate);
        let outcome = std::panic::catch_unwind(|| read_everything(&bytes, cut));
        prop_assert!(outcome.is_ok(), "{}, mutated to {:?}", fixture.name(), String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn a_request_is_read_back_as_it_was_written(request in requests::any_request()) {
        let mut loss = Loss::default();
        let mut out = Vec::new();
        let target = Target { model: "m", max_output_tokens: None, stream_usage: true };
        outbound(Dialect::Openai).encode_request(&request, &target, &mut loss, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        serde_json::from_str::<&serde_json::value::RawValue>(&text).unwrap();
        let mut back = inbound(Dialect::Openai).decode_request(&text, &mut loss).unwrap();
        for message in &mut back.messages {
            message.at = None;
        }
        prop_assert_eq!(loss.paths(), &[] as &[String]);
        prop_assert_eq!(back, request);
    }
}
