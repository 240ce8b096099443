//! Openai.

/// The dialect.
#[derive(Debug, Clone, Copy)]
pub struct Openai;
