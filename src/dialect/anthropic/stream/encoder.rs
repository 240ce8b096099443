//! Events as a client's stream.
//!
//! Invariant: a stream that ends has exactly one `message_delta`, with final counts, directly before `message_stop`.

use crate::config::Usage;
use crate::dialect::EncodeStream;
use crate::dialect::anthropic::reply;
use crate::dialect::anthropic::tool_call::clean_id;
use crate::dialect::anthropic::usage;
use crate::ir::chat::Finish;
use crate::ir::event::{Block, Delta, Event};
use crate::wire::json::{Object, Text};

/// The encoder.
#[derive(Debug, Default)]
pub(in crate::dialect::anthropic) struct Encoder {
    /// Index of the open block, or of the next.
    index: u64,
    calls_tools: bool,
    /// Counts so far.
    usage: Usage,
    /// Held until the counts are final.
    finish: Option<Finish<'static>>,
}

impl EncodeStream for Encoder {
    fn event(&mut self, event: &Event<'_>, out: &mut Vec<u8>) {
        match event {
            Event::Start { id, model, usage } => self.start(id, model, usage.unwrap_or_default(), out),
            Event::Ping => frame("ping", out, |_| {}),
            Event::BlockStart(block) => self.block(block, out),
            Event::Delta(delta) => self.delta(delta, out),
            Event::BlockEnd => {
                frame("content_block_stop", out, |data| {
                    data.int("index", self.index);
                });
                self.index += 1;
            }
            Event::Finish(finish) => {
                self.finish = Some(Finish {
                    reason: finish.reason,
                    word: finish.word.clone().into_owned(),
                    stop_sequence: finish.stop_sequence.clone().map(Text::into_owned),
                });
            }
            Event::Usage(usage) => {
                self.usage = *usage;
                self.message_delta(out);
            }
            Event::End => {
                self.message_delta(out);
                frame("message_stop", out, |_| {});
            }
        }
    }
}

impl Encoder {
    fn start(&mut self, id: &Text<'_>, model: &Text<'_>, usage: Usage, out: &mut Vec<u8>) {
        self.usage = usage;
        frame("message_start", out, |data| {
            data.object("message", |message| {
                message.text("id", id).str("type", "message").str("role", "assistant").text("model", model);
                message.raw("content", "[]").null("stop_reason").null("stop_sequence");
                message.object("usage", |object| usage::write(&usage, object));
            });
        });
    }

    fn block(&mut self, block: &Block<'_>, out: &mut Vec<u8>) {
        self.calls_tools |= matches!(block, Block::ToolCall { .. });
        frame("content_block_start", out, |data| {
            data.int("index", self.index).object("content_block", |object| match block {
                Block::Text | Block::Refusal => {
                    object.str("type", "text").str("text", "");
                }
                Block::Thinking => {
                    object.str("type", "thinking").str("thinking", "").str("signature", "");
                }
                Block::RedactedThinking { data } => {
                    object.str("type", "redacted_thinking").text("data", data);
                }
                Block::ToolCall { id, name } => {
                    object.str("type", "tool_use").text("id", &clean_id(id)).text("name", name);
                    object.raw("input", "{}");
                }
            });
        });
    }

    fn delta(&self, delta: &Delta<'_>, out: &mut Vec<u8>) {
        let (kind, member, text) = match delta {
            Delta::Text(text) => ("text_delta", "text", text),
            Delta::Thinking(text) => ("thinking_delta", "thinking", text),
            Delta::Signature(text) => ("signature_delta", "signature", text),
            Delta::Arguments(text) => ("input_json_delta", "partial_json", text),
        };
        frame("content_block_delta", out, |data| {
            data.int("index", self.index).object("delta", |object| {
                object.str("type", kind).text(member, text);
            });
        });
    }

    fn message_delta(&mut self, out: &mut Vec<u8>) {
        let Some(finish) = self.finish.take() else { return };
        frame("message_delta", out, |data| {
            data.object("delta", |delta| reply::write_finish(&finish, self.calls_tools, delta));
            data.object("usage", |object| usage::write(&self.usage, object));
        });
    }
}

fn frame(name: &str, out: &mut Vec<u8>, fill: impl FnOnce(&mut Object<'_>)) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    fill(Object::new(out).str("type", name));
    out.extend_from_slice(b"\n\n");
}
