use super::{peek, splice};
use crate::config::Endpoint;
use crate::dialect::Target;
use crate::ir::loss::Loss;

fn patched(body: &str, stream_usage: bool) -> String {
    let found = peek(Endpoint::ChatCompletions, body).unwrap();
    let target = Target { stream_usage, ..Target::of("up/m") };
    let mut loss = Loss::default();
    let edits = splice(&found, &target, &mut loss);
    assert_eq!(loss.paths(), &[] as &[String], "to name another model and to ask for usage is no loss");
    String::from_utf8(crate::dialect::splice(body.as_bytes(), &edits)).unwrap()
}

fn refusal(body: &str) -> String {
    peek(Endpoint::ChatCompletions, body).unwrap_err().to_string()
}

#[test]
fn only_the_model_changes() {
    let body = "{ \"seed\" : 12345678901234567890123,\n\"model\":\"a\" ,\"messages\":[], \"x\":1e3 }\n";
    assert_eq!(
        patched(body, true),
        "{ \"seed\" : 12345678901234567890123,\n\"model\":\"up/m\" ,\"messages\":[], \"x\":1e3 }\n"
    );
    assert_eq!(patched(r#"{"model":"up\/m"}"#, true), r#"{"model":"up\/m"}"#);
}

#[test]
fn usage_is_asked_for_wherever_the_options_stand() {
    for (body, want) in [
        (
            r#"{"model":"up/m","stream":true}"#,
            r#"{"model":"up/m","stream":true,"stream_options":{"include_usage":true}}"#,
        ),
        (
            r#"{"stream_options":null,"model":"m","stream":true}"#,
            r#"{"stream_options":{"include_usage":true},"model":"up/m","stream":true}"#,
        ),
        (
            r#"{"model":"up/m","stream":true,"stream_options":{ }}"#,
            r#"{"model":"up/m","stream":true,"stream_options":{"include_usage":true }}"#,
        ),
        (
            r#"{"model":"up/m","stream":true,"stream_options":{"x":{"include_usage":true}}}"#,
            r#"{"model":"up/m","stream":true,"stream_options":{"include_usage":true,"x":{"include_usage":true}}}"#,
        ),
        (
            r#"{"model":"up/m","stream":true,"stream_options":{"x":1,"include_usage":false,"y":2}}"#,
            r#"{"model":"up/m","stream":true,"stream_options":{"x":1,"include_usage":true,"y":2}}"#,
        ),
    ] {
        assert_eq!(patched(body, true), want);
    }
    for same in [
        r#"{"model":"up/m","stream":true,"stream_options":{"include_usage":true}}"#,
        r#"{"model":"up/m","stream":false}"#,
        r#"{"model":"up/m","stream":null,"stream_options":{}}"#,
    ] {
        assert_eq!(patched(same, true), same);
    }
    assert_eq!(patched(r#"{"model":"up/m","stream":true}"#, false), r#"{"model":"up/m","stream":true}"#);
}

#[test]
fn only_what_the_gateway_has_sealed_goes() {
    let own = r#"{"type":"reasoning.text","text":"t","signature":"sluice.anthropic.x","index":0}"#;
    let redacted = r#"{"data":"sluice.bedrock.y"}"#;
    let others = r#"{"type":"reasoning.text","text":"say sluice.","signature":"sig","data":"a sluice.b.c"}"#;
    let call = |extra: &str| format!(r#""tool_calls":[{{"id":"a"{extra}}}]"#);
    let details = |list: &str| format!(r#""reasoning_details":{list}"#);
    for (member, left, lost) in [
        (details(&format!("[{others}]")), details(&format!("[{others}]")), vec![]),
        (
            details(&format!("[{own} , {others},{redacted}]")),
            details(&format!("[{others}]")),
            vec!["reasoning_details[0]", "reasoning_details[2]"],
        ),
        (
            format!("\"x\":1, {}", details(&format!("[{own}]"))),
            "\"x\":1".to_owned(),
            vec!["reasoning_details[0]"],
        ),
        (details("\"sluice.x\""), details("\"sluice.x\""), vec![]),
        (
            call(r#","extra_content":{"google":{"thought_signature":"sluice.gemini.x"}}"#),
            call(""),
            vec!["tool_calls[0].extra_content.google.thought_signature"],
        ),
        (
            call(r#","extra_content":{"google":{"thought_signature":"sluice.gemini.x","y":"sluice."}}"#),
            call(r#","extra_content":{"google":{"y":"sluice."}}"#),
            vec!["tool_calls[0].extra_content.google.thought_signature"],
        ),
        (
            call(r#","extra_content":{"note":"sluice.x","google":{"thought_signature":"own"}}"#),
            call(r#","extra_content":{"note":"sluice.x","google":{"thought_signature":"own"}}"#),
            vec![],
        ),
    ] {
        let body =
            |member: &str| format!(r#"{{"model":"up/m","messages":[{{"role":"assistant",{member}}}]}}"#);
        let given = body(&member);
        let found = peek(Endpoint::ChatCompletions, &given).unwrap();
        let mut loss = Loss::default();
        let edits = splice(&found, &Target::of("up/m"), &mut loss);
        let patched = String::from_utf8(crate::dialect::splice(given.as_bytes(), &edits)).unwrap();
        assert_eq!(patched, body(&left));
        let lost: Vec<_> = lost.into_iter().map(|path| format!("messages[0].{path}")).collect();
        assert_eq!(loss.paths(), lost);
    }
}

#[test]
fn needs_are_found_in_passing() {
    let body = r#"{"model":"m","max_tokens":5,"max_completion_tokens":7,"n":2,
        "messages":[{"role":"user","content":[{"type":"text","text":"image_url"},{"image_url":{"url":"data:,"},"type":"image_url"}]}],
        "tools":[{"type":"function"}],"response_format":{"json_schema":{},"type":"json_schema"}}"#;
    let found = peek(Endpoint::ChatCompletions, body).unwrap();
    assert!(found.needs.images && found.needs.tools && found.needs.schema);
    assert_eq!((found.max_tokens, found.n), (Some(7), 2));
    let plain = r#"{"model":"m","messages":[{"role":"user","content":"\"type\":\"image_url\""}],"tools":[],"response_format":{"type":"text"}}"#;
    let found = peek(Endpoint::ChatCompletions, plain).unwrap();
    assert!(!found.needs.images && !found.needs.tools && !found.needs.schema);
    assert_eq!(found.needs.prompt_tokens, u64::try_from(plain.len() / 4).unwrap());
}

#[test]
fn an_image_is_not_counted_by_its_bytes() {
    let image = "A".repeat(4_000_000);
    let body = format!(
        r#"{{"model":"m","messages":[{{"role":"user","content":[{{"type":"image_url","image_url":{{"url":"data:image/png;base64,{image}"}}}}]}}]}}"#
    );
    let tokens = peek(Endpoint::ChatCompletions, &body).unwrap().needs.prompt_tokens;
    assert!((1_000..1_100).contains(&tokens), "{tokens}");
}

#[test]
fn what_cannot_be_served_is_named() {
    assert_eq!(refusal(r#"{"messages":[]}"#), "model: expected a string, and it is missing");
    assert_eq!(refusal(r#"{"model":7}"#), "model: expected a string");
    assert_eq!(refusal(r#"{"model":""}"#), "model: expected a string that is not empty");
    assert_eq!(refusal(r#"{"model":"m","mod\u0065l":"n"}"#), "model: occurs twice");
    assert_eq!(refusal(r#"{"model":"m","x":1,"x":2}"#), "x: occurs twice");
    assert_eq!(refusal(r#"{"model":"m","stream":"yes"}"#), "stream: expected a boolean");
    assert_eq!(refusal(r#"{"model":"m","stream_options":1}"#), "stream_options: expected an object");
    assert_eq!(refusal("[]"), "body: expected an object");
    assert!(refusal(r#"{"model":"m"} x"#).starts_with("body: invalid JSON at byte 14"));
    assert!(
        refusal(r#"{"model":"m","messages":[{"content":[{"type":"text",}]}]}"#)
            .starts_with("body: invalid JSON")
    );
}

#[test]
fn odd_messages_are_the_upstreams_to_judge() {
    for body in [
        r#"{"model":"m","messages":"x"}"#,
        r#"{"model":"m","messages":[1,{"content":[2,{"type":3}]}],"n":"x"}"#,
    ] {
        assert!(peek(Endpoint::ChatCompletions, body).is_ok());
    }
}
