//! What the edge answers itself: the model list.

use super::plan::unknown_model;
use super::reject::Rejection;
use super::state::State;
use crate::config::{Dialect, Key, Model};
use crate::dialect::inbound;

/// `GET /v1/models`: the models that this key may ask for.
#[must_use]
pub fn list_models(state: &State, key: &Key, dialect: Dialect) -> Vec<u8> {
    let models: Vec<&Model> =
        state.models().map(AsRef::as_ref).filter(|model: &&Model| key.models.permits(&model.id)).collect();
    let mut out = Vec::with_capacity(models.len() * 128 + 64);
    inbound(dialect).encode_models(&models, &mut out);
    out
}

/// `GET /v1/models/{id}`.
pub fn get_model(state: &State, key: &Key, dialect: Dialect, id: &str) -> Result<Vec<u8>, Rejection> {
    let model = state
        .model(id)
        .filter(|model| key.models.permits(&model.id))
        .ok_or_else(|| unknown_model(state, key, id))?;
    let mut out = Vec::with_capacity(256);
    inbound(dialect).encode_model(model, &mut out);
    Ok(out)
}
