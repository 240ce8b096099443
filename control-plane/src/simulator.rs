//! The provider simulator: strict, scriptable stand-ins for the vendors' APIs, any number of them in one process.
//!
//! Each provider has a name, an API and a port of its own. It answers as its vendor would, refuses what its vendor
//! refuses, does to the connection what its script says, and remembers every request byte by byte. `sluice up` uses it
//! when no real credential is given; the end-to-end tests use it as their oracle.
//!
//! The control API, JSON over its own port:
//!
//! | Request | Does |
//! |---|---|
//! | `GET /healthz` | says that it runs |
//! | `GET /providers`, `POST /providers {name, api, port?, credential?, models?}` | lists, makes; answers `base_url` |
//! | `GET`, `DELETE /providers/{name}` | shows, removes |
//! | `POST /providers/{name}/script [{kind, …}]` | replaces the script |
//! | `POST /providers/{name}/models {id, context_length?, max_output?, traits?}` | offers one more model |
//! | `POST /providers/{name}/refuse {on}` | closes the listening socket, or opens it again at the same port |
//! | `POST /providers/{name}/reset` | forgets script, attempts and what clients stored, listens again |
//! | `GET /providers/{name}/attempts?settled=N&timeout_ms=M` | shows what was seen, once N attempts have ended |
//!
//! `api` is `openai`, `anthropic`, `azure`, `gemini`, `vertex`, `bedrock` or `identity`; `dialect` is another name of that member.
//! One provider of each kind is always there, under the name of its API.
//!
//! Each `POST` that asks the model something uses one behaviour of the script up; a behaviour with a `path` waits for a
//! request, of any method, whose path ends so. What the model says is decided by the prompt: see [`directive`].
//!
//! Invariant: it listens where it is told, on loopback by default, and calls nobody.

mod answer;
mod anthropic;
mod api;
mod attempt;
mod azure;
mod bedrock;
mod behaviour;
mod catalog;
mod control;
mod directive;
mod door;
mod event;
mod fault;
mod gemini;
pub(crate) mod identity;
mod openai;
mod play;
mod provider;
mod shape;
mod socket;
mod tokens;
mod turn;
mod vendor;
mod vertex;

pub(crate) use api::Api;
pub(crate) use control::{Described, Failure, NewProvider};

use door::Door;
use provider::Provider;
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The name of the OpenAI provider that is always there.
pub(crate) const OPENAI: &str = Api::Openai.name();
/// The name of the Anthropic provider that is always there.
pub(crate) const ANTHROPIC: &str = Api::Anthropic.name();

/// Where the simulator listens; port 0 means any.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// The address of all ports.
    pub(crate) host: IpAddr,
    /// The ports of providers that are always there.
    pub(crate) ports: BTreeMap<Api, u16>,
    /// The port of the control API.
    pub(crate) control_port: u16,
    /// More providers.
    pub(crate) providers: Vec<NewProvider>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            ports: BTreeMap::new(),
            control_port: 0,
            providers: Vec::new(),
        }
    }
}

/// A simulator that runs until it is dropped or shut down.
#[derive(Debug)]
pub(crate) struct Running {
    /// The URL of the control API.
    pub(crate) control_url: String,
    simulator: Arc<Simulator>,
    control: JoinHandle<io::Result<()>>,
}

impl Running {
    /// All providers.
    pub(crate) fn providers(&self) -> Vec<Described> {
        self.simulator.all().iter().map(|instance| instance.describe()).collect()
    }

    /// The base URL of a provider, as its vendor's SDK takes it (OpenAI's with `/v1`, Anthropic's without).
    pub(crate) fn base_url(&self, name: &str) -> Result<String, Failure> {
        let instance = self.simulator.get(name).ok_or_else(|| Failure::Unknown(name.to_owned()))?;
        Ok(instance.describe().base_url)
    }

