//! Streams of responses: names, numbers, and what they add up to.

use super::*;

fn stream(lab: &Lab, changes: &Value) -> Answer {
    let mut request = changes.clone();
    request["stream"] = json!(true);
    let answer = lab.post(&request);
    assert_eq!(answer.status, 200, "{:?}", answer.refused);
    answer
}

/// Names without their repetitions.
fn outline(names: &[&'static str]) -> Vec<&'static str> {
    let mut outline = names.to_vec();
    outline.dedup();
    outline.into_iter().map(|name| name.trim_start_matches("response.")).collect()
}

#[test]
fn the_order_of_events_is_the_vendors() {
    let lab = Lab::new();
    let text =
        r#"[[think:a b]][[search:q]][[say:one two]][[tool:weather {"city":"Oslo"}]][[tool:shell ls -l]]"#;
    let changes =
        json!({"model": "gpt-5", "input": text, "tools": tools(), "reasoning": {"summary": "auto"}});
    let answer = stream(&lab, &changes);
    let (names, data) = events(&answer);
    assert_eq!(
        outline(&names),
        [
            "created",
            "in_progress",
            "output_item.added",
            "reasoning_summary_part.added",
            "reasoning_summary_text.delta",
            "reasoning_summary_text.done",
            "reasoning_summary_part.done",
            "output_item.done",
            "output_item.added",
            "web_search_call.in_progress",
            "web_search_call.searching",
            "web_search_call.completed",
            "output_item.done",
            "output_item.added",
            "content_part.added",
            "output_text.delta",
            "output_text.done",
            "content_part.done",
            "output_item.done",
            "output_item.added",
            "function_call_arguments.delta",
            "function_call_arguments.done",
            "output_item.done",
            "output_item.added",
            "custom_tool_call_input.delta",
            "custom_tool_call_input.done",
            "output_item.done",
            "completed",
        ]
    );
    for (index, (name, event)) in names.iter().zip(&data).enumerate() {
        assert_eq!((&event["type"], &event["sequence_number"]), (&json!(name), &json!(index)));
    }
    assert_eq!(
        (&data[0]["response"]["status"], &data[0]["response"]["usage"]),
        (&json!("in_progress"), &Value::Null)
    );
    let last = data.last().unwrap();
    let mut whole = lab.reply(&changes);
    // Only what depends on the request's bytes differs.
    whole["id"] = last["response"]["id"].clone();
    assert_eq!(last["response"]["usage"], whole["usage"]);
    assert_eq!(last["response"]["output"].as_array().unwrap().len(), 5);
    let done: Vec<_> = data
        .iter()
        .filter(|event| event["type"] == "response.output_item.done")
        .map(|event| &event["item"])
        .collect();
    assert_eq!(json!(done), last["response"]["output"]);
}

#[test]
fn deltas_add_up() {
    let lab = Lab::new();
    for (text, delta, done, member) in [
        ("[[say:one two three]]", "response.output_text.delta", "response.output_text.done", "text"),
        ("[[decline:I will not]]", "response.refusal.delta", "response.refusal.done", "refusal"),
    ] {
        let (_, data) = events(&stream(&lab, &json!({"input": text})));
        let said: String = data
            .iter()
            .filter(|event| event["type"] == delta)
            .map(|event| event["delta"].as_str().unwrap())
            .collect();
        let whole = data.iter().find(|event| event["type"] == done).unwrap();
        assert_eq!(whole[member], said);
        assert_eq!((&whole["output_index"], &whole["content_index"]), (&json!(0), &json!(0)));
        assert!(whole["item_id"].as_str().unwrap().starts_with("msg_"));
    }
}

#[test]
fn the_last_event_says_how_it_ended() {
    let lab = Lab::new();
    for (text, name) in [
        ("[[say:x]]", "response.completed"),
        ("[[length]]", "response.incomplete"),
        ("[[refuse]]", "response.incomplete"),
        ("[[fail]]", "response.failed"),
    ] {
        let answer = stream(&lab, &json!({"input": text}));
        let Content::Stream(all) = &answer.content else { panic!() };
        let last = all.last().unwrap();
        let charged = name != "response.failed";
        assert_eq!((last.name, last.mark, last.usage.is_some()), (Some(name), Mark::Done, charged));
    }
}

#[test]
fn a_stream_in_the_background_is_played_again() {
    let lab = Lab::new();
    let answer = stream(&lab, &json!({"background": true, "input": "[[words:3]]"}));
    let (names, data) = events(&answer);
    assert_eq!(names[..3], ["response.created", "response.queued", "response.in_progress"]);
    let path = format!("/{}", data[0]["response"]["id"].as_str().unwrap());
    let rest = lab.ask("GET", &format!("{path}?stream=true&starting_after=3"), &Value::Null);
    assert_eq!(events(&rest).1, data[4..]);
    assert_eq!(lab.ask("GET", &format!("{path}?stream=true&starting_after=x"), &Value::Null).status, 400);
    let plain = lab.reply(&json!({"input": "plain"}));
    let refused = lab.ask("GET", &format!("/{}?stream=true", plain["id"].as_str().unwrap()), &Value::Null);
    assert_eq!(refused.status, 400);
}

#[test]
fn an_error_ends_a_stream_with_the_next_number() {
    use crate::simulator::vendor::{Complaint, Site};
    let lab = Lab::new();
    let answer = stream(&lab, &json!({"input": "[[words:3]]"}));
    let Content::Stream(all) = &answer.content else { panic!() };
    let site = Site { path: "/v1/responses", query: "" };
    let sent: Vec<Event> = all[..5].to_vec();
    let event = lab.0.error_event(site, &sent, Complaint { code: None, body: None });
    let data: Value = serde_json::from_str(&event.data).unwrap();
    assert_eq!(
        (event.name, &data["type"], &data["sequence_number"]),
        (Some("error"), &json!("error"), &json!(5))
    );
    assert!(data["message"].is_string());
    let body = json!({"type": "response.failed", "response": {}});
    let event = lab.0.error_event(site, &sent, Complaint { code: None, body: Some(&body) });
    assert_eq!(event.name, Some("response.failed"));
}

#[test]
fn sources_come_before_the_whole_text() {
    let lab = Lab::new();
    let changes = json!({"input": "[[say:one two]][[cite:https://a/]][[cite:https://b/]]"});
    let (names, data) = events(&stream(&lab, &changes));
    let outline = outline(&names);
    assert_eq!(outline[4..7], ["output_text.delta", "output_text.annotation.added", "output_text.done"]);
    let added = data.iter().filter(|event| event["annotation"].is_object()).nth(1).unwrap();
    let expected = json!({"type": "url_citation", "start_index": 0, "end_index": 7, "title": "A source", "url": "https://b/"});
    assert_eq!((&added["annotation_index"], &added["annotation"]), (&json!(1), &expected));
    assert_eq!(lab.reply(&changes)["output"][0]["content"][0]["annotations"][1], expected);
}

#[test]
fn lengths_are_hidden_unless_they_may_be_seen() {
    let lab = Lab::new();
    for (options, padded) in [(Value::Null, true), (json!({"include_obfuscation": false}), false)] {
        let (_, data) = events(&stream(&lab, &json!({"input": "[[say:one]]", "stream_options": options})));
        let delta = data.iter().find(|event| event["delta"].is_string()).unwrap();
        assert_eq!(delta["obfuscation"].as_str().map(str::len), padded.then_some(13));
    }
}
