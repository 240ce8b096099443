//! The IR's turns to items.
//!
//! Invariant: what another dialect's model thought is left out: a reasoning item without its own provider's proof is
//! refused.

use crate::config::Dialect;
use crate::dialect::openai_api::data_url;
use crate::dialect::openai_api::generation::Generation;
use crate::dialect::openai_api::id::shortened;
use crate::dialect::openai_api::json_mode;
use crate::dialect::responses::item::write::{append, content, escaped, summary_part};
use crate::dialect::responses::proof;
use crate::dialect::thoughts::Thoughts;
use crate::ir::Proof;
use crate::ir::chat::{Message, Part, Request, Role, Source, ToolCall};
use crate::ir::loss::Loss;
use crate::wire::json::{Object, Text};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Longest id of a call that the API takes.
const MAX_CALL_ID: usize = 64;

/// Blocks that a client kept apart stay apart.
const SEAM: &[u8] = b"\\n\\n";

/// Writes `instructions` and `input`.
pub(super) fn write(request: &Request<'_>, generation: Generation, object: &mut Object<'_>, loss: &mut Loss) {
    let (first, rest) = match request.messages.split_first() {
        Some((first, rest)) if first.role == Role::System && !rest.is_empty() => (Some(first), rest),
        _ => (None, request.messages.as_slice()),
    };
    let mut writer =
        Writer { items: Vec::new(), custom: BTreeSet::new(), marks: knows_breakpoints(generation), loss };
    if let Some(system) = first {
        let texts = writer.only_texts(system);
        escaped(object, "instructions", &texts);
    }
    if json_mode::must_be_noted(request.format.as_ref(), rest) {
        append(&mut writer.items, |item| {
            item.str("type", "message").str("role", "developer").str("content", json_mode::NOTE);
        });
    }
    let thoughts = Thoughts::of(rest);
    for (position, message) in rest.iter().enumerate() {
        writer.turn(message, &|part, loss| thoughts.leave_out(message, position, part, loss));
    }
    let Writer { items, .. } = writer;
    let out = object.member("input");
    out.push(b'[');
    out.extend_from_slice(&items);
    out.push(b']');
}

/// Whether a model of the generation is told what to cache; the others find out themselves, so that a marker that is left
/// out is no loss.
pub(super) const fn knows_breakpoints(generation: Generation) -> bool {
    matches!(generation, Generation::Gpt(major, minor) if major > 5 || (major == 5 && minor >= 6))
}

struct Writer<'w, 'r> {
    /// With commas between them.
    items: Vec<u8>,
    /// Ids of calls of custom tools.
    custom: BTreeSet<Cow<'r, str>>,
    /// Whether cache breakpoints may be set.
    marks: bool,
    loss: &'w mut Loss,
}

