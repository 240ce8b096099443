//! From log entries to usage records.

use envoy_types::pb::envoy::service::accesslog::v3::StreamAccessLogsMessage;
use envoy_types::pb::envoy::service::accesslog::v3::stream_access_logs_message::LogEntries;
use envoy_types::pb::google::protobuf::{Any, BytesValue};
use prost::{Message as _, Name as _};
use sluice::config::Record;

/// The filter state in which the module leaves a record.
const USAGE_STATE: &str = "wasm.sluice.usage";

/// A record that cannot be read, and why.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    /// For people.
    pub(super) reason: String,
}

/// The records in a message. Entries without one (requests that were no API calls) are none.
pub(super) fn records(message: StreamAccessLogsMessage) -> (Vec<Record>, Vec<Unreadable>) {
    let entries = match message.log_entries {
        Some(LogEntries::HttpLogs(logs)) => logs.log_entry,
        Some(LogEntries::TcpLogs(_)) | None => Vec::new(),
    };
    let mut records = Vec::with_capacity(entries.len());
    let mut unreadable = Vec::new();
    for entry in entries {
        let Some(properties) = entry.common_properties else { continue };
        match properties.filter_state_objects.get(USAGE_STATE).map(decode_record) {
            Some(Ok(record)) => records.push(record),
            Some(Err(reason)) => unreadable.push(Unreadable { reason }),
            None => {}
        }
    }
    (records, unreadable)
}

fn decode_record(any: &Any) -> Result<Record, String> {
    if any.type_url != BytesValue::type_url() {
        return Err(format!("expected {}, got {:?}", BytesValue::type_url(), any.type_url));
    }
    let bytes = BytesValue::decode(any.value.as_slice()).map_err(|error| error.to_string())?;
    serde_json::from_slice(&bytes.value).map_err(|error| error.to_string())
}
