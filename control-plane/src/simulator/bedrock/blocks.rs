//! The content blocks of a conversation, one by one: what the service itself refuses about each, and what it costs.
//!
//! Spec: <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html>. Invariant: a block
//! here has already passed the model's shape, so it is a union of exactly one member.

use super::error::{invalid, model_says};
use super::family::{Maker, Named};
use crate::simulator::answer::Refusal;
use crate::simulator::anthropic::signature;
use crate::simulator::tokens;
use serde_json::Value;

/// What one block is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// Text, guarded or not.
    Text(String),
    /// An image, a video, a sound, a search result.
    Media,
    /// A document.
    Document,
    /// Reasoning, readable or not.
    Reasoning,
    /// A call, by id.
    Use(String),
    /// A call's result: the call's id, and what it says.
    Result(String, String),
    /// A marker up to which the prompt is to be cached.
    CachePoint,
}

/// A block that was found valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    /// What it is.
    pub(crate) part: Part,
    /// What it costs.
    pub(crate) tokens: u64,
}

/// A member as text, empty if it is absent.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The one member of a union that is set.
pub(crate) fn set(union: &Value) -> Option<(&str, &Value)> {
    let members = union.as_object()?;
    let known = |name: &str| {
        [
            "text",
            "image",
            "document",
            "video",
            "audio",
            "toolUse",
            "toolResult",
            "guardContent",
            "cachePoint",
            "reasoningContent",
            "citationsContent",
            "searchResult",
            "toolAddition",
            "toolRemoval",
            "json",
        ]
        .contains(&name)
    };
    let found = members.iter().find(|(name, value)| known(name) && !value.is_null());
    found.map(|(name, value)| (name.as_str(), value))
}

/// Reads one block of a turn; `place` is `messages.0.content.0`.
pub(crate) fn read(named: &Named<'_>, block: &Value, place: &str, assistant: bool) -> Result<Block, Refusal> {
    let Some((kind, value)) = set(block) else {
        return Err(invalid(format!("The ContentBlock object at {place} is empty.")));
    };
    let only = |role: &str| {
        let message = format!(
            "The {kind} field in the ContentBlock object at {place} is only allowed in messages of the {role} role."
        );
        Err(invalid(message))
    };
    let block = |part, tokens| Ok(Block { part, tokens });
    match kind {
        "text" => {
            let text = value.as_str().unwrap_or_default();
            if text.trim().is_empty() {
                return Err(invalid(format!(
                    "The text field in the ContentBlock object at {place} is blank. Add text to the text field, and try again."
                )));
            }
            block(Part::Text(text.to_owned()), tokens::count(text))
        }
        "guardContent" => {
            let text = text(value, "/text/text");
            block(Part::Text(text.to_owned()), tokens::count(text))
        }
        "citationsContent" => {
            let texts = value.get("content").and_then(Value::as_array).into_iter().flatten();
            let said: String = texts.map(|part| text(part, "/text")).collect();
            block(Part::Text(said.clone()), tokens::count(&said))
        }
        "toolUse" if !assistant => only("assistant"),
        "toolUse" => call(value, place),
        "reasoningContent" if !assistant => only("assistant"),
        "reasoningContent" => reasoning(named, value, place),
        "toolResult" if assistant => only("user"),
        "toolResult" => result(value, place),
        "cachePoint" => {
            named.caches()?;
            block(Part::CachePoint, 0)
        }
        "toolAddition" | "toolRemoval" => {
            Err(invalid(format!("This model doesn't support the {kind} field. Remove {kind} and try again.")))
        }
        _ if assistant => only("user"),
        "document" => document(value, place),
        "searchResult" => block(Part::Media, tokens::count(&value.to_string())),
        _ => {
            located(value, place)?;
            block(Part::Media, tokens::PER_IMAGE)
        }
    }
}

fn call(value: &Value, place: &str) -> Result<Block, Refusal> {
    let input = value.get("input").unwrap_or(&Value::Null);
    object(input, &format!("{place}.toolUse.input"))?;
    let cost = tokens::count(text(value, "/name")) + tokens::count(&input.to_string()) + tokens::PER_MESSAGE;
    Ok(Block { part: Part::Use(text(value, "/toolUseId").to_owned()), tokens: cost })
}

