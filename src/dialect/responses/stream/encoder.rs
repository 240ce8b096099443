//! Events as a client's stream.
//!
//! Invariant: what a stream says item by item, its last event says again as a whole; numbers run without a gap.

use crate::config::Usage;
use crate::dialect::openai_api::error;
use crate::dialect::responses::item::write::{
    Call, call, custom_input, escaped, list, message, reasoning, refusal_part, summary_part, text_part,
    tokens,
};
use crate::dialect::responses::object::{Ending, Frame};
use crate::dialect::responses::proof;
use crate::dialect::{EncodeStream, ReplyContext};
use crate::ir::error::ApiError;
use crate::ir::event::{Block, Delta, Event};
use crate::wire::json::{Object, Text, escape_into};

/// Writes one stream.
#[derive(Debug)]
pub(in crate::dialect::responses) struct Encoder {
    frame: Frame,
    sequence: u64,
    /// Items that are whole, with commas between them.
    output: Vec<u8>,
    /// The place of the open item, or of the next.
    place: u64,
    open: Open,
    refused: bool,
    ending: Option<Ending>,
    usage: Option<Usage>,
    /// Another candidate than the first is told: this dialect has one.
    muted: bool,
}

/// The open item.
#[derive(Debug)]
enum Open {
    None,
    Message {
        /// Parts that are whole, with commas between them.
        parts: Vec<u8>,
        /// The place of the open part, or of the next.
        place: u64,
        part: Part,
    },
    Thinking {
        text: Vec<u8>,
        proof: String,
    },
    Call {
        id: Text<'static>,
        name: Text<'static>,
        custom: bool,
        /// The arguments of the function that stands for a custom tool: its input is known when they are whole.
        wrapped: bool,
        said: Vec<u8>,
    },
}

/// The open part of a message.
#[derive(Debug)]
enum Part {
    None,
    Text(Vec<u8>, Vec<u8>),
    Refusal(Vec<u8>),
}

impl EncodeStream for Encoder {
    fn event(&mut self, event: &Event<'_>, out: &mut Vec<u8>) {
        if self.muted && !matches!(event, Event::Usage(_) | Event::End | Event::Ping) {
            return;
        }
        match event {
            Event::Start { model, .. } => {
                self.frame.name_model(model);
                self.response("response.created", &Ending::Open, out);
                self.response("response.in_progress", &Ending::Open, out);
            }
            Event::BlockStart(block) => self.begin(block, out),
            Event::Delta(delta) => self.delta(delta, out),
            Event::BlockEnd => self.end(out),
            Event::Finish(finish) => {
                if self.place == 0 && matches!(self.open, Open::None) {
                    // Clients look for a message.
                    self.begin_part(Part::Text(Vec::new(), Vec::new()), out);
                    self.end(out);
                }
                let ending = Frame::ending(finish.reason, self.refused);
                self.close_message(ending.item_status(), out);
                self.ending = Some(ending);
            }
            Event::NextCandidate => self.muted = true,
            Event::Usage(usage) => self.usage = Some(*usage),
            Event::End => {
                let ending = self.ending.take().unwrap_or(Ending::Completed);
                self.response(ending.event(), &ending, out);
            }
            Event::Ping => out.extend_from_slice(b": ping\n\n"),
        }
    }

    fn error(&mut self, error: &ApiError, _request_id: &str, out: &mut Vec<u8>) {
        encode_error(error, self.next(), out);
        let ending = Ending::Failed(error.clone());
        self.response(ending.event(), &ending, out);
    }
}

/// Appends an `error` event. The documented members stand beside the object by which official clients raise it as an
/// exception.
pub(in crate::dialect::responses) fn encode_error(error: &ApiError, sequence: u64, out: &mut Vec<u8>) {
    frame("error", sequence, out, |data| {
        error::write_param_and_code(error, data.str("message", &error.message));
        data.object("error", |object| error::write(error, object));
    });
}

