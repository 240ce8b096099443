//! The command line.

use crate::configuration::Configuration;
use crate::prompt::Size;
use clap::Parser;
use std::path::PathBuf;
use std::time::Duration;

/// Measures bare Envoy, Envoy with a no-op filter and Sluice side by side.
#[derive(Debug, Clone, Parser)]
#[command(name = "sluice-bench")]
pub(crate) struct Settings {
    /// Envoy 1.39 or newer.
    #[arg(long, env = "ENVOY", default_value = ".envoy/1.40.0/envoy")]
    pub(crate) envoy: PathBuf,
    /// Sluice's module.
    #[arg(long, default_value = "target/wasm32-wasip1/wasm/sluice.wasm")]
    pub(crate) module: PathBuf,
    /// The no-op filter.
    #[arg(long, default_value = "target/wasm32-wasip1/wasm/sluice_bench_noop.wasm")]
    pub(crate) noop: PathBuf,
    /// The control plane.
    #[arg(long, default_value = "target/release/sluice")]
    pub(crate) control_plane: PathBuf,
    /// Writes every figure to this file as well.
    #[arg(long)]
    pub(crate) json: Option<PathBuf>,
    /// About a minute instead of six, and more noise.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Leaves Sluice out: bare Envoy and the no-op filter only.
    #[arg(long)]
    pub(crate) floor_only: bool,
    /// Only loads this configuration, a second per round, for a profiler to look at.
    #[arg(long)]
    pub(crate) hold: Option<Configuration>,
    /// With --hold: the size of the requests.
    #[arg(long, default_value = "small")]
    pub(crate) size: Size,
    /// Only asks so many mixed requests of each of one and of two workers, and tells what memory a worker takes.
    #[arg(long)]
    pub(crate) soak: Option<u64>,
    /// Rounds, each of which measures every configuration.
    #[arg(long)]
    rounds: Option<usize>,
    /// Connections of the closed loop.
    #[arg(long, default_value_t = 32)]
    pub(crate) connections: usize,
    /// Requests per second of the open loop.
    #[arg(long, default_value_t = 2_000)]
    pub(crate) rate: u32,
    /// Streams at a time.
    #[arg(long, default_value_t = 64)]
    pub(crate) streams: usize,
    /// Deltas of each stream.
    #[arg(long)]
    deltas: Option<usize>,
    /// The core that Envoy gets.
    #[arg(long, default_value_t = 0)]
    pub(crate) envoy_core: usize,
    /// The core for clients, mock upstream and control plane.
    #[arg(long, default_value_t = 1)]
    pub(crate) load_core: usize,
}

/// How long each measurement takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    /// Closed loop, before it counts.
    pub(crate) warm: Duration,
    /// Closed loop.
    pub(crate) closed: Duration,
    /// Open loop.
    pub(crate) open: Duration,
}

impl Settings {
    /// Rounds.
    pub(crate) fn rounds(&self) -> usize {
        self.rounds.unwrap_or(if self.quick { 3 } else { 7 })
    }

    /// Deltas of each stream.
    pub(crate) fn deltas(&self) -> usize {
        self.deltas.unwrap_or(if self.quick { 100 } else { 400 })
    }

    /// How long each measurement takes.
    pub(crate) fn times(&self) -> Times {
        let ms = Duration::from_millis;
        if self.quick {
            Times { warm: ms(100), closed: ms(500), open: ms(1_000) }
        } else {
            Times { warm: ms(250), closed: ms(2_000), open: ms(2_500) }
        }
    }
}
