//! Tests of `/keys`.

use crate::test_app::TestApp;
use reqwest::Method;
use serde_json::{Value, json};
use sluice::config::token::{SigningKey, Token};
use sluice::config::{KeyStatus, Step};

#[tokio::test]
async fn a_token_is_shown_once() {
    let app = TestApp::with_model().await;
    let created = app.ok(Method::POST, "/keys", json!({"name": "ci"})).await;
    let token = created["token"].as_str().unwrap();
    let id = created["id"].as_str().unwrap();
    let settings = app.shared().store.feed().current().settings.value.clone();
    let parsed = Token::parse(token, &settings.key_prefix).unwrap();
    assert!(parsed.id == id && parsed.is_ours(&SigningKey::from_base64(&settings.signing_key).unwrap()));
    for path in [format!("/keys/{id}"), "/keys".into()] {
        let shown = app.get(&path).await.to_string();
        assert!(!shown.contains(token) && !shown.contains("secret_hash") && shown.contains(id), "{shown}");
    }
}

#[tokio::test]
async fn a_step_may_be_written_short_and_is_stored_long() {
    let app = TestApp::with_model().await;
    let long = json!({"targets": [{"provider": "alpha", "model": "a", "weight": 3}, {"provider": "alpha", "model": "b"}]});
    let chain = json!([{"provider": "alpha", "model": "gpt"}, long]);
    let created = app.ok(Method::POST, "/keys", json!({"chain": chain})).await;
    assert_eq!(created["chain"][0], json!({"targets": [{"provider": "alpha", "model": "gpt", "weight": 1}]}));
    let snapshot = app.shared().store.feed().current();
    let stored = &snapshot.keys[created["id"].as_str().unwrap()].value;
    assert_eq!((&stored.chain[0], stored.chain[1].targets[0].weight), (&Step::single("alpha", "gpt"), 3));
}

#[tokio::test]
async fn a_list_mints_nothing() {
    let app = TestApp::with_model().await;
    for body in [json!([]), json!(["ci"])] {
        let (status, _, message) = app.refused(Method::POST, "/keys", body).await;
        assert_eq!((status, message.as_str()), (400, "body: expected an object"));
    }
    assert_eq!(app.get("/keys").await["data"], json!([]));
}

#[tokio::test]
async fn mistakes_are_named() {
    let app = TestApp::with_model().await;
    let cases = [
        (
            json!({"chain": [{"provider": "nope", "model": "m"}]}),
            "chain[0].targets[0].provider: expected the name of a provider",
        ),
        (
            json!({"chain": [{"provider": "alpha"}]}),
            "chain[0]: expected either targets, or provider and model",
        ),
        (
            json!({"chain": [{"targets": [], "model": "m"}]}),
            "chain[0]: expected either targets, or provider and model",
        ),
        (json!({"chain": [{"targets": []}]}), "chain[].targets: expected 1 to 16 targets"),
        (
            json!({"chain": [{"targets": [{"provider": "alpha", "model": "m", "wieght": 1}]}]}),
            "chain[0].targets[0].wieght: expected no such member",
        ),
        (json!({"retry": {"same_provider": 9}}), "retry.same_provider: expected at most 5"),
        (json!({"retry": {"same": 1}}), "retry.same: expected no such member"),
        (json!({"status": "revoked"}), "status: expected active or disabled"),
        (json!({"name": "a\u{7}b"}), "name: expected at most 128 characters"),
        (json!({"secret_hash": "00"}), "secret_hash: expected no such member"),
        (json!({"loss": "ignore"}), "loss: unknown variant `ignore`"),
    ];
    for (body, expected) in cases {
        let (status, _, message) = app.refused(Method::POST, "/keys", body).await;
        assert!(status == 400 && message.starts_with(expected), "{status} {message}");
    }
}

