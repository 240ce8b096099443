use super::{Observer, peek_reply};
use crate::config::Endpoint;
use crate::dialect::{Observe, Sight};
use crate::ir::error::Fault;

fn started(keep_usage: bool) -> Observer {
    let mut observer = Observer::new(keep_usage);
    assert_eq!(
        observer.block(br#"data: {"choices":[{"index":0,"delta":{"content":"ab"}}]}"#),
        Ok(Sight::Token)
    );
    observer
}

#[test]
fn a_plain_delta_is_counted_without_a_parse() {
    let mut observer = started(false);
    // Not JSON behind the text, and nobody looks.
    assert_eq!(
        observer.block(
            br#"data: {"choices":[{"delta":{"content": "c\"d\\"},"finish_reason" : null,"usage":null} %"#
        ),
        Ok(Sight::Token)
    );
    assert_eq!(observer.summary().output_bytes, 8);
    assert!(!observer.is_complete());
}

#[test]
fn what_may_be_more_than_text_is_parsed() {
    let mut observer = started(false);
    let call = br#"data: {"choices":[{"delta":{"content":"","tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}}]}"#;
    assert_eq!(observer.block(call), Ok(Sight::Token));
    assert_eq!(observer.summary().output_bytes, 4);
    let last = br#"data: {"choices":[{"delta":{"content":"x"},"finish_reason":null},{"delta":{},"finish_reason": "length"}]}"#;
    assert_eq!(observer.block(last), Ok(Sight::Token));
    assert_eq!(observer.summary().finish_reason.as_deref(), Some("length"));
    assert!(observer.is_complete());
    let error = br#"data: {"choices":[{"delta":{"content":"x"}}],"error":{"message":"broken"}}"#;
    assert!(matches!(observer.block(error), Err(Fault::Error(_))));
    assert!(!observer.is_complete());
}

#[test]
fn text_that_speaks_of_usage_is_still_text() {
    let mut observer = started(false);
    let block = br#"data: {"choices":[{"delta":{"content":"\"usage\":{\"error\":1}"}}]}"#;
    assert_eq!(observer.block(block), Ok(Sight::Token));
    assert_eq!(observer.summary().usage, None);
}

#[test]
fn only_a_chunk_of_nothing_but_unasked_usage_is_taken_out() {
    let usage = br#"data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#;
    assert_eq!(started(false).block(usage), Ok(Sight::Unasked));
    assert_eq!(started(true).block(usage), Ok(Sight::Silent));
    let both = br#"data: {"choices":[{"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":1}}"#;
    assert_eq!(started(false).block(both), Ok(Sight::Token));
    assert_eq!(started(false).block(br#"data: {"choices":[],"usage":null}"#), Ok(Sight::Silent));
}

#[test]
fn silence_is_no_token() {
    let mut observer = Observer::new(false);
    for block in [
        &b": ping\n\n"[..],
        b"\n",
        b"event: x\n\n",
        b"data:\n\n",
        br#"data: {"choices":[{"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#,
        br#"data: {"choices":[],"prompt_filter_results":[]}"#,
    ] {
        assert_eq!(observer.block(block), Ok(Sight::Silent));
    }
    assert!(matches!(observer.block(b"data: {\"choices\":\n\n"), Err(Fault::Invalid(_))));
}

#[test]
fn embeddings_count_and_may_be_missing() {
    let body = r#"{"data":[{"embedding":[0.1]}],"usage":{"prompt_tokens":5,"total_tokens":5}}"#;
    let summary = peek_reply(Endpoint::Embeddings, body).unwrap();
    assert_eq!(summary.usage.unwrap().input, 5);
    assert_eq!(peek_reply(Endpoint::Embeddings, r#"{"data":[]}"#), Err(Fault::Empty));
    assert!(matches!(peek_reply(Endpoint::Embeddings, r#"{"error":"x"}"#), Err(Fault::Error(_))));
    assert!(matches!(peek_reply(Endpoint::Embeddings, "[]"), Err(Fault::Invalid(_))));
}
