//! Gemini `generateContent`, version v1beta, and the embeddings and token counts beside it.
//! <https://ai.google.dev/api/generate-content>
//! Field map and known losses: `docs/dialects/gemini.md`.
//!
//! Invariant: numbers and schemas are copied as text where they fit, strings in the form they came in; names are read in
//! both of protocol buffers' spellings and written in the first.

mod call_id;
mod candidate;
mod count;
mod embed;
mod error;
mod finish;
mod generation;
mod media;
mod models;
mod names;
mod observe;
mod parts;
mod peek;
mod proto;
mod reply;
mod request;
mod retry;
mod schema;
mod signature;
mod stream;
mod usage;

use super::{
    Ask, CountOutbound, DecodeStream, Edit, EmbedInbound, EmbedOutbound, EncodeStream, Inbound, Observe,
    Outbound, Paging, Patch, Peek, ReplyContext, Summary, Target,
};
use crate::config::{Endpoint, Model, Operation};
use crate::dialect::terms::Terms;
use crate::ir::chat::{Reply, Request};
use crate::ir::embed as vectors;
use crate::ir::error::{ApiError, Fault, Malformed};
use crate::ir::loss::Loss;
use crate::wire::json::Object;
use crate::wire::percent;
use peek::resource;
use std::borrow::Cow;

/// The dialect.
#[derive(Debug, Clone, Copy)]
pub struct Gemini;

impl Inbound for Gemini {
    fn terms(&self) -> Terms {
        Terms {
            names: &[
                ("messages", "contents"),
                ("system", "systemInstruction.parts"),
                ("tool_choice", "toolConfig.functionCallingConfig"),
                ("stop", "generationConfig.stopSequences"),
                ("max_tokens", "generationConfig.maxOutputTokens"),
                ("temperature", "generationConfig.temperature"),
                ("top_p", "generationConfig.topP"),
                ("top_k", "generationConfig.topK"),
                ("seed", "generationConfig.seed"),
                ("n", "generationConfig.candidateCount"),
                ("presence_penalty", "generationConfig.presencePenalty"),
                ("frequency_penalty", "generationConfig.frequencyPenalty"),
                ("logprobs", "generationConfig.responseLogprobs"),
                ("top_logprobs", "generationConfig.logprobs"),
                ("response_format.json_schema.schema", "generationConfig.responseJsonSchema"),
                ("response_format", "generationConfig.responseMimeType"),
                ("reasoning_effort", "generationConfig.thinkingConfig"),
                ("reasoning_summary", "generationConfig.thinkingConfig.includeThoughts"),
            ],
            tools: &[(".function", "")],
            turns: &[(".content", ".parts")],
            parts: &[
                (".filename", ".inlineData.displayName"),
                (".detail", ".mediaResolution"),
                (".is_error", ".functionResponse.response.error"),
            ],
        }
    }

    fn decode_request<'a>(
        &self,
        ask: &Ask<'a>,
        body: &'a str,
        loss: &mut Loss,
    ) -> Result<Request<'a>, Malformed> {
        request::decode(ask, body, loss)
    }

    fn encode_reply(&self, reply: &Reply<'_>, context: &ReplyContext, out: &mut Vec<u8>) {
        reply::encode(reply, context, out);
    }

    fn stream_encoder(&self, context: &ReplyContext) -> Box<dyn EncodeStream> {
        Box::new(stream::Encoder::new(context))
    }

    fn encode_count(&self, tokens: u64, out: &mut Vec<u8>) {
        Object::new(out).int("totalTokens", tokens);
    }

    fn embeds(&self) -> Option<&'static dyn EmbedInbound> {
        Some(&Gemini)
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

    /// Google's clients read none.
    fn request_id_header(&self) -> &'static str {
        "x-goog-request-id"
    }
}

impl EmbedInbound for Gemini {
    fn decode_request<'a>(
        &self,
        ask: &Ask<'a>,
        body: &'a str,
        loss: &mut Loss,
    ) -> Result<vectors::Request<'a>, Malformed> {
        embed::decode(ask, body, loss)
    }

    fn encode_reply(
        &self,
        reply: &vectors::Reply<'_>,
        context: &ReplyContext,
        out: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        embed::encode_reply(reply, context, out)
    }
}

