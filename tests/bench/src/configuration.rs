//! The four things that are compared, and the goals that DESIGN sets for two of them.

use crate::prompt::Size;
use clap::ValueEnum;
use serde::Serialize;

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Configuration {
    /// Envoy alone.
    Bare,
    /// Envoy with the filter that does nothing.
    Noop,
    /// Sluice between an OpenAI client and an OpenAI provider.
    Patch,
    /// Sluice between an OpenAI client and an Anthropic provider.
    Translate,
}

impl Configuration {
    /// All of them, the references first.
    pub(crate) const ALL: [Self; 4] = [Self::Bare, Self::Noop, Self::Patch, Self::Translate];

    /// As the tables show it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare Envoy",
            Self::Noop => "no-op filter",
            Self::Patch => "Sluice, patch lane",
            Self::Translate => "Sluice, translate lane",
        }
    }

    /// The least throughput per core, as a share of the no-op filter's.
    pub(crate) const fn least_throughput(self, size: Size) -> Option<f64> {
        match (self, size) {
            (Self::Bare | Self::Noop, _) => None,
            (Self::Patch, Size::Small) => Some(0.70),
            (Self::Patch, Size::Large) => Some(0.65),
            (Self::Patch, Size::ManyTurns) => Some(0.50),
            (Self::Translate, Size::Small) => Some(0.60),
            (Self::Translate, Size::Large) => Some(0.40),
            (Self::Translate, Size::ManyTurns) => Some(0.20),
        }
    }

    /// The most latency beyond bare Envoy's in open loop, in microseconds: median and 99th percentile.
    pub(crate) const fn most_latency(self) -> Option<(f64, f64)> {
        match self {
            Self::Patch => Some((60.0, 120.0)),
            Self::Bare | Self::Noop | Self::Translate => None,
        }
    }

    /// The most CPU time per streamed delta, as a multiple of bare Envoy's.
    pub(crate) const fn most_per_delta(self) -> Option<f64> {
        match self {
            Self::Bare | Self::Noop => None,
            Self::Patch => Some(1.3),
            Self::Translate => Some(2.0),
        }
    }

    /// The most delay of the first token beyond bare Envoy's, in microseconds.
    pub(crate) const fn most_first_delay(self) -> Option<f64> {
        match self {
            Self::Bare | Self::Noop => None,
            Self::Patch | Self::Translate => Some(200.0),
        }
    }
}
