use crate::config::{Dialect, Endpoint};
use crate::dialect::{Ask, Inbound, Outbound, Target, gemini::Gemini};
use crate::ir::Proof;
use crate::ir::chat::{
    Effort, Format, Message, Part, Reasoning, Request, Role, Sampling, Source, Tool, ToolCall, ToolChoice,
    ToolKind,
};
use crate::ir::loss::Loss;
use crate::wire::json::Text;
use proptest::option;
use proptest::prelude::*;

const ASK: Ask<'_> = Ask { endpoint: Endpoint::GenerateContent, model: Some("m"), stream: false };

fn read(body: &str) -> (Request<'_>, Vec<String>) {
    let mut loss = Loss::default();
    let request = Inbound::decode_request(&Gemini, &ASK, body, &mut loss).unwrap();
    (request, loss.paths().to_vec())
}

fn written(request: &Request<'_>, model: &str) -> (String, Vec<String>) {
    let (mut out, mut loss) = (Vec::new(), Loss::default());
    Outbound::encode_request(&Gemini, request, &Target::of(model), &mut loss, &mut out).unwrap();
    let out = String::from_utf8(out).unwrap();
    serde_json::from_str::<&serde_json::value::RawValue>(&out).unwrap();
    (out, loss.paths().to_vec())
}

