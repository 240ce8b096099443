//! What all contexts of one VM share. One VM is one thread, so this needs no lock.

use super::host;
use crate::gateway::exchange::Exchange;
use crate::gateway::kept::Kept;
use crate::gateway::outbox::Outbox;
use crate::gateway::state::State;
use crate::gateway::subscription::Subscription;
use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

thread_local! {
    static WORLD: RefCell<World> = RefCell::new(World::new());
}

/// What all contexts of one VM share.
#[derive(Default)]
pub(super) struct World {
    pub(super) state: State,
    pub(super) exchanges: Slab,
    pub(super) subscription: Subscription,
    /// The discovery stream, while it is open.
    pub(super) stream: Option<u32>,
    pub(super) control: Control,
    pub(super) vm: String,
    pub(super) seq: u64,
    /// Usage records that wait to be sent.
    pub(super) outbox: Outbox,
    /// What the control plane knows this Envoy by.
    pub(super) node: String,
    /// Egress contexts that wait, by when they go on.
    pub(super) waiting: BinaryHeap<Reverse<(u64, u32)>>,
}

/// How the control plane is reached.
#[derive(Default, Clone)]
pub(super) struct Control {
    pub(super) cluster: String,
    pub(super) token: String,
}

/// Runs `work` on the world. `work` makes no call of the host that could run another context.
pub(super) fn with<T>(work: impl FnOnce(&mut World) -> T) -> T {
    WORLD.with(|world| work(&mut world.borrow_mut()))
}

/// Runs `work` on one exchange, if it is still there.
pub(super) fn with_exchange<T>(slot: u64, work: impl FnOnce(&mut Exchange) -> T) -> Option<T> {
    with(|world| world.exchanges.get(slot).map(work))
}

impl World {
    fn new() -> Self {
        Self { state: State::knowing(Kept::on(Box::new(host::Shared))), ..Self::default() }
    }

    /// The largest body in bytes; the default until the settings have come.
    pub(super) fn max_body_bytes(&self) -> u64 {
        self.state.active().map_or(64 << 20, |active| active.settings.max_body_bytes)
    }

    /// Sends on the discovery stream, if it is open.
    pub(super) fn send(&self, message: &[u8]) {
        if let Some(stream) = self.stream {
            host::send_message(stream, message);
        }
    }
}

/// Exchanges by slot. A slot's upper half counts its uses, so that a stale one finds nothing.
#[derive(Default)]
pub(super) struct Slab {
    entries: Vec<(u32, Option<Box<Exchange>>)>,
    free: Vec<u32>,
}

impl Slab {
    /// Stores an exchange and returns its slot.
    pub(super) fn insert(&mut self, exchange: Exchange) -> u64 {
        let index = self.free.pop().unwrap_or_else(|| {
            self.entries.push((0, None));
            u32::try_from(self.entries.len() - 1).unwrap_or(u32::MAX)
        });
        let mut generation = 0;
        if let Some(entry) = self.entries.get_mut(index as usize) {
            entry.0 = entry.0.wrapping_add(1);
            entry.1 = Some(Box::new(exchange));
            generation = entry.0;
        }
        u64::from(generation) << 32 | u64::from(index)
    }

    fn entry(&mut self, slot: u64) -> Option<&mut Option<Box<Exchange>>> {
        let (generation, entry) = self.entries.get_mut((slot & 0xffff_ffff) as usize)?;
        (u64::from(*generation) == slot >> 32).then_some(entry)
    }

    fn get(&mut self, slot: u64) -> Option<&mut Exchange> {
        self.entry(slot)?.as_deref_mut()
    }

    /// Takes an exchange out for a moment, so that it can be used beside the rest of the world.
    pub(super) fn take(&mut self, slot: u64) -> Option<Box<Exchange>> {
        self.entry(slot)?.take()
    }

    /// Puts back what [`Slab::take`] took.
    pub(super) fn put(&mut self, slot: u64, exchange: Box<Exchange>) {
        if let Some(entry) = self.entry(slot) {
            *entry = Some(exchange);
        }
    }

    /// Takes an exchange out for good.
    pub(super) fn remove(&mut self, slot: u64) -> Option<Exchange> {
        let exchange = self.entry(slot)?.take()?;
        self.free.push((slot & 0xffff_ffff) as u32);
        Some(*exchange)
    }
}
