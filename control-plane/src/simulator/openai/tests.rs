use super::*;
use crate::simulator::answer::Content;
use crate::simulator::catalog::Catalog;
use crate::simulator::event::{Event, Mark};
use crate::simulator::turn::Bias;
use http::{HeaderMap, Method};

mod chat;
mod vectors;

fn post(path: &str, body: &Value) -> Answer {
    let body = body.to_string();
    let mut headers = HeaderMap::new();
    headers.insert("authorization", "Bearer sk-test".parse().unwrap());
    headers.insert("content-type", "application/json; charset=utf-8".parse().unwrap());
    let mut catalog = Catalog::of(OpenAi::new().models());
    let small = json!({"id": "small", "context_length": 100});
    catalog.register(serde_json::from_value(small).unwrap());
    let call = Call {
        method: &Method::POST,
        path,
        query: "",
        headers: &headers,
        body: body.as_bytes(),
        catalog: &catalog,
        credential: None,
        bias: Bias::default(),
        now: 7,
    };
    answer(&call, &OpenAi::new())
}

/// A valid request with some members replaced.
fn with(changes: Value) -> Value {
    let mut request = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]});
    for (name, value) in changes.as_object().unwrap() {
        request[name] = value.clone();
    }
    request
}

fn chat(changes: Value) -> Answer {
    post("/chat/completions", &with(changes))
}

fn document(answer: &Answer) -> &Value {
    match &answer.content {
        Content::Json(document) => document,
        Content::Stream(_) => panic!("a stream"),
    }
}

fn events(answer: &Answer) -> &[Event] {
    match &answer.content {
        Content::Stream(events) => events,
        Content::Json(document) => panic!("{document}"),
    }
}

