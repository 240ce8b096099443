//! Which providers are tried, in which order.

use super::reject::Rejection;
use super::state::State;
use crate::config::{Dialect, Endpoint, Key, Model, Step as ChainStep, Target};
use crate::dialect::Needs;
use crate::ir::error::ErrorKind;
use crate::provider::Upstream;
use std::rc::Rc;

/// The most steps one request is planned for; more would outlast any client's patience.
const MAX_STEPS: usize = 16;

/// One provider and model to try.
#[derive(Debug, Clone)]
pub struct Step {
    /// Where.
    pub provider: Rc<Upstream>,
    /// The id that the provider's API takes.
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
    /// Draws from weighted groups.
    pub random: u64,
}

/// Plans a request: the channels of the model it names, then the key's chain. Never empty.
pub fn plan(state: &State, key: &Key, wish: &Wish<'_>) -> Result<Vec<Step>, Rejection> {
    let mut planner =
        Planner { state, key, wish, steps: Vec::with_capacity(4), barred: false, mute: false, unable: false };
    let auto = matches!(wish.model, "auto" | "sluice/auto");
    if !auto {
        planner.named()?;
    }
    // Vectors of another model mean something else, and completions are written for one model: no stranger steps in.
    let only =
        matches!(wish.endpoint, Endpoint::Embeddings | Endpoint::Completions).then(|| wish.model.to_owned());
    for (index, step) in key.chain.iter().enumerate() {
        for target in ordered(step, wish.random.rotate_left(u32::try_from(index).unwrap_or(0) * 8)) {
            planner.chain_target(target, only.as_deref().filter(|_| !auto));
        }
    }
    let Planner { mut steps, barred, mute, unable, .. } = planner;
    if steps.is_empty() {
        return Err(match (barred, mute, unable) {
            (false, true, _) => unspoken(wish.model),
            (false, _, true) => incapable(),
            _ => nothing(auto, barred, wish.model),
        });
    }
    steps.truncate(MAX_STEPS);
    Ok(steps)
}

struct Planner<'a> {
    state: &'a State,
    key: &'a Key,
    wish: &'a Wish<'a>,
    steps: Vec<Step>,
    /// Something was left out because the key may not use it.
    barred: bool,
    /// Something was left out because its provider's dialect has no such endpoint.
    mute: bool,
    /// Something was left out because its model cannot do what is needed.
    unable: bool,
}

impl Planner<'_> {
    /// `provider/model` names a channel; a bare id stands for the model's channels.
    fn named(&mut self) -> Result<(), Rejection> {
        let asked = self.wish.model;
        if let Some((provider, rest)) = asked.split_once('/')
            && self.state.provider(provider).is_some()
        {
            if !crate::config::is_model_id(rest) {
                return Err(bad_model_id());
            }
            self.push(provider, rest);
            return Ok(());
        }
        let Some(model) = self.state.model(asked) else {
            return Err(unknown_model(self.state, self.key, asked));
        };
        for channel in &model.channels {
            self.add(&channel.provider, channel.upstream_id.clone(), Some(Rc::clone(model)));
        }
        Ok(())
    }

    fn chain_target(&mut self, target: &Target, only: Option<&str>) {
        let model = self.state.model(&target.model);
        if let Some(only) = only {
            let wanted = self.state.model(only).map_or(only, |model| &model.id);
            if model.map_or(target.model.as_str(), |model| &model.id) != wanted {
                return;
            }
        }
        if model.is_some_and(|model| !can(model, &self.wish.needs)) {
            self.unable = true;
            return;
        }
        self.push(&target.provider, &target.model);
    }

    /// `model` is a public id that the provider serves, or the provider's own.
    fn push(&mut self, provider: &str, model: &str) {
        let channel_of = |model: &Model| {
            let channel = model.channels.iter().find(|channel| channel.provider == provider);
            channel.map(|channel| channel.upstream_id.clone())
        };
        let public = self.state.model(model);
        if let Some((upstream_id, public)) = public.and_then(|public| Some((channel_of(public)?, public))) {
            return self.add(provider, upstream_id, Some(Rc::clone(public)));
        }
        // Several models may be sold under one upstream id: the key has one that it may use, if there is any.
        let serves = |candidate: &&Rc<Model>| channel_of(candidate).as_deref() == Some(model);
        let mut candidates = self.state.models().filter(serves);
        let first = candidates.next();
        let usable = first.into_iter().chain(candidates).find(|model| self.key.models.permits(&model.id));
        self.add(provider, model.to_owned(), usable.or(first).cloned());
    }

    fn add(&mut self, provider: &str, upstream_id: String, model: Option<Rc<Model>>) {
        let Some(upstream) = self.state.provider(provider).filter(|upstream| upstream.enabled) else {
            return;
        };
        let step = Step { provider: Rc::clone(upstream), upstream_id, model };
        let permitted =
            self.key.providers.permits(&step.provider.name) && self.key.models.permits(step.model_id());
        self.barred |= !permitted;
        let translatable = matches!(self.wish.endpoint, Endpoint::ChatCompletions | Endpoint::Messages);
        let speaks = step.provider.dialect == self.wish.dialect || translatable;
        self.mute |= permitted && !speaks;
        if permitted && speaks && !self.steps.iter().any(|known| known.is_same(&step)) {
            self.steps.push(step);
        }
    }
}

