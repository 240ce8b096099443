//! Which credentials there are, what token each has, when each is to be renewed, and what is pushed of it.
//!
//! A plain value without IO. Invariants: the module gets tokens and never what they are minted from; a token is used
//! until its own end, whatever fails meanwhile; only the answer to the newest question about a credential counts.

use super::mint::{Failure, Token};
use super::timing;
use crate::snapshot::{Snapshot, Versioned};
use serde::Serialize;
use sluice::config::{Auth, AuthKind, Provider};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;
use utoipa::ToSchema;

/// What both clocks say. The steady one counts lifetimes; the wall's may jump, and goes on while the machine sleeps.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// The steady clock.
    pub(super) steady: Instant,
    /// The wall's.
    pub(super) wall: SystemTime,
}

/// What a minted credential is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    /// There is no token yet: the provider is not used.
    Pending,
    /// There is a token.
    Valid,
    /// The token's time is over and there is no other: the provider is not used.
    Expired,
}

/// A minted credential as the admin API shows it. Times are Unix seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct CredentialState {
    /// What it is worth.
    pub(crate) state: Phase,
    /// Until when its token is good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) valid_until: Option<u64>,
    /// Why the newest attempt at a token failed; absent if it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_error: Option<String>,
    /// When it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_error_at: Option<u64>,
}

/// A question to a token endpoint.
#[derive(Debug, Clone)]
pub(super) struct Question {
    /// Whose credential.
    pub(super) provider: String,
    /// Which of its questions.
    pub(super) number: u64,
    /// When it was asked.
    pub(super) asked: Moment,
    /// The credential.
    pub(super) auth: Auth,
}

#[derive(Debug)]
struct Held {
    /// What tokens are minted from.
    auth: Auth,
    token: Option<Current>,
    /// The question that is under way.
    asking: Option<u64>,
    /// When the next is due, unless one is under way.
    due: Instant,
    failures: u32,
    error: Option<(String, SystemTime)>,
    usable: bool,
    /// What was pushed last, and of which provider.
    pushed: Option<(Arc<Provider>, Arc<Provider>)>,
}

#[derive(Debug)]
struct Current {
    token: Token,
    asked: Moment,
}

