//! Keys: minted, changed, rotated, revoked. A token is in the answer that mints it and nowhere else.

mod spec;

pub(super) use spec::{KeySpec, KeyView};

use super::body::{Json, Name, OptionalJson, Params, Patch};
use super::error::{ApiError, ErrorBody};
use super::openapi::KeyPatch;
use super::page::{self, Page};
use crate::serve::Shared;
use crate::store::{KeyCursor, KeyRow, ShownOnce};
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A key and its token.
#[derive(Serialize, ToSchema)]
pub(super) struct MintedView {
    #[serde(flatten)]
    key: KeyView,
    /// What clients present. It is shown this once.
    token: String,
}

/// Which keys.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct KeyParams {
    /// Only keys of exactly this name.
    name: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Rows of a page, 1 to 1000; 100 if absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// How a key is rotated.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(super) struct Rotation {
    /// How long the old secret is still honoured; 0 if absent.
    #[serde(default)]
    #[schema(maximum = 2_592_000)]
    grace_seconds: u64,
}

/// The longest grace: 30 days.
const GRACE: u64 = 2_592_000;

fn minted(status: StatusCode, key: KeyView, token: String) -> Response {
    // No cache on the way may keep the token.
    let headers = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (status, headers, axum::Json(MintedView { key, token })).into_response()
}

/// A page of keys, the newest first.
#[utoipa::path(
    get, path = "/admin/v1/keys", tag = "keys", params(KeyParams),
    responses((status = 200, body = Page<KeyView>), (status = 400, body = ErrorBody))
)]
pub(super) async fn list(
    State(shared): State<Shared>,
    Params(KeyParams { name, cursor, limit }): Params<KeyParams>,
) -> Result<axum::Json<Page<KeyView>>, ApiError> {
    let (limit, after) = (page::limit(limit)?, page::decode(cursor.as_deref())?);
    let mut rows = shared.store.keys(name.as_deref(), after.as_ref(), limit + 1).await?;
    let cursor = |row: &KeyRow| KeyCursor { created_us: row.created_us, id: row.key.id.clone() };
    let next_cursor = page::cut(&mut rows, limit, cursor);
    Ok(axum::Json(Page { data: rows.into_iter().map(KeyView::from).collect(), next_cursor }))
}

/// Mint a key. The answer holds its token, which is not shown again.
#[utoipa::path(
    post, path = "/admin/v1/keys", tag = "keys", request_body = KeySpec,
    responses((status = 201, body = MintedView), (status = 400, body = ErrorBody))
)]
pub(super) async fn create(
    State(shared): State<Shared>,
    Json(spec): Json<KeySpec>,
) -> Result<Response, ApiError> {
    let ShownOnce { row, token } = shared.store.create_key(spec.into_new(None)?).await?;
    Ok(minted(StatusCode::CREATED, row.into(), token))
}

/// One key.
#[utoipa::path(
    get, path = "/admin/v1/keys/{id}", tag = "keys", params(("id" = String, Path)),
    responses((status = 200, body = KeyView), (status = 404, body = ErrorBody))
)]
pub(super) async fn show(
    State(shared): State<Shared>,
    Name(id): Name,
) -> Result<axum::Json<KeyView>, ApiError> {
    Ok(axum::Json(shared.store.key(&id).await?.into()))
}

/// Change some members of a key (JSON merge patch).
#[utoipa::path(
    patch, path = "/admin/v1/keys/{id}", tag = "keys", params(("id" = String, Path)),
    request_body = KeyPatch,
    responses((status = 200, body = KeyView), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody))
)]
pub(super) async fn change(
    State(shared): State<Shared>,
    Name(id): Name,
    patch: Patch,
) -> Result<axum::Json<KeyView>, ApiError> {
    let mut write = shared.store.begin().await?;
    let key = write.live_key(&id)?;
    let new = patch.over(&KeySpec::of(&key))?.into_new(Some(&key))?;
    write.put_key(new.over(&key)).await?;
    write.commit().await?;
    show(State(shared), Name(id)).await
}

/// Give a key a new secret. The answer holds its token, which is not shown again.
#[utoipa::path(
    post, path = "/admin/v1/keys/{id}/rotate", tag = "keys", params(("id" = String, Path)), request_body = Option<Rotation>,
    responses((status = 200, body = MintedView), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody))
)]
pub(super) async fn rotate(
    State(shared): State<Shared>,
    Name(id): Name,
    OptionalJson(Rotation { grace_seconds }): OptionalJson<Rotation>,
) -> Result<Response, ApiError> {
    if grace_seconds > GRACE {
        return Err(ApiError::invalid("grace_seconds", format_args!("0 to {GRACE}")));
    }
    let mut write = shared.store.begin().await?;
    let token = write.rotate_key(&id, grace_seconds).await?;
    write.commit().await?;
    Ok(minted(StatusCode::OK, shared.store.key(&id).await?.into(), token))
}

/// Revoke a key, for ever.
#[utoipa::path(
    post, path = "/admin/v1/keys/{id}/revoke", tag = "keys", params(("id" = String, Path)),
    responses((status = 200, body = KeyView), (status = 404, body = ErrorBody))
)]
pub(super) async fn revoke(
    State(shared): State<Shared>,
    Name(id): Name,
) -> Result<axum::Json<KeyView>, ApiError> {
    let mut write = shared.store.begin().await?;
    write.revoke_key(&id).await?;
    write.commit().await?;
    show(State(shared), Name(id)).await
}
