//! Bedrock over HTTP: the binary stream and what a script does to it.

use super::*;
use bytes::{Buf, Bytes};

/// Asks, and reads the body to its end; whether it ended as it should.
async fn ask(lab: &Lab, operation: &str) -> (reqwest::Response, Vec<u8>, bool) {
    let url = format!("{}/model/amazon.nova-lite-v1%3A0/{operation}", lab.url("bedrock"));
    let body = json!({"messages": [{"role": "user", "content": [{"text": "[[words:6]]"}]}]});
    let mut response = lab.client.post(url).bearer_auth("k").json(&body).send().await.unwrap();
    let mut bytes = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => bytes.extend(chunk),
            Ok(None) => return (response, bytes, true),
            Err(_) => return (response, bytes, false),
        }
    }
}

/// The messages of a stream with the first header of each, whether its checksum is right, and what is left over.
fn messages(bytes: Vec<u8>) -> (Vec<(String, bool)>, usize) {
    let mut rest = Bytes::from(bytes);
    let mut found = Vec::new();
    while rest.len() >= 16 {
        let total = rest.slice(..4).get_u32() as usize;
        if rest.len() < total {
            break;
        }
        let message = rest.split_to(total);
        let right = crc32fast::hash(&message[..total - 4]) == message.slice(total - 4..).get_u32();
        let name = usize::from(message[12]);
        let value = 12 + 1 + name + 1;
        let length = usize::from(message.slice(value..).get_u16());
        let value = &message[value + 2..value + 2 + length];
        found.push((String::from_utf8(value.to_vec()).unwrap(), right));
    }
    (found, rest.len())
}

fn deltas(messages: &[(String, bool)]) -> usize {
    messages.iter().filter(|(name, _)| name == "contentBlockDelta").count()
}

#[tokio::test]
async fn a_stream_is_binary_and_whole() {
    let lab = Lab::start().await;
    let (response, bytes, clean) = ask(&lab, "converse-stream").await;
    assert_eq!(response.headers()["content-type"], "application/vnd.amazon.eventstream");
    let (messages, left) = messages(bytes);
    assert!(clean && left == 0 && messages.iter().all(|(_, right)| *right), "{messages:?}");
    assert_eq!((messages[0].0.as_str(), deltas(&messages)), ("messageStart", 6));
    let attempts = lab.attempts("bedrock", 1).await;
    assert_eq!(
        (&attempts[0]["model"], &attempts[0]["deltas"], &attempts[0]["usage"]),
        (&json!("amazon.nova-lite-v1:0"), &json!(6), &attempts[0]["consumed"])
    );
}

#[tokio::test]
async fn a_cut_may_be_inside_a_message() {
    let script = json!([{"kind": "cut_inside_event", "tokens": 2}, {"kind": "cut_inside_event", "tokens": 2, "style": {"split": 5}}]);
    let lab = Lab::scripted("bedrock", script).await;
    for _ in 0..2 {
        let (_, bytes, clean) = ask(&lab, "converse-stream").await;
        let (messages, left) = messages(bytes);
        assert_eq!((clean, deltas(&messages)), (false, 2));
        assert!(left > 20, "half a message is there: {left}");
    }
    let attempts = lab.attempts("bedrock", 2).await;
    assert_eq!(
        (&attempts[1]["outcome"], &attempts[1]["deltas"]),
        (&json!("fault:cut_inside_event"), &json!(2))
    );
}

#[tokio::test]
async fn a_checksum_may_be_wrong() {
    let script = json!([{"kind": "wrong_checksum", "tokens": 2}]);
    let lab = Lab::scripted("bedrock", script.clone()).await;
    let (_, bytes, clean) = ask(&lab, "converse-stream").await;
    let (messages, left) = messages(bytes);
    let wrong: Vec<_> =
        messages.iter().enumerate().filter(|(_, (_, right))| !right).map(|(index, _)| index).collect();
    assert_eq!((clean, left, deltas(&messages), wrong), (true, 0, 6, vec![3]));

    let lab = Lab::scripted(OPENAI, script).await;
    let (_, body, _) = lab.read(OPENAI, true).await;
    assert!(
        data(&body).iter().any(|line| line.ends_with("[{")),
        "without checksums an event is malformed: {body}"
    );
}

#[tokio::test]
async fn a_stream_may_end_with_an_exception() {
    let script = json!([{"kind": "error_event_after_tokens", "tokens": 2, "code": "ModelStreamErrorException"}, {"kind": "error_event_first"}]);
    let lab = Lab::scripted("bedrock", script).await;
    let (_, bytes, _) = ask(&lab, "converse-stream").await;
    let (messages_first, _) = messages(bytes);
    assert_eq!(deltas(&messages_first), 2);
    assert_eq!(messages_first.last().unwrap(), &("modelStreamErrorException".to_owned(), true));
    let (response, bytes, _) = ask(&lab, "converse-stream").await;
    assert_eq!(
        (response.status().as_u16(), messages(bytes).0),
        (200, vec![("internalServerException".to_owned(), true)])
    );
}

#[tokio::test]
async fn scripted_statuses_name_their_exception() {
    let status = |status: u16, code: Value| json!({"kind": "status", "status": status, "code": code});
    let script = json!([
        status(429, json!(null)),
        status(429, json!("ModelNotReadyException")),
        status(403, json!("ExpiredTokenException")),
        status(503, json!(null)),
        status(418, json!(null))
    ]);
    let lab = Lab::scripted("bedrock", script).await;
    for (status, name) in [
        (429, "ThrottlingException"),
        (429, "ModelNotReadyException"),
        (403, "ExpiredTokenException"),
        (503, "ServiceUnavailableException"),
        (418, "ValidationException"),
    ] {
        let (response, body, _) = ask(&lab, "converse").await;
        assert_eq!(
            (response.status().as_u16(), &response.headers()["x-amzn-errortype"]),
            (status, &http::HeaderValue::from_static(name))
        );
        assert!(serde_json::from_slice::<Value>(&body).unwrap()["message"].is_string());
    }
}

#[tokio::test]
async fn silence_is_silent() {
    let lab = Lab::scripted("bedrock", json!([{"kind": "pings_then_silence"}])).await;
    let url = format!("{}/model/amazon.nova-lite-v1%3A0/converse-stream", lab.url("bedrock"));
    let body = json!({"messages": [{"role": "user", "content": [{"text": "hi"}]}]});
    let mut response = lab.client.post(url).bearer_auth("k").json(&body).send().await.unwrap();
    let first = response.chunk().await.unwrap().unwrap();
    assert_eq!(messages(first.to_vec()), (vec![("messageStart".to_owned(), true)], 0));
    drop(response);
    assert_eq!(lab.attempts("bedrock", 1).await[0]["outcome"], "client_gone");
}
