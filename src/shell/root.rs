//! Root contexts: the ingress one holds the discovery stream, the egress one wakes attempts that wait.

use super::egress::Egress;
use super::host;
use super::ingress::Ingress;
use super::world::{self, Control};
use crate::config::plugin::{Plugin, Role};
use crate::gateway::outbox;
use crate::gateway::subscription::{METHOD, SERVICE, Subscription};
use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{BufferType, ContextType};
use std::cmp::Reverse;
use std::time::Duration;

/// How exactly waits of attempts are kept.
pub(super) const WAKE: Duration = Duration::from_millis(10);
/// The pause between tries to reach the control plane, and the longest that doubling leads to, in microseconds.
const BACKOFF_US: (u64, u64) = (250_000, 4_000_000);

pub(super) struct Root {
    role: Role,
    /// The discovery stream, if this context opened it.
    stream: Option<u32>,
    /// The stream of usage records, while it is open.
    records: Option<u32>,
    /// The next pause, in microseconds.
    backoff_us: u64,
    /// When the control plane is tried again, in microseconds of the monotonic clock.
    retry_at_us: u64,
}

impl Root {
    pub(super) const fn new(_context: u32) -> Self {
        Self { role: Role::Egress, stream: None, records: None, backoff_us: BACKOFF_US.0, retry_at_us: 0 }
    }

    fn connect(&mut self) {
        let Control { cluster, token } = world::with(|world| world.control.clone());
        let Some(stream) = host::open_stream(&cluster, SERVICE, METHOD, &token) else {
            self.retreat();
            return;
        };
        self.stream = Some(stream);
        world::with(|world| {
            world.stream = Some(stream);
            for message in world.subscription.open() {
                world.send(&message);
            }
        });
    }

    /// Sends the usage records that wait, if the control plane can be reached.
    fn send_records(&mut self) {
        if world::with(|world| world.outbox.is_empty() || world.stream.is_none()) {
            return;
        }
        let (Control { cluster, token }, mut node) =
            world::with(|world| (world.control.clone(), world.node.clone()));
        let opened = self.records.is_none();
        let stream =
            self.records.or_else(|| host::open_stream(&cluster, outbox::SERVICE, outbox::METHOD, &token));
        let Some(stream) = stream else { return };
        self.records = Some(stream);
        let mut named = opened.then(|| std::mem::take(&mut node));
        while let Some(message) = world::with(|world| world.outbox.take(named.as_deref())) {
            named = None;
            host::send_message(stream, &message);
        }
    }

    /// Waits longer before the next try, with jitter so that a fleet does not return all at once.
    fn retreat(&mut self) {
        let pause = self.backoff_us + host::random() % (self.backoff_us + 1);
        self.retry_at_us = host::mono_us() + pause;
        self.backoff_us = (self.backoff_us * 2).min(BACKOFF_US.1);
    }

    fn wake() {
        let now = host::mono_us();
        loop {
            let due = world::with(|world| match world.waiting.peek() {
                Some(Reverse((at, context))) if *at <= now => {
                    let context = *context;
                    world.waiting.pop();
                    Some(context)
                }
                _ => None,
            });
            let Some(context) = due else { break };
            if host::enter(context) {
                Egress::wake(context);
            }
        }
    }
}

impl Drop for Root {
    /// A changed plugin configuration brings a new root context into the same VM and ends this one, its stream included:
    /// the new one opens another.
    fn drop(&mut self) {
        world::with(|world| {
            if self.stream.is_some() && world.stream == self.stream {
                world.stream = None;
            }
        });
    }
}

impl Context for Root {
    fn on_done(&mut self) -> bool {
        if self.role == Role::Ingress {
            self.send_records();
        }
        true
    }

    fn on_grpc_stream_message(&mut self, token: u32, size: usize) {
        if world::with(|world| world.stream) != Some(token) {
            return;
        }
        self.backoff_us = BACKOFF_US.0;
        let message = host::grpc_message(size);
        let taken = world::with(|world| {
            let taken = world.subscription.take(&message, &mut world.state);
            if let Some(taken) = &taken {
                world.send(&taken.answer);
            }
            taken
        });
        match taken {
            Some(taken) => {
                if let Some(reason) = taken.refused {
                    log::warn!("refused configuration: {reason}");
                }
            }
            None => {
                log::error!("the control plane sent something that is no discovery response");
                host::cancel_stream(token);
                world::with(|world| world.stream = None);
                self.retreat();
            }
        }
    }

    fn on_grpc_stream_close(&mut self, token: u32, status: u32) {
        if self.records == Some(token) {
            log::info!("the stream of usage records closed with gRPC status {status}; reconnecting");
            self.records = None;
        }
        if world::with(|world| world.stream) == Some(token) {
            log::info!("discovery stream closed with gRPC status {status}; reconnecting");
            world::with(|world| world.stream = None);
            self.retreat();
        }
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, size: usize) -> bool {
        let json = hostcalls::get_buffer(BufferType::PluginConfiguration, 0, size)
            .ok()
            .flatten()
            .unwrap_or_default();
        let plugin = match Plugin::from_json(&json) {
            Ok(plugin) => plugin,
            Err(reason) => {
                log::error!("plugin configuration: {reason}");
                return false;
            }
        };
        self.role = plugin.role;
        if self.role == Role::Ingress {
            let node = plugin.node.or_else(|| {
                host::property(&["xds", "node", "id"]).map(|id| String::from_utf8_lossy(&id).into_owned())
            });
            world::with(|world| {
                world.node = node.unwrap_or_default();
                if world.vm.is_empty() {
                    world.vm = format!("{:016x}", host::random());
                    world.subscription = Subscription::new(world.node.clone(), world.vm.clone());
                    world.state.kept().make_shelves();
                }
                world.control = Control { cluster: plugin.control_cluster, token: plugin.node_token };
            });
            host::tick_every(Duration::from_millis(u64::from(plugin.tick_ms)));
            if world::with(|world| world.stream.is_none()) {
                self.connect();
            }
        }
        true
    }

    fn on_tick(&mut self) {
        match self.role {
            Role::Egress => {
                Self::wake();
                if world::with(|world| world.waiting.is_empty()) {
                    host::tick_every(Duration::ZERO);
                }
            }
            Role::Ingress => {
                self.send_records();
                if world::with(|world| world.stream.is_some()) {
                    return;
                }
                if host::mono_us() >= self.retry_at_us {
                    self.connect();
                }
            }
        }
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, context: u32) -> Option<Box<dyn HttpContext>> {
        Some(match self.role {
            Role::Ingress => Box::new(Ingress::default()),
            Role::Egress => Box::new(Egress::new(context)),
        })
    }
}
