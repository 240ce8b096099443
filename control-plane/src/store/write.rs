//! One change: a transaction, the revision it makes, and the snapshot that is published when it commits.

use super::{Store, StoreError, load};
use crate::snapshot::{Feed, Snapshot};
use sqlx::{Sqlite, SqliteConnection, Transaction};
use tokio::sync::OwnedMutexGuard;

/// A change under way. Dropped without [`Write::commit`], it leaves no trace: that is what a dry run is.
pub(crate) struct Write {
    tx: Transaction<'static, Sqlite>,
    next: Snapshot,
    changed: bool,
    feed: Feed,
    turn: OwnedMutexGuard<()>,
}

/// What became of one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// It is new.
    Create,
    /// It differs from what was stored.
    Update,
    /// It is what was stored.
    Unchanged,
}

impl Write {
    pub(super) async fn begin(store: &Store) -> Result<Self, StoreError> {
        let turn = store.turn.clone().lock_owned().await;
        // IMMEDIATE: a transaction that reads first and writes later would be refused, not queued, behind another.
        let mut tx = store.write.begin_with("BEGIN IMMEDIATE").await?;
        let revision: i64 =
            sqlx::query_scalar("UPDATE revisions SET value = value + 1 WHERE id = 1 RETURNING value")
                .fetch_one(&mut *tx)
                .await?;
        let current = store.feed.current();
        let mut next = (*current).clone();
        if load::count(revision) != current.revision + 1 {
            // Someone else changed the database.
            next = load::snapshot(&mut tx).await?;
        }
        next.revision = load::count(revision);
        Ok(Self { tx, next, changed: false, feed: store.feed.clone(), turn })
    }

    /// What will be published.
    pub(crate) fn next(&self) -> &Snapshot {
        &self.next
    }

    pub(super) fn revision(&self) -> i64 {
        load::stored(self.next.revision)
    }

    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.tx
    }

    /// The snapshot, for the change that has just been written.
    pub(super) fn change(&mut self) -> &mut Snapshot {
        self.changed = true;
        &mut self.next
    }

    /// Commits and publishes. A change of nothing is no new revision.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        let Self { tx, next, changed, feed, turn } = self;
        if !changed {
            return Ok(tx.rollback().await?);
        }
        // A caller that goes away must not come between the commit and its publication.
        let committing = tokio::spawn(async move {
            tx.commit().await?;
            feed.publish(next);
            drop(turn);
            Ok(())
        });
        committing.await.unwrap_or_else(|_| Err(StoreError::Database(sqlx::Error::WorkerCrashed)))
    }
}
