//! The route table: one route, whose cluster is what the filter wrote into filter state, asked again on every retry.

use super::cluster::NOWHERE;
use super::message::{any, duration, millis, number};
use envoy_types::pb::envoy::config::route::v3::header_matcher::HeaderMatchSpecifier;
use envoy_types::pb::envoy::config::route::v3::retry_policy::{
    RateLimitedRetryBackOff, ResetHeader, ResetHeaderFormat, RetryBackOff,
};
use envoy_types::pb::envoy::config::route::v3::route::Action;
use envoy_types::pb::envoy::config::route::v3::route_action::ClusterSpecifier;
use envoy_types::pb::envoy::config::route::v3::route_match::PathSpecifier;
use envoy_types::pb::envoy::config::route::v3::{
    ClusterSpecifierPlugin, HeaderMatcher, RetryPolicy, Route, RouteAction, RouteConfiguration, RouteMatch,
    VirtualHost,
};
use envoy_types::pb::envoy::extensions::matching::common_inputs::network::v3::FilterStateInput;
use envoy_types::pb::envoy::extensions::router::cluster_specifiers::matcher::v3::{
    ClusterAction, MatcherClusterSpecifier,
};
use envoy_types::pb::google::protobuf::{Any, UInt64Value};
use envoy_types::pb::xds::core::v3::TypedExtensionConfig;
use envoy_types::pb::xds::r#type::matcher::v3::Matcher;
use envoy_types::pb::xds::r#type::matcher::v3::matcher::matcher_tree::{MatchMap, TreeType};
use envoy_types::pb::xds::r#type::matcher::v3::matcher::on_match::OnMatch as Outcome;
use envoy_types::pb::xds::r#type::matcher::v3::matcher::{MatcherTree, MatcherType, OnMatch};
use prost::{Message as _, Name as _};
use sluice::config::Settings;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

/// The route table's name.
pub(super) const NAME: &str = "sluice";
/// Filter state that names the cluster of the next attempt.
const CLUSTER_STATE: &str = "wasm.sluice.cluster";
/// The reply header by which egress asks for another attempt.
const RETRY: &str = "x-sluice-retry";
/// The reply header by which egress delays it, in seconds.
const RETRY_AFTER: &str = "x-sluice-retry-after";
/// The longest delay between attempts that a policy may ask for.
const MAX_DELAY: Duration = Duration::from_secs(300);

/// The table, with its name.
pub(super) fn route_table(clusters: &BTreeSet<String>, settings: &Settings, idle: Duration) -> (String, Any) {
    let action = RouteAction {
        timeout: millis(0),
        idle_timeout: duration(idle),
        retry_policy: Some(retry_policy(settings)),
        cluster_specifier: Some(ClusterSpecifier::InlineClusterSpecifierPlugin(ClusterSpecifierPlugin {
            extension: Some(cluster_specifier(clusters)),
            is_optional: false,
        })),
        ..RouteAction::default()
    };
    let route = Route {
        name: NAME.to_owned(),
        r#match: Some(RouteMatch {
            path_specifier: Some(PathSpecifier::Prefix("/".to_owned())),
            ..RouteMatch::default()
        }),
        request_body_buffer_limit: Some(UInt64Value { value: settings.max_body_bytes }),
        action: Some(Action::Route(action)),
        ..Route::default()
    };
    let host = VirtualHost {
        name: NAME.to_owned(),
        domains: vec!["*".to_owned()],
        routes: vec![route],
        ..VirtualHost::default()
    };
    let table = RouteConfiguration {
        name: NAME.to_owned(),
        virtual_hosts: vec![host],
        ..RouteConfiguration::default()
    };
    (NAME.to_owned(), any(&table))
}

/// Envoy carries retries out; the filter decides on them. It raises `num_retries` and sets the deadline per request.
fn retry_policy(settings: &Settings) -> RetryPolicy {
    let asked = HeaderMatcher {
        name: RETRY.to_owned(),
        header_match_specifier: Some(HeaderMatchSpecifier::PresentMatch(true)),
        ..HeaderMatcher::default()
    };
    let delay = ResetHeader { name: RETRY_AFTER.to_owned(), format: ResetHeaderFormat::Seconds.into() };
    RetryPolicy {
        retry_on: "reset,connect-failure,retriable-headers".to_owned(),
        retriable_headers: vec![asked],
        num_retries: number(0),
        per_try_timeout: millis(settings.first_token_deadline_ms),
        refresh_cluster_on_retry: true,
        rate_limited_retry_back_off: Some(RateLimitedRetryBackOff {
            reset_headers: vec![delay],
            max_interval: duration(MAX_DELAY),
        }),
        retry_back_off: Some(RetryBackOff { base_interval: millis(1), max_interval: millis(2) }),
        ..RetryPolicy::default()
    }
}

/// A map from cluster name to cluster: only these can be reached through the route.
fn cluster_specifier(
    clusters: &BTreeSet<String>,
) -> envoy_types::pb::envoy::config::core::v3::TypedExtensionConfig {
    // Envoy refuses an empty map.
    let nowhere = BTreeSet::from([NOWHERE.to_owned()]);
    let clusters = if clusters.is_empty() { &nowhere } else { clusters };
    // A protobuf map is written in no fixed order, and an order that changes looks like a change to Envoy. Messages
    // written one after the other are read as one, merged: so each entry is written alone, in the set's order.
    let input = MatcherTree { input: Some(state_input()), tree_type: None };
    let entries = clusters.iter().map(|name| MatcherTree { input: None, tree_type: Some(entry(name)) });
    let mut value = Vec::new();
    // A provider that has just gone is still in the plans of requests under way: there they are refused, and retried
    // on the next provider, where Envoy's "no such cluster" would be the end.
    let mut on_no_match = Some(Box::new(outcome(NOWHERE)));
    for tree in std::iter::once(input).chain(entries) {
        let on_no_match = on_no_match.take();
        let matcher = Matcher { on_no_match, matcher_type: Some(MatcherType::MatcherTree(tree)) };
        value.extend(MatcherClusterSpecifier { cluster_matcher: Some(matcher) }.encode_to_vec());
    }
    envoy_types::pb::envoy::config::core::v3::TypedExtensionConfig {
        name: "envoy.router.cluster_specifier_plugin.matcher".to_owned(),
        typed_config: Some(Any { type_url: MatcherClusterSpecifier::type_url(), value }),
    }
}

fn state_input() -> TypedExtensionConfig {
    let input = FilterStateInput { key: CLUSTER_STATE.to_owned(), ..FilterStateInput::default() };
    TypedExtensionConfig { name: "cluster".to_owned(), typed_config: Some(any(&input)) }
}

fn outcome(cluster: &str) -> OnMatch {
    let action = ClusterAction { cluster: cluster.to_owned() };
    let action = TypedExtensionConfig { name: cluster.to_owned(), typed_config: Some(any(&action)) };
    OnMatch { keep_matching: false, on_match: Some(Outcome::Action(action)) }
}

fn entry(cluster: &str) -> TreeType {
    TreeType::ExactMatchMap(MatchMap { map: HashMap::from([(cluster.to_owned(), outcome(cluster))]) })
}
