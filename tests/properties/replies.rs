//! Replies that a dialect can say without a loss, by its row, and the events of a stream that tells one.

use super::requests::{arguments, short, text};
use super::rows::Row;
use proptest::option;
use proptest::prelude::*;
use sluice::config::Usage;
use sluice::ir::chat::{Choice, Finish, FinishReason, Logprob, Part, Reply, ToolCall};
use sluice::ir::event::{Block, Delta, Event};
use sluice::ir::{Proof, Text};

fn logprob() -> impl Strategy<Value = Logprob<'static>> {
    let number = || prop::sample::select(vec!["-0.25", "-1.0000000000000000001", "-9999.0"]);
    (text(), number(), prop::collection::vec((text(), number()), 0..3)).prop_map(|(token, logprob, top)| {
        Logprob {
            token,
            logprob: logprob.into(),
            top: top.into_iter().map(|(token, logprob)| (token, logprob.into())).collect(),
        }
    })
}

fn choice(row: &'static Row) -> BoxedStrategy<Choice<'static>> {
    let home = row.dialect;
    let parts = (
        option::of((text(), short())),
        text(),
        option::of(text()),
        prop::collection::vec((short(), arguments(false)), 0..3),
        "[a-z]{8}",
    );
    (parts, prop::sample::select(row.finishes.to_vec()), prop::collection::vec(logprob(), 1..3), text())
        .prop_map(move |((thought, said, refusal, calls, seed), (reason, word), logprobs, stop)| {
            let mut parts = Vec::new();
            if let Some((text, value)) = thought.filter(|_| row.replies_with("thinking")) {
                let proof = row.replies_with("proof").then_some(Proof { home, value });
                parts.push(Part::Thinking { text, proof });
            }
            parts.push(Part::text(said));
            let refusal = refusal.filter(|_| row.replies_with("refusal") && calls.is_empty());
            let refused = refusal.is_some();
            parts.extend(refusal.map(|text| Part::Refusal { text }));
            let called = !calls.is_empty();
            parts.extend(calls.into_iter().enumerate().map(|(at, (name, arguments))| {
                Part::ToolCall(ToolCall::function(format!("{seed}{at}"), name, arguments))
            }));
            let (reason, word) = match (called, refused) {
                (true, _) if row.replies_with("candidates") => (FinishReason::ToolCalls, "tool_calls"),
                (true, _) => (FinishReason::ToolCalls, "tool_use"),
                // In words: it ends like any other reply.
                (_, true) => (FinishReason::Refusal, "stop"),
                _ => (reason, word),
            };
            let stop_sequence = (reason == FinishReason::StopSequence).then_some(stop);
            let logprobs = if row.replies_with("logprobs") { logprobs } else { Vec::new() };
            Choice { parts, finish: Finish { reason, word: word.into(), stop_sequence }, logprobs }
        })
        .boxed()
}

fn usage() -> impl Strategy<Value = Usage> {
    prop::array::uniform5(0u64..1_000_000).prop_map(|[cached, cache_write, input, reasoning, output]| Usage {
        input: input + cached + cache_write,
        cached,
        cache_write,
        output: output + reasoning,
        reasoning,
        images: 0,
    })
}

/// Any such reply.
pub(crate) fn any_reply(row: &'static Row) -> BoxedStrategy<Reply<'static>> {
    let more = if row.replies_with("candidates") { 0..3 } else { 0..1 };
    (short(), text(), choice(row), prop::collection::vec(choice(row), more), usage())
        .prop_map(|(id, model, choice, more, usage)| Reply { id, model, choice, more, usage: Some(usage) })
        .boxed()
}

/// The events of a stream that tells a reply, each text in two pieces, with pings between.
pub(crate) fn events(reply: &Reply<'static>, cut: usize) -> Vec<Event<'static>> {
    let mut events = vec![Event::Start { id: reply.id.clone(), model: reply.model.clone(), usage: None }];
    for (at, choice) in std::iter::once(&reply.choice).chain(&reply.more).enumerate() {
        if at > 0 {
            events.push(Event::NextCandidate);
        }
        let mut logprobs = choice.logprobs.clone();
        for part in &choice.parts {
            tell(part, cut, &mut logprobs, &mut events);
        }
        events.push(Event::Finish(choice.finish.clone()));
    }
    events.extend(reply.usage.map(Event::Usage));
    events.push(Event::End);
    events
}

fn tell(
    part: &Part<'static>,
    cut: usize,
    logprobs: &mut Vec<Logprob<'static>>,
    events: &mut Vec<Event<'static>>,
) {
    let halves = |text: &str| -> [Text<'static>; 2] {
        let at = (0..=cut.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let (left, right) = text.split_at(at);
        [left.to_owned().into(), right.to_owned().into()]
    };
    match part {
        Part::Text { text, .. } => {
            events.push(Event::BlockStart(Block::Text));
            events.extend(halves(&text.plain()).map(|text| Event::Delta(Delta::Text(text))));
            if !logprobs.is_empty() {
                events.push(Event::Delta(Delta::Logprobs(std::mem::take(logprobs))));
            }
        }
        Part::Refusal { text } => {
            events.push(Event::BlockStart(Block::Refusal));
            events.extend(halves(&text.plain()).map(|text| Event::Delta(Delta::Text(text))));
        }
        Part::Thinking { text, proof } => {
            events.push(Event::BlockStart(Block::Thinking));
            events.extend(halves(&text.plain()).map(|text| Event::Delta(Delta::Thinking(text))));
            events.extend(proof.clone().map(|proof| Event::Delta(Delta::Proof(proof))));
        }
        Part::ToolCall(call) => {
            let (id, name) = (call.id.clone(), call.name.clone());
            let (custom, proof) = (call.custom, call.proof.clone());
            events.push(Event::BlockStart(Block::ToolCall { id, name, custom, proof }));
            events.push(Event::Ping);
            events.extend(halves(&call.arguments).map(|text| Event::Delta(Delta::Arguments(text))));
        }
        other => panic!("no reply holds {other:?}"),
    }
    events.push(Event::BlockEnd);
}
