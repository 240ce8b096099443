//! Finding fixtures: `tests/golden/<kind>/<dialect>/<case>.<extension>`. A name with more dots is an expectation.

use sluice::config::{Dialect, Endpoint};
use sluice::dialect::ReplyContext;
use std::fs;
use std::path::PathBuf;

/// What clients speak; the runners cross them all with [`UPSTREAMS`].
pub(crate) const CLIENTS: [Dialect; 4] = Dialect::CLIENTS;
/// What a chat client's reply needs besides.
pub(crate) fn context(client: Dialect) -> ReplyContext {
    let mut context = ReplyContext::new(chat(client), 1_700_000_000);
    context.model = "public-model".into();
    context.request_id = "00112233445566778899aabbccddeeff".into();
    context
}

/// Where a dialect's clients chat. What no client speaks has no clients.
pub(crate) fn chat(client: Dialect) -> Endpoint {
    client.chat().unwrap_or(Endpoint::ChatCompletions)
}

/// One input.
pub(crate) struct Fixture {
    /// Who wrote it.
    pub(crate) dialect: Dialect,
    /// Its path without the extension.
    pub(crate) stem: PathBuf,
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
}

impl Fixture {
    /// Its name, for messages.
    pub(crate) fn name(&self) -> String {
        let case = self.stem.file_name().unwrap_or_default().to_string_lossy();
        format!("{}/{case}", self.dialect.name())
    }
}

/// All inputs of a kind, in order of their names.
pub(crate) fn all(kind: &str, extension: &str) -> Vec<Fixture> {
    let mut found = Vec::new();
    for dialect in Dialect::ALL {
        let directory =
            PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(kind).join(dialect.name());
        let mut paths: Vec<PathBuf> =
            fs::read_dir(&directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.split_once('.').is_some_and(|(_, rest)| rest == extension) {
                let bytes = fs::read(&path).unwrap_or_default();
                found.push(Fixture { dialect, stem: path.with_extension(""), bytes });
            }
        }
    }
    assert!(!found.is_empty(), "no fixtures of kind {kind} with extension {extension}");
    found
}
