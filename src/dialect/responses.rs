//! OpenAI Responses.
//!
//! Spec: OpenAI's API reference, "Responses" and its streaming events. Responses that a provider keeps (earlier responses,
//! conversations, prompt templates, work in the background) are served by the patch lane alone: nobody else has them.
//!
//! Invariant: a client is read strictly (a wrong type is named with its JSON path), an upstream leniently.

mod item;
mod object;
mod observe;
mod peek;
mod proof;
mod reply;
mod request;
mod status;
mod stream;
mod usage;

use super::openai_api::{error, models};
use super::value::{count_or_skip, is_void};
use super::{
    Ask, CountOutbound, DecodeStream, Edit, EncodeStream, Inbound, Observe, Outbound, Patch, Peek,
    ReplyContext, Summary, Target,
};
use crate::config::{Endpoint, Model, Operation};
use crate::dialect::terms::Terms;
use crate::ir::chat::{Reply, Request};
use crate::ir::error::{ApiError, Fault, Malformed};
use crate::ir::loss::Loss;
use crate::wire::json::{Error, Reader};
use request::Purpose;
use std::borrow::Cow;

/// The dialect.
#[derive(Debug, Clone, Copy)]
pub struct Responses;

impl Inbound for Responses {
    fn terms(&self) -> Terms {
        Terms {
            names: &[
                ("messages", "input"),
                ("system", "instructions"),
                ("max_tokens", "max_output_tokens"),
                ("logprobs", "include"),
                ("response_format.json_schema", "text.format"),
                ("response_format", "text.format"),
                ("reasoning_effort", "reasoning.effort"),
                ("reasoning_summary", "reasoning.summary"),
                ("verbosity", "text.verbosity"),
            ],
            tools: &[(".function", ""), (".custom", "")],
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

    fn echo(&self, _ask: &Ask<'_>, body: &str, lost: &[String]) -> String {
        request::echo(body, lost)
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

impl Outbound for Responses {
    /// What is kept stands under the path of the responses, by its id.
    fn path(&self, endpoint: Endpoint, _target: &Target<'_>, _stream: bool) -> Option<Cow<'static, str>> {
        let path = match endpoint.operation() {
            Operation::Chat | Operation::Stored => "/responses",
            Operation::Count => "/responses/input_tokens",
            Operation::List => "/models",
            Operation::Complete | Operation::Embed | Operation::Image => return None,
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
        request::encode(request, target, Purpose::Reply, loss, out)
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

impl CountOutbound for Responses {
    fn encode_request(
        &self,
        request: &Request<'_>,
        target: &Target<'_>,
        loss: &mut Loss,
        out: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        request::encode(request, target, Purpose::Count, loss, out)
    }

    fn decode_reply(&self, body: &str) -> Result<u64, Fault> {
        match count(body).map_err(|error| status::invalid(&error))? {
            (_, Some(error)) => Err(Fault::Error(status::failure(error))),
            (Some(tokens), None) => Ok(tokens),
            (None, None) => Err(Fault::Empty),
        }
    }
}

/// `input_tokens`, and the error if there is one.
fn count(body: &str) -> Result<(Option<u64>, Option<&str>), Error> {
    let (mut tokens, mut failure) = (None, None);
    let mut reader = Reader::new(body);
    reader.object()?;
    while let Some(key) = reader.key()? {
        match &*key.plain() {
            "input_tokens" => tokens = count_or_skip(&mut reader)?,
            "error" => failure = Some(reader.raw()?).filter(|error| !is_void(error)),
            _ => reader.skip()?,
        }
    }
    reader.end()?;
    Ok((tokens, failure))
}

impl Patch for Responses {
    fn peek<'a>(&self, ask: &Ask<'a>, body: &'a str) -> Result<Peek<'a>, Malformed> {
        peek::peek(ask.endpoint, body)
    }

    fn splice(&self, peek: &Peek<'_>, target: &Target<'_>, loss: &mut Loss) -> Vec<Edit> {
        peek::splice(peek, target, loss)
    }

    fn peek_reply(&self, endpoint: Endpoint, body: &str) -> Result<Summary, Fault> {
        observe::peek_reply(endpoint, body)
    }

    fn observer(&self, endpoint: Endpoint, _keep_usage: bool) -> Box<dyn Observe> {
        Box::new(observe::Observer::new(endpoint))
    }
}
