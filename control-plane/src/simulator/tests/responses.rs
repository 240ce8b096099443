//! The Responses API under a script, on the wire.

use super::*;

impl Lab {
    async fn respond(&self, changes: &Value) -> reqwest::Response {
        let mut body = json!({"model": "gpt-4o", "input": "[[words:6]]"});
        body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let request = self.client.post(format!("{}/responses", self.url(OPENAI))).bearer_auth("k");
        request.json(&body).send().await.unwrap()
    }
}

#[tokio::test]
async fn streams_fail_as_the_vendors_do() {
    let script = json!([
        {"kind": "error_event_after_tokens", "tokens": 2},
        {"kind": "no_done"},
        {"kind": "clean_end_after_tokens", "tokens": 3},
        {"kind": "healthy"},
    ]);
    let lab = Lab::scripted(OPENAI, script).await;
    let mut bodies = Vec::new();
    for _ in 0..4 {
        bodies.push(lab.respond(&json!({"stream": true})).await.text().await.unwrap());
    }
    let last = |body: &String| serde_json::from_str::<Value>(data(body).last().unwrap()).unwrap();
    assert_eq!(
        (&last(&bodies[0])["type"], &last(&bodies[0])["sequence_number"]),
        (&json!("error"), &json!(6))
    );
    assert_eq!(last(&bodies[1])["type"], "response.output_item.done");
    assert_eq!(last(&bodies[2])["delta"], " word3");
    assert_eq!(last(&bodies[3])["type"], "response.completed");
    assert!(bodies[3].starts_with("event: response.created\ndata: {"));
    let attempts = lab.attempts(OPENAI, 4).await;
    assert_eq!(
        (&attempts[0]["outcome"], &attempts[0]["usage"]),
        (&json!("fault:error_event_after_tokens"), &Value::Null)
    );
    assert_eq!((&attempts[3]["deltas"], &attempts[3]["usage"]), (&json!(6), &attempts[3]["consumed"]));
}

#[tokio::test]
async fn what_asks_no_model_uses_no_behaviour_up() {
    let script = json!([
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 503, "path": "/cancel"},
        {"kind": "status", "status": 502, "path": "/input_items"},
    ]);
    let lab = Lab::start().await;
    let begun: Value = lab.respond(&json!({"background": true})).await.json().await.unwrap();
    lab.control("/providers/openai/script", script).await;
    let at = |path: &str| format!("{}/responses/{}{path}", lab.url(OPENAI), begun["id"].as_str().unwrap());
    let cancel =
        || async { lab.client.post(at("/cancel")).bearer_auth("k").send().await.unwrap().status().as_u16() };
    let items = || async {
        lab.client.get(at("/input_items")).bearer_auth("k").send().await.unwrap().status().as_u16()
    };
    assert_eq!([cancel().await, cancel().await, items().await, items().await], [503, 200, 502, 200]);
    assert_eq!(lab.respond(&json!({})).await.status(), 500);
    lab.control("/providers/openai/reset", json!({})).await;
    assert_eq!(cancel().await, 404, "a reset forgets what was stored");
}

#[tokio::test]
async fn azure_is_there_with_its_own_errors() {
    let lab = Lab::scripted("azure", json!([{"kind": "status", "status": 429}])).await;
    let path = "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21";
    let body = json!({"messages": [{"role": "user", "content": "[[words:2]]"}], "stream": true});
    let ask =
        || lab.client.post(format!("{}{path}", lab.url("azure"))).header("api-key", "k").json(&body).send();
    let limited: Value = ask().await.unwrap().json().await.unwrap();
    assert_eq!(limited["error"]["code"], "429");
    let text = ask().await.unwrap().text().await.unwrap();
    assert!(data(&text)[0].contains("prompt_filter_results"), "{text}");
    let attempts = lab.attempts("azure", 2).await;
    assert_eq!((&attempts[1]["model"], &attempts[1]["path"]), (&json!("gpt-4o"), &json!(path)));
}
