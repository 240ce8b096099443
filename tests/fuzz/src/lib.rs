//! What every fuzz target checks, so that a target is one line. Run one with
//! `cargo +nightly fuzz run --fuzz-dir tests/fuzz openai_stream tests/golden/replies/openai`: the fixtures are the seeds.

#[path = "../../properties/survivors.rs"]
mod survivors;

use sluice::config::{Dialect, Endpoint, Operation};
use sluice::dialect::{Ask, Peek, ReplyContext, Target, inbound, outbound, patch, splice};
use sluice::ir::event::{Checker, Event};
use sluice::ir::loss::Loss;
use sluice::wire::json::Reader;
use sluice::wire::{eventstream, multipart, sse};

const CLIENTS: [Dialect; 4] = Dialect::CLIENTS;
const UPSTREAMS: [Dialect; 5] = Dialect::ALL;
const TARGET: Target<'_> = Target::of("m");
/// Models that make vectors: what is asked of them and how they answer differs by their maker.
const EMBEDDERS: [&str; 4] =
    ["m", "amazon.titan-embed-text-v2:0", "cohere.embed-english-v3", "gemini-embedding-001"];

fn context(client: Dialect) -> ReplyContext {
    ReplyContext::new(client.chat().unwrap_or(Endpoint::ChatCompletions), 1)
}

fn endpoints(dialect: Dialect) -> impl Iterator<Item = Endpoint> {
    Endpoint::ALL.into_iter().filter(move |endpoint| endpoint.dialect() == Some(dialect))
}

fn ask(endpoint: Endpoint) -> Ask<'static> {
    let in_path = endpoint.dialect() == Some(Dialect::Gemini);
    Ask { endpoint, model: in_path.then_some("m"), stream: false }
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
    // Calls about stored replies have no body.
    for endpoint in endpoints(dialect).filter(|endpoint| *endpoint != Endpoint::StoredResponses) {
        let Ok(peek) = patch(dialect).peek(&ask(endpoint), text) else { continue };
        patched(dialect, text, &peek);
        let mut loss = Loss::default();
        let Ok(request) = inbound(dialect).decode_request(&ask(endpoint), text, &mut loss) else { continue };
        for upstream in UPSTREAMS {
            let mut out = Vec::new();
            let written = match (endpoint.operation(), outbound(upstream).counts()) {
                (Operation::Count, Some(counts)) => {
                    counts.encode_request(&request, &TARGET, &mut loss, &mut out)
                }
                _ => outbound(upstream).encode_request(&request, &TARGET, &mut loss, &mut out),
            };
            if written.is_ok() {
                assert_json(&out);
            }
        }
    }
}

/// A body for a provider of the client's dialect: what survives is the client's byte for byte, and what does not is said.
fn patched(dialect: Dialect, text: &str, peek: &Peek<'_>) {
    // Targets are drawn from the body itself: every seed is a body as it stands, and mutations reach them all.
    let drawn = text.bytes().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    for target in [TARGET, survivors::target(drawn >> 8)] {
        let mut loss = Loss::default();
        let edits = patch(dialect).splice(peek, &target, &mut loss);
        let changes = survivors::changes(dialect, &target, text, &splice(text.as_bytes(), &edits));
        let took = changes.iter().any(|change| !change.is_harmless());
        // Of what goes out to Gemini, a mark of ours says nothing and is no loss.
        let told = !loss.paths().is_empty();
        assert!(told == took || (dialect == Dialect::Gemini && took), "{loss:?} of {changes:?}");
    }
}

/// A client's request for vectors: peeked, patched, decoded, and written to every upstream that makes them.
pub fn embed_request(dialect: Dialect, data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some(client) = inbound(dialect).embeds() else { return };
    for endpoint in endpoints(dialect).filter(|endpoint| endpoint.operation() == Operation::Embed) {
        let Ok(peek) = patch(dialect).peek(&ask(endpoint), text) else { continue };
        patched(dialect, text, &peek);
        let mut loss = Loss::default();
        let Ok(request) = client.decode_request(&ask(endpoint), text, &mut loss) else { continue };
        for upstream in UPSTREAMS.into_iter().filter_map(|upstream| outbound(upstream).embeds()) {
            for model in EMBEDDERS {
                let mut out = Vec::new();
                if upstream.encode_request(&request, &Target::of(model), &mut loss, &mut out).is_ok() {
                    assert_json(&out);
                }
            }
        }
    }
}

/// An upstream's vectors, written to every client that asks for them.
pub fn embed_reply(dialect: Dialect, data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some(upstream) = outbound(dialect).embeds() else { return };
    for model in EMBEDDERS {
        let Ok(reply) = upstream.decode_reply(&Target::of(model), text) else { continue };
        for client in CLIENTS {
            let mut out = Vec::new();
            if let Some(embeds) = inbound(client).embeds()
                && embeds.encode_reply(&reply, &context(client), &mut out).is_ok()
            {
                assert_json(&out);
            }
        }
    }
}

