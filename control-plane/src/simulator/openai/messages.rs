//! A Chat Completions conversation: roles, contents, and tool calls that must find their answers.
//!
//! Invariant: each tool call of an assistant turn is answered, once, before any other turn.

use crate::simulator::answer::Refusal;
use crate::simulator::shape::{Checked, Expected, Node, Object, Problem, bracketed, is_identifier};
use crate::simulator::tokens;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Where a client wants the prompt to be cached up to.
const CACHED: &str = "prompt_cache_breakpoint";

const ROLES: &[&str] = &["system", "assistant", "user", "tool", "developer"];

/// What a conversation comes to.
#[derive(Debug, Default)]
pub(crate) struct Conversation {
    /// Its length.
    pub(crate) tokens: u64,
    /// Its length without the last turn.
    pub(crate) prefix: u64,
    /// The last user turn; empty if tool results came after it.
    pub(crate) last_text: String,
    /// The tool results that it ends with.
    pub(crate) results: Vec<String>,
    /// Whether the word occurs anywhere.
    pub(crate) says_json: bool,
}

/// Checks all turns.
pub(crate) fn read(node: &Node<'_>) -> Result<Conversation, Refusal> {
    let turns = node.list()?;
    if turns.is_empty() {
        let text = "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.";
        return Err(node.rule_code(text, "empty_array").into());
    }
    let mut conversation = Conversation { tokens: 3, ..Conversation::default() };
    let mut open: Vec<String> = Vec::new();
    let mut owner: Option<Node<'_>> = None;
    for turn in &turns {
        let members = turn.lenient()?;
        let role = members.need("role")?.choice(ROLES)?;
        if role != "tool" {
            all_answered(&open, owner.as_ref())?;
        }
        let read = match role {
            "assistant" => assistant(&members)?,
            "tool" => tool(turn, &members, &mut open)?,
            _ => plain(&members, role == "user")?,
        };
        conversation.prefix = conversation.tokens;
        conversation.tokens += tokens::PER_MESSAGE + tokens::count(&read.text) + read.extra;
        conversation.says_json |= read.text.to_ascii_lowercase().contains("json");
        if role == "assistant" {
            open = read.calls;
            owner = Some(turn.clone());
        }
        match role {
            "tool" => {
                conversation.results.push(read.text);
                conversation.last_text.clear();
            }
            "user" => {
                conversation.results.clear();
                conversation.last_text = read.text;
            }
            _ => {}
        }
    }
    all_answered(&open, owner.as_ref())?;
    Ok(conversation)
}

fn all_answered(open: &[String], owner: Option<&Node<'_>>) -> Checked<()> {
    match owner {
        Some(owner) if !open.is_empty() => {
            let text = "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. \
                        The following tool_call_ids did not have response messages: ";
            Err(owner.rule(format!("{text}{}", open.join(", "))))
        }
        _ => Ok(()),
    }
}

#[derive(Default)]
struct Turn {
    text: String,
    extra: u64,
    calls: Vec<String>,
}

fn name(members: &Object<'_>) -> Checked<()> {
    let Some(node) = members.get("name") else { return Ok(()) };
    let name = node.text()?;
    let bad = name.is_empty() || name.chars().any(|c| c.is_whitespace() || "<|\\/>".contains(c));
    if bad {
        let text = format!(
            "Invalid '{}': string does not match pattern. Expected a string that matches the pattern '^[^\\s<|\\\\/>]+$'.",
            path(&node)
        );
        return Err(node.rule_code(text, "invalid_value"));
    }
    Ok(())
}

fn path(node: &Node<'_>) -> String {
    node.bracketed()
}

fn plain(members: &Object<'_>, user: bool) -> Checked<Turn> {
    members.only(&["role", "content", "name"])?;
    name(members)?;
    let content = members.need("content")?;
    if user { parts(&content) } else { texts(&content) }.map(|(text, extra)| Turn {
        text,
        extra,
        ..Turn::default()
    })
}

fn assistant(members: &Object<'_>) -> Checked<Turn> {
    // `annotations` and `reasoning_content` are in replies, and SDKs send replies back whole; what their stream helpers
    // put together has a `function_call` that is null.
    members.only(&[
        "role",
        "content",
        "name",
        "tool_calls",
        "refusal",
        "audio",
        "annotations",
        "function_call",
        "reasoning_content",
    ])?;
    name(members)?;
    let mut turn = Turn::default();
    let calls = members.get("tool_calls");
    match members.get("content") {
        Some(content) => (turn.text, turn.extra) = texts(&content)?,
        None if calls.is_some() || members.get("refusal").is_some() || members.get("audio").is_some() => {}
        None => {
            let wrong = members.wrong(Problem::Missing);
            let place = bracketed(&wrong.path);
            let text = format!("Invalid value for '{place}.content': expected a string, got null.");
            let problem = Problem::Rule(text, Some("invalid_type"));
            return Err(members.wrong(problem));
        }
    }
    for field in ["refusal", "reasoning_content"] {
        members.text(field)?;
    }
    if let Some(call) = members.get("function_call") {
        let call = call.lenient()?;
        call.only(&["name", "arguments"])?;
        function_name(&call.need("name")?)?;
        call.need("arguments")?.text()?;
    }
    let Some(calls) = calls else { return Ok(turn) };
    let list = calls.list()?;
    if list.is_empty() {
        let text = format!(
            "Invalid '{0}': empty array. Expected an array with minimum length 1, but got an empty array instead.",
            path(&calls)
        );
        return Err(calls.rule_code(text, "empty_array"));
    }
    for call in list {
        let members = call.lenient()?;
        let kind = members.need("type")?.choice(&["function", "custom"])?;
        members.only(&["id", "type", kind])?;
        let id = members.need("id")?.text_within(40)?.to_owned();
        let function = members.need(kind)?.lenient()?;
        let said = if kind == "custom" { "input" } else { "arguments" };
        function.only(&["name", said])?;
        let name = function_name(&function.need("name")?)?;
        let arguments = function.need(said)?.text()?;
        turn.extra += tokens::count(name) + tokens::count(arguments) + tokens::PER_MESSAGE;
        if turn.calls.contains(&id) {
            return Err(call.rule(format!("Duplicate value for 'tool_call_id' of '{id}'")));
        }
        turn.calls.push(id);
    }
    Ok(turn)
}

