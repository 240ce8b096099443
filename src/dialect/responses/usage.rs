//! Token counts: inclusive here as in the IR.

use crate::config::Usage;
use crate::dialect::value::{count_or_skip, object_or_skip};
use crate::wire::json::{Error, Object, Reader};

/// Reads a `usage` value; `None` if it is no object.
pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Option<Usage>, Error> {
    if !object_or_skip(reader)? {
        return Ok(None);
    }
    let mut usage = Usage::default();
    while let Some(key) = reader.key()? {
        match &*key.plain() {
            "input_tokens" => set(&mut usage.input, reader)?,
            "output_tokens" => set(&mut usage.output, reader)?,
            "input_tokens_details" | "output_tokens_details" => {
                if object_or_skip(reader)? {
                    while let Some(key) = reader.key()? {
                        match &*key.plain() {
                            "cached_tokens" => set(&mut usage.cached, reader)?,
                            "cache_write_tokens" => set(&mut usage.cache_write, reader)?,
                            "reasoning_tokens" => set(&mut usage.reasoning, reader)?,
                            _ => reader.skip()?,
                        }
                    }
                }
            }
            _ => reader.skip()?,
        }
    }
    Ok(Some(usage))
}

fn set(field: &mut u64, reader: &mut Reader<'_>) -> Result<(), Error> {
    if let Some(count) = count_or_skip(reader)? {
        *field = count;
    }
    Ok(())
}

/// Writes the members of a `usage` object.
pub(super) fn encode(usage: &Usage, object: &mut Object<'_>) {
    object
        .int("input_tokens", usage.input)
        .object("input_tokens_details", |details| {
            details.int("cached_tokens", usage.cached).int("cache_write_tokens", usage.cache_write);
        })
        .int("output_tokens", usage.output)
        .object("output_tokens_details", |details| {
            details.int("reasoning_tokens", usage.reasoning);
        })
        .int("total_tokens", usage.input.saturating_add(usage.output));
}
