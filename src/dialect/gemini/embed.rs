//! Embeddings. <https://ai.google.dev/api/embeddings>
//!
//! Invariant: numbers stay as the provider wrote them, until a client wants them otherwise.

use super::names::{canonical, read as read_members};
use super::{error, names, usage};
use crate::config::{Endpoint, Usage};
use crate::dialect::members::{Members, Path, Value};
use crate::dialect::value::{array_or_skip, object_or_skip};
use crate::dialect::{Ask, ReplyContext, Target};
use crate::ir::embed::{Input, Reply, Request, Vector};
use crate::ir::error::{Fault, Malformed};
use crate::ir::loss::Loss;
use crate::wire::json::{Array, Error, Kind, Object, Reader, Text};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Reads a client's request, for one text or for several.
pub(super) fn decode<'a>(ask: &Ask<'a>, body: &'a str, loss: &mut Loss) -> Result<Request<'a>, Malformed> {
    let mut request = Request::default();
    let mut members = names::of(body).map_err(|error| Path::root("body").fail(&error))?;
    if ask.endpoint != Endpoint::BatchEmbedContents {
        one(members, None, &mut request, loss)?;
        return Ok(request);
    }
    let path = Path::root("requests");
    let Some(Value::Raw(json)) = members.take("requests") else {
        return Err(path.malformed("expected an array"));
    };
    members.rest().for_each(|name| loss.drop(name.into_owned()));
    let fail = |error| path.fail(&error);
    let mut reader = Reader::new(json);
    let mut at = 0;
    reader.array().map_err(fail)?;
    while reader.element().map_err(fail)? {
        let path = path.index(at);
        let members = read_members(&mut reader).map_err(|error| path.fail(&error))?;
        one(members, Some(&path), &mut request, loss)?;
        at += 1;
    }
    if request.inputs.is_empty() {
        return Err(path.malformed("expected at least one"));
    }
    Ok(request)
}

fn child<'p>(parent: Option<&'p Path<'p>>, name: &'p str) -> Path<'p> {
    parent.map_or(Path::root(name), |parent| parent.member(name))
}

/// One request of a batch, or the only one. What they ask for besides is asked for all of them, as the first says it.
fn one<'a>(
    mut members: Members<'a>,
    parent: Option<&Path<'_>>,
    request: &mut Request<'a>,
    loss: &mut Loss,
) -> Result<(), Malformed> {
    members.take("model");
    let path = child(parent, "content");
    let content = members.take("content").ok_or_else(|| path.malformed("missing"))?;
    let input = content_text(content, &path)?;
    // Two places for the same members; the newer one counts.
    let config = members.take("embedContentConfig");
    let config_path = child(parent, "embedContentConfig");
    let mut config = match config {
        Some(config) => names::of(config.object(&config_path)?).map_err(|error| config_path.fail(&error))?,
        None => Members::default(),
    };
    let first = request.inputs.is_empty();
    let mut text = |name: &'static str, slot: &mut Option<Text<'a>>| {
        let own = child(parent, name);
        let newer = config.take_text(name, &config_path)?;
        let value = match members.take(name) {
            Some(value) => newer.or(Some(value.text(&own)?)),
            None => newer,
        };
        if first {
            *slot = value;
        } else if *slot != value {
            loss.drop(own.to_string());
        }
        Ok::<_, Malformed>(())
    };
    text("taskType", &mut request.task)?;
    text("title", &mut request.title)?;
    let name = "outputDimensionality";
    let size = config.take(name).or(members.take(name));
    let size = size.map(|size| size.integer(&child(parent, name))).transpose()?;
    if first {
        request.dimensions = size;
    } else if request.dimensions != size {
        loss.drop(child(parent, name).to_string());
    }
    config.rest().for_each(|name| loss.drop(config_path.member(&name).to_string()));
    members.rest().for_each(|name| loss.drop(child(parent, &name).to_string()));
    request.inputs.push(Input::Text(input));
    Ok(())
}

/// The text of a content; its parts are embedded as one.
fn content_text<'a>(content: Value<'a>, path: &Path<'_>) -> Result<Text<'a>, Malformed> {
    let mut content = names::of(content.object(path)?).map_err(|error| path.fail(&error))?;
    let path = path.member("parts");
    let fail = |error| path.fail(&error);
    let Some(Value::Raw(json)) = content.take("parts") else {
        return Err(path.malformed("expected an array"));
    };
    let mut reader = Reader::new(json);
    let mut texts = Vec::new();
    reader.array().map_err(fail)?;
    while reader.element().map_err(fail)? {
        let path = path.index(texts.len());
        let mut part = read_members(&mut reader).map_err(|error| path.fail(&error))?;
        texts.push(part.demand_text("text", &path)?);
    }
    match <[_; 1]>::try_from(texts) {
        Ok([text]) => Ok(text),
        Err(texts) if texts.is_empty() => Err(path.malformed("expected at least one")),
        Err(texts) => Ok(Text::from(texts.iter().map(Text::plain).collect::<String>())),
    }
}

