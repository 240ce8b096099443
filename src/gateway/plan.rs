//! Which providers are tried, in which order.
//!
//! The model that the client names is taken at its word: its channels are tried whatever the catalog says it can do.
//! Whoever is chosen for the client (`auto`, and the steps of the key's chain) must be able to do what the request
//! needs, and is passed over otherwise. A provider that cannot even be asked (its wire format has no such endpoint, or
//! the request asks for what only its own dialect has) is never planned.

mod able;
mod refusal;
mod stored;

pub use refusal::{bad_model_id, unknown_model};
pub use stored::{plan_stored, unknown_previous, unknown_reply};

use super::reject::Rejection;
use super::state::State;
use crate::config::{Dialect, Endpoint, Key, Model, Operation, PassedOver, Step as ChainStep, Target};
use crate::dialect::Needs;
use crate::provider::Upstream;
use std::rc::Rc;

/// The most steps one request is planned for; more would outlast any client's patience.
const MAX_STEPS: usize = 16;

/// One provider and model to try.
#[derive(Debug, Clone)]
pub struct Step {
    /// Where.
    pub provider: Rc<Upstream>,
    /// What it is asked in.
    pub dialect: Dialect,
    /// The id that the provider's API takes; empty where a call names no model.
    pub upstream_id: String,
    /// The catalog's model, where it has one.
    pub model: Option<Rc<Model>>,
}

impl Step {
    /// The public id, or the provider's own where the catalog has none.
    #[must_use]
    pub fn model_id(&self) -> &str {
        self.model.as_ref().map_or(&self.upstream_id, |model| &model.id)
    }

    /// Left out, for a reason.
    #[must_use]
    pub fn passed_over(&self, lacks: &str) -> PassedOver {
        PassedOver {
            provider: self.provider.name.clone(),
            model: self.model_id().to_owned(),
            lacks: lacks.to_owned(),
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        self.provider.name == other.provider.name && self.upstream_id == other.upstream_id
    }
}

/// What a plan is made from.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// What is called.
    pub endpoint: Endpoint,
    /// The client's dialect.
    pub dialect: Dialect,
    /// The model, as the client wrote it.
    pub model: &'a str,
    /// What the model must be able to do.
    pub needs: Needs,
    /// The member by which the request asks for what only a provider of its own dialect has.
    pub native: Option<&'a str>,
    /// The provider that keeps what the request builds on; its steps come first.
    pub keeper: Option<&'a str>,
    /// Draws from weighted groups.
    pub random: u64,
}

/// What is tried, and what was left out.
#[derive(Debug, Default)]
pub struct Plan {
    /// In order. Empty only where the request is for a count and nobody can count.
    pub steps: Vec<Step>,
    /// Steps that cannot do what the request needs.
    pub passed_over: Vec<PassedOver>,
}

/// Plans a request: the channels of the model it names, then the key's chain.
pub fn plan(state: &State, key: &Key, wish: &Wish<'_>) -> Result<Plan, Rejection> {
    let mut planner = Planner {
        state,
        key,
        wish,
        plan: Plan { steps: Vec::with_capacity(4), passed_over: Vec::new() },
        barred: false,
        mute: false,
        foreign: false,
        unable: false,
    };
    let auto = matches!(wish.model, "auto" | "sluice/auto");
    if !auto {
        planner.named()?;
    }
    // Vectors of another model mean something else, completions and pictures are asked of one model, and each model
    // counts in tokens of its own: no stranger steps in.
    let only = (wish.endpoint.operation() != Operation::Chat && !auto).then_some(wish.model);
    for (index, step) in key.chain.iter().enumerate() {
        for target in ordered(step, wish.random.rotate_left(u32::try_from(index).unwrap_or(0) * 8)) {
            planner.chain_target(target, only);
        }
    }
    let Planner { mut plan, barred, mute, foreign, unable, .. } = planner;
    if plan.steps.is_empty() {
        let counts = wish.endpoint.operation() == Operation::Count;
        return match (barred, foreign, mute, unable, wish.native) {
            (_, true, _, _, Some(member)) => Err(refusal::homeless(wish, member)),
            (_, _, true, _, _) if counts => Ok(plan),
            (false, _, true, _, _) => Err(refusal::unspoken(wish)),
            (false, _, _, true, _) => Err(refusal::incapable()),
            _ => Err(refusal::nothing(auto, barred, wish.model)),
        };
    }
    if let Some(keeper) = wish.keeper {
        plan.steps.sort_by_key(|step| step.provider.name != keeper);
    }
    plan.steps.truncate(MAX_STEPS);
    Ok(plan)
}

struct Planner<'a> {
    state: &'a State,
    key: &'a Key,
    wish: &'a Wish<'a>,
    plan: Plan,
    /// Something was left out because the key may not use it.
    barred: bool,
    /// Something was left out because its provider's dialect has no such endpoint.
    mute: bool,
    /// Something was left out because the request is for providers of its own dialect alone.
    foreign: bool,
    /// Something was left out because its model cannot do what is needed.
    unable: bool,
}

