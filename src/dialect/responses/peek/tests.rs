use super::*;

fn look(body: &str) -> Peek<'_> {
    peek(Endpoint::Responses, body).unwrap()
}

#[test]
fn what_policy_needs_is_noted() {
    let body = r#"{"model":"m","stream":true,"max_output_tokens":9,"tools":[{"type":"web_search"}],
        "text":{"format":{"type":"json_schema","schema":{}}},
        "input":[{"role":"user","content":[{"type":"input_image","image_url":"u"},{"type":"input_audio"}]},
                 {"type":"function_call_output","output":[{"type":"input_file"}]}]}"#;
    let found = look(body);
    assert!(found.stream && found.include_usage && found.stream_options.is_none());
    assert_eq!((found.max_tokens, found.n, found.builds_on, found.native), (Some(9), 1, None, None));
    let prompt_tokens = found.needs.prompt_tokens;
    assert!((3_000..3_200).contains(&prompt_tokens), "{prompt_tokens}");
    let all = Needs { images: true, audio: true, documents: true, tools: true, schema: true, prompt_tokens };
    assert_eq!(found.needs, all);
    let silent = look(r#"{"model":"m","input":"x","tools":[],"text":{"format":{"type":"text"}}}"#);
    assert_eq!(silent.needs, Needs { prompt_tokens: silent.needs.prompt_tokens, ..Needs::default() });
}

#[test]
fn what_only_the_provider_can_serve_is_noted() {
    for (members, builds_on, native) in [
        (r#""previous_response_id":"resp_1""#, Some("resp_1"), None),
        (r#""previous_response_id":"""#, Some(""), None),
        (r#""previous_response_id":null,"conversation":null,"prompt":null,"background":false"#, None, None),
        (r#""conversation":"conv_1""#, None, Some("conversation")),
        (r#""prompt":{"id":"pmpt_1"}"#, None, Some("prompt")),
        (r#""background":true"#, None, Some("background")),
        (r#""input":[{"type":"item_reference","id":"msg_1"}]"#, None, Some("item_reference")),
        (r#""input":[{"id":"msg_1"}]"#, None, Some("item_reference")),
        (r#""input":[{"id":"msg_1","role":"user","content":"a"}]"#, None, None),
        (r#""input":[{"type":"compaction","encrypted_content":"x"}]"#, None, Some("compaction")),
        (r#""input":[{"type":"compaction_trigger"}]"#, None, Some("compaction")),
    ] {
        let body = format!(r#"{{"model":"m",{members}}}"#);
        let found = look(&body);
        assert_eq!(found.builds_on, builds_on.map(Text::from), "{members}");
        assert_eq!(found.native, native, "{members}");
    }
}

#[test]
fn what_is_kept_is_called_without_a_body() {
    assert_eq!(peek(Endpoint::StoredResponses, "").unwrap().model_span, None);
    assert!(peek(Endpoint::Responses, "").is_err());
}

#[test]
fn a_list_without_foreign_reasoning_is_a_list() {
    let foreign = r#"{"type":"reasoning","encrypted_content":"sluice.gemini.x"}"#;
    let own = r#"{"type":"message","role":"user","content":"a"}"#;
    for mask in 0..32_u32 {
        let items: Vec<_> = (0..5).map(|bit| if mask >> bit & 1 == 1 { foreign } else { own }).collect();
        let body = format!(r#"{{"model":"m","input":[ {} ]}}"#, items.join(" , "));
        let mut loss = Loss::default();
        let edits = splice(&look(&body), &Target::of("m"), &mut loss);
        let patched = crate::dialect::splice(body.as_bytes(), &edits);
        let value: serde_json::Value = serde_json::from_slice(&patched).unwrap();
        let left = items.iter().filter(|item| **item == own).count();
        assert_eq!(value["input"].as_array().unwrap().len(), left, "{mask:05b}");
        let gone = (0..5).filter(|bit| mask >> bit & 1 == 1).map(|at| format!("input[{at}]"));
        assert_eq!(loss.paths(), gone.collect::<Vec<_>>(), "{mask:05b}");
    }
}
