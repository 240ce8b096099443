//! Whether a Chat Completions request is one that OpenAI would take, and what it asks of the model.
//!
//! Spec: <https://platform.openai.com/docs/api-reference/chat/create>

use super::{error, messages, metadata, model, schema, stops, streaming, tools};
use crate::simulator::answer::{Call, Refusal};
use crate::simulator::catalog::{Model, Traits};
use crate::simulator::shape::{Node, Object};
use crate::simulator::tokens;
use crate::simulator::turn::{Format, Prompt};
use serde_json::Value;

const FIELDS: &[&str] = &[
    "audio",
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "messages",
    "metadata",
    "modalities",
    "moderation",
    "model",
    "n",
    "parallel_tool_calls",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning_effort",
    "response_format",
    "safety_identifier",
    "seed",
    "service_tier",
    "stop",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "user",
    "verbosity",
    "web_search_options",
];

/// What a model that reasons cannot be told.
const SAMPLING: &[&str] = &[
    "temperature",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "logprobs",
    "top_logprobs",
    "logit_bias",
];

/// How hard a model may be asked to think.
pub(crate) const EFFORTS: &[&str] = &["none", "minimal", "low", "medium", "high", "xhigh", "max"];

/// A request that was found valid.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    /// The model.
    pub(crate) model: &'a Model,
    /// What it is asked.
    pub(crate) prompt: Prompt,
    /// How long the prompt is, in tokens.
    pub(crate) input: u64,
    /// Of these, how many the vendor's cache holds.
    pub(crate) cached: u64,
    /// How many choices.
    pub(crate) choices: usize,
    /// Whether each token comes with its probability, and with how many alternatives.
    pub(crate) logprobs: Option<usize>,
    /// Whether to stream.
    pub(crate) stream: bool,
    /// Whether the stream ends with usage.
    pub(crate) include_usage: bool,
    /// The service tier that served, if the client asked for one.
    pub(crate) tier: Option<String>,
    /// What the client expects to hear.
    pub(crate) predicted: Option<String>,
    /// The tools that take plain text.
    pub(crate) custom: Vec<String>,
}

/// Checks a request.
pub(crate) fn request<'a>(call: &Call<'a>, document: &Value) -> Result<Request<'a>, Refusal> {
    let root = Node::root(document).lenient()?;
    root.only(FIELDS)?;
    let model = model(call, &root, |traits| {
        matches!(traits, Traits::Plain | Traits::Reasoning | Traits::OneSampler)
    })?;
    suits(&root, model)?;
    let conversation = messages::read(&root.need("messages")?)?;
    sampling(&root)?;
    extras(&root)?;
    let (stream, include_usage) = streaming(&root)?;
    let tools::Declared { tools: declared, custom } = tools::declared(&root)?;
    let choice = tools::choice(&root, &declared)?;
    let parallel = match root.get("parallel_tool_calls") {
        Some(node) if declared.is_empty() => {
            let text = "Invalid value for 'parallel_tool_calls': 'parallel_tool_calls' is only allowed when 'tools' are specified.";
            return Err(node.rule(text).into());
        }
        Some(node) => node.boolean()?,
        None => true,
    };
    let tool_tokens: u64 = declared.iter().map(tools::cost).sum();
    let input = conversation.tokens + tool_tokens;
    let limit = limit(&root, model, input)?;
    let format = format(&root, &conversation)?;
    let prompt = Prompt {
        text: conversation.last_text,
        results: conversation.results,
        tools: declared,
        choice,
        parallel,
        stops: stops(&root)?,
        limit,
        format,
        reason: reasons(&root, model.traits)?,
    };
    Ok(Request {
        model,
        prompt,
        input,
        cached: tokens::cached(input, conversation.prefix),
        choices: usize::try_from(root.integer("n", 1, 128)?.unwrap_or(1)).unwrap_or(1),
        logprobs: logprobs(&root)?,
        stream,
        include_usage,
        tier: tier(&root)?,
        predicted: prediction(&root)?,
        custom,
    })
}

/// Parameters that only some models take.
fn suits(root: &Object<'_>, model: &Model) -> Result<(), Refusal> {
    let traits = model.traits;
    if traits == Traits::Reasoning {
        // Only the first line of reasoners makes one call at a time and cannot be asked for anything else.
        let serial = model.id.starts_with('o').then_some(&"parallel_tool_calls");
        for name in SAMPLING.iter().chain(serial) {
            if let Some(node) = root.get(name) {
                let text = format!("Unsupported parameter: '{name}' is not supported with this model.");
                return Err(node.rule_code(text, "unsupported_parameter").into());
            }
        }
        if let Some(node) = root.get("max_tokens") {
            let text = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
            return Err(node.rule_code(text, "unsupported_parameter").into());
        }
    }
    if traits == Traits::Plain
        && let Some(node) = root.get("reasoning_effort")
    {
        let text = "Unrecognized request argument supplied: reasoning_effort";
        return Err(node.rule(text).into());
    }
    Ok(())
}

