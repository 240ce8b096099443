//! Events put together again: the whole reply that a stream told.

use sluice::ir::Text;
use sluice::ir::chat::{Choice, Finish, FinishReason, Part, Reply, ToolCall};
use sluice::ir::event::{Block, Delta, Event};

/// Takes events.
pub(crate) struct Assembler {
    reply: Reply<'static>,
    /// Candidates before the last.
    before: Vec<Choice<'static>>,
    whole: bool,
}

fn nothing() -> Choice<'static> {
    let finish = Finish { reason: FinishReason::Stop, word: "".into(), stop_sequence: None };
    Choice { parts: Vec::new(), finish, logprobs: Vec::new() }
}

impl Default for Assembler {
    fn default() -> Self {
        let reply =
            Reply { id: "".into(), model: "".into(), choice: nothing(), more: Vec::new(), usage: None };
        Self { reply, before: Vec::new(), whole: false }
    }
}

impl Assembler {
    /// Takes the next event.
    pub(crate) fn event(&mut self, event: Event<'_>) {
        let choice = &mut self.reply.choice;
        match event.into_owned() {
            Event::Start { id, model, .. } => (self.reply.id, self.reply.model) = (id, model),
            Event::BlockStart(block) => choice.parts.push(match block {
                Block::Text => Part::text(""),
                Block::Refusal => Part::Refusal { text: "".into() },
                Block::Thinking => Part::Thinking { text: "".into(), proof: None },
                Block::RedactedThinking { data } => Part::RedactedThinking { data },
                Block::ToolCall { id, name, custom, proof } => {
                    Part::ToolCall(ToolCall { custom, proof, ..ToolCall::function(id, name, "") })
                }
            }),
            Event::Delta(Delta::Logprobs(mut list)) => choice.logprobs.append(&mut list),
            Event::Delta(delta) => {
                let joined = |text: &Text<'_>, more: &Text<'_>| -> Text<'static> {
                    format!("{}{}", text.plain(), more.plain()).into()
                };
                match (choice.parts.last_mut(), delta) {
                    (Some(Part::Text { text, .. } | Part::Refusal { text }), Delta::Text(more))
                    | (Some(Part::Thinking { text, .. }), Delta::Thinking(more)) => {
                        *text = joined(text, &more)
                    }
                    (Some(Part::Thinking { proof, .. }), Delta::Proof(made)) => *proof = Some(made),
                    (Some(Part::ToolCall(call)), Delta::Arguments(more)) => {
                        call.arguments = format!("{}{}", call.arguments, more.plain()).into();
                    }
                    (open, delta) => panic!("{delta:?} in {open:?}"),
                }
            }
            Event::Finish(finish) => choice.finish = finish,
            Event::NextCandidate => self.before.push(std::mem::replace(choice, nothing())),
            Event::Usage(usage) => self.reply.usage = Some(usage),
            Event::End => self.whole = true,
            Event::BlockEnd | Event::Ping => {}
        }
    }

    /// The reply, or what there is of it and `false` if it is not whole.
    pub(crate) fn finish(mut self) -> (Reply<'static>, bool) {
        self.before.push(self.reply.choice);
        let mut choices = self.before.into_iter();
        let choice = choices.next().unwrap_or_else(nothing);
        (Reply { choice, more: choices.collect(), ..self.reply }, self.whole)
    }
}
