//! What the client is told when nothing is left to try.

use super::Exchange;
use crate::gateway::classify::Class;
use crate::gateway::reject::Rejection;
use crate::ir::error::ApiError;

impl Exchange {
    /// What the client gets when nothing is left to try: the last upstream's own words where there are any.
    pub(super) fn final_answer(&self) -> Rejection {
        let seconds = self.failures.smallest_retry_after_ms.map(|ms| ms.div_ceil(1_000).max(1));
        let (class, error) = match (&self.failures.worded, self.failures.last) {
            (_, Some(Class::Silence)) | (None, _) => (self.failures.last.unwrap_or(Class::Connect), None),
            (Some((class, error)), _) => (*class, Some(error)),
        };
        // A provider's complaint about our credential is the operator's to read, and may quote it.
        let said = error
            .filter(|_| class != Class::Credential)
            .map(|error| error.message.clone())
            .filter(|message| !message.is_empty());
        let (status, code, fallback) = match class {
            Class::RateLimit | Class::Quota => {
                (429, "rate_limit_exceeded", "Every provider is rate limited. Try again later.")
            }
            Class::Credential => {
                (502, "upstream_auth", "The provider refused the gateway's credential. Tell the operator.")
            }
            Class::Silence => (504, "upstream_timeout", "No provider answered in time. Try again."),
            Class::Connect => {
                (503, "no_provider_available", "No provider could be reached. Try again shortly.")
            }
            Class::NotFound if self.seeks_keeper() => return self.client_side(error, said),
            Class::NotFound => {
                (404, "model_not_found", "The provider does not have this model. Choose another.")
            }
            Class::ContextLength | Class::Refusal | Class::ClientError => {
                return self.client_side(error, said);
            }
            _ => (502, "upstream_error", "The provider failed. Try again."),
        };
        let message = said.unwrap_or_else(|| fallback.to_owned());
        let mut rejection = Rejection::new(status, code, message);
        rejection.retry_after_s = match status {
            429 => Some(seconds.unwrap_or(1)),
            503 => Some(1),
            _ => None,
        };
        rejection
    }

    /// The request itself is at fault: the upstream's status, code and words.
    fn client_side(&self, error: Option<&ApiError>, said: Option<String>) -> Rejection {
        let message = said
            .unwrap_or_else(|| "The provider refused the request. Correct it and send it again.".to_owned());
        let Some(error) = error else { return Rejection::new(400, "invalid_request", message) };
        let status = if (400..500).contains(&error.status) { error.status } else { 400 };
        let code = error.code.as_deref().unwrap_or("invalid_request");
        let mut rejection = Rejection::of(status, error.kind, code, message);
        rejection.error.param.clone_from(&error.param);
        rejection
    }
}
