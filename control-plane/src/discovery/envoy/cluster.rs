//! A provider's cluster.
//!
//! Invariant: there is always a host to try. A provider whose name does not resolve, or whose every host is ejected,
//! must fail like a refused connection, because Envoy retries that (on the next provider) and does not retry "no
//! healthy upstream". Hence the closed port at priority 1, which outlier detection can never eject.

use super::message::{address, any, duration, flag, number};
use super::{buffer_limit, filter};
use envoy_types::pb::envoy::config::cluster::v3::circuit_breakers::Thresholds;
use envoy_types::pb::envoy::config::cluster::v3::cluster::{
    ClusterDiscoveryType, CommonLbConfig, CustomClusterType, DiscoveryType,
};
use envoy_types::pb::envoy::config::cluster::v3::{
    CircuitBreakers, Cluster, OutlierDetection, UpstreamConnectionOptions,
};
use envoy_types::pb::envoy::config::core::v3::data_source::Specifier;
use envoy_types::pb::envoy::config::core::v3::transport_socket::ConfigType as SocketConfig;
use envoy_types::pb::envoy::config::core::v3::{
    DataSource, Http1ProtocolOptions, Http2ProtocolOptions, HttpProtocolOptions as Common, KeepaliveSettings,
    RoutingPriority, TcpKeepalive, TransportSocket,
};
use envoy_types::pb::envoy::config::endpoint::v3::cluster_load_assignment::Policy;
use envoy_types::pb::envoy::config::endpoint::v3::lb_endpoint::HostIdentifier;
use envoy_types::pb::envoy::config::endpoint::v3::{
    ClusterLoadAssignment, Endpoint, LbEndpoint, LocalityLbEndpoints,
};
use envoy_types::pb::envoy::extensions::clusters::common::dns::v3::DnsLookupFamily;
use envoy_types::pb::envoy::extensions::clusters::dns::v3::DnsCluster;
use envoy_types::pb::envoy::extensions::clusters::dns::v3::dns_cluster::RefreshRate;
use envoy_types::pb::envoy::extensions::filters::http::upstream_codec::v3::UpstreamCodec;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::{
    HttpFilter, http_filter,
};
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::common_tls_context::ValidationContextType;
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::subject_alt_name_matcher::SanType;
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::{
    CertificateValidationContext, CommonTlsContext, SubjectAltNameMatcher, UpstreamTlsContext,
};
use envoy_types::pb::envoy::extensions::upstreams::http::v3::HttpProtocolOptions;
use envoy_types::pb::envoy::extensions::upstreams::http::v3::http_protocol_options::explicit_http_config::ProtocolConfig;
use envoy_types::pb::envoy::extensions::upstreams::http::v3::http_protocol_options::{
    AutoHttpConfig, ExplicitHttpConfig, UpstreamProtocolOptions,
};
use envoy_types::pb::envoy::r#type::matcher::v3::StringMatcher;
use envoy_types::pb::envoy::r#type::matcher::v3::string_matcher::MatchPattern;
use envoy_types::pb::envoy::r#type::v3::Percent;
use sluice::config::{BaseUrl, Provider, Settings};
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Vendors' load balancers close idle connections after a minute and more; being first avoids the race.
const IDLE_TIMEOUT: Duration = Duration::from_secs(55);
/// How soon a failed name look-up is tried again.
const DNS_RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(5));
/// HTTP/2 connections are probed, so that a dead one is noticed before a request's deadline.
const PROBE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(10));
/// Nothing listens on TCP port 1 of the loopback interface.
const BLACKHOLE: (&str, u16) = ("127.0.0.1", 1);
/// Envoy's own limits (1024 connections and requests, 3 retries at a time) are for another kind of service: here
/// the keys' limits decide, and a retry is how a request reaches the next provider.
const UNLIMITED: u32 = 1 << 20;

/// The cluster that refuses every connection: where a request goes whose provider has no cluster.
pub(super) const NOWHERE: &str = "sluice-nowhere";

