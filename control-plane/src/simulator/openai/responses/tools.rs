//! A Responses request's tools, the vendor's own among them, and which of them the model may or must call.
//!
//! Spec: <https://platform.openai.com/docs/api-reference/responses/create#responses-create-tools>

use crate::simulator::answer::Refusal;
use crate::simulator::openai::{messages, schema};
use crate::simulator::shape::{Node, Object};
use crate::simulator::turn::{Choice, Tool};
use serde_json::{Value, json};

/// Tools that the vendor runs itself, or whose calls the simulated model does not make.
const HOSTED: &[&str] = &[
    "web_search",
    "web_search_2025_08_26",
    "web_search_preview",
    "web_search_preview_2025_03_11",
    "file_search",
    "computer",
    "computer_use_preview",
    "code_interpreter",
    "image_generation",
    "mcp",
    "local_shell",
    "shell",
    "apply_patch",
    "namespace",
    "tool_search",
    "programmatic_tool_calling",
];

/// All that may be declared.
const KINDS: &[&str] = &[
    "function",
    "custom",
    "web_search",
    "web_search_2025_08_26",
    "web_search_preview",
    "web_search_preview_2025_03_11",
    "file_search",
    "computer",
    "computer_use_preview",
    "code_interpreter",
    "image_generation",
    "mcp",
    "local_shell",
    "shell",
    "apply_patch",
    "namespace",
    "tool_search",
    "programmatic_tool_calling",
];

/// The tools of a request.
#[derive(Debug, Default)]
pub(crate) struct Declared {
    /// What the model may call.
    pub(crate) tools: Vec<Tool>,
    /// Of these, the names of the ones that take plain text.
    pub(crate) custom: Vec<String>,
    /// The kinds of the vendor's own.
    pub(crate) hosted: Vec<String>,
    /// All, as the reply repeats them.
    pub(crate) echo: Vec<Value>,
}

impl Declared {
    /// Whether the model can search the web.
    pub(crate) fn searches(&self) -> bool {
        self.hosted.iter().any(|kind| kind.starts_with("web_search"))
    }
}

/// Reads `tools`.
pub(crate) fn declared(root: &Object<'_>) -> Result<Declared, Refusal> {
    let mut declared = Declared::default();
    let Some(node) = root.get("tools") else { return Ok(declared) };
    for tool in node.list()? {
        let members = tool.lenient()?;
        let mut echo = tool.value.clone();
        match members.need("type")?.choice(KINDS)? {
            "function" => {
                let strict = function(&members, &mut declared)?;
                usual(
                    &mut echo,
                    &[("strict", json!(strict)), ("description", Value::Null), ("parameters", Value::Null)],
                );
            }
            "custom" => {
                custom(&members, &mut declared)?;
                usual(&mut echo, &[("format", json!({"type": "text"}))]);
            }
            kind => {
                hosted(kind, &members)?;
                declared.hosted.push(kind.to_owned());
            }
        }
        declared.echo.push(echo);
    }
    Ok(declared)
}

fn usual(echo: &mut Value, members: &[(&str, Value)]) {
    let Value::Object(known) = echo else { return };
    for (name, value) in members {
        let slot = known.entry(*name).or_insert_with(|| value.clone());
        if slot.is_null() {
            *slot = value.clone();
        }
    }
}

/// Whether the schema is enforced: the vendor does so unless it is told not to.
fn function(members: &Object<'_>, declared: &mut Declared) -> Result<bool, Refusal> {
    let name = messages::function_name(&members.need("name")?)?;
    members.only(&[
        "type",
        "name",
        "description",
        "parameters",
        "strict",
        "defer_loading",
        "allowed_callers",
        "output_schema",
        "async",
    ])?;
    members.text("description")?;
    let strict = members.get("strict").map(|node| node.boolean()).transpose()?;
    let parameters = members.get("parameters");
    if let Some(parameters) = &parameters {
        schema::function(parameters, name, strict == Some(true))?;
    }
    let schema = parameters.map_or_else(|| json!({"type": "object"}), |parameters| parameters.value.clone());
    declared.tools.push(Tool { name: name.to_owned(), schema });
    Ok(strict.unwrap_or(true))
}

