//! What a family of models accepts behind Converse, read from the model's id. The wire format is one, but models answer
//! 400 to members that they do not know
//! (<https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-supported-models-features.html>).
//!
//! Invariant: a model that is not known, such as one behind the ARN of an inference profile, is taken to accept everything
//! that the format itself has.

use crate::dialect::claude::Generation;

/// A family of models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// Anthropic's.
    Claude(Generation),
    /// Amazon's first Nova models.
    Nova,
    /// Amazon's second, which reason.
    Nova2,
    /// OpenAI's open models.
    GptOss,
    /// Mistral's.
    Mistral,
    /// Models that came before replies could be held to a schema: Llama, Cohere's Command, AI21's, Titan.
    Plain,
    /// Any other.
    Other,
}

/// What profiles of inference across regions put before a model's id.
const REGIONS: [&str; 10] = ["us", "eu", "apac", "jp", "au", "ca", "in", "sa", "us-gov", "global"];

/// The id of the model itself, without the profile of regions that serves it: counting is asked of models only.
pub(super) fn base(model: &str) -> &str {
    match model.split_once('.') {
        Some((region, rest)) if REGIONS.contains(&region) && rest.contains('.') => rest,
        _ => model,
    }
}

impl Family {
    /// Reads `anthropic.claude-3-haiku-20240307-v1:0`, `us.amazon.nova-2-lite-v1:0`, ARNs of foundation models.
    pub(super) fn of(model: &str) -> Self {
        let generation = Generation::of(model);
        let is = |part: &str| model.contains(part);
        if generation != Generation::Foreign {
            Self::Claude(generation)
        } else if is("amazon.nova-2") {
            Self::Nova2
        } else if is("amazon.nova") {
            Self::Nova
        } else if is("openai.gpt-oss") {
            Self::GptOss
        } else if is("mistral.") {
            Self::Mistral
        } else if ["meta.llama", "cohere.command", "ai21.", "amazon.titan"].into_iter().any(is) {
            Self::Plain
        } else {
            Self::Other
        }
    }

    /// Whether prompts can be marked for its cache.
    pub(super) const fn caches(self) -> bool {
        matches!(self, Self::Claude(_) | Self::Nova | Self::Nova2)
    }

    /// Whether definitions of tools can be marked, too.
    pub(super) const fn caches_tools(self) -> bool {
        matches!(self, Self::Claude(_))
    }

    /// Whether a call can be demanded.
    pub(super) const fn forces(self) -> bool {
        !matches!(self, Self::GptOss | Self::Plain)
    }

    /// Whether a turn may hold words beside what tools returned.
    pub(super) const fn mixes_results(self) -> bool {
        !matches!(self, Self::GptOss | Self::Mistral | Self::Plain)
    }

    /// Most stop sequences that it takes.
    pub(super) const fn max_stop(self) -> usize {
        if matches!(self, Self::Nova | Self::Nova2) { 4 } else { 2_500 }
    }

    /// Whether one tool can be demanded by its name.
    pub(super) const fn forces_by_name(self) -> bool {
        matches!(self, Self::Claude(_) | Self::Nova | Self::Nova2)
    }

    /// Whether it can be kept from calling several tools at once.
    pub(super) fn calls_singly(self) -> bool {
        matches!(self, Self::Claude(generation) if generation > Generation::Claude(4, 0))
    }

    /// Whether it may take sounds and films.
    pub(super) const fn takes_sound(self) -> bool {
        !matches!(self, Self::Claude(_))
    }

    /// Whether it goes on with a reply that the client has begun.
    pub(super) fn goes_on(self) -> bool {
        match self {
            Self::Claude(generation) => generation.goes_on(),
            Self::Nova | Self::Nova2 | Self::Other => true,
            Self::GptOss | Self::Mistral | Self::Plain => false,
        }
    }

    /// Whether the failure of a tool can be told.
    pub(super) const fn has_status(self) -> bool {
        matches!(self, Self::Claude(_) | Self::Nova | Self::Nova2)
    }

    /// Whether replies and tool arguments can be held to a schema.
    pub(super) fn has_schemas(self) -> bool {
        match self {
            Self::Claude(generation) => generation.has_schemas(),
            Self::GptOss | Self::Mistral | Self::Other => true,
            Self::Nova | Self::Nova2 | Self::Plain => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_read_from_ids_and_arns() {
        for (model, family) in [
            ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", Family::Claude(Generation::Claude(4, 5))),
            (
                "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0",
                Family::Claude(Generation::Claude(3, 0)),
            ),
            ("amazon.nova-pro-v1:0", Family::Nova),
            ("global.amazon.nova-2-lite-v1:0", Family::Nova2),
            ("openai.gpt-oss-120b-1:0", Family::GptOss),
            ("us.meta.llama4-scout-17b-instruct-v1:0", Family::Plain),
            ("mistral.mistral-large-2402-v1:0", Family::Mistral),
            ("qwen.qwen3-32b-v1:0", Family::Other),
            ("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc", Family::Other),
        ] {
            assert_eq!(Family::of(model), family, "{model}");
        }
    }

    #[test]
    fn profiles_of_regions_are_taken_off() {
        assert_eq!(base("us.anthropic.claude-x-v1:0"), "anthropic.claude-x-v1:0");
        assert_eq!(base("us-gov.anthropic.claude-x"), "anthropic.claude-x");
        assert_eq!(base("anthropic.claude-x"), "anthropic.claude-x");
        assert_eq!(base("us.model"), "us.model");
    }
}
