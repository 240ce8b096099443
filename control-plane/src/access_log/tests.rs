use super::*;
use crate::store::Store;
use envoy_types::pb::envoy::config::core::v3::Node;
use envoy_types::pb::envoy::data::accesslog::v3::{AccessLogCommon, HttpAccessLogEntry};
use envoy_types::pb::envoy::service::accesslog::v3::stream_access_logs_message::{
    HttpAccessLogEntries, Identifier, LogEntries,
};
use envoy_types::pb::google::protobuf::{Any, BytesValue};
use prost::{Message as _, Name as _};
use sluice::config::{Dialect, Endpoint, Maker, Payload, ReplyRequest, Usage, UsageSource, reply_lookup};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Server};

/// Remembers what it took; fails as often as it is told to first.
#[derive(Debug, Clone, Default)]
struct Memory(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    failures: VecDeque<&'static str>,
    taken: Vec<(String, u64)>,
}

impl Memory {
    fn failing(reasons: &[&'static str]) -> Self {
        let failures = reasons.iter().copied().collect();
        Self(Arc::new(Mutex::new(State { failures, taken: Vec::new() })))
    }

    fn taken(&self) -> Vec<(String, u64)> {
        self.0.lock().unwrap().taken.clone()
    }
}

impl Sink for Memory {
    type Error = &'static str;

    async fn commit(&self, node: &str, records: Vec<Record>) -> Result<Committed, &'static str> {
        let mut state = self.0.lock().unwrap();
        if let Some(reason) = state.failures.pop_front() {
            return Err(reason);
        }
        state.taken.extend(records.iter().map(|record| (node.to_owned(), record.seq)));
        Ok(Committed { inserted: u64::try_from(records.len()).unwrap(), duplicates: 0 })
    }
}

fn record(seq: u64) -> Record {
    Record {
        vm: "0123456789abcdef".into(),
        seq,
        request_id: "r".into(),
        started_at_us: 1,
        key: None,
        organization: None,
        dialect: Dialect::Openai,
        endpoint: Endpoint::ChatCompletions,
        requested_model: None,
        model: None,
        provider: None,
        attempts: Vec::new(),
        stream: false,
        status: 200,
        error: None,
        ttft_us: None,
        duration_us: 5,
        overhead_us: 0,
        usage: Usage::default(),
        usage_source: UsageSource::None,
        finish_reason: None,
        dropped_params: Vec::new(),
        passed_over: Vec::new(),
        reply: None,
        background: false,
    }
}

fn entry(state: Option<Any>) -> HttpAccessLogEntry {
    let objects = state.into_iter().map(|any| ("wasm.sluice.usage".to_owned(), any)).collect();
    let common = AccessLogCommon { filter_state_objects: objects, ..AccessLogCommon::default() };
    HttpAccessLogEntry { common_properties: Some(common), ..HttpAccessLogEntry::default() }
}

fn with_bytes(value: Vec<u8>) -> HttpAccessLogEntry {
    let value = BytesValue { value }.encode_to_vec();
    entry(Some(Any { type_url: BytesValue::type_url(), value }))
}

fn with_record(seq: u64) -> HttpAccessLogEntry {
    with_bytes(serde_json::to_vec(&record(seq)).unwrap())
}

fn message(node: Option<&str>, entries: Vec<HttpAccessLogEntry>) -> Result<StreamAccessLogsMessage, Status> {
    let node = node.map(|id| Node { id: id.into(), ..Node::default() });
    Ok(StreamAccessLogsMessage {
        identifier: node.map(|node| Identifier { node: Some(node), log_name: "sluice".into() }),
        log_entries: Some(LogEntries::HttpLogs(HttpAccessLogEntries { log_entry: entries })),
    })
}

fn service(sink: &Memory) -> (AccessLog<Memory>, Fleet) {
    let fleet = Fleet::default();
    (AccessLog::new(sink.clone(), fleet.clone(), CancellationToken::new()), fleet)
}

