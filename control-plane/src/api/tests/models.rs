//! Tests of `/models`.

use crate::test_app::{TestApp, model, provider};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test]
async fn ids_with_slashes_live_a_whole_life() {
    let app = TestApp::start().await;
    app.ok(Method::POST, "/providers", provider("alpha")).await;
    let id = "meta-llama/Llama-3.1:8b@2+x";
    let (status, _) = app.call(Method::POST, "/models", model(id, "alpha")).await;
    assert_eq!(status, StatusCode::CREATED);
    for path in [format!("/models/{id}"), format!("/models/{}", id.replace('/', "%2F"))] {
        assert_eq!(app.get(&path).await["id"], id);
    }
    let path = format!("/models/{id}");
    let shown = app
        .ok(Method::PATCH, &path, json!({"prices": {"input": "0.075", "output": null}, "aliases": ["llama"]}))
        .await;
    assert_eq!((&shown["prices"], &shown["aliases"]), (&json!({"input": "0.075"}), &json!(["llama"])));
    let replaced = app.ok(Method::PUT, &path, model(id, "alpha")).await;
    assert_eq!((&replaced["prices"]["output"], &replaced["aliases"]), (&json!("2"), &Value::Null));
    assert_eq!(app.get("/models").await["data"][0], replaced);
    app.ok(Method::DELETE, &path, Value::Null).await;
    assert_eq!(app.refused(Method::GET, &path, Value::Null).await.0, 404);
}

#[tokio::test]
async fn mistakes_are_named() {
    let app = TestApp::with_model().await;
    let cases = [
        (model("gpt", "alpha"), 409, "the model \"gpt\" exists already"),
        (
            model("other", "nope"),
            400,
            "channels[0].provider: expected the name of a provider; there is no provider \"nope\"",
        ),
        (json!({"id": "auto"}), 400, "id: expected another word than 'auto', which names the key's chain"),
        (json!({"id": "x", "aliases": ["gpt"]}), 409, "another model has this id or alias already"),
        (
            json!({"id": "x", "prices": {"input": 2.5}}),
            400,
            "prices.input: invalid type: floating point `2.5`, expected a string",
        ),
        (
            json!({"id": "x", "channels": [{"provider": "alpha", "upstream_id": "u", "weight": 1}]}),
            400,
            "channels[0].weight: expected no such member",
        ),
    ];
    for (body, status, expected) in cases {
        let (was, _, message) = app.refused(Method::POST, "/models", body).await;
        assert!(was == status && message.starts_with(expected), "{was} {message}");
    }
}
