//! The headers of an answer, and what they tell of the exchange.
//!
//! Invariant: values that an upstream or a client had a part in are printable ASCII, and not too long.

use super::Exchange;
use crate::gateway::headers::{Headers, is_returned};
use crate::gateway::reject;
use crate::ir::loss::MORE;

impl Exchange {
    /// All headers of a provider's answer. `length` is that of a whole body.
    pub(super) fn answer_headers(&self, upstream: &[(String, Vec<u8>)], length: Option<usize>) -> Headers {
        let mut headers: Headers = Vec::with_capacity(upstream.len() + 8);
        headers.push((":status".to_owned(), b"200".to_vec()));
        let array = self.asked.array && length.is_none();
        if self.is_patched() {
            let returned = |name: &str| is_returned(name) && !(array && name == "content-type");
            headers.extend(upstream.iter().filter(|(name, _)| returned(name)).cloned());
        }
        if array || !self.is_patched() {
            let whole = length.is_some() || array;
            let kind: &[u8] = if whole { b"application/json" } else { b"text/event-stream; charset=utf-8" };
            headers.push(("content-type".to_owned(), kind.to_vec()));
        }
        if !self.is_patched() {
            let kept =
                upstream.iter().filter(|(name, _)| matches!(name.as_str(), "x-request-id" | "request-id"));
            headers.extend(kept.cloned());
        }
        if let Some(length) = length {
            headers.push(("content-length".to_owned(), length.to_string().into_bytes()));
        }
        for (name, value) in reject::identify(self.dialect, &self.request_id) {
            // A provider of the client's dialect names the request itself, and its support asks for that name.
            if !headers.iter().any(|(known, _)| known == name) {
                headers.push((name.to_owned(), value.as_bytes().to_vec()));
            }
        }
        self.describe(&mut headers);
        headers
    }

    /// `x-sluice-provider`, `-model`, `-attempts`, `-fallback-reason`, `-dropped-params`, `-passed-over`.
    pub(super) fn describe(&self, headers: &mut Headers) {
        let mut push = |name: &str, value: &str| headers.push((name.to_owned(), value.as_bytes().to_vec()));
        let at = self.served.unwrap_or(self.at);
        if let Some(step) = self.plan.get(at) {
            push("x-sluice-provider", &step.provider.name);
            if !step.model_id().is_empty() {
                push("x-sluice-model", step.model_id());
            }
        }
        let under_way = usize::from(self.served.is_some());
        push("x-sluice-attempts", itoa::Buffer::new().format(self.attempts.len() + under_way));
        if let Some(class) = self.failures.fallback {
            push("x-sluice-fallback-reason", class.name());
        }
        if !self.loss.is_empty() {
            push("x-sluice-dropped-params", &listed(self.loss.iter().map(|path| visible(path))));
        }
        if !self.passed_over.is_empty() {
            let each = self.passed_over.iter();
            let each = each.map(|left| visible(&format!("{}/{} {}", left.provider, left.model, left.lacks)));
            push("x-sluice-passed-over", &listed(each));
        }
    }
}

/// Most bytes of a list in a header.
const MAX_LIST: usize = 1_024;

/// Header values hold printable ASCII only.
fn visible(text: &str) -> String {
    text.chars().map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' }).collect()
}

/// As many of them as a header has room for, each whole, and [`MORE`] if that is not all.
fn listed(items: impl Iterator<Item = String>) -> String {
    const JOINT: &str = ", ";
    let mut list = String::new();
    for mut item in items {
        let joint = if list.is_empty() { "" } else { JOINT };
        // Room for the mark is kept, unless this is the mark.
        let room = MAX_LIST - if item == MORE { 0 } else { JOINT.len() + MORE.len() };
        list.push_str(joint);
        if list.len() + item.len() > room {
            // One that is too long by itself is better than nothing. It is ASCII.
            item.truncate(if joint.is_empty() { room } else { 0 });
            list.push_str(&item);
            list.push_str(MORE);
            break;
        }
        list.push_str(&item);
    }
    list
}
