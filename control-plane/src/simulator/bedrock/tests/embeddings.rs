//! Embeddings, each family in its own words.

use super::*;

const TITAN: &str = "amazon.titan-embed-text-v2%3A0";
const COHERE: &str = "cohere.embed-multilingual-v3";

fn length(numbers: &Value) -> f64 {
    numbers.as_array().unwrap().iter().map(|number| number.as_f64().unwrap().powi(2)).sum::<f64>().sqrt()
}

#[test]
fn titan_takes_one_text() {
    let answer = post(TITAN, "invoke", &json!({"inputText": "12345678", "dimensions": 256}));
    let reply = document(&answer);
    assert_eq!(
        (reply["embedding"].as_array().unwrap().len(), &reply["inputTextTokenCount"]),
        (256, &json!(2))
    );
    assert!((length(&reply["embedding"]) - 1.0).abs() < 1e-3);
    assert_eq!(reply["embeddingsByType"]["float"], reply["embedding"]);
    assert!(answer.headers.contains(&("x-amzn-bedrock-input-token-count", "2".to_owned())));
    let plain =
        post(TITAN, "invoke", &json!({"inputText": "a", "normalize": false, "embeddingTypes": ["float"]}));
    assert!(length(&document(&plain)["embedding"]) > 1.5);
    let first = post("amazon.titan-embed-text-v1", "invoke", &json!({"inputText": "a"}));
    assert_eq!(document(&first)["embedding"].as_array().unwrap().len(), 1536);
}

#[test]
fn cohere_takes_many() {
    let ask = |types: Value| json!({"texts": ["a", "b"], "input_type": "search_query", "truncate": "END", "embedding_types": types});
    let floats = post(COHERE, "invoke", &json!({"texts": ["a", "b"], "input_type": "search_query"}));
    let reply = document(&floats);
    assert_eq!((&reply["response_type"], &reply["texts"]), (&json!("embeddings_floats"), &json!(["a", "b"])));
    assert_eq!(reply["embeddings"][1].as_array().unwrap().len(), 1024);
    assert_ne!(reply["embeddings"][0], reply["embeddings"][1]);
    let typed = post(COHERE, "invoke", &ask(json!(["int8", "ubinary"])));
    let reply = document(&typed);
    assert_eq!(reply["response_type"], "embeddings_by_type");
    assert_eq!(reply["embeddings"]["ubinary"][0].as_array().unwrap().len(), 128);
    assert!(
        reply["embeddings"]["int8"][0].as_array().unwrap().iter().all(|number| number
            .as_i64()
            .unwrap()
            .abs()
            <= 128)
    );
    let fourth = json!({"texts": ["a"], "input_type": "clustering", "output_dimension": 512});
    assert_eq!(
        document(&post("cohere.embed-v4%3A0", "invoke", &fourth))["embeddings"][0].as_array().unwrap().len(),
        512
    );
}

#[test]
fn wrong_bodies_are_refused_by_their_schema() {
    let many = vec!["a"; 97];
    for (model, body, words) in [
        (
            TITAN,
            json!({}),
            "Malformed input request: #: required key [inputText] not found, please reformat your input and try again.",
        ),
        (TITAN, json!({"inputText": "a", "foo": 1}), "#: extraneous key [foo] is not permitted"),
        (TITAN, json!({"inputText": ""}), "#/inputText: expected minLength: 1, actual: 0"),
        (TITAN, json!({"inputText": ["a"]}), "#/inputText: expected type: Text, found: an array"),
        (TITAN, json!({"inputText": "a", "dimensions": 300}), "#/dimensions: 300 is not a valid enum value"),
        (
            TITAN,
            json!({"inputText": "a ".repeat(20_000)}),
            "Too many input tokens. Max input tokens: 8192, request input token count: 10000",
        ),
        (
            "amazon.titan-embed-text-v1",
            json!({"inputText": "a", "dimensions": 256}),
            "extraneous key [dimensions]",
        ),
        (COHERE, json!({"texts": ["a"]}), "#: required key [input_type] not found"),
        (COHERE, json!({"texts": ["a"], "input_type": "x"}), "#/input_type: x is not a valid enum value"),
        (
            COHERE,
            json!({"texts": [], "input_type": "image"}),
            "#/texts: expected minimum item count: 1, found: 0",
        ),
        (
            COHERE,
            json!({"texts": many, "input_type": "image"}),
            "#/texts: expected maximum item count: 96, found: 97",
        ),
        (
            COHERE,
            json!({"texts": ["a".repeat(2049)], "input_type": "image"}),
            "#/texts/0: expected maxLength: 2048, actual: 2049",
        ),
        (
            COHERE,
            json!({"texts": ["a"], "input_type": "image", "output_dimension": 256}),
            "extraneous key [output_dimension]",
        ),
        (NOVA, json!({}), "embedding models only"),
    ] {
        let answer = post(model, "invoke", &body);
        let message = answer.refused.clone().unwrap_or_default();
        assert!(message.contains(words), "{message}");
        assert_eq!((answer.status, exception(&answer)), (400, "ValidationException"));
    }
}
