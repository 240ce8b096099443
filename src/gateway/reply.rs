//! Reading one attempt's reply with status 200, in either lane: what goes to the client, and what was seen.
//!
//! Invariant: what comes out does not depend on how the upstream's bytes were cut, and quotes no credential where the provider
//! complains.

mod watch;

use super::array::Array;
use crate::config::{Dialect, Operation, Usage};
use crate::dialect::{DecodeStream, EncodeStream, ReplyContext, Summary, Target, inbound, outbound, patch};
use crate::ir::chat::{FinishReason, Part};
use crate::ir::error::{ApiError, ErrorKind, Fault};
use crate::ir::event::{Delta, Event};
use crate::ir::{Proof, Text};
use crate::provider::Upstream;
use std::rc::Rc;
use watch::Watch;

/// What a reply is read as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// The client's dialect.
    pub client: Dialect,
    /// The provider's.
    pub upstream: Dialect,
    /// Whether the reply passes as it is.
    pub patched: bool,
    /// Whose reply it is.
    pub provider: Rc<Upstream>,
    /// [`Outbound::maker`](crate::dialect::Outbound::maker) of the model.
    pub maker: Option<Dialect>,
    /// Whether a stream becomes one JSON array.
    pub array: bool,
    /// What the client's reply needs besides.
    pub context: ReplyContext,
}

/// A whole reply, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    /// The client's body; `None` if it is the upstream's, byte for byte.
    pub body: Option<Vec<u8>>,
    /// What was seen.
    pub summary: Summary,
}

/// Reads a whole reply with its headers (lower-case names).
pub fn whole(
    form: &Form,
    target: &Target<'_>,
    headers: &[(String, Vec<u8>)],
    body: &[u8],
) -> Result<Whole, Fault> {
    let operation = form.context.endpoint.operation();
    if operation == Operation::Stored {
        // Whatever it is, it is what was asked for: the report of a failure, a list, a deletion.
        let text = std::str::from_utf8(body).ok();
        let summary = text.and_then(|text| patch(form.client).peek_reply(form.context.endpoint, text).ok());
        return Ok(Whole { body: None, summary: summary.unwrap_or_default() });
    }
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(Fault::Empty);
    }
    let text = std::str::from_utf8(body).map_err(|error| Fault::Invalid(error.to_string()))?;
    if form.patched {
        let summary = patch(form.client).peek_reply(form.context.endpoint, text)?;
        return Ok(Whole { body: None, summary });
    }
    let mut out = Vec::with_capacity(body.len() + 256);
    let summary = match operation {
        Operation::Count => translate_count(form, text, &mut out),
        Operation::Embed => translate_vectors(form, target, headers, text, &mut out),
        _ => translate_reply(form, text, &mut out),
    }?;
    Ok(Whole { body: Some(out), summary })
}

fn translate_reply(form: &Form, text: &str, out: &mut Vec<u8>) -> Result<Summary, Fault> {
    let mut reply = outbound(form.upstream).decode_reply(text)?;
    name(&mut reply.id, &form.context.request_id);
    name(&mut reply.model, &form.context.model);
    let mut summary = Summary {
        usage: reply.usage,
        finish_reason: Some(reply.choice.finish.word.plain().into_owned()),
        refused: reply.choice.finish.reason == FinishReason::Refusal,
        ..Summary::default()
    };
    let choices = std::iter::once(&mut reply.choice).chain(&mut reply.more);
    for part in choices.flat_map(|choice| &mut choice.parts) {
        if let Part::Thinking { proof: Some(proof), .. } = part {
            settle_home(proof, form.maker);
        }
    }
    let choices = std::iter::once(&reply.choice).chain(&reply.more);
    for part in choices.flat_map(|choice| &choice.parts) {
        summary.output_bytes += match part {
            Part::Text { text, .. } | Part::Thinking { text, .. } | Part::Refusal { text } => {
                length(text.held_len())
            }
            Part::ToolCall(call) => length(call.arguments.len()),
            _ => 0,
        };
    }
    inbound(form.client).encode_reply(&reply, &form.context, out);
    Ok(summary)
}

fn translate_count(form: &Form, text: &str, out: &mut Vec<u8>) -> Result<Summary, Fault> {
    let counts = outbound(form.upstream).counts().ok_or_else(unplanned)?;
    let tokens = counts.decode_reply(text)?;
    inbound(form.client).encode_count(tokens, out);
    Ok(Summary::default())
}

