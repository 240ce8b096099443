//! F5: Envoy. The only place that names proxy-wasm, and the only floor that is not compiled on the host.
//!
//! Invariants: nothing here parses JSON or decides about models; no borrow of the world is held while Envoy is
//! called in a way that could call back; nothing logs a prompt or a credential.

mod egress;
mod host;
mod ingress;
mod root;
mod world;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(proxy_wasm::types::LogLevel::Info);
    proxy_wasm::set_root_context(|context| Box::new(root::Root::new(context)));
}}
