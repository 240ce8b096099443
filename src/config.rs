//! F1: the contract with the control plane. What is pushed to the module, and the record it sends back.
//!
//! Invariant: plain serde types, the same in the admin API, in the store and on the discovery stream; a snapshot
//! of them is immutable once versioned. Unknown members are ignored here, so that an older module takes a newer
//! control plane's resources; the admin API is stricter.

mod key;
mod model;
pub mod plugin;
mod provider;
mod record;
mod settings;
pub mod token;

pub use key::{Access, Key, KeyStatus, LossPolicy, PreviousSecret, Step, Strategy, Target};
pub use model::{Channel, Model, Prices};
pub use provider::{Auth, AuthKind, BaseUrl, Provider};
pub use record::{AttemptRecord, Record, Usage, UsageSource};
pub use settings::{RefusalPolicy, RetryPolicy, Settings};

use serde::{Deserialize, Serialize};

/// The xDS type URLs of the module's resources. A resource's `Any` holds a [`Payload`].
pub mod type_url {
    /// [`super::Settings`], one resource named `settings`.
    pub const SETTINGS: &str = "type.googleapis.com/sluice.v1.Settings";
    /// [`super::Provider`], named by [`super::Provider::name`].
    pub const PROVIDER: &str = "type.googleapis.com/sluice.v1.Provider";
    /// [`super::Model`], named by [`super::Model::id`].
    pub const MODEL: &str = "type.googleapis.com/sluice.v1.Model";
    /// [`super::Key`], named by [`super::Key::id`].
    pub const KEY: &str = "type.googleapis.com/sluice.v1.Key";
}

/// The gRPC service for the one unary call the module makes: an unknown but well-formed key.
pub mod key_lookup {
    /// Service name.
    pub const SERVICE: &str = "sluice.v1.KeyLookup";
    /// Method name; takes a [`super::KeyRequest`], returns a [`super::Payload`] with a [`super::Key`], or the
    /// status `NOT_FOUND`.
    pub const METHOD: &str = "Get";
}

/// A resource as JSON inside protobuf: `message Payload { bytes json = 1; }`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Payload {
    /// One serde type of this floor, as JSON.
    #[prost(bytes = "vec", tag = "1")]
    pub json: Vec<u8>,
}

/// `message KeyRequest { string id = 1; }`
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct KeyRequest {
    /// [`Key::id`].
    #[prost(string, tag = "1")]
    pub id: String,
}

/// A wire format that a client or an upstream speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// OpenAI Chat Completions, and the embeddings and legacy completions beside it.
    Openai,
    /// Anthropic Messages.
    Anthropic,
}

impl Dialect {
    /// The name used in configuration, records and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Openai => "openai",
            Self::Anthropic => "anthropic",
        }
    }
}

/// What a client may ask of the gateway; the name is what a key's access rules use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Endpoint {
    /// `POST /v1/chat/completions`
    #[serde(rename = "chat.completions")]
    ChatCompletions,
    /// `POST /v1/messages`
    #[serde(rename = "messages")]
    Messages,
    /// `POST /v1/completions`
    #[serde(rename = "completions")]
    Completions,
    /// `POST /v1/embeddings`
    #[serde(rename = "embeddings")]
    Embeddings,
    /// `GET /v1/models` and `GET /v1/models/{id}`
    #[serde(rename = "models")]
    Models,
}

impl Endpoint {
    /// The name used in configuration, records and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ChatCompletions => "chat.completions",
            Self::Messages => "messages",
            Self::Completions => "completions",
            Self::Embeddings => "embeddings",
            Self::Models => "models",
        }
    }
}

/// Why a resource cannot be used; the module NACKs it with this text and keeps the last good one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// Not the JSON of this type.
    #[error("{0}")]
    Json(String),
    /// A member breaks a rule that serde cannot express.
    #[error("{path}: expected {expected}")]
    Rule {
        /// JSON path of the member.
        path: &'static str,
        /// The rule.
        expected: &'static str,
    },
}

impl Invalid {
    pub(crate) const fn rule(path: &'static str, expected: &'static str) -> Self {
        Self::Rule { path, expected }
    }
}

/// A resource that arrives as JSON and is checked before it is used.
pub trait Resource: serde::de::DeserializeOwned {
    /// The type URL it is pushed under.
    const TYPE_URL: &'static str;

    /// The rules that serde cannot express.
    fn validate(&self) -> Result<(), Invalid>;

    /// Reads and checks one.
    fn from_json(json: &[u8]) -> Result<Self, Invalid> {
        let resource: Self =
            serde_json::from_slice(json).map_err(|error| Invalid::Json(error.to_string()))?;
        resource.validate()?;
        Ok(resource)
    }
}

/// Names that appear in paths, headers and cluster names: `[A-Za-z0-9._-]`, 1 to 64 of them.
#[must_use]
pub fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

/// Model ids: like [`is_name`] with `/`, `:`, `@` and `+`, up to 256 bytes, and no empty, `.` or `..` path segment.
#[must_use]
pub fn is_model_id(text: &str) -> bool {
    (1..=256).contains(&text.len())
        && text.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'/' | b':' | b'@' | b'+')
        })
        && text.split('/').all(|segment| !matches!(segment, "" | "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn model_ids_cannot_climb_paths() {
        for good in ["gpt-4o-mini", "meta-llama/Llama-3.1-8B", "anthropic.claude-v2:1", "ft:gpt-4o:org::id"] {
            assert!(is_model_id(good), "{good}");
        }
        for bad in ["", "../x", "a/../b", "a//b", "/a", "a/", "a%2fb", "a b", "a\nb", "ä", "a?b", "."] {
            assert!(!is_model_id(bad), "{bad}");
        }
    }
}
