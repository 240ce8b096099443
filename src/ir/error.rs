//! Errors as the wire says them: an upstream's, or the gateway's own.

/// An error in neutral terms. Dialects read it from an upstream's reply and write it to a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// What it means.
    pub kind: ErrorKind,
    /// A stable word: the gateway's own (`model_not_found`, `rate_limit_exceeded` …), or the upstream's.
    pub code: Option<String>,
    /// For people. An upstream's is verbatim.
    pub message: String,
    /// Which parameter is at fault, as a path in the client's request.
    pub param: Option<String>,
}

/// What an error means, whoever says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request cannot be served as it is.
    InvalidRequest,
    /// The request is longer than the model's context.
    ContextLength,
    /// The content was refused by a filter or policy.
    ContentFilter,
    /// The credential is missing or wrong.
    Authentication,
    /// The credential does not allow this.
    Permission,
    /// Nothing is left to pay with.
    Billing,
    /// There is no such thing.
    NotFound,
    /// The body is too large.
    TooLarge,
    /// Too much, too fast: it passes by waiting.
    RateLimit,
    /// A quota is used up: waiting a few seconds does not help.
    Quota,
    /// The server is overloaded.
    Overloaded,
    /// The server failed.
    Server,
    /// The server took too long.
    Timeout,
}

impl ErrorKind {
    /// What a status means where nothing finer is known.
    #[must_use]
    pub const fn from_status(status: u16) -> Self {
        match status {
            401 => Self::Authentication,
            402 => Self::Billing,
            403 => Self::Permission,
            404 => Self::NotFound,
            408 | 504 => Self::Timeout,
            413 => Self::TooLarge,
            429 => Self::RateLimit,
            503 | 529 => Self::Overloaded,
            400..=499 => Self::InvalidRequest,
            _ => Self::Server,
        }
    }
}

/// A request that is not what its dialect says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct Malformed {
    /// JSON path, `messages[3].content`; `body` for the whole.
    pub path: String,
    /// What was expected, or what is wrong.
    pub problem: String,
    /// A status and a code of the client's dialect that its SDK acts on; `None` is 400 `invalid_request`.
    pub answer: Option<(u16, &'static str)>,
}

impl Malformed {
    /// At a path.
    pub fn at(path: impl Into<String>, problem: impl std::fmt::Display) -> Self {
        Self { path: path.into(), problem: problem.to_string(), answer: None }
    }

    /// With an answer of its own.
    #[must_use]
    pub const fn answered(mut self, status: u16, code: &'static str) -> Self {
        self.answer = Some((status, code));
        self
    }
}

/// A 200 that is not an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It carries an error object or event.
    #[error("{}", .0.message)]
    Error(ApiError),
    /// It is not what its dialect says.
    #[error("the provider's reply is invalid: {0}")]
    Invalid(String),
    /// It holds nothing.
    #[error("the provider's reply is empty")]
    Empty,
    /// It ends in the middle.
    #[error("the provider's reply ends in the middle")]
    Truncated,
}
