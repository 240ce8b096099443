use super::*;
use serde_json::{Value, json};

fn upstream(members: Value) -> Upstream {
    let mut provider = json!({"name": "p", "dialect": "openai", "base_url": "https://h/base"});
    for (name, value) in members.as_object().unwrap() {
        provider[name] = value.clone();
    }
    let provider: Provider = serde_json::from_value(provider).unwrap();
    crate::config::Resource::validate(&provider).unwrap();
    Upstream::new(&provider).unwrap()
}

fn path(upstream: &Upstream, endpoint: Endpoint, dialect: Dialect, stream: bool) -> Option<String> {
    let target = upstream.target(endpoint, dialect, "a/b:1", None);
    upstream.path(endpoint, dialect, &target, stream)
}

#[test]
fn a_provider_is_asked_in_the_clients_dialect_where_it_speaks_it() {
    let openai = upstream(json!({"also_speaks": ["responses"]}));
    assert_eq!(openai.dialect_for(Dialect::Responses), Dialect::Responses);
    assert_eq!(openai.dialect_for(Dialect::Openai), Dialect::Openai);
    assert_eq!(openai.dialect_for(Dialect::Gemini), Dialect::Openai);
}

#[test]
fn a_credential_in_the_query_joins_the_one_that_is_there() {
    let auth = json!({"kind": "query", "name": "key", "secret": "a b&c"});
    let plain = upstream(json!({"auth": auth}));
    let found = path(&plain, Endpoint::ChatCompletions, Dialect::Openai, false);
    assert_eq!(found.as_deref(), Some("/base/chat/completions?key=a%20b%26c"));
    let azure = upstream(json!({"auth": auth, "vendor": {"kind": "azure", "api_version": "2024-10-21"}}));
    let found = path(&azure, Endpoint::ChatCompletions, Dialect::Openai, false).unwrap();
    assert!(found.ends_with("?api-version=2024-10-21&key=a%20b%26c"), "{found}");
}

#[test]
fn azure_has_the_deployment_in_the_path() {
    let azure = upstream(json!({
        "base_url": "https://r.openai.azure.com", "also_speaks": ["responses"],
        "vendor": {"kind": "azure", "api_version": "2025-04-01-preview"},
    }));
    let version = "?api-version=2025-04-01-preview";
    for (endpoint, tail) in [
        (Endpoint::ChatCompletions, "chat/completions"),
        (Endpoint::Embeddings, "embeddings"),
        (Endpoint::ImageGenerations, "images/generations"),
    ] {
        let wanted = format!("/openai/deployments/a%2Fb%3A1/{tail}{version}");
        assert_eq!(path(&azure, endpoint, Dialect::Openai, false), Some(wanted));
    }
    assert_eq!(path(&azure, Endpoint::ImageVariations, Dialect::Openai, false), None);
    assert!(azure.target(Endpoint::Responses, Dialect::Responses, "d", None).model_in_body);
}

#[test]
fn vertex_has_the_model_in_the_path() {
    let base = "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5";
    let vertex =
        |dialect: &str| upstream(json!({"base_url": base, "dialect": dialect, "vendor": {"kind": "vertex"}}));
    let models = "/v1/projects/p/locations/us-east5/publishers";
    let claude = vertex("anthropic");
    for (endpoint, stream, tail) in [
        (Endpoint::Messages, false, "a%2Fb%3A1:rawPredict"),
        (Endpoint::ChatCompletions, true, "a%2Fb%3A1:streamRawPredict"),
        (Endpoint::CountMessages, false, "count-tokens:rawPredict"),
    ] {
        let wanted = format!("{models}/anthropic/models/{tail}");
        assert_eq!(path(&claude, endpoint, Dialect::Anthropic, stream), Some(wanted));
        let target = claude.target(endpoint, Dialect::Anthropic, "m", Some(7));
        assert_eq!(target.model_in_body, endpoint == Endpoint::CountMessages);
        assert_eq!(target.extra, [("anthropic_version", "\"vertex-2023-10-16\"")]);
        assert_eq!(target.max_output_tokens, Some(7));
    }
    assert_eq!(path(&claude, Endpoint::Embeddings, Dialect::Anthropic, false), None);
    assert!(claude.defaults(Dialect::Anthropic).is_empty());
    assert!(!claude.takes_header("anthropic-version") && claude.takes_header("anthropic-beta"));
    let gemini = vertex("gemini");
    for (endpoint, stream, tail) in [
        (Endpoint::GenerateContent, false, "generateContent"),
        (Endpoint::Messages, true, "streamGenerateContent?alt=sse"),
        (Endpoint::CountTokens, false, "countTokens"),
    ] {
        let wanted = format!("{models}/google/models/a%2Fb%3A1:{tail}");
        assert_eq!(path(&gemini, endpoint, Dialect::Gemini, stream), Some(wanted));
        assert!(!gemini.target(endpoint, Dialect::Gemini, "m", None).model_in_body);
    }
    let embedder = Target::of("gemini-embedding-001");
    for (endpoint, tail) in
        [(Endpoint::EmbedContent, ":embedContent"), (Endpoint::Embeddings, ":batchEmbedContents")]
    {
        let found = gemini.path(endpoint, Dialect::Gemini, &embedder, false).unwrap();
        assert!(found.ends_with(tail), "{found}");
    }
    for endpoint in [Endpoint::Embeddings, Endpoint::EmbedContent, Endpoint::BatchEmbedContents] {
        let target = gemini.target(endpoint, Dialect::Gemini, "text-embedding-005", None);
        let found = gemini.path(endpoint, Dialect::Gemini, &target, false).unwrap();
        assert!(target.predicts && found.ends_with("/text-embedding-005:predict"), "{found}");
        let target = gemini.target(endpoint, Dialect::Gemini, "gemini-embedding-001", None);
        assert!(!target.predicts);
        let maas = gemini.target(endpoint, Dialect::Gemini, "multilingual-e5-small-maas", None);
        assert_eq!(gemini.path(endpoint, Dialect::Gemini, &maas, false), None);
    }
    assert!(!gemini.target(Endpoint::GenerateContent, Dialect::Gemini, "text-bison", None).predicts);
}

