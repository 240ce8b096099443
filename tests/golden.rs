//! Fixture runner: every input crosses to every dialect (its own too, which shows what the IR carries), and what comes
//! out stands in a file beside it.
//!
//! `SLUICE_BLESS=1` writes the files; the diff is what is reviewed. A missing, differing or orphaned file fails.

#![cfg(test)]

#[path = "golden/asks.rs"]
mod asks;
#[path = "golden/carried.rs"]
mod carried;
#[path = "golden/endpoint.rs"]
mod endpoint;
#[path = "golden/eventstream.rs"]
mod eventstream;
#[path = "golden/fixtures.rs"]
mod fixtures;
#[path = "golden/place.rs"]
mod place;
#[path = "golden/told.rs"]
mod told;

use asks::{UPSTREAMS, ask, target};
use endpoint::endpoint;
use fixtures::{CLIENTS, Fixture, all, chat, context};
use sluice::config::{Dialect, Operation};
use sluice::dialect::{Observe, Target, inbound, outbound, patch, splice};
use sluice::ir::embed::Request;
use sluice::ir::event::{Checker, Event};
use sluice::ir::loss::Loss;
use sluice::wire::json::{Kind, Reader};
use sluice::wire::sse::Splitter;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

/// A model of Vertex AI's that predicts vectors.
const PREDICTING: Target<'static> = Target { predicts: true, ..Target::of("text-embedding-005") };

fn is_blessing() -> bool {
    std::env::var_os("SLUICE_BLESS").is_some_and(|value| value == "1")
}

/// Compares with what is expected, or writes it.
#[derive(Default)]
struct Verdict {
    failures: Vec<String>,
    expected: Vec<PathBuf>,
}

impl Verdict {
    fn expect(&mut self, fixture: &Fixture, suffix: &str, actual: &str) {
        let path = PathBuf::from(format!("{}.{suffix}", fixture.stem.display()));
        self.expected.push(path.clone());
        if is_blessing() {
            if let Err(error) = fs::write(&path, actual) {
                self.failures.push(format!("{}: {error}", path.display()));
            }
            return;
        }
        match fs::read_to_string(&path) {
            Ok(wanted) if wanted == actual => {}
            Ok(wanted) => self
                .failures
                .push(format!("{} differs\n--- expected\n{wanted}\n--- actual\n{actual}", path.display())),
            Err(error) => self.failures.push(format!("{}: {error} (bless it?)", path.display())),
        }
    }

    /// Compares bytes that are no text.
    fn expect_bytes(&mut self, fixture: &Fixture, suffix: &str, actual: &[u8]) {
        let path = PathBuf::from(format!("{}.{suffix}", fixture.stem.display()));
        self.expected.push(path.clone());
        let outcome = if is_blessing() {
            fs::write(&path, actual).map(|()| true)
        } else {
            fs::read(&path).map(|wanted| wanted == actual)
        };
        match outcome {
            Ok(true) => {}
            Ok(false) => self.failures.push(format!("{} is not what its source says", path.display())),
            Err(error) => self.failures.push(format!("{}: {error} (bless it?)", path.display())),
        }
    }

    /// Compares JSON, one token a line.
    fn expect_json(&mut self, fixture: &Fixture, suffix: &str, json: &[u8]) {
        match pretty(&String::from_utf8_lossy(json)) {
            Ok(lines) => self.expect(fixture, suffix, &lines),
            Err(error) => self.failures.push(format!("{}.{suffix}: {error}", fixture.name())),
        }
    }

    /// Fails if anything differed, or if files are left that nothing produces any more.
    fn close(mut self, kind: &str, inputs: &[&str]) {
        for dialect in Dialect::ALL {
            let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
                .join("tests/golden")
                .join(kind)
                .join(dialect.name());
            for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                let rest = name.split_once('.').map_or("", |(_, rest)| rest);
                if inputs.contains(&rest) || self.expected.contains(&entry.path()) {
                    continue;
                }
                if is_blessing() {
                    let _ = fs::remove_file(entry.path());
                } else {
                    self.failures.push(format!("{} belongs to no fixture", entry.path().display()));
                }
            }
        }
        assert!(self.failures.is_empty(), "{}", self.failures.join("\n\n"));
    }
}

/// The same tokens on lines of their own, so that a diff can be read.
fn pretty(json: &str) -> Result<String, sluice::wire::json::Error> {
    let mut reader = Reader::new(json);
    let mut out = String::new();
    indent(&mut reader, 0, &mut out)?;
    reader.end()?;
    out.push('\n');
    Ok(out)
}

