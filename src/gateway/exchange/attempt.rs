//! One attempt, from its request to its reply: held until the first token, then committed.

use super::{Answer, Exchange, Outgoing};
use crate::config::AttemptRecord;
use crate::config::RefusalPolicy;
use crate::dialect::{Summary, outbound};
use crate::gateway::Now;
use crate::gateway::classify::{self, Class, Pause};
use crate::gateway::headers::{Headers, get, is_returned};
use crate::gateway::reject::{self, Rejection};
use crate::gateway::reply::{self, Stream, Whole};
use crate::ir::error::{ApiError, ErrorKind, Fault};
use crate::wire::json::{Kind, Reader};

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

impl Exchange {
    /// An attempt begins. `random` spreads waits.
    pub fn begin(&mut self, now: Now, random: u64) -> Begin {
        let Some(outgoing) = self.prepared.take() else {
            let rejection = self.final_answer();
            self.refuse(&rejection);
            return Begin::Exhausted(rejection);
        };
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
        let form = self.form();
        let streams = self.peek.as_ref().is_some_and(|peek| peek.stream);
        let (Some(attempt), Some(form)) = (self.attempt.as_mut(), form) else { return Flow::Pass };
        attempt.status = get(&headers, ":status").and_then(|status| status.parse().ok()).unwrap_or(0);
        let event_stream = get(&headers, "content-type").is_some_and(|kind| {
            kind.get(..17).is_some_and(|kind| kind.eq_ignore_ascii_case("text/event-stream"))
        });
        attempt.headers = headers;
        attempt.body = match (attempt.status, streams && event_stream) {
            (200, true) => {
                Body::Stream { stream: Box::new(Stream::new(&form)), held: Vec::new(), unchanged: true }
            }
            (200, false) => Body::Whole(Vec::new()),
            _ => Body::Error(Vec::new()),
        };
        if ends { self.reply_body(&[], true, now) } else { Flow::Hold }
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
        let Some(form) = self.form() else { return Flow::Pass };
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
            outbound(form.upstream).decode_error(attempt.status, readable)
        };
        let class = classify::of_error(&error);
        let own = form.client == form.upstream && is_error_document(&body, &attempt.headers);
        let verbatim = own.then_some(body).filter(|body| !self.quotes_credential(body));
        self.failed_reply(attempt, class, error, verbatim, now)
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
        self.failed_reply(attempt, class, error, None, now)
    }

    fn whole_reply(&mut self, attempt: &mut Attempt, now: Now) -> Flow {
        let Body::Whole(body) = std::mem::replace(&mut attempt.body, Body::None) else { return Flow::Pass };
        let Some(form) = self.form() else { return Flow::Pass };
        let streams = self.peek.as_ref().is_some_and(|peek| peek.stream);
        let result = match reply::whole(&form, &body) {
            // The client waits for events; a whole reply is none.
            Ok(_) if streams => Err(Fault::Invalid("it is not an event stream".to_owned())),
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
                self.failed_reply(attempt, Class::Refusal, error, None, now)
            }
            Ok(Whole { body: translated, summary }) => {
                attempt.summary = summary;
                let length = translated.as_ref().map_or(body.len(), Vec::len);
                self.commit(attempt, translated, Some(length), true, now)
            }
            Err(fault) => self.faulty_reply(attempt, &fault, now),
        }
    }

    fn failed_reply(
        &mut self,
        attempt: &mut Attempt,
        class: Class,
        mut error: ApiError,
        verbatim: Option<Vec<u8>>,
        now: Now,
    ) -> Flow {
        if let Some(step) = self.step() {
            error.message = step.provider.redact(&error.message);
        }
        let retry_after_ms = classify::retry_after_ms(&attempt.headers, now.unix());
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
        let mut headers: Headers = Vec::with_capacity(attempt.headers.len() + 8);
        headers.push((":status".to_owned(), b"200".to_vec()));
        let same = self.form().is_some_and(|form| form.client == form.upstream);
        if same {
            headers.extend(attempt.headers.iter().filter(|(name, _)| is_returned(name)).cloned());
        } else {
            let kind: &[u8] =
                if length.is_some() { b"application/json" } else { b"text/event-stream; charset=utf-8" };
            headers.push(("content-type".to_owned(), kind.to_vec()));
            let kept = attempt
                .headers
                .iter()
                .filter(|(name, _)| matches!(name.as_str(), "x-request-id" | "request-id"));
            headers.extend(kept.cloned());
        }
        if let Some(length) = length {
            headers.push(("content-length".to_owned(), length.to_string().into_bytes()));
        }
        for (name, value) in reject::identify(self.dialect, &self.request_id) {
            // A provider of the client's dialect names the request itself, and its support asks for that name.
            if !headers.iter().any(|(known, _)| known == name) {
                headers.push((name.to_owned(), value.as_bytes().to_vec()));
            }
        }
        self.describe(&mut headers);
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
        // Nothing will be tried again: a large body need not live as long as a long stream.
        self.body_bytes_done();
        Flow::Answer { headers, body }
    }

    /// `x-sluice-provider`, `-model`, `-attempts`, `-fallback-reason`, `-dropped-params`.
    fn describe(&self, headers: &mut Headers) {
        let mut push = |name: &str, value: &str| headers.push((name.to_owned(), value.as_bytes().to_vec()));
        let at = self.served.unwrap_or(self.at);
        if let Some(step) = self.plan.get(at) {
            push("x-sluice-provider", &step.provider.name);
            push("x-sluice-model", step.model_id());
        }
        let under_way = usize::from(self.served.is_some());
        push("x-sluice-attempts", itoa::Buffer::new().format(self.attempts.len() + under_way));
        if let Some(class) = self.failures.fallback {
            push("x-sluice-fallback-reason", class.name());
        }
        if !self.loss.is_empty() {
            push("x-sluice-dropped-params", &visible(&self.loss.join(", ")));
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

/// Whether an error reply is a whole JSON object, which is what a client of the dialect can read.
fn is_error_document(body: &[u8], headers: &[(String, Vec<u8>)]) -> bool {
    let Ok(text) = std::str::from_utf8(body) else { return false };
    let mut reader = Reader::new(text);
    !is_packed(headers)
        && reader.peek() == Ok(Kind::Object)
        && reader.skip().and_then(|()| reader.end()).is_ok()
}

/// Whether a reply is compressed, although nobody asked for that.
fn is_packed(headers: &[(String, Vec<u8>)]) -> bool {
    get(headers, "content-encoding").is_some_and(|coding| coding != "identity")
}

/// Header values hold printable ASCII only, and not too much of it.
fn visible(text: &str) -> String {
    text.chars().take(1_024).map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' }).collect()
}
