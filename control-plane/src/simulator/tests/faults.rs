use super::*;
use std::io::ErrorKind;
use std::time::{Duration, Instant};

const BOTH: [&str; 2] = [OPENAI, ANTHROPIC];

async fn outcome(lab: &Lab, name: &str) -> String {
    lab.attempts(name, 1).await[0]["outcome"].as_str().unwrap_or("none").to_owned()
}

#[tokio::test]
async fn healthy_replies_end_completed() {
    let lab = Lab::start().await;
    for name in BOTH {
        for stream in [false, true] {
            let (status, body, whole) = lab.read(name, stream).await;
            assert_eq!((status, tokens(&body), whole), (200, 6, true), "{name} {body}");
        }
        let attempts = lab.attempts(name, 2).await;
        assert!(
            attempts.iter().all(|attempt| attempt["outcome"] == "completed" && attempt["refused"].is_null())
        );
        assert_eq!(attempts[0]["usage"], attempts[0]["consumed"]);
        assert_eq!((&attempts[1]["deltas"], &attempts[1]["behaviour"]), (&json!(6), &json!("healthy")));
        assert_eq!(attempts[1]["usage"].is_null(), name == OPENAI, "OpenAI streams usage only if asked to");
    }
}

#[tokio::test]
async fn every_status_has_the_vendors_own_error() {
    let lab = Lab::start().await;
    for status in [400, 401, 402, 403, 404, 408, 413, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529] {
        for name in BOTH {
            let script = json!([{"kind": "status", "status": status, "headers": {"retry-after": "2"}}]);
            lab.control(&format!("/providers/{name}/script"), script).await;
            let response = lab.request(name, true).send().await.unwrap();
            assert_eq!(
                (response.status().as_u16(), response.headers()["retry-after"].to_str().unwrap()),
                (status, "2")
            );
            let error: Value = response.json().await.unwrap();
            assert!(
                error["error"]["message"].is_string() && error["error"]["type"].is_string(),
                "{name} {error}"
            );
        }
    }
    assert_eq!(outcome(&lab, OPENAI).await, "fault:status");
}

