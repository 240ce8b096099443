//! F3: a provider as the egress needs it: where its requests go and what they carry.
//!
//! A vendor that speaks a known dialect is configuration; what a vendor does otherwise gets a file of its own here.
//! Invariant: no path, query or header is taken from what a client sent; a credential is never shown.

pub mod aws;
mod azure;
mod beta;
mod vertex;

use crate::config::{Access, AuthKind, BaseUrl, Dialect, Endpoint, Invalid, Provider, Vendor};
use crate::dialect::{Target, outbound};
use crate::ir::error::ApiError;
use crate::wire::percent;
use std::borrow::Cow;

/// A provider, taken apart once when it is pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// [`Provider::name`].
    pub name: String,
    /// What requests in dialects that it does not speak are translated to.
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
    /// Headers of every request to it, the credential's included unless it signs; lower-case names.
    pub headers: Vec<(String, String)>,
    also_speaks: Vec<Dialect>,
    vendor: Option<Vendor>,
    betas: Access,
    base_path: String,
    /// The credential as a query parameter; may be empty.
    query: String,
    signer: Option<aws::Credentials>,
    /// What no client may read.
    secrets: Vec<String>,
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
        let mut signer = None;
        match provider.auth.kind {
            AuthKind::None => {}
            AuthKind::Bearer => headers.push(("authorization".to_owned(), format!("Bearer {secret}"))),
            AuthKind::Header => headers.push((provider.auth.name.to_ascii_lowercase(), secret.clone())),
            AuthKind::Query => query = format!("{}={}", provider.auth.name, percent::encode(secret)),
            AuthKind::AwsSigv4 => signer = Some(aws::Credentials::of(&provider.auth)?),
            AuthKind::GoogleServiceAccount | AuthKind::EntraClientCredentials => {
                return Err(Invalid::Rule {
                    path: "auth.kind",
                    expected: "the bearer token that the control plane mints",
                });
            }
        }
        let session = signer.as_ref().and_then(|signer| signer.session_token.clone());
        let secrets = std::iter::once(secret.clone()).chain(session).filter(|secret| !secret.is_empty());
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
            also_speaks: provider.also_speaks.clone(),
            vendor: provider.vendor.clone(),
            betas: provider.anthropic_betas.clone(),
            base_path: url.path,
            query,
            signer,
            secrets: secrets.collect(),
        })
    }

    /// Whether it takes a dialect's requests as they are ([`Provider::speaks`]).
    #[must_use]
    pub fn speaks(&self, dialect: Dialect) -> bool {
        self.spoken().any(|spoken| spoken == dialect)
    }

    /// The dialects that it speaks, its first before all.
    pub fn spoken(&self) -> impl Iterator<Item = Dialect> {
        std::iter::once(self.dialect).chain(self.also_speaks.iter().copied())
    }

    /// What a client's requests are sent in: its own dialect where the provider speaks it.
    #[must_use]
    pub fn dialect_for(&self, client: Dialect) -> Dialect {
        if self.speaks(client) { client } else { self.dialect }
    }

    /// Where a request in `dialect` goes.
    #[must_use]
    pub fn target<'a>(
        &self,
        endpoint: Endpoint,
        dialect: Dialect,
        model: &'a str,
        max_output_tokens: Option<u64>,
    ) -> Target<'a> {
        let target = Target { max_output_tokens, stream_usage: self.stream_usage, ..Target::of(model) };
        match (&self.vendor, dialect) {
            (Some(Vendor::Vertex {}), Dialect::Anthropic) => vertex::claude(endpoint, target),
            (Some(Vendor::Vertex {}), _) => vertex::google(endpoint, target),
            _ => target,
        }
    }

    /// `:path` for an endpoint in a dialect that it speaks, or `None` if it has no such thing there.
    #[must_use]
    pub fn path(
        &self,
        endpoint: Endpoint,
        dialect: Dialect,
        target: &Target<'_>,
        stream: bool,
    ) -> Option<String> {
        let own = || outbound(dialect).path(endpoint, target, stream);
        let path = match &self.vendor {
            None => own()?,
            Some(Vendor::Azure { api_version }) => {
                Cow::Owned(azure::path(endpoint, dialect, target, &own()?, api_version)?)
            }
            Some(Vendor::Vertex {}) => Cow::Owned(vertex::path(endpoint, dialect, target, stream)?),
        };
        let (joint, query) = match (self.query.as_str(), path.contains('?')) {
            ("", _) => ("", ""),
            (query, true) => ("&", query),
            (query, false) => ("?", query),
        };
        Some(format!("{}{path}{joint}{query}", self.base_path))
    }

    /// Headers that every request in a dialect must carry, where neither client nor configuration has set them.
    #[must_use]
    pub const fn defaults(&self, dialect: Dialect) -> &'static [(&'static str, &'static str)] {
        match (&self.vendor, dialect) {
            (None, Dialect::Anthropic) => &[("anthropic-version", "2023-06-01")],
            _ => &[],
        }
    }

    /// Whether a client's header is for it: Vertex has Anthropic's version in the body.
    #[must_use]
    pub fn takes_header(&self, name: &str) -> bool {
        name != "anthropic-version" || self.vendor.is_none()
    }

    /// Whether a client's `beta=true` may stand in its query: vendors have paths of their own.
    #[must_use]
    pub const fn keeps_query(&self) -> bool {
        self.vendor.is_none()
    }

    /// The flags of a client's `anthropic-beta` header that may go to it; `None` if none is left.
    #[must_use]
    pub fn anthropic_betas<'a>(&self, flags: &'a str) -> Option<Cow<'a, str>> {
        if self.betas.is_open() {
            return Some(Cow::Borrowed(flags));
        }
        let flags = flags.split(',').map(str::trim).filter(|flag| !flag.is_empty());
        let kept: Vec<&str> = flags.filter(|flag| self.betas.permits(flag)).collect();
        (!kept.is_empty()).then(|| Cow::Owned(kept.join(",")))
    }

    /// The members of a client's Messages request that may not go to it, because of all their flags among these none may.
    #[must_use]
    pub fn withheld(&self, flags: &str) -> Vec<&'static str> {
        if self.betas.is_open() { Vec::new() } else { beta::withheld(&self.betas, flags) }
    }

    /// Whether its requests are signed, so that [`Upstream::sign`] must be called when an attempt begins.
    #[must_use]
    pub const fn signs(&self) -> bool {
        self.signer.is_some()
    }

    /// Signs a request where its credential wants that, else changes nothing. `headers` are the request's, the pseudo
    /// headers `:method`, `:authority` and `:path` among them; an earlier signature is replaced. A signature is good for
    /// a few minutes around `unix`.
    pub fn sign(&self, headers: &mut Vec<(String, Vec<u8>)>, body: &[u8], unix: u64) {
        let Some(signer) = &self.signer else { return };
        const MADE: [&str; 4] =
            ["authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"];
        headers.retain(|(name, _)| !MADE.contains(&name.as_str()));
        let hash = aws::content_hash(body);
        let find = |wanted: &str| {
            let found = headers.iter().find(|(name, _)| name == wanted);
            found.and_then(|(_, value)| std::str::from_utf8(value).ok())
        };
        let path = find(":path").unwrap_or("/");
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut signed = vec![("x-amz-content-sha256", hash.as_str())];
        signed.extend(find("content-type").map(|value| ("content-type", value)));
        let request = aws::Signed {
            method: find(":method").unwrap_or("POST"),
            authority: find(":authority").unwrap_or(&self.authority),
            path,
            query,
            headers: &signed,
            body,
        };
        let made = aws::sign(&request, signer, unix);
        headers.extend(made.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes())));
        headers.push(("x-amz-content-sha256".to_owned(), hash.into_bytes()));
    }

    /// Whether a text holds a part of the credential. Some vendors quote it when they refuse it.
    #[must_use]
    pub fn is_quoted_in(&self, text: &[u8]) -> bool {
        self.secrets.iter().any(|secret| memchr::memmem::find(text, secret.as_bytes()).is_some())
    }

    /// Whether an error quotes it, in whatever form it came.
    #[must_use]
    pub fn is_quoted_by(&self, error: &ApiError) -> bool {
        let texts = [Some(&error.message), error.code.as_ref(), error.param.as_ref()];
        texts.into_iter().flatten().any(|text| self.is_quoted_in(text.as_bytes()))
    }

    /// The length of the longest part of the credential.
    #[must_use]
    pub fn longest_secret(&self) -> usize {
        self.secrets.iter().map(String::len).max().unwrap_or(0)
    }

    /// An error that may be shown to a client.
    #[must_use]
    pub fn redacted(&self, error: ApiError) -> ApiError {
        ApiError {
            message: self.redact(&error.message),
            code: error.code.map(|code| self.redact(&code)),
            param: error.param.map(|param| self.redact(&param)),
            ..error
        }
    }

    /// The text without the credential.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "[redacted]"))
    }
}

#[cfg(test)]
mod tests;
