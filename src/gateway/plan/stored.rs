//! Whom a call about a stored reply is for.
//!
//! Invariant: a reply whose keeper is known is asked of that provider alone. Of one that nobody has seen made, nothing is
//! known but its id: everybody who could have made it is asked, and says no.

use super::{MAX_STEPS, Plan, Step};
use crate::config::{Dialect, Key};
use crate::gateway::reject::Rejection;
use crate::gateway::state::State;
use crate::ir::error::ErrorKind;
use std::rc::Rc;

/// Plans a call about the reply `id`, which `keeper` keeps.
pub fn plan_stored(state: &State, key: &Key, id: &str, keeper: Option<&str>) -> Result<Plan, Rejection> {
    let chain = key.chain.iter().flat_map(|step| &step.targets).map(|target| target.provider.as_str());
    let mut names: Vec<&str> = match keeper {
        Some(name) => vec![name],
        None => chain.chain(state.provider_names()).collect(),
    };
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(*name) && key.providers.permits(name));
    let steps = names.into_iter().filter_map(|name| {
        let provider = state.provider(name)?;
        (provider.enabled && provider.speaks(Dialect::Responses)).then(|| Step {
            provider: Rc::clone(provider),
            dialect: Dialect::Responses,
            upstream_id: String::new(),
            model: None,
        })
    });
    let steps: Vec<Step> = steps.take(MAX_STEPS).collect();
    if steps.is_empty() { Err(unknown_reply(id)) } else { Ok(Plan { steps, passed_over: Vec::new() }) }
}

/// Nobody whom this key may ask keeps such a reply.
#[must_use]
pub fn unknown_reply(id: &str) -> Rejection {
    let message = format!(
        "There is no response '{id}' that this key could reach: a key reaches what it has had made. Check the id, and \
         that the provider that made it is enabled and keeps responses (store)."
    );
    Rejection::of(404, ErrorKind::NotFound, "not_found", message).param("response_id")
}

/// The reply that a request builds on is not this key's.
#[must_use]
pub fn unknown_previous(id: &str) -> Rejection {
    let id: String = id.chars().take(128).collect();
    let message = format!("Previous response with id '{id}' not found. Send the whole conversation instead.");
    Rejection::new(400, "previous_response_not_found", message).param("previous_response_id")
}
