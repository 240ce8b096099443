//! Models: what clients may ask for, who serves it, what it costs.

use super::body::{Json, Name, Patch};
use super::error::{ApiError, ErrorBody};
use super::page::List;
use crate::serve::Shared;
use crate::snapshot::Versioned;
use crate::store::{StoreError, Write};
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use sluice::config::Model;
use utoipa::ToSchema;

/// A model as the API shows it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ModelView {
    #[serde(flatten)]
    model: Model,
    /// Revision of its last change.
    revision: u64,
}

impl From<&Versioned<Model>> for ModelView {
    fn from(stored: &Versioned<Model>) -> Self {
        Self { model: (*stored.value).clone(), revision: stored.revision }
    }
}

/// All models, by id.
#[utoipa::path(get, path = "/admin/v1/models", tag = "models", responses((status = 200, body = List<ModelView>)))]
pub(super) async fn list(State(shared): State<Shared>) -> axum::Json<List<ModelView>> {
    let snapshot = shared.store.feed().current();
    axum::Json(List { data: snapshot.models.values().map(ModelView::from).collect() })
}

/// Add a model.
#[utoipa::path(
    post, path = "/admin/v1/models", tag = "models", request_body = Model,
    responses((status = 201, body = ModelView), (status = 400, body = ErrorBody), (status = 409, body = ErrorBody))
)]
pub(super) async fn create(
    State(shared): State<Shared>,
    Json(model): Json<Model>,
) -> Result<(StatusCode, axum::Json<ModelView>), ApiError> {
    let id = model.id.clone();
    shared.store.create_model(model).await?;
    Ok((StatusCode::CREATED, show(State(shared), Name(id)).await?))
}

/// One model. Its id's slashes may be written as they are or as `%2F`.
#[utoipa::path(
    get, path = "/admin/v1/models/{id}", tag = "models", params(("id" = String, Path)),
    responses((status = 200, body = ModelView), (status = 404, body = ErrorBody))
)]
pub(super) async fn show(
    State(shared): State<Shared>,
    Name(id): Name,
) -> Result<axum::Json<ModelView>, ApiError> {
    let snapshot = shared.store.feed().current();
    let stored = snapshot.models.get(&id).ok_or_else(|| StoreError::not_found("model", &id))?;
    Ok(axum::Json(stored.into()))
}

/// Replace a model, or add it.
#[utoipa::path(
    put, path = "/admin/v1/models/{id}", tag = "models", params(("id" = String, Path)), request_body = Model,
    responses((status = 200, body = ModelView), (status = 400, body = ErrorBody), (status = 409, body = ErrorBody))
)]
pub(super) async fn replace(
    State(shared): State<Shared>,
    Name(id): Name,
    Json(model): Json<Model>,
) -> Result<axum::Json<ModelView>, ApiError> {
    let write = shared.store.begin().await?;
    put(write, &id, model).await
}

/// Change some members of a model (JSON merge patch).
#[utoipa::path(
    patch, path = "/admin/v1/models/{id}", tag = "models", params(("id" = String, Path)),
    request_body = super::openapi::ModelPatch,
    responses((status = 200, body = ModelView), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody))
)]
pub(super) async fn change(
    State(shared): State<Shared>,
    Name(id): Name,
    patch: Patch,
) -> Result<axum::Json<ModelView>, ApiError> {
    let write = shared.store.begin().await?;
    let stored = write.next().models.get(&id).ok_or_else(|| StoreError::not_found("model", &id))?;
    let model = patch.over(&*stored.value)?;
    put(write, &id, model).await
}

async fn put(mut write: Write, id: &str, model: Model) -> Result<axum::Json<ModelView>, ApiError> {
    if model.id != id {
        return Err(ApiError::invalid("id", format_args!("{id:?}, as in the path")));
    }
    write.put_model(model).await?;
    let stored = write.next().models.get(id).ok_or_else(|| StoreError::not_found("model", id))?;
    let view = axum::Json(stored.into());
    write.commit().await?;
    Ok(view)
}

/// Remove a model. Chains that name it go on with the provider's own id.
#[utoipa::path(
    delete, path = "/admin/v1/models/{id}", tag = "models", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = ErrorBody))
)]
pub(super) async fn remove(State(shared): State<Shared>, Name(id): Name) -> Result<StatusCode, ApiError> {
    let mut write = shared.store.begin().await?;
    write.remove_model(&id).await?;
    write.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
