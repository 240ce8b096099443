//! What a failure means and what follows it: the failure table of ARCHITECTURE.md, as pure functions.

use crate::config::{RefusalPolicy, RetryPolicy};
use crate::ir::error::{ApiError, ErrorKind, Fault};

/// How an attempt ended. The name is what records and metrics say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// It answered.
    Ok,
    /// No connection.
    Connect,
    /// The connection broke before a reply.
    Reset,
    /// The reply broke off before its first token.
    Cut,
    /// Nothing, or nothing but pings, until the deadline.
    Silence,
    /// 5xx, 408, overloaded.
    ServerError,
    /// Too much, too fast.
    RateLimit,
    /// Nothing left to use there.
    Quota,
    /// The provider refused our credential.
    Credential,
    /// The provider does not have the model or path.
    NotFound,
    /// The provider does not count tokens. Its name is that of what it is a kind of.
    Uncounted,
    /// The request is longer than the model's context.
    ContextLength,
    /// A content filter's or the model's refusal.
    Refusal,
    /// The request is wrong, whoever serves it.
    ClientError,
    /// A 200 that is not an answer.
    BadReply,
    /// The client left before an answer.
    Canceled,
    /// The answer broke off, or the client left, after its first token.
    Partial,
}

impl Class {
    /// The name that records and metrics say.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Connect => "connect",
            Self::Reset => "reset",
            Self::Cut => "cut",
            Self::Silence => "silence",
            Self::ServerError => "server_error",
            Self::RateLimit => "rate_limit",
            Self::Quota => "quota",
            Self::Credential => "credential",
            Self::NotFound | Self::Uncounted => "not_found",
            Self::ContextLength => "context_length",
            Self::Refusal => "refusal",
            Self::ClientError => "client_error",
            Self::BadReply => "bad_reply",
            Self::Canceled => "canceled",
            Self::Partial => "partial",
        }
    }
}

/// Reads an upstream's error reply.
#[must_use]
pub fn of_error(error: &ApiError) -> Class {
    // OpenAI says 400; another provider may keep it.
    if error.code.as_deref() == Some("previous_response_not_found") {
        return Class::NotFound;
    }
    match (error.kind, error.status) {
        (ErrorKind::Quota | ErrorKind::Billing, _) => Class::Quota,
        (ErrorKind::RateLimit, _) => Class::RateLimit,
        (ErrorKind::ContextLength, _) => Class::ContextLength,
        (ErrorKind::ContentFilter, _) => Class::Refusal,
        (ErrorKind::Authentication | ErrorKind::Permission, _) | (_, 401..=403) => Class::Credential,
        (ErrorKind::NotFound, _) => Class::NotFound,
        (ErrorKind::Overloaded | ErrorKind::Server | ErrorKind::Timeout, _) | (_, 408 | 500..) => {
            Class::ServerError
        }
        (ErrorKind::InvalidRequest | ErrorKind::TooLarge, _) => Class::ClientError,
    }
}

/// Reads an upstream's error reply to a count for `model`. Imitators of a dialect that leave its counts out say so in many
/// ways; `is_document` says whether this is the dialect's own. Only a model that it names is what is not there.
#[must_use]
pub fn of_count_error(error: &ApiError, is_document: bool, model: &str) -> Class {
    let is_path =
        || COUNT_PATHS.iter().any(|path| memchr::memmem::find(error.message.as_bytes(), path).is_some());
    let coded = matches!(error.code.as_deref(), Some("model_not_found" | "DeploymentNotFound"));
    let about_model = is_document && (coded || (names(&error.message, model) && !is_path()));
    if matches!(error.status, 404 | 405 | 501) && !about_model { Class::Uncounted } else { of_error(error) }
}

/// Whether a message holds a model's name as a word of its own.
fn names(message: &str, model: &str) -> bool {
    let apart = |next: Option<char>| next.is_none_or(|next| !next.is_alphanumeric());
    !model.is_empty()
        && message.match_indices(model).any(|(at, _)| {
            let before = message.get(..at).and_then(|before| before.chars().next_back());
            let after = message.get(at + model.len()..).and_then(|after| after.chars().next());
            apart(before) && apart(after)
        })
}

