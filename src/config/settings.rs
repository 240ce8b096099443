//! What holds for the whole fleet.

use super::{Invalid, Resource, type_url};
use serde::{Deserialize, Serialize};

/// Fleet-wide settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// What keys begin with, `-` included. Default `slc-`.
    pub key_prefix: String,
    /// Base64 of the 32 bytes under which a key's `check` is computed (see [`super::token`]).
    pub signing_key: String,
    /// Retry policy of keys that have none.
    #[serde(default)]
    pub retry: RetryPolicy,
    /// First-token deadline of providers that have none, in milliseconds.
    #[serde(default = "default_deadline")]
    pub first_token_deadline_ms: u64,
    /// Largest request body in bytes; Envoy's buffer limits are set to the same.
    #[serde(default = "default_body")]
    pub max_body_bytes: u64,
    /// Whether every key is pushed. If not, a VM learns keys as it meets them.
    #[serde(default = "default_true")]
    pub push_all_keys: bool,
    /// Which stored responses may be reached.
    #[serde(default)]
    pub stored_responses: StoredResponses,
}

/// Which stored responses a key may reach. One that another key is known to have had made, never.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum StoredResponses {
    /// Those that it is known to have had made.
    #[default]
    Known,
    /// Those too of which nobody knows who had them made: they are looked for at every provider that it may use.
    Open,
}

/// How failures before the first token are answered (the failure table in ARCHITECTURE.md).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RetryPolicy {
    /// How often the same provider is tried again after a failure that may pass.
    #[serde(default = "default_same")]
    pub same_provider: u8,
    /// Pause before the same provider is tried again, in milliseconds; up to a quarter is added as jitter.
    #[serde(default = "default_backoff")]
    pub backoff_ms: u32,
    /// A provider's `Retry-After` is waited for up to this many milliseconds; beyond it the next step is tried.
    #[serde(default = "default_retry_after")]
    pub max_retry_after_ms: u32,
    /// What follows a content-filter refusal.
    #[serde(default)]
    pub refusal: RefusalPolicy,
}

/// What follows a content-filter refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RefusalPolicy {
    /// The client gets the refusal.
    #[default]
    Stop,
    /// The next step is tried.
    Next,
}

const fn default_true() -> bool {
    true
}
const fn default_deadline() -> u64 {
    60_000
}
const fn default_body() -> u64 {
    64 << 20
}
const fn default_same() -> u8 {
    1
}
const fn default_backoff() -> u32 {
    250
}
const fn default_retry_after() -> u32 {
    5_000
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            same_provider: default_same(),
            backoff_ms: default_backoff(),
            max_retry_after_ms: default_retry_after(),
            refusal: RefusalPolicy::Stop,
        }
    }
}

impl RetryPolicy {
    /// The rules that serde cannot express.
    pub fn validate(&self) -> Result<(), Invalid> {
        match self {
            Self { same_provider: 6.., .. } => Err(Invalid::rule("retry.same_provider", "at most 5")),
            Self { backoff_ms: 60_001.., .. } => Err(Invalid::rule("retry.backoff_ms", "at most 60000")),
            Self { max_retry_after_ms: 300_001.., .. } => {
                Err(Invalid::rule("retry.max_retry_after_ms", "at most 300000"))
            }
            _ => Ok(()),
        }
    }
}

impl Resource for Settings {
    const TYPE_URL: &'static str = type_url::SETTINGS;

    fn validate(&self) -> Result<(), Invalid> {
        if self.key_prefix.is_empty() || self.key_prefix.len() > 16 || !super::is_name(&self.key_prefix) {
            return Err(Invalid::rule("key_prefix", "1 to 16 of [A-Za-z0-9._-]"));
        }
        if super::token::SigningKey::from_base64(&self.signing_key).is_none() {
            return Err(Invalid::rule("signing_key", "base64 of 32 bytes"));
        }
        if !(1..=3_600_000).contains(&self.first_token_deadline_ms) {
            return Err(Invalid::rule("first_token_deadline_ms", "1 to 3600000"));
        }
        if !(1..=u64::from(u32::MAX)).contains(&self.max_body_bytes) {
            return Err(Invalid::rule("max_body_bytes", "1 to 4294967295"));
        }
        self.retry.validate()
    }
}
