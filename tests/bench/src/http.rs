//! HTTP/1.1 over kept connections, as far as a benchmark needs it, at a fraction of Envoy's cost.
//!
//! Invariant: both ends of every measured connection go through here, so the same work is added to each configuration.

mod chunked;
mod head;

use crate::error::Error;
use chunked::Chunked;
use head::{Framing, Head};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How much is read at a time.
const READ: usize = 256 << 10;

/// A kept connection; messages are read one after the other.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    /// Bytes that were read.
    buffer: Vec<u8>,
    /// How many of them belong to the message before.
    used: usize,
    /// A body that came in chunks.
    joined: Vec<u8>,
}

/// A request or a reply.
#[derive(Debug)]
pub(crate) struct Message<'a> {
    /// The reply's status; 0 for a request.
    pub(crate) status: u16,
    /// First line and headers.
    pub(crate) head: &'a [u8],
    /// The body, without framing.
    pub(crate) body: &'a [u8],
}

impl Connection {
    /// Opens a connection.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self, Error> {
        let failed = || Error::io(format!("connecting to {address}"));
        let stream = TcpStream::connect(address).await.map_err(failed())?;
        Self::over(stream).map_err(failed())
    }

    /// Takes a connection that is open.
    pub(crate) fn over(stream: TcpStream) -> std::io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(READ), used: 0, joined: Vec::new() })
    }

    /// Sends bytes.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.stream.write_all(bytes).await.map_err(Error::io("sending"))
    }

    /// Reads the next message; `None` if the peer closed the connection before it.
    pub(crate) async fn message(&mut self) -> Result<Option<Message<'_>>, Error> {
        let Some(head) = self.head().await? else { return Ok(None) };
        let end = match head.framing {
            Framing::Length(length) => {
                let end = head.length + length;
                while self.buffer.len() < end {
                    self.more().await?;
                }
                self.used = end;
                Some(end)
            }
            Framing::Chunked => {
                let mut joined = std::mem::take(&mut self.joined);
                joined.clear();
                self.chunks(head.length, |data| joined.extend_from_slice(data)).await?;
                self.joined = joined;
                None
            }
        };
        let start = self.buffer.get(..head.length).unwrap_or_default();
        let body = match end {
            Some(end) => self.buffer.get(head.length..end).unwrap_or_default(),
            None => &self.joined,
        };
        Ok(Some(Message { status: head.status, head: start, body }))
    }

    /// Reads the next reply, handing out its body as it comes; returns its status.
    pub(crate) async fn stream(&mut self, mut sink: impl FnMut(&[u8])) -> Result<u16, Error> {
        let head = self.head().await?.ok_or(Error::Protocol("the connection was closed before the reply"))?;
        match head.framing {
            Framing::Chunked => self.chunks(head.length, sink).await?,
            Framing::Length(length) => {
                let end = head.length + length;
                while self.buffer.len() < end {
                    self.more().await?;
                }
                self.used = end;
                sink(self.buffer.get(head.length..end).unwrap_or_default());
            }
        }
        Ok(head.status)
    }

    async fn head(&mut self) -> Result<Option<Head>, Error> {
        self.buffer.drain(..self.used);
        self.used = 0;
        loop {
            if let Some(head) = head::parse(&self.buffer)? {
                return Ok(Some(head));
            }
            let fresh = self.buffer.is_empty();
            if self.read().await? == 0 {
                return if fresh { Ok(None) } else { Err(CUT) };
            }
        }
    }

    async fn chunks(&mut self, start: usize, mut sink: impl FnMut(&[u8])) -> Result<(), Error> {
        let mut chunked = Chunked::default();
        let mut at = start;
        loop {
            at += chunked.take(self.buffer.get(at..).unwrap_or_default(), &mut sink)?;
            if chunked.is_done() {
                self.used = at;
                return Ok(());
            }
            // Everything has been handed out: a long stream need not be kept.
            self.buffer.truncate(start);
            at = start;
            self.more().await?;
        }
    }

    async fn more(&mut self) -> Result<(), Error> {
        if self.read().await? == 0 { Err(CUT) } else { Ok(()) }
    }

    async fn read(&mut self) -> Result<usize, Error> {
        self.buffer.reserve(READ / 4);
        self.stream.read_buf(&mut self.buffer).await.map_err(Error::io("receiving"))
    }
}

const CUT: Error = Error::Protocol("the connection was closed within a message");
