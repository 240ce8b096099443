//! One exchange: admitted once, attempted until a provider answers, recorded once.
//!
//! The order of calls is Envoy's: [`Exchange::admit`] in ingress, and [`Exchange::sought`] if that asks for it; per attempt [`Exchange::begin`], [`Exchange::reply_head`],
//! [`Exchange::reply_body`] or [`Exchange::lost`] in egress; [`Exchange::local_reply`] in ingress when no attempt answered; at
//! the end [`Exchange::record`].

mod answered;
mod attempt;
mod content;
mod course;
mod keeper;
mod last_word;
mod outgoing;
mod record;

pub use attempt::{Begin, Flow, Lost};
pub use outgoing::Outgoing;
pub use record::{End, Stamp};

use super::Now;
use super::classify::{Class, Pause};
use super::headers::Headers;
use super::kept::Kept;
use super::plan::{self, Plan, Step, Wish};
use super::reject::{self, Rejection};
use super::reply::Form;
use super::route::Asked;
use super::state::{Active, State};
use crate::config::{AttemptRecord, Dialect, Key, Operation, PassedOver, RetryPolicy};
use crate::dialect::{Peek, ReplyContext, inbound, outbound};
use crate::ir::error::ApiError;
use attempt::Attempt;
use content::Content;
use keeper::Named;
use outgoing::{Unfit, target};
use std::rc::Rc;

/// One client request and all its attempts.
#[derive(Debug)]
pub struct Exchange {
    asked: Asked,
    dialect: Dialect,
    key: Rc<Key>,
    active: Rc<Active>,
    /// What every reply to it carries.
    pub request_id: String,
    started: Now,
    forward: Headers,
    content_type: String,
    content: Content,
    /// Of the content, also once it is dropped.
    prompt_bytes: usize,
    peek: Option<Peek<'static>>,
    plan: Vec<Step>,
    passed_over: Vec<PassedOver>,
    at: usize,
    same_used: u8,
    prepared: Option<Outgoing>,
    pause: Pause,
    attempt: Option<Attempt>,
    attempts: Vec<AttemptRecord>,
    failures: Failures,
    loss: Vec<String>,
    /// [`crate::dialect::Inbound::echo`] for the step that is asked, if its reply is translated.
    echo: Option<Rc<str>>,
    /// Where to note that a provider keeps the reply.
    kept: Option<Rc<Kept>>,
    /// Whether that is noted.
    is_noted: bool,
    /// The stored reply that the request names.
    named: Named,
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
    /// An answer: a provider's, or our own.
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
    pub asked: Asked,
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
    /// The body's type, as the client says it; may be empty.
    pub content_type: String,
    /// When the headers came.
    pub now: Now,
}

