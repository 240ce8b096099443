//! Writing an attempt's request.

use super::Exchange;
use crate::config::{Dialect, LossPolicy};
use crate::dialect::{Target, inbound, outbound, patch, splice};
use crate::gateway::headers::Headers;
use crate::gateway::reject::Rejection;
use crate::ir::loss::Loss;

/// One attempt's request. It replaces headers and body whole, so nothing of an earlier attempt can remain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// All headers, pseudo headers first.
    pub headers: Headers,
    /// The body; `None` if it is the client's, byte for byte.
    pub body: Option<Vec<u8>>,
}

impl Exchange {
    /// Writes the request for the current step. An error means that this step cannot serve the request.
    pub(super) fn prepare(&mut self) -> Result<(), Rejection> {
        let (Some(step), Some(peek)) = (self.plan.get(self.at), self.peek.as_ref()) else {
            return Err(Rejection::new(
                500,
                "internal_error",
                "There is nothing to send. Tell the operator.",
            ));
        };
        let provider = &step.provider;
        let target = Target {
            model: &step.upstream_id,
            max_output_tokens: step.model.as_ref().and_then(|model| model.max_output_tokens),
            stream_usage: provider.stream_usage,
        };
        let mut loss = Loss::default();
        let same = provider.dialect == self.dialect;
        let body = if same {
            let edits = patch(self.dialect).splice(peek, &target);
            (!edits.is_empty()).then(|| splice(self.body.as_bytes(), &edits))
        } else {
            Some(translate(self.dialect, provider.dialect, &self.body, &target, &mut loss)?)
        };
        if self.key.loss == LossPolicy::Strict && !loss.paths().is_empty() {
            return Err(lossy(&loss, &provider.name));
        }
        let Some(path) = provider.path(self.endpoint).or_else(|| {
            // A translated chat goes to the upstream's own chat endpoint.
            provider.path(chat_endpoint(provider.dialect))
        }) else {
            return Err(Rejection::new(
                500,
                "internal_error",
                "The provider has no such endpoint. Tell the operator.",
            ));
        };
        let length = body.as_ref().map_or(self.body.len(), Vec::len);
        let mut headers: Headers = Vec::with_capacity(self.forward.len() + 12);
        let mut push = |name: &str, value: &str| headers.push((name.to_owned(), value.as_bytes().to_vec()));
        push(":method", "POST");
        push(":scheme", provider.scheme);
        push(":authority", &provider.authority);
        push(":path", &path);
        push("content-type", "application/json");
        push("content-length", itoa::Buffer::new().format(length));
        for (name, value) in &provider.headers {
            push(name, value);
        }
        let is_set = |name: &str| provider.headers.iter().any(|(own, _)| own == name);
        if same {
            headers.extend(self.forward.iter().filter(|(name, _)| !is_set(name)).cloned());
        } else {
            let accept = if peek.stream { "text/event-stream" } else { "application/json" };
            headers.push(("accept".to_owned(), accept.as_bytes().to_vec()));
            headers.push(("user-agent".to_owned(), b"sluice".to_vec()));
        }
        for (name, value) in provider.defaults() {
            if !headers.iter().any(|(present, _)| present == name) {
                headers.push(((*name).to_owned(), value.as_bytes().to_vec()));
            }
        }
        self.loss = loss.paths().to_vec();
        self.prepared = Some(Outgoing { headers, body });
        Ok(())
    }
}

const fn chat_endpoint(dialect: Dialect) -> crate::config::Endpoint {
    match dialect {
        Dialect::Openai => crate::config::Endpoint::ChatCompletions,
        Dialect::Anthropic => crate::config::Endpoint::Messages,
    }
}

fn translate(
    from: Dialect,
    to: Dialect,
    body: &str,
    target: &Target<'_>,
    loss: &mut Loss,
) -> Result<Vec<u8>, Rejection> {
    let refuse = |malformed| Rejection::malformed(&malformed);
    let request = inbound(from).decode_request(body, loss).map_err(refuse)?;
    let mut out = Vec::with_capacity(body.len() + body.len() / 8 + 256);
    outbound(to).encode_request(&request, target, loss, &mut out).map_err(refuse)?;
    Ok(out)
}

fn lossy(loss: &Loss, provider: &str) -> Rejection {
    let paths = loss.paths().join(", ");
    let message = format!(
        "Provider '{provider}' cannot carry {paths}, and this key's loss policy is strict. Leave it out, choose another \
         model, or set the policy to report."
    );
    let rejection = Rejection::new(400, "unsupported_parameter", message);
    match loss.paths().first() {
        Some(first) => rejection.param(first.clone()),
        None => rejection,
    }
}
