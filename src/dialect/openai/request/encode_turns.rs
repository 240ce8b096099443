//! The IR's turns to messages.
//!
//! Invariant: tool results come first and directly behind the calls they answer, as the API demands; a turn of nothing
//! but text is one string, because many imitators take no list.

use super::encode::shortened;
use crate::ir::chat::{Message, Part, Role, Source, ToolCall};
use crate::ir::loss::Loss;
use crate::wire::json::{Array, Object, Text};

/// Longest id of a call that the API takes.
const MAX_CALL_ID: usize = 40;

/// Blocks that a client kept apart stay apart.
const SEAM: &[u8] = b"\\n\\n";

/// Appends what a turn is here: one message, or several if it holds tool results.
pub(super) fn write(list: &mut Array<'_>, message: &Message<'_>, reasoner: bool, loss: &mut Loss) {
    match message.role {
        Role::User => user(list, message, loss),
        Role::Assistant => assistant(list, message, loss),
        // Imitators know no developer; OpenAI's own reasoners know hardly anything else.
        Role::System | Role::Developer => {
            let developer = message.role == Role::Developer && reasoner;
            let texts = only_texts(message, loss);
            list.object(|object| {
                object.str("role", if developer { "developer" } else { "system" });
                write_joined(&texts, object.member("content"));
                write_name(message, object);
            });
        }
    }
}

fn write_name(message: &Message<'_>, object: &mut Object<'_>) {
    if let Some(name) = &message.name {
        object.text("name", name);
    }
}

fn note_cache(message: &Message<'_>, at: usize, cache: bool, loss: &mut Loss) {
    if cache {
        loss.drop_in(message, at, "cache_control");
    }
}

/// The texts of a turn that can hold nothing else.
fn only_texts<'m, 'a>(message: &'m Message<'a>, loss: &mut Loss) -> Vec<&'m Text<'a>> {
    let mut texts = Vec::new();
    for (at, part) in message.parts.iter().enumerate() {
        if let Part::Text { text, cache } = part {
            note_cache(message, at, *cache, loss);
            texts.push(text);
        } else {
            loss.drop_in(message, at, "");
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
            Part::ToolResult { id, content, is_error } => {
                has_results = true;
                if *is_error {
                    loss.drop_in(message, at, "is_error");
                }
                let moved = result(list, id, content);
                if !moved.is_empty() {
                    loss.drop_in(message, at, "content");
                }
                rest.extend(moved.into_iter().filter(|part| is_shown(part)));
            }
            Part::Text { cache, .. } => {
                note_cache(message, at, *cache, loss);
                rest.push(part);
            }
            part if is_shown(part) => rest.push(part),
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

/// Whether a part other than text can stand in a user message: documents by URL cannot.
const fn is_shown(part: &Part<'_>) -> bool {
    matches!(part, Part::Image { .. } | Part::Document { source: Source::Base64 { .. }, .. })
}

fn as_text<'m, 'a>(part: &'m Part<'a>) -> Option<&'m Text<'a>> {
    match part {
        Part::Text { text, .. } => Some(text),
        _ => None,
    }
}

/// Writes a tool message, which holds text alone, and returns what must follow in a user message.
fn result<'m, 'a>(list: &mut Array<'_>, id: &Text<'a>, content: &'m [Part<'a>]) -> Vec<&'m Part<'a>> {
    let (texts, others): (Vec<_>, Vec<_>) = content.iter().partition(|part| as_text(part).is_some());
    let texts: Vec<_> = texts.into_iter().filter_map(as_text).collect();
    list.object(|object| {
        object.str("role", "tool").text("tool_call_id", &call_id(id));
        write_joined(&texts, object.member("content"));
    });
    others
}

fn call_id<'t>(id: &'t Text<'_>) -> std::borrow::Cow<'t, Text<'t>> {
    shortened(id, MAX_CALL_ID, "call_")
}

fn write_part(parts: &mut Array<'_>, part: &Part<'_>) {
    match part {
        Part::Text { text, .. } => {
            parts.object(|object| {
                object.str("type", "text").text("text", text);
            });
        }
        Part::Image { source, detail } => {
            parts.object(|object| {
                object.str("type", "image_url").object("image_url", |image| {
                    write_source(source, image.member("url"));
                    if let Some(detail) = detail {
                        image.text("detail", detail);
                    }
                });
            });
        }
        Part::Document { source, name } => {
            parts.object(|object| {
                object.str("type", "file").object("file", |file| {
                    match name {
                        Some(name) => file.text("filename", name),
                        None => file.str("filename", "document"),
                    };
                    write_source(source, file.member("file_data"));
                });
            });
        }
        // The caller has sorted out what a user message cannot hold.
        _ => {}
    }
}

fn write_source(source: &Source<'_>, out: &mut Vec<u8>) {
    match source {
        Source::Url(url) => url.write(out),
        Source::Base64 { media_type, data } => {
            out.extend_from_slice(b"\"data:");
            media_type.write_content(out);
            out.extend_from_slice(b";base64,");
            data.write_content(out);
            out.push(b'"');
        }
    }
}

fn assistant(list: &mut Array<'_>, message: &Message<'_>, loss: &mut Loss) {
    let mut texts = Vec::new();
    let mut refusals = Vec::new();
    let mut calls: Vec<&ToolCall<'_>> = Vec::new();
    for (at, part) in message.parts.iter().enumerate() {
        match part {
            Part::Text { text, cache } => {
                note_cache(message, at, *cache, loss);
                if !text.is_empty() {
                    texts.push(text);
                }
            }
            Part::Refusal { text } => refusals.push(text),
            Part::ToolCall(call) => calls.push(call),
            // Thinking travels back to its own dialect alone.
            _ => loss.drop_in(message, at, ""),
        }
    }
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
        if !calls.is_empty() {
            object.array("tool_calls", |list| {
                for call in calls {
                    list.object(|object| write_call(call, object));
                }
            });
        }
        write_name(message, object);
    });
}

fn write_call(call: &ToolCall<'_>, object: &mut Object<'_>) {
    object.text("id", &call_id(&call.id)).str("type", "function").object("function", |function| {
        // Servers that parse arguments refuse none at all.
        let arguments = if call.arguments.trim().is_empty() { "{}" } else { &call.arguments };
        function.text("name", &call.name).str("arguments", arguments);
    });
}