#[tokio::test]
async fn a_patch_changes_what_it_names() {
    let app = TestApp::with_model().await;
    let body = json!({
        "name": "before", "chain": [{"provider": "alpha", "model": "gpt"}], "expires_at": 5,
        "models": {"allow": ["gpt-*"]}, "retry": {"same_provider": 3}, "loss": "strict",
    });
    let created = app.ok(Method::POST, "/keys", body).await;
    let path = format!("/keys/{}", created["id"].as_str().unwrap());
    let patch =
        json!({"name": "after", "expires_at": null, "retry": {"backoff_ms": 10}, "status": "disabled"});
    let shown = app.ok(Method::PATCH, &path, patch).await;
    assert_eq!(
        (&shown["name"], &shown["expires_at"], &shown["status"]),
        (&json!("after"), &Value::Null, &json!("disabled"))
    );
    assert_eq!((&shown["retry"]["same_provider"], &shown["retry"]["backoff_ms"]), (&json!(3), &json!(10)));
    for kept in ["chain", "models", "loss", "display", "created_at"] {
        assert_eq!(shown[kept], created[kept], "{kept}");
    }
    let again = app
        .ok(Method::PATCH, &path, json!({"status": "active", "retry": null, "models": {"allow": []}}))
        .await;
    assert_eq!(
        (&again["status"], &again["retry"], &again["name"]),
        (&json!("active"), &Value::Null, &json!("after"))
    );
    assert_eq!(app.refused(Method::PATCH, &path, json!({"nam": 1})).await.2, "nam: expected no such member");
    assert_eq!(app.refused(Method::PATCH, "/keys/nothing", json!({})).await.0, 404);
}

#[tokio::test]
async fn rotation_gives_a_new_token_and_a_grace() {
    let app = TestApp::start().await;
    let created = app.ok(Method::POST, "/keys", json!({})).await;
    let path = format!("/keys/{}/rotate", created["id"].as_str().unwrap());
    let rotated = app.ok(Method::POST, &path, json!({"grace_seconds": 3600})).await;
    assert!(rotated["id"] == created["id"] && rotated["token"] != created["token"]);
    assert!(
        rotated["previous_secret_until"].as_u64().unwrap() >= created["created_at"].as_u64().unwrap() + 3600
    );
    let rotated = app.ok(Method::POST, &path, Value::Null).await;
    assert_eq!(rotated["previous_secret_until"], Value::Null);
    assert_eq!(app.refused(Method::POST, &path, json!({"grace_seconds": 1e9 as u64})).await.0, 400);
}

#[tokio::test]
async fn revocation_is_final() {
    let app = TestApp::start().await;
    let created = app.ok(Method::POST, "/keys", json!({"name": "k"})).await;
    let path = format!("/keys/{}", created["id"].as_str().unwrap());
    let revoke = format!("{path}/revoke");
    assert_eq!(app.ok(Method::POST, &revoke, Value::Null).await["status"], "revoked");
    assert_eq!(app.ok(Method::POST, &revoke, Value::Null).await["status"], "revoked");
    for (method, path, body) in [
        (Method::PATCH, path.clone(), json!({"status": "active"})),
        (Method::POST, format!("{path}/rotate"), json!({})),
    ] {
        let (status, code, _) = app.refused(method, &path, body).await;
        assert_eq!((status, code.as_str()), (409, "key_revoked"));
    }
    let snapshot = app.shared().store.feed().current();
    assert_eq!(snapshot.keys[created["id"].as_str().unwrap()].value.status, KeyStatus::Revoked);
}

#[tokio::test]
async fn pages_cover_each_key_once() {
    let app = TestApp::start().await;
    for at in 0..5 {
        app.ok(Method::POST, "/keys", json!({"name": format!("k{at}")})).await;
    }
    let (mut names, mut path) = (Vec::new(), "/keys?limit=2".to_owned());
    loop {
        let page = app.get(&path).await;
        names.extend(
            page["data"].as_array().unwrap().iter().map(|key| key["name"].as_str().unwrap().to_owned()),
        );
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/keys?limit=2&cursor={cursor}"),
            None => break,
        }
    }
    names.sort();
    assert_eq!(names, ["k0", "k1", "k2", "k3", "k4"]);
    assert_eq!(app.get("/keys?name=k3").await["data"].as_array().unwrap().len(), 1);
}
