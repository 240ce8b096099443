//! Which model a request names, in any of the vendor's ways of naming it, and what that model can do.
//!
//! Spec: <https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html> and
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-supported-models-features.html>

use super::error::{invalid, refuse};
use super::sigv4::decoded;
use crate::simulator::answer::Refusal;
use crate::simulator::catalog::{Catalog, Model};

/// Who made a model, as far as it makes a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Maker {
    /// Anthropic.
    Claude,
    /// Amazon, for conversations.
    Nova,
    /// Anyone else whose models the vendor offers.
    Other,
    /// Nobody known: a model that was registered under a name of its own, which takes what any model takes.
    Unknown,
}

/// A model that a request names.
#[derive(Debug, Clone)]
pub(crate) struct Named<'a> {
    /// The model.
    pub(crate) model: &'a Model,
    /// Whether it was named by an inference profile.
    pub(crate) profile: bool,
    /// Who made it.
    pub(crate) maker: Maker,
}

/// The beginnings of inference profiles that span regions.
const GEOGRAPHIES: &[&str] = &["us.", "eu.", "apac.", "jp.", "au.", "ca.", "us-gov.", "global."];

/// The models that take no requests but by a profile.
const PROFILE_ONLY: &[&str] = &[
    "anthropic.claude-3-7",
    "anthropic.claude-sonnet-4",
    "anthropic.claude-haiku-4",
    "anthropic.claude-opus-4",
    "meta.llama3-3",
    "meta.llama4",
];

/// The makers of all other models.
const OTHERS: &[&str] =
    &["amazon.", "meta.", "mistral.", "cohere.", "openai.", "deepseek.", "ai21.", "qwen."];

/// The models that can be made to call a tool.
const ANY_TOOL: &[&str] = &["anthropic.", "amazon.nova", "mistral."];
/// The models that can be made to call a certain tool.
const ONE_TOOL: &[&str] = &["anthropic.", "amazon.nova"];
/// The models that cache prompts.
const CACHE: &[&str] = &["anthropic.", "amazon.nova"];

fn begins(id: &str, beginnings: &[&str]) -> bool {
    beginnings.iter().any(|beginning| id.starts_with(beginning))
}

/// The id of the model behind a profile, and whether there was one.
fn base(id: &str) -> (&str, bool) {
    match GEOGRAPHIES.iter().find_map(|geography| id.strip_prefix(geography)) {
        Some(base) => (base, true),
        None => (id, false),
    }
}

/// Finds the model that a path's segment names.
pub(crate) fn named<'a>(catalog: &'a Catalog, segment: &str) -> Result<Named<'a>, Refusal> {
    let wrong = || invalid("The provided model identifier is invalid.");
    let id = String::from_utf8(decoded(segment)).map_err(|_| wrong())?;
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-_:./".contains(&byte);
    if id.is_empty() || id.len() > 2048 || !id.bytes().all(fine) {
        return Err(wrong());
    }
    if let Some(model) = catalog.get(&id) {
        return Ok(Named { model, profile: base(&id).1, maker: maker(&id) });
    }
    let (name, by_arn) = if id.starts_with("arn:aws") {
        let (kind, name) = resource(&id).ok_or_else(wrong)?;
        (name, kind == "inference-profile")
    } else {
        (id.as_str(), false)
    };
    let (name, profile) = base(name);
    if by_arn && !profile {
        return Err(wrong());
    }
    let model = catalog.get(name).ok_or_else(wrong)?;
    Ok(Named { model, profile, maker: maker(name) })
}

/// `arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.x.y` without what comes before the kind.
fn resource(arn: &str) -> Option<(&str, &str)> {
    let mut parts = arn.splitn(6, ':');
    let [_, partition, service, region, account, rest] =
        std::array::from_fn(|_| parts.next().unwrap_or_default());
    let (kind, name) = rest.split_once('/')?;
    let owned = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let fits = match kind {
        "foundation-model" => account.is_empty(),
        "inference-profile" | "application-inference-profile" => owned,
        _ => false,
    };
    (partition.starts_with("aws") && service == "bedrock" && !region.is_empty() && fits)
        .then_some((kind, name))
}

fn maker(id: &str) -> Maker {
    let (id, _) = base(id);
    if id.starts_with("anthropic.") {
        Maker::Claude
    } else if id.starts_with("amazon.nova") {
        Maker::Nova
    } else if begins(id, OTHERS) {
        Maker::Other
    } else {
        Maker::Unknown
    }
}

impl Named<'_> {
    fn id(&self) -> &str {
        base(&self.model.id).0
    }

    fn is_among(&self, beginnings: &[&str]) -> bool {
        self.maker == Maker::Unknown || begins(self.id(), beginnings)
    }

    /// Refuses a model that wants its profile named.
    pub(crate) fn on_demand(&self) -> Result<(), Refusal> {
        if self.profile || !begins(self.id(), PROFILE_ONLY) {
            return Ok(());
        }
        Err(invalid(format!(
            "Invocation of model ID {} with on-demand throughput isn’t supported. Retry your request with the ID or ARN \
             of an inference profile that contains this model.",
            self.model.id
        )))
    }

    /// Whether it can be made to call some tool.
    pub(crate) fn takes_any(&self) -> bool {
        self.is_among(ANY_TOOL)
    }

    /// Whether it can be made to call a certain tool.
    pub(crate) fn takes_tool(&self) -> bool {
        self.is_among(ONE_TOOL)
    }

    /// Refuses a marker that the model does not know.
    pub(crate) fn caches(&self) -> Result<(), Refusal> {
        if self.is_among(CACHE) {
            return Ok(());
        }
        let message = "You invoked an unsupported model or your request did not allow prompt caching. See the documentation \
                       for more information.";
        Err(refuse(403, "AccessDeniedException", message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::catalog::Traits;

    #[test]
    fn a_model_has_many_names() {
        let catalog = Catalog::of(&[("anthropic.claude-sonnet-4-5-20250929-v1:0", 1, 1, Traits::Any)]);
        let plain = "anthropic.claude-sonnet-4-5-20250929-v1%3A0";
        let cases = [
            (plain.to_owned(), Some(false)),
            (format!("us.{plain}"), Some(true)),
            (format!("global.{}", plain.replace("%3A", ":")), Some(true)),
            (format!("arn%3Aaws%3Abedrock%3Aus-east-1%3A%3Afoundation-model%2F{plain}"), Some(false)),
            (
                format!("arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Feu.{plain}"),
                Some(true),
            ),
            (format!("arn%3Aaws%3Abedrock%3Aus-east-1%3A12%3Ainference-profile%2Feu.{plain}"), None),
            (format!("arn%3Aaws%3As3%3Aus-east-1%3A%3Afoundation-model%2F{plain}"), None),
            (format!("xx.{plain}"), None),
            (String::new(), None),
            ("a%20b".to_owned(), None),
        ];
        for (name, profile) in cases {
            let found = named(&catalog, &name);
            assert_eq!(found.as_ref().ok().map(|named| named.profile), profile, "{name}");
            if let Ok(found) = found {
                assert_eq!((found.on_demand().is_ok(), found.maker), (found.profile, Maker::Claude));
            }
        }
    }
}
