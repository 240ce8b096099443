//! A request for a Gemini upstream. <https://ai.google.dev/api/generate-content>
//!
//! Invariant: Google does not refuse what is written here for its form; what it cannot say is listed.

use super::outcome;
use super::settings;
use super::turns::{self, Piece, Speaker, Turn, Turns};
use super::write_tools;
use crate::config::Dialect;
use crate::dialect::Target;
use crate::dialect::gemini::generation::Generation;
use crate::dialect::gemini::media::{self, Kind};
use crate::dialect::gemini::signature::PLACEHOLDER;
use crate::dialect::tool_call::{Carried, write_input};
use crate::ir::chat::{Part, Request, Source, ToolCall};
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
use crate::wire::json::{Array, Object, Text};

/// Appends a request.
pub(in crate::dialect::gemini) fn encode(
    request: &Request<'_>,
    target: &Target<'_>,
    loss: &mut Loss,
    out: &mut Vec<u8>,
) -> Result<(), Malformed> {
    let mut body = Object::new(out);
    write_body(request, target, &mut body, loss)
}

/// Writes the members of a request.
pub(in crate::dialect::gemini) fn write_body(
    request: &Request<'_>,
    target: &Target<'_>,
    body: &mut Object<'_>,
    loss: &mut Loss,
) -> Result<(), Malformed> {
    let generation = Generation::of(target.model);
    let arranged = turns::arrange(&request.messages, generation, loss)?;
    let mut writer = Writer { generation, tools: &arranged, loss };
    if !arranged.system.is_empty() {
        body.object("systemInstruction", |content| {
            content.array("parts", |parts| {
                arranged.system.iter().for_each(|piece| writer.piece(piece, None, parts));
            });
        });
    }
    body.array("contents", |contents| writer.turns(&arranged.turns, contents));
    write_tools::write(request, writer.generation, body, writer.loss);
    settings::write(request, target, writer.generation, body, writer.loss);
    for (name, json) in target.extra {
        body.raw(name, json);
    }
    Ok(())
}

struct Writer<'w, 'r> {
    generation: Generation,
    tools: &'w Turns<'r>,
    loss: &'w mut Loss,
}

impl Writer<'_, '_> {
    fn turns(&mut self, turns: &[Turn<'_>], contents: &mut Array<'_>) {
        // Signatures are demanded since the user last spoke: Google calls that the current turn.
        let asked = turns.iter().rposition(|turn| turn.speaker == Speaker::User);
        for (at, turn) in turns.iter().enumerate() {
            let current = asked.is_none_or(|asked| at > asked);
            contents.object(|content| {
                content.str("role", if turn.speaker == Speaker::Model { "model" } else { "user" });
                content.array("parts", |parts| self.pieces(turn, current, parts));
            });
            self.beside(turn, contents);
        }
    }

    /// What a tool returned and its result cannot hold: behind the results, which stand alone.
    fn beside(&mut self, turn: &Turn<'_>, contents: &mut Array<'_>) {
        let found: Vec<_> = turn
            .pieces
            .iter()
            .filter_map(|piece| match &*piece.part {
                Part::ToolResult { content, .. } => Some((piece, self.media_of(content).1)),
                _ => None,
            })
            .filter(|(_, media)| !media.is_empty())
            .collect();
        if found.is_empty() {
            return;
        }
        let mut list = Vec::new();
        let mut parts = Array::new(&mut list);
        for (piece, media) in found {
            for (kind, source) in media {
                self.media(kind, source, piece, &mut parts);
            }
        }
        drop(parts);
        if list != b"[]" {
            contents.object(|content| {
                content.str("role", "user").member("parts").extend_from_slice(&list);
            });
        }
    }

    /// The media in a result and those beside it. Bytes belong to it where the model takes them there; addresses never do.
    fn media_of<'p, 'a>(&self, content: &'p [Part<'a>]) -> (Vec<Medium<'p, 'a>>, Vec<Medium<'p, 'a>>) {
        let third = self.generation.is_third();
        content
            .iter()
            .filter_map(medium)
            .partition(|(_, source)| third && matches!(source, Source::Base64 { .. } | Source::Text(_)))
    }

    fn pieces(&mut self, turn: &Turn<'_>, current: bool, parts: &mut Array<'_>) {
        let is_call = |piece: &Piece<'_>| matches!(*piece.part, Part::ToolCall(_));
        let first_call = turn.pieces.iter().position(is_call);
        let mut at = 0;
        while let Some(piece) = turn.pieces.get(at) {
            let mut signature = match &*piece.part {
                Part::ToolCall(ToolCall { proof: Some(proof), .. }) => {
                    proof.at_home(Dialect::Gemini).cloned()
                }
                _ => None,
            };
            if signature.is_none() && current && first_call == Some(at) && self.generation.is_third() {
                signature = Some(Text::from(PLACEHOLDER));
            }
            // The signature of a text stands behind it.
            if matches!(*piece.part, Part::Text { .. })
                && let Some(next) = turn.pieces.get(at + 1)
                && let Some(proof) = bare_proof(&next.part)
            {
                signature = Some(proof);
                at += 1;
            }
            self.piece(piece, signature.as_ref(), parts);
            at += 1;
        }
    }

