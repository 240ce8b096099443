//! A virtual provider's listening socket and its connections.
//!
//! Invariant: `refuse(true)` returns when nobody listens any more, and idle connections are told to go; requests in
//! flight are still answered. A door that is dropped takes all its connections with it.

use super::provider::Provider;
use super::socket::{Fuse, Socket};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

/// Names connections; unique in the process.
static CONNECTIONS: AtomicU64 = AtomicU64::new(1);

/// How long to let a process recover that has no file descriptor left.
const RECOVERY: Duration = Duration::from_millis(10);

/// The door of one provider.
#[derive(Debug)]
pub(crate) struct Door {
    address: SocketAddr,
    provider: Arc<Provider>,
    connections: Arc<Mutex<JoinSet<()>>>,
    open: tokio::sync::Mutex<Option<Open>>,
}

#[derive(Debug)]
struct Open {
    accepting: JoinHandle<()>,
    /// Cancelled to let idle connections go.
    leave: CancellationToken,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Door {
    /// Listens at an address; port 0 means any.
    pub(crate) async fn open(address: SocketAddr, provider: Arc<Provider>) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let door =
            Self { address, provider, connections: Arc::default(), open: tokio::sync::Mutex::default() };
        *door.open.lock().await = Some(door.accept(listener));
        Ok(door)
    }

    /// Where it listens, or did.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops listening, or listens again at the same address.
    pub(crate) async fn refuse(&self, on: bool) -> io::Result<()> {
        let mut open = self.open.lock().await;
        match (on, open.take()) {
            (true, Some(mut was)) => {
                was.leave.cancel();
                was.accepting.abort();
                // The listener is closed when its task is gone, and an aborted task ends with an error by design.
                let _ = (&mut was.accepting).await;
            }
            (false, None) => *open = Some(self.accept(TcpListener::bind(self.address).await?)),
            (_, unchanged) => *open = unchanged,
        }
        Ok(())
    }

    fn accept(&self, listener: TcpListener) -> Open {
        let leave = CancellationToken::new();
        let (provider, connections, leaving) =
            (self.provider.clone(), self.connections.clone(), leave.clone());
        let accepting = tokio::spawn(async move {
            loop {
                // Errors of accept are those of one connection, or pass (too many open files).
                let Ok((stream, _)) = listener.accept().await else {
                    tokio::time::sleep(RECOVERY).await;
                    continue;
                };
                let mut connections = connections.lock().unwrap_or_else(PoisonError::into_inner);
                while connections.try_join_next().is_some() {}
                connections.spawn(serve(stream, provider.clone(), leaving.clone()));
            }
        });
        Open { accepting, leave }
    }
}

async fn serve(stream: TcpStream, provider: Arc<Provider>, leave: CancellationToken) {
    if stream.set_nodelay(true).is_err() {
        // The client is gone already.
        return;
    }
    let connection = CONNECTIONS.fetch_add(1, Ordering::Relaxed);
    let fuse = Fuse::default();
    let socket = TokioIo::new(Socket::new(stream, fuse.clone()));
    let service = service_fn(move |request| provider.clone().serve(request, connection, fuse.clone()));
    let served = http1::Builder::new().header_read_timeout(None).serve_connection(socket, service);
    tokio::pin!(served);
    // How a connection ends is in the log of its attempts; an error here is a client that left, or a scripted break.
    tokio::select! {
        _ = served.as_mut() => {}
        () = leave.cancelled() => {
            served.as_mut().graceful_shutdown();
            let _ = served.await;
        }
    }
}
