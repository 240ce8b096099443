//! A client's request to the IR, in one pass.
//!
//! Invariant: every member is either carried, listed as a loss, refused with its path, or says nothing.

use super::{items, options, tools};
use crate::dialect::value::{
    At, is_one_of, is_void, optional_bool, optional_integer, optional_number, optional_text,
};
use crate::ir::chat::{Message, Part, Request, Role};
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
use crate::wire::json::{Reader, Text};

/// Members that Chat has too, by the same name and with the same meaning. `store` is not among them: another dialect's
/// provider stores nothing that a client of this one could ask for.
const SHARED: [&str; 5] =
    ["metadata", "service_tier", "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options"];

/// Members whose meaning is known only when all are read.
#[derive(Debug, Default)]
struct Draft<'a> {
    request: Request<'a>,
    instructions: Option<Message<'a>>,
    has_input: bool,
    logprobs: bool,
    top_logprobs: Option<u64>,
    user: Option<Text<'a>>,
    safety_identifier: Option<Text<'a>>,
}

/// Reads a request whose syntax has been checked. `model` is the plan's business.
pub(in crate::dialect::responses) fn decode<'a>(
    body: &'a str,
    loss: &mut Loss,
) -> Result<Request<'a>, Malformed> {
    let mut reader = Reader::new(body);
    // Summaries are shown only if they are asked for.
    let mut draft =
        Draft { request: Request { show_reasoning: Some(false), ..Request::default() }, ..Draft::default() };
    reader.object().at("body")?;
    while let Some(key) = reader.key().at("body")? {
        draft.member(&key.plain(), &mut reader, loss)?;
    }
    if !draft.has_input {
        return Err(Malformed::at("input", "expected a string or a list of items, and it is missing"));
    }
    let mut request = draft.request;
    if let Some(instructions) = draft.instructions {
        request.messages.insert(0, instructions);
    }
    if request.messages.is_empty() {
        return Err(Malformed::at("input", "expected at least one item"));
    }
    let asked = draft.logprobs || draft.top_logprobs.is_some_and(|most| most > 0);
    request.sampling.logprobs = asked.then(|| draft.top_logprobs.unwrap_or(0));
    if draft.user.is_some() && draft.safety_identifier.is_some() && draft.user != draft.safety_identifier {
        loss.drop("user");
    }
    if draft.safety_identifier.is_some() {
        loss.call("user", "safety_identifier");
    }
    request.user = draft.safety_identifier.or(draft.user);
    Ok(request)
}

impl<'a> Draft<'a> {
    fn member(&mut self, name: &str, reader: &mut Reader<'a>, loss: &mut Loss) -> Result<(), Malformed> {
        let request = &mut self.request;
        match name {
            // `stream_options` speaks of the client's stream, which is the gateway's to write.
            "model" | "stream_options" => reader.skip().at(name)?,
            // Silence means yes at home, and is no wish. Nobody else gives out what it has kept.
            "store" => {
                if optional_bool(reader, name)? == Some(true) {
                    loss.drop(name);
                }
            }
            "input" => {
                items::decode(reader, &mut request.messages, loss)?;
                self.has_input = true;
            }
            "instructions" => self.instructions = instructions(reader)?,
            "tools" => request.tools = tools::decode(reader, loss)?,
            "tool_choice" => request.tool_choice = tools::choice(reader, loss)?,
            "parallel_tool_calls" => request.parallel_tool_calls = optional_bool(reader, name)?,
            "max_output_tokens" => request.sampling.max_tokens = optional_integer(reader, name)?,
            "temperature" => request.sampling.temperature = optional_number(reader, name)?,
            "top_p" => request.sampling.top_p = optional_number(reader, name)?,
            "top_logprobs" => self.top_logprobs = optional_integer(reader, name)?,
            "include" => self.logprobs = options::include(reader, loss)?,
            "reasoning" => {
                let (reasoning, shown) = options::reasoning(reader, loss)?;
                request.reasoning = reasoning;
                request.show_reasoning = Some(shown);
            }
            "text" => (request.format, request.verbosity) = options::text(reader, loss)?,
            "user" => self.user = optional_text(reader, name)?,
            "safety_identifier" => self.safety_identifier = optional_text(reader, name)?,
            "stream" => request.stream = optional_bool(reader, name)?.unwrap_or(false),
            "previous_response_id" | "conversation" | "prompt" | "background" => {
                if !is_void(reader.raw().at(name)?) {
                    let refusal = Malformed::at(name, kept(name));
                    return Err(match name {
                        // Clients that know the code send everything again.
                        "previous_response_id" => refusal.answered(400, "previous_response_not_found"),
                        _ => refusal,
                    });
                }
            }
            _ => {
                let value = reader.raw().at(name)?;
                if is_void(value) || is_default(name, value) {
                    return Ok(());
                }
                match SHARED.into_iter().find(|shared| *shared == name) {
                    Some(shared) => request.openai.push((shared, value)),
                    None => loss.drop(name),
                }
            }
        }
        Ok(())
    }
}

/// What a client can do instead of what only a provider of this dialect does.
fn kept(name: &str) -> &'static str {
    match name {
        "previous_response_id" => {
            "only the provider that keeps the response can go on from it: ask that provider's model, or send the earlier turns \
             as input items"
        }
        "conversation" => {
            "only a provider that speaks Responses keeps conversations: ask such a one, or send the turns as input items"
        }
        "prompt" => {
            "only a provider that speaks Responses keeps prompt templates: ask such a one, or send instructions and input"
        }
        _ => "only a provider that speaks Responses works in the background: ask such a one, or leave it out",
    }
}

/// Values that the API would have taken anyway.
fn is_default(name: &str, value: &str) -> bool {
    let defaults: &[&str] = match name {
        "service_tier" => &["\"auto\"", "\"default\""],
        "truncation" => &["\"disabled\""],
        _ => return false,
    };
    is_one_of(value, defaults)
}

fn instructions<'a>(reader: &mut Reader<'a>) -> Result<Option<Message<'a>>, Malformed> {
    if reader.null().at("instructions")? {
        return Ok(None);
    }
    let text = reader.string().at("instructions")?;
    let message = |text| Message::new(Role::System, None, vec![Part::text(text)]);
    Ok((!text.is_empty()).then(|| message(text)))
}
