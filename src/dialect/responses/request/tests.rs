use super::*;
use crate::config::Dialect;
use crate::dialect::Target;
use crate::ir::Proof;
use crate::ir::chat::{Effort, Message, Part, Reasoning, Request, Role, Tool, ToolCall, ToolKind};
use crate::ir::loss::Loss;
use serde_json::{Value, json};

fn written(request: &Request<'_>, target: &Target<'_>, purpose: Purpose) -> (Value, Vec<String>) {
    let (mut loss, mut out) = (Loss::default(), Vec::new());
    encode(request, target, purpose, &mut loss, &mut out).unwrap();
    (serde_json::from_slice(&out).unwrap(), loss.paths().to_vec())
}

fn said(parts: Vec<Part<'static>>) -> Request<'static> {
    let message = Message::new(Role::User, Some(0), parts);
    Request { messages: vec![message], ..Request::default() }
}

fn hello() -> Request<'static> {
    said(vec![Part::text("Hello!")])
}

#[test]
fn models_that_reason_are_asked_for_what_can_be_sent_back() {
    let low = || Request { reasoning: Some(Reasoning::Effort(Effort::Low)), ..hello() };
    for (model, request, encrypted, summary) in [
        ("gpt-5.2", hello(), true, false),
        ("gpt-5.2", low(), true, true),
        ("o3", hello(), true, false),
        ("gpt-4o", hello(), false, false),
        ("gpt-4o", low(), false, false),
        ("gpt-oss-120b", hello(), false, false),
        ("gpt-oss-120b", low(), true, true),
        ("gpt-5.2", Request { show_reasoning: Some(false), ..low() }, true, false),
    ] {
        let (body, _) = written(&request, &Target::of(model), Purpose::Reply);
        let include = if encrypted { json!(["reasoning.encrypted_content"]) } else { Value::Null };
        assert_eq!(body["include"], include, "{model}");
        assert_eq!(body["reasoning"]["summary"] == "auto", summary, "{model}");
        assert_eq!(body["store"], json!(false), "{model}");
    }
}

