//! Keys. Only hashes of their secrets are stored; a token exists in the answer that made it and nowhere else.

use super::{Outcome, Store, StoreError, Write, load};
use sluice::config::token::{ID_LEN, Minted, SECRET_LEN, SigningKey, mint};
use sluice::config::{
    Access, Key, KeyStatus, LossPolicy, PreviousSecret, Resource, RetryPolicy, Step, Strategy,
};
use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

/// What its owner decides about a new key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct NewKey {
    /// [`Key::name`]
    pub(crate) name: String,
    /// [`Key::organization`]
    pub(crate) organization: Option<String>,
    /// [`Key::status`]
    pub(crate) status: KeyStatus,
    /// [`Key::expires_at`]
    pub(crate) expires_at: Option<u64>,
    /// [`Key::chain`]
    pub(crate) chain: Vec<Step>,
    /// [`Key::strategy`]
    pub(crate) strategy: Strategy,
    /// [`Key::models`]
    pub(crate) models: Access,
    /// [`Key::providers`]
    pub(crate) providers: Access,
    /// [`Key::endpoints`]
    pub(crate) endpoints: Access,
    /// [`Key::retry`]
    pub(crate) retry: Option<RetryPolicy>,
    /// [`Key::loss`]
    pub(crate) loss: LossPolicy,
}

impl NewKey {
    /// `key` with everything that its owner decides replaced.
    pub(crate) fn over(self, key: &Key) -> Key {
        let Self {
            name,
            organization,
            status,
            expires_at,
            chain,
            strategy,
            models,
            providers,
            endpoints,
            retry,
            loss,
        } = self;
        Key {
            id: key.id.clone(),
            secret_hash: key.secret_hash.clone(),
            previous_secret: key.previous_secret.clone(),
            name,
            organization,
            status,
            expires_at,
            chain,
            strategy,
            models,
            providers,
            endpoints,
            retry,
            loss,
        }
    }
}

/// A key and its token, which cannot be had again.
pub(crate) struct ShownOnce {
    /// The key as it is stored.
    pub(crate) row: KeyRow,
    /// What the client presents.
    pub(crate) token: String,
}

/// A key and what is only for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyRow {
    /// The key.
    pub(crate) key: Key,
    /// Prefix, first and last characters of the token.
    pub(crate) display: String,
    /// Unix microseconds.
    pub(crate) created_us: u64,
    /// Revision of the last change.
    pub(crate) revision: u64,
}

/// Where a page of keys ended: listings go from the newest to the oldest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyCursor {
    /// [`KeyRow::created_us`] of the last one shown.
    pub(crate) created_us: u64,
    /// Its id.
    pub(crate) id: String,
}

type Columns = (String, String, i64, i64);

fn row((body, display, created_us, revision): Columns) -> Result<KeyRow, StoreError> {
    let key = load::parse("key", &body)?;
    Ok(KeyRow { key, display, created_us: load::count(created_us), revision: load::count(revision) })
}

impl Store {
    /// One key.
    pub(crate) async fn key(&self, id: &str) -> Result<KeyRow, StoreError> {
        let columns: Option<Columns> =
            sqlx::query_as("SELECT body, display, created_us, revision FROM keys WHERE id = $1")
                .bind(id)
                .fetch_optional(&self.read)
                .await?;
        columns.map_or_else(|| Err(StoreError::not_found("key", id)), row)
    }

    /// Up to `limit` keys older than `after`, the newest first; with `name`, only those of that name.
    pub(crate) async fn keys(
        &self,
        name: Option<&str>,
        after: Option<&KeyCursor>,
        limit: u32,
    ) -> Result<Vec<KeyRow>, StoreError> {
        let (created_us, id) =
            after.map_or((i64::MAX, ""), |after| (load::stored(after.created_us), &after.id));
        let rows: Vec<Columns> = sqlx::query_as(
            "SELECT body, display, created_us, revision FROM keys
             WHERE (created_us, id) < ($1, $2) AND ($3 IS NULL OR name = $3)
             ORDER BY created_us DESC, id DESC LIMIT $4",
        )
        .bind(created_us)
        .bind(id)
        .bind(name)
        .bind(i64::from(limit))
        .fetch_all(&self.read)
        .await?;
        rows.into_iter().map(row).collect()
    }
}

/// Unix microseconds.
fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

impl Write {
    fn mint(&self, id: Option<&str>) -> Result<Minted, StoreError> {
        let settings = &self.next().settings.value;
        let Some(signing_key) = SigningKey::from_base64(&settings.signing_key) else {
            return Err(StoreError::Corrupt("settings", "signing_key is not base64 of 32 bytes".into()));
        };
        let mut random = [0; ID_LEN + SECRET_LEN];
        getrandom::fill(&mut random).map_err(StoreError::Random)?;
        Ok(mint(&settings.key_prefix, &signing_key, &random, id))
    }

