//! Embeddings as Vertex AI's older models give them: instances in, predictions out.
//!
//! Spec: <https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api>

use crate::simulator::answer::{Answer, Call, Refusal};
use crate::simulator::catalog::Model;
use crate::simulator::gemini::schema::Flavour;
use crate::simulator::gemini::{self, choices, error};
use crate::simulator::openai::embeddings::vector;
use crate::simulator::shape::{Checked, Node, Object};
use crate::simulator::tokens;
use serde_json::{Value, json};
use sluice::config::Usage;

/// The most texts of a request, and the most tokens in all of them.
const TEXTS: usize = 250;
const TOKENS: u64 = 20_000;

/// How vectors are made.
struct Parameters {
    truncates: bool,
    dimensions: usize,
}

/// Answers a request for predictions of an embedding model.
pub(super) fn answer(call: &Call<'_>, model: &Model) -> Result<Answer, Refusal> {
    let document = gemini::read(call, Flavour::Vertex, "PredictRequest")?;
    let refused = |violation| error::of_violation(Flavour::Vertex, "PredictRequest", &violation);
    let (texts, parameters) = read(&document, model).map_err(refused)?;
    let cost: u64 = texts.iter().map(|text| tokens::count(text)).sum();
    let too_long = texts.iter().any(|text| tokens::count(text) > model.context_length);
    if cost > TOKENS || (too_long && !parameters.truncates) {
        let text = format!(
            "Unable to submit request because the input token count is {cost} but the model supports up to {}.",
            model.context_length
        );
        return Err(error::refuse(400, &text).into());
    }
    let prediction = |text: &String| {
        let (count, most) = (tokens::count(text), model.context_length);
        let mut embeddings = json!({"values": vector(text, parameters.dimensions)});
        if let (false, Value::Object(members)) = (call.bias.no_usage, &mut embeddings) {
            let statistics = json!({"truncated": count > most, "token_count": count.min(most)});
            members.insert("statistics".to_owned(), statistics);
        }
        json!({"embeddings": embeddings})
    };
    let billable: usize =
        texts.iter().map(|text| text.chars().filter(|letter| !letter.is_whitespace()).count()).sum();
    let mut body = json!({"predictions": texts.iter().map(prediction).collect::<Vec<_>>()});
    if let Value::Object(members) = &mut body {
        members.insert("metadata".to_owned(), json!({"billableCharacterCount": billable}));
    }
    let usage = Usage {
        input: texts.iter().map(|text| tokens::count(text).min(model.context_length)).sum(),
        ..Usage::default()
    };
    Ok(Answer { usage: (!call.bias.no_usage).then_some(usage), consumed: Some(usage), ..Answer::json(body) })
}

fn read(document: &Value, model: &Model) -> Checked<(Vec<String>, Parameters)> {
    let root = Node::root(document).object()?;
    let parameters = parameters(&root, model)?;
    let node = root.need("instances")?;
    let list = node.list()?;
    // The vendor's first model of its kind takes texts one by one.
    let most = if model.id == "gemini-embedding-001" { 1 } else { TEXTS };
    if list.is_empty() || list.len() > most {
        return Err(error::at(
            &node,
            format!("has {} instances but the supported range is from 1 to {most}", list.len()),
        ));
    }
    let mut texts = Vec::new();
    for instance in list {
        let members = instance.object()?;
        members.only(&["content", "task_type", "taskType", "title"])?;
        let content = members.need("content")?;
        if content.text()?.is_empty() {
            return Err(error::at(&content, "The text content is empty."));
        }
        let (_, tasks) = choices::of("TaskType").split_first().unwrap_or((&"", &[]));
        for name in ["task_type", "taskType"] {
            members.choice(name, tasks)?;
        }
        members.text("title")?;
        texts.push(content.text()?.to_owned());
    }
    Ok((texts, parameters))
}

fn parameters(root: &Object<'_>, model: &Model) -> Checked<Parameters> {
    let longest = if model.id.starts_with("gemini-") { gemini::DIMENSIONS } else { 768 };
    let usual = usize::try_from(longest).unwrap_or_default();
    let Some(node) = root.get("parameters") else {
        return Ok(Parameters { truncates: true, dimensions: usual });
    };
    let members = node.object()?;
    members.only(&["autoTruncate", "outputDimensionality"])?;
    let dimensions = members.integer("outputDimensionality", 1, longest)?;
    Ok(Parameters {
        truncates: members.flag("autoTruncate", true)?,
        dimensions: dimensions.map_or(usual, |dimensions| usize::try_from(dimensions).unwrap_or(usual)),
    })
}
