//! One exchange: admitted once, attempted until a provider answers, recorded once.
//!
//! The order of calls is Envoy's: [`Exchange::admit`] in ingress; per attempt [`Exchange::begin`], [`Exchange::reply_head`],
//! [`Exchange::reply_body`] or [`Exchange::lost`] in egress; [`Exchange::local_reply`] in ingress when no attempt answered; at
//! the end [`Exchange::record`].

mod attempt;
mod outgoing;
mod record;

pub use attempt::{Begin, Flow, Lost};
pub use outgoing::Outgoing;
pub use record::{End, Stamp};

use super::Now;
use super::classify::{self, Action, Class, Pause};
use super::headers::Headers;
use super::plan::{self, Step, Wish};
use super::reject::Rejection;
use super::reply::Form;
use super::state::{Active, State};
use crate::config::{AttemptRecord, Dialect, Endpoint, Key, RetryPolicy};
use crate::dialect::{Peek, ReplyContext, patch};
use crate::ir::error::ApiError;
use attempt::Attempt;
use std::rc::Rc;

/// One client request and all its attempts.
#[derive(Debug)]
pub struct Exchange {
    endpoint: Endpoint,
    dialect: Dialect,
    key: Rc<Key>,
    active: Rc<Active>,
    /// What every reply to it carries.
    pub request_id: String,
    started: Now,
    forward: Headers,
    body: String,
    /// Of the body, also once it is dropped.
    prompt_bytes: usize,
    peek: Option<Peek<'static>>,
    plan: Vec<Step>,
    at: usize,
    same_used: u8,
    prepared: Option<Outgoing>,
    pause: Pause,
    attempt: Option<Attempt>,
    attempts: Vec<AttemptRecord>,
    failures: Failures,
    loss: Vec<String>,
    served: Option<usize>,
    answer: Answer,
    overhead_us: u64,
    ttft_us: Option<u64>,
    deadline_ms: u64,
}

/// What the client has been told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
enum Answer {
    /// Nothing yet.
    #[default]
    None,
    /// A provider's answer.
    Served,
    /// An error.
    Refused { status: u16, code: Option<String> },
}

/// What is remembered of failures, for the answer when nothing is left to try.
#[derive(Debug, Default)]
struct Failures {
    last: Option<Class>,
    /// The last error that an upstream put into words.
    worded: Option<(Class, ApiError)>,
    smallest_retry_after_ms: Option<u64>,
    /// Why the first provider was left.
    fallback: Option<Class>,
    /// Providers that let a deadline pass.
    silent: Vec<String>,
}

/// What ingress knows when the headers have come.
#[derive(Debug)]
pub struct Arrival {
    /// What is called.
    pub endpoint: Endpoint,
    /// The client's dialect.
    pub dialect: Dialect,
    /// Who calls.
    pub key: Rc<Key>,
    /// The settings in force.
    pub active: Rc<Active>,
    /// What every reply carries.
    pub request_id: String,
    /// The client's headers that may go on ([`super::headers::is_forwarded`]).
    pub forward: Headers,
    /// When the headers came.
    pub now: Now,
}

/// How Envoy is to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// The first attempt's cluster.
    pub cluster: String,
    /// The most retries that the plan can come to.
    pub max_retries: u32,
    /// The deadline for an attempt's first token, in milliseconds: the longest among the planned providers, because
    /// Envoy has one for all attempts of a request.
    pub deadline_ms: u64,
}

impl Exchange {
    /// An exchange whose headers have come and whose key is known.
    #[must_use]
    pub fn new(arrival: Arrival) -> Self {
        let Arrival { endpoint, dialect, key, active, request_id, forward, now } = arrival;
        Self {
            endpoint,
            dialect,
            key,
            active,
            request_id,
            started: now,
            forward,
            body: String::new(),
            prompt_bytes: 0,
            peek: None,
            plan: Vec::new(),
            at: 0,
            same_used: 0,
            prepared: None,
            pause: Pause::None,
            attempt: None,
            attempts: Vec::new(),
            failures: Failures::default(),
            loss: Vec::new(),
            served: None,
            answer: Answer::None,
            overhead_us: 0,
            ttft_us: None,
            deadline_ms: u64::MAX,
        }
    }

