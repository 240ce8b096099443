//! Tests of the ledger on a temporary database.

use super::*;
use crate::test_app::{model, provider, record};
use sluice::config::{Endpoint, UsageSource};

async fn ledger() -> (Ledger, Store, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path().join("sluice.db").to_str().unwrap()).await.unwrap();
    store.create_provider(serde_json::from_value(provider("alpha")).unwrap()).await.unwrap();
    let mut priced: sluice::config::Model = serde_json::from_value(model("vendor/gpt", "alpha")).unwrap();
    priced.aliases = vec!["gpt".into()];
    store.create_model(priced).await.unwrap();
    (Ledger::new(store.clone()), store, dir)
}

async fn rows(ledger: &Ledger) -> Vec<Stored> {
    ledger.rows(&Filter::default(), None, 1000).await.unwrap()
}

#[tokio::test]
async fn a_record_comes_back_as_it_was_with_its_cost() {
    let (ledger, _store, _dir) = ledger().await;
    ledger.commit("envoy-1", vec![record(1)]).await.unwrap();
    let [row] = rows(&ledger).await.try_into().unwrap();
    assert_eq!((row.node.as_str(), &row.charged.record), ("envoy-1", &record(1)));
    // By its alias: 100 prompt tokens at $1 and 10 of reply at $2 per million.
    assert_eq!(row.charged.cost_micro_usd, Some(120));
}

#[tokio::test]
async fn delivered_twice_is_charged_once() {
    let (ledger, _store, _dir) = ledger().await;
    let batch: Vec<Record> = (1..=250).map(record).collect();
    let first = ledger.commit("envoy-1", batch.clone()).await.unwrap();
    assert_eq!(first, Committed { inserted: 250, duplicates: 0 });
    let overlapping: Vec<Record> = (200..=300).map(record).chain([record(300)]).collect();
    let second = ledger.commit("envoy-1", overlapping).await.unwrap();
    assert_eq!(second, Committed { inserted: 50, duplicates: 52 });
    // The same numbers from another Envoy are other records.
    let other = ledger.commit("envoy-2", vec![record(1)]).await.unwrap();
    assert_eq!(other, Committed { inserted: 1, duplicates: 0 });
    assert_eq!(rows(&ledger).await.len(), 301);
    assert_eq!(ledger.commit("envoy-1", Vec::new()).await.unwrap(), Committed { inserted: 0, duplicates: 0 });
}

#[tokio::test]
async fn only_what_was_served_costs() {
    let (ledger, _store, _dir) = ledger().await;
    let free = [
        Record { provider: None, ..record(1) },
        Record { usage_source: UsageSource::None, ..record(2) },
        Record { status: 502, ..record(3) },
        Record { model: Some("not-in-the-catalog".into()), usage: Usage::default(), ..record(4) },
        Record { model: None, usage: Usage::default(), ..record(5) },
    ];
    let partial = Record { usage_source: UsageSource::Partial, status: 0, ..record(6) };
    ledger.commit("envoy-1", free.into_iter().chain([partial]).collect()).await.unwrap();
    let costs: Vec<Option<u64>> = rows(&ledger).await.iter().map(|row| row.charged.cost_micro_usd).collect();
    assert_eq!(costs, [Some(120), Some(0), Some(0), Some(0), Some(0), Some(0)]);
}

#[tokio::test]
async fn what_has_no_price_is_not_free() {
    let (ledger, _store, _dir) = ledger().await;
    let unknown = |seq| Record { model: Some("not-in-the-catalog".into()), ..record(seq) };
    let nameless = Record { model: None, ..record(3) };
    ledger.commit("envoy-1", vec![record(1), unknown(2), nameless]).await.unwrap();
    let rows = rows(&ledger).await;
    let costs: Vec<Option<u64>> = rows.iter().map(|row| row.charged.cost_micro_usd).collect();
    assert_eq!(costs, [None, None, Some(120)]);
    let sums = ledger.sums(&Filter::default(), Group::Provider).await.unwrap();
    let [sum] = sums.as_slice() else { panic!("one provider") };
    assert_eq!((sum.exchanges, sum.cost_micro_usd, sum.unpriced), (3, 120, 2));
    let lines = String::from_utf8(csv::lines(&rows).unwrap()).unwrap();
    let column = csv::header().trim_end().split(',').position(|name| name == "cost_usd").unwrap();
    let costs: Vec<&str> = lines.lines().map(|line| line.split(',').nth(column).unwrap()).collect();
    assert_eq!(costs, ["", "", "0.000120"]);
}

