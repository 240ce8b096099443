//! How requests come, and to whom they go.

use sluice::config::{Dialect, Endpoint};
use sluice::dialect::{Ask, Target};

/// What upstreams speak.
pub(crate) const UPSTREAMS: [Dialect; 5] = Dialect::ALL;

/// Where an upstream's requests go. What Bedrock's models accept differs by their maker.
pub(crate) fn target(upstream: Dialect) -> Target<'static> {
    let model = match upstream {
        Dialect::Bedrock => "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        _ => "upstream-model",
    };
    Target { max_output_tokens: Some(4096), ..Target::of(model) }
}

/// How a request comes: the model and the wish for a stream stand in the path where the dialect has them there.
pub(crate) fn ask(endpoint: Endpoint) -> Ask<'static> {
    let in_path = endpoint.dialect() == Some(Dialect::Gemini);
    Ask { endpoint, model: in_path.then_some("client-model"), stream: false }
}
