//! The egress context: one attempt. Writes its request, holds its reply until the first token, names the next cluster.

use super::root::WAKE;
use super::{host, world};
use crate::config::Dialect;
use crate::gateway::exchange::{Begin, Flow, Lost, Outgoing};
use crate::gateway::reject;
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;
use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::HashMap;

thread_local! {
    /// Requests of contexts that wait to be sent, with whether their body has come.
    static PARKED: RefCell<HashMap<u32, Parked>> = RefCell::new(HashMap::new());
}

struct Parked {
    outgoing: Outgoing,
    body_came: bool,
}

pub(super) struct Egress {
    context: u32,
    slot: Option<u64>,
    outgoing: Option<Vec<u8>>,
    replaced: bool,
    /// Bytes of the reply's body that are buffered and were read.
    seen: usize,
    held: bool,
}

impl Egress {
    pub(super) const fn new(context: u32) -> Self {
        Self { context, slot: None, outgoing: None, replaced: false, seen: 0, held: false }
    }

    /// A wait is over. Runs in the root's callback with the context's own made effective, because the SDK does not
    /// hand its contexts out.
    pub(super) fn wake(context: u32) {
        let Some(parked) = PARKED.with(|parked| parked.borrow_mut().remove(&context)) else { return };
        host::set_request_headers(&parked.outgoing.headers);
        if parked.body_came
            && let Some(body) = &parked.outgoing.body
        {
            host::set_request_body(body);
        }
        host::resume_request();
    }

    fn carry_out(&mut self, flow: Flow, bodiless: bool) -> Action {
        match flow {
            Flow::Hold => {
                self.held = true;
                return Action::Pause;
            }
            Flow::Pass => {}
            Flow::Emit(bytes) => host::set_response_body(&bytes),
            Flow::Retry { cluster, after_s } => {
                host::set_state("sluice.cluster", cluster.as_bytes());
                if let Some(seconds) = after_s {
                    host::add_response_header("x-sluice-retry-after", itoa::Buffer::new().format(seconds));
                }
                host::add_response_header("x-sluice-retry", "1");
            }
            Flow::Answer { headers, body } => {
                if bodiless {
                    // There is no body to replace; a reply of our own has one, and Envoy does not retry it.
                    let headers: Vec<(&str, String)> = headers
                        .iter()
                        .filter(|(name, _)| name != "content-length")
                        .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value).into_owned()))
                        .collect();
                    host::reply(&headers, &body.unwrap_or_default());
                    return Action::Pause;
                }
                host::set_response_headers(&headers);
                if let Some(body) = body {
                    host::set_response_body(&body);
                }
            }
        }
        self.held = false;
        Action::Continue
    }
}

impl Context for Egress {
    fn on_done(&mut self) -> bool {
        PARKED.with(|parked| parked.borrow_mut().remove(&self.context));
        if let Some(slot) = self.slot.take()
            && world::with_exchange(slot, |exchange| exchange.is_attempting()) == Some(true)
        {
            let failure = host::property(&["upstream", "transport_failure_reason"]);
            let lost = Lost { connected: failure.is_none_or(|reason| reason.is_empty()) };
            let now = host::now();
            let cluster = world::with_exchange(slot, |exchange| exchange.lost(lost, now)).flatten();
            if let Some(cluster) = cluster {
                host::set_state("sluice.cluster", cluster.as_bytes());
            }
        }
        true
    }
}

impl HttpContext for Egress {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let slot =
            host::property(&["sluice.slot"]).and_then(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes);
        let Some(slot) = slot else { return Action::Continue };
        let now = host::now();
        let random = host::random();
        let begun = world::with_exchange(slot, |exchange| {
            (exchange.begin(now, random), exchange.dialect(), exchange.request_id.clone())
        });
        let (outgoing, wait_ms) = match begun {
            Some((Begin::Send { outgoing, wait_ms }, ..)) => (outgoing, wait_ms),
            Some((Begin::Exhausted(rejection), dialect, request_id)) => {
                host::reply(&rejection.headers(dialect, &request_id), &rejection.body(dialect, &request_id));
                return Action::Pause;
            }
            // The exchange is over, and so must this attempt be: it would carry another attempt's headers.
            None => {
                let gone = reject::local_reply(500, world::with(|world| world.max_body_bytes()));
                host::reply(&gone.headers(Dialect::Openai, ""), &gone.body(Dialect::Openai, ""));
                return Action::Pause;
            }
        };
        self.slot = Some(slot);
        self.replaced = outgoing.body.is_some();
        if wait_ms == 0 {
            host::set_request_headers(&outgoing.headers);
            self.outgoing = outgoing.body;
            return Action::Continue;
        }
        world::with(|world| world.waiting.push(Reverse((now.mono_us + wait_ms * 1_000, self.context))));
        host::tick_every(WAKE);
        PARKED.with(|parked| parked.borrow_mut().insert(self.context, Parked { outgoing, body_came: false }));
        Action::Pause
    }

    fn on_http_request_body(&mut self, _: usize, ends: bool) -> Action {
        let waiting = PARKED.with(|parked| {
            let mut parked = parked.borrow_mut();
            let waiting = parked.get_mut(&self.context);
            waiting.map(|parked| parked.body_came = ends).is_some()
        });
        if waiting {
            return Action::Pause;
        }
        if self.replaced {
            host::set_request_body(&self.outgoing.take().unwrap_or_default());
        }
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _: usize, ends: bool) -> Action {
        let Some(slot) = self.slot else { return Action::Continue };
        let headers = host::response_headers();
        let now = host::now();
        let flow = world::with_exchange(slot, |exchange| exchange.reply_head(headers, ends, now));
        flow.map_or(Action::Continue, |flow| self.carry_out(flow, true))
    }

    fn on_http_response_body(&mut self, size: usize, ends: bool) -> Action {
        let Some(slot) = self.slot else { return Action::Continue };
        // While the reply is held, Envoy's buffer grows and only its new end has not been read.
        let start = if self.held { self.seen.min(size) } else { 0 };
        self.seen = size;
        let chunk = host::response_body(start, size - start);
        let now = host::now();
        let flow = world::with_exchange(slot, |exchange| exchange.reply_body(&chunk, ends, now));
        flow.map_or(Action::Continue, |flow| self.carry_out(flow, false))
    }

    fn on_http_response_trailers(&mut self, _: usize) -> Action {
        // Trailers end a body that did not say so itself.
        let Some(slot) = self.slot else { return Action::Continue };
        let now = host::now();
        match world::with_exchange(slot, |exchange| exchange.reply_body(&[], true, now)) {
            None => Action::Continue,
            Some(Flow::Emit(rest)) => {
                if !rest.is_empty() {
                    // Nothing can be added to the body any more, and without this it would look whole.
                    host::reset_response();
                }
                Action::Continue
            }
            // A body exists only if it was held: without one, Envoy has no buffer that could be replaced.
            Some(flow) => {
                let bodiless = self.seen == 0;
                self.carry_out(flow, bodiless)
            }
        }
    }
}