impl Outbound for Gemini {
    fn path(&self, endpoint: Endpoint, target: &Target<'_>, stream: bool) -> Option<Cow<'static, str>> {
        let verb = match endpoint.operation() {
            // Without `alt` a stream is one JSON array, which is of no use until it ends.
            Operation::Chat if stream => "streamGenerateContent?alt=sse",
            Operation::Chat => "generateContent",
            Operation::Count => "countTokens",
            Operation::Embed if endpoint == Endpoint::EmbedContent => "embedContent",
            Operation::Embed => "batchEmbedContents",
            _ => return None,
        };
        let name = resource(target.model);
        let (collection, id) = name.split_once('/')?;
        Some(Cow::Owned(format!("/{collection}/{}:{verb}", percent::encode(id))))
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

    fn counts(&self) -> Option<&'static dyn CountOutbound> {
        Some(&Gemini)
    }

    fn embeds(&self) -> Option<&'static dyn EmbedOutbound> {
        Some(&Gemini)
    }

    fn retry_after_ms(&self, body: &[u8]) -> Option<u64> {
        retry::after_ms(body)
    }

    fn decode_error(&self, status: u16, _headers: &[(String, Vec<u8>)], body: &[u8]) -> ApiError {
        error::decode(status, body)
    }
}

impl CountOutbound for Gemini {
    fn encode_request(
        &self,
        request: &Request<'_>,
        target: &Target<'_>,
        loss: &mut Loss,
        out: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        count::encode(request, target, loss, out)
    }

    fn decode_reply(&self, body: &str) -> Result<u64, Fault> {
        count::decode(body)
    }
}

impl EmbedOutbound for Gemini {
    fn encode_request(
        &self,
        request: &vectors::Request<'_>,
        target: &Target<'_>,
        loss: &mut Loss,
        out: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        embed::encode(request, target, loss, out)
    }

    fn decode_reply<'a>(&self, target: &Target<'_>, body: &'a str) -> Result<vectors::Reply<'a>, Fault> {
        embed::decode_reply_of(target, body)
    }
}

impl Patch for Gemini {
    fn peek<'a>(&self, ask: &Ask<'a>, body: &'a str) -> Result<Peek<'a>, Malformed> {
        peek::peek(ask, body)
    }

    fn splice(&self, peek: &Peek<'_>, target: &Target<'_>, loss: &mut Loss) -> Vec<Edit> {
        peek::splice(peek, target, loss)
    }

    fn peek_reply(&self, endpoint: Endpoint, body: &str) -> Result<Summary, Fault> {
        match endpoint.operation() {
            Operation::Count => count::decode(body).map(|_| Summary::default()),
            Operation::Embed => {
                embed::decode_reply(body).map(|reply| Summary { usage: reply.usage, ..Summary::default() })
            }
            _ => reply::peek(body),
        }
    }

    fn observer(&self, _endpoint: Endpoint, _keep_usage: bool) -> Box<dyn Observe> {
        Box::new(observe::Observer::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_the_model_and_what_is_done() {
        let path = |endpoint, model, stream| {
            Outbound::path(&Gemini, endpoint, &Target::of(model), stream).map(Cow::into_owned)
        };
        for (endpoint, model, stream, expected) in [
            (Endpoint::ChatCompletions, "gemini-3-pro", false, "/models/gemini-3-pro:generateContent"),
            (Endpoint::Messages, "models/g", true, "/models/g:streamGenerateContent?alt=sse"),
            (Endpoint::CountMessages, "g", false, "/models/g:countTokens"),
            (Endpoint::Embeddings, "g", false, "/models/g:batchEmbedContents"),
            (Endpoint::EmbedContent, "g", false, "/models/g:embedContent"),
            (Endpoint::GenerateContent, "tunedModels/a/b?c", false, "/tunedModels/a%2Fb%3Fc:generateContent"),
        ] {
            assert_eq!(path(endpoint, model, stream).as_deref(), Some(expected));
        }
        assert_eq!(path(Endpoint::ImageGenerations, "g", false), None);
        assert_eq!(path(Endpoint::StoredResponses, "g", false), None);
    }
}