/// A record about a reply that `alpha` makes in the background.
fn late(seq: u64, reply: &str, input: u64, source: UsageSource) -> Record {
    Record {
        reply: Some(reply.into()),
        background: true,
        usage: Usage { input, ..Usage::default() },
        usage_source: source,
        ..record(seq)
    }
}

fn booked(rows: &[Stored]) -> Vec<(u64, Option<u64>, UsageSource)> {
    let each = rows.iter().map(|row| &row.charged);
    each.map(|row| (row.record.usage.input, row.cost_micro_usd, row.record.usage_source)).rev().collect()
}

#[tokio::test]
async fn what_is_made_in_the_background_is_charged_once_however_often_it_is_seen() {
    let (ledger, _store, _dir) = ledger().await;
    let made = late(1, "resp_1", 0, UsageSource::Deferred);
    let seen = |seq| Record {
        endpoint: Endpoint::StoredResponses,
        model: None,
        ..late(seq, "resp_1", 1_000, UsageSource::Provider)
    };
    // Twice in one batch, again from another Envoy, and delivered again.
    ledger.commit("envoy-1", vec![made, seen(2), seen(3)]).await.unwrap();
    ledger.commit("envoy-2", vec![seen(4)]).await.unwrap();
    let again = ledger.commit("envoy-1", vec![seen(2)]).await.unwrap();
    assert_eq!(again, Committed { inserted: 0, duplicates: 1 });
    let rows = rows(&ledger).await;
    let none = (0, Some(0), UsageSource::None);
    let deferred = (0, Some(0), UsageSource::Deferred);
    assert_eq!(booked(&rows), [deferred, (1_000, Some(1_000), UsageSource::Provider), none, none]);
    assert_eq!(
        rows[2].charged.record.model.as_deref(),
        Some("gpt"),
        "who made it is known from its first record"
    );
    assert_eq!(
        (rows[0].charged.record.reply.as_deref(), rows[0].charged.record.background),
        (Some("resp_1"), true)
    );
}

#[tokio::test]
async fn what_was_booked_of_a_part_counts_towards_the_whole() {
    let (ledger, _store, _dir) = ledger().await;
    let partial = late(1, "resp_1", 300, UsageSource::Partial);
    let whole = late(2, "resp_1", 1_000, UsageSource::Provider);
    ledger.commit("envoy-1", vec![whole.clone(), partial]).await.unwrap();
    ledger.commit("envoy-1", vec![late(3, "resp_2", 300, UsageSource::Partial)]).await.unwrap();
    ledger
        .commit("envoy-1", vec![Record { reply: Some("resp_2".into()), seq: 4, ..whole.clone() }])
        .await
        .unwrap();
    // Another provider's id, another's reply, and one that is not made in the background.
    let others = [
        Record { provider: Some("beta".into()), seq: 5, ..whole.clone() },
        Record { reply: Some("resp_3".into()), seq: 6, ..whole.clone() },
        Record { background: false, seq: 7, ..whole.clone() },
        Record { reply: None, seq: 8, ..whole },
    ];
    ledger.commit("envoy-1", others.to_vec()).await.unwrap();
    let mut rows = rows(&ledger).await;
    rows.sort_by_key(|row| std::cmp::Reverse(row.charged.record.seq));
    let tokens: Vec<u64> = booked(&rows).into_iter().map(|(input, ..)| input).collect();
    assert_eq!(tokens, [0, 1_000, 300, 700, 1_000, 1_000, 1_000, 1_000]);
}

