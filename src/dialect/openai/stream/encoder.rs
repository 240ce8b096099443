//! Events to chunks.
//!
//! Invariant: what is the same in every chunk is written once, at the start; an event costs a few copies. Only what cannot be
//! told in pieces is held: proved thinking, and the input of a custom tool whose stand-in was called.

use crate::config::Dialect;
use crate::dialect::openai::echo::CustomTools;
use crate::dialect::openai::{finish, proofs, reply, usage};
use crate::dialect::openai_api::error;
use crate::dialect::tool_call::custom_input;
use crate::dialect::{EncodeStream, ReplyContext};
use crate::ir::Proof;
use crate::ir::chat::Logprob;
use crate::ir::error::ApiError;
use crate::ir::event::{Block, Delta, Event};
use crate::wire::json::{Object, Text, write_int, write_str};

/// Writes one stream.
#[derive(Debug)]
pub(in crate::dialect::openai) struct Encoder {
    created: u64,
    include_usage: bool,
    custom_tools: CustomTools,
    /// `data: {"id":…,"model":…`
    head: Vec<u8>,
    /// Which candidate this is.
    index: u64,
    /// Calls begun so far.
    calls: u64,
    /// Thoughts that were proved.
    proved: u64,
    open: Open,
    refused: bool,
}

/// What is open.
#[derive(Debug, Default)]
enum Open {
    #[default]
    Text,
    Refusal,
    /// Thinking, and its text so far.
    Thinking(String),
    Call,
    /// A custom tool's call.
    Custom,
    /// A call of the function that stands for a custom tool, and its arguments so far.
    StandIn(String),
}

