use super::*;

/// Name and version pairs.
struct Table(BTreeMap<&'static str, &'static str>);

impl Versions for Table {
    fn all(&self) -> Vec<String> {
        self.0.keys().map(ToString::to_string).collect()
    }
    fn version(&self, name: &str) -> Option<String> {
        self.0.get(name).map(ToString::to_string)
    }
}

fn table<const N: usize>(rows: [(&'static str, &'static str); N]) -> Table {
    Table(BTreeMap::from(rows))
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

fn subscribe(what: &[&str]) -> Ask {
    Ask { subscribe: names(what), ..Ask::default() }
}

fn update(changed: &[&str], removed: &[&str]) -> Option<Update> {
    Some(Update { changed: names(changed), removed: names(removed) })
}

/// A wildcard subscription that holds everything in `table`.
fn caught_up(table: &Table) -> Subscription {
    let mut subscription = Subscription::default();
    subscription.hear(Ask::default());
    subscription.owed(table, false);
    subscription
}

#[test]
fn nothing_is_sent_before_the_first_request() {
    assert_eq!(Subscription::default().owed(&table([("a", "1")]), false), None);
}

#[test]
fn an_empty_first_request_and_a_star_both_mean_everything() {
    for ask in [subscribe(&[]), subscribe(&["*"])] {
        let mut subscription = Subscription::default();
        subscription.hear(ask);
        assert_eq!(subscription.owed(&table([("a", "1"), ("b", "1")]), false), update(&["a", "b"], &[]));
        assert_eq!(subscription.owed(&table([("a", "1"), ("b", "1")]), false), None);
    }
}

#[test]
fn a_wildcard_is_answered_even_when_there_is_nothing() {
    let mut subscription = Subscription::default();
    subscription.hear(subscribe(&["*"]));
    assert_eq!(subscription.owed(&table([]), false), update(&[], &[]));
    assert_eq!(subscription.owed(&table([]), false), None);
}

#[test]
fn only_what_changed_is_sent() {
    let mut subscription = caught_up(&table([("a", "1"), ("b", "1"), ("c", "1")]));
    let next = table([("a", "1"), ("b", "2"), ("d", "1")]);
    assert_eq!(subscription.owed(&next, false), update(&["b", "d"], &["c"]));
}

#[test]
fn removals_can_be_kept_for_later() {
    let mut subscription = caught_up(&table([("a", "1"), ("b", "1")]));
    let next = table([("b", "2")]);
    assert_eq!(subscription.owed(&next, true), update(&["b"], &[]));
    assert_eq!(subscription.owed(&next, true), None);
    assert_eq!(subscription.owed(&next, false), update(&[], &["a"]));
}

#[test]
fn a_named_subscription_sees_only_its_names() {
    let mut subscription = Subscription::default();
    subscription.hear(subscribe(&["a"]));
    assert_eq!(subscription.owed(&table([("a", "1"), ("b", "1")]), false), update(&["a"], &[]));
    assert_eq!(subscription.owed(&table([("a", "1"), ("b", "2")]), false), None);
    subscription.hear(Ask { subscribe: names(&["b"]), unsubscribe: names(&["a"]), ..Ask::default() });
    assert_eq!(subscription.owed(&table([("a", "2"), ("b", "2")]), false), update(&["b"], &[]));
}

#[test]
fn an_unknown_name_is_answered_once_and_sent_when_it_appears() {
    let mut subscription = Subscription::default();
    subscription.hear(subscribe(&["a"]));
    assert_eq!(subscription.owed(&table([]), false), update(&[], &["a"]));
    assert_eq!(subscription.owed(&table([]), false), None);
    assert_eq!(subscription.owed(&table([("a", "1")]), false), update(&["a"], &[]));
}

#[test]
fn a_name_asked_for_again_is_sent_again() {
    let mut subscription = Subscription::default();
    subscription.hear(subscribe(&["a"]));
    assert_eq!(subscription.owed(&table([("a", "1")]), false), update(&["a"], &[]));
    subscription.hear(subscribe(&["a"]));
    assert_eq!(subscription.owed(&table([("a", "1")]), false), update(&["a"], &[]));
}

#[test]
fn a_reconnecting_client_gets_only_what_it_missed() {
    let held = HashMap::from([("a", "1"), ("b", "1"), ("c", "1")].map(|(n, v)| (n.to_owned(), v.to_owned())));
    let mut subscription = Subscription::default();
    subscription.hear(Ask { subscribe: names(&["*"]), held: held.clone(), ..Ask::default() });
    assert_eq!(subscription.owed(&table([("a", "1"), ("b", "2")]), false), update(&["b"], &["c"]));

    let mut named = Subscription::default();
    named.hear(Ask { subscribe: names(&["a", "b"]), held, ..Ask::default() });
    assert_eq!(named.owed(&table([("a", "1"), ("b", "2")]), false), update(&["b"], &["c"]));
}

#[test]
fn a_response_is_acknowledged_by_its_nonce() {
    let mut subscription = caught_up(&table([]));
    subscription.sent("1".into(), 7, &Update::default());
    assert!(!subscription.is_settled());
    let answer = |nonce: &str| Ask { nonce: Some(nonce.into()), ..Ask::default() };
    assert_eq!(subscription.hear(answer("other")), None);
    assert_eq!(subscription.hear(answer("1")), Some(Verdict::Acked { revision: 7 }));
    assert_eq!(subscription.hear(answer("1")), None);
    assert!(subscription.is_settled() && subscription.is_current());
}

#[test]
fn a_refused_response_waits_for_a_change_and_then_goes_out_whole() {
    let mut subscription = Subscription::default();
    subscription.hear(subscribe(&["*"]));
    let bad = table([("a", "1"), ("b", "1")]);
    let first = subscription.owed(&bad, false).unwrap();
    subscription.sent("1".into(), 3, &first);
    let refusal = Ask { nonce: Some("1".into()), refusal: Some("b: bad".into()), ..Ask::default() };
    let verdict = subscription.hear(refusal);
    assert_eq!(verdict, Some(Verdict::Nacked { revision: 3, reason: "b: bad".into() }));
    assert_eq!(subscription.owed(&bad, false), None);
    assert!(subscription.is_settled() && !subscription.is_current());
    assert_eq!(subscription.owed(&table([("a", "1"), ("b", "2")]), false), update(&["b", "a"], &[]));
}

#[test]
fn leaving_the_wildcard_keeps_the_names() {
    let mut subscription = caught_up(&table([("a", "1"), ("b", "1")]));
    subscription.hear(subscribe(&["a"]));
    subscription.owed(&table([("a", "1"), ("b", "1")]), false);
    subscription.hear(Ask { unsubscribe: names(&["*"]), ..Ask::default() });
    assert_eq!(subscription.owed(&table([("a", "2"), ("b", "2")]), false), update(&["a"], &[]));
}
