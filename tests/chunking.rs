//! However a stream is cut, the same comes out: every reply fixture, in two pieces at every split point and byte by byte,
//! translated and observed.
//!
//! Encoders see nothing but events, so equal events are equal streams for every client. Observers see nothing but blocks, so
//! they run again only for cuts that give other blocks (between the two bytes of a CRLF). Both run where the pieces are smallest.

#![cfg(test)]

#[path = "golden/endpoint.rs"]
mod endpoint;
#[path = "golden/fixtures.rs"]
mod fixtures;

use endpoint::endpoint;
use fixtures::{CLIENTS, Fixture, all, context};
use sluice::config::{Dialect, Endpoint, Provider};
use sluice::dialect::{Sight, Summary, inbound, outbound, patch};
use sluice::gateway::reply::{Form, Stream};
use sluice::ir::error::Fault;
use sluice::ir::event::{Checker, Event};
use sluice::provider::Upstream;
use sluice::wire::sse::Splitter;
use std::rc::Rc;

/// Decodes pieces.
fn decoded(fixture: &Fixture, chunks: &[&[u8]], sink: &mut dyn FnMut(Event<'_>)) -> Result<(), Fault> {
    let mut decoder = outbound(fixture.dialect).stream_decoder();
    let pushed = chunks.iter().try_for_each(|chunk| decoder.push(chunk, sink));
    pushed.and_then(|()| decoder.finish(sink))
}

/// All events of a stream in one piece, and how it ends.
fn told(fixture: &Fixture) -> (Vec<Event<'static>>, Result<(), Fault>) {
    let (mut checker, mut events) = (Checker::default(), Vec::new());
    let mut sink = |event: Event<'_>| {
        assert_eq!(checker.event(&event), Ok(()), "{}", fixture.name());
        events.push(event.into_owned());
    };
    let result = decoded(fixture, &[&fixture.bytes], &mut sink);
    assert_eq!(checker.is_complete(), result.is_ok(), "{}: {result:?}", fixture.name());
    (events, result)
}

/// Fails unless pieces tell the same.
fn tell_the_same(fixture: &Fixture, chunks: &[&[u8]], told: &(Vec<Event<'_>>, Result<(), Fault>), cut: &str) {
    let mut at = 0;
    let mut sink = |event: Event<'_>| {
        assert_eq!(Some(&event), told.0.get(at), "{} {cut}: event {at}", fixture.name());
        at += 1;
    };
    let result = decoded(fixture, chunks, &mut sink);
    assert_eq!((at, &result), (told.0.len(), &told.1), "{} {cut}", fixture.name());
}

/// What a client of each dialect gets.
fn written(fixture: &Fixture, chunks: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut encoders = CLIENTS.map(|client| (inbound(client).stream_encoder(&context(client)), Vec::new()));
    let mut sink = |event: Event<'_>| {
        for (encoder, out) in &mut encoders {
            encoder.event(&event, out);
        }
    };
    // How it ends is compared with the events.
    let _ = decoded(fixture, chunks, &mut sink);
    encoders.map(|(_, out)| out).to_vec()
}

/// What the patch lane lets through, and what it has learned.
fn observed(fixture: &Fixture, chunks: &[&[u8]]) -> (Vec<u8>, Result<(), Fault>, Summary, bool) {
    let mut observer = patch(fixture.dialect).observer(endpoint(fixture), false);
    let mut splitter = Splitter::default();
    let mut passed = Vec::new();
    let mut result = Ok(());
    let mut look = |block: &[u8]| {
        if result.is_err() {
            return;
        }
        match observer.block(block) {
            Ok(Sight::Unasked) => {}
            Ok(_) => passed.extend_from_slice(block),
            Err(fault) => {
                // The line feed of a block's last CRLF may come with the block after it, and goes down with that one.
                if passed.ends_with(b"\n") {
                    passed.pop();
                }
                result = Err(fault);
            }
        }
    };
    for chunk in chunks {
        assert_eq!(splitter.push(chunk, &mut look), Ok(()), "{}", fixture.name());
    }
    look(&splitter.take_pending());
    (passed, result, observer.summary().clone(), observer.is_complete())
}

/// The blocks that an observer would see.
fn blocks(fixture: &Fixture, chunks: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut splitter = Splitter::default();
    let mut blocks = Vec::new();
    for chunk in chunks {
        let pushed = splitter.push(chunk, |block| blocks.push(block.to_vec()));
        assert_eq!(pushed, Ok(()), "{}", fixture.name());
    }
    blocks.push(splitter.take_pending());
    blocks
}

/// At every split point, and byte by byte.
fn cuts_make_no_difference(fixture: &Fixture, is_observed: bool) {
    let bytes = fixture.bytes.as_slice();
    let (told, written_whole) = (told(fixture), written(fixture, &[bytes]));
    let seen = is_observed.then(|| (blocks(fixture, &[bytes]), observed(fixture, &[bytes])));
    let agree = |chunks: &[&[u8]], cut: &str| {
        tell_the_same(fixture, chunks, &told, cut);
        if let Some((whole, seen)) = &seen
            && blocks(fixture, chunks) != *whole
        {
            assert_eq!(observed(fixture, chunks), *seen, "{} observed, {cut}", fixture.name());
        }
    };
    for at in 0..=bytes.len() {
        let (left, right) = bytes.split_at(at);
        agree(&[left, right], &format!("split at {at}"));
    }
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    agree(&single, "byte by byte");
    assert_eq!(written(fixture, &single), written_whole, "{} byte by byte", fixture.name());
    if let Some((_, seen)) = &seen {
        assert_eq!(observed(fixture, &single), *seen, "{} observed byte by byte", fixture.name());
    }
}

