//! The Anthropic dialect as Anthropic's own API speaks it: Messages, token counting, models.
//!
//! Spec: <https://docs.claude.com/en/api/messages>. Invariant: what the reference forbids is refused with the vendor's
//! status, type and words; what it allows is answered.

use super::answer::{Answer, Call, Refusal};
use super::catalog::{Model, Row, Traits};
use super::event::{self, Event, Mark, Style};
use super::shape::{Node, Object, is_date};
use super::vendor::{Complaint, Site, Vendor};
use bytes::Bytes;
use serde_json::{Value, json};

mod beta;
mod blocks;
pub(super) mod error;
pub(super) mod messages;
mod reply;
pub(super) mod signature;
mod stream;
pub(super) mod tools;
pub(super) mod validate;

/// The vendor takes no larger requests.
const LARGEST: usize = 32 << 20;

/// Anthropic.
#[derive(Debug)]
pub(crate) struct Anthropic;

impl Vendor for Anthropic {
    fn models(&self) -> &'static [Row] {
        &[
            ("claude-sonnet-4-5", 200_000, 64_000, Traits::OneSampler),
            ("claude-haiku-4-5", 200_000, 64_000, Traits::OneSampler),
            ("claude-opus-4-5", 200_000, 64_000, Traits::OneSampler),
            ("claude-opus-4-8", 1_000_000, 128_000, Traits::Reasoning),
        ]
    }

    fn answer(&self, call: &Call<'_>) -> Answer {
        answer(&call.below("/v1"))
    }

    fn error(&self, _site: Site<'_>, status: u16, code: Option<&str>) -> Value {
        error::of_status(status, code)
    }

    fn error_event(&self, site: Site<'_>, _sent: &[Event], complaint: Complaint<'_>) -> Event {
        let usual = || self.error(site, 529, complaint.code);
        Event::named(Mark::Frame, "error", &complaint.body.cloned().unwrap_or_else(usual))
    }

    fn ping(&self, _site: Site<'_>, style: Style) -> Bytes {
        event::render(&stream::ping(), style)
    }
}

fn answer(call: &Call<'_>) -> Answer {
    let id = format!("req_{}", call.id("request", 24));
    let mut answer = route(call).unwrap_or_else(|refusal| match refusal {
        Refusal::Violation(violation) => error::of_violation(&violation, &id),
        Refusal::Answer(answer) => *answer,
    });
    let headers = [
        ("request-id", id),
        ("anthropic-organization-id", "00000000-0000-4000-8000-000000000000".to_owned()),
        ("anthropic-ratelimit-requests-limit", "4000".to_owned()),
        ("anthropic-ratelimit-requests-remaining", "3999".to_owned()),
        ("anthropic-ratelimit-requests-reset", "2025-01-01T00:00:00Z".to_owned()),
    ];
    answer.headers.extend(headers);
    answer
}

fn route(call: &Call<'_>) -> Result<Answer, Refusal> {
    let id = format!("req_{}", call.id("request", 24));
    let refuse = |status, kind, message: &str| Refusal::from(error::refuse(status, kind, message, &id));
    if call.body.len() > LARGEST {
        return Err(refuse(413, "request_too_large", "Request exceeds the maximum size"));
    }
    match (call.header("x-api-key"), call.credential) {
        ("", _) => return Err(refuse(401, "authentication_error", "x-api-key header is required")),
        (given, Some(expected)) if given != expected => {
            return Err(refuse(401, "authentication_error", "invalid x-api-key"));
        }
        _ => {}
    }
    match call.header("anthropic-version") {
        "" => return Err(refuse(400, "invalid_request_error", "anthropic-version: header is required")),
        version if !is_date(version) => {
            let message = format!("anthropic-version: \"{version}\" is not a valid version");
            return Err(refuse(400, "invalid_request_error", &message));
        }
        _ => {}
    }
    match (call.method.as_str(), call.path) {
        ("POST", "/messages") => reply::answer(call, &document(call, &id)?, &id),
        ("POST", "/messages/count_tokens") => reply::count(call, &document(call, &id)?, &id),
        ("GET", "/models") => Ok(Answer::json(list(call))),
        ("GET", path) if path.starts_with("/models/") => {
            let name = path.trim_start_matches("/models/");
            let model = call.catalog.get(name).ok_or_else(|| error::no_model(name, &id))?;
            Ok(Answer::json(model_object(model)))
        }
        (_, "/messages" | "/messages/count_tokens" | "/models") => {
            Err(refuse(405, "invalid_request_error", "Method Not Allowed"))
        }
        _ => Err(refuse(404, "not_found_error", "Not Found")),
    }
}

fn document(call: &Call<'_>, id: &str) -> Result<Value, Refusal> {
    let kind = call.header("content-type").split(';').next().unwrap_or_default().trim();
    let wrong = |message: &str| error::refuse(400, "invalid_request_error", message, id);
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(wrong("content-type: Expected application/json").into());
    }
    serde_json::from_slice(call.body)
        .map_err(|cause| wrong(&format!("The request body is not valid JSON: {cause}")).into())
}

fn list(call: &Call<'_>) -> Value {
    let parameter = |name: &str| {
        let mut pairs = call.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
    };
    let limit = parameter("limit").and_then(|limit| limit.parse().ok()).unwrap_or(20).clamp(1, 1000);
    let all = call.catalog.all();
    let after = parameter("after_id").and_then(|id| all.iter().position(|model| model.id == id));
    let rest = all.get(after.map_or(0, |index| index + 1)..).unwrap_or_default();
    let page: Vec<&Model> = rest.iter().take(limit).collect();
    json!({
        "data": page.iter().map(|model| model_object(model)).collect::<Vec<_>>(),
        "has_more": rest.len() > page.len(),
        "first_id": page.first().map(|model| &model.id),
        "last_id": page.last().map(|model| &model.id),
    })
}

fn model_object(model: &Model) -> Value {
    json!({"type": "model", "id": model.id, "display_name": model.id, "created_at": "2025-09-29T00:00:00Z"})
}

/// The model that a request names.
fn model<'a>(call: &Call<'a>, request: &Object<'_>, id: &str) -> Result<&'a Model, Refusal> {
    let name = request.need("model")?.text()?;
    call.catalog.get(name).ok_or_else(|| error::no_model(name, id).into())
}

/// Refuses a cache marker that is not one.
fn marker(node: &Node<'_>) -> super::shape::Checked<bool> {
    if node.value.is_null() {
        return Ok(false);
    }
    let members = node.object()?;
    members.only(&["type", "ttl"])?;
    members.need("type")?.choice(&["ephemeral"])?;
    members.choice("ttl", &["5m", "1h"])?;
    Ok(true)
}

#[cfg(test)]
mod tests;
