//! Whether a Messages request is one that Anthropic would take, and what it asks of the model.
//!
//! Spec: <https://docs.claude.com/en/api/messages>. Invariant: `null` is a value, and wrong wherever a value is asked for.

use super::messages::{self, Conversation, Meter};
use super::{blocks, error, marker, model, tools};
use crate::simulator::answer::{Call, Refusal};
use crate::simulator::catalog::{Model, Traits};
use crate::simulator::shape::{Checked, Node, Object, Violation};
use crate::simulator::tokens;
use crate::simulator::turn::{Format, Prompt};
use serde_json::Value;
use sluice::config::Usage;

const FIELDS: &[&str] = &[
    "cache_control",
    "container",
    "diagnostics",
    "inference_geo",
    "max_tokens",
    "messages",
    "metadata",
    "model",
    "output_config",
    "service_tier",
    "speed",
    "stop_sequences",
    "stream",
    "system",
    "temperature",
    "thinking",
    "tool_choice",
    "tools",
    "top_k",
    "top_p",
    "user_profile_id",
    "workspace_id",
];

const COUNTED: &[&str] = &[
    "cache_control",
    "messages",
    "model",
    "output_config",
    "speed",
    "system",
    "thinking",
    "tool_choice",
    "tools",
    "user_profile_id",
    "workspace_id",
];

/// Extended thinking: whether it is on, and whether its text is kept from the client.
#[derive(Debug, Clone, Copy, Default)]
struct Thinking {
    on: bool,
    hidden: bool,
}

/// A request that was found valid.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    /// The model.
    pub(crate) model: &'a Model,
    /// What it is asked.
    pub(crate) prompt: Prompt,
    /// What the prompt costs; the output is still to come.
    pub(crate) usage: Usage,
    /// Whether to stream.
    pub(crate) stream: bool,
    /// Whether thinking comes back without its text, signed all the same.
    pub(crate) hidden: bool,
}

/// Checks a request for token counting, and counts.
pub(crate) fn count(call: &Call<'_>, document: &Value, id: &str) -> Result<u64, Refusal> {
    let root = Node::root(document).object()?;
    root.only(COUNTED)?;
    model(call, &root, id)?;
    let thinking = thinking(&root, None)?;
    let mut meter = Meter::default();
    let declared = tools::declared(&root, &mut meter)?;
    tools::choice(&root, &declared, thinking.on)?;
    Ok(conversation(&root, meter, thinking.on)?.meter.tokens)
}

/// Checks a request.
pub(crate) fn request<'a>(call: &Call<'a>, document: &Value, id: &str) -> Result<Request<'a>, Refusal> {
    let root = Node::root(document).object()?;
    if root.get("thread").is_some() {
        // The vendor keeps some conversations and declines others; this one keeps none.
        return Err(error::no_thread(id).into());
    }
    root.only(FIELDS)?;
    let model = model(call, &root, id)?;
    let most = root.need("max_tokens")?;
    let limit = most.count(1)? as u64;
    if limit > model.max_output {
        let text = format!(
            "{limit} > {}, which is the maximum allowed number of output tokens for {}",
            model.max_output, model.id
        );
        return Err(most.rule(text).into());
    }
    let thinking = thinking(&root, Some(limit))?;
    sampling(&root, thinking.on, model.traits)?;
    extras(&root)?;
    let mut meter = Meter::default();
    let declared = tools::declared(&root, &mut meter)?;
    let (choice, parallel) = tools::choice(&root, &declared, thinking.on)?;
    let conversation = conversation(&root, meter, thinking.on)?;
    fits(&conversation.meter, model, limit, id)?;
    let prompt = Prompt {
        text: conversation.last_text,
        results: conversation.results,
        tools: declared,
        choice,
        parallel,
        stops: stops(&root)?,
        limit: Some(limit),
        format: format(&root)?,
        reason: thinking.on,
    };
    let stream = root.flag("stream", false)?;
    Ok(Request { model, prompt, usage: usage(&conversation.meter), stream, hidden: thinking.hidden })
}

fn conversation(root: &Object<'_>, mut meter: Meter, thinking: bool) -> Checked<Conversation> {
    meter.add(3, false);
    system(root, &mut meter)?;
    let mut conversation = messages::read(&root.need("messages")?, meter)?;
    if let Some(node) = root.get("cache_control")
        && marker(&node)?
    {
        conversation.meter.add(0, true);
    }
    if conversation.meter.markers > 4 {
        let found = conversation.meter.markers;
        let text = format!("A maximum of 4 blocks with cache_control may be provided. Found {found}.");
        return Err(Violation::rule(text, None));
    }
    if thinking && conversation.resumes_without_thinking {
        let text = "Expected `thinking` or `redacted_thinking`, but found `tool_use`. When `thinking` is enabled, a final \
                    `assistant` message must start with a thinking block (preceeding the lastmost set of `tool_use` and \
                    `tool_result` blocks).";
        return Err(root.need("messages")?.rule(text));
    }
    Ok(conversation)
}

