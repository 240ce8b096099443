//! Tests of `/providers`.

use crate::test_app::{TestApp, model, provider};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test]
async fn a_credential_goes_in_and_never_comes_out() {
    let app = TestApp::start().await;
    let path = "/providers/alpha";
    let mut answers = vec![app.ok(Method::POST, "/providers", provider("alpha")).await];
    assert_eq!(answers[0]["secret_set"], true);
    answers.push(app.get(path).await);
    answers.push(app.get("/providers").await);
    answers.push(app.ok(Method::PATCH, path, json!({"enabled": false})).await);
    answers.push(app.ok(Method::PUT, path, provider("alpha")).await);
    for answer in answers {
        assert!(!answer.to_string().contains("sk-not-to-be-seen"), "{answer}");
    }
    let stored = app.shared().store.feed().current();
    assert_eq!(stored.providers["alpha"].value.auth.secret, "sk-not-to-be-seen");
}

#[tokio::test]
async fn a_credential_stays_until_another_is_given() {
    let app = TestApp::start().await;
    app.ok(Method::POST, "/providers", provider("alpha")).await;
    let secret = || app.shared().store.feed().current().providers["alpha"].value.auth.secret.clone();

    let mut silent = provider("alpha");
    silent["auth"] = json!({"kind": "header", "name": "x-api-key"});
    app.ok(Method::PUT, "/providers/alpha", silent).await;
    assert_eq!(secret(), "sk-not-to-be-seen");
    app.ok(Method::PATCH, "/providers/alpha", json!({"auth": {"secret": "sk-other"}})).await;
    assert_eq!(secret(), "sk-other");
    let shown = app.ok(Method::PATCH, "/providers/alpha", json!({"auth": null})).await;
    assert_eq!((shown["secret_set"].clone(), secret().as_str()), (json!(false), ""));
    let (status, _, message) =
        app.refused(Method::PATCH, "/providers/alpha", json!({"auth": {"kind": "bearer"}})).await;
    assert_eq!((status, message.as_str()), (400, "auth.secret: expected the credential"));
}

#[tokio::test]
async fn mistakes_are_named() {
    let app = TestApp::start().await;
    let mut cases = Vec::new();
    for (pointer, value, message) in [
        ("/base_url", json!("ftp://x"), "base_url: expected https://host[:port][/path]"),
        ("/base_ulr", json!("https://x"), "base_ulr: expected no such member"),
        ("/auth/tokn", json!("x"), "auth.tokn: expected no such member"),
        (
            "/dialect",
            json!("cobol"),
            "dialect: unknown variant `cobol`, expected one of `openai`, `responses`, `anthropic`",
        ),
        ("/auth/kind", json!("none"), "auth.kind: expected a kind that takes a secret, as there is one"),
        ("/name", json!("a b"), "name: expected 1 to 64 of [A-Za-z0-9._-]"),
    ] {
        let mut body = provider("alpha");
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[member] = value;
        cases.push((body, message));
    }
    for (body, expected) in cases {
        let (status, code, message) = app.refused(Method::POST, "/providers", body).await;
        assert_eq!((status, code.as_str()), (400, "invalid_request"));
        assert!(message.starts_with(expected), "{message}");
    }
    let (status, _, message) = app.refused(Method::PUT, "/providers/beta", provider("alpha")).await;
    assert_eq!((status, message.as_str()), (400, "name: expected \"beta\", as in the path"));
}

#[tokio::test]
async fn twice_is_a_conflict_and_gone_is_gone() {
    let app = TestApp::start().await;
    let (status, created) = app.call(Method::POST, "/providers", provider("alpha")).await;
    assert_eq!((status, &created["revision"]), (StatusCode::CREATED, &json!(1)));
    let (status, code, _) = app.refused(Method::POST, "/providers", provider("alpha")).await;
    assert_eq!((status, code.as_str()), (409, "already_exists"));
    let (status, _) = app.call(Method::DELETE, "/providers/alpha", Value::Null).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    for method in [Method::GET, Method::DELETE] {
        assert_eq!(app.refused(method, "/providers/alpha", Value::Null).await.0, 404);
    }
    assert_eq!(app.refused(Method::PATCH, "/providers/alpha", json!({})).await.0, 404);
    assert_eq!(app.get("/providers").await, json!({"data": []}));
}

#[tokio::test]
async fn one_in_use_stays() {
    let app = TestApp::start().await;
    app.ok(Method::POST, "/providers", provider("alpha")).await;
    app.ok(Method::POST, "/models", model("vendor/gpt", "alpha")).await;
    let (status, code, message) = app.refused(Method::DELETE, "/providers/alpha", Value::Null).await;
    assert_eq!((status, code.as_str()), (409, "in_use"));
    assert!(message.contains("model vendor/gpt"), "{message}");
}
