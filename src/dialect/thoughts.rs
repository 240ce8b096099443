//! Thinking in a conversation's history that an upstream cannot take.
//!
//! Invariant: a proof goes home or nowhere, and that is no loss; words of the turn that is still going on are, where they
//! are left out. Those of earlier turns are not: vendors leave them out themselves (docs/decisions/0015).

use crate::ir::chat::{Message, Part, Role};
use crate::ir::loss::Loss;

/// Which turn is going on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Thoughts {
    /// The index of its first message.
    from: usize,
}

impl Thoughts {
    /// It begins behind what the user last said; what tools return says nothing of the user's.
    pub(super) fn of(messages: &[Message<'_>]) -> Self {
        let says = |message: &Message<'_>| {
            message.role == Role::User
                && message.parts.iter().any(|part| !matches!(part, Part::ToolResult { .. }))
        };
        Self { from: messages.iter().rposition(says).map_or(0, |at| at + 1) }
    }

    /// Tells of a part of the message at `position` that is left out.
    pub(super) fn leave_out(self, message: &Message<'_>, position: usize, part: usize, loss: &mut Loss) {
        let says = matches!(message.parts.get(part), Some(Part::Thinking { text, .. }) if !text.is_blank());
        if position >= self.from && says {
            loss.drop_in(message, part, "");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(messages: &[Message<'_>]) -> Vec<String> {
        let (thoughts, mut loss) = (Thoughts::of(messages), Loss::default());
        for (position, message) in messages.iter().enumerate() {
            (0..message.parts.len()).for_each(|part| thoughts.leave_out(message, position, part, &mut loss));
        }
        loss.paths().to_vec()
    }

    #[test]
    fn words_of_the_turn_that_is_going_on_are_lost_and_others_are_nobody_s() {
        let thought = |text: &'static str| Part::Thinking { text: text.into(), proof: None };
        let result = || Part::ToolResult { id: "c".into(), content: vec![], is_error: false, cache: false };
        let turn = |role, at, parts| Message::new(role, Some(at), parts);
        let mut messages = vec![
            turn(Role::User, 0, vec![Part::text("a")]),
            turn(Role::Assistant, 1, vec![thought("old"), Part::text("b")]),
            turn(Role::User, 2, vec![Part::text("c")]),
            turn(Role::Assistant, 3, vec![thought(" "), thought("new")]),
            turn(Role::User, 4, vec![result()]),
            turn(Role::Assistant, 5, vec![thought("newer")]),
        ];
        assert_eq!(lost(&messages), ["messages[3].content[1]", "messages[5].content[0]"]);
        messages.push(turn(Role::User, 6, vec![result(), Part::text("and?")]));
        assert_eq!(lost(&messages), Vec::<String>::new());
        assert_eq!(lost(&messages[3..4]), ["messages[3].content[1]"]);
    }
}
