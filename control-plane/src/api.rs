//! The admin API: REST under `/admin/v1`.
//!
//! Invariants: everything but the health probes takes the admin token; no response ever holds a credential, but for
//! the one that mints a key; internals are logged and never returned.

mod apply;
mod auth;
mod body;
mod error;
mod fleet;
mod health;
mod keys;
mod models;
mod openapi;
mod page;
mod providers;
mod settings;
#[cfg(test)]
mod tests;
mod usage;

use crate::serve::Shared;
use axum::extract::DefaultBodyLimit;
use axum::routing::{MethodRouter, get, post};
use axum::{Router, middleware};
use error::ApiError;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::trace::TraceLayer;

/// Largest request body, but for declarative configuration.
const BODY: usize = 1 << 20;
/// Largest declarative configuration.
const CONFIGURATION: usize = 32 << 20;

/// Serves the admin API until `stop`.
pub(crate) async fn serve(
    listener: TcpListener,
    shared: Shared,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    Ok(axum::serve(listener, router(shared)).with_graceful_shutdown(stop.cancelled_owned()).await?)
}

/// What takes the admin token, below `/admin/v1`. A model's id holds slashes, so it is the rest of its path.
fn routes() -> Vec<(&'static str, MethodRouter<Shared>)> {
    let provider =
        get(providers::show).put(providers::replace).patch(providers::change).delete(providers::remove);
    let model = get(models::show).put(models::replace).patch(models::change).delete(models::remove);
    vec![
        ("/providers", get(providers::list).post(providers::create)),
        ("/providers/{name}", provider),
        ("/models", get(models::list).post(models::create)),
        ("/models/{*id}", model),
        ("/keys", get(keys::list).post(keys::create)),
        ("/keys/{id}", get(keys::show).patch(keys::change)),
        ("/keys/{id}/rotate", post(keys::rotate)),
        ("/keys/{id}/revoke", post(keys::revoke)),
        ("/settings", get(settings::show).patch(settings::change)),
        ("/apply", post(apply::apply).layer(DefaultBodyLimit::max(CONFIGURATION))),
        ("/usage", get(usage::rows)),
        ("/usage/summary", get(usage::summary)),
        ("/usage.csv", get(usage::csv)),
        ("/fleet", get(fleet::show)),
        ("/openapi.json", get(openapi::document)),
    ]
}

/// The whole service.
fn router(shared: Shared) -> Router {
    let admin =
        routes().into_iter().fold(Router::new(), |router, (path, methods)| router.route(path, methods));
    let admin = admin
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(auth::Expected::new(&shared.admin_token), auth::require));
    Router::new()
        .nest("/admin/v1", admin)
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(BODY))
        .layer(TraceLayer::new_for_http())
        .with_state(shared)
}

async fn unknown() -> ApiError {
    ApiError::not_found("there is no such path: see /admin/v1/openapi.json")
}

async fn wrong_method() -> ApiError {
    ApiError::wrong_method()
}
