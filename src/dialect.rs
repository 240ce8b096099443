//! F2: one room per wire format, behind two traits and the patch lane's third.
//!
//! Invariants: translation does no IO and reads no clock (ids and times come in); a room never imports another;
//! the patch lane never re-serialises.

pub mod anthropic;
pub mod openai;

use crate::config::{Dialect, Endpoint, Model, Usage};
use crate::ir::chat::{Reply, Request};
use crate::ir::error::{ApiError, Fault, Malformed};
use crate::ir::event::Event;
use crate::ir::loss::Loss;
use crate::wire::json::Text;
use std::ops::Range;

/// What a client speaks.
pub trait Inbound: Sync {
    /// Reads a chat request whose syntax [`Patch::peek`] has accepted. Members that no IR field can hold go to `loss`.
    fn decode_request<'a>(&self, body: &'a str, loss: &mut Loss) -> Result<Request<'a>, Malformed>;

    /// Appends a whole reply.
    fn encode_reply(&self, reply: &Reply<'_>, context: &ReplyContext, out: &mut Vec<u8>);

    /// Begins a streamed reply.
    fn stream_encoder(&self, context: &ReplyContext) -> Box<dyn EncodeStream>;

    /// Appends an error body.
    fn encode_error(&self, error: &ApiError, request_id: &str, out: &mut Vec<u8>);

    /// Appends an error as an event, for a stream that has begun. Official clients raise it as an exception.
    fn encode_stream_error(&self, error: &ApiError, request_id: &str, out: &mut Vec<u8>);

    /// Appends the model list. It is not paged: everything is in it.
    fn encode_models(&self, models: &[&Model], out: &mut Vec<u8>);

    /// Appends one model.
    fn encode_model(&self, model: &Model, out: &mut Vec<u8>);

    /// The reply header in which official clients look for the request id, in lower case.
    fn request_id_header(&self) -> &'static str;
}

/// Turns events into a client's stream.
pub trait EncodeStream {
    /// Appends what this event is in the client's dialect; may be nothing.
    fn event(&mut self, event: &Event<'_>, out: &mut Vec<u8>);
}

/// What an upstream speaks.
pub trait Outbound: Sync {
    /// The path under a provider's base URL, beginning with `/`.
    fn path(&self, endpoint: Endpoint) -> Option<&'static str>;

    /// Appends a chat request. What the dialect cannot say goes to `loss`, in neutral (OpenAI) names; a request that it
    /// cannot serve at all is `Malformed`.
    fn encode_request(
        &self,
        request: &Request<'_>,
        target: &Target<'_>,
        loss: &mut Loss,
        out: &mut Vec<u8>,
    ) -> Result<(), Malformed>;

    /// Reads a whole reply with status 200.
    fn decode_reply<'a>(&self, body: &'a str) -> Result<Reply<'a>, Fault>;

    /// Begins to read a streamed reply.
    fn stream_decoder(&self) -> Box<dyn DecodeStream>;

    /// Reads an error reply. A body that is not the dialect's error becomes the message, cut to a sane length.
    fn decode_error(&self, status: u16, body: &[u8]) -> ApiError;
}