fn sampling(root: &Object<'_>) -> Result<(), Refusal> {
    root.number("temperature", 0.0, 2.0)?;
    root.number("top_p", 0.0, 1.0)?;
    root.number("presence_penalty", -2.0, 2.0)?;
    root.number("frequency_penalty", -2.0, 2.0)?;
    root.integer("seed", i64::MIN, i64::MAX)?;
    if let Some(bias) = root.get("logit_bias") {
        for (token, weight) in bias.lenient()?.members() {
            let fine =
                token.parse::<u32>().is_ok() && weight.as_f64().is_some_and(|weight| weight.abs() <= 100.0);
            if !fine {
                return Err(bias
                    .rule("Invalid key in 'logit_bias': expected token ids and values from -100 to 100.")
                    .into());
            }
        }
    }
    Ok(())
}

fn extras(root: &Object<'_>) -> Result<(), Refusal> {
    root.text("user")?;
    for name in ["prompt_cache_key", "safety_identifier"] {
        root.get(name).map(|node| node.text_within(64)).transpose()?;
    }
    root.choice("verbosity", &["low", "medium", "high"])?;
    root.choice("prompt_cache_retention", &["in_memory", "in-memory", "24h"])?;
    for name in ["moderation", "prompt_cache_options"] {
        root.get(name).map(|node| node.object()).transpose()?;
    }
    let store = root.flag("store", false)?;
    if let (false, Some(node)) = (store, root.get("metadata"))
        && !node.lenient()?.members().is_empty()
    {
        return Err(node.rule("The 'metadata' parameter is only allowed when 'store' is enabled.").into());
    }
    metadata(root)?;
    if let Some(node) = root.get("modalities") {
        for modality in node.list()? {
            modality.choice(&["text"])?;
        }
    }
    for name in ["audio", "web_search_options"] {
        if let Some(node) = root.get(name) {
            let text = format!("Unsupported parameter: '{name}' is not supported with this model.");
            return Err(node.rule_code(text, "unsupported_parameter").into());
        }
    }
    Ok(())
}

/// Whether the model reasons before it answers: some do unless they are told not to.
fn reasons(root: &Object<'_>, traits: Traits) -> Result<bool, Refusal> {
    let effort = root.choice("reasoning_effort", EFFORTS)?;
    Ok(effort.map_or(traits == Traits::Reasoning, |effort| effort != "none"))
}

/// A tier serves as itself; who leaves the choice to the vendor gets the usual one.
fn tier(root: &Object<'_>) -> Result<Option<String>, Refusal> {
    let tier = root.choice("service_tier", &["auto", "default", "flex", "scale", "priority", "fast"])?;
    Ok(tier.map(|tier| if tier == "auto" { "default" } else { tier }.to_owned()))
}

fn prediction(root: &Object<'_>) -> Result<Option<String>, Refusal> {
    let Some(node) = root.get("prediction") else { return Ok(None) };
    let prediction = node.lenient()?;
    prediction.only(&["type", "content"])?;
    prediction.need("type")?.choice(&["content"])?;
    if let Some(tools) = root.get("tools") {
        return Err(tools.rule("Unsupported parameter: 'tools' is not supported with 'prediction'.").into());
    }
    Ok(Some(messages::texts(&prediction.need("content")?)?.0))
}

/// The most the model may say; refuses what cannot fit.
fn limit(root: &Object<'_>, model: &Model, input: u64) -> Result<Option<u64>, Refusal> {
    let old = root.get("max_tokens");
    let new = root.get("max_completion_tokens");
    if let (Some(_), Some(node)) = (&old, &new) {
        let text = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.";
        return Err(node.rule_code(text, "invalid_parameter_combination").into());
    }
    let node = new.or(old);
    let limit = node.as_ref().map(|node| node.count(1)).transpose()?.map(|limit| limit as u64);
    if let (Some(node), Some(asked)) = (&node, limit)
        && asked > model.max_output
    {
        let most = model.max_output;
        let text = format!(
            "max_tokens is too large: {asked}. This model supports at most {most} completion tokens, whereas you provided {asked}."
        );
        return Err(node.rule_code(text, "invalid_value").into());
    }
    if input > model.context_length {
        return Err(error::context(model.context_length, input, None).into());
    }
    if let Some(asked) = limit
        && input + asked > model.context_length
    {
        return Err(error::context(model.context_length, input, Some(asked)).into());
    }
    Ok(Some(limit.unwrap_or(model.max_output).min(model.context_length - input)))
}

fn logprobs(root: &Object<'_>) -> Result<Option<usize>, Refusal> {
    let wanted = root.flag("logprobs", false)?;
    let top = root.integer("top_logprobs", 0, 20)?;
    if let (false, Some(node)) = (wanted, root.get("top_logprobs")) {
        return Err(node
            .rule("The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.")
            .into());
    }
    Ok(wanted.then(|| usize::try_from(top.unwrap_or(0)).unwrap_or(0)))
}

fn format(root: &Object<'_>, conversation: &messages::Conversation) -> Result<Format, Refusal> {
    let Some(node) = root.get("response_format") else { return Ok(Format::Text) };
    let members = node.lenient()?;
    match members.need("type")?.choice(&["json_object", "json_schema", "text"])? {
        "json_object" => {
            members.only(&["type"])?;
            if !conversation.says_json {
                let text = "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.";
                return Err(node.rule(text).into());
            }
            Ok(Format::Json)
        }
        "json_schema" => {
            members.only(&["type", "json_schema"])?;
            schema::format(&members.need("json_schema")?)
        }
        _ => {
            members.only(&["type"])?;
            Ok(Format::Text)
        }
    }
}
