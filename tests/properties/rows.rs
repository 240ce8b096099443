//! What each dialect can say without a loss: a dialect joins the round trips by a row (or two, where its models differ).

use sluice::config::Dialect;
use sluice::dialect::Target;
use sluice::ir::chat::{Effort, FinishReason, Reasoning, Request, Tool, ToolChoice, ToolKind};

/// How turns follow each other.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// As they come; texts of a turn are one.
    Free,
    /// User and assistant in alternation, results first in the turn behind their calls, instructions apart.
    Strict,
}

/// A dialect, spoken to one model.
pub(crate) struct Row {
    pub(crate) dialect: Dialect,
    pub(crate) target: Target<'static>,
    pub(crate) shape: Shape,
    /// Parts of a user's turn besides text: `image`, `image_detail`, `image_file`, `document`, `document_text`,
    /// `document_url`, `document_file`, `audio`.
    pub(crate) parts: &'static [&'static str],
    /// Participants' names.
    pub(crate) names: bool,
    /// The developer's role.
    pub(crate) developer: bool,
    /// Refusals in the history.
    pub(crate) refusals: bool,
    /// Cache markers.
    pub(crate) cache: bool,
    /// Errors and images of tools.
    pub(crate) rich_results: bool,
    /// Whose thinking is in the history.
    pub(crate) thinking: Thinking,
    /// Custom tools, their calls, and lists of allowed tools.
    pub(crate) custom: bool,
    /// Arguments that are no objects, tools without parameters.
    pub(crate) loose: bool,
    /// `parallel_tool_calls: true`.
    pub(crate) parallel: bool,
    /// Members of the sampling: their names in OpenAI's words.
    pub(crate) sampling: &'static [&'static str],
    /// Whether a reply limit is always there.
    pub(crate) limited: bool,
    pub(crate) reasoning: &'static [Reasoning],
    pub(crate) json_mode: bool,
    /// Names and descriptions of schemas, and schemas that need not fit exactly.
    pub(crate) named_schemas: bool,
    pub(crate) verbosity: bool,
    /// Members that OpenAI's dialects share.
    pub(crate) openai: bool,
    /// What cannot be said together, taken out again.
    pub(crate) fit: fn(&mut Request<'static>),
    /// Why replies end, with the dialect's words.
    pub(crate) finishes: &'static [(FinishReason, &'static str)],
    /// Parts of replies besides text and calls: `thinking`, `proof`, `refusal`, `logprobs`, `candidates`.
    pub(crate) reply: &'static [&'static str],
}

/// Thinking in the history.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Thinking {
    None,
    /// Without a proof.
    Plain,
    /// With the dialect's own.
    Signed,
}

impl Row {
    pub(crate) fn has(&self, part: &str) -> bool {
        self.parts.contains(&part)
    }

    pub(crate) fn replies_with(&self, part: &str) -> bool {
        self.reply.contains(&part)
    }
}

const ALL_SAMPLING: &[&str] =
    &["temperature", "top_p", "frequency_penalty", "presence_penalty", "seed", "n", "stop", "logprobs"];

