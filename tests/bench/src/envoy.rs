//! The Envoys: one static configuration, with nothing, the no-op filter, or Sluice in it.
//!
//! Invariant: everything that Sluice does not need is the same in all of them. Sluice's parts are those of
//! `envoy/guest.yaml`.

use crate::error::Error;
use crate::process::Process;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

const TYPE: &str = "type.googleapis.com/envoy";
/// The largest body, as Sluice's own configuration has it.
const BUFFER: u32 = 64 << 20;
/// As `sluice-control` in Sluice's own configuration.
const CONTROL: &str = "sluice-control";
/// The clusters that requests go to, by dialect.
pub(crate) const CLUSTERS: [&str; 2] = ["openai", "anthropic"];

/// What stands between client and upstream.
#[derive(Debug, Clone)]
pub(crate) enum Filter {
    /// Nothing.
    None,
    /// The filter that does nothing.
    Noop {
        /// Its module.
        module: PathBuf,
    },
    /// Sluice.
    Sluice {
        /// Its module.
        module: PathBuf,
        /// The control plane's gRPC address.
        control: SocketAddr,
        /// What Envoys present there.
        token: String,
        /// This Envoy's name.
        node: String,
    },
}

/// Starts Envoy with so many workers on the calling thread's core.
pub(crate) fn start(
    binary: &Path,
    workers: u32,
    (filter, listen, upstream): (&Filter, SocketAddr, SocketAddr),
    folder: &Path,
) -> Result<Process, Error> {
    let file = folder.join("envoy.json");
    let log = folder.join("envoy.log");
    let configuration = configuration(filter, listen, upstream).to_string();
    std::fs::write(&file, configuration).map_err(Error::io(file.display().to_string()))?;
    let mut command = Command::new(binary);
    command.arg("-c").arg(&file).args([
        "--concurrency",
        &workers.to_string(),
        "--disable-hot-restart",
        "-l",
        "warn",
    ]);
    Process::start(command, &log)
}

fn typed(name: &str, fields: Value) -> Value {
    let mut all = json!({"@type": format!("{TYPE}.{name}")});
    if let (Some(all), Value::Object(fields)) = (all.as_object_mut(), fields) {
        all.extend(fields);
    }
    all
}

fn socket(address: SocketAddr) -> Value {
    json!({"socket_address": {"address": address.ip().to_string(), "port_value": address.port()}})
}

fn wasm(role: &str, vm: &str, module: &Path, configuration: &Value) -> Value {
    let text = json!({"@type": "type.googleapis.com/google.protobuf.StringValue", "value": configuration.to_string()});
    let config = json!({
        "name": role, "root_id": role, "failure_policy": "FAIL_RELOAD", "allow_on_headers_stop_iteration": true,
        "configuration": text,
        "vm_config": {"vm_id": vm, "runtime": "envoy.wasm.runtime.v8", "code": {"local": {"filename": module}}},
    });
    json!({"name": role, "typed_config": typed("extensions.filters.http.wasm.v3.Wasm", json!({"config": config}))})
}

fn configuration(filter: &Filter, listen: SocketAddr, upstream: SocketAddr) -> Value {
    let router = json!({
        "name": "router",
        "typed_config": typed("extensions.filters.http.router.v3.Router", json!({"suppress_envoy_headers": true})),
    });
    let mut filters = Vec::new();
    let mut clusters: Vec<Value> = CLUSTERS.iter().map(|name| cluster(name, upstream, filter)).collect();
    let mut node = "bench";
    match filter {
        Filter::None => {}
        Filter::Noop { module } => filters.push(wasm("noop", "noop", module, &json!({}))),
        Filter::Sluice { module, control, token, node: name } => {
            let ingress = json!({"role": "ingress", "control_cluster": CONTROL, "node_token": token});
            filters.push(wasm("ingress", "sluice", module, &ingress));
            clusters.push(control_cluster(*control));
            node = name;
        }
    }
    filters.push(router);
    let manager = typed(
        "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        json!({
            "stat_prefix": "bench", "use_remote_address": true, "generate_request_id": true,
            "http_filters": filters,
            "route_config": {
                "name": "bench", "virtual_hosts": [{"name": "bench", "domains": ["*"], "routes": [route(filter)]}],
            },
        }),
    );
    json!({
        "node": {"id": node, "cluster": "bench"},
        "static_resources": {
            "listeners": [{
                "name": "bench", "address": socket(listen), "per_connection_buffer_limit_bytes": BUFFER,
                "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
            }],
            "clusters": clusters,
        },
    })
}

