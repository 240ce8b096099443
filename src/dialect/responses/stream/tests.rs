use super::{Decoder, Encoder};
use crate::config::Endpoint;
use crate::dialect::{DecodeStream, EncodeStream, ReplyContext};
use crate::ir::chat::{Finish, FinishReason, Logprob};
use crate::ir::error::{ApiError, ErrorKind, Fault};
use crate::ir::event::{Block, Checker, Delta, Event};
use proptest::prelude::*;
use serde_json::{Value, json};

fn encoder(echo: &str) -> Encoder {
    let mut context = ReplyContext::new(Endpoint::Responses, 7);
    context.request_id = "r-1".into();
    context.echo = echo.into();
    Encoder::new(&context)
}

fn events(out: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(out).unwrap();
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    data.map(|data| serde_json::from_str(data).unwrap()).collect()
}

fn encode(echo: &str, list: &[Event<'_>]) -> Vec<Value> {
    let mut encoder = encoder(echo);
    let mut out = Vec::new();
    list.iter().for_each(|event| encoder.event(event, &mut out));
    let found = events(&out);
    for (number, event) in found.iter().enumerate() {
        assert_eq!(event["sequence_number"], json!(number));
    }
    found
}

fn start() -> Event<'static> {
    Event::Start { id: "x".into(), model: "m".into(), usage: None }
}

fn finish(reason: FinishReason) -> Event<'static> {
    Event::Finish(Finish { reason, word: "w".into(), stop_sequence: None })
}

