//! The models that AI Studio lists, page by page.
//!
//! Spec: <https://ai.google.dev/api/models>

use super::schema::Flavour;
use super::{ability, error, query};
use crate::simulator::answer::{Answer, Call, Refusal};
use crate::simulator::catalog::{Model, Traits};
use serde_json::{Value, json};

/// `GET models`: fifty at a time unless the client wants another number, at most a thousand.
pub(crate) fn list(call: &Call<'_>) -> Result<Answer, Refusal> {
    let size = match query::parameter(call.query, "pageSize").map(|size| size.parse::<usize>()) {
        None | Some(Ok(0)) => 50,
        Some(Ok(size)) => size.min(1000),
        Some(Err(_)) => return Err(error::refuse(400, "Invalid value at 'page_size' (TYPE_INT32)").into()),
    };
    let all = call.catalog.all();
    let token = query::parameter(call.query, "pageToken").filter(|token| !token.is_empty());
    let start = match token {
        None => 0,
        Some(token) => all
            .iter()
            .position(|model| token_of(model) == token)
            .ok_or_else(|| error::refuse(400, "page_token is invalid"))?,
    };
    let rest = all.get(start..).unwrap_or_default();
    let page: Vec<Value> = rest.iter().take(size).map(object).collect();
    let mut body = json!({"models": page});
    if let (Some(next), Value::Object(members)) = (rest.get(size), &mut body) {
        members.insert("nextPageToken".to_owned(), json!(token_of(next)));
    }
    Ok(Answer::json(body))
}

fn token_of(model: &Model) -> String {
    format!("from-{}", model.id)
}

/// `GET models/{name}`.
pub(crate) fn get(call: &Call<'_>, name: &str, flavour: Flavour) -> Result<Answer, Refusal> {
    let missing = || {
        let version = flavour.version();
        let text = format!(
            "models/{name} is not found for API version {version}. Call ListModels to see the list of available models."
        );
        error::refuse(404, &text)
    };
    Ok(Answer::json(object(call.catalog.get(name).ok_or_else(missing)?)))
}

fn object(model: &Model) -> Value {
    let methods = if model.traits == Traits::Embedding {
        json!(["embedContent", "countTextTokens", "countTokens", "asyncBatchEmbedContent"])
    } else {
        json!(["generateContent", "countTokens", "createCachedContent", "batchGenerateContent"])
    };
    let most = if model.max_output == u64::MAX { 1 } else { model.max_output };
    let mut object = json!({
        "name": format!("models/{}", model.id), "version": "001", "displayName": model.id,
        "inputTokenLimit": model.context_length, "outputTokenLimit": most, "supportedGenerationMethods": methods,
    });
    if let (false, Value::Object(members)) = (model.traits == Traits::Embedding, &mut object) {
        let thinks = ability::Ability::of(model).budget.most > 0;
        for (name, value) in [
            ("temperature", json!(1)),
            ("topP", json!(0.95)),
            ("topK", json!(64)),
            ("maxTemperature", json!(2)),
            ("thinking", json!(thinks)),
        ] {
            members.insert(name.to_owned(), value);
        }
    }
    object
}
