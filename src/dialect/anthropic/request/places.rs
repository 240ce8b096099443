//! What Anthropic takes, and in whose turn.

use crate::config::Dialect;
use crate::dialect::turns::{Place, is_foreign};
use crate::ir::chat::{Part, Role, Source};

/// What becomes of a part of a user's or the assistant's turn.
pub(super) fn place(role: Role, part: &Part<'_>) -> Place {
    // Anthropic refuses thinking that it has not signed, and what others have proved means nothing to it.
    if role == Role::Assistant && is_foreign(part, Dialect::Anthropic) {
        return Place::Foreign;
    }
    let fits = match (role, part) {
        (Role::User, Part::Text { .. } | Part::ToolResult { .. }) => true,
        (Role::User, Part::Image { source, .. }) => is_image(source),
        (Role::User, Part::Document { source, .. }) => is_document(source),
        (Role::Assistant, Part::Text { .. } | Part::Refusal { .. } | Part::ToolCall(_)) => true,
        (Role::Assistant, Part::RedactedThinking { .. } | Part::Thinking { .. }) => true,
        _ => false,
    };
    if fits { Place::Kept } else { Place::Lost }
}

/// Whether Anthropic finds images there.
pub(super) fn is_image(source: &Source<'_>) -> bool {
    match source {
        Source::Url(_) | Source::Base64 { .. } => true,
        Source::File(id) => id.home == Dialect::Anthropic,
        Source::Text(_) => false,
    }
}

/// Whether Anthropic reads documents of this kind.
pub(super) fn is_document(source: &Source<'_>) -> bool {
    match source {
        Source::Url(_) | Source::Text(_) => true,
        Source::File(id) => id.home == Dialect::Anthropic,
        Source::Base64 { media_type, .. } => {
            matches!(&*media_type.plain(), "application/pdf" | "text/plain")
        }
    }
}
