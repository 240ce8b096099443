//! What every fuzz target checks, so that a target is one line. Run one with
//! `cargo +nightly fuzz run --fuzz-dir tests/fuzz openai_stream tests/golden/replies/openai`: the fixtures are the seeds.

use sluice::config::{Dialect, Endpoint};
use sluice::dialect::{ReplyContext, Target, inbound, outbound, patch, splice};
use sluice::ir::event::{Checker, Event};
use sluice::ir::loss::Loss;
use sluice::wire::json::Reader;
use sluice::wire::sse;

const DIALECTS: [Dialect; 2] = [Dialect::Openai, Dialect::Anthropic];
const CONTEXT: ReplyContext = ReplyContext { created: 1, include_usage: true };
const TARGET: Target<'_> = Target { model: "m", max_output_tokens: None, stream_usage: true };

fn endpoints(dialect: Dialect) -> &'static [Endpoint] {
    match dialect {
        Dialect::Openai => &[Endpoint::ChatCompletions, Endpoint::Completions, Endpoint::Embeddings],
        Dialect::Anthropic => &[Endpoint::Messages],
    }
}

fn assert_json(bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).expect("what is written is UTF-8");
    let mut reader = Reader::new(text);
    reader.skip().and_then(|()| reader.end()).expect("what is written is JSON");
}

/// The JSON reader: a value that is skipped is the value that is returned.
pub fn json_reader(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut reader = Reader::new(text);
    if let Ok(raw) = reader.raw()
        && reader.end().is_ok()
    {
        assert_eq!(raw, text.trim_matches([' ', '\n', '\r', '\t']));
        if let Ok(string) = Reader::new(text).string() {
            let mut out = Vec::new();
            string.write(&mut out);
            assert_eq!(out, raw.as_bytes());
            assert!(string.plain().len() <= raw.len());
        }
    }
}

/// The event splitter: blocks joined are the input, however it is cut.
pub fn sse(data: &[u8]) {
    let Some((cut, stream)) = data.split_first() else { return };
    let (left, right) = stream.split_at(usize::from(*cut).min(stream.len()));
    let mut splitter = sse::Splitter::default();
    let mut joined = Vec::new();
    for chunk in [left, right] {
        splitter
            .push(chunk, |block| {
                let _ = sse::Event::parse(block);
                joined.extend_from_slice(block);
            })
            .expect("a short stream has no long block");
    }
    joined.extend(splitter.take_pending());
    assert_eq!(joined, stream);
}

/// A client's request: peeked, patched, decoded, and written to every upstream.
pub fn request(dialect: Dialect, data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for endpoint in endpoints(dialect) {
        let Ok(peek) = patch(dialect).peek(*endpoint, text) else { continue };
        assert_json(&splice(data, &patch(dialect).splice(&peek, &TARGET)));
        let mut loss = Loss::default();
        let Ok(request) = inbound(dialect).decode_request(text, &mut loss) else { continue };
        for upstream in DIALECTS {
            let mut out = Vec::new();
            if outbound(upstream).encode_request(&request, &TARGET, &mut loss, &mut out).is_ok() {
                assert_json(&out);
            }
        }
    }
}

/// An upstream's whole reply, good or bad, written to every client.
pub fn reply(dialect: Dialect, data: &[u8]) {
    let error = outbound(dialect).decode_error(500, data);
    for client in DIALECTS {
        let mut out = Vec::new();
        inbound(client).encode_error(&error, "req", &mut out);
        assert_json(&out);
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    for endpoint in endpoints(dialect) {
        let _ = patch(dialect).peek_reply(*endpoint, text);
    }
    if let Ok(reply) = outbound(dialect).decode_reply(text) {
        for client in DIALECTS {
            let mut out = Vec::new();
            inbound(client).encode_reply(&reply, &CONTEXT, &mut out);
            assert_json(&out);
        }
    }
}

/// An upstream's stream, cut in two: the grammar holds, and the end is an end only if it says so.
pub fn stream(dialect: Dialect, data: &[u8]) {
    let Some((cut, stream)) = data.split_first() else { return };
    let (left, right) = stream.split_at(usize::from(*cut).min(stream.len()));
    let mut encoders = DIALECTS.map(|client| inbound(client).stream_encoder(&CONTEXT));
    let mut checker = Checker::default();
    let mut out = Vec::new();
    let mut sink = |event: Event<'_>| {
        checker.event(&event).expect("the grammar holds");
        for encoder in &mut encoders {
            out.clear();
            encoder.event(&event, &mut out);
            assert!(std::str::from_utf8(&out).is_ok());
        }
    };
    let mut decoder = outbound(dialect).stream_decoder();
    let result = decoder
        .push(left, &mut sink)
        .and_then(|()| decoder.push(right, &mut sink))
        .and_then(|()| decoder.finish(&mut sink));
    assert_eq!(checker.is_complete(), result.is_ok());
}

/// An upstream's stream as the patch lane watches it.
pub fn observer(dialect: Dialect, data: &[u8]) {
    for endpoint in endpoints(dialect) {
        let mut observer = patch(dialect).observer(*endpoint, false);
        let mut splitter = sse::Splitter::default();
        let _ = splitter.push(data, |block| drop(observer.block(block)));
        let _ = observer.block(splitter.pending());
        let bytes = usize::try_from(observer.summary().output_bytes).expect("a sane count");
        // A byte that is not UTF-8 is read as U+FFFD, which has three.
        assert!(bytes <= String::from_utf8_lossy(data).len());
    }
}
