//! What a request says besides its conversation: sampling, tools, the form of the reply, and a model's own parameters.
//!
//! Spec: <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html>. Invariant: what Bedrock hands on to
//! Claude is refused in Claude's own words.

use super::blocks::text;
use super::error::{self, invalid, malformed, model_says};
use super::family::{Maker, Named};
use crate::simulator::answer::Refusal;
use crate::simulator::anthropic::{self, messages::Meter, tools, validate};
use crate::simulator::shape::{Checked, Node, Object, Problem};
use crate::simulator::tokens;
use crate::simulator::turn::{Choice, Format, Tool};
use serde_json::{Map, Value, json};

/// The parameters that a Claude takes besides those that every model takes.
const CLAUDE: &[&str] =
    &["thinking", "reasoning_config", "top_k", "anthropic_beta", "output_config", "tool_choice", "metadata"];
/// The ones that have a place of their own in the request.
const PLACED: &[&str] = &["messages", "system", "max_tokens", "temperature", "top_p", "stop_sequences"];
/// The parameters that a Nova takes besides.
const NOVA: &[&str] = &["inferenceConfig", "reasoningConfig"];
/// The parameters that other models take besides.
const OTHER: &[&str] =
    &["top_k", "reasoning_effort", "include_reasoning", "frequency_penalty", "presence_penalty", "seed"];
const EFFORTS: &[&str] = &["low", "medium", "high", "xhigh", "max"];
/// The most stop sequences of a Nova.
const NOVA_STOPS: usize = 4;

/// What they come to.
#[derive(Debug, Default)]
pub(crate) struct Parameters {
    /// The most tokens of a reply.
    pub(crate) limit: Option<u64>,
    /// Texts before which to stop.
    pub(crate) stops: Vec<String>,
    /// The declared tools.
    pub(crate) tools: Vec<Tool>,
    /// How they may be called.
    pub(crate) choice: Choice,
    /// Whether several at once.
    pub(crate) parallel: bool,
    /// The form of the reply.
    pub(crate) format: Format,
    /// Whether to reason.
    pub(crate) reason: bool,
    /// Whether reasoning comes back without its text.
    pub(crate) hidden: bool,
}

fn native(checked: Checked<()>) -> Result<(), Refusal> {
    checked.map_err(|violation| {
        model_says(anthropic::error::of_violation(&violation, "").refused.unwrap_or_default())
    })
}

/// Checks all of them; `meter` counts what the tools cost.
pub(crate) fn read(named: &Named<'_>, document: &Value, meter: &mut Meter) -> Result<Parameters, Refusal> {
    let empty = Value::Null;
    let inference = document.get("inferenceConfig").unwrap_or(&empty);
    let limit = limit(named, inference)?;
    let additional = additional(named, document)?;
    let mut parameters = Parameters {
        limit,
        stops: stops(named, inference)?,
        tools: declared(named, document, meter)?,
        choice: Choice::Auto,
        parallel: true,
        format: format(document, &additional)?,
        reason: additional.contains_key("reasoning_effort"),
        hidden: false,
    };
    let wanted = choice(named, document)?;
    if named.maker == Maker::Claude {
        let native = as_claude(inference, &additional, wanted);
        claude(named, &native, &mut parameters)?;
    } else if let Some(wanted) = wanted {
        parameters.choice = match text(&wanted, "/type") {
            "auto" => Choice::Auto,
            "any" => Choice::Any,
            _ => Choice::Named(text(&wanted, "/name").to_owned()),
        };
    }
    Ok(parameters)
}

fn limit(named: &Named<'_>, inference: &Value) -> Result<Option<u64>, Refusal> {
    let most = named.model.max_output;
    match inference.get("maxTokens").and_then(Value::as_u64) {
        Some(limit) if limit > most => Err(invalid(format!(
            "The maximum tokens you requested exceeds the model limit of {most}. Try again with a maximum tokens value that \
             is lower than {most}."
        ))),
        Some(limit) => Ok(Some(limit)),
        None => Ok((most < u64::MAX).then_some(most)),
    }
}

