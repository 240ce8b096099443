//! OpenAI's own API: Chat Completions, Responses, legacy completions, embeddings, images, models.
//!
//! Spec: <https://platform.openai.com/docs/api-reference>. Invariant: what the reference forbids is refused with the
//! vendor's status, type, code and parameter; what it allows is answered.

use super::answer::{Answer, Call, Refusal};
use super::catalog::{Model, Row, Traits};
use super::event::{Event, Mark};
use super::shape::{Node, Object, Violation};
use super::vendor::{self, Complaint, Site, Vendor};
use responses::Responses;
use serde_json::{Value, json};

mod chat;
mod completions;
pub(crate) mod embeddings;
mod error;
mod images;
mod messages;
mod responses;
mod schema;
mod stream;
mod tools;
mod validate;

/// OpenAI.
#[derive(Debug)]
pub(crate) struct OpenAi {
    responses: Responses,
}

impl OpenAi {
    /// A vendor that has seen nothing yet.
    pub(crate) fn new() -> Self {
        Self { responses: Responses::new() }
    }

    /// Answers a request that has been let in; the path has no version.
    pub(super) fn serve(&self, call: &Call<'_>) -> Answer {
        match call.path {
            path if path.starts_with(responses::PATH) => self.responses.answer(call),
            path if path.starts_with(images::PATH) => images::answer(call),
            _ => route(call).unwrap_or_else(refused),
        }
    }

    /// The boundary of a request that is a form.
    pub(super) fn form<'a>(call: &Call<'a>) -> Option<&'a str> {
        images::multipart::boundary(call.header("content-type"))
    }

    /// The model that a form names.
    pub(super) fn form_model(call: &Call<'_>) -> Option<String> {
        images::multipart::text(call.body, "model")
    }

    /// A violation in the vendor's words.
    pub(super) fn violated(violation: &Violation) -> Answer {
        error::of_argument(violation)
    }
}

impl Vendor for OpenAi {
    fn models(&self) -> &'static [Row] {
        &[
            ("gpt-4o", 128_000, 16_384, Traits::Plain),
            ("gpt-4o-mini", 128_000, 16_384, Traits::Plain),
            ("gpt-4.1", 1_047_576, 32_768, Traits::Plain),
            ("gpt-5", 400_000, 128_000, Traits::Reasoning),
            ("o3-mini", 200_000, 100_000, Traits::Reasoning),
            ("text-embedding-3-small", 8_192, u64::MAX, Traits::Embedding),
            ("gpt-image-1", 32_000, u64::MAX, Traits::Image),
            ("dall-e-3", 4_000, u64::MAX, Traits::Image),
            ("dall-e-2", 1_000, u64::MAX, Traits::Image),
            ("gpt-3.5-turbo-instruct", 4_096, u64::MAX, Traits::Completion),
        ]
    }

    fn base_path(&self) -> &'static str {
        "/v1"
    }

    fn asks(&self, site: Site<'_>) -> bool {
        responses::asks(site.path)
    }

    fn answer(&self, call: &Call<'_>) -> Answer {
        answer(&call.below("/v1"), self)
    }

    fn error(&self, _site: Site<'_>, status: u16, code: Option<&str>) -> Value {
        error::of_status(status, code)
    }

    fn error_event(&self, site: Site<'_>, sent: &[Event], complaint: Complaint<'_>) -> Event {
        let usual = self.error(site, 500, complaint.code);
        if site.path.contains(responses::PATH) {
            return responses::error_event(sent, complaint.body, &usual);
        }
        let body = complaint.body.unwrap_or(&usual);
        if site.path.contains(images::PATH) {
            return Event::named(Mark::Frame, "error", body);
        }
        Event::data(Mark::Frame, body)
    }

    fn model(&self, _site: Site<'_>, body: &[u8]) -> Option<String> {
        let field = || images::multipart::text(body, "model");
        vendor::model(body).or_else(field)
    }

    fn reset(&self) {
        self.responses.reset();
    }

    fn stream_type(&self, _site: Site<'_>) -> &'static str {
        "text/event-stream; charset=utf-8"
    }
}

fn answer(call: &Call<'_>, vendor: &OpenAi) -> Answer {
    let mut answer = match authenticate(call) {
        Err(refusal) => refused(refusal),
        Ok(()) => vendor.serve(call),
    };
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

fn refused(refusal: Refusal) -> Answer {
    match refusal {
        Refusal::Violation(violation) => error::of_argument(&violation),
        Refusal::Answer(answer) => *answer,
    }
}

fn route(call: &Call<'_>) -> Result<Answer, Refusal> {
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

/// `metadata`: a few short texts.
fn metadata(request: &Object<'_>) -> Result<(), Refusal> {
    let Some(node) = request.get("metadata") else { return Ok(()) };
    let pairs = node.lenient()?;
    at_most(&node, pairs.members().len(), 16)?;
    for name in pairs.members().keys() {
        if name.chars().count() > 64 {
            let text =
                format!("Invalid 'metadata': key '{name}' is too long. Expected at most 64 characters.");
            return Err(node.rule_code(text, "string_above_max_length").into());
        }
        pairs.need(name)?.text_within(512)?;
    }
    Ok(())
}

fn at_most(node: &Node<'_>, got: usize, limit: usize) -> Result<(), Refusal> {
    if got > limit {
        return Err(node.wrong(super::shape::Problem::TooLong { limit, got, list: true }).into());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
