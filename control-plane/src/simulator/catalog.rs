//! The models that a virtual provider offers, and how much each can take.

use serde::{Deserialize, Serialize};

/// What a model without a limit of its own can take, in tokens.
pub(crate) const CONTEXT: u64 = 128_000;

const fn context() -> u64 {
    CONTEXT
}

const fn output() -> u64 {
    u64::MAX
}

/// One model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Model {
    /// The id requests name.
    pub(crate) id: String,
    /// Prompt and reply together, in tokens.
    #[serde(default = "context")]
    pub(crate) context_length: u64,
    /// The most it replies, in tokens.
    #[serde(default = "output")]
    pub(crate) max_output: u64,
    /// What else it refuses.
    #[serde(default)]
    pub(crate) traits: Traits,
}

/// How a model differs from its vendor's others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Traits {
    /// Takes every parameter of the dialect: what a registered model does unless it says otherwise.
    #[default]
    Any,
    /// Answers, and cannot be asked to reason.
    Plain,
    /// Reasons, and cannot be asked to sample.
    Reasoning,
    /// Takes a temperature or a nucleus, not both.
    OneSampler,
    /// Takes texts and returns vectors.
    Embedding,
    /// Makes pictures.
    Image,
    /// Continues a text, and has no notion of turns.
    Completion,
}

/// A model that a vendor offers from the start: id, context length, longest reply, traits.
pub(crate) type Row = (&'static str, u64, u64, Traits);

/// The models of one provider.
#[derive(Debug, Clone)]
pub(crate) struct Catalog(Vec<Model>);

impl Catalog {
    /// What a vendor offers from the start.
    pub(crate) fn of(rows: &[Row]) -> Self {
        let model = |&(id, context_length, max_output, traits): &Row| Model {
            id: id.to_owned(),
            context_length,
            max_output,
            traits,
        };
        Self(rows.iter().map(model).collect())
    }

    /// Adds a model, or replaces the one of the same id.
    pub(crate) fn register(&mut self, model: Model) {
        match self.0.iter_mut().find(|known| known.id == model.id) {
            Some(known) => *known = model,
            None => self.0.push(model),
        }
    }

    /// The model of that id.
    pub(crate) fn get(&self, id: &str) -> Option<&Model> {
        self.0.iter().find(|model| model.id == id)
    }

    /// All models, in the order of registration.
    pub(crate) fn all(&self) -> &[Model] {
        &self.0
    }
}
