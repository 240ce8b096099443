use super::*;
use crate::config::Dialect;
use crate::ir::Proof;
use crate::ir::chat::{
    Effort, Format, Message, Part, Reasoning, Role, Sampling, Source, Tool, ToolCall, ToolChoice, ToolKind,
};
use serde_json::{Value, json};

const CLAUDE: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
const NOVA: &str = "amazon.nova-pro-v1:0";
const LLAMA: &str = "meta.llama3-3-70b-instruct-v1:0";

fn sent(model: &str, request: &Request<'_>) -> (Value, Vec<String>) {
    let (mut loss, mut out) = (Loss::default(), Vec::new());
    encode(request, &Target::of(model), &mut loss, &mut out).unwrap();
    (serde_json::from_slice(&out).unwrap(), loss.paths().to_vec())
}

fn says(role: Role, at: u32, parts: Vec<Part<'static>>) -> Message<'static> {
    Message::new(role, Some(at), parts)
}

fn asks(parts: Vec<Part<'static>>) -> Request<'static> {
    Request { messages: vec![says(Role::User, 0, parts)], ..Request::default() }
}

fn hi() -> Request<'static> {
    asks(vec![Part::text("hi")])
}

fn tool(name: &'static str) -> Tool<'static> {
    Tool {
        name: name.into(),
        description: None,
        kind: ToolKind::Function(None),
        strict: None,
        cache: false,
        at: (0, None),
    }
}

fn base64(media_type: &'static str) -> Source<'static> {
    Source::Base64 { media_type: media_type.into(), data: "AAAA".into() }
}

fn document(source: Source<'static>, name: Option<&'static str>) -> Part<'static> {
    Part::Document { source, name: name.map(Into::into), cache: false }
}

#[test]
fn documents_get_formats_names_and_a_text_beside_them() {
    let (body, loss) = sent(
        CLAUDE,
        &asks(vec![
            document(base64("application/pdf"), Some("Q3 report_final (v2).pdf")),
            document(base64("application/octet-stream"), Some("table.xlsx")),
            document(base64("text/plain"), None),
            document(Source::Text("plain".into()), None),
            document(base64("application/zip"), Some("a.zip")),
            document(Source::Url("https://h/a.pdf".into()), None),
        ]),
    );
    let content = &body["messages"][0]["content"];
    let named: Vec<_> = (0..4)
        .map(|at| (content[at]["document"]["format"].clone(), content[at]["document"]["name"].clone()))
        .collect();
    assert_eq!(
        json!(named),
        json!([
            ["pdf", "Q3 report final (v2)"],
            ["xlsx", "table"],
            ["txt", "document"],
            ["txt", "document (2)"]
        ])
    );
    assert_eq!(content[3]["document"]["source"], json!({"bytes": "cGxhaW4="}));
    assert_eq!(content[4], json!({"text": "(attached)"}));
    assert_eq!(loss, ["messages[0].content[4]", "messages[0].content[5]"]);
}

#[test]
fn media_have_formats_of_a_list_and_may_be_in_s3() {
    let image = |source| Part::Image { source, detail: None, cache: false };
    let file = |home| Source::File(Proof { home, value: "s3://bucket/a.JPG".into() });
    let (body, loss) = sent(
        NOVA,
        &asks(vec![
            image(base64("image/webp; q=1")),
            image(file(Dialect::Bedrock)),
            image(Source::Url("s3://bucket/b.png".into())),
            Part::Video { source: base64("video/3gpp") },
            Part::Audio { source: base64("audio/mpeg") },
            image(file(Dialect::Openai)),
            image(base64("image/tiff")),
            image(Source::Url("https://h/a.png".into())),
        ]),
    );
    let content = &body["messages"][0]["content"];
    assert_eq!(content[0], json!({"image": {"format": "webp", "source": {"bytes": "AAAA"}}}));
    let s3 = json!({"image": {"format": "jpeg", "source": {"s3Location": {"uri": "s3://bucket/a.JPG"}}}});
    assert_eq!(content[1], s3);
    assert_eq!(content[2]["image"]["format"], "png");
    assert_eq!(
        (&content[3]["video"]["format"], &content[4]["audio"]["format"]),
        (&json!("three_gp"), &json!("mp3"))
    );
    assert_eq!(loss, ["messages[0].content[5]", "messages[0].content[6]", "messages[0].content[7]"]);
}

#[test]
fn claude_hears_nothing() {
    let sounds = vec![
        Part::text("hi"),
        Part::Audio { source: base64("audio/wav") },
        Part::Video { source: base64("video/mp4") },
    ];
    let (body, loss) = sent(CLAUDE, &asks(sounds));
    assert_eq!(body["messages"][0]["content"], json!([{"text": "hi"}]));
    assert_eq!(loss, ["messages[0].content[1]", "messages[0].content[2]"]);
}

#[test]
fn thinking_goes_home_only() {
    let proof = |home| Some(Proof { home, value: "c2ln".into() });
    let thinks = |proof| Part::Thinking { text: "hm".into(), proof };
    let redacted = |home| Part::RedactedThinking { data: Proof { home, value: "ZGF0YQ==".into() } };
    let mut request = hi();
    request.messages.push(says(
        Role::Assistant,
        1,
        vec![
            thinks(proof(Dialect::Bedrock)),
            redacted(Dialect::Bedrock),
            thinks(proof(Dialect::Anthropic)),
            redacted(Dialect::Gemini),
            Part::Thinking { text: "".into(), proof: proof(Dialect::Responses) },
            thinks(None),
            Part::text("a"),
        ],
    ));
    request.messages.push(says(Role::User, 2, vec![Part::text("b")]));
    let (body, loss) = sent(CLAUDE, &request);
    assert_eq!(
        body["messages"][1]["content"],
        json!([
            {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "c2ln"}}},
            {"reasoningContent": {"redactedContent": "ZGF0YQ=="}},
            {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "c2ln"}}},
            {"text": "a"},
        ]),
        "Claude's signatures hold wherever it is served"
    );
    assert_eq!(loss, [] as [&str; 0]);
    let (body, loss) = sent(NOVA, &request);
    let kinds = body["messages"][1]["content"].as_array().unwrap();
    assert_eq!(kinds.len(), 3, "another model knows Bedrock's own only: {kinds:?}");
    assert_eq!(loss, [] as [&str; 0]);
}