fn indent(reader: &mut Reader<'_>, depth: usize, out: &mut String) -> Result<(), sluice::wire::json::Error> {
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.push_str(&"  ".repeat(depth));
    };
    let mut empty = true;
    match reader.peek()? {
        Kind::Object => {
            reader.object()?;
            out.push('{');
            while let Some(key) = reader.key()? {
                out.push_str(if std::mem::take(&mut empty) { "" } else { "," });
                line(out, depth + 1);
                let _ = write!(out, "{:?}: ", key.plain());
                indent(reader, depth + 1, out)?;
            }
            if !empty {
                line(out, depth);
            }
            out.push('}');
        }
        Kind::Array => {
            reader.array()?;
            out.push('[');
            while reader.element()? {
                out.push_str(if std::mem::take(&mut empty) { "" } else { "," });
                line(out, depth + 1);
                indent(reader, depth + 1, out)?;
            }
            if !empty {
                line(out, depth);
            }
            out.push(']');
        }
        _ => out.push_str(reader.raw()?),
    }
    Ok(())
}

#[test]
fn requests_cross() {
    let mut verdict = Verdict::default();
    for fixture in all("requests", "json") {
        let body = String::from_utf8_lossy(&fixture.bytes);
        if endpoint(&fixture).operation() == Operation::Embed {
            embeddings(&mut verdict, &fixture, &body);
            continue;
        }
        let counting = endpoint(&fixture).operation() == Operation::Count;
        let mut decoded_loss = Loss::default();
        let decoded = patch(fixture.dialect).peek(&ask(endpoint(&fixture)), &body).and_then(|_| {
            inbound(fixture.dialect).decode_request(&ask(endpoint(&fixture)), &body, &mut decoded_loss)
        });
        let request = match decoded {
            Ok(request) => request,
            Err(malformed) => {
                verdict.expect(&fixture, "refused.txt", &format!("{malformed}\n"));
                continue;
            }
        };
        for upstream in UPSTREAMS {
            let name = upstream.name();
            let mut loss = Loss::default();
            let mut out = Vec::new();
            let encoded = match (counting, outbound(upstream).counts()) {
                (false, _) => {
                    outbound(upstream).encode_request(&request, &target(upstream), &mut loss, &mut out)
                }
                (true, Some(counts)) => {
                    counts.encode_request(&request, &target(upstream), &mut loss, &mut out)
                }
                (true, None) => continue,
            };
            match encoded {
                Err(malformed) => {
                    let refusal = told::refusal(fixture.dialect, malformed);
                    verdict.expect(&fixture, &format!("to.{name}.refused.txt"), &format!("{refusal}\n"));
                    continue;
                }
                Ok(()) => verdict.expect_json(&fixture, &format!("to.{name}.json"), &out),
            }
            // The upstream's own lane would take it.
            let text = String::from_utf8_lossy(&out);
            if let Some(endpoint) = upstream.chat()
                && let Err(malformed) = patch(upstream).peek(&ask(endpoint), &text)
            {
                verdict.failures.push(format!("{} to {name}: {malformed}", fixture.name()));
            }
            let lost = told::losses(fixture.dialect, &decoded_loss, &loss);
            if !lost.is_empty() {
                verdict.expect(&fixture, &format!("to.{name}.loss.txt"), &(lost.join("\n") + "\n"));
            }
        }
    }
    verdict.close("requests", &["json"]);
}

/// Requests for vectors, to every upstream that makes them.
fn embeddings(verdict: &mut Verdict, fixture: &Fixture, body: &str) {
    let ask = ask(endpoint(fixture));
    let mut decoded_loss = Loss::default();
    let Some(client) = inbound(fixture.dialect).embeds() else {
        return verdict.failures.push(format!("{}: the dialect has no embeddings", fixture.name()));
    };
    let request = match client.decode_request(&ask, body, &mut decoded_loss) {
        Ok(request) => request,
        Err(malformed) => return verdict.expect(fixture, "refused.txt", &format!("{malformed}\n")),
    };
    for upstream in UPSTREAMS {
        let Some(embeds) = outbound(upstream).embeds() else { continue };
        let name = upstream.name();
        let (mut loss, mut out) = (Loss::default(), Vec::new());
        match embeds.encode_request(&request, &target(upstream), &mut loss, &mut out) {
            Ok(()) => verdict.expect_json(fixture, &format!("to.{name}.json"), &out),
            Err(malformed) => {
                let refusal = told::refusal(fixture.dialect, malformed);
                verdict.expect(fixture, &format!("to.{name}.refused.txt"), &format!("{refusal}\n"));
            }
        }
        let lost = told::losses(fixture.dialect, &decoded_loss, &loss);
        if !lost.is_empty() {
            verdict.expect(fixture, &format!("to.{name}.loss.txt"), &(lost.join("\n") + "\n"));
        }
    }
    predictions(verdict, fixture, &request);
}

