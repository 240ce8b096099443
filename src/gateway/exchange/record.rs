//! The record of an exchange, made once at its very end.

use super::attempt::State;
use super::{Answer, Exchange};
use crate::config::{Record, UsageSource};
use crate::gateway::Now;
use crate::gateway::classify::Class;
use crate::gateway::reply::estimate;

/// Who writes the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp<'a> {
    /// The VM.
    pub vm: &'a str,
    /// Its counter.
    pub seq: u64,
}

/// How the exchange ended, as Envoy saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// The status that was sent; 0 if none was.
    pub status: u16,
    /// When.
    pub now: Now,
}

impl Exchange {
    /// The body need not be kept once nothing can be tried again; its length is what estimates need.
    pub(super) fn body_bytes_done(&mut self) {
        self.prompt_bytes = self.body.len();
        self.body = String::new();
    }

    /// Makes the record. The exchange is over.
    #[must_use]
    pub fn record(mut self, stamp: Stamp<'_>, end: End) -> Record {
        self.close(end.now);
        let (status, error) = match &self.answer {
            Answer::None => (end.status, None),
            Answer::Served => (200, None),
            Answer::Refused { status, code } => (*status, code.clone()),
        };
        let served = self.served.and_then(|at| self.plan.get(at));
        let summary = self.attempt.as_ref().map(|attempt| &attempt.summary);
        let partial = self.attempts.last().is_some_and(|last| last.class == Class::Partial.name());
        let (usage, usage_source) = match (served, summary) {
            (Some(_), Some(summary)) => match (summary.usage, partial) {
                (Some(usage), false) => (usage, UsageSource::Provider),
                (None, false) => (estimate(self.prompt_bytes, summary), UsageSource::Estimated),
                (counted, true) => {
                    let mut usage = counted.unwrap_or_default();
                    let seen = estimate(self.prompt_bytes, summary);
                    if usage.input == 0 {
                        usage.input = seen.input;
                    }
                    usage.output = usage.output.max(seen.output);
                    (usage, UsageSource::Partial)
                }
            },
            _ => Default::default(),
        };
        Record {
            vm: stamp.vm.to_owned(),
            seq: stamp.seq,
            request_id: self.request_id.clone(),
            started_at_us: self.started.wall_us,
            key: Some(self.key.id.clone()),
            organization: self.key.organization.clone(),
            dialect: self.dialect,
            endpoint: self.endpoint,
            requested_model: self.peek.as_ref().map(|peek| peek.model.plain().chars().take(256).collect()),
            model: served.map(|step| step.model_id().to_owned()),
            provider: served.map(|step| step.provider.name.clone()),
            stream: self.peek.as_ref().is_some_and(|peek| peek.stream),
            status,
            error,
            ttft_us: self.ttft_us,
            duration_us: end.now.mono_us.saturating_sub(self.started.mono_us),
            overhead_us: self.overhead_us,
            usage,
            usage_source,
            finish_reason: summary
                .filter(|_| served.is_some())
                .and_then(|summary| summary.finish_reason.clone()),
            dropped_params: self.loss,
            attempts: self.attempts,
        }
    }

    /// Ends an attempt that is still under way: the client left.
    fn close(&mut self, now: Now) {
        let Some(mut attempt) = self.attempt.take() else { return };
        match attempt.state {
            State::Held => self.end_attempt(&mut attempt, Class::Canceled, now),
            State::Committed => self.end_attempt(&mut attempt, Class::Partial, now),
            State::Ended => {
                // An attempt that ended as lost, with nothing tried after it and nobody answered: it was the client that
                // hung up, and Envoy tears the upstream down first.
                if self.answer == Answer::None
                    && let Some(last) = self.attempts.last_mut()
                    && matches!(last.class.as_str(), "connect" | "reset" | "cut")
                {
                    Class::Canceled.name().clone_into(&mut last.class);
                }
            }
        }
        self.attempt = Some(attempt);
    }
}
