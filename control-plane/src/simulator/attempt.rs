//! What a virtual provider saw: every request, as it came, and how each ended.
//!
//! Invariant: memory is bounded. The oldest settled attempts go first, and how many went is told.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sluice::config::Usage;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Attempts that are kept.
const KEPT: usize = 20_000;
/// Bytes of bodies that are kept.
const KEPT_BYTES: usize = 128 << 20;

/// One request that a provider received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attempt {
    /// Counts from 1 since the last reset.
    pub(crate) id: u64,
    /// Microseconds between the simulator's start and the end of the request's body.
    pub(crate) received_us: u64,
    /// Names the TCP connection; unique in the simulator.
    pub(crate) connection: u64,
    /// The method.
    pub(crate) method: String,
    /// Path and query.
    pub(crate) path: String,
    /// Names in lower case, in the order in which each first came.
    pub(crate) headers: Vec<(String, String)>,
    /// Of these, the names that a provider should never see: the gateway's own, the proxy's, and the client's cookies.
    pub(crate) leaks: Vec<String>,
    /// The body, if it is UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) body: Option<String>,
    /// The body in base64, if it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
    /// The model it names.
    pub(crate) model: Option<String>,
    /// The script's behaviour that answered it; `healthy` without a script.
    pub(crate) behaviour: String,
    /// The status that was sent; absent while none was.
    pub(crate) status: Option<u16>,
    /// Why strict validation refuses it; absent if it is fine. A scripted fault is played in either case.
    pub(crate) refused: Option<String>,
    /// How it ended: `completed`, `client_gone` or `fault:<behaviour>`; absent while it lasts.
    pub(crate) outcome: Option<String>,
    /// Stream events that were handed to the connection.
    pub(crate) events: u64,
    /// Of these, the ones that carry a token.
    pub(crate) deltas: u64,
    /// The usage that the reply reported so far; absent if it reported none.
    pub(crate) usage: Option<Usage>,
    /// The usage that a complete reply costs; absent if the request was refused.
    pub(crate) consumed: Option<Usage>,
    /// Microseconds between the simulator's start and the end; absent while it lasts.
    pub(crate) ended_us: Option<u64>,
}

/// A request as it came.
#[derive(Debug)]
pub(crate) struct Arrival {
    /// The TCP connection.
    pub(crate) connection: u64,
    /// The method.
    pub(crate) method: String,
    /// Path and query.
    pub(crate) path: String,
    /// Names and values.
    pub(crate) headers: Vec<(String, String)>,
    /// The whole body.
    pub(crate) body: bytes::Bytes,
}

/// The attempts of one provider.
#[derive(Debug)]
pub(crate) struct Log {
    epoch: Instant,
    state: Mutex<State>,
    settled: Notify,
}

#[derive(Debug, Default)]
struct State {
    attempts: VecDeque<Attempt>,
    /// Tickets of an older generation write into nothing.
    generation: u64,
    received: u64,
    dropped: u64,
    bytes: usize,
}

/// All attempts that are kept.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    /// Oldest first.
    pub(crate) attempts: Vec<Attempt>,
    /// How many older ones were let go.
    pub(crate) dropped: u64,
}

