//! What is printed: medians over the rounds, ratios within a round, DESIGN's goals beside them.

mod markdown;

pub(crate) use markdown::write;

use crate::configuration::Configuration;
use crate::prompt::Size;
use crate::run::{Records, Seen, SeenOfOne};
use serde::Serialize;

/// A figure over all rounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Figure {
    /// The middle one.
    pub(crate) median: f64,
    /// The smallest one.
    pub(crate) min: f64,
    /// The largest one.
    pub(crate) max: f64,
}

impl Figure {
    fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = values.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
        let half = sorted.len() / 2;
        let median =
            if sorted.len() % 2 == 1 { at(half) } else { f64::midpoint(at(half.wrapping_sub(1)), at(half)) };
        Self { median, min: at(0), max: at(sorted.len().wrapping_sub(1)) }
    }
}

/// One configuration, one size, closed loop.
#[derive(Debug, Serialize)]
pub(crate) struct Closed {
    size: &'static str,
    configuration: Configuration,
    requests_per_second: Figure,
    cpu_us_per_request: Figure,
    core_busy: Figure,
    /// Throughput per core as a share of the no-op filter's in the same round.
    throughput_per_core: Figure,
    goal: Option<f64>,
}

/// One configuration, open loop.
#[derive(Debug, Serialize)]
pub(crate) struct Open {
    configuration: Configuration,
    requests_per_second: Figure,
    p50_us: Figure,
    p99_us: Figure,
    added_p50_us: Figure,
    added_p99_us: Figure,
    goal: Option<(f64, f64)>,
}

/// One configuration, streams.
#[derive(Debug, Serialize)]
pub(crate) struct Streams {
    configuration: Configuration,
    cpu_us_per_delta: Figure,
    /// As a multiple of bare Envoy's in the same round.
    per_delta: Figure,
    per_delta_goal: Option<f64>,
    first_token_p50_us: Figure,
    first_token_p99_us: Figure,
    added_first_token_us: Figure,
    added_first_token_goal_us: Option<f64>,
}

/// One configuration's Envoy.
#[derive(Debug, Serialize)]
pub(crate) struct Memory {
    configuration: Configuration,
    resident_at_start_mb: f64,
    resident_mb: f64,
}

/// Everything that is printed.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    rounds: usize,
    connections: usize,
    rate: u32,
    streams_at_a_time: usize,
    deltas: usize,
    closed: Vec<Closed>,
    open: Vec<Open>,
    streams: Vec<Streams>,
    memory: Vec<Memory>,
    records: Option<Records>,
    /// Share of Envoy's core that other processes used meanwhile.
    foreign: f64,
}

impl Report {
    /// Sums up. The first two lanes are the references: bare Envoy and the no-op filter.
    pub(crate) fn new(seen: &Seen, settings: &crate::settings::Settings) -> Self {
        let mut report = Self {
            rounds: settings.rounds(),
            connections: settings.connections,
            rate: settings.rate,
            streams_at_a_time: settings.streams,
            deltas: settings.deltas(),
            closed: Vec::new(),
            open: Vec::new(),
            streams: Vec::new(),
            memory: Vec::new(),
            records: seen.records,
            foreign: seen.foreign,
        };
        let seen = &seen.lanes;
        let [bare, noop, ..] = seen.as_slice() else { return report };
        for (at, size) in Size::ALL.into_iter().enumerate() {
            report.closed.extend(seen.iter().filter_map(|one| closed(one, noop, size, at)));
        }
        report.open.extend(seen.iter().map(|one| open(one, bare)));
        report.streams.extend(seen.iter().map(|one| streams(one, bare)));
        let mb = |bytes: u64| bytes as f64 / 1e6;
        report.memory.extend(seen.iter().map(|one| Memory {
            configuration: one.configuration,
            resident_at_start_mb: mb(one.resident_at_start),
            resident_mb: mb(one.resident),
        }));
        report
    }
}

fn closed(one: &SeenOfOne, noop: &SeenOfOne, size: Size, at: usize) -> Option<Closed> {
    let (mine, floor) = (one.closed.get(at)?, noop.closed.get(at)?);
    Some(Closed {
        size: size.name(),
        configuration: one.configuration,
        requests_per_second: Figure::of(mine.iter().map(|round| round.rate)),
        cpu_us_per_request: Figure::of(mine.iter().map(|round| round.cpu_us)),
        core_busy: Figure::of(mine.iter().map(|round| round.busy)),
        throughput_per_core: Figure::of(
            mine.iter().zip(floor).map(|(mine, floor)| floor.cpu_us / mine.cpu_us),
        ),
        goal: one.configuration.least_throughput(size),
    })
}

fn open(one: &SeenOfOne, bare: &SeenOfOne) -> Open {
    let pairs = || one.open.iter().zip(&bare.open);
    Open {
        configuration: one.configuration,
        requests_per_second: Figure::of(one.open.iter().map(|round| round.rate)),
        p50_us: Figure::of(one.open.iter().map(|round| round.p50_us)),
        p99_us: Figure::of(one.open.iter().map(|round| round.p99_us)),
        added_p50_us: Figure::of(pairs().map(|(mine, bare)| mine.p50_us - bare.p50_us)),
        added_p99_us: Figure::of(pairs().map(|(mine, bare)| mine.p99_us - bare.p99_us)),
        goal: one.configuration.most_latency(),
    }
}

fn streams(one: &SeenOfOne, bare: &SeenOfOne) -> Streams {
    let pairs = || one.streams.iter().zip(&bare.streams);
    Streams {
        configuration: one.configuration,
        cpu_us_per_delta: Figure::of(one.streams.iter().map(|round| round.cpu_us)),
        per_delta: Figure::of(pairs().map(|(mine, bare)| mine.cpu_us / bare.cpu_us)),
        per_delta_goal: one.configuration.most_per_delta(),
        first_token_p50_us: Figure::of(one.streams.iter().map(|round| round.first_p50_us)),
        first_token_p99_us: Figure::of(one.streams.iter().map(|round| round.first_p99_us)),
        added_first_token_us: Figure::of(pairs().map(|(mine, bare)| mine.first_p50_us - bare.first_p50_us)),
        added_first_token_goal_us: one.configuration.most_first_delay(),
    }
}

#[cfg(test)]
mod tests {
    use super::Figure;

    #[test]
    fn medians_are_the_middle() {
        let odd = Figure::of([3.0, 1.0, 2.0]);
        assert_eq!((odd.median, odd.min, odd.max), (2.0, 1.0, 3.0));
        assert_eq!(Figure::of([4.0, 1.0, 2.0, 3.0]).median, 2.5);
        assert!(Figure::of([]).median.is_nan());
    }
}
