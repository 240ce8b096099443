//! How a response ended: `status`, `incomplete_details`, `error`.

use crate::config::Usage;
use crate::dialect::openai_api::error;
use crate::dialect::value::{is_void, object_or_skip, text_or_skip};
use crate::ir::chat::{Finish, FinishReason};
use crate::ir::error::{ApiError, ErrorKind, Fault};
use crate::wire::json::{Error, Kind, Reader, Text};

/// A response object without its output, leniently read.
#[derive(Debug, Default)]
pub(super) struct Envelope<'a> {
    /// May be empty.
    pub(super) id: Option<Text<'a>>,
    /// As the provider names it.
    pub(super) model: Option<Text<'a>>,
    /// `completed`, `incomplete`, `failed` …
    pub(super) status: Option<Text<'a>>,
    /// Why it is incomplete.
    pub(super) reason: Option<Text<'a>>,
    /// The error, if it is one.
    pub(super) error: Option<&'a str>,
    /// Stands before the output's array, if there is one.
    pub(super) output: Option<Reader<'a>>,
    /// The counts.
    pub(super) usage: Option<Usage>,
    /// Whether the provider keeps it.
    pub(super) store: Option<bool>,
    /// Whether it is made in the background.
    pub(super) background: bool,
}

impl<'a> Envelope<'a> {
    /// Reads a response object; any other object gives an empty envelope.
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let mut found = Self::default();
        reader.object()?;
        while let Some(key) = reader.key()? {
            match &*key.plain() {
                "id" => found.id = text_or_skip(reader)?,
                "model" => found.model = text_or_skip(reader)?,
                "status" => found.status = text_or_skip(reader)?,
                "incomplete_details" => {
                    if object_or_skip(reader)? {
                        while let Some(key) = reader.key()? {
                            if key == "reason" {
                                found.reason = text_or_skip(reader)?;
                            } else {
                                reader.skip()?;
                            }
                        }
                    }
                }
                "error" => found.error = Some(reader.raw()?).filter(|error| !is_void(error)),
                "output" => {
                    found.output = (reader.peek()? == Kind::Array).then(|| reader.clone());
                    reader.skip()?;
                }
                "usage" => found.usage = super::usage::decode(reader)?,
                "background" if reader.peek()? == Kind::Bool => found.background = reader.boolean()?,
                "store" if reader.peek()? == Kind::Bool => found.store = Some(reader.boolean()?),
                _ => reader.skip()?,
            }
        }
        Ok(found)
    }

    /// The provider's word for its end: the reason of an incomplete one, else the status.
    pub(super) fn word(&self) -> Text<'a> {
        self.reason.clone().or_else(|| self.status.clone()).unwrap_or_else(|| "".into())
    }

    /// Whether there is more to come.
    pub(super) fn is_under_way(&self) -> bool {
        self.status.as_ref().is_some_and(|status| *status == "queued" || *status == "in_progress")
    }

    /// What it failed of, if it did.
    pub(super) fn failure(&self) -> Option<ApiError> {
        let status = self.status.as_ref().map(Text::plain);
        match (status.as_deref(), self.error) {
            (_, Some(error)) => Some(failure(error)),
            (Some(word @ ("failed" | "cancelled")), None) => Some(ApiError {
                status: 502,
                kind: ErrorKind::Server,
                code: Some(word.to_owned()),
                message: format!("the provider ended its response with status '{word}'"),
                param: None,
            }),
            _ => None,
        }
    }

    /// Why it ended, given what it holds.
    pub(super) fn finish(&self, calls: bool, refused: bool) -> Finish<'a> {
        let word = self.word();
        let reason = match &*word.plain() {
            "max_output_tokens" | "max_messages" | "max_tokens" => FinishReason::Length,
            "content_filter" => FinishReason::Refusal,
            // For a reason that is still to be invented: it was cut.
            _ if self.status.as_ref().is_some_and(|status| *status == "incomplete") => FinishReason::Length,
            _ if calls => FinishReason::ToolCalls,
            _ if refused => FinishReason::Refusal,
            _ => FinishReason::Stop,
        };
        Finish { reason, word, stop_sequence: None }
    }
}

/// Reads an error object, an `error` event, or a body that holds one. The codes of this dialect that Chat has not are told
/// apart here.
pub(super) fn failure(json: &str) -> ApiError {
    let mut found = error::in_reply(json);
    if found.code.as_deref() == Some("error") {
        // An event's own type.
        found.code = None;
    }
    let code = found.code.as_deref().unwrap_or_default();
    let flagged =
        code == "invalid_prompt" && (found.message.contains("polic") || found.message.contains("flagged"));
    let kind = match code {
        _ if code.ends_with("_policy") || code.contains("policy_violation") || flagged => {
            ErrorKind::ContentFilter
        }
        "invalid_prompt" => ErrorKind::InvalidRequest,
        _ if code.contains("image") => ErrorKind::InvalidRequest,
        _ => return found,
    };
    ApiError { kind, status: 400, ..found }
}

/// What a syntax error of a reply is.
pub(super) fn invalid(error: &Error) -> Fault {
    Fault::Invalid(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_told_apart() {
        for (json, kind, status) in [
            (r#"{"code":"rate_limit_exceeded","message":"slow"}"#, ErrorKind::RateLimit, 429),
            (r#"{"code":"server_error","message":"oops"}"#, ErrorKind::Server, 502),
            (r#"{"code":"context_length_exceeded","message":"long"}"#, ErrorKind::ContextLength, 400),
            (r#"{"code":"insufficient_quota","message":"pay"}"#, ErrorKind::Quota, 429),
            (
                r#"{"code":"invalid_prompt","message":"Your prompt was flagged"}"#,
                ErrorKind::ContentFilter,
                400,
            ),
            (r#"{"code":"invalid_prompt","message":"no"}"#, ErrorKind::InvalidRequest, 400),
            (r#"{"code":"bio_policy","message":"no"}"#, ErrorKind::ContentFilter, 400),
            (r#"{"code":"image_content_policy_violation","message":"no"}"#, ErrorKind::ContentFilter, 400),
            (r#"{"code":"image_too_large","message":"no"}"#, ErrorKind::InvalidRequest, 400),
            (r#"{"type":"error","code":null,"message":"what"}"#, ErrorKind::Server, 502),
        ] {
            let found = failure(json);
            assert_eq!((found.kind, found.status), (kind, status), "{json}");
        }
    }
}
