//! A configured upstream account.

use super::{Dialect, Invalid, Resource, is_name, type_url};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// An upstream account: dialect, address, credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provider {
    /// Unique name (`[A-Za-z0-9._-]`), also the first part of `provider/model` ids.
    pub name: String,
    /// What it speaks, and what requests in other dialects are translated to.
    pub dialect: Dialect,
    /// What it speaks besides, under the same base URL: OpenAI's own API speaks `responses` beside `openai`. Clients of
    /// these dialects are passed through.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_speaks: Vec<Dialect>,
    /// Whose API it is, where its paths differ from those of the dialect's owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<Vendor>,
    /// `https://host[:port][/path]`; request paths such as `/chat/completions` follow it, as in the vendors' SDKs
    /// (OpenAI: `https://api.openai.com/v1`; Anthropic: `https://api.anthropic.com`).
    pub base_url: String,
    /// The credential and where it goes.
    #[serde(default)]
    pub auth: Auth,
    /// How long the first token may take, in milliseconds; the fleet's default if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_token_deadline_ms: Option<u64>,
    /// Headers added to every request to it, by lower-case name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Whether `stream_options.include_usage` may be added to streamed requests. Vendors that refuse the member
    /// send usage unasked.
    #[serde(default = "default_true")]
    pub stream_usage: bool,
    /// Which of a client's `anthropic-beta` flags go to it; all, if there is no rule. Only asked of a provider that
    /// speaks Anthropic Messages.
    #[serde(default, skip_serializing_if = "super::Access::is_open")]
    pub anthropic_betas: super::Access,
    /// Disabled providers are never planned.
    #[serde(default = "default_true")]
    pub enabled: bool,
    /// The Envoy cluster, where the host's own configuration names it; `sluice-<name>` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
}

/// The credential and where it goes.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Auth {
    /// Where the secret goes.
    #[serde(default)]
    pub kind: AuthKind,
    /// Header or query parameter name for [`AuthKind::Header`] and [`AuthKind::Query`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The credential itself. Write-only in the admin API, absent from every log. For [`AuthKind::AwsSigv4`] the secret
    /// access key; for [`AuthKind::GoogleServiceAccount`] the JSON key file; for [`AuthKind::EntraClientCredentials`] the
    /// client secret.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub secret: String,
    /// What a signature needs besides, for [`AuthKind::AwsSigv4`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws: Option<Aws>,
    /// What a token request needs besides, for [`AuthKind::EntraClientCredentials`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entra: Option<Entra>,
    /// What a token is asked for, for the kinds that the control plane mints; the vendor's usual scope if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

/// What AWS signatures (version 4) need besides the secret access key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Aws {
    /// `AKIA…` or `ASIA…`.
    pub access_key_id: String,
    /// `us-east-1`.
    pub region: String,
    /// Of temporary credentials. A secret like the key itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(write_only))]
    pub session_token: Option<String>,
    /// The name that the service signs under.
    #[serde(default = "default_service")]
    pub service: String,
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aws")
            .field("access_key_id", &self.access_key_id)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// What Microsoft Entra needs besides the client secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Entra {
    /// Directory (tenant) id.
    pub tenant: String,
    /// Application (client) id.
    pub client_id: String,
    /// Where tokens come from, `https://login.microsoftonline.com` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
}

fn default_service() -> String {
    "bedrock".to_owned()
}

/// Whose API it is, where paths differ from those of the dialect's owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum Vendor {
    /// Azure OpenAI by deployment: the model is the deployment's name and stands in the path. Its `v1` paths need no
    /// vendor: `https://<resource>.openai.azure.com/openai/v1` is a base URL.
    Azure {
        /// `2024-10-21`, `2025-04-01-preview` …
        api_version: String,
    },
    /// Google Vertex AI. The base URL is `https://<location>-aiplatform.googleapis.com/v1/projects/<project>/locations/<location>`
    /// for Gemini and for Claude.
    Vertex {},
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth").field("kind", &self.kind).field("name", &self.name).finish_non_exhaustive()
    }
}

