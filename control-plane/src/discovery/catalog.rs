//! A snapshot as discovery sees it: resources by type URL and name, rendered once for all streams.

use super::envoy::Gateway;
use super::subscription::Versions;
use crate::snapshot::{Snapshot, Versioned};
use envoy_types::pb::google::protobuf::Any;
use prost::Message as _;
use serde::Serialize;
use sha2::{Digest, Sha256};
use sluice::config::{Key, Payload, token, type_url};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One resource, ready to be sent.
#[derive(Debug)]
pub(crate) struct Rendered {
    /// A digest of the content, so that it means the same after a restart, and on another replica.
    pub(crate) version: String,
    /// The resource.
    pub(crate) any: Any,
}

impl Rendered {
    fn new(any: Any) -> Arc<Self> {
        let digest = Sha256::digest(&any.value);
        let version = token::hex(digest.get(..8).unwrap_or(&digest));
        Arc::new(Self { version, any })
    }
}

type Table = BTreeMap<String, Arc<Rendered>>;

/// See the module.
#[derive(Debug)]
pub(crate) struct Catalog {
    snapshot: Arc<Snapshot>,
    tables: BTreeMap<&'static str, Table>,
}

impl Catalog {
    /// Renders `snapshot`; what has not changed since `previous` is taken from there.
    pub(crate) fn new(snapshot: Arc<Snapshot>, previous: Option<&Self>, gateway: Option<&Gateway>) -> Self {
        let mut tables = BTreeMap::new();
        let old = |type_url| previous.and_then(|previous| previous.tables.get(type_url));
        let settings =
            |snapshot: &Snapshot| BTreeMap::from([("settings".to_owned(), snapshot.settings.clone())]);
        let before = previous.map(|previous| &*previous.snapshot);
        let had = before.map(settings);
        tables.insert(
            type_url::SETTINGS,
            render(type_url::SETTINGS, &settings(&snapshot), old(type_url::SETTINGS).zip(had.as_ref())),
        );
        let had = before.map(|before| &before.providers);
        tables.insert(
            type_url::PROVIDER,
            render(type_url::PROVIDER, &snapshot.providers, old(type_url::PROVIDER).zip(had)),
        );
        let had = before.map(|before| &before.models);
        tables.insert(
            type_url::MODEL,
            render(type_url::MODEL, &snapshot.models, old(type_url::MODEL).zip(had)),
        );
        if snapshot.settings.value.push_all_keys {
            let had = before.map(|before| &before.keys);
            tables.insert(type_url::KEY, render(type_url::KEY, &snapshot.keys, old(type_url::KEY).zip(had)));
        }
        if let Some(gateway) = gateway {
            for (type_url, resources) in gateway.resources(&snapshot) {
                let rendered = |(name, any)| (name, Rendered::new(any));
                tables.insert(type_url, resources.into_iter().map(rendered).collect());
            }
        }
        Self { snapshot, tables }
    }

    /// The revision of the snapshot.
    pub(crate) fn revision(&self) -> u64 {
        self.snapshot.revision
    }

    /// Whether this is `snapshot`, rendered.
    pub(crate) fn is_of(&self, snapshot: &Arc<Snapshot>) -> bool {
        Arc::ptr_eq(&self.snapshot, snapshot)
    }

    /// The resources of one type; an unknown type has none.
    pub(crate) fn view<'a>(&'a self, type_url: &'a str) -> View<'a> {
        // Keys that are not all pushed are rendered when somebody asks: a million of them must cost nothing here.
        let on_demand = type_url == type_url::KEY && !self.tables.contains_key(type_url);
        View { table: self.tables.get(type_url), keys: on_demand.then_some(&self.snapshot.keys) }
    }
}

/// The resources of one type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    table: Option<&'a Table>,
    keys: Option<&'a BTreeMap<String, Versioned<Key>>>,
}

impl View<'_> {
    /// One resource.
    pub(crate) fn get(&self, name: &str) -> Option<Arc<Rendered>> {
        let rendered = self.table.and_then(|table| table.get(name)).cloned();
        rendered.or_else(|| payload(type_url::KEY, self.keys?.get(name)?))
    }
}

impl Versions for View<'_> {
    fn all(&self) -> Vec<String> {
        self.table.map(|table| table.keys().cloned().collect()).unwrap_or_default()
    }

    fn version(&self, name: &str) -> Option<String> {
        self.get(name).map(|rendered| rendered.version.clone())
    }
}

fn render<T: Serialize>(
    type_url: &str,
    values: &BTreeMap<String, Versioned<T>>,
    old: Option<(&Table, &BTreeMap<String, Versioned<T>>)>,
) -> Table {
    let render = |(name, value): (&String, &Versioned<T>)| {
        // The value itself tells, not its revision: a provider's token changes without the provider.
        let unchanged = |before: &Versioned<T>| Arc::ptr_eq(&before.value, &value.value);
        let same = old.filter(|(_, values)| values.get(name).is_some_and(unchanged));
        let same = same.and_then(|(table, _)| table.get(name).cloned());
        Some((name.clone(), same.or_else(|| payload(type_url, value))?))
    };
    values.iter().filter_map(render).collect()
}

fn payload<T: Serialize>(type_url: &str, value: &Versioned<T>) -> Option<Arc<Rendered>> {
    match serde_json::to_vec(&*value.value) {
        Ok(json) => {
            let any = Any { type_url: type_url.to_owned(), value: Payload { json }.encode_to_vec() };
            Some(Rendered::new(any))
        }
        Err(error) => {
            // These types are structs of plain members with text keys, so this is a defect, not an input.
            tracing::error!(%error, type_url, "a resource cannot be written as JSON and is not pushed");
            None
        }
    }
}
