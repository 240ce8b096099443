//! Azure OpenAI by deployment. <https://learn.microsoft.com/azure/ai-foundry/openai/reference>
//!
//! Invariant: the base URL is `https://<resource>.openai.azure.com`; the model's id is a deployment's name. The `v1` paths
//! need none of this.

use crate::config::{Dialect, Endpoint};
use crate::dialect::Target;
use crate::wire::percent;

/// OpenAI's own path, as Azure has it; `None` for what Azure does not have.
pub(super) fn path(
    endpoint: Endpoint,
    dialect: Dialect,
    target: &Target<'_>,
    own: &str,
    api_version: &str,
) -> Option<String> {
    if endpoint == Endpoint::ImageVariations {
        return None;
    }
    let (own, query) =
        own.split_once('?').map_or((own, String::new()), |(own, rest)| (own, format!("&{rest}")));
    let deployment = match dialect {
        // Responses belong to the resource; their bodies name the deployment as the model.
        Dialect::Responses => String::new(),
        _ => format!("/deployments/{}", percent::encode(target.model)),
    };
    Some(format!("/openai{deployment}{own}?api-version={api_version}{query}"))
}
