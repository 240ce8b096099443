//! A conversation: turns that alternate and begin with the user, and every tool use answered in the very next turn.
//!
//! Spec: <https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-call.html>

use super::blocks::{self, Block, Part, text};
use super::error::{invalid, model_says};
use super::family::{Maker, Named};
use crate::simulator::answer::Refusal;
use crate::simulator::anthropic::messages::{Conversation, Meter};
use crate::simulator::tokens;
use serde_json::Value;

/// The most documents and images of one conversation.
const DOCUMENTS: usize = 5;
const IMAGES: usize = 20;

/// One message.
#[derive(Debug)]
struct Turn {
    assistant: bool,
    blocks: Vec<Block>,
}

/// Checks all messages; `meter` has counted what comes before them.
pub(crate) fn read(
    named: &Named<'_>,
    messages: &[Value],
    meter: Meter,
    tools: bool,
) -> Result<Conversation, Refusal> {
    let mut turns: Vec<Turn> = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        let turn = turn(named, message, index)?;
        if turns.last().map_or(turn.assistant, |before| before.assistant == turn.assistant) {
            return Err(invalid(if turns.is_empty() {
                "A conversation must start with a user message. Try again with a conversation that starts with a user message."
            } else {
                "A conversation must alternate between user and assistant roles. Make sure the conversation alternates \
                 between user and assistant roles and try again."
            }));
        }
        turns.push(turn);
    }
    if turns.is_empty() {
        return Err(invalid(
            "A conversation must start with a user message. Try again with a conversation that starts with a user message.",
        ));
    }
    media(messages)?;
    let uses = |part: &Part| matches!(part, Part::Use(_) | Part::Result(..));
    if !tools && turns.iter().flat_map(|turn| &turn.blocks).any(|block| uses(&block.part)) {
        return Err(invalid(
            "The toolConfig field must be defined when using toolUse and toolResult content blocks.",
        ));
    }
    paired(named, &turns)?;
    last(named, &turns)?;
    Ok(sum(&turns, meter))
}

fn turn(named: &Named<'_>, message: &Value, index: usize) -> Result<Turn, Refusal> {
    let role = text(message, "/role");
    if role == "system" {
        return Err(invalid(format!(
            "This model doesn't support the system role at messages.{index}.role. Use the system field and try again."
        )));
    }
    let assistant = role == "assistant";
    let content = message.get("content").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if content.is_empty() {
        return Err(invalid(format!(
            "The content field in the Message object at messages.{index} is empty. Add a ContentBlock object to the \
             content field and try again."
        )));
    }
    let block = |(at, block): (usize, &Value)| {
        blocks::read(named, block, &format!("messages.{index}.content.{at}"), assistant)
    };
    let blocks: Vec<Block> = content.iter().enumerate().map(block).collect::<Result<_, _>>()?;
    let has = |wanted: fn(&Part) -> bool| blocks.iter().any(|block| wanted(&block.part));
    if has(|part| *part == Part::Document) && !has(|part| matches!(part, Part::Text(_))) {
        let message =
            "A text block must be included when using documents. Add a text block and retry your request.";
        return Err(invalid(message));
    }
    let after_reasoning =
        |pair: (&Block, &Block)| pair.0.part == Part::Reasoning && pair.1.part == Part::CachePoint;
    if blocks.iter().zip(blocks.iter().skip(1)).any(after_reasoning) {
        return Err(invalid("cachePoint cannot be inserted after reasoning block."));
    }
    Ok(Turn { assistant, blocks })
}

/// Counts what is shown in all messages, in the results of tools too.
fn media(messages: &[Value]) -> Result<(), Refusal> {
    let list = |value: Option<&'_ Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    let blocks = messages.iter().flat_map(|message| list(message.get("content")));
    let blocks: Vec<Value> = blocks
        .flat_map(|block| {
            let inside = list(block.pointer("/toolResult/content"));
            std::iter::once(block).chain(inside)
        })
        .collect();
    let all = |kind: &str| -> Vec<&Value> {
        blocks.iter().filter_map(|block| block.get(kind)).filter(|shown| !shown.is_null()).collect()
    };
    let (documents, images) = (all("document"), all("image").len());
    let names: Vec<&str> = documents.iter().map(|document| text(document, "/name")).collect();
    if duplicates(&names).is_some() {
        return Err(invalid(
            "Messages can't contain duplicate document names. Rename the document and retry your request.",
        ));
    }
    if names.len() > DOCUMENTS {
        return Err(invalid(format!(
            "You can't include more than {DOCUMENTS} documents in a request. Reduce the number of documents and retry your \
             request."
        )));
    }
    if images + names.len() > IMAGES {
        let documents = names.len();
        return Err(model_says(format!(
            "messages: too many images and documents: {images} + {documents} > {IMAGES}"
        )));
    }
    Ok(())
}

