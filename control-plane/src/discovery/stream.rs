//! Drives one discovery stream: a [`Conversation`] between the client's requests and the feed of snapshots.

use super::Discovery;
use super::conversation::Conversation;
use crate::fleet::{Fleet, StreamStatus};
use envoy_types::pb::envoy::config::core::v3::Node;
use envoy_types::pb::envoy::service::discovery::v3::{DeltaDiscoveryRequest, DeltaDiscoveryResponse};
use envoy_types::pb::google::protobuf::value::Kind;
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc;
use tokio_stream::{Stream, StreamExt as _};
use tonic::Status;

/// What the module calls itself in `node.user_agent_name`.
const MODULE: &str = "sluice-module";
/// The member of `node.metadata` that holds the VM's id.
const VM: &str = "vm";

/// What a stream sends.
pub(super) type Outgoing = mpsc::Sender<Result<DeltaDiscoveryResponse, Status>>;

/// Closes the fleet's entry however the stream ends.
struct Entry {
    fleet: Fleet,
    id: u64,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.fleet.close(self.id);
    }
}

/// Runs until the client leaves or the control plane stops.
pub(super) async fn run(
    discovery: Discovery,
    mut requests: impl Stream<Item = Result<DeltaDiscoveryRequest, Status>> + Unpin,
    outgoing: Outgoing,
) {
    let stop = discovery.stop.clone();
    let talk = talk(&discovery, &mut requests, &outgoing);
    let end = tokio::select! {
        end = talk => end,
        () = stop.cancelled() => Err(Status::unavailable("the control plane is stopping")),
    };
    if let Err(status) = end {
        // A client that has left does not hear why, and needs not.
        outgoing.send(Err(status)).await.ok();
    }
}

async fn talk(
    discovery: &Discovery,
    requests: &mut (impl Stream<Item = Result<DeltaDiscoveryRequest, Status>> + Unpin),
    outgoing: &Outgoing,
) -> Result<(), Status> {
    let Some(first) = requests.next().await else { return Ok(()) };
    let first = first?;
    let node = first.node.as_ref().filter(|node| !node.id.is_empty());
    let node = node.ok_or_else(|| Status::invalid_argument("the first request must carry node.id"))?;
    let status = introduce(node);
    tracing::info!(node = status.node, client = status.client, "a discovery client connected");
    let entry = Entry { id: discovery.fleet.open(status), fleet: discovery.fleet.clone() };
    let mut conversation = Conversation::new(entry.fleet.clone(), entry.id);
    let mut news = discovery.feed.subscribe();
    let mut heard = Some(first);
    loop {
        if let Some(request) = heard.take() {
            conversation.hear(request).map_err(|error| Status::resource_exhausted(error.to_string()))?;
        }
        news.mark_unchanged();
        for response in conversation.owed(&discovery.catalog()) {
            if outgoing.send(Ok(response)).await.is_err() {
                return Ok(());
            }
        }
        tokio::select! {
            request = requests.next() => match request {
                Some(request) => heard = Some(request?),
                None => return Ok(()),
            },
            changed = news.changed() => {
                changed.map_err(|_closed| Status::unavailable("the control plane is stopping"))?;
            }
        }
    }
}

fn introduce(node: &Node) -> StreamStatus {
    let vm = node.metadata.as_ref().and_then(|metadata| metadata.fields.get(VM)?.kind.as_ref());
    let client = match vm {
        Some(Kind::StringValue(vm)) if node.user_agent_name == MODULE => vm.clone(),
        _ => "envoy".to_owned(),
    };
    let connected_at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    StreamStatus { node: node.id.clone(), client, connected_at, types: BTreeMap::new() }
}
