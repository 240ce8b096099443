//! The vendor's subset of OpenAPI schemas: what it asks of one beyond its fields, and the same schema as JSON Schema.
//!
//! Spec: <https://ai.google.dev/api/caching#Schema>

use super::error;
use super::schema::Flavour;
use crate::simulator::shape::{Checked, Node, Object, Segment, Violation};
use serde_json::{Map, Value};

/// How deep a schema may be.
const DEPTH: usize = 32;

/// Checks a schema whose fields are known to be right.
pub(crate) fn check(node: &Node<'_>, flavour: Flavour) -> Checked<()> {
    below(node, flavour, DEPTH)
}

fn below(node: &Node<'_>, flavour: Flavour, depth: usize) -> Checked<()> {
    if depth == 0 {
        return Err(error::at(node, "schema is too deep."));
    }
    let members = node.object()?;
    let kind = members.text("type")?.unwrap_or("TYPE_UNSPECIFIED");
    typed(node, &members, kind, flavour)?;
    let properties = members.get("properties").map(|node| node.object()).transpose()?;
    for (index, name) in
        members.get("required").map(|node| node.list()).transpose()?.unwrap_or_default().iter().enumerate()
    {
        let wanted = name.text()?;
        if properties.as_ref().is_none_or(|known| known.get(wanted).is_none()) {
            return Err(inside(
                node,
                &[Segment::Key("required".to_owned()), Segment::Index(index)],
                "property is not defined",
            ));
        }
    }
    for properties in properties.into_iter().chain(members.get("defs").map(|node| node.object()).transpose()?)
    {
        for name in properties.members().keys() {
            if let Some(property) = properties.get(name) {
                below(&property, flavour, depth - 1)?;
            }
        }
    }
    if let Some(items) = members.get("items") {
        below(&items, flavour, depth - 1)?;
    }
    for option in members.get("anyOf").map(|node| node.list()).transpose()?.unwrap_or_default() {
        below(&option, flavour, depth - 1)?;
    }
    Ok(())
}

/// What goes with which type.
fn typed(node: &Node<'_>, members: &Object<'_>, kind: &str, flavour: Flavour) -> Checked<()> {
    let key = |name: &str| [Segment::Key(name.to_owned())];
    if kind == "ARRAY" && members.get("items").is_none() {
        return Err(inside(node, &key("items"), "missing field."));
    }
    if let Some(list) = members.get("enum") {
        if !matches!(kind, "STRING" | "TYPE_UNSPECIFIED") {
            return Err(error::at(&list, "only allowed for STRING type"));
        }
        for value in list.list()? {
            if value.text()?.is_empty() {
                return Err(error::at(&value, "cannot be empty"));
            }
        }
    }
    if kind == "STRING"
        && let Some(format) = members.get("format")
        && !matches!(format.text()?, "enum" | "date-time")
    {
        return Err(error::at(&format, "only 'enum' and 'date-time' are supported for STRING type"));
    }
    let is_typed =
        kind != "TYPE_UNSPECIFIED" || ["anyOf", "ref"].iter().any(|name| members.get(name).is_some());
    if flavour == Flavour::Vertex && !is_typed && !members.members().is_empty() {
        return Err(error::at(node, "schema didn't specify the schema type field"));
    }
    Ok(())
}

fn inside(node: &Node<'_>, below: &[Segment], rule: &str) -> Violation {
    let mut violation = error::at(node, rule);
    violation.path.extend_from_slice(below);
    violation
}

/// Checks a JSON schema: an object with a type that there is.
pub(crate) fn whole(node: &Node<'_>) -> Checked<()> {
    let Value::Object(members) = node.value else {
        return Err(error::at(node, "must be a JSON schema object."));
    };
    let types = ["string", "number", "integer", "boolean", "array", "object", "null"];
    let known = |kind: &Value| kind.as_str().is_some_and(|kind| types.contains(&kind));
    let is_right = match members.get("type") {
        None => true,
        Some(Value::Array(kinds)) => kinds.iter().all(known),
        Some(kind) => known(kind),
    };
    if is_right { Ok(()) } else { Err(error::at(node, "unsupported schema type.")) }
}

/// The same as JSON Schema, whose types are in lower case.
pub(crate) fn lowered(schema: &Value) -> Value {
    let Value::Object(members) = schema else { return schema.clone() };
    let mut lower = Map::new();
    for (name, value) in members {
        let value = match (name.as_str(), value) {
            ("type", Value::String(kind)) => Value::String(kind.to_ascii_lowercase()),
            ("properties", Value::Object(properties)) => {
                Value::Object(properties.iter().map(|(name, value)| (name.clone(), lowered(value))).collect())
            }
            ("items", value) => lowered(value),
            ("anyOf", Value::Array(options)) => Value::Array(options.iter().map(lowered).collect()),
            (_, value) => value.clone(),
        };
        lower.insert(name.clone(), value);
    }
    Value::Object(lower)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn types_are_lowered_all_the_way_down() {
        let schema = json!({"type": "OBJECT", "properties": {"type": {"type": "ARRAY", "items": {"type": "STRING"}}},
            "anyOf": [{"type": "NULL"}]});
        let expected = json!({"type": "object", "properties": {"type": {"type": "array", "items": {"type": "string"}}},
            "anyOf": [{"type": "null"}]});
        assert_eq!(lowered(&schema), expected);
    }
}
