//! Tests of `/settings`.

use crate::test_app::TestApp;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn the_signing_key_stays_inside() {
    let app = TestApp::start().await;
    let shown = app.get("/settings").await;
    assert_eq!(shown["key_prefix"], "slc-");
    assert_eq!(shown.get("signing_key"), None);
    assert!(!shown.to_string().contains(&app.shared().store.feed().current().settings.value.signing_key));
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_is_published() {
    let app = TestApp::start().await;
    let patch = json!({"retry": {"same_provider": 2}, "push_all_keys": false});
    let shown = app.ok(Method::PATCH, "/settings", patch).await;
    assert_eq!((&shown["retry"]["same_provider"], &shown["retry"]["backoff_ms"]), (&json!(2), &json!(250)));
    assert_eq!((&shown["push_all_keys"], &shown["revision"]), (&json!(false), &json!(1)));
    assert!(!app.shared().store.feed().current().settings.value.push_all_keys);
    assert_eq!(shown["stored_responses"], "known", "the safe choice unless somebody chooses");
    let shown = app.ok(Method::PATCH, "/settings", json!({"stored_responses": "open"})).await;
    assert_eq!((&shown["stored_responses"], &shown["push_all_keys"]), (&json!("open"), &json!(false)));
    for (patch, expected) in [
        (json!({"stored_responses": "some"}), "stored_responses: unknown variant `some`"),
        (json!({"signing_key": "x"}), "signing_key: expected no such member"),
        (json!({"key_prefix": "x-"}), "key_prefix: expected no such member"),
        (json!({"max_body_bytes": 0}), "max_body_bytes: expected 1 to 4294967295"),
        (json!({"push_all_keys": null}), "body: missing field `push_all_keys`"),
        (json!({"retry": {"refusal": "perhaps"}}), "retry.refusal: unknown variant `perhaps`"),
    ] {
        let (status, _, message) = app.refused(Method::PATCH, "/settings", patch).await;
        assert!(status == 400 && message.starts_with(expected), "{message}");
    }
    assert_eq!(app.refused(Method::PATCH, "/settings", Value::Null).await.0, 400);
}
