//! What whole replies and stream chunks have in common: a `GenerateContentResponse`, its candidates read piece by piece.
//! <https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse>
//!
//! Invariant: valid JSON is never refused for a member of an unexpected type; what only Google has (grounding, safety
//! ratings, executed code, pictures) is passed over.

use super::names::canonical;
use super::{error, usage};
use crate::config::Usage;
use crate::dialect::value::{array_or_skip, count_or_skip, object_or_skip, text_or_skip};
use crate::ir::chat::Logprob;
use crate::ir::error::Fault;
use crate::wire::json::{Error, Kind, Reader, Text};
use std::borrow::Cow;

/// A reply or chunk, its candidates still unread.
#[derive(Debug, Default)]
pub(super) struct Chunk<'a> {
    /// `responseId`; may be empty.
    pub(super) id: Text<'a>,
    /// `modelVersion`; may be empty.
    pub(super) model: Text<'a>,
    /// Each candidate's JSON.
    pub(super) candidates: Vec<&'a str>,
    /// Counts so far.
    pub(super) usage: Option<Usage>,
    /// Why the prompt was refused, and what is said about it.
    pub(super) blocked: Option<(Text<'a>, Option<Text<'a>>)>,
}

/// One candidate, or a piece of one.
#[derive(Debug, Default)]
pub(super) struct Candidate<'a> {
    /// Which one.
    pub(super) index: u64,
    /// What it says.
    pub(super) pieces: Vec<Piece<'a>>,
    /// `finishReason`
    pub(super) finish: Option<Text<'a>>,
    /// `finishMessage`
    pub(super) message: Option<Text<'a>>,
    /// Of its tokens.
    pub(super) logprobs: Vec<Logprob<'a>>,
}

/// A part of a candidate.
#[derive(Debug)]
pub(super) enum Piece<'a> {
    /// Text or a thought; may be empty, where only the signature matters.
    Text {
        /// The text.
        text: Text<'a>,
        /// Whether it is a thought.
        thought: bool,
        /// `thoughtSignature`
        signature: Option<Text<'a>>,
    },
    /// A call, whole.
    Call {
        /// Its id, if the model gives one.
        id: Option<Text<'a>>,
        /// The tool.
        name: Text<'a>,
        /// JSON text.
        arguments: Cow<'a, str>,
        /// `thoughtSignature`
        signature: Option<Text<'a>>,
    },
}

impl Piece<'_> {
    /// Whether it is more than a thought.
    pub(super) fn speaks(&self) -> bool {
        match self {
            Self::Text { text, thought, .. } => !thought && !text.is_empty(),
            Self::Call { .. } => true,
        }
    }

    /// Bytes of what it says.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Text { text, .. } => text.held_len(),
            Self::Call { arguments, .. } => arguments.len(),
        }
    }
}

/// More candidates, or pieces of one, than this in one document are refused: none has a tenth of it.
const MAX_CANDIDATES: usize = 1_024;

fn invalid(error: &Error) -> Fault {
    Fault::Invalid(error.to_string())
}

impl<'a> Chunk<'a> {
    /// Reads a whole document. One that carries an error is that error.
    pub(super) fn read(text: &'a str) -> Result<Self, Fault> {
        if let Some(error) = error::in_reply(text) {
            return Err(Fault::Error(error));
        }
        let chunk = Self::parse(text).map_err(|error| invalid(&error))?;
        if chunk.candidates.len() > MAX_CANDIDATES {
            return Err(Fault::Invalid(format!("more than {MAX_CANDIDATES} candidates")));
        }
        Ok(chunk)
    }

