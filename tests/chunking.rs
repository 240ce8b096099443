//! However a stream is cut, the same comes out: every reply fixture at every split point and byte by byte, translated to
//! every client and observed.

#[path = "golden/fixtures.rs"]
mod fixtures;

use fixtures::{DIALECTS, Fixture, all};
use sluice::config::Endpoint;
use sluice::dialect::{ReplyContext, Sight, Summary, inbound, outbound, patch};
use sluice::ir::error::Fault;
use sluice::ir::event::{Checker, Event};
use sluice::wire::sse::Splitter;

const CONTEXT: ReplyContext = ReplyContext { created: 1_700_000_000, include_usage: true };

/// What a client of each dialect gets, and how it ends.
fn translated(fixture: &Fixture, chunks: &[&[u8]]) -> (Vec<Vec<u8>>, Result<(), Fault>) {
    let mut encoders = DIALECTS.map(|client| (inbound(client).stream_encoder(&CONTEXT), Vec::new()));
    let mut checker = Checker::default();
    let mut sink = |event: Event<'_>| {
        assert_eq!(checker.event(&event), Ok(()), "{}", fixture.name());
        for (encoder, out) in &mut encoders {
            encoder.event(&event, out);
        }
    };
    let mut decoder = outbound(fixture.dialect).stream_decoder();
    let pushed = chunks.iter().try_for_each(|chunk| decoder.push(chunk, &mut sink));
    let result = pushed.and_then(|()| decoder.finish(&mut sink));
    assert_eq!(checker.is_complete(), result.is_ok(), "{}: {result:?}", fixture.name());
    (encoders.map(|(_, out)| out).to_vec(), result)
}

/// What the patch lane lets through, and what it has learned.
fn observed(fixture: &Fixture, chunks: &[&[u8]]) -> (Vec<u8>, Result<(), Fault>, Summary, bool) {
    let mut observer = patch(fixture.dialect).observer(Endpoint::ChatCompletions, false);
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
            Err(fault) => result = Err(fault),
        }
    };
    for chunk in chunks {
        assert_eq!(splitter.push(chunk, &mut look), Ok(()), "{}", fixture.name());
    }
    look(&splitter.take_pending());
    (passed, result, observer.summary().clone(), observer.is_complete())
}

#[test]
fn cuts_do_not_matter() {
    for fixture in all("replies", "sse") {
        let bytes = fixture.bytes.as_slice();
        let (whole, seen) = (translated(&fixture, &[bytes]), observed(&fixture, &[bytes]));
        for at in 0..=bytes.len() {
            let (left, right) = bytes.split_at(at);
            assert_eq!(translated(&fixture, &[left, right]), whole, "{} split at {at}", fixture.name());
            assert_eq!(
                observed(&fixture, &[left, right]),
                seen,
                "{} observed, split at {at}",
                fixture.name()
            );
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(translated(&fixture, &single), whole, "{} byte by byte", fixture.name());
        assert_eq!(observed(&fixture, &single), seen, "{} observed byte by byte", fixture.name());
    }
}
