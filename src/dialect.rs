//! F2: one room per wire format, behind two traits and the patch lane's third.
//!
//! Invariants: translation does no IO and reads no clock (ids and times come in); a room never imports another;
//! the patch lane never re-serialises.

pub mod anthropic;
pub mod bedrock;
pub mod gemini;
pub mod openai;
pub mod responses;
pub mod terms;

mod claude;
pub mod cut;
mod edit;
mod marker;
mod members;
mod openai_api;
mod schema;
mod thoughts;
mod tool_call;
mod turns;
mod value;

use crate::config::{Dialect, Endpoint, Model, Usage};
use crate::dialect::terms::Terms;
use crate::ir::chat::{Reply, Request};
use crate::ir::embed;
use crate::ir::error::{ApiError, Fault, Malformed};
use crate::ir::event::Event;
use crate::ir::loss::Loss;
use crate::wire::json::Text;
pub use edit::{Edit, Member, splice};
use std::borrow::Cow;
use std::ops::Range;
use std::rc::Rc;

/// What a request says outside of its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask<'a> {
    /// What is called.
    pub endpoint: Endpoint,
    /// The model, in dialects that name it in the path; percent-decoded.
    pub model: Option<&'a str>,
    /// Whether the path asks for a stream.
    pub stream: bool,
}

impl Ask<'_> {
    /// A request whose body says everything.
    #[must_use]
    pub const fn of(endpoint: Endpoint) -> Self {
        Self { endpoint, model: None, stream: false }
    }
}

/// What a client speaks.
pub trait Inbound: Sync {
    /// Reads a chat request (or one to be counted) whose syntax [`Patch::peek`] has accepted. Members that no IR field can
    /// hold go to `loss`.
    fn decode_request<'a>(
        &self,
        ask: &Ask<'a>,
        body: &'a str,
        loss: &mut Loss,
    ) -> Result<Request<'a>, Malformed>;

    /// What this dialect calls what Chat calls otherwise, for losses that encoders tell.
    fn terms(&self) -> Terms {
        Terms::default()
    }

    /// What a reply of this dialect repeats of its request, in a form of the dialect's own, where the reply is translated.
    /// `lost` are the paths of what the provider was not asked for.
    fn echo(&self, ask: &Ask<'_>, body: &str, lost: &[String]) -> String {
        let (_, _, _) = (ask, body, lost);
        String::new()
    }

    /// Appends a whole reply.
    fn encode_reply(&self, reply: &Reply<'_>, context: &ReplyContext, out: &mut Vec<u8>);

    /// Begins a streamed reply, as server-sent events.
    fn stream_encoder(&self, context: &ReplyContext) -> Box<dyn EncodeStream>;

    /// Appends the answer to a request for a token count. Called only for endpoints that count.
    fn encode_count(&self, tokens: u64, out: &mut Vec<u8>) {
        let (_, _) = (tokens, out);
    }

    /// Embeddings, where the dialect has them.
    fn embeds(&self) -> Option<&'static dyn EmbedInbound> {
        None
    }

    /// Appends an error body.
    fn encode_error(&self, error: &ApiError, request_id: &str, out: &mut Vec<u8>);

    /// Which page of the model list a query asks for; all of it, unless the dialect has pages and the query wants one.
    fn paging(&self, query: &dyn Fn(&str) -> Option<String>) -> Result<Paging, Malformed> {
        let _ = query;
        Ok(Paging::default())
    }

    /// Appends a page of the model list. `more` says that the list goes on, in the direction in which it was asked for.
    fn encode_models(&self, models: &[&Model], more: bool, out: &mut Vec<u8>);

    /// Appends one model.
    fn encode_model(&self, model: &Model, out: &mut Vec<u8>);

    /// The reply header in which official clients look for the request id, in lower case.
    fn request_id_header(&self) -> &'static str;
}

/// A page of the model list. Models are in the order of their ids, and pages are cut between ids, so that a model that goes
/// in the meantime moves no other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Paging {
    /// The most models of a page.
    pub limit: Option<usize>,
    /// The id that it begins behind.
    pub after: Option<String>,
    /// The id that it ends before; asks for the last ones there.
    pub before: Option<String>,
}

