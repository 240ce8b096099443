//! What Chat Completions does besides texts and functions: candidates, plain-text tools, refusals, reasoning, predictions.

use super::*;

fn said(text: &str) -> Value {
    json!([{"role": "user", "content": text}])
}

fn custom_tools() -> Value {
    let grammar = json!({"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: /.+/"}});
    let mut tools = tools();
    tools
        .as_array_mut()
        .unwrap()
        .push(json!({"type": "custom", "custom": {"name": "shell", "format": grammar}}));
    tools
}

#[test]
fn candidates_differ_and_are_streamed_in_turns() {
    let request = json!({"messages": said("[[say:one two]][[also:three]]"), "n": 3});
    let reply = document(&chat(request.clone())).clone();
    let texts: Vec<_> = (0..3).map(|index| reply["choices"][index]["message"]["content"].clone()).collect();
    assert_eq!(json!(texts), json!(["one two", "three", "one two"]));
    assert_eq!(reply["usage"]["completion_tokens"], 6);
    let mut request = request;
    request["stream"] = json!(true);
    let answer = chat(request);
    let deltas = events(&answer).iter().filter(|event| event.mark == Mark::Delta);
    let chunks: Vec<Value> = deltas.map(|event| serde_json::from_str(&event.data).unwrap()).collect();
    let order: Vec<_> = chunks.iter().map(|chunk| chunk["choices"][0]["index"].as_u64().unwrap()).collect();
    assert_eq!(order, [0, 1, 2, 0, 2]);
}

#[test]
fn tools_of_plain_text_are_called_and_answered() {
    let text = r#"[[tool:shell ls "a"]][[tool:weather {"city":"Oslo"}]]"#;
    let request = json!({"messages": said(text), "tools": custom_tools()});
    let message = document(&chat(request.clone()))["choices"][0]["message"].clone();
    let calls = message["tool_calls"].as_array().unwrap();
    assert_eq!(
        (&calls[0]["type"], &calls[0]["custom"]),
        (&json!("custom"), &json!({"name": "shell", "input": "ls \"a\""}))
    );
    let result = |call: &Value| json!({"role": "tool", "tool_call_id": call["id"], "content": "x"});
    let messages = json!([said(text)[0], message, result(&calls[0]), result(&calls[1])]);
    let answer = chat(json!({"messages": messages, "tools": custom_tools()}));
    assert_eq!(document(&answer)["choices"][0]["message"]["content"], "The tool returned: x; x");
    let mut streamed = request;
    streamed["stream"] = json!(true);
    let answer = chat(streamed);
    let input: String = events(&answer)
        .iter()
        .filter_map(|event| serde_json::from_str::<Value>(&event.data).ok())
        .filter_map(|chunk| {
            chunk.pointer("/choices/0/delta/tool_calls/0/custom/input")?.as_str().map(str::to_owned)
        })
        .collect();
    assert_eq!(input, "ls \"a\"");
}

#[test]
fn allowed_tools_bound_the_choice() {
    let shell = json!({"type": "custom", "custom": {"name": "shell"}});
    let allowed = |mode: &str, tool: &Value| json!({"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": [tool]}});
    let ask = |text: &str, choice: Value| {
        chat(json!({"messages": said(text), "tools": custom_tools(), "tool_choice": choice}))
    };
    let name = |answer: &Answer| {
        document(answer)["choices"][0]["message"]["tool_calls"][0]["custom"]["name"].clone()
    };
    assert_eq!(name(&ask("hi", allowed("required", &shell))), "shell");
    assert_eq!(name(&ask("hi", shell.clone())), "shell");
    let answer = ask("[[tool:weather {}]]", allowed("auto", &shell));
    assert_eq!(document(&answer)["choices"][0]["finish_reason"], "stop");
    for (choice, param) in [
        (allowed("any", &shell), "tool_choice.allowed_tools.mode"),
        (
            allowed("auto", &json!({"type": "custom", "custom": {"name": "x"}})),
            "tool_choice.allowed_tools.tools[0]",
        ),
    ] {
        let answer = ask("hi", choice);
        assert_eq!((answer.status, &document(&answer)["error"]["param"]), (400, &json!(param)));
    }
}