fn stops(named: &Named<'_>, inference: &Value) -> Result<Vec<String>, Refusal> {
    let list =
        inference.get("stopSequences").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let stops: Vec<String> = list.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    if named.maker == Maker::Nova && stops.len() > NOVA_STOPS {
        let found = stops.len();
        return Err(malformed(format!(
            "#/inferenceConfig/stopSequences: expected maximum item count: {NOVA_STOPS}, found: {found}"
        )));
    }
    if named.maker == Maker::Claude
        && let Some(index) = stops.iter().position(|stop| stop.trim().is_empty())
    {
        return Err(model_says(format!(
            "stop_sequences.{index}: each stop sequence must contain non-whitespace"
        )));
    }
    Ok(stops)
}

fn additional(named: &Named<'_>, document: &Value) -> Result<Map<String, Value>, Refusal> {
    let members = match document.get("additionalModelRequestFields") {
        None | Some(Value::Null) => return Ok(Map::new()),
        Some(Value::Object(members)) => members,
        Some(_) => {
            return Err(invalid(
                "The format of the additionalModelRequestFields field is invalid. Provide a json object for the field and \
                 try again.",
            ));
        }
    };
    let clash = |name: &str| {
        PLACED.contains(&name)
            || (name == "tool_choice" && document.pointer("/toolConfig/toolChoice").is_some())
    };
    if let Some(name) = members.keys().find(|name| clash(name)) {
        return Err(invalid(format!("The additional field {name} conflicts with an existing field.")));
    }
    let known = match named.maker {
        Maker::Claude => CLAUDE,
        Maker::Nova => NOVA,
        Maker::Other => OTHER,
        Maker::Unknown => return Ok(members.clone()),
    };
    match members.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) if named.maker == Maker::Claude => {
            Err(model_says(format!("{name}: Extra inputs are not permitted")))
        }
        Some(name) => Err(malformed(format!("#: extraneous key [{name}] is not permitted"))),
        None => Ok(members.clone()),
    }
}

fn declared(named: &Named<'_>, document: &Value, meter: &mut Meter) -> Result<Vec<Tool>, Refusal> {
    let list = document.pointer("/toolConfig/tools").and_then(Value::as_array);
    let mut tools: Vec<Tool> = Vec::new();
    for (index, tool) in list.into_iter().flatten().enumerate() {
        if tool.get("cachePoint").is_some_and(|point| !point.is_null()) {
            named.caches()?;
            meter.add(0, true);
            continue;
        }
        let Some(specification) = tool.get("toolSpec").filter(|given| !given.is_null()) else {
            meter.add(tokens::PER_IMAGE, false);
            continue;
        };
        let name = text(specification, "/name").to_owned();
        if tools.iter().any(|known| known.name == name) {
            return Err(model_says("tools: Tool names must be unique."));
        }
        let schema = specification.pointer("/inputSchema/json").unwrap_or(&Value::Null);
        if text(schema, "/type") != "object" {
            return Err(invalid(format!(
                "The value at toolConfig.tools.{index}.toolSpec.inputSchema.json.type must be one of the following: object."
            )));
        }
        let strict = specification.get("strict").and_then(Value::as_bool).unwrap_or(false);
        if strict && named.maker == Maker::Claude {
            let place = format!("tools.{index}.custom");
            validate::closed(&Node::root(schema), schema).map_err(|open| match open.problem {
                Problem::Rule(rule, _) => model_says(format!("{place}: {rule}")),
                _ => error::of_violation(&open),
            })?;
        }
        let cost = tokens::count(&name)
            + tokens::count(text(specification, "/description"))
            + tokens::count(&schema.to_string());
        meter.add(cost + tokens::PER_MESSAGE, false);
        tools.push(Tool { name, schema: schema.clone() });
    }
    Ok(tools)
}

