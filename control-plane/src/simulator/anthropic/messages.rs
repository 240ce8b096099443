//! A Messages conversation: turns of one role in a row are one turn, and every tool use finds its result in the next.
//!
//! Spec: <https://docs.claude.com/en/api/messages>

use super::blocks::{self, Block, Part};
use crate::simulator::shape::{Checked, Expected, Node};
use crate::simulator::tokens;

/// Consecutive messages of one role.
#[derive(Debug)]
struct Turn {
    assistant: bool,
    /// The first of its messages, to complain about.
    node_path: String,
    blocks: Vec<Block>,
}

/// What a conversation comes to.
#[derive(Debug, Default)]
pub(crate) struct Conversation {
    /// The last user turn's text.
    pub(crate) last_text: String,
    /// The tool results in it.
    pub(crate) results: Vec<String>,
    /// How each block adds up.
    pub(crate) meter: Meter,
    /// Whether the last assistant turn begins with thinking, if it uses tools and the conversation goes on from there.
    pub(crate) resumes_without_thinking: bool,
}

/// Counts a prompt's tokens, and how many of them are to be cached.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Meter {
    /// All so far.
    pub(crate) tokens: u64,
    /// Up to the last marker.
    pub(crate) marked: u64,
    /// How many markers.
    pub(crate) markers: usize,
    /// Up to the last turn of the assistant.
    pub(crate) history: u64,
}

impl Meter {
    /// Adds a block.
    pub(crate) const fn add(&mut self, tokens: u64, marked: bool) {
        self.tokens += tokens;
        if marked {
            self.marked = self.tokens;
            self.markers += 1;
        }
    }
}

/// Checks all turns; `meter` has counted what comes before them. `instructed`: whether the model takes instructions among
/// them.
pub(crate) fn read(node: &Node<'_>, meter: Meter, instructed: bool) -> Checked<Conversation> {
    let messages = node.list()?;
    if messages.is_empty() {
        return Err(node.rule("at least one message is required"));
    }
    let turns = turns(&messages, instructed)?;
    if turns.first().is_some_and(|turn| turn.assistant) {
        return Err(node.rule("first message must use the \"user\" role"));
    }
    paired(node, &turns)?;
    let mut conversation = Conversation { meter, ..Conversation::default() };
    for turn in &turns {
        conversation.meter.add(tokens::PER_MESSAGE, false);
        for block in &turn.blocks {
            conversation.meter.add(block.tokens, block.marked);
        }
        if turn.assistant {
            conversation.meter.history = conversation.meter.tokens;
        } else {
            conversation.last_text.clear();
            conversation.results.clear();
            for block in &turn.blocks {
                match &block.part {
                    Part::Text(text) => conversation.last_text.push_str(text),
                    Part::ToolResult(_, said) => conversation.results.push(said.clone()),
                    Part::Instruction | Part::Media | Part::Thinking | Part::ToolUse(_) => {}
                }
            }
        }
    }
    let last = turns.iter().rev().find(|turn| turn.assistant);
    conversation.resumes_without_thinking = last.is_some_and(|turn| {
        let uses_tools = turn.blocks.iter().any(|block| matches!(block.part, Part::ToolUse(_)));
        let thinks = turn.blocks.first().is_some_and(|block| block.part == Part::Thinking);
        uses_tools && !thinks && !conversation.results.is_empty()
    });
    Ok(conversation)
}

fn turns(messages: &[Node<'_>], instructed: bool) -> Checked<Vec<Turn>> {
    let mut turns: Vec<Turn> = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        let members = message.object()?;
        members.only(&["role", "content"])?;
        let role = members.need("role")?;
        if role.text()? == "system" {
            if !instructed {
                return Err(message.rule("role 'system' is not supported on this model"));
            }
            let Some(turn) = turns.last_mut().filter(|turn| !turn.assistant) else {
                let text =
                    "use the top-level 'system' parameter for instructions that do not follow a user message";
                return Err(message.rule(text));
            };
            turn.blocks.push(instruction(message, &members.need("content")?)?);
            continue;
        }
        let assistant = role.choice(&["user", "assistant"])? == "assistant";
        let last = index + 1 == messages.len();
        let blocks = content(message, &members.need("content")?, assistant, last)?;
        match turns.last_mut() {
            Some(turn) if turn.assistant == assistant => turn.blocks.extend(blocks),
            _ => turns.push(Turn { assistant, node_path: message.dotted(), blocks }),
        }
    }
    Ok(turns)
}

