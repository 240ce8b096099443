//! The response object, as it stands in a whole reply and in a stream's first and last events.
//!
//! Invariant: it is complete: what the vendor repeats of the request is repeated, with the vendor's defaults where the
//! client was silent.

use super::request::DEFAULT_ECHO;
use super::usage;
use crate::config::Usage;
use crate::dialect::ReplyContext;
use crate::dialect::value::{array_or_skip, object_or_skip, text_or_skip};
use crate::ir::chat::FinishReason;
use crate::ir::error::{ApiError, ErrorKind};
use crate::wire::json::{Error, Object, Reader, Text};

/// Bytes of a request's id that become part of ours: the API takes no id back that is longer than 64.
const MAX_SEED: usize = 40;

/// What is the same in every event.
#[derive(Debug)]
pub(super) struct Frame {
    seed: String,
    created: u64,
    model: String,
    /// Members, without braces.
    echo: String,
    /// The client's custom tools.
    custom: Vec<String>,
}

/// How far a response has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    /// It goes on.
    Open,
    /// It is whole.
    Completed,
    /// It was cut, for this reason.
    Incomplete(&'static str),
    /// It broke off.
    Failed(ApiError),
}

impl Ending {
    /// The word for a response.
    const fn status(&self) -> &'static str {
        match self {
            Self::Open => "in_progress",
            Self::Completed => "completed",
            Self::Incomplete(_) => "incomplete",
            Self::Failed(_) => "failed",
        }
    }

    /// The word for its last message.
    pub(super) const fn item_status(&self) -> &'static str {
        match self {
            Self::Open => "in_progress",
            Self::Completed => "completed",
            Self::Incomplete(_) | Self::Failed(_) => "incomplete",
        }
    }

    /// The name of the event that says so.
    pub(super) const fn event(&self) -> &'static str {
        match self {
            Self::Open => "response.in_progress",
            Self::Completed => "response.completed",
            Self::Incomplete(_) => "response.incomplete",
            Self::Failed(_) => "response.failed",
        }
    }
}

impl Frame {
    /// Of one reply. `model` is the provider's name for it; may be empty.
    pub(super) fn new(context: &ReplyContext, model: &Text<'_>) -> Self {
        let seed = context.request_id.chars().filter(char::is_ascii_alphanumeric).take(MAX_SEED).collect();
        let model = if model.is_empty() { context.model.to_string() } else { model.plain().into_owned() };
        let echo = if context.echo.is_empty() { DEFAULT_ECHO } else { &context.echo };
        // An echo that is no object repeats nothing, and then no tool is known to be a custom one.
        let custom = custom_tools(echo).unwrap_or_default();
        let echo =
            echo.strip_prefix('{').and_then(|echo| echo.strip_suffix('}')).unwrap_or_default().to_owned();
        Self { seed, created: context.created, model, echo, custom }
    }

    /// Takes the name that the provider gives the model.
    pub(super) fn name_model(&mut self, model: &Text<'_>) {
        if !model.is_empty() {
            self.model = model.plain().into_owned();
        }
    }

    /// The id of an item, by its kind's prefix and its place in the output.
    pub(super) fn item_id(&self, prefix: &str, place: u64) -> String {
        format!("{prefix}_{}_{place}", self.seed)
    }

    /// Whether the client offered a custom tool of this name.
    pub(super) fn is_custom(&self, name: &Text<'_>) -> bool {
        !self.custom.is_empty() && self.custom.iter().any(|custom| *name == custom.as_str())
    }

    /// How a reply of this dialect ends. A refusal in words ends like any other reply; a filter's does not.
    pub(super) const fn ending(reason: FinishReason, refused_in_words: bool) -> Ending {
        match reason {
            FinishReason::Length => Ending::Incomplete("max_output_tokens"),
            FinishReason::Refusal if !refused_in_words => Ending::Incomplete("content_filter"),
            _ => Ending::Completed,
        }
    }

    /// Appends the object. `output` holds items, with commas between them.
    pub(super) fn write(&self, out: &mut Vec<u8>, ending: &Ending, output: &[u8], counts: Option<&Usage>) {
        let mut object = Object::new(&mut *out);
        object
            .str("id", &format!("resp_{}", self.seed))
            .str("object", "response")
            .int("created_at", self.created)
            .str("status", ending.status());
        match ending {
            Ending::Failed(error) => object.object("error", |object| {
                object.str("code", code(error)).str("message", &error.message);
            }),
            _ => object.null("error"),
        };
        match ending {
            Ending::Incomplete(reason) => object.object("incomplete_details", |object| {
                object.str("reason", reason);
            }),
            _ => object.null("incomplete_details"),
        };
        object.str("model", &self.model);
        let items = object.member("output");
        items.push(b'[');
        items.extend_from_slice(output);
        items.push(b']');
        match counts {
            Some(counts) => object.object("usage", |object| usage::encode(counts, object)),
            None => object.null("usage"),
        };
        drop(object);
        if !self.echo.is_empty() {
            // What is repeated stands behind, in the same object.
            out.pop();
            out.push(b',');
            out.extend_from_slice(self.echo.as_bytes());
            out.push(b'}');
        }
    }
}

/// The word for a failure, in the vendor's list where it has one.
fn code(error: &ApiError) -> &str {
    match error.kind {
        ErrorKind::RateLimit => "rate_limit_exceeded",
        ErrorKind::Quota | ErrorKind::Billing => "insufficient_quota",
        ErrorKind::ContextLength => "context_length_exceeded",
        ErrorKind::InvalidRequest | ErrorKind::ContentFilter => "invalid_prompt",
        _ => "server_error",
    }
}

/// The names of the custom tools among the repeated ones.
fn custom_tools(echo: &str) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    let mut reader = Reader::new(echo);
    reader.object()?;
    while let Some(key) = reader.key()? {
        if key != "tools" || !array_or_skip(&mut reader)? {
            if key != "tools" {
                reader.skip()?;
            }
            continue;
        }
        while reader.element()? {
            if !object_or_skip(&mut reader)? {
                continue;
            }
            let (mut custom, mut name) = (false, None);
            while let Some(key) = reader.key()? {
                match &*key.plain() {
                    "type" => custom = text_or_skip(&mut reader)?.is_some_and(|kind| kind == "custom"),
                    "name" => name = text_or_skip(&mut reader)?,
                    _ => reader.skip()?,
                }
            }
            if custom {
                names.extend(name.map(|name| name.plain().into_owned()));
            }
        }
    }
    Ok(names)
}
