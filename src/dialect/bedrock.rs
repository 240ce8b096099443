//! Amazon Bedrock: Converse and `ConverseStream`, token counts, and the embeddings of Titan and Cohere; spoken by upstreams
//! only. <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>
//! Field map and known losses: `docs/dialects/bedrock.md`.
//!
//! Invariant: numbers and schemas are copied as text, strings in the form they came in; an upstream is read leniently.

mod embed;
mod error;
mod family;
mod reply;
mod request;
mod stream;
mod usage;

use super::{CountOutbound, DecodeStream, EmbedOutbound, Outbound, Target};
use crate::config::{Dialect, Endpoint, Operation, Usage};
use crate::ir::chat::{Reply, Request};
use crate::ir::embed as vectors;
use crate::ir::error::{ApiError, Fault, Malformed};
use crate::ir::loss::Loss;
use crate::wire::percent;
use std::borrow::Cow;

/// The dialect.
#[derive(Debug, Clone, Copy)]
pub struct Bedrock;

impl Outbound for Bedrock {
    fn path(&self, endpoint: Endpoint, target: &Target<'_>, stream: bool) -> Option<Cow<'static, str>> {
        let (model, verb) = match endpoint.operation() {
            Operation::Chat if stream => (target.model, "converse-stream"),
            Operation::Chat => (target.model, "converse"),
            Operation::Count => (family::base(target.model), "count-tokens"),
            Operation::Embed => (target.model, "invoke"),
            _ => return None,
        };
        Some(Cow::Owned(format!("/model/{}/{verb}", percent::encode(model))))
    }

    fn maker(&self, model: &str) -> Option<Dialect> {
        matches!(family::Family::of(model), family::Family::Claude(_)).then_some(Dialect::Anthropic)
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

    fn stream_type(&self) -> &'static str {
        "application/vnd.amazon.eventstream"
    }

    fn counts(&self) -> Option<&'static dyn CountOutbound> {
        Some(&Self)
    }

    fn embeds(&self) -> Option<&'static dyn EmbedOutbound> {
        Some(&Self)
    }

    fn usage_told(&self, headers: &[(String, Vec<u8>)]) -> Option<Usage> {
        usage::of_headers(headers)
    }

    fn decode_error(&self, status: u16, headers: &[(String, Vec<u8>)], body: &[u8]) -> ApiError {
        error::decode(status, headers, body)
    }
}

impl CountOutbound for Bedrock {
    fn encode_request(
        &self,
        request: &Request<'_>,
        target: &Target<'_>,
        loss: &mut Loss,
        out: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        request::encode_count(request, target, loss, out)
    }

    fn decode_reply(&self, body: &str) -> Result<u64, Fault> {
        reply::decode_count(body)
    }
}

impl EmbedOutbound for Bedrock {
    fn encode_request(
        &self,
        request: &vectors::Request<'_>,
        target: &Target<'_>,
        loss: &mut Loss,
        out: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        embed::encode(request, target, loss, out)
    }

    fn decode_reply<'a>(&self, _target: &Target<'_>, body: &'a str) -> Result<vectors::Reply<'a>, Fault> {
        embed::decode(body)
    }
}
