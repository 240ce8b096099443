//! Which of a client's headers go where.

/// Headers as names (lower-case) and values, in order.
pub type Headers = Vec<(String, Vec<u8>)>;

/// The first value of a header, if it is UTF-8.
#[must_use]
pub fn get<'a>(headers: &'a [(String, Vec<u8>)], name: &str) -> Option<&'a str> {
    let (_, value) = headers.iter().find(|(key, _)| key == name)?;
    std::str::from_utf8(value).ok()
}

/// Whether a client may not set this header: it steers the gateway or Envoy.
#[must_use]
pub fn is_internal(name: &str) -> bool {
    name.starts_with("x-sluice-") || name.starts_with("x-envoy-")
}

/// Whether a client's header goes on to a provider that speaks the client's dialect: not what the client's side added,
/// what the gateway writes itself, and what must not leave.
#[must_use]
pub fn is_forwarded(name: &str) -> bool {
    !name.starts_with(':')
        && !is_internal(name)
        && !name.starts_with("x-forwarded-")
        && !name.starts_with("x-b3-")
        && !name.starts_with("cf-")
        && !name.starts_with("sec-")
        && !matches!(
            name,
            "accept-encoding"
                | "api-key"
                | "authorization"
                | "cdn-loop"
                | "connection"
                | "content-length"
                | "content-type"
                | "cookie"
                | "expect"
                | "forwarded"
                | "host"
                | "keep-alive"
                | "openai-organization"
                | "openai-project"
                | "origin"
                | "priority"
                | "proxy-authorization"
                | "proxy-connection"
                | "referer"
                | "te"
                | "traceparent"
                | "tracestate"
                | "trailer"
                | "transfer-encoding"
                | "upgrade"
                | "via"
                | "x-api-key"
                | "x-goog-api-key"
                | "x-goog-fieldmask"
                | "x-goog-user-project"
                | "x-http-method-override"
                | "x-method-override"
                | "x-real-ip"
                | "x-request-id"
        )
}

/// Whether a provider's reply header goes on to the client. Hop-by-hop and cookie headers do not, nor what no longer
/// holds once a body is rewritten.
#[must_use]
pub fn is_returned(name: &str) -> bool {
    !name.starts_with(':')
        && !is_internal(name)
        && !matches!(
            name,
            "alt-svc"
                | "api-key"
                | "authorization"
                | "connection"
                | "content-encoding"
                | "content-length"
                | "keep-alive"
                | "location"
                | "proxy-authenticate"
                | "set-cookie"
                | "strict-transport-security"
                | "trailer"
                | "transfer-encoding"
                | "upgrade"
                | "www-authenticate"
                | "x-api-key"
                | "x-goog-api-key"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_cookies_and_forwarding_never_leave() {
        for name in [
            "authorization",
            "x-api-key",
            "cookie",
            "x-forwarded-for",
            "x-sluice-retry",
            "x-envoy-max-retries",
            ":path",
        ] {
            assert!(!is_forwarded(name), "{name}");
        }
        for name in ["authorization", "x-api-key", "x-goog-api-key", "api-key", "set-cookie", "location"] {
            assert!(!is_returned(name), "{name}");
        }
        assert!(
            is_forwarded("anthropic-beta") && is_forwarded("user-agent") && is_forwarded("x-stainless-lang")
        );
    }
}
