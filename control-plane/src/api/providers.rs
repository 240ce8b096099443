//! Providers. Their credential goes in and never comes out.

use super::body::{Json, Name, Patch};
use super::error::{ApiError, ErrorBody};
use super::page::List;
use crate::serve::Shared;
use crate::snapshot::Versioned;
use crate::store::{StoreError, Write};
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use sluice::config::{Auth, AuthKind, Dialect, Provider};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A provider as its owner writes it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(super) struct ProviderSpec {
    /// Unique name (`[A-Za-z0-9._-]`), also the first part of `provider/model` ids.
    pub(super) name: String,
    /// What it speaks.
    dialect: Dialect,
    /// `https://host[:port][/path]`, up to where the vendor's SDK would begin its paths.
    base_url: String,
    /// The credential and where it goes.
    #[serde(default)]
    auth: AuthSpec,
    /// How long the first token may take, in milliseconds; the fleet's default if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first_token_deadline_ms: Option<u64>,
    /// Headers added to every request to it, by lower-case name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, String>,
    /// Whether `stream_options.include_usage` may be added to streamed requests.
    #[serde(default = "yes")]
    stream_usage: bool,
    /// Disabled providers are never planned.
    #[serde(default = "yes")]
    enabled: bool,
    /// The Envoy cluster, where Envoy's own configuration names it; `sluice-<name>` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cluster: Option<String>,
}

/// The credential and where it goes.
#[derive(Clone, Default, Serialize, Deserialize, ToSchema)]
struct AuthSpec {
    /// Where the secret goes.
    #[serde(default)]
    kind: AuthKind,
    /// Header or query parameter name, for the kinds `header` and `query`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    name: String,
    /// The credential. Write-only; absent keeps what is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(write_only)]
    secret: Option<String>,
}

impl std::fmt::Debug for AuthSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthSpec").field("kind", &self.kind).field("name", &self.name).finish_non_exhaustive()
    }
}

/// A provider as the API shows it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProviderView {
    #[serde(flatten)]
    spec: ProviderSpec,
    /// Whether there is a credential.
    secret_set: bool,
    /// Revision of its last change.
    revision: u64,
}

const fn yes() -> bool {
    true
}

impl From<&Versioned<Provider>> for ProviderView {
    fn from(stored: &Versioned<Provider>) -> Self {
        let secret_set = !stored.value.auth.secret.is_empty();
        Self { spec: ProviderSpec::of(&stored.value), secret_set, revision: stored.revision }
    }
}

impl ProviderSpec {
    /// Without the credential.
    fn of(provider: &Provider) -> Self {
        let Provider {
            name,
            dialect,
            base_url,
            auth,
            first_token_deadline_ms,
            headers,
            stream_usage,
            enabled,
            cluster,
        } = provider.clone();
        let auth = AuthSpec { kind: auth.kind, name: auth.name, secret: None };
        Self {
            name,
            dialect,
            base_url,
            auth,
            first_token_deadline_ms,
            headers,
            stream_usage,
            enabled,
            cluster,
        }
    }

    /// The provider; a credential that the owner does not repeat is the stored one.
    pub(super) fn into_provider(self, stored: Option<&Provider>) -> Result<Provider, ApiError> {
        let Self {
            name,
            dialect,
            base_url,
            auth,
            first_token_deadline_ms,
            headers,
            stream_usage,
            enabled,
            cluster,
        } = self;
        let kept = || stored.map(|stored| stored.auth.secret.clone()).unwrap_or_default();
        let secret = match (auth.kind, auth.secret) {
            (AuthKind::None, Some(secret)) if !secret.is_empty() => {
                return Err(ApiError::invalid("auth.kind", "bearer, header or query, as there is a secret"));
            }
            (AuthKind::None, _) => String::new(),
            (_, secret) => secret.unwrap_or_else(kept),
        };
        if auth.kind != AuthKind::None && secret.is_empty() {
            return Err(ApiError::invalid("auth.secret", "the credential"));
        }
        let auth = Auth { kind: auth.kind, name: auth.name, secret };
        Ok(Provider {
            name,
            dialect,
            base_url,
            auth,
            first_token_deadline_ms,
            headers,
            stream_usage,
            enabled,
            cluster,
        })
    }
}