impl<'a> Planner<'a> {
    /// `provider/model` names a channel; a bare id stands for the model's channels.
    fn named(&mut self) -> Result<(), Rejection> {
        let asked = self.wish.model;
        if let Some((provider, rest)) = asked.split_once('/')
            && self.state.provider(provider).is_some()
        {
            if !crate::config::is_model_id(rest) {
                return Err(bad_model_id());
            }
            let step = self.find(provider, rest);
            self.add(step, false);
            return Ok(());
        }
        let Some(model) = self.model(asked) else {
            return Err(unknown_model(self.state, self.key, asked));
        };
        for channel in &model.channels {
            let step = self.step(&channel.provider, channel.upstream_id.clone(), Some(Rc::clone(model)));
            self.add(step, false);
        }
        Ok(())
    }

    fn chain_target(&mut self, target: &Target, only: Option<&str>) {
        let model = self.state.model(&target.model);
        if let Some(only) = only {
            let wanted = self.model(only).map_or(only, |model| &model.id);
            if model.map_or(target.model.as_str(), |model| &model.id) != wanted {
                return;
            }
        }
        let step = self.find(&target.provider, &target.model);
        self.add(step, true);
    }

    /// A model by id or alias.
    fn model(&self, id: &str) -> Option<&'a Rc<Model>> {
        self.state.model(id).or_else(|| self.state.model(plain(id)))
    }

    /// `model` is a public id that the provider serves, or the provider's own.
    fn find(&self, provider: &str, model: &str) -> Option<Step> {
        let channels =
            |model: &'a Model| model.channels.iter().filter(move |channel| channel.provider == provider);
        if let Some((public, channel)) =
            self.model(model).and_then(|public| Some((public, channels(public).next()?)))
        {
            return self.step(provider, channel.upstream_id.clone(), Some(Rc::clone(public)));
        }
        // Several models may be sold under one upstream id: the key has one that it may use, if there is any.
        let sold = |candidate: &'a Rc<Model>| {
            let channel = channels(candidate).find(|channel| plain(&channel.upstream_id) == plain(model))?;
            Some((candidate, &channel.upstream_id))
        };
        let mut candidates = self.state.models().filter_map(sold);
        let first = candidates.next();
        let usable = first.into_iter().chain(candidates).find(|(model, _)| self.key.may_use(model));
        match usable.or(first) {
            Some((model, upstream_id)) => self.step(provider, upstream_id.clone(), Some(Rc::clone(model))),
            None => self.step(provider, model.to_owned(), None),
        }
    }

    /// A step at a provider that is enabled.
    fn step(&self, provider: &str, upstream_id: String, model: Option<Rc<Model>>) -> Option<Step> {
        let provider = self.state.provider(provider).filter(|provider| provider.enabled)?;
        let Wish { dialect: client, endpoint, .. } = *self.wish;
        let dialect = provider.dialect_for(client);
        let step = Step { provider: Rc::clone(provider), dialect, upstream_id, model };
        if able::serves(&step, client, endpoint) {
            return Some(step);
        }
        // Some dialects cannot say all that others can: of counts and vectors, another that is spoken there may.
        let others = provider.spoken().map(|dialect| Step { dialect, ..step.clone() });
        let able = others.into_iter().find(|other| able::serves(other, client, endpoint));
        Some(able.unwrap_or(step))
    }

    /// Plans a step, unless something speaks against it. `chosen` says that the client has not named it.
    fn add(&mut self, step: Option<Step>, chosen: bool) {
        let Some(step) = step else { return };
        let key = self.key;
        let permitted = match &step.model {
            Some(model) => key.may_use(model),
            // A provider may know a model under more names than one: rules about names mean nothing there. Who wrote
            // the chain wrote the rules as well.
            None if chosen => key.models.permits(&step.upstream_id),
            None => key.models.is_open(),
        };
        if !permitted || !key.providers.permits(&step.provider.name) {
            self.barred = true;
            return;
        }
        if self.plan.steps.iter().any(|known| known.is_same(&step)) {
            return;
        }
        let Some(lacks) = self.against(&step, chosen) else { return self.plan.steps.push(step) };
        let left_out = step.passed_over(lacks);
        if !self.plan.passed_over.contains(&left_out) {
            self.plan.passed_over.push(left_out);
        }
    }

    /// What a step lacks.
    fn against(&mut self, step: &Step, chosen: bool) -> Option<&'a str> {
        let Wish { endpoint, dialect, ref needs, native, .. } = *self.wish;
        if let Some(member) = native.filter(|_| step.dialect != dialect) {
            self.foreign = true;
            return Some(member);
        }
        if !able::serves(step, dialect, endpoint) {
            self.mute = true;
            return Some("endpoint");
        }
        let lacks = step.model.as_ref().filter(|_| chosen).and_then(|model| able::lacks(model, needs));
        self.unable |= lacks.is_some();
        lacks
    }
}

/// A model's name without what Google's own begin with, which is their collection's.
#[must_use]
pub fn plain(id: &str) -> &str {
    id.strip_prefix("models/").unwrap_or(id)
}

/// A group's targets: one drawn by weight, the others after it by falling weight.
fn ordered(step: &ChainStep, random: u64) -> Vec<&Target> {
    let mut targets: Vec<&Target> = step.targets.iter().collect();
    let total: u64 = targets.iter().map(|target| u64::from(target.weight)).sum();
    let mut draw = random % total.max(1);
    let drawn = targets.iter().position(|target| {
        let weight = u64::from(target.weight);
        let hit = draw < weight;
        draw = draw.saturating_sub(weight);
        hit
    });
    let first = drawn.map(|index| targets.remove(index));
    targets.sort_by_key(|target| std::cmp::Reverse(target.weight));
    first.into_iter().chain(targets).collect()
}

#[cfg(test)]
mod tests;
