//! A key as its owner writes it, and as the API shows it.
//!
//! Invariant: a step is stored as its `targets`, however it was written.

use crate::api::error::ApiError;
use crate::store::{KeyRow, NewKey};
use serde::{Deserialize, Serialize};
use sluice::config::{Access, Key, KeyStatus, LossPolicy, RetryPolicy, Step, Strategy, Target};
use utoipa::ToSchema;

/// A key as its owner writes it.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub(in crate::api) struct KeySpec {
    /// What its owner calls it.
    #[serde(default)]
    pub(in crate::api) name: String,
    /// The organization that pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    organization: Option<String>,
    /// `active` or `disabled`; absent keeps what is stored. To revoke is a request of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<KeyStatus>,
    /// Unix seconds after which it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<u64>,
    /// What follows a failure, and what `auto` means.
    #[serde(default)]
    chain: Vec<StepSpec>,
    /// In which order the chain is tried.
    #[serde(default)]
    strategy: Strategy,
    /// Which models it may ask for and be served by, by id or alias; `*` at the end of a pattern matches the rest. With any rule,
    /// what the catalog does not have serves only in the key's own chain.
    #[serde(default)]
    models: Access,
    /// Which providers may serve it.
    #[serde(default)]
    providers: Access,
    /// Which endpoints it may call.
    #[serde(default)]
    endpoints: Access,
    /// Its retry policy; the fleet's if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry: Option<RetryPolicy>,
    /// What happens to fields that the upstream's dialect cannot carry.
    #[serde(default)]
    loss: LossPolicy,
}

/// A step: `targets`, or `provider` and `model` for a single one.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
struct StepSpec {
    /// A weighted group, of which one is drawn per request and the others follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    targets: Option<Vec<Target>>,
    /// The provider of a single target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
    /// The model of a single target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    model: Option<String>,
}

impl StepSpec {
    fn into_step(self, at: usize) -> Result<Step, ApiError> {
        match self {
            Self { targets: Some(targets), provider: None, model: None } => Ok(Step { targets }),
            Self { targets: None, provider: Some(provider), model: Some(model) } => {
                Ok(Step::single(&provider, &model))
            }
            _ => Err(ApiError::invalid(format_args!("chain[{at}]"), "either targets, or provider and model")),
        }
    }
}

/// A key as the API shows it.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct KeyView {
    /// It names the key in paths and in the ledger.
    id: String,
    /// Beginning and end of the token, to recognize it by.
    display: String,
    /// Whether it may be used.
    status: KeyStatus,
    #[serde(flatten)]
    spec: KeySpec,
    /// Unix seconds until which the secret before the last rotation is honoured.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_secret_until: Option<u64>,
    /// Unix seconds.
    created_at: u64,
    /// Revision of its last change.
    revision: u64,
}

impl KeySpec {
    /// Its owner's part of a key.
    pub(in crate::api) fn of(key: &Key) -> Self {
        let step = |step: &Step| StepSpec { targets: Some(step.targets.clone()), ..StepSpec::default() };
        Self {
            name: key.name.clone(),
            organization: key.organization.clone(),
            status: Some(key.status),
            expires_at: key.expires_at,
            chain: key.chain.iter().map(step).collect(),
            strategy: key.strategy,
            models: key.models.clone(),
            providers: key.providers.clone(),
            endpoints: key.endpoints.clone(),
            retry: key.retry.clone(),
            loss: key.loss,
        }
    }

    /// Checks what only the API demands. `stored` is the key that it changes.
    pub(in crate::api) fn into_new(self, stored: Option<&Key>) -> Result<NewKey, ApiError> {
        if self.name.chars().count() > 128 || self.name.chars().any(char::is_control) {
            return Err(ApiError::invalid(
                "name",
                "at most 128 characters, none of them a control character",
            ));
        }
        if self.organization.as_deref().is_some_and(|name| !sluice::config::is_name(name)) {
            return Err(ApiError::invalid("organization", "1 to 64 of [A-Za-z0-9._-]"));
        }
        let status = self.status.or(stored.map(|key| key.status)).unwrap_or_default();
        if status == KeyStatus::Revoked {
            return Err(ApiError::invalid(
                "status",
                "active or disabled; POST /admin/v1/keys/{id}/revoke revokes",
            ));
        }
        let chain: Result<Vec<Step>, ApiError> =
            self.chain.into_iter().enumerate().map(|(at, step)| step.into_step(at)).collect();
        Ok(NewKey {
            name: self.name,
            organization: self.organization,
            status,
            expires_at: self.expires_at,
            chain: chain?,
            strategy: self.strategy,
            models: self.models,
            providers: self.providers,
            endpoints: self.endpoints,
            retry: self.retry,
            loss: self.loss,
        })
    }
}

impl From<KeyRow> for KeyView {
    fn from(KeyRow { key, display, created_us, revision }: KeyRow) -> Self {
        Self {
            status: key.status,
            spec: KeySpec { status: None, ..KeySpec::of(&key) },
            previous_secret_until: key.previous_secret.map(|previous| previous.until),
            created_at: created_us / 1_000_000,
            id: key.id,
            display,
            revision,
        }
    }
}
