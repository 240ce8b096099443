use super::{peek, splice};
use crate::config::Endpoint;
use crate::dialect::{Ask, Target, splice as apply};

fn ask(endpoint: Endpoint) -> Ask<'static> {
    Ask { endpoint, model: Some("public"), stream: true }
}

fn patched(endpoint: Endpoint, body: &str, model: &str) -> String {
    patched_for(endpoint, body, &Target::of(model))
}

fn patched_for(endpoint: Endpoint, body: &str, target: &Target<'_>) -> String {
    let peek = peek(&ask(endpoint), body).unwrap();
    let edits = splice(&peek, target);
    assert!(edits.windows(2).all(|pair| pair[0].span.end <= pair[1].span.start), "{edits:?}");
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
            r#"{"requests":[{ "model":"models/public" , "content":{}},{"content":{}, "model":"public" },{"model":"x"}]}"#,
            r#"{"requests":[{  "content":{}},{"content":{} },{}]}"#,
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
    ] {
        assert_eq!(patched(Endpoint::GenerateContent, &turn(&parts), "gemini-3-pro"), turn(&expected));
        let older = expected.replace(&format!(",{skip}"), "").replace(&format!("{skip},"), "");
        assert_eq!(patched(Endpoint::GenerateContent, &turn(&parts), "gemini-2.5-pro"), turn(&older));
    }
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
