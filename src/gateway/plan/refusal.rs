//! Why there is no plan: a message for each reason, and what to do about it.

use super::Wish;
use crate::config::{Dialect, Key, Operation};
use crate::gateway::reject::Rejection;
use crate::gateway::state::State;
use crate::ir::error::ErrorKind;

pub(super) fn nothing(auto: bool, barred: bool, model: &str) -> Rejection {
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
pub(super) fn incapable() -> Rejection {
    let message = "No model of this key's chain can do what the request needs (images, audio, documents, tools, a JSON \
                   schema, or a prompt of this length). Name another model, or ask for less.";
    Rejection::new(400, "invalid_request", message).param("model")
}

/// Not for now but for good: a client that tried again would get the same.
pub(super) fn unspoken(wish: &Wish<'_>) -> Rejection {
    let model = wish.model;
    let what = match wish.endpoint.operation() {
        Operation::Embed => "embeddings",
        Operation::Image => "images",
        Operation::Complete => "legacy completions",
        _ => "this",
    };
    let message = format!(
        "The model '{model}' is not served on this endpoint: none of its providers has {what}. Use \
         POST /v1/chat/completions, /v1/responses or /v1/messages, or choose another model."
    );
    Rejection::new(404, "model_not_found", message).param("model")
}

/// The request asks for what only a provider of its own dialect can do, and the plan has none.
pub(super) fn homeless(wish: &Wish<'_>, member: &str) -> Rejection {
    let api = match wish.dialect {
        Dialect::Openai => "OpenAI Chat Completions",
        Dialect::Responses => "OpenAI Responses",
        Dialect::Anthropic => "Anthropic Messages",
        Dialect::Gemini => "Gemini",
        Dialect::Bedrock => "Bedrock",
    };
    let model = wish.model;
    let message = format!(
        "Only a provider that speaks {api} can serve '{member}', and none serves the model '{model}' for this key. \
         Leave it out (send the whole conversation instead), or choose a model of such a provider."
    );
    Rejection::new(400, "unsupported_parameter", message).param(member)
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
    let visible = state.models().filter(|model| key.may_use(model)).map(|model| model.id.as_str());
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
mod tests {
    use super::distance;

    #[test]
    fn distance_counts_edits() {
        assert_eq!(distance(b"kitten", b"sitting"), 3);
        assert_eq!(distance(b"", b"abc"), 3);
        assert_eq!(distance(b"abc", b""), 3);
    }
}
