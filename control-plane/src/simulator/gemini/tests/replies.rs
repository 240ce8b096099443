use super::*;

fn stream(query: &str, model: &str, changes: Value) -> Answer {
    let path = format!("/v1beta/models/{model}:streamGenerateContent");
    Ask { path: &path, query, ..Ask::default() }.send(&with(changes))
}

fn chunks(answer: &Answer) -> Vec<Value> {
    events(answer).iter().map(|event| serde_json::from_str(&event.data).unwrap()).collect()
}

#[test]
fn a_reply_is_whole() {
    let answer = ask("gemini-2.5-flash", json!({"contents": said("[[say:hello]]")}));
    let body = document(&answer);
    let candidate = json!({"content": {"parts": [{"text": "hello"}], "role": "model"}, "finishReason": "STOP", "index": 0});
    assert_eq!(body["candidates"], json!([candidate]));
    assert_eq!(
        (&body["modelVersion"], body["responseId"].as_str().unwrap().len()),
        (&json!("gemini-2.5-flash"), 22)
    );
    let details = json!([{"modality": "TEXT", "tokenCount": 8}]);
    let usage = json!({"promptTokenCount": 8, "candidatesTokenCount": 2, "totalTokenCount": 10, "promptTokensDetails": details});
    assert_eq!(body["usageMetadata"], usage);
    assert_eq!(answer.usage, answer.consumed);
}

