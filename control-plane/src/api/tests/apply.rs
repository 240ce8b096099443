//! Tests of `/apply`.

use crate::test_app::{TestApp, model, provider};
use reqwest::Method;
use serde_json::{Value, json};

fn configuration() -> Value {
    json!({
        "settings": {"push_all_keys": false},
        "providers": [provider("alpha"), provider("beta")],
        "models": [model("vendor/gpt", "alpha")],
        "keys": [{"name": "ci", "chain": [{"provider": "beta", "model": "vendor/gpt"}]}],
    })
}

fn outcomes(applied: &Value) -> Vec<&str> {
    applied["changes"].as_array().unwrap().iter().map(|change| change["outcome"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_second_time_changes_nothing() {
    let app = TestApp::start().await;
    let first = app.ok(Method::POST, "/apply", configuration()).await;
    assert_eq!(outcomes(&first), ["update", "create", "create", "create", "create"]);
    assert!(first["changes"][4]["token"].as_str().unwrap().starts_with("slc-"));
    let second = app.ok(Method::POST, "/apply", configuration()).await;
    assert_eq!(outcomes(&second), ["unchanged"; 5]);
    assert_eq!(
        (&second["changes"][4]["id"], &second["changes"][4]["token"]),
        (&first["changes"][4]["id"], &Value::Null)
    );
    assert_eq!(app.shared().store.feed().current().revision, 1, "one change for all, none for nothing");
}

#[tokio::test]
async fn a_dry_run_tells_and_changes_nothing() {
    let app = TestApp::start().await;
    let told = app.ok(Method::POST, "/apply?dry_run=true", configuration()).await;
    assert_eq!(outcomes(&told), ["update", "create", "create", "create", "create"]);
    assert_eq!((&told["changes"][4]["id"], &told["changes"][4]["token"]), (&Value::Null, &Value::Null));
    assert_eq!(app.shared().store.feed().current().revision, 0);
    app.ok(Method::POST, "/apply", configuration()).await;

    let mut other = configuration();
    other["providers"][1]["auth"]["secret"] = "sk-rotated".into();
    let told = app.ok(Method::POST, "/apply?dry_run=true", other).await;
    assert_eq!(outcomes(&told), ["unchanged", "unchanged", "update", "unchanged", "unchanged"]);
}

#[tokio::test]
async fn a_mistake_at_the_end_undoes_the_beginning() {
    let app = TestApp::start().await;
    let mut cases = Vec::new();
    for (pointer, value, expected) in [
        (
            "/keys/0/chain/0/provider",
            json!("nope"),
            "keys[0].chain[0].targets[0].provider: expected the name of a provider",
        ),
        ("/keys/0/name", json!(""), "keys[0].name: expected a name"),
        ("/providers/1/base_url", json!("x"), "providers[1].base_url: expected https://"),
        ("/providers/1/name", json!("alpha"), "providers[1].name: expected each only once"),
        ("/models/0/channels/0/provider", json!("nope"), "models[0].channels[0].provider: expected the name"),
        ("/settings/push_all_keys", json!(3), "settings.push_all_keys: invalid type"),
        ("/keys/0", json!({"name": "k", "chian": []}), "keys[0].chian: expected no such member"),
    ] {
        let mut body = configuration();
        *body.pointer_mut(pointer).unwrap() = value;
        cases.push((body, expected));
    }
    for (body, expected) in cases {
        let (status, _, message) = app.refused(Method::POST, "/apply", body).await;
        assert!(status == 400 && message.starts_with(expected), "{message}");
    }
    assert_eq!(app.shared().store.feed().current().revision, 0);
}

#[tokio::test]
async fn what_a_file_does_not_say_stays() {
    let app = TestApp::start().await;
    let first = app.ok(Method::POST, "/apply", configuration()).await;
    let path = format!("/keys/{}", first["changes"][4]["id"].as_str().unwrap());
    app.ok(Method::PATCH, &path, json!({"status": "disabled"})).await;
    let mut silent = configuration();
    silent["providers"][0]["auth"] = json!({"kind": "bearer"});
    silent["models"] = json!([]);
    app.ok(Method::POST, "/apply", silent).await;
    assert_eq!(app.get(&path).await["status"], "disabled", "a file does not enable what somebody disabled");
    let snapshot = app.shared().store.feed().current();
    assert_eq!(
        (snapshot.providers["alpha"].value.auth.secret.as_str(), snapshot.models.len()),
        ("sk-not-to-be-seen", 1)
    );
}

#[tokio::test]
async fn keys_of_one_name_are_not_guessed_at() {
    let app = TestApp::start().await;
    let keys: Vec<Value> = vec![
        app.ok(Method::POST, "/keys", json!({"name": "ci"})).await,
        app.ok(Method::POST, "/keys", json!({"name": "ci"})).await,
    ];
    let (status, code, _) = app.refused(Method::POST, "/apply", json!({"keys": [{"name": "ci"}]})).await;
    assert_eq!((status, code.as_str()), (409, "ambiguous"));
    app.ok(Method::POST, &format!("/keys/{}/revoke", keys[0]["id"].as_str().unwrap()), Value::Null).await;
    let applied = app.ok(Method::POST, "/apply", json!({"keys": [{"name": "ci", "loss": "strict"}]})).await;
    assert_eq!(
        (&applied["changes"][0]["outcome"], &applied["changes"][0]["id"]),
        (&json!("update"), &keys[1]["id"])
    );
}