impl Log {
    /// An empty log whose times count from `epoch`.
    pub(crate) fn new(epoch: Instant) -> Arc<Self> {
        Arc::new(Self { epoch, state: Mutex::default(), settled: Notify::new() })
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        // Every change leaves the state whole, so a panic elsewhere cannot have broken it.
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn now_us(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Writes down an arrival; whoever answers it holds the ticket.
    pub(crate) fn open(self: &Arc<Self>, arrival: Arrival, model: Option<String>, behaviour: &str) -> Ticket {
        let received_us = self.now_us();
        let size = arrival.body.len();
        let (body, body_base64) = match std::str::from_utf8(&arrival.body) {
            Ok(text) => (Some(text.to_owned()), None),
            Err(_) => (None, Some(STANDARD.encode(&arrival.body))),
        };
        let (id, generation) = self.with(|state| {
            state.received += 1;
            state.bytes += size;
            let leaks = arrival.headers.iter().map(|(name, _)| name).filter(|name| is_leak(name));
            state.attempts.push_back(Attempt {
                id: state.received,
                received_us,
                connection: arrival.connection,
                leaks: leaks.cloned().collect(),
                method: arrival.method,
                path: arrival.path,
                headers: arrival.headers,
                body,
                body_base64,
                model,
                behaviour: behaviour.to_owned(),
                status: None,
                refused: None,
                outcome: None,
                events: 0,
                deltas: 0,
                usage: None,
                consumed: None,
                ended_us: None,
            });
            state.trim();
            (state.received, state.generation)
        });
        Ticket { log: self.clone(), id, generation }
    }

    /// What was seen so far.
    pub(crate) fn report(&self) -> Report {
        self.with(|state| Report {
            attempts: state.attempts.iter().cloned().collect(),
            dropped: state.dropped,
        })
    }

    /// Waits until `count` attempts have ended since the last reset, or the time is over; then reports.
    pub(crate) async fn settled(&self, count: u64, patience: Duration) -> Report {
        let enough = async {
            loop {
                let next = self.settled.notified();
                tokio::pin!(next);
                // Listening begins before the count is read, so that no end is missed between the two.
                next.as_mut().enable();
                let ended = self.with(|state| state.dropped + state.ended());
                if ended >= count {
                    return;
                }
                next.await;
            }
        };
        // Out of patience is no error here: the report shows what is missing.
        let _ = tokio::time::timeout(patience, enough).await;
        self.report()
    }

    /// Forgets everything.
    pub(crate) fn reset(&self) {
        self.with(|state| *state = State { generation: state.generation + 1, ..State::default() });
    }
}

impl State {
    fn ended(&self) -> u64 {
        self.attempts.iter().filter(|attempt| attempt.outcome.is_some()).count() as u64
    }

    fn trim(&mut self) {
        while self.attempts.len() > KEPT || (self.bytes > KEPT_BYTES && self.attempts.len() > 1) {
            let Some(oldest) = self.attempts.pop_front() else { return };
            self.bytes -= oldest.size();
            self.dropped += 1;
        }
    }
}

impl Attempt {
    fn size(&self) -> usize {
        let encoded = |text: &String| STANDARD.decode(text).map_or(0, |bytes| bytes.len());
        self.body.as_ref().map_or(0, String::len) + self.body_base64.as_ref().map_or(0, encoded)
    }
}

/// The right to say what became of one attempt.
#[derive(Debug)]
pub(crate) struct Ticket {
    log: Arc<Log>,
    id: u64,
    generation: u64,
}

impl Ticket {
    /// Changes the attempt, unless it was let go.
    pub(crate) fn note(&self, change: impl FnOnce(&mut Attempt)) {
        self.log.with(|state| {
            if state.generation != self.generation {
                return;
            }
            let oldest = state.attempts.front().map_or(self.id, |attempt| attempt.id);
            let index = self.id.checked_sub(oldest).and_then(|index| usize::try_from(index).ok());
            if let Some(attempt) = index.and_then(|index| state.attempts.get_mut(index)) {
                change(attempt);
            }
        });
    }

    /// The attempt is over; what was said first stays.
    pub(crate) fn settle(&self, outcome: &str) {
        let now = self.log.now_us();
        self.note(|attempt| {
            if attempt.outcome.is_none() {
                attempt.outcome = Some(outcome.to_owned());
                attempt.ended_us = Some(now);
            }
        });
        self.log.settled.notify_waiters();
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        // Whoever plays a reply to its end settles it; a ticket that is dropped before was abandoned with its connection.
        self.settle("client_gone");
    }
}

fn is_leak(name: &str) -> bool {
    let prefixes = ["x-sluice-", "x-envoy-", "x-forwarded-"];
    prefixes.iter().any(|prefix| name.starts_with(prefix))
        || ["cookie", "forwarded", "x-real-ip"].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival(body: &'static [u8]) -> Arrival {
        let headers = [("accept", "*/*"), ("x-sluice-a", "1"), ("cookie", "c=1")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let body = bytes::Bytes::from_static(body);
        Arrival { connection: 1, method: "POST".into(), path: "/v1".into(), headers, body }
    }

    #[tokio::test]
    async fn an_abandoned_attempt_says_so() {
        let log = Log::new(Instant::now());
        let first = log.open(arrival(b"{}"), Some("m".into()), "healthy");
        let second = log.open(arrival(b"\xff"), None, "silence");
        first.note(|attempt| attempt.events = 3);
        first.settle("completed");
        drop((first, second));
        let report = log.settled(2, Duration::from_secs(5)).await;
        let [first, second] = report.attempts.as_slice() else { panic!("{report:?}") };
        assert_eq!((first.outcome.as_deref(), first.events), (Some("completed"), 3));
        assert_eq!(first.leaks, ["x-sluice-a", "cookie"]);
        assert_eq!(
            (second.outcome.as_deref(), second.body_base64.as_deref()),
            (Some("client_gone"), Some("/w=="))
        );
    }

    #[test]
    fn a_reset_forgets_open_attempts_too() {
        let log = Log::new(Instant::now());
        let old = log.open(arrival(b""), None, "healthy");
        log.reset();
        let new = log.open(arrival(b""), None, "healthy");
        old.settle("completed");
        let report = log.report();
        assert_eq!(report.attempts.len(), 1);
        assert_eq!((report.attempts[0].id, report.attempts[0].outcome.clone()), (1, None));
        drop(new);
    }
}
