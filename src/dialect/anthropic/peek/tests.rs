use super::*;
use crate::dialect::splice as apply;
use crate::ir::loss::Loss;

const BODY: &str = r#"{ "model" : "claude-x", "max_tokens": 16, "big": 12345678901234567890, "stream": true,
    "messages": [{"role":"user","content":"hi"}] }"#;

/// The edits of what loses nothing.
fn edits(found: &Peek<'_>, model: &str) -> Vec<Edit> {
    let mut loss = Loss::default();
    let edits = splice(found, &Target::of(model), &mut loss);
    assert_eq!(loss, Loss::default());
    edits
}

#[test]
fn only_the_model_changes() {
    let found = peek(BODY).unwrap();
    assert_eq!((found.stream, found.max_tokens, found.n), (true, Some(16), 1));
    assert_eq!(BODY.get(found.end..), Some("}"));
    let out = String::from_utf8(apply(BODY.as_bytes(), &edits(&found, "claude-y"))).unwrap();
    assert_eq!(out, BODY.replace("claude-x", "claude-y"));
    assert!(edits(&found, "claude-x").is_empty());
}

#[test]
fn an_escaped_model_is_the_same_model() {
    let body = r#"{"model":"claude\u002dx"}"#;
    let found = peek(body).unwrap();
    assert!(edits(&found, "claude-x").is_empty());
}