fn route(filter: &Filter) -> Value {
    let [first, _] = CLUSTERS;
    let matches = json!({"prefix": "/"});
    if !matches!(filter, Filter::Sluice { .. }) {
        let route = json!({"cluster": first, "timeout": "0s", "idle_timeout": "300s"});
        return json!({"match": matches, "request_body_buffer_limit": BUFFER, "route": route});
    }
    let matcher = "extensions.router.cluster_specifiers.matcher.v3";
    let action = |name: &str| {
        let config = typed(&format!("{matcher}.ClusterAction"), json!({"cluster": name}));
        json!({"action": {"name": name, "typed_config": config}})
    };
    let map: serde_json::Map<String, Value> =
        CLUSTERS.iter().map(|name| ((*name).to_owned(), action(name))).collect();
    let input = typed(
        "extensions.matching.common_inputs.network.v3.FilterStateInput",
        json!({"key": "wasm.sluice.cluster"}),
    );
    let tree = json!({"input": {"name": "cluster", "typed_config": input}, "exact_match_map": {"map": map}});
    let specifier = typed(
        &format!("{matcher}.MatcherClusterSpecifier"),
        json!({"cluster_matcher": {"matcher_tree": tree}}),
    );
    json!({
        "match": matches, "request_body_buffer_limit": BUFFER,
        "route": {
            "timeout": "0s", "idle_timeout": "300s",
            "retry_policy": {
                "retry_on": "reset,connect-failure,retriable-headers",
                "retriable_headers": [{"name": "x-sluice-retry", "present_match": true}],
                "num_retries": 0, "per_try_timeout": "60s", "refresh_cluster_on_retry": true,
                "rate_limited_retry_back_off": {
                    "reset_headers": [{"name": "x-sluice-retry-after", "format": "SECONDS"}], "max_interval": "300s",
                },
                "retry_back_off": {"base_interval": "0.001s", "max_interval": "0.002s"},
            },
            "inline_cluster_specifier_plugin": {
                "extension": {"name": "envoy.router.cluster_specifier_plugin.matcher", "typed_config": specifier},
            },
        },
    })
}

fn protocol(fields: Value) -> Value {
    let name = "extensions.upstreams.http.v3.HttpProtocolOptions";
    json!({format!("envoy.{name}"): typed(name, fields)})
}

fn endpoint(address: SocketAddr) -> Value {
    json!({"endpoint": {"address": socket(address)}})
}

fn cluster(name: &str, upstream: SocketAddr, filter: &Filter) -> Value {
    let most = 1 << 20;
    let mut options = json!({"explicit_http_config": {"http_protocol_options": {}}});
    let mut endpoints = vec![json!({"lb_endpoints": [endpoint(upstream)]})];
    if let Filter::Sluice { module, .. } = filter {
        let codec = typed("extensions.filters.http.upstream_codec.v3.UpstreamCodec", json!({}));
        let egress = wasm("egress", "sluice", module, &json!({"role": "egress"}));
        if let Some(options) = options.as_object_mut() {
            options
                .insert("http_filters".to_owned(), json!([egress, {"name": "codec", "typed_config": codec}]));
        }
        let closed = SocketAddr::from(([127, 0, 0, 1], 1));
        endpoints.push(json!({"priority": 1, "lb_endpoints": [endpoint(closed)]}));
    }
    json!({
        "name": name, "type": "STATIC", "connect_timeout": "2s", "per_connection_buffer_limit_bytes": BUFFER,
        "circuit_breakers": {"thresholds": [{
            "max_connections": most, "max_pending_requests": most, "max_requests": most, "max_retries": most,
        }]},
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
        "typed_extension_protocol_options": protocol(options),
        "load_assignment": {
            "cluster_name": name, "policy": {"overprovisioning_factor": 10_000}, "endpoints": endpoints,
        },
    })
}

fn control_cluster(address: SocketAddr) -> Value {
    json!({
        "name": CONTROL, "type": "STATIC", "connect_timeout": "2s",
        "typed_extension_protocol_options":
            protocol(json!({"explicit_http_config": {"http2_protocol_options": {}}})),
        "load_assignment": {"cluster_name": CONTROL, "endpoints": [{"lb_endpoints": [endpoint(address)]}]},
    })
}
