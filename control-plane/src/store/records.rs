//! The ledger's rows.
//!
//! Invariant: a row is written once and never changed; writing it again is counted and otherwise ignored. A batch is one
//! transaction, and what it reads is what it writes upon.

use super::{Store, StoreError, load};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sluice::config::{Endpoint, Maker, Record, Usage};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite, Transaction};

/// A record and what it costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Charged {
    /// As the module wrote it.
    pub(crate) record: Record,
    /// Micro-dollars; `None` if what was used has no price.
    pub(crate) cost_micro_usd: Option<u64>,
}

/// A row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    /// The Envoy it came from.
    pub(crate) node: String,
    /// The record and its cost.
    pub(crate) charged: Charged,
}

/// Which rows; absent members do not restrict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    /// [`Record::key`]
    pub(crate) key: Option<String>,
    /// [`Record::model`]
    pub(crate) model: Option<String>,
    /// [`Record::provider`]
    pub(crate) provider: Option<String>,
    /// Unix microseconds, inclusive.
    pub(crate) since_us: Option<u64>,
    /// Unix microseconds, exclusive.
    pub(crate) until_us: Option<u64>,
}

/// The last row of a page: listings go from the newest to the oldest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UsageCursor {
    /// [`Record::started_at_us`]
    pub(crate) started_us: u64,
    /// [`Stored::node`]
    pub(crate) node: String,
    /// [`Record::vm`]
    pub(crate) vm: String,
    /// [`Record::seq`]
    pub(crate) seq: u64,
}

impl Stored {
    /// The cursor of a page that ends here.
    pub(crate) fn cursor(&self) -> UsageCursor {
        let Record { started_at_us, ref vm, seq, .. } = self.charged.record;
        UsageCursor { started_us: started_at_us, node: self.node.clone(), vm: vm.clone(), seq }
    }
}

/// What a summary is grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    /// [`Record::key`]
    Key,
    /// [`Record::model`]
    Model,
    /// [`Record::provider`]
    Provider,
}

/// One group's sums.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sum {
    /// The group; `None` where the records name none.
    pub(crate) group: Option<String>,
    /// Exchanges.
    pub(crate) exchanges: u64,
    /// Of these, answered with a status of 400 or above, or with none.
    pub(crate) failed: u64,
    /// Tokens.
    pub(crate) usage: Usage,
    /// Micro-dollars, of those that have a price.
    pub(crate) cost_micro_usd: u64,
    /// Exchanges whose use has no price.
    pub(crate) unpriced: u64,
}

/// The columns of [`Usage`].
const TOKENS: [&str; 6] =
    ["input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens", "images"];

/// Rows of one statement: 33 values each, well under SQLite's 32,766.
const ROWS: usize = 100;

const INSERT: &str =
    "INSERT INTO records (node, vm, seq, request_id, started_us, key_id, organization, dialect,
    endpoint, requested_model, model, provider, stream, status, error, ttft_us, duration_us, overhead_us,
    input_tokens, cached_tokens, cache_write_tokens, output_tokens, reasoning_tokens, images, usage_source,
    finish_reason, cost_micro_usd, unpriced, attempts, dropped_params, passed_over, reply, background) ";

/// How many who had a reply of one id made are told of: an id is a vendor's, and meant to be made once.
const MAKERS: i64 = 16;

/// What has been booked for a reply that is made in the background.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Booked {
    /// The sum of its rows.
    pub(crate) usage: Usage,
    /// The model that makes it, if a row names it.
    pub(crate) model: Option<String>,
}

