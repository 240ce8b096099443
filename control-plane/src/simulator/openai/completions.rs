//! Legacy completions: a prompt is continued, without turns.
//!
//! Spec: <https://platform.openai.com/docs/api-reference/completions>

use super::chat::{finish, report};
use super::{error, model, stops, stream, streaming};
use crate::simulator::answer::{Answer, Call, Content, Refusal};
use crate::simulator::catalog::Traits;
use crate::simulator::event::{Event, Mark};
use crate::simulator::shape::{Expected, Node};
use crate::simulator::tokens;
use crate::simulator::turn::{self, Prompt, Turn};
use serde_json::{Value, json};
use sluice::config::Usage;

const FIELDS: &[&str] = &[
    "best_of",
    "echo",
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "max_tokens",
    "model",
    "n",
    "presence_penalty",
    "prompt",
    "seed",
    "stop",
    "stream",
    "stream_options",
    "suffix",
    "temperature",
    "top_p",
    "user",
];

/// Answers a legacy completions request.
pub(crate) fn answer(call: &Call<'_>, document: &Value) -> Result<Answer, Refusal> {
    let root = Node::root(document).lenient()?;
    root.only(FIELDS)?;
    let model = model(call, &root, |traits| traits == Traits::Completion)?;
    for (name, low, high) in [
        ("temperature", 0.0, 2.0),
        ("top_p", 0.0, 1.0),
        ("presence_penalty", -2.0, 2.0),
        ("frequency_penalty", -2.0, 2.0),
    ] {
        root.number(name, low, high)?;
    }
    root.integer("seed", i64::MIN, i64::MAX)?;
    root.integer("logprobs", 0, 5)?;
    root.integer("best_of", 1, 20)?;
    for name in ["user", "suffix"] {
        root.text(name)?;
    }
    let echo = root.flag("echo", false)?;
    let (streamed, include_usage) = streaming(&root)?;
    let choices = usize::try_from(root.integer("n", 1, 128)?.unwrap_or(1)).unwrap_or(1);
    let prompts = prompts(&root.need("prompt")?)?;
    let input: u64 = prompts.iter().map(|(_, cost)| cost).sum();
    let asked =
        root.get("max_tokens").map(|node| node.count(0)).transpose()?.map_or(16, |asked| asked as u64);
    if input + asked > model.context_length {
        return Err(error::context(model.context_length, input, Some(asked)).into());
    }
    let stops = stops(&root)?;
    let turn = |text: &str| {
        let prompt =
            Prompt { text: text.to_owned(), stops: stops.clone(), limit: Some(asked), ..Prompt::default() };
        let mut turn = turn::compose(&prompt, call.bias);
        if echo {
            turn.text.insert_str(0, text);
        }
        turn
    };
    let turns: Vec<Turn> =
        prompts.iter().flat_map(|(text, _)| std::iter::repeat_with(|| turn(text)).take(choices)).collect();
    let output = turns.iter().map(|turn| tokens::count(&turn.text)).sum();
    let usage = Usage { input, output, ..Usage::default() };
    let reported = (!call.bias.no_usage).then_some(usage);
    let envelope = json!({
        "id": format!("cmpl-{}", call.id("completion", 29)), "object": "text_completion", "created": call.now,
        "model": model.id,
    });
    let pace = turns.first().map(|turn| turn.pace).unwrap_or_default();
    let split = turns.first().map_or(0, |turn| turn.split);
    let (content, usage_sent) = if streamed {
        (Content::Stream(events(&envelope, &turns, reported.filter(|_| include_usage))), None)
    } else {
        (Content::Json(whole(&envelope, &turns, reported)), reported)
    };
    Ok(Answer { content, usage: usage_sent, consumed: Some(usage), pace, split, ..Answer::json(Value::Null) })
}

/// The prompts as texts with their costs: a text, texts, one list of tokens, or lists of tokens.
pub(crate) fn prompts(node: &Node<'_>) -> Result<Vec<(String, u64)>, Refusal> {
    if let Some(text) = node.value.as_str() {
        return Ok(vec![(text.to_owned(), tokens::count(text))]);
    }
    let list = node.list_or(Expected::TextOrArray)?;
    if list.is_empty() {
        return Err(node.rule_code("Invalid input: empty array.", "empty_array").into());
    }
    let of_tokens = |list: &[Node<'_>]| {
        for token in list {
            token.integer(0, i64::from(u32::MAX))?;
        }
        Ok::<_, Refusal>((String::new(), list.len() as u64))
    };
    if list.iter().all(|item| item.value.is_number()) {
        return Ok(vec![of_tokens(&list)?]);
    }
    let one = |item: &Node<'_>| match item.value {
        Value::Array(_) => of_tokens(&item.list()?),
        _ => item.text().map(|text| (text.to_owned(), tokens::count(text))).map_err(Refusal::from),
    };
    list.iter().map(one).collect()
}

fn choice(index: usize, text: &str, reason: Option<&str>) -> Value {
    json!({"index": index, "text": text, "logprobs": null, "finish_reason": reason})
}

fn with(envelope: &Value, choices: Value, usage: Option<Value>) -> Value {
    let mut document = envelope.clone();
    if let Value::Object(members) = &mut document {
        members.insert("choices".to_owned(), choices);
        if let Some(usage) = usage {
            members.insert("usage".to_owned(), usage);
        }
    }
    document
}

fn whole(envelope: &Value, turns: &[Turn], usage: Option<Usage>) -> Value {
    let choices =
        turns.iter().enumerate().map(|(index, turn)| choice(index, &turn.text, Some(finish(&turn.stop))));
    with(envelope, choices.collect(), usage.map(report))
}

fn events(envelope: &Value, turns: &[Turn], usage: Option<Usage>) -> Vec<Event> {
    let nothing = usage.map(|_| Value::Null);
    let chunk = |mark, choice: Value| Event::data(mark, &with(envelope, json!([choice]), nothing.clone()));
    let mut events = Vec::new();
    for (index, turn) in turns.iter().enumerate() {
        for piece in turn::pieces(&turn.text) {
            events.push(chunk(Mark::Delta, choice(index, piece, None)));
        }
        events.push(chunk(Mark::Frame, choice(index, "", Some(finish(&turn.stop)))));
    }
    // The last choice's end is the stream's end; those before it come between tokens.
    if let Some(last) = events.last_mut() {
        last.mark = Mark::Finish;
    }
    if let Some(usage) = usage {
        let last = with(envelope, json!([]), Some(report(usage)));
        events.push(Event::data(Mark::Finish, &last).reporting(usage));
    }
    events.push(stream::done());
    events
}
