//! The requests: an official client's headers, and bodies of the sizes that DESIGN's goals name.

use clap::ValueEnum;
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Where chats go.
const CHAT: &str = "/v1/chat/completions";

/// The sizes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
pub(crate) enum Size {
    /// About 1 KB.
    Small,
    /// About 100 KB in one message.
    Large,
    /// About 100 KB in many turns.
    ManyTurns,
}

impl Size {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Small, Self::Large, Self::ManyTurns];

    /// As the table shows it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Small => "1 KB",
            Self::Large => "100 KB, one message",
            Self::ManyTurns => "100 KB, 345 turns",
        }
    }
}

/// Prose with line ends and quotes, as prompts have them.
const PROSE: &str = "A gateway that sits in the proxy sees every byte twice, once on the way in and once on the way out.\n\
    It should look at few of them: the \"model\", the size, and what the policy names. ";

fn prose(length: usize) -> String {
    let mut text = PROSE.repeat(length / PROSE.len() + 1);
    // PROSE is ASCII.
    text.truncate(length);
    text
}

/// A chat request.
fn body(size: Size, model: &str) -> Value {
    let system = json!({"role": "system", "content": prose(200)});
    let turn = |role: &str, length: usize| json!({"role": role, "content": prose(length)});
    let messages: Vec<Value> = match size {
        Size::Small => vec![system, turn("user", 620)],
        Size::Large => vec![system, turn("user", 100_000)],
        Size::ManyTurns => {
            let roles = ["user", "assistant"].into_iter().cycle().take(345);
            std::iter::once(system).chain(roles.map(|role| turn(role, 255))).collect()
        }
    };
    json!({"messages": messages, "model": model, "temperature": 0.7, "max_tokens": 512})
}

/// A request that is answered whole.
pub(crate) fn whole(size: Size, model: &str, key: &str) -> Arc<[u8]> {
    request(CHAT, &body(size, model), key)
}

/// A request whose answer is streamed.
pub(crate) fn streamed(model: &str, key: &str) -> Arc<[u8]> {
    let mut body = body(Size::Small, model);
    if let Some(body) = body.as_object_mut() {
        body.insert("stream".to_owned(), Value::Bool(true));
    }
    request(CHAT, &body, key)
}

/// The same of a Messages client.
pub(crate) fn messages(size: Size, model: &str, key: &str) -> Arc<[u8]> {
    request("/v1/messages", &of_messages(body(size, model)), key)
}

/// A request of a Messages client whose answer is streamed.
pub(crate) fn streamed_messages(model: &str, key: &str) -> Arc<[u8]> {
    let mut body = of_messages(body(Size::Small, model));
    if let Some(body) = body.as_object_mut() {
        body.insert("stream".to_owned(), Value::Bool(true));
    }
    request("/v1/messages", &body, key)
}

/// Messages has its system prompt beside the turns.
fn of_messages(mut body: Value) -> Value {
    let first = body.get_mut("messages").and_then(Value::as_array_mut).map(|turns| turns.remove(0));
    let system = first.as_ref().and_then(|first| first.get("content"));
    if let (Some(body), Some(system)) = (body.as_object_mut(), system) {
        body.insert("system".to_owned(), system.clone());
    }
    body
}

fn request(path: &str, body: &Value, key: &str) -> Arc<[u8]> {
    let body = body.to_string();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: gateway.test\r\nconnection: keep-alive\r\n\
         accept: application/json\r\ncontent-type: application/json\r\nuser-agent: OpenAI/Python 2.8.0\r\n\
         authorization: Bearer {key}\r\nx-stainless-lang: python\r\nx-stainless-package-version: 2.8.0\r\n\
         x-stainless-os: Linux\r\nx-stainless-arch: x64\r\nx-stainless-runtime: CPython\r\n\
         x-stainless-runtime-version: 3.13.5\r\nx-stainless-async: false\r\nx-stainless-retry-count: 0\r\n\
         x-stainless-read-timeout: 600\r\naccept-encoding: gzip, deflate\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body.into_bytes()].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_what_they_are_called() {
        let length = |size| body(size, "bench-patched").to_string().len();
        assert!((900..=1_100).contains(&length(Size::Small)), "{}", length(Size::Small));
        assert!((98_000..=106_000).contains(&length(Size::Large)), "{}", length(Size::Large));
        assert!((98_000..=106_000).contains(&length(Size::ManyTurns)), "{}", length(Size::ManyTurns));
    }
}
