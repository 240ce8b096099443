//! What the service refuses, and in which words.

use super::*;

fn with(changes: &Value) -> Value {
    let mut request = json!({"messages": [user("hi")]});
    for (name, value) in changes.as_object().unwrap() {
        request[name] = value.clone();
    }
    request
}

fn turns(content: Value) -> Value {
    json!({"messages": [{"role": "user", "content": content}]})
}

/// A tool use and what follows it.
fn after_use(content: Value) -> Value {
    let call = |id: &str| json!({"toolUse": {"toolUseId": id, "name": "weather", "input": {}}});
    json!({"toolConfig": tools(), "messages": [
        user("hi"), {"role": "assistant", "content": [call("t1"), call("t2")]}, {"role": "user", "content": content}]})
}

fn result(id: &str) -> Value {
    json!({"toolResult": {"toolUseId": id, "content": [{"text": "1"}]}})
}

fn refused(model: &str, cases: &[(Value, &str)]) {
    for (changes, words) in cases {
        let answer = converse(model, &with(changes));
        let message = document(&answer)["message"].as_str().unwrap_or_default().to_owned();
        assert!(message.contains(words), "{changes}: {message}");
        assert_eq!((answer.status, exception(&answer)), (400, "ValidationException"), "{changes}");
    }
}

#[test]
fn conversations_have_rules() {
    let assistant =
        |content: Value| json!({"messages": [user("hi"), {"role": "assistant", "content": content}]});
    let file = |name: &str| json!({"document": {"format": "pdf", "name": name, "source": {"bytes": "aGk="}}});
    let plain = json!({"document": {"format": "txt", "name": "a", "source": {"text": "b"}}});
    let image = json!({"image": {"format": "png", "source": {"bytes": "aGk="}}});
    let images = vec![image; 21];
    let many: Vec<Value> =
        (0..6).map(|index| file(&format!("f{index}"))).chain([json!({"text": "a"})]).collect();
    refused(
        CLAUDE,
        &[
            (json!({"messages": []}), "A conversation must start with a user message."),
            (
                json!({"messages": [{"role": "assistant", "content": [{"text": "a"}]}]}),
                "A conversation must start with a user message.",
            ),
            (
                json!({"messages": [user("a"), user("b")]}),
                "A conversation must alternate between user and assistant roles.",
            ),
            (turns(json!([])), "The content field in the Message object at messages.0 is empty."),
            (
                turns(json!([{"text": " \n"}])),
                "The text field in the ContentBlock object at messages.0.content.0 is blank. Add text to the text field, and try again.",
            ),
            (
                turns(json!([{"toolUse": {"toolUseId": "a", "name": "b", "input": {}}}])),
                "only allowed in messages of the assistant role",
            ),
            (assistant(json!([result("t1")])), "only allowed in messages of the user role"),
            (
                assistant(json!([{"text": "a "}])),
                "final assistant content cannot end with trailing whitespace",
            ),
            (
                assistant(json!([{"toolUse": {"toolUseId": "a", "name": "b", "input": []}}])),
                "The format of the value at messages.1.content.0.toolUse.input is invalid.",
            ),
            (turns(json!([file("a")])), "A text block must be included when using documents."),
            (
                turns(json!([{"text": "a"}, file("a.pdf")])),
                "alphanumeric characters, whitespace characters, hyphens, parentheses, and square brackets",
            ),
            (turns(json!([{"text": "a"}, file("a  b")])), "more than one consecutive whitespace character"),
            (
                turns(json!([{"text": "a"}, file("a"), file("a")])),
                "Messages can't contain duplicate document names.",
            ),
            (turns(json!(images)), "messages: too many images and documents: 21 + 0 > 20"),
            (
                turns(json!([{"text": "a"}, plain])),
                "The DocumentSource object at messages.0.content.1.document.source must set one of the following keys: bytes, s3Location.",
            ),
            (turns(json!(many)), "You can't include more than 5 documents in a request."),
            (
                turns(json!([{"image": {"format": "bmp", "source": {"bytes": "aGk="}}}])),
                "Member must satisfy enum value set: [png, jpeg, gif, webp]",
            ),
            (
                turns(json!([{"image": {"format": "png", "source": {"s3Location": {"uri": "s3://abc/d"}}}}])),
                "can't be accessed",
            ),
        ],
    );
}

