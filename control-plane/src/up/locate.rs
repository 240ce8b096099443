//! Finds what was built or fetched, and says how to get what is missing.

use std::path::{Path, PathBuf};

/// Where `make envoy` puts it, from the checkout's root.
const FETCHED_ENVOY: &str = ".envoy/1.40.0/envoy";
/// Where `make wasm` puts it, from the checkout's root.
const BUILT_MODULE: &str = "target/wasm32-wasip1/wasm/sluice.wasm";
/// Where systems keep their certificate authorities: Debian, Red Hat, Alpine and macOS.
const CA_FILES: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// The Envoy binary.
pub(super) fn envoy(chosen: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(path) = chosen {
        anyhow::ensure!(path.is_file(), "--envoy {}: there is no such file", path.display());
        return Ok(path.to_owned());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|directory| directory.join("envoy"));
    let found = std::iter::once(PathBuf::from(FETCHED_ENVOY)).chain(on_path).find(|path| path.is_file());
    found.ok_or_else(|| {
        anyhow::anyhow!("there is no Envoy: fetch one with `make envoy`, or name one with --envoy or ENVOY")
    })
}

/// The filter.
pub(super) fn module(chosen: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(path) = chosen {
        return Ok(path.to_owned());
    }
    let beside = std::env::current_exe().ok().map(|program| program.with_file_name("sluice.wasm"));
    let found = std::iter::once(PathBuf::from(BUILT_MODULE)).chain(beside).find(|path| path.is_file());
    found.ok_or_else(|| {
        anyhow::anyhow!("the filter has not been built: run `make wasm`, or name one with --module")
    })
}

/// The system's certificate authorities.
pub(super) fn ca_file() -> String {
    let found = CA_FILES.into_iter().find(|path| Path::new(path).is_file());
    found.unwrap_or("/etc/ssl/certs/ca-certificates.crt").to_owned()
}
