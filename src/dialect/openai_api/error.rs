//! Errors: OpenAI's shape, its imitators' variants of it, and what they mean.
//!
//! Invariant: an upstream's message is kept verbatim; only a body that is no error object is cut.

use crate::dialect::value::{count_or_skip, object_or_skip, text_or_skip};
use crate::ir::error::{ApiError, ErrorKind};
use crate::wire::json::{Error, Kind, Object, Reader};

/// How much of a body that is no error object becomes the message.
const MAX_FOREIGN: usize = 1_000;

/// What could be found, however the vendor nests it.
#[derive(Debug, Default)]
struct Found {
    message: Option<String>,
    kind: Option<String>,
    code: Option<String>,
    param: Option<String>,
    status: Option<u16>,
}

/// Reads the body of a reply whose status says that it failed.
pub(in crate::dialect) fn decode(status: u16, body: &[u8]) -> ApiError {
    let text = String::from_utf8_lossy(body);
    let found = find(&text);
    let message = found.message.clone().unwrap_or_else(|| foreign(status, &text));
    build(status, found, message)
}

/// Reads an error that came with status 200. Its own status is used if it tells one, else one that fits.
pub(in crate::dialect) fn in_reply(text: &str) -> ApiError {
    let found = find(text);
    let message = found.message.clone().unwrap_or_else(|| foreign(200, text));
    let told = found.status;
    let mut error = build(told.unwrap_or(502), found, message);
    if told.is_none() {
        error.status = match error.kind {
            ErrorKind::InvalidRequest | ErrorKind::ContextLength | ErrorKind::ContentFilter => 400,
            ErrorKind::Authentication => 401,
            ErrorKind::Billing => 402,
            ErrorKind::Permission => 403,
            ErrorKind::NotFound => 404,
            ErrorKind::TooLarge => 413,
            ErrorKind::RateLimit | ErrorKind::Quota => 429,
            ErrorKind::Overloaded => 503,
            ErrorKind::Timeout => 504,
            ErrorKind::Server => 502,
        };
    }
    error
}

fn build(status: u16, found: Found, message: String) -> ApiError {
    let kind = classify(status, &found, &message.to_ascii_lowercase());
    // A bare number repeats the status; the type says more.
    let code = found.code.filter(|code| !code.bytes().all(|byte| byte.is_ascii_digit())).or(found.kind);
    ApiError { status, kind, code, message, param: found.param }
}