    fn parse(text: &'a str) -> Result<Self, Error> {
        let mut reader = Reader::new(text);
        let mut chunk = Self::default();
        reader.object()?;
        while let Some(key) = reader.key()? {
            match &*canonical(key.plain()) {
                "responseId" => chunk.id = text_or_skip(&mut reader)?.unwrap_or(chunk.id),
                "modelVersion" => chunk.model = text_or_skip(&mut reader)?.unwrap_or(chunk.model),
                "candidates" => {
                    if array_or_skip(&mut reader)? {
                        while reader.element()? {
                            chunk.candidates.push(reader.raw()?);
                        }
                    }
                }
                "usageMetadata" => chunk.usage = usage::decode(&mut reader)?.or(chunk.usage),
                "promptFeedback" => chunk.blocked = blocked(&mut reader)?,
                _ => reader.skip()?,
            }
        }
        reader.end()?;
        Ok(chunk)
    }

    /// Reads the candidates.
    pub(super) fn read_candidates(&self) -> impl Iterator<Item = Result<Candidate<'a>, Fault>> + '_ {
        self.candidates.iter().map(|json| Candidate::read(json))
    }
}

fn blocked<'a>(reader: &mut Reader<'a>) -> Result<Option<(Text<'a>, Option<Text<'a>>)>, Error> {
    let (mut reason, mut message) = (None, None);
    if object_or_skip(reader)? {
        while let Some(key) = reader.key()? {
            match &*canonical(key.plain()) {
                "blockReason" => reason = text_or_skip(reader)?,
                "blockReasonMessage" => message = text_or_skip(reader)?,
                _ => reader.skip()?,
            }
        }
    }
    let reason = reason.filter(|reason| *reason != "BLOCKED_REASON_UNSPECIFIED" && !reason.is_empty());
    Ok(reason.map(|reason| (reason, message.filter(|message| !message.is_blank()))))
}

impl<'a> Candidate<'a> {
    /// Reads one.
    pub(super) fn read(json: &'a str) -> Result<Self, Fault> {
        Self::parse(json).map_err(|error| invalid(&error))
    }

    fn parse(json: &'a str) -> Result<Self, Error> {
        let mut reader = Reader::new(json);
        let mut candidate = Self::default();
        if !object_or_skip(&mut reader)? {
            return Ok(candidate);
        }
        while let Some(key) = reader.key()? {
            match &*canonical(key.plain()) {
                "index" => candidate.index = count_or_skip(&mut reader)?.unwrap_or(0),
                "content" => content(&mut reader, &mut candidate.pieces)?,
                "finishReason" => {
                    candidate.finish = text_or_skip(&mut reader)?
                        .filter(|word| !word.is_empty() && *word != "FINISH_REASON_UNSPECIFIED");
                }
                "finishMessage" => {
                    candidate.message = text_or_skip(&mut reader)?.filter(|message| !message.is_blank());
                }
                "logprobsResult" => candidate.logprobs = logprobs(&mut reader)?,
                _ => reader.skip()?,
            }
        }
        Ok(candidate)
    }
}

fn content<'a>(reader: &mut Reader<'a>, pieces: &mut Vec<Piece<'a>>) -> Result<(), Error> {
    if !object_or_skip(reader)? {
        return Ok(());
    }
    while let Some(key) = reader.key()? {
        if key == "parts" && reader.peek()? == Kind::Array {
            reader.array()?;
            while reader.element()? {
                pieces.extend(part(reader)?);
            }
        } else {
            reader.skip()?;
        }
    }
    Ok(())
}

fn part<'a>(reader: &mut Reader<'a>) -> Result<Option<Piece<'a>>, Error> {
    let (mut said, mut thought, mut signature, mut called) = (None, false, None, None);
    let mut other = false;
    if !object_or_skip(reader)? {
        return Ok(None);
    }
    while let Some(key) = reader.key()? {
        match &*canonical(key.plain()) {
            "text" => said = text_or_skip(reader)?,
            "thought" if reader.peek()? == Kind::Bool => thought = reader.boolean()?,
            "thoughtSignature" => signature = text_or_skip(reader)?.filter(|text| !text.is_empty()),
            "functionCall" => called = call(reader)?,
            "inlineData" | "fileData" => (said, other) = (left_out(reader)?, true),
            _ => {
                other = true;
                reader.skip()?;
            }
        }
    }
    Ok(match (called, said) {
        (Some((id, name, arguments)), _) => Some(Piece::Call { id, name, arguments, signature }),
        // What signs a picture has nothing to stand on without it.
        (None, Some(text)) if other => Some(Piece::Text { text, thought, signature: None }),
        (None, Some(text)) => Some(Piece::Text { text, thought, signature }),
        (None, None) if signature.is_some() && !other => {
            Some(Piece::Text { text: Text::from(""), thought, signature })
        }
        (None, None) => None,
    })
}

