use super::*;

/// Where Google streams: AI Studio's events and arrays, Vertex AI's events, and Claude on Vertex AI.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    Events,
    Array,
    Vertex,
    Claude,
}

const PLACES: [Place; 4] = [Place::Events, Place::Array, Place::Vertex, Place::Claude];

impl Place {
    fn name(self) -> &'static str {
        if matches!(self, Self::Vertex | Self::Claude) { "vertex" } else { "gemini" }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Events => "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
            Self::Array => "/v1beta/models/gemini-2.5-flash:streamGenerateContent",
            Self::Vertex => {
                "/v1/projects/my-project/locations/global/publishers/google/models/gemini-3.8-flash:streamGenerateContent?alt=sse"
            }
            Self::Claude => {
                "/v1/projects/my-project/locations/global/publishers/anthropic/models/claude-haiku-4-5@20251001:streamRawPredict"
            }
        }
    }

    async fn read(self, lab: &Lab) -> (u16, String, bool) {
        let text = "[[words:6]]";
        let body = if self == Self::Claude {
            json!({"anthropic_version": "vertex-2023-10-16", "max_tokens": 30_000, "stream": true, "messages": [{"role": "user", "content": text}]})
        } else {
            json!({"contents": [{"role": "user", "parts": [{"text": text}]}]})
        };
        let request = lab.client.post(format!("{}{}", lab.url(self.name()), self.path())).json(&body);
        let request = match self.name() {
            "vertex" => request.bearer_auth("ya29.token"),
            _ => request.header("x-goog-api-key", "AIza"),
        };
        let mut response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let mut bytes = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) => bytes.extend(chunk),
                Ok(None) => return (status, String::from_utf8(bytes).unwrap(), true),
                Err(_) => return (status, String::from_utf8(bytes).unwrap(), false),
            }
        }
    }
}

#[tokio::test]
async fn healthy_streams_end_completed_and_are_logged() {
    let lab = Lab::start().await;
    for place in PLACES {
        let (status, body, whole) = place.read(&lab).await;
        assert_eq!((status, tokens(&body), whole), (200, 6, true), "{place:?} {body}");
        assert_eq!(body.contains("data: {"), place != Place::Array);
        assert_eq!(body.contains("\r\n\r\n"), matches!(place, Place::Events | Place::Vertex));
        assert_eq!(serde_json::from_str::<Value>(&body).is_ok(), place == Place::Array, "{body}");
    }
    for (name, models) in
        [("gemini", ["gemini-2.5-flash"; 2]), ("vertex", ["gemini-3.8-flash", "claude-haiku-4-5@20251001"])]
    {
        for (attempt, model) in lab.attempts(name, 2).await.iter().zip(models) {
            assert_eq!(
                (&attempt["outcome"], &attempt["model"], &attempt["deltas"]),
                (&json!("completed"), &json!(model), &json!(6))
            );
            assert!(attempt["usage"].is_object() && attempt["usage"] == attempt["consumed"], "{attempt}");
        }
    }
}

#[tokio::test]
async fn streams_break_where_the_script_says() {
    for (kind, whole) in
        [("cut_after_tokens", false), ("reset_after_tokens", false), ("clean_end_after_tokens", true)]
    {
        for place in PLACES {
            let lab = Lab::scripted(place.name(), json!([{"kind": kind, "tokens": 3}])).await;
            let (status, body, ended) = place.read(&lab).await;
            assert_eq!((status, tokens(&body), ended), (200, 3, whole), "{kind} {place:?} {body}");
            assert!(!body.contains("finishReason"));
            assert_eq!(lab.attempts(place.name(), 1).await[0]["outcome"], format!("fault:{kind}"));
        }
    }
}

