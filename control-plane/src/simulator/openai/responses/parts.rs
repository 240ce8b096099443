//! The parts of a Responses message or of a tool's output: texts, refusals, images, files, audio.
//!
//! Spec: <https://platform.openai.com/docs/api-reference/responses/create#responses-create-input>

use crate::simulator::openai::messages;
use crate::simulator::shape::{Checked, Expected, Node, Problem};
use crate::simulator::tokens;

/// What others than the model may say.
pub(crate) const GIVEN: &[&str] = &["input_text", "input_image", "input_file", "input_audio"];
/// What the model says.
pub(crate) const SAID: &[&str] = &["output_text", "refusal"];
/// What a tool may return.
pub(crate) const RETURNED: &[&str] = &["input_text", "input_image", "input_file"];

/// A text, or a list of parts; and what it costs besides the text.
pub(crate) fn read(node: &Node<'_>, kinds: &[&'static str]) -> Checked<(String, u64)> {
    if let Some(text) = node.value.as_str() {
        return Ok((text.to_owned(), 0));
    }
    let mut text = String::new();
    let mut extra = 0;
    for part in node.list_or(Expected::TextOrArray)? {
        let (said, cost) = one(&part, kinds)?;
        text.push_str(said);
        extra += cost;
    }
    Ok((text, extra))
}

fn one<'a>(part: &Node<'a>, kinds: &[&'static str]) -> Checked<(&'a str, u64)> {
    let members = part.lenient()?;
    let kind = members.need("type")?.text()?;
    match kind {
        _ if !kinds.contains(&kind) => {
            Err(part.wrong(Problem::Choice { got: kind.to_owned(), allowed: kinds.to_vec() }))
        }
        "output_text" => {
            members.only(&["type", "text", "annotations", "logprobs"])?;
            for list in ["annotations", "logprobs"] {
                members.get(list).map(|node| node.list()).transpose()?;
            }
            Ok((members.need("text")?.text()?, 0))
        }
        "refusal" => {
            members.only(&["type", "refusal"])?;
            Ok((members.need("refusal")?.text()?, 0))
        }
        "input_image" => {
            members.only(&["type", "detail", "file_id", "image_url", "prompt_cache_breakpoint"])?;
            members.choice("detail", &["auto", "low", "high", "original"])?;
            match (members.get("image_url"), members.text("file_id")?) {
                (Some(url), None) => messages::image_url(&url)?,
                (None, Some(_)) => {}
                (Some(_), Some(_)) => {
                    return Err(part.rule(
                        "Mutually exclusive parameters: only one of 'image_url' and 'file_id' may be given.",
                    ));
                }
                (None, None) => return members.need("image_url").map(|_| ("", 0)),
            }
            Ok(("", tokens::PER_IMAGE))
        }
        "input_file" => {
            members.only(&[
                "type",
                "detail",
                "file_data",
                "file_id",
                "file_url",
                "filename",
                "prompt_cache_breakpoint",
            ])?;
            members.choice("detail", &["auto", "low", "high"])?;
            members.text("filename")?;
            let given = [members.get("file_data"), members.get("file_id"), members.get("file_url")];
            if given.iter().flatten().count() > 1 {
                return Err(part.rule("Mutually exclusive parameters: only one of 'file_data', 'file_id' and 'file_url' may be given."));
            }
            match given {
                [Some(data), ..] => messages::file_data(&data)?,
                [_, Some(text), _] | [.., Some(text)] => text.text().map(|_| ())?,
                _ => return members.need("file_id").map(|_| ("", 0)),
            }
            Ok(("", tokens::PER_IMAGE))
        }
        "input_audio" => {
            members.only(&["type", "input_audio", "prompt_cache_breakpoint"])?;
            messages::audio(&members.need("input_audio")?)?;
            Ok(("", tokens::PER_IMAGE))
        }
        _ => {
            members.only(&["type", "text", "prompt_cache_breakpoint"])?;
            Ok((members.need("text")?.text()?, 0))
        }
    }
}
