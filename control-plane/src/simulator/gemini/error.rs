//! Google's errors: `{"error": {"code", "message", "status", "details"}}`.
//!
//! Spec: <https://cloud.google.com/apis/design/errors>, <https://ai.google.dev/gemini-api/docs/troubleshooting>

use super::proto::{self, Wrong};
use super::schema::Flavour;
use crate::simulator::answer::Answer;
use crate::simulator::shape::{Node, Problem, Segment, Violation};
use serde_json::{Value, json};

/// The code of a rule that the vendor words as `* GenerateContentRequest.<path>: <rule>`.
const FIELD: &str = "field";

/// The name of a code of gRPC, as the vendor gives it with an HTTP status.
const fn status_name(status: u16) -> &'static str {
    match status {
        400 | 413 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        402 | 403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        409 => "ABORTED",
        412 => "FAILED_PRECONDITION",
        429 => "RESOURCE_EXHAUSTED",
        499 => "CANCELLED",
        500 => "INTERNAL",
        501 => "UNIMPLEMENTED",
        502 | 503 | 529 => "UNAVAILABLE",
        408 | 504 => "DEADLINE_EXCEEDED",
        _ => "UNKNOWN",
    }
}

/// An error's document.
pub(crate) fn document(status: u16, name: &str, message: &str, details: &[Value]) -> Value {
    let mut error = json!({"code": status, "message": message, "status": name});
    if let (false, Value::Object(members)) = (details.is_empty(), &mut error) {
        members.insert("details".to_owned(), json!(details));
    }
    json!({"error": error})
}

/// A refusal without details.
pub(crate) fn refuse(status: u16, message: &str) -> Answer {
    Answer::refusal(status, document(status, status_name(status), message, &[]), message)
}

/// A refusal with the reason that machines read.
pub(crate) fn refuse_for(flavour: Flavour, status: u16, message: &str, reason: &str) -> Answer {
    let details = [info(flavour, reason), localized(message)];
    Answer::refusal(status, document(status, status_name(status), message, &details), message)
}

const fn service(flavour: Flavour) -> &'static str {
    match flavour {
        Flavour::Stable | Flavour::Beta => "generativelanguage.googleapis.com",
        Flavour::Vertex => "aiplatform.googleapis.com",
    }
}

fn info(flavour: Flavour, reason: &str) -> Value {
    json!({
        "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com",
        "metadata": {"service": service(flavour)},
    })
}

fn localized(message: &str) -> Value {
    json!({"@type": "type.googleapis.com/google.rpc.LocalizedMessage", "locale": "en-US", "message": message})
}

/// 400 for a body that is not JSON.
pub(crate) fn not_json(cause: &serde_json::Error) -> Answer {
    refuse(400, &format!("Invalid JSON payload received. {cause}"))
}

/// 400 for a body that the vendor cannot read into its message: all that is wrong with it.
pub(crate) fn unreadable(wrong: &[Wrong]) -> Answer {
    let violation = |wrong: &Wrong| {
        if wrong.field.is_empty() {
            json!({"description": wrong.description})
        } else {
            json!({"field": wrong.field, "description": wrong.description})
        }
    };
    let violations: Vec<Value> = wrong.iter().map(violation).collect();
    let message = wrong.iter().map(|wrong| wrong.description.as_str()).collect::<Vec<_>>().join("\n");
    let details =
        [json!({"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": violations})];
    Answer::refusal(400, document(400, "INVALID_ARGUMENT", &message, &details), message)
}

/// A rule about the field at this place.
pub(crate) fn at(node: &Node<'_>, rule: impl Into<String>) -> Violation {
    node.rule_code(rule, FIELD)
}

/// A violation in the vendor's words; `request` is the message that the path begins at.
pub(crate) fn of_violation(flavour: Flavour, request: &str, violation: &Violation) -> Answer {
    let place = place(&violation.path);
    let rule = match &violation.problem {
        Problem::Rule(message, None) => return refuse(400, message),
        Problem::Rule(rule, Some(_)) => rule.clone(),
        Problem::Missing => "must be specified".to_owned(),
        other => format!("invalid value: {other:?}"),
    };
    if flavour == Flavour::Vertex {
        return refuse(400, &vertex(&format!("`{place}` {rule}")));
    }
    refuse(400, &format!("* {request}.{place}: {rule}\n"))
}

