//! Which vendor's API a virtual provider is, and where the rooms of the vendors are entered.
//!
//! Invariant: this is the only list of vendors; all else asks the [`Vendor`] that it gives.

use super::vendor::Vendor;
use super::{anthropic, azure, bedrock, gemini, identity, openai, vertex};
use serde::{Deserialize, Serialize};

/// A vendor's API, as the control API names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Api {
    /// api.openai.com, and who imitates it.
    Openai,
    /// api.anthropic.com.
    Anthropic,
    /// Azure OpenAI.
    Azure,
    /// Google's Generative Language API.
    Gemini,
    /// Google Cloud's Vertex AI.
    Vertex,
    /// Amazon Bedrock's runtime.
    Bedrock,
    /// The token endpoints of Google and Microsoft Entra.
    Identity,
}

impl Api {
    /// All of them.
    pub(crate) const ALL: [Self; 7] = [
        Self::Openai,
        Self::Anthropic,
        Self::Azure,
        Self::Gemini,
        Self::Vertex,
        Self::Bedrock,
        Self::Identity,
    ];

    /// Its name in the control API; also the name of the provider of this kind that is always there.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Openai => "openai",
            Self::Anthropic => "anthropic",
            Self::Azure => "azure",
            Self::Gemini => "gemini",
            Self::Vertex => "vertex",
            Self::Bedrock => "bedrock",
            Self::Identity => "identity",
        }
    }

    /// The API of that name.
    pub(crate) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|api| api.name() == name)
    }

    /// A vendor that has seen nothing yet; absent where the simulator has no room for it.
    pub(crate) fn vendor(self) -> Option<Box<dyn Vendor>> {
        match self {
            Self::Openai => Some(Box::new(openai::OpenAi::new())),
            Self::Anthropic => Some(Box::new(anthropic::Anthropic)),
            Self::Azure => Some(Box::new(azure::Azure::new())),
            Self::Gemini => Some(Box::new(gemini::Gemini)),
            Self::Vertex => Some(Box::new(vertex::Vertex)),
            Self::Bedrock => Some(Box::new(bedrock::Bedrock)),
            Self::Identity => Some(Box::new(identity::Identity)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_are_the_same_everywhere() {
        for api in Api::ALL {
            assert_eq!(json!(api), json!(api.name()));
            assert_eq!(Api::of(api.name()), Some(api));
        }
        assert_eq!(Api::of("nobody"), None);
    }
}