fn object(value: &Value, place: &str) -> Result<(), Refusal> {
    if value.is_object() {
        return Ok(());
    }
    Err(invalid(format!(
        "The format of the value at {place} is invalid. Provide a json object for the field and try again."
    )))
}

/// A result may be empty, and its texts blank, unless it is an error.
fn result(value: &Value, place: &str) -> Result<Block, Refusal> {
    let blocks = value.get("content").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let failed = text(value, "/status") == "error";
    if failed && blocks.is_empty() {
        return Err(invalid(format!(
            "The content field at {place}.toolResult cannot be empty when status value is error."
        )));
    }
    let mut said = if failed { "error: ".to_owned() } else { String::new() };
    let mut cost = tokens::PER_MESSAGE;
    for (index, block) in blocks.iter().enumerate() {
        let place = format!("{place}.toolResult.content.{index}");
        match set(block) {
            Some(("text", text)) => {
                said.push_str(text.as_str().unwrap_or_default());
                cost += tokens::count(text.as_str().unwrap_or_default());
            }
            Some(("json", json)) => {
                object(json, &format!("{place}.json"))?;
                said.push_str(&json.to_string());
                cost += tokens::count(&json.to_string());
            }
            Some(("document", file)) => {
                cost += document(file, &place)?.tokens;
                said.push_str("[document]");
            }
            Some((kind, media)) => {
                located(media, &place)?;
                cost += tokens::PER_IMAGE;
                said.push_str(&format!("[{kind}]"));
            }
            None => {}
        }
    }
    Ok(Block { part: Part::Result(text(value, "/toolUseId").to_owned(), said), tokens: cost })
}

fn document(value: &Value, place: &str) -> Result<Block, Refusal> {
    let name = text(value, "/name");
    let fine =
        |letter: char| letter.is_ascii_alphanumeric() || letter.is_whitespace() || "-()[]".contains(letter);
    let spaced =
        name.chars().zip(name.chars().skip(1)).any(|(one, next)| one.is_whitespace() && next.is_whitespace());
    if spaced || !name.chars().all(fine) {
        return Err(invalid(
            "The file name contains invalid characters. The document file name can only contain alphanumeric characters, \
             whitespace characters, hyphens, parentheses, and square brackets. The name can't contain more than one \
             consecutive whitespace character.",
        ));
    }
    located(value, place)?;
    let has = |source: &str| value.pointer(source).is_some_and(|source| !source.is_null());
    let cited = value.pointer("/citations/enabled") == Some(&Value::Bool(true));
    if (has("/source/text") || has("/source/content")) && !cited {
        return Err(invalid(format!(
            "The DocumentSource object at {place}.document.source must set one of the following keys: bytes, s3Location."
        )));
    }
    let said = text(value, "/source/text");
    let cost = if said.is_empty() { tokens::PER_IMAGE } else { tokens::count(said) };
    Ok(Block { part: Part::Document, tokens: cost })
}

/// Of what lies in S3 the simulator knows nothing.
fn located(value: &Value, place: &str) -> Result<(), Refusal> {
    match value.pointer("/source/s3Location") {
        Some(location) if !location.is_null() => Err(invalid(format!(
            "The S3 URI at {place} can't be accessed. Check that it exists and that you have permission to read it."
        ))),
        _ => Ok(()),
    }
}

fn reasoning(named: &Named<'_>, value: &Value, place: &str) -> Result<Block, Refusal> {
    let sealed = text(value, "/redactedContent");
    let said = text(value, "/reasoningText/text");
    let signature = value.pointer("/reasoningText/signature").and_then(Value::as_str);
    if named.maker == Maker::Claude {
        let problem = match signature {
            _ if !sealed.is_empty() && signature::is_sealed(sealed) => None,
            _ if !sealed.is_empty() => Some("Invalid `data` in `redacted_thinking` block"),
            None => return Err(model_says(format!("{place}.thinking.signature: Field required"))),
            Some(signature) if signature::verify(said, signature) => None,
            Some(_) => Some("Invalid `signature` in `thinking` block"),
        };
        if let Some(problem) = problem {
            return Err(model_says(format!("{place}: {problem}")));
        }
    } else if !sealed.is_empty() {
        let message = "This model doesn't support the reasoningContent.redactedContent field. Remove \
                       reasoningContent.redactedContent and try again.";
        return Err(invalid(message));
    }
    Ok(Block { part: Part::Reasoning, tokens: tokens::count(said).max(1) })
}
