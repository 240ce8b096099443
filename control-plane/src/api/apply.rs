//! A whole configuration at once: what a file says becomes what is stored, or nothing changes.
//!
//! Invariants: one transaction, so that a mistake in the last line undoes the first; applying the same twice changes
//! nothing; what a file does not name stays.

use super::body::{Json, Params, Patch};
use super::error::{ApiError, ErrorBody};
use super::keys::KeySpec;
use super::openapi::SettingsPatch;
use super::providers::ProviderSpec;
use super::settings;
use crate::serve::Shared;
use crate::store::{Outcome, ShownOnce, Write};
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use sluice::config::{KeyStatus, Model};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::{IntoParams, ToSchema};

/// A declarative configuration.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct Configuration {
    /// A merge patch of the settings.
    #[serde(default)]
    #[schema(value_type = SettingsPatch)]
    settings: serde_json::Map<String, serde_json::Value>,
    /// Providers, in full. A credential that is absent stays as it is.
    #[serde(default)]
    providers: Vec<ProviderSpec>,
    /// Models, in full.
    #[serde(default)]
    models: Vec<Model>,
    /// Keys, in full but for `status`, which stays if absent. A key is known by its name.
    #[serde(default)]
    keys: Vec<KeySpec>,
}

/// How to apply.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ApplyParams {
    /// Tell what would change, and change nothing.
    #[serde(default)]
    dry_run: bool,
}

/// What became of the configuration.
#[derive(Serialize, ToSchema)]
pub(super) struct Applied {
    /// Whether nothing was changed in truth.
    dry_run: bool,
    /// One entry for each resource, in the order in which they were applied.
    changes: Vec<Change>,
}

/// What became of one resource.
#[derive(Serialize, ToSchema)]
pub(super) struct Change {
    /// `settings`, `provider`, `model` or `key`.
    kind: &'static str,
    /// Its name or id.
    name: String,
    /// What became of it.
    outcome: Outcome,
    /// A key's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// A new key's token. It is shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl Change {
    fn new(kind: &'static str, name: &str, outcome: Outcome) -> Self {
        Self { kind, name: name.to_owned(), outcome, id: None, token: None }
    }
}

/// Apply a configuration: all of it, or nothing.
#[utoipa::path(
    post, path = "/admin/v1/apply", tag = "apply", params(ApplyParams), request_body = Configuration,
    responses((status = 200, body = Applied), (status = 400, body = ErrorBody), (status = 409, body = ErrorBody))
)]
pub(super) async fn apply(
    State(shared): State<Shared>,
    Params(ApplyParams { dry_run }): Params<ApplyParams>,
    Json(configuration): Json<Configuration>,
) -> Result<Response, ApiError> {
    let mut write = shared.store.begin().await?;
    let mut changes = put(&mut write, configuration).await?;
    if dry_run {
        // The keys were minted in a transaction that is dropped: ids and tokens are of no use.
        for change in changes.iter_mut().filter(|change| change.outcome == Outcome::Create) {
            (change.id, change.token) = (None, None);
        }
    } else {
        write.commit().await?;
    }
    let headers = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((headers, axum::Json(Applied { dry_run, changes })).into_response())
}

async fn put(write: &mut Write, configuration: Configuration) -> Result<Vec<Change>, ApiError> {
    let Configuration { settings, providers, models, keys } = configuration;
    let mut changes = Vec::new();
    if !settings.is_empty() {
        let outcome =
            settings::put(write, Patch::new(settings)).await.map_err(|error| error.under("settings"))?;
        changes.push(Change::new("settings", "settings", outcome));
    }
    unique("providers", "name", providers.iter().map(|provider| &provider.name))?;
    for (at, spec) in providers.into_iter().enumerate() {
        let under = |error: ApiError| error.under(format_args!("providers[{at}]"));
        let name = spec.name.clone();
        let stored = write.next().providers.get(&name).map(|stored| stored.value.clone());
        let provider = spec.into_provider(stored.as_deref()).map_err(under)?;
        let outcome = write.put_provider(provider).await.map_err(|error| under(error.into()))?;
        changes.push(Change::new("provider", &name, outcome));
    }
    unique("models", "id", models.iter().map(|model| &model.id))?;
    for (at, model) in models.into_iter().enumerate() {
        let id = model.id.clone();
        let under =
            |error: crate::store::StoreError| ApiError::from(error).under(format_args!("models[{at}]"));
        let outcome = write.put_model(model).await.map_err(under)?;
        changes.push(Change::new("model", &id, outcome));
    }
    put_keys(write, keys, &mut changes).await?;
    Ok(changes)
}

async fn put_keys(write: &mut Write, keys: Vec<KeySpec>, changes: &mut Vec<Change>) -> Result<(), ApiError> {
    unique("keys", "name", keys.iter().map(|key| &key.name))?;
    let mut by_name: BTreeMap<String, Vec<String>> = BTreeMap::new();
    if !keys.is_empty() {
        for (id, key) in &write.next().keys {
            if key.value.status != KeyStatus::Revoked {
                by_name.entry(key.value.name.clone()).or_default().push(id.clone());
            }
        }
    }
    for (at, spec) in keys.into_iter().enumerate() {
        let under = |error: ApiError| error.under(format_args!("keys[{at}]"));
        let name = spec.name.clone();
        if name.is_empty() {
            return Err(under(ApiError::invalid(
                "name",
                "a name, by which the key is known when it is applied again",
            )));
        }
        let change = match by_name.get(&name).map(Vec::as_slice) {
            None | Some([]) => {
                let new = spec.into_new(None).map_err(under)?;
                let ShownOnce { row, token } =
                    write.add_key(new).await.map_err(|error| under(error.into()))?;
                Change {
                    id: Some(row.key.id),
                    token: Some(token),
                    ..Change::new("key", &name, Outcome::Create)
                }
            }
            Some([id]) => {
                let key = write.live_key(id).map_err(|error| under(error.into()))?;
                let changed = spec.into_new(Some(&key)).map_err(under)?.over(&key);
                let outcome = write.put_key(changed).await.map_err(|error| under(error.into()))?;
                Change { id: Some(id.clone()), ..Change::new("key", &name, outcome) }
            }
            Some(several) => {
                let message =
                    format!("{} keys are called {name:?}: rename or revoke all but one", several.len());
                return Err(under(ApiError::new(StatusCode::CONFLICT, "ambiguous", message)));
            }
        };
        changes.push(change);
    }
    Ok(())
}

/// Refuses a file that says two things of one resource.
fn unique<'a>(list: &str, member: &str, names: impl Iterator<Item = &'a String>) -> Result<(), ApiError> {
    let mut seen = BTreeSet::new();
    for (at, name) in names.enumerate() {
        if !seen.insert(name) {
            let path = format_args!("{list}[{at}].{member}");
            return Err(ApiError::invalid(path, format_args!("each only once, not {name:?} again")));
        }
    }
    Ok(())
}