#[tokio::test]
async fn a_stored_response_that_nobody_knows_is_priced_by_the_model_it_names() {
    let (ledger, store, _dir) = ledger().await;
    for id in ["twin/one", "twin/two"] {
        let mut twin: sluice::config::Model = serde_json::from_value(model(id, "alpha")).unwrap();
        twin.channels[0].upstream_id = "up-twin".into();
        store.create_model(twin).await.unwrap();
    }
    let seen = |seq, reply: &str, named: Option<&str>| Record {
        endpoint: Endpoint::StoredResponses,
        model: named.map(str::to_owned),
        ..late(seq, reply, 1_000, UsageSource::Provider)
    };
    let made = late(1, "resp_1", 0, UsageSource::Deferred);
    // Its maker is known; by the provider's own name of one model, of two, of none; without any.
    let looks = [
        seen(2, "resp_1", Some("up-other")),
        seen(3, "resp_3", Some("up-1")),
        seen(4, "resp_4", Some("up-twin")),
        seen(5, "resp_5", Some("up-other")),
        seen(6, "resp_6", None),
        Record { provider: Some("beta".into()), ..seen(7, "resp_7", Some("up-1")) },
    ];
    ledger.commit("envoy-1", vec![made]).await.unwrap();
    ledger.commit("envoy-1", looks.to_vec()).await.unwrap();
    let mut rows = rows(&ledger).await;
    rows.sort_by_key(|row| row.charged.record.seq);
    let told = rows.iter().map(|row| (row.charged.record.model.as_deref(), row.charged.cost_micro_usd));
    let wanted = [
        (Some("gpt"), Some(0)),
        (Some("gpt"), Some(1_000)),
        (Some("vendor/gpt"), Some(1_000)),
        (Some("up-twin"), None),
        (Some("up-other"), None),
        (None, None),
        (Some("up-1"), None),
    ];
    assert_eq!(told.collect::<Vec<_>>(), wanted);
}

#[tokio::test]
async fn parts_that_overlap_are_booked_once() {
    let (ledger, _store, _dir) = ledger().await;
    let part = |seq, input, output| {
        let mut record = late(seq, "resp_1", input, UsageSource::Partial);
        record.usage.output = output;
        record
    };
    // The beginning, two looks that start after it, and the end.
    let whole = Record { usage_source: UsageSource::Provider, ..part(4, 100, 120) };
    for record in [part(1, 90, 25), part(2, 0, 95), part(3, 0, 90), whole] {
        ledger.commit("envoy-1", vec![record]).await.unwrap();
    }
    let mut rows = rows(&ledger).await;
    rows.sort_by_key(|row| row.charged.record.seq);
    let usages = rows.iter().map(|row| (row.charged.record.usage.input, row.charged.record.usage.output));
    assert_eq!(usages.collect::<Vec<_>>(), [(90, 25), (0, 70), (0, 0), (10, 25)]);
    let sources = rows.iter().map(|row| row.charged.record.usage_source);
    let (partial, none) = (UsageSource::Partial, UsageSource::None);
    assert_eq!(sources.collect::<Vec<_>>(), [partial, partial, none, UsageSource::Provider]);
}

#[tokio::test]
async fn the_ledger_tells_who_had_a_reply_made() {
    let (ledger, _store, _dir) = ledger().await;
    let of = |seq, key: &str| Record { reply: Some("resp_1".into()), key: Some(key.into()), ..record(seq) };
    let looked_at = Record { endpoint: Endpoint::StoredResponses, ..of(3, "reader") };
    let refused = Record { provider: None, ..of(4, "refused") };
    ledger
        .commit("envoy-1", vec![of(1, "older"), of(2, "newer"), looked_at, refused, record(5)])
        .await
        .unwrap();
    let maker = |key: &str| Maker { provider: "alpha".into(), key: key.into(), model: Some("gpt".into()) };
    assert_eq!(ledger.makers("resp_1").await.unwrap(), [maker("newer"), maker("older")]);
    assert_eq!(ledger.makers("resp_2").await.unwrap(), []);
}

#[tokio::test]
async fn a_later_price_does_not_change_the_past() {
    let (ledger, store, _dir) = ledger().await;
    ledger.commit("envoy-1", vec![record(1)]).await.unwrap();
    let mut write = store.begin().await.unwrap();
    write.put_model(serde_json::from_value(model("vendor/gpt", "alpha")).unwrap()).await.unwrap();
    write.commit().await.unwrap();
    ledger.commit("envoy-1", vec![record(1), record(2)]).await.unwrap();
    let costs: Vec<Option<u64>> = rows(&ledger).await.iter().map(|row| row.charged.cost_micro_usd).collect();
    assert_eq!(costs, [None, Some(120)]);
}

#[tokio::test]
async fn absurd_counts_neither_fail_nor_break_sums() {
    let (ledger, _store, _dir) = ledger().await;
    let absurd = |seq| {
        let mut record = record(seq);
        record.usage = Usage {
            input: u64::MAX,
            cached: u64::MAX,
            cache_write: 0,
            output: u64::MAX,
            reasoning: 0,
            images: 0,
        };
        (record.duration_us, record.overhead_us, record.ttft_us) = (u64::MAX, u64::MAX, Some(u64::MAX));
        record
    };
    ledger.commit("envoy-1", (1..=100).map(absurd).collect()).await.unwrap();
    let [sum] = ledger.sums(&Filter::default(), Group::Model).await.unwrap().try_into().unwrap();
    assert_eq!((sum.exchanges, sum.usage.input), (100, 100 << 40));
    assert_eq!(sum.cost_micro_usd, 100 * 3 * (1 << 40));
}

