//! From a request's method and path to what is asked.

use super::reject::Rejection;
use crate::config::{Dialect, Endpoint};

/// The paths under which everything is found again, so that SDKs keep the base path they are used to.
const BASES: [&str; 5] = ["api", "oai", "openai", "anthropic", "gemini"];

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
    Exchange(Endpoint),
    /// `GET /v1/models`
    ListModels,
    /// `GET /v1/models/{id}`, percent-decoded.
    GetModel(String),
}

impl Call {
    /// The name that access rules use.
    #[must_use]
    pub const fn endpoint(&self) -> Endpoint {
        match self {
            Self::Exchange(endpoint) => *endpoint,
            Self::ListModels | Self::GetModel(_) => Endpoint::Models,
        }
    }
}

/// Matches a request. `anthropic` says whether it carries an `anthropic-version` header, which tells the dialect where the
/// path does not. An error is to be answered in the dialect beside it.
pub fn route(method: &str, path: &str, anthropic: bool) -> Result<Route, (Dialect, Rejection)> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let mut segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let base = segments.first().copied().filter(|first| BASES.contains(first));
    if base.is_some() {
        segments.remove(0);
    }
    if segments.first() == Some(&"v1") {
        segments.remove(0);
    }
    let shape = if anthropic || base == Some("anthropic") { Dialect::Anthropic } else { Dialect::Openai };
    let (wanted, dialect, call) = match segments.as_slice() {
        ["chat", "completions"] => ("POST", Dialect::Openai, Call::Exchange(Endpoint::ChatCompletions)),
        ["completions"] => ("POST", Dialect::Openai, Call::Exchange(Endpoint::Completions)),
        ["embeddings"] => ("POST", Dialect::Openai, Call::Exchange(Endpoint::Embeddings)),
        ["messages"] => ("POST", Dialect::Anthropic, Call::Exchange(Endpoint::Messages)),
        ["models"] => ("GET", shape, Call::ListModels),
        ["models", id @ ..] => ("GET", shape, Call::GetModel(percent_decode(&id.join("/")))),
        _ => return Err((shape, unknown(method, path))),
    };
    if method == wanted { Ok(Route { dialect, call }) } else { Err((dialect, unknown(method, path))) }
}

fn unknown(method: &str, path: &str) -> Rejection {
    let path: String = path.chars().take(128).collect();
    let message = format!(
        "There is no {method} {path}. Use POST /v1/chat/completions, /v1/messages, /v1/completions or /v1/embeddings, \
         or GET /v1/models."
    );
    Rejection::new(404, "not_found", message)
}

/// The value of a query parameter, percent-decoded.
#[must_use]
pub fn query(path: &str, name: &str) -> Option<String> {
    let (_, query) = path.split_once('?')?;
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
mod tests {
    use super::*;

    fn exchange(path: &str) -> Option<(Dialect, Endpoint)> {
        match route("POST", path, false) {
            Ok(Route { dialect, call: Call::Exchange(endpoint) }) => Some((dialect, endpoint)),
            _ => None,
        }
    }

    #[test]
    fn every_base_path_leads_to_the_same_endpoints() {
        for base in ["", "/api", "/oai", "/openai", "/anthropic", "/gemini"] {
            let chat = Some((Dialect::Openai, Endpoint::ChatCompletions));
            assert_eq!(exchange(&format!("{base}/v1/chat/completions")), chat, "{base}");
            assert_eq!(exchange(&format!("{base}//v1//chat/completions/?x=1")), chat, "{base}");
            let messages = Some((Dialect::Anthropic, Endpoint::Messages));
            assert_eq!(exchange(&format!("{base}/v1/messages?beta=true")), messages, "{base}");
        }
        assert_eq!(exchange("/v1/embeddings"), Some((Dialect::Openai, Endpoint::Embeddings)));
        assert_eq!(exchange("/v1/completions"), Some((Dialect::Openai, Endpoint::Completions)));
    }

    #[test]
    fn model_ids_may_hold_slashes_plain_or_encoded() {
        for path in ["/v1/models/meta/llama", "/v1/models/meta%2Fllama", "/openai/v1/models/meta%2fllama"] {
            let route = route("GET", path, false).unwrap();
            assert_eq!(route.call, Call::GetModel("meta/llama".into()));
        }
    }

    #[test]
    fn the_dialect_of_model_lists_follows_the_client() {
        assert_eq!(route("GET", "/v1/models", true).unwrap().dialect, Dialect::Anthropic);
        assert_eq!(route("GET", "/anthropic/v1/models", false).unwrap().dialect, Dialect::Anthropic);
        assert_eq!(route("GET", "/v1/models", false).unwrap().dialect, Dialect::Openai);
    }

    #[test]
    fn everything_else_is_not_found() {
        for path in [
            "/",
            "/v1",
            "/v1/chat",
            "/v1/../v1/chat/completions",
            "/v2/chat/completions",
            "/v1/chat%2Fcompletions",
        ] {
            assert_eq!(route("POST", path, false).unwrap_err().1.error.status, 404, "{path}");
        }
        assert_eq!(route("GET", "/v1/messages", false).unwrap_err().0, Dialect::Anthropic);
    }

    #[test]
    fn query_parameters_are_decoded() {
        assert_eq!(query("/x?a=1&key=s%6Cc-1", "key").as_deref(), Some("slc-1"));
        assert_eq!(query("/x?a=1", "key"), None);
        assert_eq!(query("/x?key=%zz%e", "key").as_deref(), Some("%zz%e"));
    }
}
