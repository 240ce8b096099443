//! Whether a Responses request is one that OpenAI would take, and what it asks of the model.
//!
//! Spec: <https://platform.openai.com/docs/api-reference/responses/create>

use super::memory::Memory;
use super::tools::{self, Declared};
use super::{echo, input};
use crate::simulator::answer::{Call, Refusal};
use crate::simulator::catalog::Traits;
use crate::simulator::openai::validate::EFFORTS;
use crate::simulator::openai::{error, messages, metadata, model, schema, tools as chat_tools};
use crate::simulator::shape::{Node, Object};
use crate::simulator::tokens;
use crate::simulator::turn::{Format, Prompt};
use serde_json::{Value, json};

const FIELDS: &[&str] = &[
    "access_programs",
    "background",
    // Undocumented: what the vendor's own agent says about itself.
    "client_metadata",
    "context_management",
    "conversation",
    "image",
    "include",
    "input",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "model",
    "moderation",
    "parallel_tool_calls",
    "previous_response_id",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
];

/// What the token count takes of these.
const COUNTED: &[&str] = &[
    "conversation",
    "input",
    "instructions",
    "model",
    "parallel_tool_calls",
    "personality",
    "previous_response_id",
    "reasoning",
    "text",
    "tool_choice",
    "tools",
    "truncation",
];

/// What compaction takes of these.
const COMPACTED: &[&str] = &[
    "image",
    "input",
    "instructions",
    "model",
    "previous_response_id",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "service_tier",
];

const INCLUDABLE: &[&str] = &[
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
    "code_interpreter_call.outputs",
    "reasoning.encrypted_content",
    "message.output_text.logprobs",
];

/// A request that was found valid.
#[derive(Debug)]
pub(crate) struct Request {
    /// What it is asked.
    pub(crate) prompt: Prompt,
    /// How long the prompt is, in tokens.
    pub(crate) input: u64,
    /// Of these, how many the vendor's cache holds.
    pub(crate) cached: u64,
    /// Its tools.
    pub(crate) declared: Declared,
    /// Whether the reasoning is summarised.
    pub(crate) summary: bool,
    /// Whether the reasoning comes encrypted too.
    pub(crate) sealed: bool,
    /// With how many alternatives each token comes, if with any probability.
    pub(crate) logprobs: Option<usize>,
    /// Whether to stream.
    pub(crate) stream: bool,
    /// Whether padding hides the length of what is streamed.
    pub(crate) obfuscated: bool,
    /// Whether the vendor keeps the response.
    pub(crate) store: bool,
    /// Whether it runs in the background.
    pub(crate) background: bool,
    /// The items that the vendor has kept from before.
    pub(crate) past: Vec<Value>,
    /// What the reply repeats.
    pub(crate) echo: Value,
}

/// Checks a request.
pub(crate) fn request(call: &Call<'_>, document: &Value, memory: &Memory) -> Result<Request, Refusal> {
    let root = Node::root(document).lenient()?;
    root.only(FIELDS)?;
    let model = model(call, &root, converses)?;
    let reasons = reasoning(&root, model.traits)?;
    scalars(&root)?;
    metadata(&root)?;
    let include = include(&root)?;
    let (store, background, stream) = modes(&root)?;
    let declared = tools::declared(&root)?;
    let choice = tools::choice(&root, &declared)?;
    let past = past(&root, memory)?;
    let read = conversation(&root, &past, memory)?;
    let instructions = tokens::count(root.text("instructions")?.unwrap_or_default());
    let tool_tokens: u64 = declared.tools.iter().map(chat_tools::cost).sum();
    let length = read.tokens + instructions + tool_tokens;
    if length > model.context_length {
        return Err(error::window().into());
    }
    let limit = root.integer("max_output_tokens", 16, i64::MAX)?.and_then(|limit| u64::try_from(limit).ok());
    let top = root.integer("top_logprobs", 0, 20)?;
    let logprobs = include.contains(&"message.output_text.logprobs") || top.is_some();
    let format = format(&root, &read)?;
    let left = model.context_length - length;
    let prompt = Prompt {
        text: read.last_text,
        results: read.results,
        tools: declared.tools.clone(),
        choice,
        parallel: root.flag("parallel_tool_calls", true)?,
        limit: Some(limit.unwrap_or(model.max_output).min(model.max_output).min(left)),
        format,
        reason: reasons,
        ..Prompt::default()
    };
    Ok(Request {
        prompt,
        input: length,
        // Instructions come before all items.
        cached: tokens::cached(length, read.prefix + instructions),
        summary: summarised(&root)?,
        sealed: include.contains(&"reasoning.encrypted_content"),
        logprobs: logprobs.then(|| top.and_then(|top| usize::try_from(top).ok()).unwrap_or(0)),
        stream,
        obfuscated: obfuscated(&root, stream)?,
        store,
        background,
        past,
        echo: echo::of(&root, &model.id, &declared.echo, reasons),
        declared,
    })
}

