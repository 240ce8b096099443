//! The patch lane's look at replies, which pass through as they are.
//!
//! Invariant: a delta after the first token costs three substring searches, not a parse; everything that could be
//! more than a delta of text is parsed.

mod images;

pub(super) use images::Observer as ImageObserver;

use super::choice::{Envelope, Piece, invalid};
use super::wire::{array_or_skip, text_or_skip};
use super::{error, finish, usage};
use crate::config::{Endpoint, Usage};
use crate::dialect::{Observe, Sight, Summary};
use crate::ir::chat::FinishReason;
use crate::ir::error::{ApiError, Fault};
use crate::wire::json::{Error, Reader, Text};
use crate::wire::sse;
use memchr::memmem::Finder;

/// Looks at a whole reply with status 200.
pub(super) fn peek_reply(endpoint: Endpoint, body: &str) -> Result<Summary, Fault> {
    match endpoint {
        Endpoint::Embeddings => return peek_embeddings(body),
        Endpoint::ImageGenerations | Endpoint::ImageEdits | Endpoint::ImageVariations => {
            return images::peek_reply(body);
        }
        _ => {}
    }
    let envelope = Envelope::read(body)?;
    if !envelope.has_choices {
        return Err(Fault::Empty);
    }
    let mut watch = Watch::default();
    watch.count(envelope.usage);
    watch.pieces(&envelope)?;
    Ok(watch.summary)
}

fn peek_embeddings(body: &str) -> Result<Summary, Fault> {
    let (counts, full, failed) = embeddings(body).map_err(|error| invalid(&error))?;
    if failed {
        return Err(Fault::Error(error::in_reply(body)));
    }
    if full { Ok(Summary { usage: counts, ..Summary::default() }) } else { Err(Fault::Empty) }
}

/// The counts, whether there is an embedding, whether there is an error.
fn embeddings(body: &str) -> Result<(Option<Usage>, bool, bool), Error> {
    let mut reader = Reader::new(body);
    let (mut counts, mut full, mut failed) = (None, false, false);
    reader.object()?;
    while let Some(key) = reader.key()? {
        match &*key.plain() {
            "usage" => counts = usage::decode(&mut reader)?,
            "error" => failed |= !super::wire::is_void(reader.raw()?),
            "object" => failed |= text_or_skip(&mut reader)?.is_some_and(|object| object == "error"),
            "data" => {
                if array_or_skip(&mut reader)? {
                    while reader.element()? {
                        full = true;
                        reader.skip()?;
                    }
                }
            }
            _ => reader.skip()?,
        }
    }
    reader.end()?;
    Ok((counts, full, failed))
}

/// What is learned from parsed replies and chunks.
#[derive(Debug, Default)]
struct Watch {
    summary: Summary,
    token: bool,
}

impl Watch {
    fn count(&mut self, counts: Option<Usage>) {
        self.summary.usage = counts.or(self.summary.usage);
    }

    fn pieces(&mut self, envelope: &Envelope<'_>) -> Result<(), Fault> {
        envelope.pieces(&mut |_, piece| self.piece(&piece))
    }

    fn piece(&mut self, piece: &Piece<'_>) -> Result<(), Fault> {
        match piece {
            Piece::Text(text) | Piece::Thinking(text) => self.said(text),
            Piece::Refusal(text) => {
                self.summary.refused = true;
                self.said(text);
            }
            Piece::Call(call) => {
                self.token = true;
                for text in [&call.name, &call.arguments].into_iter().flatten() {
                    self.said(text);
                }
            }
            Piece::Finish(word) => {
                let word = word.plain();
                self.summary.refused |= finish::decode(&word)? == FinishReason::Refusal;
                self.token = true;
                self.summary.finish_reason = Some(word.into_owned());
            }
            Piece::Logprobs(_) => {}
            Piece::Usage(counts) => self.count(Some(*counts)),
        }
        Ok(())
    }