fn called() -> Request<'static> {
    let long = "functions.get:0".repeat(9);
    let result = Part::ToolResult { id: long.clone().into(), content: vec![], is_error: true, cache: true };
    Request {
        messages: vec![
            says(Role::User, 0, vec![Part::text("hi")]),
            says(Role::Assistant, 1, vec![Part::ToolCall(ToolCall::function(long, "f", "[1]"))]),
            says(Role::User, 2, vec![result]),
        ],
        ..Request::default()
    }
}

#[test]
fn calls_and_results_find_each_other_and_have_tools() {
    let (body, loss) = sent(CLAUDE, &called());
    let call = &body["messages"][1]["content"][0]["toolUse"];
    let result = &body["messages"][2]["content"][0]["toolResult"];
    assert_eq!(call["toolUseId"], result["toolUseId"]);
    let id = call["toolUseId"].as_str().unwrap();
    assert!(
        id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)),
        "{id}"
    );
    assert_eq!(call["input"], json!({"_raw": "[1]"}));
    assert_eq!((&result["status"], &result["content"]), (&json!("error"), &json!([{"text": "(no output)"}])));
    assert_eq!(body["messages"][2]["content"][1], json!({"cachePoint": {"type": "default"}}));
    let bare = json!({"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object"}}}}]});
    assert_eq!(body["toolConfig"], bare);
    assert_eq!(loss, ["messages[1].content[0].arguments"]);
    let (body, loss) = sent(LLAMA, &called());
    assert_eq!(body["messages"][2]["content"][0]["toolResult"].get("status"), None);
    assert_eq!(loss, ["messages[1].content[0].arguments", "messages[2].content[0].is_error"]);
}

