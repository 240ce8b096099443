//! What OpenAI asks of a JSON schema: an object at the top, and under `strict` nothing optional and nothing open.
//!
//! Spec: <https://platform.openai.com/docs/guides/structured-outputs#supported-schemas>

use super::messages;
use crate::simulator::answer::Refusal;
use crate::simulator::shape::{Checked, Node, Object};
use crate::simulator::turn::Format;
use serde_json::Value;

/// What no strict schema may have.
const FORBIDDEN: &[&str] = &[
    "allOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "dependentRequired",
    "dependentSchemas",
    "patternProperties",
    "propertyNames",
    "unevaluatedProperties",
];

/// Checks a function's parameters.
pub(crate) fn function(node: &Node<'_>, name: &str, strict: bool) -> Checked<()> {
    check(node, &format!("function '{name}'"), "invalid_function_parameters", strict)
}

/// Checks `response_format.json_schema`.
pub(crate) fn format(node: &Node<'_>) -> Result<Format, Refusal> {
    let members = node.lenient()?;
    members.only(&["name", "description", "schema", "strict"])?;
    described(&members, "response_format")
}

/// Checks a named schema, wherever a request has it.
pub(crate) fn described(members: &Object<'_>, place: &str) -> Result<Format, Refusal> {
    let name = messages::function_name(&members.need("name")?)?;
    members.text("description")?;
    let strict = members.flag("strict", false)?;
    let Some(schema) = members.get("schema") else { return Ok(Format::Json) };
    check(&schema, &format!("{place} '{name}'"), "invalid_json_schema", strict)?;
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
    if let Some(keyword) = FORBIDDEN.iter().find(|keyword| members.contains_key(**keyword)) {
        return Some((place.clone(), format!("'{keyword}' is not permitted")));
    }
    if !["type", "anyOf", "$ref", "enum", "const"].iter().any(|keyword| members.contains_key(*keyword)) {
        return Some((place.clone(), "schema must have a 'type' key".to_owned()));
    }
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
    let mut inside = |names: &[&str], schema: &Value| {
        let depth = place.len();
        place.extend(names.iter().map(|name| (*name).to_owned()));
        let found = closed(schema, place);
        place.truncate(depth);
        found
    };
    for group in ["properties", "$defs"] {
        let schemas = members.get(group).and_then(Value::as_object);
        if let Some(found) =
            schemas.into_iter().flatten().find_map(|(name, schema)| inside(&[group, name], schema))
        {
            return Some(found);
        }
    }
    let options = members.get("anyOf").and_then(Value::as_array);
    let option = options.into_iter().flatten().enumerate();
    let mut option = option.map(|(index, schema)| (index.to_string(), schema));
    let found = option.find_map(|(index, schema)| inside(&["anyOf", &index], schema));
    found.or_else(|| members.get("items").and_then(|items| inside(&["items"], items)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::shape::Problem;
    use serde_json::json;

    fn complaint(property: &Value) -> String {
        let schema = json!({
            "type": "object", "properties": {"a": property}, "required": ["a"], "additionalProperties": false,
        });
        match function(&Node::root(&schema), "f", true).err().map(|wrong| wrong.problem) {
            None => String::new(),
            Some(Problem::Rule(text, _)) => text,
            Some(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn strict_schemas_leave_nothing_open() {
        for fine in [
            json!({"type": "string"}),
            json!({"anyOf": [{"type": "null"}, {"$ref": "#/$defs/x"}]}),
            json!({"enum": [1, 2]}),
        ] {
            assert_eq!(complaint(&fine), "", "{fine}");
        }
        for (property, words) in [
            (json!({}), "In context=('properties', 'a'), schema must have a 'type' key."),
            (json!({"oneOf": [{"type": "null"}]}), "('properties', 'a'), 'oneOf' is not permitted."),
            (
                json!({"type": "array", "items": {"type": "object"}}),
                "('properties', 'a', 'items'), 'additionalProperties' is required",
            ),
            (
                json!({"anyOf": [{"allOf": []}]}),
                "('properties', 'a', 'anyOf', '0'), 'allOf' is not permitted.",
            ),
        ] {
            let found = complaint(&property);
            assert!(found.contains(words), "{property}: {found}");
        }
    }
}
