//! Envoy as a child process.
//!
//! Invariants: it is in a process group of its own, so that Ctrl-C reaches only this process, which then ends Envoy
//! while the control plane still takes its last records; it never outlives an orderly end of this process; why it
//! ended is told from its own log.

use super::orphan;
use crate::discovery::envoy::FLUSH;
use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::OpenOptions;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::process::{Child, Command};

const BOOTSTRAP: &str = include_str!("../../../envoy/bootstrap.yaml");
/// How long Envoy may take to end before it is killed.
const GRACE: Duration = Duration::from_secs(5);
/// The statistic that counts requests under way.
const ACTIVE: &str = "http.sluice.downstream_rq_active";
/// How many lines of its log explain its end.
const TAIL: usize = 15;

/// What Envoy is started with.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    /// The binary.
    pub(super) binary: &'a Path,
    /// Where its files go.
    pub(super) directory: &'a Path,
    /// Its node id.
    pub(super) node: &'a str,
    /// What it presents to the control plane.
    pub(super) node_token: &'a str,
    /// Where the control plane is.
    pub(super) control: SocketAddr,
    /// Worker threads; one per core if absent.
    pub(super) concurrency: Option<u32>,
}

/// An Envoy that runs.
#[derive(Debug)]
pub(super) struct Envoy {
    child: Child,
    log: PathBuf,
    admin_address: PathBuf,
    directory: PathBuf,
}

impl Envoy {
    /// Starts it.
    pub(super) fn start(plan: &Plan<'_>) -> anyhow::Result<Self> {
        let bootstrap = orphan::bootstrap(plan.directory)?;
        let admin_address = plan.directory.join("envoy-admin-address");
        let log = plan.directory.join("envoy.log");
        crate::settings::private::write(&bootstrap, &plan.bootstrap())?;
        match std::fs::remove_file(&admin_address) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let file = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&log)?;
        let mut command = Command::new(plan.binary);
        command
            .arg("--config-path")
            .arg(&bootstrap)
            .arg("--admin-address-path")
            .arg(&admin_address)
            // Several Envoys on one machine must not find each other's shared memory.
            .arg("--disable-hot-restart")
            .args(["--log-level", "warning", "--component-log-level", "wasm:info"])
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .process_group(0)
            .kill_on_drop(true);
        if let Some(concurrency) = plan.concurrency {
            command.args(["--concurrency", &concurrency.to_string()]);
        }
        let child = command.spawn().with_context(|| format!("starting Envoy ({})", plan.binary.display()))?;
        let envoy = Self { child, log, admin_address, directory: plan.directory.to_owned() };
        if let Some(id) = envoy.child.id() {
            orphan::remember(plan.directory, id).context("keeping Envoy's process id")?;
        }
        Ok(envoy)
    }

    /// Its log.
    pub(super) fn log(&self) -> &Path {
        &self.log
    }

    /// Completes when it has ended; the error says why.
    pub(super) async fn ended(&mut self) -> anyhow::Error {
        match self.child.wait().await {
            Ok(status) => self.obituary(status),
            Err(error) => anyhow::Error::new(error).context("waiting for Envoy"),
        }
    }

    /// The error of one that has ended already.
    pub(super) fn has_ended(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait()? {
            Some(status) => Err(self.obituary(status)),
            None => Ok(()),
        }
    }

    fn obituary(&self, status: ExitStatus) -> anyhow::Error {
        anyhow::anyhow!("Envoy ended ({status}); {}", self.last_words())
    }

    /// The end of its log, for people.
    pub(super) fn last_words(&self) -> String {
        let log = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = text.lines().collect();
        let tail = lines.get(lines.len().saturating_sub(TAIL)..).unwrap_or_default();
        format!("the end of its log, {}:\n{}", self.log.display(), tail.join("\n"))
    }

    /// Where its own admin interface is, once it says so.
    pub(super) fn admin_address(&self) -> Option<SocketAddr> {
        std::fs::read_to_string(&self.admin_address).ok()?.trim().parse().ok()
    }

    /// Ends it: drained and asked first, killed if it does not listen.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        if self.has_ended().is_ok()
            && let Some(admin) = self.admin_address()
            && let Err(error) = drain(admin).await
        {
            tracing::warn!(%error, "Envoy could not be drained: its last usage records may be missing");
        }
        let pid = self.child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        if let Some(pid) = pid {
            match kill_process(pid, Signal::TERM) {
                // It has ended by itself, which is what was asked for.
                Err(rustix::io::Errno::SRCH) | Ok(()) => {}
                Err(error) => return Err(error).context("ending Envoy"),
            }
        }
        if tokio::time::timeout(GRACE, self.child.wait()).await.is_err() {
            tracing::warn!(seconds = GRACE.as_secs(), "Envoy did not end and is killed");
            self.child.kill().await.context("killing Envoy")?;
        }
        orphan::forget(&self.directory).context("forgetting Envoy's process id")
    }
}

/// Lets the requests under way end, for a while, and the usage records leave: at its end Envoy drops those it holds.
async fn drain(admin: SocketAddr) -> reqwest::Result<()> {
    let http = reqwest::Client::builder().no_proxy().timeout(GRACE).build()?;
    http.post(format!("http://{admin}/drain_listeners")).send().await?;
    let active = format!("http://{admin}/stats?filter={ACTIVE}");
    let deadline = tokio::time::Instant::now() + GRACE;
    while tokio::time::Instant::now() < deadline {
        let stats = http.get(&active).send().await?.text().await?;
        if stats.lines().all(|line| line.ends_with(": 0")) {
            break;
        }
        tokio::time::sleep(FLUSH / 4).await;
    }
    tokio::time::sleep(FLUSH + FLUSH / 4).await;
    Ok(())
}

impl Plan<'_> {
    fn bootstrap(&self) -> String {
        let values = [
            ("${NODE_ID}", quoted(self.node)),
            ("${NODE_TOKEN}", quoted(self.node_token)),
            ("${CONTROL_HOST}", self.control.ip().to_string()),
            ("${CONTROL_PORT}", self.control.port().to_string()),
            // It picks a port and writes it down.
            ("${ADMIN_PORT}", "0".to_owned()),
        ];
        // The comments of the template would not survive what is put into their placeholders.
        let lines = BOOTSTRAP.lines().filter(|line| !line.trim_start().starts_with('#'));
        lines.fold(String::new(), |mut text, line| {
            let line = values.iter().fold(line.to_owned(), |line, (name, value)| line.replace(name, value));
            text.push_str(&line);
            text.push('\n');
            text
        })
    }
}

/// The inside of a YAML string in double quotes; values are visible ASCII.
fn quoted(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests;
