//! The ingress context: authenticates, admits, and shapes what Envoy says itself.

use super::{host, world};
use crate::config::{Dialect, KeyRequest, Payload, ReplyRequest, key_lookup, reply_lookup, type_url};
use crate::gateway::access::{self, Verdict};
use crate::gateway::exchange::{Admitted, Arrival, End, Exchange, Stamp};
use crate::gateway::headers::{self, Headers};
use crate::gateway::reject::{self, Rejection};
use crate::gateway::route::{self, Call, Incoming, Route};
use crate::gateway::state::Pushed;
use crate::gateway::{Now, edge};
use prost::Message;
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

/// The gRPC status for something that does not exist.
const NOT_FOUND: u32 = 5;

#[derive(Default)]
pub(super) struct Ingress {
    request: Option<Request>,
    slot: Option<u64>,
    /// A look-up is under way: its token, and of what.
    looking_up: Option<(u32, LookUp)>,
    /// How much of the body is buffered.
    size: usize,
    /// The size of the body, once it is whole.
    body: Option<usize>,
    /// The client has been answered from here.
    replied: bool,
    /// The dialect and id for shaping what Envoy says, known as soon as the headers are read.
    dialect: Option<Dialect>,
    request_id: String,
    /// A body that replaces Envoy's own.
    shaped: Option<Vec<u8>>,
    status: u16,
}

/// What the control plane is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LookUp {
    /// The client's key.
    Key,
    /// Who had a stored reply made.
    Reply,
}

/// What the headers said, until the exchange takes it over.
struct Request {
    route: Route,
    presented: Option<String>,
    headers: Headers,
    now: Now,
}

/// A request id of our own, where Envoy has none.
fn fresh_id() -> String {
    format!("{:016x}{:016x}", host::random(), host::random())
}

impl Ingress {
    fn refuse(&mut self, rejection: &Rejection) {
        if let Some(slot) = self.slot {
            world::with_exchange(slot, |exchange| exchange.refuse(rejection));
        }
        self.replied = true;
        self.status = rejection.error.status;
        let dialect = self.dialect.unwrap_or(Dialect::Openai);
        host::reply(
            &rejection.headers(dialect, &self.request_id),
            &rejection.body(dialect, &self.request_id),
        );
    }

    /// Goes on once the key is known or can be looked up. Pauses in every case but a headers-only failure.
    fn authenticate(&mut self) {
        let Some(request) = &self.request else { return };
        let verdict = world::with(|world| {
            access::authenticate(&world.state, request.presented.as_deref(), request.now)
        });
        match verdict {
            Ok(Verdict::Known(key)) => self.accept(key),
            Ok(Verdict::Lookup(id)) => self.look_up(id),
            Err(rejection) => self.refuse(&rejection),
        }
    }

    fn look_up(&mut self, id: String) {
        let control = world::with(|world| world.control.clone());
        let message = KeyRequest { id }.encode_to_vec();
        let (service, method) = (key_lookup::SERVICE, key_lookup::METHOD);
        let token = host::call(&control.cluster, service, method, &control.token, &message);
        self.looking_up = token.map(|token| (token, LookUp::Key));
        if self.looking_up.is_none() {
            self.refuse(&access::cannot_verify());
        }
    }

    /// Asks who had a stored reply made. The request waits meanwhile.
    fn seek(&mut self, id: String) {
        let control = world::with(|world| world.control.clone());
        let message = ReplyRequest { id }.encode_to_vec();
        let (service, method) = (reply_lookup::SERVICE, reply_lookup::METHOD);
        let token = host::call(&control.cluster, service, method, &control.token, &message);
        self.looking_up = token.map(|token| (token, LookUp::Reply));
        if self.looking_up.is_none() {
            self.sought(None);
        }
    }

    fn sought(&mut self, makers: Option<&[u8]>) {
        let Some(slot) = self.slot else { return self.refuse_lost() };
        let random = host::random();
        let admitted = world::with(|world| {
            let mut exchange = world.exchanges.take(slot)?;
            let admitted = exchange.sought(&world.state, makers, random);
            world.exchanges.put(slot, exchange);
            Some(admitted)
        });
        self.carry_out(admitted);
    }