/// Appends a reply. An error means that the provider's vectors are not numbers.
pub(super) fn encode_reply(
    reply: &Reply<'_>,
    context: &ReplyContext,
    out: &mut Vec<u8>,
) -> Result<(), Fault> {
    let mut result = Ok(());
    let mut write = |vector: &Vector<'_>, object: &mut Object<'_>| {
        let written = write_numbers(vector, object.member("values"));
        if written.is_err() && result.is_ok() {
            result = written;
        }
    };
    let mut body = Object::new(out);
    if context.endpoint == Endpoint::BatchEmbedContents {
        body.array("embeddings", |list| {
            for vector in &reply.vectors {
                list.object(|object| write(vector, object));
            }
        });
    } else if let Some(vector) = reply.vectors.first() {
        body.object("embedding", |object| write(vector, object));
    }
    if let Some(usage) = &reply.usage {
        body.object("usageMetadata", |object| {
            object.int("promptTokenCount", usage.input).int("totalTokenCount", usage.input);
        });
    }
    drop(body);
    result
}

fn write_numbers(vector: &Vector<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
    let not_numbers = || Fault::Invalid("a vector is not made of numbers".to_owned());
    let packed = match vector {
        Vector::Numbers(json) => {
            out.extend_from_slice(json.as_bytes());
            return Ok(());
        }
        Vector::Packed(packed) => packed.plain(),
    };
    let mut list = Array::new(out);
    let bytes = STANDARD.decode(packed.as_bytes()).map_err(|_| not_numbers())?;
    let (floats, rest) = bytes.as_chunks::<4>();
    for float in floats {
        let float = f32::from_le_bytes(*float);
        if !float.is_finite() {
            return Err(not_numbers());
        }
        // The shortest text that is read as the same float.
        list.raw(&float.to_string());
    }
    if rest.is_empty() { Ok(()) } else { Err(not_numbers()) }
}

/// Appends a request for an upstream. It is always a batch: the path cannot say how many there are.
pub(super) fn encode(
    request: &Request<'_>,
    target: &Target<'_>,
    loss: &mut Loss,
    out: &mut Vec<u8>,
) -> Result<(), Malformed> {
    if request.user.is_some() {
        loss.drop("user");
    }
    let mut body = Object::new(out);
    let mut requests = Array::new(body.member("requests"));
    for (at, input) in request.inputs.iter().enumerate() {
        let Input::Text(text) = input else {
            return Err(Malformed::at(
                format!("input[{at}]"),
                "expected text: this provider takes no tokens",
            ));
        };
        requests.object(|object| {
            if target.model_in_body {
                object.str("model", &super::resource(target.model));
            }
            object.object("content", |content| {
                content.array("parts", |parts| {
                    parts.object(|part| {
                        part.text("text", text);
                    });
                });
            });
            if target.model_in_body {
                write_wishes(request, object);
            } else if request.task.is_some() || request.title.is_some() || request.dimensions.is_some() {
                object.object("embedContentConfig", |config| write_wishes(request, config));
            }
        });
    }
    Ok(())
}

fn write_wishes(request: &Request<'_>, object: &mut Object<'_>) {
    if let Some(task) = &request.task {
        object.text("taskType", task);
    }
    if let Some(title) = &request.title {
        object.text("title", title);
    }
    if let Some(dimensions) = request.dimensions {
        object.int("outputDimensionality", dimensions);
    }
}

/// Reads a reply, to one request or to several.
pub(super) fn decode_reply(body: &str) -> Result<Reply<'_>, Fault> {
    if body.trim().is_empty() {
        return Err(Fault::Empty);
    }
    if let Some(error) = error::in_reply(body) {
        return Err(Fault::Error(error));
    }
    let (vectors, usage) = vectors(body).map_err(|error| Fault::Invalid(error.to_string()))?;
    if vectors.is_empty() {
        return Err(Fault::Empty);
    }
    Ok(Reply { model: Text::from(""), vectors, usage })
}

fn vectors(body: &str) -> Result<(Vec<Vector<'_>>, Option<Usage>), Error> {
    let mut reader = Reader::new(body);
    let (mut vectors, mut counts) = (Vec::new(), None);
    reader.object()?;
    while let Some(key) = reader.key()? {
        match &*canonical(key.plain()) {
            "embedding" => vectors.extend(vector(&mut reader)?),
            "embeddings" => {
                if array_or_skip(&mut reader)? {
                    while reader.element()? {
                        vectors.extend(vector(&mut reader)?);
                    }
                }
            }
            "usageMetadata" => counts = usage::decode(&mut reader)?,
            _ => reader.skip()?,
        }
    }
    reader.end()?;
    Ok((vectors, counts))
}

fn vector<'a>(reader: &mut Reader<'a>) -> Result<Option<Vector<'a>>, Error> {
    let mut values = None;
    if object_or_skip(reader)? {
        while let Some(key) = reader.key()? {
            if key == "values" && reader.peek()? == Kind::Array {
                let mut numbers = reader.clone();
                values = Some(Vector::Numbers(reader.raw()?));
                numbers.array()?;
                while numbers.element()? {
                    numbers.number()?;
                }
            } else {
                reader.skip()?;
            }
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests;