    /// The client's dialect.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Largest body in bytes.
    #[must_use]
    pub fn max_body_bytes(&self) -> u64 {
        self.active.settings.max_body_bytes
    }

    /// The body has come: checks it, plans, and prepares the first attempt. `random` draws from weighted groups.
    pub fn admit(&mut self, state: &State, body: Vec<u8>, random: u64) -> Result<Start, Rejection> {
        let admitted = self.try_admit(state, body, random);
        if let Err(rejection) = &admitted {
            self.refuse(rejection);
        }
        admitted
    }

    fn try_admit(&mut self, state: &State, body: Vec<u8>, random: u64) -> Result<Start, Rejection> {
        self.body = String::from_utf8(body).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let message =
                format!("The body is not UTF-8 at byte {at}. Encode it as UTF-8 and send it again.");
            Rejection::new(400, "invalid_request", message)
        })?;
        let peek = patch(self.dialect)
            .peek(self.endpoint, &self.body)
            .map_err(|malformed| Rejection::malformed(&malformed))?;
        let model = peek.model.plain().into_owned();
        let needs = peek.needs;
        let peek = Peek {
            model: peek.model.into_owned(),
            model_span: peek.model_span,
            stream: peek.stream,
            stream_options: peek.stream_options,
            include_usage: peek.include_usage,
            max_tokens: peek.max_tokens,
            n: peek.n,
            end: peek.end,
            needs,
        };
        self.peek = Some(peek);
        if !crate::config::is_model_id(&model) {
            return Err(plan::bad_model_id());
        }
        let wish = Wish { endpoint: self.endpoint, dialect: self.dialect, model: &model, needs, random };
        self.plan = plan::plan(state, &self.key, &wish)?;
        self.prepare()?;
        let default_ms = self.active.settings.first_token_deadline_ms;
        let deadlines =
            self.plan.iter().map(|step| step.provider.first_token_deadline_ms.unwrap_or(default_ms));
        self.deadline_ms = deadlines.max().unwrap_or(default_ms);
        let Some(cluster) = self.step().map(|step| step.provider.cluster.clone()) else {
            return Err(Rejection::new(500, "internal_error", "The plan is empty. Tell the operator."));
        };
        let tries = self.plan.len() * (usize::from(self.policy().same_provider) + 1);
        Ok(Start {
            cluster,
            max_retries: u32::try_from(tries.saturating_sub(1)).unwrap_or(u32::MAX),
            deadline_ms: self.deadline_ms,
        })
    }

    /// The client is refused: the record says so.
    pub fn refuse(&mut self, rejection: &Rejection) {
        self.answer = Answer::Refused { status: rejection.error.status, code: rejection.error.code.clone() };
        self.body = String::new();
    }

    /// Adds time that the module itself took.
    pub fn count_overhead(&mut self, us: u64) {
        self.overhead_us += us;
    }

    /// Whether an attempt has already answered or refused the client: the reply that ingress sees is the exchange's own.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        self.answer != Answer::None
    }

    /// Whether an attempt is under way, so that its end would be a loss.
    #[must_use]
    pub fn is_attempting(&self) -> bool {
        self.attempt.as_ref().is_some_and(|attempt| attempt.state != attempt::State::Ended)
    }

    /// Envoy answers itself, because no attempt did: what the client gets instead.
    pub fn local_reply(&mut self, status: u16) -> Rejection {
        let rejection = if self.attempts.is_empty() {
            super::reject::local_reply(status, self.max_body_bytes())
        } else {
            self.final_answer()
        };
        self.refuse(&rejection);
        rejection
    }

    fn policy(&self) -> &RetryPolicy {
        self.key.retry.as_ref().unwrap_or(&self.active.settings.retry)
    }

    fn step(&self) -> Option<&Step> {
        self.plan.get(self.at)
    }

    fn form(&self) -> Option<Form> {
        let include_usage = self.peek.as_ref().is_some_and(|peek| peek.include_usage);
        Some(Form {
            endpoint: self.endpoint,
            client: self.dialect,
            upstream: self.step()?.provider.dialect,
            context: ReplyContext { created: self.started.unix(), include_usage },
        })
    }

    /// An attempt has failed: notes it, and moves to what is tried next. `false` if nothing is left.
    fn fail(&mut self, class: Class, error: Option<ApiError>, retry_after_ms: Option<u64>) -> bool {
        if let Some(ms) = retry_after_ms {
            let smallest = self.failures.smallest_retry_after_ms.map_or(ms, |before| before.min(ms));
            self.failures.smallest_retry_after_ms = Some(smallest);
        }
        self.failures.last = Some(class);
        if let Some(error) = error {
            self.failures.worded = Some((class, error));
        }
        let same_left = self.same_used < self.policy().same_provider;
        match classify::action(class, self.policy(), retry_after_ms, same_left) {
            Action::Same(pause) => {
                self.same_used += 1;
                self.pause = pause;
                self.prepare().is_ok() || self.advance(class, |_| true)
            }
            Action::Next => self.advance(class, |_| true),
            Action::NextLarger => {
                let window = self.step().and_then(|step| step.model.as_ref()?.context_window).unwrap_or(0);
                self.advance(class, |step| {
                    step.model
                        .as_ref()
                        .and_then(|model| model.context_window)
                        .is_some_and(|wider| wider > window)
                })
            }
            Action::Stop => false,
        }
    }

    /// Moves to the next step that fits and that the request can be written for.
    fn advance(&mut self, class: Class, fits: impl Fn(&Step) -> bool) -> bool {
        let start = self.at;
        if class == Class::Silence
            && let Some(step) = self.plan.get(start)
        {
            self.failures.silent.push(step.provider.name.clone());
        }
        for index in start + 1..self.plan.len() {
            let Some(step) = self.plan.get(index) else { break };
            // A silent provider is never asked again, under whatever model, whatever fails in between.
            let silent = self.failures.silent.contains(&step.provider.name);
            if silent || !fits(step) {
                continue;
            }
            self.at = index;
            self.same_used = 0;
            self.pause = Pause::None;
            if self.prepare().is_ok() {
                self.failures.fallback.get_or_insert(class);
                return true;
            }
        }
        self.at = start;
        false
    }

    /// What the client gets when nothing is left to try: the last upstream's own words where there are any.
    fn final_answer(&self) -> Rejection {
        let seconds = self.failures.smallest_retry_after_ms.map(|ms| ms.div_ceil(1_000).max(1));
        let (class, error) = match (&self.failures.worded, self.failures.last) {
            (_, Some(Class::Silence)) | (None, _) => (self.failures.last.unwrap_or(Class::Connect), None),
            (Some((class, error)), _) => (*class, Some(error)),
        };
        // A provider's complaint about our credential is the operator's to read, and may quote it.
        let said = error
            .filter(|_| class != Class::Credential)
            .map(|error| error.message.clone())
            .filter(|message| !message.is_empty());
        let (status, code, fallback) = match class {
            Class::RateLimit | Class::Quota => {
                (429, "rate_limit_exceeded", "Every provider is rate limited. Try again later.")
            }
            Class::Credential => {
                (502, "upstream_auth", "The provider refused the gateway's credential. Tell the operator.")
            }
            Class::Silence => (504, "upstream_timeout", "No provider answered in time. Try again."),
            Class::Connect => {
                (503, "no_provider_available", "No provider could be reached. Try again shortly.")
            }
            Class::NotFound => {
                (404, "model_not_found", "The provider does not have this model. Choose another.")
            }
            Class::ContextLength | Class::Refusal | Class::ClientError => {
                return self.client_side(error, said);
            }
            _ => (502, "upstream_error", "The provider failed. Try again."),
        };
        let message = said.unwrap_or_else(|| fallback.to_owned());
        let mut rejection = Rejection::new(status, code, message);
        rejection.retry_after_s = match status {
            429 => Some(seconds.unwrap_or(1)),
            503 => Some(1),
            _ => None,
        };
        rejection
    }

    /// The request itself is at fault: the upstream's status, code and words.
    fn client_side(&self, error: Option<&ApiError>, said: Option<String>) -> Rejection {
        let message = said
            .unwrap_or_else(|| "The provider refused the request. Correct it and send it again.".to_owned());
        let Some(error) = error else { return Rejection::new(400, "invalid_request", message) };
        let status = if (400..500).contains(&error.status) { error.status } else { 400 };
        let code = error.code.as_deref().unwrap_or("invalid_request");
        let mut rejection = Rejection::of(status, error.kind, code, message);
        rejection.error.param.clone_from(&error.param);
        rejection
    }
}

#[cfg(test)]
mod tests;