#[tokio::test]
async fn records_reach_the_ledger_under_the_node_of_the_first_message() {
    let sink = Memory::default();
    let (service, _fleet) = service(&sink);
    let messages = [
        message(Some("edge-1"), vec![with_record(1), entry(None), with_record(2)]),
        message(None, vec![with_record(3)]),
        message(None, vec![entry(None)]),
    ];
    service.read(tokio_stream::iter(messages)).await.unwrap();
    assert_eq!(sink.taken(), [1, 2, 3].map(|seq| ("edge-1".to_owned(), seq)));
}

#[tokio::test]
async fn a_stream_without_a_node_is_refused() {
    let (service, _fleet) = service(&Memory::default());
    let refused = service.read(tokio_stream::iter([message(None, vec![with_record(1)])])).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::InvalidArgument);
}

#[tokio::test]
async fn what_cannot_be_read_is_counted_and_holds_up_nothing() {
    let sink = Memory::default();
    let (service, fleet) = service(&sink);
    let foreign = entry(Some(Any { type_url: "type.googleapis.com/other".into(), value: vec![] }));
    let entries = vec![with_bytes(b"{".to_vec()), with_record(1), foreign, with_bytes(b"{}".to_vec())];
    service.read(tokio_stream::iter([message(Some("n"), entries)])).await.unwrap();
    assert_eq!(sink.taken(), [("n".to_owned(), 1)]);
    assert_eq!(fleet.count_malformed_record(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_failed_commit_is_tried_again_before_anything_else_is_read() {
    let sink = Memory::failing(&["database is gone", "database is gone"]);
    let (service, _fleet) = service(&sink);
    let messages = [message(Some("n"), vec![with_record(1)]), message(None, vec![with_record(2)])];
    service.read(tokio_stream::iter(messages)).await.unwrap();
    assert_eq!(sink.taken(), [("n".to_owned(), 1), ("n".to_owned(), 2)]);
}

#[tokio::test(start_paused = true)]
async fn stopping_ends_the_wait_for_a_ledger_that_is_down() {
    let sink = Memory::failing(&["gone"; 1000]);
    let (service, _fleet) = service(&sink);
    let reading = service.read(tokio_stream::iter([message(Some("n"), vec![with_record(1)])]));
    let stop = async {
        tokio::time::sleep(Duration::from_secs(60)).await;
        service.stop.cancel();
    };
    let (ended, ()) = tokio::join!(reading, stop);
    assert_eq!(ended.unwrap_err().code(), tonic::Code::Unavailable);
    assert_eq!(sink.taken(), []);
}

/// Asks over a real connection.
async fn look_up(channel: Channel, id: &str, token: &str) -> Result<Vec<Maker>, Status> {
    let mut grpc = tonic::client::Grpc::new(channel);
    grpc.ready().await.unwrap();
    let path = format!("/{}/{}", reply_lookup::SERVICE, reply_lookup::METHOD).try_into().unwrap();
    let mut request = Request::new(ReplyRequest { id: id.into() });
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    let codec = tonic_prost::ProstCodec::<ReplyRequest, Payload>::default();
    let payload: Payload = grpc.unary(request, path, codec).await?.into_inner();
    Ok(serde_json::from_slice(&payload.json).unwrap())
}

#[tokio::test]
async fn who_had_a_reply_made_is_told_to_envoys_alone() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path().join("sluice.db").to_str().unwrap()).await.unwrap();
    let ledger = Ledger::new(store);
    let made = Record {
        provider: Some("alpha".into()),
        key: Some("k".into()),
        reply: Some("resp_1".into()),
        ..record(1)
    };
    ledger.commit("edge-1", vec![made]).await.unwrap();
    let mut routes = Routes::builder();
    add_reply_lookup(ledger, &mut routes, &NodeToken::new(Some("node-secret")));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::builder().add_routes(routes.routes());
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
    let maker = Maker { provider: "alpha".into(), key: "k".into(), model: None };
    assert_eq!(look_up(channel.clone(), "resp_1", "node-secret").await.unwrap(), [maker]);
    assert_eq!(look_up(channel.clone(), "resp_2", "node-secret").await.unwrap(), []);
    let refused = look_up(channel, "resp_1", "another").await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Unauthenticated);
}