/// A function's name.
pub(crate) fn function_name<'a>(node: &Node<'a>) -> Checked<&'a str> {
    let name = node.text_within(64)?;
    if is_identifier(name, 64) {
        return Ok(name);
    }
    let text = format!(
        "Invalid '{}': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.",
        path(node)
    );
    Err(node.rule_code(text, "invalid_value"))
}

fn tool(turn: &Node<'_>, members: &Object<'_>, open: &mut Vec<String>) -> Checked<Turn> {
    members.only(&["role", "content", "tool_call_id"])?;
    let id = members.need("tool_call_id")?.text()?;
    let (text, extra) = texts(&members.need("content")?)?;
    let Some(index) = open.iter().position(|call| call == id) else {
        // Spelled as the vendor does.
        let message = "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.";
        return Err(turn.rule(message));
    };
    open.remove(index);
    Ok(Turn { text, extra, ..Turn::default() })
}

/// A text, or a list of text parts; and what it costs besides the text.
pub(crate) fn texts(node: &Node<'_>) -> Checked<(String, u64)> {
    read_parts(node, &["text", "refusal"])
}

fn parts(node: &Node<'_>) -> Checked<(String, u64)> {
    read_parts(node, &["text", "image_url", "input_audio", "file"])
}

fn read_parts(node: &Node<'_>, kinds: &[&'static str]) -> Checked<(String, u64)> {
    if let Some(text) = node.value.as_str() {
        return Ok((text.to_owned(), 0));
    }
    let list = node.list_or(Expected::TextOrArray)?;
    if list.is_empty() {
        let text = format!(
            "Invalid '{}': empty array. Expected an array with minimum length 1, but got an empty array instead.",
            path(node)
        );
        return Err(node.rule_code(text, "empty_array"));
    }
    let mut text = String::new();
    let mut extra = 0;
    for part in list {
        let members = part.lenient()?;
        match members.need("type")?.choice(kinds)? {
            "image_url" => {
                members.only(&["type", "image_url", CACHED])?;
                image(&members.need("image_url")?)?;
                extra += tokens::PER_IMAGE;
            }
            "input_audio" => {
                members.only(&["type", "input_audio", CACHED])?;
                audio(&members.need("input_audio")?)?;
                extra += tokens::PER_IMAGE;
            }
            "file" => {
                members.only(&["type", "file", CACHED])?;
                file(&members.need("file")?.lenient()?)?;
                extra += tokens::PER_IMAGE;
            }
            kind => {
                members.only(&["type", kind, CACHED])?;
                text.push_str(members.need(kind)?.text()?);
            }
        }
    }
    Ok((text, extra))
}

fn image(node: &Node<'_>) -> Checked<()> {
    let members = node.lenient()?;
    members.only(&["url", "detail"])?;
    members.choice("detail", &["auto", "low", "high", "original"])?;
    image_url(&members.need("url")?)
}

/// An address, or an image in a data URL.
pub(crate) fn image_url(url: &Node<'_>) -> Checked<()> {
    let text = url.text()?;
    if text.starts_with("http://") || text.starts_with("https://") {
        return Ok(());
    }
    let data = text.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
    let known = ["image/png", "image/jpeg", "image/jpg", "image/gif", "image/webp"];
    match data {
        Some((kind, data)) if known.contains(&kind) && is_base64(data) => Ok(()),
        Some((kind, _)) if !known.contains(&kind) => {
            let message = format!("Invalid MIME type '{kind}'. Only image types are supported.");
            Err(url.rule_code(message, "invalid_image_format"))
        }
        Some(_) => Err(url.rule_code("Invalid base64 image_url.", "invalid_base64")),
        None => {
            let message = format!(
                "Invalid image URL: '{}'. Expected a base64-encoded data URL with an image MIME type, or an http(s) URL.",
                path(url)
            );
            Err(url.rule_code(message, "invalid_image_url"))
        }
    }
}

fn file(members: &Object<'_>) -> Checked<()> {
    members.only(&["file_data", "file_id", "filename"])?;
    members.text("filename")?;
    let Some(data) = members.get("file_data") else {
        return members.need("file_id")?.text().map(|_| ());
    };
    file_data(&data)
}

/// A file in a data URL.
pub(crate) fn file_data(data: &Node<'_>) -> Checked<()> {
    let fine = data.text()?.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
    if fine.is_some_and(|(_, bytes)| is_base64(bytes)) {
        Ok(())
    } else {
        Err(data.rule("Invalid file data: expected a base64 data URL."))
    }
}

/// Audio in base64, and its format.
pub(crate) fn audio(node: &Node<'_>) -> Checked<()> {
    let audio = node.lenient()?;
    audio.only(&["data", "format"])?;
    audio.need("format")?.choice(&["wav", "mp3"])?;
    base64(&audio.need("data")?, "Invalid base64 audio data.")
}

fn base64(node: &Node<'_>, message: &str) -> Checked<()> {
    if is_base64(node.text()?) { Ok(()) } else { Err(node.rule_code(message, "invalid_base64")) }
}

fn is_base64(text: &str) -> bool {
    !text.is_empty() && STANDARD.decode(text).is_ok()
}
