//! One part of a turn: what it says, whether its signature is one that was given out here, and what it costs.
//!
//! Spec: <https://ai.google.dev/api/caching#Part>, <https://ai.google.dev/gemini-api/docs/thought-signatures>

use super::ability::Ability;
use super::schema::Flavour;
use super::{error, proto, signature};
use crate::simulator::shape::{Checked, Node, Object, Violation};
use crate::simulator::tokens;
use serde_json::Value;

/// What a part tells.
#[derive(Debug)]
pub(crate) enum Told<'a> {
    /// A text.
    Text(&'a str),
    /// A thought of the model's.
    Thought,
    /// A function call.
    Call {
        /// Its id, empty if it has none.
        id: &'a str,
        /// The function.
        name: &'a str,
    },
    /// What a function returned.
    Response {
        /// The call's id, empty if it has none.
        id: &'a str,
        /// What it returned, as a text.
        said: String,
    },
    /// Media, code and the like.
    Other,
}

/// A part.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    /// What it tells.
    pub(crate) told: Told<'a>,
    /// Whether it has a signature.
    pub(crate) signed: bool,
    /// What it costs.
    pub(crate) tokens: u64,
}

/// The fields of which a part has one.
const DATA: &[&str] = &[
    "text",
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "executableCode",
    "codeExecutionResult",
    "toolCall",
    "toolResponse",
];

/// The beginnings of what the models look at, listen to and read.
const MEDIA: &[&str] = &["image/", "audio/", "video/", "text/", "application/pdf", "application/json"];

/// Images that no model takes.
const UNSEEN: &[&str] = &["image/gif", "image/svg+xml", "image/tiff", "image/bmp"];

/// Checks a part.
pub(crate) fn read<'a>(node: &Node<'a>, flavour: Flavour, ability: Ability) -> Checked<Part<'a>> {
    let members = node.object()?;
    let signed = is_signed(&members, flavour)?;
    let Some(kind) = DATA.iter().find(|name| members.get(name).is_some()) else {
        let mut violation = error::at(node, "required oneof field 'data' must have one initialized field");
        violation.path.push(crate::simulator::shape::Segment::Key("data".to_owned()));
        return Err(violation);
    };
    let data = members.need(kind)?;
    let (told, tokens) = match *kind {
        "text" => text(&members, data.text()?)?,
        "functionCall" => call(&data)?,
        "functionResponse" => response(&data, flavour, ability)?,
        "inlineData" => blob(&data)?,
        "fileData" => file(&data, flavour)?,
        _ => (Told::Other, tokens::count(&data.value.to_string())),
    };
    Ok(Part { told, signed, tokens })
}

fn is_signed(members: &Object<'_>, flavour: Flavour) -> Checked<bool> {
    let Some(text) = members.text("thoughtSignature")? else { return Ok(false) };
    if signature::is_known(text) {
        return Ok(true);
    }
    Err(Violation::rule(
        match flavour {
            Flavour::Vertex => error::vertex("Thought signature is not valid."),
            Flavour::Stable | Flavour::Beta => "Corrupted thought signature.".to_owned(),
        },
        None,
    ))
}

fn text<'a>(members: &Object<'_>, text: &'a str) -> Checked<(Told<'a>, u64)> {
    let told = if members.flag("thought", false)? { Told::Thought } else { Told::Text(text) };
    Ok((told, tokens::count(text)))
}

/// A name, which must not be empty.
fn name<'a>(node: &Node<'a>, members: &Object<'a>) -> Checked<&'a str> {
    match members.text("name")?.unwrap_or_default() {
        "" => {
            let mut violation = error::at(node, "Name cannot be empty.");
            violation.path.push(crate::simulator::shape::Segment::Key("name".to_owned()));
            Err(violation)
        }
        name => Ok(name),
    }
}

fn call<'a>(node: &Node<'a>) -> Checked<(Told<'a>, u64)> {
    let members = node.object()?;
    let name = name(node, &members)?;
    let id = members.text("id")?.unwrap_or_default();
    let args = members.get("args").map(|args| args.value.to_string()).unwrap_or_default();
    let cost = tokens::count(name) + tokens::count(&args) + tokens::PER_MESSAGE;
    Ok((Told::Call { id, name }, cost))
}

fn response<'a>(node: &Node<'a>, flavour: Flavour, ability: Ability) -> Checked<(Told<'a>, u64)> {
    let members = node.object()?;
    let name = name(node, &members)?;
    let id = members.text("id")?.unwrap_or_default();
    let media = members.get("parts").map(|parts| parts.list()).transpose()?.unwrap_or_default();
    if !media.is_empty() && !ability.third {
        let text = "`function_response.parts` is not supported for this model";
        return Err(Violation::rule(
            match flavour {
                Flavour::Vertex => error::vertex(text),
                Flavour::Stable | Flavour::Beta => format!("{text}."),
            },
            None,
        ));
    }
    let mut cost = tokens::count(name) + tokens::PER_MESSAGE;
    for part in media {
        let members = part.object()?;
        if let Some(data) = members.get("inlineData") {
            cost += blob(&data)?.1;
        }
    }
    let said = said(members.get("response").map(|response| response.value));
    Ok((Told::Response { id, said: said.clone() }, cost + tokens::count(&said)))
}

/// What a function returned: one text in an object is that text.
fn said(response: Option<&Value>) -> String {
    let Some(Value::Object(members)) = response else { return String::new() };
    match members.values().collect::<Vec<_>>().as_slice() {
        [Value::String(text)] => text.clone(),
        _ => Value::Object(members.clone()).to_string(),
    }
}

fn takes(mime: &str) -> bool {
    MEDIA.iter().any(|known| mime.starts_with(known)) && !UNSEEN.contains(&mime)
}

fn blob<'a>(node: &Node<'_>) -> Checked<(Told<'a>, u64)> {
    let members = node.object()?;
    let mime = members.text("mimeType")?.unwrap_or_default();
    if !takes(mime) {
        return Err(Violation::rule(format!("Unsupported MIME type: {mime}"), None));
    }
    let data = members.text("data")?.unwrap_or_default();
    let bytes = proto::decode(data).unwrap_or_default();
    if bytes.is_empty() {
        return Err(Violation::rule(
            "Unable to process input image. Please retry or report in https://developers.generativeai.google/guide/troubleshooting",
            None,
        ));
    }
    let is_text = mime.starts_with("text/") || mime == "application/json";
    let cost = if is_text { bytes.len().div_ceil(tokens::BYTES) as u64 } else { tokens::PER_IMAGE };
    Ok((Told::Other, cost))
}

fn file<'a>(node: &Node<'_>, flavour: Flavour) -> Checked<(Told<'a>, u64)> {
    let members = node.object()?;
    let mime = members.text("mimeType")?.unwrap_or_default();
    let uri = members.text("fileUri")?.unwrap_or_default();
    if uri.is_empty() {
        return Err(error::at(node, "file uri must not be empty."));
    }
    if !uri.starts_with("https://") && !uri.starts_with("gs://") {
        return Err(Violation::rule("Cannot fetch content from the provided URL.", None));
    }
    if mime.is_empty() && flavour == Flavour::Vertex {
        return Err(Violation::rule(error::vertex("it has an empty mimeType parameter"), None));
    }
    if !mime.is_empty() && !takes(mime) {
        return Err(Violation::rule(format!("Unsupported MIME type: {mime}"), None));
    }
    Ok((Told::Other, tokens::PER_IMAGE))
}
