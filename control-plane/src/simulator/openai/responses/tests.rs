//! The Responses API as a client sees it.

use crate::simulator::answer::{Answer, Call, Content};
use crate::simulator::catalog::Catalog;
use crate::simulator::event::{Event, Mark};
use crate::simulator::openai::OpenAi;
use crate::simulator::turn::Bias;
use crate::simulator::vendor::Vendor;
use http::{HeaderMap, Method};
use serde_json::{Value, json};

mod kept;
mod refused;
mod streamed;

/// A provider and its client.
struct Lab(OpenAi);

impl Lab {
    fn new() -> Self {
        Self(OpenAi::new())
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Answer {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut headers = HeaderMap::new();
        headers.insert("authorization", "Bearer sk-test".parse().unwrap());
        headers.insert("content-type", "application/json".parse().unwrap());
        self.0.answer(&Call {
            method: &Method::from_bytes(method.as_bytes()).unwrap(),
            path: &format!("/v1/responses{path}"),
            query,
            headers: &headers,
            body: body.as_bytes(),
            catalog: &Catalog::of(self.0.models()),
            credential: None,
            bias: Bias::default(),
            now: 7,
        })
    }

    /// Posts a valid request with some members replaced.
    fn post(&self, changes: &Value) -> Answer {
        let mut request = json!({"model": "gpt-4o", "input": "hi"});
        for (name, value) in changes.as_object().unwrap() {
            request[name] = value.clone();
        }
        self.ask("POST", "", &request)
    }

    /// The same, if it is answered.
    fn reply(&self, changes: &Value) -> Value {
        let answer = self.post(changes);
        assert_eq!(answer.status, 200, "{changes}: {:?}", answer.refused);
        document(&answer).clone()
    }
}

fn document(answer: &Answer) -> &Value {
    match &answer.content {
        Content::Json(document) => document,
        Content::Stream(_) => panic!("a stream"),
    }
}

fn events(answer: &Answer) -> (Vec<&'static str>, Vec<Value>) {
    let Content::Stream(events) = &answer.content else { panic!("{answer:?}") };
    let names = events.iter().map(|event| event.name.unwrap()).collect();
    (names, events.iter().map(|event| serde_json::from_str(&event.data).unwrap()).collect())
}

fn tools() -> Value {
    let city = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
    json!([
        {"type": "function", "name": "weather", "parameters": city},
        {"type": "custom", "name": "shell", "format": {"type": "grammar", "syntax": "regex", "definition": ".*"}},
        {"type": "web_search", "search_context_size": "low"},
    ])
}

#[test]
fn a_reply_has_the_vendors_shape() {
    let lab = Lab::new();
    let reply =
        lab.reply(&json!({"input": "[[say:Hello]]", "instructions": "be brief", "metadata": {"a": "b"}}));
    assert!(reply["id"].as_str().unwrap().starts_with("resp_"));
    let expected = json!({
        "object": "response", "created_at": 7, "completed_at": 7, "status": "completed", "background": false,
        "error": null, "incomplete_details": null, "instructions": "be brief", "max_output_tokens": null,
        "max_tool_calls": null, "model": "gpt-4o", "parallel_tool_calls": true, "previous_response_id": null,
        "prompt_cache_key": null, "prompt_cache_retention": null,
        "reasoning": {"effort": null, "summary": null}, "safety_identifier": null, "service_tier": "default",
        "store": true, "temperature": 1.0, "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto", "tools": [], "top_logprobs": 0, "top_p": 1.0, "truncation": "disabled", "user": null,
        "metadata": {"a": "b"},
        "usage": {"input_tokens": 13, "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": 2, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 15},
    });
    let mut rest = reply.as_object().unwrap().clone();
    let output = rest.remove("output").unwrap();
    rest.remove("id");
    assert_eq!(Value::Object(rest), expected);
    let item = &output[0];
    assert!(item["id"].as_str().unwrap().starts_with("msg_"));
    assert_eq!(
        (&item["type"], &item["role"], &item["status"]),
        (&json!("message"), &json!("assistant"), &json!("completed"))
    );
    assert_eq!(
        item["content"],
        json!([{"type": "output_text", "annotations": [], "logprobs": [], "text": "Hello"}])
    );
}

#[test]
fn long_instructions_are_cached() {
    let lab = Lab::new();
    let reply = lab.reply(&json!({"input": "Hi", "instructions": "x".repeat(8_000)}));
    assert_eq!(reply["usage"]["input_tokens_details"]["cached_tokens"], 1_920);
}

#[test]
fn tools_are_called_and_their_outputs_read() {
    let lab = Lab::new();
    let text = r#"[[tool:weather {"city":"Oslo"}]][[tool:shell ls -l]][[search:fjords]]"#;
    let reply = lab.reply(&json!({"tools": tools(), "input": text}));
    let output = reply["output"].as_array().unwrap();
    let kinds: Vec<_> = output.iter().map(|item| item["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["web_search_call", "function_call", "custom_tool_call"]);
    assert_eq!(output[1]["arguments"], r#"{"city":"Oslo"}"#);
    assert_eq!(output[2]["input"], "ls -l");
    assert_eq!(
        (&reply["tools"][0]["strict"], &reply["tools"][0]["description"]),
        (&json!(true), &Value::Null)
    );
    let mut input = vec![json!({"role": "user", "content": text})];
    input.extend(output.iter().cloned());
    let list = json!([{"type": "input_text", "text": "9"}, {"type": "input_image", "image_url": "https://a/b.png", "detail": "low"}]);
    input.push(json!({"type": "custom_tool_call_output", "call_id": output[2]["call_id"], "output": "a b"}));
    input.push(json!({"type": "function_call_output", "call_id": output[1]["call_id"], "output": list}));
    let reply = lab.reply(&json!({"tools": tools(), "input": input}));
    assert_eq!(reply["output"][0]["content"][0]["text"], "The tool returned: a b; 9");
}

#[test]
fn choices_of_tools_are_obeyed() {
    let lab = Lab::new();
    let asked = r#"[[tool:weather {"city":"Rome"}]][[tool:shell pwd]]"#;
    let named = |kind: &str, name: &str| json!({"type": kind, "name": name});
    let allowed =
        |mode: &str| json!({"type": "allowed_tools", "mode": mode, "tools": [named("custom", "shell")]});
    for (text, choice, called) in [
        (asked, json!("none"), vec![]),
        ("hi", json!("required"), vec!["weather"]),
        ("hi", named("custom", "shell"), vec!["shell"]),
        (asked, allowed("auto"), vec!["shell"]),
        ("hi", allowed("auto"), vec![]),
        ("hi", allowed("required"), vec!["shell"]),
        ("hi", json!({"type": "web_search"}), vec![]),
    ] {
        let reply = lab.reply(&json!({"tools": tools(), "tool_choice": choice, "input": text}));
        assert_eq!(reply["tool_choice"], choice);
        let names: Vec<_> =
            reply["output"].as_array().unwrap().iter().filter_map(|item| item["name"].as_str()).collect();
        assert_eq!(names, called, "{choice}");
    }
}

#[test]
fn reasoning_is_shown_as_far_as_it_is_asked_for() {
    let lab = Lab::new();
    let ask = |changes: Value| {
        let mut request = json!({"model": "gpt-5", "input": "[[think:hm]][[say:ok]]"});
        request.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        lab.reply(&request)
    };
    let plain = ask(json!({}));
    assert_eq!(plain["output"][0]["summary"], json!([]));
    assert!(plain["output"][0].get("encrypted_content").is_none());
    assert_eq!(
        (&plain["reasoning"]["effort"], &plain["usage"]["output_tokens_details"]["reasoning_tokens"]),
        (&json!("medium"), &json!(1))
    );
    let full = ask(
        json!({"reasoning": {"effort": "high", "summary": "auto"}, "include": ["reasoning.encrypted_content"], "store": false}),
    );
    assert_eq!(full["output"][0]["summary"], json!([{"type": "summary_text", "text": "hm"}]));
    let none = lab.reply(&json!({"model": "gpt-5", "reasoning": {"effort": "none"}}));
    assert_eq!(none["output"][0]["type"], "message");
    // What came back goes back: sealed reasoning, without anything kept.
    let mut input = vec![json!({"role": "user", "content": "a"})];
    input.extend(full["output"].as_array().unwrap().iter().cloned());
    input.push(json!({"role": "user", "content": "b"}));
    assert_eq!(lab.reply(&json!({"model": "gpt-5", "input": input, "store": false}))["status"], "completed");
}

#[test]
fn ends_are_told_apart() {
    let lab = Lab::new();
    for (changes, status, pointer, value) in [
        (
            json!({"input": "[[words:90]]", "max_output_tokens": 16}),
            "incomplete",
            "/incomplete_details/reason",
            json!("max_output_tokens"),
        ),
        (
            json!({"input": "[[words:90]]", "max_output_tokens": 16}),
            "incomplete",
            "/output/0/status",
            json!("incomplete"),
        ),
        (json!({"input": "[[refuse]]"}), "incomplete", "/incomplete_details/reason", json!("content_filter")),
        (json!({"input": "[[fail]]"}), "failed", "/error/code", json!("server_error")),
        (
            json!({"input": "[[decline:No.]]"}),
            "completed",
            "/output/0/content/0",
            json!({"type": "refusal", "refusal": "No."}),
        ),
    ] {
        let reply = lab.reply(&changes);
        assert_eq!(
            (reply["status"].as_str(), reply.pointer(pointer)),
            (Some(status), Some(&value)),
            "{changes}"
        );
    }
}

#[test]
fn formats_and_probabilities_are_as_asked() {
    let lab = Lab::new();
    let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": false});
    let format = json!({"type": "json_schema", "name": "x", "strict": true, "schema": schema});
    let reply = lab.reply(&json!({"text": {"format": format, "verbosity": "low"}}));
    assert_eq!(reply["output"][0]["content"][0]["text"], "{\"a\":1}");
    assert_eq!(reply["text"], json!({"format": format, "verbosity": "low"}));
    let changes =
        json!({"input": "[[say:a b]]", "top_logprobs": 2, "include": ["message.output_text.logprobs"]});
    let logprobs = lab.reply(&changes)["output"][0]["content"][0]["logprobs"].clone();
    assert_eq!(
        (&logprobs[0]["token"], logprobs[1]["top_logprobs"].as_array().unwrap().len()),
        (&json!("a"), 2)
    );
}

#[test]
fn prompts_are_counted_as_they_are_charged() {
    let lab = Lab::new();
    let request = json!({"model": "gpt-4o", "input": "how long?", "instructions": "count", "tools": tools()});
    let count = lab.ask("POST", "/input_tokens", &request);
    let charged = lab.reply(&request)["usage"]["input_tokens"].clone();
    assert_eq!(document(&count), &json!({"object": "response.input_tokens", "input_tokens": charged}));
    assert_eq!(
        lab.ask("POST", "/input_tokens", &json!({"model": "gpt-4o", "input": "x", "stream": true})).status,
        400
    );
}
