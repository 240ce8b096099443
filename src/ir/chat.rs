//! A chat request and a whole reply.

use super::loss::Loss;
use super::place::Place;
use super::{Proof, Text, Usage};
use std::borrow::Cow;

/// A chat request. System and developer turns stand among the messages, where the client put them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Request<'a> {
    /// The turns, in order.
    pub messages: Vec<Message<'a>>,
    /// Functions that the model may call.
    pub tools: Vec<Tool<'a>>,
    /// Whether and which tool must be called.
    pub tool_choice: Option<ToolChoice<'a>>,
    /// Whether several tools may be called in one turn.
    pub parallel_tool_calls: Option<bool>,
    /// Limits and randomness.
    pub sampling: Sampling<'a>,
    /// Thinking before answering.
    pub reasoning: Option<Reasoning>,
    /// Whether the client wants to read the thinking (or a summary of it); `None` if its dialect cannot say, and then it
    /// is asked for wherever reasoning is.
    pub show_reasoning: Option<bool>,
    /// The form that the reply's text must have.
    pub format: Option<Format<'a>>,
    /// How long the answer is to be: `low`, `medium`, `high`.
    pub verbosity: Option<Text<'a>>,
    /// The end user, as the client names it.
    pub user: Option<Text<'a>>,
    /// Members that OpenAI's Chat and Responses share under one name and with one meaning, and nobody else has
    /// (`metadata`, `store`, `service_tier`, `prompt_cache_key`, `safety_identifier` …), as JSON text.
    pub openai: Vec<(&'static str, &'a str)>,
    /// Whether the client wants a stream.
    pub stream: bool,
}

impl Request<'_> {
    /// Whether a tool is offered in dialects that cannot say which are allowed: they leave the others out. A choice that names
    /// none of the tools leaves out none.
    #[must_use]
    pub fn offers(&self, tool: &Tool<'_>) -> bool {
        match &self.tool_choice {
            Some(ToolChoice::Allowed { names, .. }) => names.contains(&tool.name) || self.allows_none(),
            _ => true,
        }
    }

    /// Whether the client asks for thinking to be shown, and does not forbid to think.
    #[must_use]
    pub fn wants_thinking_shown(&self) -> bool {
        self.show_reasoning == Some(true) && self.reasoning != Some(Reasoning::Off)
    }

    /// Whether the choice is among tools that there are not. Dialects that leave out what is not allowed leave out none then.
    #[must_use]
    pub fn allows_none(&self) -> bool {
        match &self.tool_choice {
            Some(ToolChoice::Allowed { names, .. }) => {
                !self.tools.iter().any(|tool| names.contains(&tool.name))
            }
            _ => false,
        }
    }
}

/// Limits and randomness. Numbers are their JSON text: `0.123456789` leaves as it came.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sampling<'a> {
    /// Most tokens of the reply, reasoning included.
    pub max_tokens: Option<u64>,
    /// Randomness.
    pub temperature: Option<&'a str>,
    /// Nucleus.
    pub top_p: Option<&'a str>,
    /// Candidates per token.
    pub top_k: Option<&'a str>,
    /// Penalty by count.
    pub frequency_penalty: Option<&'a str>,
    /// Penalty by presence.
    pub presence_penalty: Option<&'a str>,
    /// For repeatable replies.
    pub seed: Option<&'a str>,
    /// Sequences that end the reply.
    pub stop: Vec<Text<'a>>,
    /// Number of replies.
    pub n: Option<u64>,
    /// Log probabilities of the reply's tokens, each with so many of the likeliest alternatives.
    pub logprobs: Option<u64>,
}

impl Sampling<'_> {
    /// Lists log probabilities that cannot be had.
    pub fn lose_logprobs(&self, loss: &mut Loss) {
        if let Some(most) = self.logprobs {
            loss.drop("logprobs");
            if most > 0 {
                loss.drop("top_logprobs");
            }
        }
    }
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The operator.
    System,
    /// The application; dialects without the word treat it as [`Role::System`].
    Developer,
    /// The end user; tool results stand in user turns.
    User,
    /// The model.
    Assistant,
}

/// One turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Message<'a> {
    /// Who speaks.
    pub role: Role,
    /// Its index in the client's own list, for messages about it; the system prompt of dialects that keep it apart
    /// has `None`.
    pub at: Option<u32>,
    /// What is said, in order.
    pub parts: Vec<Part<'a>>,
    /// A participant's name.
    pub name: Option<Text<'a>>,
    /// Where the parts stand in the client's request: one for each, or none if all stand where their positions say.
    pub places: Vec<Place>,
}

impl<'a> Message<'a> {
    /// A turn whose parts stand where their positions say.
    #[must_use]
    pub const fn new(role: Role, at: Option<u32>, parts: Vec<Part<'a>>) -> Self {
        Self { role, at, parts, name: None, places: Vec::new() }
    }

    /// Where a part stands in the client's request.
    #[must_use]
    pub fn place(&self, part: usize) -> Place {
        self.places.get(part).cloned().unwrap_or_else(|| Place::usual(self.at, part))
    }

