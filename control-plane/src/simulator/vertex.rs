//! Google Cloud's Vertex AI: Gemini and embeddings as Google's own publisher, Claude as Anthropic's.
//!
//! Spec: <https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest>. Invariant: only an access token opens it; the
//! front door's refusals are Google's, a model's own are its publisher's.

use super::answer::{Answer, Call, Refusal};
use super::anthropic::Anthropic;
use super::catalog::{Model, Row, Traits};
use super::event::{self, Event, Style};
use super::gemini::schema::Flavour;
use super::gemini::stream::{self, Framing};
use super::gemini::{self, error, query};
use super::identity::token::{self, Issuer, Standing};
use super::vendor::{Complaint, Site, Vendor};
use bytes::Bytes;
use serde_json::Value;
use std::sync::LazyLock;

mod claude;
mod predict;

/// What a token must be for.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// Google Cloud.
#[derive(Debug)]
pub(crate) struct Vertex;

/// What it offers besides what AI Studio does.
const MORE: &[Row] = &[
    ("text-embedding-005", 2_048, u64::MAX, Traits::Embedding),
    ("claude-sonnet-4-5@20250929", 200_000, 64_000, Traits::OneSampler),
    ("claude-haiku-4-5@20251001", 200_000, 64_000, Traits::OneSampler),
    ("claude-opus-4-5@20251101", 200_000, 64_000, Traits::OneSampler),
    ("claude-opus-4-8", 1_000_000, 128_000, Traits::Reasoning),
];

/// Both lists in one.
static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| [gemini::ROWS, MORE].concat());

impl Vendor for Vertex {
    fn models(&self) -> &'static [Row] {
        &ROWS
    }

    fn model(&self, site: Site<'_>, _body: &[u8]) -> Option<String> {
        Some(Target::of(site.path)?.model)
    }

    fn answer(&self, call: &Call<'_>) -> Answer {
        let answer =
            route(call).unwrap_or_else(|refusal| gemini::of_refusal(refusal, Flavour::Vertex, "request"));
        gemini::finished(answer, call)
    }

    fn error(&self, site: Site<'_>, status: u16, code: Option<&str>) -> Value {
        if is_claude(site) && !is_google(status) {
            return claude::own(Anthropic.error(site, status, code));
        }
        gemini::in_place(site.path, site.query, error::of_status(Flavour::Vertex, status, code))
    }

    fn error_event(&self, site: Site<'_>, sent: &[Event], complaint: Complaint<'_>) -> Event {
        if is_claude(site) {
            return Anthropic.error_event(site, sent, complaint);
        }
        stream::error_event(Flavour::Vertex, site, sent, complaint)
    }

    fn stream_type(&self, site: Site<'_>) -> &'static str {
        if is_claude(site) { "text/event-stream" } else { Framing::at(site.query).content_type() }
    }

    fn render(&self, site: Site<'_>, event: &Event, style: Style) -> Bytes {
        if is_claude(site) {
            return event::render(event, style);
        }
        Framing::at(site.query).render(event, style)
    }

    fn ping(&self, site: Site<'_>, style: Style) -> Bytes {
        if is_claude(site) { Anthropic.ping(site, style) } else { Framing::at(site.query).ping() }
    }
}

fn is_claude(site: Site<'_>) -> bool {
    site.path.contains("/publishers/anthropic/")
}

/// What Google decides before a publisher's model is asked.
const fn is_google(status: u16) -> bool {
    matches!(status, 401 | 403 | 404 | 429 | 503)
}

/// What a path names.
#[derive(Debug)]
struct Target {
    project: String,
    location: String,
    publisher: String,
    model: String,
    verb: String,
}

impl Target {
    /// `/v1/projects/{p}/locations/{l}/publishers/{publisher}/models/{m}:{verb}`, or the same below `/v1beta1`.
    fn of(path: &str) -> Option<Self> {
        let path = path.strip_prefix("/v1/").or_else(|| path.strip_prefix("/v1beta1/"))?;
        let parts: Vec<&str> = path.split('/').collect();
        let ["projects", project, "locations", location, "publishers", publisher, "models", action] =
            parts.as_slice()
        else {
            return None;
        };
        let (model, verb) = action.rsplit_once(':')?;
        Some(Self {
            project: query::decoded(project),
            location: (*location).to_owned(),
            publisher: (*publisher).to_owned(),
            model: query::decoded(model),
            verb: verb.to_owned(),
        })
    }

