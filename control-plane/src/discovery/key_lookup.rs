//! The look-up of an unknown but well-formed key.

use super::Discovery;
use crate::lookup::Answer;
use sluice::config::{KeyRequest, Payload, key_lookup};
use tonic::Status;

/// Who answers.
#[derive(Debug, Clone)]
pub(super) struct KeyLookup(pub(super) Discovery);

impl Answer for KeyLookup {
    const SERVICE: &'static str = key_lookup::SERVICE;
    const METHOD: &'static str = key_lookup::METHOD;
    type Question = KeyRequest;

    async fn answer(self, question: KeyRequest) -> Result<Payload, Status> {
        self.0.fleet.count_key_lookup();
        let snapshot = self.0.source.current();
        let key = snapshot.keys.get(&question.id).ok_or_else(|| Status::not_found("no such key"))?;
        let json = serde_json::to_vec(&*key.value).map_err(|error| {
            tracing::error!(%error, "a key cannot be written");
            Status::internal("the key could not be written")
        })?;
        Ok(Payload { json })
    }
}
