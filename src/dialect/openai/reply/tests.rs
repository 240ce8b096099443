use super::{decode, encode};
use crate::config::{Dialect, Endpoint};
use crate::dialect::ReplyContext;
use crate::ir::Proof;
use crate::ir::chat::{Choice, Finish, FinishReason, Part, Reply, ToolCall};

fn written(parts: Vec<Part<'_>>, reason: FinishReason) -> String {
    let finish = Finish { reason, word: "w".into(), stop_sequence: None };
    let choice = Choice { parts, finish, logprobs: Vec::new() };
    let reply = Reply { id: "i".into(), model: "m".into(), choice, more: Vec::new(), usage: None };
    let mut out = Vec::new();
    encode(&reply, &ReplyContext::new(Endpoint::ChatCompletions, 5), &mut out);
    String::from_utf8(out).unwrap()
}

fn message(parts: Vec<Part<'_>>, reason: FinishReason) -> (String, String) {
    let json = written(parts, reason);
    let (_, rest) = json.split_once(r#""message":"#).unwrap();
    let (message, rest) = rest.split_once(r#","logprobs":null,"finish_reason":""#).unwrap();
    (message.to_owned(), rest.split('"').next().unwrap().to_owned())
}

#[test]
fn a_reply_is_complete_for_official_clients() {
    assert_eq!(
        written(vec![Part::text("a\n"), Part::text("b")], FinishReason::Stop),
        r#"{"id":"i","object":"chat.completion","created":5,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"a\nb","refusal":null},"logprobs":null,"finish_reason":"stop"}]}"#
    );
}

#[test]
fn content_is_null_only_beside_something_else() {
    let call = ToolCall::function("c", "f", "");
    assert_eq!(
        message(vec![Part::ToolCall(call)], FinishReason::ToolCalls),
        (
            r#"{"role":"assistant","content":null,"refusal":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":""}}]}"#.to_owned(),
            "tool_calls".to_owned()
        )
    );
    assert_eq!(message(vec![], FinishReason::Stop).0, r#"{"role":"assistant","content":"","refusal":null}"#);
}

#[test]
fn a_refusal_in_words_is_no_filter() {
    let refusal = Part::Refusal { text: "no".into() };
    assert_eq!(
        message(vec![refusal], FinishReason::Refusal),
        (r#"{"role":"assistant","content":null,"refusal":"no"}"#.to_owned(), "stop".to_owned())
    );
    assert_eq!(message(vec![], FinishReason::Refusal).1, "content_filter");
}

#[test]
fn what_proves_thinking_is_sealed() {
    let parts = vec![
        Part::Thinking {
            text: "one ".into(),
            proof: Some(Proof { home: Dialect::Anthropic, value: "s".into() }),
        },
        Part::RedactedThinking { data: Proof { home: Dialect::Anthropic, value: "d".into() } },
        Part::Thinking { text: "two".into(), proof: None },
        Part::text("x"),
    ];
    assert_eq!(
        message(parts, FinishReason::Pause),
        (
            r#"{"role":"assistant","content":"x","refusal":null,"reasoning_content":"one two","reasoning_details":[{"type":"reasoning.text","text":"one ","signature":"sluice.anthropic.s","index":0},{"type":"reasoning.encrypted","data":"sluice.anthropic.d","index":1},{"type":"reasoning.text","text":"two","index":2}]}"#.to_owned(),
            "stop".to_owned()
        )
    );
}

#[test]
fn calls_without_ids_get_different_ones() {
    let body = r#"{"id":"r","choices":[{"message":{"tool_calls":[{"function":{"name":"a"}},{"function":{"name":"b"}}]},"finish_reason":"stop"}]}"#;
    let reply = decode(body).unwrap();
    let ids: Vec<_> = reply
        .choice
        .parts
        .iter()
        .filter_map(|part| match part {
            Part::ToolCall(call) => Some(call.id.plain()),
            _ => None,
        })
        .collect();
    assert_eq!(ids.len(), 2);
    assert!(ids[0] != ids[1] && ids.iter().all(|id| id.starts_with("call_") && id.len() <= 40));
    assert_eq!(reply.choice.finish.reason, FinishReason::ToolCalls);
}
