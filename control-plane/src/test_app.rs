//! A whole control plane for a test: a temporary database, ephemeral ports, its own tokens.

use crate::serve::{self, Running, Shared};
use crate::settings::{LogFormat, Serve, StateDir, gateway};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sluice::config::{AttemptRecord, Dialect, Endpoint, Record, Usage, UsageSource};

/// It ends when it is dropped.
pub(crate) struct TestApp {
    running: Running,
    http: reqwest::Client,
    pub(crate) dir: tempfile::TempDir,
}

impl TestApp {
    pub(crate) async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let settings = Serve {
            admin_address: "127.0.0.1:0".parse().unwrap(),
            xds_address: "127.0.0.1:0".parse().unwrap(),
            database: None,
            state_dir: StateDir { path: dir.path().to_owned() },
            admin_token: None,
            node_token: None,
            gateway: gateway::Flags {
                module: None,
                listen: ([127, 0, 0, 1], 0).into(),
                ca_file: String::new(),
            },
            log_format: LogFormat::Text,
        };
        let running = serve::start(&settings, settings.state_dir.lock().unwrap()).await.unwrap();
        Self { running, http: reqwest::Client::builder().no_proxy().build().unwrap(), dir }
    }

    /// With a provider `alpha` and a model `gpt` on it at $1 in, $2 out.
    pub(crate) async fn with_model() -> Self {
        let app = Self::start().await;
        app.ok(Method::POST, "/providers", provider("alpha")).await;
        app.ok(Method::POST, "/models", model("gpt", "alpha")).await;
        app
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.running.shared
    }

    /// The server's address.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.running.admin_address)
    }

    /// An authorized request; `null` sends no body.
    pub(crate) async fn call(&self, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
        let url = format!("{}/admin/v1{path}", self.url());
        let mut request = self.http.request(method, url).bearer_auth(self.shared().admin_token.reveal());
        if !body.is_null() {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// A request that succeeds.
    pub(crate) async fn ok(&self, method: Method, path: &str, body: Value) -> Value {
        let (status, answer) = self.call(method, path, body).await;
        assert!(status.is_success(), "{path}: {status} {answer}");
        answer
    }

    /// A request that is refused: its status, code and message.
    pub(crate) async fn refused(&self, method: Method, path: &str, body: Value) -> (u16, String, String) {
        let (status, answer) = self.call(method, path, body).await;
        assert!(!status.is_success(), "{path}: {status} {answer}");
        let text = |member: &str| answer["error"][member].as_str().unwrap().to_owned();
        (status.as_u16(), text("code"), text("message"))
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.ok(Method::GET, path, Value::Null).await
    }

    /// A request as it is, without the token.
    pub(crate) fn bare(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url()))
    }

    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.running.stop().await
    }

    /// Ends the servers; the state directory lives as long as what is returned.
    pub(crate) async fn stop_and_keep_dir(self) -> tempfile::TempDir {
        self.running.stop().await.unwrap();
        self.dir
    }
}

/// A provider that wants a credential.
pub(crate) fn provider(name: &str) -> Value {
    json!({
        "name": name, "dialect": "openai", "base_url": "https://api.example.com/v1",
        "auth": {"kind": "bearer", "secret": "sk-not-to-be-seen"},
    })
}

/// A model on one provider.
pub(crate) fn model(id: &str, provider: &str) -> Value {
    json!({
        "id": id, "channels": [{"provider": provider, "upstream_id": "up-1"}],
        "prices": {"input": "1", "output": "2"},
    })
}

/// A served exchange of `gpt` on `alpha`, `seq` seconds after the epoch's first billion.
pub(crate) fn record(seq: u64) -> Record {
    Record {
        vm: "00112233445566aa".into(),
        seq,
        request_id: format!("req-{seq}"),
        started_at_us: (1_000_000_000 + seq) * 1_000_000,
        key: Some("key000000001".into()),
        organization: None,
        dialect: Dialect::Openai,
        endpoint: Endpoint::ChatCompletions,
        requested_model: Some("gpt".into()),
        model: Some("gpt".into()),
        provider: Some("alpha".into()),
        attempts: vec![AttemptRecord {
            provider: "alpha".into(),
            model: "up-1".into(),
            status: 200,
            class: "ok".into(),
            duration_us: 900,
        }],
        stream: true,
        status: 200,
        error: None,
        ttft_us: Some(300),
        duration_us: 1000,
        overhead_us: 20,
        usage: Usage { input: 100, cached: 40, cache_write: 0, output: 10, reasoning: 5, images: 0 },
        usage_source: UsageSource::Provider,
        finish_reason: Some("stop".into()),
        dropped_params: vec!["logprobs".into()],
        passed_over: Vec::new(),
        reply: None,
        background: false,
    }
}