#[tokio::test]
async fn the_end_can_be_left_out() {
    for place in PLACES {
        let lab = Lab::scripted(place.name(), json!([{"kind": "no_done"}])).await;
        let (_, body, whole) = place.read(&lab).await;
        assert_eq!((tokens(&body), whole), (6, true));
        assert!(!body.contains("finishReason") && !body.contains("message_stop"), "{place:?} {body}");
        assert!(serde_json::from_str::<Value>(&body).is_err());
    }
}

#[tokio::test]
async fn errors_come_inside_a_200() {
    for place in PLACES {
        let script =
            json!([{"kind": "error_event_first"}, {"kind": "error_event_after_tokens", "tokens": 2}]);
        let lab = Lab::scripted(place.name(), script).await;
        let (status, first, _) = place.read(&lab).await;
        assert_eq!((status, tokens(&first)), (200, 0));
        let (_, second, _) = place.read(&lab).await;
        assert_eq!(tokens(&second), 2, "{second}");
        let (first, last) = match place {
            Place::Events | Place::Vertex => {
                let bare = second.rsplit_once("\r\n\r\n").unwrap().1.to_owned();
                (
                    serde_json::from_str::<Value>(&first).unwrap(),
                    serde_json::from_str::<Value>(&bare).unwrap(),
                )
            }
            Place::Array => {
                let all: Value = serde_json::from_str(&second).unwrap();
                (serde_json::from_str::<Value>(&first).unwrap()[0].clone(), all[2].clone())
            }
            Place::Claude => (
                serde_json::from_str(data(&first)[0]).unwrap(),
                serde_json::from_str(data(&second).last().unwrap()).unwrap(),
            ),
        };
        for document in [first, last] {
            assert!(document["error"]["message"].is_string(), "{place:?} {document}");
        }
    }
}

#[tokio::test]
async fn every_status_has_the_vendors_own_error() {
    for status in [400, 401, 402, 403, 404, 408, 413, 429, 500, 502, 503, 504, 529] {
        for place in PLACES {
            let lab = Lab::scripted(place.name(), json!([{"kind": "status", "status": status}])).await;
            let (found, body, _) = place.read(&lab).await;
            let document: Value = serde_json::from_str(&body).unwrap();
            let document = if place == Place::Array { &document[0] } else { &document };
            let error = &document["error"];
            assert_eq!((found, error["message"].is_string()), (status, true), "{place:?} {body}");
            assert!(
                place == Place::Claude || (error["code"] == status && error["status"].is_string()),
                "{body}"
            );
        }
    }
    let lab = Lab::scripted("gemini", json!([{"kind": "status", "status": 429}])).await;
    let body: Value = serde_json::from_str(&Place::Events.read(&lab).await.1).unwrap();
    assert_eq!(body["error"]["details"][2]["retryDelay"], "32s");
}

#[tokio::test]
async fn prompts_are_blocked_by_script() {
    for place in [Place::Events, Place::Array, Place::Vertex] {
        let lab = Lab::scripted(place.name(), json!([{"kind": "content_filter"}])).await;
        let (status, body, _) = place.read(&lab).await;
        assert!(
            status == 200 && body.contains("\"blockReason\"") && !body.contains("\"candidates\""),
            "{body}"
        );
    }
}

#[tokio::test]
async fn bytes_are_malformed_or_silent_as_scripted() {
    for place in PLACES {
        let script = json!([{"kind": "malformed_event", "tokens": 2}, {"kind": "empty_body"}, {"kind": "truncated_json"},
            {"kind": "no_usage"}, {"kind": "big_reply", "bytes": 100_000}, {"kind": "sse_style", "style": {"split": 3}}]);
        let lab = Lab::scripted(place.name(), script).await;
        assert!(place.read(&lab).await.1.contains("broken"));
        assert_eq!(place.read(&lab).await, (200, String::new(), true));
        assert!(!place.read(&lab).await.2);
        assert!(!place.read(&lab).await.1.to_lowercase().contains("\"usage"));
        assert!(place.read(&lab).await.1.len() > 100_000);
        assert_eq!(tokens(&place.read(&lab).await.1), 6);
    }
}
