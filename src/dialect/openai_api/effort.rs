//! The words for how hard a model thinks.

use super::generation::Generation;
use crate::ir::chat::{Effort, Reasoning};
use crate::ir::loss::Loss;

/// What a client's word means; `None` if it means nothing here.
pub(in crate::dialect) fn decode(word: &str) -> Option<Reasoning> {
    let effort = match word {
        "none" => return Some(Reasoning::Off),
        "minimal" => Effort::Minimal,
        "low" => Effort::Low,
        "medium" => Effort::Medium,
        "high" => Effort::High,
        "xhigh" | "max" => Effort::Max,
        _ => return None,
    };
    Some(Reasoning::Effort(effort))
}

/// The word for a model of a generation. A budget becomes the word nearest to it. The words `none` and `xhigh` are known to
/// few models, and the others refuse them: the request is served at the nearest word that all know, and the difference is
/// said.
pub(in crate::dialect) fn encode(
    reasoning: Option<Reasoning>,
    generation: Generation,
    loss: &mut Loss,
) -> Option<&'static str> {
    let effort = match reasoning {
        None => return None,
        Some(Reasoning::Off) if generation.may_rest() => return Some("none"),
        Some(Reasoning::Off) if !generation.may_reason() => return None,
        Some(_) if !generation.may_reason() => {
            loss.drop("reasoning_effort");
            return None;
        }
        Some(Reasoning::Off) => {
            loss.drop("reasoning_effort");
            return None;
        }
        // Those that do not think unless asked are asked.
        Some(Reasoning::Adaptive) if generation.may_rest() => Effort::Medium,
        Some(Reasoning::Adaptive) => return None,
        Some(Reasoning::Effort(effort)) => effort,
        Some(Reasoning::Budget(tokens)) => Effort::for_budget(tokens),
    };
    let exact = match effort {
        Effort::Minimal => generation.has_minimal_effort(),
        Effort::Max => generation.has_highest_effort(),
        _ => true,
    };
    if !exact {
        loss.drop("reasoning_effort");
    }
    Some(match effort {
        Effort::Minimal if exact => "minimal",
        Effort::Minimal | Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::Max if exact => "xhigh",
        Effort::High | Effort::Max => "high",
    })
}
