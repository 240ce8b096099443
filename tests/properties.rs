//! What holds for every input: a splice touches nothing else, no decoder panics or swells, and what a room writes it reads
//! back: requests, replies and streams of everything that its dialect can say.

#![cfg(test)]

#[path = "golden/asks.rs"]
mod asks;
#[path = "golden/assemble.rs"]
mod assemble;
#[path = "golden/eventstream.rs"]
mod eventstream;
#[path = "golden/fixtures.rs"]
mod fixtures;
#[path = "properties/patches.rs"]
mod patches;
#[path = "properties/replies.rs"]
mod replies;
#[path = "properties/requests.rs"]
mod requests;
#[path = "properties/rows.rs"]
mod rows;
#[path = "properties/survivors.rs"]
mod survivors;

use asks::{UPSTREAMS, ask, target};
use assemble::Assembler;
use fixtures::{CLIENTS, Fixture, all, chat, context};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use replies::{any_reply, events};
use requests::any_request;
use rows::{ROWS, Row};
use sluice::config::{Dialect, Endpoint};
use sluice::dialect::{Ask, Target, inbound, outbound, patch, splice};
use sluice::ir::event::{Checker, Event};
use sluice::ir::loss::Loss;
use sluice::wire::sse::Splitter;
use std::sync::OnceLock;

const TARGET: Target<'_> = Target { max_output_tokens: Some(4096), ..Target::of("up/stream") };

/// Runs everything that reads bytes from outside over `bytes`, however little they make sense.
fn read_everything(bytes: &[u8], cut: usize) {
    let text = String::from_utf8_lossy(bytes);
    let bound = 64 * bytes.len() + 8_192;
    let endpoints = Endpoint::ALL.into_iter().filter_map(|endpoint| Some((endpoint.dialect()?, endpoint)));
    for (dialect, endpoint) in endpoints.filter(|(dialect, _)| CLIENTS.contains(dialect)) {
        let ask = ask(endpoint);
        if let Ok(peek) = patch(dialect).peek(&ask, &text) {
            let mut loss = Loss::default();
            let edits = patch(dialect).splice(&peek, &TARGET, &mut loss);
            let patched = splice(text.as_bytes(), &edits);
            assert!(std::str::from_utf8(&patched).is_ok(), "a splice cuts a character");
            let again = String::from_utf8_lossy(&patched).into_owned();
            // Where the path names the model, it names the upstream's as well.
            let there = Ask { endpoint, model: ask.model.map(|_| TARGET.model), stream: ask.stream };
            let again = patch(dialect).peek(&there, &again);
            assert!(again.is_ok_and(|peek| peek.model_span.is_none() || peek.model == TARGET.model));
            if !text.trim().is_empty() {
                let target = survivors::target(cut);
                let edits = patch(dialect).splice(&peek, &target, &mut loss);
                survivors::changes(dialect, &target, &text, &splice(text.as_bytes(), &edits));
            }
        }
        let _ = patch(dialect).peek_reply(endpoint, &text);
        let _ = inbound(dialect).echo(&ask, &text, &[]);
        read_vectors(dialect, &ask, &text, bound);
        let mut observer = patch(dialect).observer(endpoint, false);
        let mut splitter = Splitter::default();
        let _ = splitter.push(bytes, |block| drop(observer.block(block)));
        let _ = observer.block(splitter.pending());
    }
    CLIENTS.into_iter().for_each(|dialect| read_request(dialect, &text, bound));
    for dialect in UPSTREAMS {
        read_reply(dialect, &text, bound);
        read_stream(dialect, bytes, cut, bound);
        // Damage is mostly caught by the checksums; what they guard is damaged here.
        if dialect == Dialect::Bedrock
            && let Ok(framed) = eventstream::build(&text)
        {
            read_stream(dialect, &framed, cut, 64 * framed.len() + 8_192);
        }
        let error = outbound(dialect).decode_error(500, &[], bytes);
        for client in CLIENTS {
            let mut out = Vec::new();
            inbound(client).encode_error(&error, "req", &mut out);
            assert!(out.len() <= bound);
        }
    }
}

fn read_vectors(dialect: Dialect, ask: &Ask<'_>, text: &str, bound: usize) {
    let mut out = Vec::new();
    if let Some(embeds) = outbound(dialect).embeds()
        && let Ok(reply) = embeds.decode_reply(&TARGET, text)
    {
        for client in CLIENTS.into_iter().filter_map(|client| inbound(client).embeds()) {
            let _ = client.encode_reply(&reply, &context(dialect), &mut out);
        }
    }
    let mut loss = Loss::default();
    if let Some(client) = inbound(dialect).embeds()
        && let Ok(request) = client.decode_request(ask, text, &mut loss)
    {
        for upstream in UPSTREAMS.into_iter().filter_map(|upstream| outbound(upstream).embeds()) {
            let _ = upstream.encode_request(&request, &TARGET, &mut loss, &mut out);
        }
    }
    if let Some(counts) = outbound(dialect).counts() {
        let _ = counts.decode_reply(text);
    }
    assert!(out.len() <= 4 * bound, "{} bytes of {}", out.len(), text.len());
}

fn read_request(dialect: Dialect, text: &str, bound: usize) {
    let mut loss = Loss::default();
    if let Ok(request) = inbound(dialect).decode_request(&ask(chat(dialect)), text, &mut loss) {
        for upstream in UPSTREAMS {
            let mut out = Vec::new();
            let _ = outbound(upstream).encode_request(&request, &target(upstream), &mut loss, &mut out);
            assert!(out.len() <= bound, "{} bytes of {}", out.len(), text.len());
        }
    }
}

