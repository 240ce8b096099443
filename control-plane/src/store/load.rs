//! The whole of what is pushed, read from the database in one go.

use super::{StoreError, providers};
use crate::snapshot::{Snapshot, Versioned};
use serde::de::DeserializeOwned;
use sluice::config::{Key, Model};
use sqlx::SqliteConnection;
use std::sync::Arc;

/// A number as the database holds it. Counts beyond 2^63 do not occur; one made up by a broken module must not stop
/// the records behind it, so it is capped.
pub(super) fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A number as it was before [`stored`].
pub(super) fn count(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or(0)
}

pub(super) fn parse<T: DeserializeOwned>(kind: &'static str, body: &str) -> Result<T, StoreError> {
    serde_json::from_str(body).map_err(|error| StoreError::Corrupt(kind, error.to_string()))
}

pub(super) fn print<T: serde::Serialize>(kind: &'static str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Corrupt(kind, error.to_string()))
}

pub(super) fn versioned<T>(revision: i64, value: T) -> Versioned<T> {
    Versioned { revision: count(revision), value: Arc::new(value) }
}

/// Reads everything. The caller's connection is in a transaction, or nobody writes yet.
pub(super) async fn snapshot(connection: &mut SqliteConnection) -> Result<Snapshot, StoreError> {
    let revision: i64 =
        sqlx::query_scalar("SELECT value FROM revisions WHERE id = 1").fetch_one(&mut *connection).await?;
    let (at, body): (i64, String) = sqlx::query_as("SELECT revision, body FROM settings WHERE id = 1")
        .fetch_one(&mut *connection)
        .await?;
    let settings = versioned(at, parse("settings", &body)?);
    let mut snapshot = Snapshot {
        revision: count(revision),
        settings,
        providers: providers::all(connection).await?,
        models: Default::default(),
        keys: Default::default(),
    };
    let models: Vec<(i64, String)> =
        sqlx::query_as("SELECT revision, body FROM models").fetch_all(&mut *connection).await?;
    for (at, body) in models {
        let model: Model = parse("model", &body)?;
        snapshot.models.insert(model.id.clone(), versioned(at, model));
    }
    let keys: Vec<(i64, String)> =
        sqlx::query_as("SELECT revision, body FROM keys").fetch_all(&mut *connection).await?;
    for (at, body) in keys {
        let key: Key = parse("key", &body)?;
        snapshot.keys.insert(key.id.clone(), versioned(at, key));
    }
    Ok(snapshot)
}
