//! What a client calls that which encoders, who know no client, name in Chat's words.
//!
//! Invariant: a path that the client's dialect has no other name for stays as it is.

use std::borrow::Cow;

/// Pairs of Chat's name and the dialect's own. One that begins with a dot stands anywhere in a path, others at its
/// beginning.
pub type Terms = &'static [(&'static str, &'static str)];

/// A path in a client's own terms.
#[must_use]
pub fn own<'p>(terms: Terms, path: &'p str) -> Cow<'p, str> {
    let mut path = Cow::Borrowed(path);
    let known = terms.iter().find_map(|(name, own)| Some((own, rest(&path, name)?)));
    if let Some((own, rest)) = known {
        path = Cow::Owned(format!("{own}{rest}"));
    }
    for (name, own) in terms.iter().filter(|(name, _)| name.starts_with('.')) {
        if path.contains(name) {
            path = Cow::Owned(path.replacen(name, own, 1));
        }
    }
    path
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
            (Dialect::Openai, "stop", "stop"),
            (Dialect::Anthropic, "stop[4]", "stop_sequences[4]"),
            (Dialect::Anthropic, "user", "metadata.user_id"),
            (Dialect::Anthropic, "tools[0].function.strict", "tools[0].strict"),
            (Dialect::Anthropic, "tools[0].function.parameters.a.b", "tools[0].input_schema.a.b"),
            (Dialect::Anthropic, "top_k", "top_k"),
            (Dialect::Responses, "tools[0].custom.format", "tools[0].format"),
            (Dialect::Responses, "messages[2].content[0].filename", "input[2].content[0].filename"),
            (Dialect::Responses, "response_format.json_schema.description", "text.format.description"),
            (Dialect::Gemini, "messages[0].content[1]", "contents[0].parts[1]"),
            (Dialect::Gemini, "system[0].cache_control", "systemInstruction.parts[0].cache_control"),
            (Dialect::Gemini, "stop", "generationConfig.stopSequences"),
            (Dialect::Gemini, "top_p", "generationConfig.topP"),
            (Dialect::Gemini, "top_px", "top_px"),
        ] {
            assert_eq!(own(inbound(client).terms(), path), expected, "{client:?}");
        }
    }
}