fn system(root: &Object<'_>, meter: &mut Meter) -> Checked<()> {
    let Some(node) = root.get("system") else { return Ok(()) };
    if let Some(text) = node.value.as_str() {
        meter.add(tokens::count(text), false);
        return Ok(());
    }
    for block in node.list()? {
        let members = block.object()?;
        members.need("type")?.choice(&["text"])?;
        let text = blocks::text(&block, &members)?;
        let marked = members.get("cache_control").map_or(Ok(false), |node| marker(&node))?;
        meter.add(tokens::count(text), marked);
    }
    Ok(())
}

fn thinking(root: &Object<'_>, limit: Option<u64>) -> Checked<Thinking> {
    let Some(node) = root.get("thinking") else { return Ok(Thinking::default()) };
    let members = node.object()?;
    if members.need("type")?.choice(&["enabled", "disabled"])? == "disabled" {
        members.only(&["type"])?;
        return Ok(Thinking::default());
    }
    members.only(&["type", "budget_tokens", "display"])?;
    let display =
        members.nullable("display").map(|node| node.choice(&["summarized", "omitted"])).transpose()?;
    let budget = members.need("budget_tokens")?.count(1024)? as u64;
    if limit.is_some_and(|limit| budget >= limit) {
        let text = "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at \
                    https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size";
        return Err(Violation::rule(text, None));
    }
    Ok(Thinking { on: true, hidden: display == Some("omitted") })
}

fn sampling(root: &Object<'_>, thinking: bool, traits: Traits) -> Checked<()> {
    let temperature = root.number("temperature", 0.0, 1.0)?;
    let nucleus = root.number("top_p", 0.0, 1.0)?;
    let top = root.integer("top_k", 0, i64::MAX)?;
    if traits == Traits::OneSampler && temperature.is_some() && nucleus.is_some() {
        let text = "`temperature` and `top_p` cannot both be specified for this model. Please use only one.";
        return Err(Violation::rule(text, None));
    }
    if !thinking {
        return Ok(());
    }
    let text = if temperature.is_some_and(|temperature| temperature < 1.0) {
        "`temperature` may only be set to 1 when thinking is enabled."
    } else if top.is_some() {
        "`top_k` must be unset when thinking is enabled."
    } else if nucleus.is_some_and(|nucleus| nucleus < 0.95) {
        "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled."
    } else {
        return Ok(());
    };
    Err(Violation::rule(text, None))
}

fn extras(root: &Object<'_>) -> Checked<()> {
    root.choice("service_tier", &["auto", "standard_only"])?;
    root.nullable("speed").map(|node| node.choice(&["standard", "fast"])).transpose()?;
    root.nullable("inference_geo").map(|node| node.text()).transpose()?;
    root.nullable("diagnostics").map(|node| node.object()).transpose()?;
    root.text("user_profile_id")?;
    root.text("workspace_id")?;
    if let Some(node) = root.get("metadata") {
        let members = node.object()?;
        members.only(&["user_id"])?;
        if let Some(user) = members.nullable("user_id") {
            user.text_within(256)?;
        }
    }
    if let Some(node) = root.nullable("container").filter(|node| !node.value.is_object()) {
        node.text()?;
    }
    Ok(())
}

fn stops(root: &Object<'_>) -> Checked<Vec<String>> {
    let Some(node) = root.get("stop_sequences") else { return Ok(Vec::new()) };
    let mut stops = Vec::new();
    for stop in node.list()? {
        let text = stop.text()?;
        if text.trim().is_empty() {
            return Err(stop.rule("each stop sequence must contain non-whitespace"));
        }
        stops.push(text.to_owned());
    }
    Ok(stops)
}

fn format(root: &Object<'_>) -> Checked<Format> {
    let Some(node) = root.get("output_config") else { return Ok(Format::Text) };
    let members = node.object()?;
    members.only(&["effort", "format"])?;
    let efforts = ["low", "medium", "high", "xhigh", "max"];
    members.nullable("effort").map(|node| node.choice(&efforts)).transpose()?;
    let Some(format) = members.nullable("format") else {
        return Ok(Format::Text);
    };
    let members = format.object()?;
    members.only(&["type", "schema"])?;
    members.need("type")?.choice(&["json_schema"])?;
    let schema = members.need("schema")?;
    schema.object()?;
    Ok(Format::Schema(schema.value.clone()))
}

fn fits(meter: &Meter, model: &Model, limit: u64, id: &str) -> Result<(), Refusal> {
    let (prompt, most) = (meter.tokens, model.context_length);
    let message = if prompt > most {
        format!("prompt is too long: {prompt} tokens > {most} maximum")
    } else if prompt + limit > most {
        format!(
            "input length and `max_tokens` exceed context limit: {prompt} + {limit} > {most}, decrease input length or \
             `max_tokens` and try again"
        )
    } else {
        return Ok(());
    };
    Err(error::refuse(400, "invalid_request_error", &message, id).into())
}

/// What is marked is cached: read as far as an earlier turn has written it, written from there.
fn usage(meter: &Meter) -> Usage {
    let marked = if meter.marked < tokens::CACHEABLE { 0 } else { meter.marked };
    let cached = if meter.history < tokens::CACHEABLE { 0 } else { marked.min(meter.history) };
    Usage { input: meter.tokens, cached, cache_write: marked - cached, output: 0, reasoning: 0 }
}
