//! A client's request. <https://platform.claude.com/docs/en/api/messages/create>
//!
//! Invariant: every member ends in the IR or in the loss list; `null` and empty members say nothing.

use super::blocks;
use super::options;
use crate::config::Endpoint;
use crate::dialect::members::{Members, Path, Value};
use crate::ir::chat::{Message, Request, Role, Tool, ToolKind};
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
use crate::ir::place::CONTENT;
use crate::wire::json::{Reader, Text};

/// Reads a request.
pub(in crate::dialect::anthropic) fn decode<'a>(
    endpoint: Endpoint,
    body: &'a str,
    loss: &mut Loss,
) -> Result<Request<'a>, Malformed> {
    let whole = Path::root("body");
    let mut reader = Reader::new(body);
    let mut draft = Draft::default();
    reader.object().map_err(|error| whole.fail(&error))?;
    while let Some(name) = reader.key().map_err(|error| whole.fail(&error))? {
        let name = name.plain();
        let path = Path::root(&name);
        if reader.null().map_err(|error| path.fail(&error))? {
            continue;
        }
        draft.member(&path, &name, &mut reader, loss)?;
    }
    draft.finish(endpoint, loss)
}

#[derive(Default)]
struct Draft<'a> {
    request: Request<'a>,
    system: Option<Message<'a>>,
    options: options::Options<'a>,
    /// Tools were given that no other dialect has.
    foreign_tools: bool,
}

impl<'a> Draft<'a> {
    fn member(
        &mut self,
        path: &Path<'_>,
        name: &str,
        reader: &mut Reader<'a>,
        loss: &mut Loss,
    ) -> Result<(), Malformed> {
        let request = &mut self.request;
        let number = |reader: &mut Reader<'a>| reader.number().map(Some).map_err(|error| path.fail(&error));
        match name {
            "model" => reader.skip().map_err(|error| path.fail(&error))?,
            "messages" => request.messages = messages(reader, path, loss)?,
            "system" => {
                let content = blocks::content(reader, path, loss)?;
                let (parts, places) = content.placed(None, CONTENT);
                self.system = Some(Message { places, ..Message::new(Role::System, None, parts) });
            }
            "tools" => self.foreign_tools = tools(reader, path, &mut request.tools, loss)?,
            "max_tokens" => {
                request.sampling.max_tokens = Some(reader.integer().map_err(|error| path.fail(&error))?);
            }
            "temperature" => request.sampling.temperature = number(reader)?,
            "top_p" => request.sampling.top_p = number(reader)?,
            "top_k" => request.sampling.top_k = number(reader)?,
            "stop_sequences" => request.sampling.stop = strings(reader, path)?,
            "stream" => request.stream = reader.boolean().map_err(|error| path.fail(&error))?,
            "thread" => thread(reader, path)?,
            _ => {
                let value = Value::read(reader).map_err(|error| path.fail(&error))?;
                if let Some(value) = value
                    && !self.options.member(path, name, &value, loss)?
                    && !value.is_nothing()
                {
                    loss.drop(path.to_string());
                }
            }
        }
        Ok(())
    }

    fn finish(self, endpoint: Endpoint, loss: &mut Loss) -> Result<Request<'a>, Malformed> {
        let Self { mut request, system, options, foreign_tools } = self;
        // What is only counted has no reply to limit.
        if request.sampling.max_tokens.is_none() && endpoint != Endpoint::CountMessages {
            return Err(Malformed::at("max_tokens", "missing"));
        }
        if request.messages.is_empty() {
            return Err(Malformed::at("messages", "expected at least one message"));
        }
        if let Some(system) = system {
            request.messages.insert(0, system);
        }
        options.apply(&mut request, loss);
        // A choice among tools that are all gone would be refused everywhere.
        if foreign_tools && request.tools.is_empty() && request.tool_choice.take().is_some() {
            loss.drop("tool_choice");
        }
        Ok(request)
    }
}