fn foreign(status: u16, text: &str) -> String {
    let text = text.trim();
    if text.is_empty() {
        return format!("the provider answered with status {status} and no message");
    }
    let cut = (0..=MAX_FOREIGN.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.get(..cut).unwrap_or_default().to_owned()
}

/// A document that is not JSON to its end gives nothing.
fn find(text: &str) -> Found {
    let mut reader = Reader::new(text);
    let mut found = Found::default();
    match read(&mut reader, &mut found).and_then(|()| reader.end()) {
        Ok(()) => found,
        Err(_) => Found::default(),
    }
}

/// Any value: an error may be an object, a string, or a list of either.
fn read(reader: &mut Reader<'_>, found: &mut Found) -> Result<(), Error> {
    match reader.peek()? {
        Kind::Object => {
            reader.object()?;
            while let Some(key) = reader.key()? {
                member(&key.plain(), reader, found)?;
            }
        }
        Kind::Array => {
            reader.array()?;
            while reader.element()? {
                read(reader, found)?;
            }
        }
        Kind::String => keep(&mut found.message, reader)?,
        _ => reader.skip()?,
    }
    Ok(())
}

fn member(name: &str, reader: &mut Reader<'_>, found: &mut Found) -> Result<(), Error> {
    match name {
        // `detail` is FastAPI's, `msg` pydantic's, `errors` Cloudflare's.
        "error" | "message" | "detail" | "msg" | "errors" | "status_msg" | "base_resp" => read(reader, found),
        "param" => keep(&mut found.param, reader),
        "type" => keep(&mut found.kind, reader),
        "code" | "status" | "status_code" => match reader.peek()? {
            Kind::Number => {
                let number = count_or_skip(reader)?.unwrap_or_default();
                let status = u16::try_from(number).ok().filter(|status| (400..=599).contains(status));
                found.status = found.status.or(status);
                found.code.get_or_insert_with(|| number.to_string());
                Ok(())
            }
            Kind::String if name == "code" => keep(&mut found.code, reader),
            // Google's `status` is a word.
            _ => keep(&mut found.kind, reader),
        },
        _ => reader.skip(),
    }
}

/// The first string wins: outer members are more general than inner ones only where vendors nest, and then they
/// carry no text of their own.
fn keep(slot: &mut Option<String>, reader: &mut Reader<'_>) -> Result<(), Error> {
    if let Some(text) =
        text_or_skip(reader)?.map(|text| text.plain().into_owned()).filter(|text| !text.is_empty())
    {
        slot.get_or_insert(text);
    }
    Ok(())
}

/// MiniMax answers 200 with a status of its own; zero is success.
pub(in crate::dialect) fn minimax_failed(reader: &mut Reader<'_>) -> Result<bool, Error> {
    let mut failed = false;
    if object_or_skip(reader)? {
        while let Some(key) = reader.key()? {
            if key == "status_code" {
                failed = count_or_skip(reader)?.is_some_and(|code| code != 0);
            } else {
                reader.skip()?;
            }
        }
    }
    Ok(failed)
}

/// Words that vendors put into `code` or `type`, lower case, as substrings; the first that fits decides.
const WORDS: &[(&str, ErrorKind)] = &[
    ("context_length", ErrorKind::ContextLength),
    ("context_window", ErrorKind::ContextLength),
    ("exceed_context", ErrorKind::ContextLength),
    ("content_filter", ErrorKind::ContentFilter),
    ("content_policy", ErrorKind::ContentFilter),
    ("responsibleai", ErrorKind::ContentFilter),
    ("data_inspection", ErrorKind::ContentFilter),
    ("moderation", ErrorKind::ContentFilter),
    ("billing", ErrorKind::Billing),
    ("insufficient_balance", ErrorKind::Billing),
    ("insufficient_credit", ErrorKind::Billing),
    ("payment", ErrorKind::Billing),
    ("quota", ErrorKind::Quota),
    ("rate_limit", ErrorKind::RateLimit),
    ("ratelimit", ErrorKind::RateLimit),
    ("resource_exhausted", ErrorKind::RateLimit),
    ("too_many_requests", ErrorKind::RateLimit),
    ("invalid_api_key", ErrorKind::Authentication),
    ("authentication", ErrorKind::Authentication),
    ("unauthenticated", ErrorKind::Authentication),
    ("unauthorized", ErrorKind::Authentication),
    ("permission", ErrorKind::Permission),
    ("forbidden", ErrorKind::Permission),
    ("unsupported_country", ErrorKind::Permission),
    ("model_not_found", ErrorKind::NotFound),
    ("not_found", ErrorKind::NotFound),
    ("notfound", ErrorKind::NotFound),
    ("overloaded", ErrorKind::Overloaded),
    ("unavailable", ErrorKind::Overloaded),
    ("timeout", ErrorKind::Timeout),
    ("server_error", ErrorKind::Server),
    ("internal", ErrorKind::Server),
    // MiniMax's numbers.
    ("1002", ErrorKind::RateLimit),
    ("1004", ErrorKind::Authentication),
    ("1008", ErrorKind::Billing),
    ("1026", ErrorKind::ContentFilter),
    ("1027", ErrorKind::ContentFilter),
    ("1039", ErrorKind::ContextLength),
];

/// How vendors say in prose that a prompt is too long: OpenAI, vLLM, OpenRouter; Groq; llama.cpp; xAI; Together; Google.
const TOO_LONG: &[&str] = &[
    "maximum context length",
    "context window",
    "context length",
    "context size",
    "reduce the length of the messages",
    "maximum prompt length",
    "prompt is too long",
    "input is too long",
    "exceeds the maximum number of tokens",
    "too large for model with",
];

/// From the most certain to the least: the vendor's own word, what 4xx prose says, the status.
fn classify(status: u16, found: &Found, message: &str) -> ErrorKind {
    let word = |word: &Option<String>| {
        let word = word.as_deref()?.to_ascii_lowercase().replace([' ', '-'], "_");
        WORDS.iter().find(|(part, _)| word.contains(part)).map(|(_, kind)| *kind)
    };
    let said = word(&found.code).or_else(|| word(&found.kind));
    let by_status = if status == 200 { ErrorKind::Server } else { ErrorKind::from_status(status) };
    match said {
        Some(ErrorKind::RateLimit) if is_out_of_quota(message) => ErrorKind::Quota,
        // A server may name its own failure a timeout, but a 4xx is not the server's.
        Some(ErrorKind::Server) if (400..=499).contains(&status) => by_status,
        Some(kind) => kind,
        None if status == 429 && is_out_of_quota(message) => ErrorKind::Quota,
        None if matches!(status, 400 | 413 | 422 | 500 | 502)
            && TOO_LONG.iter().any(|phrase| message.contains(phrase)) =>
        {
            ErrorKind::ContextLength
        }
        None if matches!(status, 400 | 403 | 429) && message.contains("insufficient balance") => {
            ErrorKind::Billing
        }
        None if matches!(status, 400 | 422) && message.contains("model") && is_missing(message) => {
            ErrorKind::NotFound
        }
        None => by_status,
    }
}

fn is_out_of_quota(message: &str) -> bool {
    message.contains("exceeded your current quota") || message.contains("check your plan and billing")
}

fn is_missing(message: &str) -> bool {
    message.contains("does not exist") || message.contains("not found") || message.contains("model not exist")
}

/// Appends an error as an event of a stream.
pub(in crate::dialect) fn encode_event(error: &ApiError, out: &mut Vec<u8>) {
    out.extend_from_slice(b"data: ");
    encode(error, out);
    out.extend_from_slice(b"\n\n");
}

/// Appends an error body as OpenAI sends it.
pub(in crate::dialect) fn encode(error: &ApiError, out: &mut Vec<u8>) {
    Object::new(out).object("error", |object| write(error, object));
}

/// Writes the members of an error object: `type` follows the status, `code` is the finer word.
pub(in crate::dialect) fn write(error: &ApiError, object: &mut Object<'_>) {
    let kind = match error.kind {
        ErrorKind::InvalidRequest
        | ErrorKind::ContextLength
        | ErrorKind::ContentFilter
        | ErrorKind::Authentication
        | ErrorKind::Permission
        | ErrorKind::NotFound
        | ErrorKind::TooLarge => "invalid_request_error",
        ErrorKind::RateLimit => "rate_limit_error",
        ErrorKind::Quota | ErrorKind::Billing => "insufficient_quota",
        ErrorKind::Overloaded => "service_unavailable_error",
        ErrorKind::Server | ErrorKind::Timeout => "server_error",
    };
    object.str("message", &error.message).str("type", kind);
    write_param_and_code(error, object);
}

/// The members that are the same wherever an error is told.
pub(in crate::dialect) fn write_param_and_code(error: &ApiError, object: &mut Object<'_>) {
    // Clients branch on some codes: another dialect's error that means the same gets OpenAI's word where it has none.
    let code = error.code.as_deref().or(match error.kind {
        ErrorKind::ContextLength => Some("context_length_exceeded"),
        ErrorKind::ContentFilter => Some("content_filter"),
        ErrorKind::RateLimit => Some("rate_limit_exceeded"),
        ErrorKind::Quota => Some("insufficient_quota"),
        ErrorKind::Authentication => Some("invalid_api_key"),
        _ => None,
    });
    for (name, value) in [("param", error.param.as_deref()), ("code", code)] {
        match value {
            Some(value) => object.str(name, value),
            None => object.null(name),
        };
    }
}

#[cfg(test)]
mod tests;
