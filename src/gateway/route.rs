//! From a request's method and path to what is asked.
//!
//! Invariant: what a path holds goes on only where it is named here: a model's id, which the plan checks, and a stored
//! reply's id and query, whose characters are checked.

mod gemini;
mod stored;

pub use stored::Stored;

use super::reject::Rejection;
use crate::config::{Dialect, Endpoint};
use crate::dialect::Ask;

/// The paths under which everything is found again, so that SDKs keep the base path they are used to.
const BASES: [&str; 5] = ["api", "oai", "openai", "anthropic", "gemini"];

/// What a request says before its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Incoming<'a> {
    /// The method.
    pub method: &'a str,
    /// Path and query.
    pub path: &'a str,
    /// Whether it carries an `anthropic-version` header, which tells the dialect where the path does not.
    pub anthropic: bool,
    /// Whether it carries an `x-goog-api-key` header, which does so too.
    pub google: bool,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The client's dialect: it decides the shape of every answer, errors included.
    pub dialect: Dialect,
    /// What is called.
    pub call: Call,
}

/// What is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// An exchange with a provider.
    Exchange(Asked),
    /// `GET /v1/models`, with its query.
    ListModels(String),
    /// `GET /v1/models/{id}`, percent-decoded.
    GetModel(String),
    /// Whether anybody is here: a probe, which carries no key.
    Probe,
}

/// What of an exchange is said outside of its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What is called.
    pub endpoint: Endpoint,
    /// The model, where the path names it; percent-decoded.
    pub model: Option<String>,
    /// Whether the path asks for a stream.
    pub stream: bool,
    /// Whether a stream is to be one JSON array (Gemini's streams without `alt=sse`).
    pub array: bool,
    /// Whether the query says `beta=true`, as Anthropic's SDK does for requests with beta flags.
    pub beta: bool,
    /// The stored reply that the call is about.
    pub stored: Option<Stored>,
}

impl Asked {
    /// A request whose body says everything.
    #[must_use]
    pub const fn of(endpoint: Endpoint) -> Self {
        Self { endpoint, model: None, stream: false, array: false, beta: false, stored: None }
    }

    /// As dialects read it.
    #[must_use]
    pub fn ask(&self) -> Ask<'_> {
        Ask { endpoint: self.endpoint, model: self.model.as_deref(), stream: self.stream }
    }
}

impl Call {
    /// The name that access rules use.
    #[must_use]
    pub const fn endpoint(&self) -> Endpoint {
        match self {
            Self::Exchange(asked) => asked.endpoint,
            Self::ListModels(_) | Self::GetModel(_) | Self::Probe => Endpoint::Models,
        }
    }
}

/// A path taken apart.
struct Place<'a> {
    base: Option<&'a str>,
    version: Option<&'a str>,
    segments: Vec<&'a str>,
}

impl<'a> Place<'a> {
    fn of(path: &'a str) -> Self {
        let mut segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let mut take = |known: &[&str]| {
            let first = segments.first().copied().filter(|first| known.contains(first));
            first.inspect(|_| {
                segments.remove(0);
            })
        };
        let base = take(&BASES);
        let version = take(&["v1", "v1beta", "v1beta1"]);
        Self { base, version, segments }
    }

    /// Whether the path is Google's alone.
    fn is_google(&self) -> bool {
        self.base == Some("gemini") || matches!(self.version, Some("v1beta" | "v1beta1"))
    }
}

/// Matches a request. An error is to be answered in the dialect beside it.
pub fn route(incoming: &Incoming<'_>) -> Result<Route, (Dialect, Rejection)> {
    let whole = incoming.path.split('#').next().unwrap_or_default();
    let (path, query) = whole.split_once('?').unwrap_or((whole, ""));
    let place = Place::of(path);
    let keyed = incoming.google || parameter(query, "key").is_some();
    let shape = if incoming.anthropic || place.base == Some("anthropic") {
        Dialect::Anthropic
    } else if place.is_google() || keyed && matches!(place.segments.first(), Some(&"models")) {
        Dialect::Gemini
    } else {
        Dialect::Openai
    };
    let found = probe(incoming.method, &place)
        .or_else(|| gemini::call(incoming.method, &place, query))
        .or_else(|| models(incoming.method, &place, query, shape))
        .or_else(|| stored::call(incoming.method, &place.segments, query))
        .or_else(|| posted(incoming.method, &place.segments, query));
    found.ok_or_else(|| {
        // A wrong method on a path that has one dialect is answered in that.
        let own = posted("POST", &place.segments, query).map(|route| route.dialect);
        let own = own
            .or_else(|| matches!(place.segments.first(), Some(&"responses")).then_some(Dialect::Responses));
        (own.unwrap_or(shape), unknown(incoming.method, path))
    })
}