#[test]
fn a_custom_tool_is_a_function_of_one_string() {
    let mut request = hi();
    request.tools = vec![Tool { kind: ToolKind::Custom(Some("{}")), ..tool("sql") }];
    let call = ToolCall { custom: true, ..ToolCall::function("c", "sql", "select \"1\"") };
    request.messages.push(says(Role::Assistant, 1, vec![Part::ToolCall(call)]));
    let (body, loss) = sent(CLAUDE, &request);
    assert_eq!(body["messages"][1]["content"][0]["toolUse"]["input"], json!({"input": "select \"1\""}));
    let schema = &body["toolConfig"]["tools"][0]["toolSpec"]["inputSchema"]["json"];
    assert_eq!(schema["properties"]["input"]["type"], "string");
    assert_eq!(loss, ["tools[0].custom.format"]);
}

#[test]
fn a_choice_is_said_as_the_family_takes_it() {
    let choose = |model: &str, choice, parallel| {
        let mut request = hi();
        request.tools = vec![tool("f"), Tool { strict: Some(true), cache: true, at: (1, None), ..tool("g") }];
        (request.tool_choice, request.parallel_tool_calls) = (choice, parallel);
        let (body, loss) = sent(model, &request);
        let tools = body["toolConfig"]["tools"].as_array().map_or(0, Vec::len);
        let forced = body["additionalModelRequestFields"]["tool_choice"].clone();
        (tools, body["toolConfig"]["toolChoice"].clone(), forced, loss)
    };
    let named = || Some(ToolChoice::Tool("g".into()));
    let allowed = |required| Some(ToolChoice::Allowed { required, names: vec!["f".into()] });
    let nothing = Value::Null;
    let unmarked = vec!["tools[1].function.strict".to_owned()];
    let on_nova = [unmarked.clone(), vec!["tools[1].cache_control".to_owned()]].concat();
    // Claude has a cache point behind the second tool.
    assert_eq!(choose(CLAUDE, None, None), (3, nothing.clone(), nothing.clone(), vec![]));
    assert_eq!(choose(CLAUDE, named(), None), (3, json!({"tool": {"name": "g"}}), nothing.clone(), vec![]));
    assert_eq!(choose(CLAUDE, Some(ToolChoice::None), None), (0, nothing.clone(), nothing.clone(), vec![]));
    assert_eq!(choose(CLAUDE, allowed(true), None), (1, json!({"any": {}}), nothing.clone(), vec![]));
    assert_eq!(choose(CLAUDE, allowed(false), None), (1, nothing.clone(), nothing.clone(), vec![]));
    assert_eq!(
        choose(CLAUDE, named(), Some(false)),
        (3, nothing.clone(), json!({"type": "tool", "name": "g", "disable_parallel_tool_use": true}), vec![])
    );
    assert_eq!(
        choose(NOVA, named(), None),
        (2, json!({"tool": {"name": "g"}}), nothing.clone(), on_nova.clone())
    );
    assert_eq!(
        choose("mistral.mistral-large-2402-v1:0", named(), None),
        (1, json!({"any": {}}), nothing.clone(), vec![])
    );
    let unforced = [unmarked.clone(), vec!["tool_choice".to_owned()]].concat();
    assert_eq!(choose(LLAMA, named(), None), (1, nothing.clone(), nothing.clone(), unforced));
    let single = [vec!["parallel_tool_calls".to_owned()], unmarked].concat();
    assert_eq!(choose(LLAMA, None, Some(false)), (2, nothing.clone(), nothing, single));
}

#[test]
fn words_beside_results_go_into_the_last_where_they_are_refused() {
    let mut request = called();
    request.messages.last_mut().unwrap().parts.push(Part::text("And now?"));
    let content = |model: &str| {
        let (body, loss) = sent(model, &request);
        assert!(!loss.iter().any(|lost| lost.starts_with("messages[2].content[1]")), "{loss:?}");
        body["messages"].as_array().unwrap().last().unwrap()["content"].clone()
    };
    assert!(content(NOVA).as_array().unwrap().len() > 1);
    let gathered = content(LLAMA);
    assert_eq!(gathered.as_array().unwrap().len(), 1);
    let inside = gathered[0]["toolResult"]["content"].as_array().unwrap();
    assert_eq!(inside.last().unwrap(), &json!({"text": "And now?"}));
}

