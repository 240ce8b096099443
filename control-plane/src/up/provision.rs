//! Brings the store to where a first request works, and leaves alone what its owner has changed since.
//!
//! Invariants: nothing is ever removed; an existing provider keeps all but what `up` knows better (a credential from
//! the environment, the simulator's port of this run); the key's token is kept where only its owner can read it, so
//! that every start shows the same one.

use super::offer::Offer;
use super::offer::simulated::{self, is_simulated};
use crate::settings::private;
use crate::snapshot::Snapshot;
use crate::store::{NewKey, Store, Write};
use anyhow::Context as _;
use sluice::config::token::Token;
use sluice::config::{Auth, AuthKind, Channel, Key, KeyStatus, Model, Provider, Step};
use std::path::Path;

/// The name of the key that `up` makes.
const KEY_NAME: &str = "up";

/// Whether the key that `token_file` keeps, or a new one, would be served without the simulator.
pub(super) fn has_real_provider(store: &Store, token_file: &Path) -> anyhow::Result<bool> {
    let snapshot = store.feed().current();
    let is_real = |provider: &str| !is_simulated(provider) && is_enabled(&snapshot, provider);
    let kept = kept_key(&snapshot, token_file)?;
    let leads_there = kept.is_some_and(|(_, key)| names_any(&key.chain, is_real));
    Ok(leads_there || names_any(&chain_of_store(&snapshot), is_real))
}

fn is_enabled(snapshot: &Snapshot, provider: &str) -> bool {
    snapshot.providers.get(provider).is_some_and(|provider| provider.value.enabled)
}

/// Whether a chain has a target at one of these providers.
fn names_any(chain: &[Step], is_one: impl Fn(&str) -> bool) -> bool {
    chain.iter().flat_map(|step| &step.targets).any(|target| is_one(&target.provider))
}

/// Puts `offers` and a key for them into the store; returns the key's token, which `token_file` keeps.
pub(super) async fn provision(store: &Store, offers: &[Offer], token_file: &Path) -> anyhow::Result<String> {
    let mut write = store.begin().await?;
    let simulates = offers.iter().any(|offer| is_simulated(&offer.provider.name));
    if !simulates {
        retire_simulator(&mut write).await?;
    }
    // The last one first: each puts its channels before those that are there.
    for offer in offers.iter().rev() {
        put_offer(&mut write, offer).await?;
    }
    let token = put_key(&mut write, offers, token_file).await?;
    write.commit().await?;
    Ok(token)
}

/// The simulator of an earlier run is gone: what is left of it must not be planned.
async fn retire_simulator(write: &mut Write) -> anyhow::Result<()> {
    for name in simulated::names() {
        let known = write.next().providers.get(name).map(|it| Provider::clone(&it.value));
        if let Some(provider) = known {
            write.put_provider(Provider { enabled: false, ..provider }).await?;
        }
    }
    Ok(())
}

async fn put_offer(write: &mut Write, offer: &Offer) -> anyhow::Result<()> {
    let fresh = &offer.provider;
    let known = write.next().providers.get(&fresh.name).map(|it| Provider::clone(&it.value));
    let provider = match known {
        None => fresh.clone(),
        Some(known) if is_simulated(&known.name) => Provider {
            first_token_deadline_ms: known.first_token_deadline_ms,
            headers: known.headers,
            ..fresh.clone()
        },
        Some(mut known) => {
            renew(&mut known.auth, &fresh.auth);
            known
        }
    };
    write.put_provider(provider).await?;
    for model in &offer.models {
        let known = write.next().models.get(&model.id).map(|it| Model::clone(&it.value));
        let model = match known {
            None => model.clone(),
            Some(mut known) => {
                let missing =
                    |channel: &&Channel| !known.channels.iter().any(|has| has.provider == channel.provider);
                let missing: Vec<_> = model.channels.iter().filter(missing).cloned().collect();
                known.channels.splice(0..0, missing);
                known
            }
        };
        write.put_model(model).await?;
    }
    Ok(())
}

/// The environment's credential in the place of the stored one, and nothing else: the region of a signature goes with the
/// base URL, which is the owner's.
fn renew(known: &mut Auth, fresh: &Auth) {
    let is_sent = |kind: AuthKind| matches!(kind, AuthKind::Bearer | AuthKind::Header | AuthKind::Query);
    let same_nature = known.kind == fresh.kind || (is_sent(known.kind) && is_sent(fresh.kind));
    if !same_nature {
        *known = fresh.clone();
        return;
    }
    known.secret.clone_from(&fresh.secret);
    if let (Some(known), Some(fresh)) = (&mut known.aws, &fresh.aws) {
        known.access_key_id.clone_from(&fresh.access_key_id);
        known.session_token.clone_from(&fresh.session_token);
    }
}

async fn put_key(write: &mut Write, offers: &[Offer], token_file: &Path) -> anyhow::Result<String> {
    let snapshot = write.next();
    // What its owner has disabled stays so: then the offer leads nowhere.
    let offered = offers.iter().filter(|offer| is_enabled(snapshot, &offer.provider.name));
    let step = |offer: &Offer| Some(Step::single(&offer.provider.name, &offer.models.first()?.id));
    let mut chain: Vec<Step> = offered.filter_map(step).collect();
    if chain.is_empty() {
        chain = chain_of_store(snapshot);
    }
    if let Some((token, mut key)) = kept_key(snapshot, token_file)? {
        // Only a chain that leads nowhere any more is replaced: anything else is its owner's decision.
        if !chain.is_empty() && !names_any(&key.chain, |provider| is_enabled(snapshot, provider)) {
            key.chain = chain;
            write.put_key(key).await?;
        }
        return Ok(token);
    }
    let created = write.add_key(NewKey { name: KEY_NAME.to_owned(), chain, ..NewKey::default() }).await?;
    private::write(token_file, &created.token)
        .with_context(|| format!("keeping {}", token_file.display()))?;
    Ok(created.token)
}

/// Providers that somebody set up before: the first model of each.
fn chain_of_store(snapshot: &Snapshot) -> Vec<Step> {
    let enabled = snapshot.providers.values().filter(|provider| provider.value.enabled);
    let step = |name: &str| {
        let serves = |channel: &Channel| channel.provider == name;
        let model = snapshot.models.values().find(|model| model.value.channels.iter().any(serves))?;
        Some(Step::single(name, &model.value.id))
    };
    enabled.filter_map(|provider| step(&provider.value.name)).take(16).collect()
}

/// The key of an earlier start, if it is still good.
fn kept_key(snapshot: &Snapshot, token_file: &Path) -> anyhow::Result<Option<(String, Key)>> {
    let text = match std::fs::read_to_string(token_file) {
        Ok(text) => text.trim().to_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("reading {}", token_file.display())),
    };
    let prefix = &snapshot.settings.value.key_prefix;
    let key = Token::parse(&text, prefix).and_then(|token| {
        let key = &snapshot.keys.get(token.id)?.value;
        let live = key.status == KeyStatus::Active && token.matches(&key.secret_hash);
        live.then(|| Key::clone(key))
    });
    Ok(key.map(|key| (text, key)))
}

#[cfg(test)]
mod tests;
