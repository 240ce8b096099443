//! `sluice simulate`: the provider simulator on its own.

use crate::simulator::{self, NewProvider, Options};
use anyhow::Context as _;
use clap::Args;
use serde_json::json;
use sluice::config::Dialect;
use std::io::Write as _;
use std::net::IpAddr;
use tokio::signal::unix::{SignalKind, signal};

/// Run the provider simulator until SIGINT or SIGTERM; its first line of output names all its URLs, as JSON.
#[derive(Debug, Clone, Args)]
pub(crate) struct Simulate {
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    host: IpAddr,
    /// Port of the provider `openai`; 0: any.
    #[arg(long, default_value_t = 0)]
    openai_port: u16,
    /// Port of the provider `anthropic`; 0: any.
    #[arg(long, default_value_t = 0)]
    anthropic_port: u16,
    /// Port of the control API; 0: any.
    #[arg(long, default_value_t = 0)]
    control_port: u16,
    /// One more provider: `NAME=DIALECT[:PORT]`, with DIALECT `openai` or `anthropic`. May be repeated.
    #[arg(long = "provider", value_parser = provider)]
    providers: Vec<NewProvider>,
}

impl Simulate {
    /// Runs it.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let options = Options {
            host: self.host,
            openai_port: self.openai_port,
            anthropic_port: self.anthropic_port,
            control_port: self.control_port,
            providers: self.providers,
        };
        let running = simulator::start(options).await.context("cannot start the simulator")?;
        let line = json!({
            "openai_base_url": running.openai_base_url,
            "anthropic_base_url": running.anthropic_base_url,
            "control_url": running.control_url,
            "providers": running.providers(),
        });
        let mut out = std::io::stdout().lock();
        writeln!(out, "{line}").and_then(|()| out.flush()).context("cannot write to the standard output")?;
        drop(out);
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        running.shutdown().await;
        Ok(())
    }
}

fn provider(text: &str) -> Result<NewProvider, String> {
    let wrong = || format!("`{text}`: expected NAME=DIALECT[:PORT]");
    let (name, rest) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(wrong)?;
    let (dialect, port) = rest.split_once(':').unwrap_or((rest, "0"));
    let dialect = [Dialect::Openai, Dialect::Anthropic]
        .into_iter()
        .find(|known| known.name() == dialect)
        .ok_or_else(|| format!("`{dialect}`: expected `openai` or `anthropic`"))?;
    let port = port.parse().map_err(|_| wrong())?;
    Ok(NewProvider { name: name.to_owned(), dialect, port, credential: None, models: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_are_named_on_the_command_line() {
        let parsed = provider("openai-b=openai:8123").unwrap();
        assert_eq!((parsed.name.as_str(), parsed.dialect, parsed.port), ("openai-b", Dialect::Openai, 8123));
        assert_eq!(provider("a=anthropic").unwrap().port, 0);
        for wrong in ["", "a", "=openai", "a=gemini", "a=openai:x"] {
            assert!(provider(wrong).is_err(), "{wrong}");
        }
    }
}
