//! What a request asks for besides its words: limits, randomness, reasoning, the reply's form, what the account wants to
//! know. <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html>
//!
//! Invariant: what is written is never refused by the model's family for its combination; what had to give way is listed.

use crate::dialect::Target;
use crate::dialect::bedrock::family::Family;
use crate::dialect::claude::schema as claude_schema;
use crate::dialect::claude::settings::{self as claude, Thinking, drop_unsayable, number};
use crate::dialect::claude::{Generation, ThinkingStyle};
use crate::dialect::turns::Turn;
use crate::dialect::value::{is_one_of, is_void};
use crate::ir::chat::{Effort, Format, Reasoning, Request};
use crate::ir::loss::Loss;
use crate::wire::json::{Kind, Object, Reader, Text, write_str};

/// Most entries of `requestMetadata`.
const MAX_ENTRIES: usize = 16;
/// Longest name and value of one.
const MAX_ENTRY: usize = 256;

/// Settled settings.
#[derive(Debug, Default)]
pub(super) struct Settings<'r> {
    max_tokens: Option<u64>,
    temperature: Option<&'r str>,
    top_p: Option<&'r str>,
    /// `outputConfig.effort`.
    effort: Option<&'static str>,
    more: More<'r>,
}

/// What goes to the model past Bedrock, in the words of its family.
#[derive(Debug, Default)]
enum More<'r> {
    #[default]
    Nothing,
    Claude {
        thinking: Option<Thinking>,
        /// Whether thinking is to be read.
        shown: bool,
        top_k: Option<&'r str>,
    },
    Nova {
        /// `None` is off.
        reasoning: Option<Option<&'static str>>,
        top_k: Option<&'r str>,
    },
    GptOss(&'static str),
}

impl More<'_> {
    /// Whether the reply will tell what was thought. Nova tells that it has thought, and not what.
    const fn shows_thinking(&self) -> bool {
        match self {
            Self::Nothing | Self::Nova { .. } => false,
            Self::Claude { thinking, .. } => {
                matches!(thinking, Some(Thinking::Enabled(_) | Thinking::Adaptive))
            }
            Self::GptOss(_) => true,
        }
    }
}

/// Settles a request's settings.
pub(super) fn settle<'r>(
    request: &'r Request<'r>,
    turns: &[Turn<'_>],
    target: &Target<'_>,
    loss: &mut Loss,
) -> Settings<'r> {
    match Family::of(target.model) {
        Family::Claude(generation) => of_claude(request, turns, generation, target, loss),
        family => of_others(request, family, target, loss),
    }
}

fn of_claude<'r>(
    request: &'r Request<'r>,
    turns: &[Turn<'_>],
    generation: Generation,
    target: &Target<'_>,
    loss: &mut Loss,
) -> Settings<'r> {
    let settled = claude::settle(request, turns, target, loss);
    // Left out, the limit is the model's own; but a budget must be below it.
    let needed =
        request.sampling.max_tokens.is_some() || matches!(settled.thinking, Some(Thinking::Enabled(_)));
    let shown = generation.thinking() == ThinkingStyle::Adaptive && request.show_reasoning != Some(false);
    Settings {
        max_tokens: needed.then_some(settled.max_tokens),
        temperature: settled.temperature,
        top_p: settled.top_p,
        effort: settled.effort,
        more: More::Claude { thinking: settled.thinking, shown, top_k: settled.top_k },
    }
}

fn of_others<'r>(
    request: &'r Request<'r>,
    family: Family,
    target: &Target<'_>,
    loss: &mut Loss,
) -> Settings<'r> {
    let sampling = &request.sampling;
    drop_unsayable(sampling, loss);
    let mut settings = Settings {
        max_tokens: sampling.max_tokens,
        temperature: sampling.temperature,
        top_p: sampling.top_p,
        ..Settings::default()
    };
    if let (Some(asked), Some(most)) = (settings.max_tokens, target.max_output_tokens)
        && asked > most
    {
        loss.drop("max_tokens");
        settings.max_tokens = Some(most);
    }
    if settings.temperature.is_some_and(|asked| number(asked) > 1.0) {
        loss.drop("temperature");
        settings.temperature = Some("1");
    }
    let effort = match request.reasoning {
        None | Some(Reasoning::Off | Reasoning::Budget(0)) => None,
        Some(Reasoning::Effort(effort)) => Some(effort),
        Some(Reasoning::Budget(tokens)) => Some(Effort::for_budget(tokens)),
        Some(Reasoning::Adaptive) => Some(Effort::Medium),
    };
    let exact = !matches!(effort, Some(Effort::Minimal | Effort::Max));
    let word = effort.map(|effort| match effort {
        Effort::Minimal | Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High | Effort::Max => "high",
    });
    match (family, word) {
        (Family::Nova2, _) => {
            if word == Some("high") {
                // It then wants neither limit nor randomness.
                unset(&mut settings, loss);
            }
            if !exact {
                loss.drop("reasoning_effort");
            }
            let reasoning = request.reasoning.map(|_| word);
            settings.more = More::Nova { reasoning, top_k: sampling.top_k };
            return settings;
        }
        (Family::GptOss, Some(word)) => {
            if !exact {
                loss.drop("reasoning_effort");
            }
            settings.more = More::GptOss(word);
        }
        // It always reasons.
        (Family::GptOss, None) if request.reasoning.is_some() => loss.drop("reasoning_effort"),
        (Family::Nova, None) => {
            settings.more = More::Nova { reasoning: None, top_k: sampling.top_k };
            return settings;
        }
        (Family::Nova, Some(_)) => {
            loss.drop("reasoning_effort");
            settings.more = More::Nova { reasoning: None, top_k: sampling.top_k };
            return settings;
        }
        (_, Some(_)) => loss.drop("reasoning_effort"),
        (_, None) => {}
    }
    if sampling.top_k.is_some() {
        loss.drop("top_k");
    }
    settings
}

