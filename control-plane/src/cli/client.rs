//! The admin API over HTTP.
//!
//! Invariant: the token goes to the admin API and nowhere else: not to a proxy, not along a redirect, not into a
//! message.

use crate::settings::{Secret, StateDir};
use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use reqwest::{Method, Response, Url};
use serde_json::Value;
use std::time::Duration;

/// Where the admin API is.
#[derive(Debug, Clone, Args)]
pub(crate) struct Connection {
    /// URL of the admin API.
    #[arg(long, env = "SLUICE_ADMIN_URL", default_value = "http://127.0.0.1:8081")]
    admin_url: Url,
    /// Its token. Default: the one in the state directory.
    #[arg(long, env = "SLUICE_ADMIN_TOKEN", hide_env_values = true)]
    admin_token: Option<Secret>,
    /// Where `serve` on this machine keeps its token.
    #[command(flatten)]
    state_dir: StateDir,
}

/// A client of one admin API.
pub(super) struct Client {
    http: reqwest::Client,
    base: Url,
    token: Secret,
}

/// One request.
pub(super) struct Call<'a> {
    pub(super) method: Method,
    /// Segments below `/admin/v1`.
    pub(super) path: &'a [&'a str],
    pub(super) query: Vec<(&'a str, String)>,
    pub(super) body: Option<Value>,
}

impl<'a> Call<'a> {
    pub(super) fn get(path: &'a [&'a str]) -> Self {
        Self { method: Method::GET, path, query: Vec::new(), body: None }
    }

    pub(super) fn post(path: &'a [&'a str], body: Value) -> Self {
        Self { method: Method::POST, path, query: Vec::new(), body: Some(body) }
    }
}

impl Client {
    pub(super) fn new(connection: &Connection) -> anyhow::Result<Self> {
        let Connection { admin_url, admin_token, state_dir } = connection;
        if admin_url.scheme() != "http" || admin_url.cannot_be_a_base() {
            bail!("--admin-url {admin_url}: expected http://host[:port]");
        }
        let token = match admin_token {
            Some(token) => token.clone(),
            None => state_dir.admin_token().context(
                "no admin token: give --admin-token or SLUICE_ADMIN_TOKEN, or --state-dir of the server",
            )?,
        };
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(10))
            .read_timeout(Duration::from_secs(60))
            .build()?;
        Ok(Self { http, base: admin_url.clone(), token })
    }

    /// Sends a request and reads the JSON of its answer.
    pub(super) async fn json(&self, call: Call<'_>) -> anyhow::Result<Value> {
        Ok(self.open(call).await?.json().await?)
    }

    /// Sends a request and leaves the body of its answer to be read.
    pub(super) async fn open(&self, call: Call<'_>) -> anyhow::Result<Response> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| anyhow!("--admin-url {}: expected http://host[:port]", self.base))?
            .pop_if_empty()
            .extend(["admin", "v1"])
            .extend(call.path);
        let mut request =
            self.http.request(call.method, url).query(&call.query).bearer_auth(self.token.reveal());
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        let unreachable =
            || format!("cannot reach the admin API at {}: is `sluice serve` running?", self.base);
        let response = request.send().await.with_context(unreachable)?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let body: Value = response.json().await.unwrap_or_default();
        match body.pointer("/error/message").and_then(Value::as_str) {
            Some(message) => bail!("{message} ({status})"),
            None => bail!("{} answers {status}: is it Sluice's admin API?", self.base),
        }
    }

    /// Follows a paged listing to its end.
    pub(super) async fn all(&self, path: &[&str], query: &[(&str, String)]) -> anyhow::Result<Vec<Value>> {
        let mut rows = Vec::new();
        let mut cursor = None;
        loop {
            let mut call = Call::get(path);
            call.query = query.iter().cloned().chain([("limit", "1000".to_owned())]).collect();
            call.query.extend(cursor.map(|cursor| ("cursor", cursor)));
            let mut page = self.json(call).await?;
            match page.get_mut("data").map(Value::take) {
                Some(Value::Array(data)) => rows.extend(data),
                _ => bail!("{}: expected a list", self.base),
            }
            match page.get("next_cursor").and_then(Value::as_str) {
                Some(next) => cursor = Some(next.to_owned()),
                None => return Ok(rows),
            }
        }
    }
}
