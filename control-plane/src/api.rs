//! The admin API: REST under `/admin/v1`.
//!
//! Invariants: everything but the health probes takes the admin token; no response ever holds a credential, but for
//! the one that mints a key; internals are logged and never returned.

use crate::serve::Shared;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Serves the admin API until `stop`.
pub(crate) async fn serve(
    listener: TcpListener,
    shared: Shared,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let router = axum::Router::new().with_state::<()>(shared);
    Ok(axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await?)
}
