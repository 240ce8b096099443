use super::{peek, splice};
use crate::config::Endpoint;
use crate::dialect::{Ask, Target, splice as apply};
use crate::ir::loss::Loss;

fn ask(endpoint: Endpoint) -> Ask<'static> {
    Ask { endpoint, model: Some("public"), stream: true }
}

fn patched(endpoint: Endpoint, body: &str, model: &str) -> String {
    patched_for(endpoint, body, &Target::of(model))
}

fn patched_for(endpoint: Endpoint, body: &str, target: &Target<'_>) -> String {
    let peek = peek(&ask(endpoint), body).unwrap();
    let edits = splice(&peek, target, &mut Loss::default());
    let out = String::from_utf8(apply(body.as_bytes(), &edits)).unwrap();
    let mut reader = crate::wire::json::Reader::new(&out);
    reader.skip().and_then(|()| reader.end()).unwrap_or_else(|error| panic!("{error}: {out}"));
    out
}

fn turn(parts: &str) -> String {
    format!(r#"{{"contents":[{{"parts":[{parts}],"role":"model"}}]}}"#)
}

#[test]
fn ordinary_bodies_are_not_touched() {
    let body = r#"{ "contents" : [ {"parts":[{"text":"a","thoughtSignature":"EqQB"}]} ], "x_y": 1e3 }"#;
    assert_eq!(patched(Endpoint::GenerateContent, body, "m"), body);
}

#[test]
fn the_body_names_the_model_of_the_path() {
    for (endpoint, body, expected) in [
        (
            Endpoint::BatchEmbedContents,
            r#"{"requests":[{"model":"models/public","content":{}},{"content":{},"model":"public"}]}"#,
            r#"{"requests":[{"model":"models/up","content":{}},{"content":{},"model":"models/up"}]}"#,
        ),
        (
            Endpoint::CountTokens,
            r#"{"generate_content_request":{"model":"models/public","contents":[]}}"#,
            r#"{"generate_content_request":{"model":"models/up","contents":[]}}"#,
        ),
        (
            Endpoint::GenerateContent,
            r#"{"model":"x","contents":[]}"#,
            r#"{"model":"models/up","contents":[]}"#,
        ),
        (Endpoint::GenerateContent, r#"{"requests":[{"model":"x"}]}"#, r#"{"requests":[{"model":"x"}]}"#),
    ] {
        assert_eq!(patched(endpoint, body, "up"), expected);
    }
}

#[test]
fn the_body_names_no_model_where_it_must_not() {
    let target = Target { model_in_body: false, ..Target::of("up") };
    for (endpoint, body, expected) in [
        (
            Endpoint::BatchEmbedContents,
            r#"{"requests":[{ "model":"models/public" , "content":{}},{"content":{}, "model":"public" },{"model":"models/public"}]}"#,
            r#"{"requests":[{ "content":{}},{"content":{} },{}]}"#,
        ),
        (
            Endpoint::CountTokens,
            r#"{"generate_content_request":{"model":"models/public","contents":[]}}"#,
            r#"{"generate_content_request":{"contents":[]}}"#,
        ),
    ] {
        assert_eq!(patched_for(endpoint, body, &target), expected);
    }
}

#[test]
fn signatures_of_ours_do_not_reach_google() {
    let ours = r#""thoughtSignature":"c2x1aWNlLmFudGhyb3BpYy54""#;
    let snake = r#""thought_signature":"c2x1aWNlLmFudGhyb3BpYy54""#;
    let skip = r#""thoughtSignature":"skip_thought_signature_validator""#;
    let skip_snake = r#""thought_signature":"skip_thought_signature_validator""#;
    let google = r#""thoughtSignature":"EqQB""#;
    for (parts, expected) in [
        (format!(r#"{{"text":"a",{ours}}}"#), r#"{"text":"a"}"#.to_owned()),
        (format!(r#"{{ {snake} , "text":"a"}}"#), r#"{ "text":"a"}"#.to_owned()),
        (format!(r#"{{"text":"t","thought":true,{ours}}},{{"text":"a"}}"#), r#"{"text":"a"}"#.to_owned()),
        (format!(r#"{{"text":"a"}} , {{"text":"","thought":true,{ours}}}"#), r#"{"text":"a"}"#.to_owned()),
        (
            format!(
                r#"{{"thought":true,{ours}}},{{"text":"",{ours}}},{{"text":"a"}},{{{ours}}},{{"text":"b"}}"#
            ),
            r#"{"text":"a"},{"text":"b"}"#.to_owned(),
        ),
        (format!(r#"{{"text":"t","thought":true,{ours}}}"#), r#"{"text":"t","thought":true}"#.to_owned()),
        (
            format!(r#"{{"functionCall":{{"name":"f"}},{ours}}}"#),
            format!(r#"{{"functionCall":{{"name":"f"}},{skip}}}"#),
        ),
        (
            format!(r#"{{{ours},"functionCall":{{"name":"f"}}}}"#),
            format!(r#"{{{skip},"functionCall":{{"name":"f"}}}}"#),
        ),
        (format!(r#"{{"inlineData":{{}},{ours}}}"#), r#"{"inlineData":{}}"#.to_owned()),
        // In both spellings, and beside one of Google's.
        (format!(r#"{{{ours},{snake},"text":"a"}}"#), r#"{"text":"a"}"#.to_owned()),
        (format!(r#"{{"text":"a",{ours},{snake}}}"#), r#"{"text":"a"}"#.to_owned()),
        (
            format!(r#"{{{snake},"functionCall":{{"name":"f"}},{ours}}}"#),
            format!(r#"{{{skip_snake},"functionCall":{{"name":"f"}}}}"#),
        ),
        (
            format!(r#"{{"functionCall":{{"name":"f"}},{google},{snake}}}"#),
            format!(r#"{{"functionCall":{{"name":"f"}},{google}}}"#),
        ),
        // A part without data is none; one with a thought is.
        (
            format!(r#"{{{ours}}},{{"text":"t","thought":true,{ours}}},{{"thought":true,{snake}}}"#),
            r#"{"text":"t","thought":true}"#.to_owned(),
        ),
    ] {
        assert_eq!(patched(Endpoint::GenerateContent, &turn(&parts), "gemini-3-pro"), turn(&expected));
        let older = expected.replace(&format!(",{skip}"), "").replace(&format!("{skip},"), "");
        let older = older.replace(&format!("{skip_snake},"), "");
        assert_eq!(patched(Endpoint::GenerateContent, &turn(&parts), "gemini-2.5-pro"), turn(&older));
    }
}

#[test]
fn a_turn_of_nothing_but_our_signatures_goes_whole() {
    let ours = r#""thoughtSignature":"c2x1aWNlLmFudGhyb3BpYy54""#;
    let none = r#""thought_signature":"c2x1aWNlLg==""#;
    let (asked, said) = (r#"{"role":"user","parts":[{"text":"a"}]}"#, r#"{"parts":[{"text":"b"}]}"#);
    for (hollow, lost) in [
        (format!(r#"[{{{ours}}}]"#), vec!["contents[1].parts[0]"]),
        (
            format!(r#"[{{"thought":true,{ours}}},{{{none}}},{{{none},"text":null,{ours}}}]"#),
            vec!["contents[1].parts[0]", "contents[1].parts[2]"],
        ),
        (format!(r#"{{{ours}}}"#), vec!["contents[1].parts"]),
        (format!(r#"[{{{none}}}]"#), vec![]),
    ] {
        let turn = format!(r#"{{"role":"model","parts":{hollow}}}"#);
        let body = format!(r#"{{"contents":[{asked}, {turn}, {said}]}}"#);
        let expected = format!(r#"{{"contents":[{asked}, {said}]}}"#);
        assert_eq!(patched(Endpoint::GenerateContent, &body, "gemini-3-pro"), expected);
        let mut loss = Loss::default();
        splice(&peek(&ask(Endpoint::GenerateContent), &body).unwrap(), &Target::of("m"), &mut loss);
        assert_eq!(loss.paths(), lost, "{turn}");
        // Of two lists Google reads one.
        let twice = turn.replacen('{', r#"{"parts":[{"text":"c"}],"#, 1);
        let twice = patched(Endpoint::GenerateContent, &format!(r#"{{"contents":[{twice}]}}"#), "m");
        assert!(twice.starts_with(r#"{"contents":[{"parts":[{"text":"c"}],"role":"model""#), "{twice}");
        // Without a turn there is nothing to ask, which is Google's to say.
        for alone in [format!(r#"{{"contents":{turn}}}"#), format!(r#"{{"contents":[{turn},{turn}]}}"#)] {
            assert_eq!(patched(Endpoint::GenerateContent, &alone, "m"), r#"{"contents":[]}"#);
        }
    }
}

#[test]
fn what_google_is_not_told_is_said() {
    let (ours, none) =
        (r#""thoughtSignature":"c2x1aWNlLmFudGhyb3BpYy54""#, r#""thoughtSignature":"c2x1aWNlLg==""#);
    let thought = |signature: &str| format!(r#"{{"text":"t","thought":true,{signature}}}"#);
    for (parts, lost) in [
        (format!(r#"{{"text":"a"}},{}"#, thought(ours)), vec!["parts[1]"]),
        (
            format!(r#"{},{{"text":"a",{ours}}}"#, thought(none)),
            vec!["parts[0]", "parts[1].thoughtSignature"],
        ),
        (format!(r#"{{"functionCall":{{}},{ours}}}"#), vec!["parts[0].thoughtSignature"]),
        // Our own mark of there being no signature says nothing.
        (format!(r#"{{"functionCall":{{}},{none}}}"#), vec![]),
        (format!(r#"{{"text":"a"}},{{"text":"",{none}}}"#), vec![]),
        (thought(none), vec![]),
    ] {
        for model in ["gemini-3-pro", "gemini-2.5-pro"] {
            let turn = turn(&parts);
            let mut loss = Loss::default();
            splice(&peek(&ask(Endpoint::GenerateContent), &turn).unwrap(), &Target::of(model), &mut loss);
            let lost: Vec<_> = lost.iter().map(|path| format!("contents[0].{path}")).collect();
            assert_eq!(loss.paths(), lost, "{turn}");
        }
    }
    let counted =
        format!(r#"{{"generate_content_request":{}}}"#, turn(&format!(r#"{{"functionCall":{{}},{ours}}}"#)));
    let mut loss = Loss::default();
    splice(&peek(&ask(Endpoint::CountTokens), &counted).unwrap(), &Target::of("m"), &mut loss);
    assert_eq!(loss.paths(), ["generateContentRequest.contents[0].parts[0].thoughtSignature"]);
}

#[test]
fn what_policy_needs_is_found_in_both_spellings() {
    let body = r#"{
        "contents": [{"parts": [
            {"inline_data": {"mime_type": "image/png", "data": "AAAA"}},
            {"inlineData": {"mimeType": "audio/wav", "data": "AAAA"}},
            {"fileData": {"mimeType": "application/pdf", "fileUri": "gs://x"}}
        ]}],
        "tools": [{"googleSearch": {}}, {"function_declarations": [{"name": "f"}]}],
        "generation_config": {"max_output_tokens": 7, "candidateCount": 2, "response_schema": {}},
        "cachedContent": "cachedContents/x"
    }"#;
    let peek = peek(&ask(Endpoint::GenerateContent), body).unwrap();
    assert!(
        peek.needs.images
            && peek.needs.audio
            && peek.needs.documents
            && peek.needs.tools
            && peek.needs.schema
    );
    assert!((3_000..3_300).contains(&peek.needs.prompt_tokens), "{}", peek.needs.prompt_tokens);
    assert_eq!((peek.max_tokens, peek.n, peek.native), (Some(7), 2, Some("cachedContent")));
    assert_eq!(peek.model, "public");
    assert!(peek.stream);
}

#[test]
fn one_value_is_seen_where_a_list_is_expected() {
    let body = r#"{
        "contents": {"parts": {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}},
        "tools": {"functionDeclarations": {"name": "f"}},
        "generationConfig": {"maxOutputTokens": "7", "candidateCount": "2"}
    }"#;
    let peek = peek(&ask(Endpoint::GenerateContent), body).unwrap();
    assert!(peek.needs.images && peek.needs.tools);
    assert_eq!((peek.max_tokens, peek.n), (Some(7), 2));
    let ours = r#""thoughtSignature":"c2x1aWNlLmFudGhyb3BpYy54""#;
    for (turns, expected) in [
        (format!(r#"{{"parts":{{"text":"a",{ours}}}}}"#), r#"{"parts":{"text":"a"}}"#),
        (format!(r#"[{{"parts":{{"text":"a",{ours}}}}}]"#), r#"[{"parts":{"text":"a"}}]"#),
        (
            format!(r#"{{"parts":{{"text":"a","thought":true,{ours}}}}}"#),
            r#"{"parts":{"text":"a","thought":true}}"#,
        ),
    ] {
        let body = format!(r#"{{"contents":{turns}}}"#);
        let patched = patched(Endpoint::GenerateContent, &body, "gemini-2.5-pro");
        assert_eq!(patched, format!(r#"{{"contents":{expected}}}"#));
    }
    let one = r#"{"requests":{"model":"models/public","content":{}}}"#;
    assert_eq!(patched(Endpoint::BatchEmbedContents, one, "up"), one.replace("public", "up"));
}

#[test]
fn a_request_within_the_request_names_the_model_of_the_path() {
    let complaint =
        |endpoint, body: &str| peek(&ask(endpoint), body).map(drop).map_err(|error| error.to_string());
    for (endpoint, body, path) in [
        (
            Endpoint::BatchEmbedContents,
            r#"{"requests":[{"model":"models/public"},{"model":"models/other"},{"model":"x"}]}"#,
            "requests[1].model",
        ),
        (Endpoint::BatchEmbedContents, r#"{"requests":{"model":"other"}}"#, "requests.model"),
        (
            Endpoint::CountTokens,
            r#"{"generate_content_request":{"model":"models/other"}}"#,
            "generateContentRequest.model",
        ),
    ] {
        let expected = format!("{path}: expected models/public, as in the path, or nothing");
        assert_eq!(complaint(endpoint, body), Err(expected));
    }
    for name in ["models/public", "public", ""] {
        let body = format!(r#"{{"requests":[{{"model":"{name}"}}]}}"#);
        assert_eq!(complaint(Endpoint::BatchEmbedContents, &body), Ok(()));
    }
    let full = Ask { model: Some("models/public"), ..ask(Endpoint::CountTokens) };
    assert!(peek(&full, r#"{"generateContentRequest":{"model":"public"}}"#).is_ok());
}

#[test]
fn what_two_readers_could_read_differently_is_refused() {
    let complaint = |body: &str| peek(&ask(Endpoint::GenerateContent), body).unwrap_err().to_string();
    assert_eq!(
        complaint(r#"{"generationConfig":{},"generation_config":{}}"#),
        "generationConfig: occurs twice"
    );
    assert!(complaint("{").starts_with("body: "));
    assert!(complaint("[]").starts_with("body: "));
    assert!(complaint(r#"{"contents":[}"#).starts_with("body: "));
    let nobody = Ask { endpoint: Endpoint::GenerateContent, model: None, stream: false };
    assert_eq!(peek(&nobody, "{}").unwrap_err().path, "model");
}

#[test]
fn odd_values_are_the_upstream_s_to_judge() {
    for body in [
        r#"{"contents":7,"tools":{},"generationConfig":[],"cachedContent":null}"#,
        r#"{"contents":[7,{"parts":{}},{"parts":[1,{"inlineData":2,"fileData":{"mimeType":3}}]}]}"#,
        r#"{"contents":[{"parts":[{"text":"c2x1aWNl"},7,{"thoughtSignature":7}]}]}"#,
    ] {
        assert_eq!(patched(Endpoint::GenerateContent, body, "m"), body);
    }
}
