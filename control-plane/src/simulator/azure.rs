//! Azure OpenAI: OpenAI's operations on deployments of one's own, behind another door and with filters of its own.
//!
//! Spec: <https://learn.microsoft.com/en-us/azure/ai-foundry/openai/reference>. A deployment is a model of the catalog,
//! under its id. Invariant: the deployment of the path decides, whatever model the body names.

use super::answer::{Answer, Call, Refusal};
use super::catalog::{Model, Row, Traits};
use super::event::Event;
use super::identity::token::{self, Issuer, Standing};
use super::openai::OpenAi;
use super::shape::is_date;
use super::vendor::{Complaint, Site, Vendor};
use serde_json::{Value, json};

mod error;
mod filter;

/// Where the surface is that needs no version and knows no deployments in its paths.
const V1: &str = "/openai/v1/";
/// Where the deployments are.
const DEPLOYMENTS: &str = "/openai/deployments/";

/// What a token of Entra's must be for.
const AUDIENCES: &[&str] = &["https://cognitiveservices.azure.com", "https://ai.azure.com"];

/// Azure.
#[derive(Debug)]
pub(crate) struct Azure {
    openai: OpenAi,
}

/// What a request wants done.
#[derive(Debug)]
struct Order {
    /// As OpenAI's own API has it, without its version: `/chat/completions`.
    path: String,
    /// The deployment, where the path names it.
    deployment: Option<String>,
}

impl Azure {
    /// A vendor that has seen nothing yet.
    pub(crate) fn new() -> Self {
        Self { openai: OpenAi::new() }
    }

    fn route(&self, call: &Call<'_>) -> Result<Answer, Refusal> {
        authenticate(call)?;
        let order = order(call)?;
        let named = order.deployment.clone();
        let Some(name) = named.or_else(|| self.openai.model(Site { path: "", query: "" }, call.body)) else {
            return Ok(self.openai.serve(&Call { path: &order.path, ..*call }));
        };
        let model = call.catalog.get(&name).ok_or_else(error::no_deployment)?;
        suits(&order.path, model)?;
        let body = order.deployment.as_ref().and_then(|name| addressed(call, name));
        let inner = Call { path: &order.path, body: body.as_deref().unwrap_or(call.body), ..*call };
        let answer = self.openai.serve(&inner);
        Ok(if answer.status == 200 {
            filter::checked(&order.path, answer)
        } else {
            error::translated(answer)
        })
    }
}

fn authenticate(call: &Call<'_>) -> Result<(), Refusal> {
    let bearer = call.header("authorization").strip_prefix("Bearer ").map(str::trim).unwrap_or_default();
    let key = call.header("api-key");
    let given = if key.is_empty() { bearer } else { key };
    // A token of the simulated Entra is good beside the provider's own credential, for its audience and its time.
    match token::standing(Issuer::Entra, given, call.now) {
        Standing::Valid(audience) if AUDIENCES.contains(&audience.as_str()) && key.is_empty() => {
            return Ok(());
        }
        Standing::Valid(_) | Standing::Expired => return Err(error::no_token().into()),
        Standing::Unknown => {}
    }
    match call.credential {
        _ if given.is_empty() => Err(error::no_token().into()),
        Some(expected) if expected != given && key.is_empty() => Err(error::no_token().into()),
        Some(expected) if expected != given => Err(error::wrong_key().into()),
        _ => Ok(()),
    }
}

fn order(call: &Call<'_>) -> Result<Order, Refusal> {
    let version = error::version(call.query);
    if let Some(path) = call.path.strip_prefix(V1) {
        return match version {
            None | Some("preview" | "latest" | "v1") => {
                Ok(Order { path: format!("/{path}"), deployment: None })
            }
            Some(_) => Err(error::unsupported_version().into()),
        };
    }
    let version = version.ok_or_else(error::no_resource)?;
    if !is_date(version.strip_suffix("-preview").unwrap_or(version)) {
        return Err(error::unsupported_version().into());
    }
    if let Some(rest) = call.path.strip_prefix(DEPLOYMENTS) {
        let (name, path) = rest.split_once('/').ok_or_else(error::no_resource)?;
        let known = ["chat/completions", "completions", "embeddings", "images/generations", "images/edits"];
        if !known.contains(&path) {
            return Err(error::no_resource().into());
        }
        return Ok(Order { path: format!("/{path}"), deployment: Some(name.to_owned()) });
    }
    // Only these of the rest were ever served under a version.
    match call.path.strip_prefix("/openai") {
        Some(path) if path.starts_with("/responses") || path.starts_with("/models") => {
            Ok(Order { path: path.to_owned(), deployment: None })
        }
        _ => Err(error::no_resource().into()),
    }
}

