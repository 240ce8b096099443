//! F3: a provider as the egress needs it: where its requests go and what they carry.
//!
//! A vendor that speaks a known dialect is configuration; what a vendor does otherwise gets a file of its own here.

use crate::config::{AuthKind, BaseUrl, Dialect, Endpoint, Invalid, Provider};
use crate::dialect::outbound;

/// A provider, taken apart once when it is pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// [`Provider::name`].
    pub name: String,
    /// What it speaks.
    pub dialect: Dialect,
    /// Its Envoy cluster.
    pub cluster: String,
    /// `:authority` of its requests.
    pub authority: String,
    /// `:scheme` of its requests.
    pub scheme: &'static str,
    /// Its own deadline for the first token, in milliseconds.
    pub first_token_deadline_ms: Option<u64>,
    /// [`Provider::stream_usage`].
    pub stream_usage: bool,
    /// [`Provider::enabled`].
    pub enabled: bool,
    /// Headers of every request to it, the credential's included; lower-case names.
    pub headers: Vec<(String, String)>,
    base_path: String,
    query: String,
    secret: String,
}

impl Upstream {
    /// Takes a provider apart.
    pub fn new(provider: &Provider) -> Result<Self, Invalid> {
        let url = BaseUrl::parse(&provider.base_url)
            .ok_or(Invalid::Rule { path: "base_url", expected: "https://host[:port][/path]" })?;
        let mut headers: Vec<(String, String)> =
            provider.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let secret = &provider.auth.secret;
        let mut query = String::new();
        match provider.auth.kind {
            AuthKind::None => {}
            AuthKind::Bearer => headers.push(("authorization".to_owned(), format!("Bearer {secret}"))),
            AuthKind::Header => headers.push((provider.auth.name.to_ascii_lowercase(), secret.clone())),
            AuthKind::Query => query = format!("?{}={}", provider.auth.name, percent_encode(secret)),
        }
        Ok(Self {
            name: provider.name.clone(),
            dialect: provider.dialect,
            cluster: provider.cluster(),
            authority: url.authority(),
            scheme: if url.tls { "https" } else { "http" },
            first_token_deadline_ms: provider.first_token_deadline_ms,
            stream_usage: provider.stream_usage,
            enabled: provider.enabled,
            headers,
            base_path: url.path,
            query,
            secret: secret.clone(),
        })
    }

    /// Whether a text holds the credential. Some vendors quote it when they refuse it.
    #[must_use]
    pub fn is_quoted_in(&self, text: &[u8]) -> bool {
        !self.secret.is_empty() && memchr::memmem::find(text, self.secret.as_bytes()).is_some()
    }

    /// The text without the credential.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        if self.secret.is_empty() { text.to_owned() } else { text.replace(&self.secret, "[redacted]") }
    }

    /// Headers that every request must carry, where neither client nor configuration has set them.
    #[must_use]
    pub const fn defaults(&self) -> &'static [(&'static str, &'static str)] {
        match self.dialect {
            Dialect::Openai => &[],
            Dialect::Anthropic => &[("anthropic-version", "2023-06-01")],
        }
    }

    /// `:path` for an endpoint, or `None` if the provider's dialect has no such endpoint.
    #[must_use]
    pub fn path(&self, endpoint: Endpoint) -> Option<String> {
        let path = outbound(self.dialect).path(endpoint)?;
        Some(format!("{}{path}{}", self.base_path, self.query))
    }
}

/// Everything but unreserved characters is encoded: a credential cannot change the path it stands in.
fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push_str(&crate::config::token::hex(&[byte]).to_ascii_uppercase());
        }
    }
    out
}