/// A history with calls is refused without tools, and gets some.
fn offer_what_is_called(request: &mut Request<'static>) {
    if request.tools.is_empty() {
        let name = "f".into();
        let kind = ToolKind::Function(Some(r#"{"type":"object"}"#.into()));
        request.tools =
            vec![Tool { name, description: None, kind, strict: None, cache: false, at: (0, None) }];
    }
}

/// Imitators of OpenAI.
const OPENAI: Row = Row {
    dialect: Dialect::Openai,
    target: Target::of("m"),
    shape: Shape::Free,
    parts: &["image", "image_detail", "document", "document_file", "audio"],
    names: true,
    developer: false,
    refusals: true,
    cache: false,
    rich_results: false,
    thinking: Thinking::None,
    custom: false,
    loose: true,
    parallel: true,
    sampling: ALL_SAMPLING,
    limited: false,
    reasoning: &[
        Reasoning::Effort(Effort::Minimal),
        Reasoning::Effort(Effort::Low),
        Reasoning::Effort(Effort::Medium),
        Reasoning::Effort(Effort::High),
    ],
    json_mode: true,
    named_schemas: true,
    verbosity: false,
    openai: false,
    fit: |_| (),
    finishes: &[
        (FinishReason::Stop, "stop"),
        (FinishReason::Length, "length"),
        (FinishReason::Refusal, "content_filter"),
    ],
    reply: &["thinking", "refusal", "logprobs", "candidates"],
};

/// OpenAI's own reasoners.
const OPENAI_REASONER: Row = Row {
    target: Target::of("gpt-5.2"),
    developer: true,
    custom: true,
    reasoning: &[
        Reasoning::Off,
        Reasoning::Effort(Effort::Low),
        Reasoning::Effort(Effort::Medium),
        Reasoning::Effort(Effort::High),
        Reasoning::Effort(Effort::Max),
    ],
    sampling: &["seed", "n"],
    verbosity: true,
    openai: true,
    ..OPENAI
};

/// Makers of open models that want their thinking back.
const OPENAI_THINKER: Row = Row { target: Target::of("deepseek-chat"), thinking: Thinking::Plain, ..OPENAI };

/// Imitators of Anthropic.
const ANTHROPIC: Row = Row {
    dialect: Dialect::Anthropic,
    target: Target::of("m"),
    shape: Shape::Strict,
    parts: &["image", "image_file", "document", "document_text", "document_url", "document_file"],
    names: false,
    developer: false,
    refusals: false,
    cache: true,
    rich_results: true,
    thinking: Thinking::Signed,
    custom: false,
    loose: false,
    parallel: false,
    sampling: &["temperature", "top_p", "top_k", "stop"],
    limited: true,
    reasoning: &[Reasoning::Off, Reasoning::Budget(1_024), Reasoning::Budget(20_000)],
    json_mode: false,
    named_schemas: false,
    verbosity: false,
    openai: false,
    fit: |request| {
        offer_what_is_called(request);
        if matches!(request.reasoning, Some(Reasoning::Budget(_))) {
            request.sampling.temperature = None;
            request.sampling.top_p = None;
            request.sampling.top_k = None;
            if matches!(request.tool_choice, Some(ToolChoice::Required | ToolChoice::Tool(_))) {
                request.tool_choice = None;
                request.parallel_tool_calls = None;
            }
        }
    },
    finishes: &[
        (FinishReason::Stop, "end_turn"),
        (FinishReason::StopSequence, "stop_sequence"),
        (FinishReason::Length, "max_tokens"),
        (FinishReason::Refusal, "refusal"),
        (FinishReason::Pause, "pause_turn"),
    ],
    reply: &["thinking", "proof"],
};

/// Anthropic's own models of today.
const CLAUDE: Row = Row {
    target: Target::of("claude-opus-4-8"),
    sampling: &["stop"],
    reasoning: &[
        Reasoning::Off,
        Reasoning::Adaptive,
        Reasoning::Effort(Effort::Low),
        Reasoning::Effort(Effort::Medium),
        Reasoning::Effort(Effort::High),
        Reasoning::Effort(Effort::Max),
    ],
    fit: |request| {
        offer_what_is_called(request);
        if matches!(request.reasoning, Some(Reasoning::Adaptive | Reasoning::Effort(_))) {
            // These models say whether they show it.
            request.show_reasoning = Some(request.stream);
            if matches!(request.tool_choice, Some(ToolChoice::Required | ToolChoice::Tool(_))) {
                request.tool_choice = None;
                request.parallel_tool_calls = None;
            }
        }
    },
    ..ANTHROPIC
};

/// Every row. Bedrock's requests are read by nobody but Bedrock.
pub(crate) const ROWS: [Row; 5] = [OPENAI, OPENAI_REASONER, OPENAI_THINKER, ANTHROPIC, CLAUDE];
