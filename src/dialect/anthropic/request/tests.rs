use crate::config::{Dialect, Endpoint};
use crate::dialect::Target;
use crate::ir::Proof;
use crate::ir::chat::{
    Effort, Format, Message, Part, Reasoning, Request, Role, Sampling, Source, Tool, ToolCall, ToolChoice,
    ToolKind,
};
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
use crate::wire::json::Text;

fn decode<'a>(body: &'a str, loss: &mut Loss) -> Result<Request<'a>, Malformed> {
    super::decode(Endpoint::Messages, body, loss)
}

fn encode(
    request: &Request<'_>,
    target: &Target<'_>,
    loss: &mut Loss,
    out: &mut Vec<u8>,
) -> Result<(), Malformed> {
    super::encode(request, target, false, loss, out)
}

fn read(body: &str) -> (Request<'_>, Vec<String>) {
    let mut loss = Loss::default();
    let request = decode(body, &mut loss).unwrap();
    (request, loss.paths().to_vec())
}

fn complaint(body: &str) -> String {
    decode(body, &mut Loss::default()).unwrap_err().to_string()
}

fn sent_to(model: &str, most: Option<u64>, request: &Request<'_>) -> (serde_json::Value, Vec<String>) {
    let (mut loss, mut out) = (Loss::default(), Vec::new());
    let target = Target { max_output_tokens: most, ..Target::of(model) };
    encode(request, &target, &mut loss, &mut out).unwrap();
    (serde_json::from_slice(&out).unwrap(), loss.paths().to_vec())
}

fn sent(request: &Request<'_>) -> (serde_json::Value, Vec<String>) {
    sent_to("claude-3-5-haiku-latest", None, request)
}

fn says(role: Role, at: u32, parts: Vec<Part<'static>>) -> Message<'static> {
    Message::new(role, Some(at), parts)
}

fn user(at: u32, text: &'static str) -> Message<'static> {
    says(Role::User, at, vec![Part::text(text)])
}

fn call(id: &'static str, arguments: &'static str) -> Part<'static> {
    Part::ToolCall(ToolCall::function(id, "f", arguments))
}

fn result(id: &'static str, content: Vec<Part<'static>>) -> Part<'static> {
    Part::ToolResult { id: id.into(), content, is_error: false, cache: false }
}

fn chat(messages: Vec<Message<'static>>) -> Request<'static> {
    Request { messages, ..Request::default() }
}

fn tool() -> Tool<'static> {
    Tool {
        name: "f".into(),
        description: None,
        kind: ToolKind::Function(None),
        strict: None,
        cache: false,
        at: (0, None),
    }
}

fn messages(request: &Request<'_>) -> String {
    sent(request).0["messages"].to_string()
}

