//! Output items for a client. Text comes as the escaped content of JSON strings, so that a stream's deltas join to the
//! same bytes.

use crate::dialect::openai_api::id::hashed;
use crate::dialect::openai_api::logprobs;
use crate::dialect::responses::object::Frame;
use crate::dialect::responses::proof;
use crate::ir::chat::{Choice, Logprob, Part, ToolCall};
use crate::wire::json::{Array, Object, Reader, Text, escape_into};

/// An id for a tool call whose provider gives none: the same for the same place in the same reply.
pub(in crate::dialect::responses) fn made_up_call(reply_id: &str, place: usize) -> String {
    hashed("call_", &format!("{reply_id}:{place}"))
}

/// A string member from escaped content.
pub(in crate::dialect::responses) fn escaped(object: &mut Object<'_>, name: &str, content: &[u8]) {
    let out = object.member(name);
    out.push(b'"');
    out.extend_from_slice(content);
    out.push(b'"');
}

/// A text part. `tokens` are the elements of the list of log probabilities.
pub(in crate::dialect::responses) fn text_part(object: &mut Object<'_>, text: &[u8], tokens: &[u8]) {
    object.str("type", "output_text").raw("annotations", "[]");
    list(object, "logprobs", tokens);
    escaped(object, "text", text);
}

/// A refusal part.
pub(in crate::dialect::responses) fn refusal_part(object: &mut Object<'_>, text: &[u8]) {
    object.str("type", "refusal");
    escaped(object, "refusal", text);
}

/// A list member from its elements.
pub(in crate::dialect::responses) fn list(object: &mut Object<'_>, name: &str, elements: &[u8]) {
    let out = object.member(name);
    out.push(b'[');
    out.extend_from_slice(elements);
    out.push(b']');
}

/// The elements of a list of log probabilities.
pub(in crate::dialect::responses) fn tokens(list: &[Logprob<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    logprobs::write(&mut Array::new(&mut out), list);
    let inside = out.strip_prefix(b"[").and_then(|out| out.strip_suffix(b"]"));
    inside.unwrap_or_default().to_vec()
}

/// A message from its parts, with commas between them.
pub(in crate::dialect::responses) fn message(object: &mut Object<'_>, id: &str, status: &str, parts: &[u8]) {
    object.str("id", id).str("type", "message").str("status", status);
    list(object, "content", parts);
    object.str("role", "assistant");
}

/// A reasoning item; `summary` may be empty.
pub(in crate::dialect::responses) fn reasoning(
    object: &mut Object<'_>,
    id: &str,
    status: &str,
    summary: &[u8],
    encrypted: &str,
) {
    object.str("id", id).str("type", "reasoning").str("status", status).array("summary", |list| {
        if !summary.is_empty() {
            list.object(|part| summary_part(part, summary));
        }
    });
    object.str("encrypted_content", encrypted);
}

/// A paragraph of a summary.
pub(in crate::dialect::responses) fn summary_part(object: &mut Object<'_>, text: &[u8]) {
    object.str("type", "summary_text");
    escaped(object, "text", text);
}

/// A call: of a custom tool with its input, else of a function with its arguments.
pub(in crate::dialect::responses) fn call(
    object: &mut Object<'_>,
    id: &str,
    status: &str,
    call: &Call<'_>,
    said: &[u8],
) {
    object.str("id", id).str("type", if call.custom { "custom_tool_call" } else { "function_call" });
    object.str("status", status);
    if call.custom {
        object.text("call_id", call.id);
        escaped(object, "input", said);
    } else {
        escaped(object, "arguments", said);
        object.text("call_id", call.id);
    }
    object.text("name", call.name);
}

/// Who is called.
#[derive(Debug, Clone, Copy)]
pub(in crate::dialect::responses) struct Call<'c> {
    /// Names the call.
    pub(in crate::dialect::responses) id: &'c Text<'c>,
    /// Names the tool.
    pub(in crate::dialect::responses) name: &'c Text<'c>,
    /// Whether the client knows it as a custom tool.
    pub(in crate::dialect::responses) custom: bool,
}

/// The input of a custom tool that was offered as a function with one string; `None` if the model made something else of
/// it.
pub(in crate::dialect::responses) fn custom_input(arguments: &str) -> Option<String> {
    let mut input = None;
    let mut reader = Reader::new(arguments);
    reader.object().ok()?;
    while let Some(key) = reader.key().ok()? {
        if key == "input" {
            input = Some(reader.string().ok()?.plain().into_owned());
        } else {
            reader.skip().ok()?;
        }
    }
    reader.end().ok()?;
    input
}

