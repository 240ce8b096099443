//! Why a benchmark cannot go on.
//!
//! Invariant: a wrong answer ends the run. Figures of a gateway that fails are worth nothing.

use std::io;
use std::path::PathBuf;

/// Why a benchmark cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The system refused something.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why not.
        source: io::Error,
    },
    /// A peer does not speak HTTP/1.1 as this benchmark understands it.
    #[error("{0}")]
    Protocol(&'static str),
    /// A request was not answered as it must be.
    #[error("{who} answered {status}: {body}")]
    Answer {
        /// Who answered.
        who: String,
        /// The status.
        status: u16,
        /// The beginning of the body.
        body: String,
    },
    /// A process did not come up.
    #[error("{who} is not ready after {seconds} s ({why}); its log is {}", log.display())]
    NotReady {
        /// Who.
        who: String,
        /// How long was waited.
        seconds: u64,
        /// What it answered last.
        why: String,
        /// Where its output is.
        log: PathBuf,
    },
    /// JSON that is not what was expected.
    #[error("{what}: {source}")]
    Json {
        /// Whose.
        what: &'static str,
        /// Why.
        source: serde_json::Error,
    },
    /// A file of the system that does not say what it should.
    #[error("{0}: unexpected contents")]
    Contents(String),
}

impl Error {
    /// Says what was tried.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    /// A wrong answer; only the beginning of its body is kept.
    pub(crate) fn answer(who: &str, status: u16, body: &[u8]) -> Self {
        let body = String::from_utf8_lossy(body.get(..400).unwrap_or(body)).into_owned();
        Self::Answer { who: who.to_owned(), status, body }
    }
}
