//! An upstream's output item, leniently.

use crate::dialect::openai_api::logprobs;
use crate::dialect::responses::proof;
use crate::dialect::value::{array_or_skip, object_or_skip, text_or_skip};
use crate::ir::Proof;
use crate::ir::chat::Logprob;
use crate::wire::json::{Error, Kind, Reader, Text};
use std::borrow::Cow;

/// What kind of item it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::dialect::responses) enum Shape {
    /// Text and refusals.
    Message,
    /// Thinking.
    Reasoning,
    /// A call of a function.
    Function,
    /// A call of a custom tool.
    Custom,
    /// A hosted tool's, which only this dialect has.
    #[default]
    Other,
}

impl Shape {
    /// By the item's `type`.
    pub(in crate::dialect::responses) fn of(kind: &str) -> Self {
        match kind {
            "message" => Self::Message,
            "reasoning" => Self::Reasoning,
            "function_call" => Self::Function,
            "custom_tool_call" => Self::Custom,
            _ => Self::Other,
        }
    }
}

/// A part of a message.
#[derive(Debug)]
pub(in crate::dialect::responses) enum Said<'a> {
    /// Text.
    Text(Text<'a>, Vec<Logprob<'a>>),
    /// A refusal.
    Refusal(Text<'a>),
}

/// An item. Any member may be missing.
#[derive(Debug, Default)]
pub(in crate::dialect::responses) struct Item<'a> {
    /// Its kind.
    pub(in crate::dialect::responses) shape: Shape,
    /// Its id.
    pub(in crate::dialect::responses) id: Option<Text<'a>>,
    /// Of a call.
    pub(in crate::dialect::responses) call_id: Option<Text<'a>>,
    /// Of a call.
    pub(in crate::dialect::responses) name: Option<Text<'a>>,
    /// Of a call: arguments, or a custom tool's input; as text.
    pub(in crate::dialect::responses) arguments: Option<Text<'a>>,
    /// Of a message.
    pub(in crate::dialect::responses) said: Vec<Said<'a>>,
    /// Of reasoning: the paragraphs of the summary, then the text itself.
    pub(in crate::dialect::responses) thought: Vec<Text<'a>>,
    encrypted: Option<Text<'a>>,
}

impl<'a> Item<'a> {
    /// Reads one; any other value is an item of no shape.
    pub(in crate::dialect::responses) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let mut item = Self::default();
        if !object_or_skip(reader)? {
            return Ok(item);
        }
        let mut content = None;
        while let Some(key) = reader.key()? {
            match &*key.plain() {
                "type" => {
                    item.shape = text_or_skip(reader)?.map_or(Shape::Other, |kind| Shape::of(&kind.plain()))
                }
                "id" => item.id = filled(reader)?,
                "call_id" => item.call_id = filled(reader)?,
                "name" => item.name = filled(reader)?,
                // Some servers forget to make text of them.
                "arguments" if reader.peek()? == Kind::Object => item.arguments = Some(reader.raw()?.into()),
                "arguments" | "input" => item.arguments = text_or_skip(reader)?,
                "encrypted_content" => item.encrypted = filled(reader)?,
                "summary" => item.thought = texts(reader)?,
                "content" => {
                    content = Some(reader.clone());
                    reader.skip()?;
                }
                _ => reader.skip()?,
            }
        }
        match (item.shape, content) {
            (Shape::Message, Some(mut at)) => item.said = said(&mut at)?,
            (Shape::Reasoning, Some(mut at)) => item.thought.append(&mut texts(&mut at)?),
            _ => {}
        }
        Ok(item)
    }

    /// By which its home takes the reasoning back.
    pub(in crate::dialect::responses) fn proof(&self) -> Option<Proof<'static>> {
        proof::at_home(self.id.as_ref(), self.encrypted.as_ref()?)
    }

    /// All that was thought, paragraph by paragraph.
    pub(in crate::dialect::responses) fn thoughts(&self) -> Text<'a> {
        match self.thought.as_slice() {
            [] => "".into(),
            [one] => one.clone(),
            many => {
                let many: Vec<Cow<'_, str>> = many.iter().map(Text::plain).collect();
                many.join("\n\n").into()
            }
        }
    }
}

/// A string that is not empty.
fn filled<'a>(reader: &mut Reader<'a>) -> Result<Option<Text<'a>>, Error> {
    Ok(text_or_skip(reader)?.filter(|text| !text.is_empty()))
}

/// The texts of parts of any type.
fn texts<'a>(reader: &mut Reader<'a>) -> Result<Vec<Text<'a>>, Error> {
    let mut texts = Vec::new();
    if array_or_skip(reader)? {
        while reader.element()? {
            if object_or_skip(reader)? {
                while let Some(key) = reader.key()? {
                    if key == "text" {
                        texts.extend(filled(reader)?);
                    } else {
                        reader.skip()?;
                    }
                }
            }
        }
    }
    Ok(texts)
}

fn said<'a>(reader: &mut Reader<'a>) -> Result<Vec<Said<'a>>, Error> {
    let mut parts = Vec::new();
    if !array_or_skip(reader)? {
        return Ok(parts);
    }
    while reader.element()? {
        parts.extend(part(reader)?);
    }
    Ok(parts)
}

/// One part of a message.
pub(in crate::dialect::responses) fn part<'a>(reader: &mut Reader<'a>) -> Result<Option<Said<'a>>, Error> {
    let (mut text, mut refusal, mut tokens) = (None, None, Vec::new());
    if object_or_skip(reader)? {
        while let Some(key) = reader.key()? {
            match &*key.plain() {
                "text" => text = text_or_skip(reader)?,
                "refusal" => refusal = text_or_skip(reader)?,
                "logprobs" => tokens = logprobs::decode(reader)?,
                _ => reader.skip()?,
            }
        }
    }
    Ok(refusal.map(Said::Refusal).or_else(|| text.map(|text| Said::Text(text, tokens))))
}
