//! Tests of `/usage`.

use crate::test_app::{TestApp, record};
use reqwest::Method;
use serde_json::{Value, json};
use sluice::config::Record;

async fn app() -> TestApp {
    let app = TestApp::with_model().await;
    let other = Record { key: Some("key000000002".into()), ..record(3) };
    app.shared().ledger.commit("envoy-1", vec![record(1), record(2), other]).await.unwrap();
    app
}

#[tokio::test]
async fn rows_are_filtered_and_paged() {
    let app = app().await;
    let page = app.get("/usage?limit=2").await;
    let row = &page["data"][1];
    assert_eq!(
        (&row["request_id"], &row["node"], &row["cost_micro_usd"]),
        (&json!("req-2"), &json!("envoy-1"), &json!(120))
    );
    assert_eq!(
        (&row["started_at"], &row["usage"]["cached"]),
        (&json!("2001-09-09T01:46:42.000000Z"), &json!(40))
    );
    assert_eq!((&row["attempts"][0]["class"], &row["dropped_params"]), (&json!("ok"), &json!(["logprobs"])));
    let next = page["next_cursor"].as_str().unwrap();
    let rest = app.get(&format!("/usage?limit=2&cursor={next}")).await;
    assert_eq!((rest["data"].as_array().unwrap().len(), &rest["next_cursor"]), (1, &Value::Null));
    for (query, rows) in [
        ("key=key000000002", 1),
        ("model=gpt&provider=alpha", 3),
        ("provider=beta", 0),
        ("since=1000000002&until=1000000003", 1),
        ("since=2001-09-09T01:46:42Z", 2),
    ] {
        let page = app.get(&format!("/usage?{query}")).await;
        assert_eq!(page["data"].as_array().unwrap().len(), rows, "{query}");
    }
    let (status, _, message) = app.refused(Method::GET, "/usage?since=noon", Value::Null).await;
    assert_eq!((status, message.as_str()), (400, "since: expected a time as RFC 3339 or Unix seconds"));
}

#[tokio::test]
async fn sums_are_by_what_is_asked() {
    let app = app().await;
    let sums = app.get("/usage/summary?by=key").await;
    assert_eq!(
        (&sums["data"][0]["group"], &sums["data"][0]["cost_micro_usd"]),
        (&json!("key000000001"), &json!(240))
    );
    let sums = app.get("/usage/summary?by=model&since=1000000002").await;
    assert_eq!(
        sums["data"],
        json!([{
            "group": "gpt", "exchanges": 2, "failed": 0, "cost_micro_usd": 240, "unpriced": 0,
            "usage": {"input": 200, "cached": 80, "cache_write": 0, "output": 20, "reasoning": 10, "images": 0},
        }])
    );
    assert_eq!(app.refused(Method::GET, "/usage/summary?by=mood", Value::Null).await.0, 400);
}

#[tokio::test]
async fn csv_is_whole_over_many_chunks() {
    let app = TestApp::with_model().await;
    let records: Vec<Record> = (1..=1203).map(record).collect();
    app.shared().ledger.commit("envoy-1", records).await.unwrap();
    let text = app.get("/usage.csv").await;
    let mut reader = csv::Reader::from_reader(text.as_str().unwrap().as_bytes());
    let ids: Vec<String> = reader.records().map(|line| line.unwrap()[1].to_owned()).collect();
    let expected: Vec<String> = (1..=1203).rev().map(|seq| format!("req-{seq}")).collect();
    assert_eq!(ids, expected);
    let none = app.get("/usage.csv?key=nobody").await;
    assert_eq!(none.as_str().unwrap().lines().count(), 1);
}
