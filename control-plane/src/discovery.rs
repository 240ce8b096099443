//! Discovery: one delta-xDS service for Envoy (listener, route, clusters, the filter) and for the module inside it
//! (settings, providers, models, keys), and the key look-up beside it.
//!
//! Invariants: it reads the feed and never the store; everything a client refuses is kept where the admin API shows
//! it. Protobuf types live only here and in the access log.

mod catalog;
mod conversation;
pub(crate) mod envoy;
#[cfg(test)]
pub(crate) mod fixture;
mod key_lookup;
mod stream;
mod subscription;

use crate::fleet::Fleet;
use crate::lookup::Lookup;
use crate::node_token::NodeToken;
use crate::snapshot::Feed;
use catalog::Catalog;
use envoy::Gateway;
use envoy_types::pb::envoy::service::discovery::v3::aggregated_discovery_service_server::{
    AggregatedDiscoveryService, AggregatedDiscoveryServiceServer,
};
use envoy_types::pb::envoy::service::discovery::v3::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse, DiscoveryRequest, DiscoveryResponse,
};
use key_lookup::KeyLookup;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::service::RoutesBuilder;
use tonic::service::interceptor::InterceptedService;
use tonic::{Request, Response, Status, Streaming};

/// Responses that wait for a slow client; beyond them the stream reads no further news, which then coalesce.
const BACKLOG: usize = 8;
/// A request names at most so many bytes of resources: ten thousand keys fit easily.
const MAX_REQUEST: usize = 16 << 20;

/// The service; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Discovery {
    feed: Feed,
    /// Where keys are looked up: what is derived from it (`feed`) is a moment older, and a key that has just been made must
    /// not be unknown.
    source: Feed,
    fleet: Fleet,
    gateway: Option<Arc<Gateway>>,
    newest: Arc<Mutex<Arc<Catalog>>>,
    stop: CancellationToken,
}

impl Discovery {
    /// Serves what `feed` publishes, and looks keys up in `source`, from which that is derived. Without a `gateway`, Envoy's
    /// own resources are not served (the module's are). Streams end when `stop` is cancelled.
    pub(crate) fn new(
        feed: Feed,
        source: Feed,
        fleet: Fleet,
        gateway: Option<Gateway>,
        stop: CancellationToken,
    ) -> Self {
        let first = Catalog::new(feed.current(), None, gateway.as_ref());
        Self {
            feed,
            source,
            fleet,
            gateway: gateway.map(Arc::new),
            newest: Arc::new(Mutex::new(Arc::new(first))),
            stop,
        }
    }

    /// Adds discovery and key look-up to `routes`, behind `token`.
    pub(crate) fn add_to(self, routes: &mut RoutesBuilder, token: &NodeToken) {
        let lookup = Lookup(KeyLookup(self.clone()));
        let ads = AggregatedDiscoveryServiceServer::new(self).max_decoding_message_size(MAX_REQUEST);
        routes
            .add_service(InterceptedService::new(ads, token.clone()))
            .add_service(InterceptedService::new(lookup, token.clone()));
    }

    /// The newest snapshot, rendered; whoever comes first after a change renders it for all.
    fn catalog(&self) -> Arc<Catalog> {
        // A panic while rendering leaves the previous catalog in place, which is whole.
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let snapshot = self.feed.current();
        if !newest.is_of(&snapshot) {
            *newest = Arc::new(Catalog::new(snapshot, Some(&newest), self.gateway.as_deref()));
        }
        newest.clone()
    }
}

#[tonic::async_trait]
impl AggregatedDiscoveryService for Discovery {
    type StreamAggregatedResourcesStream = ReceiverStream<Result<DiscoveryResponse, Status>>;
    type DeltaAggregatedResourcesStream = ReceiverStream<Result<DeltaDiscoveryResponse, Status>>;

    async fn stream_aggregated_resources(
        &self,
        _request: Request<Streaming<DiscoveryRequest>>,
    ) -> Result<Response<Self::StreamAggregatedResourcesStream>, Status> {
        Err(Status::unimplemented("Sluice speaks delta xDS: set `api_type: DELTA_GRPC` in ads_config"))
    }

    async fn delta_aggregated_resources(
        &self,
        request: Request<Streaming<DeltaDiscoveryRequest>>,
    ) -> Result<Response<Self::DeltaAggregatedResourcesStream>, Status> {
        let (outgoing, responses) = mpsc::channel(BACKLOG);
        tokio::spawn(stream::run(self.clone(), request.into_inner(), outgoing));
        Ok(Response::new(ReceiverStream::new(responses)))
    }
}

#[cfg(test)]
mod tests;
