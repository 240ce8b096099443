//! A request for vectors, and the vectors.

use super::loss::Loss;
use super::{Text, Usage};

/// A request for vectors, one for each input.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Request<'a> {
    /// What is to be embedded; never empty.
    pub inputs: Vec<Input<'a>>,
    /// Length of the vectors, where the model can choose.
    pub dimensions: Option<u64>,
    /// What the vectors are for, in Gemini's words (`RETRIEVAL_QUERY`, `RETRIEVAL_DOCUMENT`, `SEMANTIC_SIMILARITY`,
    /// `CLASSIFICATION`, `CLUSTERING` …), which are the richest.
    pub task: Option<Text<'a>>,
    /// The title of the document that is embedded.
    pub title: Option<Text<'a>>,
    /// The end user, as the client names it.
    pub user: Option<Text<'a>>,
    /// Where all this stands.
    pub places: Places,
}

impl Request<'_> {
    /// Tells that a wish cannot be said, wherever the client said it.
    pub fn lose(&self, wish: Wish, loss: &mut Loss) {
        let mut said = self.places.wishes.iter().filter(|(of, _)| *of == wish).peekable();
        if said.peek().is_none() {
            loss.drop(wish.name());
        }
        said.for_each(|(_, path)| loss.drop(path.as_str()));
    }
}

/// What can be asked for besides vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// [`Request::dimensions`].
    Dimensions,
    /// [`Request::task`].
    Task,
    /// [`Request::title`].
    Title,
}

impl Wish {
    /// Its path, where the client's request is not known to have another.
    const fn name(self) -> &'static str {
        match self {
            Self::Dimensions => "dimensions",
            Self::Task => "task",
            Self::Title => "title",
        }
    }
}

/// Where things stand in the client's request, as JSON paths, for losses and refusals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// All inputs.
    pub inputs: &'static str,
    /// What follows the index of an input; `None` if there is one and no list.
    pub each: Option<&'static str>,
    /// Wishes; in a batch one may be said many times.
    pub wishes: Vec<(Wish, String)>,
}

impl Default for Places {
    fn default() -> Self {
        Self { inputs: "input", each: Some(""), wishes: Vec::new() }
    }
}

impl Places {
    /// An input.
    #[must_use]
    pub fn input(&self, at: usize) -> String {
        match self.each {
            Some(member) => format!("{}[{at}]{member}", self.inputs),
            None => self.inputs.to_owned(),
        }
    }
}

/// One thing to embed.
#[derive(Debug, Clone, PartialEq)]
pub enum Input<'a> {
    /// Text.
    Text(Text<'a>),
    /// Tokens of the model's own vocabulary, as the JSON text of an array of integers.
    Tokens(&'a str),
}

/// The vectors.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply<'a> {
    /// The model as the provider names it; empty if it does not.
    pub model: Text<'a>,
    /// One for each input, in order.
    pub vectors: Vec<Vector<'a>>,
    /// What it used, if the provider says.
    pub usage: Option<Usage>,
}

/// A vector. Numbers stay as the provider wrote them, until a client wants them packed.
#[derive(Debug, Clone, PartialEq)]
pub enum Vector<'a> {
    /// The JSON text of an array of numbers.
    Numbers(&'a str),
    /// Little-endian 32-bit floats in base64.
    Packed(Text<'a>),
}

/// How a client wants its vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// As arrays of numbers.
    #[default]
    Numbers,
    /// As little-endian 32-bit floats in base64.
    Packed,
}