#[test]
fn tool_results_answer_the_turn_before() {
    let call = json!({"role": "assistant", "content": [{"toolUse": {"toolUseId": "t1", "name": "weather", "input": {}}}]});
    let mut undeclared = after_use(json!([result("t1"), result("t2")]));
    undeclared["toolConfig"] = Value::Null;
    let empty = json!({"toolResult": {"toolUseId": "t1", "content": [], "status": "error"}});
    let list = json!({"toolResult": {"toolUseId": "t1", "content": [{"json": [1]}]}});
    refused(
        CLAUDE,
        &[
            (
                undeclared,
                "The toolConfig field must be defined when using toolUse and toolResult content blocks.",
            ),
            (
                after_use(json!([{"text": "a"}])),
                "Expected toolResult blocks at messages.2.content for the following Ids: t1, t2",
            ),
            (
                after_use(json!([result("t1")])),
                "Expected toolResult blocks at messages.2.content for the following Ids: t2",
            ),
            (
                after_use(json!([result("t1"), result("t1"), result("t2")])),
                "The toolResult blocks at messages.2.content contain duplicate Ids: t1",
            ),
            (
                after_use(json!([result("t1"), result("t2"), result("t3")])),
                "The number of toolResult blocks at messages.2.content exceeds the number of toolUse blocks of previous turn.",
            ),
            (
                after_use(json!([{"text": "a"}, result("t1"), result("t2")])),
                "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after",
            ),
            (
                after_use(json!([empty, result("t2")])),
                "The content field at messages.2.content.0.toolResult cannot be empty when status value is error.",
            ),
            (
                after_use(json!([list, result("t2")])),
                "messages.2.content.0.toolResult.content.0.json is invalid",
            ),
            (
                json!({"toolConfig": tools(), "messages": [user("a"), call]}),
                "Expected toolResult blocks at messages.2.content",
            ),
        ],
    );
    refused(
        LLAMA,
        &[(
            after_use(json!([result("t1"), result("t2"), {"text": "a"}])),
            "Conversation blocks and tool result blocks cannot be provided in the same turn.",
        )],
    );
    let mut free =
        after_use(json!([result("t1"), result("t2"), {"text": "a"}, {"cachePoint": {"type": "default"}}]));
    free["toolConfig"]["toolChoice"] = json!({"tool": {"name": "weather"}});
    free["additionalModelRequestFields"] = json!({"foo": 1});
    free["inferenceConfig"] = json!({"maxTokens": 1});
    assert_eq!(converse("small.model", &free).refused, None, "a registered model takes what any model takes");
    let prefilled = json!({"messages": [user("a"), {"role": "assistant", "content": [{"text": "b"}]}]});
    refused(LLAMA, &[(prefilled, "requires the last turn in the conversation to be a user message")]);
    let shown = json!({"document": {"format": "pdf", "name": "a", "source": {"bytes": "aGk="}}});
    let inside = |id: &str| json!({"toolResult": {"toolUseId": id, "content": [shown]}});
    refused(
        CLAUDE,
        &[(
            after_use(json!([inside("t1"), inside("t2")])),
            "Messages can't contain duplicate document names.",
        )],
    );
    let blank = json!({"toolResult": {"toolUseId": "t1", "content": [{"text": " "}]}});
    let fine = after_use(json!([blank, {"toolResult": {"toolUseId": "t2", "content": []}}, {"text": "a"}]));
    assert_eq!(converse(CLAUDE, &fine).refused, None, "results may be blank or empty");
}

#[test]
fn reasoning_comes_back_as_it_went() {
    let block = |reasoning: Value| json!({"messages": [user("a"), {"role": "assistant", "content": [{"reasoningContent": reasoning}, {"text": "b"}]}, user("c")]});
    refused(
        CLAUDE,
        &[
            (
                block(json!({"reasoningText": {"text": "a"}})),
                "messages.1.content.0.thinking.signature: Field required",
            ),
            (
                block(json!({"reasoningText": {"text": "a", "signature": "b"}})),
                "Invalid `signature` in `thinking` block",
            ),
            (block(json!({"redactedContent": "aGk="})), "Invalid `data` in `redacted_thinking` block"),
        ],
    );
    let call = json!({"toolUse": {"toolUseId": "t1", "name": "weather", "input": {}}});
    let messages = json!([user("a"), {"role": "assistant", "content": [call]}, {"role": "user", "content": [result("t1")]}]);
    let thinking = json!({"thinking": {"type": "enabled", "budget_tokens": 1024}});
    refused(
        CLAUDE,
        &[(
            json!({"messages": messages, "toolConfig": tools(), "additionalModelRequestFields": thinking}),
            "Expected `thinking` or `redacted_thinking`, but found `tool_use`",
        )],
    );
    let unsigned = block(json!({"reasoningText": {"text": "a"}}));
    assert_eq!(converse("openai.gpt-oss-120b-1:0", &unsigned).status, 200);
}