#[tokio::test]
async fn filters_and_pages_cover_each_row_once() {
    let (ledger, _store, _dir) = ledger().await;
    // Many share a moment, so that the cursor must tell them apart.
    let at = |seq: u64| Record { started_at_us: (seq / 10) * 1_000_000, ..record(seq) };
    ledger.commit("envoy-1", (0..45).map(at).collect()).await.unwrap();
    ledger.commit("envoy-2", (0..45).map(at).collect()).await.unwrap();
    let filter = Filter { since_us: Some(1_000_000), until_us: Some(4_000_000), ..Filter::default() };
    let mut seen: Vec<Stored> = Vec::new();
    loop {
        let after = seen.last().map(Stored::cursor);
        let page = ledger.rows(&filter, after.as_ref(), 7).await.unwrap();
        if page.is_empty() {
            break;
        }
        seen.extend(page);
    }
    let distinct: std::collections::BTreeSet<_> =
        seen.iter().map(|row| (&row.node, row.charged.record.seq)).collect();
    assert_eq!((seen.len(), distinct.len()), (60, 60));
    assert!(seen.is_sorted_by(|a, b| a.charged.record.started_at_us >= b.charged.record.started_at_us));
}

#[tokio::test]
async fn sums_are_by_group_and_filtered() {
    let (ledger, _store, _dir) = ledger().await;
    let other =
        Record { key: Some("key000000002".into()), status: 500, provider: None, model: None, ..record(3) };
    let unknown = Record { key: None, status: 401, ..other.clone() };
    let batch = vec![record(1), record(2), other, Record { seq: 4, ..unknown }];
    ledger.commit("envoy-1", batch).await.unwrap();
    let groups = |sums: Vec<Sum>| -> Vec<(Option<String>, u64, u64, u64)> {
        sums.into_iter().map(|sum| (sum.group, sum.exchanges, sum.failed, sum.cost_micro_usd)).collect()
    };
    let by_key = groups(ledger.sums(&Filter::default(), Group::Key).await.unwrap());
    assert_eq!(by_key[0], (Some("key000000001".into()), 2, 0, 240));
    assert!(by_key.contains(&(Some("key000000002".into()), 1, 1, 0)) && by_key.contains(&(None, 1, 1, 0)));
    let only =
        Filter { key: Some("key000000001".into()), provider: Some("alpha".into()), ..Filter::default() };
    assert_eq!(
        groups(ledger.sums(&only, Group::Provider).await.unwrap()),
        [(Some("alpha".into()), 2, 0, 240)]
    );
    let none = Filter { model: Some("nothing".into()), ..Filter::default() };
    assert!(ledger.sums(&none, Group::Model).await.unwrap().is_empty());
}

#[tokio::test]
async fn csv_quotes_what_needs_it_and_defuses_formulas() {
    let (ledger, _store, _dir) = ledger().await;
    let mut tricky = record(1);
    tricky.requested_model = Some("=HYPERLINK(\"http://x\",\"a\")".into());
    tricky.error = Some("a,b\n\"c\"".into());
    ledger.commit("envoy-1", vec![tricky]).await.unwrap();
    let lines = csv::lines(&rows(&ledger).await).unwrap();
    let text = [csv::header().into_bytes(), lines].concat();
    let mut reader = ::csv::Reader::from_reader(text.as_slice());
    let columns = reader.headers().unwrap().clone();
    let [line] = reader.records().collect::<Result<Vec<_>, _>>().unwrap().try_into().unwrap();
    let field = |name: &str| line[columns.iter().position(|column| column == name).unwrap()].to_owned();
    assert_eq!(field("requested_model"), "'=HYPERLINK(\"http://x\",\"a\")");
    assert_eq!(field("error"), "a,b\n\"c\"");
    assert_eq!((field("cost_usd"), field("input_tokens")), ("0.000120".into(), "100".into()));
    assert_eq!(
        (field("started_at"), field("usage_source")),
        ("2001-09-09T01:46:41.000000Z".into(), "provider".into())
    );
}