fn call(name: &'static str) -> Event<'static> {
    Event::BlockStart(Block::ToolCall { id: "c".into(), name: name.into(), custom: false, proof: None })
}

#[test]
fn a_function_that_stands_for_a_custom_tool_is_called_as_one() {
    let echo = r#"{"tools":[{"type":"custom","name":"patch"},{"type":"function","name":"f"}]}"#;
    let arguments = |text: &'static str| Event::Delta(Delta::Arguments(text.into()));
    let found = encode(
        echo,
        &[
            start(),
            call("patch"),
            arguments("{\"inp"),
            arguments("ut\":\"a\\n\\\"b\\\"\"}"),
            Event::BlockEnd,
            call("f"),
            arguments("{}"),
            Event::BlockEnd,
            finish(FinishReason::ToolCalls),
            Event::End,
        ],
    );
    let kinds: Vec<_> = found.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(
        kinds[2..],
        [
            "response.output_item.added",
            "response.custom_tool_call_input.delta",
            "response.custom_tool_call_input.done",
            "response.output_item.done",
            "response.output_item.added",
            "response.function_call_arguments.delta",
            "response.function_call_arguments.done",
            "response.output_item.done",
            "response.completed",
        ]
    );
    assert_eq!(found[3]["delta"], json!("a\n\"b\""));
    let patch = json!({"id":"ctc_r1_0","type":"custom_tool_call","status":"completed","call_id":"c","input":"a\n\"b\"","name":"patch"});
    assert_eq!(found[5]["item"], patch);
    assert_eq!(found[10]["response"]["output"][0], patch);
    assert_eq!(found[10]["response"]["tools"].as_array().unwrap().len(), 2);
}

#[test]
fn what_a_model_made_of_a_custom_tools_stand_in_is_not_lost() {
    let echo = r#"{"tools":[{"type":"custom","name":"patch"}]}"#;
    let broken = Event::Delta(Delta::Arguments("{\"inp".into()));
    let found = encode(
        echo,
        &[start(), call("patch"), broken, Event::BlockEnd, finish(FinishReason::Length), Event::End],
    );
    assert_eq!(found[4]["input"], json!("{\"inp"));
    assert_eq!(found[6]["type"], json!("response.incomplete"));
    assert_eq!(found[6]["response"]["incomplete_details"], json!({"reason":"max_output_tokens"}));
}

#[test]
fn a_filter_s_stop_is_incomplete_and_a_refusal_in_words_is_not() {
    let end = |block| {
        let text = Event::Delta(Delta::Text("No.".into()));
        let refusal = finish(FinishReason::Refusal);
        let found =
            encode("", &[start(), Event::BlockStart(block), text, Event::BlockEnd, refusal, Event::End]);
        found.last().unwrap()["response"].clone()
    };
    let (worded, filtered) = (end(Block::Refusal), end(Block::Text));
    assert_eq!(worded["output"][0]["content"], json!([{"type":"refusal","refusal":"No."}]));
    assert_eq!(
        (&worded["status"], &worded["output"][0]["status"]),
        (&json!("completed"), &json!("completed"))
    );
    assert_eq!(filtered["incomplete_details"]["reason"], json!("content_filter"));
    assert_eq!(filtered["output"][0]["status"], json!("incomplete"));
}

#[test]
fn log_probabilities_are_told_again_with_the_whole() {
    let logprob =
        |token: &'static str| Logprob { token: token.into(), logprob: "-0.50".into(), top: Vec::new() };
    let found = encode(
        "",
        &[
            start(),
            Event::BlockStart(Block::Text),
            Event::Delta(Delta::Text("a".into())),
            Event::Delta(Delta::Logprobs(vec![logprob("a")])),
            Event::Delta(Delta::Logprobs(vec![logprob("b")])),
            Event::BlockEnd,
            finish(FinishReason::Stop),
            Event::End,
        ],
    );
    let last = &found.last().unwrap()["response"]["output"][0]["content"][0]["logprobs"];
    let tokens: Vec<_> = last.as_array().unwrap().iter().map(|logprob| logprob["token"].clone()).collect();
    assert_eq!(tokens, [json!("a"), json!("b")]);
}

#[test]
fn only_the_first_candidate_is_told() {
    let text = || {
        [
            Event::BlockStart(Block::Text),
            Event::Delta(Delta::Text("a".into())),
            Event::BlockEnd,
            finish(FinishReason::Stop),
        ]
    };
    let mut list = vec![start()];
    list.extend(text());
    list.push(Event::NextCandidate);
    list.extend(text());
    list.push(Event::End);
    let found = encode("", &list);
    assert_eq!(found.last().unwrap()["response"]["output"].as_array().unwrap().len(), 1);
}

#[test]
fn an_empty_reply_is_a_message_without_words() {
    let found = encode("", &[start(), finish(FinishReason::Stop), Event::End]);
    let output = &found.last().unwrap()["response"]["output"];
    assert_eq!(output[0]["content"][0]["text"], json!(""));
}

#[test]
fn an_error_ends_the_stream_as_a_failed_response() {
    let mut encoder = encoder("");
    let mut out = Vec::new();
    encoder.event(&start(), &mut out);
    let error = ApiError {
        status: 429,
        kind: ErrorKind::RateLimit,
        code: None,
        message: "slow".to_owned(),
        param: None,
    };
    encoder.error(&error, "req", &mut out);
    let found = events(&out);
    assert_eq!((&found[2]["type"], &found[2]["code"]), (&json!("error"), &json!("rate_limit_exceeded")));
    assert_eq!(found[2]["error"]["message"], json!("slow"));
    assert_eq!(found[3]["type"], json!("response.failed"));
    assert_eq!(found[3]["response"]["error"], json!({"code":"rate_limit_exceeded","message":"slow"}));
    assert_eq!(found[3]["sequence_number"], json!(3));
}

#[test]
fn what_waits_behind_an_item_is_bounded() {
    let mut decoder = Decoder::default();
    let mut push = |data: Value| decoder.push(format!("data: {data}\n\n").as_bytes(), &mut |_| ());
    let added = |index: u64| json!({"type":"response.output_item.added","output_index":index,"item":{"type":"message"}});
    push(added(0)).unwrap();
    push(json!({"type":"response.output_text.delta","output_index":0,"delta":"a"})).unwrap();
    push(added(1)).unwrap();
    let delta = json!({"type":"response.output_text.delta","output_index":1,"delta":"a".repeat(1 << 20)});
    let result = (0..40).try_for_each(|_| push(delta.clone()));
    assert!(matches!(result, Err(Fault::Invalid(_))), "{result:?}");
}

/// Events of streams that have every kind of item.
fn blocks() -> Vec<&'static str> {
    [
        include_str!("../../../../tests/golden/replies/responses/f_reasoning_proof.sse"),
        include_str!("../../../../tests/golden/replies/responses/f_logprobs.sse"),
        include_str!("../../../../tests/golden/replies/responses/stream_parts_two.sse"),
        include_str!("../../../../tests/golden/replies/responses/stream_items_interleaved.sse"),
        include_str!("../../../../tests/golden/replies/responses/stream_custom_tool_call.sse"),
        include_str!("../../../../tests/golden/replies/responses/stream_call_named_late.sse"),
        include_str!("../../../../tests/golden/replies/responses/stream_whole_at_the_end.sse"),
        include_str!("../../../../tests/golden/replies/responses/stream_hosted_tools.sse"),
    ]
    .into_iter()
    .flat_map(|stream| stream.split_inclusive("\n\n"))
    .collect()
}

proptest! {
    #[test]
    fn however_events_are_mixed_the_grammar_holds(order in prop::collection::vec(any::<prop::sample::Index>(), 1..40)) {
        let blocks = blocks();
        let (mut decoder, mut checker, mut encoder) = (Decoder::default(), Checker::default(), encoder(""));
        let mut out = Vec::new();
        let mut sink = |event: Event<'_>| {
            assert_eq!(checker.event(&event), Ok(()));
            encoder.event(&event, &mut out);
        };
        let pushed = order.iter().try_for_each(|at| decoder.push(at.get(&blocks).as_bytes(), &mut sink));
        let result = pushed.and_then(|()| decoder.finish(&mut sink));
        prop_assert_eq!(checker.is_complete(), result.is_ok());
        for (number, event) in events(&out).iter().enumerate() {
            prop_assert_eq!(&event["sequence_number"], &json!(number));
        }
    }
}
