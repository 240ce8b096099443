//! Content blocks. <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html>
//!
//! Invariant: no block is blank, names of documents are unique within a request, and ids are within what Bedrock takes.

use super::media::{self, Names};
use crate::config::Dialect;
use crate::dialect::bedrock::family::Family;
use crate::dialect::tool_call::{Carried, arguments, short_id, write_input};
use crate::dialect::turns::{Piece, Place, Turn, is_foreign};
use crate::ir::chat::{Message, Part, Role, ToolCall};
use crate::ir::loss::Loss;
use crate::wire::json::{Array, Object, Text};
use std::borrow::Cow;

/// Longest id of a tool call.
const MAX_ID: usize = 64;
/// Stands beside documents, where text is demanded and the client gave none.
const BESIDE_DOCUMENTS: &str = "(attached)";
/// Stands where a tool returned nothing.
const NOTHING: &str = "(no output)";

/// What becomes of a part of a user's or the assistant's turn.
pub(super) const fn placing(family: Family) -> fn(Role, &Part<'_>) -> Place {
    if family.takes_sound() { place } else { place_by_claude }
}

/// Claude takes neither sounds nor films, but the thinking that it has signed, whoever served it then
/// (<https://platform.claude.com/docs/en/build-with-claude/extended-thinking>).
fn place_by_claude(role: Role, part: &Part<'_>) -> Place {
    match part {
        Part::Audio { .. } | Part::Video { .. } => Place::Lost,
        Part::Thinking { proof: Some(proof), .. }
            if role == Role::Assistant && proof.home == Dialect::Anthropic =>
        {
            Place::Kept
        }
        _ => place(role, part),
    }
}

fn place(role: Role, part: &Part<'_>) -> Place {
    // Bedrock refuses thinking that it has not made, and what others have proved means nothing to it.
    if role == Role::Assistant && is_foreign(part, Dialect::Bedrock) {
        return Place::Foreign;
    }
    let fits = match (role, part) {
        (Role::Assistant, Part::RedactedThinking { .. } | Part::Thinking { .. }) => true,
        (Role::Assistant, Part::Text { .. } | Part::Refusal { .. } | Part::ToolCall(_)) => true,
        (Role::User, Part::Text { .. } | Part::ToolResult { .. }) => true,
        (Role::User, part) => media::is_sayable(part),
        _ => false,
    };
    if fits { Place::Kept } else { Place::Lost }
}

/// Where a piece comes from, for the loss list.
type Origin<'r> = Option<(&'r Message<'r>, usize)>;

/// Writes the blocks of one request.
pub(super) struct Blocks {
    family: Family,
    names: Names,
}

impl Blocks {
    pub(super) fn new(family: Family) -> Self {
        Self { family, names: Names::default() }
    }

    /// A whole turn.
    pub(super) fn write_turn(&mut self, turn: &Turn<'_>, content: &mut Array<'_>, loss: &mut Loss) {
        if let Some((results, last)) = self.gathered(turn, loss) {
            results.iter().for_each(|piece| self.write(piece, content, loss));
            return self.write(&last, content, loss);
        }
        turn.pieces.iter().for_each(|piece| self.write(piece, content, loss));
        let has = |wanted: fn(&Part<'_>) -> bool| turn.pieces.iter().any(|piece| wanted(&piece.part));
        if has(|part| matches!(part, Part::Document { .. })) && !has(|part| matches!(part, Part::Text { .. }))
        {
            content.object(|block| {
                block.str("text", BESIDE_DOCUMENTS);
            });
        }
    }

    /// What tools returned, in a turn that says something besides where that is refused: the last result holds it too.
    fn gathered<'t, 'r>(&self, turn: &'t Turn<'r>, loss: &mut Loss) -> Option<(&'t [Piece<'r>], Piece<'r>)> {
        let is_result = |piece: &Piece<'_>| matches!(*piece.part, Part::ToolResult { .. });
        let count = turn.pieces.iter().take_while(|piece| is_result(piece)).count();
        if self.family.mixes_results() || count == 0 || count == turn.pieces.len() {
            return None;
        }
        let (results, said) = turn.pieces.split_at_checked(count)?;
        let fits = |piece: &&Piece<'_>| self.is_returnable(&piece.part);
        for piece in said.iter().filter(|piece| !fits(piece)) {
            drop_in(piece.origin, "", loss);
        }
        let (last, results) = results.split_last()?;
        let mut whole = (*last.part).clone();
        if let Part::ToolResult { content, .. } = &mut whole {
            content.extend(said.iter().filter(fits).map(|piece| (*piece.part).clone()));
        }
        Some((results, Piece { origin: last.origin, part: Cow::Owned(whole) }))
    }