fn custom(members: &Object<'_>, declared: &mut Declared) -> Result<(), Refusal> {
    let name = messages::function_name(&members.need("name")?)?;
    members.only(&["type", "name", "description", "format", "defer_loading", "allowed_callers", "async"])?;
    members.text("description")?;
    if let Some(format) = members.get("format") {
        let format = format.lenient()?;
        if format.need("type")?.choice(&["text", "grammar"])? == "grammar" {
            format.only(&["type", "definition", "syntax"])?;
            format.need("definition")?.text()?;
            format.need("syntax")?.choice(&["lark", "regex"])?;
        } else {
            format.only(&["type"])?;
        }
    }
    declared.custom.push(name.to_owned());
    declared.tools.push(Tool { name: name.to_owned(), schema: json!({"type": "string"}) });
    Ok(())
}

fn hosted(kind: &str, members: &Object<'_>) -> Result<(), Refusal> {
    match kind {
        "web_search" | "web_search_2025_08_26" => {
            members.only(&[
                "type",
                "external_web_access",
                "filters",
                "search_context_size",
                "user_location",
            ])?;
            members.choice("search_context_size", &["low", "medium", "high"])?;
        }
        "file_search" => members.need("vector_store_ids")?.list().map(|_| ())?,
        "code_interpreter" => members.need("container").map(|_| ())?,
        "mcp" => members.need("server_label")?.text().map(|_| ())?,
        _ => {}
    }
    Ok(())
}

/// `tool_choice`.
pub(crate) fn choice(root: &Object<'_>, declared: &Declared) -> Result<Choice, Refusal> {
    let Some(node) = root.get("tool_choice") else { return Ok(Choice::Auto) };
    if node.value.is_string() {
        return Ok(match node.choice(&["none", "auto", "required"])? {
            "none" => Choice::None,
            "required" if declared.echo.is_empty() => {
                let text = "Tool choice 'required' must be specified with 'tools' parameter.";
                return Err(node.rule(text).into());
            }
            // The vendor's own tools satisfy it too.
            "required" if declared.tools.is_empty() => Choice::Auto,
            "required" => Choice::Any,
            _ => Choice::Auto,
        });
    }
    let members = node.lenient()?;
    let kinds: Vec<&'static str> = KINDS.iter().copied().chain(["allowed_tools", "computer_use"]).collect();
    match members.need("type")?.choice(&kinds)? {
        "function" | "custom" => {
            members.only(&["type", "name"])?;
            Ok(Choice::Named(known(&node, &members, declared)?))
        }
        "allowed_tools" => {
            members.only(&["type", "mode", "tools"])?;
            let required = members.need("mode")?.choice(&["auto", "required"])? == "required";
            let mut names = Vec::new();
            for tool in members.need("tools")?.list()? {
                let members = tool.lenient()?;
                if matches!(members.need("type")?.choice(&kinds)?, "function" | "custom") {
                    names.push(known(&tool, &members, declared)?);
                }
            }
            Ok(Choice::Among { names, required })
        }
        kind if HOSTED.contains(&kind) && !declared.hosted.iter().any(|known| known == kind) => {
            let text = format!("Tool choice '{kind}' not found in 'tools' parameter.");
            Err(node.rule(text).into())
        }
        _ => Ok(Choice::Auto),
    }
}

fn known(node: &Node<'_>, members: &Object<'_>, declared: &Declared) -> Result<String, Refusal> {
    let name = members.need("name")?.text()?;
    if declared.tools.iter().any(|tool| tool.name == name) {
        return Ok(name.to_owned());
    }
    let text = format!("Tool choice '{name}' not found in 'tools' parameter.");
    Err(node.rule(text).into())
}
