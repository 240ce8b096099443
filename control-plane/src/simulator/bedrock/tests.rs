use super::*;
use crate::simulator::answer::Content;
use crate::simulator::catalog::Catalog;
use crate::simulator::turn::Bias;
use http::{HeaderMap, HeaderName, Method};
use serde_json::json;

mod embeddings;
mod refusals;
mod signing;

const CLAUDE: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1%3A0";
const NOVA: &str = "amazon.nova-lite-v1%3A0";
const LLAMA: &str = "us.meta.llama3-3-70b-instruct-v1:0";

/// What a test sends.
struct Sent<'a> {
    method: Method,
    path: String,
    query: &'a str,
    headers: HeaderMap,
    body: Vec<u8>,
    credential: Option<&'a str>,
}

impl Sent<'_> {
    fn to(path: &str, body: &Value) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", "Bearer k".parse().unwrap());
        headers.insert("content-type", "application/json".parse().unwrap());
        let (path, body) = (path.to_owned(), body.to_string().into_bytes());
        Sent { method: Method::POST, path, query: "", headers, body, credential: None }
    }

    fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(HeaderName::from_static(name), value.parse().unwrap());
        self
    }

    fn with<T>(&self, use_it: impl FnOnce(&Call<'_>) -> T) -> T {
        let mut catalog = Catalog::of(Bedrock.models());
        catalog
            .register(serde_json::from_value(json!({"id": "small.model", "context_length": 100})).unwrap());
        use_it(&Call {
            method: &self.method,
            path: &self.path,
            query: self.query,
            headers: &self.headers,
            body: &self.body,
            catalog: &catalog,
            credential: self.credential,
            bias: Bias::default(),
            now: 1_800_000_000,
        })
    }

    fn answer(&self) -> Answer {
        self.with(|call| Bedrock.answer(call))
    }
}

fn post(model: &str, operation: &str, body: &Value) -> Answer {
    Sent::to(&format!("/model/{model}/{operation}"), body).answer()
}

fn converse(model: &str, body: &Value) -> Answer {
    post(model, "converse", body)
}

fn user(text: &str) -> Value {
    json!({"role": "user", "content": [{"text": text}]})
}

fn tools() -> Value {
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
    json!({"tools": [{"toolSpec": {"name": "weather", "inputSchema": {"json": schema}}}]})
}

fn say(text: &str) -> Value {
    json!({"messages": [user(text)], "toolConfig": tools()})
}

fn document(answer: &Answer) -> &Value {
    match &answer.content {
        Content::Json(document) => document,
        Content::Stream(_) => panic!("a stream"),
    }
}

fn exception(answer: &Answer) -> &str {
    let header = answer.headers.iter().find(|(name, _)| *name == "x-amzn-errortype");
    header.map_or("", |(_, value)| value.as_str())
}

#[test]
fn a_reply_has_the_vendors_shape() {
    let answer =
        converse(CLAUDE, &say("[[think:hm]][[redacted]][[say:Hi]][[tool:weather {\"city\":\"Oslo\"}]]"));
    let reply = document(&answer);
    assert_eq!((answer.status, &reply["stopReason"]), (200, &json!("tool_use")));
    let message = &reply["output"]["message"];
    assert_eq!((&message["role"], &message["content"][2]), (&json!("assistant"), &json!({"text": "Hi"})));
    let call = &message["content"][3]["toolUse"];
    assert!(call["toolUseId"].as_str().unwrap().starts_with("tooluse_"));
    assert_eq!((&call["name"], &call["input"]), (&json!("weather"), &json!({"city": "Oslo"})));
    let usage = &reply["usage"];
    let sum = usage["inputTokens"].as_u64().unwrap() + usage["outputTokens"].as_u64().unwrap();
    assert_eq!(usage["totalTokens"], json!(sum));
    assert_eq!((&usage["cacheReadInputTokens"], &usage["cacheDetails"]), (&json!(0), &json!([])));
    assert!(reply["metrics"]["latencyMs"].is_u64());
    assert!(answer.headers.iter().any(|(name, id)| *name == "x-amzn-requestid" && id.len() == 36));

    let result = json!({"toolUseId": call["toolUseId"], "content": [{"json": {"c": 9}}], "status": "error"});
    let next = json!({
        "messages": [user("hi"), message, {"role": "user", "content": [{"toolResult": result}]}], "toolConfig": tools(),
        "additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 1024}},
    });
    let next = converse(CLAUDE, &next);
    assert_eq!(next.status, 200, "its own reasoning comes back: {:?}", next.refused);
    let said = document(&next)["output"]["message"]["content"][1]["text"].clone();
    assert_eq!(said, "The tool returned: error: {\"c\":9}");
}

