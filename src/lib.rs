//! Sluice's module for Envoy, floors bottom-up. A floor imports only floors above it in this list.
//!
//! | floor | room | what lives there |
//! |---|---|---|
//! | F0 | [`wire`] | bytes: JSON spans, server-sent events |
//! | F1 | [`config`] | the contract with the control plane |

pub mod config;
pub mod wire;
