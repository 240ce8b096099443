//! Responses that are kept, looked at, gone on with, and let go.

use super::*;

#[test]
fn a_response_is_found_again_unless_it_was_not_to_be_stored() {
    let lab = Lab::new();
    let kept = lab.reply(&json!({"input": "a"}));
    let path = format!("/{}", kept["id"].as_str().unwrap());
    assert_eq!(document(&lab.ask("GET", &path, &Value::Null)), &kept);
    let deleted = lab.ask("DELETE", &path, &Value::Null);
    assert_eq!(document(&deleted), &json!({"id": kept["id"], "object": "response", "deleted": true}));
    assert_eq!(lab.ask("GET", &path, &Value::Null).status, 404);
    let passing = lab.reply(&json!({"input": "b", "store": false}));
    let path = format!("/{}", passing["id"].as_str().unwrap());
    assert_eq!(lab.ask("GET", &path, &Value::Null).status, 404);
    let again = lab.reply(&json!({"input": "a"}));
    lab.0.reset();
    assert_eq!(lab.post(&json!({"previous_response_id": again["id"]})).status, 400);
}

#[test]
fn a_conversation_goes_on_where_it_ended() {
    let lab = Lab::new();
    let text = r#"[[tool:weather {"city":"Oslo"}]]"#;
    let first = lab.reply(&json!({"input": text, "tools": tools()}));
    let missing = lab.post(&json!({"previous_response_id": first["id"], "input": "and?"}));
    let message = document(&missing)["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("No tool output found for function call call_"), "{message}");
    let output =
        json!([{"type": "function_call_output", "call_id": first["output"][0]["call_id"], "output": "9"}]);
    let second = lab.reply(&json!({"previous_response_id": first["id"], "input": output}));
    assert_eq!(second["output"][0]["content"][0]["text"], "The tool returned: 9");
    assert_eq!(second["previous_response_id"], first["id"]);
    let third = lab.reply(&json!({"previous_response_id": second["id"], "input": "more"}));
    assert!(third["usage"]["input_tokens"].as_u64() > second["usage"]["input_tokens"].as_u64());
    let reference = json!([{"type": "item_reference", "id": second["output"][0]["id"]}, {"role": "user", "content": "x"}]);
    assert_eq!(lab.reply(&json!({"input": reference}))["status"], "completed");
}

#[test]
fn reasoning_is_known_by_its_id_while_it_is_kept() {
    let lab = Lab::new();
    let first = lab.reply(&json!({"model": "gpt-5", "input": "[[think:hm]][[say:ok]]"}));
    let mut input = first["output"].as_array().unwrap().clone();
    input.push(json!({"role": "user", "content": "go on"}));
    assert_eq!(lab.reply(&json!({"model": "gpt-5", "input": input}))["status"], "completed");
    let reason = input.remove(0);
    let alone = lab.post(&json!({"model": "gpt-5", "input": input}));
    let message = document(&alone)["error"]["message"].as_str().unwrap();
    let words = format!("without its required 'reasoning' item: '{}'", reason["id"].as_str().unwrap());
    assert!(message.contains(&words), "{message}");
}

#[test]
fn input_items_come_in_pages() {
    let lab = Lab::new();
    let input = json!([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]);
    let reply = lab.reply(&json!({"input": input}));
    let ask = |query: &str| {
        let path = format!("/{}/input_items?{query}", reply["id"].as_str().unwrap());
        document(&lab.ask("GET", &path, &Value::Null)).clone()
    };
    let newest = ask("limit=2");
    assert_eq!((&newest["object"], &newest["has_more"]), (&json!("list"), &json!(true)));
    assert_eq!((&newest["data"][0]["content"], newest["data"].as_array().unwrap().len()), (&json!("c"), 2));
    let rest = ask(&format!("limit=2&after={}", newest["last_id"].as_str().unwrap()));
    assert_eq!((&rest["data"][0]["content"], &rest["has_more"]), (&json!("a"), &json!(false)));
    assert_eq!(ask("order=asc")["data"][0]["content"], "a");
    assert_eq!(ask("limit=0")["error"]["param"], "limit");
    assert_eq!(ask("order=up")["error"]["param"], "order");
}

#[test]
fn a_run_in_the_background_comes_on_when_it_is_looked_at() {
    let lab = Lab::new();
    let begun = lab.reply(&json!({"background": true, "input": "[[say:done]]"}));
    assert_eq!(
        (&begun["status"], &begun["output"], &begun["usage"]),
        (&json!("queued"), &json!([]), &Value::Null)
    );
    let path = format!("/{}", begun["id"].as_str().unwrap());
    let look = || document(&lab.ask("GET", &path, &Value::Null)).clone();
    assert_eq!(look()["status"], "in_progress");
    let over = look();
    assert_eq!(
        (&over["status"], &over["output"][0]["content"][0]["text"]),
        (&json!("completed"), &json!("done"))
    );
    assert_eq!(document(&lab.ask("POST", &format!("{path}/cancel"), &Value::Null))["status"], "completed");
}

#[test]
fn only_a_run_in_the_background_is_cancelled() {
    let lab = Lab::new();
    let cancel =
        |reply: &Value| lab.ask("POST", &format!("/{}/cancel", reply["id"].as_str().unwrap()), &Value::Null);
    let begun = lab.reply(&json!({"background": true}));
    assert_eq!(document(&cancel(&begun))["status"], "cancelled");
    assert_eq!(document(&cancel(&begun))["status"], "cancelled");
    let refused = cancel(&lab.reply(&json!({"input": "now"})));
    assert_eq!(
        (refused.status, &document(&refused)["error"]["message"]),
        (400, &json!("Cannot cancel a synchronous response."))
    );
}

#[test]
fn a_conversation_is_compacted_and_goes_on() {
    let lab = Lab::new();
    let first = lab.reply(&json!({"input": "remember this"}));
    let request = json!({"model": "gpt-4o", "previous_response_id": first["id"]});
    let answer = lab.ask("POST", "/compact", &request);
    let short = document(&answer);
    assert_eq!((&short["object"], answer.status), (&json!("response.compaction"), 200));
    let kinds: Vec<_> = short["output"].as_array().unwrap().iter().map(|item| item["type"].clone()).collect();
    assert_eq!(json!(kinds), json!(["message", "compaction"]));
    assert_eq!(answer.usage.unwrap().input, short["usage"]["input_tokens"].as_u64().unwrap());
    let mut input = short["output"].as_array().unwrap().clone();
    input.push(json!({"role": "user", "content": "[[say:yes]]"}));
    assert_eq!(lab.reply(&json!({"input": input}))["output"][0]["content"][0]["text"], "yes");
    input[1]["encrypted_content"] = json!("gAAAAforeign");
    let foreign = lab.post(&json!({"input": input}));
    assert_eq!(document(&foreign)["error"]["code"], "invalid_encrypted_content");
    assert_eq!(
        lab.ask("POST", "/compact", &json!({"model": "gpt-4o", "input": "x", "stream": true})).status,
        400
    );
}
