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
                Part::ToolResult { content, .. } => Some((piece, self.media_of(content).beside)),
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
            for medium in media {
                if is_elsewhere(medium.source) {
                    self.lose_inside(piece, medium.at, "");
                } else {
                    self.labels_inside(&medium, piece);
                    parts.object(|part| {
                        media::write(medium.kind, medium.source, part);
                    });
                }
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
    fn media_of<'p, 'a>(&self, content: &'p [Part<'a>]) -> Returned<'p, 'a> {
        let third = self.generation.is_third();
        let media = content.iter().enumerate().filter_map(|(at, part)| medium(at, part));
        let (inside, beside) = media.partition(|medium: &Medium<'_, '_>| {
            third && matches!(medium.source, Source::Base64 { .. } | Source::Text(_))
        });
        Returned { inside, beside }
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
            Part::Image { .. } | Part::Document { .. } | Part::Audio { .. } | Part::Video { .. } => {
                if let Some(medium) = medium(0, &piece.part) {
                    self.media(&medium, piece, parts);
                }
            }
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

    fn lose_inside(&mut self, piece: &Piece<'_>, inner: usize, member: &str) {
        if let Some((message, index)) = piece.origin {
            self.loss.drop_inside(message, index, inner, member);
        }
    }

    fn media(&mut self, medium: &Medium<'_, '_>, piece: &Piece<'_>, parts: &mut Array<'_>) {
        if is_elsewhere(medium.source) {
            self.lose(true, piece, "");
            return;
        }
        let level = medium.level().filter(|_| self.generation.is_third());
        self.lose(medium.detail.is_some() && level.is_none(), piece, "detail");
        self.lose(medium.name.is_some(), piece, "filename");
        parts.object(|part| {
            media::write(medium.kind, medium.source, part);
            if let Some(level) = level {
                part.object("mediaResolution", |resolution| {
                    resolution.str("level", level);
                });
            }
        });
    }

    /// What tools return is looked at as the model likes, and has no names.
    fn labels_inside(&mut self, medium: &Medium<'_, '_>, piece: &Piece<'_>) {
        if medium.detail.is_some() {
            self.lose_inside(piece, medium.at, "detail");
        }
        if medium.name.is_some() {
            self.lose_inside(piece, medium.at, "filename");
        }
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
        let Returned { inside, beside } = self.media_of(content);
        for (inner, part) in content.iter().enumerate() {
            if !matches!(part, Part::Text { .. }) && medium(inner, part).is_none() {
                self.lose_inside(piece, inner, "");
            }
        }
        inside.iter().for_each(|medium| self.labels_inside(medium, piece));
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
                        for medium in &inside {
                            list.object(|part| {
                                media::write(medium.kind, medium.source, part);
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

/// What it is, where, and what is said of it.
struct Medium<'p, 'r> {
    /// Its position in the result that holds it.
    at: usize,
    kind: Kind,
    source: &'p Source<'r>,
    /// How closely it is to be looked at, unless that is the model's affair.
    detail: Option<&'p Text<'r>>,
    name: Option<&'p Text<'r>>,
}

/// The media of a result.
struct Returned<'p, 'r> {
    /// In it.
    inside: Vec<Medium<'p, 'r>>,
    /// In a turn behind it.
    beside: Vec<Medium<'p, 'r>>,
}

impl Medium<'_, '_> {
    /// Google's word for the detail.
    fn level(&self) -> Option<&'static str> {
        match &*self.detail?.plain() {
            "low" => Some("MEDIA_RESOLUTION_LOW"),
            "high" => Some("MEDIA_RESOLUTION_HIGH"),
            _ => None,
        }
    }
}

/// What another provider keeps cannot be fetched from here.
fn is_elsewhere(source: &Source<'_>) -> bool {
    matches!(source, Source::File(id) if id.home != Dialect::Gemini)
}

fn medium<'p, 'r>(at: usize, part: &'p Part<'r>) -> Option<Medium<'p, 'r>> {
    let (kind, source, detail, name) = match part {
        Part::Image { source, detail, .. } => {
            (Kind::Image, source, detail.as_ref().filter(|detail| **detail != "auto"), None)
        }
        Part::Document { source, name, .. } => (Kind::Document, source, None, name.as_ref()),
        Part::Audio { source } => (Kind::Audio, source, None, None),
        Part::Video { source } => (Kind::Video, source, None, None),
        _ => return None,
    };
    Some(Medium { at, kind, source, detail, name })
}
