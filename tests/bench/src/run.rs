//! The run: everything is started, then measured in turns, round after round.
//!
//! Invariant: within a round every configuration is measured in the same way and at nearly the same time, so that what
//! disturbs the machine disturbs all of them.

use crate::configuration::Configuration;
use crate::control::{self, ControlPlane, MODELS, NODE_TOKEN};
use crate::envoy::{self, Filter};
use crate::error::Error;
use crate::http::Connection;
use crate::load::{Latency, Saturated, Streamed, Target, open_loop, saturate, stream};
use crate::process::{Process, core_ns, pin};
use crate::prompt::{self, Size};
use crate::settings::Settings;
use crate::upstream::{self, Pace};
use serde::Serialize;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long an Envoy may take to compile its module and learn its key.
const PATIENCE: Duration = Duration::from_secs(60);
/// V8 compiles hot functions again, and better, in the first seconds.
const WARM_UP: Duration = Duration::from_secs(1);
/// Records are flushed several times a second.
const SETTLING: Duration = Duration::from_secs(2);
/// Between two deltas of a stream.
const INTERVAL: Duration = Duration::from_millis(5);
/// Connections of the open loop: more than are ever busy unless Envoy stalls.
const OPEN_CONNECTIONS: usize = 64;

/// One configuration that runs.
struct Lane {
    envoy: Process,
    whole: [Target; Size::ALL.len()],
    streamed: Target,
    seen: SeenOfOne,
    answered: Arc<AtomicU64>,
}

/// What was seen of one configuration, a value per round.
#[derive(Debug)]
pub(crate) struct SeenOfOne {
    /// Whose this is.
    pub(crate) configuration: Configuration,
    /// Closed loop, per size.
    pub(crate) closed: [Vec<Saturated>; Size::ALL.len()],
    /// Open loop.
    pub(crate) open: Vec<Latency>,
    /// Streams.
    pub(crate) streams: Vec<Streamed>,
    /// Envoy's resident memory before the first request, in bytes.
    pub(crate) resident_at_start: u64,
    /// The same at the end.
    pub(crate) resident: u64,
}

/// What was seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Per configuration, the references first.
    pub(crate) lanes: Vec<SeenOfOne>,
    /// Sluice's records.
    pub(crate) records: Option<Records>,
    /// Share of Envoy's core that other processes used.
    pub(crate) foreign: f64,
}

/// Whether what was measured was also recorded.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Records {
    /// Requests that Sluice answered.
    pub(crate) answered: u64,
    /// Records of them in the ledger.
    pub(crate) held: u64,
}

impl SeenOfOne {
    fn of(configuration: Configuration) -> Self {
        let (closed, open, streams) = Default::default();
        Self { configuration, closed, open, streams, resident_at_start: 0, resident: 0 }
    }
}

/// Starts everything and measures. `folder` holds configurations, logs and the ledger.
pub(crate) async fn run(settings: &Settings, folder: &Path) -> Result<Seen, Error> {
    let pace = Pace { deltas: settings.deltas(), interval: INTERVAL };
    let (control, mut lanes) = start_all(settings, pace, folder).await?;
    if settings.hold.is_some() {
        hold(settings, &lanes).await?;
        return Ok(Seen::default());
    }
    for lane in &lanes {
        warm_up(settings, pace, lane).await?;
    }
    let before = foreign_ns(settings, &lanes)?;
    let start = Instant::now();
    for round in 0..settings.rounds() {
        say(&format!("round {} of {}", round + 1, settings.rounds()));
        // Every configuration comes first, last and between in turn.
        let first = usize::from(round > 0).min(lanes.len());
        lanes.rotate_left(first);
        measure(settings, pace, &mut lanes).await?;
    }
    let foreign_ns = foreign_ns(settings, &lanes)?.saturating_sub(before) as f64;
    let foreign = foreign_ns / start.elapsed().as_nanos() as f64;
    for lane in &mut lanes {
        lane.seen.resident = lane.envoy.resident()?;
    }
    let records = match &control {
        Some(control) => Some(count_records(control, &lanes).await?),
        None => None,
    };
    let mut lanes: Vec<SeenOfOne> = lanes.into_iter().map(|lane| lane.seen).collect();
    lanes.sort_by_key(|seen| seen.configuration);
    Ok(Seen { lanes, records, foreign })
}

/// Starts mock upstream, control plane and the Envoys that are wanted.
async fn start_all(
    settings: &Settings,
    pace: Pace,
    folder: &Path,
) -> Result<(Option<ControlPlane>, Vec<Lane>), Error> {
    say("starting control plane and Envoys");
    let upstream = upstream::start(pace).await?;
    let mut control = None;
    let mut key = "none".to_owned();
    if !settings.floor_only {
        let ports = [free_port()?, free_port()?];
        let started = control::start(&settings.control_plane, folder.to_owned(), ports)?;
        key = started.configure(upstream).await?;
        control = Some(started);
    }
    let mut lanes = Vec::new();
    for configuration in Configuration::ALL {
        if settings.hold.is_some_and(|only| only != configuration) {
            continue;
        }
        let Some(filter) = filter(configuration, settings, control.as_ref()) else { continue };
        lanes.push(start(configuration, &filter, &key, upstream, (settings, folder)).await?);
    }
    Ok((control, lanes))
}

/// How long Envoy's core has worked for others.
fn foreign_ns(settings: &Settings, lanes: &[Lane]) -> Result<u64, Error> {
    let mut foreign = core_ns(settings.envoy_core)?;
    for lane in lanes {
        foreign = foreign.saturating_sub(lane.envoy.cpu_ns()?);
    }
    Ok(foreign)
}

