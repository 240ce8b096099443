//! Claude as Vertex AI offers it: the Messages API, with the model in the path and the version in the body.
//!
//! Spec: <https://docs.claude.com/en/api/claude-on-vertex-ai>. Invariant: the body is checked and answered by Anthropic's own
//! room; here it only gets the form in which Anthropic takes it.

use super::Target;
use crate::simulator::answer::{Answer, Call, Content, Refusal};
use crate::simulator::anthropic::Anthropic;
use crate::simulator::gemini::error;
use crate::simulator::vendor::Vendor as _;
use http::{HeaderMap, HeaderValue};
use serde_json::{Map, Value, json};

/// The version that Vertex gave a name of its own, and the one that the vendor's newest client sends in its place.
const VERSIONS: &[&str] = &["vertex-2023-10-16", "2026-10-21"];
/// The model whose path counts the tokens of others.
const COUNTER: &str = "count-tokens";

/// Answers a request for Anthropic's publisher.
pub(super) fn answer(call: &Call<'_>, target: &Target) -> Result<Answer, Refusal> {
    let counts = target.model == COUNTER && target.verb == "rawPredict";
    if !counts && !is_offered(call, &target.model) {
        return Err(target.missing());
    }
    let document: Value = serde_json::from_slice(call.body).map_err(|cause| error::not_json(&cause))?;
    let Value::Object(mut members) = document else {
        return Err(refuse("Input should be a valid dictionary"));
    };
    version(members.remove("anthropic_version").as_ref())?;
    if counts {
        named(call, &members)?;
    } else {
        if members.contains_key("model") {
            return Err(refuse("model: Extra inputs are not permitted"));
        }
        let streams = members.get("stream").and_then(Value::as_bool).unwrap_or(false);
        if streams != (target.verb == "streamRawPredict") {
            return Err(refuse("stream: Input does not match the method"));
        }
        members.insert("model".to_owned(), json!(target.model));
    }
    let path = if counts { "/v1/messages/count_tokens" } else { "/v1/messages" };
    Ok(forward(call, path, &Value::Object(members)))
}

fn is_offered(call: &Call<'_>, model: &str) -> bool {
    model.starts_with("claude-") && call.catalog.get(model).is_some()
}

/// Counting names the model in the body.
fn named(call: &Call<'_>, members: &Map<String, Value>) -> Result<(), Refusal> {
    match members.get("model").and_then(Value::as_str) {
        None => Err(refuse("model: Field required")),
        Some(model) if is_offered(call, model) => Ok(()),
        Some(model) => Err(error::refuse(404, &format!("Publisher Model `{model}` was not found.")).into()),
    }
}

fn version(given: Option<&Value>) -> Result<(), Refusal> {
    match given {
        None => Err(refuse("anthropic_version: Field required")),
        Some(Value::String(version)) if VERSIONS.contains(&version.as_str()) => Ok(()),
        Some(_) => Err(refuse(&format!("anthropic_version: Input should be '{}'", VERSIONS.join("' or '")))),
    }
}

fn refuse(message: &str) -> Refusal {
    let error = json!({"type": "invalid_request_error", "message": message});
    let document = json!({"type": "error", "error": error, "request_id": "req_011CSimulatedRequest00"});
    Answer::refusal(400, own(document), message).into()
}

/// Has Anthropic's own room answer.
fn forward(call: &Call<'_>, path: &str, document: &Value) -> Answer {
    let mut headers = HeaderMap::new();
    headers.insert("x-api-key", HeaderValue::from_static("vertex"));
    headers.insert("anthropic-version", HeaderValue::from_static("2023-06-01"));
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.extend(
        call.headers
            .get("anthropic-beta")
            .map(|beta| (http::HeaderName::from_static("anthropic-beta"), beta.clone())),
    );
    let body = document.to_string();
    let inner = Call { path, query: "", headers: &headers, body: body.as_bytes(), credential: None, ..*call };
    let mut answer = Anthropic.answer(&inner);
    answer.headers.retain(|(name, _)| *name == "request-id");
    for (_, value) in &mut answer.headers {
        *value = vertex_id(value);
    }
    answer.content = match answer.content {
        Content::Json(document) => Content::Json(own(document)),
        Content::Stream(mut events) => {
            for event in &mut events {
                event.data = event.data.replace("\"id\":\"msg_", "\"id\":\"msg_vrtx_");
            }
            Content::Stream(events)
        }
    };
    answer
}

fn vertex_id(id: &str) -> String {
    let letters = id.strip_prefix("req_").or_else(|| id.strip_prefix("msg_")).unwrap_or(id);
    let kind = id.split('_').next().unwrap_or_default();
    format!("{kind}_vrtx_{letters}")
}

/// A document of Anthropic's with the ids that it has on Vertex.
pub(super) fn own(mut document: Value) -> Value {
    for name in ["request_id", "id"] {
        if let Some(Value::String(id)) = document.get_mut(name) {
            *id = vertex_id(id);
        }
    }
    document
}