#[tokio::test]
async fn codes_and_bodies_can_be_chosen() {
    let script = json!([
        {"kind": "status", "status": 429, "code": "insufficient_quota"},
        {"kind": "status", "status": 502, "body": "<html>bad gateway</html>"},
        {"kind": "healthy", "body": {"odd": true}},
    ]);
    let lab = Lab::scripted(OPENAI, script).await;
    let first: Value = lab.request(OPENAI, false).send().await.unwrap().json().await.unwrap();
    assert_eq!(
        (&first["error"]["type"], &first["error"]["code"]),
        (&json!("insufficient_quota"), &json!("insufficient_quota"))
    );
    let second = lab.request(OPENAI, false).send().await.unwrap();
    assert!(second.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    assert_eq!(lab.read(OPENAI, false).await.1, "{\"odd\":true}");
}

#[tokio::test]
async fn connections_break_before_the_headers() {
    let script = json!([{"kind": "reset_before_headers"}, {"kind": "close_before_headers"}]);
    let lab = Lab::scripted(OPENAI, script).await;
    let (bytes, end) = raw(&lab.url(OPENAI), "/v1/chat/completions", &json!({})).await;
    assert_eq!((bytes.as_str(), end.unwrap_err().kind()), ("", ErrorKind::ConnectionReset));
    let (bytes, end) = raw(&lab.url(OPENAI), "/v1/chat/completions", &json!({})).await;
    assert_eq!((bytes.as_str(), end.is_ok()), ("", true));
    let attempts = lab.attempts(OPENAI, 2).await;
    assert_eq!(attempts[0]["outcome"], "fault:reset_before_headers");
    assert_eq!(attempts[1]["outcome"], "fault:close_before_headers");
    assert!(attempts[0]["refused"].is_string() && attempts[0]["status"].is_null());
}

#[tokio::test]
async fn silence_lasts_until_the_client_goes() {
    for (kind, status) in
        [("silence", Value::Null), ("headers_then_silence", json!(200)), ("pings_then_silence", json!(200))]
    {
        for name in BOTH {
            let lab = Lab::scripted(name, json!([{"kind": kind}])).await;
            let request = lab.request(name, true);
            if kind == "silence" {
                let waiting = tokio::spawn(request.send());
                while lab.attempts(name, 0).await.is_empty() {}
                assert!(!waiting.is_finished());
                waiting.abort();
            } else {
                let mut response = request.send().await.unwrap();
                if kind == "pings_then_silence" {
                    let mut seen = String::new();
                    while seen.matches("ping").count() + seen.matches("keep-alive").count() < 2 {
                        seen.push_str(
                            std::str::from_utf8(&response.chunk().await.unwrap().unwrap()).unwrap(),
                        );
                    }
                    assert_eq!(tokens(&seen), 0);
                }
            }
            let attempt = &lab.attempts(name, 1).await[0];
            assert_eq!(
                (&attempt["outcome"], &attempt["status"], &attempt["deltas"]),
                (&json!("client_gone"), &status, &json!(0)),
                "{kind} {name}"
            );
        }
    }
}

#[tokio::test]
async fn streams_break_after_some_tokens() {
    for (kind, whole) in
        [("cut_after_tokens", false), ("reset_after_tokens", false), ("clean_end_after_tokens", true)]
    {
        for name in BOTH {
            for count in [0, 3] {
                let lab = Lab::scripted(name, json!([{"kind": kind, "tokens": count}])).await;
                let (status, body, ended) = lab.read(name, true).await;
                assert_eq!((status, tokens(&body), ended), (200, count, whole), "{kind} {name} {body}");
                assert!(!body.contains("[DONE]") && !body.contains("message_stop"));
                assert_eq!(outcome(&lab, name).await, format!("fault:{kind}"));
            }
        }
    }
}

#[tokio::test]
async fn a_reset_is_not_a_close() {
    let script =
        json!([{"kind": "cut_after_tokens", "tokens": 2}, {"kind": "reset_after_tokens", "tokens": 2}]);
    let lab = Lab::scripted(OPENAI, script).await;
    let body =
        json!({"model": "gpt-4o", "stream": true, "messages": [{"role": "user", "content": "[[words:6]]"}]});
    let (cut, end) = raw(&lab.url(OPENAI), "/v1/chat/completions", &body).await;
    assert!(end.is_ok() && tokens(&cut) == 2 && !cut.ends_with("0\r\n\r\n"), "{cut}");
    let (reset, end) = raw(&lab.url(OPENAI), "/v1/chat/completions", &body).await;
    assert_eq!((end.unwrap_err().kind(), tokens(&reset)), (ErrorKind::ConnectionReset, 2));
}

#[tokio::test]
async fn buffered_replies_break_in_the_middle() {
    for (kind, whole) in [
        ("cut_after_tokens", false),
        ("reset_after_tokens", false),
        ("clean_end_after_tokens", true),
        ("truncated_json", false),
    ] {
        for name in BOTH {
            let lab = Lab::scripted(name, json!([{"kind": kind}])).await;
            let (status, body, ended) = lab.read(name, false).await;
            assert_eq!((status, ended), (200, whole), "{kind} {name}");
            assert!(
                !body.is_empty() && serde_json::from_str::<Value>(&body).is_err(),
                "{kind} {name} {body}"
            );
        }
    }
}

#[tokio::test]
async fn a_stalled_stream_is_held_open() {
    let lab = Lab::scripted(ANTHROPIC, json!([{"kind": "stall_after_tokens", "tokens": 2}])).await;
    let mut response = lab.request(ANTHROPIC, true).send().await.unwrap();
    let mut seen = String::new();
    while tokens(&seen) < 2 {
        seen.push_str(std::str::from_utf8(&response.chunk().await.unwrap().unwrap()).unwrap());
    }
    assert_eq!(lab.attempts(ANTHROPIC, 0).await[0]["outcome"], Value::Null);
    drop(response);
    let attempt = &lab.attempts(ANTHROPIC, 1).await[0];
    assert_eq!((&attempt["outcome"], &attempt["deltas"]), (&json!("client_gone"), &json!(2)));
}

#[tokio::test]
async fn a_client_that_leaves_is_counted_to_its_last_event() {
    let lab = Lab::scripted(OPENAI, json!([{"kind": "slow_tokens", "delay_ms": 60_000}])).await;
    let mut response = lab.request(OPENAI, true).send().await.unwrap();
    assert!(response.chunk().await.unwrap().is_some());
    drop(response);
    let attempt = &lab.attempts(OPENAI, 1).await[0];
    assert_eq!(
        (&attempt["outcome"], &attempt["events"], &attempt["deltas"]),
        (&json!("client_gone"), &json!(1), &json!(0))
    );
}

#[tokio::test]
async fn errors_come_inside_a_200() {
    for name in BOTH {
        let script = json!([{"kind": "error_event_first"}, {"kind": "error_event_after_tokens", "tokens": 2}, {"kind": "error_body_200"}]);
        let lab = Lab::scripted(name, script).await;
        let (status, first, _) = lab.read(name, true).await;
        let lines = data(&first);
        assert_eq!((status, lines.len(), tokens(&first)), (200, 1, 0));
        assert!(serde_json::from_str::<Value>(lines[0]).unwrap()["error"].is_object());
        let (_, second, _) = lab.read(name, true).await;
        assert!(data(&second).last().unwrap().contains("\"error\"") && tokens(&second) == 2, "{second}");
        let (status, third, _) = lab.read(name, false).await;
        assert_eq!(status, 200);
        assert!(serde_json::from_str::<Value>(&third).unwrap()["error"].is_object());
    }
}

#[tokio::test]
async fn events_and_bodies_are_malformed() {
    for name in BOTH {
        let script = json!([{"kind": "malformed_event"}, {"kind": "malformed_event", "tokens": 2}, {"kind": "invalid_json"},
            {"kind": "invalid_json"}, {"kind": "empty_body"}, {"kind": "empty_body"}]);
        let lab = Lab::scripted(name, script).await;
        let broken = |line: &str| serde_json::from_str::<Value>(line).is_err() && line != "[DONE]";
        let first = lab.read(name, true).await.1;
        assert_eq!(data(&first).iter().position(|line| broken(line)), Some(0));
        let second = lab.read(name, true).await.1;
        let lines = data(&second);
        let at = lines.iter().position(|line| broken(line)).unwrap();
        assert_eq!(tokens(&lines[..at].concat()), 2, "{second}");
        assert_eq!(tokens(&second), 6);
        assert!(serde_json::from_str::<Value>(&lab.read(name, false).await.1).is_err());
        assert!(
            data(&lab.read(name, true).await.1)
                .iter()
                .all(|line| serde_json::from_str::<Value>(line).is_err())
        );
        for stream in [false, true] {
            assert_eq!(lab.read(name, stream).await, (200, String::new(), true));
        }
        let attempts = lab.attempts(name, 6).await;
        assert!(attempts.iter().all(|attempt| attempt["outcome"].as_str().unwrap().starts_with("fault:")));
    }
}

#[tokio::test]
async fn the_last_event_is_missing() {
    for (name, last) in [(OPENAI, "[DONE]"), (ANTHROPIC, "message_stop")] {
        let lab = Lab::scripted(name, json!([{"kind": "no_done"}])).await;
        let (_, body, whole) = lab.read(name, true).await;
        assert_eq!((tokens(&body), whole, body.contains(last)), (6, true, false));
    }
}

#[tokio::test]
async fn replies_are_slow_big_refused_or_uncounted() {
    let script = json!([{"kind": "slow_tokens", "delay_ms": 10}, {"kind": "delay_ms", "delay_ms": 50}, {"kind": "big_reply", "bytes": 300_000},
        {"kind": "content_filter"}, {"kind": "no_usage"}]);
    let lab = Lab::scripted(OPENAI, script).await;
    for least in [60, 50] {
        let start = Instant::now();
        assert_eq!(tokens(&lab.read(OPENAI, true).await.1), 6);
        assert!(start.elapsed() >= Duration::from_millis(least));
    }
    assert!(lab.read(OPENAI, true).await.1.len() > 300_000);
    assert!(lab.read(OPENAI, false).await.1.contains("\"content_filter\""));
    assert!(!lab.read(OPENAI, false).await.1.contains("\"usage\""));
    let attempts = lab.attempts(OPENAI, 5).await;
    assert!(attempts.iter().all(|attempt| attempt["outcome"] == "completed"));
    assert!(attempts[4]["usage"].is_null() && attempts[4]["consumed"].is_object());
}

#[tokio::test]
async fn styles_reach_the_wire() {
    let style = json!({"no_space": true, "crlf": true, "comments": true, "split": 5});
    for name in BOTH {
        let lab = Lab::scripted(name, json!([{"kind": "sse_style", "style": style}])).await;
        let (_, body, _) = lab.read(name, true).await;
        assert!(
            body.contains("data:{") && !body.contains("data: ") && body.contains(":keep-alive\r\n"),
            "{body}"
        );
        assert_eq!((tokens(&body), body.replace("\r\n", "").contains('\n')), (6, false));
    }
}

#[tokio::test]
async fn unicode_is_cut_inside_its_characters() {
    let lab = Lab::start().await;
    let body =
        json!({"model": "gpt-4o", "stream": true, "messages": [{"role": "user", "content": "[[unicode]]"}]});
    let url = format!("{}/chat/completions", lab.url(OPENAI));
    let response = lab.client.post(url).bearer_auth("k").json(&body).send().await.unwrap();
    let text = response.text().await.unwrap();
    let chunks = data(&text).into_iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let said: String = chunks
        .filter_map(|chunk| Some(chunk["choices"][0]["delta"]["content"].as_str()?.to_owned()))
        .collect();
    assert!(said.contains("東京") && said.contains("👩\u{200d}🚀"), "{said}");
    let (wire, _) = raw(&lab.url(OPENAI), "/v1/chat/completions", &body).await;
    assert!(wire.contains("\r\n3\r\n"), "the stream is written in pieces of three bytes");
}
