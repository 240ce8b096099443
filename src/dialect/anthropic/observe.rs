//! The patch lane's look at a stream that passes through.
//!
//! Invariant: nothing is ever taken out: counts are part of every stream of this dialect.

use super::usage::Counts;
use super::{error, reply};
use crate::dialect::members::{Members, Value};
use crate::dialect::{Observe, Sight, Summary};
use crate::ir::chat::FinishReason;
use crate::ir::error::{ApiError, Fault};
use crate::wire::json::{Error, Kind, Reader};
use crate::wire::sse;

/// The observer.
#[derive(Debug, Default)]
pub(super) struct Observer {
    summary: Summary,
    counts: Counts,
    answered: bool,
    complete: bool,
    failed: bool,
}

impl Observe for Observer {
    fn error(&mut self, error: &ApiError, request_id: &str, out: &mut Vec<u8>) {
        error::encode_event(error, request_id, out);
    }

    fn block(&mut self, block: &[u8]) -> Result<Sight, Fault> {
        // Nearly every block of a stream is one of these, and after the first only its size matters.
        if self.answered && block.starts_with(b"event: content_block_delta") {
            let event = sse::Event::parse(block);
            let size = event.data.as_deref().map_or(Ok(0), delta_size).map_err(|error| invalid(&error));
            self.failed |= size.is_err();
            self.summary.output_bytes += size? as u64;
            return Ok(Sight::Token);
        }
        let sight = self.rare(block);
        self.failed |= sight.is_err();
        sight
    }

    fn summary(&self) -> &Summary {
        &self.summary
    }

    fn is_complete(&self) -> bool {
        self.complete && !self.failed
    }
}

/// What an event is whose data is not JSON.
fn invalid(error: &Error) -> Fault {
    Fault::Invalid(format!("an event's data: {error}"))
}

impl Observer {
    /// Looks at a block that is not just more of the answer.
    fn rare(&mut self, block: &[u8]) -> Result<Sight, Fault> {
        let event = sse::Event::parse(block);
        let Some(data) = event.data else { return bare(block) };
        if data.trim().is_empty() {
            return Ok(Sight::Silent);
        }
        let mut members = Members::of(&data).map_err(|error| invalid(&error))?;
        let name = members.take_if_text("type").map_or_else(|| event.name.into(), |kind| kind.plain());
        let token = match &*name {
            "content_block_delta" => {
                let size = delta_size(&data).map_err(|error| invalid(&error))?;
                self.summary.output_bytes += size as u64;
                size > 0
            }
            "content_block_start" => starts_answer(members),
            "message_start" => {
                if let Some(usage) = members.take_members("message").and_then(|mut m| m.take_members("usage"))
                {
                    self.count(usage);
                }
                false
            }
            "message_delta" => self.message_delta(members),
            "message_stop" => {
                self.complete = true;
                false
            }
            "ping" | "content_block_stop" => false,
            _ => match error::in_reply(&mut members) {
                Some(error) => return Err(Fault::Error(error)),
                None => false,
            },
        };
        self.answered |= token;
        Ok(if token { Sight::Token } else { Sight::Silent })
    }

    fn count(&mut self, usage: Members<'_>) {
        self.counts.merge(usage);
        self.summary.usage = self.counts.usage();
    }

    fn message_delta(&mut self, mut members: Members<'_>) -> bool {
        if let Some(usage) = members.take_members("usage") {
            self.count(usage);
        }
        let mut delta = members.take_members("delta").unwrap_or_default();
        let finish = reply::finish(&mut delta);
        if finish.word.is_empty() {
            return false;
        }
        self.summary.refused = finish.reason == FinishReason::Refusal;
        self.summary.finish_reason = Some(finish.word.plain().into_owned());
        self.complete = true;
        true
    }
}

/// How much text a delta brings. Signatures and citations are not the model's output.
fn delta_size(data: &str) -> Result<usize, Error> {
    let mut size = 0;
    let mut reader = Reader::new(data);
    reader.object()?;
    while let Some(name) = reader.key()? {
        if name != "delta" || reader.peek()? != Kind::Object {
            reader.skip()?;
            continue;
        }
        reader.object()?;
        while let Some(name) = reader.key()? {
            let counts = name == "text" || name == "thinking" || name == "partial_json";
            if counts && reader.peek()? == Kind::String {
                size += reader.string()?.held_len();
            } else {
                reader.skip()?;
            }
        }
    }
    Ok(size)
}

/// A call or an opaque block is an answer at once; text is one when there is some.
fn starts_answer(mut members: Members<'_>) -> bool {
    let mut block = members.take_members("content_block").unwrap_or_default();
    let Some(kind) = block.take_if_text("type") else { return false };
    match &*kind.plain() {
        kind @ ("text" | "thinking") => {
            matches!(block.take(kind), Some(Value::Text(text)) if !text.is_empty())
        }
        _ => true,
    }
}

/// A block without data is a comment, unless the upstream answered a request for a stream with plain JSON.
fn bare(block: &[u8]) -> Result<Sight, Fault> {
    let text = String::from_utf8_lossy(block);
    if !text.trim_start().starts_with('{') {
        return Ok(Sight::Silent);
    }
    let error = Members::of(&text).ok().and_then(|mut members| error::in_reply(&mut members));
    Err(error.map_or_else(|| Fault::Invalid("not an event stream".to_owned()), Fault::Error))
}