#[test]
fn anthropic_itself_wants_a_version() {
    let anthropic = upstream(json!({"dialect": "anthropic"}));
    assert_eq!(anthropic.defaults(Dialect::Anthropic), [("anthropic-version", "2023-06-01")]);
    assert!(anthropic.takes_header("anthropic-version"));
}

#[test]
fn betas_are_filtered_by_rule() {
    let open = upstream(json!({"dialect": "anthropic"}));
    assert_eq!(open.anthropic_betas("a, b").as_deref(), Some("a, b"));
    let picky = upstream(json!({
        "dialect": "anthropic",
        "anthropic_betas": {"allow": ["context-*", "x"], "deny": ["context-2"]},
    }));
    assert_eq!(picky.anthropic_betas("context-1,context-2 , y,x,,").as_deref(), Some("context-1,x"));
    assert_eq!(picky.anthropic_betas("y"), None);
}

fn signing() -> Upstream {
    upstream(json!({
        "dialect": "bedrock", "base_url": "https://bedrock-runtime.us-east-1.amazonaws.com",
        "auth": {
            "kind": "aws_sigv4", "secret": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            "aws": {"access_key_id": "AKIDEXAMPLE", "region": "us-east-1", "session_token": "SESSION"},
        },
    }))
}

#[test]
fn a_signature_covers_the_request_and_replaces_an_earlier_one() {
    let upstream = signing();
    assert!(upstream.signs() && !upstream.headers.iter().any(|(name, _)| name == "authorization"));
    let mut headers: Vec<(String, Vec<u8>)> = [
        (":method", "POST"),
        (":authority", "bedrock-runtime.us-east-1.amazonaws.com"),
        (":path", "/model/m/converse"),
        ("content-type", "application/json"),
    ]
    .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
    .to_vec();
    upstream.sign(&mut headers, b"{}", 1);
    let first = headers.clone();
    upstream.sign(&mut headers, b"{}", 1_440_938_160);
    assert_eq!(headers.len(), first.len());
    let find = |headers: &[(String, Vec<u8>)], wanted: &str| {
        let found: Vec<_> = headers.iter().filter(|(name, _)| name == wanted).collect();
        assert_eq!(found.len(), 1, "{wanted}");
        String::from_utf8(found[0].1.clone()).unwrap()
    };
    assert_eq!(find(&headers, "x-amz-date"), "20150830T123600Z");
    assert_eq!(find(&headers, "x-amz-security-token"), "SESSION");
    assert_eq!(
        find(&headers, "x-amz-content-sha256"),
        "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    );
    let authorization = find(&headers, "authorization");
    let signed = "SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token,";
    assert!(authorization.contains(signed), "{authorization}");
    assert_ne!(authorization, find(&first, "authorization"));
}

#[test]
fn no_part_of_a_credential_is_shown() {
    let upstream = signing();
    assert!(upstream.is_quoted_in(b"bad token SESSION!"));
    assert_eq!(
        upstream.redact("SESSION of wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
        "[redacted] of [redacted]"
    );
    assert!(!upstream.is_quoted_in(b"AKIDEXAMPLE"));
}

#[test]
fn a_credential_that_is_yet_to_be_minted_is_refused() {
    let provider: Provider = serde_json::from_value(json!({
        "name": "p", "dialect": "gemini", "base_url": "https://h",
        "auth": {"kind": "google_service_account", "secret": "{}"},
    }))
    .unwrap();
    assert!(Upstream::new(&provider).is_err());
}
