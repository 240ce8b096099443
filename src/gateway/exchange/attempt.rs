//! One attempt, from its request to its reply: held until the first token, then committed.

use super::outgoing::target;
use super::{Answer, Exchange, Outgoing};
use crate::config::{AttemptRecord, Dialect, Maker, Operation, RefusalPolicy};
use crate::dialect::{Summary, outbound};
use crate::gateway::Now;
use crate::gateway::classify::{self, Class, Pause};
use crate::gateway::headers::{Headers, get};
use crate::gateway::plan::plain;
use crate::gateway::reject::Rejection;
use crate::gateway::reply::{self, Stream, Whole};
use crate::ir::error::{ApiError, ErrorKind, Fault};
use crate::wire::json::Reader;

/// An error reply is read up to here; the rest of it says nothing that a client needs.
const MAX_ERROR_BODY: usize = 64 << 10;

/// Envoy's timers count from when its event loop last read the clock: by ours they may be early by as long as one turn of
/// the loop takes. What breaks this shortly before the deadline has been silent for as long as matters.
const EARLY_MS: u64 = 50;

/// An attempt under way or ended.
#[derive(Debug)]
pub(super) struct Attempt {
    /// When Envoy began to count towards the deadline.
    made_us: u64,
    /// When it was sent, after a pause if there is one.
    started_us: u64,
    status: u16,
    headers: Headers,
    body: Body,
    pub(super) state: State,
    pub(super) summary: Summary,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing has reached the client.
    Held,
    /// The client has the headers and the first token.
    Committed,
    /// It is over.
    Ended,
}

#[derive(Debug)]
enum Body {
    /// No headers yet.
    None,
    /// An error reply, collected.
    Error(Vec<u8>),
    /// A whole reply, collected.
    Whole(Vec<u8>),
    /// A streamed reply; what is held for the client, and whether that is the upstream's bytes.
    Stream { stream: Box<Stream>, held: Vec<u8>, unchanged: bool },
}

/// What the shell is to do with the upstream's reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flow {
    /// Keep it back.
    Hold,
    /// Let it go on as it is.
    Pass,
    /// Let this go on instead of the bytes that came.
    Emit(Vec<u8>),
    /// Answer the client: replace the headers, and the body held so far unless it is `None`.
    Answer {
        /// All headers, `:status` first.
        headers: Vec<(String, Vec<u8>)>,
        /// The body.
        body: Option<Vec<u8>>,
    },
    /// Give this reply up and try this cluster.
    Retry {
        /// The next attempt's cluster.
        cluster: String,
        /// Seconds to wait before, asked for by the provider.
        after_s: Option<u64>,
    },
}

/// How an attempt begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begin {
    /// Send this.
    Send {
        /// The request.
        outgoing: Outgoing,
        /// After so many milliseconds.
        wait_ms: u64,
    },
    /// Answer the client: Envoy would retry once more than there is something to try.
    Exhausted(Rejection),
}

/// What is known of an attempt that got no reply, or only the beginning of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lost {
    /// Whether a connection was made.
    pub connected: bool,
}

/// A reply that is no answer.
struct Failure {
    class: Class,
    error: ApiError,
    /// The provider's own body, where the client can read it.
    verbatim: Option<Vec<u8>>,
    /// Milliseconds, where the body says so.
    asked_to_wait: Option<u64>,
}

impl Failure {
    const fn of(class: Class, error: ApiError) -> Self {
        Self { class, error, verbatim: None, asked_to_wait: None }
    }
}

impl Exchange {
    /// An attempt begins. `random` spreads waits.
    pub fn begin(&mut self, now: Now, random: u64) -> Begin {
        let Some(mut outgoing) = self.prepared.take() else {
            let rejection = self.final_answer();
            self.refuse(&rejection);
            return Begin::Exhausted(rejection);
        };
        self.sign(&mut outgoing, now.unix());
        let wait_ms = match std::mem::replace(&mut self.pause, Pause::None) {
            Pause::Backoff => {
                let base = u64::from(self.policy().backoff_ms);
                base + random % (base / 4 + 1)
            }
            Pause::None | Pause::RetryAfter(_) => 0,
        };
        self.attempt = Some(Attempt {
            made_us: now.mono_us,
            started_us: now.mono_us + wait_ms * 1_000,
            status: 0,
            headers: Vec::new(),
            body: Body::None,
            state: State::Held,
            summary: Summary::default(),
        });
        Begin::Send { outgoing, wait_ms }
    }

