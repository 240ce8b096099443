use super::*;
use crate::discovery::fixture::{gateway, provider, snapshot, versioned};
use crate::fleet::StreamStatus;
use crate::snapshot::Snapshot;
use envoy_types::pb::google::rpc::Status;
use prost::Message as _;
use sluice::config::{Key, Payload, Resource as _};
use std::sync::Arc;

fn catalog(snapshot: Snapshot) -> Catalog {
    Catalog::new(Arc::new(snapshot), None, Some(&gateway()))
}

fn start() -> (Conversation, Fleet) {
    let fleet = Fleet::default();
    let status =
        StreamStatus { node: "n".into(), client: "envoy".into(), connected_at: 0, types: BTreeMap::new() };
    let stream = fleet.open(status);
    (Conversation::new(fleet.clone(), stream), fleet)
}

fn ask(type_url: &str, names: &[&str]) -> DeltaDiscoveryRequest {
    DeltaDiscoveryRequest {
        type_url: type_url.into(),
        resource_names_subscribe: names.iter().map(ToString::to_string).collect(),
        ..DeltaDiscoveryRequest::default()
    }
}

fn answer(response: &DeltaDiscoveryResponse, refusal: Option<&str>) -> DeltaDiscoveryRequest {
    DeltaDiscoveryRequest {
        type_url: response.type_url.clone(),
        response_nonce: response.nonce.clone(),
        error_detail: refusal.map(|message| Status { message: message.into(), ..Status::default() }),
        ..DeltaDiscoveryRequest::default()
    }
}

fn shape(responses: &[DeltaDiscoveryResponse]) -> Vec<(&str, Vec<&str>, Vec<&str>)> {
    let mut all = Vec::new();
    for DeltaDiscoveryResponse { type_url, resources, removed_resources, .. } in responses {
        let names = resources.iter().map(|resource| resource.name.as_str()).collect();
        all.push((type_url.as_str(), names, removed_resources.iter().map(String::as_str).collect()));
    }
    all
}

/// Asks as Envoy does at its start, and acknowledges everything.
fn envoy_that_has(conversation: &mut Conversation, catalog: &Catalog) {
    for request in [
        ask(LISTENER, &[]),
        ask(ROUTE, &["sluice"]),
        ask(EXTENSION, &["sluice.ingress", "sluice.egress"]),
        ask(CLUSTER, &[]),
    ] {
        conversation.hear(request).unwrap();
    }
    let first = conversation.owed(catalog);
    let order: Vec<&str> = first.iter().map(|response| response.type_url.as_str()).collect();
    assert_eq!(order, [CLUSTER, EXTENSION, LISTENER, ROUTE]);
    for response in &first {
        conversation.hear(answer(response, None)).unwrap();
    }
    assert_eq!(shape(&conversation.owed(catalog)), []);
}

#[test]
fn a_new_provider_is_a_cluster_before_it_is_routed_to() {
    let (mut conversation, _fleet) = start();
    let a = provider("a", "http://127.0.0.1:1");
    envoy_that_has(&mut conversation, &catalog(snapshot(1, std::slice::from_ref(&a), &[])));
    let both = catalog(snapshot(2, &[a, provider("b", "http://127.0.0.1:2")], &[]));
    let expected = [(CLUSTER, vec!["sluice-b"], vec![]), (ROUTE, vec!["sluice"], vec![])];
    assert_eq!(shape(&conversation.owed(&both)), expected);
}

#[test]
fn a_cluster_goes_after_the_route_that_names_it() {
    let (mut conversation, _fleet) = start();
    let (a, b) = (provider("a", "http://127.0.0.1:1"), provider("b", "http://127.0.0.1:2"));
    envoy_that_has(&mut conversation, &catalog(snapshot(1, &[a.clone(), b], &[])));
    let one = catalog(snapshot(2, &[a], &[]));
    let route = conversation.owed(&one);
    assert_eq!(shape(&route), [(ROUTE, vec!["sluice"], vec![])]);
    assert_eq!(shape(&conversation.owed(&one)), []);
    conversation.hear(answer(&route[0], None)).unwrap();
    assert_eq!(shape(&conversation.owed(&one)), [(CLUSTER, vec![], vec!["sluice-b"])]);
}

