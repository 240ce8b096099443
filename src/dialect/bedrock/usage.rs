//! Token counts. Bedrock's `inputTokens` leaves out what was read from or written to the cache; ours counts it in
//! (<https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html>).
//!
//! Invariant: a count that is no integer is as good as none.

use crate::config::Usage;
use crate::dialect::members::{Members, Path};

/// Reads a `usage` object.
pub(super) fn read(mut usage: Members<'_>) -> Option<Usage> {
    let mut take = |name: &str| usage.take(name).and_then(|value| value.integer(&Path::root("usage")).ok());
    let (input, output) = (take("inputTokens"), take("outputTokens"));
    if input.is_none() && output.is_none() {
        return None;
    }
    let cached = take("cacheReadInputTokens").unwrap_or(0);
    let cache_write = take("cacheWriteInputTokens").unwrap_or(0);
    Some(Usage {
        input: input.unwrap_or(0).saturating_add(cached).saturating_add(cache_write),
        cached,
        cache_write,
        output: output.unwrap_or(0),
        ..Usage::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exclusive_counts_become_inclusive() {
        let read = |json: &str| read(Members::of(json).unwrap());
        let counts = r#"{"inputTokens":10,"outputTokens":5,"totalTokens":3215,"cacheReadInputTokens":3000,"cacheWriteInputTokens":200}"#;
        let usage = Usage { input: 3_210, cached: 3_000, cache_write: 200, output: 5, ..Usage::default() };
        assert_eq!(read(counts), Some(usage));
        assert_eq!(read(r#"{"inputTokens":"x"}"#), None);
    }
}
