//! OpenAI's errors: `{"error": {"message", "type", "param", "code"}}`.
//!
//! Spec: <https://platform.openai.com/docs/guides/error-codes>

use crate::simulator::answer::{Answer, Call};
use crate::simulator::shape::{Expected, Problem, Violation, bracketed};
use serde_json::{Value, json};

const INVALID: &str = "invalid_request_error";

fn document(message: &str, kind: &str, param: Option<&str>, code: Option<&str>) -> Value {
    json!({"error": {"message": message, "type": kind, "param": param, "code": code}})
}

/// A refusal.
pub(crate) fn refuse(status: u16, message: &str, param: Option<&str>, code: Option<&str>) -> Answer {
    Answer::refusal(status, document(message, INVALID, param, code), message)
}

/// The error that the vendor sends with a status, for no fault of the request.
pub(crate) fn of_status(status: u16, code: Option<&str>) -> Value {
    let (message, kind, usual) = match (status, code) {
        (429, Some("insufficient_quota")) => (
            "You exceeded your current quota, please check your plan and billing details.",
            "insufficient_quota",
            code,
        ),
        (400, Some("content_filter" | "content_policy_violation")) => (
            "The response was filtered due to the prompt triggering the content management policy.",
            INVALID,
            code,
        ),
        (400, Some("context_length_exceeded")) => (
            "This model's maximum context length is 8192 tokens. Please reduce the length of the messages.",
            INVALID,
            code,
        ),
        (400, _) => ("The request is invalid.", INVALID, None),
        (401, _) => ("Incorrect API key provided.", INVALID, Some("invalid_api_key")),
        (402, _) => ("Your account has no credit left.", "insufficient_quota", Some("insufficient_quota")),
        (403, _) => (
            "You are not allowed to access this resource.",
            INVALID,
            Some("unsupported_country_region_territory"),
        ),
        (404, _) => {
            ("The model does not exist or you do not have access to it.", INVALID, Some("model_not_found"))
        }
        (408, _) => ("Request timed out.", "timeout", None),
        (429, _) => (
            "Rate limit reached on requests per min (RPM): Limit 500, Used 500, Requested 1. Please try again in 1s.",
            "requests",
            Some("rate_limit_exceeded"),
        ),
        (502, _) => ("Bad gateway.", "cf_bad_gateway", None),
        (503, _) => ("The engine is currently overloaded, please try again later.", "server_error", None),
        (504, _) => ("Gateway timeout.", "cf_gateway_timeout", None),
        (520..=524, _) => ("The origin did not answer.", "cf_origin_error", None),
        (529, _) => ("The service is overloaded.", "server_error", None),
        (405..=499, _) => ("The request was refused.", INVALID, None),
        _ => {
            ("The server had an error while processing your request. Sorry about that!", "server_error", None)
        }
    };
    document(message, kind, None, code.or(usual))
}

/// A violation in the words of the vendor's newer endpoints, which know no unrecognized arguments.
pub(crate) fn of_violation(violation: &Violation) -> Answer {
    let param = bracketed(&violation.path);
    let (message, code) = match &violation.problem {
        Problem::Missing => {
            (format!("Missing required parameter: '{param}'."), Some("missing_required_parameter"))
        }
        Problem::Unknown => (format!("Unknown parameter: '{param}'."), Some("unknown_parameter")),
        Problem::Type { expected, got } => (
            format!("Invalid type for '{param}': expected {}, but got {got} instead.", name(*expected)),
            Some("invalid_type"),
        ),
        Problem::Choice { got, allowed } => (
            format!("Invalid value: '{got}'. Supported values are: {}.", and(allowed)),
            Some("invalid_value"),
        ),
        Problem::Below { limit, got, integer } => {
            let kind = if *integer { "integer" } else { "decimal" };
            let bound = format!("Expected a value >= {limit}, but got {got} instead.");
            let code = if *integer { "integer_below_min_value" } else { "decimal_below_min_value" };
            (format!("Invalid '{param}': {kind} below minimum value. {bound}"), Some(code))
        }
        Problem::Above { limit, got, integer } => {
            let kind = if *integer { "integer" } else { "decimal" };
            let bound = format!("Expected a value <= {limit}, but got {got} instead.");
            let code = if *integer { "integer_above_max_value" } else { "decimal_above_max_value" };
            (format!("Invalid '{param}': {kind} above maximum value. {bound}"), Some(code))
        }
        Problem::TooLong { limit, got, list } => {
            let (kind, code) = if *list {
                ("an array", "array_above_max_length")
            } else {
                ("a string", "string_above_max_length")
            };
            let noun = if *list { "array" } else { "string" };
            let bound = format!(
                "Expected {kind} with maximum length {limit}, but got {kind} with length {got} instead."
            );
            (format!("Invalid '{param}': {noun} too long. {bound}"), Some(code))
        }
        Problem::Rule(message, code) => (message.clone(), *code),
    };
    refuse(400, &message, (!param.is_empty()).then_some(param.as_str()), code)
}

/// A violation in the words of the vendor's first endpoints.
pub(crate) fn of_argument(violation: &Violation) -> Answer {
    match (&violation.problem, violation.path.as_slice()) {
        (Problem::Unknown, [_]) => {
            let param = bracketed(&violation.path);
            refuse(400, &format!("Unrecognized request argument supplied: {param}"), None, None)
        }
        _ => of_violation(violation),
    }
}

