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

/// Reads what `InvokeModel` says of its tokens in headers: of some makers' models it is said nowhere else.
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/quotas-token-burndown.html>
pub(super) fn of_headers(headers: &[(String, Vec<u8>)]) -> Option<Usage> {
    let count = |wanted: &str| {
        let (_, value) = headers.iter().find(|(name, _)| name == wanted)?;
        std::str::from_utf8(value).ok()?.trim().parse::<u64>().ok()
    };
    let (input, output) =
        (count("x-amzn-bedrock-input-token-count"), count("x-amzn-bedrock-output-token-count"));
    (input.is_some() || output.is_some()).then(|| Usage {
        input: input.unwrap_or(0),
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

    #[test]
    fn headers_count_too() {
        let told = |name: &str, value: &str| of_headers(&[(name.to_owned(), value.as_bytes().to_vec())]);
        let input = Usage { input: 7, ..Usage::default() };
        assert_eq!(told("x-amzn-bedrock-input-token-count", " 7"), Some(input));
        let output = Usage { output: 3, ..Usage::default() };
        assert_eq!(told("x-amzn-bedrock-output-token-count", "3"), Some(output));
        assert_eq!(told("x-amzn-bedrock-input-token-count", "-7"), None);
        assert_eq!(told("x-amzn-bedrock-invocation-latency", "7"), None);
    }
}
