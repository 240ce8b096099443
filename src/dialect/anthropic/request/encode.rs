//! A request for an Anthropic upstream. <https://platform.claude.com/docs/en/api/messages/create>
//!
//! Invariant: Anthropic does not refuse what is written here for its form; what it cannot say is listed.

use super::settings::{self, Settings, Thinking};
use super::tools;
use super::turns::{self, Piece};
use crate::dialect::Target;
use crate::dialect::anthropic::generation::{Generation, ThinkingStyle};
use crate::dialect::anthropic::tool_call::{Carried, clean_id, write_input};
use crate::ir::chat::{Format, Message, Part, Request, Source};
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
use crate::wire::json::{Array, Object, Text};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Appends a request.
pub(in crate::dialect::anthropic) fn encode(
    request: &Request<'_>,
    target: &Target<'_>,
    loss: &mut Loss,
    out: &mut Vec<u8>,
) -> Result<(), Malformed> {
    let turns::Turns { system, turns } = turns::arrange(&request.messages, loss)?;
    let settings = settings::settle(request, &turns, target, loss);
    let mut body = Object::new(out);
    body.str("model", target.model).int("max_tokens", settings.max_tokens);
    write_system(&system, &mut body);
    body.array("messages", |messages| {
        for turn in &turns {
            messages.object(|message| {
                message.str("role", if turn.assistant { "assistant" } else { "user" });
                message.array("content", |content| {
                    turn.pieces.iter().for_each(|piece| write_piece(piece, content, loss));
                });
            });
        }
    });
    tools::write(request, &turns, target, &mut body, loss);
    write_sampling(request, &settings, &mut body, loss);
    write_output(request, &settings, target, &mut body, loss);
    if let Some(user) = &request.user {
        body.object("metadata", |metadata| {
            metadata.text("user_id", user);
        });
    }
    if request.stream {
        body.bool("stream", true);
    }
    Ok(())
}