/// Refuses an operation that the deployment's model does not do.
fn suits(path: &str, model: &Model) -> Result<(), Refusal> {
    let (operation, fits) = match path {
        "/embeddings" => ("embeddings", model.traits == Traits::Embedding),
        "/completions" => ("completion", model.traits == Traits::Completion),
        _ if path.starts_with("/images/") => ("imageGeneration", model.traits == Traits::Image),
        "/chat/completions" | "/responses" => (
            if path == "/responses" { "responses" } else { "chatCompletion" },
            matches!(model.traits, Traits::Plain | Traits::Reasoning | Traits::OneSampler),
        ),
        _ => return Ok(()),
    };
    if fits || model.traits == Traits::Any {
        return Ok(());
    }
    Err(error::unsuited(operation, &model.id).into())
}

/// The body with the deployment as its model; absent where it is no document, and is refused as such.
fn addressed(call: &Call<'_>, deployment: &str) -> Option<Vec<u8>> {
    if let Some(boundary) = OpenAi::form(call) {
        let named = OpenAi::form_model(call).is_some();
        let field =
            format!("--{boundary}\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\n{deployment}\r\n");
        return (!named).then(|| [field.as_bytes(), call.body].concat());
    }
    let mut document: Value = serde_json::from_slice(call.body).ok()?;
    document.as_object_mut()?.insert("model".to_owned(), json!(deployment));
    Some(document.to_string().into_bytes())
}

impl Vendor for Azure {
    fn models(&self) -> &'static [Row] {
        &[
            ("gpt-4o", 128_000, 16_384, Traits::Plain),
            ("gpt-4o-mini", 128_000, 16_384, Traits::Plain),
            ("gpt-5", 400_000, 128_000, Traits::Reasoning),
            ("text-embedding-3-small", 8_192, u64::MAX, Traits::Embedding),
            ("gpt-image-1", 32_000, u64::MAX, Traits::Image),
        ]
    }

    fn model(&self, site: Site<'_>, body: &[u8]) -> Option<String> {
        let deployment = site.path.strip_prefix(DEPLOYMENTS).and_then(|rest| rest.split('/').next());
        deployment.map(str::to_owned).or_else(|| self.openai.model(site, body))
    }

    fn answer(&self, call: &Call<'_>) -> Answer {
        let mut answer = self.route(call).unwrap_or_else(|refusal| match refusal {
            Refusal::Answer(answer) => *answer,
            Refusal::Violation(violation) => error::of_violation(&violation),
        });
        let id = call.id("request", 32).to_ascii_lowercase();
        answer.headers.extend([
            ("apim-request-id", id.clone()),
            ("x-request-id", id),
            ("x-ms-region", "Simulated".to_owned()),
            ("x-ratelimit-remaining-requests", "9999".to_owned()),
            ("x-ratelimit-remaining-tokens", "9999000".to_owned()),
        ]);
        answer
    }

    fn asks(&self, site: Site<'_>) -> bool {
        self.openai.asks(site)
    }

    fn error(&self, site: Site<'_>, status: u16, code: Option<&str>) -> Value {
        error::of_status(site, status, code)
    }

    fn error_event(&self, site: Site<'_>, sent: &[Event], complaint: Complaint<'_>) -> Event {
        if complaint.body.is_some() || site.path.contains("/responses") {
            return self.openai.error_event(site, sent, complaint);
        }
        let usual = self.error(site, 500, complaint.code);
        self.openai.error_event(site, sent, Complaint { body: Some(&usual), ..complaint })
    }

    fn stream_type(&self, _site: Site<'_>) -> &'static str {
        "text/event-stream; charset=utf-8"
    }

    fn reset(&self) {
        self.openai.reset();
    }
}

#[cfg(test)]
mod tests;
