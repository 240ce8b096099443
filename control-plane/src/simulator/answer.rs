//! What a vendor answers to one request, before any script touches it.

use super::catalog::Catalog;
use super::event::Event;
use super::shape::Violation;
use super::turn::Bias;
use serde_json::Value;
use sha2::{Digest, Sha256};
use sluice::config::Usage;
use std::time::Duration;

/// A request as a vendor sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    /// The method.
    pub(crate) method: &'a http::Method,
    /// The path without a query.
    pub(crate) path: &'a str,
    /// The query, empty if there is none.
    pub(crate) query: &'a str,
    /// The headers.
    pub(crate) headers: &'a http::HeaderMap,
    /// The whole body.
    pub(crate) body: &'a [u8],
    /// What the provider offers.
    pub(crate) catalog: &'a Catalog,
    /// The credential it takes; absent: any.
    pub(crate) credential: Option<&'a str>,
    /// What the script changes about the reply.
    pub(crate) bias: Bias,
    /// Unix seconds.
    pub(crate) now: u64,
}

impl<'a> Call<'a> {
    /// The same request, as if the path had no such beginning.
    #[must_use]
    pub(crate) fn below(mut self, beginning: &str) -> Self {
        self.path = self.path.strip_prefix(beginning).unwrap_or(self.path);
        self
    }

    /// A header's value, empty if it is absent or not text.
    pub(crate) fn header(&self, name: &str) -> &'a str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// `length` letters and digits that depend on the request's body and on `salt` only.
    pub(crate) fn id(&self, salt: &str, length: usize) -> String {
        const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let digest = Sha256::new().chain_update(salt).chain_update([0]).chain_update(self.body).finalize();
        let letter =
            |byte: &u8| ALPHABET.get(usize::from(*byte) % ALPHABET.len()).map(|letter| char::from(*letter));
        digest.iter().filter_map(letter).take(length).collect()
    }
}

/// The body of an answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content {
    /// One JSON document.
    Json(Value),
    /// Server-sent events.
    Stream(Vec<Event>),
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: u16,
    /// Besides content type and length.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The body.
    pub(crate) content: Content,
    /// What a buffered body reports; a stream's events say it themselves.
    pub(crate) usage: Option<Usage>,
    /// What the request costs.
    pub(crate) consumed: Option<Usage>,
    /// Why the request is refused, if it is.
    pub(crate) refused: Option<String>,
    /// How long each delta takes.
    pub(crate) pace: Duration,
    /// Into how many bytes the stream's writes are cut; 0: whole events.
    pub(crate) split: usize,
}

impl Answer {
    /// A 200 with a document.
    pub(crate) const fn json(body: Value) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            content: Content::Json(body),
            usage: None,
            consumed: None,
            refused: None,
            pace: Duration::ZERO,
            split: 0,
        }
    }

    /// A refusal with the vendor's document.
    pub(crate) fn refusal(status: u16, body: Value, why: impl Into<String>) -> Self {
        Self { status, refused: Some(why.into()), ..Self::json(body) }
    }
}

/// Why a vendor refuses a request.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Its shape or its values.
    Violation(Violation),
    /// Anything else, as the vendor's answer.
    Answer(Box<Answer>),
}

impl From<Violation> for Refusal {
    fn from(violation: Violation) -> Self {
        Self::Violation(violation)
    }
}

impl From<Answer> for Refusal {
    fn from(answer: Answer) -> Self {
        Self::Answer(Box::new(answer))
    }
}
