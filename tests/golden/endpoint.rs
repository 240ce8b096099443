//! Where a fixture was sent.

use super::fixtures::{Fixture, chat};
use sluice::config::Endpoint;

/// What it was sent to: by the beginning of its name, or the dialect's chat.
pub(crate) fn endpoint(fixture: &Fixture) -> Endpoint {
    let name = fixture.stem.file_name().unwrap_or_default().to_string_lossy();
    let named: &[(&str, Endpoint)] = &[
        ("embeddings", Endpoint::Embeddings),
        ("completions", Endpoint::Completions),
        ("images", Endpoint::ImageGenerations),
        ("stored", Endpoint::StoredResponses),
        ("count_messages", Endpoint::CountMessages),
        ("count_tokens", Endpoint::CountTokens),
        ("embed_content", Endpoint::EmbedContent),
        ("batch_embed_contents", Endpoint::BatchEmbedContents),
    ];
    let named = named
        .iter()
        .find(|(word, endpoint)| endpoint.dialect() == Some(fixture.dialect) && name.starts_with(word));
    named.map_or_else(|| chat(fixture.dialect), |(_, endpoint)| *endpoint)
}
