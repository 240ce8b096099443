//! Streams side by side, of which the mock upstream sends a delta at a time.

use super::{Target, quantile};
use crate::error::Error;
use crate::http::Connection;
use crate::process::Process;
use crate::upstream::Pace;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Streams begin so long after each other, so that their deltas do not come all at once.
const STAGGER: Duration = Duration::from_millis(5);

/// What one round of streams saw.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Streamed {
    /// Envoy's CPU time per delta, in microseconds, that of the requests around them included.
    pub(crate) cpu_us: f64,
    /// From the request to the first byte of the reply's body, in microseconds: the median.
    pub(crate) first_p50_us: f64,
    /// The 99th percentile of the same.
    pub(crate) first_p99_us: f64,
}

/// Reads so many streams at a time.
pub(crate) async fn stream(
    target: &Target,
    streams: usize,
    pace: Pace,
    envoy: &Process,
) -> Result<Streamed, Error> {
    let mut clients = JoinSet::new();
    let connections = target.connect(streams).await?;
    let cpu = envoy.cpu_ns()?;
    let start = Instant::now();
    for (at, connection) in (0..).zip(connections) {
        clients.spawn(client(target.clone(), connection, start + STAGGER * at, pace.deltas));
    }
    let mut first = Vec::with_capacity(streams);
    while !clients.is_empty() {
        // Keeps this core awake: what is measured is Envoy's delay, not a sleeping reader's.
        match clients.try_join_next() {
            Some(ended) => first.push(ended.map_err(|_| Error::Protocol("a client was cut short"))??),
            None => tokio::task::yield_now().await,
        }
    }
    let cpu_us = (envoy.cpu_ns()? - cpu) as f64 / 1e3;
    first.sort_unstable();
    Ok(Streamed {
        cpu_us: cpu_us / (streams * pace.deltas).max(1) as f64,
        first_p50_us: quantile(&first, 0.5) as f64 / 1e3,
        first_p99_us: quantile(&first, 0.99) as f64 / 1e3,
    })
}

/// One stream; returns the nanoseconds until its first byte.
async fn client(
    target: Target,
    mut connection: Connection,
    due: Instant,
    deltas: usize,
) -> Result<u64, Error> {
    tokio::time::sleep_until(due.into()).await;
    let sent = Instant::now();
    connection.send(&target.request).await?;
    let mut first = None;
    let mut events = Events::default();
    let status = connection
        .stream(|data| {
            first.get_or_insert_with(|| sent.elapsed());
            events.count(data);
        })
        .await?;
    target.expect_200(status, b"")?;
    if events.seen < deltas {
        return Err(Error::Protocol("a stream with too few events"));
    }
    Ok(first.map_or(0, |first| u64::try_from(first.as_nanos()).unwrap_or(u64::MAX)))
}

/// Counts server-sent events by the blank lines behind them.
#[derive(Debug, Default)]
struct Events {
    seen: usize,
    /// The last byte was a line's end.
    at_line_end: bool,
}

impl Events {
    fn count(&mut self, data: &[u8]) {
        let mut next_line = 0;
        for at in memchr::memchr_iter(b'\n', data) {
            let is_blank = at == next_line && (at > 0 || self.at_line_end);
            self.seen += usize::from(is_blank);
            next_line = at + 1;
        }
        if let Some(last) = data.last() {
            self.at_line_end = *last == b'\n';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Events;

    #[test]
    fn events_are_counted_however_they_are_cut() {
        let stream = b"event: a\ndata: 1\n\ndata: 2\n\n: ping\n\n";
        for cut in 0..=stream.len() {
            let mut events = Events::default();
            let (first, second) = stream.split_at(cut);
            events.count(first);
            events.count(second);
            assert_eq!(events.seen, 3, "cut at {cut}");
        }
    }
}
