//! What OpenAI asks of a JSON schema: an object at the top, and under `strict` nothing optional and nothing open.
//!
//! Spec: <https://platform.openai.com/docs/guides/structured-outputs#supported-schemas>

use super::messages;
use crate::simulator::answer::Refusal;
use crate::simulator::shape::{Checked, Node};
use crate::simulator::turn::Format;
use serde_json::Value;

/// Checks a function's parameters.
pub(crate) fn function(node: &Node<'_>, name: &str, strict: bool) -> Checked<()> {
    check(node, &format!("function '{name}'"), "invalid_function_parameters", strict)
}

/// Checks `response_format.json_schema`.
pub(crate) fn format(node: &Node<'_>) -> Result<Format, Refusal> {
    let members = node.lenient()?;
    members.only(&["name", "description", "schema", "strict"])?;
    let name = messages::function_name(&members.need("name")?)?;
    members.text("description")?;
    let strict = members.flag("strict", false)?;
    let Some(schema) = members.get("schema") else { return Ok(Format::Json) };
    check(&schema, &format!("response_format '{name}'"), "invalid_json_schema", strict)?;
    Ok(Format::Schema(schema.value.clone()))
}

fn check(node: &Node<'_>, owner: &str, code: &'static str, strict: bool) -> Checked<()> {
    let Value::Object(members) = node.value else { return node.object().map(|_| ()) };
    let kind = members.get("type").and_then(Value::as_str);
    let empty = members.is_empty();
    if kind != Some("object") && !empty {
        let got = kind.unwrap_or("None");
        let text = format!(
            "Invalid schema for {owner}: schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{got}\"'."
        );
        return Err(node.rule_code(text, code));
    }
    match strict.then(|| closed(node.value, &mut Vec::new())).flatten() {
        None => Ok(()),
        Some((place, what)) => {
            let place = place.iter().map(|part| format!("'{part}'")).collect::<Vec<_>>().join(", ");
            Err(node.rule_code(format!("Invalid schema for {owner}: In context=({place}), {what}."), code))
        }
    }
}

/// The first place where an object is open or has an optional property.
fn closed(schema: &Value, place: &mut Vec<String>) -> Option<(Vec<String>, String)> {
    let members = schema.as_object()?;
    if let Some(properties) = members.get("properties").and_then(Value::as_object) {
        let required =
            members.get("required").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let missing =
            properties.keys().find(|name| !required.iter().any(|known| known.as_str() == Some(name)));
        if let Some(missing) = missing {
            let what = format!(
                "'required' is required to be supplied and to be an array including every key in properties. Missing '{missing}'"
            );
            return Some((place.clone(), what));
        }
    }
    if members.get("type").and_then(Value::as_str) == Some("object")
        && members.get("additionalProperties") != Some(&Value::Bool(false))
    {
        return Some((
            place.clone(),
            "'additionalProperties' is required to be supplied and to be false".to_owned(),
        ));
    }
    let mut inside = |name: &str, schema: &Value| {
        place.push(name.to_owned());
        let found = closed(schema, place);
        place.pop();
        found
    };
    for group in ["properties", "$defs"] {
        let schemas = members.get(group).and_then(Value::as_object);
        if let Some(found) = schemas.into_iter().flatten().find_map(|(name, schema)| inside(name, schema)) {
            return Some(found);
        }
    }
    let options = members.get("anyOf").and_then(Value::as_array);
    let option = options.into_iter().flatten().find_map(|schema| inside("anyOf", schema));
    option.or_else(|| members.get("items").and_then(|items| inside("items", items)))
}
