//! What `sluice up` can set up by itself: a vendor whose key is in the environment, or the simulator.
//!
//! A short list on purpose: enough for a first request to each vendor. Prices are the vendors' list prices of
//! November 2026; everything else is the admin API's business.

use sluice::config::{Auth, AuthKind, Channel, Dialect, Model, Prices, Provider};
use std::collections::BTreeMap;

/// A provider and some of its models, the one for the chain first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Offer {
    /// The provider, its credential included.
    pub(super) provider: Provider,
    /// At least one.
    pub(super) models: Vec<Model>,
}

struct Vendor {
    /// The environment variable that holds its key.
    variable: &'static str,
    name: &'static str,
    owner: &'static str,
    dialect: Dialect,
    base_url: &'static str,
    stream_usage: bool,
    models: &'static [Row],
}

/// Public id, the vendor's id, context window, largest reply (0: no such thing), dollars per million tokens: input,
/// cached input, cache write (empty: as input), output.
type Row = (&'static str, &'static str, u64, u64, [&'static str; 4]);

const OPENAI: &[Row] = &[
    ("gpt-4o-mini", "gpt-4o-mini", 128_000, 16_384, ["0.15", "0.075", "", "0.6"]),
    ("gpt-4.1", "gpt-4.1", 1_047_576, 32_768, ["2", "0.5", "", "8"]),
    ("text-embedding-3-small", "text-embedding-3-small", 8_191, 0, ["0.02", "", "", "0"]),
];
const ANTHROPIC: &[Row] = &[
    ("claude-haiku-4-5", "claude-haiku-4-5", 200_000, 64_000, ["1", "0.1", "1.25", "5"]),
    ("claude-opus-4-5", "claude-opus-4-5", 200_000, 64_000, ["5", "0.5", "6.25", "25"]),
];
const GROQ: &[Row] =
    &[("gpt-oss-120b", "openai/gpt-oss-120b", 131_072, 65_536, ["0.15", "0.075", "", "0.6"])];
const MISTRAL: &[Row] = &[
    ("mistral-small-latest", "mistral-small-latest", 262_144, 262_144, ["0.15", "0.015", "", "0.6"]),
    ("mistral-large-latest", "mistral-large-latest", 262_144, 262_144, ["0.5", "0.05", "", "1.5"]),
];
const DEEPSEEK: &[Row] =
    &[("deepseek-v4-flash", "deepseek-v4-flash", 1_000_000, 393_216, ["0.3", "0.006", "0", "1.2"])];

const VENDORS: [Vendor; 5] = [
    Vendor {
        variable: "OPENAI_API_KEY",
        name: "openai",
        owner: "openai",
        dialect: Dialect::Openai,
        base_url: "https://api.openai.com/v1",
        stream_usage: true,
        models: OPENAI,
    },
    Vendor {
        variable: "ANTHROPIC_API_KEY",
        name: "anthropic",
        owner: "anthropic",
        dialect: Dialect::Anthropic,
        base_url: "https://api.anthropic.com",
        stream_usage: true,
        models: ANTHROPIC,
    },
    Vendor {
        variable: "GROQ_API_KEY",
        name: "groq",
        owner: "openai",
        dialect: Dialect::Openai,
        base_url: "https://api.groq.com/openai/v1",
        stream_usage: true,
        models: GROQ,
    },
    Vendor {
        variable: "MISTRAL_API_KEY",
        name: "mistral",
        owner: "mistral",
        dialect: Dialect::Openai,
        base_url: "https://api.mistral.ai/v1",
        // Refuses `stream_options`, and reports usage unasked.
        stream_usage: false,
        models: MISTRAL,
    },
    Vendor {
        variable: "DEEPSEEK_API_KEY",
        name: "deepseek",
        owner: "deepseek",
        dialect: Dialect::Openai,
        base_url: "https://api.deepseek.com/v1",
        stream_usage: true,
        models: DEEPSEEK,
    },
];

/// The simulator's providers.
pub(super) const SIMULATED: [&str; 2] = ["openai-sim", "anthropic-sim"];

/// The vendors whose key `variable` knows.
pub(super) fn configured(variable: impl Fn(&str) -> Option<String>) -> Vec<Offer> {
    let offer = |vendor: &Vendor| {
        let secret = variable(vendor.variable)?.trim().to_owned();
        (!secret.is_empty()).then(|| vendor.offer(vendor.name, vendor.base_url, secret))
    };
    VENDORS.iter().filter_map(offer).collect()
}

/// The simulator in the place of the first two vendors, at these base URLs.
pub(super) fn simulated(openai: &str, anthropic: &str) -> Vec<Offer> {
    let at = SIMULATED.iter().zip([openai, anthropic]);
    VENDORS
        .iter()
        .zip(at)
        .map(|(vendor, (name, url))| vendor.offer(name, url, "simulated".to_owned()))
        .collect()
}

impl Vendor {
    fn offer(&self, name: &str, base_url: &str, secret: String) -> Offer {
        let (auth, headers) = match self.dialect {
            Dialect::Openai => {
                (Auth { kind: AuthKind::Bearer, name: String::new(), secret }, BTreeMap::new())
            }
            Dialect::Anthropic => (
                Auth { kind: AuthKind::Header, name: "x-api-key".to_owned(), secret },
                BTreeMap::from([("anthropic-version".to_owned(), "2023-06-01".to_owned())]),
            ),
        };
        let provider = Provider {
            name: name.to_owned(),
            dialect: self.dialect,
            base_url: base_url.to_owned(),
            auth,
            first_token_deadline_ms: None,
            headers,
            stream_usage: self.stream_usage,
            enabled: true,
            cluster: None,
        };
        Offer { provider, models: self.models.iter().map(|row| model(row, name, self.owner)).collect() }
    }
}

fn model(&(id, upstream_id, window, reply, prices): &Row, provider: &str, owner: &str) -> Model {
    let [input, cached_input, cache_write, output] =
        prices.map(|price| (!price.is_empty()).then(|| price.to_owned()));
    Model {
        id: id.to_owned(),
        aliases: Vec::new(),
        owner: owner.to_owned(),
        created: 0,
        channels: vec![Channel { provider: provider.to_owned(), upstream_id: upstream_id.to_owned() }],
        context_window: Some(window),
        max_output_tokens: (reply > 0).then_some(reply),
        input_modalities: Vec::new(),
        capabilities: Vec::new(),
        prices: Prices { input, cached_input, cache_write, output, reasoning: None },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluice::config::Resource as _;

    #[test]
    fn every_offer_is_valid_and_has_a_model() {
        let all = configured(|variable| Some(format!("{variable}-value")));
        assert_eq!(all.len(), VENDORS.len());
        for offer in all.iter().chain(&simulated("http://127.0.0.1:1/v1", "http://127.0.0.1:1")) {
            offer.provider.validate().unwrap();
            assert!(!offer.models.is_empty());
            for model in &offer.models {
                model.validate().unwrap();
                assert_eq!(model.channels[0].provider, offer.provider.name);
            }
        }
    }

    #[test]
    fn only_variables_with_a_value_count() {
        let some = configured(|variable| match variable {
            "MISTRAL_API_KEY" => Some(" secret\n".to_owned()),
            "OPENAI_API_KEY" => Some(String::new()),
            _ => None,
        });
        assert_eq!(some.len(), 1);
        assert_eq!((some[0].provider.auth.secret.as_str(), some[0].provider.stream_usage), ("secret", false));
    }

    #[test]
    fn anthropic_gets_its_own_headers() {
        let anthropic = &simulated("http://a/v1", "http://b")[1].provider;
        assert_eq!((anthropic.auth.kind, anthropic.auth.name.as_str()), (AuthKind::Header, "x-api-key"));
        assert_eq!(anthropic.headers["anthropic-version"], "2023-06-01");
        assert_eq!(anthropic.base_url, "http://b");
    }
}
