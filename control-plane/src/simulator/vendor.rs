//! What the simulator asks of a vendor's room: the answer, and the vendor's own ways of failing.
//!
//! Invariant: nothing outside a vendor's room knows what its bodies, errors or stream events look like.

use super::answer::{Answer, Call};
use super::catalog::Row;
use super::event::{self, Event, Style};
use bytes::Bytes;
use serde_json::Value;
use std::fmt::Debug;

/// Where a request went; some vendors frame and fail differently at different places.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Site<'a> {
    /// The whole path.
    pub(crate) path: &'a str,
    /// The query, empty if there is none.
    pub(crate) query: &'a str,
}

/// What a script wants an error event to say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Complaint<'a> {
    /// The vendor's error code in place of the usual one.
    pub(crate) code: Option<&'a str>,
    /// The document in place of the usual one.
    pub(crate) body: Option<&'a Value>,
}

/// The model that a JSON body names.
pub(crate) fn model(body: &[u8]) -> Option<String> {
    let document: Value = serde_json::from_slice(body).ok()?;
    document.get("model")?.as_str().map(str::to_owned)
}

/// A vendor: one value for each virtual provider, which may keep what its clients store there.
pub(crate) trait Vendor: Debug + Send + Sync {
    /// What it offers from the start.
    fn models(&self) -> &'static [Row];

    /// Whether a provider can be made with such a credential.
    fn takes(&self, _credential: &str) -> bool {
        true
    }

    /// What its SDK's base URL has behind the address.
    fn base_path(&self) -> &'static str {
        ""
    }

    /// The model that a request names, for the log.
    fn model(&self, _site: Site<'_>, body: &[u8]) -> Option<String> {
        model(body)
    }

    /// Whether a `POST` there asks the model something; what else is posted uses up no behaviour of a script.
    fn asks(&self, _site: Site<'_>) -> bool {
        true
    }

    /// Answers one request.
    fn answer(&self, call: &Call<'_>) -> Answer;

    /// The error that it sends with a status, for no fault of the request.
    fn error(&self, site: Site<'_>, status: u16, code: Option<&str>) -> Value;

    /// The headers that it sends with that error.
    fn error_headers(
        &self,
        _site: Site<'_>,
        _status: u16,
        _code: Option<&str>,
    ) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// The event with which it ends a stream that fails after `sent`.
    fn error_event(&self, site: Site<'_>, sent: &[Event], complaint: Complaint<'_>) -> Event;

    /// The content type of its streams.
    fn stream_type(&self, _site: Site<'_>) -> &'static str {
        "text/event-stream"
    }

    /// An event as bytes.
    fn render(&self, _site: Site<'_>, event: &Event, style: Style) -> Bytes {
        event::render(event, style)
    }

    /// An event's bytes with a wrong checksum, where its events have one.
    fn corrupt(&self, _site: Site<'_>, _event: &Bytes) -> Option<Bytes> {
        None
    }

    /// What keeps its streams alive.
    fn ping(&self, _site: Site<'_>, _style: Style) -> Bytes {
        Bytes::from_static(b": keep-alive\n\n")
    }

    /// Forgets what its clients stored.
    fn reset(&self) {}
}
