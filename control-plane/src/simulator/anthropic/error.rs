//! Anthropic's errors: `{"type": "error", "error": {"type", "message"}, "request_id"}`.
//!
//! Spec: <https://docs.claude.com/en/api/errors>

use crate::simulator::answer::Answer;
use crate::simulator::shape::{Expected, Problem, Violation, dotted};
use serde_json::{Value, json};

fn document(kind: &str, message: &str, id: &str) -> Value {
    json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": id})
}

/// A refusal.
pub(crate) fn refuse(status: u16, kind: &str, message: &str, id: &str) -> Answer {
    Answer::refusal(status, document(kind, message, id), message)
}

/// 400 for a conversation that the vendor is to keep.
pub(crate) fn no_thread(id: &str) -> Answer {
    let message = "thread: this request cannot be threaded";
    let mut document = document("invalid_request_error", message, id);
    let details = json!({"error_code": "thread_unsupported_request", "unsupported": ["thread"]});
    if let Some(Value::Object(error)) = document.get_mut("error") {
        error.insert("details".to_owned(), details);
    }
    Answer::refusal(400, document, message)
}

/// 404 for a model.
pub(crate) fn no_model(name: &str, id: &str) -> Answer {
    refuse(404, "not_found_error", &format!("model: {name}"), id)
}

/// The error that the vendor sends with a status, for no fault of the request.
pub(crate) fn of_status(status: u16, code: Option<&str>) -> Value {
    let (kind, message) = match status {
        400 if code == Some("insufficient_quota") => (
            "invalid_request_error",
            "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.",
        ),
        400 if code == Some("context_length_exceeded") => {
            ("invalid_request_error", "prompt is too long: 200001 tokens > 200000 maximum")
        }
        400 => ("invalid_request_error", "The request is invalid."),
        401 => ("authentication_error", "invalid x-api-key"),
        402 => ("billing_error", "There is a problem with your billing or payment information."),
        403 => ("permission_error", "Your API key does not have permission to use the specified resource."),
        404 => ("not_found_error", "The requested resource could not be found."),
        408 | 504 => ("timeout_error", "Request timed out."),
        413 => ("request_too_large", "Request exceeds the maximum size"),
        429 => ("rate_limit_error", "This request would exceed your organization's rate limit."),
        529 => ("overloaded_error", "Overloaded"),
        405..=499 => ("invalid_request_error", "The request was refused."),
        _ => ("api_error", "Internal server error"),
    };
    document(kind, message, "req_011CSimulatedFault000000")
}

/// A violation in the vendor's words.
pub(crate) fn of_violation(violation: &Violation, id: &str) -> Answer {
    let path = dotted(&violation.path);
    let message = match &violation.problem {
        Problem::Missing => "Field required".to_owned(),
        Problem::Unknown => "Extra inputs are not permitted".to_owned(),
        Problem::Type { expected, .. } => format!("Input should be {}", name(*expected)),
        Problem::Choice { allowed, .. } => format!("Input should be {}", or(allowed)),
        Problem::Below { limit, .. } => format!("Input should be greater than or equal to {limit}"),
        Problem::Above { limit, .. } => format!("Input should be less than or equal to {limit}"),
        Problem::TooLong { limit, got, list: true } => {
            format!("List should have at most {limit} items after validation, not {got}")
        }
        Problem::TooLong { limit, list: false, .. } => {
            format!("String should have at most {limit} characters")
        }
        Problem::Rule(message, _) => message.clone(),
    };
    let message = if path.is_empty() { message } else { format!("{path}: {message}") };
    refuse(400, "invalid_request_error", &message, id)
}

const fn name(expected: Expected) -> &'static str {
    match expected {
        Expected::Object => "a valid dictionary",
        Expected::Array | Expected::TextOrArray => "a valid list",
        Expected::Text => "a valid string",
        Expected::Integer => "a valid integer",
        Expected::Number => "a valid number",
        Expected::Boolean => "a valid boolean",
    }
}

fn or(allowed: &[&str]) -> String {
    let quoted: Vec<_> = allowed.iter().map(|value| format!("'{value}'")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}
