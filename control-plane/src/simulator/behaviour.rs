//! What a test scripts: a list of behaviours, one for each attempt; after the list a provider is healthy.
//!
//! Invariant: a script is checked when it is posted, so that playing it cannot fail.

use super::event::Style;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// The kinds of behaviour. What needs a stream does the nearest thing to a buffered reply, as said for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Answers.
    #[default]
    Healthy,
    /// Answers with `status` and the vendor's own error for it.
    Status,
    /// Resets the connection once the request is read.
    ResetBeforeHeaders,
    /// Closes the connection once the request is read.
    CloseBeforeHeaders,
    /// Never answers.
    Silence,
    /// Sends the headers, then nothing.
    HeadersThenSilence,
    /// Keeps the stream alive, and never sends a token. Buffered: headers, then nothing.
    PingsThenSilence,
    /// A 200 stream that begins with an error event. Buffered: a 200 with an error body.
    ErrorEventFirst,
    /// A 200 stream that fails with an error event after `tokens`. Buffered: a 200 with an error body.
    ErrorEventAfterTokens,
    /// A 200 whose body is an error.
    #[serde(rename = "error_body_200")]
    ErrorBody200,
    /// Closes the connection after `tokens`. Buffered: after half the body.
    CutAfterTokens,
    /// Resets the connection after `tokens`. Buffered: after half the body.
    ResetAfterTokens,
    /// Ends the body after `tokens`, as if all had been said. Buffered: after half the body.
    CleanEndAfterTokens,
    /// Falls silent after `tokens`. Buffered: after half the body.
    StallAfterTokens,
    /// After `tokens` sends an event that is not JSON, and goes on. Buffered: `invalid_json`.
    MalformedEvent,
    /// Closes the connection in the middle of the event after `tokens`. Buffered: after half the body.
    CutInsideEvent,
    /// The event after `tokens` has a wrong checksum, and the stream goes on; where events have none it is
    /// `malformed_event`. Buffered: `invalid_json`.
    WrongChecksum,
    /// Everything but the last event. Buffered: healthy.
    NoDone,
    /// A 200 without a body.
    EmptyBody,
    /// A 200 with a body that is not JSON. Streamed: so is every event.
    InvalidJson,
    /// Waits `delay_ms` before each token.
    SlowTokens,
    /// Says `bytes` bytes.
    BigReply,
    /// Refuses by the vendor's content filter.
    ContentFilter,
    /// The same, in Anthropic's words.
    Refusal,
    /// Waits `delay_ms` before the headers.
    DelayMs,
    /// Reports no usage.
    NoUsage,
    /// Promises the whole body and closes the connection after half of it, streamed or not.
    TruncatedJson,
    /// Writes the stream in `style`.
    SseStyle,
}

impl Kind {
    /// The name in scripts and in the log.
    pub(crate) fn name(self) -> String {
        match serde_json::to_value(self) {
            Ok(Value::String(name)) => name,
            // A unit variant is always written as a text.
            _ => String::new(),
        }
    }
}

/// One behaviour.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Behaviour {
    /// Which.
    pub(crate) kind: Kind,
    /// Do it for ever: only for the last of a list.
    #[serde(default)]
    pub(crate) repeat: bool,
    /// Do it so often.
    #[serde(default = "once")]
    pub(crate) times: u32,
    /// The status in place of the usual one.
    #[serde(default)]
    pub(crate) status: Option<u16>,
    /// Headers to add or replace.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// The body in place of the usual one: a text goes as it is, anything else as JSON.
    #[serde(default)]
    pub(crate) body: Option<Value>,
    /// The vendor's error code in place of the usual one for that status (`insufficient_quota`).
    #[serde(default)]
    pub(crate) code: Option<String>,
    /// How many tokens go before the fault.
    #[serde(default)]
    pub(crate) tokens: usize,
    /// Milliseconds: before each token for `slow_tokens`, before the headers for all others.
    #[serde(default)]
    pub(crate) delay_ms: u64,
    /// Bytes of a big reply.
    #[serde(default)]
    pub(crate) bytes: usize,
    /// For how many seconds the tokens of a token endpoint are good.
    #[serde(default)]
    pub(crate) lifetime_s: Option<u64>,
    /// How the stream is written.
    #[serde(default)]
    pub(crate) style: Style,
    /// Only for requests, of any method, whose path ends so; absent: for each `POST` that asks the model something.
    #[serde(default)]
    pub(crate) path: Option<String>,
}

const fn once() -> u32 {
    1
}

/// Why a script is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// Nothing after it would ever be played.
    #[error("script[{0}]: `repeat` is only for the last behaviour")]
    Endless(usize),
    /// No such status, or one that has no body.
    #[error("script[{0}].status: expected 200 to 599 without 204 and 304")]
    Status(usize),
    /// The kind needs it.
    #[error("script[{0}]: this kind needs `{1}`")]
    Needs(usize, &'static str),
    /// HTTP does not allow it.
    #[error("script[{0}].headers: `{1}` is not a header")]
    Header(usize, String),
}

