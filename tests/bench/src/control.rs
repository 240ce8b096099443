//! The control plane that Sluice's Envoys talk to: started, and told of two providers, two models and a key.

use crate::error::Error;
use crate::http::Connection;
use crate::process::Process;
use rustix::process::{Pid, setpriority_process};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// A secret for one run on the loopback interface.
pub(crate) const NODE_TOKEN: &str = "bench-node-token-0123456789";
const ADMIN_TOKEN: &str = "bench-admin-token-0123456789";
/// The key may take so long to be minted, the control plane being new.
const PATIENCE: Duration = Duration::from_secs(30);

/// The model that each dialect's provider serves.
pub(crate) const MODELS: [&str; 2] = ["bench-patched", "bench-crossed"];

/// A control plane that runs.
#[derive(Debug)]
pub(crate) struct ControlPlane {
    process: Process,
    admin: SocketAddr,
    /// Where Envoys find it.
    pub(crate) xds: SocketAddr,
}

/// Starts the control plane on the calling thread's core.
pub(crate) fn start(binary: &Path, folder: PathBuf, ports: [SocketAddr; 2]) -> Result<ControlPlane, Error> {
    let [admin, xds] = ports;
    let log = folder.join("control-plane.log");
    let mut command = Command::new(binary);
    command
        .arg("serve")
        .args(["--admin-address", &admin.to_string(), "--xds-address", &xds.to_string()])
        .arg("--state-dir")
        .arg(folder.join("state"))
        .env("SLUICE_ADMIN_TOKEN", ADMIN_TOKEN)
        .env("SLUICE_NODE_TOKEN", NODE_TOKEN);
    let process = Process::start(command, &log)?;
    // It shares its core with the clients, which must not wait for it.
    let pid = Pid::from_raw(process.id());
    setpriority_process(pid, 19)
        .map_err(|errno| Error::Io { what: "lowering a priority".to_owned(), source: errno.into() })?;
    Ok(ControlPlane { process, admin, xds })
}

impl ControlPlane {
    /// Configures providers, models and a key; returns the key's token.
    pub(crate) async fn configure(&self, upstream: SocketAddr) -> Result<String, Error> {
        let [openai, anthropic] = crate::envoy::CLUSTERS;
        let [patched, crossed] = MODELS;
        let provider = |name: &str, path: &str, auth: Value| {
            let base_url = format!("http://{upstream}{path}");
            json!({"name": name, "dialect": name, "base_url": base_url, "auth": auth, "cluster": name})
        };
        let model = |id: &str, provider: &str| {
            let channel = json!({"provider": provider, "upstream_id": "bench-upstream-2026-01"});
            let prices = json!({"input": "2.5", "output": "10"});
            json!({"id": id, "channels": [channel], "context_window": 1_000_000, "max_output_tokens": 8_192,
                "prices": prices})
        };
        let step = |provider: &str, model: &str| json!({"provider": provider, "model": model});
        let everything = json!({
            "providers": [
                provider(openai, "/v1", json!({"kind": "bearer", "secret": "sk-bench-0123456789"})),
                provider(
                    anthropic, "",
                    json!({"kind": "header", "name": "x-api-key", "secret": "sk-ant-bench-0123456789"}),
                ),
            ],
            "models": [model(patched, openai), model(crossed, anthropic)],
            "keys": [{"name": "bench", "chain": [step(openai, patched), step(anthropic, crossed)]}],
        });
        let applied = self.patiently("POST", "/admin/v1/apply", &everything.to_string()).await?;
        let changes = applied.get("changes").and_then(Value::as_array);
        let token =
            changes.and_then(|changes| changes.iter().find_map(|change| change.get("token")?.as_str()));
        token.map(str::to_owned).ok_or_else(|| Error::Contents("/admin/v1/apply".to_owned()))
    }

    /// How many exchanges that went well the ledger holds.
    pub(crate) async fn records(&self) -> Result<u64, Error> {
        let sums = self.request("GET", "/admin/v1/usage/summary?by=key", "").await?;
        let rows = sums.get("data").and_then(Value::as_array);
        let count = |row: &Value, name: &str| row.get(name)?.as_u64();
        let well = |row: &Value| Some(count(row, "exchanges")? - count(row, "failed")?);
        rows.and_then(|rows| rows.iter().map(well).sum())
            .ok_or_else(|| Error::Contents("/admin/v1/usage/summary".to_owned()))
    }

    /// The same request until the control plane listens.
    async fn patiently(&self, method: &str, path: &str, body: &str) -> Result<Value, Error> {
        let start = Instant::now();
        loop {
            match self.request(method, path, body).await {
                Err(Error::Io { source, .. }) if start.elapsed() < PATIENCE => {
                    if source.kind() != std::io::ErrorKind::ConnectionRefused {
                        return Err(self.not_ready(source.to_string()));
                    }
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Err(Error::Io { source, .. }) => return Err(self.not_ready(source.to_string())),
                other => return other,
            }
        }
    }

    fn not_ready(&self, why: String) -> Error {
        let log = self.process.log.clone();
        Error::NotReady { who: "the control plane".to_owned(), seconds: PATIENCE.as_secs(), why, log }
    }

    async fn request(&self, method: &str, path: &str, body: &str) -> Result<Value, Error> {
        let mut connection = Connection::open(self.admin).await?;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {ADMIN_TOKEN}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.admin,
            body.len()
        );
        connection.send(head.as_bytes()).await?;
        let reply =
            connection.message().await?.ok_or(Error::Protocol("the admin API closed the connection"))?;
        if !(200..300).contains(&reply.status) {
            return Err(Error::answer("the admin API", reply.status, reply.body));
        }
        serde_json::from_slice(reply.body).map_err(|source| Error::Json { what: "the admin API", source })
    }
}
