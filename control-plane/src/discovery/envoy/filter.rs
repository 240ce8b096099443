//! The module in its two positions: `ingress` in the listener, `egress` in every provider's cluster.
//!
//! Both name the same VM id, code and VM configuration, so that they run in one VM per worker thread.

use super::message::{any, extension, flag, from_discovery, millis};
use super::{CONTROL_CLUSTER, FLUSH};
use crate::node_token::NodeToken;
use bytes::Bytes;
use envoy_types::pb::envoy::config::core::v3::data_source::Specifier as DataSpecifier;
use envoy_types::pb::envoy::config::core::v3::{
    AsyncDataSource, BackoffStrategy, DataSource, ExtensionConfigSource, async_data_source,
};
use envoy_types::pb::envoy::extensions::filters::http::wasm::v3::Wasm;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::HttpFilter;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::http_filter::ConfigType;
use envoy_types::pb::envoy::extensions::wasm::v3::plugin_config::Vm;
use envoy_types::pb::envoy::extensions::wasm::v3::{FailurePolicy, PluginConfig, ReloadConfig, VmConfig};
use envoy_types::pb::google::protobuf::{Any, StringValue};
use prost::Name as _;
use serde_json::json;

/// The filter in the listener.
pub(super) const INGRESS: &str = "sluice.ingress";
/// The filter in the clusters.
pub(super) const EGRESS: &str = "sluice.egress";
/// A worker whose VM trapped gets a new one after about so many milliseconds; until then its requests get a 503.
const RELOAD_MS: u64 = 100;

/// A filter that is configured by the resource of the same name.
pub(super) fn filter(name: &str) -> HttpFilter {
    HttpFilter {
        name: name.to_owned(),
        config_type: Some(ConfigType::ConfigDiscovery(ExtensionConfigSource {
            config_source: Some(from_discovery()),
            type_urls: vec![Wasm::type_url()],
            ..ExtensionConfigSource::default()
        })),
        ..HttpFilter::default()
    }
}

/// The two resources.
pub(super) fn extensions(module: &Bytes, token: &NodeToken) -> Vec<(String, Any)> {
    let ingress = json!({
        "role": "ingress",
        "control_cluster": CONTROL_CLUSTER,
        "node_token": token.secret().unwrap_or_default(),
        "tick_ms": FLUSH.as_millis(),
    });
    let egress = json!({"role": "egress"});
    [(INGRESS, "ingress", ingress), (EGRESS, "egress", egress)]
        .into_iter()
        .map(|(name, plugin, configuration)| {
            let wasm = Wasm { config: Some(plugin_config(plugin, &configuration.to_string(), module)) };
            (name.to_owned(), any(&extension(name, &wasm)))
        })
        .collect()
}

fn plugin_config(plugin: &str, configuration: &str, module: &Bytes) -> PluginConfig {
    let code = DataSpecifier::InlineBytes(module.to_vec());
    let code = DataSource { specifier: Some(code), ..DataSource::default() };
    let vm = VmConfig {
        vm_id: "sluice".to_owned(),
        runtime: "envoy.wasm.runtime.v8".to_owned(),
        code: Some(AsyncDataSource { specifier: Some(async_data_source::Specifier::Local(code)) }),
        ..VmConfig::default()
    };
    PluginConfig {
        name: plugin.to_owned(),
        root_id: plugin.to_owned(),
        configuration: Some(any(&StringValue { value: configuration.to_owned() })),
        failure_policy: FailurePolicy::FailReload.into(),
        reload_config: Some(ReloadConfig {
            backoff: Some(BackoffStrategy { base_interval: millis(RELOAD_MS), max_interval: None }),
        }),
        allow_on_headers_stop_iteration: flag(true),
        vm: Some(Vm::VmConfig(vm)),
        ..PluginConfig::default()
    }
}
