//! Tests of the commands: the binary's own argument parser, against a control plane.

use super::client::{Call, Client, Connection};
use super::{apply, key, table::Table, usage};
use crate::test_app::{TestApp, record};
use clap::Parser;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;

#[derive(Debug, Parser)]
enum Arguments {
    #[command(subcommand)]
    Key(key::Command),
    Apply(apply::Apply),
    #[command(subcommand)]
    Usage(usage::Command),
}

#[derive(Debug, Parser)]
struct OnlyConnection {
    #[command(flatten)]
    connection: Connection,
}

/// The words of a command, pointed at `app` by its URL and its state directory.
fn words(app: &TestApp, words: &[&str]) -> Vec<String> {
    let dir = app.dir.path().to_str().unwrap().to_owned();
    let place = ["--admin-url".to_owned(), app.url(), "--state-dir".to_owned(), dir];
    ["sluice"].iter().chain(words).map(|word| (*word).to_owned()).chain(place).collect()
}

async fn run(app: &TestApp, command: &[&str]) -> anyhow::Result<()> {
    match Arguments::try_parse_from(words(app, command))? {
        Arguments::Key(command) => key::run(command).await,
        Arguments::Apply(command) => apply::run(command).await,
        Arguments::Usage(command) => usage::run(command).await,
    }
}

async fn keys(app: &TestApp) -> Vec<Value> {
    let connection = OnlyConnection::try_parse_from(words(app, &[])).unwrap().connection;
    Client::new(&connection).unwrap().all(&["keys"], &[]).await.unwrap()
}

#[tokio::test]
async fn a_key_lives_its_life_by_commands() {
    let app = TestApp::with_model().await;
    let create = ["key", "create", "--name", "ci", "--step", "alpha/vendor/gpt", "--step", "alpha/gpt"];
    run(
        &app,
        &[create.as_slice(), &["--expires-at", "2030-01-01T00:00:00Z", "--allow-model", "gpt*"]].concat(),
    )
    .await
    .unwrap();
    let [created] = keys(&app).await.try_into().unwrap();
    let id = created["id"].as_str().unwrap();
    assert_eq!((&created["name"], &created["expires_at"]), (&json!("ci"), &json!(1_893_456_000)));
    assert_eq!(
        created["chain"][0]["targets"][0],
        json!({"provider": "alpha", "model": "vendor/gpt", "weight": 1})
    );
    assert_eq!(created["models"], json!({"allow": ["gpt*"]}));
    for command in [
        vec!["key", "show", id],
        vec!["key", "list", "--json"],
        vec!["key", "rotate", id, "--grace-seconds", "9"],
    ] {
        run(&app, &command).await.unwrap();
    }
    assert!(keys(&app).await[0]["previous_secret_until"].is_u64());
    run(&app, &["key", "revoke", id]).await.unwrap();
    assert_eq!(keys(&app).await[0]["status"], "revoked");
    let error = run(&app, &["key", "rotate", id]).await.unwrap_err().to_string();
    assert!(error.contains("is revoked, which is final") && error.contains("409"), "{error}");
    // An id is one segment of a path, whatever it holds.
    let error = run(&app, &["key", "show", "../settings"]).await.unwrap_err().to_string();
    assert!(error.contains("there is no key \"../settings\""), "{error}");
}

#[tokio::test]
async fn a_file_is_applied_and_its_mistakes_are_named() {
    let app = TestApp::start().await;
    let file = app.dir.path().join("sluice.yaml");
    let text = "
settings: {push_all_keys: false}
providers:
  - name: alpha
    dialect: openai
    base_url: http://127.0.0.1:9/v1
models:
  - id: vendor/gpt
    channels: [{provider: alpha, upstream_id: gpt}]
    prices: {input: '2.5'}
keys:
  - name: ci
    chain: [{provider: alpha, model: vendor/gpt}]
";
    std::fs::write(&file, text).unwrap();
    let path = file.to_str().unwrap();
    run(&app, &["apply", "-f", path, "--dry-run"]).await.unwrap();
    assert_eq!(app.shared().store.feed().current().revision, 0);
    run(&app, &["apply", "--file", path]).await.unwrap();
    run(&app, &["apply", "-f", path, "--json"]).await.unwrap();
    let snapshot = app.shared().store.feed().current();
    assert_eq!((snapshot.revision, snapshot.keys.len()), (1, 1));
    assert_eq!(snapshot.models["vendor/gpt"].value.prices.input.as_deref(), Some("2.5"));

    std::fs::write(&file, text.replace("upstream_id", "upstreamid")).unwrap();
    let error = format!("{:#}", run(&app, &["apply", "-f", path]).await.unwrap_err());
    assert!(error.contains("sluice.yaml: models[0].channels[0]: missing field `upstream_id`"), "{error}");
    let error = format!("{:#}", run(&app, &["apply", "-f", "/nowhere.yaml"]).await.unwrap_err());
    assert!(error.starts_with("/nowhere.yaml: No such file"), "{error}");
}

