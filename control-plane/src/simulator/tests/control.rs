use super::*;

#[tokio::test]
async fn providers_are_made_scripted_and_seen_one_by_one() {
    let lab = Lab::start().await;
    let models = json!([{"id": "llama-3", "context_length": 50}]);
    let made = lab
        .control(
            "/providers",
            json!({"name": "openai-b", "api": "openai", "credential": "sk-b", "models": models}),
        )
        .await;
    let base_url = made["base_url"].as_str().unwrap().to_owned();
    assert!(base_url.ends_with("/v1"));
    let twice = lab
        .client
        .post(format!("{}/providers", lab.running.control_url))
        .json(&json!({"name": "openai-b", "dialect": "openai"}));
    assert_eq!(twice.send().await.unwrap().status(), 409);

    let ask = |key: &'static str| {
        let body = json!({"model": "llama-3", "messages": [{"role": "user", "content": "hi"}]});
        lab.client
            .post(format!("{base_url}/chat/completions"))
            .bearer_auth(key)
            .header("x-sluice-slot", "1")
            .json(&body)
            .send()
    };
    let refused = ask("sk-a").await.unwrap();
    assert_eq!(refused.status(), 401);
    let error: Value = refused.json().await.unwrap();
    assert_eq!(error["error"]["code"], "invalid_api_key");
    assert_eq!(ask("sk-b").await.unwrap().status(), 200);

    let seen = lab.attempts("openai-b", 2).await;
    assert_eq!((&seen[0]["status"], &seen[1]["status"]), (&json!(401), &json!(200)));
    assert_eq!((&seen[1]["model"], &seen[1]["path"]), (&json!("llama-3"), &json!("/v1/chat/completions")));
    assert_eq!(seen[1]["leaks"], json!(["x-sluice-slot"]));
    assert!(seen[1]["headers"].as_array().unwrap().contains(&json!(["authorization", "Bearer sk-b"])));
    assert!(seen[1]["body"].as_str().unwrap().contains("llama-3"));
    assert!(seen[1]["received_us"].as_u64() > seen[0]["received_us"].as_u64());
    assert!(lab.attempts(OPENAI, 0).await.is_empty());

    lab.control("/providers/openai-b/reset", json!({})).await;
    assert!(lab.attempts("openai-b", 0).await.is_empty());
}

#[tokio::test]
async fn a_refusing_provider_listens_again_at_the_same_port() {
    let lab = Lab::start().await;
    assert_eq!(lab.read(OPENAI, false).await.0, 200);
    lab.control("/providers/openai/refuse", json!({"on": true})).await;
    lab.control("/providers/openai/refuse", json!({"on": true})).await;
    assert!(lab.request(OPENAI, false).send().await.unwrap_err().is_connect());
    lab.control("/providers/openai/refuse", json!({"on": false})).await;
    assert_eq!(lab.read(OPENAI, false).await.0, 200);
}

#[tokio::test]
async fn scripts_are_used_up_by_posts_only() {
    let lab = Lab::scripted(OPENAI, json!([{"kind": "status", "status": 500}])).await;
    let models = lab.client.get(format!("{}/models", lab.url(OPENAI))).bearer_auth("k").send().await.unwrap();
    assert_eq!(models.status(), 200);
    assert_eq!(lab.read(OPENAI, false).await.0, 500);
    assert_eq!(lab.read(OPENAI, false).await.0, 200);
}

#[tokio::test]
async fn wrong_control_requests_say_why() {
    let lab = Lab::start().await;
    for (path, body, status, words) in [
        ("/providers/nobody/script", json!([]), 404, "no provider is named `nobody`"),
        ("/providers/openai/script", json!([{"kind": "explode"}]), 400, "explode"),
        ("/providers/openai/script", json!([{"kind": "status"}]), 400, "needs `status`"),
        ("/providers", json!({"name": "x", "api": "nobody"}), 400, "nobody"),
    ] {
        let response =
            lab.client.post(format!("{}{path}", lab.running.control_url)).json(&body).send().await.unwrap();
        assert_eq!(response.status(), status, "{path}");
        let error: Value = response.json().await.unwrap();
        assert!(error["error"].as_str().unwrap().contains(words), "{error}");
    }
    let health = lab.client.get(format!("{}/healthz", lab.running.control_url)).send().await.unwrap();
    assert_eq!(health.status(), 200);
}

#[tokio::test]
async fn everything_ends_with_the_simulator() {
    let lab = Lab::start().await;
    let urls = [&lab.url(OPENAI), &lab.url(ANTHROPIC), &lab.running.control_url].map(Clone::clone);
    lab.running.shutdown().await;
    for url in urls {
        assert!(reqwest::get(url).await.unwrap_err().is_connect());
    }
}

#[tokio::test]
async fn a_provider_of_every_api_is_there_or_refused() {
    let lab = Lab::start().await;
    for api in Api::ALL {
        let there = lab.running.base_url(api.name());
        let made = lab
            .client
            .post(format!("{}/providers", lab.running.control_url))
            .json(&json!({"name": "one-more", "api": api}))
            .send()
            .await
            .unwrap();
        assert_eq!(there.is_ok(), made.status() == 200, "{api:?}");
        let said: Value = made.json().await.unwrap();
        if there.is_ok() {
            assert_eq!(said["api"], json!(api));
            lab.running.simulator.remove("one-more").await.unwrap();
        } else {
            assert_eq!(said["error"], format!("`{}`: the simulator has no such API", api.name()));
        }
    }
}
