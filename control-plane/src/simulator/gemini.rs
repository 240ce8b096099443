//! Google's dialect as AI Studio's API speaks it: content whole and streamed, token counting, embeddings, models.
//!
//! Spec: <https://ai.google.dev/api>. Invariant: what the reference forbids is refused with the vendor's status, reason and
//! words; what it allows is answered. Vertex AI, which speaks the same dialect, uses the same rooms.

use super::answer::{Answer, Call, Content, Refusal};
use super::catalog::{Model, Row, Traits};
use super::event::{Event, Style};
use super::vendor::{Complaint, Site, Vendor};
use bytes::Bytes;
use schema::Flavour;
use serde_json::{Value, json};
use stream::Framing;

mod ability;
pub(super) mod choices;
mod contents;
mod embed;
pub(super) mod error;
mod models;
mod openapi;
mod parts;
pub(super) mod proto;
pub(super) mod query;
mod reply;
pub(super) mod schema;
mod settings;
mod signature;
pub(super) mod stream;
mod tools;
mod validate;

pub(super) use ability::{LATEST, ROWS};
pub(super) use embed::DIMENSIONS;

/// Google AI Studio.
#[derive(Debug)]
pub(crate) struct Gemini;

impl Vendor for Gemini {
    fn models(&self) -> &'static [Row] {
        ROWS
    }

    fn model(&self, site: Site<'_>, _body: &[u8]) -> Option<String> {
        let (_, name) = site.path.split_once("/models/")?;
        name.split_once(':').map(|(name, _)| query::decoded(name))
    }

    fn answer(&self, call: &Call<'_>) -> Answer {
        let answer = route(call).unwrap_or_else(|refusal| of_refusal(refusal, Flavour::Beta, "request"));
        finished(answer, call)
    }

    fn error(&self, site: Site<'_>, status: u16, code: Option<&str>) -> Value {
        in_place(site.path, site.query, error::of_status(Flavour::Beta, status, code))
    }

    fn error_event(&self, site: Site<'_>, sent: &[Event], complaint: Complaint<'_>) -> Event {
        stream::error_event(Flavour::Beta, site, sent, complaint)
    }

    fn stream_type(&self, site: Site<'_>) -> &'static str {
        Framing::at(site.query).content_type()
    }

    fn render(&self, site: Site<'_>, event: &Event, style: Style) -> Bytes {
        Framing::at(site.query).render(event, style)
    }

    fn ping(&self, site: Site<'_>, _style: Style) -> Bytes {
        Framing::at(site.query).ping()
    }
}

/// A refusal as an answer; `request` is the message that a violation's path begins at.
pub(super) fn of_refusal(refusal: Refusal, flavour: Flavour, request: &str) -> Answer {
    match refusal {
        Refusal::Violation(violation) => error::of_violation(flavour, request, &violation),
        Refusal::Answer(answer) => *answer,
    }
}

/// A document where an array is streamed is an element of that array, even an error.
pub(super) fn in_place(path: &str, query: &str, document: Value) -> Value {
    let is_array = path.ends_with(":streamGenerateContent") && Framing::at(query) == Framing::Array;
    if is_array { json!([document]) } else { document }
}

/// The answer with what the vendor adds to every one.
pub(super) fn finished(mut answer: Answer, call: &Call<'_>) -> Answer {
    if let Content::Json(document) = answer.content {
        answer.content = Content::Json(in_place(call.path, call.query, document));
    }
    let headers = [
        ("server", "scaffolding on HTTPServer2"),
        ("vary", "Origin, X-Origin, Referer"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "SAMEORIGIN"),
        ("x-xss-protection", "0"),
        ("server-timing", "gfet4t7; dur=7"),
    ];
    answer.headers.extend(headers.map(|(name, value)| (name, value.to_owned())));
    answer
}

fn route(call: &Call<'_>) -> Result<Answer, Refusal> {
    let (flavour, path) = match (call.path.strip_prefix("/v1beta/"), call.path.strip_prefix("/v1/")) {
        (Some(path), _) => (Flavour::Beta, path),
        (None, Some(path)) => (Flavour::Stable, path),
        (None, None) => return Err(error::refuse(404, "Not Found").into()),
    };
    query::check(call.query, &["key", "pageSize", "pageToken"])?;
    authenticate(call, flavour)?;
    match (call.method.as_str(), path, path.strip_prefix("models/")) {
        ("GET", "models", _) => models::list(call),
        ("GET", _, Some(name)) if !name.contains(':') => models::get(call, &query::decoded(name), flavour),
        ("POST", _, Some(action)) => match action.split_once(':') {
            Some((name, verb)) => perform(call, flavour, &query::decoded(name), verb),
            None => Err(error::refuse(404, "Not Found").into()),
        },
        _ => Err(error::refuse(404, "Not Found").into()),
    }
}