/// Writes a whole reply's items, with commas between them.
pub(in crate::dialect::responses) struct Items<'f, 'o> {
    frame: &'f Frame,
    out: &'o mut Vec<u8>,
    /// Of the last message.
    status: &'static str,
    place: u64,
}

impl<'f, 'o> Items<'f, 'o> {
    /// Behind nothing.
    pub(in crate::dialect::responses) fn new(
        frame: &'f Frame,
        out: &'o mut Vec<u8>,
        status: &'static str,
    ) -> Self {
        Self { frame, out, status, place: 0 }
    }

    /// Writes every part; texts and refusals that follow each other are one message.
    pub(in crate::dialect::responses) fn write(&mut self, choice: &Choice<'_>) {
        let mut said: Vec<u8> = Vec::new();
        let mut logprobs = choice.logprobs.as_slice();
        for part in &choice.parts {
            match part {
                Part::Text { text, .. } => {
                    let tokens = tokens(std::mem::take(&mut logprobs));
                    append(&mut said, |part| text_part(part, &content(text), &tokens));
                }
                Part::Refusal { text } => append(&mut said, |part| refusal_part(part, &content(text))),
                part => {
                    self.message(&mut said, "completed");
                    self.other(part);
                }
            }
        }
        if said.is_empty() && self.place == 0 {
            // Clients look for a message.
            append(&mut said, |part| text_part(part, b"", b""));
        }
        let status = self.status;
        self.message(&mut said, status);
    }

    fn message(&mut self, said: &mut Vec<u8>, status: &str) {
        if !said.is_empty() {
            let parts = std::mem::take(said);
            self.item("msg", |object, id| message(object, id, status, &parts));
        }
    }

    fn other(&mut self, part: &Part<'_>) {
        match part {
            Part::Thinking { text, proof } => {
                let encrypted = proof::seal(proof.as_ref());
                self.item("rs", |object, id| reasoning(object, id, "completed", &content(text), &encrypted));
            }
            Part::RedactedThinking { data } => {
                let encrypted = proof::seal_redacted(data);
                self.item("rs", |object, id| reasoning(object, id, "completed", b"", &encrypted));
            }
            Part::ToolCall(made) => {
                // A call has no place for what proves it: that comes before it, as reasoning without words.
                if let Some(proof) = &made.proof {
                    let encrypted = proof::seal(Some(proof));
                    self.item("rs", |object, id| reasoning(object, id, "completed", b"", &encrypted));
                }
                self.call(made);
            }
            // The model makes no others.
            _ => {}
        }
    }

    fn call(&mut self, made: &ToolCall<'_>) {
        let custom = made.custom || self.frame.is_custom(&made.name);
        let unwrapped = if custom && !made.custom { custom_input(&made.arguments) } else { None };
        let mut said = Vec::new();
        escape_into(unwrapped.as_deref().unwrap_or(&made.arguments), &mut said);
        let who = Call { id: &made.id, name: &made.name, custom };
        self.item(if custom { "ctc" } else { "fc" }, |object, id| call(object, id, "completed", &who, &said));
    }

    fn item(&mut self, prefix: &str, fill: impl FnOnce(&mut Object<'_>, &str)) {
        let id = self.frame.item_id(prefix, self.place);
        self.place += 1;
        append(self.out, |object| fill(object, &id));
    }
}

/// Appends an object to a list's elements.
pub(in crate::dialect::responses) fn append(elements: &mut Vec<u8>, fill: impl FnOnce(&mut Object<'_>)) {
    if !elements.is_empty() {
        elements.push(b',');
    }
    fill(&mut Object::new(elements));
}

/// The escaped content of a text.
pub(in crate::dialect::responses) fn content(text: &Text<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.held_len());
    text.write_content(&mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_custom_tools_input_is_found_in_its_stand_ins_arguments() {
        assert_eq!(custom_input(r#"{"input":"*** a\n\"b\""}"#).as_deref(), Some("*** a\n\"b\""));
        for other in ["", "{}", "[]", r#"{"input":1}"#, r#"{"input":"a"}x"#, r#"{"input":"a""#] {
            assert_eq!(custom_input(other), None, "{other}");
        }
    }
}
