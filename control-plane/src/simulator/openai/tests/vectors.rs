//! Embeddings, and the completions that came before conversations.

use super::*;

#[test]
fn embeddings_have_length_one_in_both_encodings() {
    let request = |encoding: &str| json!({"model": "text-embedding-3-small", "input": ["a", "b"], "dimensions": 40, "encoding_format": encoding});
    let plain = post("/embeddings", &request("float"));
    let numbers: Vec<f64> = serde_json::from_value(document(&plain)["data"][1]["embedding"].clone()).unwrap();
    assert_eq!(numbers.len(), 40);
    assert!((numbers.iter().map(|number| number * number).sum::<f64>() - 1.0).abs() < 1e-4);
    let packed = post("/embeddings", &request("base64"));
    assert_eq!(document(&packed)["data"][1]["embedding"].as_str().unwrap().len(), 216);
    assert_eq!(document(&packed)["usage"]["total_tokens"], 2);
    for wrong in [json!(""), json!([]), json!({}), json!(["a", ""]), json!([["x"]])] {
        let mut request = request("float");
        request["input"] = wrong.clone();
        assert_eq!(post("/embeddings", &request).status, 400, "{wrong}");
    }
}

#[test]
fn legacy_completions_take_every_form_of_prompt() {
    for (prompt, choices) in
        [(json!("a"), 1), (json!(["a", "b"]), 2), (json!([1, 2]), 1), (json!([[1], [2, 3], [4]]), 3)]
    {
        let answer = post("/completions", &json!({"model": "gpt-3.5-turbo-instruct", "prompt": prompt}));
        assert_eq!(document(&answer)["choices"].as_array().unwrap().len(), choices, "{prompt}");
    }
    let answer = post(
        "/completions",
        &json!({"model": "gpt-3.5-turbo-instruct", "prompt": "[[say:a b]]", "stream": true}),
    );
    let texts = events(&answer).iter().filter_map(|event| serde_json::from_str::<Value>(&event.data).ok());
    assert_eq!(
        texts.filter_map(|chunk| Some(chunk["choices"][0]["text"].as_str()?.to_owned())).collect::<String>(),
        "a b"
    );
    assert_eq!(post("/completions", &json!({"model": "gpt-4o", "prompt": "a"})).status, 404);
}

#[test]
fn embeddings_take_tokens_too() {
    for (input, vectors, cost) in
        [(json!([1, 2, 3]), 1, 3), (json!([[1], [2, 3]]), 2, 3), (json!("abcd"), 1, 1)]
    {
        let answer = post("/embeddings", &json!({"model": "text-embedding-3-small", "input": input}));
        let reply = document(&answer);
        assert_eq!(
            (reply["data"].as_array().unwrap().len(), &reply["usage"]["prompt_tokens"]),
            (vectors, &json!(cost))
        );
        assert_eq!(reply["data"][vectors - 1]["index"], vectors - 1);
    }
    let wrong = json!({"model": "text-embedding-3-small", "input": "a", "dimensions": 1537});
    assert_eq!(post("/embeddings", &wrong).status, 400);
}
