//! Usage records on their way to the control plane: collected, and sent in batches as an access-log stream of the VM's own.
//!
//! The stream is Envoy's gRPC access log service, and each record is an entry whose filter state carries it, so the control
//! plane need not know who writes. Envoy's own logger would describe the whole exchange a second time, for each record, and
//! drop what it cannot send (`docs/decisions/0007-records-on-a-stream-of-the-vm.md`).
//!
//! Invariant: the records of a VM leave in the order of their sequence numbers; when the control plane is away, at most
//! [`MAX_BYTES`] of them wait.

use prost::Message;
use std::collections::VecDeque;

/// The service's name.
pub const SERVICE: &str = "envoy.service.accesslog.v3.AccessLogService";
/// The service's method.
pub const METHOD: &str = "StreamAccessLogs";

/// The filter state that carries a record.
const STATE: &str = "wasm.sluice.usage";
const BYTES_VALUE: &str = "type.googleapis.com/google.protobuf.BytesValue";
/// What the log is called.
const LOG_NAME: &str = "sluice";
/// What may wait, in bytes of records.
pub const MAX_BYTES: usize = 64 << 20;
/// What one message may hold, in bytes of records.
const MAX_BATCH: usize = 1 << 20;

/// Records that wait.
#[derive(Debug, Default)]
pub struct Outbox {
    records: VecDeque<Vec<u8>>,
    bytes: usize,
    lost: u64,
}

impl Outbox {
    /// Puts a record in. Where there is no room, the oldest make it: `false` says so.
    pub fn push(&mut self, record: Vec<u8>) -> bool {
        self.bytes += record.len();
        self.records.push_back(record);
        let before = self.lost;
        while self.bytes > MAX_BYTES
            && let Some(oldest) = self.records.pop_front()
        {
            self.bytes -= oldest.len();
            self.lost += 1;
        }
        self.lost == before
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Records that had to make room, ever.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.lost
    }

    /// The next message, or `None` if nothing waits. `node` is named in the first message of a stream.
    pub fn take(&mut self, node: Option<&str>) -> Option<Vec<u8>> {
        let mut size = 0;
        let mut entries = Vec::new();
        while let Some(record) = self.records.front() {
            size += record.len();
            if size > MAX_BATCH && !entries.is_empty() {
                break;
            }
            entries.extend(self.records.pop_front().map(|record| {
                self.bytes -= record.len();
                Entry::of(record)
            }));
        }
        if entries.is_empty() {
            return None;
        }
        let identifier = node.map(|node| Identifier {
            node: Some(Node { id: node.to_owned() }),
            log_name: LOG_NAME.to_owned(),
        });
        Some(Envelope { identifier, logs: Some(Logs { entries }) }.encode_to_vec())
    }
}

/// `envoy.service.accesslog.v3.StreamAccessLogsMessage`
#[derive(Clone, PartialEq, Message)]
struct Envelope {
    #[prost(message, optional, tag = "1")]
    identifier: Option<Identifier>,
    #[prost(message, optional, tag = "2")]
    logs: Option<Logs>,
}

#[derive(Clone, PartialEq, Message)]
struct Identifier {
    #[prost(message, optional, tag = "1")]
    node: Option<Node>,
    #[prost(string, tag = "2")]
    log_name: String,
}

#[derive(Clone, PartialEq, Message)]
struct Node {
    #[prost(string, tag = "1")]
    id: String,
}

#[derive(Clone, PartialEq, Message)]
struct Logs {
    #[prost(message, repeated, tag = "1")]
    entries: Vec<Entry>,
}

/// `envoy.data.accesslog.v3.HTTPAccessLogEntry`
#[derive(Clone, PartialEq, Message)]
struct Entry {
    #[prost(message, optional, tag = "1")]
    common: Option<Common>,
}

#[derive(Clone, PartialEq, Message)]
struct Common {
    /// A map of one entry, as maps travel.
    #[prost(message, repeated, tag = "21")]
    filter_state: Vec<Named>,
}

#[derive(Clone, PartialEq, Message)]
struct Named {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, optional, tag = "2")]
    value: Option<Any>,
}

#[derive(Clone, PartialEq, Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct Bytes {
    #[prost(bytes = "vec", tag = "1")]
    value: Vec<u8>,
}

impl Entry {
    fn of(record: Vec<u8>) -> Self {
        let value = Bytes { value: record }.encode_to_vec();
        let any = Any { type_url: BYTES_VALUE.to_owned(), value };
        let state = Named { key: STATE.to_owned(), value: Some(any) };
        Self { common: Some(Common { filter_state: vec![state] }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(message: &[u8]) -> Vec<Vec<u8>> {
        let entries = Envelope::decode(message).unwrap().logs.unwrap().entries;
        entries
            .into_iter()
            .map(|entry| {
                let any = entry.common.unwrap().filter_state.remove(0).value.unwrap();
                Bytes::decode(any.value.as_slice()).unwrap().value
            })
            .collect()
    }

    #[test]
    fn records_leave_in_order_and_once() {
        let mut outbox = Outbox::default();
        assert_eq!(outbox.take(Some("n")), None);
        for record in [b"a", b"b"] {
            assert!(outbox.push(record.to_vec()));
        }
        let message = outbox.take(Some("n")).unwrap();
        assert_eq!(records(&message), [b"a", b"b"]);
        let identifier = Envelope::decode(message.as_slice()).unwrap().identifier.unwrap();
        assert_eq!((identifier.node.unwrap().id, identifier.log_name), ("n".into(), "sluice".into()));
        assert!(outbox.is_empty());
        assert!(outbox.push(b"c".to_vec()));
        assert_eq!(Envelope::decode(outbox.take(None).unwrap().as_slice()).unwrap().identifier, None);
    }

    #[test]
    fn messages_have_a_size_that_the_control_plane_takes() {
        let mut outbox = Outbox::default();
        for _ in 0..5 {
            assert!(outbox.push(vec![b'x'; MAX_BATCH / 2]));
        }
        // One that is larger than a batch still goes.
        assert!(outbox.push(vec![b'y'; MAX_BATCH * 2]));
        let counts: Vec<usize> =
            std::iter::from_fn(|| outbox.take(None)).map(|message| records(&message).len()).collect();
        assert_eq!(counts, [2, 2, 1, 1]);
    }

    #[test]
    fn what_waits_is_bounded_and_what_is_lost_is_counted() {
        let mut outbox = Outbox::default();
        for _ in 0..64 {
            assert!(outbox.push(vec![b'x'; 1 << 20]));
        }
        assert!(!outbox.push(b"new".to_vec()));
        assert_eq!((outbox.lost(), outbox.bytes), (1, (63 << 20) + 3));
    }
}
