//! Tests of the store's resources, on a temporary database.

use super::*;
use serde_json::json;
use sluice::config::token::{SigningKey, Token};
use sluice::config::{KeyStatus, Step};
use std::os::unix::fs::PermissionsExt as _;

struct Fixture {
    store: Store,
    dir: tempfile::TempDir,
}

impl Fixture {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { store: Self::open(&dir).await, dir }
    }

    async fn open(dir: &tempfile::TempDir) -> Store {
        Store::open(dir.path().join("sluice.db").to_str().unwrap()).await.unwrap()
    }

    /// With a provider `alpha`.
    async fn with_provider() -> Self {
        let fixture = Self::new().await;
        fixture.store.create_provider(provider("alpha")).await.unwrap();
        fixture
    }

    fn revision(&self) -> u64 {
        self.store.feed().current().revision
    }
}

fn provider(name: &str) -> Provider {
    let auth = json!({"kind": "bearer", "secret": "sk-secret"});
    serde_json::from_value(
        json!({"name": name, "dialect": "openai", "base_url": "https://h/v1", "auth": auth}),
    )
    .unwrap()
}

fn model(id: &str, aliases: &[&str]) -> Model {
    let channels = json!([{"provider": "alpha", "upstream_id": "u"}]);
    serde_json::from_value(json!({"id": id, "aliases": aliases, "channels": channels})).unwrap()
}

fn key(chain: &[&str]) -> NewKey {
    NewKey {
        name: "k".into(),
        chain: chain.iter().map(|name| Step::single(name, "m")).collect(),
        ..NewKey::default()
    }
}

fn message(error: StoreError) -> String {
    error.to_string()
}

#[tokio::test]
async fn everything_survives_a_restart() {
    let fixture = Fixture::with_provider().await;
    fixture.store.create_model(model("vendor/gpt", &["gpt"])).await.unwrap();
    fixture.store.create_key(key(&["alpha"])).await.unwrap();
    let before = fixture.store.feed().current();
    fixture.store.close().await;
    let after = Fixture::open(&fixture.dir).await.feed().current();
    assert_eq!(before, after);
    assert_eq!((after.revision, after.providers["alpha"].revision, after.settings.revision), (3, 1, 0));
    assert_eq!(after.providers["alpha"].value.auth.secret, "sk-secret");
    assert!(SigningKey::from_base64(&after.settings.value.signing_key).is_some());
}

