//! One discovery stream as a plain value: requests go in, the responses that are owed come out.
//!
//! Invariants: types go out in the order Envoy wants them (clusters before listeners, listeners before routes), and
//! a cluster is removed only after every response about routes has been answered, so that no route names a cluster
//! that is gone.

use super::catalog::Catalog;
use super::envoy::type_url::{CLUSTER, EXTENSION, LISTENER, ROUTE};
use super::subscription::{Ask, Subscription, Update, Verdict};
use crate::fleet::Fleet;
use envoy_types::pb::envoy::service::discovery::v3::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse, Resource,
};
use sluice::config::type_url::{KEY, MODEL, PROVIDER, SETTINGS};
use std::collections::BTreeMap;

/// The order in which types are sent; types nobody knows come last and have no resources.
const ORDER: [&str; 8] = [CLUSTER, EXTENSION, LISTENER, ROUTE, SETTINGS, PROVIDER, MODEL, KEY];
/// More types on one stream than any client needs.
const MAX_TYPES: usize = 32;

/// The client asked for more types than [`MAX_TYPES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("at most {MAX_TYPES} resource types on one stream")]
pub(crate) struct TooManyTypes;

/// See the module.
#[derive(Debug)]
pub(crate) struct Conversation {
    fleet: Fleet,
    stream: u64,
    types: BTreeMap<(usize, String), Subscription>,
    nonce: u64,
}

impl Conversation {
    /// A conversation on the stream that `fleet` knows as `stream`.
    pub(crate) fn new(fleet: Fleet, stream: u64) -> Self {
        Self { fleet, stream, types: BTreeMap::new(), nonce: 0 }
    }

    /// Takes a request in.
    pub(crate) fn hear(&mut self, request: DeltaDiscoveryRequest) -> Result<(), TooManyTypes> {
        let rank = ORDER.iter().position(|known| *known == request.type_url).unwrap_or(ORDER.len());
        let key = (rank, request.type_url.clone());
        if !self.types.contains_key(&key) && self.types.len() == MAX_TYPES {
            return Err(TooManyTypes);
        }
        let verdict = self.types.entry(key).or_default().hear(Ask {
            subscribe: request.resource_names_subscribe,
            unsubscribe: request.resource_names_unsubscribe,
            held: request.initial_resource_versions,
            nonce: Some(request.response_nonce).filter(|nonce| !nonce.is_empty()),
            refusal: request.error_detail.map(|status| status.message),
        });
        match verdict {
            Some(Verdict::Acked { revision }) => {
                self.fleet.update(self.stream, &request.type_url, |status| {
                    status.acked = status.acked.max(revision);
                    status.nack = None;
                })
            }
            Some(Verdict::Nacked { revision, reason }) => {
                tracing::warn!(
                    type_url = request.type_url,
                    revision,
                    reason,
                    "a client refused its configuration"
                );
                self.fleet.update(self.stream, &request.type_url, |status| status.nack = Some(reason));
            }
            None => {}
        }
        Ok(())
    }

    /// The responses that are owed now that `catalog` is the truth.
    pub(crate) fn owed(&mut self, catalog: &Catalog) -> Vec<DeltaDiscoveryResponse> {
        let keys: Vec<_> = self.types.keys().cloned().collect();
        let mut responses: Vec<_> =
            keys.iter().filter_map(|key| self.respond(key, catalog, key.1 == CLUSTER)).collect();
        let routed = |((_, url), _): &(&(usize, String), &Subscription)| url == LISTENER || url == ROUTE;
        if self.types.iter().filter(routed).all(|(_, subscription)| subscription.is_settled()) {
            let clusters = keys.iter().filter(|key| key.1 == CLUSTER);
            responses.extend(clusters.filter_map(|key| self.respond(key, catalog, false)));
        }
        responses
    }

    fn respond(
        &mut self,
        key: &(usize, String),
        catalog: &Catalog,
        keep: bool,
    ) -> Option<DeltaDiscoveryResponse> {
        let view = catalog.view(&key.1);
        let subscription = self.types.get_mut(key)?;
        let revision = catalog.revision();
        let Some(update) = subscription.owed(&view, keep) else {
            if !keep && subscription.is_current() {
                // Nothing of this type changed: the client has this revision already.
                self.fleet.update(self.stream, &key.1, |status| {
                    status.sent = revision;
                    status.acked = revision;
                });
            }
            return None;
        };
        self.nonce += 1;
        let nonce = self.nonce.to_string();
        subscription.sent(nonce.clone(), revision, &update);
        self.fleet.update(self.stream, &key.1, |status| status.sent = revision);
        let Update { changed, removed } = update;
        let resources = changed.into_iter().filter_map(|name| {
            let rendered = view.get(&name)?;
            Some(Resource {
                name,
                version: rendered.version.clone(),
                resource: Some(rendered.any.clone()),
                ..Resource::default()
            })
        });
        Some(DeltaDiscoveryResponse {
            system_version_info: revision.to_string(),
            resources: resources.collect(),
            type_url: key.1.clone(),
            removed_resources: removed,
            nonce,
            ..DeltaDiscoveryResponse::default()
        })
    }
}

#[cfg(test)]
mod tests;
