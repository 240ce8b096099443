//! What the vendor refuses, in its words.

use super::*;

type Case = (Value, u16, Value, Value, &'static str);

fn check(cases: impl IntoIterator<Item = Case>) {
    let lab = Lab::new();
    for (changes, status, code, param, words) in cases {
        let answer = lab.post(&changes);
        assert_eq!(answer.status, status, "{changes}: {:?}", answer.refused);
        let error = &document(&answer)["error"];
        let message = error["message"].as_str().unwrap();
        assert_eq!((&error["code"], &error["param"]), (&code, &param), "{changes}: {message}");
        assert!(message.contains(words), "{changes}: {message}");
        assert_eq!(error["type"], "invalid_request_error");
        assert!(answer.refused.is_some());
    }
}

fn case(changes: Value, code: &str, param: &str, words: &'static str) -> Case {
    (changes, 400, if code.is_empty() { Value::Null } else { json!(code) }, json!(param), words)
}

#[test]
fn parameters_that_the_vendor_does_not_take() {
    check([
        case(json!({"foo": 1}), "unknown_parameter", "foo", "Unknown parameter: 'foo'."),
        case(json!({"messages": []}), "unknown_parameter", "messages", "'messages'"),
        case(json!({"input": null}), "missing_required_parameter", "input", "must be provided"),
        case(json!({"temperature": 3}), "decimal_above_max_value", "temperature", "<= 2"),
        case(json!({"temperature": "x"}), "invalid_type", "temperature", "expected a decimal"),
        case(json!({"top_p": -1}), "decimal_below_min_value", "top_p", ">= 0"),
        case(
            json!({"max_output_tokens": 15}),
            "integer_below_min_value",
            "max_output_tokens",
            "Expected a value >= 16, but got 15 instead.",
        ),
        case(json!({"include": ["all"]}), "invalid_value", "include[0]", "'reasoning.encrypted_content'"),
        case(
            json!({"reasoning": {"effort": "high"}}),
            "unsupported_parameter",
            "reasoning.effort",
            "not supported with this model",
        ),
        case(
            json!({"model": "gpt-5", "temperature": 1}),
            "",
            "temperature",
            "Unsupported parameter: 'temperature'",
        ),
        case(
            json!({"model": "gpt-5", "reasoning": {"effort": "huge"}}),
            "invalid_value",
            "reasoning.effort",
            "'xhigh'",
        ),
        case(json!({"text": {"verbosity": "loud"}}), "invalid_value", "text.verbosity", "'low'"),
        case(
            json!({"text": {"format": {"type": "json_object"}}}),
            "",
            "input",
            "must contain the word 'json'",
        ),
        case(
            json!({"text": {"format": {"type": "json_schema", "name": "x", "strict": true, "schema": {"type": "object", "properties": {"a": {}}}}}}),
            "invalid_json_schema",
            "text.format.schema",
            "response_format 'x'",
        ),
        case(json!({"truncation": "some"}), "invalid_value", "truncation", "'disabled'"),
        case(json!({"metadata": {"k": "v".repeat(513)}}), "string_above_max_length", "metadata.k", "512"),
        case(json!({"background": true, "store": false}), "", "background", "'store'"),
        case(json!({"stream_options": {"include_obfuscation": false}}), "", "stream_options", "'stream'"),
        case(
            json!({"previous_response_id": "resp_0"}),
            "previous_response_not_found",
            "previous_response_id",
            "'resp_0' not found",
        ),
        case(
            json!({"previous_response_id": "resp_0", "conversation": "conv_0"}),
            "mutually_exclusive_parameters",
            "conversation",
            "exclusive",
        ),
        (
            json!({"conversation": {"id": "conv_0"}}),
            404,
            Value::Null,
            Value::Null,
            "Conversation with id 'conv_0' not found.",
        ),
        (json!({"model": "gpt-9"}), 404, json!("model_not_found"), Value::Null, "`gpt-9`"),
        (json!({"input": "[[block]]"}), 400, json!("invalid_prompt"), Value::Null, "usage policy"),
        case(json!({"input": "x".repeat(600_000)}), "context_length_exceeded", "input", "context window"),
    ]);
}

#[test]
fn tools_that_the_vendor_does_not_take() {
    let open = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    check([
        case(
            json!({"tools": [{"type": "function", "function": {"name": "f"}}]}),
            "missing_required_parameter",
            "tools[0].name",
            "tools[0].name",
        ),
        case(json!({"tools": [{"type": "robot"}]}), "invalid_value", "tools[0].type", "'function'"),
        case(
            json!({"tools": [{"type": "function", "name": "f", "strict": true, "parameters": open}]}),
            "invalid_function_parameters",
            "tools[0].parameters",
            "function 'f'",
        ),
        case(
            json!({"tools": [{"type": "custom", "name": "c", "format": {"type": "grammar", "syntax": "bnf", "definition": "x"}}]}),
            "invalid_value",
            "tools[0].format.syntax",
            "'lark'",
        ),
        case(json!({"tool_choice": "required"}), "", "tool_choice", "'tools' parameter"),
        case(
            json!({"tools": tools(), "tool_choice": {"type": "function", "name": "f"}}),
            "",
            "tool_choice",
            "'f' not found",
        ),
        case(
            json!({"tools": tools(), "tool_choice": {"type": "file_search"}}),
            "",
            "tool_choice",
            "'file_search' not found",
        ),
        case(
            json!({"tools": tools(), "tool_choice": {"type": "allowed_tools", "mode": "any", "tools": []}}),
            "invalid_value",
            "tool_choice.mode",
            "'required'",
        ),
    ]);
}

#[test]
fn items_that_the_vendor_does_not_take() {
    let user = |part: Value| json!({"input": [{"role": "user", "content": [part]}]});
    check([
        case(json!({"input": 3}), "invalid_type", "input", "expected one of a string or array"),
        case(
            json!({"input": [{"type": "poem"}]}),
            "invalid_value",
            "input[0].type",
            "'function_call_output'",
        ),
        case(
            json!({"input": [{"role": "robot", "content": "x"}]}),
            "invalid_value",
            "input[0].role",
            "'developer'",
        ),
        case(
            json!({"input": [{"role": "user"}]}),
            "missing_required_parameter",
            "input[0].content",
            "input[0].content",
        ),
        case(
            json!({"input": [{"role": "user", "content": "x", "name": "y"}]}),
            "unknown_parameter",
            "input[0].name",
            "Unknown parameter",
        ),
        case(
            user(json!({"type": "text", "text": "x"})),
            "invalid_value",
            "input[0].content[0]",
            "'input_text', 'input_image'",
        ),
        case(
            user(json!({"type": "input_image", "image_url": {"url": "x"}})),
            "invalid_type",
            "input[0].content[0].image_url",
            "expected a string",
        ),
        case(
            user(json!({"type": "input_file", "file_data": "x"})),
            "",
            "input[0].content[0].file_data",
            "base64",
        ),
        case(
            json!({"input": [{"role": "assistant", "content": [{"type": "input_text", "text": "x"}]}]}),
            "invalid_value",
            "input[0].content[0]",
            "'output_text' and 'refusal'",
        ),
        case(
            json!({"input": [{"role": "assistant", "id": "x1", "content": "x"}]}),
            "invalid_value",
            "input[0].id",
            "begins with 'msg'",
        ),
    ]);
}

#[test]
fn items_that_do_not_belong_together() {
    let call = json!({"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"});
    let thought = |members: Value| {
        let mut item = json!({"type": "reasoning", "id": "rs_1", "summary": []});
        item.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        json!({"input": [item, {"role": "assistant", "content": "x"}]})
    };
    check([
        case(json!({"input": [call]}), "", "input", "No tool output found for function call call_1."),
        case(
            json!({"input": [{"type": "function_call_output", "call_id": "call_2", "output": "x"}]}),
            "",
            "input",
            "No tool call found for function call output with call_id call_2.",
        ),
        case(
            json!({"input": [{"type": "custom_tool_call_output", "call_id": "call_2", "output": "x"}]}),
            "",
            "input",
            "No tool call found for custom tool call output",
        ),
        case(
            json!({"input": [{"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": super::super::seal::seal("rs_1", "hm")}]}),
            "",
            "input",
            "without its required following item",
        ),
        (thought(json!({})), 404, Value::Null, json!("input"), "Item with id 'rs_1' not found."),
        (
            thought(json!({"encrypted_content": "gAAAAforeign"})),
            400,
            json!("invalid_encrypted_content"),
            Value::Null,
            "gAAA...eign could not be verified",
        ),
        case(
            thought(json!({"summary": [{"type": "text", "text": ""}]})),
            "invalid_value",
            "input[0].summary[0].type",
            "'summary_text'",
        ),
        (
            json!({"input": [{"type": "item_reference", "id": "msg_0"}]}),
            404,
            Value::Null,
            json!("input"),
            "'msg_0' not found",
        ),
    ]);
}

#[test]
fn paths_and_methods_that_are_not_there() {
    let lab = Lab::new();
    for (method, path, status) in [
        ("GET", "", 405),
        ("PATCH", "/resp_0", 405),
        ("GET", "/resp_0/cancel", 405),
        ("GET", "/resp_0/poems", 404),
        ("GET", "/resp_0", 404),
        ("DELETE", "/resp_0", 404),
        ("POST", "/resp_0/cancel", 404),
        ("GET", "/resp_0/input_items", 404),
    ] {
        assert_eq!(lab.ask(method, path, &Value::Null).status, status, "{method} {path}");
    }
}
