//! Snapshots for tests.

use super::envoy::Gateway;
use crate::node_token::NodeToken;
use crate::snapshot::{Snapshot, Versioned};
use serde_json::json;
use sluice::config::{Provider, Settings};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A resource that last changed at `revision`.
pub(crate) fn versioned<T>(revision: u64, value: T) -> Versioned<T> {
    Versioned { revision, value: Arc::new(value) }
}

/// Settings with a signing key, and everything else as it comes.
pub(crate) fn settings() -> Settings {
    let signing_key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    serde_json::from_value(json!({"key_prefix": "slc-", "signing_key": signing_key})).unwrap()
}

/// An enabled provider.
pub(crate) fn provider(name: &str, base_url: &str) -> Provider {
    serde_json::from_value(json!({"name": name, "dialect": "openai", "base_url": base_url})).unwrap()
}

/// A snapshot of these providers and keys, all of which changed at `revision`.
pub(crate) fn snapshot(revision: u64, providers: &[Provider], keys: &[&str]) -> Snapshot {
    let named = |provider: &Provider| (provider.name.clone(), versioned(revision, provider.clone()));
    let key = |id: &&str| {
        let key = json!({"id": id, "secret_hash": "0".repeat(64), "name": format!("at {revision}")});
        ((*id).to_owned(), versioned(revision, serde_json::from_value(key).unwrap()))
    };
    Snapshot {
        revision,
        settings: versioned(1, settings()),
        providers: providers.iter().map(named).collect(),
        models: BTreeMap::new(),
        keys: keys.iter().map(key).collect(),
    }
}

/// A gateway whose module is a few bytes.
pub(crate) fn gateway() -> Gateway {
    Gateway {
        listen: ([127, 0, 0, 1], 8080).into(),
        module: bytes::Bytes::from_static(b"\0asm"),
        node_token: NodeToken::new(Some("node-secret")),
        ca_file: "/ca.crt".to_owned(),
    }
}
