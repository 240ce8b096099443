//! Embeddings. <https://ai.google.dev/api/embeddings>
//!
//! Invariant: numbers stay as the provider wrote them, until a client wants them otherwise.

mod predict;

use super::names::{canonical, read as read_members};
use super::proto::{Elements, integer};
use super::{error, names, usage};
use crate::config::{Endpoint, Usage};
use crate::dialect::members::{Members, Path, Value};
use crate::dialect::value::{array_or_skip, object_or_skip};
use crate::dialect::{Ask, ReplyContext, Target};
use crate::ir::embed::{Input, Places, Reply, Request, Vector, Wish};
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
        request.places = Places { inputs: "content", each: None, ..Places::default() };
        one(members, None, &mut request, loss)?;
        return Ok(request);
    }
    request.places = Places { inputs: "requests", each: Some(".content"), ..Places::default() };
    let path = Path::root("requests");
    let Some(Value::Raw(json)) = members.take("requests") else {
        return Err(path.malformed("expected an array"));
    };
    members.rest().for_each(|name| loss.drop(name.into_owned()));
    let fail = |error| path.fail(&error);
    let mut reader = Reader::new(json);
    let mut at = 0;
    let mut requests = Elements::of(&mut reader, Kind::Object).map_err(fail)?;
    while requests.next(&mut reader).map_err(fail)? {
        let path = requests.path(&path, at);
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
    let config_path = child(parent, "embedContentConfig");
    let mut config = match members.take("embedContentConfig") {
        Some(config) => names::of(config.object(&config_path)?).map_err(|error| config_path.fail(&error))?,
        None => Members::default(),
    };
    let first = request.inputs.is_empty();
    let places = &mut request.places.wishes;
    for (wish, name, slot) in
        [(Wish::Task, "taskType", &mut request.task), (Wish::Title, "title", &mut request.title)]
    {
        let paths = [config_path.member(name), child(parent, name)];
        let said = [&mut config, &mut members].map(|members| members.take(name));
        let said = newer(said, &paths, |value, path| value.text(path), loss)?;
        settle(slot, said, (first, wish), places, loss);
    }
    let name = "outputDimensionality";
    let paths = [config_path.member(name), child(parent, name)];
    let said = [&mut config, &mut members].map(|members| members.take(name));
    let said = newer(said, &paths, |value, path| integer(&value, path), loss)?;
    settle(&mut request.dimensions, said, (first, Wish::Dimensions), places, loss);
    config.rest().for_each(|name| loss.drop(config_path.member(&name).to_string()));
    members.rest().for_each(|name| loss.drop(child(parent, &name).to_string()));
    request.inputs.push(Input::Text(input));
    Ok(())
}

/// Of two places for the same member the newer one counts: what is said, and where. Silence is where it used to be said.
fn newer<'a, T: PartialEq>(
    said: [Option<Value<'a>>; 2],
    paths: &[Path<'_>; 2],
    read: impl Fn(Value<'a>, &Path<'_>) -> Result<T, Malformed>,
    loss: &mut Loss,
) -> Result<(Option<T>, String), Malformed> {
    let ([newer, older], [newer_path, older_path]) = (said, paths);
    let newer = newer.map(|value| read(value, newer_path)).transpose()?;
    let older = older.map(|value| read(value, older_path)).transpose()?;
    if newer.is_none() {
        return Ok((older, older_path.to_string()));
    }
    if older.is_some() && older != newer {
        loss.drop(older_path.to_string());
    }
    Ok((newer, newer_path.to_string()))
}

/// Takes the first request's wish for all of a batch, and tells of those that are others.
fn settle<T: PartialEq>(
    slot: &mut Option<T>,
    (said, at): (Option<T>, String),
    (first, wish): (bool, Wish),
    places: &mut Vec<(Wish, String)>,
    loss: &mut Loss,
) {
    if first {
        *slot = said;
    } else if *slot != said {
        loss.drop(at);
        return;
    }
    if slot.is_some() {
        places.push((wish, at));
    }
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
    let mut parts = Elements::of(&mut reader, Kind::Object).map_err(fail)?;
    while parts.next(&mut reader).map_err(fail)? {
        let path = parts.path(&path, texts.len());
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
    if target.predicts {
        return predict::encode(request, loss, out);
    }
    if request.user.is_some() {
        loss.drop("user");
    }
    let mut body = Object::new(out);
    let mut requests = Array::new(body.member("requests"));
    for (at, input) in request.inputs.iter().enumerate() {
        let Input::Text(text) = input else {
            return Err(no_tokens(request, at));
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

fn no_tokens(request: &Request<'_>, at: usize) -> Malformed {
    Malformed::at(request.places.input(at), "expected text: this provider takes no tokens")
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

/// Reads a target's reply.
pub(super) fn decode_reply_of<'a>(target: &Target<'_>, body: &'a str) -> Result<Reply<'a>, Fault> {
    if !target.predicts {
        return decode_reply(body);
    }
    if let Some(error) = error::in_reply(body) {
        return Err(Fault::Error(error));
    }
    predict::decode_reply(body).map_err(|error| Fault::Invalid(error.to_string()))
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