/// How the paths of counts end. Some of them hold the model's name, and who does not have one may quote it.
const COUNT_PATHS: [&[u8]; 4] = [b":countTokens", b"/count-tokens", b"/count_tokens", b"/input_tokens"];

/// Reads a 200 that is not an answer. An error object says more than the status: a rate limit stays one.
#[must_use]
pub fn of_fault(fault: &Fault) -> Class {
    match fault {
        Fault::Error(error) => match of_error(error) {
            Class::ClientError | Class::ServerError => Class::BadReply,
            class => class,
        },
        Fault::Truncated => Class::Cut,
        Fault::Invalid(_) | Fault::Empty => Class::BadReply,
    }
}

/// What follows a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The same provider again.
    Same(Pause),
    /// The next step.
    Next,
    /// The next step whose model has a larger context.
    NextLarger,
    /// The client gets the failure.
    Stop,
}

/// How long before the same provider is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pause {
    /// Nothing was reached, so nothing needs to recover.
    None,
    /// The policy's back-off, with jitter.
    Backoff,
    /// What the provider asked for, in milliseconds.
    RetryAfter(u64),
}

/// Decides. `same_left` says whether the policy allows the same provider another try.
#[must_use]
pub fn action(class: Class, policy: &RetryPolicy, retry_after_ms: Option<u64>, same_left: bool) -> Action {
    let again = |pause| if same_left { Action::Same(pause) } else { Action::Next };
    let patient = retry_after_ms.filter(|ms| *ms <= u64::from(policy.max_retry_after_ms));
    match class {
        Class::Connect => again(Pause::None),
        Class::Reset | Class::Cut => again(Pause::Backoff),
        Class::ServerError | Class::BadReply => match (retry_after_ms, patient) {
            (None, _) => again(Pause::Backoff),
            (Some(_), Some(ms)) => again(Pause::RetryAfter(ms)),
            (Some(_), None) => Action::Next,
        },
        Class::RateLimit => patient.map_or(Action::Next, |ms| again(Pause::RetryAfter(ms))),
        Class::Silence | Class::Quota | Class::Credential | Class::NotFound | Class::Uncounted => {
            Action::Next
        }
        Class::ContextLength => Action::NextLarger,
        Class::Refusal => match policy.refusal {
            RefusalPolicy::Stop => Action::Stop,
            RefusalPolicy::Next => Action::Next,
        },
        Class::Ok | Class::ClientError | Class::Canceled | Class::Partial => Action::Stop,
    }
}

/// Reads `retry-after-ms`, or `retry-after` in seconds or as an HTTP date, into milliseconds.
#[must_use]
pub fn retry_after_ms(headers: &[(String, Vec<u8>)], unix: u64) -> Option<u64> {
    if let Some(ms) = super::headers::get(headers, "retry-after-ms") {
        return ms.trim().split('.').next()?.parse().ok();
    }
    let value = super::headers::get(headers, "retry-after")?.trim();
    let (whole, part) = value.split_once('.').unwrap_or((value, ""));
    if let Ok(seconds) = whole.parse::<u64>() {
        // A fraction is rounded up to a whole second: waiting longer is polite, shorter is not.
        let more = u64::from(part.bytes().any(|byte| byte != b'0'));
        return seconds.checked_add(more)?.checked_mul(1_000);
    }
    http_date(value).map(|at| at.saturating_sub(unix).saturating_mul(1_000))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, IMF-fixdate) as Unix seconds.
fn http_date(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = text.split_once(", ")?.1.split(' ');
    let day: u64 = words.next()?.parse().ok()?;
    let month_name = words.next()?;
    let month = u64::try_from(MONTHS.iter().position(|name| *name == month_name)?).ok()? + 1;
    let year: u64 = words.next()?.parse().ok()?;
    let mut clock = words.next()?.split(':').map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    if !(1970..=9999).contains(&year) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // Days since the epoch in the proleptic Gregorian calendar, with years that begin in March.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day;
    Some((days.checked_sub(719_469)?) * 86_400 + hour * 3_600 + minute * 60 + second)
}

#[cfg(test)]
mod tests;