impl Encoder {
    pub(in crate::dialect::openai) fn new(context: &ReplyContext) -> Self {
        let mut encoder = Self {
            created: context.created,
            include_usage: context.include_usage,
            custom_tools: CustomTools::of(context),
            head: Vec::new(),
            index: 0,
            calls: 0,
            proved: 0,
            open: Open::Text,
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

    /// The first chunk of a candidate.
    fn role(&self, out: &mut Vec<u8>) {
        self.chunk(out, None, |delta| {
            delta.str("role", "assistant").str("content", "").null("refusal");
        });
    }

    /// One chunk with a delta, whose object `fill` writes.
    fn chunk(&self, out: &mut Vec<u8>, reason: Option<&str>, fill: impl FnOnce(&mut Object<'_>)) {
        self.choice(out, fill);
        out.extend_from_slice(b",\"logprobs\":null,\"finish_reason\":");
        match reason {
            Some(reason) => write_str(out, reason),
            None => out.extend_from_slice(b"null"),
        }
        self.close(out);
    }

    /// The beginning of a chunk, up to its delta.
    fn choice(&self, out: &mut Vec<u8>, fill: impl FnOnce(&mut Object<'_>)) {
        out.extend_from_slice(&self.head);
        out.extend_from_slice(b",\"choices\":[{\"index\":");
        write_int(out, self.index);
        out.extend_from_slice(b",\"delta\":");
        fill(&mut Object::new(out));
    }

    /// The end of a chunk. OpenAI promises the member in every chunk once usage is asked for.
    fn close(&self, out: &mut Vec<u8>) {
        let tail: &[u8] = if self.include_usage { b"}],\"usage\":null}\n\n" } else { b"}]}\n\n" };
        out.extend_from_slice(tail);
    }

    fn logprobs(&self, list: &[Logprob<'_>], out: &mut Vec<u8>) {
        self.choice(out, |_| ());
        out.extend_from_slice(b",\"logprobs\":");
        reply::write_logprobs(list, matches!(self.open, Open::Refusal), out);
        out.extend_from_slice(b",\"finish_reason\":null");
        self.close(out);
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

    fn block(&mut self, block: &Block<'_>, out: &mut Vec<u8>) {
        self.open = match block {
            Block::Text => Open::Text,
            Block::Refusal => {
                self.refused = true;
                Open::Refusal
            }
            Block::Thinking => Open::Thinking(String::new()),
            Block::RedactedThinking { data } => {
                let index = self.proved;
                self.proved += 1;
                self.chunk(out, None, |delta| {
                    delta.array("reasoning_details", |list| proofs::write_redacted(index, data, list));
                });
                Open::Text
            }
            Block::ToolCall { id, name, custom, proof } => {
                let stand_in = !custom && self.custom_tools.have(name);
                let (kind, content) =
                    if *custom || stand_in { ("custom", "input") } else { ("function", "arguments") };
                self.calls += 1;
                self.call(out, |call| {
                    call.text("id", id).str("type", kind).object(kind, |tool| {
                        tool.text("name", name).str(content, "");
                    });
                    if let Some(proof) = proof {
                        proofs::write_call(&proof.seal(Dialect::Openai), call);
                    }
                });
                match (custom, stand_in) {
                    (true, _) => Open::Custom,
                    (false, true) => Open::StandIn(String::new()),
                    (false, false) => Open::Call,
                }
            }
        };
    }

    fn delta(&mut self, delta: &Delta<'_>, out: &mut Vec<u8>) {
        match delta {
            Delta::Text(text) => {
                let name = if matches!(self.open, Open::Refusal) { "refusal" } else { "content" };
                self.chunk(out, None, |delta| {
                    delta.text(name, text);
                });
            }
            Delta::Thinking(text) => {
                if let Open::Thinking(thought) = &mut self.open {
                    thought.push_str(&text.plain());
                }
                self.chunk(out, None, |delta| {
                    delta.text("reasoning_content", text);
                });
            }
            Delta::Proof(proof) => self.proof(proof, out),
            Delta::Arguments(text) => match &mut self.open {
                Open::StandIn(arguments) => arguments.push_str(&text.plain()),
                Open::Custom => self.arguments("custom", "input", text, out),
                _ => self.arguments("function", "arguments", text, out),
            },
            Delta::Logprobs(list) => self.logprobs(list, out),
        }
    }

    fn arguments(&self, kind: &str, member: &str, text: &Text<'_>, out: &mut Vec<u8>) {
        self.call(out, |call| {
            call.object(kind, |tool| {
                tool.text(member, text);
            });
        });
    }

    /// The thought once more, with what proves it: clients that know the member send it back.
    fn proof(&mut self, proof: &Proof<'_>, out: &mut Vec<u8>) {
        let Open::Thinking(thought) = &mut self.open else { return };
        let thought = Text::from(std::mem::take(thought));
        let index = self.proved;
        self.proved += 1;
        self.chunk(out, None, |delta| {
            delta.array("reasoning_details", |list| {
                proofs::write_thinking(index, &thought, Some(proof), list);
            });
        });
    }

    fn next_candidate(&mut self, out: &mut Vec<u8>) {
        self.index += 1;
        self.calls = 0;
        self.proved = 0;
        self.refused = false;
        self.open = Open::Text;
        self.role(out);
    }
}

impl EncodeStream for Encoder {
    fn event(&mut self, event: &Event<'_>, out: &mut Vec<u8>) {
        match event {
            Event::Start { id, model, .. } => {
                self.begin(id, model);
                self.role(out);
            }
            Event::BlockStart(block) => self.block(block, out),
            Event::Delta(delta) => self.delta(delta, out),
            Event::BlockEnd => {
                if let Open::StandIn(arguments) = std::mem::take(&mut self.open) {
                    self.arguments("custom", "input", &Text::from(&*custom_input(&arguments)), out);
                }
            }
            Event::Finish(done) => {
                self.chunk(out, Some(finish::encode(done.reason, self.refused)), |_| ());
            }
            Event::NextCandidate => self.next_candidate(out),
            Event::Usage(counts) if self.include_usage => {
                out.extend_from_slice(&self.head);
                out.extend_from_slice(b",\"choices\":[],\"usage\":");
                usage::encode(counts, &mut Object::new(out));
                out.extend_from_slice(b"}\n\n");
            }
            // Counts that nobody asked for have no place.
            Event::Usage(_) => {}
            Event::End => out.extend_from_slice(b"data: [DONE]\n\n"),
            Event::Ping => out.extend_from_slice(b": ping\n\n"),
        }
    }

    fn error(&mut self, error: &ApiError, _request_id: &str, out: &mut Vec<u8>) {
        error::encode_event(error, out);
    }
}
