//! What a generation of Claude accepts, whoever serves it, read from the model's id. The words are the same, but newer
//! generations answer 400 to members that older ones demand (<https://platform.claude.com/docs/en/about-claude/models/migration-guide>).
//!
//! Invariant: a model of another maker is taken to accept everything that the format has.

pub(super) mod schema;
pub(super) mod settings;

/// A model's generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub(super) enum Generation {
    /// Not a Claude: another maker's model behind the same wire format.
    Foreign,
    /// A Claude, by version. An id without a number is an alias or a preview of the newest.
    Claude(u32, u32),
}

/// How thinking is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ThinkingStyle {
    /// By a budget; `adaptive` is refused.
    Budget,
    /// Both ways, `adaptive` preferred.
    Either,
    /// By `adaptive` and an effort; a budget is refused.
    Adaptive,
}

/// Which sampling parameters are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SamplingStyle {
    /// All.
    All,
    /// `temperature` or `top_p`, not both.
    One,
    /// None but the defaults.
    None,
}

impl Generation {
    /// Reads `claude-opus-4-7`, `claude-3-5-haiku-latest`, `anthropic/claude-sonnet-4.5`,
    /// `us.anthropic.claude-opus-4-1-20250805-v1:0`, `claude-opus-4-1@20250805`.
    pub(super) fn of(model: &str) -> Self {
        let Some((_, name)) = model.split_once("claude-") else { return Self::Foreign };
        let mut words = name
            .split(['-', '.'])
            .map(|word| word.split(|letter: char| !letter.is_ascii_digit()).next().unwrap_or_default());
        // A date is no version: it is longer than two digits.
        let number = |digits: &str| if digits.len() <= 2 { digits.parse::<u32>().ok() } else { None };
        match words.find_map(number) {
            Some(major) => Self::Claude(major, words.next().and_then(number).unwrap_or(0)),
            None => Self::Claude(u32::MAX, 0),
        }
    }

    pub(super) fn thinking(self) -> ThinkingStyle {
        match self {
            Self::Claude(4, 6) => ThinkingStyle::Either,
            Self::Claude(..) if self > Self::Claude(4, 6) => ThinkingStyle::Adaptive,
            _ => ThinkingStyle::Budget,
        }
    }

    pub(super) fn sampling(self) -> SamplingStyle {
        match self {
            Self::Claude(..) if self > Self::Claude(4, 6) => SamplingStyle::None,
            Self::Claude(..) if self > Self::Claude(4, 0) => SamplingStyle::One,
            _ => SamplingStyle::All,
        }
    }

    /// Whether it goes on with a reply that the client has begun.
    pub(super) fn goes_on(self) -> bool {
        self == Self::Foreign || self < Self::Claude(4, 6)
    }

    /// Whether replies and tool arguments can be held to a schema.
    pub(super) fn has_schemas(self) -> bool {
        self == Self::Foreign || self > Self::Claude(4, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_every_vendors_spelling() {
        for (id, generation) in [
            ("claude-opus-4-7", Generation::Claude(4, 7)),
            ("claude-opus-4-1-20250805", Generation::Claude(4, 1)),
            ("claude-sonnet-4-20250514", Generation::Claude(4, 0)),
            ("claude-sonnet-5", Generation::Claude(5, 0)),
            ("claude-3-5-haiku-latest", Generation::Claude(3, 5)),
            ("claude-3-opus-20240229", Generation::Claude(3, 0)),
            ("anthropic/claude-sonnet-4.5", Generation::Claude(4, 5)),
            ("us.anthropic.claude-opus-4-5-20251101-v1:0", Generation::Claude(4, 5)),
            ("claude-opus-4-1@20250805", Generation::Claude(4, 1)),
            ("claude-opus-4@20250514", Generation::Claude(4, 0)),
            ("claude-mythos-preview", Generation::Claude(u32::MAX, 0)),
            ("MiniMax-M2", Generation::Foreign),
        ] {
            assert_eq!(Generation::of(id), generation, "{id}");
        }
    }

    #[test]
    fn generations_differ_in_what_they_refuse() {
        let styles = |id| {
            let generation = Generation::of(id);
            (generation.thinking(), generation.sampling(), generation.has_schemas())
        };
        assert_eq!(styles("claude-3-5-haiku-latest"), (ThinkingStyle::Budget, SamplingStyle::All, false));
        assert_eq!(styles("claude-haiku-4-5"), (ThinkingStyle::Budget, SamplingStyle::One, true));
        assert_eq!(styles("claude-sonnet-4-6"), (ThinkingStyle::Either, SamplingStyle::One, true));
        assert_eq!(styles("claude-opus-4-8"), (ThinkingStyle::Adaptive, SamplingStyle::None, true));
        assert_eq!(styles("claude-fable-5"), (ThinkingStyle::Adaptive, SamplingStyle::None, true));
        assert_eq!(styles("glm-4.6"), (ThinkingStyle::Budget, SamplingStyle::All, true));
    }
}
