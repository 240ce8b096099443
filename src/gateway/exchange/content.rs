//! A request's body, and the one look over it.
//!
//! Invariant: a body is never converted. JSON must be UTF-8; a form may hold anything, and only the values of its few
//! plain fields are read.

use crate::config::{Dialect, Operation};
use crate::dialect::{Edit, Peek, Target, patch};
use crate::gateway::reject::Rejection;
use crate::gateway::route::Asked;
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
use crate::wire::json::Text;
use crate::wire::multipart::{self, Part};

/// A request's body.
#[derive(Debug)]
pub(super) enum Content {
    /// JSON, or nothing.
    Text(String),
    /// `multipart/form-data`.
    Form {
        /// The content type, boundary included.
        kind: String,
        bytes: Vec<u8>,
    },
}

impl Default for Content {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

impl Content {
    /// Takes a body as its endpoint has it.
    pub(super) fn read(asked: &Asked, kind: String, bytes: Vec<u8>) -> Result<Self, Rejection> {
        if asked.endpoint.operation() == Operation::Image && multipart::is_form(&kind) {
            return Ok(Self::Form { kind, bytes });
        }
        String::from_utf8(bytes).map(Self::Text).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let message =
                format!("The body is not UTF-8 at byte {at}. Encode it as UTF-8 and send it again.");
            Rejection::new(400, "invalid_request", message)
        })
    }

    /// All bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Form { bytes, .. } => bytes,
        }
    }

    /// The text; a form is none.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Form { .. } => "",
        }
    }

    /// The content type that goes on.
    pub(super) fn kind(&self) -> &str {
        match self {
            Self::Text(_) => "application/json",
            Self::Form { kind, .. } => kind,
        }
    }

    /// Checks the body and notes what policy needs.
    pub(super) fn peek<'a>(&'a self, dialect: Dialect, asked: &'a Asked) -> Result<Peek<'a>, Rejection> {
        let operation = asked.endpoint.operation();
        let peeked = match self {
            _ if operation == Operation::Stored => Ok(Peek { stream: asked.stream, ..Peek::default() }),
            Self::Form { kind, bytes } => form(kind, bytes),
            Self::Text(text) => patch(dialect).peek(&asked.ask(), text),
        };
        let mut peek = peeked.map_err(|malformed| Rejection::malformed(&malformed))?;
        // What has no streams answers whole, whatever a member of that name says.
        peek.stream &= !matches!(operation, Operation::Embed | Operation::Count);
        Ok(peek)
    }

    /// The edits that turn the body into a provider's of the same dialect. What they take goes to `loss`.
    pub(super) fn edits(
        &self,
        dialect: Dialect,
        peek: &Peek<'_>,
        target: &Target<'_>,
        loss: &mut Loss,
    ) -> Vec<Edit> {
        match self {
            Self::Text(text) if text.is_empty() => Vec::new(),
            Self::Text(_) => patch(dialect).splice(peek, target, loss),
            Self::Form { .. } => {
                let span = peek.model_span.clone().filter(|_| peek.model != *target.model);
                let edit = span.map(|span| Edit::replace(span, target.model));
                edit.into_iter().collect()
            }
        }
    }
}

/// Finds the plain fields `model`, `n` and `stream` of a form.
fn form<'a>(kind: &str, bytes: &'a [u8]) -> Result<Peek<'a>, Malformed> {
    let boundary = multipart::boundary(kind)
        .ok_or_else(|| Malformed::at("content-type", "expected multipart/form-data with one boundary"))?;
    let parts = multipart::parts(bytes, &boundary).map_err(|broken| Malformed::at("body", broken))?;
    let mut peek = Peek { include_usage: true, n: 1, end: bytes.len(), ..Peek::default() };
    let mut seen: Vec<&str> = Vec::new();
    for part in &parts {
        let name: &str = &part.name;
        if !["model", "n", "stream"].contains(&name) {
            continue;
        }
        if seen.contains(&name) {
            return Err(Malformed::at(name, "occurs twice"));
        }
        seen.push(name);
        let value = field(part, bytes)?;
        match name {
            "model" if value.is_empty() => {
                return Err(Malformed::at("model", "expected a model's id"));
            }
            "model" => {
                peek.model = Text::from(value);
                peek.model_span = Some(part.value.clone());
            }
            "n" => peek.n = value.parse().unwrap_or(1),
            _ => peek.stream = value.eq_ignore_ascii_case("true"),
        }
    }
    if peek.model_span.is_none() {
        return Err(Malformed::at("model", "expected a form field, and it is missing"));
    }
    Ok(peek)
}

fn field<'a>(part: &Part<'_>, bytes: &'a [u8]) -> Result<&'a str, Malformed> {
    let value = bytes.get(part.value.clone()).unwrap_or_default();
    let text = std::str::from_utf8(value).ok().filter(|_| !part.is_file);
    text.ok_or_else(|| Malformed::at(part.name.to_string(), "expected a plain field in UTF-8"))
}
