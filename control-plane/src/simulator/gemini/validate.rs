//! Whether a request for content is one that the vendor would take, and what it asks of the model.
//!
//! Spec: <https://ai.google.dev/api/generate-content>. Invariant: what is read here went through [`super::proto`] before.

use super::ability::Ability;
use super::contents::{self, Conversation};
use super::error;
use super::schema::Flavour;
use super::settings::{self, Settings};
use super::tools::{self, Toolbox};
use crate::simulator::answer::Refusal;
use crate::simulator::catalog::Model;
use crate::simulator::shape::{Checked, Node, Object};
use crate::simulator::tokens;
use crate::simulator::turn::Prompt;
use serde_json::Value;

/// A request that was found valid.
#[derive(Debug)]
pub(crate) struct Request {
    /// What it can do.
    pub(crate) ability: Ability,
    /// What it is asked.
    pub(crate) prompt: Prompt,
    /// How long the prompt is, in tokens.
    pub(crate) input: u64,
    /// Of these, how many the vendor's cache holds.
    pub(crate) cached: u64,
    /// Whether the vendor may search the web.
    pub(crate) searches: bool,
    /// How to reply.
    pub(crate) settings: Settings,
}

/// Checks a request for content.
pub(crate) fn request(model: &Model, flavour: Flavour, document: &Value) -> Result<Request, Refusal> {
    let refused = |violation| error::of_violation(flavour, "GenerateContentRequest", &violation);
    let (conversation, toolbox, settings) = checked(model, flavour, document).map_err(refused)?;
    if document.get("cachedContent").is_some() {
        return Err(error::refuse(403, "CachedContent not found (or permission denied)").into());
    }
    let input = conversation.tokens + toolbox.tokens;
    let most = model.context_length;
    if input > most {
        let text =
            format!("The input token count ({input}) exceeds the maximum number of tokens allowed ({most}).");
        return Err(error::refuse(400, &text).into());
    }
    let cached = if conversation.history < tokens::CACHEABLE { 0 } else { conversation.history };
    let searches = toolbox.searches;
    let prompt = Prompt {
        text: conversation.last_text,
        results: conversation.results,
        tools: toolbox.tools,
        choice: toolbox.choice,
        parallel: true,
        stops: settings.stops.clone(),
        limit: Some(settings.limit.unwrap_or(model.max_output)),
        format: settings.format.clone(),
        reason: settings.thinking.asked,
    };
    Ok(Request { ability: Ability::of(model), prompt, input, cached, searches, settings })
}

/// Checks what is to be counted, and counts; `name` is the message it comes in.
pub(crate) fn count(
    model: &Model,
    flavour: Flavour,
    name: &'static str,
    document: &Value,
) -> Result<u64, Refusal> {
    let refused = |violation| error::of_violation(flavour, name, &violation);
    let (conversation, toolbox, _) = checked(model, flavour, document).map_err(refused)?;
    Ok(conversation.tokens + toolbox.tokens)
}

fn checked(model: &Model, flavour: Flavour, document: &Value) -> Checked<(Conversation, Toolbox, Settings)> {
    let ability = Ability::of(model);
    let root: Object<'_> = Node::root(document).object()?;
    let mut conversation = contents::read(&root, flavour, ability)?;
    if let Some(node) = root.get("systemInstruction") {
        let instruction = contents::instruction(&node, flavour, ability)?;
        conversation.tokens += instruction;
        conversation.history += instruction;
    }
    let toolbox = tools::read(&root, flavour, ability)?;
    let settings = settings::read(&root, model, flavour, !toolbox.tools.is_empty())?;
    settings::safety(&root, flavour)?;
    Ok((conversation, toolbox, settings))
}
