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
    /// What it speaks.
    pub dialect: Dialect,
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
    /// The credential itself. Write-only in the admin API, absent from every log.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub secret: String,
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
        let printable = |text: &str| text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        if !printable(&self.auth.secret) {
            return Err(Invalid::rule("auth.secret", "printable ASCII"));
        }
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
        let auth = Auth { kind: AuthKind::Bearer, name: String::new(), secret: "sk-very-secret".into() };
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
