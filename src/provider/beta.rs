//! What Anthropic's betas add to a request's body: flag and member go together, or the upstream answers 400 to the member.
//!
//! Spec: <https://code.claude.com/docs/en/llm-gateway-protocol>, <https://platform.claude.com/docs/en/api/beta-headers>.
//! Invariant: a member is withheld only where none of its flags may go.

use crate::config::Access;

/// Members, and the flags of which each needs one.
const PAIRS: &[(&str, &[&str])] = &[
    ("context_management", &["context-management-2025-06-27", "compact-2026-01-12"]),
    ("mcp_servers", &["mcp-client-2025-04-04", "mcp-client-2025-11-20"]),
    ("speed", &["fast-mode-2026-02-01"]),
];

/// The members that a rule keeps back from a request with these flags: theirs were sent, and may not go. What comes without
/// its flag is the upstream's to refuse.
pub(super) fn withheld(betas: &Access, flags: &str) -> Vec<&'static str> {
    let sent = || flags.split(',').map(str::trim);
    let gone = PAIRS.iter().filter(|(_, needed)| {
        let mut of_it = sent().filter(|flag| needed.contains(flag)).peekable();
        of_it.peek().is_some() && !of_it.any(|flag| betas.permits(flag))
    });
    gone.map(|(member, _)| *member).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_goes_with_the_last_of_its_flags() {
        let deny = ["context-management-*", "fast-mode-*", "mcp-client-2025-04-04"].map(str::to_owned);
        let rule = Access { allow: vec![], deny: deny.to_vec() };
        let none: [&str; 0] = [];
        assert_eq!(withheld(&rule, "context-management-2025-06-27,x"), ["context_management"]);
        assert_eq!(withheld(&rule, "context-management-2025-06-27, compact-2026-01-12"), none);
        assert_eq!(withheld(&rule, "mcp-client-2025-04-04,mcp-client-2025-11-20"), none);
        assert_eq!(withheld(&rule, "mcp-client-2025-04-04 , fast-mode-2026-02-01"), ["mcp_servers", "speed"]);
        assert_eq!(withheld(&rule, ""), none);
        assert_eq!(withheld(&Access::default(), "fast-mode-2026-02-01"), none);
    }
}
