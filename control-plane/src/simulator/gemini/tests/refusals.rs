use super::*;

fn config(config: Value) -> Value {
    json!({"generationConfig": config})
}

fn declared(parameters: Value) -> Value {
    json!({"tools": [{"functionDeclarations": [{"name": "f", "parameters": parameters}]}]})
}

fn call(name: &str) -> Value {
    json!({"functionCall": {"name": name, "args": {}}})
}

fn returned(name: &str) -> Value {
    json!({"functionResponse": {"name": name, "response": {"result": "1"}}})
}

fn user(parts: Value) -> Value {
    json!({"role": "user", "parts": parts})
}

fn model(parts: Value) -> Value {
    json!({"role": "model", "parts": parts})
}

/// What each model refuses, and in which words.
fn check(model: &str, cases: &[(Value, &str)]) {
    for (changes, words) in cases {
        let answer = ask(model, changes.clone());
        let (status, message) = error(&answer);
        assert!(status == 400 && message.contains(words), "{changes}\n{status} {message}\n{words}");
        assert_eq!(document(&answer)["error"]["status"], "INVALID_ARGUMENT");
        assert!(answer.refused.is_some());
    }
}

#[test]
fn wrong_shapes_are_refused_with_all_violations() {
    let answer = ask("gemini-2.5-flash", json!({"foo": 1, "generationConfig": {"reasoningEffort": "low"}}));
    let (status, message) = error(&answer);
    assert_eq!(status, 400);
    assert!(message.contains("Unknown name \"foo\": Cannot find field."), "{message}");
    assert!(message.contains("Unknown name \"reasoningEffort\" at 'generation_config': Cannot find field."));
    let details = &document(&answer)["error"]["details"][0];
    assert_eq!(details["@type"], "type.googleapis.com/google.rpc.BadRequest");
    assert_eq!(details["fieldViolations"].as_array().unwrap().len(), 2);
}

/// One content of the user's.
fn says(part: Value) -> Value {
    json!({"contents": [user(json!([part]))]})
}

#[test]
fn wrong_turns_are_refused() {
    let blob = |mime: &str, data: &str| json!({"inlineData": {"mimeType": mime, "data": data}});
    check(
        "gemini-2.5-flash",
        &[
            (json!({"contents": []}), "* GenerateContentRequest.contents: contents is not specified\n"),
            (
                json!({"contents": [user(json!([]))]}),
                "* GenerateContentRequest.contents[0].parts: contents.parts must not be empty.\n",
            ),
            (
                json!({"contents": [{"role": "assistant", "parts": [{"text": "x"}]}]}),
                "Please use a valid role: user, model.",
            ),
            (says(json!({"thought": true})), "contents[0].parts[0].data: required oneof field 'data'"),
            (says(blob("image/gif", "AAAA")), "Unsupported MIME type: image/gif"),
            (says(blob("image/png", "")), "Unable to process input image"),
            (says(json!({"fileData": {"fileUri": "file:///x"}})), "Cannot fetch content"),
            (says(json!({"text": "x", "thoughtSignature": "AAAA"})), "Corrupted thought signature."),
            (
                json!({"contents": [model(json!([call("")]))]}),
                "contents[0].parts[0].function_call.name: Name cannot be empty.",
            ),
            (
                json!({"systemInstruction": {"parts": [blob("image/png", "AAAA")]}}),
                "System instruction only supports text.",
            ),
        ],
    );
    let cached = ask("gemini-2.5-flash", json!({"cachedContent": "cachedContents/1"}));
    assert_eq!(error(&cached), (403, "CachedContent not found (or permission denied)"));
    let long = ask("small", json!({"contents": said(&"x".repeat(400))}));
    assert_eq!(
        error(&long),
        (400, "The input token count (104) exceeds the maximum number of tokens allowed (40).")
    );
}

