//! Vendors that one key opens. One that speaks a known dialect is a row here, as it would be a provider in a file.

use super::catalog::{self, Row};
use super::{Environment, LeftOut, Offer, provider};
use sluice::config::{Auth, AuthKind, Dialect};

struct Vendor {
    /// The environment variables that may hold its key; the first that does counts.
    variables: &'static [&'static str],
    name: &'static str,
    dialect: Dialect,
    also_speaks: &'static [Dialect],
    base_url: &'static str,
    /// The header that its key goes into; empty: a bearer token.
    header: &'static str,
    /// The first is the one for the chain.
    models: &'static [Row],
}

const OPENAI: Vendor = Vendor {
    variables: &["OPENAI_API_KEY"],
    name: "openai",
    dialect: Dialect::Openai,
    also_speaks: &[Dialect::Responses],
    base_url: "https://api.openai.com/v1",
    header: "",
    models: &[
        (&catalog::GPT_4O_MINI, "gpt-4o-mini"),
        (&catalog::GPT_4_1, "gpt-4.1"),
        (&catalog::GPT_5, "gpt-5"),
        (&catalog::TEXT_EMBEDDING_3_SMALL, "text-embedding-3-small"),
        (&catalog::GPT_IMAGE_1, "gpt-image-1"),
    ],
};

/// A vendor of OpenAI's dialect with a key of its own, and nothing else to know.
const fn compatible(
    variables: &'static [&'static str],
    name: &'static str,
    base_url: &'static str,
    models: &'static [Row],
) -> Vendor {
    Vendor { variables, name, also_speaks: &[], base_url, models, ..OPENAI }
}

const VENDORS: [Vendor; 11] = [
    OPENAI,
    Vendor {
        variables: &["ANTHROPIC_API_KEY"],
        name: "anthropic",
        dialect: Dialect::Anthropic,
        also_speaks: &[],
        base_url: "https://api.anthropic.com",
        header: "x-api-key",
        models: &[
            (&catalog::CLAUDE_HAIKU_4_5, "claude-haiku-4-5"),
            (&catalog::CLAUDE_OPUS_4_5, "claude-opus-4-5"),
        ],
    },
    Vendor {
        // In the order of Google's own libraries.
        variables: &["GOOGLE_API_KEY", "GEMINI_API_KEY"],
        name: "gemini",
        dialect: Dialect::Gemini,
        also_speaks: &[],
        base_url: "https://generativelanguage.googleapis.com/v1beta",
        header: "x-goog-api-key",
        models: &[
            (&catalog::GEMINI_3_8_FLASH, "gemini-3.8-flash"),
            (&catalog::GEMINI_EMBEDDING_001, "gemini-embedding-001"),
        ],
    },
    compatible(
        &["GROQ_API_KEY"],
        "groq",
        "https://api.groq.com/openai/v1",
        &[(&catalog::GPT_OSS_120B, "openai/gpt-oss-120b")],
    ),
    compatible(
        &["MISTRAL_API_KEY"],
        MISTRAL,
        "https://api.mistral.ai/v1",
        &[
            (&catalog::MISTRAL_SMALL, "mistral-small-latest"),
            (&catalog::MISTRAL_LARGE, "mistral-large-latest"),
        ],
    ),
    compatible(
        &["DEEPSEEK_API_KEY"],
        "deepseek",
        "https://api.deepseek.com/v1",
        &[(&catalog::DEEPSEEK_V4_FLASH, "deepseek-v4-flash")],
    ),
    Vendor {
        also_speaks: &[Dialect::Responses],
        ..compatible(&["XAI_API_KEY"], "xai", "https://api.x.ai/v1", &[(&catalog::GROK_4_3, "grok-4.3")])
    },
    compatible(
        &["MINIMAX_API_KEY"],
        "minimax",
        "https://api.minimax.io/v1",
        &[(&catalog::MINIMAX_M3, "MiniMax-M3")],
    ),
    compatible(
        &["TOGETHER_API_KEY"],
        "together",
        "https://api.together.xyz/v1",
        &[(&catalog::GPT_OSS_120B, "openai/gpt-oss-120b")],
    ),
    compatible(
        &["FIREWORKS_API_KEY"],
        "fireworks",
        "https://api.fireworks.ai/inference/v1",
        &[(&catalog::GPT_OSS_120B, "accounts/fireworks/models/gpt-oss-120b")],
    ),
    // Last, because it adds a fee to the prices of the others.
    compatible(
        &["OPENROUTER_API_KEY"],
        "openrouter",
        "https://openrouter.ai/api/v1",
        &[
            (&catalog::GPT_OSS_120B, "openai/gpt-oss-120b"),
            (&catalog::GPT_4O_MINI, "openai/gpt-4o-mini"),
            (&catalog::CLAUDE_HAIKU_4_5, "anthropic/claude-haiku-4.5"),
        ],
    ),
];

/// Refuses `stream_options`, and reports usage unasked.
const MISTRAL: &str = "mistral";

/// The vendors whose key the environment holds.
pub(super) fn offers(environment: &Environment<'_>) -> Vec<Result<Offer, LeftOut>> {
    let offer = |vendor: &Vendor| {
        let (variable, secret) = environment.first(vendor.variables)?;
        Some(vendor.offer(secret).checked(variable))
    };
    VENDORS.iter().filter_map(offer).collect()
}

impl Vendor {
    fn offer(&self, secret: String) -> Offer {
        let auth = match self.header {
            "" => Auth { kind: AuthKind::Bearer, secret, ..Auth::default() },
            name => Auth { kind: AuthKind::Header, name: name.to_owned(), secret, ..Auth::default() },
        };
        let mut provider = provider(self.name, self.dialect, self.base_url.to_owned(), auth);
        provider.also_speaks = self.also_speaks.to_vec();
        provider.stream_usage = self.name != MISTRAL;
        Offer::new(provider, self.models)
    }
}
