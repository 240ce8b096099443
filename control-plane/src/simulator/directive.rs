//! What a prompt tells the simulated model to do: `[[say:TEXT]]`, `[[tool:NAME ARGUMENTS]]`, `[[think:TEXT]]`,
//! `[[redacted]]`, `[[refuse]]`, `[[length]]`, `[[words:N]]`, `[[big:N]]`, `[[delay_ms:N]]`, `[[unicode]]`, `[[also:TEXT]]`,
//! `[[decline:TEXT]]`, `[[block]]`, `[[fail]]`, `[[search:QUERY]]`, `[[cite:URL]]`.
//!
//! Invariant: a text without a directive, or with an unknown one, is only a text.

use serde_json::value::RawValue;
use std::time::Duration;

/// All directives of one prompt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Directives {
    /// Say exactly this.
    pub(crate) say: Option<String>,
    /// Call these tools, in order: name and arguments as they were written.
    pub(crate) tools: Vec<(String, String)>,
    /// Think this first.
    pub(crate) think: Option<String>,
    /// Emit an encrypted thinking block.
    pub(crate) redacted: bool,
    /// Refuse, as the vendor's policy filter would.
    pub(crate) refuse: bool,
    /// Stop as if the token limit had been reached.
    pub(crate) length: bool,
    /// Say this many words.
    pub(crate) words: Option<usize>,
    /// Say this many bytes.
    pub(crate) big: Option<usize>,
    /// Wait this long before each delta.
    pub(crate) delay: Duration,
    /// What further candidates say, where several are asked for; those after the last say the same as the first.
    pub(crate) also: Vec<String>,
    /// Decline in these words: the model's own choice, unlike a refusal by policy.
    pub(crate) decline: Option<String>,
    /// The prompt itself is refused by the vendor's filter.
    pub(crate) block: bool,
    /// The model breaks down after it has said all.
    pub(crate) fail: bool,
    /// Search the web for this, where the vendor's own tool is declared.
    pub(crate) search: Option<String>,
    /// Name these pages as the sources of the whole text.
    pub(crate) cite: Vec<String>,
    /// Say something outside ASCII and cut the stream inside its characters.
    pub(crate) unicode: bool,
}

/// Reads the directives in a prompt.
pub(crate) fn parse(prompt: &str) -> Directives {
    let mut directives = Directives::default();
    let mut rest = prompt;
    while let Some((_, inside)) = rest.split_once("[[") {
        let Some((body, after)) = body(inside) else { break };
        apply(&mut directives, body);
        rest = after;
    }
    directives
}

/// The text up to the closing brackets. A tool's arguments may hold `]]` themselves, so they are read as JSON first.
fn body(inside: &str) -> Option<(&str, &str)> {
    if let Some(call) = inside.strip_prefix("tool:")
        && let Some((name, arguments)) = call.split_once(' ')
        && !name.contains("]]")
    {
        let mut values = serde_json::Deserializer::from_str(arguments).into_iter::<&RawValue>();
        if let Some(Ok(_)) = values.next() {
            let json_end = inside.len() - arguments.len() + values.byte_offset();
            let (head, tail) = inside.split_at_checked(json_end)?;
            if let Some(after) = tail.strip_prefix("]]") {
                return Some((head, after));
            }
        }
    }
    inside.split_once("]]")
}

fn apply(directives: &mut Directives, body: &str) {
    let (name, value) = body.split_once(':').unwrap_or((body, ""));
    match name {
        "say" => directives.say = Some(value.to_owned()),
        "think" => directives.think = Some(value.to_owned()),
        "tool" => {
            let (name, arguments) = value.split_once(' ').unwrap_or((value, "{}"));
            let arguments = if arguments == "\"\"" { "" } else { arguments };
            directives.tools.push((name.to_owned(), arguments.to_owned()));
        }
        "also" => directives.also.push(value.to_owned()),
        "decline" => directives.decline = Some(value.to_owned()),
        "block" => directives.block = true,
        "fail" => directives.fail = true,
        "cite" => directives.cite.push(value.to_owned()),
        "search" => directives.search = Some(value.to_owned()),
        "redacted" => directives.redacted = true,
        "refuse" => directives.refuse = true,
        "length" => directives.length = true,
        "unicode" => directives.unicode = true,
        "words" => directives.words = value.trim().parse().ok(),
        "big" => directives.big = value.trim().parse().ok(),
        "delay_ms" => directives.delay = Duration::from_millis(value.trim().parse().unwrap_or(0)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_are_read_anywhere_in_a_prompt() {
        let found = parse("please [[think:hm]] then [[say:a: b]] slowly [[delay_ms:5]][[words:7]]");
        assert_eq!(found.think.as_deref(), Some("hm"));
        assert_eq!(found.say.as_deref(), Some("a: b"));
        assert_eq!(found.delay, Duration::from_millis(5));
        assert_eq!(found.words, Some(7));
    }

    #[test]
    fn tools_keep_their_arguments_as_written() {
        let found = parse(r#"[[tool:a {"m":[[1.50, 2]]}]] [[tool:b]] [[tool:c ""]] [[tool:d {"cut]]"#);
        let expected = [("a", r#"{"m":[[1.50, 2]]}"#), ("b", "{}"), ("c", ""), ("d", r#"{"cut"#)];
        assert_eq!(found.tools, expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
    }

    #[test]
    fn several_candidates_are_told_apart() {
        let found = parse(
            "[[say:a]][[also:b]][[also:c]] [[decline:no]][[block]][[fail]][[search:q]][[cite:https://a/]]",
        );
        assert_eq!(found.also, ["b", "c"]);
        assert_eq!((found.decline.as_deref(), found.search.as_deref()), (Some("no"), Some("q")));
        assert_eq!(found.cite, ["https://a/"]);
        assert!(found.block && found.fail);
    }

    #[test]
    fn other_text_is_only_text() {
        assert_eq!(parse("a [[ b ]] [[constructor]] [[open"), Directives::default());
    }
}
