//! A Responses conversation: items of every kind, and calls that must find their outputs.
//!
//! Spec: <https://platform.openai.com/docs/api-reference/responses/create#responses-create-input>. Invariant: what the
//! vendor made is taken back only as it was made: an item by its id, reasoning by its seal.

use super::memory::Memory;
use super::{parts, seal};
use crate::simulator::answer::Refusal;
use crate::simulator::openai::error;
use crate::simulator::openai::messages::{self, Conversation};
use crate::simulator::shape::{Checked, Expected, Node, Object};
use crate::simulator::tokens;
use serde_json::Value;

/// The kinds of item, as the vendor lists them.
const KINDS: &[&str] = &[
    "message",
    "reasoning",
    "function_call",
    "function_call_output",
    "custom_tool_call",
    "custom_tool_call_output",
    "item_reference",
    "web_search_call",
    "file_search_call",
    "computer_call",
    "computer_call_output",
    "image_generation_call",
    "code_interpreter_call",
    "local_shell_call",
    "local_shell_call_output",
    "shell_call",
    "shell_call_output",
    "apply_patch_call",
    "apply_patch_call_output",
    "mcp_list_tools",
    "mcp_approval_request",
    "mcp_approval_response",
    "mcp_call",
    "compaction",
    "compaction_trigger",
    "tool_search_call",
    "tool_search_output",
    "additional_tools",
    "configuration_update",
    "program",
    "program_output",
];

const STATUSES: &[&str] = &["in_progress", "completed", "incomplete"];

/// Checks the items of a request, after those that the vendor has kept from before.
pub(crate) fn read(input: &Node<'_>, past: &[Value], memory: &Memory) -> Result<Conversation, Refusal> {
    let before = Value::Array(past.to_vec());
    let conversation = Conversation { tokens: 3, ..Conversation::default() };
    let mut reader = Reader {
        conversation,
        open: Vec::new(),
        thinking: None,
        reasons: Vec::new(),
        input: input.clone(),
        memory,
    };
    for item in Node::root(&before).list()? {
        reader.item(&item)?;
    }
    if let Some(text) = input.value.as_str() {
        reader.turn("user", text, 0);
    } else {
        for item in input.list_or(Expected::TextOrArray)? {
            reader.item(&item)?;
        }
    }
    reader.end()
}

struct Reader<'a> {
    conversation: Conversation,
    /// The calls without an output.
    open: Vec<String>,
    /// The reasoning that nothing has followed yet.
    thinking: Option<String>,
    /// The ids of all reasoning so far.
    reasons: Vec<String>,
    input: Node<'a>,
    memory: &'a Memory,
}

