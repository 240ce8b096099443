//! `generationConfig` of a client's request. <https://ai.google.dev/api/generate-content#generationconfig>
//!
//! Invariant: numbers stay their JSON text.

use super::content::rest;
use crate::dialect::gemini::proto::{integer, number};
use crate::dialect::gemini::{names, schema};
use crate::dialect::members::{Members, Path, Value};
use crate::ir::chat::{Effort, Format, Reasoning, Request};
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
use crate::wire::json::{Error, Reader, Text};
use std::borrow::Cow;

/// Reads it into a request.
pub(super) fn read<'a>(
    value: Value<'a>,
    path: &Path<'_>,
    request: &mut Request<'a>,
    loss: &mut Loss,
) -> Result<(), Malformed> {
    let mut config = names::of(value.object(path)?).map_err(|error| path.fail(&error))?;
    let sampling = &mut request.sampling;
    for (name, slot) in [
        ("temperature", &mut sampling.temperature),
        ("topP", &mut sampling.top_p),
        ("topK", &mut sampling.top_k),
        ("frequencyPenalty", &mut sampling.frequency_penalty),
        ("presencePenalty", &mut sampling.presence_penalty),
        ("seed", &mut sampling.seed),
    ] {
        *slot = config.take(name).map(|value| number(&value, &path.member(name))).transpose()?;
    }
    sampling.max_tokens = take_integer(&mut config, "maxOutputTokens", path)?;
    sampling.n = take_integer(&mut config, "candidateCount", path)?;
    if let Some(value) = config.take("stopSequences") {
        sampling.stop = texts(value, &path.member("stopSequences"))?;
    }
    let asked = match config.take("responseLogprobs") {
        Some(value) => value.boolean(&path.member("responseLogprobs"))?,
        None => false,
    };
    let top = take_integer(&mut config, "logprobs", path)?;
    if asked {
        sampling.logprobs = Some(top.unwrap_or(0));
    } else if top.is_some() {
        loss.drop(path.member("logprobs").to_string());
    }
    request.format = format(&mut config, path, loss)?;
    if let Some(value) = config.take("thinkingConfig") {
        thinking(value, &path.member("thinkingConfig"), request, loss)?;
    }
    if let Some(value) = config.take("responseModalities") {
        let path = path.member("responseModalities");
        if texts(value, &path)?.iter().any(|word| !word.plain().eq_ignore_ascii_case("text")) {
            loss.drop(path.to_string());
        }
    }
    rest(&config, path, loss);
    Ok(())
}

fn take_integer(config: &mut Members<'_>, name: &str, path: &Path<'_>) -> Result<Option<u64>, Malformed> {
    config.take(name).map(|value| integer(&value, &path.member(name))).transpose()
}

pub(super) fn texts<'a>(value: Value<'a>, path: &Path<'_>) -> Result<Vec<Text<'a>>, Malformed> {
    let json = match value {
        Value::Text(text) => return Ok(vec![text]),
        Value::Raw(json) => json,
    };
    let mut reader = Reader::new(json);
    let mut read = || {
        let mut texts = Vec::new();
        reader.array()?;
        while reader.element()? {
            texts.push(reader.string()?);
        }
        Ok::<_, Error>(texts)
    };
    read().map_err(|_| path.malformed("expected an array of strings"))
}

fn format<'a>(
    config: &mut Members<'a>,
    path: &Path<'_>,
    loss: &mut Loss,
) -> Result<Option<Format<'a>>, Malformed> {
    let media_type = config.take_text("responseMimeType", path)?;
    let media_type = media_type.as_ref().map(Text::plain);
    let schema = match (config.take("responseJsonSchema"), config.take("responseSchema")) {
        (Some(_), Some(_)) => {
            return Err(path.member("responseJsonSchema").malformed("excludes responseSchema"));
        }
        (Some(value), None) => {
            loss.call("response_format.json_schema.schema", "generationConfig.responseJsonSchema");
            loss.call("response_format", "generationConfig.responseJsonSchema");
            Some(Cow::Borrowed(value.object(&path.member("responseJsonSchema"))?))
        }
        (None, Some(value)) => {
            loss.call("response_format.json_schema.schema", "generationConfig.responseSchema");
            loss.call("response_format", "generationConfig.responseSchema");
            Some(json_schema(value, &path.member("responseSchema"))?)
        }
        (None, None) => None,
    };
    match media_type.as_deref() {
        // An enumeration is answered as bare text, which no other dialect can promise.
        Some("text/x.enum") => {
            loss.drop(path.member("responseMimeType").to_string());
            if schema.is_some() {
                loss.drop(path.member("responseSchema").to_string());
            }
            return Ok(None);
        }
        None | Some("" | "text/plain" | "application/json") => {}
        Some(_) => loss.drop(path.member("responseMimeType").to_string()),
    }
    Ok(match schema {
        Some(schema) => Some(Format::JsonSchema { name: None, description: None, schema, strict: None }),
        None => (media_type.as_deref() == Some("application/json")).then_some(Format::JsonObject),
    })
}

/// A schema in Google's own terms.
pub(super) fn json_schema<'a>(value: Value<'a>, path: &Path<'_>) -> Result<Cow<'a, str>, Malformed> {
    let schema = value.object(path)?;
    schema::to_json_schema(schema).map(Cow::Owned).map_err(|error| path.fail(&error))
}

fn thinking(
    value: Value<'_>,
    path: &Path<'_>,
    request: &mut Request<'_>,
    loss: &mut Loss,
) -> Result<(), Malformed> {
    let mut config = names::of(value.object(path)?).map_err(|error| path.fail(&error))?;
    let level = config.take_text("thinkingLevel", path)?;
    let budget = config.take("thinkingBudget");
    request.reasoning = match (level, budget) {
        (Some(level), budget) => {
            if budget.is_some() {
                loss.drop(path.member("thinkingBudget").to_string());
            }
            let effort = match &*level.plain().to_ascii_lowercase() {
                "minimal" => Some(Effort::Minimal),
                "low" => Some(Effort::Low),
                "medium" => Some(Effort::Medium),
                "high" => Some(Effort::High),
                "xhigh" => Some(Effort::Max),
                "thinking_level_unspecified" => None,
                _ => {
                    loss.drop(path.member("thinkingLevel").to_string());
                    None
                }
            };
            effort.map(Reasoning::Effort)
        }
        (None, Some(value)) => {
            let path = path.member("thinkingBudget");
            match number(&value, &path)? {
                "-1" => Some(Reasoning::Adaptive),
                _ => match integer(&value, &path)? {
                    0 => Some(Reasoning::Off),
                    tokens => Some(Reasoning::Budget(tokens)),
                },
            }
        }
        (None, None) => None,
    };
    request.show_reasoning = Some(match config.take("includeThoughts") {
        Some(value) => value.boolean(&path.member("includeThoughts"))?,
        None => false,
    });
    rest(&config, path, loss);
    Ok(())
}
