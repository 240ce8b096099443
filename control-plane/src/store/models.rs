//! Models. An id or alias means one model only, which the table of names enforces.

use super::{Outcome, StoreError, Write, load};
use sluice::config::{Model, Resource};
use std::collections::BTreeSet;

impl Write {
    /// Adds or replaces a model; its channels must name providers that exist.
    pub(crate) async fn put_model(&mut self, model: Model) -> Result<Outcome, StoreError> {
        model.validate()?;
        for (at, channel) in model.channels.iter().enumerate() {
            if !self.next().providers.contains_key(&channel.provider) {
                return Err(StoreError::unknown_provider(
                    format!("channels[{at}].provider"),
                    &channel.provider,
                ));
            }
        }
        let outcome = match self.next().models.get(&model.id) {
            Some(stored) if *stored.value == model => return Ok(Outcome::Unchanged),
            Some(_) => Outcome::Update,
            None => Outcome::Create,
        };
        let revision = self.revision();
        sqlx::query(
            "INSERT INTO models (id, revision, body) VALUES ($1, $2, $3)
             ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, body = excluded.body",
        )
        .bind(&model.id)
        .bind(revision)
        .bind(load::print("model", &model)?)
        .execute(self.connection())
        .await?;
        self.put_names(&model).await?;
        self.change().models.insert(model.id.clone(), load::versioned(revision, model));
        Ok(outcome)
    }

    async fn put_names(&mut self, model: &Model) -> Result<(), StoreError> {
        for table in
            ["DELETE FROM model_names WHERE model_id = $1", "DELETE FROM model_channels WHERE model_id = $1"]
        {
            sqlx::query(table).bind(&model.id).execute(self.connection()).await?;
        }
        let names: BTreeSet<&String> = model.aliases.iter().chain([&model.id]).collect();
        for name in names {
            sqlx::query("INSERT INTO model_names (name, model_id) VALUES ($1, $2)")
                .bind(name)
                .bind(&model.id)
                .execute(self.connection())
                .await?;
        }
        let providers: BTreeSet<&String> = model.channels.iter().map(|channel| &channel.provider).collect();
        for provider in providers {
            sqlx::query("INSERT INTO model_channels (model_id, provider) VALUES ($1, $2)")
                .bind(&model.id)
                .bind(provider)
                .execute(self.connection())
                .await?;
        }
        Ok(())
    }

    /// Removes a model. A chain that names it goes on: its targets then mean the provider's own id.
    pub(crate) async fn remove_model(&mut self, id: &str) -> Result<(), StoreError> {
        if !self.next().models.contains_key(id) {
            return Err(StoreError::not_found("model", id));
        }
        sqlx::query("DELETE FROM models WHERE id = $1").bind(id).execute(self.connection()).await?;
        self.change().models.remove(id);
        Ok(())
    }
}
