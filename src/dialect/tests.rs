//! The registry as unit tests see it: every room behind a counter of what it is asked to decode and to encode.

use super::*;
use std::cell::Cell;

thread_local! {
    static DECODED: Cell<usize> = const { Cell::new(0) };
    static ENCODED: Cell<usize> = const { Cell::new(0) };
}

/// How often `work` makes a room decode into the IR, and encode from it.
pub(crate) fn counted<T>(work: impl FnOnce() -> T) -> (T, usize, usize) {
    let (decoded, encoded) = (DECODED.get(), ENCODED.get());
    let result = work();
    (result, DECODED.get() - decoded, ENCODED.get() - encoded)
}

fn decode() {
    DECODED.set(DECODED.get() + 1);
}

fn encode() {
    ENCODED.set(ENCODED.get() + 1);
}

/// A room that counts.
struct Counting(Dialect);

const fn index(dialect: Dialect) -> usize {
    dialect as usize
}

static COUNTING: [Counting; 5] = [
    Counting(Dialect::ALL[0]),
    Counting(Dialect::ALL[1]),
    Counting(Dialect::ALL[2]),
    Counting(Dialect::ALL[3]),
    Counting(Dialect::ALL[4]),
];

pub(super) fn inbound(dialect: Dialect) -> &'static dyn Inbound {
    &COUNTING[index(dialect)]
}

pub(super) fn outbound(dialect: Dialect) -> &'static dyn Outbound {
    &COUNTING[index(dialect)]
}

impl Inbound for Counting {
    fn decode_request<'a>(
        &self,
        ask: &Ask<'a>,
        body: &'a str,
        loss: &mut Loss,
    ) -> Result<Request<'a>, Malformed> {
        decode();
        room(self.0).inbound.decode_request(ask, body, loss)
    }

    fn terms(&self) -> Terms {
        room(self.0).inbound.terms()
    }

    fn echo(&self, ask: &Ask<'_>, body: &str, lost: &[String]) -> String {
        decode();
        room(self.0).inbound.echo(ask, body, lost)
    }

    fn encode_reply(&self, reply: &Reply<'_>, context: &ReplyContext, out: &mut Vec<u8>) {
        encode();
        room(self.0).inbound.encode_reply(reply, context, out);
    }

    fn stream_encoder(&self, context: &ReplyContext) -> Box<dyn EncodeStream> {
        encode();
        room(self.0).inbound.stream_encoder(context)
    }

    fn encode_count(&self, tokens: u64, out: &mut Vec<u8>) {
        encode();
        room(self.0).inbound.encode_count(tokens, out);
    }

    fn embeds(&self) -> Option<&'static dyn EmbedInbound> {
        room(self.0).inbound.embeds()
    }

    fn encode_error(&self, error: &ApiError, request_id: &str, out: &mut Vec<u8>) {
        room(self.0).inbound.encode_error(error, request_id, out);
    }

    fn paging(&self, query: &dyn Fn(&str) -> Option<String>) -> Result<Paging, Malformed> {
        room(self.0).inbound.paging(query)
    }

    fn encode_models(&self, models: &[&Model], more: bool, out: &mut Vec<u8>) {
        room(self.0).inbound.encode_models(models, more, out);
    }

    fn encode_model(&self, model: &Model, out: &mut Vec<u8>) {
        room(self.0).inbound.encode_model(model, out);
    }

    fn request_id_header(&self) -> &'static str {
        room(self.0).inbound.request_id_header()
    }
}

impl Outbound for Counting {
    fn path(&self, endpoint: Endpoint, target: &Target<'_>, stream: bool) -> Option<Cow<'static, str>> {
        room(self.0).outbound.path(endpoint, target, stream)
    }

    fn encode_request(
        &self,
        request: &Request<'_>,
        target: &Target<'_>,
        loss: &mut Loss,
        out: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        encode();
        room(self.0).outbound.encode_request(request, target, loss, out)
    }

    fn decode_reply<'a>(&self, body: &'a str) -> Result<Reply<'a>, Fault> {
        decode();
        room(self.0).outbound.decode_reply(body)
    }

    fn stream_decoder(&self) -> Box<dyn DecodeStream> {
        decode();
        room(self.0).outbound.stream_decoder()
    }

    fn stream_type(&self) -> &'static str {
        room(self.0).outbound.stream_type()
    }

    fn maker(&self, model: &str) -> Option<Dialect> {
        room(self.0).outbound.maker(model)
    }

    fn counts(&self) -> Option<&'static dyn CountOutbound> {
        room(self.0).outbound.counts()
    }

    fn embeds(&self) -> Option<&'static dyn EmbedOutbound> {
        room(self.0).outbound.embeds()
    }

    fn retry_after_ms(&self, body: &[u8]) -> Option<u64> {
        room(self.0).outbound.retry_after_ms(body)
    }

    fn usage_told(&self, headers: &[(String, Vec<u8>)]) -> Option<Usage> {
        room(self.0).outbound.usage_told(headers)
    }

    fn decode_error(&self, status: u16, headers: &[(String, Vec<u8>)], body: &[u8]) -> ApiError {
        room(self.0).outbound.decode_error(status, headers, body)
    }
}
