//! What Azure's content filter found: told with every prompt and every choice.
//!
//! Spec: <https://learn.microsoft.com/en-us/azure/ai-foundry/openai/concepts/content-filter>. Invariant: a stream begins
//! with what the filter found in the prompt, before any choice.

use crate::simulator::answer::{Answer, Content};
use crate::simulator::event::{Event, Mark};
use serde_json::{Map, Value, json};

/// What was found in a text.
fn found(filtered: bool) -> Map<String, Value> {
    let mut found: Map<String, Value> = ["hate", "self_harm", "sexual", "violence"]
        .into_iter()
        .map(|kind| (kind.to_owned(), json!({"filtered": false, "severity": "safe"})))
        .collect();
    if filtered {
        found.insert("violence".to_owned(), json!({"filtered": true, "severity": "medium"}));
    }
    found
}

/// What was found in a prompt.
pub(super) fn prompt(filtered: bool) -> Value {
    let mut found = found(filtered);
    found.insert("jailbreak".to_owned(), json!({"filtered": false, "detected": false}));
    Value::Object(found)
}

fn prompts() -> Value {
    json!([{"prompt_index": 0, "content_filter_results": prompt(false)}])
}

/// An answer with what the filter found.
pub(super) fn checked(path: &str, mut answer: Answer) -> Answer {
    match (&mut answer.content, path) {
        (Content::Json(document), "/chat/completions" | "/completions") => {
            mark(document);
            put(document, "prompt_filter_results", prompts());
        }
        (Content::Json(document), "/images/generations" | "/images/edits") => {
            let pictures = document.get_mut("data").and_then(Value::as_array_mut);
            for picture in pictures.into_iter().flatten() {
                put(picture, "content_filter_results", Value::Object(found(false)));
                put(picture, "prompt_filter_results", prompt(false));
            }
        }
        (Content::Stream(events), "/chat/completions" | "/completions") => {
            for event in events.iter_mut() {
                if let Ok(mut chunk) = serde_json::from_str::<Value>(&event.data) {
                    mark(&mut chunk);
                    event.data = chunk.to_string();
                }
            }
            let first = json!({
                "choices": [], "created": 0, "id": "", "model": "", "object": "",
                "prompt_filter_results": prompts(),
            });
            events.insert(0, Event::data(Mark::Open, &first));
        }
        _ => {}
    }
    answer
}

/// Tells of each choice with content what was found in it.
fn mark(document: &mut Value) {
    let choices = document.get_mut("choices").and_then(Value::as_array_mut);
    for choice in choices.into_iter().flatten() {
        let text = |pointer: &str| {
            choice.pointer(pointer).and_then(Value::as_str).is_some_and(|text| !text.is_empty())
        };
        let said = ["/message/content", "/delta/content", "/text"].into_iter().any(text);
        let filtered = choice.get("finish_reason").and_then(Value::as_str) == Some("content_filter");
        let results = if said || filtered { found(filtered) } else { Map::new() };
        put(choice, "content_filter_results", Value::Object(results));
    }
}

fn put(document: &mut Value, name: &str, value: Value) {
    if let Value::Object(members) = document {
        members.insert(name.to_owned(), value);
    }
}
