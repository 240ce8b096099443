//! Tests of what is offered for which environment.

use super::*;
use sluice::config::{AuthKind, Vendor};

const KEY_FILE: &str = include_str!("../../simulator/identity/service_account.json");

/// What is found where these variables are set.
fn found(variables: &[(&str, &str)]) -> Found {
    configured(|name| {
        let known = variables.iter().find(|(known, _)| *known == name);
        known.map(|(_, value)| (*value).to_owned())
    })
}

/// The one offer for these variables.
fn one(variables: &[(&str, &str)]) -> Offer {
    let Found { offers, left_out } = found(variables);
    assert!(left_out.is_empty(), "{left_out:?}");
    let [offer] = offers.try_into().unwrap();
    offer
}

fn left_out(variables: &[(&str, &str)]) -> String {
    let Found { offers, left_out } = found(variables);
    assert!(offers.is_empty(), "{offers:?}");
    let [left_out] = left_out.try_into().unwrap();
    left_out.to_string()
}

fn key_file() -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), KEY_FILE).unwrap();
    file
}

#[test]
fn every_simulated_offer_is_valid_and_of_another_kind() {
    let offers = simulated::offers(|_| Ok::<_, ()>("http://127.0.0.1:1".to_owned())).unwrap();
    assert_eq!(simulated::wanted().len(), offers.len());
    let mut dialects = std::collections::BTreeSet::new();
    for offer in offers {
        assert!(simulated::is_simulated(&offer.provider.name));
        dialects.insert(offer.provider.dialect.name());
        dialects.extend(offer.provider.also_speaks.iter().map(|dialect| dialect.name()));
        assert!(!offer.models.is_empty());
        assert!(offer.models.iter().all(|model| model.channels[0].provider == offer.provider.name));
        offer.checked("").unwrap();
    }
    assert_eq!(dialects.len(), Dialect::ALL.len(), "{dialects:?}");
}

#[test]
fn each_key_opens_its_vendor() {
    let vendors = [
        ("OPENAI_API_KEY", "openai", "api.openai.com"),
        ("ANTHROPIC_API_KEY", "anthropic", "api.anthropic.com"),
        ("GEMINI_API_KEY", "gemini", "generativelanguage.googleapis.com"),
        ("GOOGLE_API_KEY", "gemini", "generativelanguage.googleapis.com"),
        ("GROQ_API_KEY", "groq", "api.groq.com"),
        ("MISTRAL_API_KEY", "mistral", "api.mistral.ai"),
        ("DEEPSEEK_API_KEY", "deepseek", "api.deepseek.com"),
        ("XAI_API_KEY", "xai", "api.x.ai"),
        ("MINIMAX_API_KEY", "minimax", "api.minimax.io"),
        ("TOGETHER_API_KEY", "together", "api.together.xyz"),
        ("FIREWORKS_API_KEY", "fireworks", "api.fireworks.ai"),
        ("OPENROUTER_API_KEY", "openrouter", "openrouter.ai"),
    ];
    for (variable, name, host) in vendors {
        let Offer { provider, models } = one(&[(variable, " secret\n")]);
        assert_eq!((provider.name.as_str(), provider.auth.secret.as_str()), (name, "secret"));
        assert!(provider.base_url.starts_with(&format!("https://{host}/")) || name == "anthropic");
        assert_eq!(provider.stream_usage, name != "mistral");
        assert!(!models.is_empty());
    }
    let all: Vec<(&str, &str)> = vendors.iter().map(|(variable, ..)| (*variable, "secret")).collect();
    // Two variables are for one vendor.
    assert_eq!(found(&all).offers.len(), vendors.len() - 1);
    assert!(found(&[("OPENAI_API_KEY", " ")]).offers.is_empty());
    assert_eq!(
        left_out(&[("OPENAI_API_KEY", "sk-\u{e9}")]),
        "OPENAI_API_KEY: auth.secret: expected printable ASCII"
    );
}

#[test]
fn keys_go_into_the_vendors_own_headers() {
    let auth = |variable| one(&[(variable, "k")]).provider.auth;
    assert_eq!(auth("OPENAI_API_KEY").kind, AuthKind::Bearer);
    for (variable, name) in [("ANTHROPIC_API_KEY", "x-api-key"), ("GEMINI_API_KEY", "x-goog-api-key")] {
        assert_eq!((auth(variable).kind, auth(variable).name.as_str()), (AuthKind::Header, name));
    }
    assert_eq!(one(&[("OPENAI_API_KEY", "k")]).provider.also_speaks, [Dialect::Responses]);
}