/// What is to be compacted: its length in tokens, and what the vendor has kept of it.
pub(crate) fn compaction(
    call: &Call<'_>,
    document: &Value,
    memory: &Memory,
) -> Result<(u64, Vec<Value>), Refusal> {
    let root = Node::root(document).lenient()?;
    root.only(COMPACTED)?;
    model(call, &root, converses)?;
    scalars(&root)?;
    let past = past(&root, memory)?;
    let read = conversation(&root, &past, memory)?;
    Ok((read.tokens + tokens::count(root.text("instructions")?.unwrap_or_default()), past))
}

/// How long a prompt would be.
pub(crate) fn count(call: &Call<'_>, document: &Value, memory: &Memory) -> Result<u64, Refusal> {
    let root = Node::root(document).lenient()?;
    root.only(COUNTED)?;
    let model = model(call, &root, converses)?;
    reasoning(&root, model.traits)?;
    let declared = tools::declared(&root)?;
    tools::choice(&root, &declared)?;
    let read = conversation(&root, &past(&root, memory)?, memory)?;
    format(&root, &read)?;
    let instructions = tokens::count(root.text("instructions")?.unwrap_or_default());
    Ok(read.tokens + instructions + declared.tools.iter().map(chat_tools::cost).sum::<u64>())
}

fn conversation(
    root: &Object<'_>,
    past: &[Value],
    memory: &Memory,
) -> Result<messages::Conversation, Refusal> {
    match root.get("input") {
        Some(input) => input::read(&input, past, memory),
        None if past.is_empty() => Err(error::refuse(
            400,
            "One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation_id' must be provided.",
            Some("input"),
            Some("missing_required_parameter"),
        )
        .into()),
        None => {
            let nothing = json!({"input": []});
            let root = Node::root(&nothing).object()?;
            input::read(&root.need("input")?, past, memory)
        }
    }
}

/// Whether a model answers conversations.
const fn converses(traits: Traits) -> bool {
    matches!(traits, Traits::Plain | Traits::Reasoning | Traits::OneSampler)
}

/// What the vendor has kept of the conversation that this request goes on with.
fn past(root: &Object<'_>, memory: &Memory) -> Result<Vec<Value>, Refusal> {
    let previous = root.get("previous_response_id");
    if let Some(node) = root.get("conversation") {
        let id = match node.value.as_str() {
            Some(id) => id,
            None => node.lenient()?.need("id")?.text()?,
        };
        if previous.is_some() {
            let text = "Mutually exclusive parameters: 'previous_response_id' and 'conversation'.";
            return Err(node.rule_code(text, "mutually_exclusive_parameters").into());
        }
        let message = format!("Conversation with id '{id}' not found.");
        return Err(error::refuse(404, &message, None, None).into());
    }
    if let Some(node) = root.get("prompt") {
        let id = node.lenient()?.need("id")?.text()?;
        let message = format!("Prompt with id '{id}' not found.");
        return Err(error::refuse(404, &message, Some("prompt"), None).into());
    }
    let Some(node) = previous else { return Ok(Vec::new()) };
    let id = node.text()?;
    match memory.get(id) {
        Some(stored) => Ok(stored.conversation()),
        None => {
            let text = format!("Previous response with id '{id}' not found.");
            Err(node.rule_code(text, "previous_response_not_found").into())
        }
    }
}

