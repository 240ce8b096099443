//! Closed loop: every connection sends its next request as soon as it has its reply.

use super::Target;
use crate::error::Error;
use crate::process::Process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// What one round of closed loop saw.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Saturated {
    /// Requests per second.
    pub(crate) rate: f64,
    /// Envoy's CPU time per request, in microseconds.
    pub(crate) cpu_us: f64,
    /// Share of its core that Envoy used.
    pub(crate) busy: f64,
}

/// Keeps `connections` busy, first for `warm`, then for `time`, of which the result tells.
pub(crate) async fn saturate(
    target: &Target,
    connections: usize,
    (warm, time): (Duration, Duration),
    envoy: &Process,
) -> Result<Saturated, Error> {
    let done = Arc::new(AtomicU64::new(0));
    let stop = Arc::new(AtomicBool::new(false));
    let mut clients = JoinSet::new();
    for mut connection in target.connect(connections).await? {
        let (target, done, stop) = (target.clone(), done.clone(), stop.clone());
        clients.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                target.exchange(&mut connection).await?;
                done.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<(), Error>(())
        });
    }
    tokio::time::sleep(warm).await;
    let (start, requests, cpu) = (Instant::now(), done.load(Ordering::Relaxed), envoy.cpu_ns()?);
    tokio::time::sleep(time).await;
    let requests = (done.load(Ordering::Relaxed) - requests) as f64;
    let cpu_us = (envoy.cpu_ns()? - cpu) as f64 / 1e3;
    let wall_us = start.elapsed().as_secs_f64() * 1e6;
    stop.store(true, Ordering::Relaxed);
    while let Some(ended) = clients.join_next().await {
        ended.map_err(|_| Error::Protocol("a client was cut short"))??;
    }
    Ok(Saturated {
        rate: requests / wall_us * 1e6,
        cpu_us: cpu_us / requests.max(1.0),
        busy: cpu_us / wall_us,
    })
}
