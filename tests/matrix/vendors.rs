//! Vendors whose requests are those of the dialect that they speak, which is why they have no columns.

use super::asks::ask;
use super::fixtures::{CLIENTS, chat};
use super::{golden, requests, told};
use sluice::config::{Dialect, Provider};
use sluice::dialect::{Target, inbound, outbound};
use sluice::ir::loss::Loss;
use sluice::provider::Upstream;
use std::fs;

/// A vendor, the dialect that it is asked in, a model, and its own way to name the model in a body.
const VENDORS: [(&str, Dialect, &str, [&str; 2]); 4] = [
    (r#"{"kind":"azure","api_version":"2025-04-01-preview"}"#, Dialect::Openai, "gpt-5.2", SAME),
    (r#"{"kind":"azure","api_version":"2025-04-01-preview"}"#, Dialect::Responses, "gpt-5.2", SAME),
    (r#"{"kind":"vertex"}"#, Dialect::Gemini, "gemini-3.8-flash", SAME),
    (
        r#"{"kind":"vertex"}"#,
        Dialect::Anthropic,
        "claude-sonnet-4-5",
        [r#"{"model":"claude-sonnet-4-5","#, r#"{"anthropic_version":"vertex-2023-10-16","#],
    ),
];
const SAME: [&str; 2] = ["", ""];

#[test]
fn vendors_send_and_lose_what_their_dialects_do() {
    let mut compared = 0;
    for (vendor, dialect, model, [own, others]) in VENDORS {
        let json = format!(
            r#"{{"name":"v","dialect":"{}","base_url":"https://v.example","vendor":{vendor}}}"#,
            dialect.name()
        );
        let provider: Provider = serde_json::from_str(&json).unwrap();
        let upstream = Upstream::new(&provider).unwrap();
        for client in CLIENTS {
            let endpoint = chat(client);
            let there = upstream.target(endpoint, dialect, model, Some(64_000));
            let here = Target { max_output_tokens: Some(64_000), ..Target::of(model) };
            for feature in requests::FEATURES {
                let Ok(body) = fs::read_to_string(golden("requests", client, feature, "json")) else {
                    continue;
                };
                let write = |target: &Target<'_>| {
                    let (mut read, mut unsaid, mut out) = (Loss::default(), Loss::default(), Vec::new());
                    let request = inbound(client).decode_request(&ask(endpoint), &body, &mut read).unwrap();
                    let written = outbound(dialect).encode_request(&request, target, &mut unsaid, &mut out);
                    (written, told::losses(client, &read, &unsaid), String::from_utf8(out).unwrap())
                };
                let (written, lost, body) = write(&here);
                let expected = (written, lost, body.replacen(own, others, 1));
                assert_eq!(write(&there), expected, "{vendor} {feature}");
                compared += 1;
            }
        }
    }
    assert!(compared > 400, "{compared}");
}
