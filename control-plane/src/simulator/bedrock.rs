//! Amazon Bedrock as its runtime speaks it: `Converse`, `ConverseStream`, `CountTokens`, and `InvokeModel` for embeddings.
//!
//! Spec: <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_Operations_Amazon_Bedrock_Runtime.html>.
//! Invariant: what the service refuses is refused with its status, exception and words, and every request proves who
//! sends it before anything else of it is looked at.
//!
//! A credential is `ID:SECRET`, `ID:SECRET:TOKEN` or an API key. Without one, the provider takes any API key, and the
//! key pair and the session of the vendor's documentation: [`sigv4::ACCESS_KEY`], [`sigv4::SESSION_KEY`].

use super::answer::{Answer, Call, Refusal};
use super::catalog::{Row, Traits};
use super::event::{Event, Mark, Style};
use super::vendor::{Complaint, Site, Vendor};
use bytes::Bytes;
use serde_json::Value;

mod blocks;
mod conversation;
mod embeddings;
mod error;
mod family;
mod frame;
mod model;
mod parameters;
mod reply;
mod schema;
mod sigv4;
mod stream;

/// The service takes no larger requests.
const LARGEST: usize = 25_000_000;

/// Amazon Bedrock.
#[derive(Debug)]
pub(crate) struct Bedrock;

impl Vendor for Bedrock {
    fn models(&self) -> &'static [Row] {
        &[
            ("anthropic.claude-sonnet-4-5-20250929-v1:0", 200_000, 64_000, Traits::OneSampler),
            ("anthropic.claude-haiku-4-5-20251001-v1:0", 200_000, 64_000, Traits::OneSampler),
            ("anthropic.claude-3-haiku-20240307-v1:0", 200_000, 4_096, Traits::Any),
            ("amazon.nova-lite-v1:0", 300_000, 10_000, Traits::Plain),
            ("meta.llama3-3-70b-instruct-v1:0", 128_000, 8_192, Traits::Plain),
            ("mistral.mistral-large-2402-v1:0", 32_000, 8_192, Traits::Plain),
            ("openai.gpt-oss-120b-1:0", 128_000, 16_384, Traits::Reasoning),
            ("amazon.titan-embed-text-v1", 8_192, u64::MAX, Traits::Embedding),
            ("amazon.titan-embed-text-v2:0", 8_192, u64::MAX, Traits::Embedding),
            ("cohere.embed-english-v3", u64::MAX, u64::MAX, Traits::Embedding),
            ("cohere.embed-multilingual-v3", u64::MAX, u64::MAX, Traits::Embedding),
            ("cohere.embed-v4:0", u64::MAX, u64::MAX, Traits::Embedding),
        ]
    }

    fn model(&self, site: Site<'_>, _body: &[u8]) -> Option<String> {
        let (segment, _) = site.path.strip_prefix("/model/")?.split_once('/')?;
        String::from_utf8(sigv4::decoded(segment)).ok()
    }

    fn answer(&self, call: &Call<'_>) -> Answer {
        let mut answer = route(call).unwrap_or_else(|refusal| match refusal {
            Refusal::Violation(violation) => match error::of_violation(&violation) {
                Refusal::Answer(answer) => *answer,
                Refusal::Violation(violation) => Answer::refusal(400, Value::Null, format!("{violation:?}")),
            },
            Refusal::Answer(answer) => *answer,
        });
        answer.headers.push(("x-amzn-requestid", request_id(call)));
        answer
    }

    fn error(&self, _site: Site<'_>, status: u16, code: Option<&str>) -> Value {
        error::document(error::scripted(status, code), code)
    }

    fn error_headers(&self, _site: Site<'_>, status: u16, code: Option<&str>) -> Vec<(&'static str, String)> {
        vec![("x-amzn-errortype", error::scripted(status, code).name.to_owned())]
    }

    fn error_event(&self, _site: Site<'_>, _sent: &[Event], complaint: Complaint<'_>) -> Event {
        let exception = error::scripted(500, complaint.code);
        let usual = || error::document(exception, complaint.code);
        Event::named(Mark::Frame, exception.event, &complaint.body.cloned().unwrap_or_else(usual))
    }

    fn stream_type(&self, _site: Site<'_>) -> &'static str {
        "application/vnd.amazon.eventstream"
    }

    fn render(&self, _site: Site<'_>, event: &Event, _style: Style) -> Bytes {
        stream::render(event)
    }

    fn corrupt(&self, _site: Site<'_>, event: &Bytes) -> Option<Bytes> {
        Some(frame::corrupt(event))
    }

    fn ping(&self, _site: Site<'_>, _style: Style) -> Bytes {
        // The vendor's streams have none: what says nothing is silent.
        Bytes::new()
    }
}

fn request_id(call: &Call<'_>) -> String {
    let hex: String = call.id("request", 32).bytes().map(|byte| format!("{:x}", byte % 16)).collect();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

fn route(call: &Call<'_>) -> Result<Answer, Refusal> {
    let unknown = || error::refuse(404, "UnknownOperationException", "The requested operation is not known.");
    let segments: Vec<&str> = call.path.split('/').collect();
    let ["", "model", segment, operation] = segments.as_slice() else { return Err(unknown()) };
    sigv4::verify(call)?;
    if call.method != http::Method::POST {
        return Err(unknown());
    }
    if call.body.len() > LARGEST {
        return Err(error::refuse(413, "RequestEntityTooLargeException", "The request body is too large."));
    }
    let document = || {
        let kind = call.header("content-type").split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/json") {
            return Err(error::refuse(
                415,
                "UnsupportedMediaTypeException",
                "The content type must be application/json.",
            ));
        }
        let wrong = |cause| error::refuse(400, "SerializationException", &format!("{cause}"));
        serde_json::from_slice::<Value>(call.body).map_err(wrong)
    };
    match *operation {
        "converse" => reply::answer(call, segment, &document()?, false),
        "converse-stream" => reply::answer(call, segment, &document()?, true),
        "count-tokens" => reply::count(call, segment, &document()?),
        "invoke" => {
            let body = serde_json::from_slice(call.body).map_err(|_| embeddings::unreadable())?;
            embeddings::answer(call, segment, &body)
        }
        _ => Err(unknown()),
    }
}

#[cfg(test)]
mod tests;
