use super::*;
use crate::discovery::fixture::{gateway, provider, settings, snapshot, versioned};
use envoy_types::pb::envoy::config::cluster::v3::Cluster;
use envoy_types::pb::envoy::config::cluster::v3::cluster::ClusterDiscoveryType;
use envoy_types::pb::envoy::config::core::v3::TypedExtensionConfig;
use envoy_types::pb::envoy::config::listener::v3::Listener;
use envoy_types::pb::envoy::config::listener::v3::filter::ConfigType;
use envoy_types::pb::envoy::config::route::v3::route::Action;
use envoy_types::pb::envoy::config::route::v3::route_action::ClusterSpecifier;
use envoy_types::pb::envoy::config::route::v3::{RouteAction, RouteConfiguration};
use envoy_types::pb::envoy::extensions::filters::http::wasm::v3::Wasm;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager;
use envoy_types::pb::envoy::extensions::router::cluster_specifiers::matcher::v3::MatcherClusterSpecifier;
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::UpstreamTlsContext;
use envoy_types::pb::envoy::extensions::upstreams::http::v3::HttpProtocolOptions;
use envoy_types::pb::envoy::extensions::wasm::v3::plugin_config::Vm;
use envoy_types::pb::google::protobuf::StringValue;
use envoy_types::pb::xds::r#type::matcher::v3::Matcher;
use envoy_types::pb::xds::r#type::matcher::v3::matcher::MatcherType;
use envoy_types::pb::xds::r#type::matcher::v3::matcher::matcher_tree::TreeType;
use std::collections::BTreeMap;

/// Every resource of a snapshot of these providers, by name.
fn resources(providers: &[Provider]) -> BTreeMap<String, Any> {
    gateway().resources(&snapshot(1, providers, &[])).into_iter().flat_map(|(_, named)| named).collect()
}

fn read<M: prost::Name + Default>(any: &Any) -> M {
    assert_eq!(any.type_url, M::type_url());
    M::decode(any.value.as_slice()).unwrap()
}

fn one_cluster(provider: Provider) -> Cluster {
    let name = provider.cluster();
    read(&resources(&[provider])[&name])
}

fn route_action(providers: &[Provider]) -> RouteAction {
    let table: RouteConfiguration = read(&gateway().resources(&snapshot(1, providers, &[]))[3].1[0].1);
    match table.virtual_hosts[0].routes[0].action.clone() {
        Some(Action::Route(action)) => action,
        other => panic!("{other:?}"),
    }
}

fn matcher(action: &RouteAction) -> Matcher {
    let Some(ClusterSpecifier::InlineClusterSpecifierPlugin(plugin)) = &action.cluster_specifier else {
        panic!("{action:?}")
    };
    let any = plugin.extension.as_ref().unwrap().typed_config.as_ref().unwrap();
    let specifier: MatcherClusterSpecifier = read(any);
    specifier.cluster_matcher.unwrap()
}

fn mapped(action: &RouteAction) -> Vec<String> {
    let Some(MatcherType::MatcherTree(tree)) = matcher(action).matcher_type else { panic!() };
    assert!(tree.input.is_some());
    let Some(TreeType::ExactMatchMap(map)) = tree.tree_type else { panic!() };
    let mut names: Vec<String> = map.map.into_keys().collect();
    names.sort();
    names
}

#[test]
fn the_same_snapshot_gives_the_same_bytes() {
    let providers: Vec<Provider> =
        (0..20).map(|at| provider(&format!("p{at}"), "https://api.example.com/v1")).collect();
    let first = resources(&providers);
    for _ in 0..5 {
        assert_eq!(resources(&providers), first);
    }
}

