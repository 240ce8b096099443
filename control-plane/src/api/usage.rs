//! What was used: rows, sums, and the rows as CSV.

use super::body::Params;
use super::error::{ApiError, ErrorBody};
use super::page::{self, List, Page};
use crate::ledger::{Ledger, csv, time};
use crate::serve::Shared;
use crate::store::{Charged, Filter, Group, Stored, Sum, UsageCursor};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sluice::config::{AttemptRecord, Dialect, Endpoint, PassedOver, Record, Usage, UsageSource};
use utoipa::{IntoParams, ToSchema};

/// Rows read at once for CSV: what is in memory of an export of any length.
const CHUNK: u32 = 500;

/// Which rows, and which page of them.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RowParams {
    /// A key's id.
    key: Option<String>,
    /// The model that served.
    model: Option<String>,
    /// The provider that served.
    provider: Option<String>,
    /// From this time on: RFC 3339, or Unix seconds.
    since: Option<String>,
    /// Before this time.
    until: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Rows of a page, 1 to 1000; 100 if absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// Which rows, as CSV.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct FilterParams {
    /// A key's id.
    key: Option<String>,
    /// The model that served.
    model: Option<String>,
    /// The provider that served.
    provider: Option<String>,
    /// From this time on: RFC 3339, or Unix seconds.
    since: Option<String>,
    /// Before this time.
    until: Option<String>,
}

/// Which rows, and what they are summed by.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SumParams {
    /// What is summed by.
    #[param(inline)]
    by: By,
    /// A key's id.
    key: Option<String>,
    /// The model that served.
    model: Option<String>,
    /// The provider that served.
    provider: Option<String>,
    /// From this time on: RFC 3339, or Unix seconds.
    since: Option<String>,
    /// Before this time.
    until: Option<String>,
}

/// What is summed by.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum By {
    /// The key.
    Key,
    /// The model that served.
    Model,
    /// The provider that served.
    Provider,
}

/// One exchange. Times are microseconds.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct UsageRow {
    /// The Envoy.
    node: String,
    /// The module's VM.
    vm: String,
    /// Its count of records.
    seq: u64,
    /// What the client saw as `x-sluice-request-id`.
    request_id: String,
    /// When the request arrived, RFC 3339.
    started_at: String,
    /// The key's id.
    key: Option<String>,
    /// The organization that pays.
    organization: Option<String>,
    /// The client's dialect.
    dialect: Dialect,
    /// What was called.
    endpoint: Endpoint,
    /// The model the client asked for.
    requested_model: Option<String>,
    /// The model that served.
    model: Option<String>,
    /// The provider that served.
    provider: Option<String>,
    /// Whether the client asked for a stream.
    stream: bool,
    /// The status the client got; 0 if it left before.
    status: u16,
    /// The `code` of the error the client got.
    error: Option<String>,
    /// Request headers to first token.
    ttft_us: Option<u64>,
    /// Request headers to the end.
    duration_us: u64,
    /// Time spent in the module itself.
    overhead_us: u64,
    /// Tokens.
    usage: Usage,
    /// Where `usage` comes from.
    usage_source: UsageSource,
    /// Why the model stopped.
    finish_reason: Option<String>,
    /// Millionths of a US dollar; `null` if it is not known: the catalog had no such model.
    cost_micro_usd: Option<u64>,
    /// Every try, in order.
    attempts: Vec<AttemptRecord>,
    /// JSON paths that the upstream's dialect could not carry.
    dropped_params: Vec<String>,
    /// Steps of the plan that were left out because they cannot do what the request needs.
    passed_over: Vec<PassedOver>,
    /// The id under which the provider keeps the reply that was made, or that the call was about.
    reply: Option<String>,
    /// Whether that reply is made in the background; `usage` is then what had not been booked for it yet.
    background: bool,
}

/// Sums of one group.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SumView {
    /// The key's id, the model or the provider; `null` where the records name none.
    group: Option<String>,
    /// Exchanges.
    exchanges: u64,
    /// Of these, the ones that failed.
    failed: u64,
    /// Tokens.
    usage: Usage,
    /// Millionths of a US dollar, of the exchanges whose cost is known.
    cost_micro_usd: u64,
    /// Exchanges whose cost is not known.
    unpriced: u64,
}

