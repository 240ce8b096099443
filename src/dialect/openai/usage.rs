//! Token counts: inclusive in OpenAI as in the IR.

use super::wire::{count_or_skip, object_or_skip};
use crate::config::Usage;
use crate::wire::json::{Error, Object, Reader};

/// Reads a `usage` value; `None` if it is no object.
pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Option<Usage>, Error> {
    if !object_or_skip(reader)? {
        return Ok(None);
    }
    let mut usage = Usage::default();
    let mut total = 0;
    while let Some(key) = reader.key()? {
        match &*key.plain() {
            "prompt_tokens" => set(&mut usage.input, reader)?,
            "completion_tokens" => set(&mut usage.output, reader)?,
            "total_tokens" => set(&mut total, reader)?,
            // DeepSeek; Moonshot.
            "prompt_cache_hit_tokens" | "cached_tokens" => set(&mut usage.cached, reader)?,
            // xAI and others repeat it outside of the details.
            "reasoning_tokens" => set(&mut usage.reasoning, reader)?,
            "prompt_tokens_details" | "completion_tokens_details" => details(reader, &mut usage)?,
            _ => reader.skip()?,
        }
    }
    // xAI counts reasoning beside the completion, not in it; its total tells.
    if usage.reasoning > 0 && total == sum(&[usage.input, usage.output, usage.reasoning]) {
        usage.output = usage.output.saturating_add(usage.reasoning);
    }
    Ok(Some(usage))
}

fn details(reader: &mut Reader<'_>, usage: &mut Usage) -> Result<(), Error> {
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
    Ok(())
}

fn set(field: &mut u64, reader: &mut Reader<'_>) -> Result<(), Error> {
    if let Some(count) = count_or_skip(reader)? {
        *field = count;
    }
    Ok(())
}

fn sum(counts: &[u64]) -> u64 {
    counts.iter().fold(0, |sum: u64, count| sum.saturating_add(*count))
}

/// Writes the members of a `usage` object.
pub(super) fn encode(usage: &Usage, object: &mut Object<'_>) {
    object
        .int("prompt_tokens", usage.input)
        .int("completion_tokens", usage.output)
        .int("total_tokens", sum(&[usage.input, usage.output]))
        .object("prompt_tokens_details", |details| {
            details.int("cached_tokens", usage.cached).int("audio_tokens", 0);
            if usage.cache_write > 0 {
                details.int("cache_write_tokens", usage.cache_write);
            }
        })
        .object("completion_tokens_details", |details| {
            details
                .int("reasoning_tokens", usage.reasoning)
                .int("audio_tokens", 0)
                .int("accepted_prediction_tokens", 0)
                .int("rejected_prediction_tokens", 0);
        });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Usage {
        decode(&mut Reader::new(json)).unwrap().unwrap()
    }

    #[test]
    fn counts_are_inclusive_whoever_sends_them() {
        let openai = read(
            r#"{"prompt_tokens":10,"completion_tokens":9,"total_tokens":19,"prompt_tokens_details":{"cached_tokens":4,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":3}}"#,
        );
        assert_eq!(
            openai,
            Usage { input: 10, cached: 4, cache_write: 0, output: 9, reasoning: 3, images: 0 }
        );
        let deepseek = read(
            r#"{"prompt_tokens":10,"completion_tokens":2.0,"prompt_cache_hit_tokens":6,"prompt_cache_miss_tokens":4,"completion_tokens_details":null}"#,
        );
        assert_eq!(deepseek, Usage { input: 10, cached: 6, output: 2, ..Usage::default() });
        let xai = read(
            r#"{"prompt_tokens":10,"completion_tokens":2,"total_tokens":17,"completion_tokens_details":{"reasoning_tokens":5}}"#,
        );
        assert_eq!(xai, Usage { input: 10, output: 7, reasoning: 5, ..Usage::default() });
    }

    #[test]
    fn what_is_no_object_is_no_usage() {
        assert_eq!(decode(&mut Reader::new("null")), Ok(None));
    }
}
