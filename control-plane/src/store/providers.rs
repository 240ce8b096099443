//! Providers. Their credential lives in a column of its own and is read and written here only: the one place to
//! encrypt it.

use super::{Outcome, StoreError, Write, load};
use crate::snapshot::Versioned;
use sluice::config::{Provider, Resource};
use sqlx::SqliteConnection;
use std::collections::BTreeMap;

pub(super) async fn all(
    connection: &mut SqliteConnection,
) -> Result<BTreeMap<String, Versioned<Provider>>, StoreError> {
    let rows: Vec<(i64, String, String)> =
        sqlx::query_as("SELECT revision, body, secret FROM providers").fetch_all(connection).await?;
    let mut providers = BTreeMap::new();
    for (revision, body, secret) in rows {
        let mut provider: Provider = load::parse("provider", &body)?;
        provider.auth.secret = secret;
        providers.insert(provider.name.clone(), load::versioned(revision, provider));
    }
    Ok(providers)
}

impl Write {
    /// Adds or replaces a provider.
    pub(crate) async fn put_provider(&mut self, provider: Provider) -> Result<Outcome, StoreError> {
        provider.validate()?;
        let outcome = match self.next().providers.get(&provider.name) {
            Some(stored) if *stored.value == provider => return Ok(Outcome::Unchanged),
            Some(_) => Outcome::Update,
            None => Outcome::Create,
        };
        let mut public = provider.clone();
        let secret = std::mem::take(&mut public.auth.secret);
        let revision = self.revision();
        sqlx::query(
            "INSERT INTO providers (name, revision, body, secret) VALUES ($1, $2, $3, $4)
             ON CONFLICT (name) DO UPDATE SET
               revision = excluded.revision, body = excluded.body, secret = excluded.secret",
        )
        .bind(&provider.name)
        .bind(revision)
        .bind(load::print("provider", &public)?)
        .bind(secret)
        .execute(self.connection())
        .await?;
        self.change().providers.insert(provider.name.clone(), load::versioned(revision, provider));
        Ok(outcome)
    }

    /// Removes a provider, unless a model's channel or the chain of a key that is not revoked names it: a chain
    /// must not grow shorter behind its owner's back.
    pub(crate) async fn remove_provider(&mut self, name: &str) -> Result<(), StoreError> {
        if !self.next().providers.contains_key(name) {
            return Err(StoreError::not_found("provider", name));
        }
        let users: Vec<(String, String)> = sqlx::query_as(
            "SELECT 'model', model_id FROM model_channels WHERE provider = $1
             UNION ALL SELECT 'key', key_id FROM key_targets WHERE provider = $1 LIMIT 4",
        )
        .bind(name)
        .fetch_all(self.connection())
        .await?;
        if !users.is_empty() {
            let users: Vec<String> = users.iter().map(|(kind, id)| format!("{kind} {id}")).collect();
            let message =
                format!("the provider {name:?} is used by {}: change these first", users.join(", "));
            return Err(StoreError::Conflict { code: "in_use", message });
        }
        sqlx::query("DELETE FROM providers WHERE name = $1").bind(name).execute(self.connection()).await?;
        self.change().providers.remove(name);
        Ok(())
    }
}
