//! Compaction: a conversation made short, as an item that only the vendor can read.
//!
//! Spec: <https://platform.openai.com/docs/api-reference/responses/compact>. Invariant: the user's own turns stay
//! readable, all else is inside the seal.

use super::memory::Memory;
use super::{given, long_id, reply, seal, validate};
use crate::simulator::answer::{Answer, Call, Refusal};
use serde_json::{Value, json};
use sluice::config::Usage;

/// What a compaction costs to write, in tokens.
const OUTPUT: u64 = 64;

/// Answers a request to compact.
pub(super) fn answer(call: &Call<'_>, document: &Value, memory: &Memory) -> Result<Answer, Refusal> {
    let (input, past) = validate::compaction(call, document, memory)?;
    let is_user = |item: &&Value| item.get("role").and_then(Value::as_str) == Some("user");
    let all: Vec<Value> = past.into_iter().chain(given(call, document)).collect();
    let mut output: Vec<Value> = all.iter().filter(is_user).cloned().collect();
    let id = format!("cmp_{}", long_id(call, "compaction"));
    let sealed = seal::seal(&id, "The conversation so far, in short.");
    output.push(json!({"id": id, "type": "compaction", "encrypted_content": sealed}));
    let usage = Usage { input, output: OUTPUT, ..Usage::default() };
    let reported = (!call.bias.no_usage).then_some(usage);
    let body = json!({
        "id": format!("resp_{}", long_id(call, "response")), "object": "response.compaction", "created_at": call.now,
        "output": output, "usage": reported.map(reply::report),
    });
    Ok(Answer { usage: reported, consumed: Some(usage), ..Answer::json(body) })
}
