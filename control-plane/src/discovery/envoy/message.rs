//! Protobuf's wrappers, in short.

use envoy_types::pb::envoy::config::core::v3::address::Address as Kind;
use envoy_types::pb::envoy::config::core::v3::config_source::ConfigSourceSpecifier;
use envoy_types::pb::envoy::config::core::v3::socket_address::PortSpecifier;
use envoy_types::pb::envoy::config::core::v3::{
    Address, AggregatedConfigSource, ApiVersion, ConfigSource, SocketAddress, TypedExtensionConfig,
};
use envoy_types::pb::google::protobuf::{Any, BoolValue, Duration, UInt32Value};

/// A message in an `Any`.
pub(super) fn any<M: prost::Name>(message: &M) -> Any {
    Any { type_url: M::type_url(), value: message.encode_to_vec() }
}

/// A message as an extension's configuration.
pub(super) fn extension<M: prost::Name>(name: &str, message: &M) -> TypedExtensionConfig {
    TypedExtensionConfig { name: name.to_owned(), typed_config: Some(any(message)) }
}

/// An optional number.
pub(super) const fn number(value: u32) -> Option<UInt32Value> {
    Some(UInt32Value { value })
}

/// An optional flag.
pub(super) const fn flag(value: bool) -> Option<BoolValue> {
    Some(BoolValue { value })
}

/// A duration of up to three centuries.
pub(super) fn duration(value: std::time::Duration) -> Option<Duration> {
    let seconds = i64::try_from(value.as_secs()).unwrap_or(i64::MAX);
    Some(Duration { seconds, nanos: i32::try_from(value.subsec_nanos()).unwrap_or_default() })
}

/// A duration in milliseconds.
pub(super) fn millis(value: u64) -> Option<Duration> {
    duration(std::time::Duration::from_millis(value))
}

/// A host name or address, and a port.
pub(super) fn address(host: &str, port: u16) -> Address {
    let port = Some(PortSpecifier::PortValue(u32::from(port)));
    let socket = SocketAddress { address: host.to_owned(), port_specifier: port, ..SocketAddress::default() };
    Address { address: Some(Kind::SocketAddress(socket)) }
}

/// "From the discovery stream", with no limit on the wait: half a configuration serves nobody.
pub(super) fn from_discovery() -> ConfigSource {
    ConfigSource {
        initial_fetch_timeout: millis(0),
        resource_api_version: ApiVersion::V3.into(),
        config_source_specifier: Some(ConfigSourceSpecifier::Ads(AggregatedConfigSource {})),
        ..ConfigSource::default()
    }
}