/// Where a credential goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AuthKind {
    /// Nowhere: the provider wants none.
    #[default]
    None,
    /// `authorization: Bearer <secret>`
    Bearer,
    /// `<name>: <secret>`
    Header,
    /// `?<name>=<secret>`
    Query,
    /// Signed with AWS signature version 4.
    AwsSigv4,
    /// A Google service account: the control plane mints short-lived tokens, which the module gets as [`AuthKind::Bearer`].
    GoogleServiceAccount,
    /// A Microsoft Entra application: the control plane mints short-lived tokens, which the module gets as
    /// [`AuthKind::Bearer`].
    EntraClientCredentials,
}

impl AuthKind {
    /// Whether the control plane makes the credential that requests carry.
    #[must_use]
    pub const fn is_minted(self) -> bool {
        matches!(self, Self::GoogleServiceAccount | Self::EntraClientCredentials)
    }
}

/// A base URL taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    /// Whether the scheme is `https`.
    pub tls: bool,
    /// Host name or address, without brackets.
    pub host: String,
    /// Port, the scheme's default if the URL has none.
    pub port: u16,
    /// Path without a trailing slash; empty or beginning with `/`.
    pub path: String,
}

impl BaseUrl {
    /// Takes `https://host[:port][/path]` apart; `None` for anything else (user info, query, fragment, spaces,
    /// `..` segments included).
    #[must_use]
    pub fn parse(url: &str) -> Option<Self> {
        let (tls, rest) = match url.split_once("://")? {
            ("https", rest) => (true, rest),
            ("http", rest) => (false, rest),
            _ => return None,
        };
        let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let default_port = if tls { 443 } else { 80 };
        let (host, port) = match authority.strip_prefix('[') {
            Some(v6) => {
                let (host, after) = v6.split_once(']')?;
                host.parse::<std::net::Ipv6Addr>().ok()?;
                (host, if after.is_empty() { default_port } else { after.strip_prefix(':')?.parse().ok()? })
            }
            None => match authority.split_once(':') {
                Some((host, port)) => (host, port.parse().ok()?),
                None => (authority, default_port),
            },
        };
        let host_ok = !host.is_empty()
            && host.len() <= 253
            && host
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':'));
        let path = path.trim_end_matches('/');
        let path_ok = path.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_' | b'~' | b':' | b'@')
        }) && !path.split('/').any(|segment| segment == "..");
        (host_ok && path_ok && port != 0).then(|| Self {
            tls,
            host: host.to_owned(),
            port,
            path: path.to_owned(),
        })
    }

    /// The `:authority` of requests: the port only where it is not the scheme's own, IPv6 in brackets.
    #[must_use]
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == if self.tls { 443 } else { 80 } { host } else { format!("{host}:{}", self.port) }
    }
}

/// Clusters that are no provider's: the control plane's, and the one that refuses every connection.
const RESERVED_CLUSTERS: [&str; 2] = ["sluice-control", "sluice-nowhere"];

/// Whether a header may be set for a provider: none that frames the message, that names the hop or the host, or that
/// Envoy and this gateway speak to each other in.
fn is_settable(header: &str) -> bool {
    const FIXED: [&str; 10] = [
        "content-length",
        "transfer-encoding",
        "connection",
        "host",
        "upgrade",
        "te",
        "trailer",
        "keep-alive",
        "expect",
        "content-type",
    ];
    let header = header.to_ascii_lowercase();
    let prefixed = ["x-envoy-", "x-sluice-"].iter().any(|prefix| header.starts_with(prefix));
    is_name(&header) && !prefixed && !FIXED.contains(&header.as_str())
}

fn is_cluster(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b':' | b'/' | b'-');
    (1..=128).contains(&name.len()) && name.bytes().all(allowed)
}

const fn default_true() -> bool {
    true
}

impl Provider {
    /// The Envoy cluster that reaches it.
    #[must_use]
    pub fn cluster(&self) -> String {
        self.cluster.clone().unwrap_or_else(|| format!("sluice-{}", self.name))
    }
}

/// Whether a text can be a header's value.
fn printable(text: &str) -> bool {
    text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}

