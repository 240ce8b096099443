//! Whole replies.

use super::item::read::{Item, Said, Shape};
use super::item::write;
use super::object::Frame;
use super::status::{Envelope, invalid};
use crate::dialect::ReplyContext;
use crate::ir::chat::{Choice, FinishReason, Part, Reply, ToolCall};
use crate::ir::error::Fault;
use crate::wire::json::{Error, Reader, Text};
use std::borrow::Cow;

/// Reads a reply with status 200.
pub(super) fn decode(body: &str) -> Result<Reply<'_>, Fault> {
    let mut reader = Reader::new(body);
    let envelope = Envelope::read(&mut reader)
        .and_then(|envelope| reader.end().map(|()| envelope))
        .map_err(|error| invalid(&error))?;
    if let Some(failure) = envelope.failure() {
        return Err(Fault::Error(failure));
    }
    let Some(mut output) = envelope.output.clone() else { return Err(Fault::Empty) };
    let mut choice = Draft::default();
    choice.items(&mut output, &envelope.id).map_err(|error| invalid(&error))?.map_err(Fault::Invalid)?;
    let finish = envelope.finish(choice.calls, choice.refused);
    if choice.parts.is_empty() && finish.reason == FinishReason::Stop {
        return Err(Fault::Empty);
    }
    Ok(Reply {
        id: envelope.id.unwrap_or_else(|| "".into()),
        model: envelope.model.unwrap_or_else(|| "".into()),
        choice: Choice { parts: choice.parts, finish, logprobs: choice.logprobs },
        more: Vec::new(),
        usage: envelope.usage,
    })
}

#[derive(Default)]
struct Draft<'a> {
    parts: Vec<Part<'a>>,
    logprobs: Vec<crate::ir::chat::Logprob<'a>>,
    calls: bool,
    refused: bool,
}

impl<'a> Draft<'a> {
    /// The outer error is one of syntax, the inner one of sense.
    fn items(&mut self, output: &mut Reader<'a>, id: &Option<Text<'_>>) -> Result<Result<(), String>, Error> {
        output.array()?;
        while output.element()? {
            let item = Item::read(output)?;
            if let Err(problem) = self.item(item, id) {
                return Ok(Err(problem));
            }
        }
        Ok(Ok(()))
    }

    fn item(&mut self, item: Item<'a>, reply_id: &Option<Text<'_>>) -> Result<(), String> {
        match item.shape {
            Shape::Other => {}
            Shape::Message => {
                for said in item.said {
                    match said {
                        Said::Text(text, mut logprobs) => {
                            self.logprobs.append(&mut logprobs);
                            self.parts.push(Part::text(text));
                        }
                        Said::Refusal(text) => {
                            self.refused = true;
                            self.parts.push(Part::Refusal { text });
                        }
                    }
                }
            }
            Shape::Reasoning => {
                let (text, proof) = (item.thoughts(), item.proof());
                if proof.is_some() || !text.is_empty() {
                    self.parts.push(Part::Thinking { text, proof });
                }
            }
            Shape::Function | Shape::Custom => {
                let name = item.name.ok_or("a tool call has no name")?;
                let place = self.parts.len();
                let made_up =
                    || write::made_up_call(&reply_id.as_ref().map(Text::plain).unwrap_or_default(), place);
                self.calls = true;
                self.parts.push(Part::ToolCall(ToolCall {
                    id: item.call_id.or(item.id).unwrap_or_else(|| made_up().into()),
                    name,
                    arguments: item.arguments.map_or(Cow::Borrowed(""), |text| text.plain()),
                    custom: item.shape == Shape::Custom,
                    proof: None,
                }));
            }
        }
        Ok(())
    }
}

/// Appends a reply as the official clients parse it. This dialect has one candidate.
pub(super) fn encode(reply: &Reply<'_>, context: &ReplyContext, out: &mut Vec<u8>) {
    let frame = Frame::new(context, &reply.model);
    let ending = Frame::ending(
        reply.choice.finish.reason,
        reply.choice.parts.iter().any(|part| matches!(part, Part::Refusal { .. })),
    );
    let mut output = Vec::new();
    let mut items = write::Items::new(&frame, &mut output, ending.item_status());
    items.write(&reply.choice);
    frame.write(out, &ending, &output, reply.usage.as_ref());
}
