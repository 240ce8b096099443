//! Azure's errors: OpenAI's where OpenAI's code refuses, the gateway's own before that.
//!
//! Spec: <https://learn.microsoft.com/en-us/azure/ai-foundry/openai/concepts/content-filter>

use super::filter;
use crate::simulator::answer::{Answer, Content};
use crate::simulator::openai::OpenAi;
use crate::simulator::shape::Violation;
use crate::simulator::vendor::{Site, Vendor};
use serde_json::{Value, json};

fn document(code: &str, message: &str) -> Value {
    json!({"error": {"code": code, "message": message}})
}

fn refuse(status: u16, code: &str, message: &str) -> Answer {
    Answer::refusal(status, document(code, message), message)
}

/// The version that a query asks for.
pub(super) fn version(query: &str) -> Option<&str> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(name, _)| *name == "api-version").map(|(_, version)| version)
}

const NO_RESOURCE: &str = "Resource not found";
const NO_DEPLOYMENT: &str = "The API deployment for this resource does not exist. If you created the deployment within \
                             the last 5 minutes, please wait a moment and try again.";
const NO_TOKEN: &str = "Unauthorized. Access token is missing, invalid, audience is incorrect \
                        (https://cognitiveservices.azure.com), or have expired.";
const WRONG_KEY: &str = "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a \
                         valid key for an active subscription and use a correct regional API endpoint for your resource.";

/// 404 for a path, or for want of a version.
pub(super) fn no_resource() -> Answer {
    refuse(404, "404", NO_RESOURCE)
}

/// 404 for a deployment.
pub(super) fn no_deployment() -> Answer {
    refuse(404, "DeploymentNotFound", NO_DEPLOYMENT)
}

/// 401 for want of a credential, or for a token.
pub(super) fn no_token() -> Answer {
    refuse(401, "401", NO_TOKEN)
}

/// 401 for a key.
pub(super) fn wrong_key() -> Answer {
    refuse(401, "401", WRONG_KEY)
}

/// 400 for a version.
pub(super) fn unsupported_version() -> Answer {
    refuse(400, "BadRequest", "API version not supported")
}

/// 400 for an operation that the model does not do.
pub(super) fn unsuited(operation: &str, model: &str) -> Answer {
    let message = format!(
        "The {operation} operation does not work with the specified model, {model}. Please choose different model and try \
         again."
    );
    refuse(400, "OperationNotSupported", &message)
}

/// A violation; Azure runs OpenAI's own checks, so there are none here.
pub(super) fn of_violation(violation: &Violation) -> Answer {
    OpenAi::violated(violation)
}

/// What OpenAI's code refuses, as Azure says it: only the filter's refusals differ.
pub(super) fn translated(answer: Answer) -> Answer {
    let Content::Json(document) = &answer.content else { return answer };
    let code = document.pointer("/error/code").and_then(Value::as_str);
    if !matches!(code, Some("invalid_prompt" | "moderation_blocked")) {
        return answer;
    }
    Answer { content: Content::Json(filtered()), ..answer }
}

/// The prompt was filtered.
fn filtered() -> Value {
    let message = "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please \
                   modify your prompt and retry. To learn more about our content filtering policies please read our \
                   documentation: https://go.microsoft.com/fwlink/?linkid=2198766";
    json!({"error": {
        "message": message, "type": null, "param": "prompt", "code": "content_filter", "status": 400,
        "innererror": {"code": "ResponsibleAIPolicyViolation", "content_filter_result": filter::prompt(true)},
    }})
}

/// The error that Azure sends with a status, for no fault of the request.
pub(super) fn of_status(site: Site<'_>, status: u16, code: Option<&str>) -> Value {
    let limited = || {
        let version = version(site.query).unwrap_or("v1");
        format!(
            "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version {version} have exceeded call \
             rate limit of your current OpenAI S0 pricing tier. Please retry after 1 second."
        )
    };
    let (usual, message) = match status {
        400 if code == Some("content_filter") => return filtered(),
        400 => return OpenAi::new().error(site, status, code),
        401 => ("401", WRONG_KEY.to_owned()),
        403 => ("403", "Access denied due to Virtual Network/Firewall rules.".to_owned()),
        404 => ("DeploymentNotFound", NO_DEPLOYMENT.to_owned()),
        408 => ("Timeout", "The operation was timeout.".to_owned()),
        429 => ("429", limited()),
        503 => {
            ("ServiceUnavailable", "The service is temporarily unable to process your request.".to_owned())
        }
        500..=599 => {
            ("InternalServerError", "The server had an error while processing your request.".to_owned())
        }
        _ => ("BadRequest", "The request was refused.".to_owned()),
    };
    let mut document = document(code.unwrap_or(usual), &message);
    // Client libraries want a type; Azure's gateway sends none, its models do.
    if let Some(Value::Object(error)) = document.get_mut("error") {
        error.insert("type".to_owned(), Value::Null);
    }
    document
}
