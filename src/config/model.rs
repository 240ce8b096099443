//! A model that clients may ask for.

use super::{Invalid, Resource, is_model_id, is_name, type_url};
use serde::{Deserialize, Serialize};

/// A public model id and where it is served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Model {
    /// What clients ask for.
    pub id: String,
    /// Other ids that mean the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Who made it, as `/v1/models` shows it.
    #[serde(default)]
    pub owner: String,
    /// Unix seconds, as `/v1/models` shows it.
    #[serde(default)]
    pub created: u64,
    /// Who serves it, in order of preference.
    #[serde(default)]
    pub channels: Vec<Channel>,
    /// Tokens of prompt and reply together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_window: Option<u64>,
    /// Largest reply in tokens; what Anthropic's mandatory `max_tokens` defaults to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<u64>,
    /// `text`, `image`, `audio`, `pdf` …; empty means unknown, and unknown passes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub input_modalities: Vec<String>,
    /// `tools`, `response_schema`, `reasoning` …; empty means unknown, and unknown passes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<String>,
    /// What it costs.
    #[serde(default)]
    pub prices: Prices,
}

/// One provider that serves a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Channel {
    /// [`super::Provider::name`].
    pub provider: String,
    /// The id that this provider's API takes.
    pub upstream_id: String,
}

/// US dollars per 1,000,000 tokens, as decimal strings: money is never a float. Absent means free for input and
/// output; the finer prices default to the coarser one (cached input and cache write to input, reasoning to output).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Prices {
    /// Prompt tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// Prompt tokens read from the provider's cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_input: Option<String>,
    /// Prompt tokens written to the provider's cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<String>,
    /// Reply tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// Reply tokens spent on reasoning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<String>,
}

/// `123`, `0.075`: digits, at most one point, no sign, no exponent.
fn is_price(text: &str) -> bool {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits =
        |text: &str, max| (1..=max).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    digits(whole, 9) && digits(part, 9)
}

impl Resource for Model {
    const TYPE_URL: &'static str = type_url::MODEL;

    fn validate(&self) -> Result<(), Invalid> {
        if !is_model_id(&self.id) || !self.aliases.iter().all(|alias| is_model_id(alias)) {
            return Err(Invalid::rule(
                "id, aliases",
                "1 to 256 of [A-Za-z0-9._-/:@+] without empty, '.' or '..' segments",
            ));
        }
        let names_chain = |id: &str| id == "auto" || id == "sluice/auto";
        for (path, taken) in
            [("id", names_chain(&self.id)), ("aliases", self.aliases.iter().any(|alias| names_chain(alias)))]
        {
            if taken {
                return Err(Invalid::rule(path, "another word than 'auto', which names the key's chain"));
            }
        }
        if !self.channels.iter().all(|channel| is_name(&channel.provider)) {
            return Err(Invalid::rule("channels[].provider", "a provider's name"));
        }
        if !self.channels.iter().all(|channel| is_model_id(&channel.upstream_id)) {
            return Err(Invalid::rule("channels[].upstream_id", "the provider's model id"));
        }
        let Prices { input, cached_input, cache_write, output, reasoning } = &self.prices;
        if ![input, cached_input, cache_write, output, reasoning]
            .into_iter()
            .flatten()
            .all(|price| is_price(price))
        {
            return Err(Invalid::rule("prices", "decimal strings in US dollars per 1M tokens"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Model, Resource, is_price};

    #[test]
    fn no_model_takes_the_chains_name() {
        let model = |id: &str, alias: &str| {
            let model = serde_json::json!({"id": id, "aliases": [alias]});
            serde_json::from_value::<Model>(model).unwrap().validate()
        };
        assert!(model("gpt", "gpt-4").is_ok());
        for (id, alias) in [("auto", "a"), ("sluice/auto", "a"), ("gpt", "auto"), ("gpt", "sluice/auto")] {
            assert!(model(id, alias).unwrap_err().to_string().contains("'auto'"), "{id} {alias}");
        }
    }

    #[test]
    fn prices_are_plain_decimals() {
        assert!(["0", "2.5", "0.000075", "123456789"].iter().all(|good| is_price(good)));
        assert!(["", "-1", "1e3", ".5", "1.", "1,5", "NaN", "1.2.3"].iter().all(|bad| !is_price(bad)));
    }
}