#[test]
fn the_route_reaches_the_enabled_providers_and_nothing_else() {
    let off = Provider { enabled: false, ..provider("off", "http://127.0.0.1:3") };
    let guest = Provider { cluster: Some("theirs".into()), ..provider("guest", "http://127.0.0.1:4") };
    let providers = [provider("b", "http://h"), provider("a", "http://h"), off, guest];
    assert_eq!(mapped(&route_action(&providers)), ["sluice-a", "sluice-b", "theirs"]);
    let all = resources(&providers);
    let names: Vec<&str> = all.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["sluice", "sluice-a", "sluice-b", "sluice-nowhere", "sluice.egress", "sluice.ingress"]
    );
}

#[test]
fn without_providers_the_map_leads_nowhere() {
    assert_eq!(mapped(&route_action(&[])), ["sluice-nowhere"]);
}

/// A request that was planned before its provider went is refused there, and so retried.
#[test]
fn what_is_not_in_the_map_leads_to_a_closed_port() {
    let action = route_action(&[provider("a", "http://h")]);
    assert!(format!("{:?}", matcher(&action).on_no_match.unwrap()).contains("sluice-nowhere"));
    let cluster: Cluster = read(&resources(&[])["sluice-nowhere"]);
    assert_eq!((&cluster.outlier_detection, &cluster.transport_socket), (&None, &None));
    let assignment = format!("{:?}", cluster.load_assignment.unwrap());
    assert!(assignment.contains("127.0.0.1") && assignment.contains("PortValue(1)"), "{assignment}");
    let options = cluster.typed_extension_protocol_options.values().next().unwrap();
    assert_eq!(read::<HttpProtocolOptions>(options).http_filters[0].name, "sluice.egress");
}

#[test]
fn the_filter_decides_retries() {
    let retry = route_action(&[]).retry_policy.unwrap();
    assert_eq!(retry.retry_on, "reset,connect-failure,retriable-headers");
    assert_eq!(retry.retriable_headers[0].name, "x-sluice-retry");
    assert_eq!(retry.num_retries.unwrap().value, 0);
    assert_eq!(retry.per_try_timeout.unwrap().seconds, 60);
    assert!(retry.refresh_cluster_on_retry);
    assert_eq!(retry.rate_limited_retry_back_off.unwrap().reset_headers[0].name, "x-sluice-retry-after");
}

#[test]
fn a_stream_may_be_silent_for_longer_than_the_longest_deadline() {
    assert_eq!(route_action(&[]).idle_timeout.unwrap().seconds, 300);
    let slow = Provider { first_token_deadline_ms: Some(600_000), ..provider("slow", "http://h") };
    assert_eq!(route_action(&[slow]).idle_timeout.unwrap().seconds, 630);
}

#[test]
fn buffer_limits_go_together() {
    let mut snapshot = snapshot(1, &[provider("a", "http://h")], &[]);
    snapshot.settings = versioned(1, Settings { max_body_bytes: 1 << 20, ..settings() });
    let all: BTreeMap<&str, Vec<(String, Any)>> = gateway().resources(&snapshot).into();
    let cluster: Cluster = read(&all[type_url::CLUSTER][0].1);
    let listener: Listener = read(&all[type_url::LISTENER][0].1);
    let table: RouteConfiguration = read(&all[type_url::ROUTE][0].1);
    assert_eq!(cluster.per_connection_buffer_limit_bytes.unwrap().value, 1 << 20);
    assert_eq!(listener.per_connection_buffer_limit_bytes.unwrap().value, 1 << 20);
    assert_eq!(table.virtual_hosts[0].routes[0].request_body_buffer_limit.unwrap().value, 1 << 20);
}

#[test]
fn every_cluster_has_a_closed_port_behind_its_host() {
    let cluster = one_cluster(provider("a", "http://127.0.0.1:9000/v1"));
    let assignment = cluster.load_assignment.unwrap();
    let priorities: Vec<u32> = assignment.endpoints.iter().map(|locality| locality.priority).collect();
    assert_eq!(priorities, [0, 1]);
    assert_eq!(cluster.outlier_detection.unwrap().max_ejection_percent.unwrap().value, 99);
    assert_eq!(cluster.common_lb_config.unwrap().healthy_panic_threshold.unwrap().value.to_bits(), 0);
    assert!(cluster.circuit_breakers.unwrap().thresholds[0].max_retries.unwrap().value > 100_000);
    assert_eq!(cluster.transport_socket, None);
}

