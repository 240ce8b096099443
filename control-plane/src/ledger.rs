//! The ledger: what was used and what it cost.
//!
//! Invariants: a record is charged once, however often it is delivered, and a reply that is made in the background once, however
//! many exchanges saw what it used; money is integer micro-dollars computed
//! exactly from decimal prices; a batch is committed whole or not at all.

pub(crate) mod csv;
mod price;
#[cfg(test)]
mod tests;
pub(crate) mod time;

use crate::store::{Booked, Charged, Filter, Group, Store, StoreError, Stored, Sum, UsageCursor};
use sluice::config::{Endpoint, Maker, Record, Usage, UsageSource};

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
        let charged = |mut record: Record| {
            record.usage = capped(record.usage);
            let cost_micro_usd = price::of_record(&record, &snapshot.models);
            Charged { record, cost_micro_usd }
        };
        let (late, plain): (Vec<Record>, Vec<Record>) =
            records.into_iter().partition(|record| record.background);
        let plain: Vec<Charged> = plain.into_iter().map(charged).collect();
        let mut batch = self.store.begin_records().await?;
        let mut inserted = batch.insert(node, &plain).await?;
        for mut record in late {
            if let (Some(provider), Some(reply)) = (&record.provider, &record.reply) {
                let booked = batch.booked(provider, reply).await?;
                settle(&mut record, booked);
            }
            if let (Some(provider), Some(model)) = (&record.provider, &record.model)
                && record.endpoint == Endpoint::StoredResponses
                && let Some(public) = price::sold_as(model, provider, &snapshot.models)
            {
                // What the reply calls its model is the provider's own name for it.
                record.model = Some(public);
            }
            inserted += batch.insert(node, &[charged(record)]).await?;
        }
        batch.commit().await?;
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

    /// Who had the reply made that a provider keeps under this id, the newest first.
    pub(crate) async fn makers(&self, reply: &str) -> Result<Vec<Maker>, StoreError> {
        self.store.makers(reply).await
    }

    /// Sums by group, the dearest first.
    pub(crate) async fn sums(&self, filter: &Filter, group: Group) -> Result<Vec<Sum>, StoreError> {
        self.store.sums(filter, group).await
    }
}

/// Leaves of a background reply's usage what has not been booked for it. What was booked from a part that was seen is not
/// taken back if it was too much.
fn settle(record: &mut Record, booked: Booked) {
    if record.usage_source != UsageSource::None {
        let told = record.model.take();
        // Who had it made named the model; who looks at it has at most the provider's name of it.
        let looks = record.endpoint == Endpoint::StoredResponses;
        record.model = if looks { booked.model.or(told) } else { told.or(booked.model) };
    }
    let (all, past) = (record.usage, booked.usage);
    record.usage = Usage {
        input: all.input.saturating_sub(past.input),
        cached: all.cached.saturating_sub(past.cached),
        cache_write: all.cache_write.saturating_sub(past.cache_write),
        output: all.output.saturating_sub(past.output),
        reasoning: all.reasoning.saturating_sub(past.reasoning),
        images: all.images.saturating_sub(past.images),
    };
    if record.usage == Usage::default() && record.usage != all {
        record.usage_source = UsageSource::None;
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