/// A picture or a sound, which no other dialect's reply can hold: words in its place say that it was there.
fn left_out<'a>(reader: &mut Reader<'a>) -> Result<Option<Text<'a>>, Error> {
    let mut kind = None;
    if !object_or_skip(reader)? {
        return Ok(None);
    }
    while let Some(key) = reader.key()? {
        if canonical(key.plain()) == "mimeType" {
            kind = text_or_skip(reader)?;
        } else {
            reader.skip()?;
        }
    }
    let kind = kind.unwrap_or_else(|| Text::from("a file"));
    Ok(Some(Text::from(format!("[left out: {}]", kind.plain()))))
}

type Call<'a> = (Option<Text<'a>>, Text<'a>, Cow<'a, str>);

fn call<'a>(reader: &mut Reader<'a>) -> Result<Option<Call<'a>>, Error> {
    let (mut id, mut name, mut arguments) = (None, None, Cow::Borrowed("{}"));
    if !object_or_skip(reader)? {
        return Ok(None);
    }
    while let Some(key) = reader.key()? {
        match &*key.plain() {
            "id" => id = text_or_skip(reader)?.filter(|id| !id.is_empty()),
            "name" => name = text_or_skip(reader)?.filter(|name| !name.is_empty()),
            "args" if reader.peek()? == Kind::Object => arguments = Cow::Borrowed(reader.raw()?),
            _ => reader.skip()?,
        }
    }
    Ok(name.map(|name| (id, name, arguments)))
}

fn logprobs<'a>(reader: &mut Reader<'a>) -> Result<Vec<Logprob<'a>>, Error> {
    let (mut chosen, mut tops) = (Vec::new(), Vec::new());
    if object_or_skip(reader)? {
        while let Some(key) = reader.key()? {
            match &*canonical(key.plain()) {
                "chosenCandidates" => chosen = tokens(reader)?,
                "topCandidates" => {
                    if array_or_skip(reader)? {
                        while reader.element()? {
                            tops.push(top(reader)?);
                        }
                    }
                }
                _ => reader.skip()?,
            }
        }
    }
    let mut tops = tops.into_iter();
    let whole = chosen.into_iter().map(|(token, logprob)| Logprob {
        token,
        logprob,
        top: tops.next().unwrap_or_default(),
    });
    Ok(whole.collect())
}

type Token<'a> = (Text<'a>, Cow<'a, str>);

fn top<'a>(reader: &mut Reader<'a>) -> Result<Vec<Token<'a>>, Error> {
    let mut found = Vec::new();
    if object_or_skip(reader)? {
        while let Some(key) = reader.key()? {
            if key == "candidates" {
                found = tokens(reader)?;
            } else {
                reader.skip()?;
            }
        }
    }
    Ok(found)
}

fn tokens<'a>(reader: &mut Reader<'a>) -> Result<Vec<Token<'a>>, Error> {
    let mut found = Vec::new();
    if !array_or_skip(reader)? {
        return Ok(found);
    }
    while reader.element()? {
        let (mut token, mut logprob) = (Text::from(""), Cow::Borrowed("0"));
        if object_or_skip(reader)? {
            while let Some(key) = reader.key()? {
                match &*canonical(key.plain()) {
                    "token" => token = text_or_skip(reader)?.unwrap_or(token),
                    "logProbability" if reader.peek()? == Kind::Number => {
                        logprob = Cow::Borrowed(reader.number()?);
                    }
                    _ => reader.skip()?,
                }
            }
        }
        found.push((token, logprob));
    }
    Ok(found)
}