/// A key in the header or in the query; nothing else is one, and a bearer that is no access token is one too many.
fn authenticate(call: &Call<'_>, flavour: Flavour) -> Result<(), Refusal> {
    let in_query = query::parameter(call.query, "key").unwrap_or_default();
    let given = match call.header("x-goog-api-key") {
        "" => in_query.as_str(),
        key => key,
    };
    if !call.header("authorization").is_empty() {
        let reason = "ACCESS_TOKEN_TYPE_UNSUPPORTED";
        return Err(error::refuse_for(flavour, 401, error::UNAUTHENTICATED, reason).into());
    }
    match (given, call.credential) {
        ("", _) => {
            let text = "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other \
                        form of API consumer identity to call this API.";
            Err(error::refuse(403, text).into())
        }
        (given, Some(expected)) if given != expected => {
            let text = "API key not valid. Please pass a valid API key.";
            Err(error::refuse_for(flavour, 400, text, "API_KEY_INVALID").into())
        }
        _ => Ok(()),
    }
}

fn perform(call: &Call<'_>, flavour: Flavour, name: &str, verb: &str) -> Result<Answer, Refusal> {
    let model = offered(call, flavour, name, verb)?;
    act(call, flavour, model, verb)
}

/// The model of that name, if it does what the verb says.
fn offered<'a>(call: &Call<'a>, flavour: Flavour, name: &str, verb: &str) -> Result<&'a Model, Refusal> {
    let missing = || {
        let version = flavour.version();
        let text = format!(
            "models/{name} is not found for API version {version}, or is not supported for {verb}. Call ListModels to see the list of \
             available models and their supported methods."
        );
        Refusal::from(error::refuse(404, &text))
    };
    let is_known = name != ability::LATEST || flavour == Flavour::Beta;
    let model = call.catalog.get(name).filter(|_| is_known).ok_or_else(missing)?;
    if does(model.traits, verb) { Ok(model) } else { Err(missing()) }
}

/// Whether models of this kind do what the verb says.
pub(super) fn does(traits: Traits, verb: &str) -> bool {
    match verb {
        "generateContent" | "streamGenerateContent" => traits != Traits::Embedding,
        "countTokens" => true,
        "embedContent" | "batchEmbedContents" => traits == Traits::Embedding,
        _ => false,
    }
}

/// Does what the verb says.
pub(super) fn act(call: &Call<'_>, flavour: Flavour, model: &Model, verb: &str) -> Result<Answer, Refusal> {
    match verb {
        "streamGenerateContent" => {
            let framing = Framing::at(call.query);
            reply::answer(
                call,
                flavour,
                model,
                &read(call, flavour, "GenerateContentRequest")?,
                Some(framing),
            )
        }
        "generateContent" => {
            reply::answer(call, flavour, model, &read(call, flavour, "GenerateContentRequest")?, None)
        }
        "countTokens" => count(flavour, model, &read(call, flavour, "CountTokensRequest")?),
        "embedContent" => embed::one(call, flavour, model, &read(call, flavour, "EmbedContentRequest")?),
        _ => embed::batch(call, flavour, model, &read(call, flavour, "BatchEmbedContentsRequest")?),
    }
}

/// The request as a message of that name.
pub(super) fn read(call: &Call<'_>, flavour: Flavour, name: &'static str) -> Result<Value, Refusal> {
    let document: Value = serde_json::from_slice(call.body).map_err(|cause| error::not_json(&cause))?;
    proto::read(flavour, name, &document).map_err(|wrong| error::unreadable(&wrong).into())
}

fn count(flavour: Flavour, model: &Model, document: &Value) -> Result<Answer, Refusal> {
    let whole = document.get("generateContentRequest");
    if whole.is_some() && document.get("contents").is_some() {
        let text =
            "* CountTokensRequest.contents: only one of contents and generate_content_request can be set\n";
        return Err(error::refuse(400, text).into());
    }
    if let Some(whole) = whole
        && whole.get("model").and_then(Value::as_str) != Some(&format!("models/{}", model.id))
    {
        let text = "* CountTokensRequest.generate_content_request.model: unexpected model name format\n";
        return Err(error::refuse(400, text).into());
    }
    let tokens = validate::count(model, flavour, "CountTokensRequest", whole.unwrap_or(document))?;
    let mut body =
        json!({"totalTokens": tokens, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": tokens}]});
    if flavour == Flavour::Vertex {
        reply::put(&mut body, "totalBillableCharacters", json!(tokens * 4));
    }
    Ok(Answer::json(body))
}

#[cfg(test)]
mod tests;