#[test]
fn bedrock_takes_a_key_pair_or_a_key_of_its_own() {
    let pair = [("AWS_ACCESS_KEY_ID", "AKIA1"), ("AWS_SECRET_ACCESS_KEY", "s"), ("AWS_REGION", "eu-west-1")];
    let Offer { provider, .. } = one(&pair);
    assert_eq!(provider.base_url, "https://bedrock-runtime.eu-west-1.amazonaws.com");
    assert_eq!((provider.auth.kind, provider.auth.secret.as_str()), (AuthKind::AwsSigv4, "s"));
    let aws = provider.auth.aws.unwrap();
    assert_eq!((aws.access_key_id.as_str(), aws.session_token), ("AKIA1", None));

    let temporary = [pair.as_slice(), &[("AWS_SESSION_TOKEN", "t")]].concat();
    assert_eq!(one(&temporary).provider.auth.aws.unwrap().session_token.as_deref(), Some("t"));

    let both = [pair.as_slice(), &[("AWS_BEARER_TOKEN_BEDROCK", "b")]].concat();
    let auth = one(&both).provider.auth;
    assert_eq!((auth.kind, auth.secret.as_str(), auth.aws), (AuthKind::Bearer, "b", None));

    assert_eq!(left_out(&pair[..2]), "AWS_SECRET_ACCESS_KEY is set, and AWS_REGION is not");
    assert_eq!(left_out(&pair[1..]), "AWS_SECRET_ACCESS_KEY is set, and AWS_ACCESS_KEY_ID is not");
    let elsewhere = [pair[0], pair[1], ("AWS_DEFAULT_REGION", "us-west-2")];
    assert_eq!(one(&elsewhere).provider.auth.aws.unwrap().region, "us-west-2");
}

#[test]
fn azure_goes_by_deployment_where_a_version_is_named() {
    let key = ("AZURE_OPENAI_API_KEY", "k");
    for endpoint in
        ["https://r.openai.azure.com", "https://r.openai.azure.com/", "https://r.openai.azure.com/openai/v1/"]
    {
        let endpoint = ("AZURE_OPENAI_ENDPOINT", endpoint);
        let Offer { provider, models } = one(&[key, endpoint]);
        assert_eq!(provider.base_url, "https://r.openai.azure.com/openai/v1");
        assert_eq!((provider.vendor, provider.also_speaks), (None, vec![Dialect::Responses]));
        assert_eq!(models[0].channels[0].upstream_id, "gpt-4o-mini");

        for (version, speaks) in [("2024-10-21", vec![]), ("2025-04-01-preview", vec![Dialect::Responses])] {
            let Offer { provider, .. } = one(&[key, endpoint, ("OPENAI_API_VERSION", version)]);
            assert_eq!(provider.base_url, "https://r.openai.azure.com");
            assert_eq!(provider.vendor, Some(Vendor::Azure { api_version: version.to_owned() }));
            assert_eq!(provider.also_speaks, speaks);
        }
        let Offer { models, .. } = one(&[key, endpoint, ("AZURE_OPENAI_DEPLOYMENT", "mine")]);
        assert_eq!((models[0].id.as_str(), models[0].channels[0].upstream_id.as_str()), ("mine", "mine"));
    }
    assert_eq!(left_out(&[key]), "AZURE_OPENAI_API_KEY is set, and AZURE_OPENAI_ENDPOINT is not");
    assert_eq!(
        left_out(&[key, ("AZURE_OPENAI_ENDPOINT", "r.openai.azure.com")]),
        "AZURE_OPENAI_ENDPOINT: base_url: expected https://host[:port][/path]"
    );
}

#[test]
fn a_service_account_opens_gemini_and_claude_on_vertex() {
    let file = key_file();
    let credentials = ("GOOGLE_APPLICATION_CREDENTIALS", file.path().to_str().unwrap());
    let Found { offers, left_out } = found(&[credentials, ("GOOGLE_CLOUD_PROJECT", "p1")]);
    assert!(left_out.is_empty());
    let names: Vec<&str> = offers.iter().map(|offer| offer.provider.name.as_str()).collect();
    assert_eq!(names, ["vertex", "vertex-claude"]);
    for Offer { provider, .. } in &offers {
        assert_eq!(provider.base_url, "https://aiplatform.googleapis.com/v1/projects/p1/locations/global");
        assert_eq!(
            (provider.auth.kind, &provider.vendor),
            (AuthKind::GoogleServiceAccount, &Some(Vendor::Vertex {}))
        );
    }
    for (location, host) in
        [("us-east5", "us-east5-aiplatform.googleapis.com"), ("eu", "aiplatform.eu.rep.googleapis.com")]
    {
        let offers = found(&[credentials, ("GOOGLE_CLOUD_LOCATION", location)]).offers;
        // The file knows its project.
        let own = format!("https://{host}/v1/projects/simulated-project/locations/{location}");
        assert_eq!(offers[1].provider.base_url, own);
    }
}

#[test]
fn a_key_file_of_no_use_is_told() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let credentials = [("GOOGLE_APPLICATION_CREDENTIALS", file.path().to_str().unwrap())];
    std::fs::write(file.path(), r#"{"type": "authorized_user", "client_id": "x"}"#).unwrap();
    assert_eq!(
        left_out(&credentials),
        "GOOGLE_APPLICATION_CREDENTIALS is set, and GOOGLE_CLOUD_PROJECT is not"
    );
    let told = left_out(&[credentials[0], ("GOOGLE_CLOUD_PROJECT", "p1")]);
    assert!(told.contains("expected the JSON key file of a service account"), "{told}");
    let told = left_out(&[("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")]);
    assert!(told.starts_with("GOOGLE_APPLICATION_CREDENTIALS: /nowhere/key.json: No such file"), "{told}");
}
