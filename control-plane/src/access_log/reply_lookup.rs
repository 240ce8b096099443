//! The look-up of a stored reply that an Envoy has not seen made: its record tells who had it made, and where it is.

use crate::ledger::Ledger;
use crate::lookup::Answer;
use sluice::config::{Payload, ReplyRequest, reply_lookup};
use tonic::Status;

/// Who answers.
#[derive(Debug, Clone)]
pub(super) struct ReplyLookup(pub(super) Ledger);

impl Answer for ReplyLookup {
    const SERVICE: &'static str = reply_lookup::SERVICE;
    const METHOD: &'static str = reply_lookup::METHOD;
    type Question = ReplyRequest;

    async fn answer(self, question: ReplyRequest) -> Result<Payload, Status> {
        let makers = self.0.makers(&question.id).await.map_err(|error| {
            tracing::error!(%error, "the ledger cannot be asked who had a reply made");
            Status::unavailable("the ledger cannot be read")
        })?;
        let json = serde_json::to_vec(&makers).map_err(|error| {
            tracing::error!(%error, "who had a reply made cannot be written");
            Status::internal("the answer could not be written")
        })?;
        Ok(Payload { json })
    }
}