#[test]
fn what_a_client_gets_wrong_is_named_by_path() {
    let message = |content: &str| {
        format!(r#"{{"model":"m","max_tokens":1,"messages":[{{"role":"user","content":{content}}}]}}"#)
    };
    for (body, expected) in [
        (r#"{"messages":[{"role":"user","content":"x"}]}"#.to_owned(), "max_tokens: missing"),
        (r#"{"max_tokens":1,"messages":[]}"#.to_owned(), "messages: expected at least one message"),
        (r#"{"max_tokens":1}"#.to_owned(), "messages: expected at least one message"),
        (r#"{"max_tokens":"1"}"#.to_owned(), "max_tokens: expected a number"),
        (r#"{"max_tokens":1,"temperature":"hot"}"#.to_owned(), "temperature: expected a number"),
        (r#"{"max_tokens":1,"messages":{}}"#.to_owned(), "messages: expected an array"),
        (r#"{"max_tokens":1,"messages":[7]}"#.to_owned(), "messages[0]: expected an object"),
        (r#"{"messages":[{"content":"x"}]}"#.to_owned(), "messages[0].role: missing"),
        (
            r#"{"messages":[{"role":"tool","content":"x"}]}"#.to_owned(),
            "messages[0].role: expected 'user' or 'assistant'",
        ),
        (r#"{"messages":[{"role":"user"}]}"#.to_owned(), "messages[0].content: missing"),
        (message("null"), "messages[0].content: expected a string or a list of blocks"),
        (message("[7]"), "messages[0].content[0]: expected an object"),
        (message(r#"[{"text":"x"}]"#), "messages[0].content[0].type: missing"),
        (message(r#"[{"type":"text"}]"#), "messages[0].content[0].text: missing"),
        (message(r#"[{"type":"text","text":7}]"#), "messages[0].content[0].text: expected a string"),
        (message(r#"[{"type":"image"}]"#), "messages[0].content[0].source: missing"),
        (
            message(r#"[{"type":"image","source":{"type":"base64"}}]"#),
            "messages[0].content[0].source.media_type: missing",
        ),
        (
            message(r#"[{"type":"tool_use","id":"a","name":"f","input":"x"}]"#),
            "messages[0].content[0].input: expected an object",
        ),
        (
            message(r#"[{"type":"tool_result","tool_use_id":"a","content":[{"type":"text","text":1}]}]"#),
            "messages[0].content[0].content[0].text: expected a string",
        ),
        (r#"{"tools":[{"name":"f"}]}"#.to_owned(), "tools[0].input_schema: missing"),
        (
            r#"{"tool_choice":{"type":"maybe"}}"#.to_owned(),
            "tool_choice.type: expected 'auto', 'any', 'tool' or 'none'",
        ),
        (r#"{"tool_choice":"auto"}"#.to_owned(), "tool_choice: expected an object"),
        (r#"{"thinking":{"type":"enabled"}}"#.to_owned(), "thinking.budget_tokens: missing"),
        (r#"{"stop_sequences":["a",1]}"#.to_owned(), "stop_sequences[1]: expected a string"),
        (r#"{"metadata":{"user_id":1}}"#.to_owned(), "metadata.user_id: expected a string"),
    ] {
        assert_eq!(complaint(&body), expected, "{body}");
    }
}

#[test]
fn effort_and_thinking_are_decided_together_in_any_order() {
    let reasoning = |members: &str| {
        let body = format!(r#"{{"max_tokens":1,{members},"messages":[{{"role":"user","content":"x"}}]}}"#);
        let mut loss = Loss::default();
        (decode(&body, &mut loss).unwrap().reasoning, loss.paths().join(" "))
    };
    let effort = r#""output_config":{"effort":"high"}"#;
    for (members, expected, lost) in [
        (
            r#""thinking":{"type":"enabled","budget_tokens":2048}"#.to_owned(),
            Some(Reasoning::Budget(2048)),
            "",
        ),
        (r#""thinking":{"type":"disabled"}"#.to_owned(), Some(Reasoning::Off), ""),
        (
            r#""thinking":{"type":"adaptive","display":"summarized"}"#.to_owned(),
            Some(Reasoning::Adaptive),
            "",
        ),
        (r#""thinking":{"type":"adaptive","display":"omitted"}"#.to_owned(), Some(Reasoning::Adaptive), ""),
        (r#""thinking":{"type":"between_tools"}"#.to_owned(), None, "thinking"),
        (effort.to_owned(), Some(Reasoning::Effort(Effort::High)), ""),
        (r#""output_config":{"effort":"xhigh"}"#.to_owned(), Some(Reasoning::Effort(Effort::Max)), ""),
        (r#""output_config":{"effort":"cosmic"}"#.to_owned(), None, "output_config.effort"),
        (format!(r#"{effort},"thinking":{{"type":"adaptive"}}"#), Some(Reasoning::Effort(Effort::High)), ""),
        (
            format!(r#"{effort},"thinking":{{"type":"disabled"}}"#),
            Some(Reasoning::Off),
            "output_config.effort",
        ),
        (
            format!(r#""thinking":{{"type":"enabled","budget_tokens":2048}},{effort}"#),
            Some(Reasoning::Effort(Effort::High)),
            "thinking.budget_tokens",
        ),
    ] {
        assert_eq!(reasoning(&members), (expected, lost.to_owned()), "{members}");
    }
}

#[test]
fn everything_ends_in_the_request_or_in_the_loss_list() {
    let body = r#"{"model":"m","max_tokens":9,"speed":"fast","container":null,"mcp_servers":[],"service_tier":"standard_only",
        "metadata":{"user_id":"u","team":"t"},"output_config":{"format":{"type":"json_schema","schema":{"type":"object"}},"task_budget":{"type":"tokens"}},
        "tools":[{"type":"web_search_20250305","name":"web_search"},{"name":"f","input_schema":{},"defer_loading":true,"input_examples":[]}],
        "messages":[{"role":"user","id":"x","content":[
            {"type":"text","text":"t","citations":null,"cache_control":{"type":"ephemeral"}},
            {"type":"text","text":"t","citations":[{"type":"char_location"}]},
            {"type":"image","source":{"type":"file","file_id":"f"}},
            {"type":"image","source":{"type":"url","url":"https://x"},"cache_control":{"type":"ephemeral"}},
            {"type":"document","source":{"type":"text","media_type":"text/plain","data":"d"},"title":"T","citations":{"enabled":false}},
            {"type":"document","source":{"type":"content","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}},
            {"type":"server_tool_use","id":"s","name":"web_search","input":{}},
            {"type":"tool_result","tool_use_id":"a","content":[{"type":"text","text":"r"},{"type":"search_result"}],"is_error":true}
        ]}]}"#;
    let (request, lost) = read(body);
    assert_eq!(
        lost,
        [
            "speed",
            "service_tier",
            "metadata.team",
            "output_config.task_budget",
            "tools[0]",
            "tools[1].defer_loading",
            "messages[0].id",
            "messages[0].content[1].citations",
            "messages[0].content[6]",
            "messages[0].content[7].content[1]",
        ]
    );
    assert_eq!(request.user, Some(Text::from("u")));
    assert!(
        matches!(request.format, Some(Format::JsonSchema { schema, .. }) if schema == r#"{"type":"object"}"#)
    );
    let parts = &request.messages[0].parts;
    assert_eq!(parts[0], Part::Text { text: "t".into(), cache: true });
    let file = Proof { home: Dialect::Anthropic, value: "f".into() };
    assert_eq!(parts[2], Part::Image { source: Source::File(file), detail: None, cache: false });
    assert_eq!(parts[3], Part::Image { source: Source::Url("https://x".into()), detail: None, cache: true });
    let source = Source::Text("d".into());
    assert_eq!(parts[4], Part::Document { source, name: Some("T".into()), cache: false });
    assert_eq!(parts[5..7], [Part::text("a"), Part::text("b")]);
    let error =
        Part::ToolResult { id: "a".into(), content: vec![Part::text("r")], is_error: true, cache: false };
    assert_eq!(parts[7], error);
}

#[test]
fn calls_that_share_an_id_are_told_apart() {
    let call = |id: &'static str| Part::ToolCall(ToolCall::function(id, "f", "{}"));
    let result = |id: &'static str| Part::ToolResult {
        id: id.into(),
        content: vec![Part::text("r")],
        is_error: false,
        cache: false,
    };
    let request = Request {
        messages: vec![
            says(Role::User, 0, vec![Part::text("x")]),
            says(Role::Assistant, 1, vec![call("a"), call("a"), call("a_2")]),
            says(Role::User, 2, vec![result("a"), result("a"), result("a_2")]),
            says(Role::Assistant, 3, vec![call("a")]),
            says(Role::User, 4, vec![result("a"), result("lost")]),
        ],
        ..Request::default()
    };
    let (body, loss) = sent(&request);
    let ids = |turn: usize, member: &str| -> Vec<String> {
        let blocks = body["messages"][turn]["content"].as_array().unwrap();
        blocks.iter().map(|block| block[member].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(1, "id"), ["a", "a_2", "a_2_2"]);
    assert_eq!(ids(2, "tool_use_id"), ["a", "a_2", "a_2_2"]);
    assert_eq!(
        (ids(3, "id"), ids(4, "tool_use_id")),
        (vec!["a_3".into()], vec!["a_3".into(), "lost".into()])
    );
    assert_eq!(loss, [""; 0]);
}

#[test]
fn turns_that_another_provider_keeps_are_not_found() {
    let body = |thread: &str| {
        format!(r#"{{"max_tokens":1,"messages":[{{"role":"user","content":"x"}}],"thread":{thread}}}"#)
    };
    for asked in ["null", r#"{"type":"create"}"#] {
        assert_eq!(read(&body(asked)).1, [""; 0], "{asked}");
    }
    let body = body(r#"{"type":"continue","previous_message_id":"msg_1"}"#);
    let refused = decode(&body, &mut Loss::default()).unwrap_err();
    assert_eq!((refused.path.as_str(), refused.answer), ("thread", Some((404, "thread_not_found"))));
}

#[test]
fn a_choice_among_vanished_tools_vanishes() {
    let (request, lost) = read(
        r#"{"max_tokens":1,"messages":[{"role":"user","content":"x"}],"tool_choice":{"type":"any"},
            "tools":[{"type":"bash_20250124","name":"bash"}]}"#,
    );
    assert_eq!(request.tool_choice, None);
    assert_eq!(lost, ["tools[0]", "tool_choice"]);
}

#[test]
fn turns_alternate_and_the_user_begins() {
    let request = chat(vec![
        says(Role::System, 0, vec![Part::text("be kind")]),
        says(Role::Developer, 1, vec![Part::text("be brief")]),
        says(Role::Assistant, 2, vec![Part::text("hello")]),
        says(Role::Assistant, 3, vec![Part::text(" "), Part::text("again")]),
        user(4, "one"),
        says(Role::Assistant, 5, vec![Part::text("")]),
        user(6, "two"),
        says(Role::System, 7, vec![Part::text("now in French")]),
    ]);
    let (body, lost) = sent(&request);
    assert_eq!(
        body["system"].to_string(),
        r#"[{"text":"be kind","type":"text"},{"text":"be brief","type":"text"}]"#
    );
    assert_eq!(
        body["messages"].to_string(),
        r#"[{"content":[{"text":"(continued)","type":"text"}],"role":"user"},"#.to_owned()
            + r#"{"content":[{"text":"hello","type":"text"},{"text":"again","type":"text"}],"role":"assistant"},"#
            + r#"{"content":[{"text":"one","type":"text"},{"text":"two","type":"text"},"#
            + r#"{"text":"<system>\nnow in French\n</system>","type":"text"}],"role":"user"}]"#
    );
    assert!(lost.is_empty(), "{lost:?}");
}

#[test]
fn a_begun_reply_loses_its_trailing_space_and_an_empty_question_still_asks() {
    let prefill = |text| chat(vec![user(0, "q"), says(Role::Assistant, 1, vec![Part::text(text)])]);
    assert!(
        messages(&prefill("The answer is (\n "))
            .ends_with(r#""text":"The answer is (","type":"text"}],"role":"assistant"}]"#)
    );
    let asked = chat(vec![user(0, "q"), says(Role::Assistant, 1, vec![Part::text("a")]), user(2, "")]);
    assert!(messages(&asked).ends_with(r#"[{"text":"(continued)","type":"text"}],"role":"user"}]"#));
}

#[test]
fn instructions_alone_become_the_question() {
    let body = sent(&chat(vec![says(Role::System, 0, vec![Part::text("write a poem")])])).0;
    assert_eq!(body["messages"][0]["content"][0]["text"], "write a poem");
    assert!(body.get("system").is_none());
    let empty = chat(vec![user(0, " ")]);
    let target = Target::of("m");
    let error = encode(&empty, &target, &mut Loss::default(), &mut Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), "messages: expected at least one message with content");
}

#[test]
fn results_stand_first_in_the_order_of_their_calls() {
    let mut request = chat(vec![
        user(0, "q"),
        says(Role::Assistant, 1, vec![call("a.1", "{}"), call("b", "")]),
        user(2, "by the way"),
        says(Role::User, 3, vec![result("b", vec![])]),
        says(Role::User, 4, vec![result("a.1", vec![Part::text("1"), Part::text("")])]),
    ]);
    request.tools.push(tool());
    let body = sent(&request).0;
    let calls = &body["messages"][1]["content"];
    let results = &body["messages"][2]["content"];
    assert_eq!(calls[0]["id"], results[0]["tool_use_id"]);
    assert_eq!(results[0]["content"], "1");
    assert_eq!(results[1].to_string(), r#"{"tool_use_id":"b","type":"tool_result"}"#);
    assert_eq!(results[2]["text"], "by the way");
}

#[test]
fn broken_arguments_are_wrapped_and_listed() {
    let request = chat(vec![user(0, "q"), says(Role::Assistant, 1, vec![call("a", "{\"x\":")])]);
    let (body, lost) = sent(&request);
    assert_eq!(body["messages"][1]["content"][0]["input"].to_string(), r#"{"_raw":"{\"x\":"}"#);
    assert_eq!(lost, ["messages[1].content[0].arguments"]);
    // Calls need their tools.
    assert_eq!(body["tools"].to_string(), r#"[{"input_schema":{"type":"object"},"name":"f"}]"#);
    assert_eq!(body["tool_choice"]["type"], "none");
}

#[test]
fn what_has_no_place_is_listed() {
    let image =
        || Part::Image { source: Source::Url("https://x".into()), detail: Some("low".into()), cache: false };
    let file = |media_type: &'static str, data: &'static str| Part::Document {
        source: Source::Base64 { media_type: media_type.into(), data: data.into() },
        name: Some("n".into()),
        cache: false,
    };
    let mut request = chat(vec![
        says(Role::System, 0, vec![image(), Part::text("s")]),
        says(
            Role::User,
            1,
            vec![image(), file("audio/wav", "AA=="), file("text/plain", "aGk="), file("text/plain", "/w==")],
        ),
        says(Role::Assistant, 2, vec![Part::Thinking { text: "t".into(), proof: None }, image()]),
    ]);
    request.messages[1].name = Some("ann".into());
    let (body, lost) = sent(&request);
    assert_eq!(
        lost,
        [
            "messages[0].content[0]",
            "messages[1].name",
            "messages[1].content[1]",
            "messages[2].content[0]",
            "messages[2].content[1]",
            "messages[1].content[0].detail",
            "messages[1].content[3]",
        ]
    );
    let content = &body["messages"][0]["content"];
    assert_eq!(content[0]["source"].to_string(), r#"{"type":"url","url":"https://x"}"#);
    assert_eq!(content[1]["source"]["data"], "hi");
    assert_eq!(content.as_array().unwrap().len(), 2);
}

#[test]
fn a_limit_is_always_there_and_never_above_the_models() {
    let limit = |asked, most| {
        let sampling = Sampling { max_tokens: asked, ..Sampling::default() };
        let (body, lost) = sent_to("m", most, &Request { sampling, ..chat(vec![user(0, "q")]) });
        (body["max_tokens"].as_u64().unwrap(), lost.join(" "))
    };
    assert_eq!(limit(None, None), (4_096, String::new()));
    assert_eq!(limit(None, Some(8_192)), (8_192, String::new()));
    assert_eq!(limit(Some(10), Some(8_192)), (10, String::new()));
    assert_eq!(limit(Some(100_000), Some(8_192)), (8_192, "max_tokens".to_owned()));
}

#[test]
fn thinking_fits_the_generation_and_the_limit() {
    let think = |model: &str, reasoning, asked, most| {
        let sampling = Sampling { max_tokens: asked, ..Sampling::default() };
        let request = Request { sampling, reasoning: Some(reasoning), ..chat(vec![user(0, "q")]) };
        let (body, lost) = sent_to(model, most, &request);
        let output = body.get("output_config").map(ToString::to_string).unwrap_or_default();
        let thinking = body.get("thinking").map(ToString::to_string).unwrap_or_default();
        format!("{} {thinking} {output} {}", body["max_tokens"], lost.join(" ")).trim().to_owned()
    };
    let effort = Reasoning::Effort(Effort::Medium);
    let enabled = |budget: u64| format!(r#"{{"budget_tokens":{budget},"type":"enabled"}}"#);
    let old = "claude-sonnet-4-5";
    assert_eq!(think(old, effort, None, None), format!("12288 {}", enabled(8_192)));
    assert_eq!(think(old, effort, None, Some(8_192)), format!("8192 {}", enabled(6_144)));
    assert_eq!(think(old, effort, Some(2_000), None), format!("2000 {}", enabled(1_500)));
    assert_eq!(think(old, effort, Some(1_025), None), format!("1025 {}", enabled(1_024)));
    assert_eq!(think(old, effort, Some(1_024), None), "1024   reasoning_effort");
    assert_eq!(
        think(old, Reasoning::Budget(10), Some(9_000), None),
        format!("9000 {}  reasoning_effort", enabled(1_024)),
        "what is asked for is less than can be had"
    );
    assert_eq!(
        think(old, Reasoning::Budget(u64::MAX), None, None).split_once(' ').unwrap().0,
        u64::MAX.to_string()
    );
    assert_eq!(think(old, Reasoning::Off, None, None), r#"4096 {"type":"disabled"}"#);
    let new = "claude-opus-4-8";
    let adaptive = r#"{"display":"summarized","type":"adaptive"}"#;
    assert_eq!(think(new, effort, None, None), format!(r#"4096 {adaptive} {{"effort":"medium"}}"#));
    assert_eq!(
        think(new, Reasoning::Budget(30_000), None, None),
        format!(r#"4096 {adaptive} {{"effort":"high"}}"#)
    );
    assert_eq!(think("claude-opus-4-6", Reasoning::Adaptive, None, None), r#"4096 {"type":"adaptive"}"#);
}

#[test]
fn thinking_gives_way_where_it_would_be_refused() {
    let forced = |model: &str| {
        let mut request = chat(vec![user(0, "q")]);
        request.reasoning = Some(Reasoning::Effort(Effort::Low));
        request.tools.push(tool());
        request.tool_choice = Some(ToolChoice::Tool("f".into()));
        sent_to(model, None, &request)
    };
    let (body, lost) = forced("claude-haiku-4-5");
    assert!(body.get("thinking").is_none());
    assert_eq!(lost, ["reasoning_effort"]);
    let (body, lost) = forced("claude-opus-4-7");
    assert!(body.get("thinking").is_none());
    assert_eq!(body["output_config"]["effort"], "low");
    assert!(lost.is_empty());
    let looped = |thinking: Option<Part<'static>>| {
        let parts = thinking.into_iter().chain([call("a", "{}")]).collect();
        let mut request = chat(vec![
            user(0, "q"),
            says(Role::Assistant, 1, parts),
            says(Role::User, 2, vec![result("a", vec![Part::text("1")])]),
        ]);
        request.reasoning = Some(Reasoning::Budget(2_048));
        request.tools.push(tool());
        sent_to("claude-haiku-4-5", None, &request)
    };
    let (body, lost) = looped(None);
    assert!(body.get("thinking").is_none());
    assert_eq!(lost, ["reasoning_effort"]);
    let signed = Part::Thinking {
        text: "t".into(),
        proof: Some(Proof { home: Dialect::Anthropic, value: "s".into() }),
    };
    let (body, lost) = looped(Some(signed));
    assert_eq!(body["thinking"]["budget_tokens"], 2_048);
    assert!(lost.is_empty());
}

#[test]
fn sampling_is_what_the_generation_takes() {
    let sample = |model: &str, sampling: Sampling<'static>, reasoning| {
        let (body, lost) = sent_to(model, None, &Request { sampling, reasoning, ..chat(vec![user(0, "q")]) });
        let kept: Vec<_> = ["temperature", "top_p", "top_k"]
            .iter()
            .filter_map(|name| body.get(*name).map(|value| format!("{name}={value}")))
            .collect();
        (kept.join(" "), lost.join(" "))
    };
    let all =
        || Sampling { temperature: Some("0.5"), top_p: Some("0.9"), top_k: Some("5"), ..Sampling::default() };
    let none = || Sampling { temperature: Some("1"), top_p: Some("1.0"), ..Sampling::default() };
    let kept = |kept: &str, lost: &str| (kept.to_owned(), lost.to_owned());
    assert_eq!(sample("claude-3-5-haiku-latest", all(), None), kept("temperature=0.5 top_p=0.9 top_k=5", ""));
    assert_eq!(sample("claude-haiku-4-5", all(), None), kept("temperature=0.5 top_k=5", "top_p"));
    assert_eq!(sample("claude-opus-4-8", all(), None), kept("", "temperature top_p top_k"));
    assert_eq!(sample("claude-opus-4-8", none(), None), kept("", ""));
    let low = Some(Reasoning::Effort(Effort::Low));
    assert_eq!(sample("claude-haiku-4-5", all(), low), kept("", "temperature top_p top_k"));
    assert_eq!(sample("claude-haiku-4-5", none(), low), kept("", ""));
    let hot = Sampling { temperature: Some("1.7"), seed: Some("7"), n: Some(2), ..Sampling::default() };
    assert_eq!(sample("claude-3-5-haiku-latest", hot, None), kept("temperature=1", "temperature seed n"));
    let penalties = Sampling {
        frequency_penalty: Some("0.0"),
        presence_penalty: Some("0.1"),
        n: Some(1),
        ..Sampling::default()
    };
    assert_eq!(sample("claude-3-5-haiku-latest", penalties, None), kept("", "presence_penalty"));
}

#[test]
fn schemas_and_stops_are_made_acceptable() {
    let tool_with = |at, parameters: Option<&'static str>| Tool {
        at: (at, None),
        kind: ToolKind::Function(parameters.map(Into::into)),
        strict: Some(true),
        ..tool()
    };
    let mut request = chat(vec![user(0, "q")]);
    request.tools = vec![
        tool_with(0, None),
        tool_with(1, Some("{ }")),
        tool_with(2, Some(r#"{"properties":{"type":{}}}"#)),
        tool_with(3, Some(r#"{"type":"object","properties":{}}"#)),
        tool_with(4, Some("true")),
        tool_with(5, Some(r#"{"type":"object","properties":{},"additionalProperties":true}"#)),
    ];
    request.sampling.stop = vec!["END".into(), "\n".into()];
    request.parallel_tool_calls = Some(false);
    let (mut loss, mut out) = (Loss::default(), Vec::new());
    let target = Target::of("claude-sonnet-4-5");
    encode(&request, &target, &mut loss, &mut out).unwrap();
    let body: serde_json::Value = serde_json::from_slice(&out).unwrap();
    let schemas: Vec<_> = (0..5).map(|at| body["tools"][at]["input_schema"].to_string()).collect();
    let bare = r#"{"additionalProperties":false,"properties":{},"type":"object"}"#;
    let typed = r#"{"additionalProperties":false,"properties":{"type":{}},"type":"object"}"#;
    assert_eq!(schemas, [bare, bare, typed, bare, bare]);
    assert_eq!(body["tools"][0]["strict"], true);
    // A tool that takes members of any name is not held to a schema rather than to no members.
    assert_eq!(body["tools"][5]["input_schema"]["additionalProperties"], true);
    assert_eq!(body["tools"][5].get("strict"), None);
    assert_eq!(body["tool_choice"].to_string(), r#"{"disable_parallel_tool_use":true,"type":"auto"}"#);
    assert_eq!(body["stop_sequences"].to_string(), r#"["END"]"#);
    assert_eq!(loss.paths(), ["tools[5].function.strict", "stop[1]"]);
    request.format =
        Some(Format::JsonSchema { name: None, description: None, schema: "{}".into(), strict: None });
    let (body, lost) = sent(&request);
    assert!(body.get("output_config").is_none());
    assert_eq!(lost.last().map(String::as_str), Some("response_format"));
    assert!(lost.contains(&"tools[4].function.strict".to_owned()));
}

#[test]
fn numbers_and_escapes_leave_as_they_came() {
    let body = r#"{"model":"m","max_tokens":9,"temperature":0.123456789,"system":[{"type":"text","text":"a\u00e9\/","cache_control":{"type":"ephemeral"}}],
        "messages":[{"role":"user","content":"\ud83d\ude00"},{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{"n":12345678901234567890}}]}]}"#;
    let (request, _) = read(body);
    let mut out = Vec::new();
    let target = Target::of("m");
    encode(&request, &target, &mut Loss::default(), &mut out).unwrap();
    let out = String::from_utf8(out).unwrap();
    for part in [
        r#""temperature":0.123456789"#,
        r#""system":[{"type":"text","text":"a\u00e9\/","cache_control":{"type":"ephemeral"}}]"#,
        r#""text":"\ud83d\ude00""#,
        r#""input":{"n":12345678901234567890}"#,
    ] {
        assert!(out.contains(part), "{part} not in {out}");
    }
}

#[test]
fn hostile_nesting_and_doubles_cost_no_more_than_their_bytes() {
    let mut block = r#"{"type":"text","text":"x"}"#.to_owned();
    for _ in 0..40 {
        block = format!(r#"{{"type":"tool_result","tool_use_id":"a","content":[{block}]}}"#);
    }
    let doubles = r#""type":"text","#.repeat(200);
    let body = format!(
        r#"{{"max_tokens":1,"messages":[{{"role":"user","content":[{block},{{{doubles}"text":"x"}}]}}]}}"#
    );
    let (request, lost) = read(&body);
    assert_eq!(request.messages[0].parts.len(), 2);
    assert_eq!(lost, ["messages[0].content[0].content[0]", "messages[0].content[1].type"]);
    let crowded = body.replace(&doubles, &doubles.repeat(2));
    assert_eq!(complaint(&crowded), "messages[0].content[1]: expected an object of at most 256 members");
}

#[test]
fn newer_models_are_asked_to_go_on() {
    let begun = chat(vec![user(0, "q"), says(Role::Assistant, 1, vec![Part::text("It is")])]);
    let (body, lost) = sent_to("claude-sonnet-4-5", None, &begun);
    assert_eq!((body["messages"].as_array().unwrap().len(), lost), (2, vec![]));
    let (body, lost) = sent_to("claude-opus-4-6", None, &begun);
    assert_eq!(body["messages"][2]["content"][0]["text"], "(continued)");
    assert_eq!(lost, ["messages[1]"]);
}

#[test]
fn a_name_that_anthropic_refuses_is_refused_by_its_path() {
    let mut request = chat(vec![user(0, "q")]);
    request.tools = vec![tool(), Tool { name: "x".repeat(129).into(), at: (1, None), ..tool() }];
    let target = Target::of("claude-opus-4-6");
    let refused = encode(&request, &target, &mut Loss::default(), &mut Vec::new()).unwrap_err();
    assert_eq!(refused.path, "tools[1].function.name");
    assert_eq!(encode(&request, &Target::of("m"), &mut Loss::default(), &mut Vec::new()), Ok(()));
}

#[test]
fn what_proves_a_call_stands_before_it() {
    let body = r#"{"max_tokens":9,"messages":[{"role":"assistant","content":[
        {"type":"thinking","thinking":"","signature":"sluice.gemini.s1"},
        {"type":"tool_use","id":"a","name":"f","input":{}},
        {"type":"thinking","thinking":"","signature":"own"},
        {"type":"tool_use","id":"b","name":"f","input":{}}]}]}"#;
    let (request, lost) = read(body);
    assert!(lost.is_empty());
    let proof = |home, value: &'static str| Some(Proof { home, value: value.into() });
    let parts = &request.messages[0].parts;
    let signed = ToolCall { proof: proof(Dialect::Gemini, "s1"), ..ToolCall::function("a", "f", "{}") };
    let own = Part::Thinking { text: "".into(), proof: proof(Dialect::Anthropic, "own") };
    assert_eq!(parts[..], [Part::ToolCall(signed), own, Part::ToolCall(ToolCall::function("b", "f", "{}"))]);
}

#[test]
fn what_a_custom_tool_takes_is_an_object_with_one_string() {
    let mut request = chat(vec![
        user(0, "q"),
        says(
            Role::Assistant,
            1,
            vec![Part::ToolCall(ToolCall { custom: true, ..ToolCall::function("a", "sh", "ls \"x\"") })],
        ),
    ]);
    request.tools = vec![Tool {
        kind: ToolKind::Custom(Some(r#"{"type":"grammar","syntax":"regex","definition":".*"}"#)),
        ..tool()
    }];
    let (body, lost) = sent(&request);
    assert_eq!(body["messages"][1]["content"][0]["input"].to_string(), r#"{"input":"ls \"x\""}"#);
    assert_eq!(body["tools"][0]["input_schema"]["required"][0], "input");
    assert_eq!(lost, ["tools[0].custom.format"]);
}

#[test]
fn thinking_is_hidden_from_those_who_do_not_want_to_see_it() {
    let mut request = chat(vec![user(0, "q")]);
    request.reasoning = Some(Reasoning::Effort(Effort::High));
    for (shown, display) in [(None, "summarized"), (Some(true), "summarized"), (Some(false), "omitted")] {
        request.show_reasoning = shown;
        let (body, _) = sent_to("claude-opus-4-8", None, &request);
        assert_eq!(body["thinking"]["display"], display);
    }
}

#[test]
fn markers_stand_where_they_were() {
    let body = r#"{"max_tokens":9,"cache_control":{"type":"ephemeral"},"messages":[
        {"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"r","cache_control":{"type":"ephemeral"}}]},
        {"role":"assistant","content":"x"},{"role":"user","content":"last"}]}"#;
    let (request, lost) = read(body);
    assert!(lost.is_empty());
    assert!(matches!(request.messages[0].parts[0], Part::ToolResult { cache: true, .. }));
    assert_eq!(request.messages[2].parts[0], Part::Text { text: "last".into(), cache: true });
    let (body, _) = sent(&request);
    let marks = body.to_string().matches("cache_control").count();
    assert_eq!(marks, 2);
}
