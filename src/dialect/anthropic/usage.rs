//! Token counts. Anthropic's `input_tokens` leaves out what was read from or written to the cache; ours counts it in.
//!
//! Invariant: every count is exact in both directions, and a later event of a stream overwrites only what it names.

use crate::config::Usage;
use crate::dialect::members::{Members, Path, Value};
use crate::wire::json::Object;

/// Counts as the wire tells them, maybe bit by bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    input: Option<u64>,
    cached: Option<u64>,
    cache_write: Option<u64>,
    output: Option<u64>,
    reasoning: Option<u64>,
}

impl Counts {
    /// Takes what a `usage` object names. A count that is no integer is as good as none.
    pub(super) fn merge(&mut self, mut usage: Members<'_>) {
        let take = |slot: &mut Option<u64>, value: Option<Value<'_>>| {
            if let Some(count) = value.and_then(|value| value.integer(&Path::root("usage")).ok()) {
                *slot = Some(count);
            }
        };
        take(&mut self.input, usage.take("input_tokens"));
        take(&mut self.cached, usage.take("cache_read_input_tokens"));
        take(&mut self.cache_write, usage.take("cache_creation_input_tokens"));
        take(&mut self.output, usage.take("output_tokens"));
        if let Some(mut details) = usage.take_members("output_tokens_details") {
            take(&mut self.reasoning, details.take("thinking_tokens"));
        }
    }

    /// The neutral counts, if there are any.
    pub(super) fn usage(self) -> Option<Usage> {
        if self.input.is_none() && self.output.is_none() {
            return None;
        }
        let cached = self.cached.unwrap_or(0);
        let cache_write = self.cache_write.unwrap_or(0);
        Some(Usage {
            images: 0,
            input: self.input.unwrap_or(0).saturating_add(cached).saturating_add(cache_write),
            cached,
            cache_write,
            output: self.output.unwrap_or(0),
            reasoning: self.reasoning.unwrap_or(0),
        })
    }
}

/// Writes counts into a `usage` object.
pub(super) fn write(usage: &Usage, object: &mut Object<'_>) {
    let uncached = usage.input.saturating_sub(usage.cached).saturating_sub(usage.cache_write);
    object
        .int("input_tokens", uncached)
        .int("cache_creation_input_tokens", usage.cache_write)
        .int("cache_read_input_tokens", usage.cached)
        .int("output_tokens", usage.output);
    if usage.reasoning > 0 {
        object.object("output_tokens_details", |details| {
            details.int("thinking_tokens", usage.reasoning);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exclusive_counts_become_inclusive_and_back() {
        let wire = r#"{"input_tokens":10,"cache_creation_input_tokens":200,"cache_read_input_tokens":3000,"output_tokens":5,"output_tokens_details":{"thinking_tokens":2}}"#;
        let mut counts = Counts::default();
        counts.merge(Members::of(wire).unwrap());
        let usage = counts.usage().unwrap();
        assert_eq!(
            usage,
            Usage { input: 3210, cached: 3000, cache_write: 200, output: 5, reasoning: 2, images: 0 }
        );
        let mut out = Vec::new();
        write(&usage, &mut Object::new(&mut out));
        assert_eq!(String::from_utf8(out).unwrap(), wire);
    }

    #[test]
    fn a_later_event_overwrites_only_what_it_names() {
        let mut counts = Counts::default();
        assert_eq!(counts.usage(), None);
        counts.merge(
            Members::of(r#"{"input_tokens":10,"cache_read_input_tokens":4,"output_tokens":1}"#).unwrap(),
        );
        counts.merge(Members::of(r#"{"output_tokens":7,"cache_read_input_tokens":null}"#).unwrap());
        assert_eq!(counts.usage(), Some(Usage { input: 14, cached: 4, output: 7, ..Usage::default() }));
    }
}
