//! Embeddings: vectors of length one that depend on the text alone.
//!
//! Spec: <https://platform.openai.com/docs/api-reference/embeddings>

use super::{at_most, completions, error, model};
use crate::simulator::answer::{Answer, Call, Refusal};
use crate::simulator::catalog::Traits;
use crate::simulator::shape::Node;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sluice::config::Usage;

const DIMENSIONS: i64 = 1536;

/// Answers an embeddings request.
pub(crate) fn answer(call: &Call<'_>, document: &Value) -> Result<Answer, Refusal> {
    let root = Node::root(document).lenient()?;
    root.only(&["dimensions", "encoding_format", "input", "model", "user"])?;
    let model = model(call, &root, |traits| traits == Traits::Embedding)?;
    root.text("user")?;
    let encoding = root.choice("encoding_format", &["float", "base64"])?.unwrap_or("float");
    let dimensions = root.integer("dimensions", 1, DIMENSIONS)?.unwrap_or(DIMENSIONS);
    let input = root.need("input")?;
    let texts = completions::prompts(&input)?;
    at_most(&input, texts.len(), 2048)?;
    if input.value.as_str() == Some("") || texts.iter().any(|(_, cost)| *cost == 0) {
        return Err(input.rule("'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.").into());
    }
    if let Some((_, cost)) = texts.iter().find(|(_, cost)| *cost > model.context_length) {
        return Err(error::context(model.context_length, *cost, None).into());
    }
    let seeds: Vec<String> = match input.value {
        Value::Array(items) if !items.iter().all(Value::is_number) => {
            items.iter().map(Value::to_string).collect()
        }
        one => vec![one.to_string()],
    };
    let embedding = |(index, seed): (usize, &String)| {
        let vector = vector(seed, usize::try_from(dimensions).unwrap_or(0));
        let embedding = if encoding == "base64" {
            let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
            json!(STANDARD.encode(bytes))
        } else {
            json!(vector)
        };
        json!({"object": "embedding", "index": index, "embedding": embedding})
    };
    let data: Vec<Value> = seeds.iter().enumerate().map(embedding).collect();
    let usage = Usage { input: texts.iter().map(|(_, cost)| cost).sum(), ..Usage::default() };
    let mut body = json!({"object": "list", "data": data, "model": model.id});
    if let (false, Value::Object(members)) = (call.bias.no_usage, &mut body) {
        members
            .insert("usage".to_owned(), json!({"prompt_tokens": usage.input, "total_tokens": usage.input}));
    }
    Ok(Answer { usage: (!call.bias.no_usage).then_some(usage), consumed: Some(usage), ..Answer::json(body) })
}

/// A vector of length one, always the same for the same seed.
pub(crate) fn vector(seed: &str, dimensions: usize) -> Vec<f32> {
    let block = |index: usize| Sha256::new().chain_update(seed).chain_update(index.to_le_bytes()).finalize();
    let mut vector: Vec<f32> = (0..dimensions.div_ceil(32))
        .flat_map(|index| block(index).iter().map(|byte| f32::from(*byte) - 127.5).collect::<Vec<_>>())
        .take(dimensions)
        .collect();
    let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
    for number in &mut vector {
        *number /= length;
    }
    vector
}
