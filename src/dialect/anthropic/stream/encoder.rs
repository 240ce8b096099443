//! Events as a client's stream.
//!
//! Invariant: a stream that ends has exactly one `message_delta`, with final counts, directly before `message_stop`.

use crate::config::Dialect;
use crate::config::Usage;
use crate::dialect::EncodeStream;
use crate::dialect::anthropic::error;
use crate::dialect::anthropic::reply;
use crate::dialect::anthropic::usage;
use crate::dialect::tool_call::{arguments, clean_id};
use crate::ir::chat::{Finish, ToolCall};
use crate::ir::error::ApiError;
use crate::ir::event::{Block, Delta, Event};
use crate::wire::json::{Object, Text};

/// The encoder.
#[derive(Debug, Default)]
pub(in crate::dialect::anthropic) struct Encoder {
    /// Index of the open block, or of the next.
    index: u64,
    calls_tools: bool,
    /// The input so far, while a custom tool's call is open: only whole does it become an object.
    input: Option<String>,
    /// Counts so far.
    usage: Usage,
    /// Whether candidates beyond the first are being told, which no client of this dialect can ask for.
    beyond: bool,
    /// Held until the counts are final.
    finish: Option<Finish<'static>>,
}

impl EncodeStream for Encoder {
    fn event(&mut self, event: &Event<'_>, out: &mut Vec<u8>) {
        if self.beyond && !matches!(event, Event::Usage(_) | Event::End | Event::Ping) {
            return;
        }
        match event {
            Event::Start { id, model, usage } => self.start(id, model, usage.unwrap_or_default(), out),
            Event::Ping => frame("ping", out, |_| {}),
            Event::BlockStart(block) => self.block(block, out),
            Event::Delta(delta) => self.delta(delta, out),
            Event::BlockEnd => {
                if let Some(input) = self.input.take() {
                    let call = ToolCall { custom: true, ..ToolCall::function("", "", input) };
                    self.delta(&Delta::Arguments(Text::from(&*arguments(&call))), out);
                }
                self.end_block(out);
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
            Event::NextCandidate => self.beyond = true,
            Event::End => {
                self.message_delta(out);
                frame("message_stop", out, |_| {});
            }
        }
    }

    fn error(&mut self, error: &ApiError, request_id: &str, out: &mut Vec<u8>) {
        error::encode_event(error, request_id, out);
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
        if let Block::ToolCall { custom, proof, .. } = block {
            self.input = custom.then(String::new);
            // A call has no place for what proves it: that comes before it, as thinking without words.
            if let Some(proof) = proof {
                self.block(&Block::Thinking, out);
                self.delta(&Delta::Proof(proof.clone()), out);
                self.end_block(out);
            }
        }
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
                    object.str("type", "redacted_thinking").text("data", &data.seal(Dialect::Anthropic));
                }
                Block::ToolCall { id, name, .. } => {
                    object.str("type", "tool_use").text("id", &clean_id(id)).text("name", name);
                    object.raw("input", "{}");
                }
            });
        });
    }

    fn end_block(&mut self, out: &mut Vec<u8>) {
        frame("content_block_stop", out, |data| {
            data.int("index", self.index);
        });
        self.index += 1;
    }

    fn delta(&mut self, delta: &Delta<'_>, out: &mut Vec<u8>) {
        if let (Delta::Arguments(text), Some(input)) = (delta, &mut self.input) {
            input.push_str(&text.plain());
            return;
        }
        let sealed;
        let (kind, member, text) = match delta {
            Delta::Text(text) => ("text_delta", "text", text),
            Delta::Thinking(text) => ("thinking_delta", "thinking", text),
            Delta::Proof(proof) => {
                sealed = proof.seal(Dialect::Anthropic);
                ("signature_delta", "signature", &sealed)
            }
            Delta::Arguments(text) => ("input_json_delta", "partial_json", text),
            // Messages has no word for them.
            Delta::Logprobs(_) => return,
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
