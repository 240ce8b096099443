//! Google's paths: `/v1beta/models/{model}:{method}`, the same under `/v1` and `/v1beta1`, and as Google's SDK writes them
//! in Vertex mode, `…/projects/{p}/locations/{l}/publishers/google/models/{model}:{method}`. Some clients take a model with
//! a slash for a resource's whole name and leave `models` out.
//! <https://ai.google.dev/api/generate-content>,
//! <https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.publishers.models>
//!
//! Invariant: the last colon separates the method; a model's id may hold others, and slashes.

use super::{Asked, Call, Place, Route, parameter, percent_decode};
use crate::config::{Dialect, Endpoint};

pub(super) fn call(method: &str, place: &Place<'_>, query: &str) -> Option<Route> {
    let rest = match place.segments.as_slice() {
        ["models", rest @ ..]
        | ["publishers", "google", "models", rest @ ..]
        | ["projects", _, "locations", _, "publishers", "google", "models", rest @ ..] => rest,
        ["projects" | "publishers" | "cachedContents" | "files", ..] => return None,
        rest @ [_, _, ..] if place.is_google() => rest,
        _ => return None,
    };
    if method != "POST" {
        return None;
    }
    let decoded = percent_decode(&rest.join("/"));
    let (model, verb) = decoded.rsplit_once(':')?;
    let (endpoint, stream) = match verb {
        "generateContent" => (Endpoint::GenerateContent, false),
        "streamGenerateContent" => (Endpoint::GenerateContent, true),
        "countTokens" => (Endpoint::CountTokens, false),
        "embedContent" => (Endpoint::EmbedContent, false),
        "batchEmbedContents" => (Endpoint::BatchEmbedContents, false),
        _ => return None,
    };
    let model = model.strip_prefix("models/").unwrap_or(model).to_owned();
    // `$alt` is the name that Google's own discovery documents give it.
    let events = ["alt", "$alt"].iter().any(|name| parameter(query, name).is_some_and(|alt| alt == "sse"));
    let asked = Asked { model: Some(model), stream, array: stream && !events, ..Asked::of(endpoint) };
    Some(Route { dialect: Dialect::Gemini, call: Call::Exchange(asked) })
}
