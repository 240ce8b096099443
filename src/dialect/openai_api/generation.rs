//! What a model of OpenAI's own accepts, read from its id: the wire format is one, but reasoning models answer 400 to
//! members that the others take, and the other way round (<https://platform.openai.com/docs/guides/reasoning>).
//!
//! Invariant: a model of another maker is taken to accept everything that the format has, in its oldest form.

use crate::ir::chat::Reasoning;

/// A model's family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dialect) enum Generation {
    /// Not OpenAI's: an imitator's.
    Foreign,
    /// Answers and never reasons: GPT before 5, and the chat editions since.
    Chat {
        /// Whether it is of the time of the newer words.
        new: bool,
    },
    /// The o series, by number.
    O {
        /// The number.
        number: u32,
        /// Whether it is one of the small ones.
        mini: bool,
    },
    /// GPT from 5 on, by version.
    Gpt(u32, u32),
}

impl Generation {
    /// Reads `gpt-4o`, `gpt-5.2-codex`, `openai/o3-mini`, `ft:gpt-4.1:acme::id`.
    pub(in crate::dialect) fn of(model: &str) -> Self {
        let name = model.rsplit('/').next().unwrap_or(model);
        let name = name.strip_prefix("ft:").unwrap_or(name);
        if name.starts_with("chatgpt-") {
            return Self::Chat { new: false };
        }
        if let Some(version) = name.strip_prefix("gpt-") {
            let number = |text: &str| {
                let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
                digits.parse::<u32>().ok()
            };
            let minor = version.split_once('.').and_then(|(_, minor)| number(minor)).unwrap_or(0);
            return match number(version) {
                None => Self::Foreign,
                Some(..5) => Self::Chat { new: false },
                Some(_) if name.contains("-chat") => Self::Chat { new: true },
                Some(major) => Self::Gpt(major, minor),
            };
        }
        let number = name.strip_prefix('o').and_then(|rest| rest.chars().next()?.to_digit(10));
        number.map_or(Self::Foreign, |number| Self::O { number, mini: name.contains("-mini") })
    }

    /// Whether the reply's limit is `max_completion_tokens`, and instructions are a developer's. No other vendor knows
    /// these words for certain.
    pub(in crate::dialect) const fn has_newer_words(self) -> bool {
        matches!(self, Self::Chat { new: true } | Self::O { .. } | Self::Gpt(..))
    }

    /// Whether it can be asked to reason, as far as its id says.
    pub(in crate::dialect) const fn may_reason(self) -> bool {
        !matches!(self, Self::Chat { .. })
    }

    /// Whether it knows `reasoning_effort` `none`, and does not reason unless asked.
    pub(in crate::dialect) const fn may_rest(self) -> bool {
        matches!(self, Self::Gpt(major, minor) if major > 5 || minor > 0)
    }

    /// Whether it knows `reasoning_effort` `minimal`: the word came and went with GPT-5.
    pub(in crate::dialect) const fn has_minimal_effort(self) -> bool {
        matches!(self, Self::Foreign | Self::Gpt(5, 0))
    }

    /// Whether it knows `reasoning_effort` `xhigh`.
    pub(in crate::dialect) const fn has_highest_effort(self) -> bool {
        matches!(self, Self::Gpt(major, minor) if major > 5 || minor > 1)
    }

    /// Whether it can be sampled otherwise than by default while it reasons so.
    pub(in crate::dialect) const fn may_be_sampled(self, reasoning: Option<Reasoning>) -> bool {
        match self {
            Self::Foreign | Self::Chat { .. } => true,
            Self::O { .. } => false,
            Self::Gpt(..) => self.may_rest() && matches!(reasoning, None | Some(Reasoning::Off)),
        }
    }

    /// Whether its reply can be ended by a sequence.
    pub(in crate::dialect) const fn may_be_stopped(self) -> bool {
        match self {
            Self::Foreign | Self::Chat { .. } => true,
            Self::O { number, mini } => number < 3 || (number == 3 && mini),
            Self::Gpt(..) => false,
        }
    }

    /// Whether parallel calls can be allowed or forbidden.
    pub(in crate::dialect) const fn has_parallel_calls(self) -> bool {
        !matches!(self, Self::O { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_read_from_every_spelling() {
        let o = |number, mini| Generation::O { number, mini };
        for (model, expected) in [
            ("gpt-4o", Generation::Chat { new: false }),
            ("gpt-3.5-turbo-0125", Generation::Chat { new: false }),
            ("chatgpt-4o-latest", Generation::Chat { new: false }),
            ("ft:gpt-4.1:acme::id", Generation::Chat { new: false }),
            ("gpt-5-chat-latest", Generation::Chat { new: true }),
            ("gpt-5", Generation::Gpt(5, 0)),
            ("gpt-5.2-codex", Generation::Gpt(5, 2)),
            ("openai/gpt-6-mini", Generation::Gpt(6, 0)),
            ("o1", o(1, false)),
            ("openai/o3-mini-2025-01-31", o(3, true)),
            ("o4-mini", o(4, true)),
            ("gpt-oss-120b", Generation::Foreign),
            ("openai-like", Generation::Foreign),
            ("olmo", Generation::Foreign),
            ("", Generation::Foreign),
        ] {
            assert_eq!(Generation::of(model), expected, "{model}");
        }
    }

    #[test]
    fn what_is_refused_follows_from_the_family() {
        let low = Some(Reasoning::Budget(1));
        let sampled = |model: &str| {
            let generation = Generation::of(model);
            (generation.may_be_sampled(None), generation.may_be_sampled(low))
        };
        assert_eq!(sampled("gpt-4o"), (true, true));
        assert_eq!(sampled("o3-mini"), (false, false));
        assert_eq!(sampled("gpt-5"), (false, false));
        assert_eq!(sampled("gpt-5.1"), (true, false));
        let stopped = |model: &str| Generation::of(model).may_be_stopped();
        assert_eq!(
            ["gpt-4o", "o1", "o3-mini", "o3", "o4-mini", "gpt-5"].map(stopped),
            [true, true, true, false, false, false]
        );
    }
}