#[test]
fn calls_are_signed_and_named() {
    let changes = json!({"contents": said("[[tool:weather {\"city\":\"Oslo\"}]][[tool:weather {}]]"), "tools": tools()});
    let answer = ask("gemini-3.8-flash", changes.clone());
    let parts = &document(&answer)["candidates"][0]["content"]["parts"];
    assert_eq!(parts[0]["functionCall"]["args"], json!({"city": "Oslo"}));
    assert!(
        signature::is_known(parts[0]["thoughtSignature"].as_str().unwrap())
            && parts[1]["thoughtSignature"].is_null()
    );
    assert_ne!(parts[0]["functionCall"]["id"], parts[1]["functionCall"]["id"]);
    assert_eq!(document(&answer)["candidates"][0]["finishReason"], "STOP");
    let old = ask("gemini-2.5-flash", changes);
    let part = &document(&old)["candidates"][0]["content"]["parts"][0];
    assert_eq!(part, &json!({"functionCall": {"name": "weather", "args": {"city": "Oslo"}}}));
    let forced = json!({"tools": tools(), "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["weather"]}}});
    let forced = ask("gemini-2.5-flash", forced);
    assert_eq!(
        document(&forced)["candidates"][0]["content"]["parts"][0]["functionCall"]["args"],
        json!({"city": "example"})
    );
}

#[test]
fn every_end_has_its_reason() {
    let end = |text: &str, config: Value| {
        let changes = json!({"contents": said(text), "tools": tools(), "generationConfig": config});
        document(&ask("gemini-2.5-flash", changes))["candidates"][0].clone()
    };
    assert_eq!(end("[[say:123456789]]", json!({"maxOutputTokens": 2}))["finishReason"], "MAX_TOKENS");
    assert_eq!(end("[[say:abc]]", json!({"stopSequences": ["b"]}))["content"]["parts"][0]["text"], "a");
    let malformed = end("[[tool:weather {\"cut]]", json!({}));
    assert_eq!(
        (&malformed["finishReason"], malformed.get("content")),
        (&json!("MALFORMED_FUNCTION_CALL"), None)
    );
    assert!(malformed["finishMessage"].as_str().unwrap().contains("weather({\"cut)"));
    let refused = end("[[refuse]]", json!({}));
    assert_eq!(
        (&refused["finishReason"], &refused["safetyRatings"][0]["blocked"]),
        (&json!("SAFETY"), &json!(true))
    );
    assert_eq!(end("[[fail]]", json!({}))["finishReason"], "OTHER");
    let blocked =
        Ask { bias: Bias { refuse: true, ..Bias::default() }, ..Ask::default() }.send(&with(json!({})));
    let body = document(&blocked);
    assert_eq!(
        (body.get("candidates"), &body["promptFeedback"]["blockReason"]),
        (None, &json!("PROHIBITED_CONTENT"))
    );
    assert!(
        document(&ask("gemini-2.5-flash", json!({"contents": said("[[block]]")})))["promptFeedback"]
            .is_object()
    );
}

#[test]
fn thoughts_are_shown_if_asked_for_and_always_paid() {
    let think = |config: Value| {
        ask(
            "gemini-2.5-flash",
            json!({"contents": said("[[think:hmm hmm]][[say:x]]"), "generationConfig": config}),
        )
    };
    let shown = think(json!({"thinkingConfig": {"includeThoughts": true}}));
    let parts = &document(&shown)["candidates"][0]["content"]["parts"];
    assert_eq!(parts[0], json!({"text": "hmm hmm", "thought": true}));
    assert!(parts[1]["thoughtSignature"].is_string());
    let hidden = think(json!({}));
    assert_eq!(document(&hidden)["candidates"][0]["content"]["parts"][0]["text"], "x");
    for answer in [&shown, &hidden] {
        assert_eq!(document(answer)["usageMetadata"]["thoughtsTokenCount"], 2);
    }
    let off = think(json!({"thinkingConfig": {"thinkingBudget": 0}}));
    assert!(document(&off)["usageMetadata"]["thoughtsTokenCount"].is_null());
}

#[test]
fn replies_take_the_form_that_is_asked_for() {
    let form = |config: Value| {
        let answer = ask("gemini-2.5-flash", json!({"generationConfig": config}));
        document(&answer)["candidates"][0]["content"]["parts"][0]["text"].as_str().unwrap().to_owned()
    };
    let schema = json!({"type": "OBJECT", "properties": {"n": {"type": "INTEGER"}}, "required": ["n"]});
    assert_eq!(form(json!({"responseMimeType": "application/json", "responseSchema": schema})), "{\"n\":1}");
    let whole = json!({"type": "object", "properties": {"n": {"const": 5}}, "required": ["n"]});
    assert_eq!(
        form(json!({"responseMimeType": "application/json", "responseJsonSchema": whole})),
        "{\"n\":5}"
    );
    let list = json!({"type": "STRING", "enum": ["red", "blue"]});
    assert_eq!(form(json!({"responseMimeType": "text/x.enum", "responseSchema": list})), "red");
}

#[test]
fn a_search_is_grounded_and_counted() {
    let answer = ask(
        "gemini-2.5-flash",
        json!({"contents": said("[[search:rain today]]"), "tools": [{"googleSearch": {}}]}),
    );
    let body = document(&answer);
    assert_eq!(body["candidates"][0]["groundingMetadata"]["webSearchQueries"], json!(["rain today"]));
    let usage = &body["usageMetadata"];
    assert_eq!(usage["toolUsePromptTokenCount"], 3);
    let sum = ["promptTokenCount", "candidatesTokenCount", "toolUsePromptTokenCount"]
        .map(|name| usage[name].as_u64().unwrap());
    assert_eq!(usage["totalTokenCount"], sum.iter().sum::<u64>());
}

#[test]
fn long_histories_are_cached() {
    let long = "x".repeat(8000);
    let contents = json!([{"role": "user", "parts": [{"text": long}]}, {"role": "model", "parts": [{"text": "ok"}]},
        {"role": "user", "parts": [{"text": "go on"}]}]);
    let answer = ask("gemini-2.5-flash", json!({"contents": contents}));
    assert_eq!(document(&answer)["usageMetadata"]["cachedContentTokenCount"], 2009);
}

#[test]
fn events_carry_growing_usage_and_one_end() {
    let answer = stream("alt=sse", "gemini-3.8-flash", json!({"contents": said("[[words:3]]")}));
    let chunks = chunks(&answer);
    let text: String = chunks
        .iter()
        .map(|chunk| chunk["candidates"][0]["content"]["parts"][0]["text"].as_str().unwrap())
        .collect();
    assert_eq!((text.as_str(), chunks.len()), ("word1 word2 word3", 4));
    let counts: Vec<u64> =
        chunks.iter().map(|chunk| chunk["usageMetadata"]["candidatesTokenCount"].as_u64().unwrap()).collect();
    assert!(counts.is_sorted() && counts.iter().all(|count| *count > 0), "{counts:?}");
    let ends: Vec<bool> =
        chunks.iter().map(|chunk| chunk["candidates"][0]["finishReason"] == "STOP").collect();
    assert_eq!(ends, [false, false, false, true]);
    assert!(signature::is_known(
        chunks[3]["candidates"][0]["content"]["parts"][0]["thoughtSignature"].as_str().unwrap()
    ));
    let marks: Vec<Mark> = events(&answer).iter().map(|event| event.mark).collect();
    assert_eq!(marks, [Mark::Delta, Mark::Delta, Mark::Delta, Mark::Done]);
    assert_eq!(events(&answer).last().unwrap().usage, answer.consumed);
}

#[test]
fn calls_come_whole_and_together() {
    let text = "[[think:hm]][[tool:weather {\"city\":\"Oslo\"}]][[tool:weather {}]]";
    let thinking = json!({"thinkingConfig": {"includeThoughts": true}});
    let changes = json!({"contents": said(text), "tools": tools(), "generationConfig": thinking});
    let chunks = chunks(&stream("alt=sse", "gemini-2.5-pro", changes));
    let parts: Vec<&Value> = chunks.iter().map(|chunk| &chunk["candidates"][0]["content"]["parts"]).collect();
    assert_eq!(parts[0], &json!([{"text": "hm", "thought": true}]));
    assert_eq!((parts[1].as_array().unwrap().len(), parts[2]), (2, &json!([{"text": ""}])));
    assert!(parts[1][0]["thoughtSignature"].is_string() && parts[1][1]["functionCall"]["args"] == json!({}));
}

#[test]
fn candidates_take_turns_in_a_stream() {
    let changes = json!({"contents": said("[[say:a b]][[also:c]]"), "generationConfig": {"candidateCount": 2, "responseLogprobs": true, "logprobs": 1}});
    let answer = stream("alt=sse", "gemini-2.5-flash", changes.clone());
    let order: Vec<(u64, String)> = chunks(&answer)
        .iter()
        .map(|chunk| &chunk["candidates"][0])
        .map(|one| {
            (one["index"].as_u64().unwrap(), one["content"]["parts"][0]["text"].as_str().unwrap().to_owned())
        })
        .collect();
    let expected =
        [(0, "a"), (1, "c"), (0, " b"), (0, ""), (1, "")].map(|(index, text)| (index, text.to_owned()));
    assert_eq!(order, expected);
    let whole = ask("gemini-2.5-flash", changes);
    let candidates = document(&whole)["candidates"].as_array().unwrap();
    assert_eq!(candidates[1]["content"]["parts"][0]["text"], "c");
    assert_eq!(candidates[0]["logprobsResult"]["topCandidates"][0]["candidates"][0]["token"], "a");
    assert!(candidates[0]["avgLogprobs"].is_number());
}

#[test]
fn an_array_is_one_document() {
    let answer = stream("", "gemini-2.5-flash", json!({"contents": said("[[words:2]]")}));
    let site = Site { path: "/v1beta/models/gemini-2.5-flash:streamGenerateContent", query: "" };
    let bytes: Vec<u8> =
        events(&answer).iter().flat_map(|event| Gemini.render(site, event, Style::default())).collect();
    let document: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(document.as_array().unwrap().len(), 3);
    assert!(String::from_utf8(bytes).unwrap().contains("}\n,\r\n{\n"));
}

#[test]
fn errors_end_a_stream_as_the_vendor_ends_it() {
    let path = "/v1beta/models/gemini-2.5-flash:streamGenerateContent";
    let complaint = Complaint { code: None, body: None };
    let (sse, array) = (Site { path, query: "alt=sse" }, Site { path, query: "" });
    let event = Gemini.error_event(sse, &[], complaint);
    let bytes = Gemini.render(sse, &event, Style::default());
    let text = std::str::from_utf8(&bytes).unwrap();
    assert!(text.starts_with("{\n") && !text.contains("data:"), "{text}");
    assert_eq!(serde_json::from_str::<Value>(text).unwrap()["error"]["status"], "UNAVAILABLE");
    let event = Gemini.error_event(array, &[], complaint);
    let first: Value = serde_json::from_slice(&Gemini.render(array, &event, Style::default())).unwrap();
    assert_eq!(first[0]["error"]["code"], 503);
}

#[test]
fn tokens_are_counted() {
    let count = Ask { path: "/v1beta/models/gemini-2.5-flash:countTokens", ..Ask::default() };
    let plain = count.send(&with(json!({})));
    assert_eq!(document(&plain)["totalTokens"], 5);
    let mut whole = with(json!({"tools": tools(), "systemInstruction": {"parts": [{"text": "be kind"}]}}));
    whole["model"] = json!("models/gemini-2.5-flash");
    let counted = count.send(&json!({"generateContentRequest": whole}));
    assert!(document(&counted)["totalTokens"].as_u64() > Some(20));
    whole["model"] = json!("gemini-2.5-flash");
    assert_eq!(count.send(&json!({"generateContentRequest": whole})).status, 400);
}

#[test]
fn models_are_listed_by_pages() {
    let list = |query: &str| {
        Ask { method: Method::GET, path: "/v1beta/models", query, ..Ask::default() }.send(&json!(null))
    };
    let first = list("pageSize=5");
    let token = document(&first)["nextPageToken"].as_str().unwrap().to_owned();
    let second = list(&format!("pageSize=5&pageToken={token}"));
    let count = |answer: &Answer| document(answer)["models"].as_array().unwrap().len();
    assert_eq!((count(&first), count(&second), document(&second).get("nextPageToken")), (5, 5, None));
    assert_eq!(list("pageToken=x").status, 400);
    let one = Ask { method: Method::GET, path: "/v1beta/models/gemini-2.5-pro", ..Ask::default() }
        .send(&json!(null));
    assert_eq!(
        (&document(&one)["name"], &document(&one)["inputTokenLimit"]),
        (&json!("models/gemini-2.5-pro"), &json!(1_048_576))
    );
}
