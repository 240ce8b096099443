//! The ledger: what was used and what it cost.
//!
//! Invariants: a record is charged once, however often it is delivered; money is integer micro-dollars computed
//! exactly from decimal prices; a batch is committed whole or not at all.

pub(crate) mod csv;
mod price;
#[cfg(test)]
mod tests;
pub(crate) mod time;

use crate::store::{Charged, Filter, Group, Store, StoreError, Stored, Sum, UsageCursor};
use sluice::config::{Record, Usage};

/// The ledger; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    store: Store,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Committed {
    /// Records that are new.
    pub(crate) inserted: u64,
    /// Records that were in the ledger before.
    pub(crate) duplicates: u64,
}

/// Most tokens of one kind in one exchange. Providers' counts are not ours: an absurd one must not make every later
/// sum overflow.
const MAX_TOKENS: u64 = 1 << 40;

impl Ledger {
    /// A ledger in `store`, priced by what `store` holds.
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }

    /// Commits one batch from the Envoy `node`. When it returns, the batch is durable and may be acknowledged.
    pub(crate) async fn commit(&self, node: &str, records: Vec<Record>) -> Result<Committed, StoreError> {
        let snapshot = self.store.feed().current();
        let all = u64::try_from(records.len()).unwrap_or(u64::MAX);
        let batch: Vec<Charged> = records
            .into_iter()
            .map(|mut record| {
                record.usage = capped(record.usage);
                let cost_micro_usd = price::of_record(&record, &snapshot.models);
                Charged { record, cost_micro_usd }
            })
            .collect();
        let inserted = self.store.insert_records(node, &batch).await?;
        Ok(Committed { inserted, duplicates: all.saturating_sub(inserted) })
    }

    /// A page of rows, the newest first.
    pub(crate) async fn rows(
        &self,
        filter: &Filter,
        after: Option<&UsageCursor>,
        limit: u32,
    ) -> Result<Vec<Stored>, StoreError> {
        self.store.records(filter, after, limit).await
    }

    /// Sums by group, the dearest first.
    pub(crate) async fn sums(&self, filter: &Filter, group: Group) -> Result<Vec<Sum>, StoreError> {
        self.store.sums(filter, group).await
    }
}

fn capped(usage: Usage) -> Usage {
    Usage {
        input: usage.input.min(MAX_TOKENS),
        cached: usage.cached.min(MAX_TOKENS),
        cache_write: usage.cache_write.min(MAX_TOKENS),
        output: usage.output.min(MAX_TOKENS),
        reasoning: usage.reasoning.min(MAX_TOKENS),
        images: usage.images.min(MAX_TOKENS),
    }
}