/// An upstream's count, written to every client: a number of tokens is a number of tokens.
pub fn count_reply(dialect: Dialect, data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some(counts) = outbound(dialect).counts() else { return };
    let Ok(tokens) = counts.decode_reply(text) else { return };
    for client in CLIENTS {
        let mut out = Vec::new();
        inbound(client).encode_count(tokens, &mut out);
        if !out.is_empty() {
            assert_json(&out);
        }
        if client == dialect && !out.is_empty() {
            assert_eq!(counts.decode_reply(&String::from_utf8_lossy(&out)), Ok(tokens));
        }
    }
}

/// An upstream's whole reply, good or bad, written to every client.
pub fn reply(dialect: Dialect, data: &[u8]) {
    let error = outbound(dialect).decode_error(500, &[], data);
    for client in CLIENTS {
        let mut out = Vec::new();
        inbound(client).encode_error(&error, "req", &mut out);
        assert_json(&out);
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    for endpoint in endpoints(dialect) {
        let _ = patch(dialect).peek_reply(endpoint, text);
    }
    if let Ok(reply) = outbound(dialect).decode_reply(text) {
        for client in CLIENTS {
            let mut out = Vec::new();
            inbound(client).encode_reply(&reply, &context(client), &mut out);
            assert_json(&out);
        }
    }
}

/// An upstream's stream, cut in two: the grammar holds, and the end is an end only if it says so.
pub fn stream(dialect: Dialect, data: &[u8]) {
    let Some((cut, stream)) = data.split_first() else { return };
    let (left, right) = stream.split_at(usize::from(*cut).min(stream.len()));
    let mut encoders = CLIENTS.map(|client| inbound(client).stream_encoder(&context(client)));
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

/// Forms: every value stands inside of the body, behind the one before.
pub fn multipart(data: &[u8]) {
    let Ok(parts) = multipart::parts(data, "xyz") else { return };
    let mut at = 0;
    for part in parts {
        assert!(at < part.value.start && part.value.end < data.len());
        assert!(part.value.start <= part.value.end);
        at = part.value.end;
    }
}

/// The binary event splitter: what it gives does not depend on the cut, and is encoded as it came.
pub fn eventstream(data: &[u8]) {
    let Some((cut, stream)) = data.split_first() else { return };
    let split = |chunks: &[&[u8]]| {
        let mut splitter = eventstream::Splitter::default();
        let mut joined = Vec::new();
        let result = chunks.iter().try_for_each(|chunk| {
            splitter.push(chunk, |message| {
                eventstream::encode(&message.headers, message.payload, &mut joined)
                    .expect("it was told before");
            })
        });
        (joined, result)
    };
    let whole = split(&[stream]);
    let (left, right) = stream.split_at(usize::from(*cut).min(stream.len()));
    assert_eq!(split(&[left, right]), whole);
    assert!(stream.starts_with(&whole.0));
}

/// A binary stream: as it is, and with every line `{"<event>":<payload>}` (or any other, as a delta) put into a frame,
/// past the checksums.
pub fn framed_stream(dialect: Dialect, data: &[u8]) {
    stream(dialect, data);
    let Some((cut, lines)) = data.split_first() else { return };
    let mut framed = vec![*cut];
    for line in lines.split(|byte| *byte == b'\n') {
        let (name, payload) = event(line).unwrap_or(("contentBlockDelta", line));
        let kind = if name.ends_with("Exception") { "exception" } else { "event" };
        let headers = [(":event-type", name), (":exception-type", name), (":message-type", kind)];
        let headers = headers.map(|(header, value)| (header, eventstream::Value::Text(value)));
        let _ = eventstream::encode(&headers, payload, &mut framed);
    }
    stream(dialect, &framed);
}

fn event(line: &[u8]) -> Option<(&str, &[u8])> {
    let line = std::str::from_utf8(line).ok()?.strip_prefix("{\"")?.strip_suffix('}')?;
    let (name, payload) = line.split_once("\":")?;
    Some((name, payload.as_bytes()))
}

/// An upstream's stream as the patch lane watches it.
pub fn observer(dialect: Dialect, data: &[u8]) {
    for endpoint in endpoints(dialect) {
        let mut observer = patch(dialect).observer(endpoint, false);
        let mut splitter = sse::Splitter::default();
        let _ = splitter.push(data, |block| drop(observer.block(block)));
        let _ = observer.block(splitter.pending());
        let bytes = usize::try_from(observer.summary().output_bytes).expect("a sane count");
        // A byte that is not UTF-8 is read as U+FFFD, which has three.
        assert!(bytes <= String::from_utf8_lossy(data).len());
    }
}