/// What follows a request's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admitted {
    /// Providers are to be asked.
    Start(Start),
    /// The control plane is to be asked who had this stored reply made; [`Exchange::sought`] takes its answer.
    Seek(String),
    /// The client is answered at once.
    Answer {
        /// All headers, `:status` first.
        headers: Vec<(&'static str, String)>,
        /// The body.
        body: Vec<u8>,
    },
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
        let Arrival { asked, dialect, key, active, request_id, forward, content_type, now } = arrival;
        Self {
            asked,
            dialect,
            key,
            active,
            request_id,
            started: now,
            forward,
            content_type,
            content: Content::default(),
            prompt_bytes: 0,
            peek: None,
            plan: Vec::new(),
            passed_over: Vec::new(),
            at: 0,
            same_used: 0,
            prepared: None,
            pause: Pause::None,
            attempt: None,
            attempts: Vec::new(),
            failures: Failures::default(),
            loss: Vec::new(),
            echo: None,
            kept: None,
            is_noted: false,
            named: Named::default(),
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
    pub fn admit(&mut self, state: &State, body: Vec<u8>, random: u64) -> Result<Admitted, Rejection> {
        let admitted = self.try_admit(state, body, random);
        self.conclude(admitted)
    }

    fn conclude(&mut self, admitted: Result<Admitted, Rejection>) -> Result<Admitted, Rejection> {
        match &admitted {
            Err(rejection) => self.refuse(rejection),
            Ok(Admitted::Answer { .. }) => {
                self.answer = Answer::Served;
                self.content_done();
            }
            Ok(Admitted::Start(_) | Admitted::Seek(_)) => {}
        }
        admitted
    }

    fn try_admit(&mut self, state: &State, body: Vec<u8>, random: u64) -> Result<Admitted, Rejection> {
        self.kept = Some(Rc::clone(state.kept()));
        self.content = Content::read(&self.asked, std::mem::take(&mut self.content_type), body)?;
        self.peek = Some(self.content.peek(self.dialect, &self.asked)?.into_owned());
        self.go_on(state, random)
    }

    /// Plans and prepares, once it is known who keeps what the request names.
    fn go_on(&mut self, state: &State, random: u64) -> Result<Admitted, Rejection> {
        if let Some(id) = self.find_keeper(state)? {
            if self.asked.stored.is_none() {
                // What nobody here could serve, whoever keeps what it builds on, is refused for that.
                self.plan_for(state, random)?;
            }
            return Ok(Admitted::Seek(id));
        }
        let Plan { steps, passed_over } = self.plan_for(state, random)?;
        self.plan = steps;
        self.passed_over = passed_over;
        if self.plan.is_empty() {
            let (headers, body) = self.estimated_count();
            return Ok(Admitted::Answer { headers, body });
        }
        self.prepare_first()?;
        let default_ms = self.active.settings.first_token_deadline_ms;
        let deadlines =
            self.plan.iter().map(|step| step.provider.first_token_deadline_ms.unwrap_or(default_ms));
        self.deadline_ms = deadlines.max().unwrap_or(default_ms);
        let Some(cluster) = self.step().map(|step| step.provider.cluster.clone()) else {
            return Err(Rejection::new(500, "internal_error", "The plan is empty. Tell the operator."));
        };
        let tries = self.plan.len() * (usize::from(self.policy().same_provider) + 1);
        Ok(Admitted::Start(Start {
            cluster,
            max_retries: u32::try_from(tries.saturating_sub(1)).unwrap_or(u32::MAX),
            deadline_ms: self.deadline_ms,
        }))
    }

    fn plan_for(&self, state: &State, random: u64) -> Result<Plan, Rejection> {
        let keeper = self.keeper().map(|maker| maker.provider.as_str());
        let Some(peek) = &self.peek else { return Err(reject::local_reply(500, self.max_body_bytes())) };
        if let Some(stored) = &self.asked.stored {
            return plan::plan_stored(state, &self.key, &stored.id, keeper);
        }
        let model = peek.model.plain();
        if !crate::config::is_model_id(&model) {
            return Err(plan::bad_model_id());
        }
        let native = peek.native.or_else(|| peek.builds_on.as_ref().map(|_| "previous_response_id"));
        let wish = Wish {
            endpoint: self.asked.endpoint,
            dialect: self.dialect,
            model: &model,
            needs: peek.needs,
            native,
            keeper,
            random,
        };
        let mut plan = plan::plan(state, &self.key, &wish)?;
        // Nobody else has it: another provider could at the most have something else of that name, and another key's.
        if let Some(keeper) = keeper {
            let (steps, others): (Vec<Step>, Vec<Step>) =
                plan.steps.into_iter().partition(|step| step.provider.name == keeper);
            plan.steps = steps;
            if plan.steps.is_empty() {
                return Err(plan::unknown_previous(&self.named_id().unwrap_or_default()));
            }
            for step in others {
                let left_out = step.passed_over("previous_response_id");
                if !plan.passed_over.contains(&left_out) {
                    plan.passed_over.push(left_out);
                }
            }
        }
        Ok(plan)
    }

    /// Prepares the first step that the request can be written for. Where it can be written for none, the first one's
    /// reason is the client's.
    fn prepare_first(&mut self) -> Result<(), Rejection> {
        let mut reason = None;
        while self.at < self.plan.len() {
            match self.prepare() {
                Ok(()) => return Ok(()),
                Err(Unfit::Request(rejection)) => return Err(rejection),
                Err(Unfit::Step { lacks, rejection }) => {
                    self.pass_over(self.at, &lacks);
                    reason.get_or_insert(rejection);
                    self.at += 1;
                }
            }
        }
        self.at = 0;
        Err(reason.unwrap_or_else(|| reject::local_reply(500, self.max_body_bytes())))
    }

    fn pass_over(&mut self, index: usize, lacks: &str) {
        let left_out = self.plan.get(index).map(|step| step.passed_over(lacks));
        self.passed_over.extend(left_out.filter(|left_out| !self.passed_over.contains(left_out)));
    }

    /// Nobody who serves the model can count: the client gets our own estimate, which is about four bytes a token. All
    /// headers, `:status` first, and the body.
    fn estimated_count(&self) -> (Vec<(&'static str, String)>, Vec<u8>) {
        let tokens = self.peek.as_ref().map_or(0, |peek| peek.needs.prompt_tokens).max(1);
        let mut body = Vec::with_capacity(64);
        inbound(self.dialect).encode_count(tokens, &mut body);
        let mut headers =
            vec![(":status", "200".to_owned()), ("content-type", "application/json".to_owned())];
        let names = reject::identify(self.dialect, &self.request_id);
        headers.extend(names.map(|(name, value)| (name, value.to_owned())));
        headers.push(("x-sluice-usage-source", "estimated".to_owned()));
        (headers, body)
    }

    /// The client is refused: the record says so.
    pub fn refuse(&mut self, rejection: &Rejection) {
        self.answer = Answer::Refused { status: rejection.error.status, code: rejection.error.code.clone() };
        self.content = Content::default();
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
            reject::local_reply(status, self.max_body_bytes())
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

    fn operation(&self) -> Operation {
        self.asked.endpoint.operation()
    }

    fn streams(&self) -> bool {
        self.peek.as_ref().is_some_and(|peek| peek.stream)
    }

    /// Whether the current step is asked in the client's own words.
    fn is_patched(&self) -> bool {
        self.step().is_some_and(|step| self.is_patched_at(step))
    }

    /// Whether a step is asked in the client's own words: in its dialect, in a form that the dialect's clients have.
    fn is_patched_at(&self, step: &Step) -> bool {
        step.dialect == self.dialect && !target(&self.asked, step).predicts
    }

    fn form(&self) -> Option<Form> {
        let include_usage = self.peek.as_ref().is_some_and(|peek| peek.include_usage);
        let step = self.step()?;
        Some(Form {
            client: self.dialect,
            upstream: step.dialect,
            patched: self.is_patched(),
            provider: Rc::clone(&step.provider),
            maker: outbound(step.dialect).maker(&step.upstream_id),
            array: self.asked.array,
            context: ReplyContext {
                endpoint: self.asked.endpoint,
                created: self.started.unix(),
                include_usage,
                model: step.model_id().into(),
                request_id: self.request_id.as_str().into(),
                echo: self.echo.clone().unwrap_or_else(|| Rc::from("")),
            },
        })
    }
}

#[cfg(test)]
mod tests;
