//! One resource type on one discovery stream: what the client asked for, what it holds, what it is owed.
//!
//! Delta xDS as a plain value, without IO. Invariants: a resource is sent only when the client does not hold this
//! version of it; a refused response is not sent again until something of its type changes, and then whole, because
//! the client may have kept nothing of it.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The name that means "all of this type".
const WILDCARD: &str = "*";

/// The resources of one type that this client may see, as versions.
pub(crate) trait Versions {
    /// All names a wildcard stands for.
    fn all(&self) -> Vec<String>;
    /// The version of one, if it exists.
    fn version(&self, name: &str) -> Option<String>;
}

/// A request taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ask {
    /// Names to subscribe to.
    pub(crate) subscribe: Vec<String>,
    /// Names to unsubscribe from.
    pub(crate) unsubscribe: Vec<String>,
    /// What the client still holds from an earlier stream.
    pub(crate) held: HashMap<String, String>,
    /// The response this one answers, if it answers one.
    pub(crate) nonce: Option<String>,
    /// Why that response was refused.
    pub(crate) refusal: Option<String>,
}

/// What a request said about an earlier response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It was applied.
    Acked {
        /// The revision of the response.
        revision: u64,
    },
    /// It was refused.
    Nacked {
        /// The revision of the response.
        revision: u64,
        /// Why.
        reason: String,
    },
}

/// What to send: names only, the caller has the resources.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Update {
    /// To be sent with their current version.
    pub(crate) changed: Vec<String>,
    /// To be named in `removed_resources`.
    pub(crate) removed: Vec<String>,
}

impl Update {
    fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.removed.is_empty()
    }
}

#[derive(Debug)]
struct InFlight {
    revision: u64,
    names: Vec<String>,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Subscription {
    begun: bool,
    wildcard: bool,
    names: BTreeSet<String>,
    /// `None`: the client was told that there is no such resource.
    held: BTreeMap<String, Option<String>>,
    in_flight: BTreeMap<String, InFlight>,
    /// Named by a refused response; sent again with the next change.
    refused: BTreeSet<String>,
    /// The client waits for an answer even if it is empty.
    owes_answer: bool,
}

impl Subscription {
    /// Takes a request in; what it says about an earlier response is returned.
    pub(crate) fn hear(&mut self, ask: Ask) -> Option<Verdict> {
        let first = !std::mem::replace(&mut self.begun, true);
        if first {
            self.held = ask.held.into_iter().map(|(name, version)| (name, Some(version))).collect();
            // The first request without names means everything; a wildcard of either kind is always answered, so
            // that the client knows when it has all there is.
            self.wildcard = ask.subscribe.is_empty();
            self.owes_answer = self.wildcard;
        }
        for name in ask.subscribe {
            if name == WILDCARD {
                self.owes_answer |= !self.wildcard;
                self.wildcard = true;
                continue;
            }
            if !first {
                // Asking again means that the client no longer has it.
                self.held.remove(&name);
            }
            self.names.insert(name);
        }
        for name in ask.unsubscribe {
            if name == WILDCARD {
                self.wildcard = false;
                self.held.retain(|held, _| self.names.contains(held));
            } else {
                self.names.remove(&name);
                if !self.wildcard {
                    self.held.remove(&name);
                    self.refused.remove(&name);
                }
            }
        }
        let answered = self.in_flight.remove(&ask.nonce?)?;
        Some(match ask.refusal {
            None => Verdict::Acked { revision: answered.revision },
            Some(reason) => {
                self.refused.extend(answered.names);
                Verdict::Nacked { revision: answered.revision, reason }
            }
        })
    }

    /// What the client is owed, and `None` if nothing. With `keep`, nothing is removed yet.
    pub(crate) fn owed(&mut self, versions: &impl Versions, keep: bool) -> Option<Update> {
        if !self.begun {
            return None;
        }
        let mut update = Update::default();
        let mut wanted: BTreeSet<String> = self.names.clone();
        if self.wildcard {
            wanted.extend(versions.all());
        }
        for name in &wanted {
            let version = versions.version(name);
            match (self.held.entry(name.clone()), version) {
                (Entry::Occupied(held), version) if *held.get() == version => {}
                (Entry::Occupied(_), None) if keep => {}
                (entry, Some(version)) => {
                    entry.insert_entry(Some(version));
                    update.changed.push(name.clone());
                }
                (entry, None) => {
                    entry.insert_entry(None);
                    update.removed.push(name.clone());
                }
            }
        }
        if !keep {
            let gone: Vec<String> =
                self.held.keys().filter(|name| !wanted.contains(*name)).cloned().collect();
            for name in gone {
                self.held.remove(&name);
                update.removed.push(name);
            }
        }
        if !update.is_empty() {
            self.add_refused(&mut update, versions, keep);
        }
        let owes_answer = std::mem::take(&mut self.owes_answer);
        (owes_answer || !update.is_empty()).then_some(update)
    }

    fn add_refused(&mut self, update: &mut Update, versions: &impl Versions, keep: bool) {
        let named: BTreeSet<String> = update.changed.iter().chain(&update.removed).cloned().collect();
        for name in std::mem::take(&mut self.refused).difference(&named).cloned() {
            match self.held.get(&name) {
                Some(Some(_)) if versions.version(&name).is_some() => update.changed.push(name),
                _ if keep => {
                    self.refused.insert(name);
                }
                _ => update.removed.push(name),
            }
        }
    }

    /// Notes that `update` went out under `nonce`.
    pub(crate) fn sent(&mut self, nonce: String, revision: u64, update: &Update) {
        let names = update.changed.iter().chain(&update.removed).cloned().collect();
        self.in_flight.insert(nonce, InFlight { revision, names });
    }

    /// Whether every response has been answered.
    pub(crate) fn is_settled(&self) -> bool {
        self.in_flight.is_empty()
    }

    /// Whether the client has applied everything it was sent.
    pub(crate) fn is_current(&self) -> bool {
        self.begun && self.in_flight.is_empty() && self.refused.is_empty()
    }
}

#[cfg(test)]
mod tests;