/// The cluster named [`NOWHERE`]. An attempt there is an attempt: the filter's second position records it and names
/// the next provider.
pub(super) fn nowhere(settings: &Settings) -> Cluster {
    let (host, port) = BLACKHOLE;
    let url = BaseUrl { tls: false, host: host.to_owned(), port, path: String::new() };
    // The one port that it has must not be ejected.
    Cluster { outlier_detection: None, ..reaching(NOWHERE.to_owned(), &url, settings, "") }
}

/// The cluster of an enabled provider; `None` if its base URL is none, which the admin API does not let in.
pub(super) fn cluster(provider: &Provider, settings: &Settings, ca_file: &str) -> Option<Cluster> {
    let Some(url) = BaseUrl::parse(&provider.base_url) else {
        tracing::error!(
            provider = provider.name,
            "the base URL cannot be used, so Envoy gets no cluster for it"
        );
        return None;
    };
    Some(reaching(provider.cluster(), &url, settings, ca_file))
}

fn reaching(name: String, url: &BaseUrl, settings: &Settings, ca_file: &str) -> Cluster {
    let is_address = url.host.parse::<IpAddr>().is_ok();
    Cluster {
        load_assignment: Some(load_assignment(&name, url)),
        name,
        cluster_discovery_type: Some(if is_address { fixed() } else { by_name() }),
        connect_timeout: duration(CONNECT_TIMEOUT),
        per_connection_buffer_limit_bytes: number(buffer_limit(settings)),
        circuit_breakers: Some(CircuitBreakers {
            thresholds: vec![thresholds()],
            per_host_thresholds: vec![],
        }),
        outlier_detection: Some(outlier_detection()),
        // Without panic routing an ejected host is really left alone.
        common_lb_config: Some(CommonLbConfig {
            healthy_panic_threshold: Some(Percent { value: 0.0 }),
            ..CommonLbConfig::default()
        }),
        upstream_connection_options: Some(UpstreamConnectionOptions {
            tcp_keepalive: Some(TcpKeepalive {
                keepalive_probes: number(3),
                keepalive_time: number(60),
                keepalive_interval: number(10),
            }),
            ..UpstreamConnectionOptions::default()
        }),
        transport_socket: url.tls.then(|| tls(&url.host, is_address, ca_file)),
        typed_extension_protocol_options: HashMap::from([(
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions".to_owned(),
            any(&protocol(url.tls)),
        )]),
        ..Cluster::default()
    }
}

fn fixed() -> ClusterDiscoveryType {
    ClusterDiscoveryType::Type(DiscoveryType::Static.into())
}

/// Every address the name resolves to is a host of its own.
fn by_name() -> ClusterDiscoveryType {
    let dns = DnsCluster {
        dns_lookup_family: DnsLookupFamily::V4Preferred.into(),
        dns_failure_refresh_rate: Some(RefreshRate {
            base_interval: duration(DNS_RETRY.0),
            max_interval: duration(DNS_RETRY.1),
        }),
        ..DnsCluster::default()
    };
    ClusterDiscoveryType::ClusterType(CustomClusterType {
        name: "envoy.clusters.dns".to_owned(),
        typed_config: Some(any(&dns)),
    })
}

fn load_assignment(name: &str, url: &BaseUrl) -> ClusterLoadAssignment {
    let locality = |priority, (host, port)| LocalityLbEndpoints {
        priority,
        lb_endpoints: vec![LbEndpoint {
            host_identifier: Some(HostIdentifier::Endpoint(Endpoint {
                address: Some(address(host, port)),
                ..Endpoint::default()
            })),
            ..LbEndpoint::default()
        }],
        ..LocalityLbEndpoints::default()
    };
    ClusterLoadAssignment {
        cluster_name: name.to_owned(),
        endpoints: vec![locality(0, (url.host.as_str(), url.port)), locality(1, BLACKHOLE)],
        // As long as one host in a hundred is healthy, nothing spills over to the closed port.
        policy: Some(Policy { overprovisioning_factor: number(10_000), ..Policy::default() }),
        ..ClusterLoadAssignment::default()
    }
}

