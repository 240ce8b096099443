//! Replies that are any JSON object: OpenAI (and who imitates it) refuses to be asked for one by a conversation that does not
//! speak of JSON. <https://platform.openai.com/docs/guides/structured-outputs#json-mode>

use crate::ir::chat::{Format, Message, Part};

/// What is said to the model where nobody has said it.
pub(in crate::dialect) const NOTE: &str = "Answer with a JSON object.";

/// Whether [`NOTE`] must be said to those who read these messages: other dialects' clients ask for JSON by a member alone.
pub(in crate::dialect) fn must_be_noted(format: Option<&Format<'_>>, messages: &[Message<'_>]) -> bool {
    let mut parts = messages.iter().flat_map(|message| &message.parts);
    format == Some(&Format::JsonObject) && !parts.any(speaks_of_it)
}

fn speaks_of_it(part: &Part<'_>) -> bool {
    match part {
        Part::Text { text, .. } => {
            text.plain().as_bytes().windows(4).any(|word| word.eq_ignore_ascii_case(b"json"))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::chat::Role;

    fn noted(text: &str, format: Option<&Format<'_>>) -> bool {
        let parts = vec![Part::text(text.to_owned())];
        must_be_noted(format, &[Message::new(Role::User, Some(0), parts)])
    }

    #[test]
    fn only_silence_is_broken() {
        assert!(noted("two colours", Some(&Format::JsonObject)));
        assert!(!noted("two colours, as Json", Some(&Format::JsonObject)));
        assert!(!noted("two colours", None));
    }
}