fn view(write: &Write, name: &str) -> Result<axum::Json<ProviderView>, ApiError> {
    let stored = write.next().providers.get(name).ok_or_else(|| StoreError::not_found("provider", name))?;
    Ok(axum::Json(stored.into()))
}

/// All providers, by name.
#[utoipa::path(get, path = "/admin/v1/providers", tag = "providers", responses((status = 200, body = List<ProviderView>)))]
pub(super) async fn list(State(shared): State<Shared>) -> axum::Json<List<ProviderView>> {
    let snapshot = shared.store.feed().current();
    axum::Json(List { data: snapshot.providers.values().map(ProviderView::from).collect() })
}

/// Add a provider.
#[utoipa::path(
    post, path = "/admin/v1/providers", tag = "providers", request_body = ProviderSpec,
    responses((status = 201, body = ProviderView), (status = 400, body = ErrorBody), (status = 409, body = ErrorBody))
)]
pub(super) async fn create(
    State(shared): State<Shared>,
    Json(spec): Json<ProviderSpec>,
) -> Result<(StatusCode, axum::Json<ProviderView>), ApiError> {
    let provider = spec.into_provider(None)?;
    let name = provider.name.clone();
    shared.store.create_provider(provider).await?;
    Ok((StatusCode::CREATED, show(State(shared), Name(name)).await?))
}

/// One provider.
#[utoipa::path(
    get, path = "/admin/v1/providers/{name}", tag = "providers", params(("name" = String, Path)),
    responses((status = 200, body = ProviderView), (status = 404, body = ErrorBody))
)]
pub(super) async fn show(
    State(shared): State<Shared>,
    Name(name): Name,
) -> Result<axum::Json<ProviderView>, ApiError> {
    let snapshot = shared.store.feed().current();
    let stored = snapshot.providers.get(&name).ok_or_else(|| StoreError::not_found("provider", &name))?;
    Ok(axum::Json(stored.into()))
}

/// Replace a provider, or add it. Without `auth.secret` the stored credential stays.
#[utoipa::path(
    put, path = "/admin/v1/providers/{name}", tag = "providers", params(("name" = String, Path)),
    request_body = ProviderSpec,
    responses((status = 200, body = ProviderView), (status = 400, body = ErrorBody))
)]
pub(super) async fn replace(
    State(shared): State<Shared>,
    Name(name): Name,
    Json(spec): Json<ProviderSpec>,
) -> Result<axum::Json<ProviderView>, ApiError> {
    let write = shared.store.begin().await?;
    put(write, &name, spec).await
}

/// Change some members of a provider (JSON merge patch).
#[utoipa::path(
    patch, path = "/admin/v1/providers/{name}", tag = "providers", params(("name" = String, Path)),
    request_body = super::openapi::ProviderPatch,
    responses((status = 200, body = ProviderView), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody))
)]
pub(super) async fn change(
    State(shared): State<Shared>,
    Name(name): Name,
    patch: Patch,
) -> Result<axum::Json<ProviderView>, ApiError> {
    let write = shared.store.begin().await?;
    let stored = write.next().providers.get(&name).ok_or_else(|| StoreError::not_found("provider", &name))?;
    let spec = patch.over(&ProviderSpec::of(&stored.value))?;
    put(write, &name, spec).await
}

async fn put(mut write: Write, name: &str, spec: ProviderSpec) -> Result<axum::Json<ProviderView>, ApiError> {
    if spec.name != name {
        return Err(ApiError::invalid("name", format_args!("{name:?}, as in the path")));
    }
    let stored = write.next().providers.get(name).map(|stored| stored.value.clone());
    let provider = spec.into_provider(stored.as_deref())?;
    write.put_provider(provider).await?;
    let view = view(&write, name)?;
    write.commit().await?;
    Ok(view)
}

/// Remove a provider. Refused (409) while a model's channel or the chain of a key that is not revoked names it.
#[utoipa::path(
    delete, path = "/admin/v1/providers/{name}", tag = "providers", params(("name" = String, Path)),
    responses((status = 204), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody))
)]
pub(super) async fn remove(State(shared): State<Shared>, Name(name): Name) -> Result<StatusCode, ApiError> {
    let mut write = shared.store.begin().await?;
    write.remove_provider(&name).await?;
    write.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
