use super::*;
use crate::simulator::answer::Content;
use crate::simulator::catalog::Catalog;
use crate::simulator::turn::Bias;
use http::{HeaderMap, Method};
use serde_json::json;

const TOKEN: &str = "Bearer ya29.simulated";
const GOOGLE: &str = "/v1/projects/my-project/locations/us-central1/publishers/google/models";
const ANTHROPIC: &str = "/v1/projects/my-project/locations/global/publishers/anthropic/models";

fn send(path: &str, query: &str, authorization: &str, body: &Value) -> Answer {
    let body = body.to_string();
    let mut headers = HeaderMap::new();
    if !authorization.is_empty() {
        headers.insert("authorization", authorization.parse().unwrap());
    }
    let catalog = Catalog::of(Vertex.models());
    let call = Call {
        method: &Method::POST,
        path,
        query,
        headers: &headers,
        body: body.as_bytes(),
        catalog: &catalog,
        credential: Some("ya29.simulated"),
        bias: Bias::default(),
        now: 7,
    };
    Vertex.answer(&call)
}

fn google(action: &str, body: &Value) -> Answer {
    send(&format!("{GOOGLE}/{action}"), "", TOKEN, body)
}

fn claude(action: &str, changes: Value) -> Answer {
    let mut body = json!({"anthropic_version": "vertex-2023-10-16", "max_tokens": 99, "messages": [{"role": "user", "content": "hi"}]});
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            body.as_object_mut().unwrap().remove(name);
        } else {
            body[name] = value.clone();
        }
    }
    send(&format!("{ANTHROPIC}/{action}"), "", TOKEN, &body)
}

fn document(answer: &Answer) -> &Value {
    match &answer.content {
        Content::Json(document) => document,
        Content::Stream(_) => panic!("a stream"),
    }
}

fn error(answer: &Answer) -> (u16, &str) {
    (answer.status, document(answer)["error"]["message"].as_str().unwrap())
}

fn hi() -> Value {
    json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]})
}

#[test]
fn only_access_tokens_open_it() {
    let path = format!("{GOOGLE}/gemini-2.5-flash:generateContent");
    for (query, authorization, words, reason) in [
        ("", "", "Request is missing required authentication credential.", "CREDENTIALS_MISSING"),
        (
            "",
            "Bearer sk-test",
            "Request had invalid authentication credentials.",
            "ACCESS_TOKEN_TYPE_UNSUPPORTED",
        ),
        (
            "",
            "Bearer ya29.other",
            "Request had invalid authentication credentials.",
            "ACCESS_TOKEN_TYPE_UNSUPPORTED",
        ),
    ] {
        let answer = send(&path, query, authorization, &hi());
        assert!(answer.status == 401 && error(&answer).1.starts_with(words), "{authorization}");
        let error = &document(&answer)["error"];
        assert_eq!(
            (&error["status"], &error["details"][0]["reason"]),
            (&json!("UNAUTHENTICATED"), &json!(reason))
        );
    }
    let beta = path.replace("/v1/", "/v1beta1/");
    for path in [&path, &beta] {
        assert_eq!(send(path, "", TOKEN, &hi()).status, 200);
    }
}

#[test]
fn tokens_of_the_token_endpoint_open_it_for_their_scope_and_their_time() {
    let path = format!("{GOOGLE}/gemini-2.5-flash:generateContent");
    for (scope, expires, status) in [
        (format!("https://www.googleapis.com/auth/userinfo.email {SCOPE}"), 8, 200),
        (SCOPE.to_owned(), 7, 401),
        ("https://www.googleapis.com/auth/userinfo.email".to_owned(), 8, 403),
    ] {
        let token = token::issue(Issuer::Google, &scope, 1, expires);
        assert_eq!(send(&path, "", &format!("Bearer {token}"), &hi()).status, status, "{scope} {expires}");
    }
}