fn tools() -> Value {
    json!([{"type": "function", "function": {"name": "weather", "parameters": {
        "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}])
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table of cases, which reads best whole")]
fn wrong_requests_are_refused_as_the_vendor_does() {
    let call = |id: &str| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let user = json!({"role": "user", "content": "hi"});
    let asks = json!({"role": "assistant", "content": null, "tool_calls": [call("a"), call("b")]});
    let result = |id: &str| json!({"role": "tool", "tool_call_id": id, "content": "1"});
    let image =
        |url: &str| json!([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]);
    let cases = [
        (json!({"foo": 1}), 400, Value::Null, Value::Null, "Unrecognized request argument supplied: foo"),
        (json!({"model": null}), 400, json!("missing_required_parameter"), json!("model"), "'model'"),
        (
            json!({"messages": null}),
            400,
            json!("missing_required_parameter"),
            json!("messages"),
            "'messages'",
        ),
        (json!({"messages": []}), 400, json!("empty_array"), json!("messages"), "empty array"),
        (json!({"model": "gpt-9"}), 404, json!("model_not_found"), Value::Null, "`gpt-9` does not exist"),
        (
            json!({"messages": [{"role": "robot", "content": ""}]}),
            400,
            json!("invalid_value"),
            json!("messages[0].role"),
            "Supported values are: 'system', 'assistant', 'user', 'tool', and 'developer'.",
        ),
        (
            json!({"messages": [{"role": "user", "content": 3}]}),
            400,
            json!("invalid_type"),
            json!("messages[0].content"),
            "expected one of a string or array of objects, but got an integer instead.",
        ),
        (
            json!({"messages": [{"role": "user", "content": "", "x": 1}]}),
            400,
            json!("unknown_parameter"),
            json!("messages[0].x"),
            "Unknown parameter: 'messages[0].x'.",
        ),
        (
            json!({"messages": [{"role": "assistant", "content": null}]}),
            400,
            json!("invalid_type"),
            json!("messages[0]"),
            "expected a string, got null",
        ),
        (
            json!({"messages": [user, asks, result("a")]}),
            400,
            Value::Null,
            json!("messages[1]"),
            "response messages: b",
        ),
        (
            json!({"messages": [user, asks, result("a"), user]}),
            400,
            Value::Null,
            json!("messages[1]"),
            "response messages: b",
        ),
        (
            json!({"messages": [user, result("a")]}),
            400,
            Value::Null,
            json!("messages[1]"),
            "preceeding message",
        ),
        (
            json!({"messages": [user, {"role": "assistant", "tool_calls": [call(&"x".repeat(41))]}]}),
            400,
            json!("string_above_max_length"),
            json!("messages[1].tool_calls[0].id"),
            "maximum length 40",
        ),
        (
            json!({"messages": image("ftp://a")}),
            400,
            json!("invalid_image_url"),
            json!("messages[0].content[0].image_url.url"),
            "",
        ),
        (
            json!({"messages": image("data:image/png;base64,???")}),
            400,
            json!("invalid_base64"),
            json!("messages[0].content[0].image_url.url"),
            "",
        ),
        (json!({"temperature": 2.5}), 400, json!("decimal_above_max_value"), json!("temperature"), "<= 2"),
        (
            json!({"temperature": "1"}),
            400,
            json!("invalid_type"),
            json!("temperature"),
            "expected a decimal, but got a string",
        ),
        (
            json!({"stop": ["a", "b", "c", "d", "e"]}),
            400,
            json!("array_above_max_length"),
            json!("stop"),
            "length 5",
        ),
        (
            json!({"max_tokens": 5, "max_completion_tokens": 5}),
            400,
            json!("invalid_parameter_combination"),
            json!("max_completion_tokens"),
            "at the same time",
        ),
        (json!({"max_tokens": 0}), 400, json!("integer_below_min_value"), json!("max_tokens"), ">= 1"),
        (json!({"max_tokens": 99999}), 400, json!("invalid_value"), json!("max_tokens"), "at most 16384"),
        (
            json!({"stream_options": {"include_usage": true}}),
            400,
            Value::Null,
            json!("stream_options"),
            "'stream' is enabled",
        ),
        (json!({"top_logprobs": 2}), 400, Value::Null, json!("top_logprobs"), "'logprobs' is enabled"),
        (
            json!({"parallel_tool_calls": false}),
            400,
            Value::Null,
            json!("parallel_tool_calls"),
            "'tools' are specified",
        ),
        (json!({"tool_choice": "auto"}), 400, Value::Null, json!("tool_choice"), "'tools' are specified"),
        (
            json!({"tools": [{"type": "function", "function": {"name": "a b"}}]}),
            400,
            json!("invalid_value"),
            json!("tools[0].function.name"),
            "'^[a-zA-Z0-9_-]+$'",
        ),
        (
            json!({"tools": [{"type": "function", "function": {"name": "a", "parameters": {"type": "string"}}}]}),
            400,
            json!("invalid_function_parameters"),
            json!("tools[0].function.parameters"),
            "got 'type: \"string\"'",
        ),
        (
            json!({"tools": tools(), "tool_choice": {"type": "function", "function": {"name": "x"}}}),
            400,
            Value::Null,
            json!("tool_choice"),
            "not found in 'tools'",
        ),
        (
            json!({"response_format": {"type": "json_object"}}),
            400,
            Value::Null,
            json!("response_format"),
            "the word 'json'",
        ),
        (
            json!({"response_format": {"type": "json_schema", "json_schema": {"name": "a", "strict": true, "schema":
         {"type": "object", "properties": {"b": {"type": "string"}}, "additionalProperties": false}}}}),
            400,
            json!("invalid_json_schema"),
            json!("response_format.json_schema.schema"),
            "Missing 'b'",
        ),
        (
            json!({"model": "o3-mini", "temperature": 1}),
            400,
            json!("unsupported_parameter"),
            json!("temperature"),
            "not supported",
        ),
        (
            json!({"model": "o3-mini", "max_tokens": 9}),
            400,
            json!("unsupported_parameter"),
            json!("max_tokens"),
            "Use 'max_completion_tokens' instead",
        ),
        (
            json!({"reasoning_effort": "low"}),
            400,
            Value::Null,
            json!("reasoning_effort"),
            "Unrecognized request argument",
        ),
        (
            json!({"model": "small", "max_tokens": 99}),
            400,
            json!("context_length_exceeded"),
            json!("messages"),
            "maximum context length is 100 tokens",
        ),
        (
            json!({"model": "text-embedding-3-small"}),
            404,
            Value::Null,
            json!("model"),
            "not supported on this endpoint",
        ),
        (json!({"metadata": {"a": "b"}}), 400, Value::Null, json!("metadata"), "'store' is enabled"),
    ];
    for (changes, status, code, param, words) in cases {
        let answer = chat(changes.clone());
        let error = &document(&answer)["error"];
        let message = error["message"].as_str().unwrap_or_default();
        assert_eq!(
            (answer.status, &error["code"], &error["param"]),
            (status, &code, &param),
            "{changes}: {message}"
        );
        assert!(message.contains(words), "{changes}: {message}");
        assert_eq!(error["type"], "invalid_request_error");
        assert!(answer.refused.is_some());
    }
}

#[test]
fn valid_requests_are_answered() {
    let pixel = "data:image/png;base64,aGk=";
    let cases = [
        json!({"messages": [{"role": "system", "content": "s"}, {"role": "developer", "content": [{"type": "text", "text": "d"}]},
            {"role": "user", "name": "bob", "content": [{"type": "text", "text": "x"}, {"type": "image_url", "image_url": {"url": pixel}},
                {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}}]}]}),
        json!({"temperature": null, "top_p": 0.5, "seed": 3, "stop": null, "user": "u", "logit_bias": {"50256": -100},
            "service_tier": "auto", "store": true, "metadata": {"a": "b"}, "n": 2}),
        json!({"tools": tools(), "tool_choice": {"type": "function", "function": {"name": "weather"}}, "parallel_tool_calls": true}),
        json!({"model": "o3-mini", "reasoning_effort": "high", "max_completion_tokens": 500}),
        json!({"model": "small", "reasoning_effort": "high", "temperature": 1}),
        json!({"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a", "refusal": null,
            "annotations": [], "tool_calls": null, "function_call_is_gone": null}]}),
    ];
    let (last, fine) = cases.split_last().unwrap();
    for changes in fine {
        let answer = chat(changes.clone());
        assert_eq!(answer.status, 200, "{changes}: {:?}", answer.refused);
    }
    assert_eq!(chat(last.clone()).status, 400, "unknown members are refused even if they are null");
}

#[test]
fn a_reply_has_the_vendors_shape() {
    let answer = chat(
        json!({"messages": [{"role": "user", "content": "[[think:hm]][[say:Hello]]"}], "n": 2, "logprobs": true,
        "top_logprobs": 1}),
    );
    let reply = document(&answer);
    assert!(reply["id"].as_str().unwrap().starts_with("chatcmpl-"));
    assert_eq!(
        (&reply["object"], &reply["created"], &reply["model"]),
        (&json!("chat.completion"), &json!(7), &json!("gpt-4o"))
    );
    assert_eq!(reply["choices"].as_array().unwrap().len(), 2);
    let choice = &reply["choices"][1];
    assert_eq!((&choice["index"], &choice["finish_reason"]), (&json!(1), &json!("stop")));
    assert_eq!(choice["message"]["content"], "Hello");
    assert_eq!(choice["message"]["reasoning_content"], "hm");
    assert_eq!(choice["logprobs"]["content"][0]["token"], "Hello");
    assert_eq!(choice["logprobs"]["content"][0]["top_logprobs"].as_array().unwrap().len(), 1);
    let usage = &reply["usage"];
    let sum = usage["prompt_tokens"].as_u64().unwrap() + usage["completion_tokens"].as_u64().unwrap();
    assert_eq!(usage["total_tokens"], sum);
    assert_eq!(usage["completion_tokens_details"]["reasoning_tokens"], 2);
    assert_eq!(answer.usage.unwrap().output, usage["completion_tokens"].as_u64().unwrap());
    assert_eq!(
        document(&answer),
        document(&chat(json!({"messages": [{"role": "user", "content": "[[think:hm]][[say:Hello]]"}],
        "n": 2, "logprobs": true, "top_logprobs": 1}))),
        "the same request gives the same reply"
    );
}

#[test]
fn tools_are_called_and_their_results_read() {
    let text = r#"[[tool:weather {"city":"Oslo"}]][[tool:weather {"city":"Rome"}]]"#;
    let answer = chat(json!({"tools": tools(), "messages": [{"role": "user", "content": text}]}));
    let choice = &document(&answer)["choices"][0];
    assert_eq!(
        (&choice["finish_reason"], &choice["message"]["content"]),
        (&json!("tool_calls"), &Value::Null)
    );
    let calls = choice["message"]["tool_calls"].as_array().unwrap();
    assert_eq!(calls[1]["function"]["arguments"], r#"{"city":"Rome"}"#);
    assert_ne!(calls[0]["id"], calls[1]["id"]);
    // Answered in the other order, as clients may.
    let result =
        |call: &Value, text: &str| json!({"role": "tool", "tool_call_id": call["id"], "content": text});
    let messages = json!([{"role": "user", "content": text}, choice["message"], result(&calls[1], "21"), result(&calls[0], "9")]);
    let answer = chat(json!({"tools": tools(), "messages": messages}));
    assert_eq!(document(&answer)["choices"][0]["message"]["content"], "The tool returned: 21; 9");
}

#[test]
fn a_stream_says_what_the_document_says() {
    let request = json!({"messages": [{"role": "user", "content": "[[say:one two three]][[tool:weather {\"city\":\"Oslo\"}]]"}],
        "tools": tools(), "stream": true, "stream_options": {"include_usage": true}});
    let answer = chat(request);
    let events = events(&answer);
    let (done, chunks) = events.split_last().unwrap();
    assert_eq!((done.data.as_str(), done.mark), ("[DONE]", Mark::Done));
    let chunks: Vec<Value> = chunks.iter().map(|event| serde_json::from_str(&event.data).unwrap()).collect();
    let (last, chunks) = chunks.split_last().unwrap();
    assert_eq!(last["choices"], json!([]));
    assert!(last["usage"]["completion_tokens"].as_u64().unwrap() > 0);
    assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
    assert!(chunks.iter().all(|chunk| chunk["usage"].is_null() && chunk["id"] == chunks[0]["id"]));
    let part = |pointer: &str| {
        chunks.iter().filter_map(|chunk| chunk.pointer(pointer)?.as_str()).collect::<String>()
    };
    assert_eq!(part("/choices/0/delta/content"), "one two three");
    assert_eq!(part("/choices/0/delta/tool_calls/0/function/name"), "weather");
    assert_eq!(part("/choices/0/delta/tool_calls/0/function/arguments"), "{\"city\":\"Oslo\"}");
    assert_eq!(part("/choices/0/finish_reason"), "tool_calls");
    assert_eq!(events.iter().filter_map(|event| event.usage).count(), 1);
}

#[test]
fn usage_is_streamed_only_if_asked_for() {
    let answer = chat(json!({"stream": true}));
    assert!(events(&answer).iter().all(|event| event.usage.is_none() && !event.data.contains("\"usage\"")));
    assert!(answer.consumed.is_some());
}

#[test]
fn structured_outputs_satisfy_their_schema() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": false});
    let format =
        json!({"type": "json_schema", "json_schema": {"name": "x", "strict": true, "schema": schema}});
    let answer = chat(json!({"response_format": format}));
    assert_eq!(document(&answer)["choices"][0]["message"]["content"], "{\"a\":1}");
}

#[test]
fn finish_reasons_follow_the_prompt() {
    for (text, reason) in [("[[refuse]]", "content_filter"), ("[[length]]", "length"), ("hi", "stop")] {
        let answer = chat(json!({"messages": [{"role": "user", "content": text}]}));
        assert_eq!(document(&answer)["choices"][0]["finish_reason"], reason, "{text}");
    }
}
