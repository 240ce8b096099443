//! A request for Converse, `ConverseStream` or `CountTokens`.
//!
//! Invariant: Bedrock does not refuse what is written here for its form; what it cannot say is listed.

mod blocks;
mod media;
mod settings;
mod tools;

use super::family::Family;
use crate::dialect::Target;
use crate::dialect::tool_call::check_names;
use crate::dialect::turns::{self, Turns};
use crate::ir::chat::Request;
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
use crate::wire::json::Object;
use blocks::Blocks;
use settings::Settings;

/// Longest name of a tool.
const MAX_NAME: usize = 64;

/// Appends a request for a reply, whole or streamed: the path says which.
pub(super) fn encode(
    request: &Request<'_>,
    target: &Target<'_>,
    loss: &mut Loss,
    out: &mut Vec<u8>,
) -> Result<(), Malformed> {
    let family = Family::of(target.model);
    let turns = arrange(request, family, loss)?;
    let settings = settings::settle(request, &turns.turns, target, loss);
    let mut body = Object::new(out);
    write_conversation(request, &turns, &settings, family, &mut body, loss);
    settings::write(request, &settings, family, &mut body, loss);
    Ok(())
}

/// Appends a request for a count.
pub(super) fn encode_count(
    request: &Request<'_>,
    target: &Target<'_>,
    loss: &mut Loss,
    out: &mut Vec<u8>,
) -> Result<(), Malformed> {
    let family = Family::of(target.model);
    let turns = arrange(request, family, loss)?;
    let settings = settings::settle(request, &turns.turns, target, loss);
    Object::new(out).object("input", |input| {
        input.object("converse", |body| {
            write_conversation(request, &turns, &settings, family, body, loss);
        });
    });
    Ok(())
}

fn arrange<'r>(request: &'r Request<'r>, family: Family, loss: &mut Loss) -> Result<Turns<'r>, Malformed> {
    check_names(&request.tools, MAX_NAME)?;
    let mut arranged = turns::arrange(&request.messages, blocks::placing(family), loss)?;
    if !family.goes_on() {
        turns::let_the_user_end(&mut arranged.turns, loss);
    }
    Ok(arranged)
}

/// What is counted: the conversation, the tools, and what the model is told besides.
fn write_conversation(
    request: &Request<'_>,
    turns: &Turns<'_>,
    settings: &Settings<'_>,
    family: Family,
    body: &mut Object<'_>,
    loss: &mut Loss,
) {
    let mut blocks = Blocks::new(family);
    if !turns.system.is_empty() {
        body.array("system", |system| {
            turns.system.iter().for_each(|piece| blocks.write(piece, system, loss));
        });
    }
    body.array("messages", |messages| {
        for turn in &turns.turns {
            messages.object(|message| {
                message.str("role", if turn.assistant { "assistant" } else { "user" });
                message.array("content", |content| blocks.write_turn(turn, content, loss));
            });
        }
    });
    tools::write(request, &turns.turns, family, body, loss);
    settings::write_additional(settings, tools::single_choice(request, family), body);
}

#[cfg(test)]
mod tests;
