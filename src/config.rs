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
pub use provider::{Auth, AuthKind, Aws, BaseUrl, Entra, Provider, Vendor};
pub use record::{AttemptRecord, Maker, PassedOver, Record, Usage, UsageSource};
pub use settings::{RefusalPolicy, RetryPolicy, Settings, StoredResponses};

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

/// The gRPC service for an unknown but well-formed key.
pub mod key_lookup {
    /// Service name.
    pub const SERVICE: &str = "sluice.v1.KeyLookup";
    /// Method name; takes a [`super::KeyRequest`], returns a [`super::Payload`] with a [`super::Key`], or the
    /// status `NOT_FOUND`.
    pub const METHOD: &str = "Get";
}

/// The gRPC service for a stored reply that this Envoy has not seen made.
pub mod reply_lookup {
    /// Service name.
    pub const SERVICE: &str = "sluice.v1.ReplyLookup";
    /// Method name; takes a [`super::ReplyRequest`], returns a [`super::Payload`] with a list of [`super::Maker`]s, the
    /// newest first. It is empty where the ledger knows of none.
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

/// `message ReplyRequest { string id = 1; }`
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct ReplyRequest {
    /// [`Record::reply`].
    #[prost(string, tag = "1")]
    pub id: String,
}

/// A wire format that a client or an upstream speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// OpenAI Chat Completions, and the embeddings, images and legacy completions beside it.
    Openai,
    /// OpenAI Responses.
    Responses,
    /// Anthropic Messages.
    Anthropic,
    /// Gemini `generateContent`, and the embeddings and token counts beside it.
    Gemini,
    /// Amazon Bedrock Converse. No client speaks it.
    Bedrock,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 5] = [Self::Openai, Self::Responses, Self::Anthropic, Self::Gemini, Self::Bedrock];
    /// What clients may speak.
    pub const CLIENTS: [Self; 4] = [Self::Openai, Self::Responses, Self::Anthropic, Self::Gemini];

    /// The endpoint at which its clients chat; `None` where no client speaks it.
    #[must_use]
    pub const fn chat(self) -> Option<Endpoint> {
        match self {
            Self::Openai => Some(Endpoint::ChatCompletions),
            Self::Responses => Some(Endpoint::Responses),
            Self::Anthropic => Some(Endpoint::Messages),
            Self::Gemini => Some(Endpoint::GenerateContent),
            Self::Bedrock => None,
        }
    }

    /// The name used in configuration, records and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Openai => "openai",
            Self::Responses => "responses",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::Bedrock => "bedrock",
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
    /// `POST /v1/completions`
    #[serde(rename = "completions")]
    Completions,
    /// `POST /v1/responses`
    #[serde(rename = "responses")]
    Responses,
    /// `GET`, `DELETE /v1/responses/{id}`, `POST …/cancel`, `GET …/input_items`
    #[serde(rename = "responses.stored")]
    StoredResponses,
    /// `POST /v1/messages`
    #[serde(rename = "messages")]
    Messages,
    /// `POST /v1/messages/count_tokens`
    #[serde(rename = "messages.count_tokens")]
    CountMessages,
    /// `POST /v1beta/models/{id}:generateContent` and `:streamGenerateContent`
    #[serde(rename = "gemini.generate_content")]
    GenerateContent,
    /// `POST /v1beta/models/{id}:countTokens`
    #[serde(rename = "gemini.count_tokens")]
    CountTokens,
    /// `POST /v1beta/models/{id}:embedContent`
    #[serde(rename = "gemini.embed_content")]
    EmbedContent,
    /// `POST /v1beta/models/{id}:batchEmbedContents`
    #[serde(rename = "gemini.batch_embed_contents")]
    BatchEmbedContents,
    /// `POST /v1/embeddings`
    #[serde(rename = "embeddings")]
    Embeddings,
    /// `POST /v1/images/generations`
    #[serde(rename = "images.generations")]
    ImageGenerations,
    /// `POST /v1/images/edits`
    #[serde(rename = "images.edits")]
    ImageEdits,
    /// `POST /v1/images/variations`
    #[serde(rename = "images.variations")]
    ImageVariations,
    /// `GET` of the model list and of one model, in every dialect
    #[serde(rename = "models")]
    Models,
}

/// What is done, whatever a dialect calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// A turn of a conversation.
    Chat,
    /// The size of a conversation in tokens.
    Count,
    /// Vectors.
    Embed,
    /// A text goes on: one dialect has it.
    Complete,
    /// Pictures are made or changed: one dialect has it.
    Image,
    /// Something that the provider keeps: one dialect has it.
    Stored,
    /// The models that there are; answered by the gateway.
    List,
}

impl Endpoint {
    /// Every endpoint.
    pub const ALL: [Self; 15] = [
        Self::ChatCompletions,
        Self::Completions,
        Self::Responses,
        Self::StoredResponses,
        Self::Messages,
        Self::CountMessages,
        Self::GenerateContent,
        Self::CountTokens,
        Self::EmbedContent,
        Self::BatchEmbedContents,
        Self::Embeddings,
        Self::ImageGenerations,
        Self::ImageEdits,
        Self::ImageVariations,
        Self::Models,
    ];

    /// The name used in configuration, records and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ChatCompletions => "chat.completions",
            Self::Completions => "completions",
            Self::Responses => "responses",
            Self::StoredResponses => "responses.stored",
            Self::Messages => "messages",
            Self::CountMessages => "messages.count_tokens",
            Self::GenerateContent => "gemini.generate_content",
            Self::CountTokens => "gemini.count_tokens",
            Self::EmbedContent => "gemini.embed_content",
            Self::BatchEmbedContents => "gemini.batch_embed_contents",
            Self::Embeddings => "embeddings",
            Self::ImageGenerations => "images.generations",
            Self::ImageEdits => "images.edits",
            Self::ImageVariations => "images.variations",
            Self::Models => "models",
        }
    }

    /// Whose it is; `None` for those that every dialect has.
    #[must_use]
    pub const fn dialect(self) -> Option<Dialect> {
        match self {
            Self::ChatCompletions
            | Self::Completions
            | Self::Embeddings
            | Self::ImageGenerations
            | Self::ImageEdits
            | Self::ImageVariations => Some(Dialect::Openai),
            Self::Responses | Self::StoredResponses => Some(Dialect::Responses),
            Self::Messages | Self::CountMessages => Some(Dialect::Anthropic),
            Self::GenerateContent | Self::CountTokens | Self::EmbedContent | Self::BatchEmbedContents => {
                Some(Dialect::Gemini)
            }
            Self::Models => None,
        }
    }

    /// What is done there.
    #[must_use]
    pub const fn operation(self) -> Operation {
        match self {
            Self::ChatCompletions | Self::Responses | Self::Messages | Self::GenerateContent => {
                Operation::Chat
            }
            Self::Completions => Operation::Complete,
            Self::StoredResponses => Operation::Stored,
            Self::CountMessages | Self::CountTokens => Operation::Count,
            Self::EmbedContent | Self::BatchEmbedContents | Self::Embeddings => Operation::Embed,
            Self::ImageGenerations | Self::ImageEdits | Self::ImageVariations => Operation::Image,
            Self::Models => Operation::List,
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
