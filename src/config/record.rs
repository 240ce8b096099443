//! One exchange as it goes into the ledger.

use super::{Dialect, Endpoint};
use serde::{Deserialize, Serialize};

/// One client request and all its attempts. The envoy node is not in here: the access log's stream names it.
/// `(node, vm, seq)` is unique for ever. Times are microseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Random id of the VM that wrote it, 16 hex digits.
    pub vm: String,
    /// Counts from 1 in each VM, without gaps.
    pub seq: u64,
    /// What the client saw as `x-sluice-request-id`.
    pub request_id: String,
    /// Unix microseconds at which the request headers arrived.
    pub started_at_us: u64,
    /// [`super::Key::id`]; absent if the key was refused as malformed or unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The organization that pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// The client's dialect.
    pub dialect: Dialect,
    /// What was called.
    pub endpoint: Endpoint,
    /// The model the client asked for, as it wrote it (cut at 256 bytes).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_model: Option<String>,
    /// The public id (or the provider's own, where the catalog has none) of the model that served it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The provider that served it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Every try, in order, the one that served it last.
    #[serde(default)]
    pub attempts: Vec<AttemptRecord>,
    /// Whether the client asked for a stream.
    #[serde(default)]
    pub stream: bool,
    /// The id under which the provider keeps the reply that was made, or that the call was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
    /// Whether that reply is made in the background. Then `usage` is what all of it has used, as far as this exchange saw,
    /// and the ledger books what it has not booked for it yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub background: bool,
    /// The status the client got; 0 if it left before one was sent.
    pub status: u16,
    /// The `code` of the error the client got.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Request headers to first token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttft_us: Option<u64>,
    /// Request headers to the end.
    pub duration_us: u64,
    /// From the body's arrival to the first attempt's request: checking, planning, translating.
    #[serde(default)]
    pub overhead_us: u64,
    /// What was used.
    #[serde(default)]
    pub usage: Usage,
    /// Where `usage` comes from.
    #[serde(default)]
    pub usage_source: UsageSource,
    /// Why the model stopped, in the provider's own word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<String>,
    /// JSON paths that the upstream's dialect could not carry: at most 128, and `...` behind them if there were others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped_params: Vec<String>,
    /// Steps of the plan that were left out because they cannot do what the request needs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed_over: Vec<PassedOver>,
}

/// A step that was left out before anything was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PassedOver {
    /// Which provider.
    pub provider: String,
    /// The model's public id, or the provider's own where the catalog has none.
    pub model: String,
    /// What it lacks: `images`, `audio`, `documents`, `tools`, `schema`, `context`, `endpoint`, or the parameter that
    /// it cannot carry.
    pub lacks: String,
}

/// Who had a reply made, and where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maker {
    /// The provider that keeps it.
    pub provider: String,
    /// The key that had it made, or to which it has been shown.
    pub key: String,
    /// The public id of the model that made it, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

impl Record {
    /// As it travels in the access log.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut json = Vec::with_capacity(1_024);
        // Strings and integers only: nothing here can fail to be JSON.
        if serde_json::to_writer(&mut json, self).is_err() {
            json.clear();
        }
        json
    }
}

/// One try at one provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AttemptRecord {
    /// Which provider.
    pub provider: String,
    /// The id its API was asked for.
    pub model: String,
    /// Its HTTP status; 0 without a reply.
    pub status: u16,
    /// `ok`, or the failure class: `connect`, `reset`, `cut`, `silence`, `server_error`, `rate_limit`, `quota`, `credential`,
    /// `not_found`, `context_length`, `refusal`, `client_error`, `bad_reply`, `canceled`, `partial`.
    pub class: String,
    /// From its start to its reply's commit or failure.
    pub duration_us: u64,
}

/// Token counts, inclusive: `input` counts cached and cache-written tokens too, `output` counts reasoning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Usage {
    /// All prompt tokens.
    #[serde(default)]
    pub input: u64,
    /// Of these, read from the provider's cache.
    #[serde(default)]
    pub cached: u64,
    /// Of these, written to the provider's cache.
    #[serde(default)]
    pub cache_write: u64,
    /// All reply tokens.
    #[serde(default)]
    pub output: u64,
    /// Of these, spent on reasoning.
    #[serde(default)]
    pub reasoning: u64,
    /// Pictures made.
    #[serde(default)]
    pub images: u64,
}

/// Where token counts come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum UsageSource {
    /// Nothing was used: no provider served the exchange.
    #[default]
    None,
    /// The provider's own count.
    Provider,
    /// The reply is still being made, in the background: it is booked when it is first seen finished.
    Deferred,
    /// The reply is complete but carried no count: about four bytes a token.
    Estimated,
    /// The reply was cut short (the client left, the upstream broke): what was seen until then.
    Partial,
}