/// Parameters that only some models take; whether this one reasons now.
fn reasoning(root: &Object<'_>, traits: Traits) -> Result<bool, Refusal> {
    let mut effort = None;
    if let Some(node) = root.get("reasoning") {
        let members = node.lenient()?;
        members.only(&["context", "effort", "generate_summary", "mode", "summary"])?;
        members.choice("context", &["auto", "current_turn", "all_turns"])?;
        effort = members.choice("effort", EFFORTS)?;
        members.text("mode")?;
        for name in ["summary", "generate_summary"] {
            members.choice(name, &["auto", "concise", "detailed"])?;
        }
        if traits == Traits::Plain
            && let Some(name) = ["effort", "summary"].into_iter().find(|name| members.get(name).is_some())
        {
            let place = format!("reasoning.{name}");
            let text = format!("Unsupported parameter: '{place}' is not supported with this model.");
            let wrong = error::refuse(400, &text, Some(&place), Some("unsupported_parameter"));
            return Err(wrong.into());
        }
    }
    if traits == Traits::Reasoning {
        for name in ["temperature", "top_p", "top_logprobs"] {
            if let Some(node) = root.get(name) {
                let text = format!("Unsupported parameter: '{name}' is not supported with this model.");
                return Err(node.rule(text).into());
            }
        }
    }
    Ok(effort.map_or(traits == Traits::Reasoning, |effort| effort != "none"))
}

fn summarised(root: &Object<'_>) -> Result<bool, Refusal> {
    let Some(node) = root.get("reasoning") else { return Ok(false) };
    let members = node.lenient()?;
    Ok(members.get("summary").or_else(|| members.get("generate_summary")).is_some())
}

fn scalars(root: &Object<'_>) -> Result<(), Refusal> {
    root.number("temperature", 0.0, 2.0)?;
    root.number("top_p", 0.0, 1.0)?;
    root.integer("max_tool_calls", 1, i64::MAX)?;
    root.choice("truncation", &["auto", "disabled"])?;
    root.choice("service_tier", &["auto", "default", "flex", "scale", "priority", "fast"])?;
    root.choice("prompt_cache_retention", &["in_memory", "in-memory", "24h"])?;
    root.text("user")?;
    for name in ["safety_identifier", "prompt_cache_key"] {
        root.get(name).map(|node| node.text_within(64)).transpose()?;
    }
    for name in ["access_programs", "image", "moderation", "prompt_cache_options"] {
        root.get(name).map(|node| node.object()).transpose()?;
    }
    root.get("context_management").map(|node| node.list()).transpose()?;
    Ok(())
}

fn include<'a>(root: &Object<'a>) -> Result<Vec<&'a str>, Refusal> {
    let Some(node) = root.get("include") else { return Ok(Vec::new()) };
    Ok(node.list()?.iter().map(|item| item.choice(INCLUDABLE)).collect::<Result<_, _>>()?)
}

/// Whether to keep the response, to run it in the background, and to stream it.
fn modes(root: &Object<'_>) -> Result<(bool, bool, bool), Refusal> {
    let store = root.flag("store", true)?;
    let background = root.flag("background", false)?;
    if let (true, false, Some(node)) = (background, store, root.get("background")) {
        return Err(node.rule("Background mode requires 'store' to be true.").into());
    }
    let stream = root.flag("stream", false)?;
    Ok((store, background, stream))
}

/// Streams are padded unless they are told not to be.
fn obfuscated(root: &Object<'_>, stream: bool) -> Result<bool, Refusal> {
    let Some(options) = root.get("stream_options") else { return Ok(true) };
    if !stream {
        let text = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
        return Err(options.rule(text).into());
    }
    let members = options.lenient()?;
    members.only(&["include_obfuscation"])?;
    Ok(members.flag("include_obfuscation", true)?)
}

fn format(root: &Object<'_>, read: &messages::Conversation) -> Result<Format, Refusal> {
    let Some(text) = root.get("text") else { return Ok(Format::Text) };
    let members = text.lenient()?;
    members.only(&["format", "verbosity"])?;
    members.choice("verbosity", &["low", "medium", "high"])?;
    let Some(node) = members.get("format") else { return Ok(Format::Text) };
    let format = node.lenient()?;
    match format.need("type")?.choice(&["json_object", "json_schema", "text"])? {
        "json_schema" => {
            format.only(&["type", "name", "description", "schema", "strict"])?;
            format.need("schema")?;
            schema::described(&format, "response_format")
        }
        kind => {
            format.only(&["type"])?;
            if kind == "text" {
                return Ok(Format::Text);
            }
            if !read.says_json {
                let text = "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.";
                return Err(error::refuse(400, text, Some("input"), None).into());
            }
            Ok(Format::Json)
        }
    }
}
