//! Anthropic Messages, version 2023-06-01. <https://platform.claude.com/docs/en/api/messages>
//! Field map and known losses: `docs/dialects/anthropic.md`.
//!
//! Invariant: numbers and schemas are copied as text, strings in the form they came in.

mod count;
mod error;
mod models;
mod observe;
mod peek;
mod reply;
mod request;
mod stream;
mod usage;

use super::{
    Ask, CountOutbound, DecodeStream, Edit, EncodeStream, Inbound, Observe, Outbound, Paging, Patch, Peek,
    ReplyContext, Summary, Target,
};
use crate::config::{Endpoint, Model, Operation};
use crate::dialect::terms::Terms;
use crate::ir::chat::{Reply, Request};
use crate::ir::error::{ApiError, Fault, Malformed};
use crate::ir::loss::Loss;
use std::borrow::Cow;

/// The dialect.
#[derive(Debug, Clone, Copy)]
pub struct Anthropic;

impl Inbound for Anthropic {
    fn terms(&self) -> Terms {
        Terms {
            names: &[
                ("stop", "stop_sequences"),
                ("user", "metadata.user_id"),
                ("parallel_tool_calls", "tool_choice.disable_parallel_tool_use"),
                ("response_format.json_schema", "output_config.format"),
                ("response_format", "output_config.format"),
                ("reasoning_effort", "thinking"),
                ("reasoning_summary", "thinking.display"),
            ],
            tools: &[(".function.parameters", ".input_schema"), (".function", "")],
            parts: &[(".filename", ".title")],
            ..Terms::default()
        }
    }

    fn decode_request<'a>(
        &self,
        ask: &Ask<'a>,
        body: &'a str,
        loss: &mut Loss,
    ) -> Result<Request<'a>, Malformed> {
        request::decode(ask.endpoint, body, loss)
    }

    fn encode_reply(&self, reply: &Reply<'_>, _context: &ReplyContext, out: &mut Vec<u8>) {
        reply::encode(reply, out);
    }

    fn stream_encoder(&self, _context: &ReplyContext) -> Box<dyn EncodeStream> {
        Box::new(stream::Encoder::default())
    }

    fn encode_count(&self, tokens: u64, out: &mut Vec<u8>) {
        count::encode(tokens, out);
    }

    fn encode_error(&self, error: &ApiError, request_id: &str, out: &mut Vec<u8>) {
        error::encode(error, request_id, out);
    }

    fn paging(&self, query: &dyn Fn(&str) -> Option<String>) -> Result<Paging, Malformed> {
        models::paging(query)
    }

    fn encode_models(&self, models: &[&Model], more: bool, out: &mut Vec<u8>) {
        models::encode_list(models, more, out);
    }

    fn encode_model(&self, model: &Model, out: &mut Vec<u8>) {
        models::encode(model, out);
    }

    fn request_id_header(&self) -> &'static str {
        "request-id"
    }
}

impl Outbound for Anthropic {
    fn path(&self, endpoint: Endpoint, _target: &Target<'_>, _stream: bool) -> Option<Cow<'static, str>> {
        // Base URLs of this dialect end before the version, as the official clients have it.
        match endpoint.operation() {
            Operation::Chat => Some(Cow::Borrowed("/v1/messages")),
            Operation::Count => Some(Cow::Borrowed("/v1/messages/count_tokens")),
            _ => None,
        }
    }

    fn encode_request(
        &self,
        request: &Request<'_>,
        target: &Target<'_>,
        loss: &mut Loss,
        out: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        request::encode(request, target, false, loss, out)
    }

    fn decode_reply<'a>(&self, body: &'a str) -> Result<Reply<'a>, Fault> {
        reply::decode(body)
    }

    fn stream_decoder(&self) -> Box<dyn DecodeStream> {
        Box::new(stream::Decoder::default())
    }

    fn counts(&self) -> Option<&'static dyn CountOutbound> {
        Some(&Self)
    }

    fn decode_error(&self, status: u16, _headers: &[(String, Vec<u8>)], body: &[u8]) -> ApiError {
        error::decode(status, body)
    }
}

impl Patch for Anthropic {
    fn peek<'a>(&self, _ask: &Ask<'a>, body: &'a str) -> Result<Peek<'a>, Malformed> {
        peek::peek(body)
    }

    fn splice(&self, peek: &Peek<'_>, target: &Target<'_>, loss: &mut Loss) -> Vec<Edit> {
        peek::splice(peek, target, loss)
    }

    fn peek_reply(&self, endpoint: Endpoint, body: &str) -> Result<Summary, Fault> {
        if endpoint.operation() == Operation::Count {
            return count::decode(body).map(|_| Summary::default());
        }
        reply::peek(body)
    }

    fn observer(&self, _endpoint: Endpoint, _keep_usage: bool) -> Box<dyn Observe> {
        Box::new(observe::Observer::default())
    }
}
