//! What follows a failure: the same provider again, the next step, or nothing.

use super::{Exchange, Step};
use crate::config::Operation;
use crate::gateway::classify::{self, Action, Class, Pause};
use crate::ir::error::ApiError;

impl Exchange {
    /// An attempt has failed: notes it, and moves to what is tried next. `false` if nothing is left.
    pub(super) fn fail(
        &mut self,
        class: Class,
        error: Option<ApiError>,
        retry_after_ms: Option<u64>,
    ) -> bool {
        if let Some(ms) = retry_after_ms {
            let smallest = self.failures.smallest_retry_after_ms.map_or(ms, |before| before.min(ms));
            self.failures.smallest_retry_after_ms = Some(smallest);
        }
        self.note(class, error);
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
                let is_wider = |step: &Step| {
                    let wider = step.model.as_ref().and_then(|model| model.context_window);
                    wider.is_some_and(|wider| wider > window)
                };
                for index in self.at + 1..self.plan.len() {
                    if self.plan.get(index).is_some_and(|step| !is_wider(step)) {
                        self.pass_over(index, "context");
                    }
                }
                self.advance(class, is_wider)
            }
            Action::Stop => false,
        }
    }

    /// Keeps what the client would be told, were this the end.
    fn note(&mut self, class: Class, error: Option<ApiError>) {
        let missing = class == Class::NotFound;
        // That somebody cannot count is no reason to tell: it is the failure of those who can that stands in the way.
        if class == Class::Uncounted {
            self.failures.last.get_or_insert(class);
            return;
        }
        self.failures.last = Some(class);
        // Where several are asked for what one of them keeps, "no such thing" says less than any other failure.
        let elsewhere = missing && self.seeks_keeper();
        if let Some(error) = error
            && !(elsewhere && self.failures.worded.as_ref().is_some_and(|(known, _)| *known != class))
        {
            self.failures.worded = Some((class, error));
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
            match self.prepare() {
                Ok(()) => {
                    self.failures.fallback.get_or_insert(class);
                    return true;
                }
                Err(unfit) => self.pass_over(index, unfit.lacks()),
            }
        }
        self.at = start;
        false
    }

    /// Whether all that was learnt of a count is that it cannot be made: nobody who could make it has failed at it.
    pub(super) fn nobody_counts(&self) -> bool {
        self.failures.last == Some(Class::Uncounted)
    }

    /// Whether only the provider that keeps something can serve the request, and which one it is may not be known.
    pub(super) fn seeks_keeper(&self) -> bool {
        self.operation() == Operation::Stored
            || self.peek.as_ref().is_some_and(|peek| peek.builds_on.is_some())
    }
}
