//! The service as a client sees it, over a real connection.

use super::fixture::{gateway, provider, snapshot};
use super::*;
use crate::snapshot::Snapshot;
use envoy_types::pb::envoy::config::core::v3::Node;
use envoy_types::pb::envoy::service::discovery::v3::aggregated_discovery_service_client::AggregatedDiscoveryServiceClient;
use envoy_types::pb::google::protobuf::{Struct, Value, value::Kind};
use sluice::config::{KeyRequest, Payload, key_lookup, type_url};
use std::collections::HashMap;
use tokio::net::TcpListener;
use tokio_stream::StreamExt as _;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};

const TOKEN: &str = "node-secret";

struct Served {
    feed: Feed,
    /// From which the feed is derived.
    source: Feed,
    fleet: Fleet,
    stop: CancellationToken,
    channel: Channel,
}

async fn serve(first: Snapshot) -> Served {
    let (fleet, stop) = (Fleet::default(), CancellationToken::new());
    let (feed, source) = (Feed::new(first.clone()), Feed::new(first));
    let mut routes = Routes::builder();
    Discovery::new(feed.clone(), source.clone(), fleet.clone(), Some(gateway()), stop.clone())
        .add_to(&mut routes, &NodeToken::new(Some(TOKEN)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::builder().add_routes(routes.routes());
    tokio::spawn(
        server.serve_with_incoming_shutdown(TcpIncoming::from(listener), stop.clone().cancelled_owned()),
    );
    let channel = Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
    Served { feed, source, fleet, stop, channel }
}

fn with_token<T>(message: T, token: &str) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

fn module_node() -> Node {
    let vm = Value { kind: Some(Kind::StringValue("00aa".into())) };
    Node {
        id: "edge-1".into(),
        user_agent_name: "sluice-module".into(),
        metadata: Some(Struct { fields: HashMap::from([("vm".to_owned(), vm)]) }),
        ..Node::default()
    }
}

impl Served {
    /// Opens a stream whose first request subscribes to all keys.
    async fn stream(
        &self,
        node: Option<Node>,
        token: &str,
    ) -> Result<(mpsc::Sender<DeltaDiscoveryRequest>, Streaming<DeltaDiscoveryResponse>), Status> {
        let (requests, outgoing) = mpsc::channel(4);
        let first = DeltaDiscoveryRequest { node, type_url: type_url::KEY.into(), ..Default::default() };
        requests.send(first).await.unwrap();
        let mut client = AggregatedDiscoveryServiceClient::new(self.channel.clone());
        let request = with_token(ReceiverStream::new(outgoing), token);
        let responses = client.delta_aggregated_resources(request).await?.into_inner();
        Ok((requests, responses))
    }

    async fn look_up(&self, id: &str, token: &str) -> Result<Payload, Status> {
        let mut grpc = tonic::client::Grpc::new(self.channel.clone());
        grpc.ready().await.unwrap();
        let path = format!("/{}/{}", key_lookup::SERVICE, key_lookup::METHOD);
        let path = PathAndQuery::try_from(path).unwrap();
        let codec = tonic_prost::ProstCodec::<KeyRequest, Payload>::default();
        let request = with_token(KeyRequest { id: id.into() }, token);
        grpc.unary(request, path, codec).await.map(Response::into_inner)
    }
}

#[tokio::test]
async fn a_change_is_pushed_and_its_acknowledgement_is_on_record() {
    let served = serve(snapshot(1, &[], &["k"])).await;
    let (requests, mut responses) = served.stream(Some(module_node()), TOKEN).await.unwrap();
    let first = responses.next().await.unwrap().unwrap();
    assert_eq!((first.resources.len(), first.system_version_info.as_str()), (1, "1"));
    served.feed.publish(snapshot(2, &[], &["k", "l"]));
    let second = responses.next().await.unwrap().unwrap();
    assert_eq!(second.resources.len(), 2);
    let ack = DeltaDiscoveryRequest {
        type_url: type_url::KEY.into(),
        response_nonce: second.nonce,
        ..DeltaDiscoveryRequest::default()
    };
    requests.send(ack).await.unwrap();
    // The answer to the next question proves that the acknowledgement has been heard.
    let ask = DeltaDiscoveryRequest { type_url: type_url::SETTINGS.into(), ..Default::default() };
    requests.send(ask).await.unwrap();
    assert_eq!(responses.next().await.unwrap().unwrap().type_url, type_url::SETTINGS);
    let streams = served.fleet.streams();
    assert_eq!((streams[0].node.as_str(), streams[0].client.as_str()), ("edge-1", "00aa"));
    assert_eq!(streams[0].types[type_url::KEY].acked, 2);
}

#[tokio::test]
async fn what_changes_without_a_revision_is_pushed_too() {
    let served = serve(snapshot(1, &[provider("a", "http://h"), provider("b", "http://h")], &[])).await;
    let (requests, mut responses) = served.stream(Some(module_node()), TOKEN).await.unwrap();
    responses.next().await.unwrap().unwrap();
    let ask = DeltaDiscoveryRequest { type_url: type_url::PROVIDER.into(), ..Default::default() };
    requests.send(ask).await.unwrap();
    assert_eq!(responses.next().await.unwrap().unwrap().resources.len(), 2);
    let mut next = Snapshot::clone(&served.feed.current());
    let mut renewed = provider("a", "http://h");
    renewed.auth.secret = "renewed".into();
    next.providers.insert("a".into(), super::fixture::versioned(1, renewed));
    served.feed.replace(Arc::new(next));
    let pushed = responses.next().await.unwrap().unwrap();
    let names: Vec<_> = pushed.resources.iter().map(|resource| resource.name.as_str()).collect();
    assert_eq!((names, pushed.system_version_info.as_str()), (vec!["a"], "1"));
}

#[tokio::test]
async fn a_stream_that_ends_leaves_the_fleet() {
    let served = serve(snapshot(1, &[], &[])).await;
    let (requests, mut responses) = served.stream(Some(module_node()), TOKEN).await.unwrap();
    responses.next().await.unwrap().unwrap();
    assert_eq!(served.fleet.streams().len(), 1);
    drop(requests);
    assert!(responses.next().await.is_none());
    assert_eq!(served.fleet.streams(), []);
}

#[tokio::test]
async fn stopping_ends_streams() {
    let served = serve(snapshot(1, &[], &[])).await;
    let (_requests, mut responses) = served.stream(Some(module_node()), TOKEN).await.unwrap();
    responses.next().await.unwrap().unwrap();
    served.stop.cancel();
    assert_eq!(responses.next().await.unwrap().unwrap_err().code(), tonic::Code::Unavailable);
}

#[tokio::test]
async fn a_stream_needs_a_token_and_a_node() {
    let served = serve(snapshot(1, &[], &[])).await;
    let refused = served.stream(Some(module_node()), "wrong").await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Unauthenticated);
    let (_requests, mut responses) = served.stream(None, TOKEN).await.unwrap();
    let refused = responses.next().await.unwrap().unwrap_err();
    assert_eq!(refused.code(), tonic::Code::InvalidArgument);
}

#[tokio::test]
async fn keys_are_looked_up_and_look_ups_are_counted() {
    let served = serve(snapshot(1, &[provider("a", "http://h")], &["k"])).await;
    let key: serde_json::Value =
        serde_json::from_slice(&served.look_up("k", TOKEN).await.unwrap().json).unwrap();
    assert_eq!(key["id"], "k");
    assert_eq!(served.look_up("x", TOKEN).await.unwrap_err().code(), tonic::Code::NotFound);
    assert_eq!(served.look_up("k", "wrong").await.unwrap_err().code(), tonic::Code::Unauthenticated);
    assert_eq!(served.fleet.key_lookups(), 2);
}

#[tokio::test]
async fn a_key_that_has_just_been_made_is_found_before_it_is_pushed() {
    let served = serve(snapshot(1, &[], &["k"])).await;
    served.source.publish(snapshot(2, &[], &["k", "new"]));
    assert!(served.look_up("new", TOKEN).await.is_ok());
}

#[test]
fn what_has_not_changed_is_rendered_once() {
    let feed = Feed::new(snapshot(1, &[], &["k"]));
    let discovery =
        Discovery::new(feed.clone(), feed.clone(), Fleet::default(), None, CancellationToken::new());
    let before = discovery.catalog().view(type_url::KEY).get("k").unwrap();
    let mut next = snapshot(2, &[], &["l"]);
    next.keys.insert("k".into(), feed.current().keys["k"].clone());
    feed.publish(next);
    assert!(Arc::ptr_eq(&before, &discovery.catalog().view(type_url::KEY).get("k").unwrap()));
}
