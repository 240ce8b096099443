//! The listener: HTTP and the filter.

use super::message::{address, any, duration, flag, from_discovery, number};
use super::{Gateway, buffer_limit, filter, local_reply, route};
use envoy_types::pb::envoy::config::listener::v3::{Filter, FilterChain, Listener, filter as network_filter};
use envoy_types::pb::envoy::extensions::filters::http::router::v3::Router;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::http_connection_manager::{
    CodecType, PathWithEscapedSlashesAction, RouteSpecifier, ServerHeaderTransformation,
};
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::{
    HttpConnectionManager, HttpFilter, Rds, http_filter,
};
use envoy_types::pb::google::protobuf::Any;
use sluice::config::Settings;
use std::time::Duration;

/// The listener's and the statistics' name.
const NAME: &str = "sluice";
/// A client gets this long to send its headers.
const HEADERS_TIMEOUT: Duration = Duration::from_secs(10);

/// The listener, with its name.
pub(super) fn listener(gateway: &Gateway, settings: &Settings, idle: Duration) -> (String, Any) {
    let connections = HttpConnectionManager {
        stat_prefix: NAME.to_owned(),
        codec_type: CodecType::Auto.into(),
        server_header_transformation: ServerHeaderTransformation::PassThrough.into(),
        use_remote_address: flag(true),
        generate_request_id: flag(true),
        max_request_headers_kb: number(96),
        request_headers_timeout: duration(HEADERS_TIMEOUT),
        stream_idle_timeout: duration(idle),
        // The filter sees the path as the client wrote it: it tolerates double slashes, and refuses `..` and `%2f`
        // itself instead of serving what they were silently turned into.
        normalize_path: flag(false),
        merge_slashes: false,
        path_with_escaped_slashes_action: PathWithEscapedSlashesAction::KeepUnchanged.into(),
        local_reply_config: Some(local_reply::config()),
        http_filters: vec![filter::filter(filter::INGRESS), router()],
        route_specifier: Some(RouteSpecifier::Rds(Rds {
            config_source: Some(from_discovery()),
            route_config_name: route::NAME.to_owned(),
        })),
        ..HttpConnectionManager::default()
    };
    let manager = Filter {
        name: "envoy.filters.network.http_connection_manager".to_owned(),
        config_type: Some(network_filter::ConfigType::TypedConfig(any(&connections))),
    };
    let listener = Listener {
        name: NAME.to_owned(),
        address: Some(address(&gateway.listen.ip().to_string(), gateway.listen.port())),
        per_connection_buffer_limit_bytes: number(buffer_limit(settings)),
        // Otherwise a second Envoy could listen there as well, and each would get some of the connections.
        enable_reuse_port: flag(false),
        filter_chains: vec![FilterChain { filters: vec![manager], ..FilterChain::default() }],
        ..Listener::default()
    };
    (NAME.to_owned(), any(&listener))
}

/// Providers must not see Envoy's own headers.
fn router() -> HttpFilter {
    let router = Router { suppress_envoy_headers: true, ..Router::default() };
    HttpFilter {
        name: "envoy.filters.http.router".to_owned(),
        config_type: Some(http_filter::ConfigType::TypedConfig(any(&router))),
        ..HttpFilter::default()
    }
}