    /// Whether nothing is said in it.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        let blank = |part: &Part<'_>| match part {
            Part::Text { text, .. } | Part::Refusal { text } => text.is_blank(),
            _ => false,
        };
        self.parts.iter().all(blank)
    }

    /// Adds the parts of another turn of the client's that is one with this one here.
    pub fn join(&mut self, mut other: Self) {
        let places = |message: &Self| (0..message.parts.len()).map(|part| message.place(part)).collect();
        let mut before: Vec<_> = places(self);
        before.append(&mut places(&other));
        self.places = before;
        self.parts.append(&mut other.parts);
    }
}

/// A piece of a turn.
#[derive(Debug, Clone, PartialEq)]
pub enum Part<'a> {
    /// Text.
    Text {
        /// The text.
        text: Text<'a>,
        /// Whether the prompt up to here is to be cached by the provider.
        cache: bool,
    },
    /// An image.
    Image {
        /// Where it is.
        source: Source<'a>,
        /// `low`, `high`, `auto`.
        detail: Option<Text<'a>>,
        /// Whether the prompt up to here is to be cached by the provider.
        cache: bool,
    },
    /// A document, such as a PDF, or plain text.
    Document {
        /// Where it is.
        source: Source<'a>,
        /// Its title or file name.
        name: Option<Text<'a>>,
        /// Whether the prompt up to here is to be cached by the provider.
        cache: bool,
    },
    /// Sound.
    Audio {
        /// Where it is.
        source: Source<'a>,
    },
    /// A film.
    Video {
        /// Where it is.
        source: Source<'a>,
    },
    /// A call that the model made.
    ToolCall(ToolCall<'a>),
    /// What a call returned.
    ToolResult {
        /// [`ToolCall::id`].
        id: Text<'a>,
        /// What it returned; may be empty.
        content: Vec<Part<'a>>,
        /// Whether the tool failed.
        is_error: bool,
        /// Whether the prompt up to here is to be cached by the provider.
        cache: bool,
    },
    /// What the model thought. May be without text, where only the proof matters.
    Thinking {
        /// The text.
        text: Text<'a>,
        /// By which its home accepts it back.
        proof: Option<Proof<'a>>,
    },
    /// Thinking that only its home can read.
    RedactedThinking {
        /// The whole of it.
        data: Proof<'a>,
    },
    /// Why the model would not answer.
    Refusal {
        /// The text.
        text: Text<'a>,
    },
}

impl<'a> Part<'a> {
    /// Plain text without a cache marker.
    pub fn text(text: impl Into<Text<'a>>) -> Self {
        Self::Text { text: text.into(), cache: false }
    }
}

/// Where bytes are.
#[derive(Debug, Clone, PartialEq)]
pub enum Source<'a> {
    /// To be fetched by the provider.
    Url(Text<'a>),
    /// In the request.
    Base64 {
        /// MIME type.
        media_type: Text<'a>,
        /// Base64, standard alphabet.
        data: Text<'a>,
    },
    /// Kept by the provider, under an id that only it knows.
    File(Proof<'a>),
    /// Plain text, for documents.
    Text(Text<'a>),
}

/// A call of a tool.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolCall<'a> {
    /// Names it within the conversation.
    pub id: Text<'a>,
    /// [`Tool::name`].
    pub name: Text<'a>,
    /// JSON text (an object, if the model did as told), unescaped. May be empty, may be broken. Of a custom tool, its
    /// input as it is.
    pub arguments: Cow<'a, str>,
    /// Whether the tool is a custom one ([`ToolKind::Custom`]).
    pub custom: bool,
    /// By which its home accepts it back: Gemini signs calls.
    pub proof: Option<Proof<'a>>,
}

impl<'a> ToolCall<'a> {
    /// A function call without a proof.
    pub fn function(
        id: impl Into<Text<'a>>,
        name: impl Into<Text<'a>>,
        arguments: impl Into<Cow<'a, str>>,
    ) -> Self {
        Self { id: id.into(), name: name.into(), arguments: arguments.into(), custom: false, proof: None }
    }
}

/// A function that the model may call.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool<'a> {
    /// Its name.
    pub name: Text<'a>,
    /// What it does.
    pub description: Option<Text<'a>>,
    /// What it takes.
    pub kind: ToolKind<'a>,
    /// Whether arguments must fit the schema exactly.
    pub strict: Option<bool>,
    /// Whether the prompt up to here is to be cached by the provider.
    pub cache: bool,
    /// Its index in the client's list, and in dialects whose elements hold several functions that of the function.
    pub at: (u32, Option<u32>),
}

impl Tool<'_> {
    /// The path of a member: `tools[3].function.strict`.
    #[must_use]
    pub fn path(&self, member: &str) -> String {
        match self.at {
            (at, None) => format!("tools[{at}].{member}"),
            (at, Some(function)) => format!("tools[{at}].functionDeclarations[{function}].{member}"),
        }
    }
}

