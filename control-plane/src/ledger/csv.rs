//! Rows as CSV.
//!
//! Invariant: text that clients chose cannot become a formula in a spreadsheet.

use super::time;
use crate::store::{Charged, Stored};
use csv::Writer;
use sluice::config::{PassedOver, Usage, UsageSource};
use std::borrow::Cow;
use std::io;

const COLUMNS: [&str; 28] = [
    "started_at",
    "request_id",
    "key",
    "organization",
    "dialect",
    "endpoint",
    "requested_model",
    "model",
    "provider",
    "attempts",
    "stream",
    "status",
    "error",
    "ttft_us",
    "duration_us",
    "overhead_us",
    "input_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "images",
    "usage_source",
    "finish_reason",
    "cost_usd",
    "dropped_params",
    "passed_over",
    "reply",
];

/// The line that names the columns.
pub(crate) fn header() -> String {
    COLUMNS.join(",") + "\n"
}

/// One line per row.
pub(crate) fn lines(rows: &[Stored]) -> io::Result<Vec<u8>> {
    let mut writer = Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(fields(&row.charged).iter().map(|field| field.as_bytes()))?;
    }
    writer.into_inner().map_err(csv::IntoInnerError::into_error)
}

fn fields(Charged { record, cost_micro_usd }: &Charged) -> [Cow<'_, str>; COLUMNS.len()] {
    let Usage { input, cached, cache_write, output, reasoning, images } = record.usage;
    [
        time::format(record.started_at_us).into(),
        text(Some(&record.request_id)),
        text(record.key.as_ref()),
        text(record.organization.as_ref()),
        record.dialect.name().into(),
        record.endpoint.name().into(),
        text(record.requested_model.as_ref()),
        text(record.model.as_ref()),
        text(record.provider.as_ref()),
        record.attempts.len().to_string().into(),
        if record.stream { "true" } else { "false" }.into(),
        record.status.to_string().into(),
        text(record.error.as_ref()),
        record.ttft_us.map(|us| us.to_string()).unwrap_or_default().into(),
        record.duration_us.to_string().into(),
        record.overhead_us.to_string().into(),
        input.to_string().into(),
        cached.to_string().into(),
        cache_write.to_string().into(),
        output.to_string().into(),
        reasoning.to_string().into(),
        images.to_string().into(),
        source(record.usage_source).into(),
        text(record.finish_reason.as_ref()),
        cost_micro_usd.map(dollars).unwrap_or_default().into(),
        plain(record.dropped_params.join(" ").into()),
        plain(passed_over(&record.passed_over).into()),
        text(record.reply.as_ref()),
    ]
}

/// US dollars.
fn dollars(micro_usd: u64) -> String {
    format!("{}.{:06}", micro_usd / 1_000_000, micro_usd % 1_000_000)
}

/// `provider/model:lacks`, a space between them.
fn passed_over(steps: &[PassedOver]) -> String {
    let word = |step: &PassedOver| format!("{}/{}:{}", step.provider, step.model, step.lacks);
    steps.iter().map(word).collect::<Vec<_>>().join(" ")
}

const fn source(source: UsageSource) -> &'static str {
    match source {
        UsageSource::None => "none",
        UsageSource::Provider => "provider",
        UsageSource::Deferred => "deferred",
        UsageSource::Estimated => "estimated",
        UsageSource::Partial => "partial",
    }
}

fn text(text: Option<&String>) -> Cow<'_, str> {
    plain(text.map_or("", String::as_str).into())
}

/// Spreadsheets run what begins like a formula; an apostrophe makes it text.
fn plain(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}").into() } else { text }
}
