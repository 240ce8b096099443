//! Tests of the commands: the binary's own argument parser, against a control plane.

mod readme;

use super::client::{Call, Client, Connection};
use super::{apply, key, table::Table, usage};
use crate::test_app::{TestApp, record};
use clap::Parser;
use serde_json::{Value, json};
use sluice::config::{PassedOver, Record};
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

/// An environment of one variable and a disk of one file.
const SOURCES: apply::Sources = apply::Sources {
    variable: |name| (name == "OPENAI_KEY").then(|| "sk-from-env".to_owned()),
    file: |path| match path {
        "/run/key.json" => Ok("{\"a\": 1}\n".to_owned()),
        _ => Err(std::io::Error::from(std::io::ErrorKind::NotFound)),
    },
};

#[test]
fn credentials_may_come_from_elsewhere() {
    let read = |auth: &str| {
        let text = format!("providers: [{{name: a, auth: {auth}}}]");
        apply::read(&text, &SOURCES).map(|read| read["providers"][0]["auth"].clone())
    };
    assert_eq!(read("{secret: '${OPENAI_KEY}'}").unwrap()["secret"], "sk-from-env");
    assert_eq!(read("{secret: 'sk-$x{y}'}").unwrap()["secret"], "sk-$x{y}");
    assert_eq!(read("{secret: '${file:/run/key.json}'}").unwrap()["secret"], "{\"a\": 1}");
    let aws = "{secret: s, aws: {access_key_id: '${OPENAI_KEY}', region: '${OPENAI_KEY}', session_token: '${OPENAI_KEY}'}}";
    assert_eq!(
        read(aws).unwrap()["aws"],
        json!({"access_key_id": "sk-from-env", "region": "${OPENAI_KEY}", "session_token": "sk-from-env"}),
        "a region is no credential"
    );
    let refused = |auth: &str| format!("{:#}", read(auth).unwrap_err());
    assert_eq!(
        refused("{secret: '${OTHER}'}"),
        "providers[0].auth.secret: expected OTHER in the environment"
    );
    assert_eq!(
        refused("{aws: {session_token: '${file:/gone}'}}"),
        "providers[0].auth.aws.session_token: /gone: entity not found"
    );
}

#[tokio::test]
async fn a_new_vendor_is_the_configuration_that_the_recipe_shows() {
    let text = include_str!("../../../CONTRIBUTING.md");
    let (_, block) = text.split_once("```yaml\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let sources = apply::Sources {
        variable: |name| (name == "ACME_API_KEY").then(|| "sk-acme".to_owned()),
        ..apply::Sources::default()
    };
    let configuration = apply::read(block, &sources).unwrap();
    let app = TestApp::start().await;
    app.ok(reqwest::Method::POST, "/apply", configuration).await;
    let snapshot = app.shared().store.feed().current();
    assert_eq!(snapshot.keys.len(), 1);
    assert_eq!(snapshot.models["acme/large"].value.channels[0].upstream_id, "acme-large-2");
    let provider = &snapshot.providers["acme"].value;
    assert_eq!((provider.auth.secret.as_str(), provider.stream_usage), ("sk-acme", false));
}

#[test]
fn a_file_that_is_no_configuration_is_refused() {
    let read = |text: &str| apply::read(text, &SOURCES);
    assert_eq!(read("").unwrap(), json!({}));
    for bad in ["- a", "text", "keys: []\nkeys: []", "a: [", "1: 2: 3"] {
        assert!(read(bad).is_err(), "{bad:?}");
    }
}

#[tokio::test]
async fn an_export_appears_whole() {
    let app = TestApp::with_model().await;
    let mut records: Vec<Record> = (1..=3).map(record).collect();
    records[2].usage.images = 2;
    let (provider, model, lacks) = ("beta".to_owned(), "gpt".to_owned(), "images".to_owned());
    records[2].passed_over = vec![PassedOver { provider, model, lacks }];
    app.shared().ledger.commit("envoy-1", records).await.unwrap();
    let export = async |arguments: &[&str]| {
        let file = app.dir.path().join("usage.out");
        let output = ["usage", "export", "--output", file.to_str().unwrap()];
        run(&app, &[&output, arguments].concat()).await.unwrap();
        std::fs::read_to_string(file).unwrap()
    };
    let text = export(&["--csv", "--since", "2001-09-09T01:46:42Z"]).await;
    assert_eq!(text.lines().count(), 3);
    let mut lines = csv::Reader::from_reader(text.as_bytes());
    let head = lines.headers().unwrap().clone();
    let newest = lines.records().next().unwrap().unwrap();
    let cell = |name: &str| newest[head.iter().position(|column| column == name).unwrap()].to_owned();
    assert_eq!((cell("images"), cell("passed_over")), ("2".to_owned(), "beta/gpt:images".to_owned()));
    assert_eq!(export(&["--until", "1000000002"]).await.lines().count(), 2);
    assert_eq!(export(&["--csv", "--key", "nobody"]).await.lines().count(), 1);
    let rows: Value = serde_json::from_str(&export(&["--json"]).await).unwrap();
    assert_eq!(rows.as_array().unwrap().len(), 3);
    assert_eq!(rows[0]["usage"]["images"], 2);
    assert_eq!(rows[0]["passed_over"], json!([{"provider": "beta", "model": "gpt", "lacks": "images"}]));
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
