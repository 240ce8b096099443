//! A request for an Anthropic upstream. <https://platform.claude.com/docs/en/api/messages/create>
//!
//! Invariant: Anthropic does not refuse what is written here for its form; what it cannot say is listed.

use super::places::{is_document, is_image, place};
use super::tools;
use crate::config::Dialect;
use crate::dialect::Target;
use crate::dialect::claude::schema;
use crate::dialect::claude::settings::{self, Settings, Thinking};
use crate::dialect::claude::{Generation, ThinkingStyle};
use crate::dialect::tool_call::{Carried, arguments, check_names, clean_id, write_input};
use crate::dialect::turns::{self, Piece};
use crate::ir::chat::{Format, Message, Part, Request, Source};
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
use crate::wire::json::{Array, Object, Text};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Appends a request, or (`counting`) one that asks how many tokens it comes to.
pub(in crate::dialect::anthropic) fn encode(
    request: &Request<'_>,
    target: &Target<'_>,
    counting: bool,
    loss: &mut Loss,
    out: &mut Vec<u8>,
) -> Result<(), Malformed> {
    let generation = Generation::of(target.model);
    if generation != Generation::Foreign {
        check_names(&request.tools, tools::MAX_NAME)?;
    }
    let turns::Turns { system, mut turns } = turns::arrange(&request.messages, place, loss)?;
    if !generation.goes_on() {
        turns::let_the_user_end(&mut turns, loss);
    }
    let settings = settings::settle(request, &turns, target, loss);
    if request.verbosity.is_some() {
        loss.drop("verbosity");
    }
    request.openai.iter().for_each(|(name, _)| loss.drop(*name));
    let mut body = Object::new(out);
    if target.model_in_body {
        body.str("model", target.model);
    }
    for (name, json) in target.extra {
        body.raw(name, json);
    }
    if !counting {
        body.int("max_tokens", settings.max_tokens);
    }
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
    if !counting {
        write_sampling(request, &settings, &mut body, loss);
    }
    write_output(request, &settings, target, &mut body, loss);
    if counting {
        return Ok(());
    }
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
        Part::Image { source, detail, cache } => {
            // How closely it is looked at cannot be asked for.
            if let (Some((message, index)), true) = (piece.origin, asks_for_detail(detail.as_ref())) {
                loss.drop_in(message, index, "detail");
            }
            write_image(source, *cache, content);
        }
        Part::Document { source, name, cache } => {
            if !write_document(source, name.as_ref(), *cache, content)
                && let Some((message, index)) = piece.origin
            {
                loss.drop_in(message, index, "");
            }
        }
        Part::ToolCall(call) => {
            content.object(|block| {
                block.str("type", "tool_use").text("id", &clean_id(&call.id)).text("name", &call.name);
                let carried = write_input(&arguments(call), block.member("input"));
                if let (Carried::Wrapped, Some((message, index))) = (carried, piece.origin) {
                    loss.drop_in(message, index, "arguments");
                }
            });
        }
        Part::ToolResult { id, content: parts, is_error, cache } => {
            content.object(|block| {
                block.str("type", "tool_result").text("tool_use_id", &clean_id(id));
                write_result(piece.origin, parts, block, loss);
                if *is_error {
                    block.bool("is_error", true);
                }
                write_cache(*cache, block);
            });
        }
        Part::Thinking { text, proof } => {
            content.object(|block| {
                block.str("type", "thinking").text("thinking", text);
                let signature = proof.as_ref().and_then(|proof| proof.at_home(Dialect::Anthropic));
                block.text("signature", signature.unwrap_or(&Text::default()));
            });
        }
        // Sorted out before: no turn of Anthropic's holds them.
        Part::Audio { .. } | Part::Video { .. } => {}
        Part::RedactedThinking { data } => {
            content.object(|block| {
                block.str("type", "redacted_thinking").text("data", &data.value);
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
    let said = |part: &Part<'_>| !matches!(part, Part::Text { text, .. } if text.is_blank());
    let mut parts = parts.iter().enumerate().filter(|(_, part)| said(part)).peekable();
    let Some(first) = parts.next() else { return };
    if let ((_, Part::Text { text, cache: false }), None) = (first, parts.peek()) {
        block.text("content", text);
        return;
    }
    block.array("content", |content| {
        for (inner, part) in std::iter::once(first).chain(parts) {
            let mut lost = None;
            let written = match part {
                Part::Text { text, cache } => {
                    write_text(text, *cache, content);
                    true
                }
                Part::Image { source, cache, detail } if is_image(source) => {
                    lost = asks_for_detail(detail.as_ref()).then_some("detail");
                    write_image(source, *cache, content);
                    true
                }
                Part::Document { source, name, cache } if is_document(source) => {
                    write_document(source, name.as_ref(), *cache, content)
                }
                _ => false,
            };
            let lost = if written { lost } else { Some("") };
            if let (Some(member), Some((message, index))) = (lost, origin) {
                loss.drop_inside(message, index, inner, member);
            }
        }
    });
}

/// `auto` is no wish.
fn asks_for_detail(detail: Option<&Text<'_>>) -> bool {
    detail.is_some_and(|detail| *detail != "auto")
}

fn write_image(source: &Source<'_>, cache: bool, content: &mut Array<'_>) {
    content.object(|block| {
        block.str("type", "image").object("source", |object| write_source(source, object));
        write_cache(cache, block);
    });
}

fn write_source(source: &Source<'_>, object: &mut Object<'_>) {
    match source {
        Source::Url(url) => object.str("type", "url").text("url", url),
        Source::Base64 { media_type, data } => {
            object.str("type", "base64").text("media_type", media_type).text("data", data)
        }
        Source::File(id) => object.str("type", "file").text("file_id", &id.value),
        Source::Text(text) => object.str("type", "text").str("media_type", "text/plain").text("data", text),
    };
}

/// `false`, and nothing written, for a text file that is not UTF-8: Anthropic takes text as text.
fn write_document(
    source: &Source<'_>,
    name: Option<&Text<'_>>,
    cache: bool,
    content: &mut Array<'_>,
) -> bool {
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
        write_cache(cache, block);
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
    let hidden = request.show_reasoning == Some(false);
    if request.wants_thinking_shown() && settings.thinking.is_none() {
        loss.drop("reasoning_summary");
    }
    match settings.thinking {
        None => {}
        Some(Thinking::Disabled) => {
            body.raw("thinking", r#"{"type":"disabled"}"#);
        }
        Some(Thinking::Enabled(budget)) => {
            body.object("thinking", |thinking| {
                thinking.str("type", "enabled").int("budget_tokens", budget);
                if hidden {
                    thinking.str("display", "omitted");
                }
            });
        }
        Some(Thinking::Adaptive) => {
            body.object("thinking", |thinking| {
                thinking.str("type", "adaptive");
                // These generations hide their thinking unless asked.
                if hidden {
                    thinking.str("display", "omitted");
                } else if generation.thinking() == ThinkingStyle::Adaptive {
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
            Some(&**schema)
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
        if let Some(wanted) = schema {
            config.object("format", |format| {
                let path = "response_format.json_schema.schema";
                schema::write(wanted, path, loss, format.str("type", "json_schema").member("schema"));
            });
        }
    });
}
