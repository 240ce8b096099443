//! Anthropic Messages, version 2023-06-01. <https://platform.claude.com/docs/en/api/messages>
//! Field map and known losses: `docs/dialects/anthropic.md`.
//!
//! Invariant: numbers and schemas are copied as text, strings in the form they came in.

mod error;
mod generation;
mod members;
mod models;
mod observe;
mod peek;
mod reply;
mod request;
mod stream;
mod tool_call;
mod usage;

use super::{
    DecodeStream, Edit, EncodeStream, Inbound, Observe, Outbound, Patch, Peek, ReplyContext, Summary, Target,
};
use crate::config::{Endpoint, Model};
use crate::ir::chat::{Reply, Request};
use crate::ir::error::{ApiError, Fault, Malformed};
use crate::ir::loss::Loss;

/// The dialect.
#[derive(Debug, Clone, Copy)]
pub struct Anthropic;

impl Inbound for Anthropic {
    fn decode_request<'a>(&self, body: &'a str, loss: &mut Loss) -> Result<Request<'a>, Malformed> {
        request::decode(body, loss)
    }

    fn encode_reply(&self, reply: &Reply<'_>, _context: &ReplyContext, out: &mut Vec<u8>) {
        reply::encode(reply, out);
    }

    fn stream_encoder(&self, _context: &ReplyContext) -> Box<dyn EncodeStream> {
        Box::new(stream::Encoder::default())
    }

    fn encode_error(&self, error: &ApiError, request_id: &str, out: &mut Vec<u8>) {
        error::encode(error, request_id, out);
    }

    fn encode_stream_error(&self, error: &ApiError, request_id: &str, out: &mut Vec<u8>) {
        error::encode_event(error, request_id, out);
    }

    fn encode_models(&self, models: &[&Model], out: &mut Vec<u8>) {
        models::encode_list(models, out);
    }

    fn encode_model(&self, model: &Model, out: &mut Vec<u8>) {
        models::encode(model, out);
    }

    fn request_id_header(&self) -> &'static str {
        "request-id"
    }
}

impl Outbound for Anthropic {
    fn path(&self, endpoint: Endpoint) -> Option<&'static str> {
        // Base URLs of this dialect end before the version, as the official clients have it.
        matches!(endpoint, Endpoint::ChatCompletions | Endpoint::Messages).then_some("/v1/messages")
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

impl Patch for Anthropic {
    fn peek<'a>(&self, _endpoint: Endpoint, body: &'a str) -> Result<Peek<'a>, Malformed> {
        peek::peek(body)
    }

    fn splice(&self, peek: &Peek<'_>, target: &Target<'_>) -> Vec<Edit> {
        peek::splice(peek, target)
    }

    fn peek_reply(&self, _endpoint: Endpoint, body: &str) -> Result<Summary, Fault> {
        reply::peek(body)
    }

    fn observer(&self, _endpoint: Endpoint, _keep_usage: bool) -> Box<dyn Observe> {
        Box::new(observe::Observer::default())
    }
}
