//! `sluice simulate`: the provider simulator on its own.

use crate::simulator::{self, Api, NewProvider, Options};
use anyhow::Context as _;
use clap::Args;
use serde_json::json;
use std::collections::BTreeMap;
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
    /// Port of another provider that is always there: `API=PORT`. May be repeated.
    #[arg(long = "port", value_parser = port)]
    ports: Vec<(Api, u16)>,
    /// Port of the control API; 0: any.
    #[arg(long, default_value_t = 0)]
    control_port: u16,
    /// One more provider: `NAME=API[:PORT]`, with API `openai`, `anthropic`, `azure`, `gemini`, `vertex`, `bedrock` or `identity`. May be repeated.
    #[arg(long = "provider", value_parser = provider)]
    providers: Vec<NewProvider>,
}

impl Simulate {
    /// Runs it.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut ports: BTreeMap<Api, u16> = self.ports.into_iter().collect();
        ports.extend([(Api::Openai, self.openai_port), (Api::Anthropic, self.anthropic_port)]);
        let options =
            Options { host: self.host, ports, control_port: self.control_port, providers: self.providers };
        let running = simulator::start(options).await.context("cannot start the simulator")?;
        let line = json!({
            "openai_base_url": running.base_url(simulator::OPENAI)?,
            "anthropic_base_url": running.base_url(simulator::ANTHROPIC)?,
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
    let wrong = || format!("`{text}`: expected NAME=API[:PORT]");
    let (name, rest) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(wrong)?;
    let (api, port) = rest.split_once(':').unwrap_or((rest, "0"));
    let api = api_of(api)?;
    let port = port.parse().map_err(|_| wrong())?;
    Ok(NewProvider { name: name.to_owned(), api, port, credential: None, models: Vec::new() })
}

fn port(text: &str) -> Result<(Api, u16), String> {
    let wrong = || format!("`{text}`: expected API=PORT");
    let (api, port) = text.split_once('=').ok_or_else(wrong)?;
    Ok((api_of(api)?, port.parse().map_err(|_| wrong())?))
}

fn api_of(name: &str) -> Result<Api, String> {
    let names = || Api::ALL.map(Api::name).join(", ");
    Api::of(name).ok_or_else(|| format!("`{name}`: expected one of {}", names()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_are_named_on_the_command_line() {
        let parsed = provider("openai-b=openai:8123").unwrap();
        assert_eq!((parsed.name.as_str(), parsed.api, parsed.port), ("openai-b", Api::Openai, 8123));
        assert_eq!(port("bedrock=81"), Ok((Api::Bedrock, 81)));
        assert!(port("bedrock").is_err() && port("nobody=1").is_err() && port("openai=x").is_err());
        assert_eq!(provider("a=anthropic").unwrap().port, 0);
        for wrong in ["", "a", "=openai", "a=nobody", "a=openai:x"] {
            assert!(provider(wrong).is_err(), "{wrong}");
        }
    }
}