impl Reader<'_> {
    fn end(self) -> Result<Conversation, Refusal> {
        self.led_somewhere()?;
        match self.open.first() {
            Some(call) => {
                Err(self.input.rule(format!("No tool output found for function call {call}.")).into())
            }
            None => Ok(self.conversation),
        }
    }

    fn led_somewhere(&self) -> Checked<()> {
        match &self.thinking {
            Some(id) => Err(self.input.rule(format!(
                "Item '{id}' of type 'reasoning' was provided without its required following item."
            ))),
            None => Ok(()),
        }
    }

    /// Refuses an item that the vendor made after reasoning, and that comes back without.
    fn has_reason(&self, kind: &str, members: &Object<'_>) -> Checked<()> {
        let Some(id) = members.text("id")? else { return Ok(()) };
        match self.memory.reason(id) {
            Some(reason) if !self.reasons.contains(&reason) => Err(self.input.rule(format!(
                "Item '{id}' of type '{kind}' was provided without its required 'reasoning' item: '{reason}'."
            ))),
            _ => Ok(()),
        }
    }

    fn turn(&mut self, role: &str, text: &str, extra: u64) {
        let conversation = &mut self.conversation;
        conversation.prefix = conversation.tokens;
        conversation.tokens += tokens::PER_MESSAGE + tokens::count(text) + extra;
        conversation.says_json |= text.to_ascii_lowercase().contains("json");
        if role == "user" {
            conversation.results.clear();
            text.clone_into(&mut conversation.last_text);
        }
    }

    fn item(&mut self, node: &Node<'_>) -> Result<(), Refusal> {
        let members = node.lenient()?;
        let kind = match members.get("type") {
            Some(kind) => kind.choice(KINDS)?,
            None if members.get("role").is_some() || members.get("id").is_none() => "message",
            None => "item_reference",
        };
        match kind {
            "reasoning" => return self.reasoning(&members),
            "item_reference" => return self.reference(&members),
            "message" if members.text("role")? == Some("assistant") => {}
            "function_call" | "custom_tool_call" => {}
            _ => self.led_somewhere()?,
        }
        self.thinking = None;
        self.has_reason(kind, &members)?;
        match kind {
            "message" => self.message(&members),
            "function_call" => self.call(&members, "fc", "arguments"),
            "custom_tool_call" => self.call(&members, "ctc", "input"),
            "function_call_output" => self.output(&members, "function call"),
            "custom_tool_call_output" => self.output(&members, "custom tool call"),
            "compaction" => self.compaction(&members),
            _ => {
                // What the vendor's own tools did; a client only sends it back.
                members.text("id")?;
                self.conversation.tokens += tokens::count(&node.value.to_string());
                Ok(())
            }
        }
    }

    fn message(&mut self, members: &Object<'_>) -> Result<(), Refusal> {
        members.only(&["type", "role", "content", "id", "status", "phase"])?;
        let role = members.need("role")?.choice(&["assistant", "system", "developer", "user"])?;
        members.choice("status", STATUSES)?;
        members.choice("phase", &["commentary", "final_answer"])?;
        if role == "assistant" {
            identity(members, "msg")?;
        } else {
            members.get("id").map(|id| id.text_within(64)).transpose()?;
        }
        let content = members.need("content")?;
        let kinds = if role == "assistant" { parts::SAID } else { parts::GIVEN };
        let (text, extra) = parts::read(&content, kinds)?;
        self.turn(role, &text, extra);
        Ok(())
    }

    fn call(&mut self, members: &Object<'_>, prefix: &'static str, said: &str) -> Result<(), Refusal> {
        members.only(&["type", "id", "call_id", "name", said, "status", "namespace", "caller", "async"])?;
        identity(members, prefix)?;
        members.choice("status", STATUSES)?;
        let id = members.need("call_id")?.text_within(64)?;
        let name = messages::function_name(&members.need("name")?)?;
        let text = members.need(said)?.text()?;
        self.conversation.tokens += tokens::count(name) + tokens::count(text) + tokens::PER_MESSAGE;
        self.open.push(id.to_owned());
        Ok(())
    }

    fn output(&mut self, members: &Object<'_>, what: &str) -> Result<(), Refusal> {
        members.only(&["type", "id", "call_id", "output", "status", "name", "namespace", "caller"])?;
        members.choice("status", STATUSES)?;
        let id = members.need("call_id")?.text_within(64)?;
        let (text, extra) = parts::read(&members.need("output")?, parts::RETURNED)?;
        let Some(index) = self.open.iter().position(|call| call == id) else {
            let text = format!("No tool call found for {what} output with call_id {id}.");
            return Err(self.input.rule(text).into());
        };
        self.open.remove(index);
        self.turn("tool", &text, extra);
        self.conversation.results.push(text);
        self.conversation.last_text.clear();
        Ok(())
    }

    fn reasoning(&mut self, members: &Object<'_>) -> Result<(), Refusal> {
        members.only(&["type", "id", "summary", "content", "encrypted_content", "status"])?;
        identity(members, "rs")?;
        members.choice("status", STATUSES)?;
        for part in members.need("summary")?.list()? {
            text_part(&part, "summary_text")?;
        }
        for part in members.get("content").map(|node| node.list()).transpose()?.unwrap_or_default() {
            text_part(&part, "reasoning_text")?;
        }
        let id = members.text("id")?.unwrap_or_default();
        match members.get("encrypted_content") {
            Some(sealed) => {
                let sealed = sealed.text()?;
                let text = seal::open(sealed).ok_or_else(|| error::not_sealed(sealed))?;
                self.conversation.tokens += tokens::count(&text);
            }
            None if id.is_empty() => members.need("id").map(|_| ())?,
            None if self.memory.item(id).is_none() => return Err(error::no_item(id).into()),
            None => {}
        }
        self.reasons.push(id.to_owned());
        self.thinking = Some(if id.is_empty() { "reasoning".to_owned() } else { id.to_owned() });
        Ok(())
    }

    fn compaction(&mut self, members: &Object<'_>) -> Result<(), Refusal> {
        members.only(&["type", "id", "encrypted_content", "created_by"])?;
        let sealed = members.need("encrypted_content")?.text()?;
        let text = seal::open(sealed).ok_or_else(|| error::not_sealed(sealed))?;
        self.conversation.tokens += tokens::count(&text);
        Ok(())
    }

    fn reference(&mut self, members: &Object<'_>) -> Result<(), Refusal> {
        members.only(&["type", "id"])?;
        let id = members.need("id")?.text()?;
        let item = self.memory.item(id).ok_or_else(|| error::no_item(id))?;
        self.item(&Node::root(&item))
    }
}

fn text_part(part: &Node<'_>, kind: &'static str) -> Checked<()> {
    let members = part.lenient()?;
    members.need("type")?.choice(&[kind])?;
    members.only(&["type", "text"])?;
    members.need("text")?.text().map(|_| ())
}

/// An id, if one is given, that begins as the vendor's do.
fn identity(members: &Object<'_>, prefix: &'static str) -> Checked<()> {
    let Some(node) = members.get("id") else { return Ok(()) };
    let id = node.text_within(64)?;
    if id.starts_with(prefix) {
        return Ok(());
    }
    let place = node.bracketed();
    let text = format!("Invalid '{place}': '{id}'. Expected an ID that begins with '{prefix}'.");
    Err(node.rule_code(text, "invalid_value"))
}
