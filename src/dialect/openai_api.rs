//! What OpenAI's two dialects, Chat and Responses, have in common besides their owner: errors, the model list, what each of
//! its models accepts, and how long its names may be.
//!
//! Invariant: nothing here knows either dialect.

pub(super) mod data_url;
pub(super) mod effort;
pub(super) mod error;
pub(super) mod generation;
pub(super) mod grammar;
pub(super) mod id;
pub(super) mod json_mode;
pub(super) mod logprobs;
pub(super) mod models;
