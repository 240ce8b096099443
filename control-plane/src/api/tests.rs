//! Tests of the API's routes, over HTTP.

mod apply;
mod keys;
mod models;
mod providers;
mod settings;
mod usage;
mod vendors;

use super::{openapi, routes};
use crate::fleet::StreamStatus;
use crate::test_app::{TestApp, provider};
use reqwest::header::{ALLOW, AUTHORIZATION, WWW_AUTHENTICATE};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use utoipa::OpenApi as _;

#[tokio::test]
async fn nothing_is_told_without_the_token() {
    let app = TestApp::start().await;
    let token = app.shared().admin_token.reveal().to_owned();
    let wrong = format!("Bearer {}", token.chars().rev().collect::<String>());
    for header in [None, Some("Bearer "), Some("Basic abc"), Some(token.as_str()), Some(wrong.as_str())] {
        for path in ["/settings", "/openapi.json", "/nothing", "/keys/x/rotate"] {
            let request = app.bare(Method::GET, &format!("/admin/v1{path}"));
            let request =
                header.into_iter().fold(request, |request, value| request.header(AUTHORIZATION, value));
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{path} {header:?}");
            assert_eq!(response.headers()[WWW_AUTHENTICATE], "Bearer");
            assert_eq!(response.json::<Value>().await.unwrap()["error"]["code"], "unauthorized");
        }
    }
    let lower = app.bare(Method::GET, "/admin/v1/settings").header(AUTHORIZATION, format!("bearer {token}"));
    assert!(lower.send().await.unwrap().status().is_success());
}

#[tokio::test]
async fn probes_take_no_token() {
    let app = TestApp::start().await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(app.bare(Method::GET, path).send().await.unwrap().status(), StatusCode::OK);
    }
    app.shared().store.close().await;
    let response = app.bare(Method::GET, "/readyz").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.json::<Value>().await.unwrap()["error"]["code"], "not_ready");
}

#[tokio::test]
async fn internals_are_never_returned() {
    let app = TestApp::start().await;
    app.shared().store.close().await;
    let (status, code, message) = app.refused(Method::POST, "/providers", provider("alpha")).await;
    assert_eq!((status, code.as_str()), (500, "internal_error"));
    assert_eq!(message, "something failed here: the log says what");
}

#[tokio::test]
async fn every_error_is_json() {
    let app = TestApp::start().await;
    let cases = [
        (Method::GET, "/nothing", Value::Null, 404, "not_found"),
        (Method::DELETE, "/settings", Value::Null, 405, "method_not_allowed"),
        (Method::GET, "/keys/%ff", Value::Null, 400, "invalid_request"),
        (Method::GET, "/keys?limit=0", Value::Null, 400, "invalid_request"),
        (Method::GET, "/keys?nothing=1", Value::Null, 400, "invalid_request"),
        (Method::GET, "/keys?cursor=nonsense", Value::Null, 400, "invalid_request"),
        (Method::POST, "/keys", json!("text"), 400, "invalid_request"),
        (Method::POST, "/keys", json!({"name": "x".repeat(2 << 20)}), 413, "request_too_large"),
    ];
    for (method, path, body, status, code) in cases {
        let (was, said, message) = app.refused(method, path, body).await;
        assert_eq!((was, said.as_str()), (status, code), "{path}: {message}");
    }
    let broken = app.bare(Method::POST, "/admin/v1/keys").bearer_auth(app.shared().admin_token.reveal());
    assert_eq!(broken.body("{\"name\": \"a\"} x").send().await.unwrap().status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_document_has_every_route_and_every_method() {
    let app = TestApp::start().await;
    let served = app.get("/openapi.json").await;
    assert_eq!(served, serde_json::to_value(openapi::Document::openapi()).unwrap());
    let paths = served["paths"].as_object().unwrap();
    for (path, _) in routes() {
        let path = format!("/admin/v1{}", path.replace("{*", "{"));
        let documented =
            paths.get(&path).unwrap_or_else(|| panic!("{path} is not documented")).as_object().unwrap();
        // A method that nothing takes is answered with those that are taken.
        let token = app.shared().admin_token.reveal();
        let response = app.bare(Method::TRACE, &path).bearer_auth(token).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        let allow = response.headers()[ALLOW].to_str().unwrap().to_lowercase();
        let mut allowed: Vec<&str> = allow.split(',').filter(|method| *method != "head").collect();
        let mut methods: Vec<&str> = documented.keys().map(String::as_str).collect();
        allowed.sort_unstable();
        methods.sort_unstable();
        assert_eq!(allowed, methods, "{path}");
    }
    assert_eq!(paths.len(), routes().len() + 2, "and the two probes");
}

#[tokio::test]
async fn every_schema_that_the_document_names_is_in_it() {
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
                members.values().for_each(|member| references(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let document = serde_json::to_value(openapi::Document::openapi()).unwrap();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(!found.is_empty());
    for reference in found {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in ["put", "patch"].iter().filter_map(|method| methods.get(method)) {
            assert!(method["requestBody"]["content"]["application/json"]["schema"].is_object(), "{path}");
        }
    }
    assert_eq!(document["components"]["schemas"]["ProviderPatch"]["required"], Value::Null);
}

#[tokio::test]
async fn the_fleet_shows_streams() {
    let app = TestApp::start().await;
    let fleet = &app.shared().fleet;
    let status =
        StreamStatus { node: "n".into(), client: "envoy".into(), connected_at: 7, types: Default::default() };
    let stream = fleet.open(status);
    fleet.update(stream, "type", |status| status.nack = Some("bad".into()));
    fleet.count_key_lookup();
    let shown = app.get("/fleet").await;
    assert_eq!((&shown["key_lookups"], &shown["revision"]), (&json!(1), &json!(0)));
    assert_eq!(shown["streams"][0]["types"]["type"]["nack"], "bad");
    fleet.close(stream);
    assert_eq!(app.get("/fleet").await["streams"], json!([]));
}

#[tokio::test]
async fn the_server_stops_when_it_is_asked() {
    let app = TestApp::start().await;
    let url = app.url();
    app.stop().await.unwrap();
    assert!(reqwest::Client::builder().no_proxy().build().unwrap().get(url).send().await.is_err());
}
