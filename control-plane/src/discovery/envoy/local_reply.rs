//! What Envoy says before the filter runs: a request that is no HTTP, or whose headers are too large, is answered in JSON
//! as everything else is. What the filter or the router answers itself passes as it is.

use super::message::any;
use envoy_types::pb::envoy::config::accesslog::v3::access_log_filter::FilterSpecifier;
use envoy_types::pb::envoy::config::accesslog::v3::extension_filter::ConfigType;
use envoy_types::pb::envoy::config::accesslog::v3::{
    AccessLogFilter, AndFilter, ExtensionFilter, HeaderFilter,
};
use envoy_types::pb::envoy::config::core::v3::data_source::Specifier;
use envoy_types::pb::envoy::config::core::v3::substitution_format_string::Format;
use envoy_types::pb::envoy::config::core::v3::{
    DataSource, HeaderValue, HeaderValueOption, SubstitutionFormatString,
};
use envoy_types::pb::envoy::config::route::v3::HeaderMatcher;
use envoy_types::pb::envoy::config::route::v3::header_matcher::HeaderMatchSpecifier;
use envoy_types::pb::envoy::extensions::access_loggers::filters::cel::v3::ExpressionFilter;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::{
    LocalReplyConfig, ResponseMapper,
};

/// Text and not Envoy's JSON format: that one is a map, whose order on the wire would make every response look new. What is
/// filled in is one of Envoy's own words, which need no escaping.
const BODY: &str = concat!(
    r#"{"error":{"message":"The request could not be read (%RESPONSE_CODE_DETAILS%). Check its framing and headers, "#,
    r#"and send it again.","type":"invalid_request_error","param":null,"code":"invalid_request"}}"#
);

/// The configuration of Envoy's own answers. Nothing is known of the client's dialect that early, so they have OpenAI's
/// shape, whose `error.message` every client shows.
pub(super) fn config() -> LocalReplyConfig {
    let format = SubstitutionFormatString {
        format: Some(Format::TextFormatSource(DataSource {
            specifier: Some(Specifier::InlineString(BODY.to_owned())),
            ..DataSource::default()
        })),
        content_type: "application/json".to_owned(),
        ..SubstitutionFormatString::default()
    };
    // Envoy gives every request an id before the filter runs; what has none never got there, unless an attempt has
    // already replaced the client's headers by a provider's: then the exchange has a slot.
    let unread = HeaderMatcher {
        name: "x-request-id".to_owned(),
        invert_match: true,
        header_match_specifier: Some(HeaderMatchSpecifier::PresentMatch(true)),
        ..HeaderMatcher::default()
    };
    let unread = FilterSpecifier::HeaderFilter(HeaderFilter { header: Some(unread) });
    let no_exchange = ExpressionFilter {
        expression: "!('wasm.sluice.slot' in filter_state)".to_owned(),
        ..ExpressionFilter::default()
    };
    let no_exchange = FilterSpecifier::ExtensionFilter(ExtensionFilter {
        name: "no-exchange".to_owned(),
        config_type: Some(ConfigType::TypedConfig(any(&no_exchange))),
    });
    let both = [unread, no_exchange].map(|filter| AccessLogFilter { filter_specifier: Some(filter) });
    let id = HeaderValue {
        key: "x-sluice-request-id".to_owned(),
        value: "%UNIQUE_ID%".to_owned(),
        ..HeaderValue::default()
    };
    let mapper = ResponseMapper {
        filter: Some(AccessLogFilter {
            filter_specifier: Some(FilterSpecifier::AndFilter(AndFilter { filters: both.to_vec() })),
        }),
        body_format_override: Some(format),
        headers_to_add: vec![HeaderValueOption { header: Some(id), ..HeaderValueOption::default() }],
        ..ResponseMapper::default()
    };
    LocalReplyConfig { mappers: vec![mapper], ..LocalReplyConfig::default() }
}
