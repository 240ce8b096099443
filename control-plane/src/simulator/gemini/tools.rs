//! A request's tools, and which of the declared functions the model may or must call.
//!
//! Spec: <https://ai.google.dev/api/caching#Tool>, <https://ai.google.dev/gemini-api/docs/function-calling>

use super::ability::Ability;
use super::schema::Flavour;
use super::{error, openapi};
use crate::simulator::shape::{Checked, Node, Object, Violation};
use crate::simulator::tokens;
use crate::simulator::turn::{Choice, Tool};
use serde_json::json;

/// The longest name of a function.
const NAME: usize = 128;
/// The most functions.
const MOST: usize = 512;

/// What may be called, how, and what the declarations cost.
#[derive(Debug, Default)]
pub(crate) struct Toolbox {
    /// The functions that may be called.
    pub(crate) tools: Vec<Tool>,
    /// How.
    pub(crate) choice: Choice,
    /// Whether the vendor may search the web.
    pub(crate) searches: bool,
    /// The tokens of all declarations.
    pub(crate) tokens: u64,
}

/// Checks `tools` and `toolConfig`.
pub(crate) fn read(root: &Object<'_>, flavour: Flavour, ability: Ability) -> Checked<Toolbox> {
    let list = root.get("tools").map(|node| node.list()).transpose()?.unwrap_or_default();
    let mut toolbox = Toolbox::default();
    let mut built_in: Vec<String> = Vec::new();
    for tool in list {
        let members = tool.object()?;
        for name in members.members().keys().filter(|name| *name != "functionDeclarations") {
            if name == "googleSearchRetrieval" {
                let text = "google_search_retrieval is not supported. Please use google_search tool instead.";
                return Err(rule(text));
            }
            built_in.push(super::proto::snake(name));
        }
        let declarations = members.get("functionDeclarations").map(|node| node.list()).transpose()?;
        for node in declarations.unwrap_or_default() {
            declare(&node, flavour, &mut toolbox)?;
        }
    }
    toolbox.searches = built_in.iter().any(|name| name == "google_search");
    if toolbox.tools.len() > MOST {
        return Err(rule(format!("Too many function declarations: at most {MOST} are supported.")));
    }
    let config = root.get("toolConfig").map(|node| node.object()).transpose()?;
    if !built_in.is_empty() && !toolbox.tools.is_empty() {
        combined(&built_in, config.as_ref(), ability)?;
    }
    if let Some(node) = config.as_ref().and_then(|config| config.get("functionCallingConfig")) {
        choose(&node, &mut toolbox)?;
    }
    Ok(toolbox)
}

fn rule(message: impl Into<String>) -> Violation {
    Violation::rule(message, None)
}

/// What the vendor runs itself goes with functions only where the model can say which is which.
fn combined(built_in: &[String], config: Option<&Object<'_>>, ability: Ability) -> Checked<()> {
    let told = config.map_or(Ok(false), |config| config.flag("includeServerSideToolInvocations", false))?;
    if !ability.third {
        return Err(rule("Tool use with function calling is unsupported"));
    }
    if told {
        return Ok(());
    }
    let names = built_in.join(", ");
    Err(rule(format!(
        "Built-in tools ({{{names}}}) and Function Calling cannot be combined in the same request. Please enable \
         tool_config.include_server_side_tool_invocations to use Built-in tools with Function calling."
    )))
}

fn declare(node: &Node<'_>, flavour: Flavour, toolbox: &mut Toolbox) -> Checked<()> {
    let members = node.object()?;
    let name = members.text("name")?.unwrap_or_default();
    if !is_name(name) {
        let mut violation = error::at(
            node,
            "[FIELD_INVALID] Invalid function name. Must start with a letter or an underscore. Must be alphanumeric (a-z, A-Z, 0-9), \
             underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 128.",
        );
        violation.path.push(crate::simulator::shape::Segment::Key("name".to_owned()));
        return Err(violation);
    }
    if toolbox.tools.iter().any(|known| known.name == name) {
        return Err(rule(format!("Duplicate function declaration found: {name}")));
    }
    let (subset, whole) = (members.get("parameters"), members.get("parametersJsonSchema"));
    let schema = match (subset, whole) {
        (Some(_), Some(node)) => {
            return Err(error::at(&node, "parameters and parameters_json_schema are mutually exclusive."));
        }
        (Some(node), None) => {
            openapi::check(&node, flavour)?;
            openapi::lowered(node.value)
        }
        (None, Some(node)) => {
            openapi::whole(&node)?;
            node.value.clone()
        }
        (None, None) => json!({"type": "object"}),
    };
    let described = members.text("description")?.unwrap_or_default();
    toolbox.tokens += tokens::count(name)
        + tokens::count(described)
        + tokens::count(&schema.to_string())
        + tokens::PER_MESSAGE;
    toolbox.tools.push(Tool { name: name.to_owned(), schema });
    Ok(())
}

fn is_name(name: &str) -> bool {
    let starts = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    starts
        && name.len() <= NAME
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte))
}

fn choose(node: &Node<'_>, toolbox: &mut Toolbox) -> Checked<()> {
    let members = node.object()?;
    let mode = members.text("mode")?.unwrap_or("AUTO");
    if toolbox.tools.is_empty() {
        return Err(rule("Function calling config is set without function_declarations."));
    }
    let allowed = members.get("allowedFunctionNames");
    let names: Vec<&str> = match &allowed {
        None => Vec::new(),
        Some(allowed) if !matches!(mode, "ANY" | "VALIDATED") => {
            return Err(error::at(allowed, "only allowed when the mode is ANY or VALIDATED."));
        }
        Some(allowed) => allowed.list()?.iter().map(|name| name.text()).collect::<Checked<_>>()?,
    };
    for (name, node) in names.iter().zip(allowed.map(|node| node.list()).transpose()?.unwrap_or_default()) {
        if !toolbox.tools.iter().any(|tool| tool.name == *name) {
            return Err(error::at(&node, "function is not declared."));
        }
    }
    let required = mode == "ANY";
    toolbox.choice = match (mode, names.as_slice()) {
        ("NONE", _) => Choice::None,
        ("ANY", []) => Choice::Any,
        (_, []) => Choice::Auto,
        (_, names) => {
            Choice::Among { names: names.iter().map(|name| (*name).to_owned()).collect(), required }
        }
    };
    Ok(())
}
