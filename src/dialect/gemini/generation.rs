//! What a generation of Gemini accepts, read from the model's id.
//! <https://ai.google.dev/gemini-api/docs/thinking>
//!
//! Invariant: an id that says nothing is taken for the newest; what is asked for is never more than the model has.

use crate::ir::chat::Effort;

/// A model's generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Generation {
    /// Version, such as 2.5; the newest if the id has none.
    version: (u32, u32),
    family: Family,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Pro,
    Flash,
    Lite,
    /// Gemma: no thinking that can be asked for.
    Open,
    /// None of the names that Google gives.
    Other,
}

/// How much thinking is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thinking {
    /// `thinkingLevel`
    Level(&'static str),
    /// `thinkingBudget`
    Budget(u64),
    /// `thinkingBudget: -1`
    Dynamic,
    /// What the model does unasked.
    Default,
}

impl Generation {
    /// Reads `gemini-2.5-flash-lite`, `gemini-3-pro-preview`, `google/gemini-3.1-pro`, `gemini-flash-latest`.
    pub(super) fn of(model: &str) -> Self {
        let name = model.rsplit('/').next().unwrap_or(model);
        if name.starts_with("gemma") {
            return Self { version: (0, 0), family: Family::Open };
        }
        let family = match name {
            _ if name.contains("lite") => Family::Lite,
            _ if name.contains("flash") => Family::Flash,
            _ if name.contains("pro") => Family::Pro,
            _ => Family::Other,
        };
        let number = name.strip_prefix("gemini-").and_then(|rest| {
            let version = rest.split('-').next()?;
            let (major, minor) = version.split_once('.').unwrap_or((version, "0"));
            Some((major.parse().ok()?, minor.parse().ok()?))
        });
        Self { version: number.unwrap_or((u32::MAX, 0)), family }
    }

    /// Whether the first call of a step must be signed, calls have ids, and results may hold media.
    pub(super) fn is_third(self) -> bool {
        self.family != Family::Open && self.version >= (3, 0)
    }

    /// Whether several replies can be asked for.
    pub(super) fn has_candidates(self) -> bool {
        !self.is_third()
    }

    /// Whether it goes on with a reply that the client has begun.
    pub(super) fn goes_on(self) -> bool {
        self.version < if self.family == Family::Lite { (3, 5) } else { (3, 6) }
    }

    /// Whether replies can be held to a form while there are tools.
    pub(super) fn formats_with_tools(self) -> bool {
        self.is_third()
    }

    /// Whether calls can be held to their schemas while the model may answer in words too.
    pub(super) fn validates_calls(self) -> bool {
        self.family != Family::Open && self.version >= (2, 5)
    }

    /// Whether thinking can be asked for.
    pub(super) fn thinks(self) -> bool {
        self.validates_calls()
    }

    /// No thinking, or as little as there can be; whether that is none.
    pub(super) fn off(self) -> (Thinking, bool) {
        if self.is_third() {
            return (Thinking::Level(self.level(Effort::Minimal)), false);
        }
        match self.family {
            Family::Pro => (Thinking::Budget(128), false),
            _ => (Thinking::Budget(0), true),
        }
    }

    /// Thinking by a word.
    pub(super) fn effort(self, effort: Effort) -> Thinking {
        if self.is_third() { Thinking::Level(self.level(effort)) } else { self.budget(effort.budget()) }
    }

    /// Whether thinking by a word is as much as the word says. Budgets stand for any word.
    pub(super) fn has_effort(self, effort: Effort) -> bool {
        !self.is_third()
            || match effort {
                Effort::Minimal => self.has_minimal(),
                Effort::Medium => self.level(effort) == "MEDIUM",
                Effort::Low | Effort::High => true,
                Effort::Max => false,
            }
    }

    /// Thinking by a number of tokens.
    pub(super) fn budget(self, tokens: u64) -> Thinking {
        if self.is_third() {
            return Thinking::Level(self.level(Effort::for_budget(tokens)));
        }
        Thinking::Budget(match self.family {
            Family::Pro => tokens.clamp(128, 32_768),
            Family::Lite => tokens.clamp(512, 24_576),
            _ => tokens.min(24_576),
        })
    }

    /// Thinking as the model sees fit.
    pub(super) fn adaptive(self) -> Thinking {
        if self.is_third() { Thinking::Default } else { Thinking::Dynamic }
    }

    fn level(self, effort: Effort) -> &'static str {
        match effort {
            Effort::Minimal if self.has_minimal() => "MINIMAL",
            Effort::Minimal | Effort::Low => "LOW",
            // The first Gemini 3 Pro knew two levels.
            Effort::Medium if self.family == Family::Pro && self.version == (3, 0) => "HIGH",
            Effort::Medium => "MEDIUM",
            Effort::High | Effort::Max => "HIGH",
        }
    }

    fn has_minimal(self) -> bool {
        match self.family {
            Family::Lite => true,
            Family::Flash => self.version < (3, 7),
            Family::Pro | Family::Open | Family::Other => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinking_is_asked_for_in_each_generation_s_way() {
        let of = Generation::of;
        for (model, effort, expected) in [
            ("gemini-3-pro-preview", Effort::Minimal, Thinking::Level("LOW")),
            ("gemini-3-pro-preview", Effort::Medium, Thinking::Level("HIGH")),
            ("models/gemini-3.1-pro-preview", Effort::Medium, Thinking::Level("MEDIUM")),
            ("gemini-3-flash-preview", Effort::Minimal, Thinking::Level("MINIMAL")),
            ("gemini-3.8-flash", Effort::Minimal, Thinking::Level("LOW")),
            ("gemini-3.5-flash-lite", Effort::Minimal, Thinking::Level("MINIMAL")),
            ("gemini-flash-latest", Effort::Max, Thinking::Level("HIGH")),
            ("gemini-2.5-pro", Effort::Max, Thinking::Budget(32_768)),
            ("gemini-2.5-flash", Effort::Max, Thinking::Budget(24_576)),
            ("gemini-2.5-flash-lite-preview-09-2025", Effort::Low, Thinking::Budget(1_024)),
        ] {
            assert_eq!(of(model).effort(effort), expected, "{model}");
        }
        assert_eq!(of("gemini-2.5-pro").off(), (Thinking::Budget(128), false));
        assert_eq!(of("gemini-2.5-flash").off(), (Thinking::Budget(0), true));
        assert_eq!(of("gemini-3-flash-preview").off(), (Thinking::Level("MINIMAL"), false));
        assert_eq!(of("gemini-2.5-flash-lite").budget(9), Thinking::Budget(512));
        assert_eq!(of("gemini-3.1-pro").budget(30_000), Thinking::Level("HIGH"));
        assert_eq!(of("gemini-2.5-pro").adaptive(), Thinking::Dynamic);
        assert!(!of("gemini-2.0-flash").thinks() && !of("gemma-3-27b-it").thinks());
        assert!(of("gemini-3.5-flash").goes_on() && of("gemma-3-27b-it").goes_on());
        assert!(!of("gemini-3.5-flash-lite").goes_on() && !of("gemini-flash-latest").goes_on());
        assert!(of("somebody-s-model").is_third() && !of("gemini-2.5-pro").is_third());
    }
}
