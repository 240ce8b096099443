//! What other dialects have proved, in the keeping of a Chat client. The format has no place for it; two of its extensions do,
//! and their clients send them back: `reasoning_details` (OpenRouter's) for thinking, and a call's
//! `extra_content.google.thought_signature` (Google's own Chat layer).
//!
//! Invariant: what is written for a client is sealed, so that the patch lane can take it out again before a provider sees it.

use super::wire::{array_or_skip, object_or_skip, text_or_skip};
use crate::config::Dialect;
use crate::ir::Proof;
use crate::ir::chat::Part;
use crate::wire::json::{Array, Error, Object, Reader, Text};

/// Reads `extra_content`. A signature that is not sealed is Google's, from its own Chat layer.
pub(super) fn of_call<'a>(reader: &mut Reader<'a>) -> Result<Option<Proof<'a>>, Error> {
    let mut proof = None;
    if object_or_skip(reader)? {
        while let Some(key) = reader.key()? {
            if key != "google" {
                reader.skip()?;
            } else if object_or_skip(reader)? {
                while let Some(key) = reader.key()? {
                    if key == "thought_signature" {
                        proof = text_or_skip(reader)?.and_then(|text| Proof::open(Dialect::Gemini, text));
                    } else {
                        reader.skip()?;
                    }
                }
            }
        }
    }
    Ok(proof)
}

/// Writes a call's `extra_content`.
pub(super) fn write_call(signature: &Text<'_>, call: &mut Object<'_>) {
    call.object("extra_content", |extra| {
        extra.object("google", |google| {
            google.text("thought_signature", signature);
        });
    });
}

/// Reads `reasoning_details`.
pub(super) fn of_thinking<'a>(reader: &mut Reader<'a>) -> Result<Vec<Part<'a>>, Error> {
    let mut parts = Vec::new();
    if array_or_skip(reader)? {
        while reader.element()? {
            if object_or_skip(reader)? {
                parts.extend(detail(reader)?);
            }
        }
    }
    Ok(parts)
}

fn detail<'a>(reader: &mut Reader<'a>) -> Result<Option<Part<'a>>, Error> {
    let (mut text, mut signature, mut data) = (None, None, None);
    while let Some(key) = reader.key()? {
        match &*key.plain() {
            "text" | "summary" => text = text_or_skip(reader)?.or(text),
            "signature" => signature = text_or_skip(reader)?,
            "data" => data = text_or_skip(reader)?,
            _ => reader.skip()?,
        }
    }
    let open = |text: Text<'a>| Proof::open(Dialect::Openai, text);
    if let Some(data) = data.and_then(open) {
        return Ok(Some(Part::RedactedThinking { data }));
    }
    let proof = signature.and_then(open);
    let text = text.unwrap_or_default();
    Ok((!text.is_empty() || proof.is_some()).then_some(Part::Thinking { text, proof }))
}

/// Writes one element of `reasoning_details` for thinking.
pub(super) fn write_thinking(index: u64, text: &Text<'_>, proof: Option<&Proof<'_>>, list: &mut Array<'_>) {
    list.object(|detail| {
        detail.str("type", "reasoning.text").text("text", text);
        if let Some(proof) = proof {
            detail.text("signature", &proof.seal(Dialect::Openai));
        }
        detail.int("index", index);
    });
}

/// Writes one element of `reasoning_details` for thinking that only its home can read.
pub(super) fn write_redacted(index: u64, data: &Proof<'_>, list: &mut Array<'_>) {
    list.object(|detail| {
        detail.str("type", "reasoning.encrypted").text("data", &data.seal(Dialect::Openai));
        detail.int("index", index);
    });
}