#[test]
fn gemini_answers_in_the_manner_of_vertex() {
    let answer = google("gemini-2.5-flash:generateContent", &hi());
    let body = document(&answer);
    assert_eq!(body["candidates"][0]["content"]["parts"][0]["text"], "You said: hi");
    assert!(body["candidates"][0]["index"].is_null() && body["createTime"].is_string());
    assert_eq!(body["usageMetadata"]["trafficType"], "ON_DEMAND");
    let schema = json!({"type": "OBJECT", "additionalProperties": false});
    let tools = json!([{"functionDeclarations": [{"name": "f", "parameters": schema}]}]);
    assert_eq!(
        google("gemini-2.5-flash:generateContent", &json!({"contents": hi()["contents"], "tools": tools}))
            .status,
        200
    );
    let counted = google("gemini-2.5-flash:countTokens", &hi());
    assert_eq!(
        (&document(&counted)["totalTokens"], &document(&counted)["totalBillableCharacters"]),
        (&json!(5), &json!(20))
    );
}

#[test]
fn wrong_requests_are_refused_in_the_words_of_vertex() {
    let with = |name: &str, value: Value| {
        let mut body = hi();
        body[name] = value;
        body
    };
    let call = json!({"role": "model", "parts": [{"functionCall": {"name": "f"}}]});
    let result = json!({"role": "user", "parts": [{"functionResponse": {"name": "f"}}]});
    let unsigned = json!({"contents": [hi()["contents"][0], call, result]});
    for (model, body, words) in [
        ("gemini-2.5-flash", json!({}), "at least one contents field is required"),
        (
            "gemini-2.5-flash",
            json!({"contents": [{"role": "user", "parts": []}]}),
            "it must include at least one parts field",
        ),
        (
            "gemini-2.5-flash",
            json!({"contents": [{"role": "user", "parts": [{"text": ""}]}]}),
            "Model input cannot be empty.",
        ),
        (
            "gemini-2.5-flash",
            with("generationConfig", json!({"temperature": 3})),
            "it has a temperature value of 3 but the supported range is from 0",
        ),
        (
            "gemini-2.5-flash",
            with("generationConfig", json!({"maxOutputTokens": 65_537})),
            "from 1 (inclusive) to 65537 (exclusive)",
        ),
        ("gemini-2.5-flash", with("store", json!(true)), "Unknown name \"store\": Cannot find field."),
        (
            "gemini-2.5-flash",
            with(
                "tools",
                json!([{"functionDeclarations": [{"name": "f", "parameters": {"type": "OBJECT", "properties": {"a": {"title": "A"}}}}]}]),
            ),
            "schema didn't specify the schema type field",
        ),
        (
            "gemini-3.1-pro-preview",
            unsigned,
            "function call `default_api:f` in the 2. content block is missing a `thought_signature`",
        ),
    ] {
        let answer = google(&format!("{model}:generateContent"), &body);
        let (status, message) = error(&answer);
        assert!(status == 400 && message.contains(words), "{body}\n{message}");
    }
    for (path, status, words) in [
        (
            format!("{GOOGLE}/gemini-9:generateContent"),
            404,
            "Publisher Model `projects/my-project/locations/us-central1/publishers/google/models/gemini-9` was not found",
        ),
        (format!("{GOOGLE}/claude-haiku-4-5@20251001:generateContent"), 404, "was not found"),
        (
            GOOGLE.replace("us-central1", "mars") + "/gemini-2.5-flash:generateContent",
            400,
            "Unsupported region",
        ),
        (GOOGLE.replace("my-project", "P") + "/gemini-2.5-flash:generateContent", 400, "projects/P"),
        ("/v1/models/gemini-2.5-flash:generateContent".to_owned(), 404, "Not Found"),
    ] {
        let answer = send(&path, "", TOKEN, &hi());
        let (found, message) = error(&answer);
        assert!(found == status && message.contains(words), "{path} {message}");
    }
}