/// Instructions cost what a text costs, and are no part of what the user says.
fn instruction(message: &Node<'_>, node: &Node<'_>) -> Checked<Block> {
    let blocks = content(message, node, false, false)?;
    if blocks.iter().any(|block| !matches!(block.part, Part::Text(_))) {
        return Err(message.rule("system messages may only contain text blocks"));
    }
    let marked = blocks.iter().any(|block| block.marked);
    Ok(Block { part: Part::Instruction, tokens: blocks.iter().map(|block| block.tokens).sum(), marked })
}

fn content(message: &Node<'_>, node: &Node<'_>, assistant: bool, last: bool) -> Checked<Vec<Block>> {
    let empty = || {
        let text = "all messages must have non-empty content except for the optional final assistant message";
        message.rule(text)
    };
    let blocks = if let Some(text) = node.value.as_str() {
        if text.is_empty() {
            return if assistant && last { Ok(Vec::new()) } else { Err(empty()) };
        }
        if text.trim().is_empty() {
            return Err(message.rule("text content blocks must contain non-whitespace text"));
        }
        vec![Block { part: Part::Text(text.to_owned()), tokens: tokens::count(text), marked: false }]
    } else {
        let list = node.list_or(Expected::TextOrArray)?;
        if list.is_empty() {
            return if assistant && last { Ok(Vec::new()) } else { Err(empty()) };
        }
        list.iter().map(|block| blocks::read(block, assistant)).collect::<Checked<_>>()?
    };
    if let (true, true, Some(Part::Text(text))) = (assistant, last, blocks.last().map(|block| &block.part))
        && text.ends_with(char::is_whitespace)
    {
        return Err(message.rule("final assistant content cannot end with trailing whitespace"));
    }
    Ok(blocks)
}

/// Each turn's tool uses are answered by the tool results that begin the next, all of them and no others.
fn paired(node: &Node<'_>, turns: &[Turn]) -> Checked<()> {
    let mut open: Vec<&str> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    let mut asker = "";
    let unanswered = |open: &[&str], asker: &str| {
        let text = format!(
            "`tool_use` ids were found without `tool_result` blocks immediately after: {}. Each `tool_use` block must \
             have a corresponding `tool_result` block in the next message.",
            open.join(", ")
        );
        at(node, asker, &text)
    };
    for turn in turns {
        let mut leading = true;
        for block in &turn.blocks {
            match &block.part {
                Part::ToolUse(id) => {
                    if seen.contains(&id.as_str()) {
                        return Err(at(node, &turn.node_path, "`tool_use` ids must be unique"));
                    }
                    seen.push(id);
                    open.push(id);
                }
                Part::ToolResult(id, _) => {
                    let Some(index) = open.iter().position(|known| known == id) else {
                        let text = format!(
                            "unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each `tool_result` block must \
                             have a corresponding `tool_use` block in the previous message."
                        );
                        return Err(at(node, &turn.node_path, &text));
                    };
                    if !leading {
                        return Err(unanswered(&open, asker));
                    }
                    open.remove(index);
                }
                Part::Text(_) | Part::Instruction | Part::Media | Part::Thinking => leading = false,
            }
        }
        if turn.assistant {
            asker = &turn.node_path;
        } else if !open.is_empty() {
            return Err(unanswered(&open, asker));
        }
    }
    if open.is_empty() { Ok(()) } else { Err(unanswered(&open, asker)) }
}

/// The vendor names the message, not the list.
fn at(node: &Node<'_>, path: &str, text: &str) -> crate::simulator::shape::Violation {
    let index = path.rsplit('.').next().and_then(|index| index.parse().ok()).unwrap_or(0);
    let mut violation = node.rule(text);
    violation.path.push(crate::simulator::shape::Segment::Index(index));
    violation
}
