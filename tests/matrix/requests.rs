//! One cell about a request: a client's fixture, written for an upstream and read back.

use super::asks::{ask, target};
use super::fixtures::chat;
use super::known::{Column, HELD, NOT_ASKED, SAID_OTHERWISE, find, find_of};
use super::{Cell, golden, shown, told};
use sluice::config::Dialect;
use sluice::dialect::{Target, inbound, outbound, patch};
use sluice::ir::loss::Loss;
use std::fs;

/// What a request can ask for.
pub(crate) const FEATURES: [&str; 41] = [
    "text",
    "system",
    "multi_turn",
    "image_base64",
    "image_url",
    "pdf",
    "audio",
    "tools",
    "tool_choice_auto",
    "tool_choice_none",
    "tool_choice_required",
    "tool_choice_named",
    "tool_choice_allowed",
    "parallel_tools_off",
    "tool_result",
    "tool_result_image",
    "tool_result_error",
    "custom_tool",
    "server_tool",
    "json_mode",
    "json_schema",
    "reasoning_effort",
    "reasoning_budget",
    "reasoning_off",
    "thinking_replay",
    "thinking_earlier",
    "max_tokens",
    "temperature",
    "top_p",
    "top_k",
    "stop",
    "penalties",
    "seed",
    "logprobs",
    "n",
    "user",
    "metadata",
    "cache_marker",
    "verbosity",
    "service_tier",
    "stream",
];

/// What becomes of a feature.
pub(crate) fn cell(client: Dialect, column: &Column, feature: &str, stream: bool) -> Cell {
    let place = format!("{} to {}, {feature}", client.name(), column.label);
    // Every client can ask for a stream; the text's fixture stands for it.
    let fixture = golden("requests", client, if feature == "stream" { "text" } else { feature }, "json");
    let body = match (fs::read_to_string(&fixture), find(NOT_ASKED, client.name(), feature)) {
        (Ok(body), None) => body,
        (Err(_), Some(_)) => return Ok(format!("not sayable in {}", client.name())),
        (Ok(_), Some(_)) => return Err(format!("{place}: a fixture shows what is not sayable")),
        (Err(error), None) => return Err(format!("{place}: {}: {error}", fixture.display())),
    };
    let mut loss = Loss::default();
    let decoded = patch(client)
        .peek(&ask(chat(client)), &body)
        .and_then(|_| inbound(client).decode_request(&ask(chat(client)), &body, &mut loss));
    let mut request = decoded.map_err(|malformed| format!("{place}: {malformed}"))?;
    request.stream = stream;
    let target = Target { model: column.model, max_output_tokens: Some(64_000), ..target(column.dialect) };
    let (mut unsaid, mut out) = (Loss::default(), Vec::new());
    if let Err(malformed) = outbound(column.dialect).encode_request(&request, &target, &mut unsaid, &mut out)
    {
        return Ok(format!("refused: `{}`", told::refusal(client, malformed).path));
    }
    let lost = told::losses(client, &loss, &unsaid);
    if !lost.is_empty() {
        return Ok(format!("`{}`", lost.join("`, `")));
    }
    let text = String::from_utf8_lossy(&out);
    let arrived = if column.dialect.chat().is_none() {
        let of = |who: &str| HELD.iter().find(|(of, held, _)| *of == who && *held == feature);
        let held = of(column.label).or_else(|| of(column.dialect.name()));
        held.is_some_and(|(_, _, held)| text.contains(held))
    } else {
        let back = inbound(column.dialect)
            .decode_request(&ask(chat(column.dialect)), &text, &mut loss)
            .map_err(|malformed| format!("{place}: read back: {malformed}"))?;
        if feature == "stream" {
            back.stream == stream
        } else {
            let asked = shown::request(feature, &request);
            if asked.is_empty() {
                return Err(format!("{place}: the fixture does not show it"));
            }
            asked == shown::request(feature, &back)
        }
    };
    match (arrived, find_of(SAID_OTHERWISE, column, feature)) {
        // The path says no as well as yes.
        (true, Some(known)) if feature == "stream" => Ok(known.word.to_owned()),
        (true, _) => Ok("✓".to_owned()),
        (false, Some(known)) if text.contains(known.holds) => Ok(known.word.to_owned()),
        (false, _) => Err(format!("{place}: it did not arrive, and nothing was said: {text}")),
    }
}
