//! The patch lane's look at a stream that passes through.
//!
//! Invariant: nothing is ever taken out: counts are part of every stream of this dialect.

use super::candidate::{Chunk, Piece};
use super::{error, finish};
use crate::dialect::{Observe, Sight, Summary};
use crate::ir::chat::FinishReason;
use crate::ir::error::{ApiError, Fault};
use crate::wire::sse;

/// The observer.
#[derive(Debug, Default)]
pub(super) struct Observer {
    summary: Summary,
    answered: bool,
    spoke: bool,
    complete: bool,
    /// The candidate whose finish counts.
    first: Option<u64>,
}

impl Observe for Observer {
    fn block(&mut self, block: &[u8]) -> Result<Sight, Fault> {
        let event = sse::Event::parse(block);
        let Some(data) = event.data else {
            return error::bare(block).map_or(Ok(Sight::Silent), |error| Err(Fault::Error(error)));
        };
        let data = data.trim();
        if data.is_empty() || data == "[DONE]" {
            return Ok(Sight::Silent);
        }
        let token = match Chunk::read(data).and_then(|chunk| self.chunk(&chunk)) {
            Ok(token) => token,
            // Once the client reads along, its own parser is the judge.
            Err(Fault::Invalid(_)) if self.answered => false,
            Err(fault) => return Err(fault),
        };
        self.answered |= token;
        Ok(if token { Sight::Token } else { Sight::Silent })
    }

    fn summary(&self) -> &Summary {
        &self.summary
    }

    fn is_complete(&self) -> bool {
        self.complete
    }

    fn error(&mut self, error: &ApiError, request_id: &str, out: &mut Vec<u8>) {
        error::encode_event(error, request_id, out);
    }
}

impl Observer {
    fn chunk(&mut self, chunk: &Chunk<'_>) -> Result<bool, Fault> {
        self.summary.usage = chunk.usage.or(self.summary.usage);
        let mut token = false;
        for candidate in chunk.read_candidates() {
            let candidate = candidate?;
            let size: usize = candidate.pieces.iter().map(Piece::size).sum();
            self.summary.output_bytes += size as u64;
            token |= size > 0;
            self.spoke |= candidate.pieces.iter().any(Piece::speaks);
            if *self.first.get_or_insert(candidate.index) != candidate.index {
                continue;
            }
            if let Some(word) = candidate.finish {
                let message = candidate.message.as_ref();
                match finish::settle(Some(word.clone()), message, self.spoke, false) {
                    Ok(finish) => self.end(finish.reason, &word.plain()),
                    // Once the client reads along, it is told by Google itself.
                    Err(_) if self.answered || token => self.end(FinishReason::Stop, &word.plain()),
                    Err(fault) => return Err(fault),
                }
                token = true;
            }
        }
        if let (None, Some((word, _))) = (self.first, &chunk.blocked) {
            self.end(FinishReason::Refusal, &word.plain());
            token = true;
        }
        Ok(token)
    }

    fn end(&mut self, reason: FinishReason, word: &str) {
        self.complete = true;
        self.summary.refused |= reason == FinishReason::Refusal;
        self.summary.finish_reason = Some(word.to_owned());
    }
}
