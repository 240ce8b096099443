//! What whole replies and stream chunks have in common: an envelope with choices, read piece by piece.
//!
//! Invariant: valid JSON is never refused for a member of an unexpected type; vendors put `null`, empty strings and
//! objects of their own everywhere.

use super::wire::{array_or_skip, count_or_skip, object_or_skip, text_or_skip};
use super::{error, proofs, usage};
use crate::config::Usage;
use crate::dialect::openai_api::logprobs;
use crate::ir::Proof;
use crate::ir::chat::Logprob;
use crate::ir::error::Fault;
use crate::wire::json::{Error, Kind, Reader, Text};

/// A reply or chunk, its choices still unread: some vendors write them before the id.
#[derive(Debug)]
pub(super) struct Envelope<'a> {
    /// The provider's id; may be empty.
    pub(super) id: Text<'a>,
    /// The model as the provider names it; may be empty.
    pub(super) model: Text<'a>,
    /// Stands before the choices' array, if there is one.
    choices: Option<Reader<'a>>,
    /// Whether the array has an element.
    pub(super) has_choices: bool,
    /// Counts, wherever the vendor puts them.
    pub(super) usage: Option<Usage>,
}

/// A piece of one choice.
#[derive(Debug)]
pub(super) enum Piece<'a> {
    /// Text that is not empty.
    Text(Text<'a>),
    /// Thinking that is not empty.
    Thinking(Text<'a>),
    /// A refusal that is not empty.
    Refusal(Text<'a>),
    /// A tool call, or a piece of one.
    Call(CallPiece<'a>),
    /// Log probabilities of what was said; not empty.
    Logprobs(Vec<Logprob<'a>>),
    /// The finish reason.
    Finish(Text<'a>),
    /// Counts that the vendor puts into the choice.
    Usage(Usage),
}

/// A tool call or a piece of one. Any member may be missing.
#[derive(Debug, Default)]
pub(super) struct CallPiece<'a> {
    /// Which of the parallel calls.
    pub(super) index: Option<u64>,
    /// Its id, not empty.
    pub(super) id: Option<Text<'a>>,
    /// The tool's name, not empty.
    pub(super) name: Option<Text<'a>>,
    /// JSON text or a piece of it; of a custom tool, its input.
    pub(super) arguments: Option<Text<'a>>,
    /// Whether the tool is a custom one.
    pub(super) custom: bool,
    /// By which Google's models accept the call back.
    pub(super) proof: Option<Proof<'a>>,
}

/// Takes pieces, each with the index of its choice.
pub(super) type Sink<'s, 'a> = &'s mut dyn FnMut(u64, Piece<'a>) -> Result<(), Fault>;

/// What a syntax error of a reply is.
pub(super) fn invalid(error: &Error) -> Fault {
    Fault::Invalid(error.to_string())
}

impl<'a> Envelope<'a> {
    /// Reads a whole document. One that carries an error is that error.
    pub(super) fn read(text: &'a str) -> Result<Self, Fault> {
        let (envelope, failed) = Self::parse(text).map_err(|error| invalid(&error))?;
        if failed { Err(Fault::Error(error::in_reply(text))) } else { Ok(envelope) }
    }

    fn parse(text: &'a str) -> Result<(Self, bool), Error> {
        let mut reader = Reader::new(text);
        let mut failed = false;
        let mut envelope =
            Self { id: "".into(), model: "".into(), choices: None, has_choices: false, usage: None };
        reader.object()?;
        while let Some(key) = reader.key()? {
            match &*key.plain() {
                "id" => envelope.id = text_or_skip(&mut reader)?.unwrap_or(envelope.id),
                "model" => envelope.model = text_or_skip(&mut reader)?.unwrap_or(envelope.model),
                "choices" if reader.peek()? == Kind::Array => {
                    let mut inside = reader.clone();
                    inside.array()?;
                    envelope.has_choices = inside.element()?;
                    envelope.choices = Some(reader.clone());
                    reader.skip()?;
                }
                "usage" => envelope.usage = usage::decode(&mut reader)?.or(envelope.usage),
                "x_groq" => envelope.groq(&mut reader)?,
                "error" => failed |= !super::wire::is_void(reader.raw()?),
                // vLLM, Mistral: the error is the document.
                "object" => failed |= text_or_skip(&mut reader)?.is_some_and(|object| object == "error"),
                "base_resp" => failed |= error::minimax_failed(&mut reader)?,
                _ => reader.skip()?,
            }
        }
        reader.end()?;
        Ok((envelope, failed))
    }

    /// Groq tells a stream's usage here.
    fn groq(&mut self, reader: &mut Reader<'a>) -> Result<(), Error> {
        if object_or_skip(reader)? {
            while let Some(key) = reader.key()? {
                match &*key.plain() {
                    "usage" => self.usage = usage::decode(reader)?.or(self.usage),
                    _ => reader.skip()?,
                }
            }
        }
        Ok(())
    }

    /// Hands out the pieces of all choices.
    pub(super) fn pieces(&self, sink: Sink<'_, 'a>) -> Result<(), Fault> {
        let Some(mut reader) = self.choices.clone() else { return Ok(()) };
        let reader = &mut reader;
        let mut number = 0;
        or_invalid(reader.array())?;
        while or_invalid(reader.element())? {
            if or_invalid(object_or_skip(reader))? {
                choice(reader, number, sink)?;
            }
            number += 1;
        }
        Ok(())
    }
}

fn or_invalid<T>(result: Result<T, Error>) -> Result<T, Fault> {
    result.map_err(|error| invalid(&error))
}

/// Inside the choice's object. `number` is its place, which stands for an index that is missing.
fn choice<'a>(reader: &mut Reader<'a>, number: u64, sink: Sink<'_, 'a>) -> Result<(), Fault> {
    let mut index = None;
    let mut finish = None;
    let mut unread = None;
    let mut logprobs = Vec::new();
    while let Some(key) = or_invalid(reader.key())? {
        match &*key.plain() {
            "index" => index = or_invalid(count_or_skip(reader))?,
            "delta" | "message" => {
                // Whose pieces these are may only be said behind them.
                if let Some(index) = index {
                    message(reader, index, sink)?;
                } else {
                    unread = Some(reader.clone());
                    or_invalid(reader.skip())?;
                }
            }
            "text" => {
                if let Some(text) = or_invalid(some_text(reader))? {
                    sink(index.unwrap_or(number), Piece::Text(text))?;
                }
            }
            "logprobs" => logprobs = or_invalid(probabilities(reader))?,
            "finish_reason" => finish = or_invalid(some_text(reader))?,
            // Moonshot.
            "usage" => {
                if let Some(usage) = or_invalid(usage::decode(reader))? {
                    sink(index.unwrap_or(number), Piece::Usage(usage))?;
                }
            }
            _ => or_invalid(reader.skip())?,
        }
    }
    let index = index.unwrap_or(number);
    if let Some(mut unread) = unread {
        message(&mut unread, index, sink)?;
    }
    if !logprobs.is_empty() {
        sink(index, Piece::Logprobs(logprobs))?;
    }
    match finish {
        Some(word) => sink(index, Piece::Finish(word)),
        None => Ok(()),
    }
}

/// Of a reply's text, or of its refusal.
fn probabilities<'a>(reader: &mut Reader<'a>) -> Result<Vec<Logprob<'a>>, Error> {
    let mut list = Vec::new();
    if object_or_skip(reader)? {
        while let Some(key) = reader.key()? {
            match &*key.plain() {
                "content" | "refusal" => list.append(&mut logprobs::decode(reader)?),
                _ => reader.skip()?,
            }
        }
    }
    Ok(list)
}

