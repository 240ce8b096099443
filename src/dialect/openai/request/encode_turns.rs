//! The IR's turns to messages.
//!
//! Invariant: tool results come first and directly behind the calls they answer, as the API demands; a turn of nothing
//! but text is one string, because many imitators take no list.

use crate::config::Dialect;
use crate::dialect::openai::generation::Generation;
use crate::dialect::openai::{proofs, sound};
use crate::dialect::openai_api::data_url;
use crate::dialect::openai_api::id::shortened;
use crate::dialect::tool_call::arguments;
use crate::ir::chat::{Message, Part, Role, Source, ToolCall};
use crate::ir::loss::Loss;
use crate::wire::json::{Array, Object, Text};
use std::borrow::Cow;

/// Longest id of a call that the API takes.
const MAX_CALL_ID: usize = 40;

/// Blocks that a client kept apart stay apart.
const SEAM: &[u8] = b"\\n\\n";

/// What the model that reads the turns understands beyond the format's oldest form.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader {
    /// The developer's role and custom tools.
    newer_words: bool,
    /// `reasoning_content` in the history.
    thinking: bool,
    /// `extra_content` of calls.
    signatures: bool,
}

impl Reader {
    /// By the model's name: vendors of these families document that thinking is to be sent back, and others refuse the
    /// member; only Google's own Chat layer signs calls.
    pub(super) fn of(model: &str) -> Self {
        let name = model.to_ascii_lowercase();
        let is_one_of = |families: &[&str]| families.iter().any(|family| name.contains(family));
        Self {
            newer_words: Generation::of(model).has_newer_words(),
            thinking: is_one_of(&["deepseek", "kimi", "glm-"]),
            signatures: is_one_of(&["gemini"]),
        }
    }
}

/// Appends what a turn is here: one message, or several if it holds tool results.
/// `leave_out` is told of the thinking that has no place here, by its index. Says whether there is anything to say.
pub(super) fn write(
    list: &mut Array<'_>,
    message: &Message<'_>,
    reader: Reader,
    leave_out: &mut dyn FnMut(usize, &mut Loss),
    loss: &mut Loss,
) -> bool {
    match message.role {
        Role::User => user(list, message, loss),
        Role::Assistant => return assistant(list, message, reader, leave_out, loss),
        // Imitators know no developer; OpenAI's own reasoners know hardly anything else.
        Role::System | Role::Developer => {
            let developer = message.role == Role::Developer && reader.newer_words;
            let texts = only_texts(message, loss);
            list.object(|object| {
                object.str("role", if developer { "developer" } else { "system" });
                write_joined(&texts, object.member("content"));
                write_name(message, object);
            });
        }
    }
    true
}

fn write_name(message: &Message<'_>, object: &mut Object<'_>) {
    if let Some(name) = &message.name {
        object.text("name", name);
    }
}

/// The texts of a turn that can hold nothing else.
fn only_texts<'m, 'a>(message: &'m Message<'a>, loss: &mut Loss) -> Vec<&'m Text<'a>> {
    let mut texts = Vec::new();
    for (at, part) in message.parts.iter().enumerate() {
        match part {
            Part::Text { text, .. } => texts.push(text),
            _ => loss.drop_in(message, at, ""),
        }
    }
    texts
}

fn write_joined(texts: &[&Text<'_>], out: &mut Vec<u8>) {
    out.push(b'"');
    for (at, text) in texts.iter().enumerate() {
        if at > 0 {
            out.extend_from_slice(SEAM);
        }
        text.write_content(out);
    }
    out.push(b'"');
}

fn user(list: &mut Array<'_>, message: &Message<'_>, loss: &mut Loss) {
    let mut rest = Vec::with_capacity(message.parts.len());
    let mut has_results = false;
    for (at, part) in message.parts.iter().enumerate() {
        match part {
            Part::ToolResult { id, content, is_error, .. } => {
                has_results = true;
                if *is_error {
                    loss.drop_in(message, at, "is_error");
                }
                for (inner, moved) in result(list, id, content) {
                    loss.drop_inside(message, at, inner, "");
                    if is_shown(&moved) {
                        rest.push(moved);
                    }
                }
            }
            part if is_shown(part) => rest.push(as_shown(part)),
            _ => loss.drop_in(message, at, ""),
        }
    }
    if rest.is_empty() && has_results {
        return;
    }
    list.object(|object| {
        object.str("role", "user");
        let texts: Vec<_> = rest.iter().filter_map(|part| as_text(part)).collect();
        if texts.len() == rest.len() {
            write_joined(&texts, object.member("content"));
        } else {
            object.array("content", |parts| {
                for part in &rest {
                    write_part(parts, part);
                }
            });
        }
        write_name(message, object);
    });
}

/// Whether a part can stand in a user message: documents by URL cannot, nor what others keep.
fn is_shown(part: &Part<'_>) -> bool {
    match part {
        Part::Text { .. } => true,
        Part::Image { source, .. } => matches!(source, Source::Url(_) | Source::Base64 { .. }),
        Part::Document { source, .. } => match source {
            Source::Base64 { .. } | Source::Text(_) => true,
            Source::File(id) => id.home == Dialect::Openai,
            Source::Url(_) => false,
        },
        Part::Audio { source: Source::Base64 { media_type, .. } } => {
            sound::format(&media_type.plain()).is_some()
        }
        _ => false,
    }
}

/// A document that is text is a text, with its name above it: every model reads that.
fn as_shown<'m, 'a>(part: &'m Part<'a>) -> Cow<'m, Part<'a>> {
    match part {
        Part::Document { source: Source::Text(text), name: Some(name), .. } => {
            Cow::Owned(Part::text(format!("{}\n\n{}", name.plain(), text.plain())))
        }
        Part::Document { source: Source::Text(text), name: None, .. } => {
            Cow::Owned(Part::Text { text: text.clone(), cache: false })
        }
        part => Cow::Borrowed(part),
    }
}

fn as_text<'m, 'a>(part: &'m Part<'a>) -> Option<&'m Text<'a>> {
    match part {
        Part::Text { text, .. } => Some(text),
        _ => None,
    }
}

/// Writes a tool message, which holds text alone, and returns what must follow in a user message.
fn result<'m, 'a>(
    list: &mut Array<'_>,
    id: &Text<'a>,
    content: &'m [Part<'a>],
) -> Vec<(usize, Cow<'m, Part<'a>>)> {
    let (texts, others): (Vec<_>, Vec<_>) =
        content.iter().map(as_shown).enumerate().partition(|(_, part)| as_text(part).is_some());
    let texts: Vec<_> = texts.iter().filter_map(|(_, part)| as_text(part)).collect();
    list.object(|object| {
        object.str("role", "tool").text("tool_call_id", &call_id(id));
        write_joined(&texts, object.member("content"));
    });
    others
}

