//! What holds for the whole fleet. The signing key never comes out.

use super::body::Patch;
use super::error::{ApiError, ErrorBody};
use crate::serve::Shared;
use crate::store::{Outcome, Write};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use sluice::config::{RetryPolicy, Settings, StoredResponses};
use utoipa::ToSchema;

/// Settings that may be changed.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct SettingsSpec {
    /// Retry policy of keys that have none.
    retry: RetryPolicy,
    /// First-token deadline of providers that have none, in milliseconds.
    first_token_deadline_ms: u64,
    /// Largest request body in bytes.
    max_body_bytes: u64,
    /// Whether every key is pushed. If not, a module learns keys as it meets them.
    push_all_keys: bool,
    /// Which stored responses a key may reach.
    stored_responses: StoredResponses,
}

/// The settings as the API shows them.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SettingsView {
    /// What keys begin with. Fixed at the first start: another prefix would invalidate every key.
    key_prefix: String,
    #[serde(flatten)]
    spec: SettingsSpec,
    /// Revision of the last change.
    revision: u64,
}

impl SettingsSpec {
    fn of(settings: &Settings) -> Self {
        Self {
            retry: settings.retry.clone(),
            first_token_deadline_ms: settings.first_token_deadline_ms,
            max_body_bytes: settings.max_body_bytes,
            push_all_keys: settings.push_all_keys,
            stored_responses: settings.stored_responses,
        }
    }
}

fn view(shared: &Shared) -> Json<SettingsView> {
    let snapshot = shared.store.feed().current();
    let settings = &snapshot.settings;
    Json(SettingsView {
        key_prefix: settings.value.key_prefix.clone(),
        spec: SettingsSpec::of(&settings.value),
        revision: settings.revision,
    })
}

/// Applies a merge patch to the settings. A member taken away (`null`) is an error: each has a value.
pub(super) async fn put(write: &mut Write, patch: Patch) -> Result<Outcome, ApiError> {
    let current = (*write.next().settings.value).clone();
    let SettingsSpec { retry, first_token_deadline_ms, max_body_bytes, push_all_keys, stored_responses } =
        patch.over(&SettingsSpec::of(&current))?;
    let settings = Settings {
        retry,
        first_token_deadline_ms,
        max_body_bytes,
        push_all_keys,
        stored_responses,
        ..current
    };
    Ok(write.put_settings(settings).await?)
}

/// The settings.
#[utoipa::path(get, path = "/admin/v1/settings", tag = "settings", responses((status = 200, body = SettingsView)))]
pub(super) async fn show(State(shared): State<Shared>) -> Json<SettingsView> {
    view(&shared)
}

/// Change some settings (JSON merge patch).
#[utoipa::path(
    patch, path = "/admin/v1/settings", tag = "settings", request_body = super::openapi::SettingsPatch,
    responses((status = 200, body = SettingsView), (status = 400, body = ErrorBody))
)]
pub(super) async fn change(
    State(shared): State<Shared>,
    patch: Patch,
) -> Result<Json<SettingsView>, ApiError> {
    let mut write = shared.store.begin().await?;
    put(&mut write, patch).await?;
    write.commit().await?;
    Ok(view(&shared))
}