#[test]
fn names_are_resolved_and_addresses_are_not() {
    let by_name = one_cluster(provider("a", "https://api.example.com")).cluster_discovery_type;
    assert!(
        matches!(by_name, Some(ClusterDiscoveryType::ClusterType(custom)) if custom.name == "envoy.clusters.dns")
    );
    let by_address = one_cluster(provider("a", "http://[::1]:80")).cluster_discovery_type;
    assert_eq!(by_address, Some(ClusterDiscoveryType::Type(0)));
}

#[test]
fn tls_checks_the_chain_and_the_name() {
    use envoy_types::pb::envoy::config::core::v3::transport_socket::ConfigType as Socket;
    use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::common_tls_context::ValidationContextType;
    let cluster = one_cluster(provider("a", "https://api.example.com/v1"));
    let Some(Socket::TypedConfig(any)) = cluster.transport_socket.unwrap().config_type else { panic!() };
    let tls: UpstreamTlsContext = read(&any);
    assert_eq!(tls.sni, "api.example.com");
    let validation = tls.common_tls_context.unwrap().validation_context_type;
    let Some(ValidationContextType::ValidationContext(validation)) = validation else { panic!() };
    assert!(format!("{:?}", validation.trusted_ca).contains("/ca.crt"));
    assert!(format!("{:?}", validation.match_typed_subject_alt_names).contains("api.example.com"));
}

#[test]
fn egress_comes_before_the_codec() {
    let cluster = one_cluster(provider("a", "http://h"));
    let any = cluster.typed_extension_protocol_options.values().next().unwrap();
    let options: HttpProtocolOptions = read(any);
    let names: Vec<&str> = options.http_filters.iter().map(|filter| filter.name.as_str()).collect();
    assert_eq!(names, ["sluice.egress", "envoy.filters.http.upstream_codec"]);
}

#[test]
fn both_positions_share_one_vm() {
    let all = resources(&[]);
    let plugin = |name: &str| {
        let extension: TypedExtensionConfig = read(&all[name]);
        assert_eq!(extension.name, name);
        let wasm: Wasm = read(&extension.typed_config.unwrap());
        wasm.config.unwrap()
    };
    let (ingress, egress) = (plugin("sluice.ingress"), plugin("sluice.egress"));
    assert_eq!(ingress.vm, egress.vm);
    assert!(matches!(&ingress.vm, Some(Vm::VmConfig(vm)) if vm.vm_id == "sluice"));
    assert_eq!((ingress.root_id.as_str(), egress.root_id.as_str()), ("ingress", "egress"));
    let configuration: StringValue = read(&ingress.configuration.unwrap());
    let configuration: serde_json::Value = serde_json::from_str(&configuration.value).unwrap();
    assert_eq!(configuration["role"], "ingress");
    assert_eq!(configuration["control_cluster"], "sluice-control");
    assert_eq!(configuration["node_token"], "node-secret");
}

#[test]
fn the_listener_leaves_paths_alone_and_logs_nothing() {
    let listener: Listener = read(&gateway().resources(&snapshot(1, &[], &[]))[2].1[0].1);
    let Some(ConfigType::TypedConfig(any)) = listener.filter_chains[0].filters[0].config_type.clone() else {
        panic!()
    };
    assert!(!listener.enable_reuse_port.unwrap().value, "a second Envoy must not share the port");
    let manager: HttpConnectionManager = read(&any);
    assert!(!manager.normalize_path.unwrap().value);
    assert!(!manager.merge_slashes);
    assert!(manager.access_log.is_empty(), "the module sends its records itself");
}
