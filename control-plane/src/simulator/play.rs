//! Plays a reply on a connection: each piece at its time, and the end that a script gives it.
//!
//! Invariant: what the log says was sent was handed to the connection, piece by piece, before anything after it.

use super::attempt::Ticket;
use super::socket::{Break, Fuse};
use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use sluice::config::Usage;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Sleep;

/// Bytes that are written at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    /// What is written.
    pub(crate) bytes: Bytes,
    /// How long to wait before.
    pub(crate) after: Duration,
    /// Whether it completes a stream event.
    pub(crate) event: bool,
    /// Whether that event carries a token.
    pub(crate) delta: bool,
    /// The usage that it reports.
    pub(crate) usage: Option<Usage>,
}

impl Piece {
    /// Bytes that are no event.
    pub(crate) const fn raw(bytes: Bytes) -> Self {
        Self { bytes, after: Duration::ZERO, event: false, delta: false, usage: None }
    }
}

/// How a reply ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// As HTTP wants it.
    Clean,
    /// Never: the connection is held open.
    Hold,
    /// Never: this is written again and again.
    Repeat(Bytes, Duration),
    /// The connection breaks.
    Broken(Break),
}

/// A reply that is being played.
#[derive(Debug)]
pub(crate) struct Play {
    pieces: VecDeque<Piece>,
    end: End,
    /// What the log calls an end as the script has it.
    outcome: String,
    /// Known if the reply is not streamed.
    size: Option<u64>,
    sleep: Option<Pin<Box<Sleep>>>,
    /// hyper writes buffered pieces out only when it is told that nothing else is ready.
    flush: bool,
    fuse: Fuse,
    ticket: Ticket,
}

impl Play {
    /// A reply of these pieces. With a `size` it is one whole body, else it is chunked.
    pub(crate) fn new(
        pieces: Vec<Piece>,
        end: End,
        outcome: String,
        size: Option<u64>,
        fuse: Fuse,
        ticket: Ticket,
    ) -> Self {
        let play =
            Self { pieces: pieces.into(), end, outcome, size, sleep: None, flush: false, fuse, ticket };
        // A body of no bytes is never polled.
        if play.size == Some(0) {
            play.ticket.settle(&play.outcome);
        }
        play
    }

    fn next(&mut self, context: &mut Context<'_>) -> Poll<Option<Piece>> {
        if let Some(sleep) = &mut self.sleep {
            std::task::ready!(sleep.as_mut().poll(context));
            self.sleep = None;
        } else if let Some(wait) = self.wait() {
            let mut sleep = Box::pin(tokio::time::sleep(wait));
            if sleep.as_mut().poll(context).is_pending() {
                self.sleep = Some(sleep);
                return Poll::Pending;
            }
        }
        if let Some(piece) = self.pieces.pop_front() {
            return Poll::Ready(Some(piece));
        }
        match &self.end {
            End::Clean => Poll::Ready(None),
            End::Hold => Poll::Pending,
            End::Repeat(bytes, _) => Poll::Ready(Some(Piece { event: true, ..Piece::raw(bytes.clone()) })),
            End::Broken(how) => {
                self.fuse.blow(*how);
                self.ticket.settle(&self.outcome);
                Poll::Pending
            }
        }
    }

    fn wait(&self) -> Option<Duration> {
        let wait = match (self.pieces.front(), &self.end) {
            (Some(piece), _) => piece.after,
            (None, End::Repeat(_, every)) => *every,
            (None, _) => Duration::ZERO,
        };
        (!wait.is_zero()).then_some(wait)
    }

    fn sent(&mut self, piece: &Piece) {
        self.flush = true;
        self.ticket.note(|attempt| {
            attempt.events += u64::from(piece.event);
            attempt.deltas += u64::from(piece.delta);
            if piece.usage.is_some() {
                attempt.usage = piece.usage;
            }
        });
        if let Some(size) = &mut self.size {
            *size = size.saturating_sub(piece.bytes.len() as u64);
        }
        if self.pieces.is_empty() && self.end == End::Clean {
            self.ticket.settle(&self.outcome);
        }
    }
}

impl Body for Play {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if std::mem::take(&mut self.flush) && self.size.is_none() {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let Some(piece) = std::task::ready!(self.next(context)) else {
            self.ticket.settle(&self.outcome);
            return Poll::Ready(None);
        };
        self.sent(&piece);
        Poll::Ready(Some(Ok(Frame::data(piece.bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.size == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.size.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
