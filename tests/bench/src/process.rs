//! Processes: where they run, what they use, and that none of them outlives the benchmark.

use crate::error::Error;
use rustix::thread::{CpuSet, sched_setaffinity};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A process that is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    /// Its output.
    pub(crate) log: PathBuf,
}

impl Drop for Process {
    fn drop(&mut self) {
        // Either fails only if the process is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Lets the calling thread, and what it starts from now on, run on one core only.
pub(crate) fn pin(core: usize) -> Result<(), Error> {
    let mut cores = CpuSet::new();
    cores.set(core);
    sched_setaffinity(None, &cores).map_err(|errno| Error::Io {
        what: format!("pinning to core {core}; the benchmark needs two"),
        source: errno.into(),
    })
}

/// How long a core has worked since the machine started, whoever for, in nanoseconds.
pub(crate) fn core_ns(core: usize) -> Result<u64, Error> {
    let path = "/proc/stat";
    let text = fs::read_to_string(path).map_err(Error::io(path))?;
    let name = format!("cpu{core} ");
    let line = text.lines().find_map(|line| line.strip_prefix(&name));
    let fields: Option<Vec<u64>> =
        line.map(|line| line.split_whitespace().map_while(|field| field.parse().ok()).collect());
    // user, nice, system, idle, iowait, irq, softirq, steal; guests are part of user.
    let ticks = match fields.as_deref() {
        Some([user, nice, system, _, _, irq, softirq, steal, ..]) => {
            user + nice + system + irq + softirq + steal
        }
        _ => return Err(Error::Contents(path.to_owned())),
    };
    Ok(ticks * (1_000_000_000 / TICKS_PER_SECOND))
}

/// Linux tells user space every time in hundredths of a second, on every architecture that Envoy runs on.
const TICKS_PER_SECOND: u64 = 100;

impl Process {
    /// Starts a process on the calling thread's core, its output in `log`.
    pub(crate) fn start(mut command: Command, log: &Path) -> Result<Self, Error> {
        let what = || format!("starting {}", command.get_program().to_string_lossy());
        let file = File::create(log).map_err(Error::io(what()))?;
        let same = file.try_clone().map_err(Error::io(what()))?;
        let failed = Error::io(what());
        command.stdin(Stdio::null()).stdout(file).stderr(same);
        Ok(Self { child: command.spawn().map_err(failed)?, log: log.to_owned() })
    }

    /// Its id.
    pub(crate) fn id(&self) -> i32 {
        // Process ids are positive `i32`s.
        self.child.id().cast_signed()
    }

    /// CPU time of all its threads so far, in nanoseconds.
    pub(crate) fn cpu_ns(&self) -> Result<u64, Error> {
        let folder = format!("/proc/{}/task", self.child.id());
        let mut sum = 0;
        for task in fs::read_dir(&folder).map_err(Error::io(&folder))? {
            let path = task.map_err(Error::io(&folder))?.path().join("schedstat");
            // A thread may end between the listing and here.
            let Ok(text) = fs::read_to_string(&path) else { continue };
            let spent = text.split(' ').next().and_then(|spent| spent.parse::<u64>().ok());
            sum += spent.ok_or_else(|| Error::Contents(path.display().to_string()))?;
        }
        Ok(sum)
    }

    /// Its resident memory, in bytes.
    pub(crate) fn resident(&self) -> Result<u64, Error> {
        let path = format!("/proc/{}/status", self.child.id());
        let text = fs::read_to_string(&path).map_err(Error::io(&path))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        Ok(kib.ok_or(Error::Contents(path))? * 1_024)
    }
}