#[test]
fn needs_are_found_where_they_are() {
    let needs = |rest: &str| peek(&format!(r#"{{"model":"m",{rest}}}"#)).unwrap().needs;
    let image = r#"{"type":"image","source":{"type":"url","url":"https://x"}}"#;
    assert!(needs(&format!(r#""messages":[{{"role":"user","content":[{image}]}}]"#)).images);
    assert!(
        needs(&format!(
            r#""messages":[{{"role":"user","content":[{{"content":[{image}],"type":"tool_result"}}]}}]"#
        ))
        .images
    );
    assert!(!needs(r#""messages":[{"role":"user","content":"\"type\":\"image\""}]"#).images);
    assert!(needs(r#""tools":[{"name":"f"}]"#).tools);
    assert!(!needs(r#""tools":[]"#).tools);
    assert!(!needs(r#""tools":null"#).tools);
    assert!(needs(r#""output_config":{"effort":"low","format":{"type":"json_schema"}}"#).schema);
    assert!(needs(r#""output_format":{"type":"json_schema"}"#).schema);
    assert!(!needs(r#""output_config":{"format":null},"output_format":null"#).schema);
}

#[test]
fn what_is_wrong_is_named() {
    let complaint = |body: &str| peek(body).unwrap_err().to_string();
    assert_eq!(complaint("{}"), "model: missing");
    assert_eq!(complaint(r#"{"model":7}"#), "model: expected a string");
    assert_eq!(complaint(r#"{"model":null}"#), "model: expected a string");
    assert_eq!(complaint(r#"{"model":""}"#), "model: expected a model's id");
    assert_eq!(complaint(r#"{"model":"a","model":"b"}"#), "model: occurs twice");
    assert_eq!(complaint(r#"{"model":"a","mod\u0065l":"b"}"#), "model: occurs twice");
    assert_eq!(complaint(r#"{"x":1,"model":"a","x":2}"#), "x: occurs twice");
    assert_eq!(complaint(r#"{"model":"a","stream":"yes"}"#), "stream: expected a boolean");
    assert_eq!(complaint(r#"{"model":"a","max_tokens":1.5}"#), "max_tokens: expected a non-negative integer");
    assert_eq!(complaint("[]"), "body: expected an object");
    assert_eq!(
        complaint(r#"{"model":"a","messages":[{"content":[{"type":}]}]}"#),
        "body: invalid JSON at byte 45: expected a value"
    );
    assert!(complaint(r#"{"model":"a"} x"#).starts_with("body: invalid JSON"));
    let crowd: String = (0..600).map(|at| format!(r#","x{at}":0"#)).collect();
    assert_eq!(
        complaint(&format!(r#"{{"model":"a"{crowd}}}"#)),
        "body: expected an object of at most 512 members"
    );
    assert!(complaint("").starts_with("body: invalid JSON"));
}

#[test]
fn odd_shapes_are_left_to_the_upstream() {
    for body in [
        r#"{"model":"a","messages":7,"tools":{},"output_config":[],"stream":null,"max_tokens":null}"#,
        r#"{"model":"a","messages":[7,{"content":{}},{"content":[1,{"type":2,"content":3}]}]}"#,
    ] {
        assert!(!peek(body).unwrap().needs.images);
    }
}

const VERTEX: Target<'static> = Target {
    model_in_body: false,
    extra: &[("anthropic_version", "\"vertex-2023-10-16\"")],
    ..Target::of("claude-y")
};

fn patched(body: &str, target: &Target<'_>) -> String {
    told(body, target).0
}

/// What goes out, and what is said to be lost.
fn told(body: &str, target: &Target<'_>) -> (String, Vec<String>) {
    let found = peek(body).unwrap();
    let mut loss = Loss::default();
    let edits = splice(&found, target, &mut loss);
    (String::from_utf8(apply(body.as_bytes(), &edits)).unwrap(), loss.paths().to_vec())
}

#[test]
fn a_vendor_may_want_its_own_members_instead_of_the_model() {
    let version = r#""anthropic_version":"vertex-2023-10-16""#;
    for (body, vertex, without) in [
        (r#"{ "model" : "m" , "a":1}"#, format!(r#"{{ {version} , "a":1}}"#), r#"{ "a":1}"#),
        (r#"{"a":1 , "model":"m"}"#, format!(r#"{{"a":1 , {version}}}"#), r#"{"a":1}"#),
        (r#"{"model":"m"}"#, format!("{{{version}}}"), "{}"),
        (
            r#"{"anthropic_version":"bedrock","model":"m","z":2}"#,
            format!(r#"{{{version},"z":2}}"#),
            r#"{"anthropic_version":"bedrock","z":2}"#,
        ),
    ] {
        assert_eq!(patched(body, &VERTEX), vertex);
        assert_eq!(patched(body, &Target { extra: &[], ..VERTEX }), without);
    }
    let both = Target { model_in_body: true, ..VERTEX };
    assert_eq!(
        patched(r#"{"model":"m","a":1 }"#, &both),
        format!(r#"{{"model":"claude-y","a":1 ,{version}}}"#)
    );
}

#[test]
fn thinking_that_anthropic_has_not_signed_is_taken_out() {
    let thinking =
        |signature: &str| format!(r#"{{"type":"thinking","thinking":"t","signature":"{signature}"}}"#);
    let (own, none, sealed) = (thinking("EqQ="), thinking(""), thinking("sluice.gemini.x"));
    let redacted = r#"{"type":"redacted_thinking","data":"sluice.bedrock.y"}"#;
    let text = r#"{"type":"text","text":"\"signature\":\"\""}"#;
    let body = |blocks: &[&str]| {
        let content = blocks.join(" , ");
        format!(
            r#"{{"model":"claude-y","messages":[{{"role":"user","content":"q"}},{{"role":"assistant","content":[{content}]}}]}}"#
        )
    };
    let target = Target::of("claude-y");
    for (blocks, left) in [
        (vec![&*own, text], vec![&*own, text]),
        (vec![&*none, text], vec![text]),
        (vec![text, &*sealed, redacted], vec![text]),
        (vec![&*sealed, &*own, &*none, text], vec![&*own, text]),
        (vec![&*none, redacted], vec![r#"{"type":"text","text":"(continued)"}"#]),
    ] {
        assert_eq!(patched(&body(&blocks), &target), body(&left));
    }
    // Whoever imitates Anthropic checks no signatures.
    let foreign = body(&[&none, text]).replace("claude-y", "MiniMax-M2");
    assert_eq!(patched(&foreign, &Target::of("MiniMax-M2")), foreign);
    assert!(peek(&body(&[&own, text])).unwrap().edits.is_empty());
}

#[test]
fn what_goes_together_takes_every_comma_along() {
    let turns = r#""messages":[{"role":"assistant","content":[{"type":"tool_use"}]},{"role":"user"}]"#;
    let thinking = r#""thinking":{"type":"enabled"}"#;
    let context = r#""context_management" : {"edits":[{"type":"clear_thinking_x"}]}"#;
    let version = |word: &str| format!(r#""anthropic_version":"{word}""#);
    let (own, wanted) = (version("bedrock"), version("vertex-2023-10-16"));
    let off = r#""thinking":{"type":"disabled"}"#;
    for (body, left) in [
        (
            format!(r#"{{"model":"m" , {context},{own},{thinking},{turns}}}"#),
            format!(r#"{{{wanted},{off},{turns}}}"#),
        ),
        (
            format!(r#"{{ {context},"model":"m",{own},{thinking},{turns}}}"#),
            format!(r#"{{ {wanted},{off},{turns}}}"#),
        ),
        (
            format!(r#"{{{own},{thinking},{turns} , {context} ,"model":"m" }}"#),
            format!(r#"{{{wanted},{off},{turns} }}"#),
        ),
    ] {
        let lost = vec!["thinking".to_owned(), "context_management.edits[0]".to_owned()];
        let (patched, mut said) = told(&body, &VERTEX);
        said.sort_by_key(|path| path != "thinking");
        assert_eq!((patched, said), (left, lost));
    }
}

#[test]
fn what_anthropic_is_not_told_is_said() {
    let thinking = r#"{"type":"thinking","thinking":"t","signature":""}"#;
    let text = r#"{"type":"text","text":"a"}"#;
    let body = format!(
        r#"{{"model":"claude-y","messages":[{{"role":"user","content":"q"}},{{"role":"assistant","content":[{text},{thinking}]}},{{"role":"assistant","content":[{thinking}]}}]}}"#
    );
    let lost = ["messages[1].content[1]", "messages[2].content[0]"];
    assert_eq!(told(&body, &Target::of("claude-y")).1, lost);
    assert_eq!(told(&body, &Target::of("MiniMax-M2")).1, [] as [&str; 0], "whose own it may be");
}

#[test]
fn thinking_gives_way_where_anthropic_would_not_go_on_with_it() {
    const OFF: &str = r#"{"type":"disabled"}"#;
    const ON: &str = r#"{"type": "enabled", "budget_tokens": 2000}"#;
    const CALL: &str = r#"{"type":"tool_use","id":"c","name":"f","input":{"type":"thinking"}}"#;
    const RESULT: &str = r#"{"role":"user","content":[{"type":"tool_result","tool_use_id":"c"}]}"#;
    let body = |thinking: &str, context: &str, blocks: &str, after: &str| {
        format!(
            r#"{{"model":"claude-y",{context}"thinking":{thinking},"messages":[{{"role":"user","content":"q"}},{{"content":[{blocks}],"role":"assistant"}}{after}]}}"#
        )
    };
    let after = format!(",{RESULT}");
    let foreign = r#"{"type":"thinking","thinking":"t","signature":"sluice.gemini.x"},"#;
    let own = r#"{"type":"thinking","thinking":"t","signature":"EqQ="},"#;
    let target = Target::of("claude-y");
    let check = |given: (&str, &str, &str, &str), wanted: (&str, &str, &str, &str)| {
        let given = body(given.0, given.1, given.2, given.3);
        assert_eq!(patched(&given, &target), body(wanted.0, wanted.1, wanted.2, wanted.3));
    };
    let taken = format!("{foreign}{CALL}");
    check((ON, "", &taken, &after), (OFF, "", CALL, &after));
    check((ON, "", CALL, &after), (OFF, "", CALL, &after));
    // What edits thinking goes with it, and no more than that.
    let clear = r#"{"type":"clear_thinking_20251015","keep":"all"}"#;
    let uses = r#"{"type":"clear_tool_uses_20250919"}"#;
    let context = |edits: &str| format!(r#""context_management":{{"edits":[{edits}]}},"#);
    check((ON, &context(clear), CALL, &after), (OFF, "", CALL, &after));
    let both = format!("{clear},{uses}");
    check((ON, &context(&both), CALL, &after), (OFF, &context(uses), CALL, &after));
    check((ON, &context(uses), CALL, &after), (OFF, &context(uses), CALL, &after));
    // Nothing changes where thinking is gone on with, begun anew, left to the model or not asked for.
    let text = r#"{"type":"text","text":"a"}"#;
    let adaptive = r#"{"type":"adaptive"}"#;
    let kept = format!("{own}{CALL}");
    for given in [
        (ON, "", &*kept, &*after),
        (ON, "", text, &*after),
        (adaptive, "", CALL, &*after),
        (ON, "", CALL, ""),
    ] {
        check(given, given);
    }
    let split = format!(r#",{{"role":"assistant","content":[{CALL}]}}{after}"#);
    check((ON, "", own.trim_end_matches(','), &split), (ON, "", own.trim_end_matches(','), &split));
    let closed = format!(r#"{after},{{"role":"assistant","content":"a"}},{{"role":"user","content":"b"}}"#);
    check((ON, "", CALL, &closed), (ON, "", CALL, &closed));
    // Whoever imitates Anthropic may do without.
    let imitated = body(ON, "", CALL, &after).replace("claude-y", "MiniMax-M2");
    assert_eq!(patched(&imitated, &Target::of("MiniMax-M2")), imitated);
}

#[test]
fn a_picture_is_counted_as_a_picture_and_not_as_its_bytes() {
    let data = "A".repeat(400_000);
    let picture = format!(
        r#"{{"type":"image","source":{{"type":"base64","media_type":"image/png","data":"{data}"}}}}"#
    );
    for content in [
        format!("[{picture}]"),
        format!(r#"[{{"type":"tool_result","tool_use_id":"a","content":[{picture}]}}]"#),
    ] {
        let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":{content}}}]}}"#);
        let tokens = peek(&body).unwrap().needs.prompt_tokens;
        assert!((1_000..1_100).contains(&tokens), "{tokens}");
    }
    // A document in words is words.
    let source = format!(r#"{{"type":"text","media_type":"text/plain","data":"{data}"}}"#);
    let body = format!(
        r#"{{"model":"m","messages":[{{"role":"user","content":[{{"type":"document","source":{source}}}]}}]}}"#
    );
    assert!(peek(&body).unwrap().needs.prompt_tokens > 100_000);
}
