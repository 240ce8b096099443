//! The simulator in the place of the vendors: one of each kind, with the same models behind several of them, so that a
//! chain has dialects to cross.

use super::catalog::{self, Row};
use super::{Offer, provider};
use crate::simulator::{Api, NewProvider};
use sluice::config::{Auth, AuthKind, Aws, Dialect, Vendor};

struct Kind {
    name: &'static str,
    api: Api,
    dialect: Dialect,
    also_speaks: &'static [Dialect],
    /// What the base URL has behind the simulator's.
    path: &'static str,
    models: &'static [Row],
}

const PROJECT: &str = "/v1/projects/simulated-project/locations/us-east5";
const ACCESS_KEY_ID: &str = "AKIASIMULATED0000000";
/// Vertex AI takes what looks like a token of Google's.
const SECRET: &str = "ya29.simulated";

const KINDS: [Kind; 7] = [
    Kind {
        name: "openai-sim",
        api: Api::Openai,
        dialect: Dialect::Openai,
        also_speaks: &[Dialect::Responses],
        path: "",
        models: &[
            (&catalog::GPT_4O_MINI, "gpt-4o-mini"),
            (&catalog::GPT_5, "gpt-5"),
            (&catalog::TEXT_EMBEDDING_3_SMALL, "text-embedding-3-small"),
            (&catalog::GPT_IMAGE_1, "gpt-image-1"),
        ],
    },
    Kind {
        name: "anthropic-sim",
        api: Api::Anthropic,
        dialect: Dialect::Anthropic,
        also_speaks: &[],
        path: "",
        models: &[
            (&catalog::CLAUDE_HAIKU_4_5, "claude-haiku-4-5"),
            (&catalog::CLAUDE_OPUS_4_5, "claude-opus-4-5"),
        ],
    },
    Kind {
        name: "gemini-sim",
        api: Api::Gemini,
        dialect: Dialect::Gemini,
        also_speaks: &[],
        path: "/v1beta",
        models: &[
            (&catalog::GEMINI_3_8_FLASH, "gemini-3.8-flash"),
            (&catalog::GEMINI_EMBEDDING_001, "gemini-embedding-001"),
        ],
    },
    Kind {
        name: "bedrock-sim",
        api: Api::Bedrock,
        dialect: Dialect::Bedrock,
        also_speaks: &[],
        path: "",
        models: &[
            (&catalog::CLAUDE_HAIKU_4_5, "global.anthropic.claude-haiku-4-5-20251001-v1:0"),
            (&catalog::TITAN_EMBED_TEXT_V2, "amazon.titan-embed-text-v2:0"),
        ],
    },
    Kind {
        name: "azure-sim",
        api: Api::Azure,
        dialect: Dialect::Openai,
        also_speaks: &[Dialect::Responses],
        path: "",
        models: &[(&catalog::GPT_4O_MINI, "gpt-4o-mini")],
    },
    Kind {
        name: "vertex-sim",
        api: Api::Vertex,
        dialect: Dialect::Gemini,
        also_speaks: &[],
        path: PROJECT,
        models: &[(&catalog::GEMINI_3_8_FLASH, "gemini-3.8-flash")],
    },
    Kind {
        name: "vertex-claude-sim",
        api: Api::Vertex,
        dialect: Dialect::Anthropic,
        also_speaks: &[],
        path: PROJECT,
        models: &[(&catalog::CLAUDE_HAIKU_4_5, "claude-haiku-4-5@20251001")],
    },
];

/// Whether a provider is the simulator's.
pub(in crate::up) fn is_simulated(name: &str) -> bool {
    names().any(|known| known == name)
}

/// The simulator's providers.
pub(in crate::up) fn names() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.name)
}

/// What the simulator is to play.
pub(in crate::up) fn wanted() -> Vec<NewProvider> {
    let wanted = |kind: &Kind| {
        let credential = match kind.api {
            Api::Bedrock => format!("{ACCESS_KEY_ID}:{SECRET}"),
            _ => SECRET.to_owned(),
        };
        let name = kind.name.to_owned();
        NewProvider { name, api: kind.api, port: 0, credential: Some(credential), models: Vec::new() }
    };
    KINDS.iter().map(wanted).collect()
}

/// Its providers, at the base URLs that `at` knows by name.
pub(in crate::up) fn offers<E>(at: impl Fn(&str) -> Result<String, E>) -> Result<Vec<Offer>, E> {
    KINDS.iter().map(|kind| Ok(kind.offer(&at(kind.name)?))).collect()
}

impl Kind {
    fn offer(&self, address: &str) -> Offer {
        let base_url = format!("{}{}", address.trim_end_matches('/'), self.path);
        let mut provider = provider(self.name, self.dialect, base_url, self.auth());
        provider.also_speaks = self.also_speaks.to_vec();
        provider.vendor = match self.api {
            Api::Azure => Some(Vendor::Azure { api_version: "2025-04-01-preview".to_owned() }),
            Api::Vertex => Some(Vendor::Vertex {}),
            _ => None,
        };
        Offer::new(provider, self.models)
    }

    fn auth(&self) -> Auth {
        let plain = Auth { kind: AuthKind::Bearer, secret: SECRET.to_owned(), ..Auth::default() };
        let header = |name: &str| Auth { kind: AuthKind::Header, name: name.to_owned(), ..plain.clone() };
        match self.api {
            Api::Anthropic => header("x-api-key"),
            Api::Gemini => header("x-goog-api-key"),
            Api::Azure => header("api-key"),
            Api::Bedrock => {
                let aws = Aws {
                    access_key_id: ACCESS_KEY_ID.to_owned(),
                    region: "us-east-1".to_owned(),
                    session_token: None,
                    service: "bedrock".to_owned(),
                };
                Auth { kind: AuthKind::AwsSigv4, aws: Some(aws), ..plain }
            }
            _ => plain,
        }
    }
}
