//! One virtual provider: takes a request, writes it down, asks its vendor for the answer and its script for the course.
//!
//! Invariant: a behaviour of the script is used up by each `POST` that asks the model something, or by a request for the
//! path that the behaviour names; by nothing else.

use super::answer::{Answer, Call};
use super::attempt::{Arrival, Log, Ticket};
use super::behaviour::{Behaviour, Kind, Script};
use super::catalog::{Catalog, Model};
use super::fault::{self, At, Course, Reply};
use super::play::Play;
use super::socket::Fuse;
use super::vendor::{Site, Vendor};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Why a request gets no answer at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Dropped {
    /// The client left, or sent what is no request.
    #[error("the request did not arrive whole")]
    Incoming(#[from] hyper::Error),
    /// The script says so.
    #[error("scripted: the connection breaks")]
    Scripted,
    /// The reply has a header that HTTP does not know.
    #[error("the reply cannot be written")]
    Reply(#[from] http::Error),
}

/// A virtual provider.
#[derive(Debug)]
pub(crate) struct Provider {
    vendor: Box<dyn Vendor>,
    credential: Option<String>,
    catalog: Mutex<Catalog>,
    script: Mutex<Script>,
    log: Arc<Log>,
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Every change leaves the state whole, so a panic elsewhere cannot have broken it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Provider {
    /// A healthy provider. Without a credential it takes any.
    pub(crate) fn new(vendor: Box<dyn Vendor>, credential: Option<String>, epoch: Instant) -> Self {
        Self {
            catalog: Mutex::new(Catalog::of(vendor.models())),
            vendor,
            credential,
            script: Mutex::default(),
            log: Log::new(epoch),
        }
    }

    /// Whose API it is.
    pub(crate) fn vendor(&self) -> &dyn Vendor {
        self.vendor.as_ref()
    }

    /// What it saw.
    pub(crate) const fn log(&self) -> &Arc<Log> {
        &self.log
    }

    /// Replaces its script.
    pub(crate) fn script(&self, script: Script) {
        *locked(&self.script) = script;
    }

    /// How many behaviours are still to come.
    pub(crate) fn left(&self) -> usize {
        locked(&self.script).left()
    }

    /// Offers one more model.
    pub(crate) fn register(&self, model: Model) {
        locked(&self.catalog).register(model);
    }

    /// As on the first day, registered models aside: no script, nothing seen, nothing stored.
    pub(crate) fn reset(&self) {
        *locked(&self.script) = Script::default();
        self.vendor.reset();
        self.log.reset();
    }

    /// Plays one attempt.
    pub(crate) async fn serve(
        self: Arc<Self>,
        request: Request<Incoming>,
        connection: u64,
        fuse: Fuse,
    ) -> Result<Response<Play>, Dropped> {
        let (head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let site = Site { path: head.uri.path(), query: head.uri.query().unwrap_or_default() };
        let asking = head.method == http::Method::POST && self.vendor.asks(site);
        let behaviour = locked(&self.script).next(site.path, asking);
        let model = self.vendor.model(site, &body);
        let ticket = self.log.open(arrival(&head, &body, connection), model, &behaviour.kind.name());
        let answer = self.answer(&head, &body, &behaviour);
        ticket.note(|attempt| {
            attempt.refused.clone_from(&answer.refused);
            attempt.consumed = answer.consumed;
        });
        if !behaviour.delay().is_zero() {
            tokio::time::sleep(behaviour.delay()).await;
        }
        match fault::apply(At { vendor: self.vendor(), site }, &behaviour, answer) {
            Course::Reply(reply) => send(behaviour.kind, reply, fuse, ticket),
            Course::Break(how) => {
                fuse.blow(how);
                ticket.settle(&outcome(behaviour.kind, true));
                Err(Dropped::Scripted)
            }
            // When the client leaves, hyper drops this future, and with it the ticket.
            Course::Silence => Ok(std::future::pending().await),
        }
    }

    fn answer(&self, head: &http::request::Parts, body: &Bytes, behaviour: &Behaviour) -> Answer {
        let catalog = locked(&self.catalog).clone();
        let call = Call {
            method: &head.method,
            path: head.uri.path(),
            query: head.uri.query().unwrap_or_default(),
            headers: &head.headers,
            body,
            catalog: &catalog,
            credential: self.credential.as_deref(),
            bias: fault::bias(behaviour),
            now: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs()),
        };
        self.vendor.answer(&call)
    }
}

fn arrival(head: &http::request::Parts, body: &Bytes, connection: u64) -> Arrival {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Arrival {
        connection,
        method: head.method.to_string(),
        path: head.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        headers: head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body: body.clone(),
    }
}

fn outcome(kind: Kind, faulty: bool) -> String {
    if faulty { format!("fault:{}", kind.name()) } else { "completed".to_owned() }
}

fn send(kind: Kind, reply: Reply, fuse: Fuse, ticket: Ticket) -> Result<Response<Play>, Dropped> {
    let Reply { status, headers, promised, pieces, whole, end, faulty } = reply;
    let size = whole.then(|| pieces.iter().map(|piece| piece.bytes.len() as u64).sum());
    ticket.note(|attempt| attempt.status = Some(status));
    let mut response = Response::new(Play::new(pieces, end, outcome(kind, faulty), size, fuse, ticket));
    *response.status_mut() = StatusCode::from_u16(status).map_err(http::Error::from)?;
    for (name, value) in headers {
        let name = HeaderName::try_from(name).map_err(http::Error::from)?;
        response.headers_mut().append(name, HeaderValue::try_from(value).map_err(http::Error::from)?);
    }
    if let Some(promised) = promised {
        response.headers_mut().insert(http::header::CONTENT_LENGTH, promised.into());
    }
    Ok(response)
}
