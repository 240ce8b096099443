//! `make bench`: what Sluice costs beside bare Envoy and beside a filter that does nothing.
//!
//! Rooms: [`upstream`] and [`load`] are the two ends, [`envoy`] and [`control`] what stands between, [`run`] takes turns,
//! [`report`] sums up, [`soak`] looks at memory only. Nothing is asserted: a missed goal is marked, a wrong answer ends the run.

mod configuration;
mod control;
mod envoy;
mod error;
mod http;
mod load;
mod process;
mod prompt;
mod report;
mod run;
mod settings;
mod soak;
mod upstream;

use anyhow::Context as _;
use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let folder = match tempfile::Builder::new().prefix("sluice-bench-").tempdir() {
        Ok(folder) => folder,
        Err(error) => return failed(&error.into()),
    };
    match bench(&settings::Settings::parse(), folder.path()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let kept = folder.keep();
            failed(&error.context(format!("logs are kept in {}", kept.display())))
        }
    }
}

fn bench(settings: &settings::Settings, folder: &std::path::Path) -> anyhow::Result<()> {
    process::pin(settings.load_core)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if let Some(requests) = settings.soak {
        let soaked = runtime.block_on(soak::run(settings, requests, folder))?;
        return Ok(soak::write(&soaked, &mut std::io::stdout().lock())?);
    }
    let seen = runtime.block_on(run::run(settings, folder))?;
    if settings.hold.is_some() {
        return Ok(());
    }
    let report = report::Report::new(&seen, settings);
    report::write(&report, &mut std::io::stdout().lock())?;
    if let Some(path) = &settings.json {
        let file = std::fs::File::create(path).with_context(|| path.display().to_string())?;
        serde_json::to_writer_pretty(file, &report)?;
    }
    Ok(())
}

fn failed(error: &anyhow::Error) -> ExitCode {
    use std::io::Write as _;
    // Nothing is left to tell that standard error is gone.
    let _ = writeln!(std::io::stderr(), "sluice-bench: {error:#}");
    ExitCode::FAILURE
}