#[test]
fn a_clients_wish_to_store_is_kept() {
    let request = Request { openai: vec![("store", "true"), ("metadata", r#"{"a":"b"}"#)], ..hello() };
    let (body, loss) = written(&request, &Target::of("gpt-4o"), Purpose::Reply);
    assert_eq!((&body["store"], &body["metadata"], loss.len()), (&json!(true), &json!({"a":"b"}), 0));
}

#[test]
fn breakpoints_are_set_where_they_are_known() {
    let request = || said(vec![Part::Text { text: "a".into(), cache: true }]);
    let mark = |model: &'static str| {
        let (body, loss) = written(&request(), &Target::of(model), Purpose::Reply);
        (body["input"][0]["content"][0]["prompt_cache_breakpoint"].clone(), loss)
    };
    assert_eq!(mark("gpt-5.6"), (json!({"mode":"explicit"}), Vec::new()));
    assert_eq!(mark("gpt-5.5"), (Value::Null, Vec::new()));
}

#[test]
fn limits_and_names_fit_the_api() {
    let mut request = Request { user: Some("u".repeat(65).into()), ..hello() };
    request.sampling.max_tokens = Some(1);
    let (body, loss) = written(&request, &Target::of("gpt-5"), Purpose::Reply);
    assert_eq!((&body["max_output_tokens"], loss), (&json!(16), vec!["max_tokens".to_owned()]));
    assert_eq!(body["safety_identifier"].as_str().unwrap().len(), "user_".len() + 32);
    request.user = Some("u".into());
    let (body, _) = written(&request, &Target::of("llama"), Purpose::Reply);
    assert_eq!((&body["user"], &body["safety_identifier"]), (&json!("u"), &Value::Null));
}

#[test]
fn long_ids_of_calls_stay_the_same_on_both_sides() {
    let id = "toolu_".repeat(20);
    let call = ToolCall { custom: true, ..ToolCall::function(id.clone(), "f", "in") };
    let result =
        Part::ToolResult { id: id.into(), content: vec![Part::text("out")], is_error: true, cache: false };
    let turn = |role, parts| Message::new(role, Some(1), parts);
    let messages = vec![turn(Role::Assistant, vec![Part::ToolCall(call)]), turn(Role::User, vec![result])];
    let (body, loss) = written(&Request { messages, ..Request::default() }, &Target::of("m"), Purpose::Reply);
    let (call, result) = (&body["input"][0], &body["input"][1]);
    assert_eq!(
        (&call["type"], &result["type"]),
        (&json!("custom_tool_call"), &json!("custom_tool_call_output"))
    );
    assert_eq!(call["call_id"], result["call_id"]);
    assert!(call["call_id"].as_str().unwrap().len() <= 64);
    assert_eq!(loss, ["messages[1].content[0].is_error"]);
}

#[test]
fn thinking_goes_home_or_nowhere() {
    let thinking =
        |home| Part::Thinking { text: "t".into(), proof: Some(Proof { home, value: "rs_1:gAAA".into() }) };
    let parts = vec![thinking(Dialect::Responses), thinking(Dialect::Anthropic)];
    let turn = Message::new(Role::Assistant, Some(0), parts);
    let (body, loss) =
        written(&Request { messages: vec![turn], ..Request::default() }, &Target::of("m"), Purpose::Reply);
    let item = json!({"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"t"}],"encrypted_content":"gAAA"});
    assert_eq!((&body["input"], loss), (&json!([item]), vec!["messages[0].content[1]".to_owned()]));
}

#[test]
fn a_count_asks_for_nothing_but_a_count() {
    let tool = Tool {
        name: "f".into(),
        description: None,
        kind: ToolKind::Function(None),
        strict: None,
        cache: false,
        at: (0, None),
    };
    let mut request = Request { tools: vec![tool], stream: true, ..hello() };
    request.sampling.max_tokens = Some(100);
    request.sampling.temperature = Some("0.5");
    let (body, loss) = written(&request, &Target::of("gpt-5"), Purpose::Count);
    let names: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!((names, loss.len()), (vec!["input", "model", "tools"], 0));
}

#[test]
fn what_the_dialect_cannot_say_is_said() {
    let mut request = hello();
    let sampling = &mut request.sampling;
    (sampling.top_k, sampling.seed, sampling.n) = (Some("1"), Some("1"), Some(2));
    (sampling.frequency_penalty, sampling.presence_penalty) = (Some("0.5"), Some("0.0"));
    sampling.stop = vec!["a".into()];
    sampling.logprobs = Some(3);
    let (body, loss) = written(&request, &Target::of("gpt-5"), Purpose::Reply);
    assert_eq!(loss, ["frequency_penalty", "top_k", "seed", "stop", "n", "logprobs", "top_logprobs"]);
    assert_eq!(body["top_logprobs"], Value::Null);
    let (body, _) = written(&request, &Target::of("gpt-4o"), Purpose::Reply);
    assert_eq!(
        (&body["top_logprobs"], &body["include"]),
        (&json!(3), &json!(["message.output_text.logprobs"]))
    );
}

#[test]
fn summaries_are_shown_only_if_they_are_asked_for() {
    let shown = |members: &str| {
        let body = format!(r#"{{"model":"m","input":"x"{members}}}"#);
        let mut loss = Loss::default();
        decode(&body, &mut loss).unwrap().show_reasoning
    };
    assert_eq!(shown(""), Some(false));
    assert_eq!(shown(r#","reasoning":{"effort":"low"}"#), Some(false));
    assert_eq!(shown(r#","reasoning":{"summary":"detailed"}"#), Some(true));
}

#[test]
fn what_is_written_for_an_upstream_is_read_as_a_clients() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/requests");
    let mut read = 0;
    for entry in
        std::fs::read_dir(root).unwrap().flat_map(|client| std::fs::read_dir(client.unwrap().path()).unwrap())
    {
        let path = entry.unwrap().path();
        if path.to_string_lossy().ends_with(".to.responses.json") {
            let body = std::fs::read_to_string(&path).unwrap();
            let mut loss = Loss::default();
            let request =
                decode(&body, &mut loss).unwrap_or_else(|refusal| panic!("{}: {refusal}", path.display()));
            assert_eq!(loss.paths(), &[] as &[String], "{}", path.display());
            let mut out = Vec::new();
            encode(&request, &Target::of("upstream-model"), Purpose::Reply, &mut loss, &mut out).unwrap();
            let again = String::from_utf8(out).unwrap();
            assert_eq!(decode(&again, &mut loss), Ok(request), "{}", path.display());
            read += 1;
        }
    }
    assert!(read > 50, "{read}");
}

#[test]
fn reasoning_without_words_proves_the_call_behind_it() {
    let body = r#"{"model":"m","input":[{"role":"user","content":"q"},
        {"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"hm"}],"encrypted_content":""},
        {"type":"reasoning","id":"rs_2","summary":[],"encrypted_content":"sluice.gemini.AAAA"},
        {"type":"function_call","call_id":"c","name":"f","arguments":"{}"},
        {"type":"function_call_output","call_id":"c","output":"1"}]}"#;
    let request = decode(body, &mut Loss::default()).unwrap();
    let proof = Some(Proof { home: Dialect::Gemini, value: "AAAA".into() });
    let call = ToolCall { proof, ..ToolCall::function("c", "f", "{}") };
    let thought = Part::Thinking { text: "hm".into(), proof: None };
    assert_eq!(request.messages[1].parts, [thought, Part::ToolCall(call)]);
}

#[test]
fn all_unknown_members_of_one_thing_are_told() {
    let many: String = (0..20).map(|at| format!(r#","k{at}":1"#)).collect();
    let body = format!(
        r#"{{"input":[{{"type":"message","role":"user","content":[{{"type":"input_text","text":"x"{many}}}]{many}}}],
            "tools":[{{"type":"function","name":"f"{many}}}],
            "tool_choice":{{"type":"allowed_tools","mode":"auto","tools":[{{"type":"function","name":"f"{many}}}]}}}}"#
    );
    let mut loss = Loss::default();
    decode(&body, &mut loss).unwrap();
    for owner in ["input[0].content[0]", "input[0]", "tools[0]", "tool_choice.tools[0]"] {
        for at in 0..20 {
            let path = format!("{owner}.k{at}");
            assert!(loss.paths().contains(&path), "{path}: {:?}", loss.paths());
        }
    }
    assert_eq!(loss.paths().len(), 80);
}
