//! A client's chat request to the IR, in one pass.
//!
//! Invariant: every member is either carried, listed as a loss, refused with its path, or says nothing.

use super::{decode_tools, decode_turns};
use crate::dialect::openai::wire::{
    At, is_one_of, is_void, optional_bool, optional_integer, optional_number, optional_text, text_or_skip,
};
use crate::dialect::openai_api::effort;
use crate::ir::chat::{Format, Reasoning, Request};
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
use crate::wire::json::{Kind, Reader, Text};

/// Members whose precedence is known only when all are read.
#[derive(Debug, Default)]
struct Draft<'a> {
    request: Request<'a>,
    has_messages: bool,
    max_tokens: Option<u64>,
    max_completion_tokens: Option<u64>,
    user: Option<Text<'a>>,
    safety_identifier: Option<Text<'a>>,
    logprobs: bool,
    top_logprobs: Option<u64>,
}

/// Members that Responses has under the same name and with the same meaning.
const SHARED: [&str; 5] =
    ["metadata", "service_tier", "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options"];

/// Reads a request whose syntax has been checked. `model` is the plan's business.
pub(in crate::dialect::openai) fn decode<'a>(
    body: &'a str,
    loss: &mut Loss,
) -> Result<Request<'a>, Malformed> {
    let mut reader = Reader::new(body);
    let mut draft = Draft::default();
    reader.object().at("body")?;
    while let Some(key) = reader.key().at("body")? {
        draft.member(&key.plain(), &mut reader, loss)?;
    }
    if !draft.has_messages {
        return Err(Malformed::at("messages", "expected a list, and it is missing"));
    }
    let mut request = draft.request;
    request.sampling.max_tokens = draft.max_completion_tokens.or(draft.max_tokens);
    if draft.max_completion_tokens.is_some() {
        loss.call("max_tokens", "max_completion_tokens");
        if draft.max_tokens.is_some_and(|limit| draft.max_completion_tokens != Some(limit)) {
            loss.drop("max_tokens");
        }
    }
    if draft.user.is_some() && draft.safety_identifier.is_some() && draft.user != draft.safety_identifier {
        loss.drop("user");
    }
    if draft.safety_identifier.is_some() {
        loss.call("user", "safety_identifier");
    }
    request.user = draft.safety_identifier.or(draft.user);
    if !draft.logprobs && draft.top_logprobs.is_some_and(|most| most > 0) {
        return Err(Malformed::at("top_logprobs", "expected logprobs to be true with it"));
    }
    request.sampling.logprobs = draft.logprobs.then(|| draft.top_logprobs.unwrap_or(0));
    Ok(request)
}

