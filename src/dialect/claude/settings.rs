//! What a request asks for besides its words, as a given generation of Claude accepts it: the reply limit, thinking,
//! sampling.
//!
//! Invariant: what is settled here is never refused for its combination; what had to give way is listed.

use super::{Generation, SamplingStyle, ThinkingStyle};
use crate::dialect::Target;
use crate::dialect::turns::Turn;
use crate::ir::chat::{Effort, Reasoning, Request, Sampling, ToolChoice};
use crate::ir::loss::Loss;

/// The reply limit where neither the client nor the catalog names one. One is demanded, and every model since
/// Claude 3 grants this.
const MAX_TOKENS: u64 = 4_096;
/// The smallest thinking budget.
const MIN_BUDGET: u64 = 1_024;

/// The `thinking` member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dialect) enum Thinking {
    /// Off.
    Disabled,
    /// By a budget, which is less than the reply limit.
    Enabled(u64),
    /// As the model sees fit.
    Adaptive,
}

/// Settled settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dialect) struct Settings<'r> {
    /// `max_tokens`.
    pub(in crate::dialect) max_tokens: u64,
    /// `thinking`.
    pub(in crate::dialect) thinking: Option<Thinking>,
    /// `output_config.effort`.
    pub(in crate::dialect) effort: Option<&'static str>,
    /// `temperature`.
    pub(in crate::dialect) temperature: Option<&'r str>,
    /// `top_p`.
    pub(in crate::dialect) top_p: Option<&'r str>,
    /// `top_k`.
    pub(in crate::dialect) top_k: Option<&'r str>,
}

/// Settles a request's settings.
pub(in crate::dialect) fn settle<'r>(
    request: &'r Request<'r>,
    turns: &[Turn<'_>],
    target: &Target<'_>,
    loss: &mut Loss,
) -> Settings<'r> {
    let generation = Generation::of(target.model);
    let mut settings = Settings {
        max_tokens: limit(request, target, loss),
        thinking: None,
        effort: None,
        temperature: None,
        top_p: None,
        top_k: None,
    };
    if let Some(reasoning) = request.reasoning {
        think(&mut settings, reasoning, generation, request, target, loss);
    }
    if thinking_is_refused(settings.thinking, request, turns) {
        settings.thinking = None;
        // An effort steers the whole reply, so it is carried without thinking too.
        if settings.effort.is_none() {
            loss.drop("reasoning_effort");
        }
    }
    sample(&mut settings, &request.sampling, generation, loss);
    settings
}

fn limit(request: &Request<'_>, target: &Target<'_>, loss: &mut Loss) -> u64 {
    match (request.sampling.max_tokens, target.max_output_tokens) {
        (Some(asked), Some(most)) if asked > most => {
            loss.drop("max_tokens");
            most
        }
        (Some(asked), _) => asked,
        (None, most) => most.unwrap_or(MAX_TOKENS),
    }
}

fn think(
    settings: &mut Settings<'_>,
    reasoning: Reasoning,
    generation: Generation,
    request: &Request<'_>,
    target: &Target<'_>,
    loss: &mut Loss,
) {
    let style = generation.thinking();
    let budget = match reasoning {
        Reasoning::Off | Reasoning::Budget(0) => {
            settings.thinking = Some(Thinking::Disabled);
            return;
        }
        Reasoning::Adaptive if style != ThinkingStyle::Budget => {
            settings.thinking = Some(Thinking::Adaptive);
            return;
        }
        Reasoning::Effort(effort) if style != ThinkingStyle::Budget => {
            settings.thinking = Some(Thinking::Adaptive);
            settings.effort = Some(word(effort));
            if effort == Effort::Minimal {
                loss.drop("reasoning_effort");
            }
            return;
        }
        Reasoning::Budget(tokens) if style == ThinkingStyle::Adaptive => {
            settings.thinking = Some(Thinking::Adaptive);
            settings.effort = Some(word(Effort::for_budget(tokens)));
            return;
        }
        Reasoning::Adaptive => Effort::Medium.budget(),
        Reasoning::Effort(effort) => effort.budget(),
        Reasoning::Budget(tokens) => tokens.max(MIN_BUDGET),
    };
    if request.sampling.max_tokens.is_none() && target.max_output_tokens.is_none() {
        settings.max_tokens = budget.saturating_add(MAX_TOKENS);
    }
    if settings.max_tokens <= MIN_BUDGET {
        loss.drop("reasoning_effort");
        return;
    }
    // A quarter of the limit is kept for the answer.
    let most = (settings.max_tokens - settings.max_tokens / 4).max(MIN_BUDGET);
    let granted = budget.min(most);
    if matches!(reasoning, Reasoning::Budget(asked) if asked != granted) {
        loss.drop("reasoning_effort");
    }
    settings.thinking = Some(Thinking::Enabled(granted));
}