/// `toolChoice` in the words of a Claude.
fn choice(named: &Named<'_>, document: &Value) -> Result<Option<Value>, Refusal> {
    let Some(choice) = document.pointer("/toolConfig/toolChoice").filter(|choice| !choice.is_null()) else {
        return Ok(None);
    };
    let unfit = |kind: &str| {
        invalid(format!(
            "This model doesn't support the toolConfig.toolChoice.{kind} field. Remove toolConfig.toolChoice.{kind} and try \
             again."
        ))
    };
    let is_set = |kind: &str| choice.get(kind).is_some_and(|value| !value.is_null());
    if is_set("any") {
        return if named.takes_any() { Ok(Some(json!({"type": "any"}))) } else { Err(unfit("any")) };
    }
    if is_set("tool") {
        let name = text(choice, "/tool/name");
        return if named.takes_tool() {
            Ok(Some(json!({"type": "tool", "name": name})))
        } else {
            Err(unfit("tool"))
        };
    }
    Ok(Some(json!({"type": "auto"})))
}

fn format(document: &Value, additional: &Map<String, Value>) -> Result<Format, Refusal> {
    let effort = text(document, "/outputConfig/effort");
    if !effort.is_empty() && !EFFORTS.contains(&effort) {
        return Err(invalid(format!(
            "The value at outputConfig.effort must be one of the following: {}.",
            EFFORTS.join(", ")
        )));
    }
    let place = "outputConfig.textFormat.structure.jsonSchema.schema";
    let Some(schema) = document.pointer("/outputConfig/textFormat/structure/jsonSchema/schema") else {
        let own = additional.get("output_config").and_then(|config| config.pointer("/format/schema"));
        return Ok(own.map_or(Format::Text, |schema| Format::Schema(schema.clone())));
    };
    let schema: Option<Value> = schema.as_str().and_then(|text| serde_json::from_str(text).ok());
    match schema.filter(Value::is_object) {
        Some(schema) => Ok(Format::Schema(schema)),
        None => Err(invalid(format!(
            "The format of the value at {place} is invalid. Provide a json object for the field and try again."
        ))),
    }
}

/// The parameters as Anthropic's own API would have them.
fn as_claude(inference: &Value, additional: &Map<String, Value>, choice: Option<Value>) -> Value {
    let mut native = json!({"tools": []});
    let thinking = additional.get("thinking").or_else(|| additional.get("reasoning_config")).cloned();
    let members = [
        ("temperature", inference.get("temperature").cloned()),
        ("top_p", inference.get("topP").cloned()),
        ("top_k", additional.get("top_k").cloned()),
        ("thinking", thinking),
        ("tool_choice", choice.or_else(|| additional.get("tool_choice").cloned())),
        ("anthropic_beta", additional.get("anthropic_beta").cloned()),
    ];
    if let Value::Object(native) = &mut native {
        let given = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        native.extend(given.filter(|(_, value)| !value.is_null()));
    }
    native
}

fn claude(named: &Named<'_>, document: &Value, parameters: &mut Parameters) -> Result<(), Refusal> {
    native((|| {
        let root = Node::root(document).object()?;
        beta(&root)?;
        let thinking = validate::thinking(&root, parameters.limit, named.model.traits)?;
        validate::sampling(&root, thinking.on, named.model.traits)?;
        (parameters.choice, parameters.parallel) = tools::choice(&root, &parameters.tools, thinking.on)?;
        parameters.reason |= thinking.on;
        parameters.hidden = thinking.hidden;
        Ok(())
    })())
}

fn beta(root: &Object<'_>) -> Checked<()> {
    for name in root.get("anthropic_beta").map(|node| node.list()).transpose()?.into_iter().flatten() {
        name.text()?;
    }
    Ok(())
}

/// Checks that prompt and reply fit the model.
pub(crate) fn fits(named: &Named<'_>, prompt: u64, limit: Option<u64>) -> Result<(), Refusal> {
    let most = named.model.context_length;
    if prompt > most {
        return Err(invalid("Input is too long for requested model."));
    }
    match limit.filter(|limit| prompt + limit > most && *limit < named.model.max_output) {
        Some(limit) if named.maker == Maker::Claude => Err(error::model_says(format!(
            "input length and `max_tokens` exceed context limit: {prompt} + {limit} > {most}, decrease input length or \
             `max_tokens` and try again"
        ))),
        _ => Ok(()),
    }
}
