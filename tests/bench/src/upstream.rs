//! The mock upstream: the same answer every time, in the dialect of the path, at the least cost.
//!
//! Invariant: it does the same work for a request whatever stands between it and the client.

mod replies;

use crate::error::Error;
use crate::http::Connection;
use memchr::memmem;
use replies::{Dialect, Replies};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::{MissedTickBehavior, interval};

/// Bodies of streamed requests are smaller, so that large ones are not searched.
const MAX_STREAMED: usize = 8 << 10;

/// How a streamed answer comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    /// How many deltas.
    pub(crate) deltas: usize,
    /// How long after each other.
    pub(crate) interval: Duration,
}

/// Starts to serve on a free port of the loopback interface.
pub(crate) async fn start(pace: Pace) -> Result<SocketAddr, Error> {
    let failed = || Error::io("listening as the mock upstream");
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(failed())?;
    let address = listener.local_addr().map_err(failed())?;
    let replies = Arc::new(Replies::new(pace.deltas));
    tokio::spawn(async move {
        // An error of `accept` ends the benchmark: its requests are no longer answered, and say so.
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(connection) = Connection::over(stream) {
                tokio::spawn(serve(connection, replies.clone(), pace.interval));
            }
        }
    });
    Ok(address)
}

async fn serve(mut connection: Connection, replies: Arc<Replies>, interval: Duration) -> Result<(), Error> {
    while let Some(request) = connection.message().await? {
        let dialect =
            if request.head.starts_with(b"POST /v1/messages") { Dialect::Anthropic } else { Dialect::Openai };
        let small = request.body.len() <= MAX_STREAMED;
        if small && memmem::find(request.body, br#""stream":true"#).is_some() {
            let wants_usage = memmem::find(request.body, br#""include_usage":true"#).is_some();
            stream(&mut connection, &replies, dialect, wants_usage, interval).await?;
        } else {
            connection.send(replies.whole(dialect)).await?;
        }
    }
    Ok(())
}

async fn stream(
    connection: &mut Connection,
    replies: &Replies,
    dialect: Dialect,
    wants_usage: bool,
    pause: Duration,
) -> Result<(), Error> {
    let mut ticks = interval(pause);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    connection.send(replies.beginning(dialect)).await?;
    for _ in 1..replies.deltas {
        ticks.tick().await;
        connection.send(replies.delta(dialect)).await?;
    }
    connection.send(replies.end(dialect, wants_usage)).await
}