const fn word(effort: Effort) -> &'static str {
    match effort {
        Effort::Minimal | Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High => "high",
        Effort::Max => "max",
    }
}

/// Thinking cannot be had where a tool is forced; and with a budget, the assistant turn that is being continued must
/// begin with its signed thinking, which no other dialect's client can give back.
fn thinking_is_refused(thinking: Option<Thinking>, request: &Request<'_>, turns: &[Turn<'_>]) -> bool {
    if !matches!(thinking, Some(Thinking::Enabled(_) | Thinking::Adaptive)) {
        return false;
    }
    let has_tools = !request.tools.is_empty();
    if has_tools
        && matches!(
            request.tool_choice,
            Some(ToolChoice::Required | ToolChoice::Tool(_) | ToolChoice::Allowed { required: true, .. })
        )
    {
        return true;
    }
    let continued = turns.iter().enumerate().rfind(|(_, turn)| turn.assistant);
    matches!(thinking, Some(Thinking::Enabled(_)))
        && continued.is_some_and(|(at, turn)| {
            (turn.has_tool_call() || at + 1 == turns.len()) && !turn.begins_with_thinking()
        })
}

fn sample<'r>(settings: &mut Settings<'r>, sampling: &Sampling<'r>, generation: Generation, loss: &mut Loss) {
    let style = generation.sampling();
    let thinks = matches!(settings.thinking, Some(Thinking::Enabled(_) | Thinking::Adaptive));
    let none = style == SamplingStyle::None;
    // 1 is the default of both, so leaving it out changes nothing and cannot be refused.
    let mut temperature = sampling.temperature;
    if temperature.is_some_and(is_one) && (none || thinks) {
        temperature = None;
    }
    settings.temperature = match temperature {
        Some(_) if none || thinks => {
            loss.drop("temperature");
            None
        }
        Some(asked) if number(asked) > 1.0 => {
            loss.drop("temperature");
            Some("1")
        }
        asked => asked,
    };
    let crowded = style == SamplingStyle::One && settings.temperature.is_some();
    settings.top_p = match sampling.top_p.filter(|asked| !is_one(asked)) {
        Some(asked) if none || crowded || (thinks && number(asked) < 0.95) => {
            loss.drop("top_p");
            None
        }
        asked => asked,
    };
    settings.top_k = sampling.top_k;
    if settings.top_k.is_some() && (none || thinks) {
        loss.drop("top_k");
        settings.top_k = None;
    }
    drop_unsayable(sampling, loss);
}

/// Lists what neither Claude nor its hosts can be asked for.
pub(in crate::dialect) fn drop_unsayable(sampling: &Sampling<'_>, loss: &mut Loss) {
    let is_zero = |asked: &str| number(asked) == 0.0;
    for (name, value) in [
        ("frequency_penalty", sampling.frequency_penalty.filter(|asked| !is_zero(asked))),
        ("presence_penalty", sampling.presence_penalty.filter(|asked| !is_zero(asked))),
        ("seed", sampling.seed),
    ] {
        if value.is_some() {
            loss.drop(name);
        }
    }
    if sampling.n.is_some_and(|n| n > 1) {
        loss.drop("n");
    }
    sampling.lose_logprobs(loss);
}

fn is_one(asked: &str) -> bool {
    number(asked) == 1.0
}

/// For comparing only: what is written is the text.
pub(in crate::dialect) fn number(asked: &str) -> f64 {
    asked.parse().unwrap_or(f64::NAN)
}
