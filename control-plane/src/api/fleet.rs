//! The Envoys that are connected, and what they have taken.

use crate::fleet::StreamStatus;
use crate::serve::Shared;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

/// The fleet now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FleetView {
    /// The newest revision: a stream that has acknowledged it is up to date.
    revision: u64,
    /// Look-ups of keys that a module had not met, since the start.
    key_lookups: u64,
    /// Discovery streams that are open.
    streams: Vec<StreamStatus>,
}

/// The Envoys that are connected.
#[utoipa::path(get, path = "/admin/v1/fleet", tag = "fleet", responses((status = 200, body = FleetView)))]
pub(super) async fn show(State(shared): State<Shared>) -> Json<FleetView> {
    Json(FleetView {
        revision: shared.store.feed().current().revision,
        key_lookups: shared.fleet.key_lookups(),
        streams: shared.fleet.streams(),
    })
}