impl<'a> Draft<'a> {
    fn member(&mut self, name: &str, reader: &mut Reader<'a>, loss: &mut Loss) -> Result<(), Malformed> {
        let request = &mut self.request;
        match name {
            // `stream_options` speaks of the client's stream, which is the gateway's to write.
            "model" | "stream_options" => reader.skip().at(name)?,
            "messages" => {
                request.messages = decode_turns::decode(reader, loss)?;
                self.has_messages = true;
            }
            "tools" => request.tools = decode_tools::tools(reader, loss)?,
            "tool_choice" => request.tool_choice = decode_tools::choice(reader, loss)?,
            "parallel_tool_calls" => request.parallel_tool_calls = optional_bool(reader, name)?,
            "max_tokens" => self.max_tokens = optional_integer(reader, name)?,
            "max_completion_tokens" => self.max_completion_tokens = optional_integer(reader, name)?,
            "temperature" => request.sampling.temperature = optional_number(reader, name)?,
            "top_p" => request.sampling.top_p = optional_number(reader, name)?,
            "top_k" => request.sampling.top_k = optional_number(reader, name)?,
            "frequency_penalty" => request.sampling.frequency_penalty = optional_number(reader, name)?,
            "presence_penalty" => request.sampling.presence_penalty = optional_number(reader, name)?,
            "seed" => request.sampling.seed = optional_number(reader, name)?,
            "n" => request.sampling.n = optional_integer(reader, name)?.filter(|n| *n != 1),
            "stop" => request.sampling.stop = stop(reader)?,
            "response_format" => request.format = format(reader, loss)?,
            "reasoning_effort" => request.reasoning = reasoning(reader, loss)?,
            "user" => self.user = optional_text(reader, name)?,
            "safety_identifier" => self.safety_identifier = optional_text(reader, name)?,
            "logprobs" => self.logprobs = optional_bool(reader, name)?.unwrap_or(false),
            "top_logprobs" => self.top_logprobs = optional_integer(reader, name)?,
            "verbosity" => {
                request.verbosity = optional_text(reader, name)?.filter(|word| *word != "medium");
            }
            "stream" => request.stream = optional_bool(reader, name)?.unwrap_or(false),
            "functions" | "function_call" => {
                if !is_void(reader.raw().at(name)?) {
                    return Err(Malformed::at(
                        name,
                        "the legacy functions are not supported across dialects: use tools and tool_choice",
                    ));
                }
            }
            _ => {
                let value = reader.raw().at(name)?;
                if says_nothing(name, value) {
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

/// Values without which the API would have done the same.
fn says_nothing(name: &str, value: &str) -> bool {
    let defaults: &[&str] = match name {
        // To be there is the wish: the web is to be searched, in the usual way if nothing is said of it.
        "web_search_options" | "search_parameters" => return is_one_of(value, &["null", "false"]),
        _ if is_void(value) => return true,
        "service_tier" => &["\"auto\"", "\"default\""],
        "modalities" => &["[\"text\"]"],
        _ => return false,
    };
    is_one_of(value, defaults)
}

/// `null`, a string, or a list of strings.
fn stop<'a>(reader: &mut Reader<'a>) -> Result<Vec<Text<'a>>, Malformed> {
    match reader.peek().at("stop")? {
        Kind::Null => reader.skip().at("stop").map(|()| Vec::new()),
        Kind::String => Ok(vec![reader.string().at("stop")?]),
        Kind::Array => {
            let mut sequences = Vec::new();
            reader.array().at("stop")?;
            while reader.element().at("stop")? {
                sequences.push(reader.string().at("stop[]")?);
            }
            Ok(sequences)
        }
        _ => Err(Malformed::at("stop", "expected a string or a list of strings")),
    }
}

fn reasoning(reader: &mut Reader<'_>, loss: &mut Loss) -> Result<Option<Reasoning>, Malformed> {
    let Some(word) = optional_text(reader, "reasoning_effort")? else { return Ok(None) };
    let reasoning = effort::decode(&word.plain());
    if reasoning.is_none() {
        loss.drop("reasoning_effort");
    }
    Ok(reasoning)
}

fn format<'a>(reader: &mut Reader<'a>, loss: &mut Loss) -> Result<Option<Format<'a>>, Malformed> {
    const PATH: &str = "response_format";
    if reader.null().at(PATH)? {
        return Ok(None);
    }
    let mut kind = None;
    let mut schema = None;
    reader.object().at(PATH)?;
    while let Some(key) = reader.key().at(PATH)? {
        match &*key.plain() {
            "type" => kind = Some(reader.string().at("response_format.type")?),
            "json_schema" if reader.peek().at(PATH)? == Kind::Object => {
                schema = Some(json_schema(reader, loss)?);
            }
            other => skip(reader, PATH, other, loss)?,
        }
    }
    match kind.as_ref().map(Text::plain).as_deref() {
        Some("text") => Ok(None),
        Some("json_object") => Ok(Some(Format::JsonObject)),
        Some("json_schema") => match schema {
            Some(format) => Ok(Some(format)),
            None => Err(Malformed::at("response_format.json_schema", "expected an object")),
        },
        Some(_) => {
            loss.drop(PATH);
            Ok(None)
        }
        None => Err(Malformed::at("response_format.type", "expected a string, and it is missing")),
    }
}

/// Passes over a member, and tells of it if it says anything.
fn skip(reader: &mut Reader<'_>, path: &str, name: &str, loss: &mut Loss) -> Result<(), Malformed> {
    if !is_void(reader.raw().at(path)?) {
        loss.drop(format!("{path}.{name}"));
    }
    Ok(())
}

fn json_schema<'a>(reader: &mut Reader<'a>, loss: &mut Loss) -> Result<Format<'a>, Malformed> {
    const PATH: &str = "response_format.json_schema";
    let (mut name, mut description, mut schema, mut strict) = (None, None, None, None);
    reader.object().at(PATH)?;
    while let Some(key) = reader.key().at(PATH)? {
        match &*key.plain() {
            "name" => name = text_or_skip(reader).at(PATH)?,
            "description" => description = text_or_skip(reader).at(PATH)?,
            "schema" if reader.peek().at(PATH)? == Kind::Object => schema = Some(reader.raw().at(PATH)?),
            "strict" => strict = optional_bool(reader, "response_format.json_schema.strict")?,
            other => skip(reader, PATH, other, loss)?,
        }
    }
    match schema {
        Some(schema) => Ok(Format::JsonSchema { name, description, schema: schema.into(), strict }),
        None => Err(Malformed::at("response_format.json_schema.schema", "expected an object")),
    }
}