#[tokio::test]
async fn each_database_has_its_own_signing_key_and_is_private() {
    let (one, two) = (Fixture::new().await, Fixture::new().await);
    let signing_key = |fixture: &Fixture| fixture.store.feed().current().settings.value.signing_key.clone();
    assert_ne!(signing_key(&one), signing_key(&two));
    for file in ["sluice.db", "sluice.db-wal"] {
        let mode = std::fs::metadata(one.dir.path().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{file}");
    }
}

#[tokio::test]
async fn other_databases_are_refused() {
    let error = Store::open("mysql://user:password@host/db").await.err().unwrap();
    assert_eq!(message(error), "database: expected a file path or a sqlite: URL, not mysql:");
}

#[tokio::test]
async fn a_change_is_published_before_it_returns_and_nothing_is_no_change() {
    let fixture = Fixture::with_provider().await;
    let mut feed = fixture.store.feed().subscribe();
    feed.mark_unchanged();
    let mut write = fixture.store.begin().await.unwrap();
    assert_eq!(write.put_provider(provider("alpha")).await.unwrap(), Outcome::Unchanged);
    write.commit().await.unwrap();
    assert!(!feed.has_changed().unwrap());
    assert_eq!(fixture.revision(), 1);

    let mut write = fixture.store.begin().await.unwrap();
    let changed = Provider { enabled: false, ..provider("alpha") };
    assert_eq!(write.put_provider(changed).await.unwrap(), Outcome::Update);
    write.commit().await.unwrap();
    assert!(feed.has_changed().unwrap());
    assert_eq!((fixture.revision(), feed.borrow().providers["alpha"].value.enabled), (2, false));
}

#[tokio::test]
async fn a_change_that_is_not_committed_leaves_no_trace() {
    let fixture = Fixture::with_provider().await;
    let mut write = fixture.store.begin().await.unwrap();
    write.put_provider(provider("beta")).await.unwrap();
    write.remove_provider("alpha").await.unwrap();
    drop(write);
    fixture.store.create_provider(provider("gamma")).await.unwrap();
    let snapshot = fixture.store.feed().current();
    assert_eq!(snapshot.providers.keys().collect::<Vec<_>>(), ["alpha", "gamma"]);
    assert_eq!(snapshot.revision, 2);
}

#[tokio::test]
async fn changes_of_another_process_are_taken_up() {
    let fixture = Fixture::with_provider().await;
    let other = Fixture::open(&fixture.dir).await;
    other.create_provider(provider("beta")).await.unwrap();
    fixture.store.create_provider(provider("gamma")).await.unwrap();
    let snapshot = fixture.store.feed().current();
    assert_eq!(snapshot.providers.keys().collect::<Vec<_>>(), ["alpha", "beta", "gamma"]);
    assert_eq!(snapshot.revision, 3);
}

#[tokio::test]
async fn concurrent_changes_all_arrive() {
    let fixture = Fixture::new().await;
    let names: Vec<String> = (0..20).map(|at| format!("p{at}")).collect();
    let all = names.iter().map(|name| fixture.store.create_provider(provider(name)));
    for result in futures::future::join_all(all).await {
        result.unwrap();
    }
    let snapshot = fixture.store.feed().current();
    assert_eq!((snapshot.providers.len(), snapshot.revision), (20, 20));
}

#[tokio::test]
async fn a_provider_in_use_stays() {
    let fixture = Fixture::with_provider().await;
    fixture.store.create_model(model("gpt", &[])).await.unwrap();
    let id = fixture.store.create_key(key(&["alpha"])).await.unwrap().row.key.id;
    let remove = async || {
        let mut write = fixture.store.begin().await.unwrap();
        write.remove_provider("alpha").await?;
        write.commit().await
    };
    let refusal = message(remove().await.unwrap_err());
    assert!(refusal.contains("model gpt") && refusal.contains(&format!("key {id}")), "{refusal}");

    let mut write = fixture.store.begin().await.unwrap();
    write.remove_model("gpt").await.unwrap();
    write.commit().await.unwrap();
    assert!(message(remove().await.unwrap_err()).contains(&id));

    let mut write = fixture.store.begin().await.unwrap();
    write.revoke_key(&id).await.unwrap();
    write.commit().await.unwrap();
    remove().await.unwrap();
    assert!(fixture.store.feed().current().providers.is_empty());
}

#[tokio::test]
async fn a_name_means_one_model() {
    let fixture = Fixture::with_provider().await;
    fixture.store.create_model(model("vendor/gpt", &["gpt", "gpt"])).await.unwrap();
    for clash in [model("gpt", &[]), model("other", &["gpt"]), model("other", &["vendor/gpt"])] {
        let error = fixture.store.create_model(clash).await.unwrap_err();
        assert!(matches!(error, StoreError::Conflict { code: "already_exists", .. }), "{error}");
    }
    // What a model gives up, another may take.
    let mut write = fixture.store.begin().await.unwrap();
    write.put_model(model("vendor/gpt", &[])).await.unwrap();
    write.put_model(model("other", &["gpt"])).await.unwrap();
    write.commit().await.unwrap();
}

#[tokio::test]
async fn unknown_providers_are_named_with_their_path() {
    let fixture = Fixture::with_provider().await;
    let chain = key(&["alpha", "nope"]);
    assert_eq!(
        message(fixture.store.create_key(chain).await.err().unwrap()),
        "chain[1].targets[0].provider: expected the name of a provider; there is no provider \"nope\""
    );
    let mut orphan = model("gpt", &[]);
    orphan.channels[0].provider = "nope".into();
    assert!(
        message(fixture.store.create_model(orphan).await.unwrap_err()).starts_with("channels[0].provider: ")
    );
    assert_eq!(fixture.revision(), 1);
}

#[tokio::test]
async fn a_rotated_key_has_a_grace_and_a_revoked_one_has_none() {
    let fixture = Fixture::new().await;
    let ShownOnce { row, token } = fixture.store.create_key(key(&[])).await.unwrap();
    let settings = fixture.store.feed().current().settings.value.clone();
    let signing_key = SigningKey::from_base64(&settings.signing_key).unwrap();
    let id = row.key.id;

    let mut write = fixture.store.begin().await.unwrap();
    let rotated = write.rotate_key(&id, 60).await.unwrap();
    write.commit().await.unwrap();
    let stored = fixture.store.key(&id).await.unwrap();
    let (old, new) = (Token::parse(&token, "slc-").unwrap(), Token::parse(&rotated, "slc-").unwrap());
    assert!(
        new.is_ours(&signing_key)
            && new.matches(&stored.key.secret_hash)
            && !old.matches(&stored.key.secret_hash)
    );
    assert!(old.matches(&stored.key.previous_secret.as_ref().unwrap().hash));
    assert_ne!(stored.display, row.display);
    assert_eq!(*fixture.store.feed().current().keys[&id].value, stored.key);

    let mut write = fixture.store.begin().await.unwrap();
    write.revoke_key(&id).await.unwrap();
    write.commit().await.unwrap();
    let mut write = fixture.store.begin().await.unwrap();
    write.revoke_key(&id).await.unwrap();
    assert!(matches!(write.rotate_key(&id, 0).await, Err(StoreError::Conflict { code: "key_revoked", .. })));
    write.commit().await.unwrap();
    let key = fixture.store.feed().current().keys[&id].value.clone();
    assert_eq!((key.status, &key.previous_secret), (KeyStatus::Revoked, &None));
    assert_eq!(fixture.revision(), 3);
}

#[tokio::test]
async fn pages_of_keys_meet_without_gap_or_overlap() {
    let fixture = Fixture::new().await;
    for _ in 0..7 {
        fixture.store.create_key(key(&[])).await.unwrap();
    }
    let mut seen: Vec<KeyRow> = Vec::new();
    loop {
        let after = seen.last().map(|row| KeyCursor { created_us: row.created_us, id: row.key.id.clone() });
        let page = fixture.store.keys(Some("k"), after.as_ref(), 3).await.unwrap();
        if page.is_empty() {
            break;
        }
        seen.extend(page);
    }
    let ids: std::collections::BTreeSet<_> = seen.iter().map(|row| &row.key.id).collect();
    assert_eq!((seen.len(), ids.len()), (7, 7));
    assert!(seen.is_sorted_by(|a, b| a.created_us >= b.created_us));
    assert!(fixture.store.keys(Some("other"), None, 3).await.unwrap().is_empty());
}
