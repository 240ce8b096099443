//! What a client is told.

use sluice::config::Dialect;
use sluice::dialect::inbound;
use sluice::dialect::terms::{own, tell};
use sluice::ir::error::Malformed;
use sluice::ir::loss::Loss;

/// What was lost when a client's request was read, and when it was written, in the client's terms.
pub(crate) fn losses(client: Dialect, read: &Loss, written: &Loss) -> Vec<String> {
    let mut told = read.clone();
    tell(&inbound(client).terms(), written, &mut told);
    told.paths().to_vec()
}

/// Why a request could not be written, in the client's terms.
pub(crate) fn refusal(client: Dialect, malformed: Malformed) -> Malformed {
    let path = own(&inbound(client).terms(), &malformed.path).into_owned();
    Malformed { path, ..malformed }
}
