//! The report as Markdown tables, as they stand in the README.

use super::{Closed, Figure, Memory, Open, Report, Streams};
use crate::run::Records;
use std::io::{Result, Write};

/// From this share of Envoy's core on, other processes spoil the figures.
const DISTURBED: f64 = 0.05;

/// Writes the tables.
pub(crate) fn write(report: &Report, out: &mut impl Write) -> Result<()> {
    writeln!(
        out,
        "One Envoy worker on one core; clients, mock upstream and control plane on another. Medians of {} rounds \
         (smallest–largest in brackets); configurations alternate within a round, and ratios are taken within it. Other \
         processes used {:.0} % of Envoy's core meanwhile{}.\n",
        report.rounds,
        report.foreign * 100.0,
        if report.foreign > DISTURBED {
            ": too much for these figures to be trusted, latencies least of all"
        } else {
            ""
        },
    )?;
    closed(report, out)?;
    open(report, out)?;
    streams(report, out)?;
    memory(report, out)?;
    match report.records {
        Some(Records { answered, held }) => {
            writeln!(out, "\nThe ledger holds {held} records of {answered} requests through Sluice.")
        }
        None => Ok(()),
    }
}

fn closed(report: &Report, out: &mut impl Write) -> Result<()> {
    writeln!(
        out,
        "| {} connections, closed loop | | requests/s | CPU µs/request | core busy | throughput per core, no-op = 1 | goal |",
        report.connections
    )?;
    writeln!(out, "|---|---|--:|--:|--:|--:|--:|")?;
    for Closed {
        size,
        configuration,
        requests_per_second,
        cpu_us_per_request,
        core_busy,
        throughput_per_core,
        goal,
    } in &report.closed
    {
        writeln!(
            out,
            "| {size} | {} | {:.0} | {} | {:.0} % | {:.2} | {} |",
            configuration.name(),
            requests_per_second.median,
            ranged(*cpu_us_per_request),
            core_busy.median * 100.0,
            throughput_per_core.median,
            judged("≥", *goal, 2, |goal| throughput_per_core.median >= goal),
        )?;
    }
    writeln!(out)
}

fn open(report: &Report, out: &mut impl Write) -> Result<()> {
    writeln!(
        out,
        "| 1 KB, open loop, {} requests/s wanted | requests/s | p50 µs | p99 µs | added p50 | goal | added p99 | goal |",
        report.rate
    )?;
    writeln!(out, "|---|--:|--:|--:|--:|--:|--:|--:|")?;
    for Open { configuration, requests_per_second, p50_us, p99_us, added_p50_us, added_p99_us, goal } in
        &report.open
    {
        writeln!(
            out,
            "| {} | {:.0} | {} | {} | {:.0} | {} | {:.0} | {} |",
            configuration.name(),
            requests_per_second.median,
            ranged(*p50_us),
            ranged(*p99_us),
            added_p50_us.median,
            judged("≤", goal.map(|goal| goal.0), 0, |goal| added_p50_us.median <= goal),
            added_p99_us.median,
            judged("≤", goal.map(|goal| goal.1), 0, |goal| added_p99_us.median <= goal),
        )?;
    }
    writeln!(out)
}

fn streams(report: &Report, out: &mut impl Write) -> Result<()> {
    writeln!(
        out,
        "| {} streams of {} deltas | CPU µs/delta | bare = 1 | goal | first token p50 µs | p99 µs | added p50 | goal |",
        report.streams_at_a_time, report.deltas
    )?;
    writeln!(out, "|---|--:|--:|--:|--:|--:|--:|--:|")?;
    for row in &report.streams {
        let Streams { per_delta, added_first_token_us: added, .. } = row;
        writeln!(
            out,
            "| {} | {} | {:.2} | {} | {} | {} | {:.0} | {} |",
            row.configuration.name(),
            ranged(row.cpu_us_per_delta),
            per_delta.median,
            judged("≤", row.per_delta_goal, 1, |goal| per_delta.median <= goal),
            ranged(row.first_token_p50_us),
            ranged(row.first_token_p99_us),
            added.median,
            judged("≤", row.added_first_token_goal_us, 0, |goal| added.median <= goal),
        )?;
    }
    writeln!(out)
}

fn memory(report: &Report, out: &mut impl Write) -> Result<()> {
    writeln!(out, "| Envoy's resident memory, MB | before the first load | at the end |")?;
    writeln!(out, "|---|--:|--:|")?;
    for Memory { configuration, resident_at_start_mb, resident_mb } in &report.memory {
        writeln!(out, "| {} | {resident_at_start_mb:.0} | {resident_mb:.0} |", configuration.name())?;
    }
    Ok(())
}

fn ranged(figure: Figure) -> String {
    let digits = usize::from(figure.median < 100.0);
    format!("{:.digits$} ({:.digits$}–{:.digits$})", figure.median, figure.min, figure.max)
}

/// A goal, and a mark where it is missed.
fn judged(sign: &str, goal: Option<f64>, digits: usize, met: impl FnOnce(f64) -> bool) -> String {
    match goal {
        None => String::new(),
        Some(goal) if met(goal) => format!("{sign} {goal:.digits$}"),
        Some(goal) => format!("**{sign} {goal:.digits$} missed**"),
    }
}