/// A batch that is being written.
#[derive(Debug)]
pub(crate) struct Batch(Transaction<'static, Sqlite>);

impl Batch {
    /// Writes rows of the Envoy `node` and tells how many were new.
    pub(crate) async fn insert(&mut self, node: &str, batch: &[Charged]) -> Result<u64, StoreError> {
        let mut rows = Vec::with_capacity(batch.len());
        for charged in batch {
            let record = &charged.record;
            rows.push((
                charged,
                load::print("attempts", &record.attempts)?,
                load::print("dropped_params", &record.dropped_params)?,
                load::print("passed_over", &record.passed_over)?,
                word("usage_source", &record.usage_source)?,
            ));
        }
        let mut inserted = 0;
        for chunk in rows.chunks(ROWS) {
            let mut query = QueryBuilder::<Sqlite>::new(INSERT);
            query.push_values(chunk, |mut values, (charged, attempts, dropped, passed_over, source)| {
                let record = &charged.record;
                values.push_bind(node).push_bind(&record.vm).push_bind(load::stored(record.seq));
                values.push_bind(&record.request_id).push_bind(load::stored(record.started_at_us));
                values.push_bind(&record.key).push_bind(&record.organization);
                values.push_bind(record.dialect.name()).push_bind(record.endpoint.name());
                values
                    .push_bind(&record.requested_model)
                    .push_bind(&record.model)
                    .push_bind(&record.provider);
                values.push_bind(i64::from(record.stream)).push_bind(i64::from(record.status));
                values.push_bind(&record.error).push_bind(record.ttft_us.map(load::stored));
                values
                    .push_bind(load::stored(record.duration_us))
                    .push_bind(load::stored(record.overhead_us));
                let Usage { input, cached, cache_write, output, reasoning, images } = record.usage;
                for count in [input, cached, cache_write, output, reasoning, images] {
                    values.push_bind(load::stored(count));
                }
                values.push_bind(source).push_bind(&record.finish_reason);
                values.push_bind(load::stored(charged.cost_micro_usd.unwrap_or(0)));
                values.push_bind(i64::from(charged.cost_micro_usd.is_none())).push_bind(attempts);
                values.push_bind(dropped).push_bind(passed_over);
                values.push_bind(&record.reply).push_bind(i64::from(record.background));
            });
            query.push(" ON CONFLICT (node, vm, seq) DO NOTHING");
            inserted += query.build().execute(&mut *self.0).await?.rows_affected();
        }
        Ok(inserted)
    }

    /// What has been booked for a reply that `provider` makes in the background.
    pub(crate) async fn booked(&mut self, provider: &str, reply: &str) -> Result<Booked, StoreError> {
        let mut query = QueryBuilder::<Sqlite>::new("SELECT MAX(model) AS model");
        for sum in TOKENS {
            query.push(format_args!(", CAST(COALESCE(SUM({sum}), 0) AS BIGINT) AS {sum}"));
        }
        query.push(" FROM records WHERE background = 1 AND reply = ").push_bind(reply);
        query.push(" AND provider = ").push_bind(provider);
        let row = query.build().fetch_one(&mut *self.0).await?;
        Ok(Booked { usage: usage(&row)?, model: row.try_get("model")? })
    }

    /// Makes it durable.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        Ok(self.0.commit().await?)
    }
}

impl Store {
    /// Begins a batch; no other is written meanwhile.
    pub(crate) async fn begin_records(&self) -> Result<Batch, StoreError> {
        Ok(Batch(self.write.begin_with("BEGIN IMMEDIATE").await?))
    }

    /// Who had the reply of this id made, the newest first.
    pub(crate) async fn makers(&self, reply: &str) -> Result<Vec<Maker>, StoreError> {
        let rows = sqlx::query(
            "SELECT provider, key_id, model FROM records WHERE reply = $1 AND endpoint <> $2
            AND provider IS NOT NULL AND key_id IS NOT NULL
            ORDER BY started_us DESC, node DESC, vm DESC, seq DESC LIMIT $3",
        )
        .bind(reply)
        .bind(Endpoint::StoredResponses.name())
        .bind(MAKERS)
        .fetch_all(&self.read)
        .await?;
        let maker = |row: &SqliteRow| {
            let (provider, key) = (row.try_get("provider")?, row.try_get("key_id")?);
            Ok(Maker { provider, key, model: row.try_get("model")? })
        };
        rows.iter().map(maker).collect()
    }

    /// Up to `limit` rows older than `after`, the newest first.
    pub(crate) async fn records(
        &self,
        filter: &Filter,
        after: Option<&UsageCursor>,
        limit: u32,
    ) -> Result<Vec<Stored>, StoreError> {
        let mut query = QueryBuilder::new("SELECT * FROM records");
        restrict(&mut query, filter);
        if let Some(UsageCursor { started_us, node, vm, seq }) = after {
            query.push(" AND (started_us, node, vm, seq) < (").push_bind(load::stored(*started_us));
            query.push(", ").push_bind(node.clone()).push(", ").push_bind(vm.clone());
            query.push(", ").push_bind(load::stored(*seq)).push(")");
        }
        query
            .push(" ORDER BY started_us DESC, node DESC, vm DESC, seq DESC LIMIT ")
            .push_bind(i64::from(limit));
        query.build().fetch_all(&self.read).await?.iter().map(row).collect()
    }

