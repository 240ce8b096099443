//! Errors, named by exception: in a header, in the body, or in the stream.
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html>
//!
//! Invariant: an upstream's message is kept verbatim (cut at a sane length).

use crate::dialect::members::Members;
use crate::ir::error::{ApiError, ErrorKind};

/// What is kept of a body that is no error object.
const MAX_MESSAGE: usize = 500;

/// Reads an error reply.
pub(super) fn decode(status: u16, headers: &[(String, Vec<u8>)], body: &[u8]) -> ApiError {
    let text = String::from_utf8_lossy(body);
    let mut members = Members::of(&text).unwrap_or_default();
    let header = headers.iter().find(|(name, _)| name == "x-amzn-errortype");
    let named = header.map(|(_, value)| String::from_utf8_lossy(value).into_owned());
    let typed =
        |members: &mut Members<'_>| members.take_if_text("__type").map(|word| word.plain().into_owned());
    let word = named.or_else(|| typed(&mut members)).map(|word| bare(&word).to_owned());
    let message = message(&mut members).unwrap_or_else(|| {
        let message: String = text.trim().chars().take(MAX_MESSAGE).collect();
        if message.is_empty() { format!("the provider answered {status} without a message") } else { message }
    });
    of(word.as_deref().unwrap_or_default(), Some(status), message)
}

/// Reads an exception of a stream.
pub(super) fn in_stream(exception: &str, payload: &[u8]) -> ApiError {
    let text = String::from_utf8_lossy(payload);
    let told = Members::of(&text).ok().and_then(|mut members| message(&mut members));
    of(exception, None, told.unwrap_or_else(|| format!("the provider broke off with {exception}")))
}

fn message(members: &mut Members<'_>) -> Option<String> {
    let mut told =
        ["message", "Message", "originalMessage"].into_iter().filter_map(|name| members.take_if_text(name));
    told.find(|message| !message.is_blank()).map(|message| message.plain().into_owned())
}

/// `com.amazon.coral.service#ThrottlingException:http://…` without what is around the name.
fn bare(word: &str) -> &str {
    let word = word.split(':').next().unwrap_or_default();
    word.rsplit('#').next().unwrap_or_default().trim()
}

fn of(word: &str, status: Option<u16>, message: String) -> ApiError {
    let known = kind_of(word);
    let (kind, usual) = known.unwrap_or_else(|| {
        let status = status.unwrap_or(500);
        (ErrorKind::from_status(status), status)
    });
    // What an exception means is said by the kind; only a word that is not known says more.
    let code = known.is_none().then(|| word.to_owned()).filter(|word| !word.is_empty());
    ApiError { status: status.unwrap_or(usual), kind: refine(kind, &message), code, message, param: None }
}

/// What an exception means, and the status that goes with it. In streams the names begin in lower case.
fn kind_of(word: &str) -> Option<(ErrorKind, u16)> {
    let stem = word.strip_suffix("Exception").unwrap_or(word).to_ascii_lowercase();
    Some(match stem.as_str() {
        "validation" => (ErrorKind::InvalidRequest, 400),
        "accessdenied" | "notauthorized" | "optinrequired" => (ErrorKind::Permission, 403),
        "unrecognizedclient"
        | "expiredtoken"
        | "invalidsignature"
        | "signaturedoesnotmatch"
        | "incompletesignature"
        | "missingauthenticationtoken"
        | "missingauthentication"
        | "invalidclienttokenid"
        | "requestexpired" => (ErrorKind::Authentication, 403),
        "resourcenotfound" | "unknownoperation" => (ErrorKind::NotFound, 404),
        "modeltimeout" => (ErrorKind::Timeout, 408),
        "modelerror" | "modelstreamerror" => (ErrorKind::Server, 424),
        "throttling" | "toomanyrequests" => (ErrorKind::RateLimit, 429),
        "modelnotready" => (ErrorKind::Overloaded, 429),
        "servicequotaexceeded" => (ErrorKind::Quota, 400),
        "internalserver" | "internalfailure" => (ErrorKind::Server, 500),
        "serviceunavailable" => (ErrorKind::Overloaded, 503),
        _ => return None,
    })
}