fn write_system(system: &[Piece<'_>], body: &mut Object<'_>) {
    match system {
        [] => {}
        [Piece { part, .. }] if matches!(**part, Part::Text { cache: false, .. }) => {
            if let Part::Text { text, .. } = &**part {
                body.text("system", text);
            }
        }
        _ => {
            body.array("system", |blocks| {
                for piece in system {
                    if let Part::Text { text, cache } = &*piece.part {
                        write_text(text, *cache, blocks);
                    }
                }
            });
        }
    }
}

fn write_text(text: &Text<'_>, cache: bool, blocks: &mut Array<'_>) {
    blocks.object(|block| {
        block.str("type", "text").text("text", text);
        write_cache(cache, block);
    });
}

pub(super) fn write_cache(cache: bool, block: &mut Object<'_>) {
    if cache {
        block.raw("cache_control", r#"{"type":"ephemeral"}"#);
    }
}

fn write_piece(piece: &Piece<'_>, content: &mut Array<'_>, loss: &mut Loss) {
    match &*piece.part {
        Part::Text { text, cache } => write_text(text, *cache, content),
        Part::Refusal { text } => write_text(text, false, content),
        Part::Image { source, detail } => {
            // High is what Anthropic does anyway; cheaper looks cannot be asked for.
            if let (Some((message, index)), Some(detail)) = (piece.origin, detail)
                && *detail == "low"
            {
                loss.drop_in(message, index, "detail");
            }
            write_image(source, content);
        }
        Part::Document { source, name } => {
            if !write_document(source, name.as_ref(), content)
                && let Some((message, index)) = piece.origin
            {
                loss.drop_in(message, index, "");
            }
        }
        Part::ToolCall(call) => {
            content.object(|block| {
                block.str("type", "tool_use").text("id", &clean_id(&call.id)).text("name", &call.name);
                let carried = write_input(&call.arguments, block.member("input"));
                if let (Carried::Wrapped, Some((message, index))) = (carried, piece.origin) {
                    loss.drop_in(message, index, "arguments");
                }
            });
        }
        Part::ToolResult { id, content: parts, is_error } => {
            content.object(|block| {
                block.str("type", "tool_result").text("tool_use_id", &clean_id(id));
                write_result(piece.origin, parts, block, loss);
                if *is_error {
                    block.bool("is_error", true);
                }
            });
        }
        Part::Thinking { text, signature } => {
            content.object(|block| {
                block.str("type", "thinking").text("thinking", text);
                block.text("signature", signature.as_ref().unwrap_or(&Text::from("")));
            });
        }
        Part::RedactedThinking { data } => {
            content.object(|block| {
                block.str("type", "redacted_thinking").text("data", data);
            });
        }
    }
}

fn write_result(
    origin: Option<(&Message<'_>, usize)>,
    parts: &[Part<'_>],
    block: &mut Object<'_>,
    loss: &mut Loss,
) {
    let said = |part: &&Part<'_>| !matches!(part, Part::Text { text, .. } if text.is_blank());
    let mut parts = parts.iter().filter(said).peekable();
    let Some(first) = parts.next() else { return };
    if let (Part::Text { text, cache: false }, None) = (first, parts.peek()) {
        block.text("content", text);
        return;
    }
    block.array("content", |content| {
        for part in std::iter::once(first).chain(parts) {
            let written = match part {
                Part::Text { text, cache } => {
                    write_text(text, *cache, content);
                    true
                }
                Part::Image { source, .. } => {
                    write_image(source, content);
                    true
                }
                Part::Document { source, name } if turns::is_document(source) => {
                    write_document(source, name.as_ref(), content)
                }
                _ => false,
            };
            if let (false, Some((message, index))) = (written, origin) {
                loss.drop_in(message, index, "");
            }
        }
    });
}

fn write_image(source: &Source<'_>, content: &mut Array<'_>) {
    content.object(|block| {
        block.str("type", "image").object("source", |object| write_source(source, object));
    });
}

fn write_source(source: &Source<'_>, object: &mut Object<'_>) {
    match source {
        Source::Url(url) => object.str("type", "url").text("url", url),
        Source::Base64 { media_type, data } => {
            object.str("type", "base64").text("media_type", media_type).text("data", data)
        }
    };
}

/// `false`, and nothing written, for a text file that is not UTF-8: Anthropic takes text as text.
fn write_document(source: &Source<'_>, name: Option<&Text<'_>>, content: &mut Array<'_>) -> bool {
    let mut plain = None;
    if let Source::Base64 { media_type, data } = source
        && *media_type == "text/plain"
    {
        let bytes = STANDARD.decode(data.plain().as_bytes()).ok();
        plain = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        if plain.is_none() {
            return false;
        }
    }
    content.object(|block| {
        block.str("type", "document").object("source", |object| match &plain {
            Some(text) => {
                object.str("type", "text").str("media_type", "text/plain").str("data", text);
            }
            None => write_source(source, object),
        });
        if let Some(name) = name {
            block.text("title", name);
        }
    });
    true
}

fn write_sampling(request: &Request<'_>, settings: &Settings<'_>, body: &mut Object<'_>, loss: &mut Loss) {
    for (name, value) in
        [("temperature", settings.temperature), ("top_p", settings.top_p), ("top_k", settings.top_k)]
    {
        if let Some(value) = value {
            body.raw(name, value);
        }
    }
    let stop = &request.sampling.stop;
    stop.iter()
        .enumerate()
        .filter(|(_, text)| text.is_blank())
        .for_each(|(at, _)| loss.drop(format!("stop[{at}]")));
    if stop.iter().any(|text| !text.is_blank()) {
        body.array("stop_sequences", |sequences| {
            for text in stop.iter().filter(|text| !text.is_blank()) {
                sequences.text(text);
            }
        });
    }
}

fn write_output(
    request: &Request<'_>,
    settings: &Settings<'_>,
    target: &Target<'_>,
    body: &mut Object<'_>,
    loss: &mut Loss,
) {
    let generation = Generation::of(target.model);
    match settings.thinking {
        None => {}
        Some(Thinking::Disabled) => {
            body.raw("thinking", r#"{"type":"disabled"}"#);
        }
        Some(Thinking::Enabled(budget)) => {
            body.object("thinking", |thinking| {
                thinking.str("type", "enabled").int("budget_tokens", budget);
            });
        }
        Some(Thinking::Adaptive) => {
            body.object("thinking", |thinking| {
                thinking.str("type", "adaptive");
                // These generations hide their thinking unless asked.
                if generation.thinking() == ThinkingStyle::Adaptive {
                    thinking.str("display", "summarized");
                }
            });
        }
    }
    let schema = match &request.format {
        // Other dialects' clients have to ask for JSON in words as well, and those words are carried.
        Some(Format::JsonObject) => {
            loss.drop("response_format");
            None
        }
        Some(Format::JsonSchema { .. }) if !generation.has_schemas() => {
            loss.drop("response_format");
            None
        }
        Some(Format::JsonSchema { schema, description, .. }) => {
            if description.is_some() {
                loss.drop("response_format.json_schema.description");
            }
            Some(*schema)
        }
        None => None,
    };
    if settings.effort.is_none() && schema.is_none() {
        return;
    }
    body.object("output_config", |config| {
        if let Some(effort) = settings.effort {
            config.str("effort", effort);
        }
        if let Some(schema) = schema {
            config.object("format", |format| {
                format.str("type", "json_schema").raw("schema", schema);
            });
        }
    });
}