fn unset(settings: &mut Settings<'_>, loss: &mut Loss) {
    let set = [
        ("max_tokens", settings.max_tokens.take().is_some()),
        ("temperature", settings.temperature.take().is_some()),
        ("top_p", settings.top_p.take().is_some()),
    ];
    set.into_iter().filter(|(_, set)| *set).for_each(|(name, _)| loss.drop(name));
}

/// Writes everything that is not counted.
pub(super) fn write(
    request: &Request<'_>,
    settings: &Settings<'_>,
    family: Family,
    body: &mut Object<'_>,
    loss: &mut Loss,
) {
    let stops = write_inference(request, settings, family, body, loss);
    if stops && matches!(family, Family::Claude(_)) {
        // Which sequence it was is told only to those who ask.
        body.raw("additionalModelResponseFieldPaths", r#"["/stop_sequence"]"#);
    }
    write_output(request, settings, family, body, loss);
    if request.wants_thinking_shown() && !settings.more.shows_thinking() {
        loss.drop("reasoning_summary");
    }
    for (name, json) in &request.openai {
        write_openai(name, json, body, loss);
    }
    for (name, said) in [("user", request.user.is_some()), ("verbosity", request.verbosity.is_some())] {
        if said {
            loss.drop(name);
        }
    }
}

/// Says whether there are stop sequences.
fn write_inference(
    request: &Request<'_>,
    settings: &Settings<'_>,
    family: Family,
    body: &mut Object<'_>,
    loss: &mut Loss,
) -> bool {
    let mut stop = Vec::new();
    for (at, text) in request.sampling.stop.iter().enumerate() {
        if text.is_blank() || stop.len() >= family.max_stop() {
            loss.drop(format!("stop[{at}]"));
        } else {
            stop.push(text);
        }
    }
    if settings.max_tokens.is_none()
        && settings.temperature.is_none()
        && settings.top_p.is_none()
        && stop.is_empty()
    {
        return false;
    }
    body.object("inferenceConfig", |config| {
        if let Some(most) = settings.max_tokens {
            config.int("maxTokens", most);
        }
        for (name, value) in [("temperature", settings.temperature), ("topP", settings.top_p)] {
            if let Some(value) = value {
                config.raw(name, value);
            }
        }
        if !stop.is_empty() {
            config.array("stopSequences", |sequences| {
                for text in &stop {
                    sequences.text(text);
                }
            });
        }
    });
    !stop.is_empty()
}

fn write_output(
    request: &Request<'_>,
    settings: &Settings<'_>,
    family: Family,
    body: &mut Object<'_>,
    loss: &mut Loss,
) {
    let format = match &request.format {
        Some(Format::JsonSchema { name, description, schema, .. }) if family.has_schemas() => {
            Some((name, description, schema))
        }
        Some(_) => {
            loss.drop("response_format");
            None
        }
        None => None,
    };
    if format.is_none() && settings.effort.is_none() {
        return;
    }
    body.object("outputConfig", |config| {
        if let Some((name, description, schema)) = format {
            config.object("textFormat", |format| {
                format.str("type", "json_schema").object("structure", |structure| {
                    structure.object("jsonSchema", |json| {
                        // The schema is a text here.
                        let mut text = Vec::new();
                        if matches!(family, Family::Claude(_)) {
                            let path = "response_format.json_schema.schema";
                            claude_schema::write(schema, path, loss, &mut text);
                        } else {
                            text.extend_from_slice(schema.as_bytes());
                        }
                        write_str(json.member("schema"), &String::from_utf8_lossy(&text));
                        for (member, value) in [("name", name), ("description", description)] {
                            if let Some(value) = value {
                                json.text(member, value);
                            }
                        }
                    });
                });
            });
        }
        if let Some(effort) = settings.effort {
            config.str("effort", effort);
        }
    });
}

/// Writes `additionalModelRequestFields`. `choice` is among tools, for Claude.
pub(super) fn write_additional(
    settings: &Settings<'_>,
    choice: Option<(&'static str, Option<&Text<'_>>)>,
    body: &mut Object<'_>,
) {
    let says = match &settings.more {
        More::Nothing => false,
        More::Claude { thinking, top_k, .. } => thinking.is_some() || top_k.is_some() || choice.is_some(),
        More::Nova { reasoning, top_k } => reasoning.is_some() || top_k.is_some(),
        More::GptOss(_) => true,
    };
    if says {
        body.object("additionalModelRequestFields", |fields| {
            write_fields(settings, fields);
            if let Some((kind, name)) = choice {
                fields.object("tool_choice", |object| {
                    object.str("type", kind);
                    if let Some(name) = name {
                        object.text("name", name);
                    }
                    object.bool("disable_parallel_tool_use", true);
                });
            }
        });
    }
}

fn write_fields(settings: &Settings<'_>, fields: &mut Object<'_>) {
    match &settings.more {
        More::Nothing => {}
        More::Claude { thinking, shown, top_k } => {
            write_thinking(*thinking, *shown, fields);
            if let Some(value) = top_k {
                fields.raw("top_k", value);
            }
        }
        More::Nova { reasoning, top_k } => {
            match reasoning {
                None => {}
                Some(None) => {
                    fields.raw("reasoningConfig", r#"{"type":"disabled"}"#);
                }
                Some(Some(effort)) => {
                    fields.object("reasoningConfig", |config| {
                        config.str("type", "enabled").str("maxReasoningEffort", effort);
                    });
                }
            }
            if let Some(value) = top_k {
                fields.object("inferenceConfig", |config| {
                    config.raw("topK", value);
                });
            }
        }
        More::GptOss(effort) => {
            fields.str("reasoning_effort", effort);
        }
    }
}

fn write_thinking(thinking: Option<Thinking>, shown: bool, fields: &mut Object<'_>) {
    match thinking {
        None => {}
        Some(Thinking::Disabled) => {
            fields.raw("thinking", r#"{"type":"disabled"}"#);
        }
        Some(Thinking::Enabled(budget)) => {
            fields.object("thinking", |thinking| {
                thinking.str("type", "enabled").int("budget_tokens", budget);
            });
        }
        Some(Thinking::Adaptive) => {
            fields.object("thinking", |thinking| {
                thinking.str("type", "adaptive");
                // These generations hide their thinking unless asked.
                if shown {
                    thinking.str("display", "summarized");
                }
            });
        }
    }
}

/// Members that only OpenAI has.
fn write_openai(name: &str, json: &str, body: &mut Object<'_>, loss: &mut Loss) {
    match name {
        _ if is_void(json) => {}
        "metadata" => write_metadata(json, body, loss),
        "service_tier" if is_one_of(json, &["\"auto\""]) => {}
        "service_tier" if is_one_of(json, &["\"default\"", "\"flex\"", "\"priority\""]) => {
            body.object("serviceTier", |tier| {
                tier.raw("type", json.trim());
            });
        }
        _ => loss.drop(name),
    }
}

fn write_metadata(json: &str, body: &mut Object<'_>, loss: &mut Loss) {
    let mut entries = Vec::new();
    let mut reader = Reader::new(json);
    let mut read = || {
        reader.object()?;
        while let Some(name) = reader.key()? {
            let value = if reader.peek()? == Kind::String { Some(reader.string()?) } else { None };
            match value {
                Some(value) if entries.len() < MAX_ENTRIES && fits(&name, 1) && fits(&value, 0) => {
                    entries.push((name, value));
                }
                Some(_) => loss.drop(format!("metadata.{}", name.plain())),
                None => {
                    reader.skip()?;
                    loss.drop(format!("metadata.{}", name.plain()));
                }
            }
        }
        Ok::<_, crate::wire::json::Error>(())
    };
    if read().is_err() {
        loss.drop("metadata");
        return;
    }
    if !entries.is_empty() {
        body.object("requestMetadata", |metadata| {
            for (name, value) in &entries {
                metadata.text(&name.plain(), value);
            }
        });
    }
}

/// Whether Bedrock takes a name or a value.
fn fits(text: &Text<'_>, least: usize) -> bool {
    let plain = text.plain();
    let allowed = |letter: char| {
        letter.is_ascii_alphanumeric() || letter.is_ascii_whitespace() || ":_@$#=/+,-.".contains(letter)
    };
    (least..=MAX_ENTRY).contains(&plain.len()) && plain.chars().all(allowed)
}