    /// Ends it, and returns when no port is listened on any more.
    pub(crate) async fn shutdown(mut self) {
        self.control.abort();
        // An aborted task ends with an error by design.
        let _ = (&mut self.control).await;
        self.simulator.clear().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.control.abort();
        // The doors close with the last reference to the simulator, which the control API's connections may hold.
        drop(self.simulator.take());
    }
}

/// Starts a simulator.
pub(crate) async fn start(options: Options) -> Result<Running, Failure> {
    let control = TcpListener::bind(SocketAddr::new(options.host, options.control_port)).await?;
    let control_url = format!("http://{}", control.local_addr()?);
    let simulator =
        Arc::new(Simulator { host: options.host, epoch: Instant::now(), instances: Mutex::default() });
    for api in Api::ALL.into_iter().filter(|api| api.vendor().is_some()) {
        let port = options.ports.get(&api).copied().unwrap_or_default();
        simulator.add(NewProvider::usual(api, port)).await?;
    }
    for provider in options.providers {
        simulator.add(provider).await?;
    }
    let router = control::router(simulator.clone());
    Ok(Running {
        control_url,
        simulator,
        control: tokio::spawn(async move { axum::serve(control, router).await }),
    })
}

/// All providers of one process.
#[derive(Debug)]
struct Simulator {
    host: IpAddr,
    epoch: Instant,
    instances: Mutex<BTreeMap<String, Arc<Instance>>>,
}

/// A provider and its door.
#[derive(Debug)]
struct Instance {
    name: String,
    api: Api,
    provider: Arc<Provider>,
    door: Door,
}

impl Instance {
    fn describe(&self) -> Described {
        let base_url = format!("http://{}{}", self.door.address(), self.provider.vendor().base_path());
        Described { name: self.name.clone(), api: self.api, base_url, scripted: self.provider.left() }
    }
}

impl Simulator {
    fn with<T>(&self, change: impl FnOnce(&mut BTreeMap<String, Arc<Instance>>) -> T) -> T {
        // Every change leaves the map whole, so a panic elsewhere cannot have broken it.
        change(&mut self.instances.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn get(&self, name: &str) -> Option<Arc<Instance>> {
        self.with(|instances| instances.get(name).cloned())
    }

    fn all(&self) -> Vec<Arc<Instance>> {
        self.with(|instances| instances.values().cloned().collect())
    }

    fn take(&self) -> BTreeMap<String, Arc<Instance>> {
        self.with(std::mem::take)
    }

    async fn add(&self, wanted: NewProvider) -> Result<Arc<Instance>, Failure> {
        let NewProvider { name, api, port, credential, models } = wanted;
        if self.get(&name).is_some() {
            return Err(Failure::Taken(name));
        }
        let vendor = api.vendor().ok_or(Failure::Homeless(api))?;
        if credential.as_deref().is_some_and(|credential| !vendor.takes(credential)) {
            return Err(Failure::Credential(api));
        }
        let provider = Arc::new(Provider::new(vendor, credential, self.epoch));
        for model in models {
            provider.register(model);
        }
        let door = Door::open(SocketAddr::new(self.host, port), provider.clone()).await?;
        let instance = Arc::new(Instance { name: name.clone(), api, provider, door });
        // Another request may have taken the name while this one opened its port; the first stays.
        self.with(|instances| match instances.entry(name) {
            std::collections::btree_map::Entry::Occupied(taken) => Err(Failure::Taken(taken.key().clone())),
            std::collections::btree_map::Entry::Vacant(free) => Ok(free.insert(instance).clone()),
        })
    }

    async fn remove(&self, name: &str) -> Result<(), Failure> {
        let instance = self.with(|instances| instances.remove(name));
        let instance = instance.ok_or_else(|| Failure::Unknown(name.to_owned()))?;
        Ok(instance.door.refuse(true).await?)
    }

    async fn clear(&self) {
        for instance in self.take().into_values() {
            // Closing cannot fail; only opening again can.
            let _ = instance.door.refuse(true).await;
        }
    }
}

#[cfg(test)]
mod tests;