/// A refusal of Vertex: why a request cannot be submitted.
pub(crate) fn vertex(why: &str) -> String {
    format!(
        "Unable to submit request because {why}. Learn more: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/gemini"
    )
}

/// The vendor's own names for fields; a property of a schema in brackets.
fn place(path: &[Segment]) -> String {
    let mut place = String::new();
    let mut is_property = false;
    for segment in path {
        match segment {
            Segment::Key(name) if is_property => place.push_str(&format!("[{name}]")),
            Segment::Key(name) if place.is_empty() => place.push_str(&proto::snake(name)),
            Segment::Key(name) => place.push_str(&format!(".{}", proto::snake(name))),
            Segment::Index(index) => place.push_str(&format!("[{index}]")),
        }
        is_property = !is_property && matches!(segment, Segment::Key(name) if name == "properties");
    }
    place
}

/// The error that the vendor sends with a status, for no fault of the request.
pub(crate) fn of_status(flavour: Flavour, status: u16, code: Option<&str>) -> Value {
    let studio = flavour != Flavour::Vertex;
    let (name, message, details) = match (status, code) {
        (400, Some("API_KEY_INVALID")) => {
            let message = "API key not valid. Please pass a valid API key.";
            (None, message, vec![info(flavour, "API_KEY_INVALID"), localized(message)])
        }
        (400, Some("FAILED_PRECONDITION")) => {
            (Some("FAILED_PRECONDITION"), "User location is not supported for the API use.", Vec::new())
        }
        (400, Some("context_length_exceeded")) => {
            let message =
                "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).";
            (None, message, Vec::new())
        }
        (400, _) => (None, "Request contains an invalid argument.", Vec::new()),
        (401, _) => (None, UNAUTHENTICATED, vec![info(flavour, "ACCESS_TOKEN_TYPE_UNSUPPORTED")]),
        (402, _) => (None, "Your prepayment credits are depleted.", Vec::new()),
        (403, _) => (None, "The caller does not have permission", Vec::new()),
        (404, _) => (None, "Requested entity was not found.", Vec::new()),
        (413, _) => (None, "Request payload size exceeds the limit: 104857600 bytes.", Vec::new()),
        (429, _) if studio => (None, QUOTA, quota()),
        (429, _) => (
            None,
            "Resource exhausted. Please try again later. Please refer to https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429 for more details.",
            Vec::new(),
        ),
        (499, _) => (None, "The operation was cancelled.", Vec::new()),
        (500, _) => (None, "An internal error has occurred. Please retry.", Vec::new()),
        (502 | 503 | 529, _) => (None, "The model is overloaded. Please try again later.", Vec::new()),
        (408 | 504, _) => (None, "Deadline expired before operation could complete.", Vec::new()),
        (405..=499, _) => (None, "The request was refused.", Vec::new()),
        _ => (None, "Unknown Error.", Vec::new()),
    };
    document(status, name.unwrap_or(status_name(status)), message, &details)
}

/// What the vendor says of a credential that is no access token.
pub(crate) const UNAUTHENTICATED: &str = "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid \
     authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.";

const QUOTA: &str = "You exceeded your current quota, please check your plan and billing details. For more information on this error, head \
     to: https://ai.google.dev/gemini-api/docs/rate-limits. \n* Quota exceeded for metric: \
     generativelanguage.googleapis.com/generate_content_free_tier_requests, limit: 10, model: gemini-2.5-flash\nPlease retry in 32.4s.";

fn quota() -> Vec<Value> {
    vec![
        json!({"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{
            "quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests",
            "quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
            "quotaDimensions": {"location": "global", "model": "gemini-2.5-flash"}, "quotaValue": "10",
        }]}),
        json!({"@type": "type.googleapis.com/google.rpc.Help", "links": [{
            "description": "Learn more about Gemini API quotas", "url": "https://ai.google.dev/gemini-api/docs/rate-limits",
        }]}),
        json!({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "32s"}),
    ]
}
