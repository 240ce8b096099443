//! However a stream is cut, the same comes out: every reply fixture at every split point and byte by byte, translated and
//! observed.
//!
//! Encoders see nothing but events, so equal events are equal streams for every client; they run once more where the
//! pieces are smallest. Split points that are further apart than an event is long share a run: a decoder that has seen
//! an event whole cannot know how the one before it was cut.

#![cfg(test)]

#[path = "golden/endpoint.rs"]
mod endpoint;
#[path = "golden/fixtures.rs"]
mod fixtures;

use endpoint::endpoint;
use fixtures::{CLIENTS, Fixture, all, context};
use sluice::config::Dialect;
use sluice::dialect::{Sight, Summary, inbound, outbound, patch};
use sluice::ir::error::Fault;
use sluice::ir::event::{Checker, Event};
use sluice::wire::sse::Splitter;

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

/// How far apart the split points of one run are.
const APART: usize = 384;

/// The pieces between `first` and all the split points that share its run.
fn pieces(bytes: &[u8], first: usize) -> Vec<&[u8]> {
    let (left, right) = bytes.split_at(first);
    std::iter::once(left).chain(right.chunks(APART)).collect()
}

/// At every split point, and byte by byte.
fn cuts_make_no_difference(fixture: &Fixture, is_observed: bool) {
    let bytes = fixture.bytes.as_slice();
    let (told, written_whole) = (told(fixture), written(fixture, &[bytes]));
    let seen = is_observed.then(|| observed(fixture, &[bytes]));
    let agree = |chunks: &[&[u8]], cut: &str| {
        tell_the_same(fixture, chunks, &told, cut);
        if let Some(seen) = &seen {
            assert_eq!(observed(fixture, chunks), *seen, "{} observed, {cut}", fixture.name());
        }
    };
    for first in 0..APART.min(bytes.len() + 1) {
        agree(&pieces(bytes, first), &format!("split at {first} and every {APART} bytes behind it"));
    }
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    agree(&single, "byte by byte");
    assert_eq!(written(fixture, &single), written_whole, "{} byte by byte", fixture.name());
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