fn cuts_of_event_streams_do_not_matter(dialect: Dialect) {
    let mut fixtures =
        all("replies", "sse").into_iter().filter(|fixture| fixture.dialect == dialect).peekable();
    assert!(fixtures.peek().is_some(), "{} has no streams", dialect.name());
    fixtures.for_each(|fixture| cuts_make_no_difference(&fixture, true));
}

#[test]
fn cuts_of_chat_streams_do_not_matter() {
    cuts_of_event_streams_do_not_matter(Dialect::Openai);
}

#[test]
fn cuts_of_responses_streams_do_not_matter() {
    cuts_of_event_streams_do_not_matter(Dialect::Responses);
}

#[test]
fn cuts_of_anthropic_streams_do_not_matter() {
    cuts_of_event_streams_do_not_matter(Dialect::Anthropic);
}

#[test]
fn cuts_of_gemini_streams_do_not_matter() {
    cuts_of_event_streams_do_not_matter(Dialect::Gemini);
}

#[test]
fn cuts_of_binary_streams_do_not_matter() {
    all("replies", "bin").iter().for_each(|fixture| cuts_make_no_difference(fixture, false));
}

/// What a client gets in the patch lane of a stream that its provider ends here, in order, and whether it is a whole reply.
/// `None` if the attempt failed before there was an answer.
fn ended(fixture: &Fixture, endpoint: Endpoint, array: bool, at: usize) -> Option<(Vec<u8>, bool)> {
    let mut context = context(fixture.dialect);
    context.endpoint = endpoint;
    context.include_usage = true;
    let provider: Provider =
        serde_json::from_str(r#"{"name":"p","dialect":"openai","base_url":"https://p.example/v1"}"#).unwrap();
    let form = Form {
        client: fixture.dialect,
        upstream: fixture.dialect,
        patched: true,
        provider: Rc::new(Upstream::new(&provider).unwrap()),
        maker: None,
        array,
        context,
    };
    let mut stream = Stream::new(&form);
    let mut out = Vec::new();
    stream.push(&fixture.bytes[..at], "req", &mut out).ok()?;
    stream.finish("req", &mut out).ok()?;
    Some((out, stream.is_whole()))
}

/// Wherever a stream ends, what was whole is passed on, and the report that the rest is missing is an event of its own.
fn an_end_in_an_event_breaks_no_other(dialect: Dialect) {
    let mut reported = 0;
    for fixture in all("replies", "sse").into_iter().filter(|fixture| fixture.dialect == dialect) {
        for at in 0..=fixture.bytes.len() {
            let bytes = &fixture.bytes[..at];
            let Some((out, is_whole)) = ended(&fixture, endpoint(&fixture), false, at) else { continue };
            let name = format!("{} ends at {at}: {}", fixture.name(), String::from_utf8_lossy(&out));
            if is_whole {
                assert_eq!(out, bytes, "{name}");
                continue;
            }
            if bytes.starts_with(&out) {
                // The provider's own report.
                assert!(name.contains("error"), "{name}");
                continue;
            }
            let mut splitter = Splitter::default();
            let mut passed = Vec::new();
            splitter.push(bytes, |block| passed.extend_from_slice(block)).unwrap();
            let told = out.strip_prefix(passed.as_slice()).unwrap_or_else(|| panic!("{name}"));
            let mut events = Vec::new();
            splitter.take_pending();
            splitter.push(told, |block| events.push(block.to_vec())).unwrap();
            assert_eq!((events.len(), splitter.pending()), (1, &b""[..]), "{name}");
            let data = sluice::wire::sse::Event::parse(&events[0]).data.unwrap().into_owned();
            let data: serde_json::Value = serde_json::from_str(&data).unwrap_or_else(|_| panic!("{name}"));
            assert!(data.to_string().contains("incomplete"), "{name}");
            reported += 1;
        }
    }
    assert!(reported > 0, "no stream of {} ends too early", dialect.name());
}

#[test]
fn an_end_in_an_event_of_chat_breaks_no_other() {
    an_end_in_an_event_breaks_no_other(Dialect::Openai);
}

#[test]
fn an_end_in_an_event_of_responses_breaks_no_other() {
    an_end_in_an_event_breaks_no_other(Dialect::Responses);
}

#[test]
fn an_end_in_an_event_of_anthropic_breaks_no_other() {
    an_end_in_an_event_breaks_no_other(Dialect::Anthropic);
}

#[test]
fn an_end_in_an_event_of_gemini_breaks_no_other() {
    an_end_in_an_event_breaks_no_other(Dialect::Gemini);
}

#[test]
fn an_array_is_json_wherever_its_stream_ends() {
    let mut arrays = 0;
    for fixture in all("replies", "sse").into_iter().filter(|fixture| fixture.dialect == Dialect::Gemini) {
        for at in 0..=fixture.bytes.len() {
            let Some((out, _)) = ended(&fixture, Endpoint::GenerateContent, true, at) else { continue };
            let array = serde_json::from_slice::<Vec<serde_json::Value>>(&out);
            let text = String::from_utf8_lossy(&out);
            assert!(array.is_ok(), "{} ends at {at}: {text}", fixture.name());
            arrays += 1;
        }
    }
    assert!(arrays > 0, "no arrays");
}