    /// Adds a key.
    pub(crate) async fn add_key(&mut self, new: NewKey) -> Result<ShownOnce, StoreError> {
        let minted = self.mint(None)?;
        let blank = Key { id: minted.id, secret_hash: minted.secret_hash, ..blank() };
        let key = new.over(&blank);
        self.check_key(&key)?;
        let (revision, created_us) = (self.revision(), load::stored(now_us()));
        sqlx::query(
            "INSERT INTO keys (id, revision, name, display, created_us, body) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(&key.id)
        .bind(revision)
        .bind(&key.name)
        .bind(&minted.display)
        .bind(created_us)
        .bind(load::print("key", &key)?)
        .execute(self.connection())
        .await?;
        self.put_targets(&key).await?;
        self.change().keys.insert(key.id.clone(), load::versioned(revision, key.clone()));
        let columns = (load::print("key", &key)?, minted.display, created_us, revision);
        Ok(ShownOnce { row: row(columns)?, token: minted.token })
    }

    fn check_key(&self, key: &Key) -> Result<(), StoreError> {
        key.validate()?;
        for (step_at, step) in key.chain.iter().enumerate() {
            for (target_at, target) in step.targets.iter().enumerate() {
                if !self.next().providers.contains_key(&target.provider) {
                    let path = format!("chain[{step_at}].targets[{target_at}].provider");
                    return Err(StoreError::unknown_provider(path, &target.provider));
                }
            }
        }
        Ok(())
    }

    async fn put_targets(&mut self, key: &Key) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM key_targets WHERE key_id = $1")
            .bind(&key.id)
            .execute(self.connection())
            .await?;
        if key.status == KeyStatus::Revoked {
            return Ok(());
        }
        let targets: BTreeSet<&String> =
            key.chain.iter().flat_map(|step| &step.targets).map(|target| &target.provider).collect();
        for provider in targets {
            sqlx::query("INSERT INTO key_targets (key_id, provider) VALUES ($1, $2)")
                .bind(&key.id)
                .bind(provider)
                .execute(self.connection())
                .await?;
        }
        Ok(())
    }

    /// A key that may still be changed: revocation is final.
    pub(crate) fn live_key(&self, id: &str) -> Result<Key, StoreError> {
        let Some(stored) = self.next().keys.get(id) else { return Err(StoreError::not_found("key", id)) };
        if stored.value.status == KeyStatus::Revoked {
            let message = format!("the key {id:?} is revoked, which is final: create another one");
            return Err(StoreError::Conflict { code: "key_revoked", message });
        }
        Ok((*stored.value).clone())
    }

    /// Replaces a key that is not revoked.
    pub(crate) async fn put_key(&mut self, key: Key) -> Result<Outcome, StoreError> {
        if self.live_key(&key.id)? == key {
            return Ok(Outcome::Unchanged);
        }
        self.check_key(&key)?;
        let revision = self.revision();
        sqlx::query("UPDATE keys SET revision = $1, name = $2, body = $3 WHERE id = $4")
            .bind(revision)
            .bind(&key.name)
            .bind(load::print("key", &key)?)
            .bind(&key.id)
            .execute(self.connection())
            .await?;
        self.put_targets(&key).await?;
        self.change().keys.insert(key.id.clone(), load::versioned(revision, key));
        Ok(Outcome::Update)
    }

    /// Gives a key a new secret. The old one is honoured for `grace_seconds` more.
    pub(crate) async fn rotate_key(&mut self, id: &str, grace_seconds: u64) -> Result<String, StoreError> {
        let mut key = self.live_key(id)?;
        let minted = self.mint(Some(id))?;
        let old = std::mem::replace(&mut key.secret_hash, minted.secret_hash);
        let until = (now_us() / 1_000_000).saturating_add(grace_seconds);
        key.previous_secret = (grace_seconds > 0).then_some(PreviousSecret { hash: old, until });
        self.put_key(key).await?;
        sqlx::query("UPDATE keys SET display = $1 WHERE id = $2")
            .bind(&minted.display)
            .bind(id)
            .execute(self.connection())
            .await?;
        Ok(minted.token)
    }

    /// Revokes a key for ever, its previous secret with it. Revoking it again changes nothing.
    pub(crate) async fn revoke_key(&mut self, id: &str) -> Result<(), StoreError> {
        match self.next().keys.get(id) {
            Some(stored) if stored.value.status == KeyStatus::Revoked => return Ok(()),
            _ => {}
        }
        let key = Key { status: KeyStatus::Revoked, previous_secret: None, ..self.live_key(id)? };
        self.put_key(key).await.map(drop)
    }
}

fn blank() -> Key {
    Key {
        id: String::new(),
        secret_hash: String::new(),
        previous_secret: None,
        name: String::new(),
        organization: None,
        status: KeyStatus::Active,
        expires_at: None,
        chain: Vec::new(),
        strategy: Strategy::Ordered,
        models: Access::default(),
        providers: Access::default(),
        endpoints: Access::default(),
        retry: None,
        loss: LossPolicy::Report,
    }
}