#[test]
fn a_changed_key_touches_nothing_of_envoys() {
    let (mut conversation, _fleet) = start();
    let providers = [provider("a", "http://127.0.0.1:1")];
    envoy_that_has(&mut conversation, &catalog(snapshot(1, &providers, &["k"])));
    let mut next = snapshot(2, &providers, &["k", "l"]);
    next.providers.insert("a".into(), versioned(1, providers[0].clone()));
    assert_eq!(shape(&conversation.owed(&catalog(next))), []);
}

#[test]
fn acknowledgements_and_refusals_are_on_record() {
    let (mut conversation, fleet) = start();
    conversation.hear(ask(KEY, &["*"])).unwrap();
    let responses = conversation.owed(&catalog(snapshot(4, &[], &["k"])));
    conversation.hear(answer(&responses[0], Some("k: bad hash"))).unwrap();
    let status = || fleet.streams()[0].types[KEY].clone();
    assert_eq!((status().sent, status().acked, status().nack.as_deref()), (4, 0, Some("k: bad hash")));
    // The same revision is not tried again.
    assert_eq!(shape(&conversation.owed(&catalog(snapshot(4, &[], &["k"])))), []);
    let responses = conversation.owed(&catalog(snapshot(5, &[], &["k"])));
    conversation.hear(answer(&responses[0], None)).unwrap();
    assert_eq!((status().sent, status().acked, status().nack), (5, 5, None));
}

#[test]
fn a_client_that_a_change_does_not_concern_is_up_to_date() {
    let (mut conversation, fleet) = start();
    conversation.hear(ask(PROVIDER, &["*"])).unwrap();
    let providers = [provider("a", "http://127.0.0.1:1")];
    let first = conversation.owed(&catalog(snapshot(1, &providers, &[])));
    conversation.hear(answer(&first[0], None)).unwrap();
    assert_eq!(shape(&conversation.owed(&catalog(snapshot(9, &providers, &[])))), []);
    assert_eq!(fleet.streams()[0].types[PROVIDER].acked, 9);
}

#[test]
fn the_module_gets_json_in_its_own_types() {
    let (mut conversation, _fleet) = start();
    for type_url in [KEY, MODEL, PROVIDER, SETTINGS] {
        conversation.hear(ask(type_url, &["*"])).unwrap();
    }
    let responses = conversation.owed(&catalog(snapshot(3, &[provider("a", "http://h")], &["k23456789012"])));
    let expected = [
        (SETTINGS, vec!["settings"], vec![]),
        (PROVIDER, vec!["a"], vec![]),
        (MODEL, vec![], vec![]),
        (KEY, vec!["k23456789012"], vec![]),
    ];
    assert_eq!(shape(&responses), expected);
    let any = responses[3].resources[0].resource.clone().unwrap();
    assert_eq!(any.type_url, KEY);
    let payload = Payload::decode(any.value.as_slice()).unwrap();
    assert_eq!(Key::from_json(&payload.json).unwrap().name, "at 3");
}

#[test]
fn keys_that_are_not_all_pushed_go_to_those_who_ask_by_name() {
    let (mut conversation, _fleet) = start();
    let at = |revision| {
        let mut snapshot = snapshot(revision, &[], &["k", "l"]);
        let settings =
            sluice::config::Settings { push_all_keys: false, ..(*snapshot.settings.value).clone() };
        snapshot.settings = versioned(revision, settings);
        catalog(snapshot)
    };
    conversation.hear(ask(KEY, &["*"])).unwrap();
    assert_eq!(shape(&conversation.owed(&at(1))), [(KEY, vec![], vec![])]);
    conversation.hear(ask(KEY, &["k", "gone"])).unwrap();
    assert_eq!(shape(&conversation.owed(&at(1))), [(KEY, vec!["k"], vec!["gone"])]);
    assert_eq!(shape(&conversation.owed(&at(2))), [(KEY, vec!["k"], vec![])]);
}

#[test]
fn unknown_types_have_no_resources_and_are_bounded() {
    let (mut conversation, _fleet) = start();
    conversation.hear(ask("type.googleapis.com/other", &["x"])).unwrap();
    let responses = conversation.owed(&catalog(snapshot(1, &[], &[])));
    assert_eq!(shape(&responses), [("type.googleapis.com/other", vec![], vec!["x"])]);
    for at in 1..MAX_TYPES {
        conversation.hear(ask(&format!("type.googleapis.com/other{at}"), &[])).unwrap();
    }
    assert_eq!(conversation.hear(ask("type.googleapis.com/last", &[])), Err(TooManyTypes));
}
