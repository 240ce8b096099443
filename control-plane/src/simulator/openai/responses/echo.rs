//! What a response repeats of its request, with the vendor's defaults where the request says nothing.
//!
//! Spec: <https://platform.openai.com/docs/api-reference/responses/object>

use crate::simulator::shape::Object;
use serde_json::{Map, Value, json};

/// The members of a response that its request decides.
pub(crate) fn of(root: &Object<'_>, model: &str, tools: &[Value], reasons: bool) -> Value {
    let given = |name: &str| root.get(name).map(|node| node.value.clone());
    let or = |name: &str, usual: Value| given(name).unwrap_or(usual);
    let mut echo = Map::new();
    let mut put = |name: &str, value: Value| echo.insert(name.to_owned(), value);
    put("model", json!(model));
    put("tools", json!(tools));
    for name in [
        "instructions",
        "max_output_tokens",
        "max_tool_calls",
        "previous_response_id",
        "prompt_cache_key",
        "prompt_cache_retention",
        "safety_identifier",
        "user",
    ] {
        put(name, or(name, Value::Null));
    }
    for (name, usual) in [
        ("background", json!(false)),
        ("metadata", json!({})),
        ("parallel_tool_calls", json!(true)),
        ("store", json!(true)),
        ("temperature", json!(1.0)),
        ("tool_choice", json!("auto")),
        ("top_logprobs", json!(0)),
        ("top_p", json!(1.0)),
        ("truncation", json!("disabled")),
    ] {
        put(name, or(name, usual));
    }
    // A request asks for any tier; a response tells which it was.
    let tier = or("service_tier", json!("auto"));
    put("service_tier", if tier == "auto" { json!("default") } else { tier });
    put(
        "text",
        filled(given("text"), &[("format", json!({"type": "text"})), ("verbosity", json!("medium"))]),
    );
    let effort = if reasons { json!("medium") } else { Value::Null };
    put("reasoning", filled(given("reasoning"), &[("effort", effort), ("summary", Value::Null)]));
    Value::Object(echo)
}

fn filled(given: Option<Value>, usual: &[(&str, Value)]) -> Value {
    let mut members = match given {
        Some(Value::Object(members)) => members,
        _ => Map::new(),
    };
    for (name, value) in usual {
        members.entry(*name).or_insert_with(|| value.clone());
    }
    Value::Object(members)
}
