//! Usage records for the ledger, and the look-up of the replies that they tell of. The module streams them in the protocol of Envoy's access log service, whose entries carry one
//! each (`docs/decisions/0007-records-on-a-stream-of-the-vm.md`).
//!
//! Invariants: a record that was read is committed before the next message is taken from the stream, so a ledger that
//! is down holds the sender back instead of filling memory; what cannot be read is logged and counted, never just dropped.
//! Protobuf types live only here and in discovery.

mod entry;
mod reply_lookup;

use crate::fleet::Fleet;
use crate::ledger::{Committed, Ledger};
use crate::lookup::Lookup;
use crate::node_token::NodeToken;
use crate::store::StoreError;
use entry::{Unreadable, records};
use envoy_types::pb::envoy::service::accesslog::v3::access_log_service_server::{
    AccessLogService, AccessLogServiceServer,
};
use envoy_types::pb::envoy::service::accesslog::v3::{StreamAccessLogsMessage, StreamAccessLogsResponse};
use reply_lookup::ReplyLookup;
use sluice::config::Record;
use std::fmt;
use std::future::Future;
use std::time::Duration;
use tokio_stream::{Stream, StreamExt as _};
use tokio_util::sync::CancellationToken;
use tonic::service::RoutesBuilder;
use tonic::service::interceptor::InterceptedService;
use tonic::{Request, Response, Status, Streaming};

/// The module sends up to 1 MiB at a time, and a single larger record whole.
const MAX_MESSAGE: usize = 16 << 20;
/// How soon a failed commit is tried again, and the longest pause that doubling leads to.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Where records go.
pub(crate) trait Sink: Clone + Send + Sync + 'static {
    /// Why a batch was not committed.
    type Error: fmt::Display + Send;

    /// Commits a batch from the Envoy `node`, whole or not at all; a record it has seen before is ignored.
    fn commit(
        &self,
        node: &str,
        records: Vec<Record>,
    ) -> impl Future<Output = Result<Committed, Self::Error>> + Send;
}

impl Sink for Ledger {
    type Error = StoreError;

    async fn commit(&self, node: &str, records: Vec<Record>) -> Result<Committed, StoreError> {
        Self::commit(self, node, records).await
    }
}

/// Adds the look-up of stored replies in `ledger` to `routes`, behind `token`.
pub(crate) fn add_reply_lookup(ledger: Ledger, routes: &mut RoutesBuilder, token: &NodeToken) {
    routes.add_service(InterceptedService::new(Lookup(ReplyLookup(ledger)), token.clone()));
}

/// The service; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct AccessLog<S> {
    sink: S,
    fleet: Fleet,
    stop: CancellationToken,
}

impl<S: Sink> AccessLog<S> {
    /// Streams end when `stop` is cancelled.
    pub(crate) fn new(sink: S, fleet: Fleet, stop: CancellationToken) -> Self {
        Self { sink, fleet, stop }
    }

    /// Adds the service to `routes`, behind `token`.
    pub(crate) fn add_to(self, routes: &mut RoutesBuilder, token: &NodeToken) {
        let service = AccessLogServiceServer::new(self).max_decoding_message_size(MAX_MESSAGE);
        routes.add_service(InterceptedService::new(service, token.clone()));
    }

    async fn read(
        &self,
        mut messages: impl Stream<Item = Result<StreamAccessLogsMessage, Status>> + Unpin,
    ) -> Result<(), Status> {
        let mut node = None;
        loop {
            let message = tokio::select! {
                message = messages.next() => message,
                () = self.stop.cancelled() => return Err(stopping()),
            };
            let Some(message) = message.transpose()? else { return Ok(()) };
            // Only the first message of a stream carries the identifier.
            let named = message.identifier.as_ref().and_then(|identifier| identifier.node.as_ref());
            if let Some(named) = named.filter(|named| !named.id.is_empty()) {
                node = Some(named.id.clone());
            }
            let node = node.as_deref();
            let node =
                node.ok_or_else(|| Status::invalid_argument("the first message must carry node.id"))?;
            let (batch, unreadable) = records(message);
            for Unreadable { reason } in unreadable {
                let total = self.fleet.count_malformed_record();
                tracing::error!(
                    node,
                    reason,
                    total,
                    "a usage record cannot be read and is not in the ledger"
                );
            }
            if !batch.is_empty() {
                self.commit(node, batch).await?;
            }
        }
    }

    async fn commit(&self, node: &str, batch: Vec<Record>) -> Result<(), Status> {
        let mut pause = BACK_OFF.0;
        loop {
            let error = match self.sink.commit(node, batch.clone()).await {
                Ok(Committed { inserted, duplicates }) => {
                    tracing::debug!(node, inserted, duplicates, "usage records committed");
                    return Ok(());
                }
                Err(error) => error,
            };
            let records = batch.len();
            tracing::error!(node, records, %error, "the ledger does not take usage records; trying again");
            tokio::select! {
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(BACK_OFF.1),
                () = self.stop.cancelled() => {
                    tracing::error!(node, records, "stopping with usage records that the ledger did not take");
                    return Err(stopping());
                }
            }
        }
    }
}

fn stopping() -> Status {
    Status::unavailable("the control plane is stopping")
}

#[tonic::async_trait]
impl<S: Sink> AccessLogService for AccessLog<S> {
    async fn stream_access_logs(
        &self,
        request: Request<Streaming<StreamAccessLogsMessage>>,
    ) -> Result<Response<StreamAccessLogsResponse>, Status> {
        // On its own task, so that a client that goes away cannot cut a commit short.
        let service = self.clone();
        let read = tokio::spawn(async move { service.read(request.into_inner()).await });
        read.await.map_err(|error| {
            tracing::error!(%error, "reading an access log stream failed");
            Status::internal("reading the stream failed")
        })??;
        Ok(Response::new(StreamAccessLogsResponse {}))
    }
}

#[cfg(test)]
mod tests;
