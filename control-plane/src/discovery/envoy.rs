//! Envoy's own resources, made from a snapshot: one listener, its route, a cluster per provider, and the filter.
//!
//! Invariants: the same snapshot gives the same bytes; nothing here depends on a key, so a key's change never
//! touches a listener, a route or a cluster. The filter travels as resources of its own (extension discovery), so
//! that neither a new module nor a new provider makes Envoy rebuild what the other owns.

mod cluster;
mod filter;
mod listener;
mod local_reply;
mod message;
mod route;

use crate::node_token::NodeToken;
use crate::snapshot::Snapshot;
use bytes::Bytes;
use envoy_types::pb::google::protobuf::Any;
use sluice::config::{Provider, Settings};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

/// The type URLs Envoy asks for.
pub(crate) mod type_url {
    /// Clusters.
    pub(crate) const CLUSTER: &str = "type.googleapis.com/envoy.config.cluster.v3.Cluster";
    /// Filters that listeners and clusters name.
    pub(crate) const EXTENSION: &str = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig";
    /// Listeners.
    pub(crate) const LISTENER: &str = "type.googleapis.com/envoy.config.listener.v3.Listener";
    /// Route tables.
    pub(crate) const ROUTE: &str = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration";
}

/// The cluster in Envoy's bootstrap that reaches the control plane.
pub(crate) const CONTROL_CLUSTER: &str = "sluice-control";
/// Usage records leave Envoy after so long at the latest.
pub(crate) const FLUSH: Duration = Duration::from_millis(200);
/// Envoy gives up a stream on which nothing moves for so long, unless a provider may be silent for longer.
const IDLE: Duration = Duration::from_secs(300);
/// What Envoy waits beyond the longest first-token deadline, so that the deadline is what ends the wait.
const IDLE_MARGIN: Duration = Duration::from_secs(30);

/// What Envoy needs besides the snapshot.
#[derive(Debug, Clone)]
pub(crate) struct Gateway {
    /// Where Envoy listens for clients.
    pub(crate) listen: SocketAddr,
    /// The filter, compiled to WebAssembly.
    pub(crate) module: Bytes,
    /// What Envoy and the module present to the control plane.
    pub(crate) node_token: NodeToken,
    /// The certificate authorities that providers are checked against: a file on Envoy's machine.
    pub(crate) ca_file: String,
}

impl Gateway {
    /// All of Envoy's resources, by type URL, with their names.
    pub(crate) fn resources(&self, snapshot: &Snapshot) -> [(&'static str, Vec<(String, Any)>); 4] {
        let settings = &snapshot.settings.value;
        let enabled = || snapshot.providers.values().map(|provider| &*provider.value).filter(|it| it.enabled);
        let idle = idle_timeout(settings, enabled());
        let names: BTreeSet<String> = enabled().map(Provider::cluster).collect();
        // A provider that names its cluster uses one of the host's own.
        let ours = enabled().filter(|provider| provider.cluster.is_none());
        let clusters = ours.filter_map(|provider| cluster::cluster(provider, settings, &self.ca_file));
        let clusters = clusters.chain(std::iter::once(cluster::nowhere(settings)));
        [
            (type_url::CLUSTER, clusters.map(|it| (it.name.clone(), message::any(&it))).collect()),
            (type_url::EXTENSION, filter::extensions(&self.module, &self.node_token)),
            (type_url::LISTENER, vec![listener::listener(self, settings, idle)]),
            (type_url::ROUTE, vec![route::route_table(&names, settings, idle)]),
        ]
    }
}

fn idle_timeout<'a>(settings: &Settings, providers: impl Iterator<Item = &'a Provider>) -> Duration {
    let deadlines = providers.filter_map(|provider| provider.first_token_deadline_ms);
    let longest = deadlines.fold(settings.first_token_deadline_ms, u64::max);
    IDLE.max(Duration::from_millis(longest) + IDLE_MARGIN)
}

/// Envoy's buffer limits are 32 bits wide.
fn buffer_limit(settings: &Settings) -> u32 {
    u32::try_from(settings.max_body_bytes).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
