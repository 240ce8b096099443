//! Embeddings. <https://platform.openai.com/docs/api-reference/embeddings>
//!
//! Invariant: numbers stay the text they came as, unless a client wants its vectors packed (or a provider packed them).

mod pack;

use super::wire::{
    At, array_or_skip, is_void, object_or_skip, optional_integer, optional_text, text_or_skip,
};
use super::{Openai, echo, usage};
use crate::config::Usage;
use crate::dialect::openai_api::error;
use crate::dialect::openai_api::id::{MAX_USER, shortened};
use crate::dialect::{Ask, EmbedInbound, EmbedOutbound, ReplyContext, Target};
use crate::ir::embed::{Input, Reply, Request, Vector, Wish};
use crate::ir::error::{Fault, Malformed};
use crate::ir::loss::Loss;
use crate::wire::json::{Error, Kind, Object, Reader, Text};
use pack::{pack, unpack};

impl EmbedInbound for Openai {
    fn decode_request<'a>(
        &self,
        _ask: &Ask<'a>,
        body: &'a str,
        loss: &mut Loss,
    ) -> Result<Request<'a>, Malformed> {
        let mut request = Request::default();
        let mut reader = Reader::new(body);
        reader.object().at("body")?;
        while let Some(key) = reader.key().at("body")? {
            match &*key.plain() {
                // How vectors are written is the gateway's business.
                "model" | "encoding_format" => reader.skip().at("body")?,
                "input" => (request.inputs, request.places.each) = inputs(&mut reader)?,
                "dimensions" => request.dimensions = optional_integer(&mut reader, "dimensions")?,
                "user" => request.user = optional_text(&mut reader, "user")?,
                other => {
                    if !is_void(reader.raw().at(other)?) {
                        loss.drop(other);
                    }
                }
            }
        }
        if request.inputs.is_empty() {
            return Err(Malformed::at("input", "expected a string, or a list that is not empty"));
        }
        Ok(request)
    }

    fn encode_reply(
        &self,
        reply: &Reply<'_>,
        context: &ReplyContext,
        out: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        let packed = echo::wants_packed(context);
        let vectors = reply.vectors.iter().map(|vector| write(vector, packed));
        let vectors = vectors.collect::<Option<Vec<_>>>();
        let vectors =
            vectors.ok_or_else(|| Fault::Invalid("an embedding is no list of finite numbers".to_owned()))?;
        let mut object = Object::new(out);
        object.str("object", "list").array("data", |list| {
            for (index, json) in (0..).zip(&vectors) {
                list.object(|item| {
                    item.str("object", "embedding").int("index", index).raw("embedding", json);
                });
            }
        });
        if reply.model.is_empty() {
            object.str("model", &context.model);
        } else {
            object.text("model", &reply.model);
        }
        let input = reply.usage.unwrap_or_default().input;
        object.object("usage", |usage| {
            usage.int("prompt_tokens", input).int("total_tokens", input);
        });
        Ok(())
    }
}

/// A string, tokens, or a list of either; and what follows an index there, if there are any.
fn inputs<'a>(reader: &mut Reader<'a>) -> Result<(Vec<Input<'a>>, Option<&'static str>), Malformed> {
    const PATH: &str = "input";
    match reader.peek().at(PATH)? {
        Kind::String => return Ok((vec![Input::Text(reader.string().at(PATH)?)], None)),
        Kind::Array => {}
        _ => return Err(Malformed::at(PATH, "expected a string, or a list of strings or of tokens")),
    }
    let start = reader.clone();
    let mut inputs = Vec::new();
    reader.array().at(PATH)?;
    while reader.element().at(PATH)? {
        let path = || format!("{PATH}[{}]", inputs.len());
        let input = match reader.peek().at(PATH)? {
            Kind::String => Input::Text(reader.string().at(PATH)?),
            // The whole list is one input.
            Kind::Number if inputs.is_empty() => {
                *reader = start;
                return Ok((vec![tokens(reader, PATH)?], None));
            }
            Kind::Array => tokens(reader, &path())?,
            _ => return Err(Malformed::at(path(), "expected a string or a list of tokens")),
        };
        inputs.push(input);
    }
    Ok((inputs, Some("")))
}

fn tokens<'a>(reader: &mut Reader<'a>, path: &str) -> Result<Input<'a>, Malformed> {
    let mut inside = reader.clone();
    inside.array().at(path)?;
    while inside.element().at(path)? {
        inside.integer().at(path)?;
    }
    reader.raw().at(path).map(Input::Tokens)
}