fn duplicates<'a>(ids: &[&'a str]) -> Option<&'a str> {
    ids.iter()
        .enumerate()
        .find(|(index, id)| ids.iter().take(*index).any(|before| before == *id))
        .map(|(_, id)| *id)
}

/// Each turn's tool uses are answered by the tool results of the next, all of them and no others.
fn paired(named: &Named<'_>, turns: &[Turn]) -> Result<(), Refusal> {
    let mut open: Vec<&str> = Vec::new();
    for (index, turn) in turns.iter().enumerate() {
        let place = format!("messages.{index}.content");
        let results: Vec<&str> = turn
            .blocks
            .iter()
            .filter_map(|block| match &block.part {
                Part::Result(id, _) => Some(id.as_str()),
                _ => None,
            })
            .collect();
        if let Some(id) = duplicates(&results) {
            return Err(invalid(format!("The toolResult blocks at {place} contain duplicate Ids: {id}")));
        }
        let missing: Vec<&str> = open.iter().filter(|id| !results.contains(id)).copied().collect();
        if !missing.is_empty() {
            return Err(invalid(format!(
                "Expected toolResult blocks at {place} for the following Ids: {}",
                missing.join(", ")
            )));
        }
        if results.len() > open.len() {
            return Err(invalid(format!(
                "The number of toolResult blocks at {place} exceeds the number of toolUse blocks of previous turn."
            )));
        }
        leading(named, turn, index, &results)?;
        open = turn
            .blocks
            .iter()
            .filter_map(|block| match &block.part {
                Part::Use(id) => Some(id.as_str()),
                _ => None,
            })
            .collect();
        if let Some(id) = duplicates(&open) {
            return Err(invalid(format!("The toolUse blocks at {place} contain duplicate Ids: {id}")));
        }
    }
    if open.is_empty() {
        return Ok(());
    }
    Err(invalid(format!(
        "Expected toolResult blocks at messages.{}.content for the following Ids: {}",
        turns.len(),
        open.join(", ")
    )))
}

/// Claude wants the results before all else; others want nothing beside them.
fn leading(named: &Named<'_>, turn: &Turn, index: usize, results: &[&str]) -> Result<(), Refusal> {
    let is_result = |block: &Block| matches!(block.part, Part::Result(..));
    let said = |block: &Block| !is_result(block) && block.part != Part::CachePoint;
    let late = turn.blocks.iter().skip_while(|block| !said(block)).any(is_result);
    match named.maker {
        _ if results.is_empty() => Ok(()),
        Maker::Claude if late => Err(model_says(format!(
            "messages.{}: `tool_use` ids were found without `tool_result` blocks immediately after: {}. Each `tool_use` \
             block must have a corresponding `tool_result` block in the next message.",
            index.saturating_sub(1),
            results.join(", ")
        ))),
        Maker::Other if turn.blocks.iter().any(said) => {
            Err(invalid("Conversation blocks and tool result blocks cannot be provided in the same turn."))
        }
        _ => Ok(()),
    }
}

/// A turn that the model is to go on with.
fn last(named: &Named<'_>, turns: &[Turn]) -> Result<(), Refusal> {
    let Some(turn) = turns.last().filter(|turn| turn.assistant) else { return Ok(()) };
    match (named.maker, turn.blocks.last().map(|block| &block.part)) {
        (Maker::Claude, Some(Part::Text(text))) if text.ends_with(char::is_whitespace) => {
            Err(model_says("messages: final assistant content cannot end with trailing whitespace"))
        }
        (Maker::Other, _) => Err(invalid(
            "The model that you are using requires the last turn in the conversation to be a user message. Add a user \
             message to the conversation and try again.",
        )),
        _ => Ok(()),
    }
}

fn sum(turns: &[Turn], meter: Meter) -> Conversation {
    let mut conversation = Conversation { meter, ..Conversation::default() };
    for turn in turns {
        conversation.meter.add(tokens::PER_MESSAGE, false);
        for block in &turn.blocks {
            conversation.meter.add(block.tokens, block.part == Part::CachePoint);
        }
        if turn.assistant {
            conversation.meter.history = conversation.meter.tokens;
            continue;
        }
        conversation.last_text.clear();
        conversation.results.clear();
        for block in &turn.blocks {
            match &block.part {
                Part::Text(text) => conversation.last_text.push_str(text),
                Part::Result(_, said) => conversation.results.push(said.clone()),
                _ => {}
            }
        }
    }
    let last = turns.iter().rev().find(|turn| turn.assistant);
    conversation.resumes_without_thinking = last.is_some_and(|turn| {
        let uses = turn.blocks.iter().any(|block| matches!(block.part, Part::Use(_)));
        let thinks = turn.blocks.first().is_some_and(|block| block.part == Part::Reasoning);
        uses && !thinks && !conversation.results.is_empty()
    });
    conversation
}
