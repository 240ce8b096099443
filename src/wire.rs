//! F0: bytes only. Framings and syntaxes that know nothing of language models.
//!
//! Invariant: nothing here performs IO, reads a clock or imports another floor.

pub mod calendar;
pub mod eventstream;
pub mod json;
pub mod multipart;
pub mod percent;
pub mod sse;
