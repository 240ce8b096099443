//! OpenAI Chat Completions, and the embeddings and legacy completions beside it (which only the patch lane serves).
//!
//! Spec: OpenAI's API reference; the many vendors that imitate it are read leniently, and each leniency says whose it is.
//!
//! Invariant: a client is read strictly (a wrong type is named with its JSON path), an upstream leniently.

mod choice;
mod error;
mod finish;
mod generation;
mod models;
mod observe;
mod peek;
mod reply;
mod request;
mod stream;
mod usage;
mod wire;

use super::{
    DecodeStream, Edit, EncodeStream, Inbound, Observe, Outbound, Patch, Peek, ReplyContext, Summary, Target,
};
use crate::config::{Endpoint, Model};
use crate::ir::chat::{Reply, Request};
use crate::ir::error::{ApiError, Fault, Malformed};
use crate::ir::loss::Loss;

/// The dialect.
#[derive(Debug, Clone, Copy)]
pub struct Openai;

impl Inbound for Openai {
    fn decode_request<'a>(&self, body: &'a str, loss: &mut Loss) -> Result<Request<'a>, Malformed> {
        request::decode(body, loss)
    }

    fn encode_reply(&self, reply: &Reply<'_>, context: &ReplyContext, out: &mut Vec<u8>) {
        reply::encode(reply, context, out);
    }

    fn stream_encoder(&self, context: &ReplyContext) -> Box<dyn EncodeStream> {
        Box::new(stream::Encoder::new(context))
    }

    fn encode_error(&self, error: &ApiError, _request_id: &str, out: &mut Vec<u8>) {
        error::encode(error, out);
    }

    fn encode_stream_error(&self, error: &ApiError, _request_id: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(b"data: ");
        error::encode(error, out);
        out.extend_from_slice(b"\n\n");
    }

    fn encode_models(&self, models: &[&Model], out: &mut Vec<u8>) {
        models::encode_list(models, out);
    }

    fn encode_model(&self, model: &Model, out: &mut Vec<u8>) {
        models::encode(model, out);
    }

    fn request_id_header(&self) -> &'static str {
        "x-request-id"
    }
}

impl Outbound for Openai {
    fn path(&self, endpoint: Endpoint) -> Option<&'static str> {
        match endpoint {
            Endpoint::ChatCompletions => Some("/chat/completions"),
            Endpoint::Completions => Some("/completions"),
            Endpoint::Embeddings => Some("/embeddings"),
            Endpoint::Models => Some("/models"),
            Endpoint::Messages => None,
        }
    }

    fn encode_request(
        &self,
        request: &Request<'_>,
        target: &Target<'_>,
        loss: &mut Loss,
        out: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        request::encode(request, target, loss, out)
    }

    fn decode_reply<'a>(&self, body: &'a str) -> Result<Reply<'a>, Fault> {
        reply::decode(body)
    }

    fn stream_decoder(&self) -> Box<dyn DecodeStream> {
        Box::new(stream::Decoder::default())
    }

    fn decode_error(&self, status: u16, body: &[u8]) -> ApiError {
        error::decode(status, body)
    }
}

impl Patch for Openai {
    fn peek<'a>(&self, endpoint: Endpoint, body: &'a str) -> Result<Peek<'a>, Malformed> {
        peek::peek(endpoint, body)
    }

    fn splice(&self, peek: &Peek<'_>, target: &Target<'_>) -> Vec<Edit> {
        peek::splice(peek, target)
    }

    fn peek_reply(&self, endpoint: Endpoint, body: &str) -> Result<Summary, Fault> {
        observe::peek_reply(endpoint, body)
    }

    fn observer(&self, _endpoint: Endpoint, keep_usage: bool) -> Box<dyn Observe> {
        Box::new(observe::Observer::new(keep_usage))
    }
}
