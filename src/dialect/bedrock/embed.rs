//! Embeddings by `InvokeModel`, each maker in its own words.
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html>,
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html>
//!
//! Invariant: numbers stay as the model wrote them.

use super::reply;
use crate::config::Usage;
use crate::dialect::Target;
use crate::dialect::members::{Members, Path, Value};
use crate::ir::embed::{Input, Reply, Request, Vector, Wish};
use crate::ir::error::{Fault, Malformed};
use crate::ir::loss::Loss;
use crate::wire::json::{Kind, Object, Reader, Text};

/// Most texts of one request to Cohere's models.
const MAX_TEXTS: usize = 96;

/// Appends a request.
pub(super) fn encode(
    request: &Request<'_>,
    target: &Target<'_>,
    loss: &mut Loss,
    out: &mut Vec<u8>,
) -> Result<(), Malformed> {
    let texts = texts(request)?;
    if request.user.is_some() {
        loss.drop("user");
    }
    if request.title.is_some() {
        request.lose(Wish::Title, loss);
    }
    if target.model.contains("cohere.embed") {
        encode_cohere(request, &texts, target, loss, out)
    } else if target.model.contains("amazon.titan-embed") {
        encode_titan(request, &texts, target, loss, out)
    } else {
        Err(Malformed::at("model", "expected an embedding model of Titan's or Cohere's"))
    }
}

fn texts<'r, 'a>(request: &'r Request<'a>) -> Result<Vec<&'r Text<'a>>, Malformed> {
    let inputs = request.inputs.iter().enumerate();
    inputs
        .map(|(at, input)| match input {
            Input::Text(text) => Ok(text),
            Input::Tokens(_) => {
                Err(Malformed::at(request.places.input(at), "expected text: tokens are another model's"))
            }
        })
        .collect()
}

fn encode_titan(
    request: &Request<'_>,
    texts: &[&Text<'_>],
    target: &Target<'_>,
    loss: &mut Loss,
    out: &mut Vec<u8>,
) -> Result<(), Malformed> {
    let [text] = texts else {
        return Err(Malformed::at(request.places.inputs, "expected one text: Titan embeds one at a time"));
    };
    if request.task.is_some() {
        request.lose(Wish::Task, loss);
    }
    let mut body = Object::new(out);
    body.text("inputText", text);
    match request.dimensions {
        Some(length) if target.model.contains("-v2") => {
            body.int("dimensions", length);
        }
        Some(length) if target.model.contains("titan-embed-image") => {
            body.object("embeddingConfig", |config| {
                config.int("outputEmbeddingLength", length);
            });
        }
        Some(_) => request.lose(Wish::Dimensions, loss),
        None => {}
    }
    Ok(())
}

fn encode_cohere(
    request: &Request<'_>,
    texts: &[&Text<'_>],
    target: &Target<'_>,
    loss: &mut Loss,
    out: &mut Vec<u8>,
) -> Result<(), Malformed> {
    if texts.len() > MAX_TEXTS {
        return Err(Malformed::at(request.places.inputs, format_args!("expected at most {MAX_TEXTS} texts")));
    }
    let kind = match request.task.as_ref().map(Text::plain).as_deref() {
        // The word is mandatory, and what is embedded without a purpose is mostly to be found later.
        None | Some("RETRIEVAL_DOCUMENT") => "search_document",
        Some("RETRIEVAL_QUERY" | "QUESTION_ANSWERING" | "FACT_VERIFICATION" | "CODE_RETRIEVAL_QUERY") => {
            "search_query"
        }
        Some("CLASSIFICATION") => "classification",
        Some("CLUSTERING") => "clustering",
        Some(_) => {
            request.lose(Wish::Task, loss);
            "search_document"
        }
    };
    let mut body = Object::new(out);
    body.array("texts", |list| {
        for text in texts {
            list.text(text);
        }
    });
    body.str("input_type", kind);
    match request.dimensions {
        Some(length) if target.model.contains("embed-v4") => {
            body.int("output_dimension", length).raw("embedding_types", r#"["float"]"#);
        }
        Some(_) => request.lose(Wish::Dimensions, loss),
        None => {}
    }
    Ok(())
}

/// Reads a reply of either maker.
pub(super) fn decode(body: &str) -> Result<Reply<'_>, Fault> {
    let mut members = reply::open(body)?;
    let count = members.take("inputTextTokenCount");
    let input = count.and_then(|count| count.integer(&Path::root("inputTextTokenCount")).ok());
    let vectors = match (members.take("embedding"), members.take("embeddings")) {
        (Some(Value::Raw(numbers)), _) => vec![Vector::Numbers(numbers)],
        (_, Some(Value::Raw(json))) if json.starts_with('{') => {
            let floats = Members::of(json).ok().and_then(|mut types| types.take("float"));
            match floats {
                Some(Value::Raw(list)) => rows(list)?,
                _ => return Err(Fault::Invalid("embeddings.float: expected a list".to_owned())),
            }
        }
        (_, Some(Value::Raw(list))) => rows(list)?,
        _ => return Err(Fault::Invalid("embeddings: missing".to_owned())),
    };
    let usage = input.map(|input| Usage { input, ..Usage::default() });
    Ok(Reply { model: Text::from(""), vectors, usage })
}

fn rows(list: &str) -> Result<Vec<Vector<'_>>, Fault> {
    let invalid = |error: crate::wire::json::Error| Fault::Invalid(format!("embeddings: {error}"));
    let mut reader = Reader::new(list);
    let mut vectors = Vec::new();
    reader.array().map_err(invalid)?;
    while reader.element().map_err(invalid)? {
        if reader.peek().map_err(invalid)? != Kind::Array {
            return Err(Fault::Invalid("embeddings: expected lists of numbers".to_owned()));
        }
        vectors.push(Vector::Numbers(reader.raw().map_err(invalid)?));
    }
    Ok(vectors)
}

#[cfg(test)]
mod tests;
