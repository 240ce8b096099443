//! `sluice up`: everything on one machine, from nothing to a first answered request.
//!
//! Invariants: it ends what it started, in every way it can end itself; it prints the key only to standard output;
//! what it says is ready has answered.

mod envoy;
mod locate;
mod offer;
mod orphan;
mod provision;
mod ready;
mod summary;

use crate::serve::{self, Running};
use crate::settings::{LogFormat, Secret, Serve, StateDir, gateway};
use crate::simulator;
use anyhow::Context as _;
use clap::Args;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use summary::Summary;

/// The node id of the one Envoy. Each of its VMs has a random id, so records of several runs do not collide.
const NODE: &str = "up";

/// Settings of `sluice up`.
#[derive(Debug, Clone, Args)]
pub(crate) struct Up {
    /// Where clients reach the gateway; port 0 picks a free one.
    #[arg(long, env = "SLUICE_LISTEN", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Address of the admin API; port 0 picks a free one.
    #[arg(long, env = "SLUICE_ADMIN_ADDRESS", default_value = "127.0.0.1:8081")]
    admin_address: SocketAddr,
    /// Address of discovery, key look-up and usage records (gRPC); port 0 picks a free one.
    #[arg(long, env = "SLUICE_XDS_ADDRESS", default_value = "127.0.0.1:0")]
    xds_address: SocketAddr,
    /// Token of the admin API. Default: generated at the first start, kept in the state directory.
    #[arg(long, env = "SLUICE_ADMIN_TOKEN", hide_env_values = true)]
    admin_token: Option<Secret>,
    /// The Envoy binary. Default: what `make envoy` fetched, then `envoy` on the PATH.
    #[arg(long, env = "ENVOY")]
    envoy: Option<PathBuf>,
    /// The filter. Default: what `make wasm` built, then `sluice.wasm` beside this program.
    #[arg(long, env = "SLUICE_MODULE")]
    module: Option<PathBuf>,
    /// Envoy's worker threads. Default: one per core.
    #[arg(long, env = "SLUICE_CONCURRENCY")]
    concurrency: Option<u32>,
    /// Certificate authorities that providers are checked against. Default: the system's.
    #[arg(long, env = "SLUICE_CA_FILE")]
    ca_file: Option<String>,
    /// Where the state is.
    #[command(flatten)]
    state_dir: StateDir,
    /// How log lines look.
    #[arg(long, env = "SLUICE_LOG_FORMAT", value_enum, default_value = "text")]
    pub(crate) log_format: LogFormat,
}

/// Runs until `shutdown` completes or a part of it fails.
pub(crate) async fn run(up: Up, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
    let binary = locate::envoy(up.envoy.as_deref())?;
    let lock = up.state_dir.lock()?;
    orphan::end(&up.state_dir.path).await?;
    let listen = free(up.listen).context("--listen")?;
    let mut control = serve::start(&up.serve(listen)?, lock).await?;
    let ended = together(&up, &binary, listen, &mut control, shutdown).await;
    let stopped = control.stop().await;
    ended.and(stopped)
}

/// Envoy, and the simulator if nothing else answers.
async fn together(
    up: &Up,
    binary: &Path,
    listen: SocketAddr,
    control: &mut Running,
    shutdown: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let state = &up.state_dir.path;
    let store = &control.shared.store;
    let token_file = state.join("up-key");
    let mut found = offer::configured(|name| std::env::var(name).ok());
    let simulator = if found.offers.is_empty() && !provision::has_real_provider(store, &token_file)? {
        let providers = offer::simulated::wanted();
        let options = simulator::Options { providers, ..simulator::Options::default() };
        let simulator = simulator::start(options).await.context("starting the simulator")?;
        found.offers = offer::simulated::offers(|name| simulator.base_url(name))?;
        Some(simulator)
    } else {
        None
    };
    let key = provision::provision(store, &found.offers, &token_file).await?;
    let mut envoy = envoy::Envoy::start(&envoy::Plan {
        binary,
        directory: state,
        node: NODE,
        node_token: control.shared.node_token.reveal(),
        control: reachable(control.xds_address),
        concurrency: up.concurrency,
    })?;
    let summary = Summary {
        gateway: reachable(listen),
        admin: reachable(control.admin_address),
        admin_token: up.admin_token.is_none().then(|| up.state_dir.admin_token_file()),
        key,
        envoy_log: envoy.log().to_owned(),
        simulated: simulator.is_some(),
        left_out: found.left_out,
        snapshot: control.shared.store.feed().current(),
    };
    let ended = tokio::select! {
        () = shutdown => Ok(()),
        ended = watch(&mut envoy, control, &summary) => ended,
    };
    let stopped = envoy.stop().await;
    if let Some(simulator) = simulator {
        simulator.shutdown().await;
    }
    ended.and(stopped)
}

/// Says when everything serves, and completes when something no longer does.
async fn watch(envoy: &mut envoy::Envoy, control: &mut Running, summary: &Summary) -> anyhow::Result<()> {
    ready::wait(envoy, &control.shared.fleet, NODE, summary.gateway).await?;
    summary.print()?;
    tokio::select! {
        error = envoy.ended() => Err(error),
        ended = control.ended() => ended,
    }
}

impl Up {
    fn serve(&self, listen: SocketAddr) -> anyhow::Result<Serve> {
        Ok(Serve {
            admin_address: self.admin_address,
            xds_address: self.xds_address,
            database: None,
            state_dir: self.state_dir.clone(),
            admin_token: self.admin_token.clone(),
            node_token: None,
            gateway: gateway::Flags {
                module: Some(locate::module(self.module.as_deref())?),
                listen,
                ca_file: self.ca_file.clone().unwrap_or_else(locate::ca_file),
            },
            log_format: self.log_format,
        })
    }
}

/// Whether Envoy will be able to listen there, told sooner and in plainer words than by Envoy; picks the port if it is 0.
fn free(address: SocketAddr) -> anyhow::Result<SocketAddr> {
    let listener = std::net::TcpListener::bind(address)
        .with_context(|| format!("{address} cannot be listened on (is something running there?)"))?;
    Ok(listener.local_addr()?)
}

/// Where something that listens on `address` is reached from this machine.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
