//! Credentials that the control plane makes: short-lived tokens of Google service accounts and Microsoft Entra
//! applications, minted from what the owner has stored, renewed ahead of their end, and pushed as plain bearer tokens.
//!
//! Invariants: between the store's feed and discovery's there is this room and nothing else, so a long-lived secret
//! cannot reach a module; a provider without a usable token is pushed as disabled, and its state says why.

mod entra;
mod google;
mod keeper;
mod mint;
mod timing;

pub(crate) use keeper::CredentialState;
pub(crate) use mint::{Failure, Mint, Vendors, check};

use crate::snapshot::{Feed, Snapshot};
use keeper::{Keeper, Moment, Question};
use mint::Token;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long a start waits for the first tokens: until then a module that is connected again keeps what it has.
const FIRST_ROUND: Duration = Duration::from_secs(5);

/// What is known of all minted credentials; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Credentials(watch::Receiver<Known>);

#[derive(Debug, Clone, Default)]
struct Known {
    states: BTreeMap<String, CredentialState>,
    settled: bool,
}

impl Credentials {
    /// The state of a provider's credential; absent if it is not a minted one, or not in use.
    pub(crate) fn state(&self, provider: &str) -> Option<CredentialState> {
        self.0.borrow().states.get(provider).cloned()
    }

    /// Waits until every credential has a token or an error, but not for long.
    pub(crate) async fn first_round(&mut self) {
        let settled = self.0.wait_for(|known| known.settled);
        // What is not there in time is pushed when it is.
        let _ = tokio::time::timeout(FIRST_ROUND, settled).await;
    }
}

/// Mints what a feed's providers need.
#[derive(Debug)]
pub(crate) struct Minter<M> {
    vendors: Arc<M>,
    source: watch::Receiver<Arc<Snapshot>>,
    keeper: Keeper,
    wall: fn() -> SystemTime,
    pushed: Feed,
    known: watch::Sender<Known>,
    asked: JoinSet<Result<Token, Failure>>,
    questions: HashMap<Id, Question>,
}

fn random() -> u32 {
    let mut bytes = [0; 4];
    // Without the system's randomness all control planes renew at the same point of a lifetime, which is no failure.
    let _ = getrandom::fill(&mut bytes);
    u32::from_le_bytes(bytes)
}

impl<M: Mint> Minter<M> {
    /// One for this feed, which does nothing before [`Minter::run`].
    pub(crate) fn new(source: &Feed, vendors: M) -> Self {
        Self::with_clock(source, vendors, SystemTime::now, random)
    }

    fn with_clock(source: &Feed, vendors: M, wall: fn() -> SystemTime, random: fn() -> u32) -> Self {
        let mut keeper = Keeper::new(random);
        let source = source.subscribe();
        let first = source.borrow().clone();
        let now = Moment { steady: Instant::now(), wall: wall() };
        keeper.reconcile(&first, now);
        let pushed = Feed::of(keeper.pushed(&first, now));
        let known = watch::Sender::new(Known { states: keeper.states(), settled: keeper.is_settled() });
        Self {
            vendors: Arc::new(vendors),
            source,
            keeper,
            wall,
            pushed,
            known,
            asked: JoinSet::new(),
            questions: HashMap::new(),
        }
    }

    /// What is to be pushed: the source's snapshots with tokens in place of what they are minted from.
    pub(crate) fn pushed(&self) -> Feed {
        self.pushed.clone()
    }

    /// What is known of the credentials.
    pub(crate) fn credentials(&self) -> Credentials {
        Credentials(self.known.subscribe())
    }

    fn now(&self) -> Moment {
        Moment { steady: Instant::now(), wall: (self.wall)() }
    }

    /// Mints until `stop`, or until the source ends.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        loop {
            self.look();
            let glance = Instant::now() + Keeper::GLANCE;
            let wake = self.keeper.wake().map(|wake| wake.min(glance));
            tokio::select! {
                () = stop.cancelled() => return,
                changed = self.source.changed() => if changed.is_err() { return },
                Some(answer) = self.asked.join_next_with_id() => self.hear(answer),
                () = tokio::time::sleep_until(wake.unwrap_or(glance)), if wake.is_some() => {}
            }
        }
    }

    fn hear(&mut self, answer: Result<(Id, Result<Token, Failure>), JoinError>) {
        let (id, answer) = match answer {
            Ok((id, answer)) => (id, answer),
            Err(error) => (error.id(), Err(Failure::Unreachable("asking for a token broke off".to_owned()))),
        };
        let now = self.now();
        if let Some(question) = self.questions.remove(&id) {
            self.keeper.answered(&question, answer, now);
        }
    }

    /// Takes in what there is, asks what is due, publishes what has changed.
    fn look(&mut self) {
        let now = self.now();
        let snapshot = self.source.borrow_and_update().clone();
        self.keeper.reconcile(&snapshot, now);
        for question in self.keeper.due(now) {
            let (vendors, auth, wall) = (self.vendors.clone(), question.auth.clone(), question.asked.wall);
            let task = self.asked.spawn(async move { vendors.mint(auth, wall).await });
            self.questions.insert(task.id(), question);
        }
        self.pushed.replace(self.keeper.pushed(&snapshot, now));
        let known = Known { states: self.keeper.states(), settled: self.keeper.is_settled() };
        self.known.send_if_modified(|current| {
            let changed = current.settled != known.settled || current.states != known.states;
            *current = known;
            changed
        });
    }
}

#[cfg(test)]
mod tests;
