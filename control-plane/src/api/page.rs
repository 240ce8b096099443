//! Pages: a list and the cursor that continues it.
//!
//! Invariant: a cursor is opaque to clients and stays valid while rows come and go.

use super::error::ApiError;
use crate::store::{KeyCursor, UsageCursor};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Most rows of one page.
const LIMIT: u32 = 1000;

/// Resources, in full.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct List<T> {
    /// All of them.
    pub(super) data: Vec<T>,
}

/// Some of the rows.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Page<T> {
    /// Newest first.
    pub(super) data: Vec<T>,
    /// `cursor` of the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_cursor: Option<String>,
}

/// Checks a page's size.
pub(super) fn limit(asked: Option<u32>) -> Result<u32, ApiError> {
    match asked.unwrap_or(100) {
        limit @ 1..=LIMIT => Ok(limit),
        _ => Err(ApiError::invalid("limit", format_args!("1 to {LIMIT}"))),
    }
}

/// A place in a listing.
pub(super) trait Cursor: Sized {
    /// What the cursor's text holds.
    type Parts: Serialize + for<'de> Deserialize<'de>;
    fn parts(self) -> Self::Parts;
    fn from_parts(parts: Self::Parts) -> Self;
}

impl Cursor for KeyCursor {
    type Parts = (u64, String);

    fn parts(self) -> Self::Parts {
        (self.created_us, self.id)
    }

    fn from_parts((created_us, id): Self::Parts) -> Self {
        Self { created_us, id }
    }
}

impl Cursor for UsageCursor {
    type Parts = (u64, String, String, u64);

    fn parts(self) -> Self::Parts {
        (self.started_us, self.node, self.vm, self.seq)
    }

    fn from_parts((started_us, node, vm, seq): Self::Parts) -> Self {
        Self { started_us, node, vm, seq }
    }
}

/// Cuts `rows`, of which one more than the page holds was asked for, and makes the cursor that continues it.
pub(super) fn cut<T, C: Cursor>(
    rows: &mut Vec<T>,
    limit: u32,
    cursor: impl FnOnce(&T) -> C,
) -> Option<String> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if rows.len() <= limit {
        return None;
    }
    rows.truncate(limit);
    let json = serde_json::to_vec(&cursor(rows.last()?).parts()).ok()?;
    Some(URL_SAFE_NO_PAD.encode(json))
}

/// The cursor of a request.
pub(super) fn decode<C: Cursor>(text: Option<&str>) -> Result<Option<C>, ApiError> {
    let read = |text: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok();
    let refused = || ApiError::invalid("cursor", "next_cursor of an earlier page");
    text.map(|text| read(text).map(C::from_parts).ok_or_else(refused)).transpose()
}
