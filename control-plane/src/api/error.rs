//! Errors as clients of the admin API see them: `{"error":{"code","message"}}`.

use crate::store::StoreError;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::fmt::Display;
use utoipa::ToSchema;

/// Why a request was not done.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
}

/// The body of every error.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ErrorBody {
    error: ErrorDetail,
}

/// What went wrong.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ErrorDetail {
    /// For programs: `invalid_request`, `unauthorized`, `not_found`, `already_exists`, `in_use`, `key_revoked`,
    /// `ambiguous`, `request_too_large`, `method_not_allowed`, `not_ready`, `internal_error`.
    code: &'static str,
    /// For people; of a 400, `path: expected …`.
    message: String,
}

impl ApiError {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// A 400: the member at `path` is not what is `expected`.
    pub(super) fn invalid(path: impl Display, expected: impl Display) -> Self {
        Self::invalid_request(format!("{path}: expected {expected}"))
    }

    pub(super) fn invalid_request(message: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", message)
    }

    pub(super) fn not_found(message: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    pub(super) fn wrong_method() -> Self {
        let message = "this path does not take this method: see the Allow header";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
    }

    pub(super) fn unauthorized() -> Self {
        let message = "expected the header Authorization: Bearer <admin token>";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
    }

    /// The same error, of a resource that is a part of the request.
    pub(super) fn under(mut self, path: impl Display) -> Self {
        let separator = if self.status == StatusCode::BAD_REQUEST { "." } else { ": " };
        self.message = format!("{path}{separator}{}", self.message);
        self
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound { .. } => Self::new(StatusCode::NOT_FOUND, "not_found", error.to_string()),
            StoreError::Conflict { code, message } => Self::new(StatusCode::CONFLICT, code, message),
            StoreError::Invalid { path, expected } => Self::invalid(path, expected),
            internal => {
                tracing::error!(error = &internal as &dyn std::error::Error, "the store failed");
                let message = "something failed here: the log says what";
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", message)
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let Self { status, code, message } = self;
        let body = axum::Json(ErrorBody { error: ErrorDetail { code, message } });
        let mut response = (status, body).into_response();
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
