//! Calls about replies that a provider keeps: `GET` and `DELETE /v1/responses/{id}`, `POST …/cancel`, `GET …/input_items`.
//! <https://platform.openai.com/docs/api-reference/responses>
//!
//! Invariant: an id holds only letters, digits, `-` and `_`; a query goes on without a key, and only if it is plain.

use super::{Asked, Call, Route, parameter};
use crate::config::{Dialect, Endpoint};

/// The longest id.
const MAX_ID: usize = 256;
/// The longest query.
const MAX_QUERY: usize = 1_024;

/// A call about a stored reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The method, as it goes on.
    pub method: &'static str,
    /// The reply's id.
    pub id: String,
    /// What of it: ``, `/cancel` or `/input_items`.
    pub part: &'static str,
    /// The query without its `?`; may be empty.
    pub query: String,
}

pub(super) fn call(method: &str, segments: &[&str], query: &str) -> Option<Route> {
    let (method, id, part) = match (method, segments) {
        ("GET", ["responses", id]) => ("GET", id, ""),
        ("DELETE", ["responses", id]) => ("DELETE", id, ""),
        ("POST", ["responses", id, "cancel"]) => ("POST", id, "/cancel"),
        ("GET", ["responses", id, "input_items"]) => ("GET", id, "/input_items"),
        _ => return None,
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if id.len() > MAX_ID || !id.bytes().all(plain) {
        return None;
    }
    let stream = parameter(query, "stream").is_some_and(|value| value == "true");
    let stored = Stored { method, id: (*id).to_owned(), part, query: kept(query) };
    let asked = Asked { stream, stored: Some(stored), ..Asked::of(Endpoint::StoredResponses) };
    Some(Route { dialect: Dialect::Responses, call: Call::Exchange(asked) })
}

/// The parameters that go on: all but a key, which is ours, and what no vendor's query holds.
fn kept(query: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~%[],=".contains(&byte);
    let is_kept =
        |pair: &&str| !pair.is_empty() && pair.split('=').next() != Some("key") && pair.bytes().all(plain);
    let kept: Vec<&str> = query.split('&').filter(is_kept).collect();
    Some(kept.join("&")).filter(|kept| kept.len() <= MAX_QUERY).unwrap_or_default()
}
