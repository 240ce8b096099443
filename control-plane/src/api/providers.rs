//! Providers. Their credential goes in and never comes out.

use super::body::{Json, Name, Patch};
use super::error::{ApiError, ErrorBody};
use super::page::List;
use crate::credentials::{self, CredentialState, Failure};
use crate::serve::Shared;
use crate::snapshot::{Snapshot, Versioned};
use crate::store::{StoreError, Write};
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use sluice::config::{Access, Auth, AuthKind, Aws, Dialect, Entra, Provider, Vendor};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A provider as its owner writes it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(super) struct ProviderSpec {
    /// Unique name (`[A-Za-z0-9._-]`), also the first part of `provider/model` ids.
    pub(super) name: String,
    /// What it speaks, and what requests in other dialects are translated to.
    dialect: Dialect,
    /// What it speaks besides, under the same base URL.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    also_speaks: Vec<Dialect>,
    /// Whose API it is, where its paths differ from those of the dialect's owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    vendor: Option<Vendor>,
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
    /// Which of a client's `anthropic-beta` flags go to it; all, if there is no rule.
    #[serde(default, skip_serializing_if = "Access::is_open")]
    anthropic_betas: Access,
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
    /// What a signature needs besides, for the kind `aws_sigv4`. Its session token is write-only, and goes with the secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    aws: Option<Aws>,
    /// What a token request needs besides, for the kind `entra_client_credentials`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    entra: Option<Entra>,
    /// What a token is asked for, for the kinds that the control plane mints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
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
    /// The state of a credential that tokens are minted from.
    #[serde(skip_serializing_if = "Option::is_none")]
    credential: Option<CredentialState>,
    /// Revision of its last change.
    revision: u64,
}

const fn yes() -> bool {
    true
}

impl ProviderView {
    fn of(stored: &Versioned<Provider>, shared: &Shared) -> Self {
        let Provider { name, auth, .. } = &*stored.value;
        let credential = shared.credentials.state(name).filter(|_| auth.kind.is_minted());
        let secret_set = !auth.secret.is_empty();
        Self { spec: ProviderSpec::of(&stored.value), secret_set, credential, revision: stored.revision }
    }
}

impl ProviderSpec {
    /// Without the credential.
    fn of(provider: &Provider) -> Self {
        let Provider {
            name,
            dialect,
            also_speaks,
            vendor,
            base_url,
            auth,
            first_token_deadline_ms,
            headers,
            stream_usage,
            anthropic_betas,
            enabled,
            cluster,
        } = provider.clone();
        let mut aws = auth.aws;
        if let Some(aws) = &mut aws {
            aws.session_token = None;
        }
        let auth = AuthSpec {
            kind: auth.kind,
            name: auth.name,
            secret: None,
            aws,
            entra: auth.entra,
            scope: auth.scope,
        };
        Self {
            name,
            dialect,
            also_speaks,
            vendor,
            base_url,
            auth,
            first_token_deadline_ms,
            headers,
            stream_usage,
            anthropic_betas,
            enabled,
            cluster,
        }
    }

    /// The provider; a credential that the owner does not repeat is the stored one.
    pub(super) fn into_provider(self, stored: Option<&Provider>) -> Result<Provider, ApiError> {
        let Self {
            name,
            dialect,
            also_speaks,
            vendor,
            base_url,
            auth,
            first_token_deadline_ms,
            headers,
            stream_usage,
            anthropic_betas,
            enabled,
            cluster,
        } = self;
        let kept = || stored.map(|stored| stored.auth.secret.clone()).unwrap_or_default();
        let mut aws = auth.aws;
        if auth.secret.is_none()
            && let Some(aws) = &mut aws
            && aws.session_token.is_none()
        {
            // It belongs to the secret, and stays with it.
            aws.session_token = stored.and_then(|stored| stored.auth.aws.as_ref()?.session_token.clone());
        }
        let secret = match (auth.kind, auth.secret) {
            (AuthKind::None, Some(secret)) if !secret.is_empty() => {
                return Err(ApiError::invalid("auth.kind", "a kind that takes a secret, as there is one"));
            }
            (AuthKind::None, _) => String::new(),
            (_, secret) => secret.unwrap_or_else(kept),
        };
        if auth.kind != AuthKind::None && secret.is_empty() {
            return Err(ApiError::invalid("auth.secret", "the credential"));
        }
        let auth =
            Auth { kind: auth.kind, name: auth.name, secret, aws, entra: auth.entra, scope: auth.scope };
        // Of a kind without what it needs besides, the provider's own check says more.
        if auth.kind == AuthKind::GoogleServiceAccount
            || (auth.kind == AuthKind::EntraClientCredentials && auth.entra.is_some())
        {
            mintable(&auth)?;
        }
        Ok(Provider {
            name,
            dialect,
            also_speaks,
            vendor,
            base_url,
            auth,
            first_token_deadline_ms,
            headers,
            stream_usage,
            anthropic_betas,
            enabled,
            cluster,
        })
    }
}

/// Refuses a credential that no token could be minted from.
fn mintable(auth: &Auth) -> Result<(), ApiError> {
    credentials::check(auth).map_err(|failure| match failure {
        Failure::Secret(expected) => ApiError::invalid("auth.secret", expected),
        _ => ApiError::invalid("auth", "a token endpoint at an https:// URL, or at http:// on this machine"),
    })
}

fn view(shared: &Shared, snapshot: &Snapshot, name: &str) -> Result<axum::Json<ProviderView>, ApiError> {
    let stored = snapshot.providers.get(name).ok_or_else(|| StoreError::not_found("provider", name))?;
    Ok(axum::Json(ProviderView::of(stored, shared)))
}

/// All providers, by name.
#[utoipa::path(get, path = "/admin/v1/providers", tag = "providers", responses((status = 200, body = List<ProviderView>)))]
pub(super) async fn list(State(shared): State<Shared>) -> axum::Json<List<ProviderView>> {
    let snapshot = shared.store.feed().current();
    axum::Json(List {
        data: snapshot.providers.values().map(|stored| ProviderView::of(stored, &shared)).collect(),
    })
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
    view(&shared, &shared.store.feed().current(), &name)
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
    put(&shared, write, &name, spec).await
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
    put(&shared, write, &name, spec).await
}

async fn put(
    shared: &Shared,
    mut write: Write,
    name: &str,
    spec: ProviderSpec,
) -> Result<axum::Json<ProviderView>, ApiError> {
    if spec.name != name {
        return Err(ApiError::invalid("name", format_args!("{name:?}, as in the path")));
    }
    let stored = write.next().providers.get(name).map(|stored| stored.value.clone());
    let provider = spec.into_provider(stored.as_deref())?;
    write.put_provider(provider).await?;
    let view = view(shared, write.next(), name)?;
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
