//! The examples of README.md are true: each is applied as it is printed.

use super::apply::{self, Sources};
use crate::test_app::TestApp;
use reqwest::Method;
use serde_json::{Value, json};

const README: &str = include_str!("../../../../README.md");

/// Any variable has a value; a key file is one whose tokens are asked for at a closed port.
const SOURCES: Sources = Sources {
    variable: |name| Some(format!("value-of-{name}")),
    file: |_| {
        let file = include_str!("../../simulator/identity/service_account.json");
        let mut file: Value = serde_json::from_str(file)?;
        file["token_uri"] = json!("http://127.0.0.1:1/token");
        Ok(file.to_string())
    },
};

/// What stands in fences of a language.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    README.split(fence.as_str()).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[tokio::test]
async fn every_configuration_can_be_applied() {
    let app = TestApp::start().await;
    let blocks = blocks("yaml");
    assert!(blocks.len() >= 2, "a first configuration, and one of each kind of provider");
    for text in blocks {
        let applied = app.ok(Method::POST, "/apply", apply::read(text, &SOURCES).unwrap()).await;
        let changes = applied["changes"].as_array().unwrap();
        assert!(changes.iter().all(|change| change["outcome"] == "create"), "{applied}");
        // Nothing of it is left to a default that it also says.
        let again = app.ok(Method::POST, "/apply", apply::read(text, &SOURCES).unwrap()).await;
        let changes = again["changes"].as_array().unwrap();
        assert!(changes.iter().all(|change| change["outcome"] == "unchanged"), "{again}");
    }
    let shown = app.get("/providers").await;
    let kinds: std::collections::BTreeSet<(&str, &str)> = shown["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["dialect"].as_str().unwrap(), row["vendor"]["kind"].as_str().unwrap_or_default()))
        .collect();
    for kind in [
        ("openai", ""),
        ("openai", "azure"),
        ("anthropic", ""),
        ("anthropic", "vertex"),
        ("gemini", ""),
        ("gemini", "vertex"),
        ("bedrock", ""),
    ] {
        assert!(kinds.contains(&kind), "{kind:?} in {kinds:?}");
    }
    // The id of a key pair is no secret.
    let shown = shown.to_string().replace("value-of-AWS_ACCESS_KEY_ID", "");
    assert!(
        !shown.contains("value-of-") && !shown.contains("PRIVATE KEY"),
        "credentials never come out: {shown}"
    );
}