impl Current {
    fn is_over(&self, now: Moment, failed: bool) -> bool {
        let used = timing::use_of(self.token.lifetime);
        let steady = now.steady.saturating_duration_since(self.asked.steady) >= used;
        // The wall's clock may have jumped, so it is believed only if the token could not be renewed either.
        let wall = now.wall.duration_since(self.asked.wall).is_ok_and(|age| age >= used);
        steady || (failed && wall)
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Keeper {
    held: BTreeMap<String, Held>,
    random: fn() -> u32,
    numbers: u64,
    last: Option<(Arc<Snapshot>, Arc<Snapshot>)>,
}

fn unix(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

impl Keeper {
    /// One that keeps nothing yet. `random` is even over all its values.
    pub(super) fn new(random: fn() -> u32) -> Self {
        Self { held: BTreeMap::new(), random, numbers: 0, last: None }
    }

    /// Takes in which credentials there are now. A changed one begins anew: its old token was for the old one.
    pub(super) fn reconcile(&mut self, snapshot: &Snapshot, now: Moment) {
        let wanted = |name: &str| {
            let provider = &snapshot.providers.get(name)?.value;
            (provider.enabled && provider.auth.kind.is_minted()).then(|| provider.auth.clone())
        };
        self.held.retain(|name, held| wanted(name).is_some_and(|auth| auth == held.auth));
        for name in snapshot
            .providers
            .keys()
            .filter(|name| !self.held.contains_key(*name))
            .cloned()
            .collect::<Vec<_>>()
        {
            let Some(auth) = wanted(&name) else { continue };
            let (token, asking, error, pushed) = (None, None, None, None);
            let held =
                Held { auth, token, asking, due: now.steady, failures: 0, error, usable: false, pushed };
            self.held.insert(name, held);
            self.last = None;
        }
    }

    /// The questions that are due; each is asked once.
    pub(super) fn due(&mut self, now: Moment) -> Vec<Question> {
        let mut questions = Vec::new();
        for (name, held) in &mut self.held {
            let over =
                held.token.as_ref().is_some_and(|current| current.is_over(now, true) && held.failures == 0);
            if held.asking.is_some() || (held.due > now.steady && !over) {
                continue;
            }
            self.numbers += 1;
            held.asking = Some(self.numbers);
            let (provider, auth) = (name.clone(), held.auth.clone());
            questions.push(Question { provider, number: self.numbers, asked: now, auth });
        }
        questions
    }

    /// Takes in an answer.
    pub(super) fn answered(&mut self, question: &Question, answer: Result<Token, Failure>, now: Moment) {
        let random = (self.random)();
        let Some(held) = self.held.get_mut(&question.provider) else { return };
        if held.asking != Some(question.number) {
            return;
        }
        held.asking = None;
        match answer {
            Ok(token) => {
                tracing::debug!(provider = question.provider, lifetime = ?token.lifetime, "a token was minted");
                held.due = question.asked.steady + timing::renewal(token.lifetime, random);
                held.failures = 0;
                held.error = None;
                held.token = Some(Current { token, asked: question.asked });
                held.pushed = None;
                self.last = None;
            }
            Err(failure) => {
                held.failures = held.failures.saturating_add(1);
                let pause = timing::pause(held.failures, failure.is_lasting(), failure.retry_after(), random);
                held.due = now.steady + pause;
                let (provider, failures) = (&question.provider, held.failures);
                tracing::warn!(provider, failures, ?pause, %failure, "no token could be minted");
                held.error = Some((failure.to_string(), now.wall));
            }
        }
    }

    /// When something is to be done without being told.
    pub(super) fn wake(&self) -> Option<Instant> {
        let of = |held: &Held| {
            let over = held.token.as_ref().filter(|_| held.usable);
            let over = over.map(|current| current.asked.steady + timing::use_of(current.token.lifetime));
            let due = held.asking.is_none().then_some(held.due);
            over.into_iter().chain(due).min()
        };
        self.held.values().filter_map(of).min()
    }

    /// The snapshot as it is pushed. What has not changed is the same value as before.
    pub(super) fn pushed(&mut self, source: &Arc<Snapshot>, now: Moment) -> Arc<Snapshot> {
        for held in self.held.values_mut() {
            let usable = held.token.as_ref().is_some_and(|current| !current.is_over(now, held.failures > 0));
            if usable != held.usable {
                held.usable = usable;
                held.pushed = None;
                self.last = None;
            }
        }
        if let Some((of, pushed)) = &self.last
            && Arc::ptr_eq(of, source)
        {
            return pushed.clone();
        }
        let is_minted = |provider: &Versioned<Provider>| provider.value.auth.kind.is_minted();
        if !source.providers.values().any(is_minted) {
            return source.clone();
        }
        let mut next = Snapshot::clone(source);
        for (name, provider) in next.providers.iter_mut().filter(|(_, provider)| is_minted(provider)) {
            let held = self.held.get_mut(name);
            provider.value = match held {
                Some(held) => held.push(&provider.value),
                None => Arc::new(with_token(&provider.value, None)),
            };
        }
        let next = Arc::new(next);
        self.last = Some((source.clone(), next.clone()));
        next
    }

    /// What each credential is worth, by provider.
    pub(super) fn states(&self) -> BTreeMap<String, CredentialState> {
        let state = |held: &Held| CredentialState {
            state: match &held.token {
                Some(_) if held.usable => Phase::Valid,
                Some(_) => Phase::Expired,
                None => Phase::Pending,
            },
            valid_until: held.token.as_ref().map(|current| unix(current.asked.wall + current.token.lifetime)),
            last_error: held.error.as_ref().map(|(error, _)| error.clone()),
            last_error_at: held.error.as_ref().map(|(_, at)| unix(*at)),
        };
        self.held.iter().map(|(name, held)| (name.clone(), state(held))).collect()
    }

    /// Whether every credential has been asked for at least once.
    pub(super) fn is_settled(&self) -> bool {
        self.held.values().all(|held| held.token.is_some() || held.error.is_some())
    }

    /// Tokens are looked at so often, in case that the wall's clock has jumped.
    pub(super) const GLANCE: Duration = Duration::from_secs(30);
}

impl Held {
    fn push(&mut self, provider: &Arc<Provider>) -> Arc<Provider> {
        if let Some((of, pushed)) = &self.pushed
            && Arc::ptr_eq(of, provider)
        {
            return pushed.clone();
        }
        let token = self.token.as_ref().filter(|_| self.usable).map(|current| current.token.secret.as_str());
        let pushed = Arc::new(with_token(provider, token));
        self.pushed = Some((provider.clone(), pushed.clone()));
        pushed
    }
}

/// The provider with a token in place of what tokens are minted from; without one it is not used.
fn with_token(provider: &Provider, token: Option<&str>) -> Provider {
    let secret = token.unwrap_or_default().to_owned();
    let auth = Auth { kind: AuthKind::Bearer, secret, ..Auth::default() };
    Provider { auth, enabled: provider.enabled && token.is_some(), ..provider.clone() }
}

#[cfg(test)]
mod tests;
