//! The soak: what a worker takes of memory after very many mixed requests, and whether it goes on growing.
//!
//! Two Envoys do the same for each of their workers, one with one worker, one with two. What the second takes more is what
//! a worker takes: its module's memory, and also what Envoy itself keeps for a worker and its connections.

use crate::configuration::Configuration;
use crate::control::{self, MODELS, NODE_TOKEN};
use crate::envoy::{self, Filter};
use crate::error::Error;
use crate::http::Connection;
use crate::load::Target;
use crate::process::{Process, pin};
use crate::prompt::{self, Size};
use crate::run::{free_port, say, until_ready};
use crate::settings::Settings;
use crate::upstream::{self, Pace};
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

/// How often memory is looked at.
const SAMPLES: u64 = 10;
/// Connections per worker.
const CONNECTIONS: usize = 64;
/// Streams are as short as they can be and still have all their events: time is not what is measured.
const PACE: Pace = Pace { deltas: 20, interval: Duration::from_millis(1) };
/// DESIGN's goal for one worker, in bytes.
const MOST: u64 = 32 << 20;

/// One request of the mix, and the status that it must be answered with.
#[derive(Clone)]
struct Asked {
    request: Arc<[u8]>,
    status: u16,
}

/// What was seen.
pub(crate) struct Soaked {
    requests: u64,
    /// Resident bytes with one worker and with two, after every tenth of the requests; at first before any.
    samples: Vec<[u64; 2]>,
}

/// Soaks an Envoy with one worker, then one with two.
pub(crate) async fn run(settings: &Settings, requests: u64, folder: &Path) -> Result<Soaked, Error> {
    let upstream = upstream::start(PACE).await?;
    let control = control::start(&settings.control_plane, folder.to_owned(), [free_port()?, free_port()?])?;
    let key = control.configure(upstream).await?;
    let mix: Arc<[Asked]> = mix(&key).into();
    let mut seen = [Vec::new(), Vec::new()];
    for (workers, seen) in (1..).zip(&mut seen) {
        say(&format!("soaking {workers} worker(s) with {} requests", requests * u64::from(workers)));
        let filter = Filter::Sluice {
            module: settings.module.clone(),
            control: control.xds,
            token: NODE_TOKEN.to_owned(),
            node: format!("soak-{workers}"),
        };
        let place = folder.join(format!("soak-{workers}"));
        std::fs::create_dir(&place).map_err(Error::io(place.display().to_string()))?;
        let address = free_port()?;
        pin(settings.envoy_core)?;
        let envoy = envoy::start(&settings.envoy, workers, (&filter, address, upstream), &place);
        pin(settings.load_core)?;
        let envoy = envoy?;
        let [model, _] = MODELS;
        let ready = Target {
            name: Configuration::Patch.name(),
            address,
            request: prompt::whole(Size::Small, model, &key),
            answered: Arc::default(),
        };
        until_ready(&ready, &envoy).await?;
        soak(&envoy, (address, workers), &mix, requests, seen).await?;
    }
    let [one, two] = seen;
    Ok(Soaked { requests, samples: one.into_iter().zip(two).map(|(one, two)| [one, two]).collect() })
}

/// Both lanes and both clients, whole and streamed, mostly small and some large, and what is refused.
fn mix(key: &str) -> Vec<Asked> {
    let well = |request| Asked { request, status: 200 };
    let mut mix = Vec::new();
    for model in MODELS {
        for _ in 0..6 {
            mix.push(well(prompt::whole(Size::Small, model, key)));
            mix.push(well(prompt::messages(Size::Small, model, key)));
        }
        mix.push(well(prompt::streamed(model, key)));
        mix.push(well(prompt::streamed_messages(model, key)));
        mix.push(well(prompt::whole(Size::Large, model, key)));
        mix.push(well(prompt::messages(Size::ManyTurns, model, key)));
    }
    mix.push(Asked { request: prompt::whole(Size::Small, "no-such-model", key), status: 404 });
    mix.push(Asked { request: prompt::whole(Size::Small, MODELS[0], "slc-nobody"), status: 401 });
    mix
}

async fn soak(
    envoy: &Process,
    (address, workers): (SocketAddr, u32),
    mix: &Arc<[Asked]>,
    requests: u64,
    seen: &mut Vec<u64>,
) -> Result<(), Error> {
    seen.push(envoy.resident()?);
    for _ in 0..SAMPLES {
        let left = Arc::new(AtomicU64::new(requests * u64::from(workers) / SAMPLES));
        let mut clients = JoinSet::new();
        // New connections for every tenth: what Envoy balances over its workers is connections.
        for first in 0..CONNECTIONS * workers as usize {
            let connection = Connection::open(address).await?;
            clients.spawn(ask((address, connection), mix.clone(), first, left.clone()));
        }
        while let Some(ended) = clients.join_next().await {
            ended.map_err(|_| Error::Protocol("a client was cut short"))??;
        }
        seen.push(envoy.resident()?);
        say(&format!("{:.1} MB", megabytes(seen.last().copied().unwrap_or_default())));
    }
    Ok(())
}

/// One request after the other, beginning somewhere in the mix, as long as there are any left.
async fn ask(
    (address, mut connection): (SocketAddr, Connection),
    mix: Arc<[Asked]>,
    first: usize,
    left: Arc<AtomicU64>,
) -> Result<(), Error> {
    for asked in mix.iter().cycle().skip(first % mix.len()) {
        if left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err() {
            break;
        }
        connection.send(&asked.request).await?;
        let reply = connection.message().await?.ok_or(Error::Protocol("Envoy closed a kept connection"))?;
        if reply.status != asked.status {
            return Err(Error::answer("Sluice", reply.status, reply.body));
        }
        if asked.status != 200 {
            // Envoy may close a connection whose request it has answered before its end.
            connection = Connection::open(address).await?;
        }
    }
    Ok(())
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// Writes the table.
pub(crate) fn write(soaked: &Soaked, out: &mut impl Write) -> std::io::Result<()> {
    writeln!(
        out,
        "Envoy's resident memory in MB. Every worker has 64 connections, and they ask both lanes for chats of Chat and \
         Messages clients, whole and streamed, of 1 KB and some of 100 KB; some are refused.\n"
    )?;
    writeln!(out, "| requests per worker | one worker | two workers | a worker takes | goal |")?;
    writeln!(out, "|---|---|---|---|---|")?;
    for (tenth, [one, two]) in (0..).zip(&soaked.samples) {
        let took = two.saturating_sub(*one);
        writeln!(
            out,
            "| {} | {:.1} | {:.1} | {:.1} | {}< 32 |",
            soaked.requests / SAMPLES * tenth,
            megabytes(*one),
            megabytes(*two),
            megabytes(took),
            if took < MOST { "" } else { "**missed** " },
        )?;
    }
    Ok(())
}