#[test]
fn stop_reasons_follow_the_request() {
    let guarded = json!({"guardrailIdentifier": "abc", "guardrailVersion": "1"});
    for (changes, text, reason) in [
        (json!({}), "hi", "end_turn"),
        (json!({"inferenceConfig": {"maxTokens": 1}}), "hi", "max_tokens"),
        (json!({"inferenceConfig": {"stopSequences": ["said"]}}), "hi", "stop_sequence"),
        (json!({}), "[[refuse]]", "content_filtered"),
        (json!({"guardrailConfig": guarded}), "[[refuse]]", "guardrail_intervened"),
        (json!({"toolConfig": tools()}), "[[tool:weather {}]]", "tool_use"),
    ] {
        let mut request = changes;
        request["messages"] = json!([user(text)]);
        request["additionalModelResponseFieldPaths"] = json!(["/stop_sequence", "/other"]);
        request["serviceTier"] = json!({"type": "flex"});
        let answer = converse(CLAUDE, &request);
        let reply = document(&answer);
        let stopped = if reason == "stop_sequence" { json!("said") } else { Value::Null };
        assert_eq!(reply["stopReason"], reason);
        assert_eq!(reply["additionalModelResponseFields"], json!({"stop_sequence": stopped}));
        assert_eq!(reply["serviceTier"], json!({"type": "flex"}));
    }
}

#[test]
fn parameters_of_the_model_work() {
    let thinking = |display: &str| {
        let thinking = json!({"type": "enabled", "budget_tokens": 1024, "display": display});
        let fields = json!({"thinking": thinking, "anthropic_beta": ["interleaved-thinking-2025-05-14"]});
        converse(CLAUDE, &json!({"messages": [user("hi")], "additionalModelRequestFields": fields}))
    };
    let (shown, hidden) = (thinking("summarized"), thinking("omitted"));
    let text = |answer: &Answer| {
        document(answer)["output"]["message"]["content"][0]["reasoningContent"]["reasoningText"]["text"]
            .clone()
    };
    assert_eq!((text(&shown), text(&hidden)), (json!("The user wants an answer to: hi"), json!("")));

    let once = json!({"tool_choice": {"type": "auto", "disable_parallel_tool_use": true}});
    let mut request = say("[[tool:weather {}]][[tool:weather {}]]");
    assert_eq!(
        document(&converse(CLAUDE, &request))["output"]["message"]["content"].as_array().unwrap().len(),
        2
    );
    request["additionalModelRequestFields"] = once;
    assert_eq!(
        document(&converse(CLAUDE, &request))["output"]["message"]["content"].as_array().unwrap().len(),
        1
    );

    let schema =
        json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}).to_string();
    let format = json!({"type": "json_schema", "structure": {"jsonSchema": {"schema": schema, "name": "n"}}});
    let request = json!({"messages": [user("hi")], "outputConfig": {"textFormat": format}});
    assert_eq!(document(&converse(CLAUDE, &request))["output"]["message"]["content"][0]["text"], "{\"n\":1}");

    let forced = json!({"tools": tools()["tools"], "toolChoice": {"tool": {"name": "weather"}}});
    let request = json!({"messages": [user("hi")], "toolConfig": forced});
    assert_eq!(document(&converse(NOVA, &request))["stopReason"], "tool_use");
}

#[test]
fn cache_points_make_cache_numbers() {
    let system = json!([{"text": "x".repeat(8000)}, {"cachePoint": {"type": "default"}}]);
    let first = converse(CLAUDE, &json!({"system": system, "messages": [user("hi")]}));
    let usage = &document(&first)["usage"];
    assert_eq!((&usage["cacheWriteInputTokens"], &usage["cacheReadInputTokens"]), (&json!(2003), &json!(0)));
    assert_eq!(usage["cacheDetails"], json!([{"ttl": "5m", "inputTokens": 2003}]));
    let turns = json!([user("hi"), {"role": "assistant", "content": [{"text": "ho"}]}, user("hm")]);
    let second = converse(CLAUDE, &json!({"system": system, "messages": turns}));
    let usage = &document(&second)["usage"];
    assert_eq!((&usage["cacheWriteInputTokens"], &usage["cacheReadInputTokens"]), (&json!(0), &json!(2003)));
    let all = second.usage.unwrap();
    assert_eq!(all.input, usage["inputTokens"].as_u64().unwrap() + 2003, "the log's usage is inclusive");
    assert_eq!(usage["totalTokens"], json!(all.input + all.output));
}

