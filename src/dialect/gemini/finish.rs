//! Finish reasons. <https://ai.google.dev/api/generate-content#FinishReason>
//!
//! Invariant: a reply that Google withheld is a refusal; one that the model spoiled is no reply, so that another provider
//! is asked.

use crate::ir::chat::{Finish, FinishReason};
use crate::ir::error::{ApiError, ErrorKind, Fault};
use crate::wire::json::Text;

/// What a reason means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A reply ended for this.
    Ended(FinishReason),
    /// The model broke off; what it said until then may still be of use.
    Broken,
    /// The model failed at a call: what was wanted of it is not there, whatever else is.
    Spoiled,
}

/// Reads a reason.
pub(super) fn meaning(word: &str) -> Meaning {
    match word {
        "MAX_TOKENS" | "CONTINUATION" => Meaning::Ended(FinishReason::Length),
        "SAFETY"
        | "RECITATION"
        | "LANGUAGE"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION"
        | "ESCALATION"
        | "MODEL_ARMOR" => Meaning::Ended(FinishReason::Refusal),
        "MALFORMED_FUNCTION_CALL"
        | "UNEXPECTED_TOOL_CALL"
        | "TOO_MANY_TOOL_CALLS"
        | "MALFORMED_RESPONSE"
        | "MISSING_THOUGHT_SIGNATURE" => Meaning::Spoiled,
        "OTHER" | "IMAGE_OTHER" | "NO_IMAGE" | "PUP_LIMITED_DISABLED" => Meaning::Broken,
        _ => Meaning::Ended(FinishReason::Stop),
    }
}

/// Why a candidate ended, from whether it has said anything but thoughts until then. An absent reason counts as an
/// ordinary stop.
pub(super) fn settle<'a>(
    word: Option<Text<'a>>,
    message: Option<&Text<'_>>,
    spoke: bool,
    called: bool,
) -> Result<Finish<'a>, Fault> {
    let word = word.unwrap_or_default();
    let reason = match meaning(&word.plain()) {
        Meaning::Spoiled => return Err(spoiled(&word.plain(), message)),
        Meaning::Broken if !spoke => return Err(spoiled(&word.plain(), message)),
        Meaning::Broken => FinishReason::Stop,
        Meaning::Ended(reason) => reason,
    };
    let reason = if called && reason == FinishReason::Stop { FinishReason::ToolCalls } else { reason };
    Ok(Finish { reason, word, stop_sequence: None })
}

/// A reply that the model spoiled.
fn spoiled(word: &str, message: Option<&Text<'_>>) -> Fault {
    let message = match message {
        Some(message) => message.plain().into_owned(),
        None => format!("the model ended with {word}"),
    };
    let code = Some(word.to_owned());
    Fault::Error(ApiError { status: 500, kind: ErrorKind::Server, code, message, param: None })
}

/// Google's word for a reason; its own word, where it withheld the reply itself.
pub(super) fn word<'f>(finish: &'f Finish<'_>) -> std::borrow::Cow<'f, str> {
    match finish.reason {
        FinishReason::Length => "MAX_TOKENS".into(),
        FinishReason::Refusal => {
            let own = finish.word.plain();
            if meaning(&own) == Meaning::Ended(FinishReason::Refusal) { own } else { "SAFETY".into() }
        }
        FinishReason::Stop | FinishReason::StopSequence | FinishReason::ToolCalls | FinishReason::Pause => {
            "STOP".into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spoiled_replies_are_faults_unless_they_said_something() {
        let settle = |word: &'static str, spoke, called| {
            settle(Some(Text::from(word)), None, spoke, called).map(|finish| finish.reason)
        };
        assert_eq!(settle("STOP", true, false), Ok(FinishReason::Stop));
        assert_eq!(settle("STOP", true, true), Ok(FinishReason::ToolCalls));
        assert_eq!(settle("MAX_TOKENS", true, true), Ok(FinishReason::Length));
        assert_eq!(settle("RECITATION", false, false), Ok(FinishReason::Refusal));
        assert_eq!(settle("OTHER", true, false), Ok(FinishReason::Stop));
        assert!(matches!(settle("OTHER", false, false), Err(Fault::Error(_))));
        assert!(matches!(settle("MALFORMED_FUNCTION_CALL", true, false), Err(Fault::Error(_))));
    }
}
