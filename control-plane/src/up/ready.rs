//! Waits until Envoy serves: its configuration accepted, its workers up and told of keys and providers, its port open.

use super::envoy::Envoy;
use crate::discovery::envoy::type_url::{CLUSTER, EXTENSION, LISTENER, ROUTE};
use crate::fleet::Fleet;
use sluice::config::type_url;
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
    // Loopback is asked directly, whatever proxy the environment names.
    let http = reqwest::Client::builder().no_proxy().build()?;
    let mut tick = tokio::time::interval(PERIOD);
    let serves = async {
        loop {
            tick.tick().await;
            envoy.has_ended()?;
            if !accepted(fleet, node)? || !is_live(&http, envoy).await {
                continue;
            }
            let Some(workers) = workers(&http, envoy).await else { continue };
            if informed(fleet, node)? > workers && TcpStream::connect(gateway).await.is_ok() {
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

/// How many VMs of the module know everything. One is the main thread's, the others are the workers'.
fn informed(fleet: &Fleet, node: &str) -> anyhow::Result<u64> {
    const TYPES: [&str; 4] = [type_url::SETTINGS, type_url::PROVIDER, type_url::MODEL, type_url::KEY];
    let mut count = 0;
    for stream in fleet.streams().iter().filter(|stream| stream.node == node && stream.client != "envoy") {
        if let Some(reason) = stream.types.values().find_map(|status| status.nack.as_ref()) {
            anyhow::bail!("the module refuses its configuration: {reason}");
        }
        let has = |kind| stream.types.get(kind).is_some_and(|status| status.acked >= status.sent);
        count += u64::from(TYPES.into_iter().all(has));
    }
    Ok(count)
}

/// How many workers Envoy runs.
async fn workers(http: &reqwest::Client, envoy: &Envoy) -> Option<u64> {
    let admin = envoy.admin_address()?;
    let answer = http.get(format!("http://{admin}/server_info")).send().await.ok()?;
    let info: serde_json::Value = answer.json().await.ok()?;
    info.pointer("/command_line_options/concurrency")?.as_u64()
}

async fn is_live(http: &reqwest::Client, envoy: &Envoy) -> bool {
    let Some(admin) = envoy.admin_address() else { return false };
    let answer = http.get(format!("http://{admin}/ready")).send().await;
    answer.is_ok_and(|answer| answer.status().is_success())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::{StreamStatus, TypeStatus};
    use std::collections::BTreeMap;

    #[test]
    fn everything_must_be_accepted_and_nothing_refused() {
        let fleet = Fleet::default();
        assert!(!accepted(&fleet, "up").unwrap());
        let types = BTreeMap::new();
        let status = StreamStatus { node: "up".into(), client: "envoy".into(), connected_at: 0, types };
        let stream = fleet.open(status);
        for type_url in [CLUSTER, EXTENSION, LISTENER] {
            fleet.update(stream, type_url, |status| *status = TypeStatus { sent: 2, acked: 2, nack: None });
        }
        assert!(!accepted(&fleet, "up").unwrap());
        fleet.update(stream, ROUTE, |status| status.sent = 2);
        assert!(!accepted(&fleet, "up").unwrap());
        fleet.update(stream, ROUTE, |status| status.acked = 2);
        assert!(accepted(&fleet, "up").unwrap());
        assert!(!accepted(&fleet, "other").unwrap());
        fleet.update(stream, LISTENER, |status| status.nack = Some("port taken".into()));
        assert!(accepted(&fleet, "up").unwrap_err().to_string().contains("port taken"));
    }

    #[test]
    fn a_vm_is_informed_when_it_has_taken_every_type() {
        let fleet = Fleet::default();
        let types = BTreeMap::new();
        let vm =
            StreamStatus { node: "up".into(), client: "0123456789abcdef".into(), connected_at: 0, types };
        let stream = fleet.open(vm);
        for kind in [type_url::SETTINGS, type_url::PROVIDER, type_url::MODEL] {
            fleet.update(stream, kind, |status| *status = TypeStatus { sent: 2, acked: 2, nack: None });
        }
        assert_eq!(informed(&fleet, "up").unwrap(), 0);
        fleet.update(stream, type_url::KEY, |status| status.sent = 2);
        assert_eq!(informed(&fleet, "up").unwrap(), 0);
        fleet.update(stream, type_url::KEY, |status| status.acked = 2);
        assert_eq!(informed(&fleet, "up").unwrap(), 1);
        fleet.update(stream, type_url::KEY, |status| status.nack = Some("bad key".into()));
        assert!(informed(&fleet, "up").unwrap_err().to_string().contains("bad key"));
    }
}
