//! Some models of each vendor: enough for a first request, with what the ledger and `auto` need to know of them.
//!
//! Prices are the vendors' list prices of November 2026, in dollars per million tokens.

use sluice::config::{Channel, Model, Prices};

/// What is true of a model wherever it is served.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    id: &'static str,
    owner: &'static str,
    /// Tokens of prompt and reply.
    window: u64,
    /// The largest reply; 0: there is no such thing.
    reply: u64,
    /// Empty: not known.
    inputs: &'static [&'static str],
    /// Input, cached input, cache write, output; empty: as the input, and for the output nothing.
    prices: [&'static str; 4],
}

/// A model, and the id that a vendor's API takes.
pub(super) type Row = (&'static Facts, &'static str);

const TEXT: &[&str] = &["text"];
const SEEN: &[&str] = &["text", "image"];
const READ: &[&str] = &["text", "image", "pdf"];
const HEARD: &[&str] = &["text", "image", "pdf", "audio", "video"];

const fn facts(
    id: &'static str,
    owner: &'static str,
    (window, reply): (u64, u64),
    inputs: &'static [&'static str],
    prices: [&'static str; 4],
) -> Facts {
    Facts { id, owner, window, reply, inputs, prices }
}

pub(super) const GPT_4O_MINI: Facts =
    facts("gpt-4o-mini", "openai", (128_000, 16_384), READ, ["0.15", "0.075", "", "0.6"]);
pub(super) const GPT_4_1: Facts =
    facts("gpt-4.1", "openai", (1_047_576, 32_768), READ, ["2", "0.5", "", "8"]);
pub(super) const GPT_5: Facts =
    facts("gpt-5", "openai", (400_000, 128_000), READ, ["1.25", "0.125", "", "10"]);
pub(super) const GPT_OSS_120B: Facts =
    facts("gpt-oss-120b", "openai", (131_072, 65_536), TEXT, ["0.15", "0.075", "", "0.6"]);
pub(super) const TEXT_EMBEDDING_3_SMALL: Facts =
    facts("text-embedding-3-small", "openai", (8_191, 0), TEXT, ["0.02", "", "", "0"]);
/// Priced by its tokens, those of the pictures it makes included. Pictures it is given cost twice the input's price.
pub(super) const GPT_IMAGE_1: Facts =
    facts("gpt-image-1", "openai", (32_000, 0), SEEN, ["5", "1.25", "", "40"]);
pub(super) const CLAUDE_HAIKU_4_5: Facts =
    facts("claude-haiku-4-5", "anthropic", (200_000, 64_000), READ, ["1", "0.1", "1.25", "5"]);
pub(super) const CLAUDE_OPUS_4_5: Facts =
    facts("claude-opus-4-5", "anthropic", (200_000, 64_000), READ, ["5", "0.5", "6.25", "25"]);
/// Half of its list price, as it is until the end of 2026.
pub(super) const GEMINI_3_8_FLASH: Facts =
    facts("gemini-3.8-flash", "google", (1_048_576, 65_536), HEARD, ["0.75", "0.075", "", "3.75"]);
pub(super) const GEMINI_EMBEDDING_001: Facts =
    facts("gemini-embedding-001", "google", (2_048, 0), TEXT, ["0.15", "", "", "0"]);
pub(super) const TITAN_EMBED_TEXT_V2: Facts =
    facts("titan-embed-text-v2", "amazon", (8_192, 0), TEXT, ["0.02", "", "", "0"]);
pub(super) const MISTRAL_SMALL: Facts =
    facts("mistral-small-latest", "mistral", (262_144, 262_144), &[], ["0.15", "0.015", "", "0.6"]);
pub(super) const MISTRAL_LARGE: Facts =
    facts("mistral-large-latest", "mistral", (262_144, 262_144), &[], ["0.5", "0.05", "", "1.5"]);
pub(super) const DEEPSEEK_V4_FLASH: Facts =
    facts("deepseek-v4-flash", "deepseek", (1_000_000, 393_216), TEXT, ["0.3", "0.006", "0", "1.2"]);
/// Prompts beyond 200,000 tokens cost twice as much.
pub(super) const GROK_4_3: Facts = facts("grok-4.3", "xai", (1_000_000, 0), SEEN, ["1.25", "0.2", "", "2.5"]);
/// Prompts beyond 512,000 tokens cost twice as much.
pub(super) const MINIMAX_M3: Facts = facts(
    "minimax-m3",
    "minimax",
    (1_000_000, 131_072),
    &["text", "image", "video"],
    ["0.3", "0.06", "", "1.2"],
);

impl Facts {
    /// The model as a provider serves it.
    pub(super) fn at(&self, provider: &str, upstream_id: &str) -> Model {
        let price = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let [input, cached_input, cache_write, output] = self.prices.map(price);
        Model {
            owner: self.owner.to_owned(),
            context_window: Some(self.window),
            max_output_tokens: (self.reply > 0).then_some(self.reply),
            input_modalities: self.inputs.iter().map(|&input| input.to_owned()).collect(),
            prices: Prices { input, cached_input, cache_write, output, reasoning: None },
            ..named(self.id, provider, upstream_id)
        }
    }
}

/// A model of which nothing is known but its name.
pub(super) fn named(id: &str, provider: &str, upstream_id: &str) -> Model {
    Model {
        id: id.to_owned(),
        aliases: Vec::new(),
        owner: String::new(),
        created: 0,
        channels: vec![Channel { provider: provider.to_owned(), upstream_id: upstream_id.to_owned() }],
        context_window: None,
        max_output_tokens: None,
        input_modalities: Vec::new(),
        capabilities: Vec::new(),
        prices: Prices::default(),
    }
}