/// Turns that Anthropic keeps. To ask for that is no loss where it is not done: a vendor may forget them at any time, and
/// a client that counts on them then is told so in the words that make the official ones send everything again.
fn thread(reader: &mut Reader<'_>, path: &Path<'_>) -> Result<(), Malformed> {
    let mut members = Members::read(reader).map_err(|error| path.fail(&error))?;
    if &*members.demand_text("type", path)?.plain() == "create" {
        return Ok(());
    }
    let problem = "these turns were kept by another provider, if at all; send all of them";
    Err(path.malformed(problem).answered(404, "thread_not_found"))
}

fn messages<'a>(
    reader: &mut Reader<'a>,
    path: &Path<'_>,
    loss: &mut Loss,
) -> Result<Vec<Message<'a>>, Malformed> {
    let mut messages = Vec::new();
    reader.array().map_err(|error| path.fail(&error))?;
    while reader.element().map_err(|error| path.fail(&error))? {
        let path = path.index(messages.len());
        messages.push(message(reader, &path, messages.len(), loss)?);
    }
    Ok(messages)
}

fn message<'a>(
    reader: &mut Reader<'a>,
    path: &Path<'_>,
    at: usize,
    loss: &mut Loss,
) -> Result<Message<'a>, Malformed> {
    let fail = |error| path.fail(&error);
    let mut role = None;
    let mut content = None;
    reader.object().map_err(fail)?;
    while let Some(name) = reader.key().map_err(fail)? {
        let name = name.plain();
        let path = path.member(&name);
        let fail = |error| path.fail(&error);
        match &*name {
            "role" => {
                role = Some(match &*reader.string().map_err(fail)?.plain() {
                    "user" => Role::User,
                    "assistant" => Role::Assistant,
                    // Newer models take instructions in the middle.
                    "system" => Role::System,
                    _ => return Err(path.malformed("expected 'user' or 'assistant'")),
                });
            }
            "content" => content = Some(blocks::content(reader, &path, loss)?),
            _ => {
                if Value::read(reader).map_err(fail)?.is_some_and(|value| !value.is_nothing()) {
                    loss.drop(path.to_string());
                }
            }
        }
    }
    let role = role.ok_or_else(|| path.member("role").malformed("missing"))?;
    let content = content.ok_or_else(|| path.member("content").malformed("missing"))?;
    let at = u32::try_from(at).ok();
    let (parts, places) = content.placed(at, CONTENT);
    Ok(Message { places, ..Message::new(role, at, parts) })
}

/// Returns whether a tool was dropped that only Anthropic has.
fn tools<'a>(
    reader: &mut Reader<'a>,
    path: &Path<'_>,
    tools: &mut Vec<Tool<'a>>,
    loss: &mut Loss,
) -> Result<bool, Malformed> {
    let mut foreign = false;
    let mut at = 0;
    reader.array().map_err(|error| path.fail(&error))?;
    while reader.element().map_err(|error| path.fail(&error))? {
        let path = path.index(at);
        let number = u32::try_from(at).unwrap_or(u32::MAX);
        at += 1;
        let mut members = Members::read(reader).map_err(|error| path.fail(&error))?;
        let kind = members.take_text("type", &path)?;
        if kind.is_some_and(|kind| kind != "custom") {
            foreign = true;
            loss.drop(path.to_string());
            continue;
        }
        let schema = members.demand("input_schema", &path)?.object(&path.member("input_schema"))?;
        tools.push(Tool {
            name: members.demand_text("name", &path)?,
            description: members.take_text("description", &path)?,
            kind: ToolKind::Function(Some(schema.into())),
            strict: members.take("strict").map(|value| value.boolean(&path.member("strict"))).transpose()?,
            cache: blocks::cache(&mut members, &path, loss),
            at: (number, None),
        });
        // Asks for how arguments are streamed, which is no part of the answer.
        members.take("eager_input_streaming");
        members.rest().for_each(|name| loss.drop(path.member(&name).to_string()));
    }
    Ok(foreign)
}

fn strings<'a>(reader: &mut Reader<'a>, path: &Path<'_>) -> Result<Vec<Text<'a>>, Malformed> {
    let mut strings = Vec::new();
    reader.array().map_err(|error| path.fail(&error))?;
    while reader.element().map_err(|error| path.fail(&error))? {
        let path = path.index(strings.len());
        strings.push(reader.string().map_err(|error| path.fail(&error))?);
    }
    Ok(strings)
}
