//! What the mock upstream says, ready to be sent.

use serde_json::{Value, json};

/// What the upstream speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// OpenAI Chat.
    Openai,
    /// Anthropic Messages.
    Anthropic,
}

/// What one dialect says.
#[derive(Debug)]
struct Words {
    whole: Vec<u8>,
    beginning: Vec<u8>,
    delta: Vec<u8>,
    end: Vec<u8>,
    end_with_usage: Vec<u8>,
}

/// What the mock upstream says.
#[derive(Debug)]
pub(super) struct Replies {
    openai: Words,
    anthropic: Words,
    /// How many deltas a streamed reply has; the first is part of its beginning.
    pub(super) deltas: usize,
}

impl Replies {
    pub(super) fn new(deltas: usize) -> Self {
        Self { openai: openai(), anthropic: anthropic(), deltas }
    }

    fn words(&self, dialect: Dialect) -> &Words {
        match dialect {
            Dialect::Openai => &self.openai,
            Dialect::Anthropic => &self.anthropic,
        }
    }

    /// A whole reply.
    pub(super) fn whole(&self, dialect: Dialect) -> &[u8] {
        &self.words(dialect).whole
    }

    /// A streamed reply up to its first delta.
    pub(super) fn beginning(&self, dialect: Dialect) -> &[u8] {
        &self.words(dialect).beginning
    }

    /// One more delta.
    pub(super) fn delta(&self, dialect: Dialect) -> &[u8] {
        &self.words(dialect).delta
    }

    /// What follows the last delta.
    pub(super) fn end(&self, dialect: Dialect, wants_usage: bool) -> &[u8] {
        let words = self.words(dialect);
        if wants_usage { &words.end_with_usage } else { &words.end }
    }
}

const MODEL: &str = "bench-upstream-2026-01";
const TEXT: &str = "The proxy's worker threads read the request, choose a provider and pass the answer on.\n\nThree \
    things decide what that costs: how often the module is entered, how many bytes are copied, and how many values of \
    the body become trees. The first is a matter of \"callbacks\", the other two of the lane that the request takes.";
const WORD: &str = " gateway";

fn whole(id_header: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{id_header}: req_0123456789abcdef\r\n\
         x-ratelimit-remaining-requests: 9999\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body.into_bytes()].concat()
}

fn event_stream(id_header: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n{id_header}: req_0123456789abcdef\r\n\
         cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    .into_bytes()
}

fn chunk(events: &str) -> Vec<u8> {
    format!("{:x}\r\n{events}\r\n", events.len()).into_bytes()
}

fn openai() -> Words {
    let usage = json!({
        "prompt_tokens": 250, "completion_tokens": 400, "total_tokens": 650,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    });
    let event = |choices: Value, usage: Option<&Value>| {
        let mut chunk = json!({
            "id": "chatcmpl-0123456789abcdef", "object": "chat.completion.chunk", "created": 1_760_000_000,
            "model": MODEL, "service_tier": "default", "system_fingerprint": "fp_0123456789", "choices": choices,
        });
        if let (Some(usage), Some(chunk)) = (usage, chunk.as_object_mut()) {
            chunk.insert("usage".to_owned(), usage.clone());
        }
        format!("data: {chunk}\n\n")
    };
    let choice =
        |delta: Value, finish: Option<&str>| json!([{"index": 0, "delta": delta, "finish_reason": finish}]);
    let first = event(choice(json!({"role": "assistant", "content": ""}), None), None);
    let delta = event(choice(json!({"content": WORD}), None), None);
    let last = event(choice(json!({}), Some("stop")), None);
    let tail = event(json!([]), Some(&usage));
    let message = json!({"role": "assistant", "content": TEXT, "refusal": null, "annotations": []});
    let body = json!({
        "id": "chatcmpl-0123456789abcdef", "object": "chat.completion", "created": 1_760_000_000, "model": MODEL,
        "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": "stop"}],
        "usage": usage, "service_tier": "default", "system_fingerprint": "fp_0123456789",
    });
    Words {
        whole: whole("x-request-id", &body),
        beginning: [event_stream("x-request-id"), chunk(&format!("{first}{delta}"))].concat(),
        delta: chunk(&delta),
        end: [chunk(&format!("{last}data: [DONE]\n\n")), chunk("")].concat(),
        end_with_usage: [chunk(&format!("{last}{tail}data: [DONE]\n\n")), chunk("")].concat(),
    }
}

fn anthropic() -> Words {
    let event = |name: &str, data: Value| format!("event: {name}\ndata: {data}\n\n");
    let usage = |output: u64| {
        json!({
            "input_tokens": 250, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
            "output_tokens": output,
        })
    };
    let message = |content: Value, stop: Option<&str>, output: u64| {
        json!({
            "id": "msg_0123456789abcdef", "type": "message", "role": "assistant", "model": MODEL,
            "content": content, "stop_reason": stop, "stop_sequence": null, "usage": usage(output),
        })
    };
    let block = json!({"type": "text", "text": ""});
    let first = [
        event("message_start", json!({"type": "message_start", "message": message(json!([]), None, 1)})),
        event(
            "content_block_start",
            json!({"type": "content_block_start", "index": 0, "content_block": block}),
        ),
        event("ping", json!({"type": "ping"})),
    ]
    .concat();
    let text = json!({"type": "text_delta", "text": WORD});
    let delta =
        event("content_block_delta", json!({"type": "content_block_delta", "index": 0, "delta": text}));
    let stop = json!({"stop_reason": "end_turn", "stop_sequence": null});
    let last = [
        event("content_block_stop", json!({"type": "content_block_stop", "index": 0})),
        event(
            "message_delta",
            json!({"type": "message_delta", "delta": stop, "usage": {"output_tokens": 400}}),
        ),
        event("message_stop", json!({"type": "message_stop"})),
    ]
    .concat();
    let end = [chunk(&last), chunk("")].concat();
    Words {
        whole: whole("request-id", &message(json!([{"type": "text", "text": TEXT}]), Some("end_turn"), 400)),
        beginning: [event_stream("request-id"), chunk(&format!("{first}{delta}"))].concat(),
        delta: chunk(&delta),
        end: end.clone(),
        end_with_usage: end,
    }
}
