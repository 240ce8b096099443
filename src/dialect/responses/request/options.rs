//! The members of a request that are objects or lists of their own: `reasoning`, `text`, `include`.

use crate::dialect::openai_api::effort;
use crate::dialect::value::{At, is_one_of, is_void, optional_bool, optional_text};
use crate::ir::chat::{Format, Reasoning};
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
use crate::wire::json::{Kind, Reader, Text};

/// `reasoning`: how hard to think, and whether a summary is asked for.
pub(super) fn reasoning(
    reader: &mut Reader<'_>,
    loss: &mut Loss,
) -> Result<(Option<Reasoning>, bool), Malformed> {
    const PATH: &str = "reasoning";
    let (mut reasoning, mut shown) = (None, false);
    if reader.null().at(PATH)? {
        return Ok((None, false));
    }
    reader.object().at(PATH)?;
    while let Some(key) = reader.key().at(PATH)? {
        let name = key.plain();
        match &*name {
            "effort" => {
                if let Some(word) = optional_text(reader, "reasoning.effort")? {
                    reasoning = effort::decode(&word.plain());
                    if reasoning.is_none() {
                        loss.drop("reasoning.effort");
                    }
                }
            }
            "summary" | "generate_summary" => {
                let path = format!("reasoning.{name}");
                let asked = optional_text(reader, &path)?;
                shown |= asked.is_some();
                // How long it is to be is the model's own affair elsewhere.
                if asked.is_some_and(|word| word != "auto") {
                    loss.drop(path);
                }
            }
            _ => {
                let value = reader.raw().at(PATH)?;
                let usual = is_one_of(value, &["\"auto\"", "\"standard\""]);
                if !is_void(value) && !usual {
                    loss.drop(format!("reasoning.{name}"));
                }
            }
        }
    }
    Ok((reasoning, shown))
}

/// `text`: the form and the length of the answer.
pub(super) fn text<'a>(
    reader: &mut Reader<'a>,
    loss: &mut Loss,
) -> Result<(Option<Format<'a>>, Option<Text<'a>>), Malformed> {
    const PATH: &str = "text";
    let (mut wanted, mut verbosity) = (None, None);
    if reader.null().at(PATH)? {
        return Ok((None, None));
    }
    reader.object().at(PATH)?;
    while let Some(key) = reader.key().at(PATH)? {
        let name = key.plain();
        match &*name {
            "format" => wanted = format(reader, loss)?,
            "verbosity" => verbosity = optional_text(reader, "text.verbosity")?,
            _ => {
                if !is_void(reader.raw().at(PATH)?) {
                    loss.drop(format!("text.{name}"));
                }
            }
        }
    }
    Ok((wanted, verbosity))
}

fn format<'a>(reader: &mut Reader<'a>, loss: &mut Loss) -> Result<Option<Format<'a>>, Malformed> {
    const PATH: &str = "text.format";
    if reader.null().at(PATH)? {
        return Ok(None);
    }
    let (mut kind, mut name, mut description, mut schema, mut strict) = (None, None, None, None, None);
    reader.object().at(PATH)?;
    while let Some(key) = reader.key().at(PATH)? {
        match &*key.plain() {
            "type" => kind = Some(reader.string().at("text.format.type")?),
            "name" => name = optional_text(reader, "text.format.name")?,
            "description" => description = optional_text(reader, "text.format.description")?,
            "schema" if reader.peek().at(PATH)? == Kind::Object => schema = Some(reader.raw().at(PATH)?),
            "strict" => strict = optional_bool(reader, "text.format.strict")?,
            other => {
                if !is_void(reader.raw().at(PATH)?) {
                    loss.drop(format!("{PATH}.{other}"));
                }
            }
        }
    }
    match kind.as_ref().map(Text::plain).as_deref() {
        Some("text") => Ok(None),
        Some("json_object") => Ok(Some(Format::JsonObject)),
        Some("json_schema") => match schema {
            Some(schema) => Ok(Some(Format::JsonSchema { name, description, schema: schema.into(), strict })),
            None => Err(Malformed::at("text.format.schema", "expected an object")),
        },
        Some(_) => {
            loss.drop(PATH);
            Ok(None)
        }
        None => Err(Malformed::at("text.format.type", "expected a string, and it is missing")),
    }
}

/// `include`: whether log probabilities are asked for. Encrypted reasoning needs no asking: proofs travel.
pub(super) fn include(reader: &mut Reader<'_>, loss: &mut Loss) -> Result<bool, Malformed> {
    const PATH: &str = "include";
    let mut logprobs = false;
    if reader.null().at(PATH)? {
        return Ok(false);
    }
    reader.array().at(PATH)?;
    let mut at = 0;
    while reader.element().at(PATH)? {
        match &*reader.string().at("include[]")?.plain() {
            "reasoning.encrypted_content" => {}
            "message.output_text.logprobs" => logprobs = true,
            _ => loss.drop(format!("{PATH}[{at}]")),
        }
        at += 1;
    }
    Ok(logprobs)
}
