//! Embeddings by `InvokeModel`, each family in its own words: Titan takes one text, Cohere up to 96.
//!
//! Spec: <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html> and
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html>

use super::error::{invalid, malformed, of_violation};
use super::family;
use crate::simulator::answer::{Answer, Call, Refusal};
use crate::simulator::catalog::{Model, Traits};
use crate::simulator::openai::embeddings::vector;
use crate::simulator::shape::{Checked, Node, Object, Problem};
use crate::simulator::tokens;
use serde_json::{Map, Value, json};
use sluice::config::Usage;

const TEXTS: usize = 96;
const COHERE_LENGTH: usize = 2048;
const TITAN_LENGTH: usize = 50_000;
const KINDS: &[&str] = &["search_document", "search_query", "classification", "clustering", "image"];
const FORMS: &[&str] = &["float", "int8", "uint8", "binary", "ubinary"];

/// A body that was found valid.
struct Read {
    body: Value,
    tokens: u64,
}

/// Answers `InvokeModel`.
pub(crate) fn answer(call: &Call<'_>, segment: &str, document: &Value) -> Result<Answer, Refusal> {
    let named = family::named(call.catalog, segment)?;
    if named.model.traits != Traits::Embedding {
        return Err(invalid("The simulator invokes embedding models only. Use Converse for this model."));
    }
    let id = named.model.id.as_str();
    let read = if id.contains("cohere.") {
        cohere(call, named.model, document, id.contains("embed-v4"))
    } else {
        titan(named.model, document, !id.contains("embed-text-v1"))
    };
    let Read { mut body, tokens } = read.map_err(|violation| of_violation(&violation))?;
    if tokens > named.model.context_length {
        let most = named.model.context_length;
        return Err(invalid(format!(
            "400 Bad Request: Too many input tokens. Max input tokens: {most}, request input token count: {tokens} "
        )));
    }
    if let (true, Value::Object(members)) = (call.bias.no_usage, &mut body) {
        members.remove("inputTextTokenCount");
    }
    let usage = Usage { input: tokens, ..Usage::default() };
    let mut answer = Answer::json(body);
    answer.consumed = Some(usage);
    if !call.bias.no_usage {
        answer.usage = Some(usage);
        answer.headers.push(("x-amzn-bedrock-input-token-count", tokens.to_string()));
        answer.headers.push(("x-amzn-bedrock-invocation-latency", "42".to_owned()));
    }
    Ok(answer)
}

/// A list of short texts from a closed list.
fn choices(root: &Object<'_>, name: &str, allowed: &[&'static str]) -> Checked<Vec<String>> {
    let items = root.get(name).map(|node| node.list()).transpose()?.unwrap_or_default();
    items.iter().map(|node| node.choice(allowed).map(str::to_owned)).collect()
}

fn one_of(root: &Object<'_>, name: &str, allowed: &[i64], usual: i64) -> Checked<usize> {
    let Some(node) = root.get(name) else { return Ok(usize::try_from(usual).unwrap_or(0)) };
    let wanted = node.integer(i64::MIN, i64::MAX)?;
    if !allowed.contains(&wanted) {
        return Err(node.wrong(Problem::Choice { got: wanted.to_string(), allowed: Vec::new() }));
    }
    Ok(usize::try_from(wanted).unwrap_or(0))
}

