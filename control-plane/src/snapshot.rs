//! What is pushed to the fleet at one moment: immutable once published.
//!
//! The store is the truth; after each change it builds a new [`Snapshot`] and publishes it through a [`Feed`]. The
//! credentials put tokens in place of what tokens are minted from, and publish that through another. Discovery only reads
//! that one, and never the store.

use sluice::config::{Key, Model, Provider, Settings};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;

/// A resource and the revision at which it last changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Versioned<T> {
    /// The store's revision counter at the change; grows with every change of any resource.
    pub(crate) revision: u64,
    /// The resource.
    pub(crate) value: Arc<T>,
}

/// Everything the fleet is to know, by resource name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// The store's revision counter.
    pub(crate) revision: u64,
    /// Fleet-wide settings.
    pub(crate) settings: Versioned<Settings>,
    /// By [`Provider::name`].
    pub(crate) providers: BTreeMap<String, Versioned<Provider>>,
    /// By [`Model::id`].
    pub(crate) models: BTreeMap<String, Versioned<Model>>,
    /// By [`Key::id`]. Revoked and disabled keys are in here too, so that the module can say which.
    pub(crate) keys: BTreeMap<String, Versioned<Key>>,
}

/// Publishes snapshots; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Feed(watch::Sender<Arc<Snapshot>>);

impl Feed {
    /// A feed that begins with `first`.
    #[must_use]
    pub(crate) fn new(first: Snapshot) -> Self {
        Self::of(Arc::new(first))
    }

    /// A feed that begins with `first`, which may be shared.
    #[must_use]
    pub(crate) fn of(first: Arc<Snapshot>) -> Self {
        Self(watch::Sender::new(first))
    }

    /// Publishes `next` in place of what there is, unless it is the same. Only for a feed with a single writer: what is
    /// derived from snapshots may change without a new revision.
    pub(crate) fn replace(&self, next: Arc<Snapshot>) {
        self.0.send_if_modified(|current| {
            let other = !Arc::ptr_eq(current, &next);
            *current = next;
            other
        });
    }

    /// Publishes `next`, unless a newer revision has been published meanwhile.
    pub(crate) fn publish(&self, next: Snapshot) {
        self.0.send_if_modified(|current| {
            let newer = next.revision > current.revision;
            if newer {
                *current = Arc::new(next);
            }
            newer
        });
    }

    /// The newest snapshot.
    #[must_use]
    pub(crate) fn current(&self) -> Arc<Snapshot> {
        self.0.borrow().clone()
    }

    /// Follows the feed; the first value is the current snapshot.
    #[must_use]
    pub(crate) fn subscribe(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.0.subscribe()
    }
}
