//! OpenAI Chat Completions and embeddings, and the images and legacy completions beside them (which only the patch lane
//! serves).
//!
//! Spec: OpenAI's API reference; the many vendors that imitate it are read leniently, and each leniency says whose it is.
//!
//! Invariant: a client is read strictly (a wrong type is named with its JSON path), an upstream leniently.

mod choice;
mod echo;
mod embed;
mod finish;
mod observe;
mod peek;
mod proofs;
mod reply;
mod request;
mod sound;
mod stream;
mod usage;

use super::openai_api::{error, generation, models};
use super::value as wire;
use super::{
    Ask, DecodeStream, Edit, EmbedInbound, EmbedOutbound, EncodeStream, Inbound, Observe, Outbound, Patch,
    Peek, ReplyContext, Summary, Target,
};
use crate::config::{Endpoint, Model, Operation};
use crate::dialect::terms::Terms;
use crate::ir::chat::{Reply, Request};
use crate::ir::error::{ApiError, Fault, Malformed};
use crate::ir::loss::Loss;
use std::borrow::Cow;

/// The dialect.
#[derive(Debug, Clone, Copy)]
pub struct Openai;

impl Inbound for Openai {
    fn terms(&self) -> Terms {
        Terms {
            parts: &[
                (".filename", ".file.filename"),
                (".detail", ".image_url.detail"),
                (".arguments", ".function.arguments"),
            ],
            ..Terms::default()
        }
    }

    fn decode_request<'a>(
        &self,
        _ask: &Ask<'a>,
        body: &'a str,
        loss: &mut Loss,
    ) -> Result<Request<'a>, Malformed> {
        request::decode(body, loss)
    }

    fn echo(&self, ask: &Ask<'_>, body: &str, _lost: &[String]) -> String {
        echo::of(ask.endpoint, body)
    }

    fn encode_reply(&self, reply: &Reply<'_>, context: &ReplyContext, out: &mut Vec<u8>) {
        reply::encode(reply, context, out);
    }

    fn stream_encoder(&self, context: &ReplyContext) -> Box<dyn EncodeStream> {
        Box::new(stream::Encoder::new(context))
    }

    fn embeds(&self) -> Option<&'static dyn EmbedInbound> {
        Some(&Self)
    }

    fn encode_error(&self, error: &ApiError, _request_id: &str, out: &mut Vec<u8>) {
        error::encode(error, out);
    }

    fn encode_models(&self, models: &[&Model], _more: bool, out: &mut Vec<u8>) {
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
    fn path(&self, endpoint: Endpoint, _target: &Target<'_>, _stream: bool) -> Option<Cow<'static, str>> {
        let path = match (endpoint.operation(), endpoint) {
            (Operation::Chat, _) => "/chat/completions",
            (Operation::Complete, _) => "/completions",
            (Operation::Embed, _) => "/embeddings",
            (Operation::List, _) => "/models",
            (Operation::Image, Endpoint::ImageEdits) => "/images/edits",
            (Operation::Image, Endpoint::ImageVariations) => "/images/variations",
            (Operation::Image, _) => "/images/generations",
            (Operation::Count | Operation::Stored, _) => return None,
        };
        Some(Cow::Borrowed(path))
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

    fn embeds(&self) -> Option<&'static dyn EmbedOutbound> {
        Some(&Self)
    }

    fn decode_error(&self, status: u16, _headers: &[(String, Vec<u8>)], body: &[u8]) -> ApiError {
        error::decode(status, body)
    }
}

impl Patch for Openai {
    fn peek<'a>(&self, ask: &Ask<'a>, body: &'a str) -> Result<Peek<'a>, Malformed> {
        peek::peek(ask.endpoint, body)
    }

    fn splice(&self, peek: &Peek<'_>, target: &Target<'_>, loss: &mut Loss) -> Vec<Edit> {
        peek::splice(peek, target, loss)
    }

    fn peek_reply(&self, endpoint: Endpoint, body: &str) -> Result<Summary, Fault> {
        observe::peek_reply(endpoint, body)
    }

    fn observer(&self, endpoint: Endpoint, keep_usage: bool) -> Box<dyn Observe> {
        if endpoint.operation() == Operation::Image {
            return Box::new(observe::ImageObserver::default());
        }
        Box::new(observe::Observer::new(keep_usage))
    }
}