fn translate_vectors(
    form: &Form,
    target: &Target<'_>,
    headers: &[(String, Vec<u8>)],
    text: &str,
    out: &mut Vec<u8>,
) -> Result<Summary, Fault> {
    let rooms = outbound(form.upstream).embeds().zip(inbound(form.client).embeds());
    let (upstream, client) = rooms.ok_or_else(unplanned)?;
    let mut reply = upstream.decode_reply(target, text)?;
    if reply.vectors.is_empty() {
        return Err(Fault::Empty);
    }
    name(&mut reply.model, &form.context.model);
    reply.usage = reply.usage.or_else(|| outbound(form.upstream).usage_told(headers));
    client.encode_reply(&reply, &form.context, out)?;
    Ok(Summary { usage: reply.usage, ..Summary::default() })
}

/// Such an attempt is never made: its request could not have been written.
fn unplanned() -> Fault {
    Fault::Invalid("the gateway cannot translate it".to_owned())
}

/// Gives a signature the home of the model's maker.
fn settle_home(proof: &mut Proof<'_>, maker: Option<Dialect>) {
    if let Some(maker) = maker {
        proof.home = maker;
    }
}

/// Gives a reply the name that its provider did not give.
fn name<'a>(text: &mut Text<'a>, otherwise: &str) {
    if text.is_empty() {
        *text = Text::from(otherwise.to_owned());
    }
}

/// What a push did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pushed {
    /// The first sign of an answer has been seen, now or before.
    pub answered: bool,
    /// What was appended to `out` is what came in, byte for byte.
    pub unchanged: bool,
}

/// A streamed reply.
pub struct Stream {
    lane: Lane,
    provider: Rc<Upstream>,
    /// The last stage, where the client wants an array.
    array: Option<Array>,
    answered: bool,
    /// The stream broke after it had been answered: nothing more goes out.
    broken: bool,
    finished: bool,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream")
            .field("answered", &self.answered)
            .field("broken", &self.broken)
            .finish_non_exhaustive()
    }
}

enum Lane {
    Patch(Watch),
    Translate(Translation),
}

struct Translation {
    decoder: Box<dyn DecodeStream>,
    encoder: Box<dyn EncodeStream>,
    summary: Summary,
    context: ReplyContext,
    maker: Option<Dialect>,
}

impl Translation {
    /// Takes the next bytes, or the end.
    fn take(&mut self, chunk: Option<&[u8]>, answered: &mut bool, out: &mut Vec<u8>) -> Result<(), Fault> {
        let Self { decoder, encoder, summary, context, maker } = self;
        let mut sink = |event: Event<'_>| {
            *answered |= event.is_token();
            note(summary, &event);
            encoder.event(&named(event, context, *maker), out);
        };
        match chunk {
            Some(chunk) => decoder.push(chunk, &mut sink),
            None => decoder.finish(&mut sink),
        }
    }
}

/// Gives a stream the names that its provider did not give, and its signatures their home.
fn named<'a>(event: Event<'a>, context: &ReplyContext, maker: Option<Dialect>) -> Event<'a> {
    match event {
        Event::Start { mut id, mut model, usage } => {
            name(&mut id, &context.request_id);
            name(&mut model, &context.model);
            Event::Start { id, model, usage }
        }
        Event::Delta(Delta::Proof(mut proof)) => {
            settle_home(&mut proof, maker);
            Event::Delta(Delta::Proof(proof))
        }
        event => event,
    }
}

impl Stream {
    /// Begins to read.
    #[must_use]
    pub fn new(form: &Form) -> Self {
        let keep_usage = form.context.include_usage;
        let lane = if form.patched {
            let observer = patch(form.client).observer(form.context.endpoint, keep_usage);
            // An array's elements are written whole.
            Lane::Patch(Watch::new(observer, Rc::clone(&form.provider), keep_usage && !form.array))
        } else {
            Lane::Translate(Translation {
                decoder: outbound(form.upstream).stream_decoder(),
                encoder: inbound(form.client).stream_encoder(&form.context),
                summary: Summary::default(),
                context: form.context.clone(),
                maker: form.maker,
            })
        };
        let provider = Rc::clone(&form.provider);
        Self {
            lane,
            provider,
            array: form.array.then(Array::default),
            answered: false,
            broken: false,
            finished: false,
        }
    }

    /// Takes the next bytes and appends what the client gets. A fault before the answer is the caller's to act on; after
    /// it, the client is told within the stream and this returns `Ok`.
    pub fn push(&mut self, chunk: &[u8], request_id: &str, out: &mut Vec<u8>) -> Result<Pushed, Fault> {
        let Some(mut array) = self.array.take() else { return self.push_events(chunk, request_id, out) };
        let mut events = Vec::with_capacity(chunk.len());
        let pushed = self.push_events(chunk, request_id, &mut events);
        let framed = array.push(&events, out).map_err(|error| Fault::Invalid(error.to_string()));
        self.array = Some(array);
        let pushed = pushed?;
        framed?;
        Ok(Pushed { unchanged: false, ..pushed })
    }

