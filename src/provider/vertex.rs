//! Google Vertex AI: Gemini and Claude under one base URL,
//! `https://<location>-aiplatform.googleapis.com/v1/projects/<project>/locations/<location>`.
//! <https://cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/use-claude>,
//! <https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.publishers.models>,
//! <https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api>
//!
//! Invariant: the model is in the path, and never in the body too, but for Claude's token counts.

use crate::config::{Dialect, Endpoint, Operation};
use crate::dialect::Target;
use crate::wire::percent;

/// Vertex's word for Anthropic's version; it stands in the body and not in a header.
const VERSION: [(&str, &str); 1] = [("anthropic_version", "\"vertex-2023-10-16\"")];

/// A target as Claude has it here.
pub(super) fn claude<'a>(endpoint: Endpoint, target: Target<'a>) -> Target<'a> {
    let counts = endpoint.operation() == Operation::Count;
    Target { model_in_body: counts, extra: &VERSION, ..target }
}

/// A target as Google's own models have it here.
pub(super) fn google<'a>(endpoint: Endpoint, target: Target<'a>) -> Target<'a> {
    let predicts = endpoint.operation() == Operation::Embed && predicts(target.model);
    Target { model_in_body: false, predicts, ..target }
}

/// Whether a model's vectors are predictions: those of the line before Gemini's. Models that others make (`…-maas`) have
/// other publishers' paths, which are not spoken here.
fn predicts(model: &str) -> bool {
    !model.contains("gemini") && !model.contains("maas")
}

/// The path of an endpoint; `None` for what Vertex does not have.
pub(super) fn path(
    endpoint: Endpoint,
    dialect: Dialect,
    target: &Target<'_>,
    stream: bool,
) -> Option<String> {
    let (publisher, model, verb) = match (dialect, endpoint.operation()) {
        (Dialect::Anthropic, Operation::Chat) if stream => ("anthropic", target.model, "streamRawPredict"),
        (Dialect::Anthropic, Operation::Chat) => ("anthropic", target.model, "rawPredict"),
        (Dialect::Anthropic, Operation::Count) => ("anthropic", "count-tokens", "rawPredict"),
        (Dialect::Gemini, operation) => {
            ("google", target.model, gemini(endpoint, operation, target, stream)?)
        }
        _ => return None,
    };
    Some(format!("/publishers/{publisher}/models/{}:{verb}", percent::encode(model)))
}

fn gemini(
    endpoint: Endpoint,
    operation: Operation,
    target: &Target<'_>,
    stream: bool,
) -> Option<&'static str> {
    match operation {
        Operation::Chat if stream => Some("streamGenerateContent?alt=sse"),
        Operation::Chat => Some("generateContent"),
        Operation::Count => Some("countTokens"),
        Operation::Embed if target.predicts => Some("predict"),
        Operation::Embed if !target.model.contains("gemini") => None,
        Operation::Embed if endpoint == Endpoint::EmbedContent => Some("embedContent"),
        Operation::Embed => Some("batchEmbedContents"),
        _ => None,
    }
}
