//! The record of an exchange, made once at its very end.

use super::attempt::State;
use super::content::Content;
use super::{Answer, Exchange};
use crate::config::{Operation, Record, Usage, UsageSource};
use crate::dialect::{Progress, Summary};
use crate::gateway::Now;
use crate::gateway::classify::Class;
use crate::gateway::kept::MAX_ID;
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

/// A word that somebody else wrote, cut: a record has to fit into a message.
fn cut(word: &str) -> String {
    word.chars().take(256).collect()
}

impl Exchange {
    /// The body need not be kept once nothing can be tried again; its length is what estimates need.
    pub(super) fn content_done(&mut self) {
        self.prompt_bytes = self.content.bytes().len();
        self.content = Content::default();
    }

    /// Makes the record. The exchange is over.
    #[must_use]
    pub fn record(mut self, stamp: Stamp<'_>, end: End) -> Record {
        self.close(end.now);
        let (status, error) = match &self.answer {
            Answer::None => (end.status, None),
            Answer::Served => (200, None),
            Answer::Refused { status, code } => (*status, code.as_deref().map(cut)),
        };
        let served = self.served.and_then(|at| self.plan.get(at));
        let stored = self.operation() == Operation::Stored;
        // What was not made in the background was booked when it was made, and is only looked at here.
        let summary = self.attempt.as_ref().map(|attempt| &attempt.summary);
        let summary = summary.filter(|summary| !stored || self.is_background(summary));
        let (usage, usage_source) = match (served, summary) {
            (Some(_), Some(summary)) => self.usage(summary),
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
            endpoint: self.asked.endpoint,
            requested_model: self
                .peek
                .as_ref()
                .map(|peek| cut(&peek.model.plain()))
                .filter(|model: &String| !model.is_empty()),
            model: self.model(summary, usage_source),
            provider: served.map(|step| step.provider.name.clone()),
            stream: self.streams(),
            reply: self.reply(summary),
            background: served.is_some() && summary.is_some_and(|summary| self.is_background(summary)),
            status,
            error,
            ttft_us: self.ttft_us,
            duration_us: end.now.mono_us.saturating_sub(self.started.mono_us),
            overhead_us: self.overhead_us,
            usage,
            usage_source,
            finish_reason: summary
                .filter(|_| served.is_some())
                .and_then(|summary| summary.finish_reason.as_deref().map(cut)),
            dropped_params: self.loss,
            passed_over: self.passed_over,
            attempts: self.attempts,
        }
    }

    /// Whether the reply is made in the background. A stream of a stored one that has not said so yet (it started after
    /// the beginning) is of one that is: vendors stream no other back.
    fn is_background(&self, summary: &Summary) -> bool {
        let replayed = self.operation() == Operation::Stored && self.streams();
        let unsaid = summary.stored.is_none() && summary.output_bytes > 0;
        summary.background().is_some() || (replayed && unsaid)
    }

    /// What a served reply used, and whose count that is.
    fn usage(&self, summary: &Summary) -> (Usage, UsageSource) {
        let partial = self.attempts.last().is_some_and(|last| last.class == Class::Partial.name());
        // Vectors are made of something: who counts nothing has not counted.
        let counted = summary.usage.filter(|usage| self.operation() != Operation::Embed || usage.input > 0);
        match (self.operation(), counted, partial) {
            // Counting is free everywhere.
            (Operation::Count, ..) => (Usage::default(), UsageSource::None),
            (_, Some(usage), false) => (usage, UsageSource::Provider),
            // Neither a picture nor a form is text: its bytes say nothing of tokens.
            (Operation::Image, counted, partial) => {
                let images = self.peek.as_ref().map_or(1, |peek| peek.n.max(1));
                let usage = counted.unwrap_or(Usage { images, ..Usage::default() });
                (usage, if partial { UsageSource::Partial } else { UsageSource::Estimated })
            }
            (operation, None, false) if summary.background() == Some(Progress::UnderWay) => {
                let looked_at = operation == Operation::Stored;
                let source = if looked_at { UsageSource::None } else { UsageSource::Deferred };
                (Usage::default(), source)
            }
            // Canceled before it began.
            (Operation::Stored, None, _) if summary.output_bytes == 0 => {
                (Usage::default(), UsageSource::None)
            }
            (_, None, false) => (estimate(self.prompt_bytes, summary), UsageSource::Estimated),
            (_, counted, true) => {
                let mut usage = counted.unwrap_or_default();
                let seen = estimate(self.prompt_bytes, summary);
                if usage.input == 0 {
                    usage.input = seen.input;
                }
                usage.output = usage.output.max(seen.output);
                (usage, UsageSource::Partial)
            }
        }
    }

    /// The id under which the reply is kept.
    fn reply(&self, summary: Option<&Summary>) -> Option<String> {
        let about = self.asked.stored.as_ref().map(|stored| stored.id.clone());
        about
            .or_else(|| {
                summary.filter(|_| self.served.is_some())?.stored.as_ref().map(|stored| stored.id.clone())
            })
            .filter(|id| id.len() <= MAX_ID)
    }

    /// The model that served. A call about a stored reply names none, but what it used was that reply's model's: its
    /// maker's word for it, or else the reply's own.
    fn model(&self, summary: Option<&Summary>, source: UsageSource) -> Option<String> {
        let served = self.served.and_then(|at| self.plan.get(at))?;
        let model = Some(served.model_id().to_owned()).filter(|model| !model.is_empty());
        if self.operation() != Operation::Stored || source == UsageSource::None {
            return model;
        }
        let maker = || self.keeper()?.model.clone();
        let own = || summary?.stored.as_ref()?.model.as_deref().map(cut);
        model.or_else(maker).or_else(own)
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
