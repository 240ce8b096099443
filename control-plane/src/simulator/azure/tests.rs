//! Azure as a client sees it.

use super::*;
use crate::simulator::answer::Content;
use crate::simulator::catalog::Catalog;
use crate::simulator::turn::Bias;
use http::{HeaderMap, Method};

const CHAT: &str = "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21";

fn send(path: &str, headers: &[(&'static str, &str)], body: &[u8]) -> Answer {
    let vendor = Azure::new();
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let headers: HeaderMap =
        headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
    let mut catalog = Catalog::of(vendor.models());
    catalog.register(serde_json::from_value(json!({"id": "mine"})).unwrap());
    let call = Call {
        method: &Method::POST,
        path,
        query,
        headers: &headers,
        body,
        catalog: &catalog,
        credential: Some("secret"),
        bias: Bias::default(),
        now: 7,
    };
    vendor.answer(&call)
}

fn post(path: &str, body: &Value) -> Answer {
    let headers = [("api-key", "secret"), ("content-type", "application/json")];
    send(path, &headers, body.to_string().as_bytes())
}

fn ask(text: &str) -> Value {
    json!({"messages": [{"role": "user", "content": text}]})
}

fn document(answer: &Answer) -> &Value {
    match &answer.content {
        Content::Json(document) => document,
        Content::Stream(_) => panic!("a stream"),
    }
}

fn code(answer: &Answer) -> (u16, &Value) {
    (answer.status, &document(answer)["error"]["code"])
}

#[test]
fn a_deployment_answers_with_what_the_filter_found() {
    let answer = post(CHAT, &ask("[[say:Hello]]"));
    let reply = document(&answer);
    assert_eq!(
        (&reply["choices"][0]["message"]["content"], &reply["model"]),
        (&json!("Hello"), &json!("gpt-4o"))
    );
    assert_eq!(
        reply["choices"][0]["content_filter_results"]["hate"],
        json!({"filtered": false, "severity": "safe"})
    );
    assert_eq!(reply["prompt_filter_results"][0]["content_filter_results"]["jailbreak"]["detected"], false);
    let tools = json!([{"type": "function", "function": {"name": "f"}}]);
    let mut request = ask("[[tool:f {}]]");
    request["tools"] = tools;
    request["model"] = json!("whatever");
    let called = post(CHAT, &request);
    assert_eq!(document(&called)["choices"][0]["content_filter_results"], json!({}));
    let refused = post(CHAT, &ask("[[refuse]]"));
    let choice = &document(&refused)["choices"][0];
    assert_eq!(
        (&choice["finish_reason"], &choice["content_filter_results"]["violence"]["filtered"]),
        (&json!("content_filter"), &json!(true))
    );
}

#[test]
fn a_stream_begins_with_the_prompts_results() {
    let mut request = ask("[[words:2]]");
    request["stream"] = json!(true);
    request["stream_options"] = json!({"include_usage": true});
    let answer = post(CHAT, &request);
    let Content::Stream(events) = &answer.content else { panic!("{answer:?}") };
    let chunk = |index: usize| serde_json::from_str::<Value>(&events[index].data).unwrap();
    assert_eq!((&chunk(0)["choices"], &chunk(0)["id"]), (&json!([]), &json!("")));
    assert!(chunk(0)["prompt_filter_results"][0]["content_filter_results"]["hate"].is_object());
    assert_eq!(chunk(1)["choices"][0]["content_filter_results"], json!({}));
    assert_eq!(chunk(2)["choices"][0]["content_filter_results"]["sexual"]["severity"], "safe");
    assert_eq!(events.last().unwrap().data, "[DONE]");
}

#[test]
fn tokens_of_entra_open_the_door_for_their_time() {
    let knock = |name: &'static str, audience: &str, expires: u64| {
        let token = token::issue(Issuer::Entra, audience, 0, expires);
        let value = if name == "api-key" { token } else { format!("Bearer {token}") };
        let headers = [("content-type", "application/json"), (name, value.as_str())];
        send(CHAT, &headers, ask("hi").to_string().as_bytes()).status
    };
    assert_eq!(knock("authorization", "https://cognitiveservices.azure.com", 8), 200);
    assert_eq!(knock("authorization", "https://cognitiveservices.azure.com", 7), 401, "its time is over");
    assert_eq!(knock("authorization", "https://graph.microsoft.com", 8), 401, "it is for another service");
    assert_eq!(knock("api-key", "https://cognitiveservices.azure.com", 8), 401, "it is no key");
}

#[test]
fn doors_are_refused_in_azures_words() {
    let chat = ask("hi");
    let body = chat.to_string();
    let json = ("content-type", "application/json");
    assert_eq!(code(&send(CHAT, &[json], body.as_bytes())), (401, &json!("401")));
    let wrong = send(CHAT, &[json, ("api-key", "other")], body.as_bytes());
    assert!(document(&wrong)["error"]["message"].as_str().unwrap().contains("invalid subscription key"));
    let wrong = send(CHAT, &[json, ("authorization", "Bearer other")], body.as_bytes());
    assert!(document(&wrong)["error"]["message"].as_str().unwrap().contains("Access token"));
    assert_eq!(send(CHAT, &[json, ("authorization", "Bearer secret")], body.as_bytes()).status, 200);
    for (path, status, name) in [
        ("/openai/deployments/gpt-4o/chat/completions", 404, "404"),
        ("/openai/deployments/gpt-4o/chat/completions?api-version=", 400, "BadRequest"),
        ("/openai/deployments/gpt-4o/chat/completions?api-version=latest", 400, "BadRequest"),
        ("/openai/deployments/other/chat/completions?api-version=2024-10-21", 404, "DeploymentNotFound"),
        ("/openai/deployments/gpt-4o/responses?api-version=2024-10-21", 404, "404"),
        (
            "/openai/deployments/text-embedding-3-small/chat/completions?api-version=2024-10-21",
            400,
            "OperationNotSupported",
        ),
        ("/openai/v1/chat/completions?api-version=2024-10-21", 400, "BadRequest"),
        ("/v1/chat/completions?api-version=2024-10-21", 404, "404"),
    ] {
        assert_eq!(code(&post(path, &chat)), (status, &json!(name)), "{path}");
    }
    let preview = post(&CHAT.replace("2024-10-21", "2025-04-01-preview"), &chat);
    assert_eq!(preview.status, 200);
}

#[test]
fn requests_are_checked_as_openai_does() {
    let mut request = ask("hi");
    request["temperature"] = json!(3);
    let answer = post(CHAT, &request);
    assert_eq!(code(&answer), (400, &json!("decimal_above_max_value")));
    assert_eq!(document(&answer)["error"]["param"], "temperature");
    let blocked = post(CHAT, &ask("[[block]]"));
    let error = &document(&blocked)["error"];
    assert_eq!(
        (code(&blocked), &error["innererror"]["code"]),
        ((400, &json!("content_filter")), &json!("ResponsibleAIPolicyViolation"))
    );
    assert_eq!(error["innererror"]["content_filter_result"]["violence"]["filtered"], true);
}

#[test]
fn the_version_1_surface_takes_deployments_as_models() {
    let mut request = ask("[[say:x]]");
    request["model"] = json!("mine");
    for query in ["", "?api-version=preview"] {
        let answer = post(&format!("/openai/v1/chat/completions{query}"), &request);
        assert_eq!(document(&answer)["choices"][0]["message"]["content"], "x");
    }
    let answer = post("/openai/v1/responses", &json!({"model": "gpt-4o", "input": "[[say:y]]"}));
    assert_eq!(document(&answer)["output"][0]["content"][0]["text"], "y");
    let answer =
        post("/openai/responses?api-version=2025-03-01-preview", &json!({"model": "gpt-4o", "input": "a"}));
    assert_eq!(document(&answer)["object"], "response");
    let answer = post("/openai/v1/embeddings", &json!({"model": "text-embedding-3-small", "input": "a"}));
    assert_eq!(document(&answer)["data"][0]["index"], 0);
    request["model"] = json!("gpt-9");
    assert_eq!(code(&post("/openai/v1/chat/completions", &request)), (404, &json!("DeploymentNotFound")));
}

#[test]
fn other_operations_have_deployments_too() {
    let at = |name: &str, operation: &str| {
        format!("/openai/deployments/{name}/{operation}?api-version=2025-04-01-preview")
    };
    let answer = post(&at("text-embedding-3-small", "embeddings"), &json!({"input": ["a", "b"]}));
    assert_eq!(document(&answer)["data"].as_array().unwrap().len(), 2);
    let answer = post(&at("gpt-image-1", "images/generations"), &json!({"prompt": "x"}));
    assert!(document(&answer)["data"][0]["content_filter_results"]["hate"].is_object());
    let headers = [("api-key", "secret"), ("content-type", "multipart/form-data; boundary=b")];
    let form = b"--b\r\ncontent-disposition: form-data; name=\"prompt\"\r\n\r\nx\r\n--b--\r\n";
    let answer = send(&at("gpt-image-1", "images/edits"), &headers, form);
    assert_eq!(document(&answer)["error"]["param"], "image");
    let site = Site { path: "/openai/deployments/mine/chat/completions", query: "api-version=2024-10-21" };
    assert_eq!(Azure::new().model(site, b"{\"model\":\"other\"}").as_deref(), Some("mine"));
    let limited = Azure::new().error(site, 429, None);
    assert!(limited["error"]["message"].as_str().unwrap().contains("2024-10-21"));
}
