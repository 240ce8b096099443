//! Why a reply ended, in OpenAI's words and its imitators'.

use crate::ir::chat::FinishReason;
use crate::ir::error::{ApiError, ErrorKind, Fault};

/// What a finish reason means. Some vendors report a failure by it; that is no answer.
pub(super) fn decode(word: &str) -> Result<FinishReason, Fault> {
    Ok(match word {
        "length" | "max_tokens" | "model_length" => FinishReason::Length,
        "tool_calls" | "function_call" | "tool_use" => FinishReason::ToolCalls,
        "content_filter" | "sensitive" | "refusal" => FinishReason::Refusal,
        // Mistral and OpenRouter; DeepSeek; Zhipu.
        "error" | "insufficient_system_resource" | "network_error" => {
            return Err(Fault::Error(ApiError {
                status: 502,
                kind: ErrorKind::Server,
                code: Some(word.to_owned()),
                message: format!("the provider ended its reply with finish_reason '{word}'"),
                param: None,
            }));
        }
        _ => FinishReason::Stop,
    })
}

/// OpenAI's word. A refusal in words ends like any other reply; a filter's does not.
pub(super) const fn encode(reason: FinishReason, refused_in_words: bool) -> &'static str {
    match reason {
        FinishReason::Length => "length",
        FinishReason::ToolCalls => "tool_calls",
        FinishReason::Refusal if !refused_in_words => "content_filter",
        _ => "stop",
    }
}

/// The reason that fits what the reply holds: several vendors (and OpenAI itself, when one tool was forced) say
/// `stop` after tool calls, and OpenAI says it after a refusal in words.
pub(super) const fn settle(reason: FinishReason, calls: bool, refusal: bool) -> FinishReason {
    match reason {
        FinishReason::Stop if calls => FinishReason::ToolCalls,
        FinishReason::Stop if refusal => FinishReason::Refusal,
        other => other,
    }
}
