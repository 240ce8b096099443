//! The gRPC server that Envoys talk to: discovery, look-ups and access log on one address.

use crate::access_log::{self, AccessLog};
use crate::discovery::Discovery;
use crate::discovery::envoy::Gateway;
use crate::node_token::NodeToken;
use crate::serve::Shared;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

/// An Envoy that vanished without closing its connection is noticed after the sum of both.
const PROBE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(10));

/// Serves until `stop`.
pub(crate) async fn serve(
    listener: TcpListener,
    shared: Shared,
    gateway: Option<Gateway>,
    node_token: NodeToken,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let mut routes = Routes::builder();
    let source = shared.store.feed();
    Discovery::new(shared.pushed.clone(), source, shared.fleet.clone(), gateway, stop.clone())
        .add_to(&mut routes, &node_token);
    access_log::add_reply_lookup(shared.ledger.clone(), &mut routes, &node_token);
    AccessLog::new(shared.ledger, shared.fleet, stop.clone()).add_to(&mut routes, &node_token);
    let server = Server::builder()
        .http2_keepalive_interval(Some(PROBE.0))
        .http2_keepalive_timeout(Some(PROBE.1))
        .add_routes(routes.routes());
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    Ok(server.serve_with_incoming_shutdown(incoming, stop.cancelled_owned()).await?)
}