/// Turns an upstream's bytes into events that keep the grammar of [`crate::ir::event`].
pub trait DecodeStream {
    /// Takes the next bytes, however they are cut.
    fn push(&mut self, chunk: &[u8], sink: &mut dyn FnMut(Event<'_>)) -> Result<(), Fault>;

    /// The upstream closed the stream. `Truncated` (or `Empty`) unless the reply was whole.
    fn finish(&mut self, sink: &mut dyn FnMut(Event<'_>)) -> Result<(), Fault>;
}

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target<'a> {
    /// The id that the provider's API takes.
    pub model: &'a str,
    /// The model's largest reply, for dialects in which `max_tokens` is mandatory.
    pub max_output_tokens: Option<u64>,
    /// Whether usage may be asked for in streams ([`crate::config::Provider::stream_usage`]).
    pub stream_usage: bool,
}

/// What a reply needs that is not in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyContext {
    /// Unix seconds.
    pub created: u64,
    /// Whether the client asked for usage in the stream (OpenAI's `stream_options.include_usage`).
    pub include_usage: bool,
}

/// The patch lane: client and upstream speak the same dialect, and the client's bytes are the truth.
pub trait Patch: Sync {
    /// Checks the syntax of a whole request body and notes what policy and [`Patch::splice`] need. A top-level member
    /// that occurs twice is refused: policy and upstream must read the same `model`.
    fn peek<'a>(&self, endpoint: Endpoint, body: &'a str) -> Result<Peek<'a>, Malformed>;

    /// The edits that turn the client's body into the upstream's, in order, not overlapping.
    fn splice(&self, peek: &Peek<'_>, target: &Target<'_>) -> Vec<Edit>;

    /// Looks at a whole reply with status 200.
    fn peek_reply(&self, endpoint: Endpoint, body: &str) -> Result<Summary, Fault>;

    /// Begins to watch a streamed reply. Usage that the client did not ask for is dropped unless `keep_usage`.
    fn observer(&self, endpoint: Endpoint, keep_usage: bool) -> Box<dyn Observe>;
}

/// What one look over a request body found. Spans are byte offsets into the body.
#[derive(Debug, Clone, PartialEq)]
pub struct Peek<'a> {
    /// `model`.
    pub model: Text<'a>,
    /// The span of its value, quotes included.
    pub model_span: Range<usize>,
    /// `stream`.
    pub stream: bool,
    /// The edit by which the upstream is asked for usage in the stream; `None` if the client asks for it already,
    /// wants no stream, or speaks a dialect that always tells.
    pub stream_options: Option<Edit>,
    /// Whether the client asked for usage in the stream.
    pub include_usage: bool,
    /// The reply limit, whichever member carries it.
    pub max_tokens: Option<u64>,
    /// Replies asked for.
    pub n: u64,
    /// The offset of the body's closing brace.
    pub end: usize,
    /// What the model must be able to do.
    pub needs: Needs,
}

/// What a request needs of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    /// Image input.
    pub images: bool,
    /// Tool calls.
    pub tools: bool,
    /// Replies that fit a JSON schema.
    pub schema: bool,
    /// Prompt size, roughly: bytes of the body by four.
    pub prompt_tokens: u64,
}

/// One change of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; empty to insert.
    pub span: Range<usize>,
    /// By what.
    pub with: Vec<u8>,
}

/// Applies edits. Bytes outside of them stay as they are.
#[must_use]
pub fn splice(body: &[u8], edits: &[Edit]) -> Vec<u8> {
    let grown: usize = edits.iter().map(|edit| edit.with.len()).sum();
    let mut out = Vec::with_capacity(body.len() + grown);
    let mut at = 0;
    for edit in edits {
        out.extend_from_slice(body.get(at..edit.span.start).unwrap_or_default());
        out.extend_from_slice(&edit.with);
        at = edit.span.end;
    }
    out.extend_from_slice(body.get(at..).unwrap_or_default());
    out
}

/// What a reply turned out to be, for the record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// The provider's counts.
    pub usage: Option<Usage>,
    /// The provider's word.
    pub finish_reason: Option<String>,
    /// Whether the finish was a content filter's or a refusal: the model did not answer.
    pub refused: bool,
    /// Bytes of text, thinking and arguments: what tokens are estimated from.
    pub output_bytes: u64,
}

/// Watches a stream that passes through.
pub trait Observe {
    /// Looks at one block (see [`crate::wire::sse::Splitter`]).
    fn block(&mut self, block: &[u8]) -> Result<Sight, Fault>;

    /// What has been seen so far.
    fn summary(&self) -> &Summary;

    /// Whether the reply is whole: the dialect's last event, or at least a finish reason, was seen.
    fn is_complete(&self) -> bool;
}

/// What one block of a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// It passes, and is no token.
    Silent,
    /// It passes, and is the sign of an answer.
    Token,
    /// It is usage that the client did not ask for.
    Unasked,
}

/// The client side of a dialect.
#[must_use]
pub fn inbound(dialect: Dialect) -> &'static dyn Inbound {
    match dialect {
        Dialect::Openai => &openai::Openai,
        Dialect::Anthropic => &anthropic::Anthropic,
    }
}

/// The upstream side of a dialect.
#[must_use]
pub fn outbound(dialect: Dialect) -> &'static dyn Outbound {
    match dialect {
        Dialect::Openai => &openai::Openai,
        Dialect::Anthropic => &anthropic::Anthropic,
    }
}

/// The patch lane of a dialect.
#[must_use]
pub fn patch(dialect: Dialect) -> &'static dyn Patch {
    match dialect {
        Dialect::Openai => &openai::Openai,
        Dialect::Anthropic => &anthropic::Anthropic,
    }
}
