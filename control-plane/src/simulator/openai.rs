//! The OpenAI dialect as OpenAI's own API speaks it: Chat Completions, legacy completions, embeddings, models.
//!
//! Spec: <https://platform.openai.com/docs/api-reference>. Invariant: what the reference forbids is refused with the
//! vendor's status, type, code and parameter; what it allows is answered.

use super::answer::{Answer, Call, Refusal};
use super::catalog::{Model, Traits};
use super::shape::{Node, Object};
use serde_json::{Value, json};

mod chat;
mod completions;
mod embeddings;
pub(crate) mod error;
mod messages;
mod schema;
mod stream;
mod tools;
mod validate;

/// Answers one request.
pub(crate) fn answer(call: &Call<'_>) -> Answer {
    let mut answer = route(call).unwrap_or_else(|refusal| match refusal {
        Refusal::Violation(violation) => error::of_violation(&violation),
        Refusal::Answer(answer) => *answer,
    });
    let headers = [
        ("x-request-id", format!("req_{}", call.id("request", 32).to_ascii_lowercase())),
        ("openai-organization", "simulated".to_owned()),
        ("openai-processing-ms", "7".to_owned()),
        ("openai-version", "2020-10-01".to_owned()),
        ("x-ratelimit-limit-requests", "10000".to_owned()),
        ("x-ratelimit-remaining-requests", "9999".to_owned()),
        ("x-ratelimit-reset-requests", "6ms".to_owned()),
    ];
    answer.headers.extend(headers);
    answer
}

fn route(call: &Call<'_>) -> Result<Answer, Refusal> {
    authenticate(call)?;
    let method = call.method.as_str();
    match (method, call.path) {
        ("POST", "/chat/completions") => chat::answer(call, &document(call)?),
        ("POST", "/completions") => completions::answer(call, &document(call)?),
        ("POST", "/embeddings") => embeddings::answer(call, &document(call)?),
        ("GET", "/models") => {
            let data: Vec<_> = call.catalog.all().iter().map(model_object).collect();
            Ok(Answer::json(json!({"object": "list", "data": data})))
        }
        ("GET", path) if path.starts_with("/models/") => {
            let id = path.trim_start_matches("/models/");
            let model = call.catalog.get(id).ok_or_else(|| error::no_model(id))?;
            Ok(Answer::json(model_object(model)))
        }
        (_, "/chat/completions" | "/completions" | "/embeddings" | "/models") => {
            Err(error::method(call).into())
        }
        _ => Err(error::path(call).into()),
    }
}

fn authenticate(call: &Call<'_>) -> Result<(), Refusal> {
    let given = call.header("authorization").strip_prefix("Bearer ").map(str::trim).unwrap_or_default();
    if given.is_empty() {
        return Err(error::credential(None).into());
    }
    match call.credential {
        Some(expected) if expected != given => Err(error::credential(Some(given)).into()),
        _ => Ok(()),
    }
}

fn document(call: &Call<'_>) -> Result<Value, Refusal> {
    let kind = call.header("content-type").split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(error::content_type(kind).into());
    }
    serde_json::from_slice(call.body).map_err(|_| error::not_json().into())
}

fn model_object(model: &Model) -> Value {
    json!({"id": model.id, "object": "model", "created": 1_715_367_049, "owned_by": "system"})
}

/// The model that a request names, if it can do what the endpoint does.
fn model<'a>(
    call: &Call<'a>,
    request: &Object<'_>,
    fits: impl Fn(Traits) -> bool,
) -> Result<&'a Model, Refusal> {
    let id = request.need("model")?.text()?;
    let model = call.catalog.get(id).ok_or_else(|| error::no_model(id))?;
    if model.traits == Traits::Any || fits(model.traits) {
        Ok(model)
    } else {
        Err(error::wrong_endpoint().into())
    }
}

/// `stream` and `stream_options`: whether to stream, and whether with usage.
fn streaming(request: &Object<'_>) -> Result<(bool, bool), Refusal> {
    let stream = request.flag("stream", false)?;
    let Some(options) = request.get("stream_options") else { return Ok((stream, false)) };
    if !stream {
        let text = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
        return Err(options.rule(text).into());
    }
    let members = options.lenient()?;
    members.only(&["include_usage", "include_obfuscation"])?;
    members.flag("include_obfuscation", true)?;
    Ok((true, members.flag("include_usage", false)?))
}

/// `stop`: up to four texts.
fn stops(request: &Object<'_>) -> Result<Vec<String>, Refusal> {
    let Some(node) = request.get("stop") else { return Ok(Vec::new()) };
    if let Some(text) = node.value.as_str() {
        return Ok(vec![text.to_owned()]);
    }
    let list = node.list_or(super::shape::Expected::TextOrArray)?;
    at_most(&node, list.len(), 4)?;
    Ok(list.iter().map(|stop| stop.text().map(str::to_owned)).collect::<Result<_, _>>()?)
}

fn at_most(node: &Node<'_>, got: usize, limit: usize) -> Result<(), Refusal> {
    if got > limit {
        return Err(node.wrong(super::shape::Problem::TooLong { limit, got, list: true }).into());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
