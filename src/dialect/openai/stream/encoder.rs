//! Events to chunks.
//!
//! Invariant: what is the same in every chunk is written once, at the start; an event costs a few copies.

use crate::dialect::openai::{finish, usage};
use crate::dialect::{EncodeStream, ReplyContext};
use crate::ir::event::{Block, Delta, Event};
use crate::wire::json::{Object, Text, write_int, write_str};

/// Writes one stream.
#[derive(Debug)]
pub(in crate::dialect::openai) struct Encoder {
    created: u64,
    include_usage: bool,
    /// `data: {"id":…,"model":…`
    head: Vec<u8>,
    /// Calls begun so far.
    calls: u64,
    in_refusal: bool,
    refused: bool,
}

impl Encoder {
    pub(in crate::dialect::openai) fn new(context: &ReplyContext) -> Self {
        let mut encoder = Self {
            created: context.created,
            include_usage: context.include_usage,
            head: Vec::new(),
            calls: 0,
            in_refusal: false,
            refused: false,
        };
        encoder.begin(&"".into(), &"".into());
        encoder
    }

    fn begin(&mut self, id: &Text<'_>, model: &Text<'_>) {
        let head = &mut self.head;
        head.clear();
        head.extend_from_slice(b"data: {\"id\":");
        id.write(head);
        head.extend_from_slice(b",\"object\":\"chat.completion.chunk\",\"created\":");
        write_int(head, self.created);
        head.extend_from_slice(b",\"model\":");
        model.write(head);
    }

    /// One chunk with a delta, whose object `fill` writes.
    fn chunk(&self, out: &mut Vec<u8>, reason: Option<&str>, fill: impl FnOnce(&mut Object<'_>)) {
        out.extend_from_slice(&self.head);
        out.extend_from_slice(b",\"choices\":[{\"index\":0,\"delta\":");
        fill(&mut Object::new(out));
        out.extend_from_slice(b",\"logprobs\":null,\"finish_reason\":");
        match reason {
            Some(reason) => write_str(out, reason),
            None => out.extend_from_slice(b"null"),
        }
        // OpenAI promises the member in every chunk once usage is asked for.
        let tail: &[u8] = if self.include_usage { b"}],\"usage\":null}\n\n" } else { b"}]}\n\n" };
        out.extend_from_slice(tail);
    }

    fn call(&self, out: &mut Vec<u8>, fill: impl FnOnce(&mut Object<'_>)) {
        let index = self.calls.saturating_sub(1);
        self.chunk(out, None, |delta| {
            delta.array("tool_calls", |calls| {
                calls.object(|call| {
                    call.int("index", index);
                    fill(call);
                });
            });
        });
    }
}

impl EncodeStream for Encoder {
    fn event(&mut self, event: &Event<'_>, out: &mut Vec<u8>) {
        match event {
            Event::Start { id, model, .. } => {
                self.begin(id, model);
                self.chunk(out, None, |delta| {
                    delta.str("role", "assistant").str("content", "").null("refusal");
                });
            }
            Event::BlockStart(block) => {
                self.in_refusal = matches!(block, Block::Refusal);
                self.refused |= self.in_refusal;
                if let Block::ToolCall { id, name } = block {
                    self.calls += 1;
                    self.call(out, |call| {
                        call.text("id", id).str("type", "function").object("function", |function| {
                            function.text("name", name).str("arguments", "");
                        });
                    });
                }
            }
            Event::Delta(Delta::Text(text)) => {
                let name = if self.in_refusal { "refusal" } else { "content" };
                self.chunk(out, None, |delta| {
                    delta.text(name, text);
                });
            }
            Event::Delta(Delta::Thinking(text)) => {
                self.chunk(out, None, |delta| {
                    delta.text("reasoning_content", text);
                });
            }
            Event::Delta(Delta::Arguments(text)) => self.call(out, |call| {
                call.object("function", |function| {
                    function.text("arguments", text);
                });
            }),
            Event::Finish(done) => {
                self.chunk(out, Some(finish::encode(done.reason, self.refused)), |_| ());
            }
            Event::Usage(counts) if self.include_usage => {
                out.extend_from_slice(&self.head);
                out.extend_from_slice(b",\"choices\":[],\"usage\":");
                usage::encode(counts, &mut Object::new(out));
                out.extend_from_slice(b"}\n\n");
            }
            Event::End => out.extend_from_slice(b"data: [DONE]\n\n"),
            Event::Ping => out.extend_from_slice(b": ping\n\n"),
            // Neither signatures nor redacted thinking nor uncalled-for counts have a place here.
            Event::Delta(Delta::Signature(_)) | Event::Usage(_) | Event::BlockEnd => {}
        }
    }
}