/// The same to models of Vertex AI's that predict.
fn predictions(verdict: &mut Verdict, fixture: &Fixture, request: &Request<'_>) {
    let Some(embeds) = outbound(Dialect::Gemini).embeds() else { return };
    let mut out = Vec::new();
    match embeds.encode_request(request, &PREDICTING, &mut Loss::default(), &mut out) {
        Ok(()) => verdict.expect_json(fixture, "to.vertex-predict.json", &out),
        Err(malformed) => {
            verdict.expect(fixture, "to.vertex-predict.refused.txt", &format!("{malformed}\n"));
        }
    }
}

/// Vectors, for every client that asks for them: as numbers, and packed for those who can want that.
fn vectors(verdict: &mut Verdict, fixture: &Fixture, body: &str) {
    let Some(embeds) = outbound(fixture.dialect).embeds() else { return };
    let predicted = fixture.name().contains("_predicted");
    let target = if predicted { PREDICTING } else { target(fixture.dialect) };
    let reply = match embeds.decode_reply(&target, body) {
        Ok(reply) => reply,
        Err(fault) => return verdict.expect(fixture, "fault.txt", &format!("{fault:#?}\n")),
    };
    for client in CLIENTS {
        let Some(writes) = inbound(client).embeds() else { continue };
        let mut out = Vec::new();
        match writes.encode_reply(&reply, &context(client), &mut out) {
            Ok(()) => verdict.expect_json(fixture, &format!("to.{}.json", client.name()), &out),
            Err(fault) => verdict.failures.push(format!("{} to {}: {fault}", fixture.name(), client.name())),
        }
    }
}

/// A count, for every client that asks for one.
fn count(verdict: &mut Verdict, fixture: &Fixture, body: &str) {
    let Some(counts) = outbound(fixture.dialect).counts() else { return };
    match counts.decode_reply(body) {
        Err(fault) => verdict.expect(fixture, "fault.txt", &format!("{fault:#?}\n")),
        Ok(tokens) => {
            for client in CLIENTS {
                let mut out = Vec::new();
                inbound(client).encode_count(tokens, &mut out);
                if !out.is_empty() {
                    verdict.expect_json(fixture, &format!("to.{}.json", client.name()), &out);
                }
            }
        }
    }
}

#[test]
fn replies_cross() {
    let mut verdict = Verdict::default();
    for fixture in all("replies", "json") {
        let body = String::from_utf8_lossy(&fixture.bytes);
        // What no client speaks never passes through.
        if fixture.dialect.chat().is_some() && !fixture.name().contains("_predicted") {
            let observed = match patch(fixture.dialect).peek_reply(endpoint(&fixture), &body) {
                Ok(summary) => format!("{summary:#?}\n"),
                Err(fault) => format!("{fault:#?}\n"),
            };
            verdict.expect(&fixture, "observed.txt", &observed);
        }
        match endpoint(&fixture).operation() {
            Operation::Chat => {}
            Operation::Embed => {
                vectors(&mut verdict, &fixture, &body);
                continue;
            }
            Operation::Count => {
                count(&mut verdict, &fixture, &body);
                continue;
            }
            _ => continue,
        }
        match outbound(fixture.dialect).decode_reply(&body) {
            Err(fault) => verdict.expect(&fixture, "fault.txt", &format!("{fault:#?}\n")),
            Ok(reply) => {
                for client in CLIENTS {
                    let mut out = Vec::new();
                    inbound(client).encode_reply(&reply, &context(client), &mut out);
                    verdict.expect_json(&fixture, &format!("to.{}.json", client.name()), &out);
                    if let Err(fault) = patch(client).peek_reply(chat(client), &String::from_utf8_lossy(&out))
                    {
                        verdict.failures.push(format!("{} to {}: {fault}", fixture.name(), client.name()));
                    }
                }
            }
        }
    }
    streams(&mut verdict);
    verdict.close("replies", &["json", "sse", "jsonl"]);
}

/// Server-sent events as they are, and binary event streams from their readable sources.
fn streamed(verdict: &mut Verdict) -> Vec<Fixture> {
    let mut found = all("replies", "sse");
    for mut fixture in all("replies", "jsonl") {
        match eventstream::build(&String::from_utf8_lossy(&fixture.bytes)) {
            Ok(bytes) => fixture.bytes = bytes,
            Err(problem) => verdict.failures.push(format!("{}: {problem}", fixture.name())),
        }
        verdict.expect_bytes(&fixture, "bin", &fixture.bytes);
        found.push(fixture);
    }
    found
}

