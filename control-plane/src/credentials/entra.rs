//! What a Microsoft Entra application asks for a token with: its id and its secret.
//!
//! Spec: <https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-client-creds-grant-flow>

use super::mint::{Failure, Request};
use sluice::config::Entra;

const AUTHORITY: &str = "https://login.microsoftonline.com";
/// Azure OpenAI and the other services of Azure AI.
const SCOPE: &str = "https://cognitiveservices.azure.com/.default";

/// The request for a token of this scope.
pub(super) fn request(entra: &Entra, secret: &str, scope: Option<&str>) -> Result<Request, Failure> {
    let authority = entra.authority.as_deref().unwrap_or(AUTHORITY).trim_end_matches('/');
    let url = format!("{authority}/{}/oauth2/v2.0/token", entra.tenant);
    let form = vec![
        ("grant_type", "client_credentials".to_owned()),
        ("client_id", entra.client_id.clone()),
        ("client_secret", secret.to_owned()),
        ("scope", scope.unwrap_or(SCOPE).to_owned()),
    ];
    Request::new(url, form)
}