    fn accept(&mut self, key: std::rc::Rc<crate::config::Key>) {
        let Some(Request { route, headers, now, .. }) = self.request.take() else { return };
        let permitted = access::check_endpoint(&key, route.call.endpoint());
        let Call::Exchange(asked) = route.call else {
            let answer = permitted.and_then(|()| {
                world::with(|world| match &route.call {
                    Call::GetModel(id) => edge::get_model(&world.state, &key, route.dialect, id),
                    Call::ListModels(query) => edge::list_models(&world.state, &key, route.dialect, query),
                    Call::Exchange(_) | Call::Probe => Ok(Vec::new()),
                })
            });
            return match answer {
                Ok(body) => self.answer(&body),
                Err(rejection) => self.refuse(&rejection),
            };
        };
        let length = headers::get(&headers, "content-length").and_then(|length| length.parse::<u64>().ok());
        let encoded = headers::get(&headers, "content-encoding").is_some_and(|coding| coding != "identity");
        let content_type = headers::get(&headers, "content-type").unwrap_or_default().to_owned();
        let forward = headers.into_iter().filter(|(name, _)| headers::is_forwarded(name)).collect();
        let request_id = self.request_id.clone();
        let inserted = world::with(|world| {
            let active = world.state.active().cloned()?;
            let dialect = route.dialect;
            let arrival = Arrival { asked, dialect, key, active, request_id, forward, content_type, now };
            let exchange = Exchange::new(arrival);
            let max = exchange.max_body_bytes();
            Some((world.exchanges.insert(exchange), max))
        });
        let Some((slot, max)) = inserted else { return };
        self.slot = Some(slot);
        if let Err(rejection) = permitted {
            return self.refuse(&rejection);
        }
        if encoded {
            return self.refuse(&reject::encoded());
        }
        if length.is_some_and(|length| length > max) {
            return self.refuse(&reject::too_large(max));
        }
        host::set_state("sluice.slot", &slot.to_le_bytes());
        if let Some(size) = self.body {
            self.admit(size);
        }
    }

    fn answer(&mut self, body: &[u8]) {
        self.replied = true;
        let mut headers =
            vec![(":status", "200".to_owned()), ("content-type", "application/json".to_owned())];
        let dialect = self.dialect.unwrap_or(Dialect::Openai);
        let names = reject::identify(dialect, &self.request_id);
        headers.extend(names.map(|(name, value)| (name, value.to_owned())));
        host::reply(&headers, body);
    }

    fn admit(&mut self, size: usize) {
        let Some(slot) = self.slot else { return self.refuse_lost() };
        let before = host::mono_us();
        let body = host::request_body(size);
        let random = host::random();
        let admitted = world::with(|world| {
            let mut exchange = world.exchanges.take(slot)?;
            let admitted = exchange.admit(&world.state, body, random);
            exchange.count_overhead(host::mono_us().saturating_sub(before));
            world.exchanges.put(slot, exchange);
            Some(admitted)
        });
        self.carry_out(admitted);
    }

    fn carry_out(&mut self, admitted: Option<Result<Admitted, Rejection>>) {
        match admitted {
            Some(Ok(Admitted::Seek(id))) => self.seek(id),
            Some(Ok(Admitted::Answer { headers, body })) => {
                self.replied = true;
                self.status = 200;
                host::reply(&headers, &body);
            }
            Some(Ok(Admitted::Start(start))) => {
                // Setting a request header makes Envoy choose the route again, so the state it looks at comes first.
                host::set_state("sluice.cluster", start.cluster.as_bytes());
                host::set_request_header(
                    "x-envoy-max-retries",
                    itoa::Buffer::new().format(start.max_retries),
                );
                let deadline = itoa::Buffer::new().format(start.deadline_ms).to_owned();
                host::set_request_header("x-envoy-upstream-rq-per-try-timeout-ms", &deadline);
            }
            Some(Err(rejection)) => {
                self.replied = true;
                self.status = rejection.error.status;
                let dialect = self.dialect.unwrap_or(Dialect::Openai);
                host::reply(
                    &rejection.headers(dialect, &self.request_id),
                    &rejection.body(dialect, &self.request_id),
                );
            }
            None => self.refuse_lost(),
        }
    }