/// The JSON of a vector as it is wanted; `None` if it is none.
fn write(vector: &Vector<'_>, packed: bool) -> Option<String> {
    match (vector, packed) {
        (Vector::Numbers(json), false) => Some((*json).to_owned()),
        (Vector::Numbers(json), true) => pack(json).map(|base64| format!("\"{base64}\"")),
        (Vector::Packed(base64), true) => {
            let mut out = Vec::new();
            base64.write(&mut out);
            String::from_utf8(out).ok()
        }
        (Vector::Packed(base64), false) => unpack(&base64.plain()),
    }
}

impl EmbedOutbound for Openai {
    fn encode_request(
        &self,
        request: &Request<'_>,
        target: &Target<'_>,
        loss: &mut Loss,
        out: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        let tokens = |input: &&Input<'_>| matches!(input, Input::Tokens(_));
        let count = request.inputs.iter().filter(tokens).count();
        if count > 0 && count < request.inputs.len() {
            return Err(Malformed::at(
                request.places.inputs,
                "expected either texts or tokens: the provider takes no mixture",
            ));
        }
        let mut object = Object::new(out);
        if target.model_in_body {
            object.str("model", target.model);
        }
        for (name, json) in target.extra {
            object.raw(name, json);
        }
        object.array("input", |list| {
            for input in &request.inputs {
                match input {
                    Input::Text(text) => drop(list.text(text)),
                    Input::Tokens(json) => drop(list.raw(json)),
                }
            }
        });
        if let Some(dimensions) = request.dimensions {
            object.int("dimensions", dimensions);
        }
        if let Some(user) = &request.user {
            object.text("user", &shortened(user, MAX_USER, "user_"));
        }
        for (wish, value) in [(Wish::Task, &request.task), (Wish::Title, &request.title)] {
            if value.is_some() {
                request.lose(wish, loss);
            }
        }
        Ok(())
    }

    fn decode_reply<'a>(&self, _target: &Target<'_>, body: &'a str) -> Result<Reply<'a>, Fault> {
        let (mut reply, failed) = read(body).map_err(|error| Fault::Invalid(error.to_string()))?;
        if failed {
            return Err(Fault::Error(error::in_reply(body)));
        }
        if reply.vectors.is_empty() {
            return Err(Fault::Empty);
        }
        // Providers that work in parallel may answer out of order.
        reply.vectors.sort_by_key(|(index, _)| *index);
        let vectors = reply.vectors.into_iter().map(|(_, vector)| vector).collect();
        Ok(Reply { model: reply.model, vectors, usage: reply.usage })
    }
}

#[derive(Default)]
struct Draft<'a> {
    model: Text<'a>,
    vectors: Vec<(u64, Vector<'a>)>,
    usage: Option<Usage>,
}

/// The reply, and whether it is an error.
fn read(body: &str) -> Result<(Draft<'_>, bool), Error> {
    let mut reader = Reader::new(body);
    let (mut draft, mut failed) = (Draft::default(), false);
    reader.object()?;
    while let Some(key) = reader.key()? {
        match &*key.plain() {
            "model" => draft.model = text_or_skip(&mut reader)?.unwrap_or_default(),
            "usage" => draft.usage = usage::decode(&mut reader)?,
            "error" => failed |= !is_void(reader.raw()?),
            "object" => failed |= text_or_skip(&mut reader)?.is_some_and(|object| object == "error"),
            "data" => {
                if array_or_skip(&mut reader)? {
                    while reader.element()? {
                        draft.vector(&mut reader)?;
                    }
                }
            }
            _ => reader.skip()?,
        }
    }
    reader.end()?;
    Ok((draft, failed))
}

impl<'a> Draft<'a> {
    fn vector(&mut self, reader: &mut Reader<'a>) -> Result<(), Error> {
        let place = u64::try_from(self.vectors.len()).unwrap_or(u64::MAX);
        let (mut index, mut vector) = (place, None);
        if object_or_skip(reader)? {
            while let Some(key) = reader.key()? {
                match &*key.plain() {
                    "index" => index = super::wire::count_or_skip(reader)?.unwrap_or(place),
                    "embedding" => match reader.peek()? {
                        Kind::Array => vector = Some(Vector::Numbers(reader.raw()?)),
                        Kind::String => vector = Some(Vector::Packed(reader.string()?)),
                        _ => reader.skip()?,
                    },
                    _ => reader.skip()?,
                }
            }
        }
        self.vectors.extend(vector.map(|vector| (index, vector)));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
