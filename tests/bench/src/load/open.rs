//! Open loop: requests leave by the clock, whether replies come or not.
//!
//! Invariant: a request's latency counts from when it was due, not from when it could be sent. A gateway that stalls is
//! charged for every request that was due meanwhile.

use super::{Target, quantile};
use crate::error::Error;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// What one round of open loop saw.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Latency {
    /// The median latency in microseconds.
    pub(crate) p50_us: f64,
    /// The 99th percentile.
    pub(crate) p99_us: f64,
    /// Requests per second that were completed.
    pub(crate) rate: f64,
}

/// Sends `rate` requests a second for `time`, over so many connections at most.
pub(crate) async fn open_loop(
    target: &Target,
    connections: usize,
    rate: u32,
    time: Duration,
) -> Result<Latency, Error> {
    let (idle, mut idles) = mpsc::unbounded_channel();
    for connection in target.connect(connections).await? {
        // The receiver is here.
        let _ = idle.send(Ok(connection));
    }
    let (seen, mut latencies) = mpsc::unbounded_channel();
    let start = Instant::now();
    let mut due = start;
    while due < start + time {
        // Timers are too coarse for this, and a thread that sleeps wakes late.
        while Instant::now() < due {
            tokio::task::yield_now().await;
        }
        let mut connection = idles.recv().await.ok_or(Error::Protocol("no connection is left"))??;
        let (target, idle, seen, was_due) = (target.clone(), idle.clone(), seen.clone(), due);
        tokio::spawn(async move {
            let done = target.exchange(&mut connection).await;
            // Receivers that are gone have failed already.
            let _ = seen.send(was_due.elapsed());
            let _ = idle.send(done.map(|()| connection));
        });
        due += Duration::from_secs(1) / rate;
    }
    for _ in 0..connections {
        idles.recv().await.ok_or(Error::Protocol("no connection is left"))??;
    }
    let elapsed = start.elapsed().as_secs_f64();
    drop(seen);
    let mut sorted = Vec::new();
    while let Some(latency) = latencies.recv().await {
        sorted.push(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
    }
    sorted.sort_unstable();
    let us = |share| quantile(&sorted, share) as f64 / 1e3;
    Ok(Latency { p50_us: us(0.5), p99_us: us(0.99), rate: sorted.len() as f64 / elapsed })
}
