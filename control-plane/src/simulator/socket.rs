//! A TCP connection that can be broken on purpose: closed in the middle of a reply, or reset.
//!
//! Invariant: a break happens only when everything written before it has reached the kernel, so that a client sees
//! exactly the bytes that a script says.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// How a connection is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Break {
    /// FIN, as by a process that exits.
    Close,
    /// RST, as by one that crashes.
    Reset,
}

/// Breaks a connection from within its reply.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fuse(Arc<AtomicU8>);

impl Fuse {
    /// Breaks the connection at its next flush, or when it is dropped.
    pub(crate) fn blow(&self, how: Break) {
        self.0.store(how as u8 + 1, Ordering::Release);
    }

    fn blown(&self) -> Option<Break> {
        match self.0.load(Ordering::Acquire) {
            0 => None,
            1 => Some(Break::Close),
            _ => Some(Break::Reset),
        }
    }
}

/// The connection.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: TcpStream,
    fuse: Fuse,
}

impl Socket {
    /// Guards a connection with a fuse.
    pub(crate) const fn new(stream: TcpStream, fuse: Fuse) -> Self {
        Self { stream, fuse }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.fuse.blown() == Some(Break::Reset) {
            // A socket that cannot be told to reset closes; then its client is gone already.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.fuse.blown().is_some() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.fuse.blown() == Some(Break::Reset) {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