    /// Sums by group, the dearest first.
    pub(crate) async fn sums(&self, filter: &Filter, group: Group) -> Result<Vec<Sum>, StoreError> {
        let column = match group {
            Group::Key => "key_id",
            Group::Model => "model",
            Group::Provider => "provider",
        };
        let mut query = QueryBuilder::new("SELECT ");
        query.push(column).push(" AS name, COUNT(*) AS exchanges");
        query
            .push(", CAST(SUM(CASE WHEN status = 0 OR status >= 400 THEN 1 ELSE 0 END) AS BIGINT) AS failed");
        for sum in TOKENS.into_iter().chain(["cost_micro_usd", "unpriced"]) {
            query.push(format_args!(", CAST(SUM({sum}) AS BIGINT) AS {sum}"));
        }
        query.push(" FROM records");
        restrict(&mut query, filter);
        query.push(" GROUP BY 1 ORDER BY cost_micro_usd DESC, exchanges DESC, name");
        query.build().fetch_all(&self.read).await?.iter().map(sum).collect()
    }
}

fn restrict(query: &mut QueryBuilder<Sqlite>, filter: &Filter) {
    query.push(" WHERE 1 = 1");
    let Filter { key, model, provider, since_us, until_us } = filter;
    for (column, value) in [("key_id", key), ("model", model), ("provider", provider)] {
        if let Some(value) = value {
            query.push(format_args!(" AND {column} = ")).push_bind(value.clone());
        }
    }
    if let Some(since) = since_us {
        query.push(" AND started_us >= ").push_bind(load::stored(*since));
    }
    if let Some(until) = until_us {
        query.push(" AND started_us < ").push_bind(load::stored(*until));
    }
}

/// An enum's name, as serde writes it.
fn word<T: Serialize>(kind: &'static str, value: &T) -> Result<String, StoreError> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        other => Err(StoreError::Corrupt(kind, format!("expected a word, not {other:?}"))),
    }
}

fn unword<T: DeserializeOwned>(kind: &'static str, word: String) -> Result<T, StoreError> {
    serde_json::from_value(word.into()).map_err(|error| StoreError::Corrupt(kind, error.to_string()))
}

fn usage(row: &SqliteRow) -> Result<Usage, sqlx::Error> {
    let tokens = |column: &str| row.try_get(column).map(load::count);
    Ok(Usage {
        input: tokens("input_tokens")?,
        cached: tokens("cached_tokens")?,
        cache_write: tokens("cache_write_tokens")?,
        output: tokens("output_tokens")?,
        reasoning: tokens("reasoning_tokens")?,
        images: tokens("images")?,
    })
}

fn row(row: &SqliteRow) -> Result<Stored, StoreError> {
    let number = |column: &str| row.try_get(column).map(load::count);
    let record = Record {
        vm: row.try_get("vm")?,
        seq: number("seq")?,
        request_id: row.try_get("request_id")?,
        started_at_us: number("started_us")?,
        key: row.try_get("key_id")?,
        organization: row.try_get("organization")?,
        dialect: unword("dialect", row.try_get("dialect")?)?,
        endpoint: unword("endpoint", row.try_get("endpoint")?)?,
        requested_model: row.try_get("requested_model")?,
        model: row.try_get("model")?,
        provider: row.try_get("provider")?,
        attempts: load::parse("attempts", row.try_get("attempts")?)?,
        stream: number("stream")? != 0,
        reply: row.try_get("reply")?,
        background: number("background")? != 0,
        status: u16::try_from(number("status")?).unwrap_or(0),
        error: row.try_get("error")?,
        ttft_us: row.try_get::<Option<i64>, _>("ttft_us")?.map(load::count),
        duration_us: number("duration_us")?,
        overhead_us: number("overhead_us")?,
        usage: usage(row)?,
        usage_source: unword("usage_source", row.try_get("usage_source")?)?,
        finish_reason: row.try_get("finish_reason")?,
        dropped_params: load::parse("dropped_params", row.try_get("dropped_params")?)?,
        passed_over: load::parse("passed_over", row.try_get("passed_over")?)?,
    };
    let cost_micro_usd = number("cost_micro_usd")?;
    let cost_micro_usd = (number("unpriced")? == 0).then_some(cost_micro_usd);
    Ok(Stored { node: row.try_get("node")?, charged: Charged { record, cost_micro_usd } })
}

fn sum(row: &SqliteRow) -> Result<Sum, StoreError> {
    let number = |column: &str| row.try_get(column).map(load::count);
    Ok(Sum {
        group: row.try_get("name")?,
        exchanges: number("exchanges")?,
        failed: number("failed")?,
        usage: usage(row)?,
        cost_micro_usd: number("cost_micro_usd")?,
        unpriced: number("unpriced")?,
    })
}
