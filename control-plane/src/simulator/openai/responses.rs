//! The Responses API: runs of a model, kept and looked at again, streamed, in the background.
//!
//! Spec: <https://platform.openai.com/docs/api-reference/responses>. Invariant: what is not to be stored is not found
//! again; a run in the background comes one step further each time that its client looks.

use super::{document, error};
use crate::simulator::answer::{Answer, Call, Content, Refusal};
use crate::simulator::directive;
use crate::simulator::event::Event;
use crate::simulator::turn::{self, Turn};
use memory::{Run, Stored};
use serde_json::{Value, json};
use sluice::config::Usage;
use std::sync::{Mutex, MutexGuard, PoisonError};

mod compact;
mod echo;
mod input;
mod memory;
mod parts;
mod reply;
mod seal;
mod stream;
mod tools;
mod validate;

pub(crate) use memory::Memory;

/// Where the endpoints are.
pub(crate) const PATH: &str = "/responses";

/// Whether a `POST` there runs a model: to cancel a run or to count tokens does not.
pub(crate) fn asks(path: &str) -> bool {
    match path.split_once(PATH) {
        Some((_, below)) => !(below.ends_with("/cancel") || below == "/input_tokens"),
        None => true,
    }
}

/// The responses of one provider.
#[derive(Debug)]
pub(crate) struct Responses(Mutex<Memory>);

impl Responses {
    /// Nothing is kept yet.
    pub(crate) fn new() -> Self {
        Self(Mutex::default())
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        // Every change leaves the memory whole, so a panic elsewhere cannot have broken it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets all.
    pub(crate) fn reset(&self) {
        *self.memory() = Memory::default();
    }

    /// Answers whatever is asked below [`PATH`].
    pub(crate) fn answer(&self, call: &Call<'_>) -> Answer {
        self.route(call).unwrap_or_else(|refusal| match refusal {
            Refusal::Violation(violation) => error::of_violation(&violation),
            Refusal::Answer(answer) => *answer,
        })
    }

    fn route(&self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let below = call.path.strip_prefix(PATH).unwrap_or_default().trim_start_matches('/');
        let (id, rest) = below.split_once('/').unwrap_or((below, ""));
        match (call.method.as_str(), id, rest) {
            ("POST", "", "") => create(call, &document(call)?, &mut self.memory()),
            ("POST", "input_tokens", "") => {
                let tokens = validate::count(call, &document(call)?, &self.memory())?;
                Ok(Answer::json(json!({"object": "response.input_tokens", "input_tokens": tokens})))
            }
            ("POST", "compact", "") => compact::answer(call, &document(call)?, &self.memory()),
            (_, "" | "input_tokens" | "compact", "") => Err(error::method(call).into()),
            ("GET", id, "") => look(call, id, &mut self.memory()),
            ("DELETE", id, "") => {
                if !self.memory().forget(id) {
                    return Err(unknown(id));
                }
                Ok(Answer::json(json!({"id": id, "object": "response", "deleted": true})))
            }
            ("POST", id, "cancel") => cancel(id, &mut self.memory()),
            ("GET", id, "input_items") => input_items(call, id, &self.memory()),
            (_, _, "" | "cancel" | "input_items") => Err(error::method(call).into()),
            _ => Err(error::path(call).into()),
        }
    }
}

/// Many letters and digits that depend on the request's body and on `salt` only.
fn long_id(call: &Call<'_>, salt: &str) -> String {
    let half = |part: &str| call.id(&format!("{salt} {part}"), 25);
    format!("{}{}", half("first"), half("second")).to_ascii_lowercase()
}

fn unknown(id: &str) -> Refusal {
    error::refuse(404, &format!("Response with id '{id}' not found."), None, None).into()
}

fn create(call: &Call<'_>, document: &Value, memory: &mut Memory) -> Result<Answer, Refusal> {
    let request = validate::request(call, document, memory)?;
    if directive::parse(&request.prompt.text).block {
        return Err(error::blocked().into());
    }
    let turn = turn::compose(&request.prompt, call.bias);
    let usage = Usage {
        input: request.input,
        cached: request.cached,
        cache_write: 0,
        output: turn.output(),
        reasoning: turn.reasoning(),
        images: 0,
    };
    // A run that breaks down is not charged.
    let reported = (!call.bias.no_usage && !turn.failed).then_some(usage);
    let id = format!("resp_{}", long_id(call, "response"));
    let whole = reply::document(call, &id, &request, &turn, reported);
    let events = if request.stream {
        let manner = stream::Manner {
            background: request.background,
            top: request.logprobs,
            obfuscated: request.obfuscated,
        };
        stream::events(&whole, manner, reported)
    } else {
        Vec::new()
    };
    let stored = Stored {
        id,
        document: whole,
        input: given(call, document),
        past: request.past,
        events: if request.background { events.clone() } else { Vec::new() },
        run: request.background.then_some(if request.stream { Run::Over } else { Run::Queued }),
    };
    let content = if request.stream { Content::Stream(events) } else { Content::Json(stored.now()) };
    if request.store {
        memory.keep(stored);
    }
    Ok(played(content, &turn, reported.filter(|_| !request.stream && !request.background), usage))
}

fn played(content: Content, turn: &Turn, reported: Option<Usage>, usage: Usage) -> Answer {
    Answer {
        content,
        usage: reported,
        consumed: Some(usage),
        pace: turn.pace,
        split: turn.split,
        ..Answer::json(Value::Null)
    }
}

/// The items of a request, each with an id.
fn given(call: &Call<'_>, document: &Value) -> Vec<Value> {
    let mut items = match document.get("input") {
        Some(Value::String(text)) => {
            vec![
                json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}),
            ]
        }
        Some(Value::Array(items)) => items.clone(),
        _ => Vec::new(),
    };
    for (index, item) in items.iter_mut().enumerate() {
        let Value::Object(members) = item else { continue };
        let kind = members.entry("type").or_insert_with(|| json!("message")).clone();
        let prefix = match kind.as_str() {
            Some("message") => "msg",
            Some("reasoning") => "rs",
            Some("function_call") => "fc",
            Some("function_call_output") => "fco",
            Some("custom_tool_call") => "ctc",
            Some("custom_tool_call_output") => "ctco",
            _ => "item",
        };
        let id = format!("{prefix}_{}", long_id(call, &format!("input {index}")));
        members.entry("id").or_insert_with(|| json!(id));
    }
    items
}

