use super::*;

fn ask(text: &str) -> Prompt {
    Prompt { text: text.to_owned(), parallel: true, ..Prompt::default() }
}

fn say(prompt: &Prompt) -> Turn {
    compose(prompt, Bias::default())
}

fn tool(name: &str) -> Tool {
    Tool {
        name: name.to_owned(),
        schema: json!({"type": "object", "required": ["q"], "properties": {"q": {"type": "string"}}}),
    }
}

#[test]
fn a_plain_prompt_is_echoed() {
    let turn = say(&ask("hello"));
    assert_eq!((turn.text.as_str(), turn.stop), ("You said: hello", Stop::End));
}

#[test]
fn tool_results_are_repeated() {
    let prompt = Prompt { results: vec!["21 C".into(), "rain".into()], ..ask("") };
    assert_eq!(say(&prompt).text, "The tool returned: 21 C; rain");
}

#[test]
fn forced_tools_are_called_with_minimal_arguments() {
    let prompt = Prompt { tools: vec![tool("a"), tool("b")], choice: Choice::Named("b".into()), ..ask("go") };
    let turn = say(&prompt);
    assert_eq!(turn.calls, [Call { name: "b".into(), arguments: r#"{"q":"example"}"#.into() }]);
    assert_eq!(turn.stop, Stop::Tools);
}

#[test]
fn calls_are_parallel_only_if_allowed() {
    let mut prompt = Prompt { tools: vec![tool("a")], ..ask("[[tool:a {}]] [[tool:a {\"q\":1}]]") };
    assert_eq!(say(&prompt).calls.len(), 2);
    prompt.parallel = false;
    assert_eq!(say(&prompt).calls.len(), 1);
    prompt.choice = Choice::None;
    assert!(say(&prompt).calls.is_empty());
}

#[test]
fn stops_and_limits_cut_the_reply() {
    let stopped = say(&Prompt { stops: vec!["zz".into(), "b".into()], ..ask("[[say:aabczz]]") });
    assert_eq!((stopped.text.as_str(), stopped.stop), ("aa", Stop::Sequence("b".into())));
    let cut = say(&Prompt { limit: Some(2), ..ask("[[say:123456789]]") });
    assert_eq!((cut.text.as_str(), cut.stop), ("12345678", Stop::Length));
    let exact = say(&Prompt { limit: Some(2), ..ask("[[say:12345678]]") });
    assert_eq!(exact.stop, Stop::End);
}

#[test]
fn a_call_is_cut_too() {
    let turn =
        say(&Prompt { tools: vec![tool("a")], limit: Some(7), ..ask("[[tool:a {\"q\":\"0123456789\"}]]") });
    assert_eq!(turn.calls, [Call { name: "a".into(), arguments: "{\"q\":\"01".into() }]);
    assert_eq!(turn.stop, Stop::Length);
}

#[test]
fn a_script_overrules_the_prompt() {
    let big = compose(&ask("hi"), Bias { big: Some(1000), ..Bias::default() });
    assert_eq!(big.text.len(), 1000);
    let refused = compose(&ask("[[say:x]]"), Bias { refuse: true, ..Bias::default() });
    assert_eq!((refused.text.as_str(), refused.stop), ("", Stop::Refused));
}

#[test]
fn pieces_make_the_text_again() {
    for text in ["", "one", "one two  three", "👩\u{200d}🚀 東京東京東京東京", &filler(100_000)] {
        assert_eq!(pieces(text).concat(), text);
    }
    assert_eq!(pieces("word1 word2"), ["word1", " word2"]);
    assert!(pieces(&filler(100_000)).len() < 200);
}

#[test]
fn only_allowed_tools_are_called() {
    let among = |required| Choice::Among { names: vec!["b".into()], required };
    let tools = vec![tool("a"), tool("b")];
    let mut prompt = Prompt { tools, choice: among(false), ..ask("[[tool:a {}]][[tool:b {}]]") };
    assert_eq!(say(&prompt).calls.len(), 1);
    prompt.text = "[[tool:a {}]]".into();
    assert!(say(&prompt).calls.is_empty());
    prompt.choice = among(true);
    assert_eq!(say(&prompt).calls[0].name, "b");
}

#[test]
fn a_tool_of_plain_text_is_not_given_json() {
    let tools = vec![Tool { name: "shell".into(), schema: json!({"type": "string"}) }];
    let forced = Prompt { tools, choice: Choice::Any, ..ask("go") };
    assert_eq!(say(&forced).calls[0].arguments, "example");
    let dictated = Prompt { text: "[[tool:shell ls -l]]".into(), ..forced };
    assert_eq!(say(&dictated).calls[0].arguments, "ls -l");
}

#[test]
fn candidates_differ_as_the_prompt_says() {
    let turn = say(&ask("[[say:a]][[also:b]]"));
    let said: Vec<_> = (0..3).map(|index| turn.candidate(index).text).collect();
    assert_eq!(said, ["a", "b", "a"]);
}

#[test]
fn a_model_may_decline() {
    let turn = say(&ask("[[decline:I will not.]]"));
    assert_eq!((turn.text.as_str(), turn.declined, turn.stop), ("I will not.", true, Stop::End));
}