/// What is told of a stream, beside what is told of a whole reply of the same name.
fn beside(stream: &Fixture, suffix: &str) -> String {
    let whole = PathBuf::from(format!("{}.json", stream.stem.display()));
    if whole.exists() { format!("stream.{suffix}") } else { suffix.to_owned() }
}

fn streams(verdict: &mut Verdict) {
    for fixture in streamed(verdict) {
        if fixture.dialect.chat().is_some() {
            let mut observer = patch(fixture.dialect).observer(endpoint(&fixture), false);
            verdict.expect(
                &fixture,
                &beside(&fixture, "observed.txt"),
                &observe(&fixture.bytes, &mut *observer),
            );
        }
        if endpoint(&fixture) != chat(fixture.dialect) {
            continue;
        }
        let mut encoders =
            CLIENTS.map(|client| (client, inbound(client).stream_encoder(&context(client)), Vec::new()));
        let mut checker = Checker::default();
        let mut sink = |event: Event<'_>| {
            assert_eq!(checker.event(&event), Ok(()), "{}", fixture.name());
            for (_, encoder, out) in &mut encoders {
                encoder.event(&event, out);
            }
        };
        let mut decoder = outbound(fixture.dialect).stream_decoder();
        let result = decoder.push(&fixture.bytes, &mut sink).and_then(|()| decoder.finish(&mut sink));
        if checker.is_complete() != result.is_ok() {
            verdict.failures.push(format!(
                "{}: {result:?}, but complete: {}",
                fixture.name(),
                checker.is_complete()
            ));
        }
        if let Err(fault) = result {
            verdict.expect(&fixture, &beside(&fixture, "fault.txt"), &format!("{fault:#?}\n"));
        }
        for (client, _, out) in encoders {
            verdict.expect(&fixture, &format!("to.{}.sse", client.name()), &String::from_utf8_lossy(&out));
        }
    }
}

/// One line per block, then the summary.
fn observe(bytes: &[u8], observer: &mut dyn Observe) -> String {
    let mut out = String::new();
    let mut splitter = Splitter::default();
    let mut blocks = Vec::new();
    assert_eq!(splitter.push(bytes, |block| blocks.push(block.to_vec())), Ok(()));
    blocks.push(splitter.take_pending());
    for block in blocks.iter().filter(|block| !block.is_empty()) {
        let _ = match observer.block(block) {
            Ok(sight) => writeln!(out, "{sight:?}"),
            Err(fault) => writeln!(out, "{fault:?}"),
        };
    }
    let _ = writeln!(out, "complete: {}\n{:#?}", observer.is_complete(), observer.summary());
    out
}

#[test]
fn errors_cross() {
    let mut verdict = Verdict::default();
    for fixture in all("errors", "json") {
        let name = fixture.stem.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some(status) = name.split_once('_').and_then(|(status, _)| status.parse().ok()) else {
            verdict.failures.push(format!("{name} does not begin with a status"));
            continue;
        };
        let error = outbound(fixture.dialect).decode_error(status, &[], &fixture.bytes);
        verdict.expect(&fixture, "decoded.txt", &format!("{error:#?}\n"));
        for client in CLIENTS {
            let mut out = Vec::new();
            inbound(client).encode_error(&error, "req_1", &mut out);
            verdict.expect_json(&fixture, &format!("to.{}.json", client.name()), &out);
        }
    }
    verdict.close("errors", &["json"]);
}

#[test]
fn patches_touch_nothing_else() {
    let mut verdict = Verdict::default();
    for fixture in all("patch", "json") {
        let body = String::from_utf8_lossy(&fixture.bytes);
        match patch(fixture.dialect).peek(&ask(endpoint(&fixture)), &body) {
            Err(malformed) => verdict.expect(&fixture, "refused.txt", &format!("{malformed}\n")),
            Ok(peek) => {
                let mut loss = Loss::default();
                let edits = patch(fixture.dialect).splice(&peek, &target(fixture.dialect), &mut loss);
                let patched = splice(body.as_bytes(), &edits);
                verdict.expect(&fixture, "patched.json", &String::from_utf8_lossy(&patched));
                if !loss.paths().is_empty() {
                    verdict.expect(&fixture, "loss.txt", &(loss.paths().join("\n") + "\n"));
                }
            }
        }
    }
    verdict.close("patch", &["json"]);
}
