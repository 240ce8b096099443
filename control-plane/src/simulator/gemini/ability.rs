//! What a model of the vendor's can do and what it refuses, read from its name.
//!
//! Spec: <https://ai.google.dev/gemini-api/docs/models>, <https://ai.google.dev/gemini-api/docs/thinking> and
//! <https://ai.google.dev/gemini-api/docs/latest-model>. Invariant: a name that is not the vendor's can do everything.

use crate::simulator::catalog::{Model, Row, Traits};

/// A name that moves on with the models; only the beta version has it.
pub(crate) const LATEST: &str = "gemini-flash-latest";

/// The version that answers to a name.
pub(crate) fn version_of(id: &str) -> &str {
    if id == LATEST { "gemini-3.8-flash" } else { id }
}

/// What both of the vendor's APIs offer from the start.
pub(crate) const ROWS: &[Row] = &[
    ("gemini-3.8-flash", 1_048_576, 65_536, Traits::Any),
    (LATEST, 1_048_576, 65_536, Traits::Any),
    ("gemini-3.6-flash", 1_048_576, 65_536, Traits::Any),
    ("gemini-3.1-pro-preview", 1_048_576, 65_536, Traits::Any),
    ("gemini-2.5-pro", 1_048_576, 65_536, Traits::Any),
    ("gemini-2.5-flash", 1_048_576, 65_536, Traits::Any),
    ("gemini-2.5-flash-lite", 1_048_576, 65_536, Traits::Any),
    ("gemini-embedding-001", 2_048, u64::MAX, Traits::Embedding),
    ("gemini-embedding-2", 8_192, u64::MAX, Traits::Embedding),
];

/// How long a model may be told to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Budget {
    /// The least, if it thinks at all.
    pub(crate) least: i64,
    /// The most.
    pub(crate) most: i64,
    /// Whether it can be told not to think.
    pub(crate) none: bool,
}

/// What a model can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ability {
    /// A function call of the current turn must come back with its signature.
    pub(crate) signs: bool,
    /// Takes up a reply that the client has begun.
    pub(crate) prefill: bool,
    /// Tells function calls apart by their ids, and takes a turn of function responses only if it is nothing else.
    pub(crate) strict_calls: bool,
    /// Functions may return media, and may be mixed with a JSON reply.
    pub(crate) third: bool,
    /// Can reply more than once.
    pub(crate) candidates: bool,
    /// How it is told how hard to think.
    pub(crate) levels: &'static [&'static str],
    /// How it is told how long to think.
    pub(crate) budget: Budget,
}

impl Ability {
    /// What this model can do.
    pub(crate) fn of(model: &Model) -> Self {
        let Some(name) = version_of(&model.id).strip_prefix("gemini-") else { return Self::unlimited() };
        let digits = name.split('-').next().unwrap_or_default();
        let (major, minor) = digits.split_once('.').unwrap_or((digits, "0"));
        let (Ok(major), Ok(minor)) = (major.parse::<u32>(), minor.parse::<u32>()) else {
            return Self::unlimited();
        };
        let (version, pro, lite) = ((major, minor), name.contains("pro"), name.contains("lite"));
        // The second generation of the third: what came before it keeps the older manners.
        let strict = version >= (3, 6) || (version == (3, 5) && lite);
        Self {
            signs: version >= (3, 0) && !name.contains("image"),
            prefill: !strict,
            strict_calls: strict,
            third: version >= (3, 0),
            candidates: version < (3, 0),
            levels: levels(version, pro),
            budget: budget(version, pro, lite),
        }
    }

    const fn unlimited() -> Self {
        Self {
            signs: false,
            prefill: true,
            strict_calls: false,
            third: true,
            candidates: true,
            levels: &["MINIMAL", "LOW", "MEDIUM", "HIGH"],
            budget: Budget { least: 1, most: i64::MAX, none: true },
        }
    }
}

fn levels(version: (u32, u32), pro: bool) -> &'static [&'static str] {
    match version {
        (..3, _) => &[],
        (3, 0) if pro => &["LOW", "HIGH"],
        _ if pro || version >= (3, 7) => &["LOW", "MEDIUM", "HIGH"],
        _ => &["MINIMAL", "LOW", "MEDIUM", "HIGH"],
    }
}

fn budget(version: (u32, u32), pro: bool, lite: bool) -> Budget {
    match version {
        (..3, _) if pro => Budget { least: 128, most: 32_768, none: false },
        (..3, _) if lite => Budget { least: 512, most: 24_576, none: true },
        (..3, _) => Budget { least: 1, most: 24_576, none: true },
        _ => Budget { least: 1, most: 32_768, none: false },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ability(id: &str) -> Ability {
        Ability::of(&serde_json::from_value(json!({"id": id})).unwrap())
    }

    #[test]
    fn generations_differ() {
        let (old, middle, new) =
            (ability("gemini-2.5-flash"), ability("gemini-3.1-pro-preview"), ability("gemini-3.8-flash"));
        assert_eq!((old.signs, middle.signs, new.signs), (false, true, true));
        assert_eq!((old.prefill, middle.prefill, new.prefill), (true, true, false));
        assert_eq!((old.levels, middle.levels), (&[] as &[&str], &["LOW", "MEDIUM", "HIGH"] as &[&str]));
        assert_eq!((old.budget.none, ability("gemini-2.5-pro").budget.none), (true, false));
        assert!(!ability("gemini-3.5-flash-lite").prefill && ability("gemini-3.5-flash").prefill);
        assert_eq!(ability("gemma-3"), Ability::unlimited());
    }
}
