use super::*;
use crate::simulator::catalog::Catalog;
use crate::simulator::event::Mark;
use crate::simulator::turn::Bias;
use http::{HeaderMap, Method};

mod embeddings;
mod refusals;
mod replies;

/// A request with a key, to models that are the vendor's own and a small one.
struct Ask<'a> {
    method: Method,
    path: &'a str,
    query: &'a str,
    headers: &'a [(&'static str, &'static str)],
    bias: Bias,
}

const KEY: &[(&str, &str)] = &[("x-goog-api-key", "AIza-test")];

impl Default for Ask<'_> {
    fn default() -> Self {
        let path = "/v1beta/models/gemini-2.5-flash:generateContent";
        Self { method: Method::POST, path, query: "", headers: KEY, bias: Bias::default() }
    }
}

impl Ask<'_> {
    fn send(&self, body: &Value) -> Answer {
        let body = body.to_string();
        let name = http::HeaderName::from_static;
        let headers: HeaderMap =
            self.headers.iter().map(|(key, value)| (name(key), value.parse().unwrap())).collect();
        let mut catalog = Catalog::of(Gemini.models());
        catalog.register(serde_json::from_value(json!({"id": "small", "context_length": 40})).unwrap());
        let call = Call {
            method: &self.method,
            path: self.path,
            query: self.query,
            headers: &headers,
            body: body.as_bytes(),
            catalog: &catalog,
            credential: Some("AIza-test"),
            bias: self.bias,
            now: 7,
        };
        Gemini.answer(&call)
    }
}

/// A valid request with some members replaced.
fn with(changes: Value) -> Value {
    let mut request = json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]});
    for (name, value) in changes.as_object().unwrap() {
        request[name] = value.clone();
    }
    request
}

fn path_of(model: &str) -> String {
    format!("/v1beta/models/{model}:generateContent")
}

/// What a model answers to a request.
fn ask(model: &str, changes: Value) -> Answer {
    Ask { path: &path_of(model), ..Ask::default() }.send(&with(changes))
}

fn document(answer: &Answer) -> &Value {
    match &answer.content {
        Content::Json(document) => document,
        Content::Stream(_) => panic!("a stream"),
    }
}

fn events(answer: &Answer) -> &[Event] {
    match &answer.content {
        Content::Stream(events) => events,
        Content::Json(document) => panic!("{document}"),
    }
}

fn error(answer: &Answer) -> (u16, &str) {
    (answer.status, document(answer)["error"]["message"].as_str().unwrap())
}

fn said(text: &str) -> Value {
    json!([{"role": "user", "parts": [{"text": text}]}])
}

fn tools() -> Value {
    json!([{"functionDeclarations": [{"name": "weather", "parameters": {"type": "OBJECT", "properties": {"city": {"type": "STRING"}},
        "required": ["city"]}}]}])
}
