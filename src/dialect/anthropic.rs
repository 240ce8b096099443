//! Anthropic.

/// The dialect.
#[derive(Debug, Clone, Copy)]
pub struct Anthropic;