/// `HEAD` of a base path, by which clients ask whether the gateway can be reached, and Claude Code's
/// `HEAD /api/hello` below its base URL. They carry no key.
fn probe(method: &str, place: &Place<'_>) -> Option<Route> {
    let dialect = if place.base == Some("anthropic") { Dialect::Anthropic } else { Dialect::Openai };
    let hello = match place.segments.as_slice() {
        [] => false,
        ["hello"] => place.base == Some("api") && place.version.is_none(),
        ["api", "hello"] => place.version.is_none(),
        _ => return None,
    };
    let asks = method == "HEAD" || method == "GET" && hello;
    (asks && (hello || place.segments.is_empty())).then_some(Route { dialect, call: Call::Probe })
}

fn models(method: &str, place: &Place<'_>, query: &str, shape: Dialect) -> Option<Route> {
    let call = match place.segments.as_slice() {
        ["models"] => Call::ListModels(query.to_owned()),
        ["models", id @ ..] => {
            let id = percent_decode(&id.join("/"));
            // Google's own name of a model begins with its collection's.
            Call::GetModel(id.strip_prefix("models/").map_or_else(|| id.clone(), str::to_owned))
        }
        _ => return None,
    };
    matches!(method, "GET" | "HEAD").then_some(Route { dialect: shape, call })
}

fn posted(method: &str, segments: &[&str], query: &str) -> Option<Route> {
    let endpoint = match segments {
        ["chat", "completions"] => Endpoint::ChatCompletions,
        ["completions"] => Endpoint::Completions,
        ["embeddings"] => Endpoint::Embeddings,
        ["images", "generations"] => Endpoint::ImageGenerations,
        ["images", "edits"] => Endpoint::ImageEdits,
        ["images", "variations"] => Endpoint::ImageVariations,
        ["responses"] => Endpoint::Responses,
        ["messages"] => Endpoint::Messages,
        ["messages", "count_tokens"] => Endpoint::CountMessages,
        _ => return None,
    };
    let dialect = endpoint.dialect().filter(|_| method == "POST")?;
    let flagged = || parameter(query, "beta").is_some_and(|value| value == "true");
    let beta = dialect == Dialect::Anthropic && flagged();
    Some(Route { dialect, call: Call::Exchange(Asked { beta, ..Asked::of(endpoint) }) })
}

fn unknown(method: &str, path: &str) -> Rejection {
    let path: String = path.chars().take(128).collect();
    let method: String = method.chars().take(16).collect();
    let message = format!(
        "There is no {method} {path}. Use POST /v1/chat/completions, /v1/responses, /v1/messages, \
         /v1/messages/count_tokens, /v1/completions, /v1/embeddings, /v1/images/generations, /v1/images/edits, \
         /v1/images/variations or /v1beta/models/{{model}}:generateContent (:streamGenerateContent, :countTokens, \
         :embedContent, :batchEmbedContents), GET or DELETE /v1/responses/{{id}}, POST /v1/responses/{{id}}/cancel, \
         GET /v1/responses/{{id}}/input_items, or GET /v1/models or /v1beta/models."
    );
    Rejection::new(404, "not_found", message)
}

/// The value of a parameter of a path's query, percent-decoded.
#[must_use]
pub fn query(path: &str, name: &str) -> Option<String> {
    parameter(path.split_once('?')?.1, name)
}

/// The value of a parameter of a query, percent-decoded.
#[must_use]
pub fn parameter(query: &str, name: &str) -> Option<String> {
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (key == name).then(|| percent_decode(value))
    })
}

/// Undoes percent-encoding; what is not UTF-8 afterwards becomes U+FFFD, which no id holds.
fn percent_decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.as_bytes().iter();
    while let Some(byte) = bytes.next() {
        let hex = bytes.as_slice().get(..2).filter(|_| *byte == b'%');
        let decoded = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match decoded {
            Some(decoded) => {
                out.push(decoded);
                bytes.nth(1);
            }
            None => out.push(*byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests;
