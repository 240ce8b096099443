//! The gateway's own refusals: status, code and a message that ends with what to do.

use crate::config::Dialect;
use crate::dialect::inbound;
use crate::ir::error::{ApiError, ErrorKind, Malformed};

/// A refusal, to be written in the client's dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// What is said.
    pub error: ApiError,
    /// `Retry-After`, in seconds.
    pub retry_after_s: Option<u64>,
}

impl Rejection {
    /// A refusal with the kind that its status means.
    pub fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self::of(status, ErrorKind::from_status(status), code, message)
    }

    /// A refusal of a kind.
    pub fn of(status: u16, kind: ErrorKind, code: &str, message: impl Into<String>) -> Self {
        let error =
            ApiError { status, kind, code: Some(code.to_owned()), message: message.into(), param: None };
        Self { error, retry_after_s: None }
    }

    /// With `Retry-After`.
    #[must_use]
    pub const fn after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// A parameter is at fault.
    #[must_use]
    pub fn param(mut self, path: impl Into<String>) -> Self {
        self.error.param = Some(path.into());
        self
    }

    /// A body that is not what its dialect says.
    #[must_use]
    pub fn malformed(malformed: &Malformed) -> Self {
        let (status, code) = malformed.answer.unwrap_or((400, "invalid_request"));
        let message = format!("{malformed}. Correct the request body and send it again.");
        let rejection = Self::new(status, code, message);
        rejection.param(malformed.path.clone())
    }

    /// The body in the client's dialect.
    #[must_use]
    pub fn body(&self, dialect: Dialect, request_id: &str) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        inbound(dialect).encode_error(&self.error, request_id, &mut out);
        out
    }

    /// The reply's headers, `:status` first.
    #[must_use]
    pub fn headers(&self, dialect: Dialect, request_id: &str) -> Vec<(&'static str, String)> {
        let mut headers =
            vec![(":status", self.error.status.to_string()), ("content-type", "application/json".to_owned())];
        headers.extend(identify(dialect, request_id).map(|(name, value)| (name, value.to_owned())));
        if let Some(seconds) = self.retry_after_s {
            headers.push(("retry-after", seconds.to_string()));
        }
        headers
    }
}

/// The headers that name an exchange: the gateway's own, and the one that the dialect's official clients show.
#[must_use]
pub fn identify(dialect: Dialect, request_id: &str) -> [(&'static str, &str); 2] {
    [("x-sluice-request-id", request_id), (inbound(dialect).request_id_header(), request_id)]
}

/// The answer for a reply that Envoy made itself where no attempt explains it.
#[must_use]
pub fn local_reply(status: u16, max_body_bytes: u64) -> Rejection {
    match status {
        413 => too_large(max_body_bytes),
        408 => Rejection::new(408, "request_timeout", "The request did not arrive in time. Send it again."),
        404 => Rejection::new(
            404,
            "not_found",
            "There is nothing at this path. See the list of endpoints in the documentation.",
        ),
        431 => Rejection::new(
            431,
            "headers_too_large",
            "The request headers are too large. Send fewer or shorter ones.",
        ),
        503 => {
            Rejection::new(503, "no_provider_available", "No provider could be reached. Try again shortly.")
                .after(1)
        }
        504 => Rejection::new(504, "upstream_timeout", "The provider took too long to answer. Try again."),
        400..=499 => Rejection::new(
            status,
            "invalid_request",
            "The request could not be read. Check its headers and framing.",
        ),
        _ => Rejection::new(
            status,
            "internal_error",
            "The gateway could not serve the request. Try again; if it persists, tell the operator.",
        ),
    }
}

/// A compressed body: it would have to be unpacked to be read, and may unpack to anything.
#[must_use]
pub fn encoded() -> Rejection {
    let message = "The request body has a content-encoding. Send it uncompressed.";
    Rejection::new(400, "invalid_request", message)
}

/// A body over the limit.
#[must_use]
pub fn too_large(max_body_bytes: u64) -> Rejection {
    let message = format!("The request body is larger than {max_body_bytes} bytes. Send a smaller one.");
    Rejection::new(413, "request_too_large", message)
}