    /// One piece, and the cache point behind it.
    pub(super) fn write(&mut self, piece: &Piece<'_>, content: &mut Array<'_>, loss: &mut Loss) {
        let mut cached = false;
        match &*piece.part {
            Part::Text { text, cache } => {
                cached = *cache;
                write_text(text, content);
            }
            Part::Refusal { text } => write_text(text, content),
            Part::ToolCall(call) => write_call(call, piece.origin, content, loss),
            Part::ToolResult { id, content: parts, is_error, cache } => {
                // There are no points inside of a result; the one behind it holds them too.
                cached = *cache || parts.iter().any(is_marked);
                content.object(|block| {
                    block.object("toolResult", |result| {
                        result.text("toolUseId", &short_id(id, MAX_ID));
                        result.array("content", |inner| self.write_result(piece.origin, parts, inner, loss));
                        self.write_status(*is_error, piece.origin, result, loss);
                    });
                });
            }
            Part::Thinking { text, proof } => {
                content.object(|block| {
                    block.object("reasoningContent", |reasoning| {
                        reasoning.object("reasoningText", |thought| {
                            thought.text("text", text);
                            if let Some(proof) = proof {
                                thought.text("signature", &proof.value);
                            }
                        });
                    });
                });
            }
            Part::RedactedThinking { data } => {
                content.object(|block| {
                    block.object("reasoningContent", |reasoning| {
                        reasoning.text("redactedContent", &data.value);
                    });
                });
            }
            part => {
                cached = is_marked(part);
                self.write_media(part, piece.origin, content, loss);
            }
        }
        // A model without a cache answers the same, at the same price.
        if cached && self.family.caches() {
            content.raw(CACHE_POINT);
        }
    }

    fn write_media(&mut self, part: &Part<'_>, origin: Origin<'_>, content: &mut Array<'_>, loss: &mut Loss) {
        if asks_for_detail(part) {
            drop_in(origin, "detail", loss);
        }
        if !media::write(part, &mut self.names, content) {
            drop_in(origin, "", loss);
        }
    }

    fn write_result(
        &mut self,
        origin: Origin<'_>,
        parts: &[Part<'_>],
        inner: &mut Array<'_>,
        loss: &mut Loss,
    ) {
        let mut empty = true;
        for (index, part) in parts.iter().enumerate() {
            match part {
                Part::Text { text, .. } if text.is_blank() => continue,
                Part::Text { text, .. } => write_text(text, inner),
                part if self.is_returnable(part) && media::write(part, &mut self.names, inner) => {
                    if asks_for_detail(part) {
                        drop_inside(origin, index, "detail", loss);
                    }
                }
                _ => {
                    drop_inside(origin, index, "", loss);
                    continue;
                }
            }
            empty = false;
        }
        if empty {
            inner.object(|block| {
                block.str("text", NOTHING);
            });
        }
    }

    /// Whether a tool can have returned it: sound has no place there.
    const fn is_returnable(&self, part: &Part<'_>) -> bool {
        match part {
            Part::Text { .. } | Part::Image { .. } | Part::Document { .. } => true,
            Part::Video { .. } => self.family.takes_sound(),
            _ => false,
        }
    }

    fn write_status(&self, is_error: bool, origin: Origin<'_>, result: &mut Object<'_>, loss: &mut Loss) {
        if is_error && self.family.has_status() {
            result.str("status", "error");
        } else if is_error {
            drop_in(origin, "is_error", loss);
        }
    }
}

/// Marks the prompt up to it.
pub(super) const CACHE_POINT: &str = r#"{"cachePoint":{"type":"default"}}"#;

fn write_text(text: &Text<'_>, content: &mut Array<'_>) {
    content.object(|block| {
        block.text("text", text);
    });
}

fn write_call(call: &ToolCall<'_>, origin: Origin<'_>, content: &mut Array<'_>, loss: &mut Loss) {
    content.object(|block| {
        block.object("toolUse", |tool_use| {
            tool_use.text("toolUseId", &short_id(&call.id, MAX_ID)).text("name", &call.name);
            if write_input(&arguments(call), tool_use.member("input")) == Carried::Wrapped {
                drop_in(origin, "arguments", loss);
            }
        });
    });
}

const fn is_marked(part: &Part<'_>) -> bool {
    matches!(
        part,
        Part::Text { cache: true, .. } | Part::Image { cache: true, .. } | Part::Document { cache: true, .. }
    )
}

/// How closely a picture is looked at cannot be asked for; `auto` is no wish.
fn asks_for_detail(part: &Part<'_>) -> bool {
    matches!(part, Part::Image { detail: Some(detail), .. } if *detail != "auto")
}

fn drop_inside(origin: Origin<'_>, inner: usize, member: &str, loss: &mut Loss) {
    if let Some((message, index)) = origin {
        loss.drop_inside(message, index, inner, member);
    }
}

fn drop_in(origin: Origin<'_>, member: &str, loss: &mut Loss) {
    if let Some((message, index)) = origin {
        loss.drop_in(message, index, member);
    }
}
