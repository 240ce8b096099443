//! A response as one document: what the request decided, and the items that the turn comes to.
//!
//! Spec: <https://platform.openai.com/docs/api-reference/responses/object>

use super::seal;
use super::validate::Request;
use crate::simulator::answer::Call;
use crate::simulator::openai::chat;
use crate::simulator::turn::{self, Stop, Turn};
use serde_json::{Value, json};
use sluice::config::Usage;

/// What became of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// It is done.
    Completed,
    /// It was cut off.
    Incomplete,
    /// It broke down.
    Failed,
}

impl Status {
    /// Of a turn.
    pub(crate) const fn of(turn: &Turn) -> Self {
        match turn.stop {
            _ if turn.failed => Self::Failed,
            Stop::Length | Stop::Refused => Self::Incomplete,
            Stop::End | Stop::Sequence(_) | Stop::Tools => Self::Completed,
        }
    }

    /// The vendor's word.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Incomplete => "incomplete",
            Self::Failed => "failed",
        }
    }
}

/// The whole document.
pub(crate) fn document(
    call: &Call<'_>,
    id: &str,
    request: &Request,
    turn: &Turn,
    usage: Option<Usage>,
) -> Value {
    let status = Status::of(turn);
    let reason = match turn.stop {
        Stop::Length => json!({"reason": "max_output_tokens"}),
        Stop::Refused => json!({"reason": "content_filter"}),
        Stop::End | Stop::Sequence(_) | Stop::Tools => Value::Null,
    };
    let failed = status == Status::Failed;
    let error = json!({"code": "server_error", "message": "The model failed to generate a response."});
    let mut document = request.echo.clone();
    let members = json!({
        "id": id, "object": "response", "created_at": call.now, "status": status.name(),
        "completed_at": if status == Status::Completed { json!(call.now) } else { Value::Null },
        "error": if failed { error } else { Value::Null },
        "incomplete_details": if failed { Value::Null } else { reason },
        "output": items(call, request, turn),
        "usage": usage.map(report),
    });
    if let (Value::Object(document), Value::Object(members)) = (&mut document, members) {
        document.extend(members);
    }
    document
}

/// Usage as the vendor reports it.
pub(crate) fn report(usage: Usage) -> Value {
    json!({
        "input_tokens": usage.input,
        "input_tokens_details": {"cached_tokens": usage.cached, "cache_write_tokens": usage.cache_write},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.input + usage.output,
    })
}

/// The items of the output, whole.
fn items(call: &Call<'_>, request: &Request, turn: &Turn) -> Vec<Value> {
    let id = |prefix: &str, salt: &str| format!("{prefix}_{}", super::long_id(call, salt));
    let mut items = Vec::new();
    if turn.thinking.is_some() || turn.redacted {
        let text = turn.thinking.as_deref().unwrap_or_default();
        let id = id("rs", "reasoning");
        let summary = if request.summary && !text.is_empty() {
            json!([{"type": "summary_text", "text": text}])
        } else {
            json!([])
        };
        let mut item = json!({"id": id, "type": "reasoning", "summary": summary});
        if let (true, Value::Object(members)) = (request.sealed || turn.redacted, &mut item) {
            members.insert("encrypted_content".to_owned(), json!(seal::seal(&id, text)));
        }
        items.push(item);
    }
    if let Some(query) = turn.search.as_ref().filter(|_| request.declared.searches()) {
        let action = json!({"type": "search", "query": query});
        items.push(json!({"id": id("ws", "search"), "type": "web_search_call", "status": "completed", "action": action}));
    }
    if !turn.text.is_empty() || (turn.calls.is_empty() && turn.stop == Stop::End) {
        items.push(json!({
            "id": id("msg", "message"), "type": "message", "status": "completed", "role": "assistant",
            "content": [part(request, turn)],
        }));
    }
    for (index, made) in turn.calls.iter().enumerate() {
        let call_id = format!("call_{}", call.id(&format!("call {index}"), 24));
        items.push(if request.declared.custom.contains(&made.name) {
            json!({
                "id": id("ctc", &format!("item {index}")), "type": "custom_tool_call", "status": "completed",
                "call_id": call_id, "name": made.name, "input": made.arguments,
            })
        } else {
            json!({
                "id": id("fc", &format!("item {index}")), "type": "function_call", "status": "completed",
                "call_id": call_id, "name": made.name, "arguments": made.arguments,
            })
        });
    }
    // What was cut off is the last.
    if let (Stop::Length | Stop::Refused, Some(Value::Object(last))) = (&turn.stop, items.last_mut())
        && let Some(status) = last.get_mut("status")
    {
        *status = json!("incomplete");
    }
    items
}

fn part(request: &Request, turn: &Turn) -> Value {
    if turn.declined {
        return json!({"type": "refusal", "refusal": turn.text});
    }
    let logprobs =
        request.logprobs.map_or_else(|| json!([]), |top| chat::probabilities(&turn::pieces(&turn.text), top));
    let mut sources = chat::citations(turn);
    for source in &mut sources {
        chat::put(source, "type", json!("url_citation"));
    }
    json!({"type": "output_text", "annotations": sources, "logprobs": logprobs, "text": turn.text})
}
