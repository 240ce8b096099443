//! Events to chunks.
//!
//! Invariant: a call comes whole, in one chunk; counts come in the last one. What waits to be whole is bounded.

use crate::config::Usage;
use crate::dialect::gemini::reply::write_names;
use crate::dialect::gemini::{error, finish, parts, usage};
use crate::dialect::{EncodeStream, ReplyContext};
use crate::ir::Proof;
use crate::ir::chat::Finish;
use crate::ir::error::{ApiError, ErrorKind};
use crate::ir::event::{Block, Delta, Event};
use crate::wire::json::{Array, Object, Text};

/// Bytes of a call's arguments that may wait.
const MAX_HELD: usize = 16 << 20;

/// Writes one stream.
#[derive(Debug)]
pub(in crate::dialect::gemini) struct Encoder {
    context: ReplyContext,
    id: Text<'static>,
    model: Text<'static>,
    index: u64,
    /// Whether this candidate has made a call.
    called: bool,
    open: Open,
    /// Why the current candidate ended; its chunk waits for the counts.
    finish: Option<Finish<'static>>,
    usage: Option<Usage>,
    /// Whether it has ended in an error.
    failed: bool,
}

#[derive(Debug, Default)]
enum Open {
    #[default]
    Nothing,
    /// Whether it has had words.
    Thinking(bool),
    Call(Call),
}

/// A call that is being collected.
#[derive(Debug)]
struct Call {
    id: Text<'static>,
    name: Text<'static>,
    custom: bool,
    proof: Option<Proof<'static>>,
    arguments: String,
}

impl Encoder {
    pub(in crate::dialect::gemini) fn new(context: &ReplyContext) -> Self {
        Self {
            context: context.clone(),
            id: Text::from(""),
            model: Text::from(""),
            index: 0,
            called: false,
            open: Open::Nothing,
            finish: None,
            usage: None,
            failed: false,
        }
    }

    /// Appends a chunk with the current candidate.
    fn chunk(&self, last: bool, fill: impl FnOnce(&mut Object<'_>), out: &mut Vec<u8>) {
        out.extend_from_slice(b"data: ");
        let mut body = Object::new(out);
        body.array("candidates", |candidates| {
            candidates.object(|candidate| {
                fill(candidate);
                candidate.int("index", self.index);
            });
        });
        if let (true, Some(usage)) = (last, &self.usage) {
            body.object("usageMetadata", |object| usage::write(usage, object));
        }
        write_names(&self.id, &self.model, &self.context, &mut body);
        drop(body);
        out.extend_from_slice(b"\r\n\r\n");
    }

    fn part(&self, fill: impl FnOnce(&mut Array<'_>), out: &mut Vec<u8>) {
        self.chunk(false, |candidate| content(fill, candidate), out);
    }

    fn block(&mut self, block: &Block<'_>, out: &mut Vec<u8>) {
        self.open = match block {
            Block::Text | Block::Refusal => Open::Nothing,
            Block::Thinking => Open::Thinking(false),
            Block::RedactedThinking { data } => {
                self.part(|list| parts::redacted(data, list), out);
                Open::Nothing
            }
            Block::ToolCall { id, name, custom, proof } => Open::Call(Call {
                id: id.clone().into_owned(),
                name: name.clone().into_owned(),
                custom: *custom,
                proof: proof
                    .as_ref()
                    .map(|proof| Proof { home: proof.home, value: proof.value.clone().into_owned() }),
                arguments: String::new(),
            }),
        };
    }

    fn delta(&mut self, delta: &Delta<'_>, out: &mut Vec<u8>) {
        match delta {
            Delta::Text(text) => {
                if !text.is_empty() {
                    self.part(|list| parts::text(text, list), out);
                }
            }
            Delta::Thinking(text) => {
                if !text.is_empty() {
                    self.open = Open::Thinking(true);
                    self.part(|list| parts::thinking(text, None, false, list), out);
                }
            }
            Delta::Proof(proof) => {
                let alone = matches!(self.open, Open::Thinking(false));
                self.part(|list| parts::thinking(&Text::from(""), Some(proof), alone, list), out);
            }
            Delta::Arguments(text) => {
                if let Open::Call(call) = &mut self.open {
                    call.arguments.push_str(&text.plain());
                    if call.arguments.len() > MAX_HELD {
                        self.fail(out);
                    }
                }
            }
            Delta::Logprobs(logprobs) => self.chunk(
                false,
                |candidate| {
                    content(|list| parts::text(&Text::from(""), list), candidate);
                    parts::logprobs(logprobs, candidate);
                },
                out,
            ),
        }
    }

    /// Half a call is none, and there is no other way to say it here.
    fn fail(&mut self, out: &mut Vec<u8>) {
        let error = ApiError {
            status: 502,
            kind: ErrorKind::Server,
            code: Some("upstream_error".to_owned()),
            message: format!("the provider's call has arguments of more than {MAX_HELD} bytes"),
            param: None,
        };
        error::encode_event(&error, &self.context.request_id, out);
        self.open = Open::Nothing;
        self.failed = true;
    }

    fn block_end(&mut self, out: &mut Vec<u8>) {
        if let Open::Call(call) = std::mem::take(&mut self.open) {
            let call = parts::Call {
                id: &call.id,
                name: &call.name,
                arguments: &call.arguments,
                custom: call.custom,
                proof: call.proof.as_ref(),
                first: !std::mem::replace(&mut self.called, true),
            };
            self.part(|list| call.write(list), out);
        }
    }

    /// Writes the current candidate's end.
    fn close(&mut self, last: bool, out: &mut Vec<u8>) {
        let Some(finish) = self.finish.take() else { return };
        let fill = |candidate: &mut Object<'_>| {
            content(|list| parts::text(&Text::from(""), list), candidate);
            candidate.str("finishReason", &finish::word(&finish));
        };
        self.chunk(last, fill, out);
    }
}

fn content(fill: impl FnOnce(&mut Array<'_>), candidate: &mut Object<'_>) {
    candidate.object("content", |content| {
        content.array("parts", fill).str("role", "model");
    });
}

impl EncodeStream for Encoder {
    fn event(&mut self, event: &Event<'_>, out: &mut Vec<u8>) {
        if self.failed {
            return;
        }
        match event {
            Event::Start { id, model, .. } => {
                self.id = id.clone().into_owned();
                self.model = model.clone().into_owned();
            }
            Event::BlockStart(block) => self.block(block, out),
            Event::Delta(delta) => self.delta(delta, out),
            Event::BlockEnd => self.block_end(out),
            Event::Finish(finish) => {
                self.finish = Some(Finish {
                    reason: finish.reason,
                    word: finish.word.clone().into_owned(),
                    stop_sequence: None,
                });
            }
            Event::NextCandidate => {
                self.close(false, out);
                self.index += 1;
                self.called = false;
            }
            Event::Usage(usage) => self.usage = Some(*usage),
            Event::End => self.close(true, out),
            // Google's Python client takes a comment for JSON; a blank line is passed over by everybody.
            Event::Ping => out.extend_from_slice(b"\r\n"),
        }
    }

    fn error(&mut self, error: &ApiError, request_id: &str, out: &mut Vec<u8>) {
        error::encode_event(error, request_id, out);
    }
}
