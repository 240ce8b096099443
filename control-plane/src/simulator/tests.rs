//! The simulator over HTTP, as a gateway sees it: every behaviour, on the wire and in the log.

use super::*;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

mod bedrock;
mod control;
mod crossings;
mod faults;
mod google;
mod responses;

/// A running simulator and a client.
struct Lab {
    running: Running,
    client: reqwest::Client,
}

impl Lab {
    async fn start() -> Self {
        Self { running: start(Options::default()).await.unwrap(), client: reqwest::Client::new() }
    }

    /// A provider's base URL.
    fn url(&self, name: &str) -> String {
        self.running.base_url(name).unwrap()
    }

    /// A simulator whose provider has this script.
    async fn scripted(name: &str, script: Value) -> Self {
        let lab = Self::start().await;
        lab.control(&format!("/providers/{name}/script"), script).await;
        lab
    }

    async fn control(&self, path: &str, body: Value) -> Value {
        let request = self.client.post(format!("{}{path}", self.running.control_url)).json(&body);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200, "{path} {body}");
        response.json().await.unwrap()
    }

    /// The attempts of a provider, once so many have ended.
    async fn attempts(&self, name: &str, settled: u64) -> Vec<Value> {
        let url = format!("{}/providers/{name}/attempts?settled={settled}", self.running.control_url);
        let mut report: Value = self.client.get(url).send().await.unwrap().json().await.unwrap();
        serde_json::from_value(report["attempts"].take()).unwrap()
    }

    fn request(&self, name: &str, stream: bool) -> reqwest::RequestBuilder {
        let text = "[[words:6]]";
        let messages = json!([{"role": "user", "content": text}]);
        if name == ANTHROPIC {
            let body = json!({"model": "claude-haiku-4-5", "max_tokens": 99, "messages": messages, "stream": stream});
            let request = self.client.post(format!("{}/v1/messages", self.url(ANTHROPIC)));
            return request.header("x-api-key", "k").header("anthropic-version", "2023-06-01").json(&body);
        }
        let body = json!({"model": "gpt-4o", "messages": messages, "stream": stream});
        let request = self.client.post(format!("{}/chat/completions", self.url(OPENAI)));
        request.bearer_auth("k").json(&body)
    }

    /// Reads to the end; the status, the body, and whether it ended as it should.
    async fn read(&self, name: &str, stream: bool) -> (u16, String, bool) {
        let mut response = self.request(name, stream).send().await.unwrap();
        let status = response.status().as_u16();
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) => body.extend(chunk),
                Ok(None) => return (status, String::from_utf8_lossy(&body).into_owned(), true),
                Err(_) => return (status, String::from_utf8_lossy(&body).into_owned(), false),
            }
        }
    }
}

/// The `data:` lines of a stream.
fn data(body: &str) -> Vec<&str> {
    body.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim_start).collect()
}

/// How often a token occurs.
fn tokens(body: &str) -> usize {
    (1..=6).filter(|index| body.contains(&format!("word{index}"))).count()
}

/// Sends bytes and reads to the end of the connection, keeping the way it ends.
async fn raw(base_url: &str, path: &str, body: &Value) -> (String, std::io::Result<()>) {
    let address = base_url.trim_start_matches("http://").split('/').next().unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let body = body.to_string();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer k\r\ncontent-type: application/json\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes).await.map(|_| ());
    (String::from_utf8_lossy(&bytes).into_owned(), end)
}