/// A `delta` or a `message`: the same members.
fn message<'a>(reader: &mut Reader<'a>, index: u64, sink: Sink<'_, 'a>) -> Result<(), Fault> {
    if !or_invalid(object_or_skip(reader))? {
        return Ok(());
    }
    let mut thought = false;
    while let Some(key) = or_invalid(reader.key())? {
        match &*key.plain() {
            "content" => content(reader, index, sink)?,
            // Two names for one thing; vendors in transition send both.
            "reasoning_content" | "reasoning" => {
                if let Some(text) = or_invalid(some_text(reader))?
                    && !std::mem::replace(&mut thought, true)
                {
                    sink(index, Piece::Thinking(text))?;
                }
            }
            "refusal" => {
                if let Some(text) = or_invalid(some_text(reader))? {
                    sink(index, Piece::Refusal(text))?;
                }
            }
            "tool_calls" => {
                if or_invalid(array_or_skip(reader))? {
                    while or_invalid(reader.element())? {
                        if or_invalid(object_or_skip(reader))? {
                            sink(index, Piece::Call(or_invalid(call(reader))?))?;
                        }
                    }
                }
            }
            "function_call" => {
                if or_invalid(object_or_skip(reader))? {
                    let mut piece = CallPiece { index: Some(0), ..CallPiece::default() };
                    or_invalid(function(reader, &mut piece))?;
                    sink(index, Piece::Call(piece))?;
                }
            }
            _ => or_invalid(reader.skip())?,
        }
    }
    Ok(())
}