#[test]
fn a_stream_says_what_the_document_says() {
    let request = say(
        "[[think:first]][[redacted]][[say:one two]][[tool:weather {\"city\":\"Oslo\"}]][[tool:weather {}]]",
    );
    let answer = post(CLAUDE, "converse-stream", &request);
    let Content::Stream(events) = &answer.content else { panic!("{answer:?}") };
    let site = Site { path: "", query: "" };
    let mut bytes: Bytes =
        events.iter().flat_map(|event| Bedrock.render(site, event, Style::default())).collect();
    let mut open = None;
    let mut data = Vec::new();
    while let Some((headers, payload)) = frame::tests::decode(&mut bytes) {
        assert_eq!(
            (headers[":message-type"].as_str(), headers[":content-type"].as_str()),
            ("event", "application/json")
        );
        let kind = headers[":event-type"].clone();
        let payload: Value = serde_json::from_slice(&payload).unwrap();
        let index = payload["contentBlockIndex"].as_u64();
        match kind.as_str() {
            "contentBlockStart" | "contentBlockDelta" if open.is_none() => open = index,
            "contentBlockDelta" => assert_eq!(open, index),
            "contentBlockStop" => assert_eq!(open.take(), index),
            _ => assert_eq!(open, None),
        }
        data.push((kind, payload));
    }
    assert!(bytes.is_empty());
    let part = |index: u64, pointer: &str| {
        let of = data.iter().filter(|(_, payload)| payload["contentBlockIndex"] == index);
        of.filter_map(|(_, payload)| payload["delta"].pointer(pointer)?.as_str()).collect::<String>()
    };
    assert_eq!(part(0, "/reasoningContent/text"), "first");
    let whole = document(&converse(CLAUDE, &request))["output"]["message"]["content"].clone();
    assert_eq!(
        whole[0]["reasoningContent"]["reasoningText"]["signature"],
        part(0, "/reasoningContent/signature")
    );
    assert_eq!(whole[1]["reasoningContent"]["redactedContent"], part(1, "/reasoningContent/redactedContent"));
    assert_eq!(part(2, "/text"), "one two");
    assert_eq!(
        (part(3, "/toolUse/input"), part(4, "/toolUse/input")),
        ("{\"city\":\"Oslo\"}".into(), String::new())
    );
    let starts: Vec<_> = data.iter().filter(|(kind, _)| kind == "contentBlockStart").collect();
    assert_eq!((starts.len(), &starts[0].1["start"]["toolUse"]["name"]), (2, &json!("weather")));
    let [.., (stop, reason), (metadata, numbers)] = data.as_slice() else { panic!() };
    assert_eq!((stop.as_str(), metadata.as_str()), ("messageStop", "metadata"));
    assert_eq!(reason["stopReason"], "tool_use");
    assert_eq!(numbers["usage"], document(&converse(CLAUDE, &request))["usage"]);
    assert_eq!(events.last().unwrap().usage, answer.consumed);
}

#[test]
fn an_exception_in_a_stream_is_a_message_of_its_own() {
    let site = Site { path: "", query: "" };
    let usual = Complaint { code: None, body: None };
    let named = Complaint { code: Some("ThrottlingException"), body: Some(&json!({"message": "slow"})) };
    for (complaint, kind) in [(usual, "internalServerException"), (named, "throttlingException")] {
        let event = Bedrock.error_event(site, &[], complaint);
        let mut bytes = Bedrock.render(site, &event, Style::default());
        let (headers, payload) = frame::tests::decode(&mut bytes).unwrap();
        assert_eq!(
            (headers[":message-type"].as_str(), headers[":exception-type"].as_str()),
            ("exception", kind)
        );
        assert!(serde_json::from_slice::<Value>(&payload).unwrap()["message"].is_string());
    }
}

#[test]
fn a_model_may_break_down() {
    let request = json!({"messages": [user("[[say:a]][[fail]]")]});
    let buffered = converse(NOVA, &request);
    assert_eq!((buffered.status, exception(&buffered)), (424, "ModelErrorException"));
    let Content::Stream(events) = post(NOVA, "converse-stream", &request).content else { panic!() };
    assert_eq!(events.last().unwrap().name, Some("modelStreamErrorException"));
    assert!(events.iter().all(|event| event.name != Some("messageStop")));
    let blocked = converse(NOVA, &json!({"messages": [user("[[block]]")]}));
    assert_eq!(document(&blocked)["stopReason"], "content_filtered");
}

#[test]
fn tokens_are_counted_for_the_model_itself() {
    let input = json!({"input": {"converse": {"messages": [user("12345678")]}}});
    let counted = post("anthropic.claude-sonnet-4-5-20250929-v1%3A0", "count-tokens", &input);
    assert_eq!(document(&counted), &json!({"inputTokens": 9}));
    let refused = post(CLAUDE, "count-tokens", &input);
    assert_eq!(refused.refused.as_deref(), Some("The provided model doesn't support counting tokens."));
}

#[test]
fn the_log_names_the_model_decoded() {
    let site = Site { path: "/model/us.anthropic.claude-x-v1%3A0/converse", query: "" };
    assert_eq!(Bedrock.model(site, b"{}").as_deref(), Some("us.anthropic.claude-x-v1:0"));
    assert_eq!(Bedrock.model(Site { path: "/other", query: "" }, b"{}"), None);
}