#[test]
fn no_choice_can_be_told_where_the_history_needs_tools() {
    let mut request = called();
    (request.tools, request.tool_choice) = (vec![tool("f")], Some(ToolChoice::None));
    let (body, loss) = sent(CLAUDE, &request);
    assert_eq!(body["toolConfig"]["tools"].as_array().unwrap().len(), 1);
    assert!(loss.contains(&"tool_choice".to_owned()), "{loss:?}");
    let mut request = hi();
    request.tool_choice = Some(ToolChoice::Required);
    assert_eq!(sent(CLAUDE, &request).1, ["tool_choice"]);
    request.tools = vec![tool("f")];
    request.tool_choice = Some(ToolChoice::Allowed { required: false, names: vec!["gone".into()] });
    let (body, loss) = sent(CLAUDE, &request);
    assert_eq!((body.get("toolConfig"), loss), (None, vec!["tool_choice".to_owned()]));
}

fn reasoned(model: &str, reasoning: Reasoning) -> (Value, Vec<String>) {
    let mut request = hi();
    request.reasoning = Some(reasoning);
    request.sampling = Sampling {
        max_tokens: Some(30_000),
        temperature: Some("0.5"),
        top_k: Some("7"),
        ..Sampling::default()
    };
    sent(model, &request)
}

