//! What is known of the Envoys that are connected: written by discovery, shown by the admin API.

use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use utoipa::ToSchema;

/// One discovery stream: Envoy itself, or one VM of the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct StreamStatus {
    /// Envoy's node id.
    pub(crate) node: String,
    /// `envoy`, or the module's VM id (16 hex digits).
    pub(crate) client: String,
    /// Unix seconds at which it connected.
    pub(crate) connected_at: u64,
    /// By type URL.
    pub(crate) types: BTreeMap<String, TypeStatus>,
}

/// The state of one resource type on one stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct TypeStatus {
    /// The newest revision that was sent.
    pub(crate) sent: u64,
    /// The newest revision that was acknowledged.
    pub(crate) acked: u64,
    /// Why the last refused response was refused; cleared by the next acknowledgement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) nack: Option<String>,
}

/// The fleet; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fleet(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    streams: BTreeMap<u64, StreamStatus>,
    next: u64,
    key_lookups: u64,
    malformed_records: u64,
}

impl Fleet {
    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        // Every change below leaves the state whole, so a panic elsewhere cannot have broken it.
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A stream opened; the handle names it until [`Fleet::close`].
    pub(crate) fn open(&self, status: StreamStatus) -> u64 {
        self.with(|state| {
            state.next += 1;
            state.streams.insert(state.next, status);
            state.next
        })
    }

    /// Changes the state of one type on one stream.
    pub(crate) fn update(&self, stream: u64, type_url: &str, change: impl FnOnce(&mut TypeStatus)) {
        self.with(|state| {
            if let Some(status) = state.streams.get_mut(&stream) {
                change(status.types.entry(type_url.to_owned()).or_default());
            }
        });
    }

    /// A stream ended.
    pub(crate) fn close(&self, stream: u64) {
        self.with(|state| state.streams.remove(&stream));
    }

    /// All streams that are open.
    #[must_use]
    pub(crate) fn streams(&self) -> Vec<StreamStatus> {
        self.with(|state| state.streams.values().cloned().collect())
    }

    /// Counts one key look-up by a module.
    pub(crate) fn count_key_lookup(&self) {
        self.with(|state| state.key_lookups += 1);
    }

    /// Key look-ups since the start.
    #[must_use]
    pub(crate) fn key_lookups(&self) -> u64 {
        self.with(|state| state.key_lookups)
    }

    /// Counts one usage record that could not be read, and tells how many there have been.
    pub(crate) fn count_malformed_record(&self) -> u64 {
        self.with(|state| {
            state.malformed_records += 1;
            state.malformed_records
        })
    }
}
