//! What Envoy says before the filter runs: a request that is no HTTP, that has no host, or whose headers are too large,
//! is answered in JSON as everything else is. What the filter answers itself, and what becomes of an exchange, passes as
//! it is.

use super::message::any;
use envoy_types::pb::envoy::config::accesslog::v3::access_log_filter::FilterSpecifier;
use envoy_types::pb::envoy::config::accesslog::v3::extension_filter::ConfigType;
use envoy_types::pb::envoy::config::accesslog::v3::{AccessLogFilter, ExtensionFilter};
use envoy_types::pb::envoy::config::core::v3::data_source::Specifier;
use envoy_types::pb::envoy::config::core::v3::substitution_format_string::Format;
use envoy_types::pb::envoy::config::core::v3::{
    DataSource, HeaderValue, HeaderValueOption, SubstitutionFormatString,
};
use envoy_types::pb::envoy::extensions::access_loggers::filters::cel::v3::ExpressionFilter;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::{
    LocalReplyConfig, ResponseMapper,
};

/// Envoy says of each of its own replies why; the filter says nothing of its own. What has a slot is an exchange, whose
/// failures the filter words.
const UNREAD: &str = "!('wasm.sluice.slot' in filter_state) && response.code_details != ''";

/// Text and not Envoy's JSON format: that one is a map, whose order on the wire would make every response look new. What is
/// filled in is one of Envoy's own words, which need no escaping.
const REFUSED: &str = concat!(
    r#"{"error":{"message":"The request could not be read (%RESPONSE_CODE_DETAILS%). Check its framing and headers, "#,
    r#"and send it again.","type":"invalid_request_error","param":null,"code":"invalid_request"}}"#
);
/// The same for what is not the client's doing.
const FAILED: &str = concat!(
    r#"{"error":{"message":"The gateway could not take the request (%RESPONSE_CODE_DETAILS%). Try again shortly.","#,
    r#""type":"service_unavailable_error","param":null,"code":"unavailable"}}"#
);

/// The configuration of Envoy's own answers. Nothing is known of the client's dialect that early, so they have OpenAI's
/// shape, whose `error.message` every client shows.
pub(super) fn config() -> LocalReplyConfig {
    let failed = mapper(&format!("{UNREAD} && response.code >= 500"), FAILED);
    LocalReplyConfig { mappers: vec![failed, mapper(UNREAD, REFUSED)], ..LocalReplyConfig::default() }
}

fn mapper(expression: &str, body: &str) -> ResponseMapper {
    let expression = ExpressionFilter { expression: expression.to_owned(), ..ExpressionFilter::default() };
    let filter = FilterSpecifier::ExtensionFilter(ExtensionFilter {
        name: "unread".to_owned(),
        config_type: Some(ConfigType::TypedConfig(any(&expression))),
    });
    let format = SubstitutionFormatString {
        format: Some(Format::TextFormatSource(DataSource {
            specifier: Some(Specifier::InlineString(body.to_owned())),
            ..DataSource::default()
        })),
        content_type: "application/json".to_owned(),
        ..SubstitutionFormatString::default()
    };
    let id = HeaderValue {
        key: "x-sluice-request-id".to_owned(),
        value: "%UNIQUE_ID%".to_owned(),
        ..HeaderValue::default()
    };
    ResponseMapper {
        filter: Some(AccessLogFilter { filter_specifier: Some(filter) }),
        body_format_override: Some(format),
        headers_to_add: vec![HeaderValueOption { header: Some(id), ..HeaderValueOption::default() }],
        ..ResponseMapper::default()
    }
}