#[test]
fn reasoning_is_asked_for_in_the_familys_words() {
    let high = Reasoning::Effort(Effort::High);
    let (body, loss) = reasoned(CLAUDE, Reasoning::Budget(2_000));
    let thinking = json!({"thinking": {"type": "enabled", "budget_tokens": 2_000}});
    assert_eq!(body["additionalModelRequestFields"], thinking);
    assert_eq!(loss, ["temperature", "top_k"]);
    let (body, _) = reasoned("anthropic.claude-opus-4-8", high);
    let adaptive = json!({"thinking": {"type": "adaptive", "display": "summarized"}});
    assert_eq!(body["additionalModelRequestFields"], adaptive);
    assert_eq!(body["outputConfig"], json!({"effort": "high"}));
    let nova2 = "us.amazon.nova-2-lite-v1:0";
    let (body, loss) = reasoned(nova2, high);
    assert_eq!(
        body["additionalModelRequestFields"],
        json!({"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "high"}, "inferenceConfig": {"topK": 7}})
    );
    assert_eq!((body.get("inferenceConfig"), loss), (None, vec!["max_tokens".into(), "temperature".into()]));
    let (body, loss) = reasoned(nova2, Reasoning::Off);
    assert_eq!(body["additionalModelRequestFields"]["reasoningConfig"], json!({"type": "disabled"}));
    assert_eq!((body["inferenceConfig"]["maxTokens"].as_u64(), loss), (Some(30_000), vec![]));
    let (body, loss) = reasoned("openai.gpt-oss-120b-1:0", Reasoning::Budget(9_000));
    assert_eq!(body["additionalModelRequestFields"], json!({"reasoning_effort": "medium"}));
    assert_eq!(loss, ["top_k"]);
    let (body, loss) = reasoned(NOVA, high);
    assert_eq!(body["additionalModelRequestFields"], json!({"inferenceConfig": {"topK": 7}}));
    assert_eq!(loss, ["reasoning_effort"]);
    assert_eq!(reasoned(LLAMA, high).1, ["reasoning_effort", "top_k"]);
    assert_eq!(reasoned(LLAMA, Reasoning::Off).1, ["top_k"]);
}

#[test]
fn limits_of_others_are_kept() {
    let mut request = hi();
    request.sampling = Sampling {
        max_tokens: Some(9_000),
        temperature: Some("1.5"),
        top_p: Some("0.123456789"),
        stop: vec!["".into(), "END".into()],
        n: Some(2),
        logprobs: Some(3),
        seed: Some("7"),
        ..Sampling::default()
    };
    let (mut loss, mut out) = (Loss::default(), Vec::new());
    let target = Target { max_output_tokens: Some(8_192), ..Target::of(LLAMA) };
    encode(&request, &target, &mut loss, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let config =
        r#""inferenceConfig":{"maxTokens":8192,"temperature":1,"topP":0.123456789,"stopSequences":["END"]}"#;
    assert!(text.contains(config), "{text}");
    assert_eq!(
        loss.paths(),
        ["seed", "n", "logprobs", "top_logprobs", "max_tokens", "temperature", "stop[0]"]
    );
}

#[test]
fn a_schema_is_a_text_and_only_some_are_held_to_it() {
    let format = Format::JsonSchema {
        name: Some("answer".into()),
        description: None,
        schema: r#"{"type":"object","properties":{}}"#.into(),
        strict: Some(true),
    };
    let mut request = hi();
    request.format = Some(format);
    let (body, loss) = sent(CLAUDE, &request);
    // Claude's objects are closed.
    let closed = r#"{"type":"object","properties":{},"additionalProperties":false}"#;
    let schema = json!({"schema": closed, "name": "answer"});
    let wanted = json!({"textFormat": {"type": "json_schema", "structure": {"jsonSchema": schema}}});
    assert_eq!((&body["outputConfig"], loss), (&wanted, vec![]));
    assert_eq!(sent(NOVA, &request).1, ["response_format"]);
    request.format = Some(Format::JsonObject);
    assert_eq!(sent(CLAUDE, &request).1, ["response_format"]);
}

#[test]
fn what_openai_alone_says_is_carried_or_listed() {
    let mut request = hi();
    request.user = Some("u".into());
    request.verbosity = Some("low".into());
    request.openai = vec![
        ("metadata", r#"{"team":"a b","bad":"é","no":7}"#),
        ("service_tier", r#""flex""#),
        ("store", "false"),
        ("prompt_cache_key", r#""k""#),
        ("safety_identifier", r#""s""#),
    ];
    let (body, loss) = sent(LLAMA, &request);
    assert_eq!(body["requestMetadata"], json!({"team": "a b"}));
    assert_eq!(body["serviceTier"], json!({"type": "flex"}));
    assert_eq!(
        loss,
        ["metadata.bad", "metadata.no", "prompt_cache_key", "safety_identifier", "user", "verbosity"]
    );
    request.openai = vec![("service_tier", r#""scale""#), ("metadata", "[1]")];
    assert_eq!(sent(LLAMA, &request).1, ["service_tier", "metadata", "user", "verbosity"]);
}

#[test]
fn a_count_is_asked_of_the_conversation_alone() {
    let mut request = hi();
    request.messages.insert(0, says(Role::System, 0, vec![Part::Text { text: "s".into(), cache: true }]));
    request.tools = vec![tool("f")];
    request.sampling.max_tokens = Some(5);
    let (mut loss, mut out) = (Loss::default(), Vec::new());
    encode_count(&request, &Target::of(CLAUDE), &mut loss, &mut out).unwrap();
    let body: Value = serde_json::from_slice(&out).unwrap();
    let converse = body["input"]["converse"].as_object().unwrap();
    assert_eq!(converse.keys().collect::<Vec<_>>(), ["messages", "system", "toolConfig"]);
    assert_eq!(converse["system"], json!([{"text": "s"}, {"cachePoint": {"type": "default"}}]));
}

#[test]
fn a_begun_reply_is_ended_by_the_user_where_the_model_wants_it() {
    let mut request = hi();
    request.messages.push(says(Role::Assistant, 1, vec![Part::text("It is ")]));
    let (body, loss) = sent(CLAUDE, &request);
    assert_eq!(body["messages"][1]["content"], json!([{"text": "It is"}]));
    assert_eq!((body["messages"].as_array().unwrap().len(), loss), (2, vec![]));
    let (body, loss) = sent("anthropic.claude-opus-4-8", &request);
    assert_eq!((&body["messages"][2]["role"], loss), (&json!("user"), vec!["messages[1]".to_owned()]));
}

#[test]
fn names_that_bedrock_refuses_are_refused() {
    let mut request = hi();
    request.tools = vec![tool("f"), Tool { at: (1, None), ..tool("a.b") }];
    let problem = encode(&request, &Target::of(CLAUDE), &mut Loss::default(), &mut Vec::new()).unwrap_err();
    assert_eq!(problem.path, "tools[1].function.name");
}
