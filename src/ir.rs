//! F1: the neutral vocabulary. What at least two dialects can say, plus opaque parts that travel only back to their
//! own dialect.
//!
//! Invariant: no IO, no clock, no dialect. Strings are [`Text`] (still escaped where they came from JSON), numbers and
//! schemas are their JSON text, tool arguments are text: nothing is rounded and nothing is parsed twice.

pub mod chat;
pub mod embed;
pub mod error;
pub mod event;
pub mod loss;
pub mod place;
pub mod proof;

pub use crate::config::Usage;
pub use crate::wire::json::Text;
pub use proof::Proof;