#[test]
fn credentials_may_come_from_the_environment() {
    let variable = |name: &str| (name == "OPENAI_KEY").then(|| "sk-from-env".to_owned());
    let read = |secret: &str| {
        apply::read(&format!("providers: [{{name: a, auth: {{secret: '{secret}'}}}}]"), variable)
    };
    assert_eq!(read("${OPENAI_KEY}").unwrap()["providers"][0]["auth"]["secret"], "sk-from-env");
    assert_eq!(read("sk-$x{y}").unwrap()["providers"][0]["auth"]["secret"], "sk-$x{y}");
    let error = read("${OTHER}").unwrap_err().to_string();
    assert_eq!(error, "providers[0].auth.secret: expected OTHER in the environment");
}

#[test]
fn a_file_that_is_no_configuration_is_refused() {
    let read = |text: &str| apply::read(text, |_| None);
    assert_eq!(read("").unwrap(), json!({}));
    for bad in ["- a", "text", "keys: []\nkeys: []", "a: [", "1: 2: 3"] {
        assert!(read(bad).is_err(), "{bad:?}");
    }
}

#[tokio::test]
async fn an_export_appears_whole() {
    let app = TestApp::with_model().await;
    app.shared().ledger.commit("envoy-1", (1..=3).map(record).collect()).await.unwrap();
    let export = async |arguments: &[&str]| {
        let file = app.dir.path().join("usage.out");
        let output = ["usage", "export", "--output", file.to_str().unwrap()];
        run(&app, &[&output, arguments].concat()).await.unwrap();
        std::fs::read_to_string(file).unwrap()
    };
    assert_eq!(export(&["--csv", "--since", "2001-09-09T01:46:42Z"]).await.lines().count(), 3);
    assert_eq!(export(&["--until", "1000000002"]).await.lines().count(), 2);
    assert_eq!(export(&["--csv", "--key", "nobody"]).await.lines().count(), 1);
    let rows: Value = serde_json::from_str(&export(&["--json"]).await).unwrap();
    assert_eq!(rows.as_array().unwrap().len(), 3);
    let mode = std::fs::metadata(app.dir.path().join("usage.out")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "who used what is its owner's business");
    for by in ["key", "model", "provider"] {
        run(&app, &["usage", "summary", "--by", by]).await.unwrap();
    }
    let error = run(&app, &["usage", "export", "--since", "noon"]).await.unwrap_err().to_string();
    assert!(error.contains("expected RFC 3339 or Unix seconds"), "{error}");
}

#[tokio::test]
async fn a_connection_that_fails_says_what_to_do() {
    let app = TestApp::start().await;
    let connect = |arguments: &[&str]| {
        let all = ["sluice"].iter().chain(arguments);
        Client::new(&OnlyConnection::try_parse_from(all).unwrap().connection)
    };
    let place = app.url();
    let wrong = connect(&["--admin-url", &place, "--admin-token", "wrong-token-wrong-token"]).unwrap();
    let error = wrong.json(Call::get(&["settings"])).await.unwrap_err().to_string();
    assert!(error.contains("401") && !error.contains("wrong-token"), "{error}");

    let error = connect(&["--admin-url", &place, "--state-dir", "/nowhere"]).err().unwrap();
    assert!(error.to_string().starts_with("no admin token: give --admin-token"), "{error:#}");
    assert!(connect(&["--admin-url", "ftp://x", "--state-dir", app.dir.path().to_str().unwrap()]).is_err());

    let state = app.dir.path().to_str().unwrap().to_owned();
    let gone = connect(&["--admin-url", &place, "--state-dir", &state]).unwrap();
    let (url, _dir) = (app.url(), app.stop_and_keep_dir().await);
    let error = gone.json(Call::get(&["settings"])).await.unwrap_err().to_string();
    assert_eq!(error, format!("cannot reach the admin API at {url}/: is `sluice serve` running?"));
}

#[test]
fn columns_are_as_wide_as_their_widest_cell() {
    let mut table = Table::new(&["ID", "NAME"]);
    table.row(["a…b".to_owned(), "x".to_owned()]);
    table.row(["abcdef".to_owned(), String::new()]);
    let mut out = Vec::new();
    table.print(&mut out).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), "ID      NAME\na…b     x\nabcdef\n");
    assert_eq!(super::table::cell(&json!({"a": "x\u{1b}[2J"}), "/a"), "x\\u{1b}[2J");
}
