//! One cell about a reply: an upstream's fixture, written for a client and read back by whoever reads that dialect.

use super::assemble::Assembler;
use super::fixtures::context;
use super::known::{NOT_TOLD, TOLD_OTHERWISE, find};
use super::{Cell, golden, shown};
use sluice::config::Dialect;
use sluice::dialect::{inbound, outbound};
use sluice::ir::chat::Reply;
use sluice::ir::error::Fault;
use sluice::ir::event::Event;
use std::fs;

/// What a reply can tell.
pub(crate) const FEATURES: [&str; 15] = [
    "text",
    "reasoning",
    "reasoning_proof",
    "tool_call",
    "tool_calls_parallel",
    "tool_call_empty_arguments",
    "refusal",
    "safety_stop",
    "length",
    "stop_sequence",
    "logprobs",
    "n",
    "usage_cached",
    "usage_reasoning",
    "error_in_stream",
];

/// What becomes of a feature.
pub(crate) fn cell(upstream: Dialect, client: Dialect, feature: &str, stream: bool) -> Cell {
    let place = format!("{} to {} clients, {feature}", upstream.name(), client.name());
    if feature == "error_in_stream" && !stream {
        return Ok("streams only".to_owned());
    }
    let extension = match (stream, outbound(upstream).stream_type()) {
        (false, _) => "json",
        (true, "text/event-stream") => "sse",
        (true, _) => "bin",
    };
    let fixture = golden("replies", upstream, feature, extension);
    let bytes = match (fs::read(&fixture), find(NOT_TOLD, upstream.name(), feature)) {
        (Ok(bytes), None) => bytes,
        (Err(_), Some(_)) => return Ok(format!("not sayable in {}", upstream.name())),
        (Ok(_), Some(_)) => return Err(format!("{place}: a fixture shows what is not sayable")),
        (Err(error), None) => return Err(format!("{place}: {}: {error}", fixture.display())),
    };
    let arrived = if stream {
        streamed(upstream, client, feature, &bytes)
    } else {
        buffered(upstream, client, feature, &String::from_utf8_lossy(&bytes))
    };
    let arrived = arrived.map_err(|problem| format!("{place}: {problem}"))?;
    match (arrived, find(TOLD_OTHERWISE, &format!("{} clients", client.name()), feature)) {
        (true, _) => Ok("✓".to_owned()),
        (false, Some(known)) => Ok(known.word.to_owned()),
        (false, None) => Err(format!("{place}: it did not arrive, streamed: {stream}")),
    }
}

fn same(
    feature: &str,
    client: Dialect,
    told: &Reply<'_>,
    back: &Reply<'_>,
    out: &[u8],
) -> Result<bool, String> {
    if feature == "reasoning_proof" {
        let sealed = shown::sealed(told, client);
        let out = String::from_utf8_lossy(out);
        return if sealed.is_empty() {
            Err("the fixture does not show it".to_owned())
        } else {
            Ok(sealed.iter().all(|forms| forms.iter().any(|form| out.contains(form.as_str()))))
        };
    }
    let shown = shown::reply(feature, told);
    if shown.is_empty() {
        return Err("the fixture does not show it".to_owned());
    }
    Ok(shown == shown::reply(feature, back))
}

fn buffered(upstream: Dialect, client: Dialect, feature: &str, body: &str) -> Result<bool, String> {
    let told = outbound(upstream).decode_reply(body).map_err(|fault| fault.to_string())?;
    let mut out = Vec::new();
    inbound(client).encode_reply(&told, &context(client), &mut out);
    let text = String::from_utf8_lossy(&out);
    let back = outbound(client).decode_reply(&text).map_err(|fault| format!("read back: {fault}"))?;
    same(feature, client, &told, &back, &out)
}

fn streamed(upstream: Dialect, client: Dialect, feature: &str, bytes: &[u8]) -> Result<bool, String> {
    let (mut told, mut out) = (Assembler::default(), Vec::new());
    let mut encoder = inbound(client).stream_encoder(&context(client));
    let mut sink = |event: Event<'_>| {
        encoder.event(&event, &mut out);
        told.event(event);
    };
    let mut decoder = outbound(upstream).stream_decoder();
    let ended = decoder.push(bytes, &mut sink).and_then(|()| decoder.finish(&mut sink));
    if feature == "error_in_stream" {
        let Err(Fault::Error(error)) = ended else { return Err(format!("{ended:?} is no error")) };
        encoder.error(&error, "req_1", &mut out);
        let (read, _) = read_back(client, &out);
        let Err(Fault::Error(back)) = read else { return Ok(false) };
        return Ok(error.message == back.message);
    }
    ended.map_err(|fault| fault.to_string())?;
    let (told, _) = told.finish();
    let (read, back) = read_back(client, &out);
    read.map_err(|fault| format!("read back: {fault}"))?;
    same(feature, client, &told, &back, &out)
}

fn read_back(client: Dialect, bytes: &[u8]) -> (Result<(), Fault>, Reply<'static>) {
    let mut back = Assembler::default();
    let mut sink = |event: Event<'_>| back.event(event);
    let mut decoder = outbound(client).stream_decoder();
    let read = decoder.push(bytes, &mut sink).and_then(|()| decoder.finish(&mut sink));
    (read, back.finish().0)
}