    /// The exchange is not where it was put, which cannot be; a request that nobody has admitted goes nowhere.
    fn refuse_lost(&mut self) {
        let rejection = world::with(|world| reject::local_reply(500, world.max_body_bytes()));
        self.refuse(&rejection);
    }
}

impl Context for Ingress {
    fn on_grpc_call_response(&mut self, token: u32, status: u32, size: usize) {
        let Some((_, what)) = self.looking_up.take_if(|(expected, _)| *expected == token) else { return };
        match what {
            LookUp::Key => self.key_came(status, size),
            LookUp::Reply => {
                let payload = (status == 0).then(|| Payload::decode(host::grpc_message(size).as_slice()));
                let payload = payload.and_then(Result::ok);
                self.sought(payload.as_ref().map(|payload| payload.json.as_slice()));
            }
        }
        if !self.replied && self.body.is_some() && self.looking_up.is_none() {
            host::resume_request();
        }
    }
}

impl Ingress {
    /// The control plane has answered for the key.
    fn key_came(&mut self, status: u32, size: usize) {
        let Some(request) = &self.request else { return self.refuse_lost() };
        let id = world::with(|world| {
            match access::authenticate(&world.state, request.presented.as_deref(), request.now) {
                Ok(Verdict::Lookup(id)) => Some(id),
                _ => None,
            }
        });
        match (status, id) {
            (0, Some(id)) => {
                let payload = Payload::decode(host::grpc_message(size).as_slice()).unwrap_or_default();
                let applied = world::with(|world| {
                    let pushed = Pushed { name: &id, json: &payload.json };
                    let applied = world.state.apply(type_url::KEY, &[pushed], &[]);
                    if let Some(message) = world.subscription.follow(&id) {
                        world.send(&message);
                    }
                    applied
                });
                if let Err(reason) = applied {
                    log::error!("key look-up: {reason}");
                    return self.refuse(&access::cannot_verify());
                }
            }
            (NOT_FOUND, Some(id)) => {
                let now = host::mono_us();
                world::with(|world| world.state.remember_unknown_key(&id, now));
                return self.refuse(&access::unknown_key());
            }
            // Pushed meanwhile: the discovery stream was faster.
            (_, None) => {}
            (_, Some(_)) => return self.refuse(&access::cannot_verify()),
        }
        self.authenticate();
    }
}