/// Turns events into a client's stream.
pub trait EncodeStream {
    /// Appends what this event is in the client's dialect, as whole blocks; may be nothing.
    fn event(&mut self, event: &Event<'_>, out: &mut Vec<u8>);

    /// Appends an error as an event, for a stream that has begun. Official clients raise it as an exception.
    fn error(&mut self, error: &ApiError, request_id: &str, out: &mut Vec<u8>);
}

/// The client's side of embeddings.
pub trait EmbedInbound: Sync {
    /// Reads a request whose syntax [`Patch::peek`] has accepted.
    fn decode_request<'a>(
        &self,
        ask: &Ask<'a>,
        body: &'a str,
        loss: &mut Loss,
    ) -> Result<embed::Request<'a>, Malformed>;

    /// Appends a reply. An error means that the provider's vectors are not numbers.
    fn encode_reply(
        &self,
        reply: &embed::Reply<'_>,
        context: &ReplyContext,
        out: &mut Vec<u8>,
    ) -> Result<(), Fault>;
}

/// What an upstream speaks.
pub trait Outbound: Sync {
    /// Path (and query) under a provider's base URL for what a client of any dialect calls, beginning with `/`; `None` if
    /// the dialect has no such thing. The model's id is percent-encoded where it stands in the path.
    fn path(&self, endpoint: Endpoint, target: &Target<'_>, stream: bool) -> Option<Cow<'static, str>>;

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

    /// Where signatures of a model's thinking are at home, if that is another dialect than this one: its maker's, who takes
    /// them back wherever they were made.
    fn maker(&self, model: &str) -> Option<Dialect> {
        let _ = model;
        None
    }

    /// The media type of streamed replies, in lower case.
    fn stream_type(&self) -> &'static str {
        "text/event-stream"
    }

    /// Counting, where the dialect has it.
    fn counts(&self) -> Option<&'static dyn CountOutbound> {
        None
    }

    /// Embeddings, where the dialect has them.
    fn embeds(&self) -> Option<&'static dyn EmbedOutbound> {
        None
    }

    /// What a whole reply used, where the dialect says so in its headers (lower-case names).
    fn usage_told(&self, headers: &[(String, Vec<u8>)]) -> Option<Usage> {
        let _ = headers;
        None
    }

    /// How long an error reply asks to wait, in milliseconds, where the dialect says so in the body.
    fn retry_after_ms(&self, body: &[u8]) -> Option<u64> {
        let _ = body;
        None
    }

    /// Reads an error reply. A body that is not the dialect's error becomes the message, cut to a sane length. `headers`
    /// are for dialects that name the error there; lower-case names.
    fn decode_error(&self, status: u16, headers: &[(String, Vec<u8>)], body: &[u8]) -> ApiError;
}

/// The upstream's side of token counts.
pub trait CountOutbound: Sync {
    /// Appends a request to count what a chat request comes to.
    fn encode_request(
        &self,
        request: &Request<'_>,
        target: &Target<'_>,
        loss: &mut Loss,
        out: &mut Vec<u8>,
    ) -> Result<(), Malformed>;

    /// Reads the count.
    fn decode_reply(&self, body: &str) -> Result<u64, Fault>;
}

/// The upstream's side of embeddings.
pub trait EmbedOutbound: Sync {
    /// Appends a request. One that the model cannot serve (more inputs than it takes) is `Malformed`.
    fn encode_request(
        &self,
        request: &embed::Request<'_>,
        target: &Target<'_>,
        loss: &mut Loss,
        out: &mut Vec<u8>,
    ) -> Result<(), Malformed>;

    /// Reads a reply with status 200.
    fn decode_reply<'a>(&self, target: &Target<'_>, body: &'a str) -> Result<embed::Reply<'a>, Fault>;
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
    /// Whether the body names the model, in dialects whose owner wants that; some vendors name it in the path instead.
    pub model_in_body: bool,
    /// Members that the vendor wants in every body, as names and JSON text.
    pub extra: &'static [(&'static str, &'static str)],
    /// Whether vectors are asked for in another form of the dialect than its clients': as predictions of instances, which
    /// is Vertex AI's for models that are not Gemini's.
    pub predicts: bool,
}