impl<'r> Writer<'_, 'r> {
    /// `leave_out` is told of thinking that has no place here, by its index.
    fn turn(&mut self, message: &'r Message<'_>, leave_out: &dyn Fn(usize, &mut Loss)) {
        if message.name.is_some() {
            let at = message.at.map_or_else(|| "system".to_owned(), |at| format!("messages[{at}]"));
            self.loss.drop(format!("{at}.name"));
        }
        match message.role {
            Role::User => self.user(message),
            Role::Assistant => self.assistant(message, leave_out),
            Role::System | Role::Developer => {
                let role = if message.role == Role::System { "system" } else { "developer" };
                let texts = self.only_texts(message);
                append(&mut self.items, |item| {
                    item.str("type", "message").str("role", role);
                    escaped(item, "content", &texts);
                });
            }
        }
    }

    /// The texts of a turn that can hold nothing else, as the content of one string.
    fn only_texts(&mut self, message: &Message<'_>) -> Vec<u8> {
        let mut texts = Vec::new();
        for (at, part) in message.parts.iter().enumerate() {
            let Part::Text { text, .. } = part else {
                self.loss.drop_in(message, at, "");
                continue;
            };
            self.unmarked(message, at, part);
            if !texts.is_empty() {
                texts.extend_from_slice(SEAM);
            }
            text.write_content(&mut texts);
        }
        texts
    }

    /// Breakpoints stand in what users and tools say, and nowhere else.
    fn unmarked(&mut self, message: &Message<'_>, at: usize, part: &Part<'_>) {
        let marked = matches!(part, Part::Text { cache: true, .. } | Part::ToolResult { cache: true, .. });
        if marked && self.marks {
            self.loss.drop_in(message, at, "cache_control");
        }
    }

    fn user(&mut self, message: &'r Message<'_>) {
        let mut said = Vec::new();
        let mut results = false;
        for (at, part) in message.parts.iter().enumerate() {
            if let Part::ToolResult { id, content, is_error, .. } = part {
                // Results stand before what the user says besides.
                results = true;
                if *is_error {
                    self.loss.drop_in(message, at, "is_error");
                }
                self.unmarked(message, at, part);
                self.result(message, at, id, content);
            } else {
                let mut piece = Vec::new();
                let mut lose = |member: &str, loss: &mut Loss| loss.drop_in(message, at, member);
                self.piece(part, &mut lose, &mut piece);
                if !piece.is_empty() {
                    push(&mut said, &piece);
                }
            }
        }
        if said.is_empty() && results {
            return;
        }
        append(&mut self.items, |item| {
            item.str("type", "message").str("role", "user");
            let out = item.member("content");
            out.push(b'[');
            out.extend_from_slice(&said);
            out.push(b']');
        });
    }

    /// One part of a user's turn or of a result.
    fn piece(&mut self, part: &Part<'_>, lose: &mut dyn FnMut(&str, &mut Loss), out: &mut Vec<u8>) {
        let cache = match part {
            Part::Text { cache, .. } | Part::Image { cache, .. } | Part::Document { cache, .. } => *cache,
            _ => false,
        };
        if !is_sayable(part) {
            return lose("", self.loss);
        }
        if matches!(part, Part::Document { source: Source::File(_) | Source::Url(_), name: Some(_), .. }) {
            lose("filename", self.loss);
        }
        append(out, |object| {
            write_piece(part, object);
            if cache && self.marks {
                object.object("prompt_cache_breakpoint", |mark| {
                    mark.str("mode", "explicit");
                });
            }
        });
    }

    fn result(&mut self, message: &Message<'_>, at: usize, id: &Text<'_>, content: &[Part<'_>]) {
        let custom = self.custom.contains(&id.plain());
        let is_text = |part: &Part<'_>| matches!(part, Part::Text { cache: false, .. });
        let mut output = Vec::new();
        if content.iter().all(is_text) {
            output.push(b'"');
            for (number, part) in content.iter().enumerate() {
                if number > 0 {
                    output.extend_from_slice(SEAM);
                }
                if let Part::Text { text, .. } = part {
                    text.write_content(&mut output);
                }
            }
            output.push(b'"');
        } else {
            let mut pieces = Vec::new();
            for (inner, part) in content.iter().enumerate() {
                let mut piece = Vec::new();
                let mut lose = |member: &str, loss: &mut Loss| loss.drop_inside(message, at, inner, member);
                self.piece(part, &mut lose, &mut piece);
                if !piece.is_empty() {
                    push(&mut pieces, &piece);
                }
            }
            output.push(b'[');
            output.append(&mut pieces);
            output.push(b']');
        }
        append(&mut self.items, |item| {
            item.str("type", if custom { "custom_tool_call_output" } else { "function_call_output" });
            item.text("call_id", &call_id(id));
            item.member("output").extend_from_slice(&output);
        });
    }

    fn assistant(&mut self, message: &'r Message<'_>, leave_out: &dyn Fn(usize, &mut Loss)) {
        let mut said = Vec::new();
        for (at, part) in message.parts.iter().enumerate() {
            match part {
                Part::Text { text, .. } => {
                    self.unmarked(message, at, part);
                    append(&mut said, |part| {
                        part.str("type", "output_text").text("text", text);
                    });
                }
                Part::Refusal { text } => append(&mut said, |part| {
                    part.str("type", "refusal").text("refusal", text);
                }),
                Part::Thinking { text, proof } => match proof.as_ref().and_then(at_home) {
                    Some(value) => {
                        self.said(&mut said);
                        self.thinking(text, value);
                    }
                    None => leave_out(at, self.loss),
                },
                Part::RedactedThinking { data } => {
                    if let Some(value) = at_home(data) {
                        self.said(&mut said);
                        self.thinking(&"".into(), value);
                    }
                }
                Part::ToolCall(call) => {
                    self.said(&mut said);
                    self.call(call);
                }
                _ => self.loss.drop_in(message, at, ""),
            }
        }
        self.said(&mut said);
    }

    fn said(&mut self, said: &mut Vec<u8>) {
        if said.is_empty() {
            return;
        }
        let parts = std::mem::take(said);
        append(&mut self.items, |item| {
            item.str("type", "message").str("role", "assistant");
            let out = item.member("content");
            out.push(b'[');
            out.extend_from_slice(&parts);
            out.push(b']');
        });
    }

    fn thinking(&mut self, text: &Text<'_>, value: &Text<'_>) {
        let (id, encrypted) = proof::parts(value);
        append(&mut self.items, |item| {
            item.str("type", "reasoning");
            if let Some(id) = id {
                item.str("id", &id);
            }
            item.array("summary", |list| {
                if !text.is_empty() {
                    list.object(|part| summary_part(part, &content(text)));
                }
            });
            item.str("encrypted_content", &encrypted);
        });
    }

    fn call(&mut self, call: &'r ToolCall<'_>) {
        if call.custom {
            self.custom.insert(call.id.plain());
        }
        append(&mut self.items, |item| {
            let id = call_id(&call.id);
            if call.custom {
                item.str("type", "custom_tool_call").text("call_id", &id).text("name", &call.name);
                item.str("input", &call.arguments);
            } else {
                // Servers that parse arguments refuse none at all.
                let arguments = if call.arguments.trim().is_empty() { "{}" } else { &call.arguments };
                item.str("type", "function_call").text("call_id", &id).text("name", &call.name);
                item.str("arguments", arguments);
            }
        });
    }
}