    /// 404 for a model.
    fn missing(&self) -> Refusal {
        let Self { project, location, publisher, model, .. } = self;
        let text = format!(
            "Publisher Model `projects/{project}/locations/{location}/publishers/{publisher}/models/{model}` was not found or your \
             project does not have access to it. Please ensure you are using a valid model version. For more information, see: \
             https://cloud.google.com/vertex-ai/generative-ai/docs/learn/model-versions"
        );
        error::refuse(404, &text).into()
    }
}

fn route(call: &Call<'_>) -> Result<Answer, Refusal> {
    let Some(target) = Target::of(call.path).filter(|_| call.method == http::Method::POST) else {
        return Err(error::refuse(404, "Not Found").into());
    };
    query::check(call.query, &[])?;
    authenticate(call)?;
    if !is_project(&target.project) {
        let text = format!("Invalid resource field value in the request: projects/{}", target.project);
        return Err(error::refuse(400, &text).into());
    }
    if !is_location(&target.location) {
        let text = format!("Unsupported region for Vertex AI: {}", target.location);
        return Err(error::refuse(400, &text).into());
    }
    match (target.publisher.as_str(), target.verb.as_str()) {
        ("google", "predict") => predict::answer(call, offered(call, &target, "predict")?),
        ("google", verb) => gemini::act(call, Flavour::Vertex, offered(call, &target, verb)?, verb),
        ("anthropic", "rawPredict" | "streamRawPredict") => claude::answer(call, &target),
        _ => Err(target.missing()),
    }
}

/// Google's own model of that name, if it does what the verb says.
fn offered<'a>(call: &Call<'a>, target: &Target, verb: &str) -> Result<&'a Model, Refusal> {
    let model =
        call.catalog.get(&target.model).filter(|model| !is_claude_model(model) && model.id != gemini::LATEST);
    let model = model.ok_or_else(|| target.missing())?;
    let does = match verb {
        // The first of the vendor's own line still takes both forms.
        "predict" => model.traits == Traits::Embedding && model.id != "gemini-embedding-2",
        "embedContent" | "batchEmbedContents" if !model.id.starts_with("gemini-") => false,
        verb => gemini::does(model.traits, verb),
    };
    if does { Ok(model) } else { Err(target.missing()) }
}

fn is_claude_model(model: &Model) -> bool {
    model.id.starts_with("claude-")
}

/// An OAuth access token; keys are no use here.
fn authenticate(call: &Call<'_>) -> Result<(), Refusal> {
    let refuse =
        |text: &str, reason: &str| Err(Refusal::from(error::refuse_for(Flavour::Vertex, 401, text, reason)));
    let given = call.header("authorization").strip_prefix("Bearer ").map(str::trim).unwrap_or_default();
    if given.is_empty() {
        if call.header("x-goog-api-key").is_empty() && query::parameter(call.query, "key").is_none() {
            let text = "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or other valid \
                        authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.";
            return refuse(text, "CREDENTIALS_MISSING");
        }
        let text = "API keys are not supported by this API. Expected OAuth2 access token or other authentication credentials that assert \
                    a principal. See https://cloud.google.com/docs/authentication";
        return refuse(text, "CREDENTIALS_MISSING");
    }
    // A token of the simulated Google is good beside the provider's own credential, for its scope and its time.
    match token::standing(Issuer::Google, given, call.now) {
        Standing::Valid(scopes) if scopes.split(' ').any(|scope| scope == SCOPE) => return Ok(()),
        Standing::Valid(_) => {
            let text = "Request had insufficient authentication scopes.";
            return Err(
                error::refuse_for(Flavour::Vertex, 403, text, "ACCESS_TOKEN_SCOPE_INSUFFICIENT").into()
            );
        }
        Standing::Expired => return refuse(error::UNAUTHENTICATED, "ACCESS_TOKEN_EXPIRED"),
        Standing::Unknown => {}
    }
    let is_expected = call.credential.is_none_or(|expected| expected == given);
    if given.starts_with("ya29.") && is_expected {
        return Ok(());
    }
    refuse(error::UNAUTHENTICATED, "ACCESS_TOKEN_TYPE_UNSUPPORTED")
}

/// A project's id or number.
fn is_project(name: &str) -> bool {
    let fine = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.:".contains(&byte);
    (4..=64).contains(&name.len()) && name.bytes().all(fine)
}

/// `global`, a multi-region such as `eu`, or a region such as `us-central1`.
fn is_location(name: &str) -> bool {
    let is_region = name.split_once('-').is_some_and(|(area, rest)| {
        area.bytes().all(|byte| byte.is_ascii_lowercase())
            && rest.ends_with(|last: char| last.is_ascii_digit())
            && rest.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    });
    matches!(name, "global" | "us" | "eu") || is_region
}

#[cfg(test)]
mod tests;
