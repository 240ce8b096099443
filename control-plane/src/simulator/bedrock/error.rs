//! Bedrock's errors: `{"message"}`, and the exception's name in `x-amzn-errortype`.
//!
//! Spec: <https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html> and the errors of each operation.

use super::schema::Mismatch;
use crate::simulator::answer::{Answer, Refusal};
use crate::simulator::shape::{Problem, Violation, dotted};
use serde_json::{Value, json};

/// An exception: its name, the status that it comes with, and what it usually says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exception {
    /// As `x-amzn-errortype` has it.
    pub(crate) name: &'static str,
    /// As an event's `:exception-type` has it.
    pub(crate) event: &'static str,
    status: u16,
    message: &'static str,
}

const fn row(name: &'static str, event: &'static str, status: u16, message: &'static str) -> Exception {
    Exception { name, event, status, message }
}

/// All of them; the first of a status is its usual one.
const EXCEPTIONS: &[Exception] = &[
    row("ValidationException", "validationException", 400, "The request is not valid."),
    row(
        "AccessDeniedException",
        "accessDeniedException",
        403,
        "You don't have access to the model with the specified model ID.",
    ),
    row(
        "ResourceNotFoundException",
        "resourceNotFoundException",
        404,
        "Could not resolve the foundation model from the provided model identifier.",
    ),
    row(
        "ModelTimeoutException",
        "modelTimeoutException",
        408,
        "Model has timed out in processing the request. Try your request again.",
    ),
    row(
        "ModelErrorException",
        "modelErrorException",
        424,
        "The system encountered an unexpected error during processing. Try your request again.",
    ),
    row(
        "ModelStreamErrorException",
        "modelStreamErrorException",
        424,
        "The system encountered an unexpected error during processing. Try your request again.",
    ),
    row(
        "ThrottlingException",
        "throttlingException",
        429,
        "Too many requests, please wait before trying again.",
    ),
    row(
        "ModelNotReadyException",
        "modelNotReadyException",
        429,
        "Model is not ready for inference. Wait and try your request again.",
    ),
    row(
        "InternalServerException",
        "internalServerException",
        500,
        "The system encountered an unexpected error during processing. Try your request again.",
    ),
    row(
        "ServiceUnavailableException",
        "serviceUnavailableException",
        503,
        "Bedrock is unable to process your request.",
    ),
    row(
        "ServiceQuotaExceededException",
        "serviceQuotaExceededException",
        400,
        "Your request exceeds the service quota for your account.",
    ),
    row(
        "ExpiredTokenException",
        "expiredTokenException",
        403,
        "The security token included in the request is expired",
    ),
    row(
        "UnrecognizedClientException",
        "unrecognizedClientException",
        403,
        "The security token included in the request is invalid.",
    ),
    row(
        "InvalidSignatureException",
        "invalidSignatureException",
        403,
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
    ),
];

/// The exception that a script means: by its name, else by its status.
pub(crate) fn scripted(status: u16, code: Option<&str>) -> Exception {
    let named = |exception: &&Exception| code == Some(exception.name) || code == Some(exception.event);
    let usual = || EXCEPTIONS.iter().find(|exception| exception.status == status);
    let fallback =
        || EXCEPTIONS.iter().find(|exception| exception.status == if status < 500 { 400 } else { 500 });
    let found = EXCEPTIONS.iter().find(named).or_else(usual).or_else(fallback);
    found.copied().unwrap_or(row("InternalServerException", "internalServerException", 500, ""))
}

/// The document of a scripted exception. What other vendors call a code is a message here.
pub(crate) fn document(exception: Exception, code: Option<&str>) -> Value {
    let message = match code {
        Some("context_length_exceeded") => "Input is too long for requested model.",
        Some("insufficient_quota") => "Too many tokens per day, please wait before trying again.",
        _ => exception.message,
    };
    json!({"message": message})
}

/// A refusal.
pub(crate) fn refuse(status: u16, name: &'static str, message: &str) -> Refusal {
    let mut answer = Answer::refusal(status, json!({"message": message}), message);
    answer.headers.push(("x-amzn-errortype", name.to_owned()));
    answer.into()
}

/// 424 for a model that broke down.
pub(crate) fn broken() -> Refusal {
    let exception = scripted(424, Some("ModelErrorException"));
    refuse(exception.status, exception.name, exception.message)
}

/// 400 in the service's own words.
pub(crate) fn invalid(message: impl AsRef<str>) -> Refusal {
    refuse(400, "ValidationException", message.as_ref())
}

/// 400 in the model's words.
pub(crate) fn model_says(message: impl AsRef<str>) -> Refusal {
    invalid(format!("The model returned the following errors: {}", message.as_ref()))
}

/// 400 for a body of a model's own that does not fit the model's schema.
pub(crate) fn malformed(message: impl AsRef<str>) -> Refusal {
    invalid(format!(
        "Malformed input request: {}, please reformat your input and try again.",
        message.as_ref()
    ))
}

impl From<Mismatch> for Refusal {
    fn from(mismatch: Mismatch) -> Self {
        let name = match mismatch {
            Mismatch::Unreadable(_) => "SerializationException",
            Mismatch::Constraints(_) | Mismatch::Union(_) => "ValidationException",
        };
        refuse(400, name, &mismatch.to_string())
    }
}

/// A violation of a model's JSON schema, in the words of the schema's checker.
pub(crate) fn of_violation(violation: &Violation) -> Refusal {
    let place: String =
        violation.path.iter().map(|segment| format!("/{}", dotted(std::slice::from_ref(segment)))).collect();
    let (parent, name) = place.rsplit_once('/').unwrap_or(("", ""));
    malformed(match &violation.problem {
        Problem::Missing => format!("#{parent}: required key [{name}] not found"),
        Problem::Unknown => format!("#{parent}: extraneous key [{name}] is not permitted"),
        Problem::Type { expected, got } => format!("#{place}: expected type: {expected:?}, found: {got}"),
        Problem::Choice { got, .. } => format!("#{place}: {got} is not a valid enum value"),
        Problem::Below { limit, got, .. } => format!("#{place}: {got} is not greater or equal to {limit}"),
        Problem::Above { limit, got, .. } => format!("#{place}: {got} is not less or equal to {limit}"),
        Problem::TooLong { limit, got, list: true } => {
            format!("#{place}: expected maximum item count: {limit}, found: {got}")
        }
        Problem::TooLong { limit, got, list: false } => {
            format!("#{place}: expected maxLength: {limit}, actual: {got}")
        }
        Problem::Rule(message, _) => format!("#{place}: {message}"),
    })
}