    fn piece(&mut self, piece: &Piece<'_>, signature: Option<&Text<'_>>, parts: &mut Array<'_>) {
        match &*piece.part {
            // Google caches by itself: neither the answer nor the bill changes without a marker.
            Part::Text { text, .. } => text_part(text, signature, parts),
            Part::Refusal { text } => text_part(text, signature, parts),
            Part::Thinking { text, proof } => {
                parts.object(|part| {
                    part.text("text", text);
                    if !text.is_empty() {
                        part.bool("thought", true);
                    }
                    if let Some(value) = proof.as_ref().and_then(|proof| proof.at_home(Dialect::Gemini)) {
                        part.text("thoughtSignature", value);
                    }
                });
            }
            Part::Image { source, detail, .. } => {
                // High is what Gemini does anyway; cheaper looks cannot be asked for everywhere.
                self.lose(detail.as_ref().is_some_and(|detail| *detail == "low"), piece, "detail");
                self.media(Kind::Image, source, piece, parts);
            }
            Part::Document { source, name, .. } => {
                self.lose(name.is_some(), piece, "filename");
                self.media(Kind::Document, source, piece, parts);
            }
            Part::Audio { source } => self.media(Kind::Audio, source, piece, parts),
            Part::Video { source } => self.media(Kind::Video, source, piece, parts),
            Part::ToolCall(call) => self.call(call, signature, piece, parts),
            Part::ToolResult { id, content, is_error, .. } => {
                self.result(id, content, *is_error, piece, parts);
            }
            Part::RedactedThinking { .. } => {}
        }
    }

    fn lose(&mut self, lost: bool, piece: &Piece<'_>, member: &str) {
        if let (true, Some((message, index))) = (lost, piece.origin) {
            self.loss.drop_in(message, index, member);
        }
    }

    fn media(&mut self, kind: Kind, source: &Source<'_>, piece: &Piece<'_>, parts: &mut Array<'_>) {
        // What another provider keeps cannot be fetched from here.
        if matches!(source, Source::File(id) if id.home != Dialect::Gemini) {
            self.lose(true, piece, "");
            return;
        }
        parts.object(|part| {
            media::write(kind, source, part);
        });
    }

    fn call(
        &mut self,
        call: &ToolCall<'_>,
        signature: Option<&Text<'_>>,
        piece: &Piece<'_>,
        parts: &mut Array<'_>,
    ) {
        parts.object(|part| {
            part.object("functionCall", |object| {
                if self.generation.is_third() {
                    object.text("id", &call.id);
                }
                object.text("name", &call.name);
                if call.custom {
                    object.object("args", |args| {
                        args.str("input", &call.arguments);
                    });
                } else if write_input(&call.arguments, object.member("args")) == Carried::Wrapped {
                    self.lose(true, piece, "arguments");
                }
            });
            if let Some(signature) = signature {
                part.text("thoughtSignature", signature);
            }
        });
    }

    fn result(
        &mut self,
        id: &Text<'_>,
        content: &[Part<'_>],
        is_error: bool,
        piece: &Piece<'_>,
        parts: &mut Array<'_>,
    ) {
        let texts: Vec<_> = content
            .iter()
            .filter_map(|part| match part {
                Part::Text { text, .. } => Some(text.plain()),
                _ => None,
            })
            .collect();
        let text = (!texts.is_empty()).then(|| texts.join("\n"));
        let (inside, beside) = self.media_of(content);
        if texts.len() + inside.len() + beside.len() < content.len() {
            self.lose(true, piece, "content");
        }
        let note = (text.is_none() && !beside.is_empty()).then(|| "(see below)".to_owned());
        parts.object(|part| {
            part.object("functionResponse", |object| {
                if self.generation.is_third() {
                    object.text("id", id);
                }
                match self.tools.tools.get(&*id.plain()) {
                    Some(name) => object.text("name", name),
                    None => object.text("name", id),
                };
                outcome::write(text.or(note).as_deref(), is_error, object.member("response"));
                if !inside.is_empty() {
                    object.array("parts", |list| {
                        for (kind, source) in &inside {
                            list.object(|part| {
                                media::write(*kind, source, part);
                            });
                        }
                    });
                }
            });
        });
    }
}

fn text_part(text: &Text<'_>, signature: Option<&Text<'_>>, parts: &mut Array<'_>) {
    parts.object(|part| {
        part.text("text", text);
        if let Some(signature) = signature {
            part.text("thoughtSignature", signature);
        }
    });
}

/// A signature of Google's without words.
fn bare_proof<'r>(part: &Part<'r>) -> Option<Text<'r>> {
    match part {
        Part::Thinking { text, proof: Some(proof) } if text.is_empty() => {
            proof.at_home(Dialect::Gemini).cloned()
        }
        _ => None,
    }
}

/// What it is and where.
type Medium<'p, 'r> = (Kind, &'p Source<'r>);

fn medium<'p, 'r>(part: &'p Part<'r>) -> Option<Medium<'p, 'r>> {
    match part {
        Part::Image { source, .. } => Some((Kind::Image, source)),
        Part::Document { source, .. } => Some((Kind::Document, source)),
        Part::Audio { source } => Some((Kind::Audio, source)),
        Part::Video { source } => Some((Kind::Video, source)),
        _ => None,
    }
}
