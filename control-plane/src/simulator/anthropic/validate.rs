//! Whether a Messages request is one that Anthropic would take, and what it asks of the model.
//!
//! Spec: <https://docs.claude.com/en/api/messages>. Invariant: `null` is a value, and wrong wherever a value is asked for.

use super::messages::{self, Conversation, Meter};
use super::{beta, blocks, error, marker, model, tools};
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
pub(crate) struct Thinking {
    /// Whether the model is to think.
    pub(crate) on: bool,
    /// Whether it is not shown.
    pub(crate) hidden: bool,
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
    root.only(&beta::known(call, COUNTED))?;
    let traits = model(call, &root, id)?.traits;
    let thinking = thinking(&root, None, traits)?;
    beta::context_management(&root, thinking.on)?;
    let mut meter = Meter::default();
    let declared = tools::declared(&root, &mut meter)?;
    tools::choice(&root, &declared, thinking.on)?;
    Ok(conversation(&root, meter, thinking.on, traits)?.meter.tokens)
}

/// Checks a request.
pub(crate) fn request<'a>(call: &Call<'a>, document: &Value, id: &str) -> Result<Request<'a>, Refusal> {
    let root = Node::root(document).object()?;
    if root.get("thread").is_some() {
        // The vendor keeps some conversations and declines others; this one keeps none.
        return Err(error::no_thread(id).into());
    }
    root.only(&beta::known(call, FIELDS))?;
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
    let thinking = thinking(&root, Some(limit), model.traits)?;
    beta::context_management(&root, thinking.on)?;
    sampling(&root, thinking.on, model.traits)?;
    extras(&root)?;
    let mut meter = Meter::default();
    let declared = tools::declared(&root, &mut meter)?;
    let (choice, parallel) = tools::choice(&root, &declared, thinking.on)?;
    let conversation = conversation(&root, meter, thinking.on, model.traits)?;
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

fn conversation(
    root: &Object<'_>,
    mut meter: Meter,
    thinking: bool,
    traits: Traits,
) -> Checked<Conversation> {
    meter.add(3, false);
    system(root, &mut meter)?;
    let mut conversation = messages::read(&root.need("messages")?, meter, is_current(traits))?;
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

/// Whether a model decides itself how long it thinks, and takes instructions in the middle of a conversation: the
/// vendor's newest, which refuse to be told what to sample.
const fn is_current(traits: Traits) -> bool {
    matches!(traits, Traits::Reasoning | Traits::Any)
}

/// What `thinking` asks for, where a reply may have so many tokens.
pub(crate) fn thinking(root: &Object<'_>, limit: Option<u64>, traits: Traits) -> Checked<Thinking> {
    let Some(node) = root.get("thinking") else { return Ok(Thinking::default()) };
    let members = node.object()?;
    let kind = members.need("type")?.choice(&["adaptive", "enabled", "disabled"])?;
    if kind == "disabled" {
        members.only(&["type"])?;
        return Ok(Thinking::default());
    }
    let display =
        members.nullable("display").map(|node| node.choice(&["summarized", "omitted"])).transpose()?;
    if kind == "adaptive" {
        members.only(&["type", "display"])?;
        if !is_current(traits) {
            return Err(Violation::rule("adaptive thinking is not supported on this model", None));
        }
        // These models think out of sight unless they are asked to show it.
        let hidden = display != Some("summarized") && traits == Traits::Reasoning;
        return Ok(Thinking { on: true, hidden: hidden || display == Some("omitted") });
    }
    if traits == Traits::Reasoning {
        let text = "\"thinking.type.enabled\" is not supported for this model. Use \"thinking.type.adaptive\" and \
                    \"output_config.effort\" to control thinking behavior.";
        return Err(Violation::rule(text, None));
    }
    members.only(&["type", "budget_tokens", "display"])?;
    let budget = members.need("budget_tokens")?.count(1024)? as u64;
    if limit.is_some_and(|limit| budget >= limit) {
        let text = "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at \
                    https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size";
        return Err(Violation::rule(text, None));
    }
    Ok(Thinking { on: true, hidden: display == Some("omitted") })
}

/// Checks the parameters of sampling.
pub(crate) fn sampling(root: &Object<'_>, thinking: bool, traits: Traits) -> Checked<()> {
    let temperature = root.number("temperature", 0.0, 1.0)?;
    let nucleus = root.number("top_p", 0.0, 1.0)?;
    let top = root.integer("top_k", 0, i64::MAX)?;
    if traits == Traits::OneSampler && temperature.is_some() && nucleus.is_some() {
        let text = "`temperature` and `top_p` cannot both be specified for this model. Please use only one.";
        return Err(Violation::rule(text, None));
    }
    if traits == Traits::Reasoning
        && (top.is_some() || [temperature, nucleus].into_iter().flatten().any(|value| value < 1.0))
    {
        let text = "`temperature`, `top_p` and `top_k` are deprecated for this model.";
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
    closed(&schema, schema.value)?;
    Ok(Format::Schema(schema.value.clone()))
}

/// Every object must be closed, and nothing may be held to a size.
pub(crate) fn closed(place: &Node<'_>, schema: &Value) -> Checked<()> {
    const SIZES: [&str; 6] = ["minimum", "maximum", "multipleOf", "minLength", "maxLength", "maxItems"];
    let Value::Object(members) = schema else { return Ok(()) };
    let is_object = match members.get("type") {
        Some(Value::Array(types)) => types.iter().any(|kind| kind == "object"),
        kind => kind.is_some_and(|kind| kind == "object"),
    };
    if is_object && members.get("additionalProperties") != Some(&Value::Bool(false)) {
        return Err(place.rule("For 'object' type, 'additionalProperties' must be explicitly set to false"));
    }
    if let Some(size) = SIZES.into_iter().find(|size| members.contains_key(*size)) {
        return Err(place.rule(format!("property '{size}' is not supported")));
    }
    let maps =
        ["properties", "$defs", "definitions"].into_iter().filter_map(|name| members.get(name)?.as_object());
    maps.flat_map(|map| map.values()).try_for_each(|schema| closed(place, schema))?;
    let lists = ["anyOf", "allOf"].into_iter().filter_map(|name| members.get(name)?.as_array());
    lists.flatten().chain(members.get("items")).try_for_each(|schema| closed(place, schema))
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
pub(crate) fn usage(meter: &Meter) -> Usage {
    let marked = if meter.marked < tokens::CACHEABLE { 0 } else { meter.marked };
    let cached = if meter.history < tokens::CACHEABLE { 0 } else { marked.min(meter.history) };
    Usage { input: meter.tokens, cached, cache_write: marked - cached, output: 0, reasoning: 0, images: 0 }
}
