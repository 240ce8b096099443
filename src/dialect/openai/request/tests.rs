use super::{decode, encode};
use crate::config::Dialect;
use crate::dialect::Target;
use crate::ir::chat::{Message, Part, Reasoning, Request, Role, Tool, ToolCall, ToolChoice, ToolKind};
use crate::ir::loss::Loss;

fn turn(role: Role, parts: Vec<Part<'static>>) -> Message<'static> {
    Message::new(role, Some(0), parts)
}

fn written(request: &Request<'_>, model: &str) -> (String, Vec<String>) {
    let mut loss = Loss::default();
    let mut out = Vec::new();
    let target = Target { stream_usage: false, ..Target::of(model) };
    encode(request, &target, &mut loss, &mut out).unwrap();
    (String::from_utf8(out).unwrap(), loss.paths().to_vec())
}

#[test]
fn only_openais_reasoners_get_the_newer_words() {
    let mut request =
        Request { messages: vec![turn(Role::Developer, vec![Part::text("x")])], ..Request::default() };
    request.sampling.max_tokens = Some(7);
    for (model, newer) in [
        ("gpt-5", true),
        ("gpt-5.2-codex", true),
        ("openai/o3-mini", true),
        ("o1", true),
        ("gpt-4o", false),
        ("gpt-oss-120b", false),
        ("openai-like", false),
        ("olmo", false),
        ("", false),
    ] {
        let (json, _) = written(&request, model);
        assert_eq!(json.contains(r#""max_completion_tokens":7"#), newer, "{model}");
        assert_eq!(json.contains(r#""role":"developer""#), newer, "{model}");
        assert_eq!(json.contains(r#""max_tokens":7"#), !newer, "{model}");
    }
}

#[test]
fn what_a_model_of_openais_refuses_is_left_out_and_said() {
    let mut request =
        Request { messages: vec![turn(Role::User, vec![Part::text("x")])], ..Request::default() };
    request.sampling.temperature = Some("0.5");
    request.sampling.top_p = Some("1.0");
    request.sampling.stop = vec!["end".into()];
    request.reasoning = Some(Reasoning::Budget(1024));
    let members = |json: &str| -> Vec<String> {
        let document: serde_json::Value = serde_json::from_str(json).unwrap();
        document
            .as_object()
            .unwrap()
            .keys()
            .filter(|name| !["model", "messages"].contains(&&***name))
            .cloned()
            .collect()
    };
    for (model, sent, lost) in [
        ("gpt-4o", vec!["stop", "temperature", "top_p"], vec!["reasoning_effort"]),
        ("o3-mini", vec!["reasoning_effort", "stop"], vec!["temperature"]),
        ("gpt-5.1", vec!["reasoning_effort"], vec!["temperature", "stop"]),
        ("llama", vec!["reasoning_effort", "stop", "temperature", "top_p"], vec![]),
    ] {
        let (json, loss) = written(&request, model);
        let mut found = members(&json);
        found.sort();
        assert_eq!(
            (found, loss),
            (
                sent.iter().map(ToString::to_string).collect(),
                lost.iter().map(ToString::to_string).collect::<Vec<_>>()
            ),
            "{model}"
        );
    }
    request.reasoning = Some(Reasoning::Off);
    assert!(written(&request, "gpt-5.1").0.contains(r#""temperature":0.5"#), "at rest it can be sampled");
    assert!(written(&request, "gpt-5.1").0.contains(r#""reasoning_effort":"none""#));
    assert_eq!(written(&request, "gpt-4o").1, [""; 0], "it never reasons");
    assert_eq!(written(&request, "llama").1, ["reasoning_effort"]);
}

#[test]
fn a_limit_above_the_models_is_lowered() {
    let mut request =
        Request { messages: vec![turn(Role::User, vec![Part::text("x")])], ..Request::default() };
    request.sampling.max_tokens = Some(20_000);
    let (mut loss, mut out) = (Loss::default(), Vec::new());
    let target = Target { max_output_tokens: Some(16_384), stream_usage: false, ..Target::of("gpt-4o") };
    encode(&request, &target, &mut loss, &mut out).unwrap();
    assert!(String::from_utf8(out).unwrap().contains(r#""max_tokens":16384"#));
    assert_eq!(loss.paths(), ["max_tokens"]);
}

#[test]
fn a_choice_without_tools_is_not_sent() {
    let mut request = Request {
        messages: vec![turn(Role::User, vec![Part::text("x")])],
        tool_choice: Some(ToolChoice::Auto),
        parallel_tool_calls: Some(false),
        ..Request::default()
    };
    assert_eq!(written(&request, "m").0, r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#);
    request.tool_choice = Some(ToolChoice::Required);
    assert_eq!(written(&request, "m").1, ["tool_choice"]);
    request.tools = vec![Tool {
        name: "t".into(),
        description: None,
        kind: ToolKind::Function(None),
        strict: None,
        cache: true,
        at: (0, None),
    }];
    let (json, loss) = written(&request, "m");
    assert!(json.contains(r#""tool_choice":"required","parallel_tool_calls":false"#), "{json}");
    // The provider caches by itself: the answer and the bill are the same without the marker.
    assert!(loss.is_empty(), "{loss:?}");
}

#[test]
fn results_of_every_kind_stand_directly_behind_their_calls() {
    let image =
        || Part::Image { source: crate::ir::chat::Source::Url("u".into()), detail: None, cache: false };
    let parts = vec![
        Part::text("before"),
        Part::ToolResult { id: "a".into(), content: vec![image()], is_error: true, cache: false },
        Part::ToolResult {
            id: "b".into(),
            content: vec![Part::text("x"), Part::text("y")],
            is_error: false,
            cache: false,
        },
    ];
    let (json, loss) =
        written(&Request { messages: vec![turn(Role::User, parts)], ..Request::default() }, "m");
    assert!(
        json.contains(
            r#"[{"role":"tool","tool_call_id":"a","content":""},{"role":"tool","tool_call_id":"b","content":"x\n\ny"},{"role":"user","content":[{"type":"text","text":"before"},{"type":"image_url","image_url":{"url":"u"}}]}]"#
        ),
        "{json}"
    );
    assert_eq!(loss, ["messages[0].content[1].is_error", "messages[0].content[1].content[0]"]);
}

#[test]
fn a_request_without_turns_is_refused() {
    let target = Target { stream_usage: false, ..Target::of("m") };
    let refused = encode(&Request::default(), &target, &mut Loss::default(), &mut Vec::new());
    assert_eq!(refused.unwrap_err().path, "messages");
}

#[test]
fn wrong_types_are_named_where_they_stand() {
    for (body, want) in [
        (r#"{"messages":{}}"#, "messages: expected an array"),
        (r#"{"messages":[1]}"#, "messages[0]: expected an object"),
        (r#"{"messages":[{"content":"x"}]}"#, "messages[0].role: expected a string, and it is missing"),
        (
            r#"{"messages":[{"role":"bard","content":"x"}]}"#,
            "messages[0].role: expected system, developer, user, assistant or tool",
        ),
        (
            r#"{"messages":[{"role":"user","content":null}]}"#,
            "messages[0].content: expected string or list of parts",
        ),
        (r#"{"messages":[{"role":"user","content":[1]}]}"#, "messages[0].content[0]: expected an object"),
        (
            r#"{"messages":[{"role":"user","content":[{"text":"x"}]}]}"#,
            "messages[0].content[0].type: expected a string, and it is missing",
        ),
        (
            r#"{"messages":[{"role":"tool","content":"x"}]}"#,
            "messages[0].tool_call_id: expected a string, and it is missing",
        ),
        (
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"a","function":{"name":7}}]}]}"#,
            "messages[0].tool_calls[0].function.name: expected a string",
        ),
        (r#"{"messages":[],"max_tokens":1.5}"#, "max_tokens: expected a non-negative integer"),
        (r#"{"messages":[],"stop":[1]}"#, "stop[]: expected a string"),
        (r#"{"messages":[],"tools":{}}"#, "tools: expected an array"),
        (
            r#"{"messages":[],"tool_choice":"maybe"}"#,
            "tool_choice: expected none, auto, required or an object",
        ),
        (
            r#"{"messages":[],"response_format":{"type":"json_schema"}}"#,
            "response_format.json_schema: expected an object",
        ),
    ] {
        assert_eq!(decode(body, &mut Loss::default()).unwrap_err().to_string(), want, "{body}");
    }
}

#[test]
fn only_those_who_want_their_thinking_back_get_it() {
    let parts = vec![Part::Thinking { text: "t".into(), proof: None }, Part::text("a")];
    let request = Request { messages: vec![turn(Role::Assistant, parts)], ..Request::default() };
    for (model, back) in [
        ("deepseek-reasoner", true),
        ("moonshotai/Kimi-K2-Thinking", true),
        ("glm-4.6", true),
        ("gpt-5", false),
        ("m", false),
    ] {
        let (json, loss) = written(&request, model);
        assert_eq!(json.contains(r#""reasoning_content":"t""#), back, "{model}");
        let lost: &[&str] = if back { &[] } else { &["messages[0].content[0]"] };
        assert_eq!(loss, lost, "{model}");
    }
}

#[test]
fn only_googles_chat_layer_gets_what_proves_a_call() {
    let proof = |home| Some(crate::ir::Proof { home, value: "s".into() });
    for (home, model, signed) in [
        (Dialect::Gemini, "gemini-3-pro", true),
        (Dialect::Gemini, "gpt-5", false),
        (Dialect::Anthropic, "gemini-3-pro", false),
    ] {
        let call = ToolCall { proof: proof(home), ..ToolCall::function("c", "f", "{}") };
        let messages = vec![turn(Role::Assistant, vec![Part::ToolCall(call)])];
        let (json, _) = written(&Request { messages, ..Request::default() }, model);
        assert_eq!(json.contains(r#""thought_signature":"s""#), signed, "{model}");
    }
}

#[test]
fn a_name_that_openai_refuses_is_refused_by_its_path() {
    let tool = Tool {
        name: "a.b".into(),
        description: None,
        kind: ToolKind::Function(None),
        strict: None,
        cache: false,
        at: (0, None),
    };
    let request = Request {
        messages: vec![turn(Role::User, vec![Part::text("x")])],
        tools: vec![tool],
        ..Request::default()
    };
    let encode = |model| encode(&request, &Target::of(model), &mut Loss::default(), &mut Vec::new());
    assert_eq!(encode("gpt-5").unwrap_err().path, "tools[0].function.name");
    assert_eq!(encode("m"), Ok(()));
}

#[test]
fn what_a_vendor_wants_otherwise_is_written_so() {
    let request = Request { messages: vec![turn(Role::User, vec![Part::text("x")])], ..Request::default() };
    let target = Target { model_in_body: false, extra: &[("api", "1")], ..Target::of("m") };
    let mut out = Vec::new();
    encode(&request, &target, &mut Loss::default(), &mut out).unwrap();
    assert_eq!(out, br#"{"api":1,"messages":[{"role":"user","content":"x"}]}"#);
}

#[test]
fn documents_that_are_text_are_texts() {
    use crate::ir::chat::Source;
    let document = |name: Option<&'static str>| Part::Document {
        source: Source::Text("words".into()),
        name: name.map(Into::into),
        cache: false,
    };
    let result =
        Part::ToolResult { id: "a".into(), content: vec![document(None)], is_error: false, cache: false };
    let parts = vec![result, document(Some("N")), Part::text("q")];
    let request = Request { messages: vec![turn(Role::User, parts)], ..Request::default() };
    let (json, loss) = written(&request, "m");
    assert!(loss.is_empty());
    assert!(json.contains(r#"{"role":"tool","tool_call_id":"a","content":"words"}"#), "{json}");
    assert!(json.contains(r#"{"role":"user","content":"N\n\nwords\n\nq"}"#), "{json}");
}

#[test]
fn a_member_that_asks_by_being_there_is_told_though_empty() {
    let lost = |member: &str| {
        let body = format!(r#"{{"messages":[{{"role":"user","content":"x"}}],{member}}}"#);
        let mut loss = Loss::default();
        decode(&body, &mut loss).unwrap();
        loss.paths().to_vec()
    };
    for name in ["web_search_options", "search_parameters"] {
        assert_eq!(lost(&format!(r#""{name}":{{ }}"#)), [name]);
        assert!(lost(&format!(r#""{name}":null"#)).is_empty());
    }
    assert!(lost(r#""logit_bias":{},"metadata":{}"#).is_empty());
}

#[test]
fn all_unknown_members_of_one_thing_are_told() {
    let many: String = (0..20).map(|at| format!(r#","k{at}":1"#)).collect();
    let body = format!(
        r#"{{"messages":[{{"role":"user","content":[{{"type":"text","text":"x"{many}}}]}},
            {{"role":"assistant","tool_calls":[{{"id":"c","type":"function","function":{{"name":"f","arguments":"{{}}"{many}}}}}]}}],
            "tools":[{{"type":"function","function":{{"name":"f"{many}}}}}]}}"#
    );
    let mut loss = Loss::default();
    decode(&body, &mut loss).unwrap();
    for owner in ["messages[0].content[0]", "messages[1].tool_calls[0].function", "tools[0].function"] {
        for at in 0..20 {
            let path = format!("{owner}.k{at}");
            assert!(loss.paths().contains(&path), "{path}: {:?}", loss.paths());
        }
    }
    assert_eq!(loss.paths().len(), 60);
}