/// A parameter of the query.
fn parameter<'a>(call: &Call<'a>, name: &str) -> Option<&'a str> {
    let mut pairs = call.query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
}

fn look(call: &Call<'_>, id: &str, memory: &mut Memory) -> Result<Answer, Refusal> {
    let stored = memory.get_mut(id).ok_or_else(|| unknown(id))?;
    if parameter(call, "stream") == Some("true") {
        if stored.run.is_none() || stored.events.is_empty() {
            let message = "This response cannot be streamed because it was not created with background=true and \
                           stream=true.";
            return Err(error::refuse(400, message, Some("stream"), None).into());
        }
        let number = parameter(call, "starting_after").map(str::parse::<usize>).transpose();
        let Ok(number) = number else {
            let message = "Invalid type for 'starting_after': expected an integer.";
            return Err(error::refuse(400, message, Some("starting_after"), Some("invalid_type")).into());
        };
        let events: Vec<Event> = stream::after(&stored.events, number);
        return Ok(Answer { content: Content::Stream(events), ..Answer::json(Value::Null) });
    }
    stored.run = match stored.run {
        Some(Run::Queued) => Some(Run::Running),
        Some(Run::Running) => Some(Run::Over),
        other => other,
    };
    Ok(Answer::json(stored.now()))
}

fn cancel(id: &str, memory: &mut Memory) -> Result<Answer, Refusal> {
    let stored = memory.get_mut(id).ok_or_else(|| unknown(id))?;
    stored.run = match stored.run {
        None => return Err(error::refuse(400, "Cannot cancel a synchronous response.", None, None).into()),
        Some(Run::Over) => Some(Run::Over),
        Some(_) => Some(Run::Cancelled),
    };
    Ok(Answer::json(stored.now()))
}

fn input_items(call: &Call<'_>, id: &str, memory: &Memory) -> Result<Answer, Refusal> {
    let stored = memory.get(id).ok_or_else(|| unknown(id))?;
    let mut items: Vec<&Value> = stored.past.iter().chain(&stored.input).collect();
    match parameter(call, "order").unwrap_or("desc") {
        "asc" => {}
        "desc" => items.reverse(),
        other => {
            let message = format!("Invalid value: '{other}'. Supported values are: 'asc' and 'desc'.");
            return Err(error::refuse(400, &message, Some("order"), Some("invalid_value")).into());
        }
    }
    let limit = parameter(call, "limit").map_or(Ok(20), str::parse::<usize>);
    let Some(limit) = limit.ok().filter(|limit| (1..=100).contains(limit)) else {
        let message = "Invalid 'limit': expected an integer from 1 to 100.";
        return Err(error::refuse(400, message, Some("limit"), Some("invalid_value")).into());
    };
    let name = |item: &Value| item.get("id").and_then(Value::as_str).map(str::to_owned);
    let after = parameter(call, "after");
    let start = items.iter().position(|item| after.is_some() && name(item).as_deref() == after);
    let rest = items.get(start.map_or(0, |start| start + 1)..).unwrap_or_default();
    let page: Vec<&Value> = rest.iter().take(limit).copied().collect();
    Ok(Answer::json(json!({
        "object": "list", "data": page, "has_more": rest.len() > page.len(),
        "first_id": page.first().and_then(|item| name(item)), "last_id": page.last().and_then(|item| name(item)),
    })))
}

/// The event with which a stream ends that fails.
pub(crate) fn error_event(sent: &[Event], body: Option<&Value>, usual: &Value) -> Event {
    use crate::simulator::event::Mark;
    let Some(body) = body else { return stream::error(sent, usual) };
    let failed = body.get("type").and_then(Value::as_str) == Some("response.failed");
    Event::named(Mark::Frame, if failed { "response.failed" } else { "error" }, body)
}

#[cfg(test)]
mod tests;