    /// The reply's headers have come. `ends` says whether there is no body.
    pub fn reply_head(&mut self, headers: Headers, ends: bool, now: Now) -> Flow {
        let status = get(&headers, ":status").and_then(|status| status.parse().ok()).unwrap_or(0);
        let streams = status == 200 && self.streams() && self.is_stream(&headers);
        let form = if streams { self.form() } else { None };
        let Some(attempt) = self.attempt.as_mut() else { return Flow::Pass };
        attempt.status = status;
        attempt.headers = headers;
        attempt.body = match (status, form) {
            (_, Some(form)) => {
                Body::Stream { stream: Box::new(Stream::new(&form)), held: Vec::new(), unchanged: true }
            }
            (200, None) => Body::Whole(Vec::new()),
            _ => Body::Error(Vec::new()),
        };
        if ends { self.reply_body(&[], true, now) } else { Flow::Hold }
    }

    /// Whether a reply's type is that of its dialect's streams.
    fn is_stream(&self, headers: &[(String, Vec<u8>)]) -> bool {
        let Some(step) = self.step() else { return false };
        let wanted = outbound(step.dialect).stream_type();
        let kind = get(headers, "content-type").and_then(|kind| kind.split(';').next());
        kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case(wanted))
    }

    /// The next bytes of the reply's body.
    pub fn reply_body(&mut self, chunk: &[u8], ends: bool, now: Now) -> Flow {
        let Some(mut attempt) = self.attempt.take() else { return Flow::Pass };
        let flow = match attempt.state {
            State::Held => self.held_body(&mut attempt, chunk, ends, now),
            State::Committed => self.committed_body(&mut attempt, chunk, ends, now),
            State::Ended => Flow::Emit(Vec::new()),
        };
        self.attempt = Some(attempt);
        flow
    }

    fn held_body(&mut self, attempt: &mut Attempt, chunk: &[u8], ends: bool, now: Now) -> Flow {
        match &mut attempt.body {
            Body::None => Flow::Pass,
            Body::Error(body) => {
                let room = MAX_ERROR_BODY.saturating_sub(body.len());
                body.extend_from_slice(chunk.get(..chunk.len().min(room)).unwrap_or_default());
                if ends { self.error_reply(attempt, now) } else { Flow::Hold }
            }
            Body::Whole(body) => {
                body.extend_from_slice(chunk);
                if ends { self.whole_reply(attempt, now) } else { Flow::Hold }
            }
            Body::Stream { stream, held, unchanged } => {
                let mut result = stream.push(chunk, &self.request_id, held);
                if let Ok(pushed) = &result {
                    *unchanged &= pushed.unchanged;
                    if ends {
                        result = stream.finish(&self.request_id, held);
                    }
                }
                attempt.summary = stream.summary().clone();
                match result {
                    Err(fault) => self.faulty_reply(attempt, &fault, now),
                    Ok(pushed) => {
                        *unchanged &= pushed.unchanged;
                        if !pushed.answered {
                            return Flow::Hold;
                        }
                        let body = (!*unchanged).then(|| std::mem::take(held));
                        self.commit(attempt, body, None, ends, now)
                    }
                }
            }
        }
    }

    fn committed_body(&mut self, attempt: &mut Attempt, chunk: &[u8], ends: bool, now: Now) -> Flow {
        let Body::Stream { stream, .. } = &mut attempt.body else { return Flow::Pass };
        let mut out = Vec::with_capacity(chunk.len() + chunk.len() / 2);
        // After the answer a stream says its faults itself and returns no error.
        let mut unchanged =
            stream.push(chunk, &self.request_id, &mut out).is_ok_and(|pushed| pushed.unchanged);
        if ends {
            unchanged &= stream.finish(&self.request_id, &mut out).is_ok_and(|pushed| pushed.unchanged);
        }
        attempt.summary.clone_from(stream.summary());
        self.note_kept(attempt);
        let Body::Stream { stream, .. } = &mut attempt.body else { return Flow::Pass };
        if ends {
            let class = if stream.is_whole() { Class::Ok } else { Class::Partial };
            self.end_attempt(attempt, class, now);
        }
        if unchanged { Flow::Pass } else { Flow::Emit(out) }
    }

    /// The attempt ended without a whole reply: the connection failed, broke, or timed out. The cluster to try next, or
    /// `None` if the attempt was over anyway or nothing is left to try.
    pub fn lost(&mut self, lost: Lost, now: Now) -> Option<String> {
        let mut attempt = self.attempt.take()?;
        let cluster = match attempt.state {
            State::Ended => None,
            State::Committed => {
                self.end_attempt(&mut attempt, Class::Partial, now);
                None
            }
            State::Held => {
                let waited_ms = now.mono_us.saturating_sub(attempt.made_us) / 1_000;
                let early_ms = EARLY_MS.min(self.deadline_ms / 4);
                let class = match (&attempt.body, lost.connected) {
                    (Body::None, false) => Class::Connect,
                    // Envoy does not say that its timer fired.
                    _ if waited_ms.saturating_add(early_ms) >= self.deadline_ms => Class::Silence,
                    (Body::None, true) => Class::Reset,
                    _ => Class::Cut,
                };
                self.end_attempt(&mut attempt, class, now);
                if self.fail(class, None, None) {
                    self.step().map(|step| step.provider.cluster.clone())
                } else {
                    None
                }
            }
        };
        self.attempt = Some(attempt);
        cluster
    }

    fn error_reply(&mut self, attempt: &mut Attempt, now: Now) -> Flow {
        let Body::Error(body) = std::mem::replace(&mut attempt.body, Body::None) else { return Flow::Pass };
        let Some(upstream) = self.step().map(|step| step.dialect) else { return Flow::Pass };
        let error = if (200..400).contains(&attempt.status) {
            ApiError {
                status: 502,
                kind: ErrorKind::Server,
                code: Some("upstream_error".to_owned()),
                message: format!(
                    "The provider answered with status {}, which is no answer. Try again.",
                    attempt.status
                ),
                param: None,
            }
        } else {
            // What cannot be read is not shown either.
            let readable: &[u8] = if is_packed(&attempt.headers) { &[] } else { &body };
            outbound(upstream).decode_error(attempt.status, &attempt.headers, readable)
        };
        let class = match (self.operation(), self.step()) {
            (Operation::Count, Some(step)) => {
                let is_document = is_error_document(upstream, &body, &attempt.headers);
                classify::of_count_error(&error, is_document, plain(&step.upstream_id))
            }
            _ => classify::of_error(&error),
        };
        let own = upstream == self.dialect && is_error_document(self.dialect, &body, &attempt.headers);
        let asked_to_wait = outbound(upstream).retry_after_ms(&body);
        let verbatim = own.then_some(body).filter(|body| !self.quotes_credential(body));
        self.failed_reply(attempt, Failure { class, error, verbatim, asked_to_wait }, now)
    }

    fn faulty_reply(&mut self, attempt: &mut Attempt, fault: &Fault, now: Now) -> Flow {
        let class = classify::of_fault(fault);
        let error = match fault {
            Fault::Error(error) => error.clone(),
            other => ApiError {
                status: 502,
                kind: ErrorKind::Server,
                code: Some("upstream_error".to_owned()),
                message: format!("{other}. Try again."),
                param: None,
            },
        };
        self.failed_reply(attempt, Failure::of(class, error), now)
    }

    fn whole_reply(&mut self, attempt: &mut Attempt, now: Now) -> Flow {
        let Body::Whole(body) = std::mem::replace(&mut attempt.body, Body::None) else { return Flow::Pass };
        let (Some(form), Some(step)) = (self.form(), self.step()) else { return Flow::Pass };
        let result = match reply::whole(&form, &target(&self.asked, step), &attempt.headers, &body) {
            // The client waits for events; a whole reply is none.
            Ok(_) if self.streams() => Err(Fault::Invalid("it is not an event stream".to_owned())),
            result => result,
        };
        match result {
            Ok(Whole { summary, .. }) if summary.refused && self.policy().refusal == RefusalPolicy::Next => {
                let error = ApiError {
                    status: 400,
                    kind: ErrorKind::ContentFilter,
                    code: Some("content_filter".to_owned()),
                    message: "The provider refused to answer.".to_owned(),
                    param: None,
                };
                self.failed_reply(attempt, Failure::of(Class::Refusal, error), now)
            }
            Ok(Whole { body: translated, summary }) => {
                attempt.summary = summary;
                let length = translated.as_ref().map_or(body.len(), Vec::len);
                self.commit(attempt, translated, Some(length), true, now)
            }
            Err(fault) => self.faulty_reply(attempt, &fault, now),
        }
    }

    fn failed_reply(&mut self, attempt: &mut Attempt, failure: Failure, now: Now) -> Flow {
        let Failure { class, mut error, verbatim, asked_to_wait } = failure;
        if let Some(step) = self.step() {
            error = step.provider.redacted(error);
        }
        let retry_after_ms = classify::retry_after_ms(&attempt.headers, now.unix()).or(asked_to_wait);
        self.end_attempt(attempt, class, now);
        let status = error.status;
        if self.fail(class, Some(error), retry_after_ms)
            && let Some(step) = self.step()
        {
            let after_s = match self.pause {
                Pause::RetryAfter(ms) => Some(ms.div_ceil(1_000)),
                Pause::None | Pause::Backoff => None,
            };
            return Flow::Retry { cluster: step.provider.cluster.clone(), after_s };
        }
        if self.nobody_counts() {
            return self.answer_estimated();
        }
        let rejection = self.final_answer();
        let body = match verbatim {
            // The client's own fault in the client's own dialect: the provider's body says it best.
            Some(body) if rejection.error.status == status && !body.is_empty() => body,
            _ => rejection.body(self.dialect, &self.request_id),
        };
        let mut headers: Headers = Vec::with_capacity(8);
        for (name, value) in rejection.headers(self.dialect, &self.request_id) {
            headers.push((name.to_owned(), value.into_bytes()));
        }
        headers.push(("content-length".to_owned(), body.len().to_string().into_bytes()));
        self.describe(&mut headers);
        self.refuse(&rejection);
        Flow::Answer { headers, body: Some(body) }
    }

    /// Answers a count that every provider asked has turned out not to make.
    fn answer_estimated(&mut self) -> Flow {
        let (made, body) = self.estimated_count();
        let mut headers: Headers = Vec::with_capacity(made.len() + 2);
        headers.extend(made.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes())));
        for (name, number) in [("content-length", body.len()), ("x-sluice-attempts", self.attempts.len())] {
            headers.push((name.to_owned(), number.to_string().into_bytes()));
        }
        self.answer = Answer::Served;
        self.content_done();
        Flow::Answer { headers, body: Some(body) }
    }

    fn quotes_credential(&self, body: &[u8]) -> bool {
        self.step().is_some_and(|step| step.provider.is_quoted_in(body))
    }

    fn commit(
        &mut self,
        attempt: &mut Attempt,
        body: Option<Vec<u8>>,
        length: Option<usize>,
        ends: bool,
        now: Now,
    ) -> Flow {
        attempt.state = State::Committed;
        self.served = Some(self.at);
        self.ttft_us = Some(now.mono_us.saturating_sub(self.started.mono_us));
        self.answer = Answer::Served;
        let headers = self.answer_headers(&attempt.headers, length);
        if ends {
            let whole = match &attempt.body {
                Body::Stream { stream, .. } => stream.is_whole(),
                _ => true,
            };
            let class = match (whole, attempt.summary.refused) {
                (false, _) => Class::Partial,
                (true, true) => Class::Refusal,
                (true, false) => Class::Ok,
            };
            self.end_attempt(attempt, class, now);
        }
        self.note_kept(attempt);
        // Nothing will be tried again: a large body need not live as long as a long stream.
        self.content_done();
        Flow::Answer { headers, body }
    }

    /// Remembers who keeps the reply, once it is known that somebody does.
    fn note_kept(&mut self, attempt: &Attempt) {
        self.note_found();
        if self.operation() != Operation::Stored
            && !self.is_noted
            && let (Some(stored), Some(step)) = (&attempt.summary.stored, self.step())
            && let Some(kept) = &self.kept
        {
            let maker = Maker {
                provider: step.provider.name.clone(),
                key: self.key.id.clone(),
                model: Some(step.model_id().to_owned()).filter(|model| !model.is_empty()),
            };
            kept.remember(&stored.id, &maker);
            self.is_noted = true;
        }
    }

    pub(super) fn end_attempt(&mut self, attempt: &mut Attempt, class: Class, now: Now) {
        attempt.state = State::Ended;
        if let Some(step) = self.step() {
            self.attempts.push(AttemptRecord {
                provider: step.provider.name.clone(),
                model: step.upstream_id.clone(),
                status: attempt.status,
                class: class.name().to_owned(),
                duration_us: now.mono_us.saturating_sub(attempt.started_us),
            });
        }
    }
}

/// Whether an error reply is a whole JSON object that a client of the dialect can read. Vertex, for one, says in Google's
/// shape what stands before Claude.
fn is_error_document(dialect: Dialect, body: &[u8], headers: &[(String, Vec<u8>)]) -> bool {
    let Ok(text) = std::str::from_utf8(body) else { return false };
    let wanted = match dialect {
        Dialect::Anthropic => Some(("type", "\"error\"")),
        Dialect::Gemini => Some(("error", "{")),
        // Vendors that imitate OpenAI have shapes of their own, and clients of these know them.
        Dialect::Openai | Dialect::Responses | Dialect::Bedrock => None,
    };
    let mut shaped = wanted.is_none();
    let mut read = || {
        let mut reader = Reader::new(text);
        reader.object()?;
        while let Some(name) = reader.key()? {
            let value = reader.raw()?;
            shaped |= wanted.is_some_and(|(wanted, begins)| name == wanted && value.starts_with(begins));
        }
        reader.end()
    };
    read().is_ok() && shaped && !is_packed(headers)
}

/// Whether a reply is compressed, although nobody asked for that.
fn is_packed(headers: &[(String, Vec<u8>)]) -> bool {
    get(headers, "content-encoding").is_some_and(|coding| coding != "identity")
}
