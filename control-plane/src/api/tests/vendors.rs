//! Tests of what providers of other vendors need: what they speak, whose they are, and what their credentials are made of.

use crate::test_app::{TestApp, provider};
use reqwest::Method;
use serde_json::{Value, json};

/// A provider that signs, with temporary credentials.
fn signing() -> Value {
    json!({
        "name": "bedrock", "dialect": "bedrock", "base_url": "https://bedrock-runtime.eu-west-1.amazonaws.com",
        "auth": {
            "kind": "aws_sigv4", "secret": "aws-not-to-be-seen",
            "aws": {"access_key_id": "ASIA1", "region": "eu-west-1", "session_token": "token-not-to-be-seen"},
        },
    })
}

#[tokio::test]
async fn what_a_provider_speaks_and_whose_it_is_goes_in_and_comes_out() {
    let app = TestApp::start().await;
    for (name, more) in [
        ("plain", json!({"also_speaks": ["responses", "anthropic"]})),
        (
            "azure",
            json!({"vendor": {"kind": "azure", "api_version": "2024-10-21"}, "also_speaks": ["responses"]}),
        ),
        ("vertex", json!({"dialect": "gemini", "vendor": {"kind": "vertex"}})),
        (
            "claude",
            json!({"dialect": "anthropic", "anthropic_betas": {"allow": ["context-*"], "deny": ["x"]}}),
        ),
    ] {
        let mut body = provider(name);
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        app.ok(Method::POST, "/providers", body).await;
        let shown = app.get(&format!("/providers/{name}")).await;
        for (member, value) in more.as_object().unwrap() {
            assert_eq!(&shown[member], value, "{name}: {member}");
        }
        assert_eq!(shown["credential"], Value::Null, "nothing is minted for it");
    }
    let shown = app.ok(Method::PATCH, "/providers/azure", json!({"vendor": null, "also_speaks": null})).await;
    assert_eq!((&shown["vendor"], &shown["also_speaks"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_session_token_goes_in_and_out_with_its_secret() {
    let app = TestApp::start().await;
    let token = || {
        let provider = app.shared().store.feed().current().providers["bedrock"].value.clone();
        provider.auth.aws.as_ref().unwrap().session_token.clone()
    };
    let path = "/providers/bedrock";
    let mut answers = vec![app.ok(Method::POST, "/providers", signing()).await];
    answers.push(app.ok(Method::PATCH, path, json!({"enabled": false})).await);
    assert_eq!(token().as_deref(), Some("token-not-to-be-seen"), "what is not shown cannot be repeated");
    let mut silent = signing();
    silent["auth"] = json!({"kind": "aws_sigv4", "aws": {"access_key_id": "ASIA1", "region": "eu-west-2"}});
    answers.push(app.ok(Method::PUT, path, silent).await);
    assert_eq!(token().as_deref(), Some("token-not-to-be-seen"));
    answers.push(app.get("/providers").await);
    for answer in answers {
        assert!(!answer.to_string().contains("not-to-be-seen"), "{answer}");
    }
    // Another secret has no session, or another one.
    let patch = json!({"auth": {"secret": "aws-other", "aws": {"access_key_id": "AKIA2"}}});
    let shown = app.ok(Method::PATCH, path, patch).await;
    assert_eq!((token(), &shown["auth"]["aws"]["access_key_id"]), (None, &json!("AKIA2")));
}

#[tokio::test]
async fn a_key_file_goes_in_and_never_comes_out() {
    let app = TestApp::start().await;
    let file = include_str!("../../simulator/identity/service_account.json");
    let mut file: Value = serde_json::from_str(file).unwrap();
    file["token_uri"] = json!("http://127.0.0.1:1/token");
    let mut body = provider("vertex");
    body["auth"] =
        json!({"kind": "google_service_account", "secret": file.to_string(), "scope": "https://s"});
    let made = app.ok(Method::POST, "/providers", body).await;
    let shown = app.ok(Method::PATCH, "/providers/vertex", json!({"enabled": false})).await;
    for answer in [made, shown] {
        assert_eq!((&answer["secret_set"], &answer["auth"]["scope"]), (&json!(true), &json!("https://s")));
        let text = answer.to_string();
        assert!(!text.contains("PRIVATE KEY") && !text.contains("iam.gserviceaccount.com"), "{text}");
    }
}

/// Each change of a good provider is refused with a message that begins so.
async fn refused(cases: &[(Value, &str)]) {
    let app = TestApp::start().await;
    for (changed, message) in cases {
        let mut body = provider("alpha");
        body.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
        let (status, code, told) = app.refused(Method::POST, "/providers", body.clone()).await;
        assert_eq!((status, code.as_str()), (400, "invalid_request"), "{changed}");
        assert!(told.starts_with(message), "{told}\n{message}");
        // A file's mistakes are told in the same words.
        let (status, _, told) = app.refused(Method::POST, "/apply", json!({"providers": [body]})).await;
        assert!(status == 400 && told.starts_with(&format!("providers[0].{message}")), "{told}\n{message}");
    }
}

#[tokio::test]
async fn mistakes_of_vendors_are_named() {
    let azure = json!({"kind": "azure", "api_version": "2024-10-21"});
    refused(&[
        (
            json!({"also_speaks": ["openai"]}),
            "also_speaks: expected dialects of clients besides the provider's own",
        ),
        (
            json!({"also_speaks": ["bedrock"]}),
            "also_speaks: expected dialects of clients besides the provider's own",
        ),
        (
            json!({"also_speaks": ["cobol"]}),
            "also_speaks[0]: unknown variant `cobol`, expected one of `openai`",
        ),
        (
            json!({"vendor": {"kind": "cobol"}}),
            "vendor.kind: unknown variant `cobol`, expected `azure` or `vertex`",
        ),
        (json!({"vendor": {"kind": "azure"}}), "vendor: missing field `api_version`"),
        (
            json!({"vendor": {"kind": "azure", "api_version": "2024 10"}}),
            "vendor.api_version: expected a version such as 2024-10-21",
        ),
        (
            json!({"vendor": {"kind": "azure", "api_version": "2024-10-21", "regoin": "x"}}),
            "vendor: unknown field `regoin`",
        ),
        (
            json!({"vendor": {"kind": "vertex", "project": "x"}, "dialect": "gemini"}),
            "vendor: unknown field `project`",
        ),
        (
            json!({"vendor": azure, "dialect": "gemini"}),
            "vendor: expected a provider that speaks openai or responses, for azure",
        ),
        (
            json!({"vendor": {"kind": "vertex"}}),
            "vendor: expected a provider that speaks gemini or anthropic, for vertex",
        ),
        (json!({"anthropic_betas": {"alow": []}}), "anthropic_betas.alow: expected no such member"),
    ])
    .await;
}

#[tokio::test]
async fn mistakes_of_credentials_are_named() {
    let aws = json!({"access_key_id": "AKIA1", "region": "us-east-1"});
    let entra = json!({"tenant": "t", "client_id": "c"});
    refused(&[
        (
            json!({"auth": {"kind": "aws_sigv4", "secret": "s"}}),
            "auth.aws: expected access_key_id and region, for the kind aws_sigv4 only",
        ),
        (
            json!({"auth": {"kind": "bearer", "secret": "s", "aws": aws}}),
            "auth.aws: expected access_key_id and region, for the kind aws_sigv4 only",
        ),
        (
            json!({"auth": {"kind": "aws_sigv4", "secret": "s", "aws": {"access_key_id": "A"}}}),
            "auth.aws: missing field `region`",
        ),
        (
            json!({"auth": {"kind": "entra_client_credentials", "secret": "s"}}),
            "auth.entra: expected tenant and client_id, for the kind entra_client_credentials only",
        ),
        (
            json!({"auth": {"kind": "bearer", "secret": "s", "entra": entra}}),
            "auth.entra: expected tenant and client_id, for the kind entra_client_credentials only",
        ),
        (
            json!({"auth": {"kind": "bearer", "secret": "s", "scope": "https://s"}}),
            "auth.scope: expected nothing but for kinds that tokens are minted for: google_service_account, \
             entra_client_credentials",
        ),
        (
            json!({"auth": {"kind": "google_service_account", "secret": "{}"}}),
            "auth.secret: expected the JSON key file of a service account",
        ),
    ])
    .await;
}

#[tokio::test]
async fn the_document_knows_every_member() {
    let app = TestApp::start().await;
    let document = app.get("/openapi.json").await;
    let schema = |name: &str| document["components"]["schemas"][name]["properties"].clone();
    let spec = schema("ProviderSpec");
    for member in ["dialect", "also_speaks", "vendor", "auth", "anthropic_betas", "stream_usage"] {
        assert!(spec[member].is_object(), "{member}");
    }
    let auth = schema("AuthSpec");
    for member in ["kind", "name", "aws", "entra", "scope"] {
        assert!(auth[member].is_object(), "{member}");
    }
    for hidden in [&auth["secret"], &schema("Aws")["session_token"]] {
        assert_eq!(hidden["writeOnly"], true, "{hidden}");
    }
    let state = schema("CredentialState");
    for member in ["state", "valid_until", "last_error", "last_error_at"] {
        assert!(state[member].is_object(), "{member}");
    }
    for member in ["images", "cached", "reasoning"] {
        assert!(schema("Usage")[member].is_object(), "{member}");
    }
    assert!(schema("UsageRow")["passed_over"].is_object());
    assert!(document.to_string().contains("aws_sigv4") && document.to_string().contains("vertex"));
}
