//! Starts the control plane's servers, and stops them.
//!
//! Invariant: every server shares one store, ledger and fleet; stopping lets requests under way end first.

use crate::api;
use crate::credentials::{Credentials, Minter, Vendors};
use crate::fleet::Fleet;
use crate::grpc;
use crate::ledger::Ledger;
use crate::node_token::NodeToken;
use crate::settings::lock::StateLock;
use crate::settings::{Secret, Serve};
use crate::snapshot::Feed;
use crate::store::Store;
use anyhow::Context as _;
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long requests under way may take once the process is to stop.
const GRACE: Duration = Duration::from_secs(10);

/// What the servers share; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    /// Resources as they are stored.
    pub(crate) store: Store,
    /// Resources as discovery pushes them: with tokens in place of what tokens are minted from.
    pub(crate) pushed: Feed,
    /// What is known of the credentials that tokens are minted from.
    pub(crate) credentials: Credentials,
    /// Where the access log's records go.
    pub(crate) ledger: Ledger,
    /// What discovery knows of the Envoys.
    pub(crate) fleet: Fleet,
    /// What clients of the admin API present.
    pub(crate) admin_token: Secret,
    /// What Envoys present.
    pub(crate) node_token: Secret,
}

/// A control plane that runs.
pub(crate) struct Running {
    /// Where the admin API is; the port is real even if port 0 was asked for.
    pub(crate) admin_address: SocketAddr,
    /// Where discovery is.
    pub(crate) xds_address: SocketAddr,
    /// What its servers share.
    pub(crate) shared: Shared,
    stop: CancellationToken,
    servers: JoinSet<anyhow::Result<()>>,
    _lock: StateLock,
}

/// Opens the store, binds the addresses and starts the servers. `lock` is that of the settings' state directory.
pub(crate) async fn start(settings: &Serve, lock: StateLock) -> anyhow::Result<Running> {
    let store = Store::open(&settings.database()).await.context("opening the database")?;
    let minter = Minter::new(&store.feed(), Vendors::new().context("the client of token endpoints")?);
    let mut shared = Shared {
        pushed: minter.pushed(),
        credentials: minter.credentials(),
        ledger: Ledger::new(store.clone()),
        fleet: Fleet::default(),
        admin_token: settings.admin_token().context("admin token")?,
        node_token: settings.node_token().context("node token")?,
        store,
    };
    let stop = CancellationToken::new();
    let mut servers = JoinSet::new();
    servers.spawn({
        let stop = stop.clone();
        async move {
            minter.run(stop).await;
            Ok(())
        }
    });

    let listener = bind(settings.admin_address, "--admin-address").await?;
    let admin_address = listener.local_addr()?;
    servers.spawn(api::serve(listener, shared.clone(), stop.clone()));
    tracing::info!(address = %admin_address, "admin API listens");

    let listener = bind(settings.xds_address, "--xds-address").await?;
    let xds_address = listener.local_addr()?;
    let node_token = NodeToken::new(Some(shared.node_token.reveal()));
    let gateway = settings.gateway.load(&node_token)?;
    if gateway.is_none() {
        tracing::info!("no --module: Envoy's own resources are not served, the module's are");
    }
    shared.credentials.first_round().await;
    servers.spawn(grpc::serve(listener, shared.clone(), gateway, node_token, stop.clone()));
    tracing::info!(address = %xds_address, "discovery listens");

    Ok(Running { admin_address, xds_address, shared, stop, servers, _lock: lock })
}

/// Runs until `shutdown` completes or a server fails.
pub(crate) async fn run(settings: Serve, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
    let mut running = start(&settings, settings.state_dir.lock()?).await?;
    tokio::select! {
        () = shutdown => {}
        ended = running.ended() => ended?,
    }
    tracing::info!("stopping");
    running.stop().await
}

impl Running {
    /// Completes when a server ends, which none does by itself unless it fails.
    pub(crate) async fn ended(&mut self) -> anyhow::Result<()> {
        match self.servers.join_next().await {
            Some(ended) => ended?,
            None => Ok(()),
        }
    }

    /// Stops the servers: new requests are refused, those under way get a while to end.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.stop.cancel();
        let all = async {
            while let Some(ended) = self.servers.join_next().await {
                ended??;
            }
            anyhow::Ok(())
        };
        let ended = tokio::time::timeout(GRACE, all).await;
        self.servers.shutdown().await;
        self.shared.store.close().await;
        ended.unwrap_or_else(|_| {
            tracing::warn!(seconds = GRACE.as_secs(), "requests still under way were cut");
            Ok(())
        })
    }
}

async fn bind(address: SocketAddr, flag: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("{flag} {address}"))
}

/// Completes at SIGINT or SIGTERM.
pub(crate) async fn signalled() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        tracing::error!("signals cannot be handled: end the process with SIGKILL");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