impl<'a> Target<'a> {
    /// A model of the dialect's owner.
    #[must_use]
    pub const fn of(model: &'a str) -> Self {
        Self {
            model,
            max_output_tokens: None,
            stream_usage: true,
            model_in_body: true,
            extra: &[],
            predicts: false,
        }
    }
}

/// What a reply needs that is not in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyContext {
    /// What was called.
    pub endpoint: Endpoint,
    /// Unix seconds.
    pub created: u64,
    /// Whether the client asked for usage in the stream (OpenAI's `stream_options.include_usage`).
    pub include_usage: bool,
    /// The public id of the model that serves.
    pub model: Rc<str>,
    /// The exchange's id, for ids that the provider does not give.
    pub request_id: Rc<str>,
    /// [`Inbound::echo`].
    pub echo: Rc<str>,
}

impl ReplyContext {
    /// A context in which nothing is known but what was called and when.
    #[must_use]
    pub fn new(endpoint: Endpoint, created: u64) -> Self {
        let nothing: Rc<str> = Rc::from("");
        Self {
            endpoint,
            created,
            include_usage: true,
            model: Rc::clone(&nothing),
            request_id: Rc::clone(&nothing),
            echo: nothing,
        }
    }
}

/// The patch lane: client and upstream speak the same dialect, and the client's bytes are the truth.
pub trait Patch: Sync {
    /// Checks the syntax of a whole request body and notes what policy and [`Patch::splice`] need. A top-level member
    /// that occurs twice is refused: policy and upstream must read the same `model`.
    fn peek<'a>(&self, ask: &Ask<'a>, body: &'a str) -> Result<Peek<'a>, Malformed>;

    /// The edits that turn the client's body into the upstream's, in any order. What they take from what the client said
    /// goes to `loss`, in the client's terms.
    fn splice(&self, peek: &Peek<'_>, target: &Target<'_>, loss: &mut Loss) -> Vec<Edit>;

    /// Looks at a whole reply with status 200.
    fn peek_reply(&self, endpoint: Endpoint, body: &str) -> Result<Summary, Fault>;

    /// Begins to watch a streamed reply. Usage that the client did not ask for is dropped unless `keep_usage`.
    fn observer(&self, endpoint: Endpoint, keep_usage: bool) -> Box<dyn Observe>;
}

/// What one look over a request body found. Spans are byte offsets into the body.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Peek<'a> {
    /// `model`, or [`Ask::model`].
    pub model: Text<'a>,
    /// The span of its value, quotes included; `None` if it is not in the body.
    pub model_span: Option<Range<usize>>,
    /// The span of the member that holds it, from its name on, where some vendor wants the body without.
    pub model_member: Option<Range<usize>>,
    /// Members that repeat the model which the path names.
    pub repeated: Vec<Member>,
    /// Members with proofs of other dialects where some models demand that one stands.
    pub unproved: Vec<Member>,
    /// The spans of members' values that some vendor wants in the body ([`Target::extra`]) and that are there already.
    pub extra: Vec<(&'static str, Range<usize>)>,
    /// Whether the client wants a stream.
    pub stream: bool,
    /// The edit by which the upstream is asked for usage in the stream; `None` if the client asks for it already,
    /// wants no stream, or speaks a dialect that always tells.
    pub stream_options: Option<Edit>,
    /// Edits that every provider of the dialect needs: what another dialect has proved is taken out
    /// ([`crate::ir::proof`]).
    pub edits: Vec<Edit>,
    /// What these edits take.
    pub loss: Loss,
    /// Whether the client asked for usage in the stream.
    pub include_usage: bool,
    /// The reply limit, whichever member carries it.
    pub max_tokens: Option<u64>,
    /// Replies asked for.
    pub n: u64,
    /// What the request builds on and only the provider that keeps it can serve: `previous_response_id`.
    pub builds_on: Option<Text<'a>>,
    /// Whether only a provider of the dialect can serve it: it asks for something to be kept or done later (`background`,
    /// a stored prompt or conversation). The member's name.
    pub native: Option<&'static str>,
    /// The offset of the body's closing brace.
    pub end: usize,
    /// What the model must be able to do.
    pub needs: Needs,
}

