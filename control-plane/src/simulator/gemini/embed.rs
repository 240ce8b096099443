//! Embeddings: one content or a batch of them, each as a vector that depends on its text alone.
//!
//! Spec: <https://ai.google.dev/api/embeddings>

use super::ability::Ability;
use super::schema::Flavour;
use super::{error, parts};
use crate::simulator::answer::{Answer, Call, Refusal};
use crate::simulator::catalog::Model;
use crate::simulator::openai::embeddings::vector;
use crate::simulator::shape::{Checked, Node, Object};
use serde_json::{Value, json};
use sluice::config::Usage;

/// How long a vector is, and the longest that there is.
pub(crate) const DIMENSIONS: i64 = 3072;
/// The most contents of a batch.
const BATCH: usize = 100;

/// A content to embed.
struct Wanted {
    text: String,
    tokens: u64,
    dimensions: usize,
}

/// Answers a request to embed one content.
pub(crate) fn one(
    call: &Call<'_>,
    flavour: Flavour,
    model: &Model,
    document: &Value,
) -> Result<Answer, Refusal> {
    let refused = |violation| error::of_violation(flavour, "EmbedContentRequest", &violation);
    let wanted = wanted(&Node::root(document), flavour, model).map_err(refused)?;
    fits(model, &wanted)?;
    let usage = Usage { input: wanted.tokens, ..Usage::default() };
    let mut body = json!({"embedding": {"values": vector(&wanted.text, wanted.dimensions)}});
    Ok(counted(call, flavour, model, &mut body, usage))
}

/// Answers a request to embed several contents.
pub(crate) fn batch(
    call: &Call<'_>,
    flavour: Flavour,
    model: &Model,
    document: &Value,
) -> Result<Answer, Refusal> {
    let refused = |violation| error::of_violation(flavour, "BatchEmbedContentsRequest", &violation);
    let list = several(document, flavour, model).map_err(refused)?;
    list.iter().try_for_each(|wanted| fits(model, wanted))?;
    let embeddings: Vec<Value> =
        list.iter().map(|wanted| json!({"values": vector(&wanted.text, wanted.dimensions)})).collect();
    let usage = Usage { input: list.iter().map(|wanted| wanted.tokens).sum(), ..Usage::default() };
    let mut body = json!({"embeddings": embeddings});
    Ok(counted(call, flavour, model, &mut body, usage))
}

fn several(document: &Value, flavour: Flavour, model: &Model) -> Checked<Vec<Wanted>> {
    let root = Node::root(document).object()?;
    let list = root.get("requests").map(|node| node.list()).transpose()?.unwrap_or_default();
    let mut all = Vec::new();
    for node in &list {
        let members = node.object()?;
        let name = members.text("model")?.unwrap_or_default();
        let is_left_out = name.is_empty() && flavour == Flavour::Vertex;
        if !is_left_out
            && name != format!("models/{}", model.id)
            && !name.ends_with(&format!("/models/{}", model.id))
        {
            let mut violation = error::at(node, "unexpected model name format");
            violation.path.push(crate::simulator::shape::Segment::Key("model".to_owned()));
            return Err(violation);
        }
        all.push(wanted(node, flavour, model)?);
    }
    if all.is_empty() || all.len() > BATCH {
        let text = format!("at least one and at most {BATCH} requests can be in one batch");
        return Err(error::at(&root.need("requests")?, text));
    }
    Ok(all)
}

fn wanted(node: &Node<'_>, flavour: Flavour, model: &Model) -> Checked<Wanted> {
    let members = node.object()?;
    let config = members.get("embedContentConfig").map(|node| node.object()).transpose()?;
    let options = config.as_ref().unwrap_or(&members);
    options_of(options)?;
    let dimensions = options.integer("outputDimensionality", i64::MIN, i64::MAX)?.unwrap_or(DIMENSIONS);
    if let Some(node) =
        options.get("outputDimensionality").filter(|_| !(1..=DIMENSIONS).contains(&dimensions))
    {
        return Err(error::at(&node, format!("must be in the range [1, {DIMENSIONS}]")));
    }
    let content = members.need("content")?;
    let list = content.object()?.get("parts").map(|node| node.list()).transpose()?.unwrap_or_default();
    let mut text = String::new();
    let mut cost = 0;
    for part in &list {
        let read = parts::read(part, flavour, Ability::of(model))?;
        text.push_str(&part.value.to_string());
        cost += read.tokens;
    }
    if cost == 0 {
        return Err(error::at(&content, "content is empty"));
    }
    Ok(Wanted { text, tokens: cost, dimensions: usize::try_from(dimensions).unwrap_or_default() })
}

/// A title is for documents.
fn options_of(options: &Object<'_>) -> Checked<()> {
    let task = options.text("taskType")?;
    match options.get("title") {
        Some(node) if task != Some("RETRIEVAL_DOCUMENT") => {
            let task = task.unwrap_or("TASK_TYPE_UNSPECIFIED");
            Err(error::at(&node, format!("title is only applicable to RETRIEVAL_DOCUMENT, not to {task}")))
        }
        _ => Ok(()),
    }
}

fn fits(model: &Model, wanted: &Wanted) -> Result<(), Refusal> {
    let (tokens, most) = (wanted.tokens, model.context_length);
    if tokens <= most {
        return Ok(());
    }
    let text =
        format!("The input token count ({tokens}) exceeds the maximum number of tokens allowed ({most}).");
    Err(error::refuse(400, &text).into())
}

/// With its usage; the oldest model says nothing of it.
fn counted(call: &Call<'_>, flavour: Flavour, model: &Model, body: &mut Value, usage: Usage) -> Answer {
    let tells = flavour == Flavour::Vertex || model.id != "gemini-embedding-001";
    let reported = (tells && !call.bias.no_usage).then_some(usage);
    if let (Some(usage), Value::Object(members)) = (reported, &mut *body) {
        let report = json!({
            "promptTokenCount": usage.input, "totalTokenCount": usage.input,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": usage.input}],
        });
        members.insert("usageMetadata".to_owned(), report);
    }
    Answer { usage: reported, consumed: Some(usage), ..Answer::json(body.take()) }
}
