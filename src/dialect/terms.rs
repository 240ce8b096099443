//! What a client calls that which encoders, who know no client, name in Chat's words.
//!
//! Invariant: a path that the client's dialect has no other name for stays as it is; what a client named itself (members
//! of schemas) is never taken for a word of ours.

use crate::ir::loss::Loss;
use std::borrow::Cow;

/// Pairs of the neutral name and the dialect's own.
type Pairs = &'static [(&'static str, &'static str)];

/// A dialect's own names.
#[derive(Debug, Clone, Copy, Default)]
pub struct Terms {
    /// At the beginning of a path.
    pub names: Pairs,
    /// Directly behind a tool: `.function.parameters`.
    pub tools: Pairs,
    /// Directly behind a turn: `.content`.
    pub turns: Pairs,
    /// At the end of a path to a part: `.filename`.
    pub parts: Pairs,
}

/// Adds what was lost when a request was written to what was lost when it was read, in the client's own terms.
pub fn tell(terms: &Terms, written: &Loss, told: &mut Loss) {
    for path in written.paths() {
        let called = told.words().iter().find_map(|(name, own)| Some(format!("{own}{}", rest(path, name)?)));
        match called {
            Some(called) => told.drop(called),
            None => told.drop(own(terms, path)),
        }
    }
}

/// A path in a client's own terms.
#[must_use]
pub fn own<'p>(terms: &Terms, path: &'p str) -> Cow<'p, str> {
    let (list, element) = split(path);
    let path = match list {
        List::Tools => renamed(terms.tools, path, element),
        List::Turns => {
            let path = renamed(terms.turns, path, element);
            let ended = terms.parts.iter().find_map(|(name, own)| Some((path.strip_suffix(name)?, own)));
            match ended {
                Some((front, own)) => Cow::Owned(format!("{front}{own}")),
                None => path,
            }
        }
        List::None => Cow::Borrowed(path),
    };
    let known = terms.names.iter().find_map(|(name, own)| Some((own, rest(&path, name)?)));
    match known {
        Some((own, rest)) => Cow::Owned(format!("{own}{rest}")),
        None => path,
    }
}

/// What a path is about.
enum List {
    None,
    Tools,
    Turns,
}

/// What a path is about, and where the element of the list ends in it.
fn split(path: &str) -> (List, usize) {
    const WITHIN: &str = ".functionDeclarations[";
    let behind =
        |from: usize| path.get(from..).and_then(|rest| rest.find(']')).map_or(path.len(), |at| from + at + 1);
    if path.starts_with("tools[") {
        let tool = behind(0);
        let within = path.get(tool..).is_some_and(|rest| rest.starts_with(WITHIN));
        return (List::Tools, if within { behind(tool) } else { tool });
    }
    match rest(path, "messages").is_some() || rest(path, "system").is_some() {
        true => (List::Turns, behind(0)),
        false => (List::None, 0),
    }
}

/// A path with another name from `at` on.
fn renamed<'p>(pairs: Pairs, path: &'p str, at: usize) -> Cow<'p, str> {
    let Some((front, behind)) = path.split_at_checked(at) else { return Cow::Borrowed(path) };
    match pairs.iter().find_map(|(name, own)| Some((own, rest(behind, name)?))) {
        Some((own, rest)) => Cow::Owned(format!("{front}{own}{rest}")),
        None => Cow::Borrowed(path),
    }
}

/// What follows a whole name.
fn rest<'p>(path: &'p str, name: &str) -> Option<&'p str> {
    path.strip_prefix(name).filter(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

#[cfg(test)]
mod tests {
    use super::own;
    use crate::config::Dialect;
    use crate::dialect::inbound;

    #[test]
    fn every_client_hears_its_own_words() {
        for (client, path, expected) in [
            (Dialect::Openai, "messages[0].content[1]", "messages[0].content[1]"),
            (Dialect::Openai, "messages[0].content[1].filename", "messages[0].content[1].file.filename"),
            (Dialect::Openai, "messages[0].content[1].detail", "messages[0].content[1].image_url.detail"),
            (
                Dialect::Openai,
                "messages[1].tool_calls[0].arguments",
                "messages[1].tool_calls[0].function.arguments",
            ),
            (Dialect::Openai, "stop", "stop"),
            (Dialect::Anthropic, "stop[4]", "stop_sequences[4]"),
            (Dialect::Anthropic, "user", "metadata.user_id"),
            (Dialect::Anthropic, "tools[0].function.strict", "tools[0].strict"),
            (Dialect::Anthropic, "tools[0].function.parameters.a.b", "tools[0].input_schema.a.b"),
            (Dialect::Anthropic, "messages[0].content[1].filename", "messages[0].content[1].title"),
            (Dialect::Anthropic, "top_k", "top_k"),
            (Dialect::Responses, "tools[0].custom.format", "tools[0].format"),
            (Dialect::Responses, "tools[0].function.parameters.custom.a", "tools[0].parameters.custom.a"),
            (Dialect::Responses, "messages[2].content[0].filename", "input[2].content[0].filename"),
            (Dialect::Responses, "messages[2].output[0].detail", "input[2].output[0].detail"),
            (Dialect::Responses, "response_format.json_schema.description", "text.format.description"),
            (Dialect::Gemini, "messages[0].content[1]", "contents[0].parts[1]"),
            (
                Dialect::Gemini,
                "messages[0].content[1].is_error",
                "contents[0].parts[1].functionResponse.response.error",
            ),
            (
                Dialect::Gemini,
                "messages[0].content[1].functionResponse.parts[0]",
                "contents[0].parts[1].functionResponse.parts[0]",
            ),
            (
                Dialect::Gemini,
                "tools[0].functionDeclarations[2].function.parameters.filename",
                "tools[0].functionDeclarations[2].parameters.filename",
            ),
            (Dialect::Gemini, "system[0].cache_control", "systemInstruction.parts[0].cache_control"),
            (Dialect::Gemini, "stop", "generationConfig.stopSequences"),
            (Dialect::Gemini, "top_p", "generationConfig.topP"),
            (Dialect::Gemini, "top_px", "top_px"),
        ] {
            assert_eq!(own(&inbound(client).terms(), path), expected, "{client:?}");
        }
    }
}