impl Peek<'_> {
    /// Without the body.
    #[must_use]
    pub fn into_owned(self) -> Peek<'static> {
        Peek {
            model: self.model.into_owned(),
            builds_on: self.builds_on.map(Text::into_owned),
            model_span: self.model_span,
            model_member: self.model_member,
            repeated: self.repeated,
            unproved: self.unproved,
            extra: self.extra,
            stream: self.stream,
            stream_options: self.stream_options,
            edits: self.edits,
            loss: self.loss,
            include_usage: self.include_usage,
            max_tokens: self.max_tokens,
            n: self.n,
            native: self.native,
            end: self.end,
            needs: self.needs,
        }
    }
}

/// What a request needs of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    /// Image input.
    pub images: bool,
    /// Sound as input.
    pub audio: bool,
    /// Documents (PDF) as input.
    pub documents: bool,
    /// Tool calls.
    pub tools: bool,
    /// Replies that fit a JSON schema.
    pub schema: bool,
    /// Prompt size, roughly: bytes of the body by four.
    pub prompt_tokens: u64,
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
    /// The reply as the provider keeps it, where it does and the dialect has calls about it.
    pub stored: Option<StoredReply>,
}

/// A reply that a provider keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredReply {
    /// Under which id.
    pub id: String,
    /// How far it is, if it is made in the background.
    pub background: Option<Progress>,
    /// Its model, as the provider names it.
    pub model: Option<String>,
}

impl Summary {
    /// How far the reply is, if it is made in the background.
    #[must_use]
    pub fn background(&self) -> Option<Progress> {
        self.stored.as_ref().and_then(|stored| stored.background)
    }
}

/// How far a reply is that is made in the background.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// There is more to come.
    UnderWay,
    /// It has ended, whichever way.
    Over,
}

/// Watches a stream that passes through.
pub trait Observe {
    /// Looks at one block (see [`crate::wire::sse::Splitter`]).
    fn block(&mut self, block: &[u8]) -> Result<Sight, Fault>;

    /// What has been seen so far.
    fn summary(&self) -> &Summary;

    /// Whether the reply is whole: the dialect's last event, or at least a finish reason, was seen.
    fn is_complete(&self) -> bool;

    /// Appends an error as an event, for a stream that breaks off after it has begun.
    fn error(&mut self, error: &ApiError, request_id: &str, out: &mut Vec<u8>);
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

/// One room.
#[derive(Clone, Copy)]
struct Room {
    inbound: &'static dyn Inbound,
    outbound: &'static dyn Outbound,
    patch: &'static dyn Patch,
}

/// The registry: a dialect is a row here and a room beside this file.
const fn room(dialect: Dialect) -> Room {
    match dialect {
        Dialect::Openai => {
            Room { inbound: &openai::Openai, outbound: &openai::Openai, patch: &openai::Openai }
        }
        Dialect::Anthropic => Room {
            inbound: &anthropic::Anthropic,
            outbound: &anthropic::Anthropic,
            patch: &anthropic::Anthropic,
        },
        Dialect::Bedrock => {
            Room { inbound: &openai::Openai, outbound: &bedrock::Bedrock, patch: &openai::Openai }
        }
        Dialect::Responses => Room {
            inbound: &responses::Responses,
            outbound: &responses::Responses,
            patch: &responses::Responses,
        },
        Dialect::Gemini => {
            Room { inbound: &gemini::Gemini, outbound: &gemini::Gemini, patch: &gemini::Gemini }
        }
    }
}

/// The client side of a dialect. Where no client speaks it, OpenAI's stands in: nothing can reach it.
#[must_use]
pub fn inbound(dialect: Dialect) -> &'static dyn Inbound {
    #[cfg(test)]
    return tests::inbound(dialect);
    #[cfg(not(test))]
    room(dialect).inbound
}

/// The upstream side of a dialect.
#[must_use]
pub fn outbound(dialect: Dialect) -> &'static dyn Outbound {
    #[cfg(test)]
    return tests::outbound(dialect);
    #[cfg(not(test))]
    room(dialect).outbound
}

/// The patch lane of a dialect. Where no client speaks it, OpenAI's stands in: nothing can reach it.
#[must_use]
pub fn patch(dialect: Dialect) -> &'static dyn Patch {
    room(dialect).patch
}

#[cfg(test)]
pub(crate) mod tests;
