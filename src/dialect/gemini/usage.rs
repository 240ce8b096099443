//! Token counts. Google's prompt count leaves out what tools of its own put into the prompt, and its candidates' count
//! leaves out thoughts; ours count everything in. <https://ai.google.dev/api/generate-content#UsageMetadata>
//!
//! Invariant: what is decoded and encoded again is the same.

use super::names::canonical;
use crate::config::Usage;
use crate::dialect::value::{count_or_skip, object_or_skip};
use crate::wire::json::{Error, Object, Reader};

/// Reads `usageMetadata`.
pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Option<Usage>, Error> {
    if !object_or_skip(reader)? {
        return Ok(None);
    }
    let (mut prompt, mut tools, mut cached, mut said, mut thought) = (None, 0, 0, None, 0);
    while let Some(key) = reader.key()? {
        match &*canonical(key.plain()) {
            "promptTokenCount" => prompt = count_or_skip(reader)?,
            "toolUsePromptTokenCount" => tools = count_or_skip(reader)?.unwrap_or(0),
            "cachedContentTokenCount" => cached = count_or_skip(reader)?.unwrap_or(0),
            "candidatesTokenCount" => said = count_or_skip(reader)?,
            "thoughtsTokenCount" => thought = count_or_skip(reader)?.unwrap_or(0),
            _ => reader.skip()?,
        }
    }
    if prompt.is_none() && said.is_none() {
        return Ok(None);
    }
    Ok(Some(Usage {
        input: prompt.unwrap_or(0).saturating_add(tools),
        cached,
        cache_write: 0,
        output: said.unwrap_or(0).saturating_add(thought),
        reasoning: thought,
        images: 0,
    }))
}

/// Writes `usageMetadata`'s members.
pub(super) fn write(usage: &Usage, object: &mut Object<'_>) {
    object.int("promptTokenCount", usage.input);
    if usage.cached > 0 {
        object.int("cachedContentTokenCount", usage.cached);
    }
    object.int("candidatesTokenCount", usage.output.saturating_sub(usage.reasoning));
    if usage.reasoning > 0 {
        object.int("thoughtsTokenCount", usage.reasoning);
    }
    object.int("totalTokenCount", usage.input.saturating_add(usage.output));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exclusive_counts_become_inclusive_and_back() {
        let wire = r#"{"promptTokenCount":10,"cachedContentTokenCount":4,"candidatesTokenCount":5,"thoughtsTokenCount":7,"totalTokenCount":22}"#;
        let usage = decode(&mut Reader::new(wire)).unwrap().unwrap();
        assert_eq!((usage.input, usage.cached, usage.output, usage.reasoning), (10, 4, 12, 7));
        let mut out = Vec::new();
        write(&usage, &mut Object::new(&mut out));
        assert_eq!(String::from_utf8(out).unwrap(), wire);
        let tools = r#"{"promptTokenCount":10,"toolUsePromptTokenCount":5}"#;
        assert_eq!(decode(&mut Reader::new(tools)).unwrap().unwrap().input, 15);
        assert_eq!(decode(&mut Reader::new("{}")), Ok(None));
    }
}