impl Auth {
    fn validate(&self) -> Result<(), Invalid> {
        // A key file is JSON over several lines; it is sent nowhere.
        if !self.kind.is_minted() && !printable(&self.secret) {
            return Err(Invalid::rule("auth.secret", "printable ASCII"));
        }
        if (self.kind == AuthKind::AwsSigv4) != self.aws.is_some() {
            return Err(Invalid::rule("auth.aws", "access_key_id and region, for the kind aws_sigv4 only"));
        }
        if (self.kind == AuthKind::EntraClientCredentials) != self.entra.is_some() {
            return Err(Invalid::rule(
                "auth.entra",
                "tenant and client_id, for the kind entra_client_credentials only",
            ));
        }
        if self.scope.is_some() && !self.kind.is_minted() {
            return Err(Invalid::rule(
                "auth.scope",
                "nothing but for kinds that tokens are minted for: google_service_account, entra_client_credentials",
            ));
        }
        if let Some(aws) = &self.aws {
            let session = aws.session_token.as_deref().unwrap_or("-");
            if ![&aws.access_key_id, &aws.region, &aws.service].into_iter().all(|part| is_name(part)) {
                return Err(Invalid::rule(
                    "auth.aws",
                    "an access key id, a region and a service's signing name",
                ));
            }
            if session.is_empty() || !printable(session) {
                return Err(Invalid::rule("auth.aws.session_token", "printable ASCII"));
            }
        }
        if let Some(entra) = &self.entra {
            let authority = entra.authority.as_deref();
            if !is_name(&entra.tenant)
                || !is_name(&entra.client_id)
                || authority.is_some_and(|url| BaseUrl::parse(url).is_none())
            {
                return Err(Invalid::rule("auth.entra", "a tenant, a client id and an authority's URL"));
            }
        }
        Ok(())
    }
}

impl Provider {
    /// Whether it takes a dialect's requests as they are.
    #[must_use]
    pub fn speaks(&self, dialect: Dialect) -> bool {
        self.dialect == dialect || self.also_speaks.contains(&dialect)
    }

    fn validate_dialects(&self) -> Result<(), Invalid> {
        let doubled = self.also_speaks.contains(&self.dialect);
        if doubled || self.also_speaks.contains(&Dialect::Bedrock) || self.also_speaks.len() > 4 {
            return Err(Invalid::rule("also_speaks", "dialects of clients besides the provider's own"));
        }
        let all = |known: &[Dialect]| {
            std::iter::once(&self.dialect).chain(&self.also_speaks).all(|dialect| known.contains(dialect))
        };
        match &self.vendor {
            Some(Vendor::Azure { .. }) if !all(&[Dialect::Openai, Dialect::Responses]) => {
                Err(Invalid::rule("vendor", "a provider that speaks openai or responses, for azure"))
            }
            Some(Vendor::Azure { api_version }) if !is_name(api_version) => {
                Err(Invalid::rule("vendor.api_version", "a version such as 2024-10-21"))
            }
            Some(Vendor::Vertex {}) if !all(&[Dialect::Gemini]) && !all(&[Dialect::Anthropic]) => {
                Err(Invalid::rule("vendor", "a provider that speaks gemini or anthropic, for vertex"))
            }
            _ => Ok(()),
        }
    }
}

impl Resource for Provider {
    const TYPE_URL: &'static str = type_url::PROVIDER;