impl Behaviour {
    fn check(&self, index: usize, last: bool) -> Result<(), Refused> {
        if self.repeat && !last {
            return Err(Refused::Endless(index));
        }
        if self.status.is_some_and(|status| !(200..600).contains(&status) || status == 204 || status == 304) {
            return Err(Refused::Status(index));
        }
        match self.kind {
            Kind::Status if self.status.is_none() => return Err(Refused::Needs(index, "status")),
            Kind::SlowTokens | Kind::DelayMs if self.delay_ms == 0 => {
                return Err(Refused::Needs(index, "delay_ms"));
            }
            Kind::BigReply if self.bytes == 0 => return Err(Refused::Needs(index, "bytes")),
            _ => {}
        }
        for (name, value) in &self.headers {
            if http::HeaderName::try_from(name).is_err() || http::HeaderValue::try_from(value).is_err() {
                return Err(Refused::Header(index, name.clone()));
            }
        }
        Ok(())
    }

    /// How long to wait before the headers.
    pub(crate) fn delay(&self) -> Duration {
        if self.kind == Kind::SlowTokens { Duration::ZERO } else { Duration::from_millis(self.delay_ms) }
    }
}

/// The behaviours that are still to come.
#[derive(Debug, Default)]
pub(crate) struct Script(VecDeque<Behaviour>);

impl Script {
    /// A script of these behaviours.
    pub(crate) fn new(behaviours: Vec<Behaviour>) -> Result<Self, Refused> {
        let last = behaviours.len().saturating_sub(1);
        for (index, behaviour) in behaviours.iter().enumerate() {
            behaviour.check(index, index == last)?;
        }
        Ok(Self(behaviours.into_iter().filter(|behaviour| behaviour.times > 0).collect()))
    }

    /// The behaviour of the next attempt: the first that is for it. Only what is `asking` uses up behaviours that name
    /// no path.
    pub(crate) fn next(&mut self, path: &str, asking: bool) -> Behaviour {
        let fits = |behaviour: &Behaviour| behaviour.path.as_ref().map_or(asking, |end| path.ends_with(end));
        let Some(index) = self.0.iter().position(fits) else { return Behaviour::default() };
        match self.0.get_mut(index) {
            Some(first) if first.repeat => first.clone(),
            Some(first) if first.times > 1 => {
                first.times -= 1;
                first.clone()
            }
            _ => self.0.remove(index).unwrap_or_default(),
        }
    }

    /// How many behaviours are left, a repeating one counting once.
    pub(crate) fn left(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn script(value: Value) -> Result<Script, Refused> {
        Script::new(serde_json::from_value(value).unwrap())
    }

    #[test]
    fn a_script_is_consumed_one_by_one() {
        let list = json!([{"kind": "status", "status": 500, "times": 2}, {"kind": "silence"}]);
        let mut script = script(list).unwrap();
        let played: Vec<_> = (0..5).map(|_| script.next("/", true).kind.name()).collect();
        assert_eq!(played, ["status", "status", "silence", "healthy", "healthy"]);
    }

    #[test]
    fn the_last_may_repeat() {
        let mut endless =
            script(json!([{"kind": "no_done"}, {"kind": "error_body_200", "repeat": true}])).unwrap();
        let played: Vec<_> = (0..4).map(|_| endless.next("/", true).kind).collect();
        assert_eq!(played, [Kind::NoDone, Kind::ErrorBody200, Kind::ErrorBody200, Kind::ErrorBody200]);
        let refused = script(json!([{"kind": "silence", "repeat": true}, {"kind": "healthy"}]));
        assert_eq!(refused.unwrap_err(), Refused::Endless(0));
    }

    #[test]
    fn a_path_keeps_a_behaviour_for_its_own() {
        let list = json!([{"kind": "silence"}, {"kind": "empty_body", "path": "/cancel"}]);
        let mut script = script(list).unwrap();
        let mut next = |path: &str, asking| script.next(path, asking).kind;
        assert_eq!(next("/v1/responses/a/cancel", false), Kind::EmptyBody);
        assert_eq!(next("/v1/responses/a/cancel", false), Kind::Healthy);
        assert_eq!(next("/v1/responses", true), Kind::Silence);
    }

    #[test]
    fn a_script_is_checked_when_it_comes() {
        assert_eq!(script(json!([{"kind": "status"}])).unwrap_err(), Refused::Needs(0, "status"));
        assert_eq!(script(json!([{"kind": "status", "status": 204}])).unwrap_err(), Refused::Status(0));
        assert_eq!(script(json!([{"kind": "big_reply"}])).unwrap_err(), Refused::Needs(0, "bytes"));
        let bad = script(json!([{"kind": "healthy", "headers": {"a b": "c"}}]));
        assert_eq!(bad.unwrap_err(), Refused::Header(0, "a b".into()));
        assert!(serde_json::from_value::<Behaviour>(json!({"kind": "healthy", "token": 1})).is_err());
    }
}
