//! What models and providers can do, as far as the gateway knows.
//!
//! Invariant: what the catalog does not know passes; what a wire format cannot say does not.

use super::Step;
use crate::config::{Dialect, Endpoint, Model, Operation};
use crate::dialect::{Needs, outbound};

/// What a model lacks of what is needed, in the words of [`crate::config::PassedOver::lacks`].
pub(super) fn lacks(model: &Model, needs: &Needs) -> Option<&'static str> {
    let has = |list: &[String], words: &[&str]| {
        list.is_empty() || list.iter().any(|entry| words.contains(&entry.as_str()))
    };
    let inputs = &model.input_modalities;
    // Pictures, sound and documents are far more bytes than tokens, so their size says nothing.
    let measured = !needs.images && !needs.audio && !needs.documents;
    let too_long = model.context_window.is_some_and(|window| needs.prompt_tokens > window);
    [
        ("images", needs.images && !has(inputs, &["image"])),
        ("audio", needs.audio && !has(inputs, &["audio"])),
        ("documents", needs.documents && !has(inputs, &["pdf", "document", "file"])),
        ("tools", needs.tools && !has(&model.capabilities, &["tools"])),
        ("schema", needs.schema && !has(&model.capabilities, &["response_schema"])),
        ("context", measured && too_long),
    ]
    .into_iter()
    .find_map(|(word, lacking)| lacking.then_some(word))
}

/// Whether a step's provider can be asked for what an endpoint does, in the dialect that the step is asked in.
pub(super) fn serves(step: &Step, client: Dialect, endpoint: Endpoint) -> bool {
    let same = step.dialect == client;
    let speaks = || outbound(step.dialect);
    let could = match endpoint.operation() {
        Operation::Chat => return true,
        Operation::Stored => return same,
        Operation::Count => same || speaks().counts().is_some(),
        Operation::Embed => same || speaks().embeds().is_some(),
        Operation::Complete | Operation::Image => same,
        Operation::List => false,
    };
    could && {
        let target = step.provider.target(endpoint, step.dialect, &step.upstream_id, None);
        step.provider.path(endpoint, step.dialect, &target, false).is_some()
    }
}
