//! What Envoy says before the filter runs: a request that is no HTTP, or whose headers are too large, is answered in JSON
//! as everything else is. What the filter or the router answers itself passes as it is.

use envoy_types::pb::envoy::config::accesslog::v3::access_log_filter::FilterSpecifier;
use envoy_types::pb::envoy::config::accesslog::v3::{AccessLogFilter, HeaderFilter};
use envoy_types::pb::envoy::config::core::v3::substitution_format_string::Format;
use envoy_types::pb::envoy::config::core::v3::{HeaderValue, HeaderValueOption, SubstitutionFormatString};
use envoy_types::pb::envoy::config::route::v3::HeaderMatcher;
use envoy_types::pb::envoy::config::route::v3::header_matcher::HeaderMatchSpecifier;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::{
    LocalReplyConfig, ResponseMapper,
};
use envoy_types::pb::google::protobuf::value::Kind;
use envoy_types::pb::google::protobuf::{Struct, Value};

/// The configuration of Envoy's own answers. Nothing is known of the client's dialect that early, so they have OpenAI's
/// shape, whose `error.message` every client shows.
pub(super) fn config() -> LocalReplyConfig {
    let text = |text: &str| Kind::StringValue(text.to_owned());
    let error = object([
        (
            "message",
            text(
                "The request could not be read (%RESPONSE_CODE_DETAILS%). Check its framing and headers, and send it again.",
            ),
        ),
        ("type", text("invalid_request_error")),
        ("param", Kind::NullValue(0)),
        ("code", text("invalid_request")),
    ]);
    let format = SubstitutionFormatString {
        format: Some(Format::JsonFormat(object([("error", Kind::StructValue(error))]))),
        content_type: "application/json".to_owned(),
        ..SubstitutionFormatString::default()
    };
    // Envoy gives every request an id before the filter runs; what has none never got there.
    let unread = HeaderMatcher {
        name: "x-request-id".to_owned(),
        invert_match: true,
        header_match_specifier: Some(HeaderMatchSpecifier::PresentMatch(true)),
        ..HeaderMatcher::default()
    };
    let id = HeaderValue {
        key: "x-sluice-request-id".to_owned(),
        value: "%UNIQUE_ID%".to_owned(),
        ..HeaderValue::default()
    };
    let mapper = ResponseMapper {
        filter: Some(AccessLogFilter {
            filter_specifier: Some(FilterSpecifier::HeaderFilter(HeaderFilter { header: Some(unread) })),
        }),
        body_format_override: Some(format),
        headers_to_add: vec![HeaderValueOption { header: Some(id), ..HeaderValueOption::default() }],
        ..ResponseMapper::default()
    };
    LocalReplyConfig { mappers: vec![mapper], ..LocalReplyConfig::default() }
}

fn object<const N: usize>(members: [(&str, Kind); N]) -> Struct {
    let fields =
        members.into_iter().map(|(name, kind)| (name.to_owned(), Value { kind: Some(kind) })).collect();
    Struct { fields }
}
