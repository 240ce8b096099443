//! Pictures that pass through: whole replies, and streams of them that end with `….completed`.
//! <https://platform.openai.com/docs/api-reference/images-streaming>

use crate::config::Usage;
use crate::dialect::openai::wire::{array_or_skip, count_or_skip, is_void, object_or_skip, text_or_skip};
use crate::dialect::openai_api::error;
use crate::dialect::{Observe, Sight, Summary};
use crate::ir::error::{ApiError, Fault};
use crate::wire::json::{Error, Kind, Reader};
use crate::wire::sse;

/// What a reply or an event says.
#[derive(Debug, Default)]
struct Found {
    kind: String,
    pictures: u64,
    usage: Option<Usage>,
    failed: bool,
}

/// Looks at a whole reply: as many pictures as there are in `data`, and the tokens that newer models count.
pub(super) fn peek_reply(body: &str) -> Result<Summary, Fault> {
    let found = read(body)?;
    if found.pictures == 0 {
        return Err(Fault::Empty);
    }
    Ok(Summary { usage: Some(found.counts()), ..Summary::default() })
}

impl Found {
    fn counts(&self) -> Usage {
        Usage { images: self.pictures, ..self.usage.unwrap_or_default() }
    }
}

fn read(text: &str) -> Result<Found, Fault> {
    let found = parse(text).map_err(|error| Fault::Invalid(error.to_string()))?;
    if found.failed { Err(Fault::Error(error::in_reply(text))) } else { Ok(found) }
}

fn parse(text: &str) -> Result<Found, Error> {
    let mut reader = Reader::new(text);
    let mut found = Found::default();
    reader.object()?;
    while let Some(key) = reader.key()? {
        match &*key.plain() {
            "type" => {
                found.kind =
                    text_or_skip(&mut reader)?.map(|kind| kind.plain().into_owned()).unwrap_or_default();
            }
            "usage" => found.usage = counts(&mut reader)?,
            "error" => found.failed |= !is_void(reader.raw()?),
            "data" if reader.peek()? == Kind::Array => {
                if array_or_skip(&mut reader)? {
                    while reader.element()? {
                        reader.skip()?;
                        found.pictures += 1;
                    }
                }
            }
            _ => reader.skip()?,
        }
    }
    reader.end()?;
    Ok(found)
}

/// The counts have other names here than in Chat.
fn counts(reader: &mut Reader<'_>) -> Result<Option<Usage>, Error> {
    if !object_or_skip(reader)? {
        return Ok(None);
    }
    let mut usage = Usage::default();
    while let Some(key) = reader.key()? {
        match &*key.plain() {
            "input_tokens" => usage.input = count_or_skip(reader)?.unwrap_or(0),
            "output_tokens" => usage.output = count_or_skip(reader)?.unwrap_or(0),
            "input_tokens_details" => {
                if object_or_skip(reader)? {
                    while let Some(key) = reader.key()? {
                        if key == "cached_tokens" {
                            usage.cached = count_or_skip(reader)?.unwrap_or(0);
                        } else {
                            reader.skip()?;
                        }
                    }
                }
            }
            _ => reader.skip()?,
        }
    }
    Ok(Some(usage))
}

/// Watches a stream.
#[derive(Debug, Default)]
pub(in crate::dialect::openai) struct Observer {
    summary: Summary,
    complete: bool,
    failed: bool,
}

impl Observe for Observer {
    fn block(&mut self, block: &[u8]) -> Result<Sight, Fault> {
        let event = sse::Event::parse(block);
        let Some(data) = event.data else {
            let error = super::super::stream::bare_error(block);
            self.failed |= error.is_some();
            return error.map_or(Ok(Sight::Silent), Err);
        };
        let data = data.trim();
        if data.is_empty() || data == "[DONE]" {
            return Ok(Sight::Silent);
        }
        let found = read(data).inspect_err(|_| self.failed = true)?;
        let kind = if found.kind.is_empty() { event.name } else { &found.kind };
        if kind.ends_with(".completed") {
            self.complete = true;
            let counted = self.summary.usage.unwrap_or_default();
            let told = found.usage.unwrap_or_default();
            self.summary.usage = Some(Usage {
                images: counted.images.saturating_add(1),
                input: counted.input.saturating_add(told.input),
                cached: counted.cached.saturating_add(told.cached),
                output: counted.output.saturating_add(told.output),
                ..counted
            });
        }
        let picture = self.complete || kind.ends_with(".partial_image");
        Ok(if picture { Sight::Token } else { Sight::Silent })
    }

    fn summary(&self) -> &Summary {
        &self.summary
    }

    fn is_complete(&self) -> bool {
        self.complete && !self.failed
    }

    fn error(&mut self, error: &ApiError, _request_id: &str, out: &mut Vec<u8>) {
        error::encode_event(error, out);
    }
}