#[test]
fn calls_find_all_their_responses_in_the_next_content() {
    let asks = json!([user(json!([{"text": "hi"}])), model(json!([call("a"), call("b")]))]);
    let then = |turn: Value| {
        let mut contents = asks.clone();
        contents.as_array_mut().unwrap().push(turn);
        json!({"contents": contents})
    };
    let number = "number of function response parts is equal to the number of function call parts";
    let image = json!([{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]);
    let seen = json!({"functionResponse": {"name": "a", "parts": image}});
    let apart = json!([asks[0], asks[1], user(json!([returned("a")])), user(json!([returned("b")]))]);
    check(
        "gemini-2.5-flash",
        &[
            (says(returned("a")), "function response turn comes immediately after a function call turn"),
            (
                json!({"contents": [model(json!([call("a")])), user(json!([returned("a")]))]}),
                "function call turn comes immediately after a user turn",
            ),
            (then(user(json!([returned("a")]))), number),
            (then(user(json!([{"text": "no"}]))), number),
            (json!({"contents": apart}), number),
            (
                then(user(json!([seen, returned("b")]))),
                "`function_response.parts` is not supported for this model",
            ),
        ],
    );
    let both = json!([returned("a"), returned("b")]);
    assert_eq!(ask("gemini-2.5-flash", then(user(both))).status, 200);
    let streamed = json!([
        asks[0],
        model(json!([{"text": "hm", "thought": true}])),
        model(json!([call("a")])),
        model(json!([{"text": ""}])),
        user(json!([returned("a")]))
    ]);
    let answer = ask("gemini-2.5-flash", json!({"contents": streamed}));
    assert_eq!(answer.status, 200, "as the vendor's client sends a stream back");
}

#[test]
fn newer_models_are_stricter_about_turns() {
    let signature = signature::sign("abcdefghijklmnopqrstuvwx");
    let signed = json!({"functionCall": {"name": "a", "id": "1", "args": {}}, "thoughtSignature": signature});
    let again = |parts: Value| json!({"contents": [user(json!([{"text": "hi"}])), model(json!([signed])), user(parts)]});
    let answered = json!({"functionResponse": {"name": "a", "id": "1", "response": {}}});
    let unsigned = json!({"contents": [user(json!([{"text": "hi"}])), model(json!([call("a")])), user(json!([returned("a")]))]});
    for model in ["gemini-3.1-pro-preview", "gemini-3.8-flash"] {
        let parts = json!([answered]);
        assert_eq!(ask(model, again(parts)).status, 200, "{model}");
    }
    check(
        "gemini-3.1-pro-preview",
        &[(unsigned.clone(), "Additional data, function call `default_api:a` , position 2.")],
    );
    assert_eq!(ask("gemini-2.5-pro", unsigned.clone()).status, 200);
    let mut spoken = unsigned;
    spoken["contents"].as_array_mut().unwrap().push(user(json!([{"text": "and now?"}])));
    assert_eq!(
        ask("gemini-3.1-pro-preview", spoken).status,
        200,
        "turns before what the user said last need no signature"
    );
    assert_eq!(
        ask("gemini-3.8-flash", again(json!([returned("a")]))).status,
        200,
        "an id need not come back"
    );
    let mut documented = again(json!([answered]));
    documented["contents"][1]["parts"][0]["thoughtSignature"] = json!("skip_thought_signature_validator");
    assert_eq!(ask("gemini-3.8-flash", documented).status, 200);
    check(
        "gemini-3.8-flash",
        &[
            (
                again(json!([{"functionResponse": {"name": "a", "id": "2", "response": {}}}])),
                "functionResponse.id does not match functionCall.id",
            ),
            (again(json!([answered, {"text": "so?"}])), "number of function response parts"),
            (
                json!({"contents": [user(json!([{"text": "hi"}])), model(json!([{"text": "I"}]))]}),
                "Requests ending with a model turn are not supported.",
            ),
        ],
    );
    let begun = json!({"contents": [user(json!([{"text": "hi"}])), model(json!([{"text": "I"}]))]});
    assert_eq!(ask("gemini-2.5-flash", begun).status, 200);
}

#[test]
fn wrong_settings_are_refused() {
    check(
        "gemini-2.5-flash",
        &[
            (
                config(json!({"temperature": 2.1})),
                "* GenerateContentRequest.generation_config.temperature: temperature must be in the range [0.0, 2.0]\n",
            ),
            (config(json!({"topP": -0.1})), "top_p must be in the range [0.0, 1.0]"),
            (config(json!({"topK": 0})), "top_k must be positive"),
            (config(json!({"presencePenalty": 2})), "presence_penalty must be in the range [-2.0, 2.0)"),
            (config(json!({"candidateCount": 9})), "candidate_count must be in the range"),
            (config(json!({"maxOutputTokens": 0})), "max_output_tokens must be positive"),
            (
                config(json!({"stopSequences": ["a", "b", "c", "d", "e", "f"]})),
                "stop_sequences must not exceed 5",
            ),
            (config(json!({"logprobs": 3})), "logprobs can only be set if response_logprobs is true"),
            (config(json!({"responseMimeType": "text/html"})), "allowed mimetypes are `text/plain`"),
            (config(json!({"responseSchema": {"type": "OBJECT"}})), "only allowed with response_mime_type"),
            (
                config(
                    json!({"responseMimeType": "application/json", "responseSchema": {"type": "OBJECT"}, "responseJsonSchema": {}}),
                ),
                "mutually exclusive",
            ),
            (
                config(json!({"responseModalities": ["TEXT", "IMAGE"]})),
                "response modalities (TEXT, IMAGE) is not supported",
            ),
            (
                config(json!({"thinkingConfig": {"thinkingLevel": "LOW"}})),
                "Thinking level is not supported for this model.",
            ),
            (
                config(json!({"thinkingConfig": {"thinkingBudget": 30_000}})),
                "The thinking budget 30000 is invalid. Please choose a value between 0 and 24576.",
            ),
            (
                config(json!({"thinkingConfig": {"thinkingBudget": 0, "includeThoughts": true}})),
                "only enabled when thinking is enabled",
            ),
            (
                json!({"safetySettings": [{"category": "HARM_CATEGORY_MEDICAL", "threshold": "OFF"}]}),
                "safety_settings[0]: element predicate failed",
            ),
        ],
    );
    check(
        "gemini-2.5-pro",
        &[(
            config(json!({"thinkingConfig": {"thinkingBudget": 0}})),
            "Budget 0 is invalid. This model only works in thinking mode.",
        )],
    );
    check(
        "gemini-3.8-flash",
        &[
            (config(json!({"candidateCount": 2})), "Multiple candidates is not enabled for this model"),
            (
                config(json!({"thinkingConfig": {"thinkingLevel": "MINIMAL"}})),
                "Thinking level MINIMAL is not supported for this model.",
            ),
            (
                config(json!({"thinkingConfig": {"thinkingLevel": "LOW", "thinkingBudget": 9}})),
                "only one of thinking budget and thinking level",
            ),
        ],
    );
    assert_eq!(
        ask("gemini-3.6-flash", config(json!({"thinkingConfig": {"thinkingLevel": "minimal"}}))).status,
        200
    );
}

#[test]
fn wrong_tools_are_refused() {
    let forced = |config: Value| json!({"tools": tools(), "toolConfig": {"functionCallingConfig": config}});
    check(
        "gemini-2.5-flash",
        &[
            (
                declared(json!({"type": "OBJECT", "additionalProperties": false})),
                "Unknown name \"additionalProperties\" at 'tools[0].function_declarations[0].parameters'",
            ),
            (
                declared(json!({"type": "OBJECT", "properties": {"a": {"type": "ARRAY"}}})),
                "* GenerateContentRequest.tools[0].function_declarations[0].parameters.properties[a].items: missing field.\n",
            ),
            (
                declared(json!({"type": "OBJECT", "properties": {}, "required": ["a"]})),
                "parameters.required[0]: property is not defined",
            ),
            (
                declared(json!({"type": "OBJECT", "properties": {"a": {"type": "INTEGER", "enum": ["1"]}}})),
                "properties[a].enum: only allowed for STRING type",
            ),
            (
                declared(json!({"type": "OBJECT", "properties": {"a": {"type": "STRING", "format": "uri"}}})),
                "only 'enum' and 'date-time' are supported",
            ),
            (
                json!({"tools": [{"functionDeclarations": [{"name": "1x"}]}]}),
                "function_declarations[0].name: [FIELD_INVALID] Invalid function name.",
            ),
            (
                json!({"tools": [{"functionDeclarations": [{"name": "x"}, {"name": "x"}]}]}),
                "Duplicate function declaration found: x",
            ),
            (
                json!({"tools": [{"functionDeclarations": [{"name": "x", "parameters": {}, "parametersJsonSchema": {}}]}]}),
                "mutually exclusive",
            ),
            (
                json!({"tools": [{"functionDeclarations": [{"name": "x", "parametersJsonSchema": {"type": "OBJECT"}}]}]}),
                "unsupported schema type",
            ),
            (
                json!({"tools": [{"functionDeclarations": [{"name": "x"}], "googleSearch": {}}]}),
                "Tool use with function calling is unsupported",
            ),
            (json!({"tools": [{"googleSearchRetrieval": {}}]}), "Please use google_search tool instead."),
            (
                json!({"toolConfig": {"functionCallingConfig": {"mode": "ANY"}}}),
                "Function calling config is set without function_declarations.",
            ),
            (
                forced(json!({"allowedFunctionNames": ["weather"]})),
                "allowed_function_names: only allowed when the mode is ANY or VALIDATED",
            ),
            (
                forced(json!({"mode": "ANY", "allowedFunctionNames": ["rain"]})),
                "allowed_function_names[0]: function is not declared",
            ),
            (
                json!({"tools": tools(), "generationConfig": {"responseMimeType": "application/json"}}),
                "Function calling with a response mime type",
            ),
        ],
    );
    let both = json!([{"functionDeclarations": [{"name": "x"}]}, {"googleSearch": {}}]);
    check(
        "gemini-3.8-flash",
        &[(
            json!({"tools": both}),
            "Built-in tools ({google_search}) and Function Calling cannot be combined",
        )],
    );
    let told = json!({"tools": both, "toolConfig": {"includeServerSideToolInvocations": true}});
    assert_eq!(ask("gemini-3.8-flash", told).status, 200);
    let whole = json!({"type": "object", "properties": {"a": {"const": 1}}, "additionalProperties": false, "$defs": {}});
    let whole = json!({"tools": [{"functionDeclarations": [{"name": "x", "parametersJsonSchema": whole}]}]});
    assert_eq!(ask("gemini-2.5-flash", whole).status, 200);
}

#[test]
fn versions_know_the_same_under_fixed_names() {
    let everything =
        with(json!({"systemInstruction": {"parts": [{"text": "x"}]}, "tools": tools(), "store": false}));
    for (version, status) in [("v1", 404), ("v1beta", 200)] {
        let at = |model: &str| format!("/{version}/models/{model}:generateContent");
        assert_eq!(Ask { path: &at("gemini-2.5-flash"), ..Ask::default() }.send(&everything).status, 200);
        let moving = Ask { path: &at("gemini-flash-latest"), ..Ask::default() }.send(&everything);
        assert_eq!(moving.status, status, "{version}");
    }
    let wrong = Ask { path: "/v1/models/gemini-2.5-flash:generateContent", ..Ask::default() }
        .send(&with(json!({"generationConfig": 3})));
    assert!(error(&wrong).1.contains("google.ai.generativelanguage.v1.GenerationConfig"));
}

#[test]
fn keys_paths_and_queries_are_checked() {
    let none = Ask { headers: &[], ..Ask::default() }.send(&with(json!({})));
    assert!(none.status == 403 && error(&none).1.starts_with("Method doesn't allow unregistered callers"));
    let bad = Ask { headers: &[("x-goog-api-key", "sk")], ..Ask::default() }.send(&with(json!({})));
    assert_eq!(error(&bad), (400, "API key not valid. Please pass a valid API key."));
    let details = &document(&bad)["error"]["details"];
    assert_eq!((&details[0]["reason"], &details[1]["locale"]), (&json!("API_KEY_INVALID"), &json!("en-US")));
    let bearer: &[(&str, &str)] = &[("x-goog-api-key", "AIza-test"), ("authorization", "Bearer sk-test")];
    let bearer = Ask { headers: bearer, ..Ask::default() }.send(&with(json!({})));
    assert_eq!(bearer.status, 401);
    assert_eq!(
        Ask { headers: &[], query: "key=AIza-test", ..Ask::default() }.send(&with(json!({}))).status,
        200
    );
    let unknown = Ask { query: "beta=true", ..Ask::default() }.send(&with(json!({})));
    assert!(error(&unknown).1.contains("Unknown name \"beta\": Cannot bind query parameter."));
    let missing = ask("gemini-9", json!({}));
    assert!(
        missing.status == 404
            && error(&missing).1.starts_with("models/gemini-9 is not found for API version v1beta")
    );
    assert_eq!(ask("gemini-embedding-001", json!({})).status, 404);
    let array = Ask { path: "/v1beta/models/gemini-2.5-flash:streamGenerateContent", ..Ask::default() }
        .send(&json!({}));
    assert_eq!((array.status, &document(&array)[0]["error"]["code"]), (400, &json!(400)));
}