    fn said(&mut self, text: &Text<'_>) {
        self.token = true;
        self.heard(text.held_len());
    }

    fn heard(&mut self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.summary.output_bytes = self.summary.output_bytes.saturating_add(bytes);
    }
}

/// Watches a stream of chat or legacy completions.
#[derive(Debug)]
pub(super) struct Observer {
    watch: Watch,
    keep_usage: bool,
    done: bool,
    failed: bool,
    /// Members that a delta of text has not, or has as `null`.
    rare: [Finder<'static>; 3],
    content: Finder<'static>,
}

impl Observer {
    pub(super) fn new(keep_usage: bool) -> Self {
        Self {
            watch: Watch::default(),
            keep_usage,
            done: false,
            failed: false,
            rare: [Finder::new("\"usage\""), Finder::new("\"finish_reason\""), Finder::new("\"error\"")],
            content: Finder::new("\"content\""),
        }
    }

    /// Whether the block is surely nothing but a delta of text; if so its text is counted.
    fn is_plain_delta(&mut self, block: &[u8]) -> bool {
        if !self.watch.token || self.rare.iter().any(|name| holds_more_than_null(block, name)) {
            return false;
        }
        let Some(found) = self.content.find(block) else { return false };
        let value = after_colon(block, found + self.content.needle().len());
        let Some((b'"', text)) = value.split_first() else { return false };
        let mut length = 0;
        while let Some(at) = memchr::memchr2(b'"', b'\\', text.get(length..).unwrap_or_default()) {
            length += at;
            if text.get(length) == Some(&b'"') {
                // An empty content may stand beside tool calls.
                self.watch.heard(length);
                return length > 0;
            }
            length += 2;
        }
        false
    }

    fn data(&mut self, data: &str) -> Result<Sight, Fault> {
        let data = data.trim();
        if data == "[DONE]" {
            self.done = true;
            return Ok(Sight::Silent);
        }
        if data.is_empty() {
            return Ok(Sight::Silent);
        }
        let envelope = Envelope::read(data)?;
        self.watch.count(envelope.usage);
        let before = std::mem::take(&mut self.watch.token);
        self.watch.pieces(&envelope)?;
        let token = self.watch.token;
        self.watch.token |= before;
        Ok(match envelope.usage {
            Some(_) if !envelope.has_choices && !self.keep_usage => Sight::Unasked,
            _ if token => Sight::Token,
            _ => Sight::Silent,
        })
    }
}

/// Whether a member of that name has another value than `null`. Text cannot be mistaken for a name: in a string,
/// quotes are escaped.
fn holds_more_than_null(block: &[u8], name: &Finder<'_>) -> bool {
    name.find_iter(block).any(|at| {
        let value = after_colon(block, at + name.needle().len());
        !value.starts_with(b"null")
    })
}

/// What follows the colon at `at`, white space aside.
fn after_colon(block: &[u8], at: usize) -> &[u8] {
    let rest = block.get(at..).unwrap_or_default().trim_ascii_start();
    rest.strip_prefix(b":").unwrap_or(rest).trim_ascii_start()
}

impl Observe for Observer {
    fn error(&mut self, error: &ApiError, _request_id: &str, out: &mut Vec<u8>) {
        super::error::encode_event(error, out);
    }

    fn block(&mut self, block: &[u8]) -> Result<Sight, Fault> {
        if self.done {
            return Ok(Sight::Silent);
        }
        if self.is_plain_delta(block) {
            return Ok(Sight::Token);
        }
        let sight = match sse::Event::parse(block).data {
            Some(data) => self.data(&data),
            None => super::stream::bare_error(block).map_or(Ok(Sight::Silent), Err),
        };
        self.failed |= sight.is_err();
        sight
    }

    fn summary(&self) -> &Summary {
        &self.watch.summary
    }

    fn is_complete(&self) -> bool {
        !self.failed && (self.done || self.watch.summary.finish_reason.is_some())
    }
}

#[cfg(test)]
mod tests;
