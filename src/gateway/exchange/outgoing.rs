//! Writing an attempt's request.

use super::Exchange;
use crate::config::{Dialect, LossPolicy, Operation};
use crate::dialect::cut::take_out;
use crate::dialect::terms::{own, tell};
use crate::dialect::{Target, inbound, outbound, splice};
use crate::gateway::headers::{Headers, get};
use crate::gateway::plan::Step;
use crate::gateway::reject::Rejection;
use crate::gateway::route::{Asked, Stored};
use crate::ir::chat::Message;
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
use std::rc::Rc;

/// One attempt's request. It replaces headers and body whole, so nothing of an earlier attempt can remain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// All headers, pseudo headers first.
    pub headers: Headers,
    /// The body; `None` if it is the client's, byte for byte.
    pub body: Option<Vec<u8>>,
}

/// Why a step's request cannot be written.
#[derive(Debug)]
pub(super) enum Unfit {
    /// The request is not what its own dialect says: no other step could read it better.
    Request(Rejection),
    /// This step cannot serve it.
    Step {
        /// [`crate::config::PassedOver::lacks`].
        lacks: String,
        rejection: Rejection,
    },
}

impl Unfit {
    fn request(malformed: &Malformed) -> Self {
        Self::Request(Rejection::malformed(malformed))
    }

    fn step(malformed: &Malformed) -> Self {
        Self::Step { lacks: malformed.path.clone(), rejection: Rejection::malformed(malformed) }
    }

    fn endpoint() -> Self {
        let message = "The provider has no such endpoint. Choose another model.";
        let rejection = Rejection::new(404, "model_not_found", message).param("model");
        Self::Step { lacks: "endpoint".to_owned(), rejection }
    }

    /// What the step lacks.
    pub(super) fn lacks(&self) -> &str {
        match self {
            Self::Request(rejection) => rejection.error.param.as_deref().unwrap_or("body"),
            Self::Step { lacks, .. } => lacks,
        }
    }
}

impl Exchange {
    /// Writes the request for the current step.
    pub(super) fn prepare(&mut self) -> Result<(), Unfit> {
        let (Some(step), Some(peek)) = (self.plan.get(self.at), self.peek.as_ref()) else {
            let rejection =
                Rejection::new(500, "internal_error", "There is nothing to send. Tell the operator.");
            return Err(Unfit::Request(rejection));
        };
        let provider = &step.provider;
        let target = target(&self.asked, step);
        let mut loss = Loss::default();
        let patched = self.is_patched_at(step);
        let body = if patched {
            let edits = self.content.edits(self.dialect, peek, &target, &mut loss);
            let spliced = (!edits.is_empty()).then(|| splice(self.content.bytes(), &edits));
            self.withhold(step, spliced, &mut loss)
        } else {
            let text = self.content.text();
            let body = translate(&self.asked, self.dialect, step.dialect, text, &target, &mut loss)?;
            // Another step's losses are others.
            let echo = inbound(self.dialect).echo(&self.asked.ask(), text, loss.paths());
            self.echo = Some(Rc::from(echo));
            Some(body)
        };
        if self.key.loss == LossPolicy::Strict
            && let Some(first) = loss.paths().first()
        {
            return Err(Unfit::Step { lacks: first.clone(), rejection: lossy(&loss, &provider.name) });
        }
        let path = path(&self.asked, step, &target, peek.stream, patched).ok_or_else(Unfit::endpoint)?;
        let length = body.as_ref().map_or(self.content.bytes().len(), Vec::len);
        let method = self.asked.stored.as_ref().map_or("POST", |stored| stored.method);
        let mut headers: Headers = Vec::with_capacity(self.forward.len() + 12);
        let mut push = |name: &str, value: &str| headers.push((name.to_owned(), value.as_bytes().to_vec()));
        push(":method", method);
        push(":scheme", provider.scheme);
        push(":authority", &provider.authority);
        push(":path", &path);
        if length > 0 {
            push("content-type", self.content.kind());
        }
        if length > 0 || method == "POST" {
            push("content-length", itoa::Buffer::new().format(length));
        }
        for (name, value) in &provider.headers {
            push(name, value);
        }
        if patched {
            self.forward_to(step, &mut headers);
        } else {
            let accept = if peek.stream { outbound(step.dialect).stream_type() } else { "application/json" };
            push("accept", accept);
            push("user-agent", "sluice");
        }
        for (name, value) in provider.defaults(step.dialect) {
            if !headers.iter().any(|(present, _)| present == name) {
                headers.push(((*name).to_owned(), value.as_bytes().to_vec()));
            }
        }
        self.loss = loss.paths().to_vec();
        self.prepared = Some(Outgoing { headers, body });
        Ok(())
    }

    /// A body without what the provider's rule about betas keeps from it.
    fn withhold(&self, step: &Step, body: Option<Vec<u8>>, loss: &mut Loss) -> Option<Vec<u8>> {
        let names = match get(&self.forward, "anthropic-beta") {
            Some(flags) if step.dialect == Dialect::Anthropic => step.provider.withheld(flags),
            _ => return body,
        };
        if names.is_empty() {
            return body;
        }
        match take_out(body.as_deref().unwrap_or_else(|| self.content.bytes()), &names) {
            Some((left, found)) => {
                found.into_iter().for_each(|name| loss.drop(name));
                Some(left)
            }
            None => body,
        }
    }

