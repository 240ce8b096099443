//! The settings: one row, made at the first start.

use super::{Outcome, StoreError, Write, load};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sluice::config::{Resource, RetryPolicy, Settings, StoredResponses};
use sqlx::SqlitePool;

/// Makes the row if it is not there.
pub(super) async fn ensure(pool: &SqlitePool) -> Result<(), StoreError> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(StoreError::Random)?;
    let settings = Settings {
        key_prefix: "slc-".into(),
        signing_key: STANDARD.encode(random),
        retry: RetryPolicy::default(),
        first_token_deadline_ms: 60_000,
        max_body_bytes: 64 << 20,
        push_all_keys: true,
        stored_responses: StoredResponses::default(),
    };
    sqlx::query("INSERT INTO settings (id, revision, body) VALUES (1, 0, $1) ON CONFLICT (id) DO NOTHING")
        .bind(load::print("settings", &settings)?)
        .execute(pool)
        .await?;
    Ok(())
}

impl Write {
    /// Replaces the settings.
    pub(crate) async fn put_settings(&mut self, settings: Settings) -> Result<Outcome, StoreError> {
        settings.validate()?;
        if *self.next().settings.value == settings {
            return Ok(Outcome::Unchanged);
        }
        let revision = self.revision();
        sqlx::query("UPDATE settings SET revision = $1, body = $2 WHERE id = 1")
            .bind(revision)
            .bind(load::print("settings", &settings)?)
            .execute(self.connection())
            .await?;
        self.change().settings = load::versioned(revision, settings);
        Ok(Outcome::Update)
    }
}