fn message(role: Role, parts: Vec<Part<'_>>) -> Message<'_> {
    Message::new(role, Some(0), parts)
}

fn asked(parts: Vec<Part<'static>>) -> Request<'static> {
    let call = Part::ToolCall(ToolCall::function("c", "f", r#"{"a":1}"#));
    let result = Part::ToolResult { id: "c".into(), content: parts, is_error: false, cache: false };
    let turns = vec![
        message(Role::User, vec![Part::text("q")]),
        message(Role::Assistant, vec![call]),
        message(Role::User, vec![result]),
    ];
    Request { messages: turns, ..Request::default() }
}

#[test]
fn a_stream_is_wished_for_in_the_path() {
    let mut loss = Loss::default();
    let ask = Ask { stream: true, ..ASK };
    let body = r#"{"contents":[{"parts":[{"text":"x"}]}]}"#;
    assert!(Inbound::decode_request(&Gemini, &ask, body, &mut loss).unwrap().stream);
    assert!(!read(body).0.stream);
}

#[test]
fn only_the_third_generation_has_ids_placeholders_and_media_in_results() {
    let image = Part::Image {
        source: Source::Base64 { media_type: "image/png".into(), data: "AA==".into() },
        detail: None,
        cache: false,
    };
    let request = asked(vec![image]);
    let (third, _) = written(&request, "gemini-3-pro-preview");
    assert!(
        third.contains(r#""functionCall":{"id":"c","name":"f","args":{"a":1}},"thoughtSignature":"skip_"#)
    );
    assert!(
        third.contains(r#""response":{},"parts":[{"inlineData":{"mimeType":"image/png","data":"AA=="}}]}}]"#)
    );
    let (second, lost) = written(&request, "gemini-2.5-pro");
    assert!(second.contains(r#"{"functionCall":{"name":"f","args":{"a":1}}}"#), "{second}");
    assert!(
        second.contains(
            r#"{"functionResponse":{"name":"f","response":{"result":"(see below)"}}}]},{"role":"user","parts":[{"inlineData""#
        )
    );
    assert_eq!(lost, Vec::<String>::new());
}

#[test]
fn only_the_current_turn_is_signed_by_a_placeholder() {
    let mut request = asked(vec![Part::text("r")]);
    let step = request.messages.clone();
    request.messages.extend(step.clone());
    // A second step of the same turn: calls, no words of the user.
    request.messages.extend(step.into_iter().skip(1));
    let (out, _) = written(&request, "gemini-3.1-pro");
    let calls: Vec<_> = out.match_indices("functionCall").map(|(at, _)| at).collect();
    let marks: Vec<_> = out.match_indices("skip_thought").map(|(at, _)| at).collect();
    assert_eq!((calls.len(), marks.len()), (3, 2));
    assert!(marks.iter().all(|mark| *mark > calls[1]));
}

#[test]
fn thoughts_without_a_signature_go_back_as_thoughts() {
    let parts = vec![Part::Thinking { text: "hm".into(), proof: None }, Part::text("a")];
    let messages = vec![message(Role::User, vec![Part::text("q")]), message(Role::Assistant, parts)];
    let (out, lost) = written(&Request { messages, ..Request::default() }, "gemini-2.5-pro");
    assert!(out.contains(r#"{"text":"hm","thought":true},{"text":"a"}"#), "{out}");
    assert_eq!(lost, Vec::<String>::new());
}

#[test]
fn what_others_have_proved_stays_away_and_its_words_are_lost() {
    let proof = |home| Some(Proof { home, value: "AAAA".into() });
    let parts = vec![
        Part::Thinking { text: "".into(), proof: proof(Dialect::Anthropic) },
        Part::Thinking { text: "secret".into(), proof: proof(Dialect::Anthropic) },
        Part::RedactedThinking { data: Proof { home: Dialect::Anthropic, value: "BBBB".into() } },
        Part::Thinking { text: "own".into(), proof: proof(Dialect::Gemini) },
        Part::text("a"),
        Part::Thinking { text: "".into(), proof: proof(Dialect::Gemini) },
    ];
    let messages = vec![message(Role::User, vec![Part::text("q")]), message(Role::Assistant, parts)];
    let (out, lost) = written(&Request { messages, ..Request::default() }, "gemini-3-pro");
    assert!(!out.contains("secret") && !out.contains("BBBB"));
    let own =
        r#"{"text":"own","thought":true,"thoughtSignature":"AAAA"},{"text":"a","thoughtSignature":"AAAA"}"#;
    assert!(out.contains(own), "{out}");
    assert_eq!(lost, ["messages[0].content[1]"]);
}

#[test]
fn a_form_gives_way_to_tools_where_the_model_cannot_have_both() {
    let tool = Tool {
        name: "f".into(),
        description: None,
        kind: ToolKind::Custom(Some("{}")),
        strict: None,
        cache: false,
        at: (0, None),
    };
    let mut request = asked(vec![]);
    request.tools = vec![tool];
    request.format = Some(Format::JsonObject);
    let (out, lost) = written(&request, "gemini-2.5-flash");
    assert!(!out.contains("responseMimeType") && out.contains(r#""input":{"type":"string"}"#));
    assert_eq!(lost, ["tools[0].custom.format", "response_format"]);
    assert!(written(&request, "gemini-3-flash").0.contains("responseMimeType"));
}

#[test]
fn arguments_that_are_no_object_are_kept_and_listed() {
    let mut request = asked(vec![]);
    for (arguments, custom, expected, lost) in [
        ("{\"a\":", false, r#""args":{"_raw":"{\"a\":"}"#, vec!["messages[0].content[0].arguments"]),
        ("plain", true, r#""args":{"input":"plain"}"#, vec![]),
        ("", false, r#""args":{}"#, vec![]),
    ] {
        let call = ToolCall { custom, ..ToolCall::function("c", "f", arguments) };
        request.messages[1].parts = vec![Part::ToolCall(call)];
        let (out, paths) = written(&request, "gemini-2.5-pro");
        assert!(out.contains(expected), "{out}");
        assert_eq!(paths, lost);
    }
}

#[test]
fn thinking_is_shown_where_the_client_wants_to_read_it() {
    let mut request = asked(vec![]);
    let config = |request: &Request<'_>, model: &str| {
        let (out, lost) = written(request, model);
        let body: serde_json::Value = serde_json::from_str(&out).unwrap();
        let config = &body["generationConfig"]["thinkingConfig"];
        (if config.is_null() { String::new() } else { config.to_string() }, lost)
    };
    assert_eq!(config(&request, "gemini-2.5-pro").0, "");
    request.show_reasoning = Some(true);
    assert_eq!(config(&request, "gemini-2.5-pro").0, r#"{"includeThoughts":true}"#);
    request.reasoning = Some(Reasoning::Adaptive);
    assert_eq!(config(&request, "gemini-2.5-pro").0, r#"{"includeThoughts":true,"thinkingBudget":-1}"#);
    assert_eq!(config(&request, "gemini-3-pro").0, r#"{"includeThoughts":true}"#);
    request.show_reasoning = Some(false);
    request.reasoning = Some(Reasoning::Effort(Effort::Low));
    assert_eq!(config(&request, "gemini-3-pro").0, r#"{"thinkingLevel":"LOW"}"#);
    assert_eq!(config(&request, "gemini-2.0-flash"), (String::new(), vec!["reasoning_effort".to_owned()]));
    request.reasoning = Some(Reasoning::Off);
    assert_eq!(config(&request, "gemini-2.5-flash"), (r#"{"thinkingBudget":0}"#.to_owned(), vec![]));
    assert_eq!(config(&request, "gemini-2.5-pro").1, ["reasoning_effort"]);
}

#[test]
fn one_value_is_a_list_of_one_and_a_string_may_be_a_number() {
    let listed = r#"{
        "contents":[{"role":"user","parts":[{"text":"Hello"}]}],
        "systemInstruction":{"parts":[{"text":"s"}]},
        "tools":[{"functionDeclarations":[{"name":"f"}]}],
        "toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}},
        "generationConfig":{"temperature":0.5,"topK":3,"seed":-7,"maxOutputTokens":9,"candidateCount":2,
            "stopSequences":["END"],"responseModalities":["TEXT"],"thinkingConfig":{"thinkingBudget":-1}}
    }"#;
    let alone = r#"{
        "contents":{"role":"user","parts":{"text":"Hello"}},
        "systemInstruction":{"parts":{"text":"s"}},
        "tools":{"functionDeclarations":{"name":"f"}},
        "toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":"f"}},
        "generationConfig":{"temperature":"0.5","topK":"3","seed":"-7","maxOutputTokens":"9","candidateCount":"2",
            "stopSequences":"END","responseModalities":"TEXT","thinkingConfig":{"thinkingBudget":"-1"}}
    }"#;
    assert_eq!(read(alone), read(listed));
    let unknown = r#"{"contents":[{"parts":{"text":"x","odd":1}}],"tools":{"googleSearch":{}}}"#;
    assert_eq!(read(unknown).1, ["contents[0].parts.odd", "tools.googleSearch"]);
    let refused = |body: &str| {
        Inbound::decode_request(&Gemini, &ASK, body, &mut Loss::default()).unwrap_err().to_string()
    };
    assert_eq!(refused(r#"{"contents":"x"}"#), "contents: expected an array");
    assert_eq!(refused(r#"{"contents":{"parts":"x"}}"#), "contents.parts: expected an array");
    let hot = r#"{"contents":{"parts":{"text":"x"}},"generationConfig":{"temperature":"hot"}}"#;
    assert_eq!(refused(hot), "generationConfig.temperature: expected a number");
}

fn text() -> impl Strategy<Value = Text<'static>> {
    "[ -~é😀\n]{1,12}".prop_map(Text::from)
}

fn word() -> impl Strategy<Value = Text<'static>> {
    "[a-z]{1,8}".prop_map(Text::from)
}

fn media() -> impl Strategy<Value = Part<'static>> {
    let bytes = |media_type: &'static str| {
        "[A-Za-z0-9+/]{4}"
            .prop_map(move |data| Source::Base64 { media_type: media_type.into(), data: data.into() })
    };
    prop_oneof![
        bytes("image/png").prop_map(|source| Part::Image { source, detail: None, cache: false }),
        bytes("audio/wav").prop_map(|source| Part::Audio { source }),
        bytes("video/mp4").prop_map(|source| Part::Video { source }),
        bytes("application/pdf").prop_map(|source| Part::Document { source, name: None, cache: false }),
    ]
}

fn proof() -> impl Strategy<Value = Proof<'static>> {
    "[A-Za-b]{4}".prop_map(|value| Proof { home: Dialect::Gemini, value: value.into() })
}

fn user() -> impl Strategy<Value = Vec<Part<'static>>> {
    prop::collection::vec(prop_oneof![text().prop_map(Part::text), media()], 1..3)
}

/// What the model says in one turn, and the results of its calls.
fn step(number: usize) -> impl Strategy<Value = (Vec<Part<'static>>, Vec<Part<'static>>)> {
    let thought = (text(), proof()).prop_map(|(text, proof)| Part::Thinking { text, proof: Some(proof) });
    let call = (word(), word(), option::of(proof()));
    let content = prop::collection::vec(prop_oneof![text().prop_map(Part::text), media()], 0..2);
    let calls = prop::collection::vec((call, content, any::<bool>()), 1..3);
    (option::of(thought), option::of(text()), option::of(proof()), calls).prop_map(
        move |(thought, said, signed, calls)| {
            let mut model: Vec<_> = thought.into_iter().collect();
            if let Some(text) = said {
                model.push(Part::text(text));
                model.extend(signed.map(|proof| Part::Thinking { text: "".into(), proof: Some(proof) }));
            }
            let mut results = Vec::new();
            for (at, ((name, argument, proof), content, is_error)) in calls.into_iter().enumerate() {
                let id = Text::from(format!("id_{number}_{at}"));
                let mut signed =
                    ToolCall::function(id.clone(), name, format!("{{\"{}\":1e3}}", argument.plain()));
                // Google wants the first one signed.
                let own = || Proof { home: Dialect::Gemini, value: "SIGN".into() };
                signed.proof = if at == 0 { Some(proof.unwrap_or_else(own)) } else { proof };
                model.push(Part::ToolCall(signed));
                let is_error = is_error && content.iter().any(|part| matches!(part, Part::Text { .. }));
                results.push(Part::ToolResult { id, content, is_error, cache: false });
            }
            (model, results)
        },
    )
}

fn settings() -> impl Strategy<Value = Request<'static>> {
    let numbers =
        prop::array::uniform5(option::of(prop::sample::select(vec!["0", "-1.5", "0.123456789", "1e2"])));
    let limits = (option::of(0u64..9_999), option::of(Just(1)), prop::collection::vec(text(), 0..=5));
    let reasoning = prop::sample::select(vec![
        None,
        Some(Reasoning::Effort(Effort::Low)),
        Some(Reasoning::Effort(Effort::Medium)),
        Some(Reasoning::Effort(Effort::High)),
    ]);
    (numbers, limits, option::of(0u64..5), option::of(-9i32..9), (reasoning, any::<bool>())).prop_map(
        |(numbers, (max_tokens, n, stop), logprobs, seed, (reasoning, shown))| {
            let [temperature, top_p, top_k, frequency_penalty, presence_penalty] = numbers;
            let seed = seed.map(|seed| &*seed.to_string().leak());
            Request {
                sampling: Sampling {
                    max_tokens,
                    temperature,
                    top_p,
                    top_k,
                    frequency_penalty,
                    presence_penalty,
                    seed,
                    stop,
                    n,
                    logprobs,
                },
                reasoning,
                show_reasoning: (shown || reasoning.is_some()).then_some(shown),
                ..Request::default()
            }
        },
    )
}

fn choices() -> impl Strategy<Value = Option<ToolChoice<'static>>> {
    prop::sample::select(vec![
        None,
        Some(ToolChoice::Auto),
        Some(ToolChoice::None),
        Some(ToolChoice::Required),
        Some(ToolChoice::Tool("f".into())),
        Some(ToolChoice::Allowed { required: true, names: vec!["f".into(), "g".into()] }),
    ])
}

prop_compose! {
    fn any_request()(
        system in option::of(text()),
        first in user(),
        steps in (step(0), step(1)),
        last in user(),
        settings in settings(),
        choice in choices(),
        schema in option::of(prop::sample::select(vec![r#"{"type":"object"}"#, r#"{"properties":{"a":{"enum":["b",1]}}}"#])),
    ) -> Request<'static> {
        let turn = |role, parts| Message::new(role, None, parts);
        let ((one, one_results), (two, two_results)) = steps;
        let mut messages: Vec<_> =
            system.map(|text| turn(Role::System, vec![Part::text(text)])).into_iter().collect();
        messages.extend([
            turn(Role::User, first),
            turn(Role::Assistant, one),
            turn(Role::User, one_results),
            turn(Role::Assistant, two),
            turn(Role::User, two_results),
            turn(Role::User, last),
        ]);
        let tool = |name: &'static str, schema: Option<&'static str>| Tool {
            name: name.into(),
            description: Some("d".into()),
            kind: ToolKind::Function(schema.map(Into::into)),
            strict: None,
            cache: false, at: (0, None),
        };
        let format = schema.map(|schema| Format::JsonSchema {
            name: None,
            description: None,
            schema: schema.into(),
            strict: None,
        });
        let tools = vec![tool("f", Some(r#"{"type":"object","properties":{"a":{"type":"string"}}}"#)), tool("g", None)];
        Request { messages, tools, tool_choice: choice, format, ..settings }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_request_is_read_back_as_it_was_written(request in any_request()) {
        let (out, lost) = written(&request, "gemini-3.1-pro-preview");
        prop_assert_eq!(lost, Vec::<String>::new());
        let (mut back, lost) = read(&out);
        prop_assert_eq!(lost, Vec::<String>::new());
        for message in &mut back.messages {
            (message.at, message.places) = (None, Vec::new());
        }
        back.tools.iter_mut().for_each(|tool| tool.at = (0, None));
        prop_assert_eq!(back, request);
    }
}