fn titan(model: &Model, document: &Value, second: bool) -> Checked<Read> {
    let root = Node::root(document).object()?;
    root.only(if second {
        &["inputText", "dimensions", "normalize", "embeddingTypes"]
    } else {
        &["inputText"]
    })?;
    let input = root.need("inputText")?;
    let text = input.text_within(TITAN_LENGTH)?;
    if text.is_empty() {
        return Err(input.rule("expected minLength: 1, actual: 0"));
    }
    let dimensions = if second { one_of(&root, "dimensions", &[256, 512, 1024], 1024)? } else { 1536 };
    let normalized = root.flag("normalize", true)?;
    let forms = choices(&root, "embeddingTypes", &["float", "binary"])?;
    let seed = format!("{}\n{text}", model.id);
    let mut numbers = vector(&seed, dimensions);
    if !normalized {
        numbers.iter_mut().for_each(|number| *number *= 2.0);
    }
    let tokens = tokens::count(text);
    let mut body = json!({"inputTextTokenCount": tokens});
    if second {
        let mut by_type = Map::new();
        for form in if forms.is_empty() { vec!["float".to_owned()] } else { forms } {
            let written = in_form(&numbers, &form);
            by_type.insert(form, written);
        }
        if let (Some(float), Value::Object(members)) = (by_type.get("float"), &mut body) {
            members.insert("embedding".to_owned(), float.clone());
        }
        if let Value::Object(members) = &mut body {
            members.insert("embeddingsByType".to_owned(), Value::Object(by_type));
        }
    } else if let Value::Object(members) = &mut body {
        members.insert("embedding".to_owned(), json!(numbers));
    }
    Ok(Read { body, tokens })
}

fn cohere(call: &Call<'_>, model: &Model, document: &Value, fourth: bool) -> Checked<Read> {
    let root = Node::root(document).object()?;
    root.only(if fourth {
        &["texts", "input_type", "truncate", "embedding_types", "output_dimension", "max_tokens"]
    } else {
        &["texts", "input_type", "truncate", "embedding_types"]
    })?;
    root.need("input_type")?.choice(KINDS)?;
    root.choice("truncate", if fourth { &["NONE", "LEFT", "RIGHT"] } else { &["NONE", "START", "END"] })?;
    root.integer("max_tokens", 1, 128_000)?;
    let forms = choices(&root, "embedding_types", FORMS)?;
    let dimensions =
        if fourth { one_of(&root, "output_dimension", &[256, 512, 1024, 1536], 1536)? } else { 1024 };
    let list = root.need("texts")?;
    let nodes = list.list()?;
    if nodes.is_empty() {
        return Err(list.rule("expected minimum item count: 1, found: 0"));
    }
    if nodes.len() > TEXTS {
        return Err(list.wrong(Problem::TooLong { limit: TEXTS, got: nodes.len(), list: true }));
    }
    let mut texts = Vec::new();
    for node in &nodes {
        let text = if fourth { node.text()? } else { node.text_within(COHERE_LENGTH)? };
        if text.is_empty() {
            return Err(node.rule("expected minLength: 1, actual: 0"));
        }
        texts.push(text);
    }
    let vectors: Vec<Vec<f32>> =
        texts.iter().map(|text| vector(&format!("{}\n{text}", model.id), dimensions)).collect();
    let in_all = |form: &str| Value::Array(vectors.iter().map(|numbers| in_form(numbers, form)).collect());
    let (embeddings, kind) = if forms.is_empty() {
        (in_all("float"), "embeddings_floats")
    } else {
        let by_type = forms.iter().map(|form| (form.clone(), in_all(form))).collect();
        (Value::Object(by_type), "embeddings_by_type")
    };
    let body = json!({"id": call.id("embedding", 32), "texts": texts, "embeddings": embeddings, "response_type": kind});
    Ok(Read { body, tokens: texts.iter().map(|text| tokens::count(text)).sum() })
}

/// A vector in the form that was asked for.
#[expect(clippy::cast_possible_truncation, reason = "a number of length one times 127 fits a byte")]
fn in_form(numbers: &[f32], form: &str) -> Value {
    let scaled = |number: &f32| (number * 127.0).round() as i64;
    let bits = |chunk: &[f32]| chunk.iter().fold(0_i64, |byte, number| byte * 2 + i64::from(*number > 0.0));
    match form {
        "int8" => json!(numbers.iter().map(scaled).collect::<Vec<_>>()),
        "uint8" => json!(numbers.iter().map(|number| scaled(number) + 128).collect::<Vec<_>>()),
        "ubinary" => json!(numbers.chunks(8).map(bits).collect::<Vec<_>>()),
        "binary" => json!(numbers.chunks(8).map(|chunk| bits(chunk) - 128).collect::<Vec<_>>()),
        _ => json!(numbers),
    }
}

/// 400 for a body that is no JSON.
pub(crate) fn unreadable() -> Refusal {
    malformed("the body is not valid JSON")
}