#[test]
fn a_model_declines_in_its_own_member() {
    let reply = document(&chat(json!({"messages": said("[[decline:No.]]"), "logprobs": true}))).clone();
    let choice = &reply["choices"][0];
    assert_eq!((&choice["message"]["refusal"], &choice["message"]["content"]), (&json!("No."), &Value::Null));
    assert_eq!(
        (&choice["finish_reason"], &choice["logprobs"]["refusal"][0]["token"]),
        (&json!("stop"), &json!("No."))
    );
    let answer = chat(json!({"messages": said("[[decline:No.]]"), "stream": true}));
    assert!(events(&answer).iter().any(|event| event.data.contains("\"delta\":{\"refusal\":\"No.\"}")));
}

#[test]
fn reasoning_is_charged_and_hidden() {
    for (changes, thinks) in [
        (json!({"model": "o3-mini"}), true),
        (json!({"model": "gpt-5", "reasoning_effort": "xhigh"}), true),
        (json!({"model": "gpt-5", "reasoning_effort": "none"}), false),
        (json!({"model": "gpt-5", "reasoning_effort": "minimal"}), true),
        (json!({"model": "gpt-4o"}), false),
    ] {
        let reply = document(&chat(changes.clone())).clone();
        let spent = reply["usage"]["completion_tokens_details"]["reasoning_tokens"].as_u64().unwrap();
        assert_eq!(spent > 0, thinks, "{changes}");
        assert!(reply["choices"][0]["message"].get("reasoning_content").is_none());
    }
}

#[test]
fn predictions_are_compared_with_what_was_said() {
    let prediction = json!({"type": "content", "content": "abcdefgh and more"});
    let reply =
        document(&chat(json!({"messages": said("[[say:abcdefgh or less]]"), "prediction": prediction})))
            .clone();
    let details = &reply["usage"]["completion_tokens_details"];
    assert_eq!(
        (&details["accepted_prediction_tokens"], &details["rejected_prediction_tokens"]),
        (&json!(2), &json!(3))
    );
    assert_eq!(chat(json!({"prediction": prediction, "tools": tools()})).status, 400);
}

#[test]
fn tiers_and_tags_are_taken() {
    let tags = json!({"prompt_cache_key": "k", "safety_identifier": "s", "verbosity": "low", "prompt_cache_retention": "24h"});
    for (asked, served) in [("auto", "default"), ("flex", "flex"), ("priority", "priority")] {
        let mut request = tags.clone();
        request["service_tier"] = json!(asked);
        assert_eq!(document(&chat(request))["service_tier"], served);
    }
    assert_eq!(chat(json!({"safety_identifier": "x".repeat(65)})).status, 400);
    assert_eq!(chat(json!({"verbosity": "shy"})).status, 400);
}

#[test]
fn files_are_taken_whole_or_by_id() {
    let ask = |file: Value| {
        chat(
            json!({"messages": [{"role": "user", "content": [{"type": "file", "file": file}, {"type": "text", "text": "x"}]}]}),
        )
    };
    assert_eq!(
        ask(json!({"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="})).status,
        200
    );
    assert_eq!(ask(json!({"file_id": "file-1"})).status, 200);
    for wrong in [
        json!({}),
        json!({"file_data": "JVBERi0="}),
        json!({"file_data": "data:application/pdf;base64,?"}),
        json!({"url": "x"}),
    ] {
        assert_eq!(ask(wrong.clone()).status, 400, "{wrong}");
    }
}

#[test]
fn blocked_prompts_and_broken_models_are_errors() {
    for (text, status, code) in [("[[block]]", 400, json!("invalid_prompt")), ("[[fail]]", 500, Value::Null)]
    {
        let answer = chat(json!({"messages": said(text), "stream": true}));
        assert_eq!((answer.status, &document(&answer)["error"]["code"]), (status, &code));
    }
}

#[test]
fn sources_are_annotations() {
    let request = json!({"messages": said("[[say:one]][[cite:https://a/]]")});
    let source = json!([{"type": "url_citation", "url_citation":
        {"start_index": 0, "end_index": 3, "title": "A source", "url": "https://a/"}}]);
    assert_eq!(document(&chat(request.clone()))["choices"][0]["message"]["annotations"], source);
    let mut streamed = request;
    streamed["stream"] = json!(true);
    let answer = chat(streamed);
    let chunks = events(&answer).iter().filter_map(|event| serde_json::from_str::<Value>(&event.data).ok());
    let found: Vec<_> =
        chunks.filter_map(|chunk| chunk.pointer("/choices/0/delta/annotations").cloned()).collect();
    assert_eq!(found, [source]);
}