#[test]
fn parameters_have_rules() {
    let fields = |fields: Value| json!({"additionalModelRequestFields": fields});
    let choice = |choice: Value| json!({"toolConfig": {"tools": tools()["tools"], "toolChoice": choice}});
    let untyped = json!({"tools": [{"toolSpec": {"name": "a", "inputSchema": {"json": {}}}}]});
    let mut open = tools();
    open["tools"][0]["toolSpec"]["strict"] = json!(true);
    let twice = json!({"tools": [tools()["tools"][0], tools()["tools"][0]]});
    let mut forced = choice(json!({"any": {}}));
    forced["additionalModelRequestFields"] = json!({"thinking": {"type": "enabled", "budget_tokens": 1024}});
    refused(
        CLAUDE,
        &[
            (
                json!({"toolConfig": open}),
                "tools.0.custom: For 'object' type, 'additionalProperties' must be explicitly set to false",
            ),
            (
                json!({"inferenceConfig": {"maxTokens": 64001}}),
                "The maximum tokens you requested exceeds the model limit of 64000.",
            ),
            (
                json!({"inferenceConfig": {"temperature": 1.5}}),
                "Value at 'inferenceConfig.temperature' failed to satisfy constraint: Member must have value less than or equal to 1",
            ),
            (
                json!({"inferenceConfig": {"temperature": 0.5, "topP": 0.5}}),
                "The model returned the following errors: `temperature` and `top_p` cannot both be specified",
            ),
            (
                json!({"inferenceConfig": {"stopSequences": [" "]}}),
                "stop_sequences.0: each stop sequence must contain non-whitespace",
            ),
            (fields(json!(3)), "The format of the additionalModelRequestFields field is invalid."),
            (
                fields(json!({"max_tokens": 1})),
                "The additional field max_tokens conflicts with an existing field.",
            ),
            (
                fields(json!({"foo": 1})),
                "The model returned the following errors: foo: Extra inputs are not permitted",
            ),
            (
                fields(json!({"thinking": {"type": "enabled", "budget_tokens": 64000}})),
                "`max_tokens` must be greater than `thinking.budget_tokens`",
            ),
            (
                fields(json!({"thinking": {"type": "enabled", "budget_tokens": 1}})),
                "thinking.budget_tokens: Input should be greater than or equal to 1024",
            ),
            (forced, "Thinking may not be enabled when tool_choice forces tool use."),
            (
                json!({"toolConfig": {"tools": []}}),
                "Value at 'toolConfig.tools' failed to satisfy constraint: Member must have length greater than or equal to 1",
            ),
            (
                json!({"toolConfig": untyped}),
                "The value at toolConfig.tools.0.toolSpec.inputSchema.json.type must be one of the following: object.",
            ),
            (json!({"toolConfig": twice}), "Tool names must be unique."),
            (choice(json!({"tool": {"name": "b"}})), "Tool 'b' not found in provided tools"),
            (json!({"outputConfig": {"effort": "huge"}}), "outputConfig.effort must be one of the following"),
            (
                json!({"outputConfig": {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": "{"}}}}}),
                "jsonSchema.schema is invalid",
            ),
            (json!({"requestMetadata": {"a": "\u{e4}"}}), "Member must satisfy regular expression pattern"),
            (
                json!({"serviceTier": {"type": "gold"}}),
                "Member must satisfy enum value set: [priority, default, flex, reserved]",
            ),
        ],
    );
}

#[test]
fn models_differ_in_what_they_take() {
    let fields = |fields: Value| json!({"additionalModelRequestFields": fields});
    let choice = |choice: Value| json!({"toolConfig": {"tools": tools()["tools"], "toolChoice": choice}});
    refused(
        NOVA,
        &[
            (
                json!({"inferenceConfig": {"stopSequences": ["a", "b", "c", "d", "e"]}}),
                "expected maximum item count: 4, found: 5",
            ),
            (
                fields(json!({"thinking": {}})),
                "Malformed input request: #: extraneous key [thinking] is not permitted, please reformat your input and try again.",
            ),
        ],
    );
    refused(
        LLAMA,
        &[
            (choice(json!({"any": {}})), "This model doesn't support the toolConfig.toolChoice.any field."),
            (
                choice(json!({"tool": {"name": "weather"}})),
                "This model doesn't support the toolConfig.toolChoice.tool field.",
            ),
        ],
    );
    refused(
        "small.model",
        &[(json!({"messages": [user(&"x".repeat(999))]}), "Input is too long for requested model.")],
    );
}

#[test]
fn models_and_operations_are_checked() {
    let body = json!({"messages": [user("hi")]});
    refused("nobody.nothing", &[(json!({}), "The provided model identifier is invalid.")]);
    refused(
        "anthropic.claude-sonnet-4-5-20250929-v1%3A0",
        &[(json!({}), "with on-demand throughput isn’t supported")],
    );
    refused(
        "amazon.titan-embed-text-v2%3A0",
        &[(json!({}), "This action doesn't support the model that you provided.")],
    );
    let point = turns(json!([{"text": "a"}, {"cachePoint": {"type": "default"}}]));
    let denied = converse(LLAMA, &point);
    assert_eq!((denied.status, exception(&denied)), (403, "AccessDeniedException"));
    for path in ["/model/a/b/converse", "/model/a/fly", "/"] {
        let answer = Sent::to(path, &body).answer();
        assert_eq!((answer.status, exception(&answer)), (404, "UnknownOperationException"), "{path}");
    }
    let mut sent = Sent::to(&format!("/model/{NOVA}/converse"), &body);
    sent.body = b"{".to_vec();
    assert_eq!(exception(&sent.answer()), "SerializationException");
    let sent = Sent::to(&format!("/model/{NOVA}/converse"), &body).header("content-type", "text/plain");
    assert_eq!(sent.answer().status, 415);
}
