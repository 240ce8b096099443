//! F0: bytes only. Framings and syntaxes that know nothing of language models.
//!
//! Invariant: nothing here performs IO, reads a clock or imports another floor.

pub mod json;
pub mod sse;