/// A string, or (Mistral's reasoning models) a list of text and thinking parts.
fn content<'a>(reader: &mut Reader<'a>, index: u64, sink: Sink<'_, 'a>) -> Result<(), Fault> {
    if or_invalid(reader.peek())? == Kind::String {
        return match or_invalid(some_text(reader))? {
            Some(text) => sink(index, Piece::Text(text)),
            None => Ok(()),
        };
    }
    if !or_invalid(array_or_skip(reader))? {
        return Ok(());
    }
    while or_invalid(reader.element())? {
        if !or_invalid(object_or_skip(reader))? {
            continue;
        }
        while let Some(key) = or_invalid(reader.key())? {
            match &*key.plain() {
                "text" => {
                    if let Some(text) = or_invalid(some_text(reader))? {
                        sink(index, Piece::Text(text))?;
                    }
                }
                "thinking" => thinking(reader, index, sink)?,
                _ => or_invalid(reader.skip())?,
            }
        }
    }
    Ok(())
}

/// Mistral's thinking part: a list of text parts, or a string.
fn thinking<'a>(reader: &mut Reader<'a>, index: u64, sink: Sink<'_, 'a>) -> Result<(), Fault> {
    content(reader, index, &mut |index, piece| match piece {
        Piece::Text(text) => sink(index, Piece::Thinking(text)),
        other => sink(index, other),
    })
}

/// Inside the call's object.
fn call<'a>(reader: &mut Reader<'a>) -> Result<CallPiece<'a>, Error> {
    let mut piece = CallPiece::default();
    while let Some(key) = reader.key()? {
        match &*key.plain() {
            "index" => piece.index = count_or_skip(reader)?,
            "id" => piece.id = some_text(reader)?,
            "function" => {
                if object_or_skip(reader)? {
                    function(reader, &mut piece)?;
                }
            }
            "custom" => {
                if object_or_skip(reader)? {
                    piece.custom = true;
                    function(reader, &mut piece)?;
                }
            }
            "extra_content" => piece.proof = proofs::of_call(reader)?,
            _ => reader.skip()?,
        }
    }
    Ok(piece)
}

/// Inside the function's object.
fn function<'a>(reader: &mut Reader<'a>, piece: &mut CallPiece<'a>) -> Result<(), Error> {
    while let Some(key) = reader.key()? {
        match &*key.plain() {
            "name" => piece.name = some_text(reader)?,
            // Some servers forget to make text of them.
            "arguments" if reader.peek()? == Kind::Object => piece.arguments = Some(reader.raw()?.into()),
            "arguments" | "input" => piece.arguments = text_or_skip(reader)?,
            _ => reader.skip()?,
        }
    }
    Ok(())
}

/// A string that is not empty.
fn some_text<'a>(reader: &mut Reader<'a>) -> Result<Option<Text<'a>>, Error> {
    Ok(text_or_skip(reader)?.filter(|text| !text.is_empty()))
}
