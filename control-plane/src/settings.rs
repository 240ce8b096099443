//! The process's settings: addresses, database, state directory, tokens.
//!
//! Invariant: tokens come from a flag, the environment or a file that only its owner may read, and are never printed.

pub(crate) mod gateway;
pub(crate) mod lock;
pub(crate) mod private;

use clap::{Args, ValueEnum};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A credential; its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    /// The credential itself.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Too weak or not presentable in a header.
#[derive(Debug, thiserror::Error)]
#[error("a token: expected 16 to 512 visible ASCII characters")]
pub(crate) struct BadSecret;

impl FromStr for Secret {
    type Err = BadSecret;

    fn from_str(text: &str) -> Result<Self, BadSecret> {
        let ok = (16..=512).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        ok.then(|| Self(text.to_owned())).ok_or(BadSecret)
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// For collectors: one JSON object a line.
    Json,
}

/// Where this machine keeps what the control plane makes for itself.
#[derive(Debug, Clone, Args)]
pub(crate) struct StateDir {
    /// Directory for the database and the generated tokens.
    #[arg(long = "state-dir", env = "SLUICE_STATE_DIR", default_value = ".sluice")]
    pub(crate) path: PathBuf,
}

/// Settings of `sluice serve`.
#[derive(Debug, Clone, Args)]
pub(crate) struct Serve {
    /// Address of the admin API.
    #[arg(long, env = "SLUICE_ADMIN_ADDRESS", default_value = "127.0.0.1:8081")]
    pub(crate) admin_address: SocketAddr,
    /// Address of discovery, key look-up and usage records (gRPC).
    #[arg(long, env = "SLUICE_XDS_ADDRESS", default_value = "127.0.0.1:18000")]
    pub(crate) xds_address: SocketAddr,
    /// Database: a file path or a sqlite: URL. Default: `sluice.db` in the state directory.
    #[arg(long, env = "SLUICE_DATABASE", hide_env_values = true)]
    pub(crate) database: Option<String>,
    /// Where the generated tokens are.
    #[command(flatten)]
    pub(crate) state_dir: StateDir,
    /// Token of the admin API. Default: generated at the first start, kept in the state directory.
    #[arg(long, env = "SLUICE_ADMIN_TOKEN", hide_env_values = true)]
    pub(crate) admin_token: Option<Secret>,
    /// Token that Envoys present. Default: generated at the first start, kept in the state directory.
    #[arg(long, env = "SLUICE_NODE_TOKEN", hide_env_values = true)]
    pub(crate) node_token: Option<Secret>,
    /// What Envoy is told about itself.
    #[command(flatten)]
    pub(crate) gateway: gateway::Flags,
    /// How log lines look.
    #[arg(long, env = "SLUICE_LOG_FORMAT", value_enum, default_value = "text")]
    pub(crate) log_format: LogFormat,
}

impl Serve {
    /// The database's path or URL.
    pub(crate) fn database(&self) -> String {
        let default = || self.state_dir.path.join("sluice.db").to_string_lossy().into_owned();
        self.database.clone().unwrap_or_else(default)
    }

    /// The admin API's token, generated if there is none yet.
    pub(crate) fn admin_token(&self) -> io::Result<Secret> {
        self.admin_token.clone().map_or_else(|| self.state_dir.admin_token_or_new(), Ok)
    }

    /// The Envoys' token, generated if there is none yet.
    pub(crate) fn node_token(&self) -> io::Result<Secret> {
        self.node_token.clone().map_or_else(|| token_or_new(&self.state_dir.path.join("node-token")), Ok)
    }
}

impl StateDir {
    /// The file that keeps the admin token.
    pub(crate) fn admin_token_file(&self) -> PathBuf {
        self.path.join("admin-token")
    }

    /// The admin token that `serve` keeps here.
    pub(crate) fn admin_token(&self) -> io::Result<Secret> {
        read_token(&self.admin_token_file())
    }

    fn admin_token_or_new(&self) -> io::Result<Secret> {
        token_or_new(&self.admin_token_file())
    }
}

fn read_token(path: &Path) -> io::Result<Secret> {
    let named = |error: &dyn fmt::Display| format!("{}: {error}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| io::Error::new(error.kind(), named(&error)))?;
    text.trim().parse().map_err(|error| io::Error::new(io::ErrorKind::InvalidData, named(&error)))
}

/// Reads the token in `path`, or makes it with 256 bits of randomness. Of two processes that start at once, one makes
/// the file and both read it.
fn token_or_new(path: &Path) -> io::Result<Secret> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    match read_token(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        other => return other,
    }
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let fresh = path.with_extension(format!("new-{}", std::process::id()));
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
    file.write_all(sluice::config::token::hex(&random).as_bytes())?;
    file.sync_all()?;
    // A link, unlike a rename, does not replace what another process has put there meanwhile.
    let linked = std::fs::hard_link(&fresh, path);
    std::fs::remove_file(&fresh)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => read_token(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_generated_token_is_private_and_stays() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir { path: dir.path().join("state") };
        let first = state.admin_token_or_new().unwrap();
        assert_eq!(first, state.admin_token_or_new().unwrap());
        assert_eq!(first, state.admin_token().unwrap());
        let mode = std::fs::metadata(state.admin_token_file()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(&state.path).unwrap().count(), 1);
        assert!(!format!("{first:?}").contains(first.reveal()));
    }

    #[test]
    fn weak_tokens_are_refused() {
        for bad in ["", "short", "has a space in the middle", "line\nbreak-line-break"] {
            assert!(bad.parse::<Secret>().is_err(), "{bad:?}");
        }
    }
}