fn read_reply(dialect: Dialect, text: &str, bound: usize) {
    if let Ok(reply) = outbound(dialect).decode_reply(text) {
        for client in CLIENTS {
            let mut out = Vec::new();
            inbound(client).encode_reply(&reply, &context(client), &mut out);
            assert!(out.len() <= bound, "{} bytes of {}", out.len(), text.len());
        }
    }
}

fn read_stream(dialect: Dialect, bytes: &[u8], cut: usize, bound: usize) {
    let mut encoders = CLIENTS.map(|client| inbound(client).stream_encoder(&context(client)));
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
        let replies = ["json", "sse", "bin", "jsonl"].map(|extension| ("replies", extension));
        [("requests", "json"), ("errors", "json"), ("patch", "json")]
            .into_iter()
            .chain(replies)
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
        let found = patch(Dialect::Openai).peek(&ask(Endpoint::ChatCompletions), &body).unwrap();
        let patched = splice(body.as_bytes(), &patch(Dialect::Openai).splice(&found, &TARGET, &mut Loss::default()));
        prop_assert_eq!(String::from_utf8(patched).unwrap(), format!("{head}\"up/stream\"{tail}{asked}}}{space}"));
        let found = patch(Dialect::Anthropic).peek(&ask(Endpoint::Messages), &body).unwrap();
        let edits = patch(Dialect::Anthropic).splice(&found, &TARGET, &mut Loss::default());
        let patched = splice(body.as_bytes(), &edits);
        prop_assert_eq!(String::from_utf8(patched).unwrap(), format!("{head}\"up/stream\"{tail}}}{space}"));
    }

    #[test]
    fn a_patched_body_is_the_client_s_but_for_what_the_target_demands(
        body in patches::any_body(),
        drawn in any::<usize>(),
    ) {
        let target = survivors::target(drawn);
        let found = patch(Dialect::Anthropic).peek(&ask(Endpoint::Messages), &body).unwrap();
        let mut loss = Loss::default();
        let edits = patch(Dialect::Anthropic).splice(&found, &target, &mut loss);
        let patched = splice(body.as_bytes(), &edits);
        let changes = survivors::changes(Dialect::Anthropic, &target, &body, &patched);
        let told = loss.paths().is_empty() != changes.iter().any(|change| !change.is_harmless());
        prop_assert!(told, "{:?} said of {:?}", loss, changes);
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
}

/// Runs a property for every row with generated values.
fn for_every_row<T: std::fmt::Debug>(
    generate: fn(&'static Row) -> BoxedStrategy<T>,
    check: impl Fn(&'static Row, T) -> Result<(), TestCaseError>,
) {
    for row in &ROWS {
        let mut runner =
            TestRunner::new(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() });
        let result = runner.run(&generate(row), |value| check(row, value));
        assert!(result.is_ok(), "{} to {}: {}", row.dialect.name(), row.target.model, result.unwrap_err());
    }
}

#[test]
fn a_request_is_read_back_as_it_was_written() {
    for_every_row(any_request, |row, request| {
        let mut loss = Loss::default();
        let mut out = Vec::new();
        let encoded = outbound(row.dialect).encode_request(&request, &row.target, &mut loss, &mut out);
        prop_assert_eq!(encoded, Ok(()));
        let text = String::from_utf8(out).unwrap();
        prop_assert!(patch(row.dialect).peek(&ask(chat(row.dialect)), &text).is_ok());
        let decoded = inbound(row.dialect).decode_request(&ask(chat(row.dialect)), &text, &mut loss);
        let mut back = decoded.map_err(|error| TestCaseError::fail(format!("{error}: {text}")))?;
        for message in &mut back.messages {
            (message.at, message.places) = (None, Vec::new());
        }
        back.tools.iter_mut().for_each(|tool| tool.at = (0, None));
        prop_assert_eq!(loss.paths(), &[] as &[String], "{}", text);
        prop_assert_eq!(back, request, "{}", text);
        Ok(())
    });
}

#[test]
fn a_reply_is_read_back_as_it_was_written() {
    for_every_row(any_reply, |row, reply| {
        let mut out = Vec::new();
        inbound(row.dialect).encode_reply(&reply, &context(row.dialect), &mut out);
        let text = String::from_utf8(out).unwrap();
        let back = outbound(row.dialect).decode_reply(&text);
        prop_assert_eq!(back, Ok(reply), "{}", text);
        Ok(())
    });
}

#[test]
fn a_stream_is_read_back_as_it_was_written() {
    let generate = |row| (any_reply(row), 0usize..12, 1usize..40).boxed();
    for_every_row(generate, |row, (reply, cut, size)| {
        let mut encoder = inbound(row.dialect).stream_encoder(&context(row.dialect));
        let (mut out, mut told) = (Vec::new(), Checker::default());
        for event in events(&reply, cut) {
            prop_assert_eq!(told.event(&event), Ok(()));
            encoder.event(&event, &mut out);
        }
        let (mut back, mut checker) = (Assembler::default(), Checker::default());
        let mut breach = Ok(());
        let mut sink = |event: Event<'_>| {
            breach = breach.clone().and_then(|()| checker.event(&event));
            back.event(event);
        };
        let mut decoder = outbound(row.dialect).stream_decoder();
        let pushed = out.chunks(size).try_for_each(|chunk| decoder.push(chunk, &mut sink));
        prop_assert_eq!(pushed.and_then(|()| decoder.finish(&mut sink)), Ok(()));
        prop_assert_eq!(breach, Ok(()));
        prop_assert_eq!(back.finish(), (reply, true), "{}", String::from_utf8_lossy(&out));
        Ok(())
    });
}
