//! Members of a client's request that several others decide together: thinking, effort, formats, tool choice, metadata.
//!
//! Invariant: nothing is decided before all of them are read, as their order says nothing.

use crate::dialect::marker;
use crate::dialect::members::{Members, Path, Value};
use crate::ir::chat::{Effort, Format, Message, Part, Reasoning, Request, ToolChoice};
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
use crate::wire::json::Text;

/// What has been read.
#[derive(Default)]
pub(super) struct Options<'a> {
    thinking: Option<Reasoning>,
    effort: Option<Effort>,
    format: Option<Format<'a>>,
    tool_choice: Option<ToolChoice<'a>>,
    parallel_tool_calls: Option<bool>,
    user: Option<Text<'a>>,
    show_reasoning: Option<bool>,
    cache: bool,
}

impl<'a> Options<'a> {
    /// Reads a member; `false` if it is none of these.
    pub(super) fn member(
        &mut self,
        path: &Path<'_>,
        name: &str,
        value: &Value<'a>,
        loss: &mut Loss,
    ) -> Result<bool, Malformed> {
        let members = || {
            let json = value.clone().object(path)?;
            Members::of(json).map_err(|error| path.fail(&error))
        };
        match name {
            "thinking" => self.thinking(members()?, path, loss)?,
            "output_config" => {
                let mut config = members()?;
                self.effort(&mut config, path, loss)?;
                if let Some(format) = config.take("format") {
                    self.format(format, &path.member("format"), loss)?;
                }
                rest(&config, path, loss);
            }
            // The beta's name for `output_config.format`.
            "output_format" => {
                loss.call("response_format.json_schema", "output_format");
                loss.call("response_format", "output_format");
                self.format(value.clone(), path, loss)?;
            }
            "tool_choice" => self.tool_choice(members()?, path, loss)?,
            "metadata" => {
                let mut metadata = members()?;
                self.user = metadata.take_text("user_id", path)?;
                rest(&metadata, path, loss);
            }
            // Marks the end of the request, wherever that is.
            "cache_control" => {
                self.cache = true;
                if let Value::Raw(json) = value {
                    marker::beyond(json).iter().for_each(|name| loss.drop(path.member(name).to_string()));
                }
            }
            // The default, which some clients say.
            "service_tier" => return Ok(matches!(value, Value::Text(word) if *word == "auto")),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Decides.
    pub(super) fn apply(self, request: &mut Request<'a>, loss: &mut Loss) {
        if self.effort.is_some() {
            loss.call("reasoning_effort", "output_config.effort");
        }
        request.reasoning = match (self.thinking, self.effort) {
            (Some(Reasoning::Off), Some(_)) => {
                loss.drop("output_config.effort");
                Some(Reasoning::Off)
            }
            (Some(Reasoning::Budget(_)), Some(effort)) => {
                loss.drop("thinking.budget_tokens");
                Some(Reasoning::Effort(effort))
            }
            (_, Some(effort)) => Some(Reasoning::Effort(effort)),
            (thinking, None) => thinking,
        };
        request.format = self.format;
        request.tool_choice = self.tool_choice;
        request.parallel_tool_calls = self.parallel_tool_calls;
        request.user = self.user;
        request.show_reasoning = self.show_reasoning;
        if self.cache {
            mark_last(&mut request.messages);
        }
    }

    fn thinking(
        &mut self,
        mut thinking: Members<'a>,
        path: &Path<'_>,
        loss: &mut Loss,
    ) -> Result<(), Malformed> {
        match &*thinking.demand_text("type", path)?.plain() {
            "enabled" => {
                let budget =
                    thinking.demand("budget_tokens", path)?.integer(&path.member("budget_tokens"))?;
                self.thinking = Some(Reasoning::Budget(budget));
            }
            "disabled" => self.thinking = Some(Reasoning::Off),
            "adaptive" => self.thinking = Some(Reasoning::Adaptive),
            _ => loss.drop(path.to_string()),
        }
        if let Some(display) = thinking.take_text("display", path)? {
            match &*display.plain() {
                "summarized" => self.show_reasoning = Some(true),
                "omitted" => self.show_reasoning = Some(false),
                _ => loss.drop(path.member("display").to_string()),
            }
        }
        rest(&thinking, path, loss);
        Ok(())
    }

    fn effort(
        &mut self,
        config: &mut Members<'a>,
        path: &Path<'_>,
        loss: &mut Loss,
    ) -> Result<(), Malformed> {
        let Some(word) = config.take_text("effort", path)? else { return Ok(()) };
        self.effort = match &*word.plain() {
            "low" => Some(Effort::Low),
            "medium" => Some(Effort::Medium),
            "high" => Some(Effort::High),
            "xhigh" | "max" => Some(Effort::Max),
            _ => {
                loss.drop(path.member("effort").to_string());
                None
            }
        };
        Ok(())
    }

    fn format(&mut self, value: Value<'a>, path: &Path<'_>, loss: &mut Loss) -> Result<(), Malformed> {
        let mut format = Members::of(value.object(path)?).map_err(|error| path.fail(&error))?;
        if format.demand_text("type", path)? != "json_schema" {
            loss.drop(path.to_string());
            return Ok(());
        }
        let schema = format.demand("schema", path)?.object(&path.member("schema"))?;
        rest(&format, path, loss);
        // Anthropic holds every reply to the schema.
        self.format = Some(Format::JsonSchema {
            name: None,
            description: None,
            schema: schema.into(),
            strict: Some(true),
        });
        Ok(())
    }

    fn tool_choice(
        &mut self,
        mut choice: Members<'a>,
        path: &Path<'_>,
        loss: &mut Loss,
    ) -> Result<(), Malformed> {
        self.tool_choice = Some(match &*choice.demand_text("type", path)?.plain() {
            "auto" => ToolChoice::Auto,
            "any" => ToolChoice::Required,
            "none" => ToolChoice::None,
            "tool" => ToolChoice::Tool(choice.demand_text("name", path)?),
            _ => return Err(path.member("type").malformed("expected 'auto', 'any', 'tool' or 'none'")),
        });
        if let Some(disable) = choice.take("disable_parallel_tool_use") {
            let disable = disable.boolean(&path.member("disable_parallel_tool_use"))?;
            self.parallel_tool_calls = disable.then_some(false);
        }
        rest(&choice, path, loss);
        Ok(())
    }
}

/// The last part that can be marked.
fn mark_last(messages: &mut [Message<'_>]) {
    let parts = messages.iter_mut().rev().flat_map(|message| message.parts.iter_mut().rev());
    let mut marks = parts.filter_map(|part| match part {
        Part::Text { cache, .. }
        | Part::Image { cache, .. }
        | Part::Document { cache, .. }
        | Part::ToolResult { cache, .. } => Some(cache),
        _ => None,
    });
    if let Some(cache) = marks.next() {
        *cache = true;
    }
}

fn rest(members: &Members<'_>, path: &Path<'_>, loss: &mut Loss) {
    members.rest().for_each(|name| loss.drop(path.member(&name).to_string()));
}