    /// The client's own headers go on where the client's own dialect is spoken, but for those that the owner sets.
    fn forward_to(&self, step: &Step, headers: &mut Headers) {
        let provider = &step.provider;
        for (name, value) in &self.forward {
            if provider.headers.iter().any(|(own, _)| own == name) || !provider.takes_header(name) {
                continue;
            }
            let value = match std::str::from_utf8(value) {
                Ok(flags) if name == "anthropic-beta" => match provider.anthropic_betas(flags) {
                    Some(flags) => flags.as_bytes().to_vec(),
                    None => continue,
                },
                _ => value.clone(),
            };
            headers.push((name.clone(), value));
        }
    }

    /// Signs a request that its provider wants signed, when it is about to be sent: a signature does not last.
    pub(super) fn sign(&self, outgoing: &mut Outgoing, unix: u64) {
        let Some(step) = self.step() else { return };
        if step.provider.signs() {
            let body = outgoing.body.as_deref().unwrap_or_else(|| self.content.bytes());
            step.provider.sign(&mut outgoing.headers, body, unix);
        }
    }
}

/// Where a step's requests go.
pub(super) fn target<'a>(asked: &Asked, step: &'a Step) -> Target<'a> {
    let most = step.model.as_ref().and_then(|model| model.max_output_tokens);
    step.provider.target(asked.endpoint, step.dialect, &step.upstream_id, most)
}

fn path(asked: &Asked, step: &Step, target: &Target<'_>, stream: bool, patched: bool) -> Option<String> {
    let provider = &step.provider;
    if let Some(stored) = &asked.stored {
        return provider
            .path(crate::config::Endpoint::Responses, step.dialect, target, false)
            .map(|path| below(&path, stored));
    }
    let path = provider.path(asked.endpoint, step.dialect, target, stream)?;
    if asked.beta && patched && provider.keeps_query() {
        let joint = if path.contains('?') { '&' } else { '?' };
        return Some(format!("{path}{joint}beta=true"));
    }
    Some(path)
}

/// A stored reply's path under that of its collection. The provider's own query stays behind it, and the client's
/// repeats nothing of it: neither a version nor a credential.
fn below(path: &str, stored: &Stored) -> String {
    let (path, own) = path.split_once('?').unwrap_or((path, ""));
    let name = |pair: &str| pair.split('=').next().unwrap_or_default().to_owned();
    let pairs = |query| str::split(query, '&').filter(|pair| !pair.is_empty());
    let taken: Vec<String> = pairs(own).map(name).collect();
    let query: Vec<&str> =
        pairs(own).chain(pairs(&stored.query).filter(|pair| !taken.contains(&name(pair)))).collect();
    let joint = if query.is_empty() { "" } else { "?" };
    format!("{path}/{}{}{joint}{}", stored.id, stored.part, query.join("&"))
}

fn translate(
    asked: &Asked,
    from: Dialect,
    to: Dialect,
    body: &str,
    target: &Target<'_>,
    loss: &mut Loss,
) -> Result<Vec<u8>, Unfit> {
    let mut out = Vec::with_capacity(body.len() + body.len() / 8 + 256);
    let ask = asked.ask();
    let mut unsaid = Loss::default();
    // Whether the request asks nothing, as far as it was understood.
    let mut blank = false;
    let written = match asked.endpoint.operation() {
        Operation::Chat => {
            let mut request =
                inbound(from).decode_request(&ask, body, loss).map_err(|bad| Unfit::request(&bad))?;
            shorten(&mut request.sampling.max_tokens, target, &mut unsaid);
            blank = request.messages.iter().all(Message::is_blank);
            outbound(to).encode_request(&request, target, &mut unsaid, &mut out)
        }
        Operation::Count => {
            let counts = outbound(to).counts().ok_or_else(Unfit::endpoint)?;
            let request =
                inbound(from).decode_request(&ask, body, loss).map_err(|bad| Unfit::request(&bad))?;
            blank = request.messages.iter().all(Message::is_blank);
            counts.encode_request(&request, target, &mut unsaid, &mut out)
        }
        Operation::Embed => {
            let embeds = inbound(from).embeds().zip(outbound(to).embeds());
            let (from, to) = embeds.ok_or_else(Unfit::endpoint)?;
            let request = from.decode_request(&ask, body, loss).map_err(|bad| Unfit::request(&bad))?;
            to.encode_request(&request, target, &mut unsaid, &mut out)
        }
        Operation::Complete | Operation::Image | Operation::Stored | Operation::List => {
            return Err(Unfit::endpoint());
        }
    };
    let terms = inbound(from).terms();
    written.map_err(|unsayable| {
        let path = own(&terms, &unsayable.path).into_owned();
        let malformed = Malformed { path, ..unsayable };
        // A turn that says nothing is the client's own error, and no reason to have another model answer it. But what was
        // not understood may say something to its own vendor.
        let turns = own(&terms, "messages");
        let unread = loss.is_cut() || loss.paths().iter().any(|path| path.starts_with(&*turns));
        if blank && !unread { Unfit::request(&malformed) } else { Unfit::step(&malformed) }
    })?;
    tell(&terms, &unsaid, loss);
    Ok(out)
}

/// A client that asks for longer replies than the model has (agents ask every model for as much as their own vendor's
/// gives) gets the model's longest: a vendor would refuse the request.
fn shorten(asked: &mut Option<u64>, target: &Target<'_>, loss: &mut Loss) {
    if let Some(most) = target.max_output_tokens.filter(|most| asked.is_some_and(|asked| asked > *most)) {
        *asked = Some(most);
        loss.drop("max_tokens");
    }
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