fn frame(name: &str, sequence: u64, out: &mut Vec<u8>, fill: impl FnOnce(&mut Object<'_>)) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    fill(Object::new(out).str("type", name).int("sequence_number", sequence));
    out.extend_from_slice(b"\n\n");
}

impl Encoder {
    pub(in crate::dialect::responses) fn new(context: &ReplyContext) -> Self {
        Self {
            frame: Frame::new(context, &"".into()),
            sequence: 0,
            output: Vec::new(),
            place: 0,
            open: Open::None,
            refused: false,
            ending: None,
            usage: None,
            muted: false,
        }
    }

    fn next(&mut self) -> u64 {
        let sequence = self.sequence;
        self.sequence += 1;
        sequence
    }

    /// An event with the whole response.
    fn response(&mut self, name: &str, ending: &Ending, out: &mut Vec<u8>) {
        let sequence = self.next();
        frame(name, sequence, out, |data| {
            self.frame.write(data.member("response"), ending, &self.output, self.usage.as_ref());
        });
    }

    /// An event about the open item.
    fn about(&mut self, name: &str, out: &mut Vec<u8>, fill: impl FnOnce(&mut Object<'_>)) {
        let (sequence, id, place) = (self.next(), self.id(), self.place);
        frame(name, sequence, out, |data| {
            data.str("item_id", &id).int("output_index", place);
            fill(data);
        });
    }

    fn id(&self) -> String {
        let prefix = match &self.open {
            Open::None | Open::Message { .. } => "msg",
            Open::Thinking { .. } => "rs",
            Open::Call { custom: true, .. } => "ctc",
            Open::Call { custom: false, .. } => "fc",
        };
        self.frame.item_id(prefix, self.place)
    }

    /// Opens an item.
    fn add(&mut self, open: Open, out: &mut Vec<u8>) {
        self.open = open;
        let (sequence, place, id) = (self.next(), self.place, self.id());
        frame("response.output_item.added", sequence, out, |data| {
            data.int("output_index", place).object("item", |item| match &self.open {
                Open::None | Open::Message { .. } => message(item, &id, "in_progress", b""),
                Open::Thinking { .. } => reasoning(item, &id, "in_progress", b"", ""),
                Open::Call { id: call_id, name, custom, .. } => {
                    call(item, &id, "in_progress", &Call { id: call_id, name, custom: *custom }, b"");
                }
            });
        });
    }

    /// Closes the open item, whose final form `fill` writes.
    fn done(&mut self, fill: impl FnOnce(&mut Object<'_>, &str), out: &mut Vec<u8>) {
        let (sequence, place, id) = (self.next(), self.place, self.id());
        let mut item = Vec::new();
        fill(&mut Object::new(&mut item), &id);
        frame("response.output_item.done", sequence, out, |data| {
            data.int("output_index", place).member("item").extend_from_slice(&item);
        });
        if !self.output.is_empty() {
            self.output.push(b',');
        }
        self.output.append(&mut item);
        self.open = Open::None;
        self.place += 1;
    }

    fn begin(&mut self, block: &Block<'_>, out: &mut Vec<u8>) {
        if !matches!(block, Block::Text | Block::Refusal) {
            self.close_message("completed", out);
        }
        match block {
            Block::Text => self.begin_part(Part::Text(Vec::new(), Vec::new()), out),
            Block::Refusal => {
                self.refused = true;
                self.begin_part(Part::Refusal(Vec::new()), out);
            }
            Block::Thinking => self.add(Open::Thinking { text: Vec::new(), proof: String::new() }, out),
            Block::RedactedThinking { data } => {
                self.add(Open::Thinking { text: Vec::new(), proof: proof::seal_redacted(data) }, out);
            }
            Block::ToolCall { id, name, custom, proof } => {
                // A call has no place for what proves it: that comes before it, as reasoning without words.
                if let Some(proof) = proof {
                    self.add(Open::Thinking { text: Vec::new(), proof: proof::seal(Some(proof)) }, out);
                    self.end(out);
                }
                let known = *custom || self.frame.is_custom(name);
                let call = Open::Call {
                    id: id.clone().into_owned(),
                    name: name.clone().into_owned(),
                    custom: known,
                    wrapped: known && !custom,
                    said: Vec::new(),
                };
                self.add(call, out);
            }
        }
    }

    /// Opens a part of a message, and the message if none is open.
    fn begin_part(&mut self, new: Part, out: &mut Vec<u8>) {
        if !matches!(self.open, Open::Message { .. }) {
            self.add(Open::Message { parts: Vec::new(), place: 0, part: Part::None }, out);
        }
        let Open::Message { place, part, .. } = &mut self.open else { return };
        let (place, text) = (*place, matches!(new, Part::Text(..)));
        *part = new;
        self.about("response.content_part.added", out, |data| {
            data.int("content_index", place).object("part", |part| match text {
                true => text_part(part, b"", b""),
                false => refusal_part(part, b""),
            });
        });
    }

    fn delta(&mut self, delta: &Delta<'_>, out: &mut Vec<u8>) {
        match (&mut self.open, delta) {
            (Open::Message { place, part: Part::Text(text, _), .. }, Delta::Text(more)) => {
                more.write_content(text);
                let place = *place;
                self.about("response.output_text.delta", out, |data| {
                    data.int("content_index", place).text("delta", more).raw("logprobs", "[]");
                });
            }
            (Open::Message { place, part: Part::Text(_, all), .. }, Delta::Logprobs(more)) => {
                let (place, more) = (*place, tokens(more));
                if !all.is_empty() && !more.is_empty() {
                    all.push(b',');
                }
                all.extend_from_slice(&more);
                self.about("response.output_text.delta", out, |data| {
                    list(data.int("content_index", place).str("delta", ""), "logprobs", &more);
                });
            }
            (Open::Message { place, part: Part::Refusal(text), .. }, Delta::Text(more)) => {
                more.write_content(text);
                let place = *place;
                self.about("response.refusal.delta", out, |data| {
                    data.int("content_index", place).text("delta", more);
                });
            }
            (Open::Thinking { text, .. }, Delta::Thinking(more)) if !more.is_empty() => {
                let first = text.is_empty();
                more.write_content(text);
                self.think(first, more, out);
            }
            (Open::Thinking { proof, .. }, Delta::Proof(new)) => *proof = proof::seal(Some(new)),
            (Open::Call { custom, wrapped, said, .. }, Delta::Arguments(more)) => {
                more.write_content(said);
                let (custom, wrapped) = (*custom, *wrapped);
                if !wrapped {
                    self.argue(custom, more, out);
                }
            }
            _ => {}
        }
    }

    fn think(&mut self, first: bool, more: &Text<'_>, out: &mut Vec<u8>) {
        if first {
            self.about("response.reasoning_summary_part.added", out, |data| {
                data.int("summary_index", 0).object("part", |part| summary_part(part, b""));
            });
        }
        self.about("response.reasoning_summary_text.delta", out, |data| {
            data.int("summary_index", 0).text("delta", more);
        });
    }

    fn argue(&mut self, custom: bool, more: &Text<'_>, out: &mut Vec<u8>) {
        let name = match custom {
            true => "response.custom_tool_call_input.delta",
            false => "response.function_call_arguments.delta",
        };
        self.about(name, out, |data| {
            data.text("delta", more);
        });
    }

    /// The block is whole. A message stays open: another text may follow in it.
    fn end(&mut self, out: &mut Vec<u8>) {
        match std::mem::replace(&mut self.open, Open::None) {
            Open::None => {}
            Open::Message { parts, place, part } => {
                self.open = Open::Message { parts, place, part: Part::None };
                self.end_part(place, part, out);
            }
            Open::Thinking { text, proof } => {
                self.open = Open::Thinking { text: Vec::new(), proof: String::new() };
                if !text.is_empty() {
                    self.about("response.reasoning_summary_text.done", out, |data| {
                        escaped(data.int("summary_index", 0), "text", &text);
                    });
                    self.about("response.reasoning_summary_part.done", out, |data| {
                        data.int("summary_index", 0).object("part", |part| summary_part(part, &text));
                    });
                }
                self.done(|item, id| reasoning(item, id, "completed", &text, &proof), out);
            }
            Open::Call { id, name, custom, wrapped, said } => {
                let who = Call { id: &id, name: &name, custom };
                self.open =
                    Open::Call { id: id.clone(), name: name.clone(), custom, wrapped, said: Vec::new() };
                let said = if wrapped { unwrapped(said) } else { said };
                if wrapped && !said.is_empty() {
                    self.about("response.custom_tool_call_input.delta", out, |data| {
                        escaped(data, "delta", &said)
                    });
                }
                let (event, member) = match custom {
                    true => ("response.custom_tool_call_input.done", "input"),
                    false => ("response.function_call_arguments.done", "arguments"),
                };
                self.about(event, out, |data| escaped(data, member, &said));
                self.done(|item, id| call(item, id, "completed", &who, &said), out);
            }
        }
    }

    fn end_part(&mut self, place: u64, part: Part, out: &mut Vec<u8>) {
        let mut whole = Vec::new();
        match part {
            Part::None => return,
            Part::Text(text, logprobs) => {
                self.about("response.output_text.done", out, |data| {
                    list(data.int("content_index", place), "logprobs", &logprobs);
                    escaped(data, "text", &text);
                });
                text_part(&mut Object::new(&mut whole), &text, &logprobs);
            }
            Part::Refusal(text) => {
                self.about("response.refusal.done", out, |data| {
                    escaped(data.int("content_index", place), "refusal", &text);
                });
                refusal_part(&mut Object::new(&mut whole), &text);
            }
        }
        self.about("response.content_part.done", out, |data| {
            data.int("content_index", place).member("part").extend_from_slice(&whole);
        });
        if let Open::Message { parts, place, .. } = &mut self.open {
            if !parts.is_empty() {
                parts.push(b',');
            }
            parts.append(&mut whole);
            *place += 1;
        }
    }

    fn close_message(&mut self, status: &str, out: &mut Vec<u8>) {
        if let Open::Message { parts, .. } = &mut self.open {
            let parts = std::mem::take(parts);
            self.done(|item, id| message(item, id, status, &parts), out);
        }
    }
}

/// The escaped input of a custom tool from the escaped arguments of its stand-in.
fn unwrapped(arguments: Vec<u8>) -> Vec<u8> {
    let mut quoted = Vec::with_capacity(arguments.len() + 2);
    quoted.push(b'"');
    quoted.extend_from_slice(&arguments);
    quoted.push(b'"');
    let plain = std::str::from_utf8(&quoted).ok().and_then(|json| {
        crate::wire::json::Reader::new(json).string().ok().map(|text| text.plain().into_owned())
    });
    match plain.as_deref().and_then(custom_input) {
        Some(input) => {
            let mut escaped = Vec::with_capacity(input.len());
            escape_into(&input, &mut escaped);
            escaped
        }
        None => arguments,
    }
}