const fn name(expected: Expected) -> &'static str {
    match expected {
        Expected::Object => "an object",
        Expected::Array => "an array of objects",
        Expected::Text => "a string",
        Expected::TextOrArray => "one of a string or array of objects",
        Expected::Integer => "an integer",
        Expected::Number => "a decimal",
        Expected::Boolean => "a boolean",
    }
}

fn and(allowed: &[&str]) -> String {
    let quoted: Vec<_> = allowed.iter().map(|value| format!("'{value}'")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, [only])) => format!("{only} and {last}"),
        Some((last, rest)) => format!("{}, and {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// 401; `given` is what was given, if anything was.
pub(crate) fn credential(given: Option<&str>) -> Answer {
    let message = match given {
        None => "You didn't provide an API key. You need to provide your API key in an Authorization header using \
                 Bearer auth (i.e. Authorization: Bearer YOUR_KEY)."
            .to_owned(),
        // The vendor repeats the key, masked; not even a masked one has a use here.
        Some(_) => "Incorrect API key provided. You can find your API key at \
                    https://platform.openai.com/account/api-keys."
            .to_owned(),
    };
    refuse(401, &message, None, Some("invalid_api_key"))
}

/// 404 for a model.
pub(crate) fn no_model(id: &str) -> Answer {
    let message = format!("The model `{id}` does not exist or you do not have access to it.");
    refuse(404, &message, None, Some("model_not_found"))
}

/// 404 for a model of another endpoint.
pub(crate) fn wrong_endpoint() -> Answer {
    let message = "This model is not supported on this endpoint.";
    refuse(404, message, Some("model"), None)
}

/// 400 for a prompt that does not fit, where no limit is told.
pub(crate) fn window() -> Answer {
    let message =
        "Your input exceeds the context window of this model. Please adjust your input and try again.";
    refuse(400, message, Some("input"), Some("context_length_exceeded"))
}

/// 400 for a prompt that the vendor's filter refuses.
pub(crate) fn blocked() -> Answer {
    let message = "Invalid prompt: your prompt was flagged as potentially violating our usage policy. Please try again \
                   with a different prompt: https://platform.openai.com/docs/guides/reasoning#advice-on-prompting";
    refuse(400, message, None, Some("invalid_prompt"))
}

/// 400 for a picture that the vendor's filter refuses.
pub(crate) fn no_picture() -> Answer {
    let message = "Your request was rejected by the safety system. If you believe this is an error, contact us at \
                   help.openai.com and include the request ID. safety_violations=[simulated].";
    let body = document(message, "image_generation_user_error", None, Some("moderation_blocked"));
    Answer::refusal(400, body, message)
}

/// 415 for a body that does not say that it is a form.
pub(crate) fn not_a_form(given: &str) -> Answer {
    let message = format!(
        "Unsupported content type: '{given}'. This API method only accepts 'multipart/form-data' requests."
    );
    refuse(415, &message, None, Some("unsupported_content_type"))
}

/// 400 for a form that cannot be read.
pub(crate) fn broken_form() -> Answer {
    refuse(400, "Could not parse multipart form.", None, None)
}

/// 500 for a model that breaks down.
pub(crate) fn broken() -> Answer {
    let message = "The server had an error while processing your request. Sorry about that!";
    Answer::refusal(500, of_status(500, None), message)
}

/// 404 for an item of a conversation that is not kept.
pub(crate) fn no_item(id: &str) -> Answer {
    let message = format!(
        "Item with id '{id}' not found. Items are not persisted when `store` is set to false. Try again with `store` set \
         to true, or remove this item from your input."
    );
    refuse(404, &message, Some("input"), None)
}

/// 400 for reasoning that the vendor did not encrypt.
pub(crate) fn not_sealed(sealed: &str) -> Answer {
    let start: String = sealed.chars().take(4).collect();
    let end: String = sealed.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect();
    let message = format!(
        "The encrypted content {start}...{end} could not be verified. Reason: Encrypted content could not be decrypted or \
         parsed."
    );
    refuse(400, &message, None, Some("invalid_encrypted_content"))
}

/// 404 for a path.
pub(crate) fn path(call: &Call<'_>) -> Answer {
    refuse(404, &format!("Invalid URL ({} /v1{})", call.method, call.path), None, None)
}

/// 405.
pub(crate) fn method(call: &Call<'_>) -> Answer {
    let message = format!("Not allowed to {} on /v1{}.", call.method, call.path);
    refuse(405, &message, None, Some("method_not_supported"))
}

/// 415 for a body that does not say that it is JSON.
pub(crate) fn content_type(given: &str) -> Answer {
    let message = format!(
        "Unsupported content type: '{given}'. This API method only accepts 'application/json' requests."
    );
    refuse(415, &message, None, Some("unsupported_content_type"))
}

/// 400 for a body that is not JSON.
pub(crate) fn not_json() -> Answer {
    let message = "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your \
                   HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)";
    refuse(400, message, None, None)
}

/// 400 for a prompt that does not fit.
pub(crate) fn context(limit: u64, prompt: u64, reply: Option<u64>) -> Answer {
    let what = match reply {
        None => {
            format!("your messages resulted in {prompt} tokens. Please reduce the length of the messages.")
        }
        Some(reply) => format!(
            "you requested {} tokens ({prompt} in the messages, {reply} in the completion). Please reduce the length \
             of the messages or completion.",
            prompt + reply
        ),
    };
    let message = format!("This model's maximum context length is {limit} tokens. However, {what}");
    refuse(400, &message, Some("messages"), Some("context_length_exceeded"))
}
