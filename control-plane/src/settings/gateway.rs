//! Settings of the Envoys that are served.

use crate::discovery::envoy::Gateway;
use crate::node_token::NodeToken;
use anyhow::Context as _;
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What Envoy is told about itself.
#[derive(Debug, Clone, Args)]
pub(crate) struct Flags {
    /// The filter (sluice.wasm). Without it only the module's own resources are served, for Envoys that are
    /// configured by somebody else.
    #[arg(long, env = "SLUICE_MODULE")]
    pub(crate) module: Option<PathBuf>,
    /// Where Envoy listens for clients.
    #[arg(long, env = "SLUICE_LISTEN", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// Certificate authorities that providers are checked against: a file on Envoy's machine.
    #[arg(long, env = "SLUICE_CA_FILE", default_value = "/etc/ssl/certs/ca-certificates.crt")]
    pub(crate) ca_file: String,
}

impl Flags {
    /// Reads the module.
    pub(crate) fn load(&self, node_token: &NodeToken) -> anyhow::Result<Option<Gateway>> {
        let Some(path) = &self.module else { return Ok(None) };
        let module = std::fs::read(path).with_context(|| format!("--module {}", path.display()))?;
        anyhow::ensure!(
            module.starts_with(b"\0asm"),
            "--module {}: expected a WebAssembly module (build it with `make wasm`)",
            path.display()
        );
        Ok(Some(Gateway {
            listen: self.listen,
            module: module.into(),
            node_token: node_token.clone(),
            ca_file: self.ca_file.clone(),
        }))
    }
}
