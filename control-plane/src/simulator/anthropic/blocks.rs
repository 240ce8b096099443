//! The content blocks of a Messages conversation, one by one.

use super::{marker, signature};
use crate::simulator::shape::{Checked, Node, Object, is_identifier};
use crate::simulator::tokens;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What one block is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// Text.
    Text(String),
    /// What the application tells the model in the middle of a conversation.
    Instruction,
    /// An image, a document, a search result.
    Media,
    /// Thinking, readable or not.
    Thinking,
    /// A call, by id.
    ToolUse(String),
    /// A call's result: the call's id, and what it says.
    ToolResult(String, String),
}

/// A block that was found valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    /// What it is.
    pub(crate) part: Part,
    /// What it costs.
    pub(crate) tokens: u64,
    /// Whether the prompt is to be cached up to here.
    pub(crate) marked: bool,
}

/// The blocks that a role may send.
const USER: &[&str] = &["text", "image", "document", "search_result", "tool_result"];
const ASSISTANT: &[&str] = &["text", "thinking", "redacted_thinking", "tool_use"];

/// Checks one block of a turn.
pub(crate) fn read(node: &Node<'_>, assistant: bool) -> Checked<Block> {
    let members = node.object()?;
    let kind = members.need("type")?.choice(if assistant { ASSISTANT } else { USER })?;
    let (part, cost) = match kind {
        "text" => text(node, &members).map(|text| (Part::Text(text.to_owned()), tokens::count(text)))?,
        "thinking" => thinking(node, &members)?,
        "redacted_thinking" => {
            members.only(&["type", "data"])?;
            let data = members.need("data")?.text()?;
            if !signature::is_sealed(data) {
                return Err(node.rule("Invalid `data` in `redacted_thinking` block"));
            }
            (Part::Thinking, 16)
        }
        "tool_use" => tool_use(&members)?,
        "tool_result" => tool_result(&members)?,
        _ => (Part::Media, media(kind, &members)?),
    };
    let marked = members.get("cache_control").map_or(Ok(false), |node| marker(&node))?;
    Ok(Block { part, tokens: cost, marked })
}

/// Checks a text block, and returns its text.
pub(crate) fn text<'a>(node: &Node<'a>, members: &Object<'a>) -> Checked<&'a str> {
    members.only(&["type", "text", "cache_control", "citations"])?;
    if let Some(citations) = members.nullable("citations") {
        citations.list()?;
    }
    let text = members.need("text")?.text()?;
    if text.is_empty() {
        return Err(node.rule("text content blocks must be non-empty"));
    }
    if text.trim().is_empty() {
        return Err(node.rule("text content blocks must contain non-whitespace text"));
    }
    Ok(text)
}

fn thinking(node: &Node<'_>, members: &Object<'_>) -> Checked<(Part, u64)> {
    members.only(&["type", "thinking", "signature"])?;
    let thinking = members.need("thinking")?.text()?;
    if !signature::verify(thinking, members.need("signature")?.text()?) {
        return Err(node.rule("Invalid `signature` in `thinking` block"));
    }
    Ok((Part::Thinking, tokens::count(thinking)))
}

fn tool_use(members: &Object<'_>) -> Checked<(Part, u64)> {
    members.only(&["type", "id", "name", "input", "cache_control", "caller", "toolset_name"])?;
    let id = members.need("id")?;
    if !is_identifier(id.text()?, usize::MAX) {
        return Err(id.rule("String should match pattern '^[a-zA-Z0-9_-]+$'"));
    }
    let name = members.need("name")?;
    if !is_identifier(name.text()?, 200) {
        return Err(name.rule("String should match pattern '^[a-zA-Z0-9_-]{1,200}$'"));
    }
    let input = members.need("input")?;
    input.object()?;
    let cost = tokens::count(name.text()?) + tokens::count(&input.value.to_string()) + tokens::PER_MESSAGE;
    Ok((Part::ToolUse(id.text()?.to_owned()), cost))
}

