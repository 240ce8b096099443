//! Waits until Envoy serves: its configuration accepted, its workers up, its port open.

use super::envoy::Envoy;
use crate::discovery::envoy::type_url::{CLUSTER, EXTENSION, LISTENER, ROUTE};
use crate::fleet::Fleet;
use anyhow::Context as _;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;

/// Compiling the filter takes the longest: well under a second on a machine with nothing else to do.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between looks; there is nothing to be told by.
const PERIOD: Duration = Duration::from_millis(25);

/// Completes when `gateway` serves; fails when Envoy ends, refuses its configuration or takes too long.
pub(super) async fn wait(
    envoy: &mut Envoy,
    fleet: &Fleet,
    node: &str,
    gateway: SocketAddr,
) -> anyhow::Result<()> {
    let mut tick = tokio::time::interval(PERIOD);
    let serves = async {
        loop {
            tick.tick().await;
            envoy.has_ended()?;
            if accepted(fleet, node)? && is_live(envoy).await && TcpStream::connect(gateway).await.is_ok() {
                return anyhow::Ok(());
            }
        }
    };
    let served = tokio::time::timeout(PATIENCE, serves).await;
    served.unwrap_or_else(|_| {
        let seconds = PATIENCE.as_secs();
        Err(anyhow::anyhow!("Envoy does not serve after {seconds} s; {}", envoy.last_words()))
    })
}

/// Whether Envoy has taken everything it was sent; an error if it has refused any of it.
fn accepted(fleet: &Fleet, node: &str) -> anyhow::Result<bool> {
    let streams = fleet.streams();
    let Some(stream) = streams.iter().find(|stream| stream.node == node && stream.client == "envoy") else {
        return Ok(false);
    };
    for (type_url, status) in &stream.types {
        if let Some(reason) = &status.nack {
            anyhow::bail!("Envoy refuses its configuration ({type_url}): {reason}");
        }
    }
    let has = |type_url| stream.types.get(type_url).is_some_and(|status| status.acked >= status.sent);
    Ok([CLUSTER, EXTENSION, LISTENER, ROUTE].into_iter().all(has))
}

async fn is_live(envoy: &Envoy) -> bool {
    let Some(admin) = envoy.admin_address() else { return false };
    let answer = reqwest::get(format!("http://{admin}/ready")).await.context("asking Envoy");
    answer.is_ok_and(|answer| answer.status().is_success())
}