fn thresholds() -> Thresholds {
    Thresholds {
        priority: RoutingPriority::Default.into(),
        max_connections: number(UNLIMITED),
        max_pending_requests: number(UNLIMITED),
        max_requests: number(UNLIMITED),
        max_retries: number(UNLIMITED),
        ..Thresholds::default()
    }
}

/// All of a provider's hosts may be ejected, but not the closed port besides: that would be 100 percent.
fn outlier_detection() -> OutlierDetection {
    OutlierDetection {
        consecutive_5xx: number(5),
        consecutive_gateway_failure: number(5),
        enforcing_consecutive_gateway_failure: number(100),
        split_external_local_origin_errors: true,
        consecutive_local_origin_failure: number(3),
        enforcing_success_rate: number(0),
        enforcing_local_origin_success_rate: number(0),
        interval: duration(Duration::from_secs(1)),
        base_ejection_time: duration(Duration::from_secs(10)),
        max_ejection_time: duration(Duration::from_secs(60)),
        max_ejection_percent: number(99),
        always_eject_one_host: flag(false),
        ..OutlierDetection::default()
    }
}

fn tls(host: &str, is_address: bool, ca_file: &str) -> TransportSocket {
    let san_type = if is_address { SanType::IpAddress } else { SanType::Dns };
    let exact =
        StringMatcher { match_pattern: Some(MatchPattern::Exact(host.to_owned())), ignore_case: false };
    // Envoy 1.40 ignores `system_root_certs`, which would leave the chain unchecked: a file it must be.
    let authorities =
        DataSource { specifier: Some(Specifier::Filename(ca_file.to_owned())), ..DataSource::default() };
    let validation = CertificateValidationContext {
        trusted_ca: Some(authorities),
        match_typed_subject_alt_names: vec![SubjectAltNameMatcher {
            san_type: san_type.into(),
            matcher: Some(exact),
            ..SubjectAltNameMatcher::default()
        }],
        ..CertificateValidationContext::default()
    };
    let context = UpstreamTlsContext {
        sni: if is_address { String::new() } else { host.to_owned() },
        common_tls_context: Some(CommonTlsContext {
            validation_context_type: Some(ValidationContextType::ValidationContext(validation)),
            ..CommonTlsContext::default()
        }),
        ..UpstreamTlsContext::default()
    };
    TransportSocket {
        name: "envoy.transport_sockets.tls".to_owned(),
        config_type: Some(SocketConfig::TypedConfig(any(&context))),
    }
}

/// HTTP/2 where TLS can negotiate it, HTTP/1.1 otherwise; the filter's second position.
fn protocol(tls: bool) -> HttpProtocolOptions {
    let options = if tls {
        let probe = KeepaliveSettings {
            interval: duration(PROBE.0),
            timeout: duration(PROBE.1),
            ..KeepaliveSettings::default()
        };
        UpstreamProtocolOptions::AutoConfig(AutoHttpConfig {
            http_protocol_options: Some(Http1ProtocolOptions::default()),
            http2_protocol_options: Some(Http2ProtocolOptions {
                connection_keepalive: Some(probe),
                ..Http2ProtocolOptions::default()
            }),
            ..AutoHttpConfig::default()
        })
    } else {
        UpstreamProtocolOptions::ExplicitHttpConfig(ExplicitHttpConfig {
            protocol_config: Some(ProtocolConfig::HttpProtocolOptions(Http1ProtocolOptions::default())),
        })
    };
    let codec = HttpFilter {
        name: "envoy.filters.http.upstream_codec".to_owned(),
        config_type: Some(http_filter::ConfigType::TypedConfig(any(&UpstreamCodec {}))),
        ..HttpFilter::default()
    };
    HttpProtocolOptions {
        common_http_protocol_options: Some(Common {
            idle_timeout: duration(IDLE_TIMEOUT),
            ..Common::default()
        }),
        http_filters: vec![filter::filter(filter::EGRESS), codec],
        upstream_protocol_options: Some(options),
        ..HttpProtocolOptions::default()
    }
}