/// Finer meanings that Bedrock tells in words only.
fn refine(kind: ErrorKind, message: &str) -> ErrorKind {
    let message = message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|words| message.contains(words));
    match kind {
        ErrorKind::RateLimit if says(&["per day", "daily"]) => ErrorKind::Quota,
        ErrorKind::InvalidRequest if says(TOO_LONG) => ErrorKind::ContextLength,
        ErrorKind::InvalidRequest if says(NO_MODEL) => ErrorKind::NotFound,
        ErrorKind::InvalidRequest if says(&["operation not allowed"]) => ErrorKind::Permission,
        ErrorKind::InvalidRequest
            if says(&["content filtering policy", "blocked by", "guardrail intervened"]) =>
        {
            ErrorKind::ContentFilter
        }
        // With API keys nothing but the words tells a wrong key from a key that may not.
        ErrorKind::Permission
            if says(&["security token", "api key", "authentication failed", "bearer token"]) =>
        {
            ErrorKind::Authentication
        }
        kind => kind,
    }
}

/// The models' own words, passed on.
const TOO_LONG: &[&str] = &[
    "too long",
    "too many input tokens",
    "too many total text bytes",
    "context length",
    "context limit",
    "context window",
    "maximum number of tokens",
    "input token count",
    "exceeds the maximum number of input tokens",
];

/// A model that there is not, or not in this way.
const NO_MODEL: &[&str] = &[
    "model identifier is invalid",
    "on-demand throughput isn",
    "model id is invalid",
    "doesn't support the model",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(status: u16, header: Option<&str>, body: &str) -> ApiError {
        let headers: Vec<_> = header
            .map(|word| ("x-amzn-errortype".to_owned(), word.as_bytes().to_vec()))
            .into_iter()
            .collect();
        decode(status, &headers, body.as_bytes())
    }

    #[test]
    fn kinds_come_from_names_and_words() {
        for (status, name, message, expected) in [
            (400, "ValidationException", "Malformed input request", ErrorKind::InvalidRequest),
            (400, "ValidationException", "Input is too long for requested model.", ErrorKind::ContextLength),
            (400, "ValidationException", "The provided model identifier is invalid.", ErrorKind::NotFound),
            (400, "ServiceQuotaExceededException", "no", ErrorKind::Quota),
            (403, "AccessDeniedException", "You don't have access to the model", ErrorKind::Permission),
            (403, "UnrecognizedClientException", "The security token is invalid.", ErrorKind::Authentication),
            (403, "ExpiredTokenException", "expired", ErrorKind::Authentication),
            (403, "InvalidSignatureException", "does not match", ErrorKind::Authentication),
            (404, "ResourceNotFoundException", "no", ErrorKind::NotFound),
            (408, "ModelTimeoutException", "late", ErrorKind::Timeout),
            (424, "ModelErrorException", "broken", ErrorKind::Server),
            (429, "ThrottlingException", "Too many requests, please wait.", ErrorKind::RateLimit),
            (429, "ThrottlingException", "Too many tokens per day, please wait.", ErrorKind::Quota),
            (429, "ModelNotReadyException", "wait", ErrorKind::Overloaded),
            (500, "InternalServerException", "oops", ErrorKind::Server),
            (503, "ServiceUnavailableException", "busy", ErrorKind::Overloaded),
        ] {
            let body = format!(r#"{{"message":"{message}"}}"#);
            for header in [name.to_owned(), format!("{name}:http://internal.amazon.com/coral/")] {
                let error = decoded(status, Some(&header), &body);
                assert_eq!((error.kind, error.status), (expected, status), "{header}: {message}");
                assert_eq!((error.message.as_str(), error.code), (message, None));
            }
            let typed = format!(r#"{{"__type":"com.amazon.coral.service#{name}","Message":"{message}"}}"#);
            assert_eq!(decoded(status, None, &typed).kind, expected, "{typed}");
        }
    }

    #[test]
    fn exceptions_of_streams_begin_in_lower_case() {
        let error = in_stream("throttlingException", br#"{"message":"slow"}"#);
        assert_eq!((error.kind, error.status, error.message.as_str()), (ErrorKind::RateLimit, 429, "slow"));
        let error = in_stream("modelStreamErrorException", b"");
        assert_eq!((error.kind, error.status), (ErrorKind::Server, 424));
        assert_eq!(error.message, "the provider broke off with modelStreamErrorException");
    }

    #[test]
    fn what_is_not_known_is_told_as_it_is() {
        let error = decoded(418, Some("TeapotException"), r#"{"message":"short"}"#);
        assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::InvalidRequest, Some("TeapotException")));
        let error = decoded(502, None, "<html>bad gateway</html>");
        assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Server, "<html>bad gateway</html>"));
        assert_eq!(decoded(503, None, "").message, "the provider answered 503 without a message");
    }
}