fn call_id<'t, 'a>(id: &'t Text<'a>) -> Cow<'t, Text<'a>> {
    shortened(id, MAX_CALL_ID, "call_")
}

fn write_part(parts: &mut Array<'_>, part: &Part<'_>) {
    match part {
        Part::Text { text, .. } => {
            parts.object(|object| {
                object.str("type", "text").text("text", text);
            });
        }
        Part::Image { source, detail, .. } => {
            parts.object(|object| {
                object.str("type", "image_url").object("image_url", |image| {
                    data_url::write(source, image.member("url"));
                    if let Some(detail) = detail {
                        image.text("detail", detail);
                    }
                });
            });
        }
        Part::Document { source, name, .. } => {
            parts.object(|object| {
                object.str("type", "file").object("file", |file| write_file(source, name.as_ref(), file));
            });
        }
        Part::Audio { source: Source::Base64 { media_type, data } } => {
            parts.object(|object| {
                object.str("type", "input_audio").object("input_audio", |audio| {
                    let format = sound::format(&media_type.plain()).unwrap_or("wav");
                    audio.text("data", data).str("format", format);
                });
            });
        }
        // The caller has sorted out what a user message cannot hold.
        _ => {}
    }
}

fn write_file(source: &Source<'_>, name: Option<&Text<'_>>, file: &mut Object<'_>) {
    if let Source::File(id) = source {
        file.text("file_id", &id.value);
        if let Some(name) = name {
            file.text("filename", name);
        }
        return;
    }
    match name {
        Some(name) => file.text("filename", name),
        None => file.str("filename", "document"),
    };
    data_url::write(source, file.member("file_data"));
}

fn assistant(
    list: &mut Array<'_>,
    message: &Message<'_>,
    reader: Reader,
    leave_out: &mut dyn FnMut(usize, &mut Loss),
    loss: &mut Loss,
) -> bool {
    let mut texts = Vec::new();
    let mut refusals = Vec::new();
    let mut thoughts = Vec::new();
    let mut calls: Vec<&ToolCall<'_>> = Vec::new();
    for (at, part) in message.parts.iter().enumerate() {
        match part {
            Part::Text { text, .. } => {
                if !text.is_empty() {
                    texts.push(text);
                }
            }
            Part::Refusal { text } => refusals.push(text),
            Part::ToolCall(call) => calls.push(call),
            // Most models take no thinking back, whosesoever it is.
            Part::Thinking { text, .. } if reader.thinking && !text.is_empty() => thoughts.push((at, text)),
            Part::Thinking { .. } => leave_out(at, loss),
            Part::RedactedThinking { .. } => {}
            _ => loss.drop_in(message, at, ""),
        }
    }
    if texts.is_empty() && refusals.is_empty() && calls.is_empty() && !message.parts.is_empty() {
        // Thinking alone is no turn here: nothing follows from it.
        thoughts.iter().for_each(|(at, _)| leave_out(*at, loss));
        return false;
    }
    let thoughts: Vec<_> = thoughts.into_iter().map(|(_, text)| text).collect();
    list.object(|object| {
        object.str("role", "assistant");
        if texts.is_empty() && !(calls.is_empty() && refusals.is_empty()) {
            object.null("content");
        } else {
            write_joined(&texts, object.member("content"));
        }
        if !refusals.is_empty() {
            write_joined(&refusals, object.member("refusal"));
        }
        if !thoughts.is_empty() {
            write_joined(&thoughts, object.member("reasoning_content"));
        }
        if !calls.is_empty() {
            object.array("tool_calls", |list| {
                for call in calls {
                    list.object(|object| write_call(call, reader, object));
                }
            });
        }
        write_name(message, object);
    });
    true
}

fn write_call(call: &ToolCall<'_>, reader: Reader, object: &mut Object<'_>) {
    object.text("id", &call_id(&call.id));
    if call.custom && reader.newer_words {
        object.str("type", "custom").object("custom", |custom| {
            custom.text("name", &call.name).str("input", &call.arguments);
        });
        return;
    }
    object.str("type", "function").object("function", |function| {
        let arguments = arguments(call);
        // Servers that parse arguments refuse none at all.
        let arguments = if arguments.trim().is_empty() { "{}" } else { &arguments };
        function.text("name", &call.name).str("arguments", arguments);
    });
    let signature = call.proof.as_ref().and_then(|proof| proof.at_home(Dialect::Gemini));
    if let Some(signature) = signature.filter(|_| reader.signatures) {
        proofs::write_call(signature, object);
    }
}
