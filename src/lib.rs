//! Sluice's module for Envoy, floors bottom-up. A floor imports only floors above it in this list.
//!
//! | floor | room | what lives there |
//! |---|---|---|
//! | F0 | [`wire`] | bytes: JSON spans, server-sent events |
//! | F1 | [`config`] | the contract with the control plane |
//! | F1 | [`ir`] | the neutral vocabulary: requests, events, errors, losses |
//! | F2 | [`dialect`] | one room per wire format |
//! | F3 | [`provider`] | vendors: addresses and credentials |
//! | F4 | [`gateway`] | one exchange, without IO |
//! | F5 | `shell` | the only place that names Envoy's API; wasm only |

pub mod config;
pub mod dialect;
pub mod gateway;
pub mod ir;
pub mod provider;
#[cfg(target_arch = "wasm32")]
mod shell;
pub mod wire;
