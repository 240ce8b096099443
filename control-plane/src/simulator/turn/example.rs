//! The smallest value that satisfies a JSON schema: required properties only, first choices, fixed texts.

use serde_json::{Map, Value, json};

/// A schema that refers to itself ends here.
const DEPTH: usize = 16;

/// A value of that schema.
pub(crate) fn of(schema: &Value) -> Value {
    build(schema, schema, DEPTH)
}

fn build(root: &Value, schema: &Value, depth: usize) -> Value {
    if depth == 0 {
        return Value::Null;
    }
    let below = |schema: &Value| build(root, schema, depth - 1);
    if let Some(fixed) = schema.get("const").or_else(|| schema.get("enum").and_then(|values| values.get(0))) {
        return fixed.clone();
    }
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let target = target.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
        return target.map_or(Value::Null, below);
    }
    for union in ["anyOf", "oneOf", "allOf"] {
        if let Some(first) = schema.get(union).and_then(|options| options.get(0)) {
            return below(first);
        }
    }
    let kind = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.first().and_then(Value::as_str),
        Some(kind) => kind.as_str(),
        None => schema.get("properties").map(|_| "object"),
    };
    match kind {
        Some("string") => text(schema),
        Some("integer") => schema.get("minimum").filter(|low| low.is_i64()).cloned().unwrap_or(json!(1)),
        Some("number") => schema.get("minimum").filter(|low| low.is_number()).cloned().unwrap_or(json!(1.5)),
        Some("boolean") => json!(true),
        Some("array") => {
            let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(0);
            let item = schema.get("items").map_or(Value::Null, below);
            Value::Array((0..least).map(|_| item.clone()).collect())
        }
        Some("null") => Value::Null,
        _ => Value::Object(object(schema, below)),
    }
}

fn text(schema: &Value) -> Value {
    let least = schema.get("minLength").and_then(Value::as_u64).unwrap_or(0);
    let least = usize::try_from(least).unwrap_or(0);
    match schema.get("format").and_then(Value::as_str) {
        Some("date") => json!("2025-01-01"),
        Some("date-time") => json!("2025-01-01T00:00:00Z"),
        Some("email") => json!("someone@example.com"),
        _ => Value::String(format!("{:x<least$}", "example")),
    }
}

fn object(schema: &Value, below: impl Fn(&Value) -> Value) -> Map<String, Value> {
    let required = schema.get("required").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let property = |name: &Value| {
        let name = name.as_str()?;
        let schema = schema.get("properties").and_then(|properties| properties.get(name))?;
        Some((name.to_owned(), below(schema)))
    };
    required.iter().filter_map(property).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn required_properties_are_filled() {
        let schema = json!({"type": "object", "required": ["city", "unit", "days", "where"], "properties": {
            "city": {"type": "string"}, "unit": {"enum": ["c", "f"]}, "days": {"type": ["integer", "null"], "minimum": 3},
            "where": {"$ref": "#/$defs/place"}, "extra": {"type": "string"},
        }, "$defs": {"place": {"type": "array", "minItems": 2, "items": {"type": "boolean"}}}});
        let expected = json!({"city": "example", "unit": "c", "days": 3, "where": [true, true]});
        assert_eq!(of(&schema), expected);
    }

    #[test]
    fn a_schema_of_itself_ends() {
        let schema = json!({"type": "object", "required": ["next"], "properties": {"next": {"$ref": "#"}}});
        assert!(of(&schema).is_object());
    }
}