    fn push_events(&mut self, chunk: &[u8], request_id: &str, out: &mut Vec<u8>) -> Result<Pushed, Fault> {
        if self.broken {
            return Ok(Pushed { answered: true, unchanged: chunk.is_empty() });
        }
        let was_answered = self.answered;
        let (result, unchanged) = match &mut self.lane {
            Lane::Patch(watch) => watch.push(chunk, &mut self.answered, out),
            Lane::Translate(translation) => (translation.take(Some(chunk), &mut self.answered, out), false),
        };
        self.settle(result, was_answered, request_id, out)?;
        Ok(Pushed { answered: self.answered, unchanged: unchanged && !self.broken })
    }

    /// The upstream closed the stream in order. A reply that is not whole is a fault before the answer, and an error event
    /// after it: never a clean end.
    pub fn finish(&mut self, request_id: &str, out: &mut Vec<u8>) -> Result<Pushed, Fault> {
        let Some(mut array) = self.array.take() else { return self.finish_events(request_id, out) };
        let mut events = Vec::new();
        let finished = self.finish_events(request_id, &mut events)?;
        array.push(&events, out).map_err(|error| Fault::Invalid(error.to_string()))?;
        array.finish(out);
        Ok(Pushed { unchanged: false, ..finished })
    }

    fn finish_events(&mut self, request_id: &str, out: &mut Vec<u8>) -> Result<Pushed, Fault> {
        if self.broken {
            return Ok(Pushed { answered: true, unchanged: true });
        }
        let was_answered = self.answered;
        let before = out.len();
        let result = match &mut self.lane {
            Lane::Patch(watch) => watch.finish(&mut self.answered, out),
            Lane::Translate(translation) => translation.take(None, &mut self.answered, out),
        };
        self.finished = result.is_ok();
        self.settle(result, was_answered, request_id, out)?;
        Ok(Pushed { answered: self.answered, unchanged: out.len() == before })
    }

    /// What has been seen so far.
    #[must_use]
    pub fn summary(&self) -> &Summary {
        match &self.lane {
            Lane::Patch(watch) => watch.observer.summary(),
            Lane::Translate(translation) => &translation.summary,
        }
    }

    /// Whether the client has a whole reply.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.finished && !self.broken
    }

    fn settle(
        &mut self,
        result: Result<(), Fault>,
        was_answered: bool,
        request_id: &str,
        out: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        let Err(fault) = result else { return Ok(()) };
        if !was_answered {
            return Err(fault);
        }
        self.broken = true;
        // In the patch lane the upstream's own error event has passed; only what it did not say, or must not, is said here.
        let said = matches!((&self.lane, &fault), (Lane::Patch(watch), Fault::Error(_)) if !watch.withheld);
        if !said {
            let error = self.provider.redacted(stream_error(fault));
            match &mut self.lane {
                Lane::Patch(watch) => watch.error(&error, request_id, out),
                Lane::Translate(translation) => translation.encoder.error(&error, request_id, out),
            }
        }
        Ok(())
    }
}

fn note(summary: &mut Summary, event: &Event<'_>) {
    match event {
        Event::Start { usage, .. } => summary.usage = *usage,
        Event::Delta(Delta::Text(text) | Delta::Thinking(text) | Delta::Arguments(text)) => {
            summary.output_bytes += length(text.held_len());
        }
        Event::Finish(finish) => {
            summary.finish_reason = Some(finish.word.plain().into_owned());
            summary.refused = finish.reason == FinishReason::Refusal;
        }
        Event::Usage(usage) => summary.usage = Some(*usage),
        _ => {}
    }
}

fn stream_error(fault: Fault) -> ApiError {
    match fault {
        Fault::Error(error) => error,
        other => ApiError {
            status: 502,
            kind: ErrorKind::Server,
            code: Some("upstream_error".to_owned()),
            message: format!("{other}. What has arrived is incomplete; send the request again."),
            param: None,
        },
    }
}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// About four bytes a token: the estimate where a provider does not count.
#[must_use]
pub fn estimate(prompt_bytes: usize, summary: &Summary) -> Usage {
    Usage {
        input: length(prompt_bytes).div_ceil(4),
        output: summary.output_bytes.div_ceil(4),
        ..Usage::default()
    }
}
