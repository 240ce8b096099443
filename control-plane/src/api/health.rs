//! Probes. They take no token and tell nothing but their answer.

use super::error::ApiError;
use crate::serve::Shared;
use axum::extract::State;
use axum::http::StatusCode;

/// The process runs.
#[utoipa::path(get, path = "/healthz", tag = "health", security(()), responses((status = 200, description = "It runs")))]
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// The database answers, so that changes and records can be taken.
#[utoipa::path(
    get, path = "/readyz", tag = "health", security(()),
    responses((status = 200, description = "It is ready"), (status = 503, description = "The database does not answer", body = super::error::ErrorBody))
)]
pub(super) async fn ready(State(shared): State<Shared>) -> Result<&'static str, ApiError> {
    match shared.store.ping().await {
        Ok(()) => Ok("ready\n"),
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "not ready");
            Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", "the database does not answer"))
        }
    }
}
