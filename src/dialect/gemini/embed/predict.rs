//! Embeddings as predictions: the form that Vertex AI has for models of the line before Gemini's.
//! <https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api>,
//! <https://docs.cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/Shared.Types/TextEmbeddingPredictionParams>
//!
//! Invariant: numbers stay as the provider wrote them; the counts of all predictions make one, or there is none.

use super::vector;
use crate::config::Usage;
use crate::dialect::value::{array_or_skip, count_or_skip, object_or_skip};
use crate::ir::embed::{Input, Reply, Request, Vector};
use crate::ir::error::Malformed;
use crate::ir::loss::Loss;
use crate::wire::json::{Error, Object, Reader, Text};

/// Most texts of one request.
const MAX_TEXTS: usize = 250;

/// Appends a request.
pub(super) fn encode(request: &Request<'_>, loss: &mut Loss, out: &mut Vec<u8>) -> Result<(), Malformed> {
    if request.inputs.len() > MAX_TEXTS {
        return Err(Malformed::at(request.places.inputs, format_args!("expected at most {MAX_TEXTS} texts")));
    }
    let inputs = request.inputs.iter().enumerate();
    let texts = inputs.map(|(at, input)| match input {
        Input::Text(text) => Ok(text),
        Input::Tokens(_) => Err(super::no_tokens(request, at)),
    });
    let texts: Vec<&Text<'_>> = texts.collect::<Result<_, Malformed>>()?;
    if request.user.is_some() {
        loss.drop("user");
    }
    let mut body = Object::new(out);
    body.array("instances", |list| {
        for text in texts {
            list.object(|instance| {
                if let Some(task) = &request.task {
                    instance.text("task_type", task);
                }
                if let Some(title) = &request.title {
                    instance.text("title", title);
                }
                instance.text("content", text);
            });
        }
    });
    if let Some(dimensions) = request.dimensions {
        body.object("parameters", |parameters| {
            parameters.int("outputDimensionality", dimensions);
        });
    }
    Ok(())
}

/// Reads a reply.
pub(super) fn decode_reply(body: &str) -> Result<Reply<'_>, Error> {
    let mut reader = Reader::new(body);
    let mut vectors = Vec::new();
    let mut counted = Some(0);
    reader.object()?;
    while let Some(key) = reader.key()? {
        if key == "predictions" && array_or_skip(&mut reader)? {
            while reader.element()? {
                let (vector, count) = prediction(&mut reader)?;
                vectors.extend(vector);
                counted = counted.zip(count).map(|(sum, count): (u64, u64)| sum.saturating_add(count));
            }
        } else if key != "predictions" {
            reader.skip()?;
        }
    }
    reader.end()?;
    let usage = counted.filter(|_| !vectors.is_empty()).map(|input| Usage { input, ..Usage::default() });
    Ok(Reply { model: Text::from(""), vectors, usage })
}

/// One vector, and the tokens that it was made of.
fn prediction<'a>(reader: &mut Reader<'a>) -> Result<(Option<Vector<'a>>, Option<u64>), Error> {
    let (mut found, mut count) = (None, None);
    if object_or_skip(reader)? {
        while let Some(key) = reader.key()? {
            if key == "embeddings" {
                let mut again = reader.clone();
                found = vector(reader)?;
                count = statistics(&mut again)?;
            } else {
                reader.skip()?;
            }
        }
    }
    Ok((found, count))
}

fn statistics(reader: &mut Reader<'_>) -> Result<Option<u64>, Error> {
    let mut count = None;
    if object_or_skip(reader)? {
        while let Some(key) = reader.key()? {
            if key == "statistics" && object_or_skip(reader)? {
                while let Some(key) = reader.key()? {
                    if &*key.plain() == "token_count" || &*key.plain() == "tokenCount" {
                        count = count_or_skip(reader)?;
                    } else {
                        reader.skip()?;
                    }
                }
            } else if key != "statistics" {
                reader.skip()?;
            }
        }
    }
    Ok(count)
}
