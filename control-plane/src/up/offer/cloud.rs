//! The clouds, whose credentials are made of several variables, by the names that the clouds' own libraries read.

use super::catalog::{self, Row};
use super::{Environment, LeftOut, Offer, provider};
use serde::Deserialize;
use sluice::config::{Auth, AuthKind, Aws, Dialect, Vendor};

const BEDROCK: &[Row] = &[
    (&catalog::CLAUDE_HAIKU_4_5, "global.anthropic.claude-haiku-4-5-20251001-v1:0"),
    (&catalog::TITAN_EMBED_TEXT_V2, "amazon.titan-embed-text-v2:0"),
];
const VERTEX: &[Row] = &[
    (&catalog::GEMINI_3_8_FLASH, "gemini-3.8-flash"),
    (&catalog::GEMINI_EMBEDDING_001, "gemini-embedding-001"),
];
const VERTEX_CLAUDE: &[Row] = &[(&catalog::CLAUDE_HAIKU_4_5, "claude-haiku-4-5@20251001")];
const AZURE: &[Row] = &[(&catalog::GPT_4O_MINI, "gpt-4o-mini")];

const AWS_REGION: &[&str] = &["AWS_REGION", "AWS_DEFAULT_REGION"];
const AZURE_DEPLOYMENT: &[&str] = &["AZURE_OPENAI_DEPLOYMENT", "AZURE_OPENAI_DEPLOYMENT_NAME"];
/// The first version of Azure's API that has Responses.
const RESPONSES_SINCE: &str = "2025-03-01";

/// Amazon Bedrock: an API key of its own, or a key pair that signs.
pub(super) fn bedrock(environment: &Environment<'_>) -> Option<Result<Offer, LeftOut>> {
    let bearer = environment.first(&["AWS_BEARER_TOKEN_BEDROCK"]);
    let (variable, secret) = bearer.or_else(|| environment.first(&["AWS_SECRET_ACCESS_KEY"]))?;
    let region = match environment.needed_by(variable, AWS_REGION) {
        Ok(region) => region,
        Err(left_out) => return Some(Err(left_out)),
    };
    let auth = if variable == "AWS_BEARER_TOKEN_BEDROCK" {
        Auth { kind: AuthKind::Bearer, secret, ..Auth::default() }
    } else {
        let access_key_id = match environment.needed_by(variable, &["AWS_ACCESS_KEY_ID"]) {
            Ok(id) => id,
            Err(left_out) => return Some(Err(left_out)),
        };
        let session_token = environment.get("AWS_SESSION_TOKEN");
        let aws = Aws { access_key_id, region: region.clone(), session_token, service: "bedrock".to_owned() };
        Auth { kind: AuthKind::AwsSigv4, secret, aws: Some(aws), ..Auth::default() }
    };
    let base_url = format!("https://bedrock-runtime.{region}.amazonaws.com");
    let provider = provider("bedrock", Dialect::Bedrock, base_url, auth);
    Some(Offer::new(provider, BEDROCK).checked(variable))
}

/// Azure OpenAI: by deployment where a version is named, by the paths that need none elsewhere.
pub(super) fn azure(environment: &Environment<'_>) -> Option<Result<Offer, LeftOut>> {
    let (variable, secret) = environment.first(&["AZURE_OPENAI_API_KEY"])?;
    let endpoint = match environment.needed_by(variable, &["AZURE_OPENAI_ENDPOINT"]) {
        Ok(endpoint) => endpoint,
        Err(left_out) => return Some(Err(left_out)),
    };
    let endpoint = endpoint.trim_end_matches('/').trim_end_matches("/openai/v1").trim_end_matches("/openai");
    let auth = Auth { kind: AuthKind::Header, name: "api-key".to_owned(), secret, ..Auth::default() };
    let mut provider = provider("azure", Dialect::Openai, endpoint.to_owned(), auth);
    provider.also_speaks = vec![Dialect::Responses];
    match environment.get("OPENAI_API_VERSION") {
        Some(api_version) => {
            if api_version.as_str() < RESPONSES_SINCE {
                provider.also_speaks.clear();
            }
            provider.vendor = Some(Vendor::Azure { api_version });
        }
        None => provider.base_url.push_str("/openai/v1"),
    }
    let offer = match environment.first(AZURE_DEPLOYMENT) {
        Some((_, deployment)) => {
            let model = catalog::named(&deployment, "azure", &deployment);
            Offer { provider, models: vec![model] }
        }
        // A deployment is called like its model unless somebody gives it another name.
        None => Offer::new(provider, AZURE),
    };
    Some(offer.checked("AZURE_OPENAI_ENDPOINT"))
}

#[derive(Deserialize)]
struct KeyFile {
    #[serde(default)]
    project_id: Option<String>,
}

/// Google's Vertex AI, with the key file of a service account: Gemini, and Claude.
pub(super) fn vertex(environment: &Environment<'_>) -> Vec<Result<Offer, LeftOut>> {
    const VARIABLE: &str = "GOOGLE_APPLICATION_CREDENTIALS";
    let Some(path) = environment.get(VARIABLE) else { return Vec::new() };
    let secret = match std::fs::read_to_string(&path) {
        Ok(secret) => secret,
        Err(source) => return vec![Err(LeftOut::Unreadable { variable: VARIABLE, path, source })],
    };
    let own = serde_json::from_str(&secret).ok().and_then(|file: KeyFile| file.project_id);
    let named = environment.get("GOOGLE_CLOUD_PROJECT").or(own);
    let Some(project) = named else {
        return vec![Err(LeftOut::Incomplete { has: VARIABLE, lacks: "GOOGLE_CLOUD_PROJECT" })];
    };
    let location = environment.get("GOOGLE_CLOUD_LOCATION").unwrap_or_else(|| "global".to_owned());
    let base_url = vertex_url(&project, &location);
    let auth = Auth { kind: AuthKind::GoogleServiceAccount, secret, ..Auth::default() };
    let offer = |name, dialect, models| {
        let mut provider = provider(name, dialect, base_url.clone(), auth.clone());
        provider.vendor = Some(Vendor::Vertex {});
        Offer::new(provider, models).checked(VARIABLE)
    };
    let gemini = offer("vertex", Dialect::Gemini, VERTEX);
    // What is wrong with the one is wrong with both.
    if gemini.is_err() {
        return vec![gemini];
    }
    vec![gemini, offer("vertex-claude", Dialect::Anthropic, VERTEX_CLAUDE)]
}

fn vertex_url(project: &str, location: &str) -> String {
    let host = match location {
        "global" => "aiplatform.googleapis.com".to_owned(),
        "us" | "eu" => format!("aiplatform.{location}.rep.googleapis.com"),
        region => format!("{region}-aiplatform.googleapis.com"),
    };
    format!("https://{host}/v1/projects/{project}/locations/{location}")
}