/// Whether a model can do what is needed. What the catalog does not know passes.
fn can(model: &Model, needs: &Needs) -> bool {
    let has = |list: &[String], word: &str| list.is_empty() || list.iter().any(|entry| entry == word);
    (!needs.images || has(&model.input_modalities, "image"))
        && (!needs.tools || has(&model.capabilities, "tools"))
        && (!needs.schema || has(&model.capabilities, "response_schema"))
        // Images are far more bytes than tokens, so their size says nothing.
        && (needs.images || model.context_window.is_none_or(|window| needs.prompt_tokens <= window))
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

fn nothing(auto: bool, barred: bool, model: &str) -> Rejection {
    if barred {
        let message = format!("This key may not use the model '{model}'. GET /v1/models lists those it may.");
        return Rejection::new(403, "model_not_allowed", message).param("model");
    }
    let message = if auto {
        "This key has no chain that could serve 'auto' now. Name a model, or have the chain extended."
            .to_owned()
    } else {
        format!("No provider serves the model '{model}' on this endpoint now. Choose another, or enable one.")
    };
    Rejection::of(503, ErrorKind::Overloaded, "no_provider_available", message).param("model").after(30)
}

/// The request asks for more than any step can do: trying again would not help.
fn incapable() -> Rejection {
    let message = "No model of this key's chain can do what the request needs (images, tools, a JSON schema, or a prompt \
                   of this length). Name another model, or ask for less.";
    Rejection::new(400, "invalid_request", message).param("model")
}

/// Not for now but for good: a client that tried again would get the same.
fn unspoken(model: &str) -> Rejection {
    let message = format!(
        "The model '{model}' is not served on this endpoint. Use POST /v1/chat/completions or /v1/messages, or choose \
         another model."
    );
    Rejection::new(404, "model_not_found", message).param("model")
}

/// A model name that could change a path or mean nothing.
#[must_use]
pub fn bad_model_id() -> Rejection {
    let message = "The model's name may hold only letters, digits and ._-/:@+, without empty, '.' or '..' segments. \
                   GET /v1/models lists the models.";
    Rejection::new(400, "invalid_request", message).param("model")
}

/// A model that the catalog does not have, or that this key may not see.
#[must_use]
pub fn unknown_model(state: &State, key: &Key, asked: &str) -> Rejection {
    let visible = state.models().map(|model| model.id.as_str()).filter(|id| key.models.permits(id));
    let near = nearest(asked, visible);
    let hint = if near.is_empty() { String::new() } else { format!(" Did you mean {}?", near.join(" or ")) };
    let asked: String = asked.chars().take(128).collect();
    let message = format!("There is no model '{asked}'.{hint} GET /v1/models lists the models.");
    Rejection::new(404, "model_not_found", message).param("model")
}

/// Up to three ids that differ little from `asked`.
fn nearest<'a>(asked: &str, ids: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let asked: Vec<u8> = asked.bytes().take(128).collect();
    let allowed = (asked.len() / 2).max(2);
    let mut close: Vec<(usize, &str)> = ids
        .map(|id| (distance(&asked, id.as_bytes()), id))
        .filter(|(distance, _)| *distance <= allowed)
        .collect();
    close.sort_unstable();
    close.into_iter().take(3).map(|(_, id)| id).collect()
}

/// Levenshtein's, over bytes.
fn distance(left: &[u8], right: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut diagonal = i;
        let mut before = i + 1;
        for (cell, b) in row.iter_mut().skip(1).zip(right) {
            let replaced = diagonal + usize::from(a != b);
            diagonal = *cell;
            *cell = replaced.min(before + 1).min(diagonal + 1);
            before = *cell;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
