//! What the edge answers itself: the model list.

use super::plan::unknown_model;
use super::reject::Rejection;
use super::route::parameter;
use super::state::State;
use crate::config::{Dialect, Key, Model};
use crate::dialect::{Paging, inbound};

/// `GET /v1/models`: the models that this key may ask for, or the page of them that the query wants.
pub fn list_models(state: &State, key: &Key, dialect: Dialect, query: &str) -> Result<Vec<u8>, Rejection> {
    let client = inbound(dialect);
    let paging = client.paging(&|name| parameter(query, name)).map_err(|bad| {
        let message = format!("{bad}. Correct the query and send it again.");
        Rejection::new(400, "invalid_request", message).param(bad.path)
    })?;
    let allowed = state.models().map(AsRef::as_ref).filter(|model| key.may_use(model));
    let (models, more) = page(allowed, &paging);
    let mut out = Vec::with_capacity(models.len() * 128 + 64);
    client.encode_models(&models, more, &mut out);
    Ok(out)
}

/// A page of models that come in the order of their ids, and whether there are more in its direction.
fn page<'a>(models: impl Iterator<Item = &'a Model>, paging: &Paging) -> (Vec<&'a Model>, bool) {
    let Paging { limit, after, before } = paging;
    let mut found: Vec<&Model> = models
        .filter(|model| after.as_ref().is_none_or(|after| model.id > *after))
        .filter(|model| before.as_ref().is_none_or(|before| model.id < *before))
        .collect();
    let spare = limit.map_or(0, |limit| found.len().saturating_sub(limit));
    if before.is_some() {
        found.drain(..spare);
    } else {
        found.truncate(found.len() - spare);
    }
    (found, spare > 0)
}

/// `GET /v1/models/{id}`.
pub fn get_model(state: &State, key: &Key, dialect: Dialect, id: &str) -> Result<Vec<u8>, Rejection> {
    let model =
        state.model(id).filter(|model| key.may_use(model)).ok_or_else(|| unknown_model(state, key, id))?;
    let mut out = Vec::with_capacity(256);
    inbound(dialect).encode_model(model, &mut out);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::type_url;
    use crate::gateway::state::Pushed;
    use serde_json::Value;

    /// Models `a` to `e`; the key may not use `c`.
    fn listed(dialect: Dialect, query: &str) -> Result<Value, (u16, Option<String>)> {
        let mut state = State::default();
        let models = ["d", "b", "e", "a", "c"].map(|id| format!(r#"{{"id":"{id}"}}"#));
        let set = models.each_ref().map(|json| Pushed { name: "", json: json.as_bytes() });
        state.apply(type_url::MODEL, &set, &[]).unwrap();
        let hash = "0".repeat(64);
        let key = format!(r#"{{"id":"abcdefghijkl","secret_hash":"{hash}","models":{{"deny":["c"]}}}}"#);
        list_models(&state, &serde_json::from_str(&key).unwrap(), dialect, query)
            .map(|body| serde_json::from_slice(&body).unwrap())
            .map_err(|rejection| (rejection.error.status, rejection.error.param))
    }

    #[test]
    fn anthropic_s_pages_go_in_both_directions() {
        for (query, ids, more) in [
            ("", "abde", false),
            ("limit=1", "a", true),
            ("limit=2&after_id=a", "bd", true),
            ("limit=2&after_id=b", "de", false),
            ("after_id=c", "de", false),
            ("limit=2&before_id=e", "bd", true),
            ("limit=2&before_id=d", "ab", false),
            ("limit=4", "abde", false),
            ("after_id=z", "", false),
        ] {
            let page = listed(Dialect::Anthropic, query).unwrap();
            let found: String =
                page["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap()).collect();
            assert_eq!((found.as_str(), page["has_more"].as_bool()), (ids, Some(more)), "{query}");
            let end = |at: usize| ids.get(at..=at).map_or(Value::Null, Value::from);
            assert_eq!(page["first_id"], end(0), "{query}");
            assert_eq!(page["last_id"], end(ids.len().saturating_sub(1)), "{query}");
        }
        let refused = listed(Dialect::Anthropic, "limit=0").unwrap_err();
        assert_eq!(refused, (400, Some("limit".into())));
    }

    #[test]
    fn gemini_s_pages_lead_from_one_to_the_next() {
        let (mut query, mut found) = ("pageSize=3".to_owned(), Vec::new());
        loop {
            let page = listed(Dialect::Gemini, &query).unwrap();
            let names = page["models"].as_array().unwrap().iter();
            found.push(names.map(|model| model["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>());
            let Some(token) = page["nextPageToken"].as_str() else { break };
            query = format!("pageSize=3&pageToken={token}");
        }
        assert_eq!(found, [vec!["models/a", "models/b", "models/d"], vec!["models/e"]]);
        assert_eq!(listed(Dialect::Gemini, "").unwrap()["models"].as_array().unwrap().len(), 4);
        assert_eq!(listed(Dialect::Gemini, "pageSize=x").unwrap_err(), (400, Some("pageSize".into())));
    }

    #[test]
    fn openai_s_list_has_no_pages() {
        let all = listed(Dialect::Openai, "limit=1&after_id=a&pageSize=1").unwrap();
        assert_eq!(all["data"].as_array().unwrap().len(), 4);
    }
}