/// Waits until the ledger holds a record of every request, or no longer grows.
async fn count_records(control: &ControlPlane, lanes: &[Lane]) -> Result<Records, Error> {
    let is_sluice =
        |lane: &&Lane| !matches!(lane.seen.configuration, Configuration::Bare | Configuration::Noop);
    let answered = lanes.iter().filter(is_sluice).map(|lane| lane.answered.load(Ordering::Relaxed)).sum();
    let mut before = 0;
    loop {
        let held = control.records().await?;
        if held >= answered || held == before {
            return Ok(Records { answered, held });
        }
        before = held;
        tokio::time::sleep(SETTLING).await;
    }
}

/// Loads one Envoy, a second per round.
async fn hold(settings: &Settings, lanes: &[Lane]) -> Result<(), Error> {
    let at = Size::ALL.iter().position(|size| *size == settings.size).unwrap_or_default();
    let span = (Duration::ZERO, Duration::from_secs(1));
    let Some(lane) = lanes.first() else { return Ok(()) };
    let Some(target) = lane.whole.get(at) else { return Ok(()) };
    for _ in 0..settings.rounds() {
        let Saturated { rate, cpu_us, busy } =
            saturate(target, settings.connections, span, &lane.envoy).await?;
        say(&format!(
            "process {}: {rate:.0} requests/s, {cpu_us:.1} µs each, {busy:.2} of a core",
            lane.envoy.id()
        ));
    }
    Ok(())
}

async fn warm_up(settings: &Settings, pace: Pace, lane: &Lane) -> Result<(), Error> {
    say(&format!("warming up: {}", lane.seen.configuration.name()));
    for target in &lane.whole {
        saturate(target, settings.connections, (Duration::ZERO, WARM_UP), &lane.envoy).await?;
    }
    stream(&lane.streamed, settings.streams, pace, &lane.envoy).await?;
    Ok(())
}

async fn measure(settings: &Settings, pace: Pace, lanes: &mut [Lane]) -> Result<(), Error> {
    let times = settings.times();
    for size in 0..Size::ALL.len() {
        for Lane { envoy, whole, seen, .. } in &mut *lanes {
            let (Some(target), Some(closed)) = (whole.get(size), seen.closed.get_mut(size)) else { continue };
            closed.push(saturate(target, settings.connections, (times.warm, times.closed), envoy).await?);
        }
    }
    for Lane { whole: [small, ..], seen, .. } in &mut *lanes {
        seen.open.push(open_loop(small, OPEN_CONNECTIONS, settings.rate, times.open).await?);
    }
    for Lane { streamed, envoy, seen, .. } in &mut *lanes {
        seen.streams.push(stream(streamed, settings.streams, pace, envoy).await?);
    }
    Ok(())
}

/// What stands in a configuration's Envoy; `None` for Sluice if there is no control plane.
fn filter(
    configuration: Configuration,
    settings: &Settings,
    control: Option<&ControlPlane>,
) -> Option<Filter> {
    let sluice = |node: &str| {
        let control = control?.xds;
        let module = settings.module.clone();
        Some(Filter::Sluice { module, control, token: NODE_TOKEN.to_owned(), node: node.to_owned() })
    };
    match configuration {
        Configuration::Bare => Some(Filter::None),
        Configuration::Noop => Some(Filter::Noop { module: settings.noop.clone() }),
        Configuration::Patch => sluice("bench-patch"),
        Configuration::Translate => sluice("bench-translate"),
    }
}

async fn start(
    configuration: Configuration,
    filter: &Filter,
    key: &str,
    upstream: SocketAddr,
    (settings, folder): (&Settings, &Path),
) -> Result<Lane, Error> {
    let folder = folder.join(format!("{configuration:?}"));
    std::fs::create_dir(&folder).map_err(Error::io(folder.display().to_string()))?;
    let address = free_port()?;
    pin(settings.envoy_core)?;
    let envoy = envoy::start(&settings.envoy, 1, (filter, address, upstream), &folder);
    pin(settings.load_core)?;
    let [patched, crossed] = MODELS;
    let model = if configuration == Configuration::Translate { crossed } else { patched };
    let name = configuration.name();
    let answered = Arc::new(AtomicU64::new(0));
    let target = |request| Target { name, address, request, answered: answered.clone() };
    let mut lane = Lane {
        envoy: envoy?,
        whole: Size::ALL.map(|size| target(prompt::whole(size, model, key))),
        streamed: target(prompt::streamed(model, key)),
        answered: answered.clone(),
        seen: SeenOfOne::of(configuration),
    };
    let [small, ..] = &lane.whole;
    until_ready(small, &lane.envoy).await?;
    lane.seen.resident_at_start = lane.envoy.resident()?;
    Ok(lane)
}

/// Waits until an Envoy answers a request as it should.
pub(crate) async fn until_ready(target: &Target, envoy: &Process) -> Result<(), Error> {
    let start = Instant::now();
    loop {
        let Err(error) = attempt(target).await else { return Ok(()) };
        if start.elapsed() > PATIENCE {
            return Err(Error::NotReady {
                who: target.name.to_owned(),
                seconds: PATIENCE.as_secs(),
                why: error.to_string(),
                log: envoy.log.clone(),
            });
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn attempt(target: &Target) -> Result<(), Error> {
    let mut connection = Connection::open(target.address).await?;
    target.exchange(&mut connection).await
}

/// A port of the loopback interface that nobody uses at this moment.
pub(crate) fn free_port() -> Result<SocketAddr, Error> {
    let failed = || Error::io("looking for a free port");
    TcpListener::bind(("127.0.0.1", 0)).map_err(failed())?.local_addr().map_err(failed())
}

/// Progress goes to standard error, so that the tables stand alone on standard output.
pub(crate) fn say(line: &str) {
    // Nothing is left to tell that standard error is gone.
    let _ = writeln!(std::io::stderr(), "{line}");
}
