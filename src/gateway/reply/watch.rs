//! The patch lane of a stream: events pass as they came, and an observer looks at each.
//!
//! Invariant: an event that reports a failure goes out only if it does not quote the provider's credential; nothing else is
//! searched for it, and nothing else is changed.

use crate::dialect::{Observe, Sight};
use crate::ir::error::{ApiError, Fault};
use crate::provider::Upstream;
use crate::wire::sse::Splitter;
use std::rc::Rc;

/// An event waits until it is whole, because only then is it known to be no report of a failure, unless it is longer than this:
/// it holds a picture, and its client need not wait for the last byte to see the first.
const LONG: usize = 64 << 10;

/// A stream that passes.
pub(super) struct Watch {
    pub(super) observer: Box<dyn Observe>,
    splitter: Splitter,
    provider: Rc<Upstream>,
    /// Whether the beginning of a long event may go out before its end: no event is ever taken out, and nobody waits for the whole.
    early: bool,
    /// How much of the event that is not whole has gone out.
    passed: usize,
    /// The provider's report of a failure was kept back.
    pub(super) withheld: bool,
}

impl Watch {
    pub(super) fn new(observer: Box<dyn Observe>, provider: Rc<Upstream>, early: bool) -> Self {
        Self { observer, splitter: Splitter::default(), provider, early, passed: 0, withheld: false }
    }

    /// Takes the next bytes. Says besides whether what was appended to `out` is what came in.
    pub(super) fn push(
        &mut self,
        chunk: &[u8],
        answered: &mut bool,
        out: &mut Vec<u8>,
    ) -> (Result<(), Fault>, bool) {
        let mut unchanged = self.splitter.pending().is_empty();
        let mut result = Ok(());
        let mut splitter = std::mem::take(&mut self.splitter);
        let pushed = splitter.push(chunk, |block| {
            if result.is_ok() {
                match self.observer.block(block) {
                    Ok(Sight::Unasked) => {
                        unchanged = false;
                        return;
                    }
                    Ok(Sight::Token) => *answered = true,
                    Ok(Sight::Silent) => {}
                    Err(fault) => result = Err(fault),
                }
            }
            unchanged &= self.pass(block, &result, out);
        });
        self.splitter = splitter;
        if result.is_ok() {
            self.pass_long(out);
        }
        unchanged &= self.splitter.pending().is_empty();
        (result.and(pushed.map_err(|error| Fault::Invalid(error.to_string()))), unchanged)
    }

    /// The upstream closed the stream in order. What it left unfinished goes out only where nothing is said behind it: it is no
    /// event, and what follows would be read as a part of it.
    pub(super) fn finish(&mut self, answered: &mut bool, out: &mut Vec<u8>) -> Result<(), Fault> {
        let rest = self.splitter.take_pending();
        if !rest.is_empty() {
            let seen = self.observer.block(&rest);
            *answered |= seen == Ok(Sight::Token);
            let passes = match &seen {
                Ok(Sight::Unasked) => false,
                // The line feed of the last event's end may come late.
                Ok(_) => self.observer.is_complete() || rest == b"\n",
                // An error passes too: the provider says it, and nobody else will.
                Err(fault) => matches!(fault, Fault::Error(_)),
            };
            if passes {
                self.pass(&rest, &seen.clone().map(drop), out);
            }
            seen?;
        }
        if self.observer.is_complete() {
            // A reply may be whole without a word in it: an immediate stop is an answer.
            *answered = true;
            return Ok(());
        }
        Err(if *answered { Fault::Truncated } else { Fault::Empty })
    }

    /// Appends the error that ends a broken stream, as an event of its own.
    pub(super) fn error(&mut self, error: &ApiError, request_id: &str, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.passed) > 0 {
            // The beginning of a long event is gone, and its end will not come.
            out.extend_from_slice(b"\n\n");
        }
        self.observer.error(error, request_id, out);
    }

    /// Lets an event go on, or what is left of it; says whether it did unchanged. `so_far` is what has been seen, this event
    /// included.
    fn pass(&mut self, block: &[u8], so_far: &Result<(), Fault>, out: &mut Vec<u8>) -> bool {
        let passed = std::mem::take(&mut self.passed);
        let rest = block.get(passed..).unwrap_or_default();
        let quoted = match so_far {
            Ok(()) => false,
            Err(fault) => {
                let told = matches!(fault, Fault::Error(error) if self.provider.is_quoted_by(error));
                told || self.provider.is_quoted_in(block)
            }
        };
        if !quoted {
            out.extend_from_slice(rest);
        } else if passed == 0 {
            self.withheld = true;
        } else {
            // Its beginning is gone and cannot be said in other words.
            out.extend_from_slice(self.provider.redact(&String::from_utf8_lossy(rest)).as_bytes());
        }
        !quoted
    }

    /// Lets the beginning of a long event go on, as long as it quotes nothing and but for what may be the beginning of a quote.
    fn pass_long(&mut self, out: &mut Vec<u8>) {
        let pending = self.splitter.pending();
        if !self.early || pending.len() <= LONG {
            return;
        }
        let waiting = pending.get(self.passed..).unwrap_or_default();
        let goes = waiting.len().saturating_sub(self.provider.longest_secret());
        if !self.provider.is_quoted_in(waiting) {
            out.extend_from_slice(waiting.get(..goes).unwrap_or_default());
            self.passed += goes;
        }
    }
}
