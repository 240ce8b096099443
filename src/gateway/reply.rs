//! Reading one attempt's reply with status 200, in either lane: what goes to the client, and what was seen.
//!
//! Invariant: what comes out does not depend on how the upstream's bytes were cut.

use crate::config::{Dialect, Endpoint, Usage};
use crate::dialect::{
    DecodeStream, EncodeStream, Observe, ReplyContext, Sight, Summary, inbound, outbound, patch,
};
use crate::ir::chat::{FinishReason, Part};
use crate::ir::error::{ApiError, ErrorKind, Fault};
use crate::ir::event::{Delta, Event};
use crate::wire::sse::Splitter;

/// What a reply is read as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// What was called.
    pub endpoint: Endpoint,
    /// The client's dialect.
    pub client: Dialect,
    /// The provider's.
    pub upstream: Dialect,
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

/// Reads a whole reply.
pub fn whole(form: &Form, body: &[u8]) -> Result<Whole, Fault> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(Fault::Empty);
    }
    let text = std::str::from_utf8(body).map_err(|error| Fault::Invalid(error.to_string()))?;
    if form.client == form.upstream {
        let summary = patch(form.client).peek_reply(form.endpoint, text)?;
        return Ok(Whole { body: None, summary });
    }
    let reply = outbound(form.upstream).decode_reply(text)?;
    let mut summary = Summary {
        usage: reply.usage,
        finish_reason: Some(reply.finish.word.plain().into_owned()),
        refused: reply.finish.reason == FinishReason::Refusal,
        output_bytes: 0,
    };
    for part in &reply.parts {
        summary.output_bytes += match part {
            Part::Text { text, .. } | Part::Thinking { text, .. } | Part::Refusal { text } => {
                length(text.held_len())
            }
            Part::ToolCall(call) => length(call.arguments.len()),
            _ => 0,
        };
    }
    let mut out = Vec::with_capacity(body.len() + 256);
    inbound(form.client).encode_reply(&reply, &form.context, &mut out);
    Ok(Whole { body: Some(out), summary })
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
    client: Dialect,
    lane: Lane,
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
    Patch { splitter: Splitter, observer: Box<dyn Observe>, keep_usage: bool },
    Translate { decoder: Box<dyn DecodeStream>, encoder: Box<dyn EncodeStream>, summary: Summary },
}

impl Stream {
    /// Begins to read.
    #[must_use]
    pub fn new(form: &Form) -> Self {
        let keep_usage = form.context.include_usage;
        let lane = if form.client == form.upstream {
            let observer = patch(form.client).observer(form.endpoint, keep_usage);
            Lane::Patch { splitter: Splitter::default(), observer, keep_usage }
        } else {
            Lane::Translate {
                decoder: outbound(form.upstream).stream_decoder(),
                encoder: inbound(form.client).stream_encoder(&form.context),
                summary: Summary::default(),
            }
        };
        Self { client: form.client, lane, answered: false, broken: false, finished: false }
    }

    /// Takes the next bytes and appends what the client gets. A fault before the answer is the caller's to act on; after
    /// it, the client is told within the stream and this returns `Ok`.
    pub fn push(&mut self, chunk: &[u8], request_id: &str, out: &mut Vec<u8>) -> Result<Pushed, Fault> {
        if self.broken {
            return Ok(Pushed { answered: true, unchanged: chunk.is_empty() });
        }
        let was_answered = self.answered;
        let (result, unchanged) = match &mut self.lane {
            Lane::Patch { splitter, observer, keep_usage } => {
                watch(splitter, observer.as_mut(), *keep_usage, chunk, &mut self.answered, out)
            }
            Lane::Translate { decoder, encoder, summary } => {
                let answered = &mut self.answered;
                let result = decoder.push(chunk, &mut |event| {
                    *answered |= event.is_token();
                    note(summary, &event);
                    encoder.event(&event, out);
                });
                (result, false)
            }
        };
        self.settle(result, was_answered, request_id, out)?;
        Ok(Pushed { answered: self.answered, unchanged: unchanged && !self.broken })
    }

    /// The upstream closed the stream in order. A reply that is not whole is a fault before the answer, and an error event
    /// after it: never a clean end.
    pub fn finish(&mut self, request_id: &str, out: &mut Vec<u8>) -> Result<Pushed, Fault> {
        if self.broken {
            return Ok(Pushed { answered: true, unchanged: true });
        }
        let was_answered = self.answered;
        let before = out.len();
        let result = match &mut self.lane {
            Lane::Patch { splitter, observer, keep_usage } => {
                let rest = splitter.take_pending();
                finish_watch(&rest, observer.as_mut(), *keep_usage, &mut self.answered, out)
            }
            Lane::Translate { decoder, encoder, summary } => {
                let answered = &mut self.answered;
                decoder.finish(&mut |event| {
                    *answered |= event.is_token();
                    note(summary, &event);
                    encoder.event(&event, out);
                })
            }
        };
        self.finished = result.is_ok();
        self.settle(result, was_answered, request_id, out)?;
        Ok(Pushed { answered: self.answered, unchanged: out.len() == before })
    }

    /// What has been seen so far.
    #[must_use]
    pub fn summary(&self) -> &Summary {
        match &self.lane {
            Lane::Patch { observer, .. } => observer.summary(),
            Lane::Translate { summary, .. } => summary,
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
        // In the patch lane the upstream's own error event has passed; only what it did not say is said here.
        let said = matches!((&self.lane, &fault), (Lane::Patch { .. }, Fault::Error(_)));
        if !said {
            inbound(self.client).encode_stream_error(&stream_error(fault), request_id, out);
        }
        Ok(())
    }
}

fn watch(
    splitter: &mut Splitter,
    observer: &mut dyn Observe,
    keep_usage: bool,
    chunk: &[u8],
    answered: &mut bool,
    out: &mut Vec<u8>,
) -> (Result<(), Fault>, bool) {
    let mut unchanged = keep_usage || splitter.pending().is_empty();
    let mut result = Ok(());
    let pushed = splitter.push(chunk, |block| {
        if result.is_ok() {
            match observer.block(block) {
                Ok(Sight::Unasked) => {
                    unchanged = false;
                    return;
                }
                Ok(Sight::Token) => *answered = true,
                Ok(Sight::Silent) => {}
                Err(fault) => result = Err(fault),
            }
        }
        if !keep_usage {
            out.extend_from_slice(block);
        }
    });
    if keep_usage {
        // Nothing is ever taken out, so bytes need not wait for their block to be whole.
        out.extend_from_slice(chunk);
    } else {
        unchanged &= splitter.pending().is_empty();
    }
    let result = result.and(pushed.map_err(|error| Fault::Invalid(error.to_string())));
    (result, unchanged)
}

fn finish_watch(
    rest: &[u8],
    observer: &mut dyn Observe,
    keep_usage: bool,
    answered: &mut bool,
    out: &mut Vec<u8>,
) -> Result<(), Fault> {
    if !rest.is_empty() {
        let sight = observer.block(rest)?;
        *answered |= sight == Sight::Token;
        if !keep_usage && sight != Sight::Unasked {
            out.extend_from_slice(rest);
        }
    }
    if observer.is_complete() {
        // A reply may be whole without a word in it: an immediate stop is an answer.
        *answered = true;
        return Ok(());
    }
    Err(if *answered { Fault::Truncated } else { Fault::Empty })
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
