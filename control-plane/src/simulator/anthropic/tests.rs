use super::*;
use crate::simulator::answer::Content;
use crate::simulator::catalog::Catalog;
use crate::simulator::event::{Event, Mark};
use crate::simulator::turn::Bias;
use http::{HeaderMap, Method};

fn send(method: &Method, path: &str, query: &str, body: &Value, headers: &[(&'static str, &str)]) -> Answer {
    let body = body.to_string();
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()))
        .collect();
    let mut catalog = Catalog::of(Anthropic.models());
    catalog.register(serde_json::from_value(json!({"id": "small", "context_length": 100})).unwrap());
    let call = Call {
        method,
        path,
        query,
        headers: &headers,
        body: body.as_bytes(),
        catalog: &catalog,
        credential: Some("sk-ant"),
        bias: Bias::default(),
        now: 7,
    };
    answer(&call)
}

type Headers = [(&'static str, &'static str)];

const HEADERS: [(&str, &str); 3] =
    [("x-api-key", "sk-ant"), ("anthropic-version", "2023-06-01"), ("content-type", "application/json")];

fn with(changes: Value) -> Value {
    let mut request = json!({"model": "claude-sonnet-4-5", "max_tokens": 2000, "messages": [{"role": "user", "content": "hi"}]});
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::String(text) if text == "absent" => {
                request.as_object_mut().unwrap().remove(name);
            }
            _ => request[name] = value.clone(),
        }
    }
    request
}

fn ask(changes: Value) -> Answer {
    send(&Method::POST, "/messages", "", &with(changes), &HEADERS)
}

fn say(text: &str) -> Value {
    json!({"messages": [{"role": "user", "content": text}], "tools": tools()})
}

