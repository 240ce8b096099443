//! The load: closed loop, open loop, streams. Each returns what one round saw.
//!
//! Invariant: one thread drives clients and mock upstream, on another core than Envoy's.

mod closed;
mod open;
mod stream;

pub(crate) use closed::{Saturated, saturate};
pub(crate) use open::{Latency, open_loop};
pub(crate) use stream::{Streamed, stream};

use crate::error::Error;
use crate::http::Connection;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Where requests go, and which.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// The configuration's name.
    pub(crate) name: &'static str,
    /// Envoy's listener.
    pub(crate) address: SocketAddr,
    /// The request's bytes.
    pub(crate) request: Arc<[u8]>,
    /// Requests that were answered with 200, all targets of a configuration together.
    pub(crate) answered: Arc<AtomicU64>,
}

impl Target {
    /// One request and its reply, which must be a 200.
    pub(crate) async fn exchange(&self, connection: &mut Connection) -> Result<(), Error> {
        connection.send(&self.request).await?;
        let reply = connection.message().await?.ok_or(Error::Protocol("Envoy closed a kept connection"))?;
        self.expect_200(reply.status, reply.body)
    }

    fn expect_200(&self, status: u16, body: &[u8]) -> Result<(), Error> {
        if status != 200 {
            return Err(Error::answer(self.name, status, body));
        }
        self.answered.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Opens so many connections.
    async fn connect(&self, connections: usize) -> Result<Vec<Connection>, Error> {
        let mut open = Vec::with_capacity(connections);
        for _ in 0..connections {
            open.push(Connection::open(self.address).await?);
        }
        Ok(open)
    }
}

/// The value below which `share` of the sorted values lie; 0 if there are none.
pub(crate) fn quantile(sorted: &[u64], share: f64) -> u64 {
    let last = sorted.len().saturating_sub(1);
    // Lengths and shares are small and positive.
    let at = (last as f64 * share).round() as usize;
    sorted.get(at).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::quantile;

    #[test]
    fn quantiles_are_values_that_were_seen() {
        let sorted: Vec<u64> = (1..=101).collect();
        assert_eq!((quantile(&sorted, 0.5), quantile(&sorted, 0.99), quantile(&sorted, 1.0)), (51, 100, 101));
        assert_eq!(quantile(&[], 0.5), 0);
    }
}