    fn validate(&self) -> Result<(), Invalid> {
        if !is_name(&self.name) {
            return Err(Invalid::rule("name", "1 to 64 of [A-Za-z0-9._-]"));
        }
        if ["auto", "sluice"].contains(&self.name.as_str()) {
            return Err(Invalid::rule(
                "name",
                "another word than 'auto' and 'sluice', which begin ids of ours",
            ));
        }
        if RESERVED_CLUSTERS.contains(&self.cluster().as_str()) {
            return Err(Invalid::rule(
                "name, cluster",
                "another cluster than 'sluice-control' and 'sluice-nowhere'",
            ));
        }
        if BaseUrl::parse(&self.base_url).is_none() {
            return Err(Invalid::rule("base_url", "https://host[:port][/path]"));
        }
        let needs_name = matches!(self.auth.kind, AuthKind::Header | AuthKind::Query);
        if needs_name && !is_name(&self.auth.name) {
            return Err(Invalid::rule("auth.name", "the name of the header or query parameter"));
        }
        if self.auth.kind == AuthKind::Header && !is_settable(&self.auth.name) {
            return Err(Invalid::rule("auth.name", "a header that does not belong to the transport"));
        }
        self.auth.validate()?;
        self.validate_dialects()?;
        if !self.headers.iter().all(|(name, value)| {
            is_name(name) && !name.bytes().any(|byte| byte.is_ascii_uppercase()) && printable(value)
        }) {
            return Err(Invalid::rule("headers", "lower-case names and printable ASCII values"));
        }
        if !self.headers.keys().all(|name| is_settable(name)) {
            return Err(Invalid::rule("headers", "headers that do not belong to the transport"));
        }
        if self.first_token_deadline_ms.is_some_and(|ms| !(1..=3_600_000).contains(&ms)) {
            return Err(Invalid::rule("first_token_deadline_ms", "1 to 3600000"));
        }
        if self.cluster.as_deref().is_some_and(|name| !is_cluster(name)) {
            return Err(Invalid::rule("cluster", "1 to 128 of [A-Za-z0-9._:/-]"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_urls_are_taken_apart() {
        let url = BaseUrl::parse("https://api.openai.com/v1/").unwrap();
        assert_eq!((url.tls, url.port, url.path.as_str()), (true, 443, "/v1"));
        assert_eq!(url.authority(), "api.openai.com");
        let url = BaseUrl::parse("http://[::1]:8080").unwrap();
        assert_eq!((url.host.as_str(), url.port, url.authority().as_str()), ("::1", 8080, "[::1]:8080"));
        assert_eq!(BaseUrl::parse("http://h:443/a.b/c").unwrap().authority(), "h:443");
    }

    #[test]
    fn base_urls_hide_nothing() {
        for bad in [
            "",
            "ftp://h",
            "https://",
            "https://u@h",
            "https://h?x",
            "https://h/#a",
            "https://h/a b",
            "http://h:0",
            "http://h:99999",
            "http://h/a/../b",
            "https://[::1",
            "https://h/%2e%2e",
        ] {
            assert_eq!(BaseUrl::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn debug_output_holds_no_secret() {
        let auth = Auth { kind: AuthKind::Bearer, secret: "sk-very-secret".into(), ..Auth::default() };
        assert!(!format!("{auth:?}").contains("very"));
    }

    fn refused(member: &str, value: serde_json::Value) -> Option<String> {
        let mut provider = serde_json::json!({"name": "p", "dialect": "openai", "base_url": "https://h"});
        provider[member] = value;
        serde_json::from_value::<Provider>(provider).unwrap().validate().err().map(|error| error.to_string())
    }

    #[test]
    fn headers_of_the_transport_are_not_the_owners_to_set() {
        use serde_json::json;
        assert_eq!(refused("headers", json!({"openai-beta": "x"})), None);
        assert_eq!(refused("auth", json!({"kind": "header", "name": "X-Api-Key"})), None);
        for header in
            ["host", "content-length", "transfer-encoding", ":path", "x-envoy-a", "x-sluice-retry", "te"]
        {
            assert!(refused("headers", json!({header: "1"})).unwrap().starts_with("headers:"), "{header}");
            let auth = json!({"kind": "header", "name": header.to_uppercase()});
            assert!(refused("auth", auth).unwrap().starts_with("auth.name:"), "{header}");
        }
        // A query parameter is no header.
        assert_eq!(refused("auth", json!({"kind": "query", "name": "host"})), None);
    }

    #[test]
    fn names_of_ours_are_no_providers() {
        use serde_json::json;
        for cluster in ["", "sluice-control", "sluice-nowhere", "a b", "a\n"] {
            assert!(refused("cluster", json!(cluster)).is_some(), "{cluster:?}");
        }
        assert_eq!(refused("cluster", json!("outbound/443:api.example_1")), None);
        for name in ["auto", "sluice", "control", "nowhere"] {
            assert!(refused("name", json!(name)).is_some(), "{name}");
        }
    }
}
