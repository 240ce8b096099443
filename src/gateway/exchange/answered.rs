//! The headers of an answer, and what they tell of the exchange.
//!
//! Invariant: values that an upstream or a client had a part in are printable ASCII, and not too long.

use super::Exchange;
use crate::gateway::headers::{Headers, is_returned};
use crate::gateway::reject;

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
            push("x-sluice-dropped-params", &visible(&self.loss.join(", ")));
        }
        if !self.passed_over.is_empty() {
            let each = self.passed_over.iter();
            let each: Vec<String> =
                each.map(|left| format!("{}/{} {}", left.provider, left.model, left.lacks)).collect();
            push("x-sluice-passed-over", &visible(&each.join(", ")));
        }
    }
}

/// Header values hold printable ASCII only, and not too much of it.
fn visible(text: &str) -> String {
    text.chars().take(1_024).map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' }).collect()
}