/// What a tool takes.
#[derive(Debug, Clone, PartialEq)]
pub enum ToolKind<'a> {
    /// A JSON object. The schema of it is JSON text; `None` means no arguments.
    Function(Option<Cow<'a, str>>),
    /// Any text, OpenAI's custom tools: the grammar of it is JSON text (`format`), if it has one. Dialects without the
    /// word offer a function with one string, `input`.
    Custom(Option<&'a str>),
}

/// The schema of the function that stands for a custom tool.
pub const CUSTOM_SCHEMA: &str = r#"{"type":"object","properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false}"#;

/// Whether and which tool must be called.
#[derive(Debug, Clone, PartialEq)]
pub enum ToolChoice<'a> {
    /// The model decides.
    Auto,
    /// None.
    None,
    /// Any one, but one.
    Required,
    /// This one.
    Tool(Text<'a>),
    /// Only these, at least one of them if `required`. Dialects without the word offer only these.
    Allowed {
        /// Whether one must be called.
        required: bool,
        /// [`Tool::name`]s.
        names: Vec<Text<'a>>,
    },
}

/// Thinking before answering. At most one of the members is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reasoning {
    /// Not at all.
    Off,
    /// By a word.
    Effort(Effort),
    /// By a number of tokens.
    Budget(u64),
    /// As the model sees fit.
    Adaptive,
}

/// How hard to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// Hardly.
    Minimal,
    /// A little.
    Low,
    /// Some.
    Medium,
    /// Much.
    High,
    /// As much as can be.
    Max,
}

impl Effort {
    /// The thinking budget in tokens that stands for the word, as the vendors' own compatibility layers map it.
    #[must_use]
    pub const fn budget(self) -> u64 {
        match self {
            Self::Minimal | Self::Low => 1_024,
            Self::Medium => 8_192,
            Self::High => 24_576,
            Self::Max => 32_768,
        }
    }

    /// The word that stands for a budget.
    #[must_use]
    pub const fn for_budget(tokens: u64) -> Self {
        match tokens {
            0..=4_096 => Self::Low,
            4_097..=16_384 => Self::Medium,
            _ => Self::High,
        }
    }
}

/// The form that the reply's text must have.
#[derive(Debug, Clone, PartialEq)]
pub enum Format<'a> {
    /// Any JSON object.
    JsonObject,
    /// JSON that fits a schema.
    JsonSchema {
        /// The schema's name.
        name: Option<Text<'a>>,
        /// What it is for.
        description: Option<Text<'a>>,
        /// JSON text.
        schema: Cow<'a, str>,
        /// Whether the reply must fit exactly.
        strict: Option<bool>,
    },
}

/// A whole reply.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply<'a> {
    /// The provider's id for it.
    pub id: Text<'a>,
    /// The model as the provider names it.
    pub model: Text<'a>,
    /// The first (mostly the only) candidate.
    pub choice: Choice<'a>,
    /// The other candidates, in order, where several were asked for.
    pub more: Vec<Choice<'a>>,
    /// What it used, if the provider says.
    pub usage: Option<Usage>,
}

/// One candidate of a reply.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice<'a> {
    /// Text, thinking, tool calls and refusals, in order.
    pub parts: Vec<Part<'a>>,
    /// Why it ended.
    pub finish: Finish<'a>,
    /// Of its tokens, where they were asked for.
    pub logprobs: Vec<Logprob<'a>>,
}

/// How likely a token was.
#[derive(Debug, Clone, PartialEq)]
pub struct Logprob<'a> {
    /// The token.
    pub token: Text<'a>,
    /// Natural logarithm, as JSON text.
    pub logprob: Cow<'a, str>,
    /// The likeliest tokens at its place, each with its logarithm.
    pub top: Vec<(Text<'a>, Cow<'a, str>)>,
}

impl Logprob<'_> {
    /// Without a borrow.
    #[must_use]
    pub fn into_owned(self) -> Logprob<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        Logprob {
            token: self.token.into_owned(),
            logprob: owned(self.logprob),
            top: self.top.into_iter().map(|(token, logprob)| (token.into_owned(), owned(logprob))).collect(),
        }
    }
}

/// Why a reply ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Finish<'a> {
    /// Why.
    pub reason: FinishReason,
    /// In the provider's own word, for the record.
    pub word: Text<'a>,
    /// Which stop sequence was met, if the provider says.
    pub stop_sequence: Option<Text<'a>>,
}

impl Finish<'_> {
    /// Without a borrow.
    #[must_use]
    pub fn into_owned(self) -> Finish<'static> {
        Finish {
            reason: self.reason,
            word: self.word.into_owned(),
            stop_sequence: self.stop_sequence.map(Text::into_owned),
        }
    }
}

/// Why a reply ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinishReason {
    /// The model was done.
    Stop,
    /// A stop sequence was met.
    StopSequence,
    /// The token limit was met.
    Length,
    /// Tools are to be called.
    ToolCalls,
    /// The provider's filter, or the model's own refusal.
    Refusal,
    /// The provider paused a long turn, to be continued by sending it back.
    Pause,
}