impl From<Stored> for UsageRow {
    fn from(Stored { node, charged: Charged { record, cost_micro_usd } }: Stored) -> Self {
        let Record { vm, seq, request_id, started_at_us, key, organization, dialect, endpoint, .. } = record;
        let Record { requested_model, model, provider, attempts, stream, status, error, .. } = record;
        let Record {
            ttft_us,
            duration_us,
            overhead_us,
            usage,
            usage_source,
            finish_reason,
            dropped_params,
            passed_over,
            reply,
            background,
            ..
        } = record;
        let started_at = time::format(started_at_us);
        Self {
            node,
            vm,
            seq,
            request_id,
            started_at,
            key,
            organization,
            dialect,
            endpoint,
            requested_model,
            model,
            provider,
            stream,
            status,
            error,
            ttft_us,
            duration_us,
            overhead_us,
            usage,
            usage_source,
            finish_reason,
            cost_micro_usd,
            attempts,
            dropped_params,
            passed_over,
            reply,
            background,
        }
    }
}

impl From<Sum> for SumView {
    fn from(Sum { group, exchanges, failed, usage, cost_micro_usd, unpriced }: Sum) -> Self {
        Self { group, exchanges, failed, usage, cost_micro_usd, unpriced }
    }
}

impl FilterParams {
    fn filter(self) -> Result<Filter, ApiError> {
        let Self { key, model, provider, since, until } = self;
        let read = |name: &'static str, text: Option<String>| {
            let refused = || ApiError::invalid(name, "a time as RFC 3339 or Unix seconds");
            text.map(|text| time::parse(&text).ok_or_else(refused)).transpose()
        };
        let (since_us, until_us) = (read("since", since)?, read("until", until)?);
        Ok(Filter { key, model, provider, since_us, until_us })
    }
}

/// A page of exchanges, the newest first.
#[utoipa::path(
    get, path = "/admin/v1/usage", tag = "usage", params(RowParams),
    responses((status = 200, body = Page<UsageRow>), (status = 400, body = ErrorBody))
)]
pub(super) async fn rows(
    State(shared): State<Shared>,
    Params(RowParams { key, model, provider, since, until, cursor, limit }): Params<RowParams>,
) -> Result<Json<Page<UsageRow>>, ApiError> {
    let filter = FilterParams { key, model, provider, since, until }.filter()?;
    let (limit, after) = (page::limit(limit)?, page::decode(cursor.as_deref())?);
    let mut rows = shared.ledger.rows(&filter, after.as_ref(), limit + 1).await?;
    let next_cursor = page::cut(&mut rows, limit, Stored::cursor);
    Ok(Json(Page { data: rows.into_iter().map(UsageRow::from).collect(), next_cursor }))
}

/// Sums by key, model or provider, the dearest first.
#[utoipa::path(
    get, path = "/admin/v1/usage/summary", tag = "usage", params(SumParams),
    responses((status = 200, body = List<SumView>), (status = 400, body = ErrorBody))
)]
pub(super) async fn summary(
    State(shared): State<Shared>,
    Params(SumParams { by, key, model, provider, since, until }): Params<SumParams>,
) -> Result<Json<List<SumView>>, ApiError> {
    let filter = FilterParams { key, model, provider, since, until }.filter()?;
    let group = match by {
        By::Key => Group::Key,
        By::Model => Group::Model,
        By::Provider => Group::Provider,
    };
    let sums = shared.ledger.sums(&filter, group).await?;
    Ok(Json(List { data: sums.into_iter().map(SumView::from).collect() }))
}

/// All exchanges as CSV, the newest first.
#[utoipa::path(
    get, path = "/admin/v1/usage.csv", tag = "usage", params(FilterParams),
    responses((status = 200, description = "One line per exchange", body = String, content_type = "text/csv"), (status = 400, body = ErrorBody))
)]
pub(super) async fn csv(
    State(shared): State<Shared>,
    Params(params): Params<FilterParams>,
) -> Result<Response, ApiError> {
    let filter = params.filter()?;
    let ledger = shared.ledger;
    let lines = async_stream::try_stream! {
        yield Bytes::from(csv::header());
        let mut after = None;
        loop {
            let (chunk, next) = chunk(&ledger, &filter, after.as_ref()).await?;
            yield chunk;
            match next {
                Some(_) => after = next,
                None => break,
            }
        }
    };
    let lines: std::pin::Pin<Box<dyn futures::Stream<Item = std::io::Result<Bytes>> + Send>> =
        Box::pin(lines);
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"sluice-usage.csv\""),
    ];
    Ok((headers, Body::from_stream(lines)).into_response())
}

/// One chunk of lines, and where the next begins.
async fn chunk(
    ledger: &Ledger,
    filter: &Filter,
    after: Option<&UsageCursor>,
) -> std::io::Result<(Bytes, Option<UsageCursor>)> {
    let rows = ledger.rows(filter, after, CHUNK).await.map_err(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "the export was cut");
        std::io::Error::other("the export was cut")
    })?;
    // A page that is not full is the last one.
    let full = u32::try_from(rows.len()).is_ok_and(|rows| rows == CHUNK);
    let next = rows.last().filter(|_| full).map(Stored::cursor);
    Ok((csv::lines(&rows)?.into(), next))
}
