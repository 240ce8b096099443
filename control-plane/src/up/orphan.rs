//! The Envoy of a run that was killed: it still has the port, and no control plane.
//!
//! Invariants: only a process whose command line names this state directory's bootstrap file is ended, so a process
//! id that the system has given to somebody else since is left alone; it is called with the directory locked, so the
//! Envoy is nobody's.

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::process::Command;

/// How long it may take to end before it is killed.
const GRACE: Duration = Duration::from_secs(5);
/// Between looks; it is not a child, so there is nothing to be told by.
const PERIOD: Duration = Duration::from_millis(25);

/// The bootstrap file, as the command line names it: the same from whatever directory it is looked at.
pub(super) fn bootstrap(directory: &Path) -> io::Result<PathBuf> {
    Ok(directory.canonicalize()?.join("envoy.yaml"))
}

/// Remembers an Envoy.
pub(super) fn remember(directory: &Path, pid: u32) -> io::Result<()> {
    crate::settings::private::write(&pid_file(directory), &pid.to_string())
}

/// Forgets one that has ended.
pub(super) fn forget(directory: &Path) -> io::Result<()> {
    match std::fs::remove_file(pid_file(directory)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Ends what an earlier run left behind, if there is any, and waits for its end.
pub(super) async fn end(directory: &Path) -> anyhow::Result<()> {
    let bootstrap = bootstrap(directory)?;
    let Some(pid) = remembered(directory)? else { return Ok(()) };
    if is_ours(pid, &bootstrap).await? {
        tracing::warn!(pid = pid.as_raw_nonzero(), "ending the Envoy of a run that was killed");
        signal(pid, Signal::TERM)?;
        if tokio::time::timeout(GRACE, gone(pid, &bootstrap)).await.is_err() {
            signal(pid, Signal::KILL)?;
            let killed = tokio::time::timeout(GRACE, gone(pid, &bootstrap)).await;
            killed.with_context(|| format!("Envoy, process {pid:?} of an earlier run, does not end"))??;
        }
    }
    Ok(forget(directory)?)
}

fn pid_file(directory: &Path) -> PathBuf {
    directory.join("envoy.pid")
}

fn remembered(directory: &Path) -> io::Result<Option<Pid>> {
    match std::fs::read_to_string(pid_file(directory)) {
        Ok(text) => Ok(text.trim().parse().ok().and_then(Pid::from_raw)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

async fn gone(pid: Pid, bootstrap: &Path) -> io::Result<()> {
    while is_ours(pid, bootstrap).await? {
        tokio::time::sleep(PERIOD).await;
    }
    Ok(())
}

/// Whether it runs with this bootstrap file. What has ended has no command line, even while nobody has waited for it.
async fn is_ours(pid: Pid, bootstrap: &Path) -> io::Result<bool> {
    let id = pid.as_raw_nonzero().to_string();
    let path = bootstrap.to_string_lossy();
    if let Ok(line) = std::fs::read(format!("/proc/{id}/cmdline")) {
        return Ok(line.split(|byte| *byte == 0).any(|word| word == path.as_bytes()));
    }
    if Path::new("/proc/self/cmdline").exists() {
        return Ok(false);
    }
    let listed = Command::new("ps").args(["-ww", "-o", "command=", "-p", &id]).output().await?;
    Ok(String::from_utf8_lossy(&listed.stdout).contains(&*path))
}

fn signal(pid: Pid, signal: Signal) -> anyhow::Result<()> {
    match kill_process(pid, signal) {
        Err(rustix::io::Errno::SRCH) | Ok(()) => Ok(()),
        Err(error) => Err(error).context("ending the Envoy of an earlier run"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper(word: &str) -> tokio::process::Child {
        let mut command = Command::new("sh");
        command.args(["-c", "while :; do sleep 0.01; done", word]).kill_on_drop(true).spawn().unwrap()
    }

    #[tokio::test]
    async fn an_orphan_is_ended_and_forgotten() {
        let directory = tempfile::tempdir().unwrap();
        let mut orphan = sleeper(bootstrap(directory.path()).unwrap().to_str().unwrap());
        remember(directory.path(), orphan.id().unwrap()).unwrap();
        end(directory.path()).await.unwrap();
        assert!(!orphan.wait().await.unwrap().success());
        assert!(!pid_file(directory.path()).exists());
    }

    #[tokio::test]
    async fn anybody_elses_process_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let mut other = sleeper("/elsewhere/envoy.yaml");
        remember(directory.path(), other.id().unwrap()).unwrap();
        end(directory.path()).await.unwrap();
        assert!(other.try_wait().unwrap().is_none());
        other.kill().await.unwrap();
    }

    #[tokio::test]
    async fn there_may_be_nothing_to_end() {
        let directory = tempfile::tempdir().unwrap();
        end(directory.path()).await.unwrap();
        std::fs::write(pid_file(directory.path()), "no number").unwrap();
        end(directory.path()).await.unwrap();
    }
}