impl HttpContext for Ingress {
    fn on_http_request_headers(&mut self, _: usize, ends: bool) -> Action {
        let now = host::now();
        let all = host::request_headers();
        for (name, _) in all.iter().filter(|(name, _)| headers::is_internal(name)) {
            host::remove_request_header(name);
        }
        self.request_id = match headers::get(&all, "x-request-id") {
            Some(id) if id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_graphic()) => id.to_owned(),
            _ => fresh_id(),
        };
        let method = headers::get(&all, ":method").unwrap_or_default();
        let path = headers::get(&all, ":path").unwrap_or_default();
        let incoming = Incoming {
            method,
            path,
            anthropic: headers::get(&all, "anthropic-version").is_some(),
            google: headers::get(&all, "x-goog-api-key").is_some(),
        };
        let route = match route::route(&incoming) {
            // A probe has no key, and asks for nothing that needs one.
            Ok(Route { dialect, call: Call::Probe }) => {
                self.dialect = Some(dialect);
                self.answer(b"{}");
                return Action::Pause;
            }
            Ok(route) => route,
            Err((dialect, rejection)) => {
                self.dialect = Some(dialect);
                self.refuse(&rejection);
                return Action::Pause;
            }
        };
        self.dialect = Some(route.dialect);
        let presented = world::with(|world| {
            let prefix = world.state.active().map_or("slc-", |active| active.settings.key_prefix.as_str());
            access::presented(&all, path, prefix)
        });
        if ends {
            self.body = Some(0);
        }
        self.request = Some(Request { route, presented, headers: all, now });
        self.authenticate();
        // A request goes on only from its body or from a look-up's end: here everything waits.
        if ends && !self.replied && self.looking_up.is_none() { Action::Continue } else { Action::Pause }
    }

    fn on_http_request_body(&mut self, size: usize, ends: bool) -> Action {
        if self.replied {
            return Action::Pause;
        }
        // Envoy's own limit may be higher: it is the host's in a guest deployment, and bodies may come without a length.
        let max = world::with(|world| world.max_body_bytes());
        if u64::try_from(size).is_ok_and(|size| size > max) {
            self.refuse(&reject::too_large(max));
            return Action::Pause;
        }
        self.size = size;
        if !ends {
            return Action::Pause;
        }
        self.body = Some(size);
        if self.looking_up.is_some() {
            return Action::Pause;
        }
        self.admit(size);
        if self.replied || self.looking_up.is_some() { Action::Pause } else { Action::Continue }
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        // Trailers end a body that did not say so itself.
        let size = self.size;
        self.on_http_request_body(size, true)
    }

    fn on_http_response_headers(&mut self, _: usize, ends: bool) -> Action {
        // Where we have replied, Envoy may have had an answer of its own ready first: a body over both limits is refused
        // by both.
        if self.replied && host::has_response_header("x-sluice-request-id") {
            return Action::Continue;
        }
        let slot = self.slot.filter(|_| !self.replied);
        let answered = slot.and_then(|slot| world::with_exchange(slot, |exchange| exchange.is_answered()));
        if answered == Some(true) {
            return Action::Continue;
        }
        if self.request_id.is_empty() {
            // Envoy answers before it could hand the request over: it was not HTTP, or its headers are too large.
            self.request_id = fresh_id();
        }
        let status = host::response_status().unwrap_or(500);
        let local = || world::with(|world| reject::local_reply(status, world.max_body_bytes()));
        let exchanged = |slot| world::with_exchange(slot, |exchange| exchange.local_reply(status));
        let rejection = slot.and_then(exchanged).unwrap_or_else(local);
        self.status = rejection.error.status;
        let dialect = self.dialect.unwrap_or(Dialect::Openai);
        let body = rejection.body(dialect, &self.request_id);
        if ends {
            // Envoy's reply has no body that could be replaced: ours takes its place.
            self.replied = true;
            host::reply(&rejection.headers(dialect, &self.request_id), &body);
            return Action::Pause;
        }
        let mut headers: Headers = rejection
            .headers(dialect, &self.request_id)
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.into_bytes()))
            .collect();
        headers.push(("content-length".to_owned(), body.len().to_string().into_bytes()));
        host::set_response_headers(&headers);
        self.shaped = Some(body);
        Action::Continue
    }

    fn on_http_response_body(&mut self, _: usize, _: bool) -> Action {
        if let Some(body) = &mut self.shaped {
            host::set_response_body(&std::mem::take(body));
        }
        Action::Continue
    }

    fn on_log(&mut self) {
        let Some(slot) = self.slot.take() else { return };
        let now = Now { wall_us: 0, mono_us: host::mono_us() };
        let status = self.status;
        let kept = world::with(|world| {
            let exchange = world.exchanges.remove(slot)?;
            world.seq += 1;
            let stamp = Stamp { vm: &world.vm, seq: world.seq };
            let record = exchange.record(stamp, End { status, now }).to_json();
            Some(world.outbox.push(record))
        });
        if kept == Some(false) {
            let lost = world::with(|world| world.outbox.lost());
            log::error!("no room for usage records: the control plane takes none; {lost} are lost so far");
        }
    }
}