fn tool_result(members: &Object<'_>) -> Checked<(Part, u64)> {
    members.only(&["type", "tool_use_id", "content", "is_error", "cache_control", "toolset_name"])?;
    let id = members.need("tool_use_id")?.text()?.to_owned();
    let failed = members.flag("is_error", false)?;
    let mut said = String::new();
    let mut cost = tokens::PER_MESSAGE;
    if let Some(content) = members.get("content") {
        if let Some(text) = content.value.as_str() {
            said.push_str(text);
            cost += tokens::count(text);
        } else {
            for node in content.list()? {
                let members = node.object()?;
                match members.need("type")?.choice(&["text", "image", "document", "search_result"])? {
                    "text" => {
                        let text = text(&node, &members)?;
                        said.push_str(text);
                        cost += tokens::count(text);
                    }
                    kind => {
                        cost += media(kind, &members)?;
                        said.push_str(&format!("[{kind}]"));
                    }
                }
            }
        }
    }
    if failed && said.is_empty() {
        return Err(members.need("tool_use_id")?.rule("content cannot be empty if `is_error` is true"));
    }
    let said = if failed { format!("error: {said}") } else { said };
    Ok((Part::ToolResult(id, said), cost))
}

fn media(kind: &str, members: &Object<'_>) -> Checked<u64> {
    match kind {
        "image" => {
            members.only(&["type", "source", "cache_control"])?;
            let source = members.need("source")?.object()?;
            match source.need("type")?.choice(&["base64", "url", "file"])? {
                "base64" => {
                    source.only(&["type", "media_type", "data"])?;
                    source.need("media_type")?.choice(&[
                        "image/jpeg",
                        "image/png",
                        "image/gif",
                        "image/webp",
                    ])?;
                    base64(&source.need("data")?)?;
                }
                other => located(&source, other)?,
            }
            Ok(tokens::PER_IMAGE)
        }
        "document" => {
            members.only(&["type", "source", "title", "context", "citations", "cache_control"])?;
            document(&members.need("source")?.object()?)
        }
        _ => {
            members.only(&["type", "source", "title", "content", "citations", "cache_control"])?;
            members.need("source")?.text()?;
            members.need("title")?.text()?;
            let mut cost = 0;
            for node in members.need("content")?.list()? {
                cost += tokens::count(text(&node, &node.object()?)?);
            }
            Ok(cost)
        }
    }
}

fn document(source: &Object<'_>) -> Checked<u64> {
    match source.need("type")?.choice(&["base64", "text", "content", "url", "file"])? {
        "base64" => {
            source.only(&["type", "media_type", "data"])?;
            source.need("media_type")?.choice(&["application/pdf"])?;
            base64(&source.need("data")?)?;
            Ok(tokens::PER_IMAGE)
        }
        "text" => {
            source.only(&["type", "media_type", "data"])?;
            source.need("media_type")?.choice(&["text/plain"])?;
            source.need("data")?.text().map(tokens::count)
        }
        "content" => {
            source.only(&["type", "content"])?;
            let content = source.need("content")?;
            content
                .value
                .as_str()
                .map_or_else(|| content.list().map(|_| tokens::PER_IMAGE), |text| Ok(tokens::count(text)))
        }
        other => located(source, other).map(|()| tokens::PER_IMAGE),
    }
}

fn located(source: &Object<'_>, kind: &str) -> Checked<()> {
    if kind == "file" {
        source.only(&["type", "file_id"])?;
        return source.need("file_id")?.text().map(|_| ());
    }
    source.only(&["type", "url"])?;
    let url = source.need("url")?;
    if url.text()?.starts_with("https://") { Ok(()) } else { Err(url.rule("Only HTTPS URLs are supported.")) }
}

fn base64(node: &Node<'_>) -> Checked<()> {
    let data = node.text()?;
    if !data.is_empty() && STANDARD.decode(data).is_ok() {
        Ok(())
    } else {
        Err(node.rule("Invalid base64 data"))
    }
}
