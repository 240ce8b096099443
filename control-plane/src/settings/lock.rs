//! One process per state directory: two would make one database and one set of tokens true in turns, and end each
//! other's Envoy.
//!
//! Invariant: the kernel drops the lock with the process, however that ends; the file itself stays.

use super::StateDir;
use anyhow::Context as _;
use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;

/// The state directory is this process's for as long as this lives.
#[derive(Debug)]
pub(crate) struct StateLock {
    _file: File,
}

impl StateDir {
    /// Takes the directory for this process; fails if another has it.
    pub(crate) fn lock(&self) -> anyhow::Result<StateLock> {
        let path = self.path.join("lock");
        std::fs::create_dir_all(&self.path).with_context(|| self.path.display().to_string())?;
        let mut options = OpenOptions::new();
        let file = options.create(true).truncate(false).write(true).mode(0o600).open(&path);
        let file = file.with_context(|| path.display().to_string())?;
        match file.try_lock() {
            Ok(()) => Ok(StateLock { _file: file }),
            Err(TryLockError::WouldBlock) => anyhow::bail!(
                "another `sluice serve` or `sluice up` uses the state directory {}: end it, or choose another one with --state-dir",
                self.path.display()
            ),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("locking {}", path.display()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_directory_has_one_user_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDir { path: directory.path().join("new") };
        let first = state.lock().unwrap();
        let refused = state.lock().unwrap_err().to_string();
        assert!(refused.contains("another `sluice serve`") && refused.contains("/new"), "{refused}");
        drop(first);
        state.lock().unwrap();
    }
}