fn tools() -> Value {
    json!([{"name": "weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}])
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

#[test]
#[expect(clippy::too_many_lines, reason = "one table of cases, which reads best whole")]
fn wrong_requests_are_refused_as_the_vendor_does() {
    let user = |content: Value| json!({"messages": [{"role": "user", "content": content}]});
    let uses = json!({"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "weather", "input": {}}]});
    let result = |id: &str| json!({"type": "tool_result", "tool_use_id": id, "content": "1"});
    let hi = json!({"role": "user", "content": "hi"});
    let marked = json!({"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}});
    let enabled = json!({"type": "enabled", "budget_tokens": 1024});
    let cases = [
        (json!({"foo": 1}), "foo: Extra inputs are not permitted"),
        (json!({"max_tokens": "absent"}), "max_tokens: Field required"),
        (json!({"max_tokens": 0}), "max_tokens: Input should be greater than or equal to 1"),
        (
            json!({"max_tokens": 64001}),
            "max_tokens: 64001 > 64000, which is the maximum allowed number of output tokens",
        ),
        (json!({"temperature": 1.5}), "temperature: Input should be less than or equal to 1"),
        (json!({"temperature": null}), "temperature: Input should be a valid number"),
        (json!({"temperature": 1, "top_p": 0.5}), "cannot both be specified"),
        (json!({"messages": []}), "messages: at least one message is required"),
        (
            json!({"messages": [{"role": "system", "content": "x"}]}),
            "messages.0: role 'system' is not supported on this model",
        ),
        (
            json!({"messages": [{"role": "tool", "content": "x"}]}),
            "messages.0.role: Input should be 'user' or 'assistant'",
        ),
        (
            json!({"messages": [{"role": "assistant", "content": "x"}, hi]}),
            "first message must use the \"user\" role",
        ),
        (
            json!({"messages": [hi, {"role": "assistant", "content": "x "}]}),
            "cannot end with trailing whitespace",
        ),
        (user(json!("")), "messages.0: all messages must have non-empty content"),
        (
            user(json!([{"type": "text", "text": ""}])),
            "messages.0.content.0: text content blocks must be non-empty",
        ),
        (
            user(json!([{"type": "text", "text": "a", "x": 1}])),
            "messages.0.content.0.x: Extra inputs are not permitted",
        ),
        (
            user(json!([{"type": "image", "source": {"type": "url", "url": "http://a"}}])),
            "Only HTTPS URLs are supported.",
        ),
        (
            user(
                json!([{"type": "image", "source": {"type": "base64", "media_type": "image/bmp", "data": "aGk="}}]),
            ),
            "messages.0.content.0.source.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'",
        ),
        (
            user(json!([result("t1")])),
            "messages.0: unexpected `tool_use_id` found in `tool_result` blocks: t1",
        ),
        (
            json!({"messages": [hi, uses]}),
            "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: t1",
        ),
        (json!({"messages": [hi, uses, hi]}), "messages.1: `tool_use` ids were found without"),
        (
            json!({"messages": [hi, uses, {"role": "user", "content": [{"type": "text", "text": "x"}, result("t1")]}]}),
            "messages.1: `tool_use` ids were found without",
        ),
        (
            json!({"messages": [hi, {"role": "assistant", "content": [{"type": "thinking", "thinking": "a", "signature": "b"}]}, hi]}),
            "messages.1.content.0: Invalid `signature` in `thinking` block",
        ),
        (
            json!({"tools": [{"name": "a b", "input_schema": {"type": "object"}}]}),
            "tools.0.name: String should match pattern",
        ),
        (json!({"tools": [{"name": "a", "input_schema": {}}]}), "tools.0.input_schema.type: Field required"),
        (
            json!({"tools": [{"name": "a", "input_schema": {"type": "object"}}, {"name": "a", "input_schema": {"type": "object"}}]}),
            "tools: Tool names must be unique.",
        ),
        (
            json!({"tool_choice": {"type": "auto"}}),
            "tool_choice: tool_choice may only be specified while providing tools.",
        ),
        (json!({"tools": tools(), "tool_choice": {"type": "tool", "name": "x"}}), "Tool 'x' not found"),
        (json!({"tools": tools(), "tool_choice": "auto"}), "tool_choice: Input should be a valid dictionary"),
        (
            json!({"tools": tools(), "tool_choice": {"type": "any"}, "thinking": enabled}),
            "Thinking may not be enabled",
        ),
        (
            json!({"thinking": {"type": "enabled", "budget_tokens": 1000}}),
            "thinking.budget_tokens: Input should be greater than or equal to 1024",
        ),
        (
            json!({"thinking": {"type": "enabled", "budget_tokens": 2000}}),
            "`max_tokens` must be greater than `thinking.budget_tokens`",
        ),
        (json!({"thinking": enabled, "temperature": 0.5}), "may only be set to 1 when thinking is enabled"),
        (
            json!({"thinking": enabled, "messages": [hi, uses, {"role": "user", "content": [result("t1")]}]}),
            "Expected `thinking` or `redacted_thinking`, but found `tool_use`",
        ),
        (json!({"thinking": {"type": "adaptive"}}), "adaptive thinking is not supported on this model"),
        (
            json!({"model": "claude-opus-4-8", "thinking": enabled}),
            "\"thinking.type.enabled\" is not supported for this model",
        ),
        (json!({"model": "claude-opus-4-8", "temperature": 0.5}), "are deprecated for this model"),
        (
            json!({"model": "claude-opus-4-8", "messages": [{"role": "system", "content": "x"}, hi]}),
            "messages.0: use the top-level 'system' parameter",
        ),
        (json!({"context_management": {"edits": []}}), "context_management: Extra inputs are not permitted"),
        (
            json!({"stop_sequences": [" "]}),
            "stop_sequences.0: each stop sequence must contain non-whitespace",
        ),
        (json!({"metadata": {"user_id": "u", "x": 1}}), "metadata.x: Extra inputs are not permitted"),
        (json!({"system": null}), "system: Input should be a valid list"),
        (
            user(json!([marked, marked, marked, marked, marked])),
            "A maximum of 4 blocks with cache_control may be provided. Found 5.",
        ),
        (json!({"model": "small", "max_tokens": 95}), "input length and `max_tokens` exceed context limit"),
        (
            json!({"model": "small", "max_tokens": 1, "system": "x".repeat(999)}),
            "prompt is too long: 258 tokens > 100 maximum",
        ),
    ];
    for (changes, words) in cases {
        let answer = ask(changes.clone());
        let error = document(&answer);
        let message = error["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains(words), "{changes}: {error}");
        assert_eq!(
            (answer.status, &error["error"]["type"]),
            (400, &json!("invalid_request_error")),
            "{changes}"
        );
        assert_eq!(error["type"], "error");
        assert!(error["request_id"].as_str().is_some_and(|id| id.starts_with("req_")));
    }
}

#[test]
fn credentials_versions_and_names_are_checked() {
    let cases: [(&Headers, u16, &str); 5] = [
        (&HEADERS[1..], 401, "x-api-key header is required"),
        (&[("x-api-key", "other"), HEADERS[1], HEADERS[2]], 401, "invalid x-api-key"),
        (&[HEADERS[0], HEADERS[2]], 400, "anthropic-version: header is required"),
        (&[HEADERS[0], ("anthropic-version", "latest"), HEADERS[2]], 400, "not a valid version"),
        (&[HEADERS[0], HEADERS[1], ("content-type", "text/plain")], 400, "content-type"),
    ];
    for (headers, status, words) in cases {
        let answer = send(&Method::POST, "/messages", "", &with(json!({})), headers);
        assert_eq!(answer.status, status, "{words}");
        assert!(answer.refused.unwrap().contains(words));
    }
    let missing = ask(json!({"model": "gpt-4o"}));
    assert_eq!(
        (missing.status, &document(&missing)["error"]),
        (404, &json!({"type": "not_found_error", "message": "model: gpt-4o"}))
    );
    assert_eq!(send(&Method::GET, "/nothing", "", &Value::Null, &HEADERS).status, 404);
}

#[test]
fn a_reply_has_the_vendors_shape() {
    let answer = ask(say("[[think:hm]][[redacted]][[say:Hi]][[tool:weather {\"city\":\"Oslo\"}]]"));
    let reply = document(&answer);
    assert!(reply["id"].as_str().unwrap().starts_with("msg_"));
    assert_eq!(
        (&reply["type"], &reply["role"], &reply["stop_reason"]),
        (&json!("message"), &json!("assistant"), &json!("tool_use"))
    );
    let kinds: Vec<_> =
        reply["content"].as_array().unwrap().iter().map(|block| block["type"].clone()).collect();
    assert_eq!(kinds, ["thinking", "redacted_thinking", "text", "tool_use"]);
    assert_eq!(reply["content"][3]["input"], json!({"city": "Oslo"}));
    assert!(reply["content"][3]["id"].as_str().unwrap().starts_with("toolu_"));
    assert_eq!(reply["usage"]["cache_read_input_tokens"], 0);

    let result = json!({"type": "tool_result", "tool_use_id": reply["content"][3]["id"], "content": [{"type": "text", "text": "9"}], "is_error": true});
    let replayed = json!({"tools": tools(), "thinking": {"type": "enabled", "budget_tokens": 1024}, "messages": [
        {"role": "user", "content": "hi"}, {"role": "assistant", "content": reply["content"]}, {"role": "user", "content": [result]}]});
    let next = ask(replayed);
    assert_eq!(next.status, 200, "its own thinking comes back: {:?}", next.refused);
    assert_eq!(document(&next)["content"][1]["text"], "The tool returned: error: 9");
}

#[test]
fn stop_reasons_follow_the_prompt() {
    for (changes, reason, sequence) in [
        (json!({}), "end_turn", Value::Null),
        (json!({"max_tokens": 1}), "max_tokens", Value::Null),
        (json!({"stop_sequences": ["said"]}), "stop_sequence", json!("said")),
        (json!({"messages": [{"role": "user", "content": "[[refuse]]"}]}), "refusal", Value::Null),
        (json!({"tools": tools(), "tool_choice": {"type": "any"}}), "tool_use", Value::Null),
    ] {
        let answer = ask(changes);
        let reply = document(&answer);
        assert_eq!((&reply["stop_reason"], &reply["stop_sequence"]), (&json!(reason), &sequence));
    }
}

#[test]
fn consecutive_messages_of_one_role_are_one_turn() {
    let use_of = |id: &str| json!({"role": "assistant", "content": [{"type": "tool_use", "id": id, "name": "weather", "input": {}}]});
    let result = |id: &str| json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": id}]});
    let messages = json!([{"role": "user", "content": "a"}, {"role": "user", "content": "b"}, use_of("t1"), use_of("t2"), result("t2"), result("t1")]);
    let answer = ask(json!({"messages": messages}));
    assert_eq!(answer.status, 200, "{:?}", answer.refused);
    assert_eq!(document(&answer)["content"][0]["text"], "The tool returned: t2; t1");
}

#[test]
fn markers_make_cache_numbers() {
    let long = json!([{"type": "text", "text": "x".repeat(8000), "cache_control": {"type": "ephemeral"}}]);
    let first = ask(json!({"system": long}));
    let usage = &document(&first)["usage"];
    assert_eq!(
        (&usage["cache_creation_input_tokens"], &usage["cache_read_input_tokens"]),
        (&json!(2003), &json!(0))
    );
    let turns = json!([{"role": "user", "content": "hi"}, {"role": "assistant", "content": "ho"}, {"role": "user", "content": "hm"}]);
    let second = ask(json!({"system": long, "messages": turns}));
    let usage = &document(&second)["usage"];
    assert_eq!(
        (&usage["cache_creation_input_tokens"], &usage["cache_read_input_tokens"]),
        (&json!(0), &json!(2003))
    );
    let all = second.usage.unwrap();
    assert_eq!(all.input, usage["input_tokens"].as_u64().unwrap() + 2003, "the log's usage is inclusive");
}

#[test]
fn a_stream_says_what_the_document_says() {
    let mut request =
        say("[[think:first]][[say:one two]][[tool:weather {\"city\":\"Oslo\"}]][[tool:weather {}]]");
    request["stream"] = json!(true);
    let answer = ask(request);
    let events = events(&answer);
    let data: Vec<Value> = events.iter().map(|event| serde_json::from_str(&event.data).unwrap()).collect();
    assert!(events.iter().zip(&data).all(|(event, data)| data["type"] == event.name.unwrap()));
    assert_eq!(data[0]["message"]["usage"]["output_tokens"], 1);
    let mut open = None;
    for data in &data {
        match data["type"].as_str().unwrap() {
            "content_block_start" => assert_eq!(open.replace(data["index"].clone()), None),
            "content_block_delta" => assert_eq!(open.as_ref(), Some(&data["index"])),
            "content_block_stop" => assert_eq!(open.take().as_ref(), Some(&data["index"])),
            _ => {}
        }
    }
    let part = |index: u64, field: &str| {
        let of = data.iter().filter(|data| data["index"] == index);
        of.filter_map(|data| data["delta"][field].as_str()).collect::<String>()
    };
    assert_eq!(part(0, "thinking"), "first");
    assert!(signature::verify("first", &part(0, "signature")));
    assert_eq!(part(1, "text"), "one two");
    assert_eq!(
        (part(2, "partial_json"), part(3, "partial_json")),
        ("{\"city\":\"Oslo\"}".into(), String::new())
    );
    let end = &data[data.len() - 2];
    assert_eq!((&end["delta"]["stop_reason"], &end["type"]), (&json!("tool_use"), &json!("message_delta")));
    let told: Vec<&str> = end["usage"].as_object().unwrap().keys().map(String::as_str).collect();
    let parts = ["cache_creation_input_tokens", "cache_read_input_tokens", "input_tokens", "output_tokens"];
    assert_eq!(told, parts);
    assert_eq!(events.last().unwrap().mark, Mark::Done);
    assert_eq!(events[events.len() - 2].usage, answer.consumed);
}

#[test]
fn tokens_and_models_are_told() {
    let request = json!({"model": "claude-haiku-4-5", "messages": [{"role": "user", "content": "12345678"}]});
    let counted = send(&Method::POST, "/messages/count_tokens", "", &request, &HEADERS);
    assert_eq!(document(&counted), &json!({"input_tokens": 9}));
    let refused = send(&Method::POST, "/messages/count_tokens", "", &with(json!({})), &HEADERS);
    assert_eq!(refused.refused.as_deref(), Some("max_tokens: Extra inputs are not permitted"));

    let page = send(&Method::GET, "/models", "limit=2&after_id=claude-sonnet-4-5", &Value::Null, &HEADERS);
    let page = document(&page);
    assert_eq!(
        (&page["first_id"], &page["last_id"], &page["has_more"]),
        (&json!("claude-haiku-4-5"), &json!("claude-opus-4-5"), &json!(true))
    );
    let one = send(&Method::GET, "/models/claude-opus-4-5", "", &Value::Null, &HEADERS);
    assert_eq!(document(&one)["type"], "model");
}

#[test]
fn hidden_thinking_is_paid_for_and_signed() {
    let thinking =
        |display: &str| json!({"thinking": {"type": "enabled", "budget_tokens": 1024, "display": display}});
    let (shown, hidden) = (ask(thinking("summarized")), ask(thinking("omitted")));
    let block = &document(&hidden)["content"][0];
    assert_eq!((&block["type"], &block["thinking"]), (&json!("thinking"), &json!("")));
    assert!(signature::verify("", block["signature"].as_str().unwrap()));
    assert_eq!(hidden.consumed, shown.consumed);
}

#[test]
fn newer_members_are_known() {
    let answer = ask(
        json!({"speed": null, "inference_geo": "us", "workspace_id": "w", "output_config": {"effort": "xhigh"},
        "tools": [{"type": null, "name": "a", "input_schema": {"type": "object", "properties": null, "required": null}}]}),
    );
    assert_eq!(answer.status, 200, "{:?}", answer.refused);
}

#[test]
fn replies_are_held_to_closed_shapes_and_to_no_sizes() {
    let ask =
        |schema: Value| ask(json!({"output_config": {"format": {"type": "json_schema", "schema": schema}}}));
    let closed = |a: Value| json!({"type": "object", "properties": {"a": a}, "additionalProperties": false});
    let open = json!({"type": "object", "properties": {}});
    assert_eq!(ask(closed(json!({"type": "string"}))).status, 200);
    for schema in [open.clone(), closed(open.clone()), closed(json!({"anyOf": [open]}))] {
        let refused = ask(schema).refused.unwrap();
        assert!(
            refused.ends_with("For 'object' type, 'additionalProperties' must be explicitly set to false")
        );
    }
    assert_eq!(ask(closed(json!({"type": "string", "minLength": 1}))).status, 400);
}

#[test]
fn strict_tools_are_held_to_closed_shapes_and_to_no_sizes() {
    let ask = |strict: bool, schema: &Value| {
        ask(json!({"tools": [{"name": "a", "input_schema": schema, "strict": strict}]}))
    };
    let closed = |a: Value| json!({"type": "object", "properties": {"a": a}, "additionalProperties": false});
    let open = json!({"type": "object", "properties": {}});
    assert_eq!(ask(true, &closed(json!({"type": "string"}))).status, 200);
    for schema in [open.clone(), closed(open), closed(json!({"type": "integer", "minimum": 1}))] {
        let refused = ask(true, &schema);
        assert_eq!(refused.status, 400, "{schema}");
        assert!(refused.refused.unwrap().starts_with("tools.0"));
        assert_eq!(ask(false, &schema).status, 200, "{schema}");
    }
}

#[test]
fn no_conversation_is_kept() {
    let refused = ask(json!({"thread": {"type": "create"}}));
    assert_eq!((refused.status, refused.refused.is_some()), (400, true));
    assert_eq!(document(&refused)["error"]["details"]["error_code"], "thread_unsupported_request");
}

#[test]
fn what_a_beta_adds_is_taken_with_its_flag() {
    let headers =
        [HEADERS[0], HEADERS[1], HEADERS[2], ("anthropic-beta", "a, context-management-2025-06-27")];
    let ask = |changes: Value| send(&Method::POST, "/messages", "beta=true", &with(changes), &headers);
    let edits = json!({"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]});
    let thinking = json!({"type": "adaptive", "display": "summarized"});
    let messages = json!([
        {"role": "user", "content": "[[think:hm]][[say:ho]]"},
        {"role": "system", "content": "Be short. [[say:no]]"},
    ]);
    let answer = ask(json!({
        "model": "claude-opus-4-8", "thinking": thinking, "context_management": edits, "messages": messages,
    }));
    assert_eq!(answer.status, 200, "{:?}", answer.refused);
    let content = &document(&answer)["content"];
    assert_eq!((&content[0]["thinking"], &content[1]["text"]), (&json!("hm"), &json!("ho")));
    let idle = ask(json!({"context_management": edits}));
    assert!(idle.refused.unwrap().contains("requires `thinking`"));
    let foreign = ask(json!({"context_management": {"edits": [{"type": "x"}]}}));
    assert!(foreign.refused.unwrap().contains("context_management.edits.0.type"));
}
