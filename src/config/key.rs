//! A client's credential and its policy.

use super::{Invalid, Model, Resource, RetryPolicy, is_model_id, is_name, type_url};
use serde::{Deserialize, Serialize};

/// A key as the module knows it: only a hash of the secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Base62, [`super::token::ID_LEN`] characters.
    pub id: String,
    /// Lower-case hex SHA-256 of the secret part.
    pub secret_hash: String,
    /// The secret before the last rotation, while it is still honoured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_secret: Option<PreviousSecret>,
    /// What its owner calls it.
    #[serde(default)]
    pub name: String,
    /// The organization that pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// Whether it may be used.
    #[serde(default)]
    pub status: KeyStatus,
    /// Unix seconds after which it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<u64>,
    /// What follows a failure, and what `auto` means.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<Step>,
    /// In which order the chain is tried.
    #[serde(default)]
    pub strategy: Strategy,
    /// Which models it may ask for and be served by, by id or alias; `*` at the end of a pattern matches the rest. With
    /// any rule, models that the catalog does not have serve only in the key's chain.
    #[serde(default, skip_serializing_if = "Access::is_open")]
    pub models: Access,
    /// Which providers may serve it.
    #[serde(default, skip_serializing_if = "Access::is_open")]
    pub providers: Access,
    /// Which endpoints it may call, by [`super::Endpoint::name`].
    #[serde(default, skip_serializing_if = "Access::is_open")]
    pub endpoints: Access,
    /// Its retry policy; the fleet's if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetryPolicy>,
    /// What happens to fields that the upstream's dialect cannot carry.
    #[serde(default)]
    pub loss: LossPolicy,
}

/// A rotated secret's grace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviousSecret {
    /// Lower-case hex SHA-256.
    pub hash: String,
    /// Unix seconds until which it is honoured.
    pub until: u64,
}

/// Whether a key may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum KeyStatus {
    /// Yes.
    #[default]
    Active,
    /// Not now; it can be enabled again.
    Disabled,
    /// Never again.
    Revoked,
}

/// One step of a chain: a target, or a weighted group of targets of which one is drawn per request (the others
/// follow it by falling weight).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Step {
    /// At least one; exactly one for a plain step.
    pub targets: Vec<Target>,
}

/// A provider and a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Target {
    /// [`super::Provider::name`].
    pub provider: String,
    /// A public model id that the provider serves, or the id that the provider's own API takes.
    pub model: String,
    /// Share within a group.
    #[serde(default = "default_weight")]
    pub weight: u32,
}

/// In which order a chain is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// As written.
    #[default]
    Ordered,
}

/// What happens to fields that the upstream's dialect cannot carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LossPolicy {
    /// They are dropped and named in `x-sluice-dropped-params` and in the record.
    #[default]
    Report,
    /// The request is a 400 that names them.
    Strict,
}

/// Allow and deny lists. Deny wins; an empty allow list allows all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Access {
    /// If not empty, only what matches one of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<String>,
    /// Never what matches one of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deny: Vec<String>,
}

impl Access {
    /// Whether there is no rule at all.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.allow.is_empty() && self.deny.is_empty()
    }

    /// Whether `name` is allowed.
    #[must_use]
    pub fn permits(&self, name: &str) -> bool {
        self.permits_one(&[name])
    }

    /// Whether the one thing that has all these names is allowed: whichever of them a rule says.
    fn permits_one(&self, names: &[&str]) -> bool {
        let matches = |pattern: &String| match pattern.strip_suffix('*') {
            Some(prefix) => names.iter().any(|name| name.starts_with(prefix)),
            None => names.contains(&pattern.as_str()),
        };
        !self.deny.iter().any(matches) && (self.allow.is_empty() || self.allow.iter().any(matches))
    }
}

impl Key {
    /// Whether it may use a model, under any of its public names.
    #[must_use]
    pub fn may_use(&self, model: &Model) -> bool {
        if self.models.is_open() {
            return true;
        }
        let names: Vec<&str> = std::iter::once(&model.id).chain(&model.aliases).map(String::as_str).collect();
        self.models.permits_one(&names)
    }
}

const fn default_weight() -> u32 {
    1
}

impl Step {
    /// A plain step.
    #[must_use]
    pub fn single(provider: &str, model: &str) -> Self {
        Self { targets: vec![Target { provider: provider.to_owned(), model: model.to_owned(), weight: 1 }] }
    }
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// An endpoint's name, or a pattern that at least one has.
fn is_endpoint(pattern: &str) -> bool {
    let access = Access { allow: vec![pattern.to_owned()], deny: vec![] };
    super::Endpoint::ALL.iter().any(|endpoint| access.permits(endpoint.name()))
}

impl Resource for Key {
    const TYPE_URL: &'static str = type_url::KEY;

    fn validate(&self) -> Result<(), Invalid> {
        if self.id.len() != super::token::ID_LEN || !self.id.bytes().all(|byte| byte.is_ascii_alphanumeric())
        {
            return Err(Invalid::rule("id", "12 of [A-Za-z0-9]"));
        }
        let previous_ok = self.previous_secret.as_ref().is_none_or(|previous| is_hash(&previous.hash));
        if !is_hash(&self.secret_hash) || !previous_ok {
            return Err(Invalid::rule("secret_hash", "64 lower-case hex digits"));
        }
        if self.chain.len() > 16 {
            return Err(Invalid::rule("chain", "at most 16 steps"));
        }
        for step in &self.chain {
            if step.targets.is_empty() || step.targets.len() > 16 {
                return Err(Invalid::rule("chain[].targets", "1 to 16 targets"));
            }
            for target in &step.targets {
                if !is_name(&target.provider) || !is_model_id(&target.model) || target.weight == 0 {
                    return Err(Invalid::rule(
                        "chain[].targets[]",
                        "a provider, a model and a weight of at least 1",
                    ));
                }
            }
        }
        // A word that is no endpoint's would deny nothing, or allow nothing, unnoticed.
        if !self.endpoints.allow.iter().chain(&self.endpoints.deny).all(|name| is_endpoint(name)) {
            return Err(Invalid::rule(
                "endpoints",
                "names of endpoints, such as chat.completions, responses, messages, gemini.*, embeddings, images.*",
            ));
        }
        self.retry.as_ref().map_or(Ok(()), RetryPolicy::validate)
    }
}

#[cfg(test)]
mod tests {
    use super::{Access, is_endpoint};

    #[test]
    fn deny_wins_and_an_empty_allow_list_allows() {
        let access = |allow: &[&str], deny: &[&str]| Access {
            allow: allow.iter().map(ToString::to_string).collect(),
            deny: deny.iter().map(ToString::to_string).collect(),
        };
        assert!(access(&[], &[]).permits("x"));
        assert!(access(&["gpt-*"], &[]).permits("gpt-4o"));
        assert!(!access(&["gpt-*"], &[]).permits("claude"));
        assert!(!access(&["gpt-*"], &["gpt-4*"]).permits("gpt-4o"));
        assert!(!access(&[], &["x"]).permits("x"));
    }

    #[test]
    fn access_rules_name_endpoints_that_exist() {
        assert!(["chat.completions", "messages", "*", "chat.*"].iter().all(|good| is_endpoint(good)));
        assert!(["", "chat", "chat.completion", "/v1/messages"].iter().all(|bad| !is_endpoint(bad)));
    }
}
