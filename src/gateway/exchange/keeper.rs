//! Who keeps the stored reply that a request is about or builds on, and whether the key may reach it.
//!
//! Invariant: a key reaches what it is known to have had made. What this Envoy has not seen made is asked of the control
//! plane, whose ledger has the record of it; without an answer nobody reaches it, but for what the key has found before.

use super::{Admitted, Exchange};
use crate::config::{Maker, Operation, StoredResponses};
use crate::gateway::kept::{Keeper, MAX_ID};
use crate::gateway::plan::{unknown_previous, unknown_reply};
use crate::gateway::reject::Rejection;
use crate::gateway::state::State;
use crate::ir::error::ErrorKind;

/// The stored reply that a request names.
#[derive(Debug, Default)]
pub(super) struct Named {
    id: String,
    keeper: Option<Maker>,
    /// The control plane has been asked.
    asked: bool,
}

impl Exchange {
    /// Finds the keeper of what the request names. `Some` is an id that the control plane has to be asked for first.
    pub(super) fn find_keeper(&mut self, state: &State) -> Result<Option<String>, Rejection> {
        let Some(id) = self.named_id() else { return Ok(None) };
        if id.is_empty() {
            // No provider makes such an id, and those that ignore it would answer without what the client builds on.
            return Err(self.unknown(&id));
        }
        let asked = self.named.asked;
        let keeper = match self.where_is(&id, state) {
            Keeper::Known(maker) => Some(maker),
            Keeper::Foreign => return Err(self.unknown(&id)),
            // Also what the key has found: its owner may have turned up since.
            Keeper::Found(_) | Keeper::Unknown if !asked && id.len() <= MAX_ID => return Ok(Some(id)),
            Keeper::Found(maker) => Some(maker),
            Keeper::Unknown if !self.may_look() => return Err(self.unknown(&id)),
            Keeper::Unknown => None,
        };
        self.named = Named { id, keeper, asked };
        Ok(None)
    }

    /// Where a reply is for this key, as far as this Envoy knows.
    fn where_is(&self, id: &str, state: &State) -> Keeper {
        match state.kept().find(id, &self.key.id) {
            Keeper::Found(_) if !self.may_look() => Keeper::Unknown,
            keeper => keeper,
        }
    }

    /// Whether keys may look for replies that nobody knows.
    fn may_look(&self) -> bool {
        self.active.settings.stored_responses == StoredResponses::Open
    }

    /// The control plane has said who had the reply made ([`crate::config::reply_lookup`]): goes on where
    /// [`Exchange::admit`] left off. `None` is for a control plane that did not answer.
    pub fn sought(
        &mut self,
        state: &State,
        makers: Option<&[u8]>,
        random: u64,
    ) -> Result<Admitted, Rejection> {
        self.named.asked = true;
        let makers = makers.and_then(|json| serde_json::from_slice::<Vec<Maker>>(json).ok());
        let admitted = match (makers, self.named_id()) {
            (Some(makers), Some(id)) => {
                // The newest first: what is remembered last counts.
                makers.iter().rev().for_each(|maker| state.kept().remember(&id, maker));
                self.go_on(state, random)
            }
            (None, Some(id)) if matches!(self.where_is(&id, state), Keeper::Found(_)) => {
                self.go_on(state, random)
            }
            _ => Err(cannot_tell()),
        };
        self.conclude(admitted)
    }

    /// The id of the stored reply that the request is about or builds on.
    pub(super) fn named_id(&self) -> Option<String> {
        let builds_on = || Some(self.peek.as_ref()?.builds_on.as_ref()?.plain().into_owned());
        self.asked.stored.as_ref().map(|stored| stored.id.clone()).or_else(builds_on)
    }

    fn unknown(&self, id: &str) -> Rejection {
        if self.operation() == Operation::Stored { unknown_reply(id) } else { unknown_previous(id) }
    }

    /// The provider that keeps what the request names, if that is known.
    pub(super) fn keeper(&self) -> Option<&Maker> {
        self.named.keeper.as_ref()
    }

    /// A provider had what the request names, and nobody knew.
    pub(super) fn note_found(&mut self) {
        let Some(step) = self.plan.get(self.at) else { return };
        let deleted = self.asked.stored.as_ref().is_some_and(|stored| stored.method == "DELETE");
        if let Some(kept) = &self.kept
            && !self.named.id.is_empty()
            && self.named.keeper.is_none()
            && !deleted
        {
            let maker = Maker { provider: step.provider.name.clone(), key: self.key.id.clone(), model: None };
            kept.found(&self.named.id, &maker);
            self.named.keeper = Some(maker);
        }
    }
}

fn cannot_tell() -> Rejection {
    let message = "It cannot be found out just now whose response this is. Try again shortly.";
    Rejection::of(503, ErrorKind::Overloaded, "response_lookup_unavailable", message).after(1)
}
