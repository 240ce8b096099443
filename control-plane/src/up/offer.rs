//! What `sluice up` can set up by itself: vendors whose credentials are in the environment, or the simulator.
//!
//! Invariant: an offer is valid as it stands; what the environment says and nothing can be made of is told, never
//! dropped in silence.

mod catalog;
mod cloud;
pub(super) mod simulated;
mod vendor;

use crate::credentials;
use catalog::Row;
use sluice::config::{Access, Auth, Dialect, Model, Provider, Resource as _};
use std::collections::BTreeMap;

/// A provider and some of its models, the one for the chain first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Offer {
    /// The provider, its credential included.
    pub(super) provider: Provider,
    /// At least one.
    pub(super) models: Vec<Model>,
}

/// What the environment says and nothing can be made of.
#[derive(Debug, thiserror::Error)]
pub(super) enum LeftOut {
    /// One variable is of no use without another.
    #[error("{has} is set, and {lacks} is not")]
    Incomplete { has: &'static str, lacks: &'static str },
    /// A file that a variable names.
    #[error("{variable}: {path}: {source}")]
    Unreadable { variable: &'static str, path: String, source: std::io::Error },
    /// A value that cannot be right.
    #[error("{variable}: {reason}")]
    Unfit { variable: &'static str, reason: sluice::config::Invalid },
    /// A credential that no token could be minted from.
    #[error("{variable}: {reason}")]
    Unmintable { variable: &'static str, reason: credentials::Failure },
}

/// What was found in the environment.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// What can be used.
    pub(super) offers: Vec<Offer>,
    /// What cannot.
    pub(super) left_out: Vec<LeftOut>,
}

/// The environment's variables.
pub(super) struct Environment<'a>(&'a dyn Fn(&str) -> Option<String>);

impl Environment<'_> {
    /// A value that says something.
    fn get(&self, name: &str) -> Option<String> {
        let value = (self.0)(name)?.trim().to_owned();
        (!value.is_empty()).then_some(value)
    }

    /// The first of these that says something.
    fn first(&self, names: &[&'static str]) -> Option<(&'static str, String)> {
        names.iter().find_map(|&name| Some((name, self.get(name)?)))
    }

    /// The first of these, without which `variable` is of no use.
    fn needed_by(&self, variable: &'static str, names: &[&'static str]) -> Result<String, LeftOut> {
        let lacks = names.first().copied().unwrap_or_default();
        let found = self.first(names).map(|(_, value)| value);
        found.ok_or(LeftOut::Incomplete { has: variable, lacks })
    }
}

/// What `variable` knows the credentials of, in the order of the chain.
pub(super) fn configured(variable: impl Fn(&str) -> Option<String>) -> Found {
    let environment = Environment(&variable);
    let mut found = Found::default();
    let clouds = [cloud::bedrock(&environment), cloud::azure(&environment)];
    let all = vendor::offers(&environment)
        .into_iter()
        .chain(clouds.into_iter().flatten())
        .chain(cloud::vertex(&environment));
    for offer in all {
        match offer {
            Ok(offer) => found.offers.push(offer),
            Err(left_out) => found.left_out.push(left_out),
        }
    }
    found
}

/// A provider about which there is nothing special.
fn provider(name: &str, dialect: Dialect, base_url: String, auth: Auth) -> Provider {
    Provider {
        name: name.to_owned(),
        dialect,
        also_speaks: Vec::new(),
        vendor: None,
        base_url,
        auth,
        first_token_deadline_ms: None,
        headers: BTreeMap::new(),
        stream_usage: true,
        anthropic_betas: Access::default(),
        enabled: true,
        cluster: None,
    }
}

impl Offer {
    fn new(provider: Provider, models: &[Row]) -> Self {
        let models = models.iter().map(|(facts, id)| facts.at(&provider.name, id)).collect();
        Self { provider, models }
    }

    /// Itself, unless what came from the environment cannot be right; `variable` is the one to look at.
    fn checked(self, variable: &'static str) -> Result<Self, LeftOut> {
        self.provider.validate().map_err(|reason| LeftOut::Unfit { variable, reason })?;
        for model in &self.models {
            model.validate().map_err(|reason| LeftOut::Unfit { variable, reason })?;
        }
        if self.provider.auth.kind.is_minted() {
            credentials::check(&self.provider.auth)
                .map_err(|reason| LeftOut::Unmintable { variable, reason })?;
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests;
