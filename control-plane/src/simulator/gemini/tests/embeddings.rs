use super::*;

fn embed(verb: &str, body: &Value) -> Answer {
    Ask { path: &format!("/v1beta/models/gemini-embedding-001:{verb}"), ..Ask::default() }.send(body)
}

#[test]
fn texts_become_vectors() {
    let one =
        embed("embedContent", &json!({"content": {"parts": [{"text": "hello"}]}, "outputDimensionality": 4}));
    let values = document(&one)["embedding"]["values"].as_array().unwrap();
    let length: f64 = values.iter().map(|number| number.as_f64().unwrap().powi(2)).sum();
    assert!(values.len() == 4 && (length - 1.0).abs() < 1e-3);
    assert_eq!((one.usage, one.consumed.unwrap().input), (None, 2));
    let request =
        |text: &str| json!({"model": "models/gemini-embedding-001", "content": {"parts": [{"text": text}]}});
    let batch = embed("batchEmbedContents", &json!({"requests": [request("a"), request("b"), request("a")]}));
    let vectors = document(&batch)["embeddings"].as_array().unwrap();
    assert_eq!((vectors[0]["values"].as_array().unwrap().len(), vectors.len()), (3072, 3));
    assert!(vectors[0] == vectors[2] && vectors[0] != vectors[1]);
}

#[test]
fn what_cannot_be_embedded_is_refused() {
    let text = |more: Value| {
        let mut body = json!({"content": {"parts": [{"text": "x"}]}});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for (verb, body, words) in [
        ("embedContent", json!({}), "* EmbedContentRequest.content: must be specified"),
        ("embedContent", json!({"content": {"parts": [{"text": ""}]}}), "content is empty"),
        (
            "embedContent",
            text(json!({"outputDimensionality": 4000})),
            "output_dimensionality: must be in the range",
        ),
        ("embedContent", text(json!({"title": "t"})), "title is only applicable to RETRIEVAL_DOCUMENT"),
        ("embedContent", text(json!({"taskType": "POETRY"})), "v1beta.TaskType), \"POETRY\""),
        (
            "batchEmbedContents",
            json!({"requests": [text(json!({}))]}),
            "requests[0].model: unexpected model name format",
        ),
        (
            "embedContent",
            json!({"content": {"parts": [{"text": "x".repeat(10_000)}]}}),
            "input token count (2500) exceeds",
        ),
    ] {
        let answer = embed(verb, &body);
        let (status, message) = error(&answer);
        assert!(status == 400 && message.contains(words), "{message}");
    }
    assert_eq!(
        Ask { path: "/v1beta/models/gemini-2.5-pro:embedContent", ..Ask::default() }
            .send(&text(json!({})))
            .status,
        404
    );
}