#[test]
fn embeddings_are_predicted_or_asked_for() {
    let answer = google(
        "text-embedding-005:predict",
        &json!({"instances": [{"content": "one two", "task_type": "CLUSTERING"}, {"content": "b"}],
        "parameters": {"outputDimensionality": 8}}),
    );
    let body = document(&answer);
    let first = &body["predictions"][0]["embeddings"];
    assert_eq!(
        (first["values"].as_array().unwrap().len(), &first["statistics"]),
        (8, &json!({"truncated": false, "token_count": 2}))
    );
    assert_eq!((&body["metadata"]["billableCharacterCount"], answer.consumed.unwrap().input), (&json!(7), 3));
    let content =
        json!({"content": {"parts": [{"text": "hello"}]}, "embedContentConfig": {"outputDimensionality": 4}});
    let answer = google("gemini-embedding-2:embedContent", &content);
    assert_eq!(document(&answer)["usageMetadata"]["promptTokenCount"], 2);
    let batch = google("gemini-embedding-001:batchEmbedContents", &json!({"requests": [content, content]}));
    assert_eq!(document(&batch)["embeddings"].as_array().unwrap().len(), 2);
    let two = json!({"instances": [{"content": "a"}, {"content": "b"}]});
    for (action, body, status, words) in [
        ("gemini-embedding-001:predict", two, 400, "supported range is from 1 to 1"),
        ("text-embedding-005:predict", json!({"instances": [{"text": "a"}]}), 400, "text"),
        ("text-embedding-005:predict", json!({}), 400, "`instances` must be specified"),
        ("text-embedding-005:embedContent", content.clone(), 404, "was not found"),
        ("gemini-embedding-2:predict", json!({"instances": [{"content": "a"}]}), 404, "was not found"),
        (
            "text-embedding-005:predict",
            json!({"instances": [{"content": "x".repeat(10_000)}], "parameters": {"autoTruncate": false}}),
            400,
            "input token count",
        ),
    ] {
        let answer = google(action, &body);
        let (found, message) = error(&answer);
        assert!(found == status && message.contains(words), "{action} {message}");
    }
}

#[test]
fn claude_takes_its_model_from_the_path() {
    let answer = claude("claude-haiku-4-5@20251001:rawPredict", json!({}));
    let body = document(&answer);
    assert_eq!(
        (&body["content"][0]["text"], &body["model"]),
        (&json!("You said: hi"), &json!("claude-haiku-4-5@20251001"))
    );
    assert!(body["id"].as_str().unwrap().starts_with("msg_vrtx_"));
    assert_eq!((answer.usage, answer.consumed.is_some()), (answer.consumed, true));
    let streamed = claude("claude-haiku-4-5%4020251001:streamRawPredict", json!({"stream": true}));
    let Content::Stream(events) = &streamed.content else { panic!("{streamed:?}") };
    assert!(events[0].data.contains("\"id\":\"msg_vrtx_"), "{}", events[0].data);
    let counted =
        claude("count-tokens:rawPredict", json!({"model": "claude-haiku-4-5@20251001", "max_tokens": null}));
    assert!(document(&counted)["input_tokens"].as_u64() > Some(0));
}

#[test]
fn claude_refuses_in_its_own_words() {
    let model = "claude-haiku-4-5@20251001";
    for (action, changes, status, words) in [
        (
            format!("{model}:rawPredict"),
            json!({"model": model}),
            400,
            "model: Extra inputs are not permitted",
        ),
        (
            format!("{model}:rawPredict"),
            json!({"anthropic_version": null}),
            400,
            "anthropic_version: Field required",
        ),
        (
            format!("{model}:rawPredict"),
            json!({"anthropic_version": "2023-06-01"}),
            400,
            "Input should be 'vertex-2023-10-16'",
        ),
        (format!("{model}:rawPredict"), json!({"stream": true}), 400, "stream"),
        (format!("{model}:streamRawPredict"), json!({}), 400, "stream"),
        (format!("{model}:rawPredict"), json!({"max_tokens": null}), 400, "max_tokens: Field required"),
        ("count-tokens:rawPredict".to_owned(), json!({"max_tokens": null}), 400, "model: Field required"),
    ] {
        let answer = claude(&action, changes);
        let (found, message) = error(&answer);
        assert!(found == status && message.contains(words), "{action} {message}");
        assert_eq!(document(&answer)["error"]["type"], "invalid_request_error");
        assert!(document(&answer)["request_id"].as_str().unwrap().starts_with("req_vrtx_"));
    }
    let missing = claude("claude-9:rawPredict", json!({}));
    assert_eq!((missing.status, &document(&missing)["error"]["status"]), (404, &json!("NOT_FOUND")));
    let site = Site { path: &format!("{ANTHROPIC}/{model}:streamRawPredict"), query: "" };
    assert_eq!(Vertex.error(site, 529, None)["error"]["type"], "overloaded_error");
    assert_eq!(Vertex.error(site, 429, None)["error"]["status"], "RESOURCE_EXHAUSTED");
}