fn at_home<'p, 'a>(proof: &'p Proof<'a>) -> Option<&'p Text<'a>> {
    proof.at_home(Dialect::Responses)
}

fn push(elements: &mut Vec<u8>, element: &[u8]) {
    if !elements.is_empty() {
        elements.push(b',');
    }
    elements.extend_from_slice(element);
}

fn call_id<'t, 'a>(id: &'t Text<'a>) -> Cow<'t, Text<'a>> {
    shortened(id, MAX_CALL_ID, "call_")
}

/// Whether a user or a tool can say it here.
fn is_sayable(part: &Part<'_>) -> bool {
    let ours = |source: &Source<'_>| !matches!(source, Source::File(id) if id.home != Dialect::Openai);
    match part {
        Part::Text { .. } => true,
        Part::Image { source, .. } => ours(source) && !matches!(source, Source::Text(_)),
        Part::Document { source, .. } => ours(source),
        _ => false,
    }
}

fn write_piece(part: &Part<'_>, object: &mut Object<'_>) {
    match part {
        Part::Text { text, .. } => {
            object.str("type", "input_text").text("text", text);
        }
        Part::Image { source, detail, .. } => {
            object.str("type", "input_image");
            let name = if matches!(source, Source::File(_)) { "file_id" } else { "image_url" };
            data_url::write(source, object.member(name));
            match detail {
                Some(detail) => object.text("detail", detail),
                None => object.str("detail", "auto"),
            };
        }
        Part::Document { source, name, .. } => {
            object.str("type", "input_file");
            let member = match source {
                Source::File(_) => "file_id",
                Source::Url(_) => "file_url",
                Source::Base64 { .. } | Source::Text(_) => "file_data",
            };
            // The name belongs to bytes; the others have one of their own.
            if member == "file_data" {
                match name {
                    Some(name) => object.text("filename", name),
                    None => object.str(
                        "filename",
                        if matches!(source, Source::Text(_)) { "document.txt" } else { "document.pdf" },
                    ),
                };
            }
            data_url::write(source, object.member(member));
        }
        // The caller has sorted out what cannot be said.
        _ => {}
    }
}
