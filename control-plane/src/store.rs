//! The only SQL. Resources and the ledger's rows on SQLite (WAL).
//!
//! Invariants: every change of a resource bumps the revision counter in its own transaction, and is published on the
//! [`Feed`] before the change returns; a provider's credential never leaves through anything but the feed; what is
//! stored has passed `Resource::validate`.

mod error;
mod keys;
mod load;
mod models;
mod providers;
mod records;
mod settings;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use error::StoreError;
pub(crate) use keys::{KeyCursor, KeyRow, NewKey, ShownOnce};
pub(crate) use records::{Booked, Charged, Filter, Group, Stored, Sum, UsageCursor};
pub(crate) use write::{Outcome, Write};

use crate::snapshot::Feed;
use sluice::config::{Model, Provider};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

/// The store; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    read: SqlitePool,
    // SQLite has one writer at a time: queueing here is fair, its busy handler is not.
    write: SqlitePool,
    // Held from the first read of a change until it is published, so that revisions are published in order.
    turn: Arc<Mutex<()>>,
    feed: Feed,
}

impl Store {
    /// Opens (and creates or migrates) the database at a path or `sqlite:` URL. The first start makes the settings,
    /// with a signing key from the operating system's randomness.
    pub(crate) async fn open(url: &str) -> Result<Self, StoreError> {
        let path = match url.strip_prefix("sqlite:") {
            Some(rest) => rest.strip_prefix("//").unwrap_or(rest),
            None if url.contains("://") => {
                return Err(StoreError::Url(url.split("://").next().unwrap_or("").into()));
            }
            None => url,
        };
        create_private(Path::new(path)).map_err(|error| StoreError::File(path.to_owned(), error))?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            // NORMAL may lose commits when the machine loses power; an acknowledged record must not be lost.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10));
        let write = SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await?;
        MIGRATIONS.run(&write).await?;
        settings::ensure(&write).await?;
        let read = SqlitePoolOptions::new().max_connections(4).connect_with(options.read_only(true)).await?;
        let first = load::snapshot(&mut *read.acquire().await?).await?;
        Ok(Self { read, write, turn: Arc::default(), feed: Feed::new(first) })
    }

    /// What is stored now, and every change from now on.
    pub(crate) fn feed(&self) -> Feed {
        self.feed.clone()
    }

    /// Begins a change; nothing is changed until [`Write::commit`].
    pub(crate) async fn begin(&self) -> Result<Write, StoreError> {
        Write::begin(self).await
    }

    /// Whether the database answers.
    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.read).await?;
        Ok(())
    }

    /// Closes the database; what is committed stays.
    pub(crate) async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }

    /// Adds a provider.
    pub(crate) async fn create_provider(&self, provider: Provider) -> Result<(), StoreError> {
        let mut write = self.begin().await?;
        if write.next().providers.contains_key(&provider.name) {
            return Err(StoreError::exists("provider", &provider.name));
        }
        write.put_provider(provider).await?;
        write.commit().await
    }

    /// Adds a model.
    pub(crate) async fn create_model(&self, model: Model) -> Result<(), StoreError> {
        let mut write = self.begin().await?;
        if write.next().models.contains_key(&model.id) {
            return Err(StoreError::exists("model", &model.id));
        }
        write.put_model(model).await?;
        write.commit().await
    }

    /// Adds a key; the token is in the answer and nowhere else.
    pub(crate) async fn create_key(&self, key: NewKey) -> Result<ShownOnce, StoreError> {
        let mut write = self.begin().await?;
        let created = write.add_key(key).await?;
        write.commit().await?;
        Ok(created)
    }
}

/// The database holds credentials: nobody but its owner may read it. SQLite gives its side files the same mode.
fn create_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent)?;
    }
    std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path).map(drop)
}
