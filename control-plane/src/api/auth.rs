//! The admin token.
//!
//! Invariant: it is compared in constant time, and its length shows in no timing either.

use super::error::ApiError;
use crate::settings::Secret;
use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::Response;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The token's digest.
#[derive(Clone)]
pub(super) struct Expected([u8; 32]);

impl Expected {
    pub(super) fn new(token: &Secret) -> Self {
        Self(Sha256::digest(token.reveal()).into())
    }
}

/// Lets requests with the token pass.
pub(super) async fn require(
    State(expected): State<Expected>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let presented = request.headers().get(AUTHORIZATION).and_then(|value| {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    });
    let digest: [u8; 32] = Sha256::digest(presented.unwrap_or_default()).into();
    if presented.is_some() && bool::from(digest.ct_eq(&expected.0)) {
        return Ok(next.run(request).await);
    }
    Err(ApiError::unauthorized())
}
